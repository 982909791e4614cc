
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Congestion control by rate and delay, as BBR does it (draft-cardwell-iccrg-
 * bbr-congestion-control), with a window and the acknowledgements for a clock
 * instead of pacing, and CUBIC (RFC 9438) while others fill the queue.
 *
 * 1. A round lasts from the sending of a packet to its acknowledgement, and 10
 *    ms at least (the clock has milliseconds).  What was delivered in it gives
 *    a rate; the best recent one is what the path takes.
 *
 * 2. There is a queue if a round's shortest round trip exceeds the shortest
 *    recent one by an eighth, and 10 ms at least.
 *
 * 3. STARTUP doubles the window per round trip.  It ends when there is a queue
 *    (RFC 9406), when the rate stays the same for three rounds, or for one in
 *    which 2 % are lost.
 *
 * 4. PROBE has a window of the best rate times (shortest round trip + 10 ms):
 *    with acknowledgements of two packets and an event loop it takes that much
 *    to keep the path filled.  Where round trips are longer on average even
 *    after the round with less, they vary, and that excess replaces the 10 ms.
 *    A cycle has two rounds with a quarter more, repeated as long as the rate
 *    follows, one with a quarter less that empties the queue, and five
 *    unchanged.  Loss alone changes nothing but the 10 ms and, where more is
 *    lost with a quarter more, the quarter: the path may lose at random.  Loss
 *    of 2 % or more while round trips are longer than we make them ourselves is
 *    congestion: the rate then counts for 0.7 of itself.  So is loss of a
 *    quarter, whatever the delay.
 *
 * 5. The shortest round trip is forgotten after 10 s.  Then there is a look:
 *    two rounds with half a window, so that our part of the queue is gone.
 *
 * 6. A queue in eight rounds running, one of them with a quarter less, is not
 *    ours.  Either a rival that goes by loss fills it, beside which a control
 *    that goes by delay gets nothing; or round trips have become longer.  A
 *    look tells: with half our window, the rival's queue becomes shorter.
 *    RIVAL then does as the rival does, CUBIC, where a loss counts only while
 *    there is a queue.  Every 10 s there is another look.  It may end RIVAL
 *    when half a window of ours makes no difference, or gets as much as a whole
 *    one: the queue is ours alone.  But a rival whose window has just been cut,
 *    or that takes at once what we leave, looks the same: another look, with a
 *    quarter, has to see the same, or eight rounds have to be without a queue.
 *
 *    Looks cost us what a rival gets, so we yield less, and recover faster,
 *    than RFC 9438 says; chosen: what gets half of a bottleneck beside a TCP,
 *    with queues of 40 to 400 ms (t/unit/sctp_fair.c).
 *
 * 7. A round that takes much longer than allowed began when the path was
 *    faster: it ends there, and what is remembered counts for half.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sctp_limits.h>
#include <ngx_webrtc_sctp_rate.h>


#define NGX_WEBRTC_SCTP_RATE_PACKET   NGX_WEBRTC_SCTP_PACKET

/* bytes at first (RFC 6928), at least (RFC 9260, 7.2.3), and until a rate is
 * known (chosen: 100 Mbit/s and 20 ms) */
#define NGX_WEBRTC_SCTP_RATE_FIRST    (10 * NGX_WEBRTC_SCTP_RATE_PACKET)
#define NGX_WEBRTC_SCTP_RATE_LEAST    (4 * NGX_WEBRTC_SCTP_RATE_PACKET)
#define NGX_WEBRTC_SCTP_RATE_UNKNOWN  262144

/* bytes that the window has beyond the shortest round trip at least; chosen: a
 * packet that waits for a SACK, two that are acknowledged, one that is sent */
#define NGX_WEBRTC_SCTP_RATE_SPARE    (4 * NGX_WEBRTC_SCTP_RATE_PACKET)

/* milliseconds: of a round at least, of a queue at least and in STARTUP, that
 * the window has beyond the shortest round trip at most and at least, that the
 * shortest round trip is good for, that a round may take longer, that round
 * trips may vary beyond the shortest one */
