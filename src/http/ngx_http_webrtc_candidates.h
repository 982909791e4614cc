
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The ICE candidates of our answers.
 */


#ifndef _NGX_HTTP_WEBRTC_CANDIDATES_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_CANDIDATES_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_sdp.h"
#include "ngx_webrtc_nice_relay.h"


/*
 * Where a client can reach our port:
 *
 *   - the addresses of "webrtc_candidate", if there are any; otherwise
 *   - the listening addresses; for a wildcard, those of the host's interfaces,
 *     loopback only when the request came over loopback.
 *
 *   cand   room for NGX_HTTP_WEBRTC_CANDIDATES
 *
 * Returns their number; strings are allocated from the request's pool.
 */
ngx_uint_t ngx_http_webrtc_candidates(ngx_http_request_t *r,
    ngx_webrtc_sdp_candidate_t *cand);

/*
 * Logs that no client seems able to reach our port, and which addresses
 * clients are given.
 *
 *   peer   one of the clients that failed
 *   row    how many failed in a row
 */
void ngx_http_webrtc_candidates_unheard(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_peer_t *peer, ngx_uint_t row, ngx_log_t *log);

/*
 * Parses a value of "webrtc_candidate" at configuration time: an address or
 * name, with or without a port.  Names are resolved immediately.
 */
char *ngx_http_webrtc_candidates_add(ngx_conf_t *cf, ngx_array_t *candidates,
    ngx_str_t *value);

/*
 * The same ignoring "webrtc_candidate": the addresses this host listens on.
 */
ngx_uint_t ngx_http_webrtc_candidates_local(ngx_http_request_t *r,
    ngx_webrtc_sdp_candidate_t *cand);

/* Whether the address is a loopback one. */
ngx_uint_t ngx_http_webrtc_candidates_loopback(struct sockaddr *sa);

/*
 * Whether this host has an address of the family that is neither loopback nor
 * link-local.
 */
ngx_uint_t ngx_http_webrtc_candidates_outside(int family);

/*
 * Rejects a "webrtc_candidate" whose address family no "webrtc_listen" has;
 * called once the whole configuration has been read.
 *
 * NGX_OK; NGX_ERROR after logging
 */
ngx_int_t ngx_http_webrtc_candidates_check(ngx_conf_t *cf);

/*
 * Answers with 503 and Retry-After when there is no candidate to put into an
 * answer, and logs that, at most once a minute.
 *
 *   why   what is missing, constant text; NULL: this host has no usable address
 *
 * Returns what to finalize the request with.
 */
ngx_int_t ngx_http_webrtc_candidates_none(ngx_http_request_t *r,
    const char *why);

/*
 * What the TURN servers have answered, one after the other, for a client.
 *
 * NGX_OK; NGX_ERROR no memory
 */
ngx_int_t ngx_http_webrtc_candidates_causes(ngx_pool_t *pool,
    ngx_webrtc_nice_relays_t *relays, ngx_str_t *causes);

/*
 * The same for "webrtc_ice relay", with the TURN servers' answers as details;
 * the reasons have been logged already.  503 if one of the servers may relay
 * later with the configuration unchanged, otherwise 502.
 */
ngx_int_t ngx_http_webrtc_candidates_refused(ngx_http_request_t *r,
    ngx_webrtc_nice_relays_t *relays);


#endif /* _NGX_HTTP_WEBRTC_CANDIDATES_H_INCLUDED_ */
