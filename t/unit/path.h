
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A path in virtual time: a bottleneck with a queue, delay, jitter and loss,
 * and the feedback of our own receiver.  For one test that includes it.
 */


#ifndef _PATH_H_INCLUDED_
#define _PATH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>
#include <string.h>

#include <ngx_webrtc_bwe.h>
#include <ngx_webrtc_rtcp.h>
#include <ngx_webrtc_rtcp_fb.h>
#include <ngx_webrtc_twcc.h>

#include "tap.h"


#define PACKET    1200
#define SECOND    1000000ULL
#define INFLIGHT  4096


/*
 *   rate     bits per second, 0: as before
 *   queue    ms of it
 *   delay    ms, one way
 *   jitter   ms, in one direction
 *   loss     percent, at random
 *   app      bits per second that are there to be sent; 0: as many as the
 *            estimate allows
 */
typedef struct {
    ngx_uint_t          from;      /* s */
    uint32_t            rate;
    ngx_uint_t          queue;
    ngx_uint_t          delay;
    ngx_uint_t          jitter;
    ngx_uint_t          loss;
    uint32_t            app;
    uint32_t            probe;     /* once a second, to this rate */
} leg_t;


/* of each second */
typedef struct {
    uint32_t            estimate;  /* at its end */
    uint32_t            arrived;
    uint32_t            delay;     /* ms in the queue, greatest */
} second_t;


typedef struct {
    uint64_t            at;
    uint16_t            seq;
} packet_t;


static ngx_webrtc_bwe_t   bwe;
static ngx_webrtc_twcc_t  receiver;
static second_t           seconds[120];

static packet_t           flight[INFLIGHT];
static ngx_uint_t         nflight;

static struct {
    u_char              data[1200];
    size_t              len;
    uint64_t            at;
} back[64];
static ngx_uint_t         nback;

static uint64_t           free_us;      /* the bottleneck, from then on */
static uint32_t           lcg;

/* us for which packets wait now and then, to come together: a radio, or a busy
 * machine; 0: they do not */
static uint64_t           path_stall;

#define STALLS    400000


static uint32_t
chance(uint32_t n)
{
    lcg = lcg * 1664525 + 1013904223;

    return (lcg >> 8) % n;
}


/* Returns when it arrives; 0: it is lost. */

static uint64_t
path_send_size(const leg_t *leg, uint32_t size, uint64_t now)
{
    uint16_t   seq;
    uint64_t   wait, at, from;
    second_t  *s;

    seq = ngx_webrtc_bwe_sent(&bwe, size, now);

    wait = free_us > now ? free_us - now : 0;

    s = &seconds[now / SECOND];
    s->delay = ngx_max(s->delay, wait / 1000);

    if (wait > leg->queue * 1000) {
        return 0;
    }

    free_us = now + wait + (uint64_t) size * 8 * SECOND / leg->rate;

    if (chance(100) < leg->loss || nflight == INFLIGHT) {
        return 0;
    }

    at = free_us + leg->delay * 1000
         + (leg->jitter ? chance(leg->jitter * 1000) : 0);

    if (path_stall) {
        from = (at / STALLS * 2654435761ULL >> 7) % (STALLS - path_stall);

        if (at % STALLS >= from && at % STALLS < from + path_stall) {
            at = at / STALLS * STALLS + from + path_stall;
        }
    }

    s->arrived += size * 8;

    flight[nflight].at = at;
    flight[nflight++].seq = seq;

    return at;
}


static void
path_send(const leg_t *leg, uint64_t now)
{
    (void) path_send_size(leg, PACKET, now);
}


/* what arrives until now, in the order of arrival, and reports about it */

static void
path_deliver(const leg_t *leg, uint64_t base, uint64_t now)
{
    u_char      *p;
    ngx_uint_t   i, first;
    packet_t     pkt;

    for ( ;; ) {
        first = 0;

        for (i = 1; i < nflight; i++) {
            if (flight[i].at < flight[first].at) {
                first = i;
            }
        }

        if (nflight == 0 || flight[first].at > now) {
            break;
        }

        pkt = flight[first];
        memmove(&flight[first], &flight[first + 1],
                (--nflight - first) * sizeof(packet_t));

        ngx_webrtc_twcc_input(&receiver, pkt.seq, 1, base + pkt.at);
    }

    if (nback < 64) {
        p = ngx_webrtc_twcc_write(&receiver, back[nback].data,
                                  back[nback].data + sizeof(back[0].data),
                                  base + now);

        if (p != back[nback].data) {
            back[nback].len = p - back[nback].data;
            back[nback++].at = now + leg->delay * 1000;
        }
    }
}


static void
path_feedback(uint64_t now)
{
    ngx_webrtc_rtcp_t       rtcp;
    ngx_webrtc_rtcp_fb_t    fb;
    ngx_webrtc_rtcp_twcc_t  twcc;

    while (nback && back[0].at <= now) {

        if (ngx_webrtc_rtcp_next(back[0].data, back[0].data + back[0].len,
                                 &rtcp)
            == NULL
            || ngx_webrtc_rtcp_parse_fb(&rtcp, &fb) != NGX_OK
            || ngx_webrtc_rtcp_parse_twcc(&fb, &twcc) != NGX_OK
            || ngx_webrtc_bwe_feedback(&bwe, &twcc, now) != NGX_OK)
        {
            tap_ok(0, "feedback is read");
        }

        memmove(&back[0], &back[1], --nback * sizeof(back[0]));
    }
}


static void
path_init(const ngx_webrtc_bwe_conf_t *conf)
{
    memset(seconds, 0, sizeof(seconds));
    nflight = 0;
    nback = 0;
    free_us = 0;
    lcg = 1;

    ngx_webrtc_bwe_init(&bwe, conf);
    ngx_webrtc_twcc_init(&receiver, 1);
}


#endif /* _PATH_H_INCLUDED_ */
