
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Statistics of RTP streams, as carried in RTCP reports: the sender's side
 * (our SRs to a viewer, its report blocks: loss, RTT) and the receiver's
 * (a publisher's packets and SRs, our report blocks: loss, jitter).  Pure
 * arithmetic, time is passed in; packets are parsed and written by
 * ngx_webrtc_rtcp.
 *
 * RFC 3550, 6.4, A.1, A.3, A.8; RFC 3611, 4.5.
 */


#ifndef _NGX_WEBRTC_REPORT_H_INCLUDED_
#define _NGX_WEBRTC_REPORT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_rtcp.h>


/* us; a longer round trip is not credible; chosen: TCP's longest
 * retransmission timeout is 60 s (RFC 6298, 2.5) */
#define NGX_WEBRTC_REPORT_RTT_MAX  60000000


/* what we send, per SSRC */
typedef struct {
    uint32_t  packets;               /* modulo 2^32, as in the SR */
    uint32_t  octets;                /* payload only, likewise */

    /* from the viewer's last report block */
    uint32_t  rtt_us;                /* smoothed as in RFC 6298, 0 = unknown */
    uint32_t  rtt_last_us;
    uint32_t  jitter;                /* units of the RTP clock */
    int32_t   lost;                  /* in all */
    uint32_t  highest;               /* extended sequence number */
    uint8_t   fraction;              /* lost of the last interval, / 256 */
    unsigned  reported:1;            /* there was a report block */
} ngx_webrtc_report_out_t;


/* what we receive, per SSRC */
typedef struct {
    uint64_t  highest;               /* unwrapped sequence number */
    uint64_t  base;                  /* the first one */
    uint64_t  received;              /* packets, with duplicates */
    uint64_t  expected_prior;        /* as of the last report block */
    uint64_t  received_prior;

    int32_t   transit;               /* units of the RTP clock */
    uint32_t  jitter;                /* the same, times 16 */
    uint32_t  clock_rate;

    uint32_t  sr_ntp;                /* middle 32 bits of the last SR, or 0 */
    uint64_t  sr_arrival_us;

    unsigned  started:1;
} ngx_webrtc_report_in_t;


/* counts a packet that has been sent; n = bytes of payload, without padding */
static ngx_inline void
ngx_webrtc_report_sent(ngx_webrtc_report_out_t *out, size_t n)
{
    out->packets++;
    out->octets += (uint32_t) n;
}

/*
 * RFC 3550, 6.4.1.  Fills in an SR from the counters and one instant on both
 * clocks: the wall clock and ngx_webrtc_timeline_at().
 *
 *   rtp    with the viewer's timestamp offset
 */
void ngx_webrtc_report_sr(const ngx_webrtc_report_out_t *out, uint32_t ssrc,
    uint64_t ntp, uint32_t rtp, ngx_webrtc_rtcp_sr_t *sr);

/*
 * Takes a report block about our stream.
 *
 *   now_ntp32    now: the middle 32 bits of the NTP time, on the clock of our
 *                SRs
 *
 * NGX_OK        taken, and out->rtt_last_us is new
 * NGX_AGAIN     taken, but without a credible RTT
 */
ngx_int_t ngx_webrtc_report_block(ngx_webrtc_report_out_t *out,
    const ngx_webrtc_rtcp_block_t *block, uint32_t now_ntp32);

/*
 * RFC 3550, 6.4.1: the RTT from LSR and DLSR, also of a DLRR (RFC 3611, 4.5).
 *
 * NGX_OK        *rtt_us is set, at least 1
 * NGX_DECLINED  lsr is 0, or the result is negative or beyond
 *               NGX_WEBRTC_REPORT_RTT_MAX
 */
ngx_int_t ngx_webrtc_report_rtt(uint32_t now_ntp32, uint32_t lsr, uint32_t dlsr,
    uint32_t *rtt_us);


/* clock_rate in Hz */
void ngx_webrtc_report_in_init(ngx_webrtc_report_in_t *in, uint32_t clock_rate);

/*
 * Counts a received packet (SRTP has checked that it is authentic and not a
 * replay).
 *
 *   seq           unwrapped sequence number, ngx_webrtc_seq_unwrap16()
 *   rtp           its timestamp
 *   arrival_us    monotonic clock
 */
void ngx_webrtc_report_received(ngx_webrtc_report_in_t *in, uint64_t seq,
    uint32_t rtp, uint64_t arrival_us);

/* Takes the peer's SR, for LSR and DLSR; arrival_us as above. */
void ngx_webrtc_report_in_sr(ngx_webrtc_report_in_t *in,
    const ngx_webrtc_rtcp_sr_t *sr, uint64_t arrival_us);

/*
 * RFC 3550, A.3.  Fills in a report block about `ssrc` and begins the next
 * interval.
 *
 * NGX_OK
 * NGX_DECLINED  nothing has been received so far
 */
ngx_int_t ngx_webrtc_report_in_block(ngx_webrtc_report_in_t *in, uint32_t ssrc,
    uint64_t now_us, ngx_webrtc_rtcp_block_t *block);


#endif /* _NGX_WEBRTC_REPORT_H_INCLUDED_ */
