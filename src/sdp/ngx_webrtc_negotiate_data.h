
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Offer + policy -> answer and session description for a session with only
 * DataChannels: a pure function, as ngx_webrtc_negotiate() is for media.
 *
 * RFC 8841 (SCTP over DTLS in SDP), RFC 8829 (JSEP).
 */


#ifndef _NGX_WEBRTC_NEGOTIATE_DATA_H_INCLUDED_
#define _NGX_WEBRTC_NEGOTIATE_DATA_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate.h>


/* our a=sctp-port and a=max-message-size: NGX_WEBRTC_SCTP_PORT, _MESSAGE */
#define NGX_WEBRTC_NEGOTIATE_SCTP_PORT     5000
#define NGX_WEBRTC_NEGOTIATE_MESSAGE       262144

/* bytes of a message that a peer accepts by default; RFC 8841, 6.1 */
#define NGX_WEBRTC_NEGOTIATE_MESSAGE_PEER  65536

/* bytes of a message that a peer has to accept, at least; chosen: all frames of
 * the range protocol except data, and some data */
#define NGX_WEBRTC_NEGOTIATE_MESSAGE_MIN   128


/*
 * Accepts the first m-line of DataChannels and rejects all others.  Arguments
 * and results as for ngx_webrtc_negotiate(); of the policy, ufrag, pwd,
 * sess_id, fingerprint, ice_lite and candidates are used.
 *
 *   trickle   1: the answer has neither candidates nor end-of-candidates, they
 *             follow (RFC 8838)
 *
 * desc: sctp_port and max_message are set, nmedia is 0; but media[0] has mline
 * and mid of the accepted m-line.
 */
ngx_int_t ngx_webrtc_negotiate_data(const ngx_webrtc_sdp_t *offer,
    const ngx_webrtc_negotiate_policy_t *policy, ngx_uint_t trickle,
    ngx_webrtc_desc_t *desc, u_char **pos, u_char *end,
    ngx_webrtc_negotiate_cause_t *cause);


#endif /* _NGX_WEBRTC_NEGOTIATE_DATA_H_INCLUDED_ */
