
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What an offer goes through, whoever it is from: parsing, the decision, the
 * session slot, the answer.
 */


#ifndef _NGX_HTTP_WEBRTC_OFFER_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_OFFER_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_negotiate.h"
#include "ngx_webrtc_sdp.h"


/* bytes of our ICE credentials, hex digits: 64 and 128 random bits, RFC 8445,
 * 5.3 wants 24 and 128; the ufrag also finds the slot and so is unique */
#define NGX_HTTP_WEBRTC_UFRAG  16
#define NGX_HTTP_WEBRTC_PWD    32


typedef struct {
    ngx_http_request_t      *request;
    ngx_webrtc_sdp_t        *sdp;
    ngx_webrtc_stream_t     *st;          /* held, or NULL so far */
    ngx_uint_t               role;        /* NGX_WEBRTC_PEER_* */
    uint64_t                 ref;         /* out: of the slot */
} ngx_http_webrtc_offer_t;


/*
 * Parses an offer.
 *
 *   offer   request and role are set
 *   body    lives as long as the request
 *
 * NGX_OK; otherwise a result as in ngx_http_webrtc_resource.h
 */
ngx_int_t ngx_http_webrtc_offer_parse(ngx_http_webrtc_offer_t *offer,
    ngx_str_t *body);

/*
 * Decides, makes the slot and answers with 201 or the refusal.
 *
 *   offer   all but ref are set
 */
ngx_int_t ngx_http_webrtc_offer_answer(ngx_http_webrtc_offer_t *offer);

/* Answers with 400, 406 or 422 and says why. */
ngx_int_t ngx_http_webrtc_offer_refuse(ngx_http_request_t *r, ngx_uint_t role,
    ngx_webrtc_negotiate_cause_t *cause);

/*
 * RFC 9725, 4.2.  Answers with 201, Location and ETag; the same with 406 for a
 * counter-offer.
 *
 *   peer     of the slot
 *   answer   from the request's pool
 */
ngx_int_t ngx_http_webrtc_offer_created(ngx_http_request_t *r,
    ngx_uint_t status, ngx_webrtc_peer_t *peer, ngx_str_t *answer);

/*
 * Ends the session of an answer that could not be given: nobody knows of it.
 * It may be claimed, by this worker's full ICE.
 */
void ngx_http_webrtc_offer_undo(ngx_webrtc_peer_t *peer);

/*
 * Adds what every answer that makes a session has: Location, ETag, a Link for
 * each ICE server (RFC 9725, 4.6), and one of a viewer's events.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_offer_headers(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer);


#endif /* _NGX_HTTP_WEBRTC_OFFER_H_INCLUDED_ */