#define NGX_WEBRTC_SCTP_RATE_ROUND    10
#define NGX_WEBRTC_SCTP_RATE_QUEUE    10
#define NGX_WEBRTC_SCTP_RATE_DELAY    8
#define NGX_WEBRTC_SCTP_RATE_DELAYS   40
#define NGX_WEBRTC_SCTP_RATE_EXTRA    10
#define NGX_WEBRTC_SCTP_RATE_EXTRAS   2
#define NGX_WEBRTC_SCTP_RATE_MIN      10000
#define NGX_WEBRTC_SCTP_RATE_LONG     400
#define NGX_WEBRTC_SCTP_RATE_VARIES   100

/* of a thousand: loss that may be congestion, and that is */
#define NGX_WEBRTC_SCTP_RATE_LOSS     20
#define NGX_WEBRTC_SCTP_RATE_LOSSES   250

/* round trips until they are taken for a queue's in STARTUP; RFC 9406, 4.2 */
#define NGX_WEBRTC_SCTP_RATE_SAMPLES  8

/* until a rival is gone: looks in a row that see none, or rounds without a
 * queue; chosen */
#define NGX_WEBRTC_SCTP_RATE_DOUBTS   2
#define NGX_WEBRTC_SCTP_RATE_EMPTY    8

/* rounds of a look; chosen: what was sent before has arrived after one */
#define NGX_WEBRTC_SCTP_RATE_LOOK     2

/* rounds until a queue is another's, and at most, when it was none before */
#define NGX_WEBRTC_SCTP_RATE_QUEUED   8
#define NGX_WEBRTC_SCTP_RATE_PATIENCE 128

/* percent that the window has more, at least, and when the path has taken it,
 * at most */
#define NGX_WEBRTC_SCTP_RATE_MORE     25
#define NGX_WEBRTC_SCTP_RATE_LESS     4
#define NGX_WEBRTC_SCTP_RATE_MOST     100

/* C in packets per s^3, beta, alpha of W_est; 0.4, 0.7 and 0.53 in RFC 9438, 4,
 * see above; packets are those of a TCP, so that ours, which are smaller, get
 * as much */
#define NGX_WEBRTC_SCTP_CUBIC_C       0.6
#define NGX_WEBRTC_SCTP_CUBIC_BETA    0.85
#define NGX_WEBRTC_SCTP_CUBIC_ALPHA   0.6
#define NGX_WEBRTC_SCTP_CUBIC_PACKET  1460


static void ngx_webrtc_sctp_rate_trip(ngx_webrtc_sctp_rate_t *r,
    uint32_t rtt_ms, uint64_t now_ms);
static void ngx_webrtc_sctp_rate_delay(ngx_webrtc_sctp_rate_t *r,
    const ngx_webrtc_sctp_rate_sample_t *sample);
static void ngx_webrtc_sctp_rate_begin(ngx_webrtc_sctp_rate_t *r,
    uint64_t now_ms);
static void ngx_webrtc_sctp_rate_round(ngx_webrtc_sctp_rate_t *r,
    uint64_t now_ms);
static ngx_uint_t ngx_webrtc_sctp_rate_queue(ngx_webrtc_sctp_rate_t *r);
static void ngx_webrtc_sctp_rate_scale(ngx_webrtc_sctp_rate_t *r,
    ngx_uint_t percent);
static void ngx_webrtc_sctp_rate_startup(ngx_webrtc_sctp_rate_t *r,
    uint64_t rate, uint64_t before, ngx_uint_t loss);
static void ngx_webrtc_sctp_rate_probe(ngx_webrtc_sctp_rate_t *r,
    uint64_t rate, ngx_uint_t loss, uint64_t now_ms);
static void ngx_webrtc_sctp_rate_next(ngx_webrtc_sctp_rate_t *r, uint64_t rate,
    ngx_uint_t loss);
static ngx_uint_t ngx_webrtc_sctp_rate_congested(ngx_webrtc_sctp_rate_t *r,
    ngx_uint_t loss);
