
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SSE signalling: what becomes a message in the session's slot.
 */


#ifndef _NGX_HTTP_WEBRTC_SIGNAL_LOG_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_SIGNAL_LOG_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_sdp.h"


/*
 * Answer and candidates of a session that begins; and that there are no more,
 * unless it has full ICE.
 *
 *   peer   of the slot, which has its file
 *
 * NGX_OK; others: no room
 */
ngx_int_t ngx_http_webrtc_signal_log(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, ngx_str_t *answer,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n);

/*
 * The agent of a session of this worker has candidates more, or all of them:
 * those that are not events of the session yet become some.  Nothing happens
 * where there are no events.
 */
void ngx_http_webrtc_signal_gathered(uint64_t ref, ngx_uint_t gathered);


#endif /* _NGX_HTTP_WEBRTC_SIGNAL_LOG_H_INCLUDED_ */
