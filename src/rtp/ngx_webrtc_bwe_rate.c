
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * The rate that follows from delay, loss and probes: see the header file for
 * the contracts.  draft-ietf-rmcat-gcc-02, 5.5 and 6.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_bwe_rate.h>


/* part of what arrives that is kept when a queue grows; draft, 5.5 */
#define NGX_WEBRTC_BWE_BETA        0.85

/* growth per second far from the link's rate; draft, 5.5 */
#define NGX_WEBRTC_BWE_GROWTH      1.08

/* times what arrives, and bits more, that the rate may be at most */
#define NGX_WEBRTC_BWE_AHEAD       1.5
#define NGX_WEBRTC_BWE_AHEAD_BITS  10000

/* us: a response takes a round trip and as much again; draft, 5.5 */
#define NGX_WEBRTC_BWE_RESPONSE    100000

/* us taken for a round trip that is not known; libwebrtc */
#define NGX_WEBRTC_BWE_RTT         200000

/* bits of a packet: one more per response time near the link's rate */
#define NGX_WEBRTC_BWE_PACKET      9600

/* weight of a new sample of the link's rate; libwebrtc */
#define NGX_WEBRTC_BWE_ALPHA       0.05

/* us after a probe in which another one may take back what it has shown;
 * chosen: a round trip over a queue, and what the receiver waits */
#define NGX_WEBRTC_BWE_SURE        1500000

/* loss that limits, and that lets grow; draft, 6 */
#define NGX_WEBRTC_BWE_LOSS_HIGH   0.10
#define NGX_WEBRTC_BWE_LOSS_LOW    0.02
#define NGX_WEBRTC_BWE_LOSS_UP     1.05

/* part of the loss that is left when less is sent, of loss that is not ours;
 * chosen */
#define NGX_WEBRTC_BWE_LOSS_SAME   0.8

/* what others may cause at most, and what only a full queue does; chosen */
#define NGX_WEBRTC_BWE_LOSS_MOST   0.15
#define NGX_WEBRTC_BWE_LOSS_FULL   0.25

/* times less of it before it is forgotten; chosen */
#define NGX_WEBRTC_BWE_LOSS_FORGET 10

/* us between two decreases by loss, besides a round trip; libwebrtc */
#define NGX_WEBRTC_BWE_LOSS_WAIT   300000


static void ngx_webrtc_bwe_rate_decrease(ngx_webrtc_bwe_rate_t *r,
    uint32_t arrived, uint64_t now);
static void ngx_webrtc_bwe_rate_increase(ngx_webrtc_bwe_rate_t *r,
    uint32_t arrived, uint32_t rtt, uint64_t now);
static ngx_uint_t ngx_webrtc_bwe_rate_above(double loss, double limit,
    ngx_uint_t n);
static void ngx_webrtc_bwe_rate_link(ngx_webrtc_bwe_rate_t *r,
    double arrived);
static ngx_int_t ngx_webrtc_bwe_rate_outside(const ngx_webrtc_bwe_rate_t *r,
    double arrived);
static void ngx_webrtc_bwe_rate_clamp(ngx_webrtc_bwe_rate_t *r);


void
ngx_webrtc_bwe_rate_init(ngx_webrtc_bwe_rate_t *r, uint32_t min, uint32_t max,
    uint32_t start)
{
    ngx_memzero(r, sizeof(ngx_webrtc_bwe_rate_t));

    r->min = min;
    r->max = max;
    r->delay = start;
    r->loss = max;
    r->state = NGX_WEBRTC_BWE_HOLD;
}


uint32_t
ngx_webrtc_bwe_rate(const ngx_webrtc_bwe_rate_t *r)
{
    return (uint32_t) ngx_min(r->delay, r->loss);
}