static void ngx_webrtc_sctp_rate_rival(ngx_webrtc_sctp_rate_t *r,
    uint64_t now_ms);
static void ngx_webrtc_sctp_rate_look(ngx_webrtc_sctp_rate_t *r,
    uint64_t now_ms);
static void ngx_webrtc_sctp_rate_looked(ngx_webrtc_sctp_rate_t *r,
    uint64_t rate, uint64_t now_ms);
static void ngx_webrtc_sctp_rate_leave(ngx_webrtc_sctp_rate_t *r);
static void ngx_webrtc_sctp_rate_cubic(ngx_webrtc_sctp_rate_t *r,
    const ngx_webrtc_sctp_rate_sample_t *sample, uint64_t now_ms);
static void ngx_webrtc_sctp_rate_cut(ngx_webrtc_sctp_rate_t *r,
    uint64_t now_ms);
static double ngx_webrtc_sctp_rate_cbrt(double v);
static void ngx_webrtc_sctp_rate_window(ngx_webrtc_sctp_rate_t *r,
    const ngx_webrtc_sctp_rate_sample_t *sample);


/* of a cycle of PROBE: two with more, one with less, and the rest */

#define NGX_WEBRTC_SCTP_RATE_UP       0
#define NGX_WEBRTC_SCTP_RATE_DOWN     2
#define NGX_WEBRTC_SCTP_RATE_PHASES   8


void
ngx_webrtc_sctp_rate_init(ngx_webrtc_sctp_rate_t *r, uint32_t max,
    uint64_t now_ms)
{
    ngx_memzero(r, sizeof(ngx_webrtc_sctp_rate_t));

    r->max = ngx_max(max, NGX_WEBRTC_SCTP_RATE_LEAST);
    r->cwnd = ngx_min(NGX_WEBRTC_SCTP_RATE_FIRST, r->max);
    r->extra_ms = NGX_WEBRTC_SCTP_RATE_EXTRA;
    r->up = NGX_WEBRTC_SCTP_RATE_MORE;
    r->patience = NGX_WEBRTC_SCTP_RATE_QUEUED;

    ngx_webrtc_sctp_rate_begin(r, now_ms);
}


void
ngx_webrtc_sctp_rate_update(ngx_webrtc_sctp_rate_t *r,
    const ngx_webrtc_sctp_rate_sample_t *sample, uint64_t now_ms)
{
    uint64_t  most;

    r->round_lost += sample->lost;

    if (sample->flight + 2 * NGX_WEBRTC_SCTP_RATE_PACKET < r->cwnd) {
        r->limited = 1;
    }

    if (sample->has_rtt) {
        ngx_webrtc_sctp_rate_trip(r, sample->rtt_ms, now_ms);

        if (r->mode == NGX_WEBRTC_SCTP_RATE_STARTUP && !r->full) {
            ngx_webrtc_sctp_rate_delay(r, sample);
        }
    }

    if (sample->acked) {
        r->delivered += sample->acked;
        r->sent_ms = ngx_max(r->sent_ms, sample->sent_ms);

        most = 3 * (r->min_ms + r->varies_ms) + NGX_WEBRTC_SCTP_RATE_LONG;

        if (sample->acked_prior >= r->round_from
            && now_ms - r->round_ms >= NGX_WEBRTC_SCTP_RATE_ROUND)
        {
            ngx_webrtc_sctp_rate_round(r, now_ms);

        } else if (r->mode == NGX_WEBRTC_SCTP_RATE_PROBE && !r->limited
                   && now_ms - r->round_ms > most)
        {
            ngx_webrtc_sctp_rate_scale(r, 50);
            ngx_webrtc_sctp_rate_round(r, now_ms);
        }
    }

    if (r->mode == NGX_WEBRTC_SCTP_RATE_RIVAL) {
        ngx_webrtc_sctp_rate_cubic(r, sample, now_ms);
    }

    ngx_webrtc_sctp_rate_window(r, sample);
}


void
ngx_webrtc_sctp_rate_resume(ngx_webrtc_sctp_rate_t *r, uint64_t now_ms)
{
    r->sent_ms = now_ms;
    ngx_webrtc_sctp_rate_begin(r, now_ms);
}


