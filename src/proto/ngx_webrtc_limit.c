
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * A publisher's bitrate: see the header file for the contracts.
 * draft-ietf-rmcat-gcc-02, 6.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_limit.h>


/* us */
#define NGX_WEBRTC_LIMIT_PART                                                 \
    (NGX_WEBRTC_LIMIT_WINDOW / NGX_WEBRTC_LIMIT_PARTS)

/* gcc, 6: parts of 256 lost above which to go down (10 percent), below which to
 * go up (2 percent) */
#define NGX_WEBRTC_LIMIT_LOSS_DOWN  26
#define NGX_WEBRTC_LIMIT_LOSS_UP    5


static void ngx_webrtc_limit_advance(ngx_webrtc_limit_t *l, uint64_t now_us);


void
ngx_webrtc_limit_init(ngx_webrtc_limit_t *l, uint64_t max, ngx_uint_t remb,
    ngx_uint_t adaptive)
{
    ngx_memzero(l, sizeof(ngx_webrtc_limit_t));

    l->max = max;
    l->remb = remb ? 1 : 0;
    l->adaptive = adaptive ? 1 : 0;
    l->estimate = max ? max : NGX_WEBRTC_LIMIT_MAX;
}


void
ngx_webrtc_limit_input(ngx_webrtc_limit_t *l, size_t n, uint64_t now_us)
{
    uint64_t  part;

    part = now_us / NGX_WEBRTC_LIMIT_PART;

    if (!l->started || part + NGX_WEBRTC_LIMIT_PARTS < l->part) {
        /* or the clock was put back, and would not leave parts behind */
        l->started = 1;
        l->start_us = now_us;
        l->part = part;
        l->sum = 0;

        ngx_memzero(l->parts, sizeof(l->parts));
    }

    ngx_webrtc_limit_advance(l, now_us);

    l->parts[l->part % NGX_WEBRTC_LIMIT_PARTS] += (uint32_t) n;
    l->sum += n;
    l->bytes += n;
}


uint64_t
ngx_webrtc_limit_bitrate(ngx_webrtc_limit_t *l, uint64_t now_us)
{
    uint64_t  first_us, us;

    if (!l->started) {
        return 0;
    }

    ngx_webrtc_limit_advance(l, now_us);

    /*
     * From the begin of the oldest part, or from the first packet on.  Never
     * over less than half a window, so that the burst of the first key frame is
     * not taken for a rate
     */

    first_us = 0;

    if (l->part >= NGX_WEBRTC_LIMIT_PARTS - 1) {
        first_us = (l->part - (NGX_WEBRTC_LIMIT_PARTS - 1))
                   * NGX_WEBRTC_LIMIT_PART;
    }

    first_us = ngx_max(first_us, l->start_us);

    us = (now_us > first_us) ? now_us - first_us : 0;
    us = ngx_max(us, NGX_WEBRTC_LIMIT_WINDOW / 2);

    return l->sum * 8 * 1000000 / us;
}


void
ngx_webrtc_limit_loss(ngx_webrtc_limit_t *l, ngx_uint_t fraction,
    uint64_t now_us)
{
    uint64_t  max, rate;

    if (!l->adaptive || !l->started) {
        return;
    }

    max = l->max ? l->max : NGX_WEBRTC_LIMIT_MAX;

    if (fraction > NGX_WEBRTC_LIMIT_LOSS_DOWN) {

        /* from what arrives plus what was lost of it, not from an estimate
           that nobody uses */

        rate = ngx_webrtc_limit_bitrate(l, now_us);
        rate = ngx_min(rate, l->estimate);

        l->estimate = rate * (512 - ngx_min(fraction, 255)) / 512;

    } else if (fraction < NGX_WEBRTC_LIMIT_LOSS_UP) {
        l->estimate = l->estimate * 108 / 100 + 1000;
    }

    l->estimate = ngx_max(l->estimate, NGX_WEBRTC_LIMIT_MIN);
    l->estimate = ngx_min(l->estimate, max);
}


ngx_int_t
ngx_webrtc_limit_check(ngx_webrtc_limit_t *l, uint64_t now_us)
{
    uint64_t  rate;

    if (l->max == 0) {
        return NGX_OK;
    }

    rate = ngx_webrtc_limit_bitrate(l, now_us);

    if (rate <= l->max + l->max / 100 * NGX_WEBRTC_LIMIT_SLACK) {
        l->over_us = 0;
        return NGX_OK;
    }

    if (l->over_us == 0 || l->over_us > now_us) {
        /* or the clock was put back */
        l->over_us = now_us;
    }

    return (now_us - l->over_us >= NGX_WEBRTC_LIMIT_GRACE) ? NGX_DECLINED
                                                           : NGX_AGAIN;
}


uint64_t
ngx_webrtc_limit_remb(ngx_webrtc_limit_t *l, uint64_t now_us)
{
    uint64_t  value;

    if (!l->remb || (l->max == 0 && !l->adaptive)) {
        return 0;
    }

    value = l->adaptive ? l->estimate : l->max;

    if (l->told != 0
        && now_us - l->told_us < NGX_WEBRTC_LIMIT_REMB
        && value >= l->told - l->told * 3 / 100)
    {
        return 0;
    }

    l->told = value;
    l->told_us = now_us;

    return value;
}


/* drops the parts that the window has left behind */

static void
ngx_webrtc_limit_advance(ngx_webrtc_limit_t *l, uint64_t now_us)
{
    uint64_t     part;
    ngx_uint_t   i;
    uint32_t    *bytes;

    part = now_us / NGX_WEBRTC_LIMIT_PART;

    for (i = 0; i < NGX_WEBRTC_LIMIT_PARTS && l->part < part; i++) {
        l->part++;

        bytes = &l->parts[l->part % NGX_WEBRTC_LIMIT_PARTS];

        l->sum -= *bytes;
        *bytes = 0;
    }

    l->part = ngx_max(l->part, part);
}
