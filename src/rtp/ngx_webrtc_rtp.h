
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Classification of the datagrams on the shared port (RFC 7983, RFC 5761), and
 * the RTP header (RFC 3550, 5) with its extensions (RFC 8285).  Stateless;
 * a parse result is a set of views into the caller's bytes.
 */


#ifndef _NGX_WEBRTC_RTP_H_INCLUDED_
#define _NGX_WEBRTC_RTP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* ngx_webrtc_rtp_classify() */
#define NGX_WEBRTC_DATAGRAM_UNKNOWN  0
#define NGX_WEBRTC_DATAGRAM_STUN     1
#define NGX_WEBRTC_DATAGRAM_DTLS     2
#define NGX_WEBRTC_DATAGRAM_RTP      3
#define NGX_WEBRTC_DATAGRAM_RTCP     4

/* bytes without CSRCs and extensions; RFC 3550, 5.1 */
#define NGX_WEBRTC_RTP_HEADER        12

/* ngx_webrtc_rtp_t.ext_profile; RFC 8285, 4.2 and 4.3 (there 0x1000-0x100f) */
#define NGX_WEBRTC_RTP_EXT_ONE_BYTE  0xbede
#define NGX_WEBRTC_RTP_EXT_TWO_BYTE  0x1000

/* of the one-byte form; RFC 8285, 4.2 */
#define NGX_WEBRTC_RTP_EXT_MAX_ID    14
#define NGX_WEBRTC_RTP_EXT_MAX_LEN   16

/* elements that a packet may have; chosen: about twice the ids of the one-byte
 * form */
#define NGX_WEBRTC_RTP_EXT_ELEMENTS  32


typedef struct {
    uint8_t    pt;
    uint8_t    marker;           /* 0 or 1 */
    uint8_t    extension;        /* 0 or 1: X bit, a header extension follows */
    uint8_t    ncsrc;            /* 0 .. 15 */
    uint16_t   seq;
    uint16_t   ext_profile;      /* NGX_WEBRTC_RTP_EXT_*, 0 if there is none */
    uint32_t   ts;
    uint32_t   ssrc;

    u_char    *csrc;             /* ncsrc times 4 bytes, big-endian */
    u_char    *ext;              /* behind profile and length */
    size_t     ext_len;
    u_char    *payload;
    size_t     len;              /* of payload, without padding; may be 0 */
    uint8_t    padding;          /* bytes of it, the count byte included */
} ngx_webrtc_rtp_t;


/* one element of a header extension */
typedef struct {
    uint8_t    id;               /* 1 .. 14, or 1 .. 255 in the two-byte form */
    uint8_t    len;
    u_char    *data;
} ngx_webrtc_rtp_ext_t;


/*
 * RFC 7983, 7: tells STUN, DTLS and RTP apart by the first byte; RFC 5761, 4:
 * RTP and RTCP by the second one.  What we have no use for (ZRTP, TURN channel,
 * QUIC) and what is too short to be what it claims is unknown.
 *
 * Returns NGX_WEBRTC_DATAGRAM_*
 */
ngx_uint_t ngx_webrtc_rtp_classify(u_char *p, size_t n);

/*
 * RFC 3550, 5.1 and A.1.  Parses a whole RTP packet, decrypted or not: of an
 * SRTP packet only the header is readable, but not yet `padding` (it is in the
 * encrypted part, before the authentication tag), so use
 * ngx_webrtc_rtp_parse_header() there.
 *
 * NGX_OK        rtp is filled
 * NGX_DECLINED  wrong version, cut, or padding longer than the payload
 */
ngx_int_t ngx_webrtc_rtp_parse(u_char *p, u_char *end, ngx_webrtc_rtp_t *rtp);

/* The same, but the P bit is ignored: payload is all behind the header. */
ngx_int_t ngx_webrtc_rtp_parse_header(u_char *p, u_char *end,
    ngx_webrtc_rtp_t *rtp);

/*
 * RFC 8285, 4.2 and 4.3.  Reads the header extension element at p, to be called
 * first with p == NULL.  Padding is skipped; in the one-byte form id 15 ends
 * the walk, as it must.
 *
 * Returns the position behind the element, to be passed to the next call, or
 * NULL if there are no more, or the next one is cut, or the profile is unknown.
 */
u_char *ngx_webrtc_rtp_ext_next(const ngx_webrtc_rtp_t *rtp, u_char *p,
    ngx_webrtc_rtp_ext_t *ext);

/*
 * Finds the first element with that id (0 finds nothing).
 *
 * NGX_OK        ext is filled
 * NGX_DECLINED  there is none
 */
ngx_int_t ngx_webrtc_rtp_ext_find(const ngx_webrtc_rtp_t *rtp, ngx_uint_t id,
    ngx_webrtc_rtp_ext_t *ext);

/*
 * Whether a packet has more than NGX_WEBRTC_RTP_EXT_ELEMENTS elements, which
 * would make each search slow.
 */
ngx_uint_t ngx_webrtc_rtp_ext_crowded(const ngx_webrtc_rtp_t *rtp);

#endif /* _NGX_WEBRTC_RTP_H_INCLUDED_ */
