
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * A sender's estimate of its path's bandwidth: see the header file for the
 * contracts.  draft-ietf-rmcat-gcc-02.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_rtcp_fb.h>
#include <ngx_webrtc_seq.h>
#include <ngx_webrtc_bwe.h>


/* us after which arrival times repeat: 24 bits of the reference time */
#define NGX_WEBRTC_BWE_WRAP        ((int64_t) 0x1000000                       \
                                    * NGX_WEBRTC_TWCC_REFERENCE)

/* us, and packets, of which loss is a share; libwebrtc: 20 packets */
#define NGX_WEBRTC_BWE_LOSS_US     1000000
#define NGX_WEBRTC_BWE_LOSS_MIN    20

/* packets that a receiver report is about, when that is unknown; chosen: a
 * second of 1 Mbit/s */
#define NGX_WEBRTC_BWE_REPORT      100

/* part of the rate of sending below which a probe's rate of arrival shows the
 * path's limit, and part of that rate that is believed then; libwebrtc */
#define NGX_WEBRTC_BWE_PROBE_GOOD  0.90
#define NGX_WEBRTC_BWE_PROBE_TRUST 0.95

/* of a probe's packets, those that have to arrive; libwebrtc */
#define NGX_WEBRTC_BWE_PROBE_PART  0.80

/* us from the first packet in which a burst is waited for, and packets that
 * have to arrive before the rest of it is known; chosen: an encoder's first key
 * frames; and pauses of a few packets say little */
#define NGX_WEBRTC_BWE_BURST       3000000
#define NGX_WEBRTC_BWE_BURST_MIN   8


/*
 * us of round trips beyond the least one: a queue that is to be emptied, until
 * it is no longer than that; half the window of that least; and the part of the
 * estimate that is sent meanwhile.  Chosen: a second of queue is gone after 4 s
 */
#define NGX_WEBRTC_BWE_QUEUE       200000
#define NGX_WEBRTC_BWE_EMPTY       80000
#define NGX_WEBRTC_BWE_LEAST_US    15000000
#define NGX_WEBRTC_BWE_DRAIN       0.7


/* parts of the window: the last moments, 150 ms as libwebrtc's first window */
#define NGX_WEBRTC_BWE_LATELY      3


#define ngx_webrtc_bwe_slot(bwe, n)                                           \
    (&(bwe)->sent[(n) & (NGX_WEBRTC_BWE_SENT - 1)])


static int64_t ngx_webrtc_bwe_came(ngx_webrtc_bwe_t *bwe, int64_t came);
static uint32_t ngx_webrtc_bwe_lately(const ngx_webrtc_bwe_t *bwe);
static void ngx_webrtc_bwe_count(ngx_webrtc_bwe_t *bwe, int64_t came,
    uint32_t size);
static void ngx_webrtc_bwe_rtt(ngx_webrtc_bwe_t *bwe, uint32_t rtt,
    uint64_t now_us);
static void ngx_webrtc_bwe_loss(ngx_webrtc_bwe_t *bwe, uint64_t now_us);
static void ngx_webrtc_bwe_probe_begin(ngx_webrtc_bwe_t *bwe, uint32_t rate,
    uint64_t now_us);
static void ngx_webrtc_bwe_probe_sent(ngx_webrtc_bwe_t *bwe, size_t size,
    uint64_t now_us);
static void ngx_webrtc_bwe_burst_next(ngx_webrtc_bwe_t *bwe, uint64_t now_us);
static void ngx_webrtc_bwe_probe_came(ngx_webrtc_bwe_t *bwe,
    const ngx_webrtc_bwe_sent_t *sent, int64_t sent_us, int64_t came);
static void ngx_webrtc_bwe_probe_end(ngx_webrtc_bwe_t *bwe, uint64_t now_us);


void
ngx_webrtc_bwe_init(ngx_webrtc_bwe_t *bwe, const ngx_webrtc_bwe_conf_t *conf)
{
    ngx_memzero(bwe, sizeof(ngx_webrtc_bwe_t));

    bwe->conf = *conf;

    /* so that numbers near the first one unwrap */

    bwe->next = 0x10000;
    bwe->acked = bwe->next;

    ngx_webrtc_bwe_delay_init(&bwe->delay);
    ngx_webrtc_bwe_rate_init(&bwe->rate, conf->min, conf->max, conf->start);
}


