
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Is a path too narrow?  See the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_narrow.h>


/* percent that are lost beside a queue that has grown, and without: what loses
 * more than others may cause (ngx_webrtc_bwe_rate.c: 15) is full.  Chosen */
#define NGX_WEBRTC_NARROW_QUEUED   5
#define NGX_WEBRTC_NARROW_LOST     15

/* standard deviations by which it has to be more; chosen: once in 40 seconds by
 * chance at that very loss, and never with 10 % */
#define NGX_WEBRTC_NARROW_CHANCE   2

/* us that a round trip takes longer with a queue, at least; chosen: more than a
 * radio's retransmissions, half of what queues hold */
#define NGX_WEBRTC_NARROW_QUEUE    100000

/* ms of a second: receivers vary what is between two reports; packets in it, at
 * least; and that a report is about at most: of more it is made up.  Chosen */
#define NGX_WEBRTC_NARROW_MS       800
#define NGX_WEBRTC_NARROW_FEW      20
#define NGX_WEBRTC_NARROW_MANY     10000

/* part of what a round trip has grown by that is taken for the path's own, with
 * each report; chosen: another path is known after a minute or two */
#define NGX_WEBRTC_NARROW_FOLLOW   64


static ngx_uint_t ngx_webrtc_narrow_above(ngx_uint_t fraction,
    ngx_uint_t percent, ngx_uint_t packets);
static void ngx_webrtc_narrow_queued(ngx_webrtc_narrow_t *n, uint32_t rtt_us);


ngx_uint_t
ngx_webrtc_narrow(ngx_webrtc_narrow_t *n, ngx_uint_t fraction,
    uint32_t highest, uint32_t rtt_us, uint64_t now_ms)
{
    uint32_t    packets;
    ngx_uint_t  full;

    packets = highest - n->highest;
    n->highest = highest;

    ngx_webrtc_narrow_queued(n, rtt_us);

    if (!n->reported || packets > NGX_WEBRTC_NARROW_MANY) {
        n->reported = 1;
        n->since_ms = now_ms;
        n->packets = 0;
        n->lost = 0;
        return 0;
    }

    fraction = ngx_min(fraction, 255);

    n->packets += packets;
    n->lost += (uint32_t) fraction * packets;

    if (n->packets > NGX_WEBRTC_NARROW_MANY) {
        n->lost = (uint32_t) ((uint64_t) n->lost * NGX_WEBRTC_NARROW_MANY
                              / n->packets);
        n->packets = NGX_WEBRTC_NARROW_MANY;
    }

    if (now_ms - n->since_ms < NGX_WEBRTC_NARROW_MS
        || n->packets < NGX_WEBRTC_NARROW_FEW)
    {
        return 0;
    }

    n->fraction = (uint16_t) (n->lost / n->packets);

    full = ngx_webrtc_narrow_above(n->fraction, NGX_WEBRTC_NARROW_LOST,
                                   n->packets)
           || (n->queued
               && n->fraction * 100 >= NGX_WEBRTC_NARROW_QUEUED * 256);

    n->bad = (uint8_t) (full ? ngx_min(n->bad + 1, NGX_WEBRTC_NARROW_SURE) : 0);

    n->since_ms = now_ms;
    n->packets = 0;
    n->lost = 0;

    return n->bad;
}


/* by more than chance; the variance of n packets is f (1 - f) / n */

static ngx_uint_t
ngx_webrtc_narrow_above(ngx_uint_t fraction, ngx_uint_t percent,
    ngx_uint_t packets)
{
    uint64_t  above, limit;

    limit = percent * 256 / 100;

    if (fraction <= limit) {
        return 0;
    }

    above = fraction - limit;

    return above * above * packets
           > (uint64_t) NGX_WEBRTC_NARROW_CHANCE * NGX_WEBRTC_NARROW_CHANCE
             * fraction * (256 - fraction);
}


/* Has a round trip grown by a queue? */

static void
ngx_webrtc_narrow_queued(ngx_webrtc_narrow_t *n, uint32_t rtt_us)
{
    if (rtt_us == 0) {
        return;
    }

    if (n->least_us == 0 || rtt_us < n->least_us) {
        n->least_us = rtt_us;
    }

    n->least_us += (rtt_us - n->least_us) / NGX_WEBRTC_NARROW_FOLLOW;
    n->queued = (rtt_us - n->least_us >= NGX_WEBRTC_NARROW_QUEUE);
}
