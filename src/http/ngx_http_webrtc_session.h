
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The URL of a session: GET, HEAD, OPTIONS, DELETE, PATCH.
 */


#ifndef _NGX_HTTP_WEBRTC_SESSION_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_SESSION_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * Serves a session's URL, as a content handler.
 *
 *   role   NGX_WEBRTC_PEER_*; sessions of another one are unknown
 *   id     as the URL has it, anything
 */
ngx_int_t ngx_http_webrtc_session_handler(ngx_http_request_t *r,
    ngx_uint_t role, ngx_str_t *id);

/*
 * How far a session has come: "answered", "checked" when a check has reached
 * us, "connected" when DTLS is up.  For the status and for clients that ask.
 *
 *   peer, info   as found, peer may be a copy
 */
const char *ngx_http_webrtc_session_state(ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_info_t *info);


#endif /* _NGX_HTTP_WEBRTC_SESSION_H_INCLUDED_ */
