
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SRTP and SRTCP.  Egress (ngx_webrtc_srtp_out_t) is the hot path: AES-GCM is
 * that of ngx_webrtc_srtp_gcm, AES_CM runs on OpenSSL's EVP, both with the key
 * schedule kept.  Ingress (ngx_webrtc_srtp_in_t, ngx_webrtc_srtp_in.c) does the
 * same.  The two are independent.  No MKI, no key derivation rate, no ROC
 * signalling.
 *
 * RFC 3711 (SRTP), RFC 5764 (profiles), RFC 6188 (the KDF of 256-bit keys),
 * RFC 7714 (AES-GCM).
 */


#ifndef _NGX_WEBRTC_SRTP_H_INCLUDED_
#define _NGX_WEBRTC_SRTP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_srtp_gcm.h>
#include <ngx_webrtc_srtp_profile.h>


/* bytes that protection adds to an RTP packet, to an RTCP packet, at most */
#define NGX_WEBRTC_SRTP_TAG        16
#define NGX_WEBRTC_SRTP_RTCP_TAG   (16 + 4)

/* bytes of an RTP packet at most, as of a UDP datagram */
#define NGX_WEBRTC_SRTP_PACKET     65507

/* SSRCs that a peer may send with; chosen: three simulcast layers with RTX and
 * FEC each, audio with RED, and as much again */
#define NGX_WEBRTC_SRTP_SSRCS      32

/* replay window, in packets; chosen: a second at 8 Mbit/s */
#define NGX_WEBRTC_SRTP_WINDOW     1024


/*
 * Egress of one session: all its SSRCs share it, as the session keys do not
 * depend on the SSRC.  The fields are private; what a packet needs is on the
 * first cache lines.  Must not be moved or copied once initialized.
 */
typedef struct {
    const ngx_webrtc_srtp_gcm_t  *gcm;     /* NULL: AES_CM, by EVP */
    void       *rtp;                 /* gcm's key, or EVP_CIPHER_CTX */
    u_char      rtp_salt[16];
    uint16_t    profile;
    uint8_t     tag;                 /* bytes of the authentication tag */
    uint32_t    rtcp_index;          /* of the next SRTCP packet, 31 bits */

    /* AES_CM: SHA-1 states behind the HMAC key's inner and outer block */
    uint32_t    rtp_inner[5];
    uint32_t    rtp_outer[5];

    uint32_t    rtcp_inner[5];
    uint32_t    rtcp_outer[5];
    void       *rtcp;                /* as rtp */
    u_char      rtcp_salt[16];
    void       *mb;                  /* of ngx_webrtc_srtp_mb, or NULL */
} ngx_webrtc_srtp_out_t;


/* a sender: for RTCP also the packets that were seen, as of RFC 3711, 3.3.2 */
typedef struct {
    uint32_t    ssrc;
    uint32_t    top;                 /* highest SRTCP index */
    uint64_t    seen;                /* bit i: top - i; 0: no RTCP yet */
} ngx_webrtc_srtp_ssrc_t;


typedef struct ngx_webrtc_srtp_in_rtp_s  ngx_webrtc_srtp_in_rtp_t;

/*
 * Ingress of one session.  Private; may be moved, must not be copied.
 */
typedef struct {
    ngx_webrtc_srtp_in_rtp_t     *rtp;     /* NULL: no RTP */
    const ngx_webrtc_srtp_gcm_t  *gcm;     /* as of ngx_webrtc_srtp_out_t */
    void       *rtcp;
    u_char      rtcp_salt[16];
    uint32_t    rtcp_inner[5];       /* as of ngx_webrtc_srtp_out_t */
    uint32_t    rtcp_outer[5];
    uint16_t    profile;
    uint8_t     tag;
    unsigned    full:1;              /* excess SSRC was reported */
    uint16_t    nssrcs;
    ngx_webrtc_srtp_ssrc_t  ssrcs[NGX_WEBRTC_SRTP_SSRCS];    /* authentic */
} ngx_webrtc_srtp_in_t;


/* Bytes of the master key and salt of a profile; 0 and 0 if it is unknown. */
void ngx_webrtc_srtp_sizes(ngx_uint_t profile, size_t *key, size_t *salt);


/*
 * RFC 3711, 4.3.  Derives the session keys.  `out` need not be zeroed.
 *
 *   key     copied, may be wiped afterwards
 *
 * NGX_OK        to be ended with ngx_webrtc_srtp_out_cleanup()
 * NGX_DECLINED  unknown profile
 * NGX_ERROR     OpenSSL failed; nothing to clean up
 */
ngx_int_t ngx_webrtc_srtp_out_init(ngx_webrtc_srtp_out_t *out,
    const ngx_webrtc_srtp_key_t *key);

/* Wipes the keys.  May be called for a zeroed or cleaned up context. */
void ngx_webrtc_srtp_out_cleanup(ngx_webrtc_srtp_out_t *out);

