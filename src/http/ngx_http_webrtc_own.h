
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A request of the module's own, for what happens when no client's request is
 * there: nginx evaluates variables in a request.  It has a configuration, a
 * pool and an address, and no connection: nothing can be read or sent.
 */


#ifndef _NGX_HTTP_WEBRTC_OWN_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_OWN_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 *   wlcf    a location's; its ctx is set
 *   addr    of $remote_addr, or NULL
 *   age_ms  what $request_time says
 *
 * Returns the request, ended with ngx_http_webrtc_own_done(); NULL: no memory
 */
ngx_http_request_t *ngx_http_webrtc_own(ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_webrtc_addr_t *addr, uint64_t age_ms, ngx_log_t *log);

void ngx_http_webrtc_own_done(ngx_http_request_t *r);

/*
 * What it is about: $webrtc_stream, and the variable that is the stream's name
 * in the location, such as a capture of its regular expression.
 */
void ngx_http_webrtc_own_stream(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_str_t *name);

/*
 * Remembers where a location is in the configuration, in its ctx; for merging,
 * when nginx is at that location.  What is inside it and serves nothing of its
 * own, such as "if", counts as the location around it.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_own_conf(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf);

/* A location by its number in a slot; NULL: it is not there any more. */
ngx_http_webrtc_loc_conf_t *ngx_http_webrtc_own_location(
    ngx_http_webrtc_main_conf_t *wmcf, uint32_t location);


#endif /* _NGX_HTTP_WEBRTC_OWN_H_INCLUDED_ */
