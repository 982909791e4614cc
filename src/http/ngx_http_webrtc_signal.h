
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SSE signalling of file sessions: docs/datachannel.md.
 */


#ifndef _NGX_HTTP_WEBRTC_SIGNAL_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_SIGNAL_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* Each serves a request, with a result as in ngx_http_webrtc_resource.h. */

/* POST of "?signal": an offer that starts a session */
ngx_int_t ngx_http_webrtc_signal_start(ngx_http_request_t *r);

/* POST of "?session=id": a message from the client */
ngx_int_t ngx_http_webrtc_signal_message(ngx_http_request_t *r,
    ngx_str_t *id);

/* GET of "?session=id": the server's messages, as events */
ngx_int_t ngx_http_webrtc_signal_events(ngx_http_request_t *r, ngx_str_t *id);


#endif /* _NGX_HTTP_WEBRTC_SIGNAL_H_INCLUDED_ */