void
ngx_webrtc_sctp_rate_restart(ngx_webrtc_sctp_rate_t *r, uint64_t now_ms)
{
    r->mode = NGX_WEBRTC_SCTP_RATE_STARTUP;
    r->full = 0;
    r->longer = 0;
    r->stale = 0;
    r->queued = 0;
    r->look = 0;
    r->cwnd = ngx_min(NGX_WEBRTC_SCTP_RATE_FIRST, r->max);

    ngx_memzero(r->rates, sizeof(r->rates));
    ngx_webrtc_sctp_rate_begin(r, now_ms);
}


uint64_t
ngx_webrtc_sctp_rate_best(ngx_webrtc_sctp_rate_t *r)
{
    uint64_t    best;
    ngx_uint_t  i;

    best = 0;

    for (i = 0; i < NGX_WEBRTC_SCTP_RATES; i++) {
        best = ngx_max(best, r->rates[i]);
    }

    return best;
}


/* a round trip was measured */

static void
ngx_webrtc_sctp_rate_trip(ngx_webrtc_sctp_rate_t *r, uint32_t rtt_ms,
    uint64_t now_ms)
{
    uint32_t  diff;

    if (!r->rtt) {
        r->rtt = 1;
        r->srtt_ms = rtt_ms;
        r->var_ms = rtt_ms / 2;
        r->min_ms = rtt_ms;
        r->ever_ms = rtt_ms;
        r->min_at = now_ms;

    } else {
        diff = (rtt_ms > r->srtt_ms) ? rtt_ms - r->srtt_ms
                                     : r->srtt_ms - rtt_ms;
        r->var_ms = (3 * r->var_ms + diff + 2) / 4;
        r->srtt_ms = (7 * r->srtt_ms + rtt_ms + 4) / 8;
    }

    r->min_ms = ngx_min(r->min_ms, rtt_ms);
    r->ever_ms = ngx_min(r->ever_ms, rtt_ms);

    if (rtt_ms <= r->min_ms + 1 + r->min_ms / 64) {
        r->min_at = now_ms;
    }

    r->round_min = ngx_min(r->round_min, rtt_ms);
    r->round_sum += rtt_ms;
    r->samples++;
}


/*
 * RFC 9406.  Round trips have become longer: what was under way when they began
 * to is what the path takes.
 */

static void
ngx_webrtc_sctp_rate_delay(ngx_webrtc_sctp_rate_t *r,
    const ngx_webrtc_sctp_rate_sample_t *sample)
{
    uint32_t  more, part;

    more = ngx_max(r->min_ms / 8, NGX_WEBRTC_SCTP_RATE_DELAY);
    more = ngx_min(more, NGX_WEBRTC_SCTP_RATE_DELAYS);

    if (sample->rtt_ms < r->min_ms + more) {
        r->longer = 0;
        return;
    }

    /*
     * at the beginning of a round a few, later half of what is acknowledged in
     * one, two by two: the end of what went out at twice the path's rate is
     * late anyway
     */

    part = (++r->longer == r->samples)
           ? 0 : r->cwnd / NGX_WEBRTC_SCTP_RATE_PACKET / 4;

    if (r->longer < ngx_max(part, NGX_WEBRTC_SCTP_RATE_SAMPLES)) {
        return;
    }

    r->full = 1;
    r->cwnd = ngx_min(r->cwnd, (uint32_t) sample->rtt_flight);
}


static void
ngx_webrtc_sctp_rate_begin(ngx_webrtc_sctp_rate_t *r, uint64_t now_ms)
{
    r->round_ms = now_ms;
    r->round_from = r->delivered;
    r->round_lost = 0;
    r->round_min = (uint32_t) -1;
    r->round_sum = 0;
    r->samples = 0;
    r->longer = 0;
    r->limited = 0;
    r->round_sent = r->sent_ms;
}


/* a round has ended */

