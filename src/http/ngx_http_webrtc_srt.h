
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Connections of the gateway of an SRT port, "webrtc_ingest srt://...".
 */


#ifndef _NGX_HTTP_WEBRTC_SRT_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_SRT_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * The handler of a listening socket, whose "servers" is an
 * ngx_http_webrtc_ingest_conf_t: the gateway has connected.
 */
void ngx_http_webrtc_srt_accepted(ngx_connection_t *c);


#endif /* _NGX_HTTP_WEBRTC_SRT_H_INCLUDED_ */