/*
 * RFC 3711, 3.3; RFC 7714, 8.  Protects one RTP packet.
 *
 *   index      rollover counter << 16 | sequence number.  The low 16 bits must
 *              be those in the header.  SECURITY: for one SSRC an index may be
 *              reused only for the same header and payload, byte for byte (a
 *              repetition); anything else reveals the key stream and, with GCM,
 *              the authentication key.  So a repetition with another header
 *              extension or timestamp must go out as RTX.
 *   hdr        whole RTP header with CSRCs and extension, hdr_n >= 12 bytes;
 *              sent in the clear; hdr == dst if it has been written in place
 *   prefix     bytes to go before the payload (the original sequence number of
 *              RFC 4588), encrypted too; usually NULL with prefix_n == 0, as it
 *              costs a copy
 *   payload    n bytes, may be in shared memory that another process
 *              overwrites; read once, not modified.  May be at its place in dst
 *              (dst + hdr_n + prefix_n, exactly), must not overlap otherwise
 *   dst        room for the packet
 *   dst_n      in: bytes of room, out: bytes of the packet; the caller needs
 *              hdr_n + prefix_n + n + NGX_WEBRTC_SRTP_TAG
 *
 * NGX_OK        the packet is in dst
 * NGX_DECLINED  it does not fit, or hdr_n < 12; nothing is written
 * NGX_ERROR     OpenSSL failed; dst must not be sent
 */
ngx_int_t ngx_webrtc_srtp_protect(ngx_webrtc_srtp_out_t *out, uint64_t index,
    const u_char *hdr, size_t hdr_n, const u_char *prefix, size_t prefix_n,
    const u_char *payload, size_t n, u_char *dst, size_t *dst_n);

/* A packet will be protected soon, see ngx_webrtc_ahead.h: out has come. */
void ngx_webrtc_srtp_ahead(const ngx_webrtc_srtp_out_t *out);

/* May ngx_webrtc_srtp_protect_later() be called? */
#define ngx_webrtc_srtp_batched(out)  ((out)->mb != NULL)

/*
 * Contexts made from now on, of AES_CM, are such, if on is 1 and
 * ngx_webrtc_srtp_mb_usable().
 */
void ngx_webrtc_srtp_batch(ngx_uint_t on);

/*
 * Protects a packet in place, together with others and so faster: it is whole
 * after ngx_webrtc_srtp_finish(), which must come before it is sent or its
 * memory is used for something else.  What is in front of the tag may have
 * been encrypted already.
 *
 *   index   as of ngx_webrtc_srtp_protect()
 *   p       header of hdr bytes and payload of n bytes, and room behind them
 *   dst_n   as of ngx_webrtc_srtp_protect()
 *
 * NGX_OK, NGX_DECLINED, NGX_ERROR as of ngx_webrtc_srtp_protect()
 */
ngx_int_t ngx_webrtc_srtp_protect_later(ngx_webrtc_srtp_out_t *out,
    uint64_t index, u_char *p, size_t hdr, size_t n, size_t *dst_n);

/* Completes what ngx_webrtc_srtp_protect_later() has begun, of all contexts. */
void ngx_webrtc_srtp_finish(void);

/*
 * RFC 3711, 3.4; RFC 7714, 9.  Protects one (compound) RTCP packet in place;
 * the SRTCP index is kept in `out`.
 *
 *   p       the packet, with room behind it
 *   n       in: bytes of the packet, >= 8; out: of the protected one
 *   cap     bytes of room at p; n + NGX_WEBRTC_SRTP_RTCP_TAG is enough
 *
 * NGX_OK
 * NGX_DECLINED  too short or no room; nothing is written
 * NGX_ERROR     OpenSSL failed, or 2^31 packets are used up (RFC 3711, 9.2)
 */
ngx_int_t ngx_webrtc_srtp_protect_rtcp(ngx_webrtc_srtp_out_t *out, u_char *p,
    size_t *n, size_t cap);


/*
 * Accepts any SSRC, up to NGX_WEBRTC_SRTP_SSRCS of them.
 *
 *   key     copied, may be wiped afterwards
 *
 * NGX_OK        to be ended with ngx_webrtc_srtp_in_cleanup()
 * NGX_DECLINED  unknown profile
 * NGX_ERROR     OpenSSL failed, or no memory; nothing to clean up
 */
ngx_int_t ngx_webrtc_srtp_in_init(ngx_webrtc_srtp_in_t *in,
    const ngx_webrtc_srtp_key_t *key);

/*
 * The same for a peer that sends RTCP only, as viewers do, in a tenth of the
 * memory: ngx_webrtc_srtp_unprotect() declines everything.
 */
ngx_int_t ngx_webrtc_srtp_in_init_rtcp(ngx_webrtc_srtp_in_t *in,
    const ngx_webrtc_srtp_key_t *key);

/* May be called for a zeroed or cleaned up context. */
void ngx_webrtc_srtp_in_cleanup(ngx_webrtc_srtp_in_t *in);

/*
 * Authenticates and decrypts an SRTP packet in place.
 *
 * An SSRC is never evicted to make room for another: once the numbers seen of
 * it are forgotten, its packets could be replayed.
 *
 *   p       the packet as received, 4-byte alignment is not needed
 *   n       in: bytes of it, out: bytes of the RTP packet
 *
 * NGX_OK
 * NGX_BUSY      a replay or too old, authentic or not
 * NGX_DECLINED  malformed or not authentic: drop
 * NGX_ERROR     authentic, but one SSRC too many: it and others can never be
 *               accepted.  Returned once, afterwards they are declined
 *
 * What is at p is undefined unless NGX_OK.
 */
ngx_int_t ngx_webrtc_srtp_unprotect(ngx_webrtc_srtp_in_t *in, u_char *p,
    size_t *n);

/*
 * The same for SRTCP: RFC 3711, 3.4; RFC 7714, 9.  A packet that is not
 * encrypted (E flag 0) is declined, and so is one SSRC too many.
 */
ngx_int_t ngx_webrtc_srtp_unprotect_rtcp(ngx_webrtc_srtp_in_t *in, u_char *p,
    size_t *n);


#endif /* _NGX_WEBRTC_SRTP_H_INCLUDED_ */
