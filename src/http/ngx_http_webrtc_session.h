
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
 *   role   NGX_WEBRTC_PEER_*; sessions of other roles are not found
 *   id     as in the URL, not validated
 */
ngx_int_t ngx_http_webrtc_session_handler(ngx_http_request_t *r,
    ngx_uint_t role, ngx_str_t *id);

/*
 * State of a session: "answered", "checked" once a connectivity check has
 * reached us, "connected" once DTLS is up.  For the status and for clients that
 * ask.
 *
 *   peer, info   as looked up, peer may be a copy
 */
const char *ngx_http_webrtc_session_state(ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_info_t *info);


#endif /* _NGX_HTTP_WEBRTC_SESSION_H_INCLUDED_ */