static void
ngx_webrtc_sctp_rate_round(ngx_webrtc_sctp_rate_t *r, uint64_t now_ms)
{
    uint64_t    ms, rate, before, acked;
    ngx_uint_t  loss;

    /*
     * What is acknowledged late, as a SACK has no room for all of it where
     * every other packet is lost, was not delivered faster than it was sent.
     */

    acked = r->delivered - r->round_from;
    ms = ngx_max(now_ms - r->round_ms, r->sent_ms - r->round_sent);
    rate = acked * 1000 / ms;
    before = ngx_webrtc_sctp_rate_best(r);
    loss = (ngx_uint_t) (r->round_lost * 1000 / (r->round_lost + acked));

    /* a round in which we ran out of data says nothing about the path */

    if (!r->limited || rate > before) {
        r->rates[r->nrates++ % NGX_WEBRTC_SCTP_RATES] = rate;
    }

    if (r->samples) {

        if (ngx_webrtc_sctp_rate_queue(r)) {
            r->queued++;
            r->empty = 0;

        } else {
            r->queued = 0;
            r->empty++;
        }
    }

    if (r->look) {
        ngx_webrtc_sctp_rate_looked(r, rate, now_ms);

    } else if (r->mode == NGX_WEBRTC_SCTP_RATE_STARTUP) {
        ngx_webrtc_sctp_rate_startup(r, rate, before, loss);

    } else if (r->mode == NGX_WEBRTC_SCTP_RATE_PROBE) {
        ngx_webrtc_sctp_rate_probe(r, rate, loss, now_ms);

    } else if (r->empty >= NGX_WEBRTC_SCTP_RATE_EMPTY) {
        ngx_webrtc_sctp_rate_leave(r);

    } else if (now_ms >= r->look_at) {
        ngx_webrtc_sctp_rate_look(r, now_ms);
    }

    if (r->samples) {
        r->avg_ms = (uint32_t) (r->round_sum / r->samples);
    }

    ngx_webrtc_sctp_rate_begin(r, now_ms);
}


static ngx_uint_t
ngx_webrtc_sctp_rate_queue(ngx_webrtc_sctp_rate_t *r)
{
    uint32_t  more;

    more = ngx_max(r->min_ms / 8, NGX_WEBRTC_SCTP_RATE_QUEUE);

    return r->samples && r->round_min > r->min_ms + more;
}


static void
ngx_webrtc_sctp_rate_scale(ngx_webrtc_sctp_rate_t *r, ngx_uint_t percent)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_SCTP_RATES; i++) {
        r->rates[i] = r->rates[i] * percent / 100;
    }
}


static void
ngx_webrtc_sctp_rate_startup(ngx_webrtc_sctp_rate_t *r, uint64_t rate,
    uint64_t before, ngx_uint_t loss)
{
    if (r->limited && !r->full) {
        return;
    }

    r->stale = (rate * 4 < before * 5) ? r->stale + 1 : 0;

    if (r->full || r->stale >= 3
        || (r->stale && loss >= NGX_WEBRTC_SCTP_RATE_LOSS
            && r->round_lost >= 2 * NGX_WEBRTC_SCTP_RATE_LEAST))
    {
        ngx_webrtc_sctp_rate_leave(r);
    }
}


static void
ngx_webrtc_sctp_rate_probe(ngx_webrtc_sctp_rate_t *r, uint64_t rate,
    ngx_uint_t loss, uint64_t now_ms)
{
    if (now_ms - r->min_at >= NGX_WEBRTC_SCTP_RATE_MIN) {
        ngx_webrtc_sctp_rate_look(r, now_ms);
        return;
    }

    if (r->limited) {

        /* nothing that was not sent can have been an attempt */

        return;
    }

    if (r->queued >= r->patience) {
        ngx_webrtc_sctp_rate_look(r, now_ms);
        return;
    }

    if (ngx_webrtc_sctp_rate_congested(r, loss)) {
        ngx_webrtc_sctp_rate_scale(r, 70);
        r->phase = NGX_WEBRTC_SCTP_RATE_DOWN;
        return;
    }

    if (loss >= NGX_WEBRTC_SCTP_RATE_LOSS) {
        r->extra_ms = ngx_max(r->extra_ms / 2, NGX_WEBRTC_SCTP_RATE_EXTRAS);

    } else if (r->extra_ms < NGX_WEBRTC_SCTP_RATE_EXTRA) {
        r->extra_ms++;
    }

    ngx_webrtc_sctp_rate_next(r, rate, loss);
}


