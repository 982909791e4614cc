
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * HMAC-SHA1 of SRTP and SRTCP with saved states: see the source file.  Private
 * to ngx_webrtc_srtp.
 */


#ifndef _NGX_WEBRTC_SRTP_HMAC_H_INCLUDED_
#define _NGX_WEBRTC_SRTP_HMAC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of an HMAC-SHA1 key; RFC 3711, 8.2 */
#define NGX_WEBRTC_SRTP_AUTH_KEY      20

/* bytes of an HMAC-SHA1, and words of a state */
#define NGX_WEBRTC_SRTP_HMAC          20
#define NGX_WEBRTC_SRTP_HMAC_STATE    5


/*
 *   key            NGX_WEBRTC_SRTP_AUTH_KEY bytes
 *   inner, outer   out: states, NGX_WEBRTC_SRTP_HMAC_STATE words each
 */
void ngx_webrtc_srtp_hmac_init(const u_char *key, uint32_t *inner,
    uint32_t *outer);

/*
 * HMAC of n bytes at p followed by the trailer, in network order; writes
 * NGX_WEBRTC_SRTP_HMAC bytes to mac.
 */
void ngx_webrtc_srtp_hmac(const uint32_t *inner, const uint32_t *outer,
    const u_char *p, size_t n, uint32_t trailer, u_char *mac);


#endif /* _NGX_WEBRTC_SRTP_HMAC_H_INCLUDED_ */
