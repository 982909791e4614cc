
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * WHEP counter-offers: if a viewer's offer can't be answered, or there is none,
 * we offer what the stream has and take the viewer's answer.  Pure, like
 * ngx_webrtc_negotiate.h, whose policy and cause are used here:
 *
 *   1. ngx_webrtc_negotiate_counter_offer(policy) -> text and a description of
 *      our side, which is kept in the session's slot: nobody can connect yet,
 *      there is no remote ufrag and no fingerprint
 *   2. ngx_webrtc_negotiate_counter_answer(answer, description) -> the
 *      description that replaces it
 *
 * draft-ietf-wish-whep-03, 4.2; RFC 3264, RFC 8829, RFC 9143, RFC 5763.
 */


#ifndef _NGX_WEBRTC_NEGOTIATE_COUNTER_H_INCLUDED_
#define _NGX_WEBRTC_NEGOTIATE_COUNTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate.h>


/*
 * Offers the first track of each kind: sendonly, BUNDLE, setup:actpass, with
 * the codec of the track first, then policy->alternatives.
 *
 *   policy  role PLAY
 *   desc    out: zeroed and filled, except for the peer's part
 *   pos     in: where the offer is printed; out: behind it (no null byte)
 *   end     of the room, see NGX_WEBRTC_NEGOTIATE_ANSWER
 *
 * NGX_OK
 * NGX_DECLINED  the stream has no track that can be offered
 * NGX_ERROR     no room, or a policy outside its limits
 */
ngx_int_t ngx_webrtc_negotiate_counter_offer(
    const ngx_webrtc_negotiate_policy_t *policy, ngx_webrtc_desc_t *desc,
    u_char **pos, u_char *end);

/* 1: a description of a counter-offer that waits for its answer */
ngx_uint_t ngx_webrtc_negotiate_counter_pending(const ngx_webrtc_desc_t *desc);

/*
 * Takes the answer to a counter-offer, or to an offer of ours.
 *
 *   answer   from ngx_webrtc_sdp_parse(); its text must still exist
 *   offered  as filled by ngx_webrtc_negotiate_counter_offer()
 *   ice_lite 1: the counter-offer said so
 *   any      1: an alternative will do where the codec of the track is refused
 *   desc     out: complete, with the m-lines that were accepted; must not be
 *            offered
 *   cause    out when refused
 *
 * An m-line may be rejected, but if it is accepted, the codec of the track must
 * be too; only the alternatives listed in the answer remain.
 *
 * NGX_OK
 * NGX_DECLINED  not an answer to that offer, or it accepts nothing; desc is
 *               undefined
 */
ngx_int_t ngx_webrtc_negotiate_counter_answer(const ngx_webrtc_sdp_t *answer,
    const ngx_webrtc_desc_t *offered, ngx_uint_t ice_lite, ngx_uint_t any,
    ngx_webrtc_desc_t *desc, ngx_webrtc_negotiate_cause_t *cause);


#endif /* _NGX_WEBRTC_NEGOTIATE_COUNTER_H_INCLUDED_ */