uint32_t
ngx_webrtc_bwe_estimate(const ngx_webrtc_bwe_t *bwe)
{
    uint32_t  rate;

    rate = ngx_webrtc_bwe_rate(&bwe->rate);

    if (bwe->drain) {
        rate = (uint32_t) (rate * NGX_WEBRTC_BWE_DRAIN);
        rate = ngx_max(rate, bwe->conf.min);
    }

    if (bwe->remb && bwe->feedback_us == 0 && bwe->remb < rate) {
        rate = ngx_max(bwe->remb, bwe->conf.min);
    }

    return rate;
}


uint32_t
ngx_webrtc_bwe_arrived(const ngx_webrtc_bwe_t *bwe)
{
    int64_t  passed;

    if (!bwe->started) {
        return 0;
    }

    passed = bwe->came - bwe->begin;

    if (passed < NGX_WEBRTC_BWE_WINDOW / 4) {
        return 0;
    }

    /* the newest part is not over yet */

    passed = ngx_min(passed, NGX_WEBRTC_BWE_WINDOW
                             - NGX_WEBRTC_BWE_WINDOW / NGX_WEBRTC_BWE_PARTS
                             + bwe->came % (NGX_WEBRTC_BWE_WINDOW
                                            / NGX_WEBRTC_BWE_PARTS));

    return (uint32_t) ngx_min((uint64_t) bwe->sum * 8 * 1000000 / passed,
                              0xffffffff);
}


uint16_t
ngx_webrtc_bwe_sent(ngx_webrtc_bwe_t *bwe, size_t size, uint64_t now_us)
{
    ngx_webrtc_bwe_sent_t  *sent;

    sent = ngx_webrtc_bwe_slot(bwe, bwe->next);

    sent->sent = (uint32_t) now_us;
    sent->size = (uint16_t) ngx_min(size, 0xffff);
    sent->probe = 0;

    if (bwe->probe.burst) {
        ngx_webrtc_bwe_burst_next(bwe, now_us);
    }

    if (bwe->probe.open) {
        sent->probe = bwe->probe.id;
        bwe->probe.last = bwe->next;
        ngx_webrtc_bwe_probe_sent(bwe, size, now_us);
    }

    if (bwe->packets++ == 0) {
        bwe->first_us = now_us;
    }

    return (uint16_t) bwe->next++;
}


ngx_int_t
ngx_webrtc_bwe_feedback(ngx_webrtc_bwe_t *bwe,
    const ngx_webrtc_rtcp_twcc_t *twcc, uint64_t now_us)
{
    int64_t                    came, sent_us;
    uint16_t                   seq;
    uint32_t                   age, rtt;
    uint64_t                   n;
    ngx_uint_t                 received;
    ngx_webrtc_bwe_sent_t     *sent;
    ngx_webrtc_rtcp_fb_twcc_t  it;

    if (ngx_webrtc_rtcp_fb_twcc_init(&it, twcc) != NGX_OK) {
        return NGX_DECLINED;
    }

    rtt = 0;
    came = 0;

    while (ngx_webrtc_rtcp_fb_twcc_next(&it, &seq, &received, &came)
           == NGX_OK)
    {
        n = ngx_webrtc_seq_unwrap16(bwe->next - 1, seq);

        if (n >= bwe->next || bwe->next - n > NGX_WEBRTC_BWE_SENT
            || n < 0x10000)
        {
            /* not sent, or forgotten */
            continue;
        }

        sent = ngx_webrtc_bwe_slot(bwe, n);

        if (sent->size == 0) {
            /* told before */
            continue;
        }

        if (!received) {

            /* it may still come, and is then told again, but is lost now */

            if (n >= bwe->acked) {
                bwe->seen++;
                bwe->lost++;
                bwe->packets_lost++;
            }

            continue;
        }

        age = (uint32_t) now_us - sent->sent;
        sent_us = (int64_t) (now_us - age);

        if (rtt == 0 || age < rtt) {
            rtt = age;
        }

        came = ngx_webrtc_bwe_came(bwe, came);

        ngx_webrtc_bwe_count(bwe, came, sent->size);
        ngx_webrtc_bwe_delay_input(&bwe->delay, sent_us, came);
        ngx_webrtc_bwe_probe_came(bwe, sent, sent_us, came);

        bwe->seen += (n >= bwe->acked);
        sent->size = 0;
    }

    n = ngx_webrtc_seq_unwrap16(bwe->next - 1,
                                (uint16_t) (twcc->base + twcc->packets - 1));

    if (n >= bwe->acked && n < bwe->next) {
        bwe->acked = n + 1;
    }

    if (rtt) {
        ngx_webrtc_bwe_rtt(bwe, rtt, now_us);
    }

    bwe->feedback_us = now_us;

    ngx_webrtc_bwe_rate_delay(&bwe->rate, bwe->delay.usage,
                              ngx_webrtc_bwe_arrived(bwe),
                              ngx_webrtc_bwe_lately(bwe), bwe->rtt_us, now_us);
    ngx_webrtc_bwe_loss(bwe, now_us);
    ngx_webrtc_bwe_probe_end(bwe, now_us);

    return NGX_OK;
}