/* the next phase */

static void
ngx_webrtc_sctp_rate_next(ngx_webrtc_sctp_rate_t *r, uint64_t rate,
    ngx_uint_t loss)
{
    uint32_t  ms;

    if (r->phase > NGX_WEBRTC_SCTP_RATE_DOWN) {
        r->usual = (uint32_t) (3 * r->usual + loss) / 4;
    }

    if (r->phase == NGX_WEBRTC_SCTP_RATE_DOWN + 1 && r->samples) {

        /* what was sent with a quarter less has arrived */

        ms = (uint32_t) (r->round_sum / r->samples) - r->min_ms;
        r->varies_ms = ngx_min(ms, r->min_ms + NGX_WEBRTC_SCTP_RATE_VARIES);
    }

    if (r->phase < NGX_WEBRTC_SCTP_RATE_DOWN
        && loss > 2 * r->usual + NGX_WEBRTC_SCTP_RATE_LOSS
        && r->round_lost >= NGX_WEBRTC_SCTP_RATE_LEAST)
    {
        /* the path does not take it, and has no queue for it */

        r->up = ngx_max(r->up / 2, NGX_WEBRTC_SCTP_RATE_LESS);
        r->phase = NGX_WEBRTC_SCTP_RATE_DOWN;
        return;
    }

    if (r->phase + 1 != NGX_WEBRTC_SCTP_RATE_DOWN) {
        r->phase = (r->phase + 1) % NGX_WEBRTC_SCTP_RATE_PHASES;

    } else if (rate * 100 >= r->best * (100 + r->up / 2) && r->queued == 0) {

        /* the path takes it */

        r->up = ngx_min(2 * r->up, NGX_WEBRTC_SCTP_RATE_MOST);
        r->phase = NGX_WEBRTC_SCTP_RATE_UP;

    } else {
        r->up = ngx_min(r->up + 1, NGX_WEBRTC_SCTP_RATE_MORE);
        r->phase = NGX_WEBRTC_SCTP_RATE_DOWN;
    }

    if (r->phase == NGX_WEBRTC_SCTP_RATE_UP) {
        r->best = ngx_webrtc_sctp_rate_best(r);
    }
}


static ngx_uint_t
ngx_webrtc_sctp_rate_congested(ngx_webrtc_sctp_rate_t *r, ngx_uint_t loss)
{
    uint32_t  ours, more;

    r->lossy = (loss >= NGX_WEBRTC_SCTP_RATE_LOSSES) ? r->lossy + 1 : 0;

    if (r->lossy >= 2) {
        r->lossy = 0;
        return 1;
    }

    if (loss < NGX_WEBRTC_SCTP_RATE_LOSS || r->samples == 0
        || r->round_lost < NGX_WEBRTC_SCTP_RATE_LEAST)
    {
        return 0;
    }

    ours = ngx_max(r->extra_ms, r->varies_ms);

    if (r->phase <= NGX_WEBRTC_SCTP_RATE_DOWN) {
        ours += r->min_ms * r->up / 100;
    }

    more = ngx_max(r->min_ms / 8, NGX_WEBRTC_SCTP_RATE_QUEUE);

    return r->round_sum / r->samples > r->min_ms + ours + more;
}


/* somebody else fills the queue: starts with the window that keeps our rate */

