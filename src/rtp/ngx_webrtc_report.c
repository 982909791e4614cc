
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTP statistics: what goes into and comes out of sender and receiver reports.
 * RFC 3550, 6.4, A.3 and A.8.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_seq.h>
#include <ngx_webrtc_time.h>
#include <ngx_webrtc_report.h>


/* RFC 3550, 6.4.1: the cumulative number of packets lost has 24 bits, signed */
#define NGX_WEBRTC_REPORT_LOST_MAX   0x7fffff
#define NGX_WEBRTC_REPORT_LOST_MIN   (-0x800000)

/* RTP ticks; more is a jump of the clock, not jitter; chosen: half a minute of
 * 90 kHz, and 16 times it fit 32 bits */
#define NGX_WEBRTC_REPORT_JITTER     (90000 * 30)


static uint32_t ngx_webrtc_report_ticks(uint64_t us, uint32_t clock_rate);


void
ngx_webrtc_report_sr(const ngx_webrtc_report_out_t *out, uint32_t ssrc,
    uint64_t ntp, uint32_t rtp, ngx_webrtc_rtcp_sr_t *sr)
{
    sr->ssrc = ssrc;
    sr->ntp = ntp;
    sr->rtp = rtp;
    sr->packets = out->packets;
    sr->octets = out->octets;
}


ngx_int_t
ngx_webrtc_report_block(ngx_webrtc_report_out_t *out,
    const ngx_webrtc_rtcp_block_t *block, uint32_t now_ntp32)
{
    uint32_t  rtt;

    out->fraction = block->fraction;
    out->lost = block->lost;
    out->highest = block->highest;
    out->jitter = block->jitter;
    out->reported = 1;

    if (ngx_webrtc_report_rtt(now_ntp32, block->lsr, block->dlsr, &rtt)
        != NGX_OK)
    {
        return NGX_AGAIN;
    }

    out->rtt_last_us = rtt;

    /* RFC 6298, 2.3: alpha = 1/8 */

    out->rtt_us = out->rtt_us ? out->rtt_us - out->rtt_us / 8 + rtt / 8 : rtt;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_report_rtt(uint32_t now_ntp32, uint32_t lsr, uint32_t dlsr,
    uint32_t *rtt_us)
{
    uint64_t  us;
    uint32_t  diff;

    if (lsr == 0) {
        return NGX_DECLINED;
    }

    /* modulo 2^16 s: a negative one is beyond the limit as well */

    diff = now_ntp32 - lsr - dlsr;

    us = ngx_webrtc_time_compact_to_us(diff);

    if (us > NGX_WEBRTC_REPORT_RTT_MAX) {
        return NGX_DECLINED;
    }

    *rtt_us = (uint32_t) ngx_max(us, 1);

    return NGX_OK;
}


void
ngx_webrtc_report_in_init(ngx_webrtc_report_in_t *in, uint32_t clock_rate)
{
    ngx_memzero(in, sizeof(ngx_webrtc_report_in_t));

    in->clock_rate = clock_rate;
}


void
ngx_webrtc_report_received(ngx_webrtc_report_in_t *in, uint64_t seq,
    uint32_t rtp, uint64_t arrival_us)
{
    int32_t   transit, d;

    /* RFC 3550, 6.4.1: D(i,j), in units of the RTP clock, modulo 2^32 */

    transit = ngx_webrtc_seq_diff32(
                   ngx_webrtc_report_ticks(arrival_us, in->clock_rate), rtp);

    in->received++;

    if (!in->started) {
        in->started = 1;
        in->base = seq;
        in->highest = seq;
        in->transit = transit;
        return;
    }

    in->highest = ngx_max(in->highest, seq);
    in->base = ngx_min(in->base, seq);

    d = ngx_webrtc_seq_diff32((uint32_t) transit, (uint32_t) in->transit);
    in->transit = transit;

    if (d < -NGX_WEBRTC_REPORT_JITTER || d > NGX_WEBRTC_REPORT_JITTER) {
        return;
    }

    if (d < 0) {
        d = -d;
    }

    /* RFC 3550, A.8, with the integer form's rounding */

    in->jitter += (uint32_t) d - ((in->jitter + 8) >> 4);
}


void
ngx_webrtc_report_in_sr(ngx_webrtc_report_in_t *in,
    const ngx_webrtc_rtcp_sr_t *sr, uint64_t arrival_us)
{
    in->sr_ntp = ngx_webrtc_time_compact(sr->ntp);
    in->sr_arrival_us = arrival_us;
}


ngx_int_t
ngx_webrtc_report_in_block(ngx_webrtc_report_in_t *in, uint32_t ssrc,
    uint64_t now_us, ngx_webrtc_rtcp_block_t *block)
{
    int64_t   lost, lost_interval;
    uint64_t  expected, expected_interval;

    if (!in->started) {
        return NGX_DECLINED;
    }

    expected = in->highest - in->base + 1;

    lost = (int64_t) expected - (int64_t) in->received;
    lost = ngx_min(lost, NGX_WEBRTC_REPORT_LOST_MAX);
    lost = ngx_max(lost, NGX_WEBRTC_REPORT_LOST_MIN);

    expected_interval = expected - in->expected_prior;
    lost_interval = (int64_t) expected_interval
                    - (int64_t) (in->received - in->received_prior);

    in->expected_prior = expected;
    in->received_prior = in->received;

    block->ssrc = ssrc;
    block->lost = (int32_t) lost;
    block->highest = (uint32_t) in->highest;
    block->jitter = in->jitter >> 4;

    if (expected_interval == 0 || lost_interval <= 0) {
        block->fraction = 0;

    } else {
        /* 256 / 256 does not fit 8 bits, even if all are lost */

        lost_interval = lost_interval * 256 / (int64_t) expected_interval;
        block->fraction = (uint8_t) ngx_min(lost_interval, 255);
    }

    block->lsr = in->sr_ntp;
    block->dlsr = 0;

    if (in->sr_ntp && now_us > in->sr_arrival_us) {
        block->dlsr = ngx_webrtc_time_us_to_compact(now_us - in->sr_arrival_us);
    }

    return NGX_OK;
}


/* low 32 bits; seconds and the rest apart, as the product passes 64 bits */

static uint32_t
ngx_webrtc_report_ticks(uint64_t us, uint32_t clock_rate)
{
    return (uint32_t) (us / 1000000 * clock_rate
                       + us % 1000000 * clock_rate / 1000000);
}
