
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The header Accept.  RFC 9110, 12.5.1.
 */


#ifndef _NGX_HTTP_WEBRTC_ACCEPT_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_ACCEPT_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* weight 1 of RFC 9110, 12.4.2 */
#define NGX_HTTP_WEBRTC_ACCEPT_ONE  1000


/*
 * Reads a media range and its weight, of NGX_HTTP_WEBRTC_ACCEPT_ONE.  Returns
 * the position after it and its comma.
 */
u_char *ngx_http_webrtc_accept_range(u_char *p, u_char *end, ngx_str_t *type,
    ngx_int_t *weight);

/* Does a request list a type by its name? */
ngx_uint_t ngx_http_webrtc_accepts(ngx_http_request_t *r, ngx_str_t *name);


#endif /* _NGX_HTTP_WEBRTC_ACCEPT_H_INCLUDED_ */
