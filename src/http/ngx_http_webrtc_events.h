
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Server-sent events of WHEP sessions.
 */


#ifndef _NGX_HTTP_WEBRTC_EVENTS_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_EVENTS_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * Content handler of "?session=id&events", which creates event streams and
 * itself sends all events, and of "?session=id&events=name", an event stream
 * created there.
 *
 *   peer, info   of the session, copies
 *   name         empty if the URL has none
 */
ngx_int_t ngx_http_webrtc_events_handler(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_info_t *info, ngx_str_t *name);

/*
 * Adds the Link header that tells a client where the events of its session are.
 *
 *   id   NGX_WEBRTC_PEER_ID_LEN bytes
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_events_link(ngx_http_request_t *r, u_char *id);


#endif /* _NGX_HTTP_WEBRTC_EVENTS_H_INCLUDED_ */
