
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Has a path become too narrow for what is sent to us?  See the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_overuse.h>


/* percent of the rate that is known: what comes and is less replaces it.
 * Chosen: the first measurement may have had a part of what came before */
#define NGX_WEBRTC_OVERUSE_AGAIN  90


static void ngx_webrtc_overuse_clear(ngx_webrtc_overuse_t *o, uint64_t now_us);
static ngx_int_t ngx_webrtc_overuse_measured(ngx_webrtc_overuse_t *o,
    uint64_t comes, uint64_t now_us);


ngx_int_t
ngx_webrtc_overuse_input(ngx_webrtc_overuse_t *o, ngx_webrtc_bitrate_t *br,
    size_t n, uint64_t queue_us, uint64_t now_us)
{
    uint64_t    us, comes;
    ngx_uint_t  begins;

    begins = (now_us - o->last_us >= NGX_WEBRTC_OVERUSE_PAUSE);
    o->last_us = now_us;

    if (queue_us < NGX_WEBRTC_OVERUSE_CLEAR) {
        ngx_webrtc_overuse_clear(o, now_us);
        return NGX_DONE;
    }

    if (o->queued_us == 0) {

        if (queue_us == NGX_WEBRTC_OVERUSE_UNKNOWN) {
            return NGX_DONE;
        }

        o->queued_us = now_us;
        o->before = ngx_webrtc_bitrate_now(br, now_us);
        begins = 1;
    }

    if (begins) {
        o->since_us = now_us;
        o->bytes = 0;

        return NGX_DONE;
    }

    o->bytes += n;
    us = now_us - o->since_us;

    if (us < NGX_WEBRTC_OVERUSE_MEASURE
        || queue_us == NGX_WEBRTC_OVERUSE_UNKNOWN
        || queue_us < NGX_WEBRTC_OVERUSE_QUEUE)
    {
        return NGX_DONE;
    }

    comes = o->bytes * 8 * 1000000 / us;

    o->since_us = now_us;
    o->bytes = 0;

    return ngx_webrtc_overuse_measured(o, comes, now_us);
}


static void
ngx_webrtc_overuse_clear(ngx_webrtc_overuse_t *o, uint64_t now_us)
{
    o->queued_us = 0;

    if (o->rate && o->clear_us == 0) {
        o->clear_us = now_us;
    }
}


/* comes: bits per second, of a path that is full */

static ngx_int_t
ngx_webrtc_overuse_measured(ngx_webrtc_overuse_t *o, uint64_t comes,
    uint64_t now_us)
{
    if (o->rate) {

        if (!ngx_webrtc_overuse_drains(o, now_us)
            || comes > o->rate * NGX_WEBRTC_OVERUSE_AGAIN / 100)
        {
            return NGX_DONE;
        }

    } else {

        if (now_us - o->queued_us > NGX_WEBRTC_OVERUSE_SUDDEN
            || comes > o->before * NGX_WEBRTC_OVERUSE_LESS / 100)
        {
            return NGX_DONE;
        }

        o->found_us = now_us;
        o->clear_us = 0;
    }

    o->rate = ngx_max(comes, NGX_WEBRTC_BITRATE_MIN);

    return NGX_OK;
}


uint64_t
ngx_webrtc_overuse_limit(ngx_webrtc_overuse_t *o, uint64_t now_us)
{
    if (o->rate == 0) {
        return 0;
    }

    if (ngx_webrtc_overuse_drains(o, now_us)) {
        return o->rate * NGX_WEBRTC_OVERUSE_DRAIN / 100;
    }

    if (o->clear_us == 0) {
        o->clear_us = now_us;
    }

    if (now_us - o->clear_us < NGX_WEBRTC_OVERUSE_HOLDS) {
        return o->rate * NGX_WEBRTC_OVERUSE_HOLD / 100;
    }

    o->rate = 0;

    return 0;
}


ngx_uint_t
ngx_webrtc_overuse_drains(const ngx_webrtc_overuse_t *o, uint64_t now_us)
{
    return o->rate && o->clear_us == 0
           && now_us - o->found_us < NGX_WEBRTC_OVERUSE_DRAINS;
}
