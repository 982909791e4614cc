
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Has a path become too narrow for what is sent to us?  See the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_overuse.h>


/* percent of the rate that is known: if the next measurement, which has to end
 * within so many us, is less than that, it is the right one.  Chosen: the first
 * one may have had a part of what came before; the later ones have what a
 * sender does that has been told */
#define NGX_WEBRTC_OVERUSE_AGAIN   80
#define NGX_WEBRTC_OVERUSE_SECOND  (2 * NGX_WEBRTC_OVERUSE_MEASURE)


static void ngx_webrtc_overuse_queue(ngx_webrtc_overuse_t *o,
    uint64_t queue_us, uint64_t now_us);
static ngx_int_t ngx_webrtc_overuse_measured(ngx_webrtc_overuse_t *o,
    uint64_t comes, uint64_t now_us);


ngx_int_t
ngx_webrtc_overuse_input(ngx_webrtc_overuse_t *o, ngx_webrtc_bitrate_t *br,
    size_t n, uint64_t queue_us, uint64_t now_us)
{
    uint64_t    us, comes;
    ngx_uint_t  begins, known;

    begins = (now_us - o->last_us >= NGX_WEBRTC_OVERUSE_PAUSE);
    known = (queue_us != NGX_WEBRTC_NACK_UNKNOWN);

    o->last_us = now_us;

    if (known) {
        ngx_webrtc_overuse_queue(o, queue_us, now_us);

        if (queue_us < NGX_WEBRTC_OVERUSE_CLEAR) {
            return NGX_DONE;
        }
    }

    if (o->queued_us == 0) {

        if (!known) {
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

    if (us < NGX_WEBRTC_OVERUSE_MEASURE || !known
        || queue_us < NGX_WEBRTC_OVERUSE_QUEUE)
    {
        return NGX_DONE;
    }

    comes = o->bytes * 8 * 1000000 / us;

    o->since_us = now_us;
    o->bytes = 0;

    if (o->stepped) {
        return NGX_DONE;
    }

    return ngx_webrtc_overuse_measured(o, comes, now_us);
}


/* a packet of which it is known how long it waited */

static void
ngx_webrtc_overuse_queue(ngx_webrtc_overuse_t *o, uint64_t queue_us,
    uint64_t now_us)
{
    if (queue_us < NGX_WEBRTC_OVERUSE_CLEAR) {
        o->queued_us = 0;
        o->stepped = 0;

        if (o->rate && o->clear_us == 0) {
            o->clear_us = now_us;
        }

    } else if (o->seen_us
               && queue_us > o->queue_us + (now_us - o->seen_us)
                             + NGX_WEBRTC_OVERUSE_STEP)
    {
        o->stepped = 1;
    }

    o->seen_us = now_us;
    o->queue_us = queue_us;
}


/* comes: bits per second, of a path that is full */

static ngx_int_t
ngx_webrtc_overuse_measured(ngx_webrtc_overuse_t *o, uint64_t comes,
    uint64_t now_us)
{
    uint64_t  before;

    if (ngx_webrtc_overuse_drains(o, now_us)) {

        if (o->again || now_us - o->found_us > NGX_WEBRTC_OVERUSE_SECOND
            || comes > o->rate * NGX_WEBRTC_OVERUSE_AGAIN / 100)
        {
            return NGX_DONE;
        }

        o->again = 1;

    } else {

        /* one that becomes still narrower is so by what was told before */

        before = (o->rate && o->rate < o->before) ? o->rate : o->before;
        before = before * NGX_WEBRTC_OVERUSE_LESS / 100;

        if ((o->rate && o->queued_us < o->clear_us)
            || now_us - o->queued_us > NGX_WEBRTC_OVERUSE_SUDDEN
            || comes > before || before < NGX_WEBRTC_BITRATE_MIN)
        {
            return NGX_DONE;
        }

        o->found_us = now_us;
        o->clear_us = 0;
        o->again = 0;
    }

    o->rate = ngx_max(comes, NGX_WEBRTC_BITRATE_MIN);

    return NGX_OK;
}


uint64_t
ngx_webrtc_overuse_limit(ngx_webrtc_overuse_t *o, uint64_t now_us)
{
    uint64_t  percent;

    if (o->rate == 0) {
        return 0;
    }

    percent = NGX_WEBRTC_OVERUSE_DRAIN;

    if (!ngx_webrtc_overuse_drains(o, now_us)) {
        percent = NGX_WEBRTC_OVERUSE_HOLD;

        if (o->clear_us == 0) {
            o->clear_us = now_us;
        }

        if (now_us - o->clear_us >= NGX_WEBRTC_OVERUSE_HOLDS) {
            o->rate = 0;
            o->queued_us = 0;

            return 0;
        }
    }

    return ngx_max(o->rate * percent / 100, NGX_WEBRTC_BITRATE_MIN);
}


ngx_uint_t
ngx_webrtc_overuse_drains(const ngx_webrtc_overuse_t *o, uint64_t now_us)
{
    return o->rate && o->clear_us == 0
           && now_us - o->found_us < NGX_WEBRTC_OVERUSE_DRAINS;
}