void
ngx_webrtc_bwe_report(ngx_webrtc_bwe_t *bwe, ngx_uint_t fraction,
    uint32_t rtt_us, uint64_t now_us)
{
    if (bwe->feedback_us) {
        return;
    }

    if (rtt_us) {
        bwe->rtt_us = rtt_us;
    }

    ngx_webrtc_bwe_rate_loss(&bwe->rate, ngx_min(fraction, 255) / 256.0,
                             NGX_WEBRTC_BWE_REPORT, 0, bwe->rtt_us, now_us);
}


void
ngx_webrtc_bwe_remb(ngx_webrtc_bwe_t *bwe, uint64_t bitrate, uint64_t now_us)
{
    bwe->remb = (uint32_t) ngx_min(bitrate, bwe->conf.max);

    if (bwe->feedback_us == 0) {

        /* the receiver has seen that much arrive, or expects it to */

        ngx_webrtc_bwe_rate_probed(&bwe->rate, bwe->remb, now_us);
    }
}


/* arrival times continue where those of the receiver wrap */

static int64_t
ngx_webrtc_bwe_came(ngx_webrtc_bwe_t *bwe, int64_t came)
{
    int64_t  off;

    if (!bwe->started) {

        /* never negative, also if packets came in another order */

        return came + NGX_WEBRTC_BWE_WRAP;
    }

    off = (came - bwe->came) % NGX_WEBRTC_BWE_WRAP;

    if (off > NGX_WEBRTC_BWE_WRAP / 2) {
        off -= NGX_WEBRTC_BWE_WRAP;

    } else if (off < -NGX_WEBRTC_BWE_WRAP / 2) {
        off += NGX_WEBRTC_BWE_WRAP;
    }

    return bwe->came + off;
}


/* what arrived in the newest parts of the window that are over; 0: unknown */

static uint32_t
ngx_webrtc_bwe_lately(const ngx_webrtc_bwe_t *bwe)
{
    int64_t   i;
    uint64_t  sum;

    if (!bwe->started || bwe->part < NGX_WEBRTC_BWE_LATELY) {
        return 0;
    }

    sum = 0;

    for (i = 1; i <= NGX_WEBRTC_BWE_LATELY; i++) {
        sum += bwe->parts[(bwe->part - i) % NGX_WEBRTC_BWE_PARTS];
    }

    return (uint32_t) ngx_min(sum * 8 * 1000000 * NGX_WEBRTC_BWE_PARTS
                              / NGX_WEBRTC_BWE_WINDOW / NGX_WEBRTC_BWE_LATELY,
                              0xffffffff);
}


static void
ngx_webrtc_bwe_count(ngx_webrtc_bwe_t *bwe, int64_t came, uint32_t size)
{
    int64_t     part, i;

    part = came / (NGX_WEBRTC_BWE_WINDOW / NGX_WEBRTC_BWE_PARTS);

    if (!bwe->started
        || part - bwe->part >= NGX_WEBRTC_BWE_PARTS
        || bwe->part - part >= NGX_WEBRTC_BWE_PARTS)
    {
        ngx_memzero(bwe->parts, sizeof(bwe->parts));

        bwe->started = 1;
        bwe->sum = 0;
        bwe->part = part;
        bwe->begin = came;
        bwe->came = came;
    }

    for (i = bwe->part + 1; i <= part; i++) {
        bwe->sum -= bwe->parts[i % NGX_WEBRTC_BWE_PARTS];
        bwe->parts[i % NGX_WEBRTC_BWE_PARTS] = 0;
        bwe->part = i;
    }

    bwe->parts[part % NGX_WEBRTC_BWE_PARTS] += size;
    bwe->sum += size;
    bwe->came = ngx_max(bwe->came, came);
}


