
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Requests for playlists and segments.
 */


#ifndef _NGX_HTTP_WEBRTC_HLS_GET_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_HLS_GET_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* the location's handler */
ngx_int_t ngx_http_webrtc_hls_handler(ngx_http_request_t *r);

/* At each tick, for requests that wait; and when the worker ends. */
void ngx_http_webrtc_hls_get_tick(void);
void ngx_http_webrtc_hls_get_exit(void);


#endif /* _NGX_HTTP_WEBRTC_HLS_GET_H_INCLUDED_ */
