
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * A publisher's bitrate: see the header file for the contracts.
 * draft-ietf-rmcat-gcc-02, 6.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_bitrate.h>


/* us */
#define NGX_WEBRTC_BITRATE_PART                                               \
    (NGX_WEBRTC_BITRATE_WINDOW / NGX_WEBRTC_BITRATE_PARTS)

/* gcc, 6: parts of 256 lost above which to go down (10 percent), below which to
 * go up (2 percent) */
#define NGX_WEBRTC_BITRATE_LOSS_DOWN  26
#define NGX_WEBRTC_BITRATE_LOSS_UP    5


void
ngx_webrtc_bitrate_init(ngx_webrtc_bitrate_t *br, uint64_t max, ngx_uint_t remb,
    ngx_uint_t adaptive)
{
    ngx_memzero(br, sizeof(ngx_webrtc_bitrate_t));

    br->max = max;
    br->remb = remb ? 1 : 0;
    br->adaptive = adaptive ? 1 : 0;
    br->estimate = max ? max : NGX_WEBRTC_BITRATE_MAX;
}


void
ngx_webrtc_bitrate_input(ngx_webrtc_bitrate_t *br, size_t n, uint64_t now_us)
{
    if (!br->started) {
        br->started = 1;
        br->start_us = now_us;
        br->window.part = now_us / NGX_WEBRTC_BITRATE_PART;
    }

    ngx_webrtc_window_add(&br->window, NGX_WEBRTC_BITRATE_PARTS,
                          now_us / NGX_WEBRTC_BITRATE_PART, n);
    br->bytes += n;
}


uint64_t
ngx_webrtc_bitrate_now(ngx_webrtc_bitrate_t *br, uint64_t now_us)
{
    uint64_t  first_us, us;

    if (!br->started) {
        return 0;
    }

    (void) ngx_webrtc_window_advance(&br->window, NGX_WEBRTC_BITRATE_PARTS,
                                     now_us / NGX_WEBRTC_BITRATE_PART);

    /*
     * Measured from the start of the oldest part, or from the first packet, but
     * over half a window at least, so that the burst of the first key frame is
     * not taken for a rate
     */

    first_us = 0;

    if (br->window.part >= NGX_WEBRTC_BITRATE_PARTS - 1) {
        first_us = (br->window.part - (NGX_WEBRTC_BITRATE_PARTS - 1))
                   * NGX_WEBRTC_BITRATE_PART;
    }

    first_us = ngx_max(first_us, br->start_us);

    us = (now_us > first_us) ? now_us - first_us : 0;
    us = ngx_max(us, NGX_WEBRTC_BITRATE_WINDOW / 2);

    return br->window.sum * 8 * 1000000 / us;
}


void
ngx_webrtc_bitrate_loss(ngx_webrtc_bitrate_t *br, ngx_uint_t fraction,
    uint64_t now_us)
{
    uint64_t  max, rate;

    if (!br->adaptive || !br->started) {
        return;
    }

    max = br->max ? br->max : NGX_WEBRTC_BITRATE_MAX;

    if (fraction > NGX_WEBRTC_BITRATE_LOSS_DOWN) {

        /* from what was sent (received plus lost), not from an estimate that
           is not used */

        rate = ngx_webrtc_bitrate_now(br, now_us);
        rate = ngx_min(rate, br->estimate);

        br->estimate = rate * (512 - ngx_min(fraction, 255)) / 512;

    } else if (fraction < NGX_WEBRTC_BITRATE_LOSS_UP) {
        br->estimate = br->estimate * 108 / 100 + 1000;
    }

    br->estimate = ngx_max(br->estimate, NGX_WEBRTC_BITRATE_MIN);
    br->estimate = ngx_min(br->estimate, max);
}


ngx_int_t
ngx_webrtc_bitrate_check(ngx_webrtc_bitrate_t *br, uint64_t now_us)
{
    uint64_t  rate;

    if (br->max == 0) {
        return NGX_OK;
    }

    rate = ngx_webrtc_bitrate_now(br, now_us);

    if (rate <= br->max + br->max / 100 * NGX_WEBRTC_BITRATE_SLACK) {
        br->over_us = 0;
        return NGX_OK;
    }

    if (br->over_us == 0) {
        br->over_us = now_us;
    }

    return (now_us - br->over_us >= NGX_WEBRTC_BITRATE_GRACE) ? NGX_DECLINED
                                                           : NGX_AGAIN;
}


void
ngx_webrtc_bitrate_cut(ngx_webrtc_bitrate_t *br, uint64_t rate)
{
    if (rate) {
        br->free = 0;

    } else if (br->cut && !br->adaptive) {

        /* at once */

        br->told = 0;
        br->free = NGX_WEBRTC_BITRATE_FREE;
    }

    br->cut = rate;
}


uint64_t
ngx_webrtc_bitrate_remb(ngx_webrtc_bitrate_t *br, uint64_t now_us)
{
    uint64_t  value;

    if (!br->remb
        || (br->max == 0 && !br->adaptive && br->cut == 0 && br->free == 0))
    {
        return 0;
    }

    value = br->adaptive ? br->estimate
            : br->max ? br->max : NGX_WEBRTC_BITRATE_MAX;

    if (br->cut) {
        value = ngx_min(value, br->cut);
    }

    if (br->told != 0
        && now_us - br->told_us < NGX_WEBRTC_BITRATE_REMB
        && value >= br->told - br->told * 3 / 100)
    {
        return 0;
    }

    br->told = value;
    br->told_us = now_us;

    /* while nothing comes, nothing is heard */

    br->free -= (br->free > 0 && br->bytes != br->told_bytes);
    br->told_bytes = br->bytes;

    return value;
}
