
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
 *   - the addresses of "webrtc_candidate", if there are any; else
 *   - the addresses that are listened on; for a wildcard those of the host's
 *     interfaces, loopback only when the request came over loopback.
 *
 *   cand   room for NGX_HTTP_WEBRTC_CANDIDATES
 *
 * Returns their number; texts are from the request's pool.
 */
ngx_uint_t ngx_http_webrtc_candidates(ngx_http_request_t *r,
    ngx_webrtc_sdp_candidate_t *cand);

/*
 * Logs that nobody seems to be able to reach our port, and what clients are
 * told of it.
 *
 *   peer   one of those who were
 *   row    how many in a row
 */
void ngx_http_webrtc_candidates_unheard(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_peer_t *peer, ngx_uint_t row, ngx_log_t *log);

/*
 * Parses a value of "webrtc_candidate", at configuration time: an address or
 * name, with a port or without.  Names are resolved now.
 */
char *ngx_http_webrtc_candidates_add(ngx_conf_t *cf, ngx_array_t *candidates,
    ngx_str_t *value);

/*
 * The same without "webrtc_candidate": addresses of this host that are listened
 * on.
 */
ngx_uint_t ngx_http_webrtc_candidates_local(ngx_http_request_t *r,
    ngx_webrtc_sdp_candidate_t *cand);

/* Is it of this host alone? */
ngx_uint_t ngx_http_webrtc_candidates_loopback(struct sockaddr *sa);

/* Whether this host has an address of the family that others may reach. */
ngx_uint_t ngx_http_webrtc_candidates_outside(int family);

/*
 * Refuses, once all is configured, a "webrtc_candidate" whose family no
 * "webrtc_listen" has.
 *
 * NGX_OK; NGX_ERROR after logging
 */
ngx_int_t ngx_http_webrtc_candidates_check(ngx_conf_t *cf);

/*
 * Answers with 503 and Retry-After when there is no candidate that an answer
 * could have, and logs that, not more than once a minute.
 *
 *   why   what is missing, constant text, or NULL: this host has no address
 *         that could be told
 *
 * Returns what to finalize the request with.
 */
ngx_int_t ngx_http_webrtc_candidates_none(ngx_http_request_t *r,
    const char *why);

/*
 * The same for "webrtc_ice relay", whose reasons are in the log already: with
 * what the TURN servers have answered.  503 if one of them may relay later,
 * with nothing changed, else 502.
 */
ngx_int_t ngx_http_webrtc_candidates_refused(ngx_http_request_t *r,
    ngx_webrtc_nice_relays_t *relays);


#endif /* _NGX_HTTP_WEBRTC_CANDIDATES_H_INCLUDED_ */