static void
ngx_webrtc_sctp_rate_rival(ngx_webrtc_sctp_rate_t *r, uint64_t now_ms)
{
    uint64_t  n;

    n = ngx_webrtc_sctp_rate_best(r) * r->look_ms / 1000;
    n = ngx_max(n, r->cwnd);
    n = ngx_min(n, r->max);

    r->mode = NGX_WEBRTC_SCTP_RATE_RIVAL;
    r->window = (double) n / NGX_WEBRTC_SCTP_CUBIC_PACKET;
    r->top = r->window;
    r->friendly = r->window;
    r->k = 0;
    r->epoch_ms = now_ms;
    r->cut_from = r->delivered;
    r->empty = 0;
    r->doubts = 0;
    r->patience = NGX_WEBRTC_SCTP_RATE_QUEUED;
    r->look_at = now_ms + NGX_WEBRTC_SCTP_RATE_MIN;
}


static void
ngx_webrtc_sctp_rate_look(ngx_webrtc_sctp_rate_t *r, uint64_t now_ms)
{
    r->look = NGX_WEBRTC_SCTP_RATE_LOOK;
    r->look_ms = (uint32_t) (r->round_sum / ngx_max(r->samples, 1));
    r->look_at = now_ms;
}


/* a round of a look has ended */

static void
ngx_webrtc_sctp_rate_looked(ngx_webrtc_sctp_rate_t *r, uint64_t rate,
    uint64_t now_ms)
{
    uint32_t    avg;
    ngx_uint_t  queue, ours, shorter, rival;

    if (--r->look || r->samples == 0) {
        return;
    }

    avg = (uint32_t) (r->round_sum / r->samples);
    queue = ngx_webrtc_sctp_rate_queue(r);

    /* half of our share in it, and nobody else's data came instead */

    ours = rate * 100 >= ngx_webrtc_sctp_rate_best(r) * 85
           || (r->mode == NGX_WEBRTC_SCTP_RATE_RIVAL
               && avg <= r->look_ms / 8 * 5);

    /* a fifth of the queue is gone */

    shorter = r->look_ms > r->min_ms
              && avg + (r->look_ms - r->min_ms) / 5 < r->look_ms;

    rival = (queue && shorter && !ours);

    if (r->mode == NGX_WEBRTC_SCTP_RATE_RIVAL) {
        r->doubts = rival ? 0 : r->doubts + 1;

        if (rival) {
            r->epoch_ms += now_ms - r->look_at;
            r->look_at = now_ms + NGX_WEBRTC_SCTP_RATE_MIN;
            return;
        }

        if (r->doubts < NGX_WEBRTC_SCTP_RATE_DOUBTS) {
            r->look = NGX_WEBRTC_SCTP_RATE_LOOK;
            return;
        }

    } else if (rival) {
        ngx_webrtc_sctp_rate_rival(r, now_ms);
        return;
    }

    if ((queue && !ours)
        || (!queue && now_ms - r->min_at >= NGX_WEBRTC_SCTP_RATE_MIN))
    {
        r->min_ms = r->round_min;
    }

    /* paths change; those that do so often are left alone */

    r->patience = ngx_min(2 * r->patience, NGX_WEBRTC_SCTP_RATE_PATIENCE);
    r->min_at = now_ms;

    ngx_webrtc_sctp_rate_leave(r);

    if (!queue) {
        r->phase = NGX_WEBRTC_SCTP_RATE_DOWN + 2;
    }
}


static void
ngx_webrtc_sctp_rate_leave(ngx_webrtc_sctp_rate_t *r)
{
    r->mode = NGX_WEBRTC_SCTP_RATE_PROBE;
    r->phase = NGX_WEBRTC_SCTP_RATE_DOWN;
    r->best = ngx_webrtc_sctp_rate_best(r);
    r->queued = 0;
    r->lossy = 0;
}


/* RFC 9438, 4 */

