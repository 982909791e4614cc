
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Detector of a growing queue: see the header file for the contracts.
 * draft-ietf-rmcat-gcc-02, 5.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_bwe_delay.h>


/* us: packets of a group; draft, 5.1 */
#define NGX_WEBRTC_BWE_BURST       5000

/* us without arrivals after which all is begun anew; libwebrtc */
#define NGX_WEBRTC_BWE_PAUSE       3000000

/* of the trendline; libwebrtc */
#define NGX_WEBRTC_BWE_SMOOTH      0.9
#define NGX_WEBRTC_BWE_GAIN        4.0
#define NGX_WEBRTC_BWE_COUNT       60

/* of the threshold, ms; draft, 5.4 */
#define NGX_WEBRTC_BWE_THRESHOLD   12.5
#define NGX_WEBRTC_BWE_LEAST       6.0
#define NGX_WEBRTC_BWE_MOST        600.0
#define NGX_WEBRTC_BWE_UP          0.0087
#define NGX_WEBRTC_BWE_DOWN        0.039
#define NGX_WEBRTC_BWE_APART       15.0
#define NGX_WEBRTC_BWE_STEP        100.0

/* ms above the threshold before it counts; draft, 5.4 */
#define NGX_WEBRTC_BWE_OVER        10.0


static void ngx_webrtc_bwe_delay_group(ngx_webrtc_bwe_delay_t *d);
static void ngx_webrtc_bwe_delay_start(ngx_webrtc_bwe_delay_t *d,
    int64_t sent, int64_t came);
static double ngx_webrtc_bwe_delay_slope(const ngx_webrtc_bwe_delay_t *d);
static void ngx_webrtc_bwe_delay_detect(ngx_webrtc_bwe_delay_t *d,
    double slope, double passed, int64_t now);
static void ngx_webrtc_bwe_delay_adapt(ngx_webrtc_bwe_delay_t *d,
    double trend, int64_t now);


void
ngx_webrtc_bwe_delay_init(ngx_webrtc_bwe_delay_t *d)
{
    ngx_memzero(d, sizeof(ngx_webrtc_bwe_delay_t));

    d->threshold = NGX_WEBRTC_BWE_THRESHOLD;
    d->over = -1;
}


void
ngx_webrtc_bwe_delay_input(ngx_webrtc_bwe_delay_t *d, int64_t sent,
    int64_t came)
{
    int64_t                  waited;
    ngx_webrtc_bwe_group_t  *g;

    g = &d->now;

    if (!g->known) {
        ngx_webrtc_bwe_delay_start(d, sent, came);
        return;
    }

    if (sent < g->first) {
        return;
    }

    if (came - g->came > NGX_WEBRTC_BWE_PAUSE
        || g->came - came > NGX_WEBRTC_BWE_PAUSE)
    {
        /* the path or the receiver's clock has changed, or we were silent */

        ngx_webrtc_bwe_delay_init(d);
        ngx_webrtc_bwe_delay_start(d, sent, came);
        return;
    }

    /* less time between arrivals than between sendings: it waited with them */

    waited = (came - g->came) - (sent - g->sent);

    if (sent - g->first <= NGX_WEBRTC_BWE_BURST
        || (waited < 0 && came - g->came <= NGX_WEBRTC_BWE_BURST
            && came - g->came >= 0))
    {
        g->sent = ngx_max(g->sent, sent);
        g->came = ngx_max(g->came, came);
        return;
    }

    if (d->before.known) {
        ngx_webrtc_bwe_delay_group(d);
    }

    d->before = *g;
    ngx_webrtc_bwe_delay_start(d, sent, came);
}


static void
ngx_webrtc_bwe_delay_start(ngx_webrtc_bwe_delay_t *d, int64_t sent,
    int64_t came)
{
    d->now.first = sent;
    d->now.sent = sent;
    d->now.came = came;
    d->now.known = 1;
}


/* the group d->now is complete */

