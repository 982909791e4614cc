
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * RTCP that a receiver of media sends besides what is in ngx_webrtc_rtcp.h:
 * transport-wide feedback, REMB, FIR, XR.  Stateless.
 *
 * draft-holmer-rmcat-transport-wide-cc-extensions-01 (TWCC),
 * draft-alvestrand-rmcat-remb-03 (REMB), RFC 5104 (FIR), RFC 3611 (XR).
 *
 * Writers append one packet at p and return the position behind it, or NULL
 * if it does not fit before `end`; p == NULL gives NULL.
 */


#ifndef _NGX_WEBRTC_RTCP_FB_H_INCLUDED_
#define _NGX_WEBRTC_RTCP_FB_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_webrtc_rtcp.h>


/* us: units of the reference time and of deltas; TWCC draft, 3.1, 3.1.5 */
#define NGX_WEBRTC_TWCC_REFERENCE  64000
#define NGX_WEBRTC_TWCC_TICK       250

/* symbols of packets: also the bytes of their deltas; TWCC draft, 3.1.1 */
#define NGX_WEBRTC_TWCC_NONE       0      /* not received */
#define NGX_WEBRTC_TWCC_SMALL      1      /* delta of 8 bits, unsigned */
#define NGX_WEBRTC_TWCC_LARGE      2      /* delta of 16 bits, signed */
#define NGX_WEBRTC_TWCC_RESERVED   3

/* chunks, TWCC draft, 3.1.2 to 3.1.4: kinds, length of a run, symbols in a
 * status vector */
#define NGX_WEBRTC_TWCC_VECTOR     0x8000
#define NGX_WEBRTC_TWCC_TWO_BIT    0x4000
#define NGX_WEBRTC_TWCC_RUN_MAX    0x1fff
#define NGX_WEBRTC_TWCC_ONE_BITS   14
#define NGX_WEBRTC_TWCC_TWO_BITS   7

/* no arrival time: the packet did not come */
#define NGX_WEBRTC_TWCC_LOST       ((int64_t) -1)

/* bytes with one status: header, common part, FCI, one chunk and a delta */
#define NGX_WEBRTC_TWCC_MIN        24

/* statuses written into one feedback packet at most; chosen: 100 ms of
 * 80 Mbit/s; more than fit 1200 bytes where packets come irregularly */
#define NGX_WEBRTC_TWCC_STATUSES   1024


/*
 * TWCC draft, 3.1.  Writes feedback for as many packets as fit into one
 * feedback packet: before `end`, NGX_WEBRTC_TWCC_STATUSES of them, and with
 * times between them that a delta can express (8.19 s).
 *
 *   sender, media   SSRCs
 *   base            transport-wide number of the first packet
 *   feedback        number of this feedback packet, modulo 256
 *   arrivals        n times: when packet base + i came, us >= 0 of any steady
 *                   clock, or NGX_WEBRTC_TWCC_LOST.  Need not ascend
 *   n               >= 1
 *   written         out: statuses in it, >= 1 (not NULL)
 *
 * Each time is rounded down to a tick by itself, so that errors do not add up.
 * The rest goes into another packet, with base + *written.  NULL also when none
 * of the n packets came; skip these.
 */
u_char *ngx_webrtc_rtcp_fb_write_twcc(u_char *p, u_char *end, uint32_t sender,
    uint32_t media, uint16_t base, uint8_t feedback, const int64_t *arrivals,
    ngx_uint_t n, ngx_uint_t *written);


/*
 * REMB draft, 2.2.  n <= 255 SSRCs; the bitrate (bits per second) is rounded
 * down to what 18 bits of mantissa can express.
 */
u_char *ngx_webrtc_rtcp_fb_write_remb(u_char *p, u_char *end, uint32_t sender,
    uint64_t bitrate, const uint32_t *ssrcs, ngx_uint_t n);

/*
 * RFC 5104, 4.3.1.  Requests a key frame of `ssrc`.
 *
 *   seq   one more than in the command before; the same in a repetition of it
 */
u_char *ngx_webrtc_rtcp_fb_write_fir(u_char *p, u_char *end, uint32_t sender,
    uint32_t ssrc, uint8_t seq);

/* RFC 3611, 4.4.  An XR packet with a receiver reference time block */
u_char *ngx_webrtc_rtcp_fb_write_rrtr(u_char *p, u_char *end, uint32_t sender,
    uint64_t ntp);

#endif /* _NGX_WEBRTC_RTCP_FB_H_INCLUDED_ */
