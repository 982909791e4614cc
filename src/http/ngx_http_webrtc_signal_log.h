
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SSE signalling: writes messages into the session's slot.
 */


#ifndef _NGX_HTTP_WEBRTC_SIGNAL_LOG_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_SIGNAL_LOG_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_sdp.h"


/*
 * Writes the answer and candidates of a new session and, unless it has full
 * ICE, the end of candidates.
 *
 *   peer   of the slot, which has its file attached
 *
 * NGX_OK; others: no room
 */
ngx_int_t ngx_http_webrtc_signal_log(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, ngx_str_t *answer,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n);

/*
 * The ICE agent of a session of this worker has new candidates, or has finished
 * gathering: candidates not written yet become events of the session.  Does
 * nothing if the session has no events.
 */
void ngx_http_webrtc_signal_gathered(uint64_t ref, ngx_uint_t gathered);


#endif /* _NGX_HTTP_WEBRTC_SIGNAL_LOG_H_INCLUDED_ */
