
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_bwe on paths in virtual time (path.h).
 */


#include "path.h"


/* base: what the receiver's clock is ahead of ours, us */

static void
run(const leg_t *legs, ngx_uint_t nlegs, ngx_uint_t length, uint64_t base)
{
    double                 budget;
    uint32_t               rate;
    uint64_t               now, due;
    const leg_t           *leg;
    ngx_webrtc_bwe_conf_t  conf;

    budget = 0;

    conf.min = 50000;
    conf.max = 20000000;
    conf.start = 300000;

    path_init(&conf);

    leg = legs;

    for (now = 1000; now < length * SECOND; now += 1000) {

        while (leg + 1 < legs + nlegs && leg[1].from * SECOND <= now) {
            leg++;
        }

        rate = ngx_webrtc_bwe_estimate(&bwe);

        if (leg->app && rate > leg->app) {
            rate = leg->app;
        }

        for (budget += rate / 8000.0; budget >= PACKET; budget -= PACKET) {
            path_send(leg, now);
        }

        if (leg->probe && now % SECOND == 500000) {
            (void) ngx_webrtc_bwe_probe(&bwe, leg->probe, now);
        }

        for ( ;; ) {
            due = ngx_webrtc_bwe_probe_due(&bwe);

            if (due == 0 || due > now) {
                break;
            }

            path_send(leg, now);
        }

        path_deliver(leg, base, now);
        path_feedback(now);

        seconds[now / SECOND].estimate = ngx_webrtc_bwe_estimate(&bwe);
    }
}


static void
show(ngx_uint_t length)
{
    ngx_uint_t  i;

    for (i = 0; i < length; i++) {
        tap_diag("%2u s: estimate %u kbit/s, arrived %u, queue %u ms",
                 (unsigned) i, seconds[i].estimate / 1000,
                 seconds[i].arrived / 1000, seconds[i].delay);
    }
}


/* bits per second that arrive in these seconds; the longest queue in them */

static double
mean(ngx_uint_t from, ngx_uint_t to)
{
    double      sum;
    ngx_uint_t  i;

    for (sum = 0, i = from; i < to; i++) {
        sum += seconds[i].arrived;
    }

    return sum / (to - from);
}


static uint32_t
delay(ngx_uint_t from, ngx_uint_t to)
{
    uint32_t    most;
    ngx_uint_t  i;

    for (most = 0, i = from; i < to; i++) {
        most = ngx_max(most, seconds[i].delay);
    }

    return most;
}