/* a round trip, with what the receiver waits before it reports */

static void
ngx_webrtc_bwe_rtt(ngx_webrtc_bwe_t *bwe, uint32_t rtt, uint64_t now_us)
{
    uint32_t  least;

    bwe->rtt_us = bwe->rtt_us ? (7 * (uint64_t) bwe->rtt_us + rtt) / 8 : rtt;

    if (now_us - bwe->least_us > NGX_WEBRTC_BWE_LEAST_US) {
        bwe->least_before = bwe->least;
        bwe->least = rtt;
        bwe->least_us = now_us;
    }

    bwe->least = ngx_min(bwe->least, rtt);

    least = (bwe->least_before && bwe->least_before < bwe->least)
            ? bwe->least_before : bwe->least;

    bwe->drain = rtt - least > (bwe->drain ? NGX_WEBRTC_BWE_EMPTY
                                           : NGX_WEBRTC_BWE_QUEUE);
}


static void
ngx_webrtc_bwe_loss(ngx_webrtc_bwe_t *bwe, uint64_t now_us)
{
    if (bwe->loss_us == 0) {
        bwe->loss_us = now_us;
    }

    if (bwe->seen < NGX_WEBRTC_BWE_LOSS_MIN
        || now_us - bwe->loss_us < NGX_WEBRTC_BWE_LOSS_US)
    {
        return;
    }

    ngx_webrtc_bwe_rate_loss(&bwe->rate, (double) bwe->lost / bwe->seen,
                             bwe->seen, ngx_webrtc_bwe_arrived(bwe),
                             bwe->rtt_us, now_us);
    bwe->seen = 0;
    bwe->lost = 0;
    bwe->loss_us = now_us;
}


ngx_int_t
ngx_webrtc_bwe_probe(ngx_webrtc_bwe_t *bwe, uint32_t rate, uint64_t now_us)
{
    if (ngx_webrtc_bwe_probing(bwe, now_us) || bwe->feedback_us == 0
        || bwe->delay.usage == NGX_WEBRTC_BWE_OVERUSE)
    {
        return NGX_DECLINED;
    }

    ngx_webrtc_bwe_probe_begin(bwe, rate, now_us);

    bwe->probes++;

    return NGX_OK;
}


static void
ngx_webrtc_bwe_probe_begin(ngx_webrtc_bwe_t *bwe, uint32_t rate,
    uint64_t now_us)
{
    uint16_t                 id;
    ngx_webrtc_bwe_probe_t  *probe;

    probe = &bwe->probe;

    id = (uint16_t) (probe->id + 1);

    ngx_memzero(probe, sizeof(ngx_webrtc_bwe_probe_t));

    probe->id = id ? id : 1;
    probe->rate = ngx_min(rate, bwe->conf.max);
    probe->open = 1;
    probe->waits = 1;
    probe->begin_us = now_us;
    probe->due_us = now_us;
}


void
ngx_webrtc_bwe_burst(ngx_webrtc_bwe_t *bwe)
{
    ngx_webrtc_bwe_probe_begin(bwe, bwe->conf.start, 0);
    bwe->probe.burst = 1;
}


/*
 * A packet is about to be sent.  Those that come one by one are no burst, which
 * is waited for until something else is known.
 */

static void
ngx_webrtc_bwe_burst_next(ngx_webrtc_bwe_t *bwe, uint64_t now_us)
{
    ngx_webrtc_bwe_probe_t  *probe;

    probe = &bwe->probe;

    if (!probe->open || probe->packets == 0
        || now_us - probe->begin_us < NGX_WEBRTC_BWE_PROBE_US)
    {
        return;
    }

    if (probe->packets >= NGX_WEBRTC_BWE_PROBE_MIN) {
        probe->open = 0;
        return;
    }

    if (bwe->feedback_us
        && (bwe->rate.delay < bwe->conf.start
            || now_us - bwe->first_us >= NGX_WEBRTC_BWE_BURST))
    {
        probe->open = 0;
        probe->waits = 0;
        return;
    }

    ngx_webrtc_bwe_burst(bwe);
}