void
ngx_webrtc_bwe_rate_delay(ngx_webrtc_bwe_rate_t *r,
    ngx_webrtc_bwe_usage_e usage, uint32_t arrived, uint32_t lately,
    uint32_t rtt, uint64_t now)
{
    /* draft, 5.5: the table of states */

    switch (usage) {

    case NGX_WEBRTC_BWE_OVERUSE:
        r->state = NGX_WEBRTC_BWE_DECREASE;
        break;

    case NGX_WEBRTC_BWE_UNDERUSE:
        r->state = NGX_WEBRTC_BWE_HOLD;
        break;

    default: /* NGX_WEBRTC_BWE_NORMAL */
        r->state = (r->state == NGX_WEBRTC_BWE_DECREASE)
                   ? NGX_WEBRTC_BWE_HOLD : NGX_WEBRTC_BWE_INCREASE;
    }

    switch (r->state) {

    case NGX_WEBRTC_BWE_DECREASE:

        /* what has been decided needs a round trip to be seen */

        if (r->decreased == 0
            || now - r->decreased >= (rtt ? rtt : NGX_WEBRTC_BWE_RTT))
        {
            /* a queue grows: what comes out of it is all that there is room
             * for, though little may have been sent before */

            ngx_webrtc_bwe_rate_decrease(r, ngx_max(arrived, lately), now);
        }

        break;

    case NGX_WEBRTC_BWE_INCREASE:
        ngx_webrtc_bwe_rate_increase(r, arrived, rtt, now);
        break;

    case NGX_WEBRTC_BWE_HOLD:
        break;
    }

    r->updated = now;

    ngx_webrtc_bwe_rate_clamp(r);
}


static void
ngx_webrtc_bwe_rate_decrease(ngx_webrtc_bwe_rate_t *r, uint32_t arrived,
    uint64_t now)
{
    double  rate;

    r->decreased = now;

    rate = NGX_WEBRTC_BWE_BETA * (arrived ? arrived : r->delay);

    if (rate > r->delay && r->link > 0) {

        /* what arrives is what was sent before: aim below the link's rate */

        rate = NGX_WEBRTC_BWE_BETA * r->link;
    }

    if (arrived) {

        if (ngx_webrtc_bwe_rate_outside(r, arrived) < 0) {
            r->link = 0;
        }

        ngx_webrtc_bwe_rate_link(r, arrived);
    }

    r->delay = ngx_min(r->delay, rate);
}


static void
ngx_webrtc_bwe_rate_increase(ngx_webrtc_bwe_rate_t *r, uint32_t arrived,
    uint32_t rtt, uint64_t now)
{
    double  seconds, limit, response;

    if (arrived == 0) {
        return;
    }

    if (ngx_webrtc_bwe_rate_outside(r, arrived) > 0) {
        /* the link carries more than it did */
        r->link = 0;
    }

    if (arrived > r->delay) {
        /* it has been carried: as of the burst that a viewer begins with */
        r->delay = arrived;
    }

    limit = NGX_WEBRTC_BWE_AHEAD * arrived + NGX_WEBRTC_BWE_AHEAD_BITS;

    if (r->delay >= limit || r->updated == 0) {
        return;
    }

    seconds = (now - r->updated) / 1e6;
    seconds = ngx_min(seconds, 1);

    if (r->link > 0) {
        response = ((rtt ? rtt : NGX_WEBRTC_BWE_RTT)
                    + NGX_WEBRTC_BWE_RESPONSE) / 1e6;

        r->delay += NGX_WEBRTC_BWE_PACKET / response * seconds;

    } else {
        /* 1.08 ^ seconds, as its series: they are at most one */

        r->delay *= 1 + (NGX_WEBRTC_BWE_GROWTH - 1) * seconds;
    }

    r->delay = ngx_min(r->delay, limit);
}


void
ngx_webrtc_bwe_rate_probed(ngx_webrtc_bwe_rate_t *r, uint32_t rate,
    uint64_t now)
{
    if (rate > r->delay) {

        if (r->probed == 0 || now - r->probed >= NGX_WEBRTC_BWE_SURE) {
            r->unprobed = r->delay;
        }

        r->probed = now;

        r->delay = rate;
        r->link = 0;
        r->updated = now;
    }

    if (r->loss < r->max) {
        r->loss = ngx_max(r->loss, rate);
    }

    ngx_webrtc_bwe_rate_clamp(r);
}


void
ngx_webrtc_bwe_rate_full(ngx_webrtc_bwe_rate_t *r, uint32_t rate,
    uint32_t arrived, uint64_t now)
{
    double  less;

    less = ngx_max(rate, arrived);

    if (r->probed && now - r->probed < NGX_WEBRTC_BWE_SURE) {
        less = ngx_max(less, r->unprobed);
    }

    if (less < r->delay) {
        r->delay = less;
        r->probed = 0;
    }

    ngx_webrtc_bwe_rate_clamp(r);
}


