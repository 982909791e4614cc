
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Transport-wide feedback of a receiver: see the header file for the
 * contracts.  draft-holmer-rmcat-transport-wide-cc-extensions-01.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_seq.h>
#include <ngx_webrtc_rtcp_fb.h>
#include <ngx_webrtc_twcc.h>


#define ngx_webrtc_twcc_arrival(tw, seq)                                      \
    ((tw)->arrivals[(seq) & (NGX_WEBRTC_TWCC_WINDOW - 1)])


static void ngx_webrtc_twcc_start(ngx_webrtc_twcc_t *tw, uint64_t seq);


void
ngx_webrtc_twcc_init(ngx_webrtc_twcc_t *tw, uint32_t sender)
{
    ngx_memzero(tw, sizeof(ngx_webrtc_twcc_t));

    tw->sender = sender;
}


void
ngx_webrtc_twcc_input(ngx_webrtc_twcc_t *tw, uint16_t number, uint32_t ssrc,
    uint64_t now_us)
{
    uint64_t  seq, lost;

    if (!tw->started) {
        tw->started = 1;
        tw->told_us = now_us;

        ngx_webrtc_twcc_start(tw, (uint64_t) 0x10000 + number);
    }

    seq = ngx_webrtc_seq_unwrap16(tw->highest, number);

    if (seq > tw->highest) {

        if (seq - tw->highest >= NGX_WEBRTC_TWCC_WINDOW) {
            ngx_webrtc_twcc_start(tw, seq);
        }

        for (lost = tw->highest + 1; lost < seq; lost++) {
            ngx_webrtc_twcc_arrival(tw, lost) = NGX_WEBRTC_TWCC_LOST;
        }

        ngx_webrtc_twcc_arrival(tw, seq) = NGX_WEBRTC_TWCC_LOST;

        tw->highest = seq;

        if (tw->highest - tw->first >= NGX_WEBRTC_TWCC_WINDOW) {
            tw->first = tw->highest - NGX_WEBRTC_TWCC_WINDOW + 1;
        }

    } else if (tw->highest - seq >= NGX_WEBRTC_TWCC_WINDOW) {
        return;
    }

    if (ngx_webrtc_twcc_arrival(tw, seq) != NGX_WEBRTC_TWCC_LOST) {
        return;
    }

    ngx_webrtc_twcc_arrival(tw, seq) = (int64_t) now_us;

    if (seq < tw->first) {
        tw->first = seq;
    }

    tw->media = ssrc;
    tw->waiting++;
    tw->received++;
}


uint64_t
ngx_webrtc_twcc_deadline(const ngx_webrtc_twcc_t *tw)
{
    if (tw->waiting == 0) {
        return 0;
    }

    if (tw->highest - tw->first >= NGX_WEBRTC_TWCC_WINDOW / 2) {
        return 1;
    }

    return tw->told_us + (tw->waiting >= NGX_WEBRTC_TWCC_MANY
                          ? NGX_WEBRTC_TWCC_FAST : NGX_WEBRTC_TWCC_SLOW);
}


u_char *
ngx_webrtc_twcc_write(ngx_webrtc_twcc_t *tw, u_char *p, u_char *end,
    uint64_t now_us)
{
    u_char      *last;
    int64_t      arrivals[NGX_WEBRTC_TWCC_WINDOW];
    uint64_t     seq;
    ngx_uint_t   i, n, written;

    if (tw->waiting == 0
        || now_us < ngx_webrtc_twcc_deadline(tw)
        || (size_t) (end - p) < NGX_WEBRTC_TWCC_MIN)
    {
        return p;
    }

    if ((size_t) (end - p) > NGX_WEBRTC_TWCC_SIZE) {
        end = p + NGX_WEBRTC_TWCC_SIZE;
    }

    n = tw->highest - tw->first + 1;

    for (i = 0; i < n; i++) {
        arrivals[i] = ngx_webrtc_twcc_arrival(tw, tw->first + i);
    }

    /* the newest of them came, so there is something to write */

    last = ngx_webrtc_rtcp_fb_write_twcc(p, end, tw->sender, tw->media,
                                         (uint16_t) tw->first, tw->feedback,
                                         arrivals, n, &written);
    if (last == NULL) {
        return p;
    }

    for (i = 0; i < written; i++) {
        seq = tw->first + i;

        if (seq >= tw->told) {
            tw->told = seq + 1;
            tw->lost += (arrivals[i] == NGX_WEBRTC_TWCC_LOST);
        }
    }

    tw->first += written;
    tw->feedback++;
    tw->reports++;

    if (tw->first > tw->highest) {
        tw->waiting = 0;
        tw->told_us = now_us;
    }

    return last;
}


/* makes seq the first one known */

static void
ngx_webrtc_twcc_start(ngx_webrtc_twcc_t *tw, uint64_t seq)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_TWCC_WINDOW; i++) {
        tw->arrivals[i] = NGX_WEBRTC_TWCC_LOST;
    }

    tw->first = seq;
    tw->highest = seq;
    tw->waiting = 0;
}
