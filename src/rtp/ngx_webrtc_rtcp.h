
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTCP: iteration over a compound packet, readers for the packets that we
 * understand, writers for those that we send.  Stateless; a parse result is
 * a set of views into the caller's bytes, which are not modified.
 *
 * A receiver first calls ngx_webrtc_rtcp_check() on the whole datagram, then
 * walks it with ngx_webrtc_rtcp_next(), so that a malformed compound packet
 * changes nothing.
 *
 * RFC 3550 (SR, RR, SDES, BYE), RFC 3611 (XR), RFC 4585 (NACK, PLI), RFC 5104
 * (FIR), RFC 5506 (reduced size), draft-alvestrand-rmcat-remb-03 (REMB),
 * draft-holmer-rmcat-transport-wide-cc-extensions-01 (the header of TWCC).
 */


#ifndef _NGX_WEBRTC_RTCP_H_INCLUDED_
#define _NGX_WEBRTC_RTCP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* ngx_webrtc_rtcp_t.type; IANA registry of RTCP control packet types */
#define NGX_WEBRTC_RTCP_SR         200
#define NGX_WEBRTC_RTCP_RR         201
#define NGX_WEBRTC_RTCP_SDES       202
#define NGX_WEBRTC_RTCP_BYE        203
#define NGX_WEBRTC_RTCP_APP        204
#define NGX_WEBRTC_RTCP_RTPFB      205
#define NGX_WEBRTC_RTCP_PSFB       206
#define NGX_WEBRTC_RTCP_XR         207

/* ngx_webrtc_rtcp_t.count of RTPFB */
#define NGX_WEBRTC_RTPFB_NACK      1
#define NGX_WEBRTC_RTPFB_TWCC      15

/* ngx_webrtc_rtcp_t.count of PSFB */
#define NGX_WEBRTC_PSFB_PLI        1
#define NGX_WEBRTC_PSFB_FIR        4
#define NGX_WEBRTC_PSFB_AFB        15    /* REMB is one of these */

/* ngx_webrtc_rtcp_xr_t.type; RFC 3611, 4 */
#define NGX_WEBRTC_XR_RRT          4
#define NGX_WEBRTC_XR_DLRR         5

/* bytes: the header and the sender's SSRC, a report block; RFC 3550, 6.4 */
#define NGX_WEBRTC_RTCP_HEADER     8
#define NGX_WEBRTC_RTCP_BLOCK      24

/* report blocks in one SR or RR: the 5-bit RC field */
#define NGX_WEBRTC_RTCP_BLOCKS     31


/* one packet of a compound packet */
typedef struct {
    uint8_t   type;         /* NGX_WEBRTC_RTCP_* */
    uint8_t   count;        /* RC, SC or FMT, by type */
    u_char   *body;         /* behind the 4-byte header */
    size_t    len;          /* of body, without padding; a multiple of 4 */
} ngx_webrtc_rtcp_t;


/* RFC 3550, 6.4.1 */
typedef struct {
    uint32_t  ssrc;         /* of the sender */
    uint64_t  ntp;          /* 32.32 seconds since 1900 */
    uint32_t  rtp;          /* the same instant in the stream's RTP clock */
    uint32_t  packets;
    uint32_t  octets;       /* payload only, without headers and padding */
} ngx_webrtc_rtcp_sr_t;


typedef struct {
    uint32_t  ssrc;         /* the source being reported on */
    uint8_t   fraction;     /* of packets lost since the last report, /256 */
    int32_t   lost;         /* in all, 24 bits signed */
    uint32_t  highest;      /* extended highest sequence number received */
    uint32_t  jitter;       /* in units of the RTP clock */
    uint32_t  lsr;          /* middle 32 bits of the last SR's NTP, 0 = none */
    uint32_t  dlsr;         /* 1/65536 s between that SR and this report */
} ngx_webrtc_rtcp_block_t;


/* RFC 4585, 6.1: the common part of RTPFB and PSFB */
typedef struct {
    uint32_t  sender;
    uint32_t  media;        /* unused in FIR, REMB, which have it in the FCI */
    u_char   *fci;
    size_t    len;
} ngx_webrtc_rtcp_fb_t;


/* one report block of an XR packet; RFC 3611, 3 */
typedef struct {
    uint8_t   type;         /* NGX_WEBRTC_XR_* */
    u_char   *body;         /* behind the 4-byte block header */
    size_t    len;
} ngx_webrtc_rtcp_xr_t;


/* RFC 3611, 4.5 */
typedef struct {
    uint32_t  ssrc;
    uint32_t  lrr;          /* middle 32 bits of the RRT's NTP, 0 = none */
    uint32_t  dlrr;         /* 1/65536 s */
} ngx_webrtc_rtcp_dlrr_t;


/*
 * Checks a whole (decrypted) RTCP datagram: every packet has version 2 and
 * ends within the datagram, only the last one is padded, and nothing is left
 * over.  Reduced-size packets (RFC 5506) are fine: the first packet need not
 * be a report.
 *
 * NGX_OK        may be walked
 * NGX_DECLINED  malformed or empty
 */
