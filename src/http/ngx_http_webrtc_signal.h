
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SSE signalling of file sessions: docs/datachannel.md.
 */


#ifndef _NGX_HTTP_WEBRTC_SIGNAL_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_SIGNAL_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_sdp.h"


/* Each serves a request, with a result as in ngx_http_webrtc_resource.h. */

/* POST of "?signal": an offer begins a session */
ngx_int_t ngx_http_webrtc_signal_start(ngx_http_request_t *r);

/* POST of "?session=id": a message of the client */
ngx_int_t ngx_http_webrtc_signal_message(ngx_http_request_t *r,
    ngx_str_t *id);

/* GET of "?session=id": the server's messages, as events */
ngx_int_t ngx_http_webrtc_signal_events(ngx_http_request_t *r, ngx_str_t *id);

/* Whether the client accepts text/event-stream. */
ngx_uint_t ngx_http_webrtc_signal_wanted(ngx_http_request_t *r);

/*
 * Prints the payload of a candidate of ours.
 *
 *   desc   of the session
 *   i      its number, for those without a foundation
 *
 * Returns the position behind it, or NULL if there is no room.
 */
u_char *ngx_http_webrtc_signal_candidate(u_char *p, u_char *end,
    const ngx_webrtc_desc_t *desc, const ngx_webrtc_sdp_candidate_t *cand,
    ngx_uint_t i);

/*
 * The agent of a session of this worker has candidates more, or all of them:
 * those that are not events of the session yet become some.  Nothing happens
 * where there are no events.
 */
void ngx_http_webrtc_signal_gathered(uint64_t ref, ngx_uint_t gathered);


#endif /* _NGX_HTTP_WEBRTC_SIGNAL_H_INCLUDED_ */