static void
ngx_webrtc_sctp_rate_cubic(ngx_webrtc_sctp_rate_t *r,
    const ngx_webrtc_sctp_rate_sample_t *sample, uint64_t now_ms)
{
    double  acked, t, target;

    if (sample->lost && sample->lost_prior >= r->cut_from
        && sample->has_rtt
        && sample->rtt_ms > r->min_ms + ngx_max(r->min_ms / 8,
                                                NGX_WEBRTC_SCTP_RATE_QUEUE))
    {
        ngx_webrtc_sctp_rate_cut(r, now_ms);
        return;
    }

    if (sample->acked == 0 || r->limited || r->look) {
        return;
    }

    acked = (double) sample->acked / NGX_WEBRTC_SCTP_CUBIC_PACKET;

    r->friendly += (r->friendly < r->top ? NGX_WEBRTC_SCTP_CUBIC_ALPHA : 1)
                   * acked / r->window;

    t = (double) (now_ms - r->epoch_ms + r->srtt_ms) / 1000 - r->k;
    target = NGX_WEBRTC_SCTP_CUBIC_C * t * t * t + r->top;

    if (target < r->friendly) {
        r->window = ngx_max(r->window, r->friendly);

    } else if (target > r->window) {
        target = ngx_min(target, 1.5 * r->window);
        r->window += (target - r->window) / r->window * acked;
    }

    r->window = ngx_min(r->window,
                        (double) r->max / NGX_WEBRTC_SCTP_CUBIC_PACKET);
}


/* RFC 9438, 4.6, 4.7 */

static void
ngx_webrtc_sctp_rate_cut(ngx_webrtc_sctp_rate_t *r, uint64_t now_ms)
{
    r->top = (r->window < r->top)
             ? r->window * (1 + NGX_WEBRTC_SCTP_CUBIC_BETA) / 2 : r->window;

    r->window = ngx_max(r->window * NGX_WEBRTC_SCTP_CUBIC_BETA, 4);
    r->friendly = r->window;
    r->k = ngx_webrtc_sctp_rate_cbrt((r->top - r->window)
                                     / NGX_WEBRTC_SCTP_CUBIC_C);
    r->epoch_ms = now_ms;
    r->cut_from = r->delivered;
}


/* the cube root, by Newton's method; 0 for what is not above it */

static double
ngx_webrtc_sctp_rate_cbrt(double v)
{
    double      x;
    ngx_uint_t  i;

    if (v <= 0) {
        return 0;
    }

    x = ngx_max(v, 1);

    for (i = 0; i < 64; i++) {
        x = (2 * x + v / (x * x)) / 3;
    }

    return x;
}


static void
ngx_webrtc_sctp_rate_window(ngx_webrtc_sctp_rate_t *r,
    const ngx_webrtc_sctp_rate_sample_t *sample)
{
    uint64_t  n, best, most, gain;

    best = ngx_webrtc_sctp_rate_best(r);

    if (r->look) {
        n = (r->mode == NGX_WEBRTC_SCTP_RATE_RIVAL)
            ? (uint64_t) (r->window / (2 << r->doubts)
                          * NGX_WEBRTC_SCTP_CUBIC_PACKET)
            : best * r->min_ms / 2000;

    } else if (r->mode == NGX_WEBRTC_SCTP_RATE_STARTUP) {
        n = r->cwnd;

        if (!r->full && !r->limited) {
            n += sample->acked;
        }

        most = 3 * best * (r->min_ms + r->extra_ms) / 1000;
        most = ngx_max(most, NGX_WEBRTC_SCTP_RATE_UNKNOWN);
        n = ngx_min(n, most);

    } else if (r->mode == NGX_WEBRTC_SCTP_RATE_PROBE) {
        gain = 100;

        if (r->phase < NGX_WEBRTC_SCTP_RATE_DOWN) {
            gain += r->up;

        } else if (r->phase == NGX_WEBRTC_SCTP_RATE_DOWN) {
            gain -= NGX_WEBRTC_SCTP_RATE_MORE;
        }

        n = best * ngx_max(r->extra_ms, r->varies_ms) / 1000;
        n = ngx_max(n, NGX_WEBRTC_SCTP_RATE_SPARE);
        n = (n + best * r->min_ms / 1000) * gain / 100;

        /* not all at once */

        n = ngx_min(n, r->cwnd + sample->acked / 2);

    } else {
        n = (uint64_t) (r->window * NGX_WEBRTC_SCTP_CUBIC_PACKET);
    }

    n = ngx_max(n, NGX_WEBRTC_SCTP_RATE_LEAST);

    r->cwnd = (uint32_t) ngx_min(n, r->max);
}
