
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A sender's readers of RTCP feedback about its bandwidth: transport-wide
 * feedback, packet by packet, and REMB.  Parse results are views into the
 * caller's bytes.
 *
 * draft-holmer-rmcat-transport-wide-cc-extensions-01 (TWCC),
 * draft-alvestrand-rmcat-remb-03 (REMB).
 */


#ifndef _NGX_WEBRTC_RTCP_FB_READ_H_INCLUDED_
#define _NGX_WEBRTC_RTCP_FB_READ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_webrtc_rtcp.h>


typedef struct {
    uint64_t  bitrate;      /* bits per second */
    u_char   *ssrcs;        /* nssrcs times 4 bytes, big-endian */
    uint8_t   nssrcs;
} ngx_webrtc_rtcp_remb_t;


typedef struct {
    uint16_t  base;         /* transport-wide number of the first packet */
    uint16_t  packets;      /* status count, >= 1 */
    int32_t   reference;    /* 64 ms, 24 bits signed */
    uint8_t   feedback;     /* number of this feedback packet, modulo 256 */
    u_char   *chunks;       /* packet chunks and receive deltas, unread */
    size_t    len;
} ngx_webrtc_rtcp_twcc_t;


/* position in feedback; private */
typedef struct {
    u_char     *chunk;            /* next chunk */
    u_char     *delta;            /* next delta */
    int64_t     ticks;            /* of the last packet that came */
    uint16_t    word;             /* the chunk */
    uint16_t    run;              /* symbols left in it */
    uint16_t    left;             /* packets left */
    uint16_t    seq;              /* of the next packet */
} ngx_webrtc_rtcp_fb_twcc_t;


/* NGX_OK; NGX_DECLINED if the application layer feedback is no valid REMB */
ngx_int_t ngx_webrtc_rtcp_parse_remb(const ngx_webrtc_rtcp_fb_t *fb,
    ngx_webrtc_rtcp_remb_t *remb);

/* NGX_OK; NGX_DECLINED if too short or empty */
ngx_int_t ngx_webrtc_rtcp_parse_twcc(const ngx_webrtc_rtcp_fb_t *fb,
    ngx_webrtc_rtcp_twcc_t *twcc);

/*
 * Begins to read feedback, and checks all of it.
 *
 *   twcc   from ngx_webrtc_rtcp_parse_twcc()
 *
 * NGX_OK
 * NGX_DECLINED  chunks or deltas are cut, or a reserved symbol
 */
ngx_int_t ngx_webrtc_rtcp_fb_twcc_init(ngx_webrtc_rtcp_fb_twcc_t *it,
    const ngx_webrtc_rtcp_twcc_t *twcc);

/*
 * The next packet's status.
 *
 *   seq          transport-wide number
 *   received     1: it came, and arrival_us is set
 *   arrival_us   of the receiver's clock, whose zero is unknown and which wraps
 *                every 12.4 days (24 bits of 64 ms): may be negative, only
 *                differences count
 *
 * NGX_OK, NGX_DONE: there are no more
 */
ngx_int_t ngx_webrtc_rtcp_fb_twcc_next(ngx_webrtc_rtcp_fb_twcc_t *it,
    uint16_t *seq, ngx_uint_t *received, int64_t *arrival_us);


#endif /* _NGX_WEBRTC_RTCP_FB_READ_H_INCLUDED_ */
