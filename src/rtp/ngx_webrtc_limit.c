
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
        l->window.part = l->first;
    }

    ngx_webrtc_window_add(&l->window, NGX_WEBRTC_LIMIT_PARTS + 1,
                          now_us / NGX_WEBRTC_LIMIT_PART, n);
}


uint64_t
ngx_webrtc_limit_rate(ngx_webrtc_limit_t *l, uint64_t now_us)
{
    uint32_t  newest;

    if (l->first == 0) {
        return 0;
    }

    newest = *ngx_webrtc_window_advance(&l->window, NGX_WEBRTC_LIMIT_PARTS + 1,
                                        now_us / NGX_WEBRTC_LIMIT_PART);

    if (l->window.part - l->first <= NGX_WEBRTC_LIMIT_PARTS) {
        return 0;
    }

    return (l->window.sum - newest) * 8 * 1000000
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
