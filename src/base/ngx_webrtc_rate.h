
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How fast a counter grows: the mean over its last samples, taken once a second
 * or so.  Pure arithmetic, time is passed in.
 */


#ifndef _NGX_WEBRTC_RATE_H_INCLUDED_
#define _NGX_WEBRTC_RATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* samples, one more than intervals; chosen: 5 s smooth out the size of key
 * frames, and show a change soon */
#define NGX_WEBRTC_RATE_SAMPLES  6


/* all zero: no sample so far */
typedef struct {
    uint64_t                 n;               /* samples ever */
    uint64_t                 v[NGX_WEBRTC_RATE_SAMPLES];
    uint64_t                 ms[NGX_WEBRTC_RATE_SAMPLES];
} ngx_webrtc_rate_t;


/* Takes a sample: v, which never goes down, at the monotonic time ms. */
static ngx_inline void
ngx_webrtc_rate_add(ngx_webrtc_rate_t *rate, uint64_t v, uint64_t ms)
{
    rate->v[rate->n % NGX_WEBRTC_RATE_SAMPLES] = v;
    rate->ms[rate->n % NGX_WEBRTC_RATE_SAMPLES] = ms;
    rate->n++;
}


/*
 * The newest and the oldest sample kept.
 *
 * NGX_OK        *v is how much the counter has grown, *ms the time it took, not
 *               0
 * NGX_DECLINED  there are not two samples of different times
 */
static ngx_inline ngx_int_t
ngx_webrtc_rate_span(const ngx_webrtc_rate_t *rate, uint64_t *v, uint64_t *ms)
{
    ngx_uint_t  first, last;

    if (rate->n < 2) {
        return NGX_DECLINED;
    }

    last = (rate->n - 1) % NGX_WEBRTC_RATE_SAMPLES;
    first = (rate->n < NGX_WEBRTC_RATE_SAMPLES)
            ? 0 : rate->n % NGX_WEBRTC_RATE_SAMPLES;

    *v = rate->v[last] - rate->v[first];
    *ms = rate->ms[last] - rate->ms[first];

    return *ms ? NGX_OK : NGX_DECLINED;
}


/* What the counter has grown per second, times scale; 0: not known yet. */
static ngx_inline uint64_t
ngx_webrtc_rate_second(const ngx_webrtc_rate_t *rate, ngx_uint_t scale)
{
    uint64_t  v, ms;

    if (ngx_webrtc_rate_span(rate, &v, &ms) != NGX_OK) {
        return 0;
    }

    return v * scale * 1000 / ms;
}


/*
 * The same over the last two intervals only; 0: not known yet.
 */
static ngx_inline uint64_t
ngx_webrtc_rate_lately(const ngx_webrtc_rate_t *rate, ngx_uint_t scale)
{
    uint64_t    ms;
    ngx_uint_t  first, last;

    if (rate->n < 3) {
        return 0;
    }

    last = (rate->n - 1) % NGX_WEBRTC_RATE_SAMPLES;
    first = (rate->n - 3) % NGX_WEBRTC_RATE_SAMPLES;

    ms = rate->ms[last] - rate->ms[first];

    return ms ? (rate->v[last] - rate->v[first]) * scale * 1000 / ms : 0;
}


#endif /* _NGX_WEBRTC_RATE_H_INCLUDED_ */
