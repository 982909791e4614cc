
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A session that we offer: a stream of ours, to be published on another server.
 * It is a viewer of the stream in all but who has offered.
 *
 *   begin   the slot, the session in this worker, and an ICE agent that gathers
 *   offer   the SDP, when the agent has its candidates
 *   answer  what the other server has answered; the session connects
 */


#ifndef _NGX_HTTP_WEBRTC_WHIP_OUT_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_WHIP_OUT_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_negotiate.h"


/* bytes of a cause */
#define NGX_HTTP_WEBRTC_WHIP_OUT_CAUSE  384


/* zeroed by the caller */
typedef struct {
    ngx_http_request_t             *request;   /* one of our own; the caller's,
                                                  as is st, held */
    ngx_webrtc_stream_t            *st;
    ngx_webrtc_peer_t              *peer;      /* a copy of the slot */
    ngx_webrtc_negotiate_policy_t   policy;
    ngx_webrtc_track_t              tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_stream_t            *variant;   /* that is waited for; held */
    u_char                          cause[NGX_HTTP_WEBRTC_WHIP_OUT_CAUSE];
    size_t                          cause_len; /* of what has failed */
} ngx_http_webrtc_whip_out_t;


/*
 * May it begin?  What is encoded for WebRTC as such has to be there first; it
 * is wanted here.
 *
 * NGX_OK; NGX_AGAIN: not yet; NGX_DECLINED: out->cause
 */
ngx_int_t ngx_http_webrtc_whip_out_ready(ngx_http_webrtc_whip_out_t *out,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_log_t *log);

/*
 * Begins: out->peer->ref is set.  wk->conf.on_ice() tells when the agent has
 * its candidates, wk->conf.on_end() of the session's end.
 *
 * NGX_OK; NGX_DECLINED: out->cause
 */
ngx_int_t ngx_http_webrtc_whip_out_begin(ngx_http_webrtc_whip_out_t *out);

/*
 * Prints the offer.
 *
 *   offer   out: from the request's pool
 *
 * NGX_OK; NGX_DECLINED: out->cause
 */
ngx_int_t ngx_http_webrtc_whip_out_offer(ngx_http_webrtc_whip_out_t *out,
    ngx_str_t *offer);

/*
 * Takes the answer.
 *
 * NGX_OK        the session connects
 * NGX_DECLINED  out->cause
 */
ngx_int_t ngx_http_webrtc_whip_out_answer(ngx_http_webrtc_whip_out_t *out,
    ngx_str_t *answer);

/*
 * Is a variant made for nobody but this session?
 *
 *   st     of the session
 *   peer   its slot, this worker's
 */
ngx_uint_t ngx_http_webrtc_whip_out_alone(ngx_webrtc_stream_t *st,
    ngx_webrtc_peer_t *peer);

/* Lets go of what is held; the session is not ended. */
void ngx_http_webrtc_whip_out_done(ngx_http_webrtc_whip_out_t *out);


#endif /* _NGX_HTTP_WEBRTC_WHIP_OUT_H_INCLUDED_ */
