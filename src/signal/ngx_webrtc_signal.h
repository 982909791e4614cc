
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Messages of SSE signalling (docs/datachannel.md), as the server prints them:
 * payloads and events.  Parsing is ngx_webrtc_signal_json's.
 */


#ifndef _NGX_WEBRTC_SIGNAL_H_INCLUDED_
#define _NGX_WEBRTC_SIGNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* types of messages */
#define NGX_WEBRTC_SIGNAL_OFFER          1
#define NGX_WEBRTC_SIGNAL_ANSWER         2
#define NGX_WEBRTC_SIGNAL_CANDIDATE      3
#define NGX_WEBRTC_SIGNAL_CANDIDATE_END  4
#define NGX_WEBRTC_SIGNAL_BYE            5

/* bytes of an event beside its payload */
#define NGX_WEBRTC_SIGNAL_EVENT          192

/* bytes of a candidate's payload beside candidate, mid and ufrag */
#define NGX_WEBRTC_SIGNAL_INIT           128


/* the name of a type ("candidate-end"), or NULL */
const ngx_str_t *ngx_webrtc_signal_name(ngx_uint_t type);

/*
 * Each of these prints and returns the position behind (no null byte), or NULL
 * if there is no room or p is NULL.
 *
 * _answer()     JSON of an RTCSessionDescription
 * _candidate()  JSON of an RTCIceCandidateInit; text is "candidate:..."
 * _event()      a server-sent event with one message
 */
u_char *ngx_webrtc_signal_print_answer(u_char *p, u_char *end,
    const ngx_str_t *sdp);
u_char *ngx_webrtc_signal_print_candidate(u_char *p, u_char *end,
    const ngx_str_t *text, const ngx_str_t *mid, ngx_uint_t mline,
    const ngx_str_t *ufrag);
u_char *ngx_webrtc_signal_print_event(u_char *p, u_char *end, ngx_uint_t id,
    ngx_uint_t type, const ngx_str_t *payload, uint64_t time_ms);

/*
 * Writes text as it stands within quotes in JSON.  Returns the position behind
 * it, NULL: there is no room, or p is NULL.
 */
u_char *ngx_webrtc_signal_escape(u_char *p, u_char *end,
    const ngx_str_t *text);


#endif /* _NGX_WEBRTC_SIGNAL_H_INCLUDED_ */
