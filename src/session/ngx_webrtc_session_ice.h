
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Full ICE of a session: its agent, and the candidates the peer trickles.  A
 * session with an agent lives in the worker that answered its offer.
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
 * Gives a session an agent, which begins to gather.  wk->conf.on_ice() reports
 * candidates.
 *
 *   conf    not needed afterwards
 *   input   gets what the agent has received; ctx is the session
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_session_ice_start(ngx_webrtc_session_t *s,
    ngx_webrtc_session_ice_conf_t *conf,
    void (*input)(void *ctx, u_char *p, size_t n));

/*
 * The slot has the peer's credentials now.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_session_ice_remote(ngx_webrtc_session_t *s);

/*
 * Adds the peer's candidates from an SDP fragment (RFC 8840), already parsed.
 * Those with credentials other than the session's are silently skipped.
 */
void ngx_webrtc_session_ice_trickle(ngx_webrtc_session_t *s, u_char *p,
    size_t n);

/* The slot has other credentials: restarts the agent, RFC 8445, 9. */
void ngx_webrtc_session_ice_changed(ngx_webrtc_session_t *s);

/*
 * Prints the session's candidates as an SDP fragment, and nothing else.
 *
 * Returns the position after it; what does not fit is left out.
 */
u_char *ngx_webrtc_session_ice_print(ngx_webrtc_session_t *s, u_char *p,
    u_char *end);

/* An authentic packet has come: it counts where answers cannot be seen. */
void ngx_webrtc_session_ice_heard(ngx_webrtc_session_t *s);

/* Timeouts of consent and of the search for the peer; may close the session. */
void ngx_webrtc_session_ice_timeout(ngx_webrtc_session_t *s, ngx_msec_t now);

/*
 * Logs which TURN servers do not relay, and why: a line per server and cause.
 *
 *   all   also those that may still answer
 */
void ngx_webrtc_session_ice_complain(ngx_webrtc_session_t *s, ngx_uint_t all);

/* Ends the agent; close_notify has been sent before. */
void ngx_webrtc_session_ice_stop(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_SESSION_ICE_H_INCLUDED_ */
