
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Full ICE: an agent of libnice for one session, with sockets of its own.  One
 * stream, one component (BUNDLE and rtcp-mux).  Driven by nginx's event loop:
 * no GLib loop runs; for threads see ngx_webrtc_nice.c.
 *
 * RFC 8445 (ICE), RFC 8838 (trickle), RFC 8656 (TURN), RFC 7675 (consent).
 */


#ifndef _NGX_WEBRTC_NICE_H_INCLUDED_
#define _NGX_WEBRTC_NICE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_sdp.h"
#include "ngx_webrtc_nice_conf.h"
#include "ngx_webrtc_nice_path.h"


/*
 * Makes an agent and begins to gather.
 *
 *   conf   what it points to is not needed afterwards, except log and ctx
 *
 * Returns the agent, ended with ngx_webrtc_nice_close(); NULL after logging.
 * No callback is called before it has returned.
 */
ngx_webrtc_nice_t *ngx_webrtc_nice_create(ngx_webrtc_nice_conf_t *conf);

/*
 * Ends an agent; may be called from its callbacks, none of which is called
 * afterwards.  It lives on for up to three seconds to give back its allocations
 * on TURN servers.
 */
void ngx_webrtc_nice_close(ngx_webrtc_nice_t *nice);

/* Ends, at once, what ngx_webrtc_nice_close() left: for exit_process. */
void ngx_webrtc_nice_done(void);

/*
 * Sets the peer's credentials, from the offer or a restart.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_nice_remote(ngx_webrtc_nice_t *nice, ngx_str_t *ufrag,
    ngx_str_t *pwd);

/*
 * RFC 8445, 9.  Sets new credentials of ours; the peer's and its candidates
 * have to follow.  The selected pair is used until another one is nominated.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_nice_restart(ngx_webrtc_nice_t *nice, ngx_str_t *ufrag,
    ngx_str_t *pwd);

/*
 * A candidate of the peer.  Names (mDNS, .local), TCP and other components than
 * the first are skipped in silence; so are those over the limit.  An address
 * that the filter does not allow is skipped too, and this is logged once.
 *
 * NGX_OK; NGX_DECLINED when skipped
 */
ngx_int_t ngx_webrtc_nice_add(ngx_webrtc_nice_t *nice,
    const ngx_webrtc_sdp_candidate_t *cand);

/*
 * Local candidates as they are known now, best first.
 *
 *   cand   room for max of them; text is from the pool
 *
 * Returns their number.
 */
ngx_uint_t ngx_webrtc_nice_candidates(ngx_webrtc_nice_t *nice,
    ngx_pool_t *pool, ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t max);

/* whether gathering is over */
ngx_uint_t ngx_webrtc_nice_gathered(ngx_webrtc_nice_t *nice);

/* Is there a relayed candidate? */
ngx_uint_t ngx_webrtc_nice_relayed(ngx_webrtc_nice_t *nice);

/* What the TURN servers have answered so far; NULL: there are none. */
ngx_webrtc_nice_relays_t *ngx_webrtc_nice_relays(ngx_webrtc_nice_t *nice);

#endif /* _NGX_WEBRTC_NICE_H_INCLUDED_ */
