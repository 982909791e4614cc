
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Negotiation, internal: what belongs to a session and not to an m-line, on our
 * side and the peer's; shared by offers and counter-offers.  For
 * ngx_webrtc_negotiate*.c only.
 */


#ifndef _NGX_WEBRTC_NEGOTIATE_TRANSPORT_H_INCLUDED_
#define _NGX_WEBRTC_NEGOTIATE_TRANSPORT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate.h>


/* NGX_OK; NGX_ERROR if a policy is outside its limits */
ngx_int_t ngx_webrtc_negotiate_policy(
    const ngx_webrtc_negotiate_policy_t *policy);

/* the policy's SSRCs, made distinct and non-zero; room for four */
void ngx_webrtc_negotiate_ssrcs(const ngx_webrtc_negotiate_policy_t *policy,
    uint32_t *ssrcs);

/* our side of the transport, for the description and the printed text */
void ngx_webrtc_negotiate_local(const ngx_webrtc_negotiate_policy_t *policy,
    ngx_webrtc_desc_t *desc, ngx_webrtc_sdp_answer_t *answer);

/*
 * Fills the peer's side of the transport and our DTLS role.
 *
 *   mline   the tagged one
 *
 * NGX_OK
 * NGX_DECLINED  something is missing, see cause
 */
ngx_int_t ngx_webrtc_negotiate_remote(const ngx_webrtc_sdp_t *sdp,
    ngx_uint_t mline, ngx_webrtc_desc_t *desc,
    ngx_webrtc_negotiate_cause_t *cause);

/*
 * RFC 9143, 7.1.3: the transport attributes that apply to an m-line; in a
 * BUNDLE group the first mid's m-line has them for all.
 *
 *   t   out: views into what was parsed; it may still lack some
 */
void ngx_webrtc_negotiate_transport(const ngx_webrtc_sdp_t *sdp,
    const ngx_webrtc_sdp_media_t *media, ngx_webrtc_sdp_transport_t *t);

/*
 * The same, and checks that it is complete.
 *
 * NGX_OK
 * NGX_DECLINED  something is missing, see cause
 */
ngx_int_t ngx_webrtc_negotiate_check(const ngx_webrtc_sdp_t *sdp,
    ngx_uint_t mline, ngx_webrtc_sdp_transport_t *t,
    ngx_webrtc_negotiate_cause_t *cause);


#endif /* _NGX_WEBRTC_NEGOTIATE_TRANSPORT_H_INCLUDED_ */