void
ngx_webrtc_bwe_rate_loss(ngx_webrtc_bwe_rate_t *r, double loss, ngx_uint_t n,
    uint32_t arrived, uint32_t rtt, uint64_t now)
{
    double  ours;

    if (r->loss_decreased
        && now - r->loss_decreased < NGX_WEBRTC_BWE_LOSS_WAIT + rtt)
    {
        return;
    }

    if (r->before > 0) {

        if (loss > r->before * NGX_WEBRTC_BWE_LOSS_SAME) {
            r->inherent += (loss - r->inherent) / 2;
        }

        r->before = 0;
    }

    if (loss < r->inherent) {
        r->inherent += (loss - r->inherent) / NGX_WEBRTC_BWE_LOSS_FORGET;
    }

    r->inherent = ngx_min(r->inherent, NGX_WEBRTC_BWE_LOSS_MOST);

    ours = ngx_max(loss - r->inherent, 0);

    if (ngx_webrtc_bwe_rate_above(ours, NGX_WEBRTC_BWE_LOSS_HIGH, n)) {

        r->loss_decreased = now;
        r->before = loss;
        r->loss = ngx_min(r->loss, r->delay) * (1 - 0.5 * ours);

        if (arrived && loss > NGX_WEBRTC_BWE_LOSS_FULL) {
            r->loss = ngx_min(r->loss, arrived);
        }

        /* the path carries what arrives, and a full queue goes on losing for
         * as long as it takes to be emptied */

        r->loss = ngx_max(r->loss, NGX_WEBRTC_BWE_BETA * arrived);

    } else if (r->loss < r->max
               && !ngx_webrtc_bwe_rate_above(ours, NGX_WEBRTC_BWE_LOSS_LOW, n))
    {

        r->loss *= NGX_WEBRTC_BWE_LOSS_UP;

        if (r->loss > r->delay * 2) {
            r->loss = r->max;
        }
    }

    ngx_webrtc_bwe_rate_clamp(r);
}


/* Is the loss above a limit, and not by chance (two standard deviations)? */

static ngx_uint_t
ngx_webrtc_bwe_rate_above(double loss, double limit, ngx_uint_t n)
{
    double  above;

    above = loss - limit;

    return above > 0 && above * above * n > 4 * loss * (1 - loss);
}


/* draft, 5.5: average and variance of what arrives when the link is full */

static void
ngx_webrtc_bwe_rate_link(ngx_webrtc_bwe_rate_t *r, double arrived)
{
    double  error;

    if (r->link == 0) {
        r->link = arrived;

        if (r->variance == 0) {
            r->variance = 0.4;
        }

        return;
    }

    r->link += NGX_WEBRTC_BWE_ALPHA * (arrived - r->link);

    /* in kbit/s, relative to the mean; libwebrtc's bounds */

    error = (arrived - r->link) / 1000;

    r->variance = (1 - NGX_WEBRTC_BWE_ALPHA) * r->variance
                  + NGX_WEBRTC_BWE_ALPHA * error * error
                    / ngx_max(r->link / 1000, 1);

    r->variance = ngx_max(r->variance, 0.4);
    r->variance = ngx_min(r->variance, 2.5);
}


/*
 * Is the rate within three standard deviations of the link's?
 *
 * 0: it is, or the link's is unknown; -1: below; 1: above
 */

static ngx_int_t
ngx_webrtc_bwe_rate_outside(const ngx_webrtc_bwe_rate_t *r, double arrived)
{
    double  error;

    if (r->link == 0) {
        return 0;
    }

    error = (arrived - r->link) / 1000;

    if (error * error <= 9 * r->variance * r->link / 1000) {
        return 0;
    }

    return (error < 0) ? -1 : 1;
}


static void
ngx_webrtc_bwe_rate_clamp(ngx_webrtc_bwe_rate_t *r)
{
    r->delay = ngx_max(r->delay, r->min);
    r->delay = ngx_min(r->delay, r->max);

    r->loss = ngx_max(r->loss, r->min);
    r->loss = ngx_min(r->loss, r->max);
}