static void
ngx_webrtc_bwe_delay_group(ngx_webrtc_bwe_delay_t *d)
{
    double      came, passed, delta;
    ngx_uint_t  i;

    passed = (d->now.sent - d->before.sent) / 1000.0;
    delta = (d->now.came - d->before.came) / 1000.0 - passed;
    came = d->now.came / 1000.0;

    if (d->n == 0) {
        d->base = came;
    }

    d->sum += delta;
    d->smooth = NGX_WEBRTC_BWE_SMOOTH * d->smooth
                + (1 - NGX_WEBRTC_BWE_SMOOTH) * d->sum;

    i = d->n % NGX_WEBRTC_BWE_DELAY_GROUPS;

    d->x[i] = came - d->base;
    d->y[i] = d->smooth;
    d->n++;

    if (d->n < NGX_WEBRTC_BWE_DELAY_GROUPS) {
        return;
    }

    ngx_webrtc_bwe_delay_detect(d, ngx_webrtc_bwe_delay_slope(d), passed,
                                d->now.came);
}


/* least squares */

static double
ngx_webrtc_bwe_delay_slope(const ngx_webrtc_bwe_delay_t *d)
{
    double      x, y, up, down;
    ngx_uint_t  i;

    x = 0;
    y = 0;

    for (i = 0; i < NGX_WEBRTC_BWE_DELAY_GROUPS; i++) {
        x += d->x[i];
        y += d->y[i];
    }

    x /= NGX_WEBRTC_BWE_DELAY_GROUPS;
    y /= NGX_WEBRTC_BWE_DELAY_GROUPS;

    up = 0;
    down = 0;

    for (i = 0; i < NGX_WEBRTC_BWE_DELAY_GROUPS; i++) {
        up += (d->x[i] - x) * (d->y[i] - y);
        down += (d->x[i] - x) * (d->x[i] - x);
    }

    return (down > 0) ? up / down : 0;
}


static void
ngx_webrtc_bwe_delay_detect(ngx_webrtc_bwe_delay_t *d, double slope,
    double passed, int64_t now)
{
    double  trend;

    trend = slope * ngx_min(d->n, NGX_WEBRTC_BWE_COUNT) * NGX_WEBRTC_BWE_GAIN;

    if (trend > d->threshold) {

        d->over = (d->over < 0) ? passed / 2 : d->over + passed;
        d->overs++;

        if (d->over > NGX_WEBRTC_BWE_OVER && d->overs > 1
            && slope >= d->trend)
        {
            d->over = 0;
            d->overs = 0;
            d->usage = NGX_WEBRTC_BWE_OVERUSE;
        }

    } else {
        d->over = -1;
        d->overs = 0;
        d->usage = (trend < -d->threshold) ? NGX_WEBRTC_BWE_UNDERUSE
                                           : NGX_WEBRTC_BWE_NORMAL;
    }

    d->trend = slope;

    ngx_webrtc_bwe_delay_adapt(d, trend, now);
}


static void
ngx_webrtc_bwe_delay_adapt(ngx_webrtc_bwe_delay_t *d, double trend,
    int64_t now)
{
    double  k, size, passed;

    if (d->updated == 0) {
        d->updated = now;
    }

    size = (trend < 0) ? -trend : trend;

    if (size <= d->threshold + NGX_WEBRTC_BWE_APART) {

        k = (size < d->threshold) ? NGX_WEBRTC_BWE_DOWN : NGX_WEBRTC_BWE_UP;

        passed = (now - d->updated) / 1000.0;
        passed = ngx_min(passed, NGX_WEBRTC_BWE_STEP);
        passed = ngx_max(passed, 0);

        d->threshold += k * (size - d->threshold) * passed;
        d->threshold = ngx_max(d->threshold, NGX_WEBRTC_BWE_LEAST);
        d->threshold = ngx_min(d->threshold, NGX_WEBRTC_BWE_MOST);
    }

    d->updated = now;
}
