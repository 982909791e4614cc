
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The life of a session: from the first verified connectivity check to the end.
 */


#ifndef _NGX_WEBRTC_SESSION_LIFE_H_INCLUDED_
#define _NGX_WEBRTC_SESSION_LIFE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_session.h"
#include "ngx_webrtc_session_ice.h"


/*
 * Makes the session of a slot that this worker has just claimed.
 *
 *   path   where the verified check came from; NULL with full ICE: an agent
 *          must be added, see ngx_webrtc_session_ice.h
 *
 * Returns NULL without memory; the slot is then still the caller's.
 */
ngx_webrtc_session_t *ngx_webrtc_session_life_create(ngx_webrtc_worker_t *wk,
    ngx_webrtc_peer_t *peer, ngx_webrtc_path_t *path);

/*
 * A datagram from an address that passed a check of this session.
 *
 *   p, n   may be modified
 */
void ngx_webrtc_session_life_input(ngx_webrtc_session_t *s,
    ngx_webrtc_paths_entry_t *wp, u_char *p, size_t n);

/* Handles a binding request with this session's ufrag, from any address. */
void ngx_webrtc_session_life_check(ngx_webrtc_session_t *s,
    ngx_webrtc_path_t *path, u_char *p, size_t n);

/* The slot has changed: takes over the credentials of an ICE restart. */
void ngx_webrtc_session_life_changed(ngx_webrtc_session_t *s);

/*
 * Evaluates a verified check: address, nomination, liveness.
 *
 *   n       bytes of its datagram
 *   reply   bytes of the answer that was sent
 */
void ngx_webrtc_session_life_checked(ngx_webrtc_session_t *s,
    ngx_webrtc_path_t *path, size_t n, size_t reply, ngx_uint_t nominated);

/*
 * An offer of ours has been answered, and the slot is complete: checks begin.
 *
 *   s      of this worker, with an agent
 *   cand   the answer's candidates, ncand of them
 */
void ngx_webrtc_session_life_answered(ngx_webrtc_session_t *s,
    const ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t ncand);

/*
 * Claims a slot that this worker has just made, makes its session and an agent
 * that begins to gather.  wk->conf.on_ice() reports candidates.
 *
 *   ref     of the slot
 *   conf    not needed afterwards
 *   cand    the offer's candidates, ncand of them
 *
 * Returns the session; NULL after logging, then the slot is gone.
 */
ngx_webrtc_session_t *ngx_webrtc_session_life_create_full(
    ngx_webrtc_worker_t *wk, uint64_t ref,
    ngx_webrtc_session_ice_conf_t *conf,
    const ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t ncand);

/* Ends it now; not to be called from within one of its own calls. */
void ngx_webrtc_session_life_destroy(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_SESSION_LIFE_H_INCLUDED_ */
