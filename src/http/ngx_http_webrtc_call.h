
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Requests that the module makes of its own server when nobody has sent one:
 * hooks of what has happened.
 */


#ifndef _NGX_HTTP_WEBRTC_CALL_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_CALL_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * The answer has come.
 *
 *   status   of it; 0: none, within NGX_HTTP_WEBRTC_CALL_TIMEOUT
 */
typedef void (*ngx_http_webrtc_call_pt)(uint64_t data, ngx_uint_t status);


/*
 * Makes a GET of a URI, with its arguments, in the server of a location.  At
 * most so many are under way; others wait for their turn, and too many are
 * dropped.
 *
 *   wlcf      its ctx is set
 *   uri       copied
 *   handler   NULL: the answer does not matter
 *
 * NGX_OK; NGX_DECLINED: it is dropped, which is logged
 */
ngx_int_t ngx_http_webrtc_call(ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_str_t *uri, ngx_http_webrtc_call_pt handler, uint64_t data);

/*
 * Escapes what cannot be in a request line as it is, such as blanks: variables
 * may have any bytes.
 *
 * NGX_OK; NGX_ERROR: out of memory
 */
ngx_int_t ngx_http_webrtc_call_escape(ngx_pool_t *pool, ngx_str_t *from,
    ngx_str_t *to);

/* The process ends: forgets those that wait. */
void ngx_http_webrtc_call_exit(void);


#endif /* _NGX_HTTP_WEBRTC_CALL_H_INCLUDED_ */
