
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Connections of RTSP publishers, "webrtc_ingest rtsp://...".
 */


#ifndef _NGX_HTTP_WEBRTC_RTSP_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_RTSP_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * The handler of a listening socket, whose "servers" is an
 * ngx_http_webrtc_ingest_conf_t: a connection has been accepted.
 */
void ngx_http_webrtc_rtsp_accepted(ngx_connection_t *c);


#endif /* _NGX_HTTP_WEBRTC_RTSP_H_INCLUDED_ */