static void
test_paths(void)
{
    ngx_uint_t  i, good;
    double      got;

    static const struct {
        const char   *name;
        leg_t         legs[3];
        ngx_uint_t    nlegs;
        ngx_uint_t    length;
        ngx_uint_t    from;       /* s, of the figures */
        uint32_t      least;      /* bits per second that arrive */
        uint32_t      delay;      /* ms at most */
    } t[] = {

        { "1 Mbit/s", { { 0, 1000000, 300, 20, 0, 0, 0, 0 } }, 1, 40,
          20, 800000, 200 },

        { "500 kbit/s", { { 0, 500000, 300, 20, 0, 0, 0, 0 } }, 1, 40,
          20, 400000, 200 },

        { "5 Mbit/s, 100 ms", { { 0, 5000000, 200, 50, 0, 0, 0, 0 } }, 1, 60,
          45, 4000000, 200 },

        { "a queue of a second", { { 0, 1000000, 1000, 20, 0, 0, 0, 0 } }, 1,
          40, 20, 800000, 300 },

        { "jitter of 20 ms", { { 0, 2000000, 300, 20, 20, 0, 0, 0 } }, 1, 60,
          40, 1500000, 300 },

        { "5 % of loss", { { 0, 2000000, 300, 50, 0, 5, 0, 0 } }, 1, 60,
          40, 1500000, 300 },

        { "3 Mbit/s, then 0.7", { { 0, 3000000, 1000, 20, 0, 0, 0, 0 },
                                  { 30, 700000, 1000, 20, 0, 0, 0, 0 } },
          2, 60, 40, 560000, 300 },

        { "its latency after 5 s", { { 0, 3000000, 1000, 20, 0, 0, 0, 0 },
                                     { 30, 700000, 1000, 20, 0, 0, 0, 0 } },
          2, 60, 35, 490000, 300 },

        { "0.7 Mbit/s, then 3, with probes",
          { { 0, 700000, 1000, 20, 0, 0, 0, 0 },
            { 30, 3000000, 1000, 20, 0, 0, 0, 2800000 } },
          2, 60, 40, 2400000, 300 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        run(t[i].legs, t[i].nlegs, t[i].length, 5 * SECOND);

        got = mean(t[i].from, t[i].length);
        good = got >= t[i].least
               && delay(t[i].from, t[i].length) <= t[i].delay;

        tap_ok(good, "%s: %u kbit/s, %u ms", t[i].name,
               (unsigned) (got / 1000),
               (unsigned) delay(t[i].from, t[i].length));

        if (!good) {
            show(t[i].length);
        }
    }
}


static void
test_loss(void)
{
    /* what is too much for a policer is lost, and nothing waits */

    static const leg_t  policer = { 0, 1000000, 12, 20, 0, 0, 0, 0 };
    static const leg_t  lossy = { 0, 2000000, 300, 50, 0, 10, 0, 1800000 };

    run(&policer, 1, 60, 0);

    tap_ok(mean(30, 60) > 700000, "a policer: %u kbit/s",
           (unsigned) (mean(30, 60) / 1000));
    tap_ok(bwe.packets_lost * 100 < bwe.packets * 15,
           "%u of %u packets lost", (unsigned) bwe.packets_lost,
           (unsigned) bwe.packets);

    run(&lossy, 1, 60, 0);

    tap_ok(mean(40, 60) > 1200000, "10 %% of loss that is nobody's: %u kbit/s",
           (unsigned) (mean(40, 60) / 1000));
}


static void
test_probes(void)
{
    ngx_webrtc_bwe_conf_t  conf;

    static const leg_t  quiet = { 0, 3000000, 300, 20, 0, 0, 300000, 0 };
    static const leg_t  up = { 0, 3000000, 300, 20, 0, 0, 300000, 1500000 };
    static const leg_t  full = { 0, 3000000, 300, 20, 0, 0, 300000, 6000000 };

    run(&quiet, 1, 10, 0);
    tap_ok(seconds[9].estimate <= 500000,
           "a sender of little does not learn of more: %u kbit/s",
           seconds[9].estimate / 1000);

    run(&up, 1, 10, 0);
    tap_ok(seconds[9].estimate >= 1300000 && seconds[9].estimate <= 2000000,
           "a probe of 1.5 Mbit/s: %u kbit/s", seconds[9].estimate / 1000);
    tap_ok(mean(3, 10) < 400000, "at little cost: %u kbit/s",
           (unsigned) (mean(3, 10) / 1000));

    run(&full, 1, 10, 0);
    tap_ok(seconds[9].estimate >= 2300000 && seconds[9].estimate <= 3100000,
           "a probe of more than there is: %u kbit/s",
           seconds[9].estimate / 1000);

    conf.min = 50000;
    conf.max = 5000000;
    conf.start = 300000;

    ngx_webrtc_bwe_init(&bwe, &conf);
    tap_ok(ngx_webrtc_bwe_probe(&bwe, 1000000, 1) == NGX_DECLINED
           && ngx_webrtc_bwe_probe_due(&bwe) == 0,
           "no probe before feedback");
}


/*
 * So many packets are what is sent first; and half a second.  Those that take
 * less time than a probe are over when the next frame begins.
 */

static void
burst(const leg_t *leg, ngx_uint_t packets, ngx_uint_t every, uint64_t begin)
{
    uint64_t               now;
    ngx_uint_t             sent;
    ngx_webrtc_bwe_conf_t  conf;

    conf.min = 30000;
    conf.max = 20000000;
    conf.start = 3250000;

    path_init(&conf);
    ngx_webrtc_bwe_burst(&bwe);

    sent = 0;

    for (now = begin; now < begin + SECOND / 2; now += 1000) {

        while (sent < packets && (now - begin) / every >= sent) {
            path_send(leg, now);
            sent++;
        }

        if (now == begin + 60000
            && packets * every < NGX_WEBRTC_BWE_PROBE_US)
        {
            path_send(leg, now);
        }

        path_deliver(leg, 5 * SECOND, now);
        path_feedback(now);
    }
}


/* 20 packets at 10 Mbit/s, or others */

static void
test_burst(void)
{
    uint32_t    least, most;
    uint64_t    now, begin;
    ngx_uint_t  i;

    static const struct {
        const char   *name;
        leg_t         leg;
        uint64_t      stall;
        ngx_uint_t    packets;
        ngx_uint_t    every;      /* us */
        uint32_t      least;      /* bits per second, of the estimate */
        uint32_t      most;
    } t[] = {
        { "1 Mbit/s", { 0, 1000000, 300, 20, 0, 0, 0, 0 }, 0,
          20, 1000, 650000, 1050000 },
        { "a queue that holds the half of it",
          { 0, 500000, 150, 20, 0, 0, 0, 0 }, 0,
          20, 1000, 320000, 525000 },
        { "5 % of loss", { 0, 1000000, 300, 50, 0, 5, 0, 0 }, 0,
          20, 1000, 650000, 1050000 },
        { "50 Mbit/s", { 0, 50000000, 300, 20, 0, 0, 0, 0 }, 0,
          20, 1000, 3250000, 9700000 },
        { "50 Mbit/s, 10 % of loss", { 0, 50000000, 300, 20, 0, 10, 0, 0 }, 0,
          20, 1000, 3250000, 9700000 },
        { "50 Mbit/s, and a receiver that is busy",
          { 0, 50000000, 300, 20, 0, 0, 0, 0 }, 200000,
          20, 1000, 2270000, 9700000 },
        { "20 Mbit/s, far less than what is sent",
          { 0, 20000000, 300, 20, 0, 0, 0, 0 }, 0,
          20, 200, 3250000, 3250000 },
        { "packets one by one", { 0, 1000000, 300, 20, 0, 0, 0, 0 }, 0,
          10, 20000, 3250000, 3250000 },
        { "less than a probe", { 0, 1000000, 300, 20, 0, 0, 0, 0 }, 0,
          4, 1000, 3250000, 3250000 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        least = 0xffffffff;
        most = 0;

        for (begin = SECOND; begin < 2 * SECOND; begin += 61000) {
            path_stall = t[i].stall;
            burst(&t[i].leg, t[i].packets, t[i].every, begin);
            path_stall = 0;

            least = ngx_min(least, ngx_webrtc_bwe_estimate(&bwe));
            most = ngx_max(most, ngx_webrtc_bwe_estimate(&bwe));
        }

        tap_ok(least >= t[i].least && most <= t[i].most,
               "the first packets: %s: %u to %u kbit/s", t[i].name,
               least / 1000, most / 1000);

        /* nothing is in a probe's way then */

        now = begin + 2 * SECOND;
        path_send(&t[i].leg, now);

        tap_ok(ngx_webrtc_bwe_probe_due(&bwe) == 0
               && ngx_webrtc_bwe_probe(&bwe, 1000000, now) == NGX_OK
               && ngx_webrtc_bwe_probe_due(&bwe) == now, "and a probe");
    }
}


/* feedback that nobody would send */

static void
test_odd(void)
{
    u_char                  buf[1200], *p;
    int64_t                 arrivals[64];
    uint16_t                base;
    uint32_t                was;
    ngx_uint_t              i, k, written;
    ngx_webrtc_rtcp_t       rtcp;
    ngx_webrtc_rtcp_fb_t    fb;
    ngx_webrtc_rtcp_twcc_t  twcc;

    static const leg_t  plain = { 0, 1000000, 300, 20, 0, 0, 0, 0 };

    /* 16 bits of numbers and 24 of times go round */

    run(&plain, 1, 100, ((uint64_t) 0x1000000 * 64000) - 30 * SECOND);

    tap_ok(mean(50, 100) > 800000 && delay(50, 100) < 300,
           "the receiver's clock wraps: %u kbit/s",
           (unsigned) (mean(50, 100) / 1000));

    /* of packets that were never sent, or twice, or of all of them */

    was = ngx_webrtc_bwe_estimate(&bwe);

    for (i = 0; i < 2000; i++) {

        base = (uint16_t) (bwe.next + 1 + chance(30000));

        for (k = 0; k < 64; k++) {
            arrivals[k] = 1000 + chance(1000000);
        }

        p = ngx_webrtc_rtcp_fb_write_twcc(buf, buf + sizeof(buf), 1, 2, base,
                                          0, arrivals, 64, &written);

        (void) ngx_webrtc_rtcp_next(buf, p, &rtcp);
        (void) ngx_webrtc_rtcp_parse_fb(&rtcp, &fb);
        (void) ngx_webrtc_rtcp_parse_twcc(&fb, &twcc);
        (void) ngx_webrtc_bwe_feedback(&bwe, &twcc, 100 * SECOND + i * 100);
    }

    tap_ok(ngx_webrtc_bwe_estimate(&bwe) <= was * 2,
           "feedback for packets not sent: %u, was %u kbit/s",
           ngx_webrtc_bwe_estimate(&bwe) / 1000, was / 1000);

    twcc.len = 1;
    was = ngx_webrtc_bwe_estimate(&bwe);
    tap_ok(ngx_webrtc_bwe_feedback(&bwe, &twcc, 102 * SECOND) == NGX_DECLINED
           && ngx_webrtc_bwe_estimate(&bwe) == was, "cut feedback");
}


/* no transport-wide feedback */

static void
test_reports(void)
{
    uint32_t               rate;
    ngx_uint_t             i;
    ngx_webrtc_bwe_conf_t  conf;

    conf.min = 50000;
    conf.max = 5000000;
    conf.start = 1000000;

    ngx_webrtc_bwe_init(&bwe, &conf);

    /* the path carries 400 kbit/s */

    for (i = 1; i <= 30; i++) {
        rate = ngx_webrtc_bwe_estimate(&bwe);
        ngx_webrtc_bwe_report(&bwe, rate > 400000
                                    ? 256 - 256 * 400000ULL / rate : 0,
                              50000, i * SECOND);
    }

    rate = ngx_webrtc_bwe_estimate(&bwe);
    tap_ok(rate > 350000 && rate < 500000, "reports of loss: %u kbit/s",
           rate / 1000);

    ngx_webrtc_bwe_init(&bwe, &conf);

    ngx_webrtc_bwe_remb(&bwe, 600000, SECOND);
    tap_ok(ngx_webrtc_bwe_estimate(&bwe) == 600000, "REMB is a limit");

    ngx_webrtc_bwe_remb(&bwe, 3000000, 2 * SECOND);
    tap_ok(ngx_webrtc_bwe_estimate(&bwe) == 3000000, "and lets grow");

    ngx_webrtc_bwe_remb(&bwe, (uint64_t) 1 << 60, 3 * SECOND);
    tap_ok(ngx_webrtc_bwe_estimate(&bwe) == 5000000, "up to the limit");

    ngx_webrtc_bwe_remb(&bwe, 1, 4 * SECOND);
    tap_ok(ngx_webrtc_bwe_estimate(&bwe) == 50000, "down to the least");
}


int
main(void)
{
    test_paths();
    test_loss();
    test_probes();
    test_burst();
    test_odd();
    test_reports();

    return tap_done();
}
