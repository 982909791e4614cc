
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Processing of an offer from POST to 201, common to all kinds.  What differs
 * is in a row, ngx_http_webrtc_offer_kind_t, in the file of each endpoint.
 */


#ifndef _NGX_HTTP_WEBRTC_OFFER_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_OFFER_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_http_webrtc_layer.h"
#include "ngx_webrtc_negotiate.h"
#include "ngx_webrtc_sdp.h"


typedef struct ngx_http_webrtc_offer_s  ngx_http_webrtc_offer_t;


/*
 * A kind of offer.  Callbacks return a result as in ngx_http_webrtc_resource.h
 * unless stated otherwise; all but find and negotiate may be NULL.
 *
 *   role       NGX_WEBRTC_PEER_* of the sessions
 *   refused    status for offers that are understood but cannot be accepted
 *   trickle    the answer does not wait for candidates of full ICE
 *
 *   find       determines what the offer is for: sets name, and data; sdp is
 *              not set yet.  NGX_OK
 *   ready      takes a hold on st.  NGX_OK; it may wait, and continue with
 *              ngx_http_webrtc_offer_answer()
 *   policy     sets what may be negotiated, beyond what is common to all kinds
 *   negotiate  as ngx_webrtc_negotiate(), into offer->peer->desc
 *   attach     called with the slot created and offer->peer->ref set; attaches
 *              the kind's data to it.  NGX_OK; otherwise the slot is closed
 *   links      adds Link headers beside those of ICE servers.  NGX_OK,
 *              NGX_ERROR
 *   created    answers with 201; NULL: with the SDP
 */
typedef struct {
    ngx_uint_t                role;
    ngx_uint_t                refused;
    ngx_uint_t                trickle;        /* unsigned  trickle:1; */

    ngx_int_t               (*find)(ngx_http_webrtc_offer_t *offer);
    ngx_int_t               (*ready)(ngx_http_webrtc_offer_t *offer);
    void                    (*policy)(ngx_http_webrtc_offer_t *offer,
                                  ngx_webrtc_negotiate_policy_t *policy);
    ngx_int_t               (*negotiate)(ngx_http_webrtc_offer_t *offer,
                                  ngx_webrtc_negotiate_policy_t *policy,
                                  u_char **p, u_char *end,
                                  ngx_webrtc_negotiate_cause_t *cause);
    ngx_int_t               (*attach)(ngx_http_webrtc_offer_t *offer);
    ngx_int_t               (*links)(ngx_http_webrtc_offer_t *offer);
    ngx_int_t               (*created)(ngx_http_webrtc_offer_t *offer);
} ngx_http_webrtc_offer_kind_t;


/* one per request, from its pool */
struct ngx_http_webrtc_offer_s {
    const ngx_http_webrtc_offer_kind_t  *kind;
    ngx_http_request_t       *request;
    ngx_webrtc_sdp_t         *sdp;

    ngx_str_t                 name;        /* of the stream or the file */
    ngx_webrtc_stream_t      *st;          /* held, or NULL (so far) */
    ngx_http_webrtc_layer_t   layer;       /* of a viewer */
    void                     *data;        /* the kind's own */

    ngx_webrtc_peer_t        *peer;        /* a copy of the slot */
    ngx_uint_t                status;      /* of the response */
    ngx_str_t                 answer;

    /* our candidates, in the answer or to follow it */

    ngx_webrtc_sdp_candidate_t  *cand;
    ngx_uint_t                ncand;

    unsigned                  watched:1;   /* st is watched */
};


/*
 * Processes the body of a POST.
 *
 *   body   lives as long as the request
 *
 * A result as in ngx_http_webrtc_resource.h
 */
ngx_int_t ngx_http_webrtc_offer(ngx_http_request_t *r,
    const ngx_http_webrtc_offer_kind_t *kind, ngx_str_t *body);

/*
 * Resumes an offer that had to wait: negotiates, creates the slot and answers
 * with 201 or a refusal.
 */
ngx_int_t ngx_http_webrtc_offer_answer(ngx_http_webrtc_offer_t *offer);

/*
 * For offers for streams: sets name from the value of the directive and
 * records it for logs.
 *
 * NGX_OK; otherwise a result as in ngx_http_webrtc_resource.h
 */
ngx_int_t ngx_http_webrtc_offer_name(ngx_http_webrtc_offer_t *offer,
    ngx_http_complex_value_t *value);

/*
 * Makes a new session's random parts, and what does not depend on an offer.
 *
 *   policy   out: zeroed, with credentials, SSRCs, fingerprint and names
 *
 * Returns the slot to be, from the request's pool, with id, etag and policy;
 * NULL: no memory
 */
ngx_webrtc_peer_t *ngx_http_webrtc_offer_peer(ngx_http_request_t *r,
    ngx_webrtc_negotiate_policy_t *policy);

/* Releases the stream; called when the request ends at the latest. */
void ngx_http_webrtc_offer_release(ngx_http_webrtc_offer_t *offer);


#endif /* _NGX_HTTP_WEBRTC_OFFER_H_INCLUDED_ */
