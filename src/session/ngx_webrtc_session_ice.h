
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Full ICE of a session: its agent, and what the peer trickles.  A session with
 * an agent lives in the worker that answered its offer.
 */


#ifndef _NGX_WEBRTC_SESSION_ICE_H_INCLUDED_
#define _NGX_WEBRTC_SESSION_ICE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_session.h"


/* how a session gathers */
typedef struct {
    ngx_str_t                  *addrs;        /* as in ngx_webrtc_nice_conf_t */
    ngx_uint_t                  naddrs;
    ngx_webrtc_nice_server_t   *servers;
    ngx_uint_t                  nservers;
    ngx_webrtc_ice_filter_t     filter;
    in_port_t                   min_port;
    in_port_t                   max_port;
    ngx_uint_t                  relay;
} ngx_webrtc_session_ice_conf_t;


/*
 * Claims a slot that this worker has just made, makes its session and an agent
 * that begins to gather.  wk->conf.on_ice() tells of candidates.
 *
 *   ref     of the slot
 *   conf    not needed afterwards
 *   cand    the offer's candidates, ncand of them
 *
 * Returns the session; NULL after logging, the slot is gone then.
 */
ngx_webrtc_session_t *ngx_webrtc_session_ice_create(ngx_webrtc_worker_t *wk,
    uint64_t ref, ngx_webrtc_session_ice_conf_t *conf,
    const ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t ncand);

/*
 * The peer's candidates as an SDP fragment (RFC 8840), parsed before.  Those of
 * other credentials than the session's are skipped in silence.
 */
void ngx_webrtc_session_ice_trickle(ngx_webrtc_session_t *s, u_char *p,
    size_t n);

/* The slot has other credentials: restarts the agent, RFC 8445, 9. */
void ngx_webrtc_session_ice_changed(ngx_webrtc_session_t *s);

/*
 * Prints the session's candidates as an SDP fragment without anything else.
 *
 * Returns the position behind it; what does not fit is left out.
 */
u_char *ngx_webrtc_session_ice_print(ngx_webrtc_session_t *s, u_char *p,
    u_char *end);

/* Ends the agent; close_notify has left before. */
void ngx_webrtc_session_ice_stop(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_SESSION_ICE_H_INCLUDED_ */
