
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * The limit of a layer: see the header file for the rules.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_limit.h>


/* us */
#define NGX_WEBRTC_LIMIT_PART                                                 \
    (NGX_WEBRTC_LIMIT_WINDOW / NGX_WEBRTC_LIMIT_PARTS)


#define ngx_webrtc_limit_newest(l)                                            \
    (&(l)->parts[(l)->part % (NGX_WEBRTC_LIMIT_PARTS + 1)])


static void ngx_webrtc_limit_advance(ngx_webrtc_limit_t *l, uint64_t now_us);
static void ngx_webrtc_limit_leave(ngx_webrtc_limit_t *l, uint64_t now_us);


void
ngx_webrtc_limit_init(ngx_webrtc_limit_t *l, uint64_t max)
{
    ngx_memzero(l, sizeof(ngx_webrtc_limit_t));

    l->max = max;
    l->stays_us = NGX_WEBRTC_LIMIT_OUT;
}


void
ngx_webrtc_limit_input(ngx_webrtc_limit_t *l, size_t n, uint64_t now_us)
{
    if (l->max == 0) {
        return;
    }

    if (l->first == 0) {
        l->first = now_us / NGX_WEBRTC_LIMIT_PART;
        l->part = l->first;
    }

    ngx_webrtc_limit_advance(l, now_us);

    *ngx_webrtc_limit_newest(l) += (uint32_t) n;
    l->sum += n;
}


uint64_t
ngx_webrtc_limit_rate(ngx_webrtc_limit_t *l, uint64_t now_us)
{
    if (l->first == 0) {
        return 0;
    }

    ngx_webrtc_limit_advance(l, now_us);

    if (l->part - l->first <= NGX_WEBRTC_LIMIT_PARTS) {
        return 0;
    }

    return (l->sum - *ngx_webrtc_limit_newest(l)) * 8 * 1000000
           / NGX_WEBRTC_LIMIT_WINDOW;
}


ngx_webrtc_limit_e
ngx_webrtc_limit(ngx_webrtc_limit_t *l, ngx_uint_t only, uint64_t now_us)
{
    uint64_t  rate;

    if (l->max == 0) {
        return NGX_WEBRTC_LIMIT_IN;
    }

    rate = ngx_webrtc_limit_rate(l, now_us);

    if (only && l->out) {
        l->out = 0;
        l->changed_us = now_us;
    }

    if (l->out) {

        if (now_us - l->changed_us < l->stays_us
            || rate > l->max / 100 * NGX_WEBRTC_LIMIT_WITHIN)
        {
            return NGX_WEBRTC_LIMIT_OUT_OF;
        }

        l->out = 0;
        l->changed_us = now_us;
    }

    if (rate <= l->max / 100 * NGX_WEBRTC_LIMIT_ABOVE) {
        l->above_us = 0;
        return NGX_WEBRTC_LIMIT_IN;
    }

    if (!only) {
        ngx_webrtc_limit_leave(l, now_us);
        return NGX_WEBRTC_LIMIT_OUT_OF;
    }

    if (l->above_us == 0) {
        l->above_us = now_us;
    }

    return (now_us - l->above_us >= NGX_WEBRTC_LIMIT_GRACE)
           ? NGX_WEBRTC_LIMIT_END : NGX_WEBRTC_LIMIT_IN;
}


static void
ngx_webrtc_limit_leave(ngx_webrtc_limit_t *l, uint64_t now_us)
{
    if (l->changed_us == 0
        || now_us - l->changed_us >= NGX_WEBRTC_LIMIT_OUT_MOST)
    {
        l->stays_us = NGX_WEBRTC_LIMIT_OUT;

    } else {
        l->stays_us = ngx_min(2 * l->stays_us, NGX_WEBRTC_LIMIT_OUT_MOST);
    }

    l->out = 1;
    l->changed_us = now_us;
    l->above_us = 0;
}


/* drops the parts that have left the window */

static void
ngx_webrtc_limit_advance(ngx_webrtc_limit_t *l, uint64_t now_us)
{
    uint64_t     part;
    ngx_uint_t   i;
    uint32_t    *bytes;

    part = now_us / NGX_WEBRTC_LIMIT_PART;

    for (i = 0; i <= NGX_WEBRTC_LIMIT_PARTS && l->part < part; i++) {
        l->part++;

        bytes = ngx_webrtc_limit_newest(l);

        l->sum -= *bytes;
        *bytes = 0;
    }

    l->part = ngx_max(l->part, part);
}
