
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The SRT port of the gateway.
 */


#ifndef _NGX_WEBRTC_GATEWAY_LISTEN_H_INCLUDED_
#define _NGX_WEBRTC_GATEWAY_LISTEN_H_INCLUDED_


#include "ngx_webrtc_gateway.h"


/* Opens the port and takes callers, from now on.  NGX_OK; NGX_ERROR, said */
ngx_int_t ngx_webrtc_gateway_listen(ngx_webrtc_gateway_t *gw);

/* Takes no more; those that are there go on. */
void ngx_webrtc_gateway_unlisten(ngx_webrtc_gateway_t *gw);

/* The loop's: says which callers libsrt has refused since. */
void ngx_webrtc_gateway_refused(ngx_webrtc_gateway_t *gw, uint64_t now_us);


#endif /* _NGX_WEBRTC_GATEWAY_LISTEN_H_INCLUDED_ */
