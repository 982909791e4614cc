
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_ice full": answers with candidates gathered by an ICE agent.  Such
 * sessions live in the worker that answers.
 */


#ifndef _NGX_HTTP_WEBRTC_ICE_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_ICE_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_sdp.h"


/* bytes of our ICE credentials, hex digits: 64 and 128 random bits; RFC 8445,
 * 5.3 requires 24 and 128; the ufrag is also the slot's key, hence unique */
#define NGX_HTTP_WEBRTC_UFRAG  16
#define NGX_HTTP_WEBRTC_PWD    32


/*
 * Called when candidates are available; each answers the request.
 *
 * _created      answer includes them, from the request's pool.  NGX_DONE;
 *               on other results the session is ended
 * _restarted    an ICE restart, arguments as in ngx_http_webrtc_ice_restart();
 *               cand are ours
 */
typedef ngx_int_t (*ngx_http_webrtc_ice_created_pt)(void *data,
    ngx_str_t *answer);
typedef ngx_int_t (*ngx_http_webrtc_ice_restarted_pt)(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_restart_t *restart, u_char *etag,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t ncand);


extern ngx_conf_enum_t  ngx_http_webrtc_ice_modes[];


/*
 * Whether no session may start here: with full ICE it would live in this
 * worker, which is shutting down.
 */
ngx_uint_t ngx_http_webrtc_ice_leaves(ngx_http_request_t *r);

/*
 * Called when the slot of an offer has been created: claims it, creates the
 * session and starts gathering.  created() is called when gathering is complete
 * or after two seconds with the candidates found so far.
 *
 *   sdp      of the offer
 *   peer     of the slot, from the request's pool
 *   answer   without candidates, from the request's pool
 *   data     lives as long as the request
 *
 * A result as in ngx_http_webrtc_resource.h, never NGX_OK; NGX_AGAIN unless it
 * is refused
 */
ngx_int_t ngx_http_webrtc_ice_start(ngx_http_request_t *r,
    ngx_webrtc_sdp_t *sdp, ngx_webrtc_peer_t *peer, ngx_str_t *answer,
    ngx_http_webrtc_ice_created_pt created, void *data);

/*
 * The same without waiting: candidates become events of SSE signalling.
 *
 * NGX_OK; otherwise a result as in ngx_http_webrtc_resource.h: no room
 */
ngx_int_t ngx_http_webrtc_ice_begin(ngx_http_request_t *r,
    ngx_webrtc_sdp_t *sdp, ngx_webrtc_peer_t *peer);

/*
 * Claims the slot, makes its session and starts gathering; answers nothing.
 *
 *   r      of the location whose configuration counts; the address of its
 *          connection says whether the peer is on this host
 *   sdp    of the offer; NULL: it is ours
 *
 * NGX_OK; NGX_DECLINED: no address to gather on; NGX_ERROR after logging.  On
 * failure the slot is gone.
 */
ngx_int_t ngx_http_webrtc_ice_session(ngx_http_request_t *r,
    ngx_webrtc_sdp_t *sdp, ngx_webrtc_peer_t *peer);

/*
 * The candidates of a session so far.
 *
 *   r      its pool has their texts
 *   cand   room for NGX_HTTP_WEBRTC_CANDIDATES
 *
 * Returns how many; 0 if the session is another worker's
 */
ngx_uint_t ngx_http_webrtc_ice_candidates(ngx_http_request_t *r,
    uint64_t ref, ngx_webrtc_sdp_candidate_t *cand);

/* An agent of this worker has a new candidate, or has finished (gathered). */
void ngx_http_webrtc_ice_wake(uint64_t ref, ngx_uint_t gathered);

/*
 * Answers the PATCH of an ICE restart with the candidates of the session's
 * owner, asking it for them if it is another worker.
 *
 *   peer      a copy of the slot, from the request's pool
 *   restart   views into the request's pool
 *   etag      the new one, from the request's pool
 *
 * A result as in ngx_http_webrtc_resource.h
 */
ngx_int_t ngx_http_webrtc_ice_restart(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_info_t *info,
    ngx_webrtc_peer_restart_t *restart, u_char *etag,
    ngx_http_webrtc_ice_restarted_pt restarted);

/* The owner's reply with its candidates has arrived. */
void ngx_http_webrtc_ice_told(uint64_t ref, u_char *p, size_t n);

/*
 * Passes the candidates of a PATCH to the session's owner.
 *
 *   body   parsed successfully before
 *
 * NGX_OK; otherwise a result as in ngx_http_webrtc_resource.h: refused
 */
ngx_int_t ngx_http_webrtc_ice_trickle(ngx_http_request_t *r,
    ngx_webrtc_peer_info_t *info, ngx_str_t *body);

/*
 * Refuses a PATCH whose fragment could not be passed to the session's owner.
 *
 *   rc     why: NGX_AGAIN, its inbox is full; otherwise it or its worker is
 *          gone, or the fragment is too large for an inbox
 *   body   the fragment
 */
ngx_int_t ngx_http_webrtc_ice_refuse(ngx_http_request_t *r, ngx_int_t rc,
    ngx_str_t *body);

/* Parses "webrtc_ice_allow" and "webrtc_ice_deny". */
char *ngx_http_webrtc_ice_rule(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Parses "webrtc_ice_ports". */
char *ngx_http_webrtc_ice_ports(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Resolves the servers of a location with full ICE, when the configuration is
 * read: names are never looked up later.
 *
 *   prev   the level above, whose servers may be the same
 *
 * NGX_CONF_OK; NGX_CONF_ERROR after logging
 */
char *ngx_http_webrtc_ice_resolve(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf);


#endif /* _NGX_HTTP_WEBRTC_ICE_H_INCLUDED_ */