ngx_int_t ngx_webrtc_rtcp_check(u_char *p, u_char *end);

/*
 * Reads the packet at p.
 *
 * Returns the position behind it, which is `end` behind the last one, or NULL
 * if it is malformed.  p == NULL and p == end give NULL.
 */
u_char *ngx_webrtc_rtcp_next(u_char *p, u_char *end, ngx_webrtc_rtcp_t *rtcp);

/*
 * RFC 3550, 6.4.1.  Reads the sender information of an SR.
 *
 * NGX_OK; NGX_DECLINED if it is no SR or too short
 */
ngx_int_t ngx_webrtc_rtcp_parse_sr(const ngx_webrtc_rtcp_t *rtcp,
    ngx_webrtc_rtcp_sr_t *sr);

/*
 * Reads report block number i (from 0) of an SR or RR.
 *
 *   ssrc    out: who reports; may be NULL
 *
 * NGX_OK        block is filled
 * NGX_DONE      there are no more blocks
 * NGX_DECLINED  no SR or RR, or its count does not fit its length
 */
ngx_int_t ngx_webrtc_rtcp_parse_block(const ngx_webrtc_rtcp_t *rtcp,
    ngx_uint_t i, uint32_t *ssrc, ngx_webrtc_rtcp_block_t *block);

/*
 * RFC 4585, 6.1.  Reads the common part of an RTPFB or PSFB packet.
 * NGX_OK; NGX_DECLINED if it is none or too short
 */
ngx_int_t ngx_webrtc_rtcp_parse_fb(const ngx_webrtc_rtcp_t *rtcp,
    ngx_webrtc_rtcp_fb_t *fb);

/*
 * RFC 4585, 6.2.1.  Reads entry number i of a generic NACK's FCI: packet `pid`
 * is lost, and packet pid + 1 + n for every bit n (from the least significant)
 * of `blp`.
 *
 * NGX_OK; NGX_DONE if there are no more
 */
ngx_int_t ngx_webrtc_rtcp_parse_nack(const ngx_webrtc_rtcp_fb_t *fb,
    ngx_uint_t i, uint16_t *pid, uint16_t *blp);

/*
 * RFC 3611, 3.  Reads the XR block at p, to be called first with p == NULL.
 *
 *   ssrc    out: who reports; may be NULL
 *
 * Returns the position behind the block, to be passed to the next call, or NULL
 * if there are no more or the block is malformed.
 */
u_char *ngx_webrtc_rtcp_parse_xr(const ngx_webrtc_rtcp_t *rtcp, u_char *p,
    uint32_t *ssrc, ngx_webrtc_rtcp_xr_t *xr);

/* RFC 3611, 4.5.  Sub-block number i; NGX_OK, NGX_DONE, NGX_DECLINED */
ngx_int_t ngx_webrtc_rtcp_parse_dlrr(const ngx_webrtc_rtcp_xr_t *xr,
    ngx_uint_t i, ngx_webrtc_rtcp_dlrr_t *dlrr);


/*
 * Writers.  Each one appends one packet at p and returns the position behind
 * it, or NULL if it does not fit before `end`; p == NULL gives NULL, so that
 * calls may be chained and checked once.
 */

/* RFC 3550, 6.4.1.  n <= NGX_WEBRTC_RTCP_BLOCKS, 0 leaves blocks unread */
u_char *ngx_webrtc_rtcp_write_sr(u_char *p, u_char *end,
    const ngx_webrtc_rtcp_sr_t *sr, const ngx_webrtc_rtcp_block_t *blocks,
    ngx_uint_t n);

/* RFC 3550, 6.4.2.  n may be 0: an empty report */
u_char *ngx_webrtc_rtcp_write_rr(u_char *p, u_char *end, uint32_t ssrc,
    const ngx_webrtc_rtcp_block_t *blocks, ngx_uint_t n);

/* RFC 3550, 6.5.1.  An SDES with one chunk: CNAME, at most 255 bytes of it */
u_char *ngx_webrtc_rtcp_write_sdes(u_char *p, u_char *end, uint32_t ssrc,
    const u_char *cname, size_t len);

/* RFC 4585, 6.3.1 */
u_char *ngx_webrtc_rtcp_write_pli(u_char *p, u_char *end, uint32_t sender,
    uint32_t media);

/*
 * RFC 4585, 6.2.1.  Packs n >= 1 lost sequence numbers, in ascending order
 * modulo 2^16, into as few entries as they need.
 */
u_char *ngx_webrtc_rtcp_write_nack(u_char *p, u_char *end, uint32_t sender,
    uint32_t media, const uint16_t *seqs, ngx_uint_t n);

/*
 * RFC 3550, 6.1.  Writes the 4-byte header of a packet with `body` bytes behind
 * it, a multiple of 4; checks that all of it fits.
 */
u_char *ngx_webrtc_rtcp_write_head(u_char *p, u_char *end, ngx_uint_t type,
    ngx_uint_t count, size_t body);


#endif /* _NGX_WEBRTC_RTCP_H_INCLUDED_ */
