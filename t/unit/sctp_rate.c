
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_sctp_rate on a model of a path, millisecond by millisecond: a rate
 * that is shared by what each has on its way, and round trips that are longer
 * by what waits.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include <ngx_webrtc_sctp.h>
#include <ngx_webrtc_sctp_rate.h>

#include "tap.h"


#define PACKET   NGX_WEBRTC_SCTP_PACKET
#define PACKETS  8192


/* on its way */
typedef struct {
    uint64_t   sent_ms;
    uint64_t   prior;
    size_t     flight;
} packet_t;


static ngx_webrtc_sctp_rate_t  r;
static packet_t                packets[PACKETS];
static ngx_uint_t              head, tail;
static uint64_t                now;
static double                  credit;
static uint32_t                seed;

/* the path: bytes per ms, ms, of 1000, bytes that another has on his way */
static double                  rate;
static uint32_t                base_ms;
static ngx_uint_t              loss;
static double                  other;


static void
begin(void)
{
    now = 1000;
    head = tail = 0;
    credit = 0;
    seed = 1;
    rate = 6250;                                     /* 50 Mbit/s */
    base_ms = 50;
    loss = 0;
    other = 0;

    ngx_webrtc_sctp_rate_init(&r, NGX_WEBRTC_SCTP_FLIGHT, now);
}


/* the oldest packet has arrived, or is found to be lost */

static void
arrive(void)
{
    packet_t                       *p;
    ngx_webrtc_sctp_rate_sample_t   sample;

    memset(&sample, 0, sizeof(sample));
    p = &packets[tail % PACKETS];

    sample.flight = (head - tail) * PACKET;
    seed = seed * 1664525 + 1013904223;

    if ((seed >> 8) % 1000 < loss) {
        sample.lost = PACKET;
        sample.lost_prior = p->prior;

    } else {
        sample.acked = PACKET;
        sample.acked_prior = p->prior;
        sample.sent_ms = p->sent_ms;
        sample.has_rtt = 1;
        sample.rtt_ms = (uint32_t) (now - p->sent_ms);
        sample.rtt_flight = p->flight;
    }

    tail++;
    ngx_webrtc_sctp_rate_update(&r, &sample, now);
}


/* as much as may be on its way */

static void
fill(void)
{
    packet_t  *p;

    while ((head - tail + 1) * PACKET <= r.cwnd && head - tail < PACKETS) {
        p = &packets[head++ % PACKETS];
        p->sent_ms = now;
        p->prior = r.delivered;
        p->flight = (head - tail) * PACKET;
    }
}


/* returns the Mbit/s that have arrived */

static double
run(uint64_t ms)
{
    double    ours, all;
    uint64_t  from, until;

    from = r.delivered;

    for (until = now + ms; now < until; now++) {

        ours = (double) (head - tail) * PACKET;
        all = ours + other;

        /* what is ours of the rate; nothing waits while there is little */

        credit += (all > rate * base_ms) ? rate * ours / all : ours / base_ms;
        credit = ngx_min(credit, 2 * rate * ours / (all + 1) + PACKET);

        while (credit >= PACKET && head != tail
               && now - packets[tail % PACKETS].sent_ms >= base_ms)
        {
            credit -= PACKET;
            arrive();
            fill();
        }

        if (head == tail) {
            ngx_webrtc_sctp_rate_resume(&r, now);
        }

        fill();
    }

    return (double) (r.delivered - from) * 8 / 1000 / (double) ms;
}


