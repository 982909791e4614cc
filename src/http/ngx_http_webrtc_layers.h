
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The layers of a WHEP session's stream: what is told of them, and a viewer's
 * own choice.  Draft "WHEP extensions", layers.
 */


#ifndef _NGX_HTTP_WEBRTC_LAYERS_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_LAYERS_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_signal_layers.h"


/*
 * Content handler of "?session=id&layers": a POST chooses.
 *
 *   peer   of the session, a copy
 */
ngx_int_t ngx_http_webrtc_layers_handler(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer);

/*
 * Adds the Link header that tells a client where that is, if its location has
 * renditions, or the stream's publisher sends layers.
 *
 *   id   NGX_WEBRTC_PEER_ID_LEN bytes
 *   st   its stream, held
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_layers_link(ngx_http_request_t *r, u_char *id,
    ngx_webrtc_stream_t *st);

/*
 * The layers that a session may get, and the one that it gets.
 *
 *   ref   of its slot
 *   st    its stream, held
 *   l     out, points into peer and the configuration
 *   peer  out, a copy of the slot
 *
 * NGX_OK; NGX_DECLINED: there are none, or the session is gone
 */
ngx_int_t ngx_http_webrtc_layers(uint64_t ref, ngx_webrtc_stream_t *st,
    ngx_webrtc_signal_layers_t *l, ngx_webrtc_peer_t *peer);


#endif /* _NGX_HTTP_WEBRTC_LAYERS_H_INCLUDED_ */