ngx_uint_t
ngx_webrtc_bwe_probing(const ngx_webrtc_bwe_t *bwe, uint64_t now_us)
{
    const ngx_webrtc_bwe_probe_t  *probe;

    probe = &bwe->probe;

    /* after that nothing of it comes back; a burst that has not come yet is in
     * nobody's way */

    return (probe->open ? !probe->burst : probe->waits)
           && now_us - probe->begin_us
              <= NGX_WEBRTC_BWE_PROBE_WAIT + bwe->rtt_us;
}


uint64_t
ngx_webrtc_bwe_probe_due(const ngx_webrtc_bwe_t *bwe)
{
    return (bwe->probe.open && !bwe->probe.burst) ? bwe->probe.due_us : 0;
}


static void
ngx_webrtc_bwe_probe_sent(ngx_webrtc_bwe_t *bwe, size_t size, uint64_t now_us)
{
    ngx_webrtc_bwe_probe_t  *probe;

    probe = &bwe->probe;

    if (probe->packets == 0) {
        probe->begin_us = now_us;
        probe->due_us = now_us;
    }

    probe->packets++;
    probe->due_us += (uint64_t) size * 8 * 1000000 / ngx_max(probe->rate, 1);

    if (probe->packets >= NGX_WEBRTC_BWE_PROBE_MIN
        && now_us - probe->begin_us >= NGX_WEBRTC_BWE_PROBE_US)
    {
        probe->open = 0;
    }
}


static void
ngx_webrtc_bwe_probe_came(ngx_webrtc_bwe_t *bwe,
    const ngx_webrtc_bwe_sent_t *sent, int64_t sent_us, int64_t came)
{
    ngx_webrtc_bwe_probe_t  *probe;

    probe = &bwe->probe;

    if (sent->probe == 0 || sent->probe != probe->id || !probe->waits) {
        return;
    }

    if (probe->arrived == 0) {
        probe->sent_first = sent_us;
        probe->came_first = came;
        probe->first_size = sent->size;
    }

    if (probe->arrived == 0 || came >= probe->came_last) {

        if (probe->burst && probe->arrived
            && came - probe->came_last >= probe->gap)
        {
            probe->gap = came - probe->came_last;
            probe->gap_size = sent->size;
        }

        probe->came_last = came;
    }

    if (probe->arrived == 0 || sent_us >= probe->sent_last) {
        probe->sent_last = sent_us;
        probe->last_size = sent->size;
    }

    probe->bytes += sent->size;
    probe->arrived++;
}


/*
 * libwebrtc: the slower of both rates, and a little less where it is limited.
 * A burst that is limited need not have come whole: it may have filled a queue.
 * Nothing confirms it, so that its longest pause does not count, for which the
 * receiver may have been busy, and it shows what is too much, never that there
 * is more: what has waited comes together.
 */

static void
ngx_webrtc_bwe_probe_end(ngx_webrtc_bwe_t *bwe, uint64_t now_us)
{
    double                   out, in, rate;
    int64_t                  came;
    ngx_webrtc_bwe_probe_t  *probe;

    probe = &bwe->probe;

    if (probe->open || !probe->waits
        || probe->arrived < NGX_WEBRTC_BWE_PROBE_MIN)
    {
        return;
    }

    if (probe->arrived >= probe->packets * NGX_WEBRTC_BWE_PROBE_PART) {
        probe->waits = 0;

    } else if (!probe->burst
               || (probe->arrived < NGX_WEBRTC_BWE_BURST_MIN
                   && bwe->acked <= probe->last))
    {
        return;
    }

    came = probe->came_last - probe->came_first - probe->gap;

    if (probe->sent_last <= probe->sent_first || came <= 0) {
        return;
    }

    out = (probe->bytes - probe->last_size) * 8e6
          / (probe->sent_last - probe->sent_first);
    in = (probe->bytes - probe->first_size - probe->gap_size) * 8e6 / came;

    rate = ngx_min(out, in);

    if (in < NGX_WEBRTC_BWE_PROBE_GOOD * out) {

        /* the path is full */

        probe->waits = 0;
        rate = ngx_min(NGX_WEBRTC_BWE_PROBE_TRUST * in, bwe->conf.max);

        ngx_webrtc_bwe_rate_full(&bwe->rate, (uint32_t) rate,
                                 ngx_webrtc_bwe_arrived(bwe), now_us);
    }

    if (probe->burst) {
        return;
    }

    ngx_webrtc_bwe_rate_probed(&bwe->rate,
                               (uint32_t) ngx_min(rate, bwe->conf.max), now_us);
}