static void
test_alone(void)
{
    double      mbit;
    ngx_uint_t  i;

    static const struct {
        double       mbit;
        uint32_t     base_ms;
        ngx_uint_t   loss;
        ngx_uint_t   least;               /* percent */
    } paths[] = {
        { 50, 50, 0, 90 },
        { 50, 100, 0, 90 },
        { 5, 40, 0, 85 },
        { 300, 20, 0, 85 },
        { 50, 100, 10, 80 },
        { 50, 50, 50, 75 },
        { 10, 200, 10, 70 }
    };

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        begin();
        rate = paths[i].mbit * 125;
        base_ms = paths[i].base_ms;
        loss = paths[i].loss;

        tap_is_int(r.cwnd, 10 * PACKET, "ten packets at first");

        (void) run(8000);
        mbit = run(10000);

        tap_ok(mbit * 100 >= paths[i].mbit * (double) paths[i].least,
               "%.0f Mbit/s, %u ms, %u of 1000 lost: %.1f", paths[i].mbit,
               (unsigned) base_ms, (unsigned) loss, mbit);
        tap_is_int(r.mode, NGX_WEBRTC_SCTP_RATE_PROBE, "alone");
        tap_ok(r.srtt_ms <= base_ms + base_ms / 2 + 20,
               "and keeps no queue: %u ms of %u", (unsigned) r.srtt_ms,
               (unsigned) base_ms);
    }
}


static void
test_rival(void)
{
    double      mbit;
    ngx_uint_t  i, rival;

    begin();
    (void) run(5000);
    tap_is_int(r.mode, NGX_WEBRTC_SCTP_RATE_PROBE, "alone at first");

    /* another one who has twice what the path takes on his way, and keeps it */

    other = 2 * rate * base_ms;
    rival = 0;

    for (i = 0; i < 200; i++) {
        (void) run(100);
        rival += (r.mode == NGX_WEBRTC_SCTP_RATE_RIVAL);
    }

    tap_ok(rival > 0, "another's queue: does as a TCP does");

    mbit = run(5000);
    tap_ok(mbit > 5, "and is not starved: %.1f of 50 Mbit/s", mbit);

    other = 0;
    (void) run(40000);
    tap_is_int(r.mode, NGX_WEBRTC_SCTP_RATE_PROBE, "he is gone: as before");
    tap_ok(r.srtt_ms <= base_ms + base_ms / 2 + 20,
           "he is gone: no queue: %u ms of %u", (unsigned) r.srtt_ms,
           (unsigned) base_ms);

    mbit = run(5000);
    tap_ok(mbit > 42, "he is gone: all of it: %.1f", mbit);
}


static void
test_changes(void)
{
    double  mbit;

    /* a tenth of the rate */

    begin();
    (void) run(5000);
    rate /= 10;
    (void) run(25000);
    tap_ok(r.srtt_ms < 150, "a slower path: no queue after a while: %u ms",
           (unsigned) r.srtt_ms);
    mbit = run(3000);
    tap_ok(mbit > 3.5, "a slower path: is filled: %.1f of 5", mbit);

    /* and back */

    rate *= 10;
    (void) run(10000);
    mbit = run(3000);
    tap_ok(mbit > 40, "a faster path: is filled: %.1f of 50", mbit);

    /* longer round trips */

    base_ms = 150;
    (void) run(20000);
    mbit = run(5000);
    tap_ok(mbit > 35, "a longer path: is filled: %.1f of 50", mbit);

    /* half of it is lost: that is no path that loses at random */

    begin();
    (void) run(5000);
    loss = 500;
    (void) run(5000);
    mbit = run(2000);
    loss = 0;
    tap_ok(mbit < 15, "half is lost: %.1f arrives", mbit);

    ngx_webrtc_sctp_rate_restart(&r, now);
    tap_is_int(r.mode, NGX_WEBRTC_SCTP_RATE_STARTUP, "restart: begins anew");
    tap_is_int(r.cwnd, 10 * PACKET, "restart: ten packets");

    /* nothing under way for long is no slow path */

    begin();
    (void) run(5000);
    head = tail;
    now += 30000;
    (void) run(1000);
    mbit = run(2000);
    tap_ok(mbit > 40, "after a rest: %.1f of 50", mbit);
}


int
main(void)
{
    test_alone();
    test_rival();
    test_changes();

    return tap_done();
}
