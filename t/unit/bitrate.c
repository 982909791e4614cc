
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_bitrate: bitrates, REMB values and the end of patience.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_bitrate.h>

#include "tap.h"


/* sends at a rate, in packets of 1250 bytes, up to a time; ms */

static void
feed(ngx_webrtc_bitrate_t *l, uint64_t from, uint64_t to, uint64_t bps)
{
    uint64_t  us;

    for (us = from * 1000; us < to * 1000; us += 10000000000ULL / bps) {
        ngx_webrtc_bitrate_input(l, 1250, us);
    }
}


static void
test_bitrate(void)
{
    ngx_uint_t          i;
    uint64_t            rate;
    ngx_webrtc_bitrate_t  l;

    static const struct {
        const char  *name;
        uint64_t     ms;             /* sends from 10 s to there */
        uint64_t     bps;
        uint64_t     at;
        uint64_t     low, high;
    } t[] = {
        { "steady", 13000, 1000000, 13000, 990000, 1060000 },
        { "steady, more", 13000, 40000000, 13000, 39900000, 42200000 },
        { "after half a second", 10500, 1000000, 10500, 990000, 1010000 },
        { "burst of 100 ms counts over half a second", 10100, 10000000, 10100,
          1990000, 2010000 },
        { "half a second after the end", 13000, 1000000, 13500, 450000,
          560000 },
        { "long after the end", 13000, 1000000, 15000, 0, 0 },
        { "very long after the end", 13000, 1000000, 99999000, 0, 0 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        ngx_webrtc_bitrate_init(&l, 0, 0, 0);
        feed(&l, 10000, t[i].ms, t[i].bps);

        rate = ngx_webrtc_bitrate_now(&l, t[i].at * 1000);

        tap_ok(rate >= t[i].low && rate <= t[i].high, "%s: %llu", t[i].name,
               (unsigned long long) rate);
    }

    ngx_webrtc_bitrate_init(&l, 0, 0, 0);
    tap_is_int(ngx_webrtc_bitrate_now(&l, 5), 0, "nothing");

    feed(&l, 0, 1000, 8000000);
    tap_is_int(l.bytes, 1000000, "bytes");
}


static void
test_check(void)
{
    ngx_uint_t          i;
    ngx_int_t           rc;
    uint64_t            ms;
    ngx_webrtc_bitrate_t  l;

    static const struct {
        const char  *name;
        uint64_t     max;
        uint64_t     bps;
        ngx_int_t    rc;             /* after a second */
        uint64_t     end;            /* ms until the end, 0: none in 30 s */
    } t[] = {
        { "no limit", 0, 50000000, NGX_OK, 0 },
        { "below", 2000000, 1900000, NGX_OK, 0 },
        { "within the slack", 2000000, 2150000, NGX_OK, 0 },
        { "above", 2000000, 2600000, NGX_AGAIN, 10000 },
        { "far above", 2000000, 20000000, NGX_AGAIN, 10000 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        ngx_webrtc_bitrate_init(&l, t[i].max, 1, 0);

        rc = NGX_OK;

        for (ms = 1000; ms < 31000 && rc != NGX_DECLINED; ms += 100) {
            feed(&l, ms, ms + 100, t[i].bps);
            rc = ngx_webrtc_bitrate_check(&l, (ms + 100) * 1000);

            if (ms == 2000) {
                tap_is_int(rc, t[i].rc, "%s: after a second", t[i].name);
            }
        }

        ms = (rc == NGX_DECLINED) ? ms - 1000 : 0;

        tap_ok(ms >= t[i].end && ms <= t[i].end + (t[i].end ? 1200 : 0),
               "%s: the end after %d ms", t[i].name, (int) ms);
    }

    /* who obeys in time may stay */

    ngx_webrtc_bitrate_init(&l, 1000000, 1, 0);
    feed(&l, 0, 9000, 5000000);
    tap_is_int(ngx_webrtc_bitrate_check(&l, 1000000), NGX_AGAIN, "above");
    tap_is_int(ngx_webrtc_bitrate_check(&l, 9000000), NGX_AGAIN, "still above");
    tap_is_int(ngx_webrtc_bitrate_check(&l, 10500000), NGX_OK, "obeyed");
    feed(&l, 11000, 13000, 5000000);
    tap_is_int(ngx_webrtc_bitrate_check(&l, 13000000), NGX_AGAIN,
               "above again, from the start");
}


static void
test_remb(void)
{
    ngx_webrtc_bitrate_t  l;

    ngx_webrtc_bitrate_init(&l, 2000000, 0, 0);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 1), 0, "not negotiated");

    ngx_webrtc_bitrate_init(&l, 0, 1, 0);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 1), 0,
               "nothing to say beside transport-wide feedback");

    ngx_webrtc_bitrate_init(&l, 2000000, 1, 0);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 1000000), 2000000, "the limit");
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 1999999), 0, "not yet");
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 2000000), 2000000, "again");

    /* by loss: gcc, 6: As(i) = As(i-1) * (1 - 0.5 * p), or * 1.08 + 1 kb/s */

    ngx_webrtc_bitrate_init(&l, 0, 1, 1);
    feed(&l, 0, 2000, 1000000);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 2000000), NGX_WEBRTC_BITRATE_MAX,
               "no loss known");
    ngx_webrtc_bitrate_loss(&l, 128, 2000000);
    tap_ok(l.estimate > 740000 && l.estimate < 790000,
           "half lost: %d", (int) l.estimate);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 2000001), l.estimate,
               "told at once");
    ngx_webrtc_bitrate_loss(&l, 13, 2000000);
    tap_ok(l.estimate > 740000 && l.estimate < 790000, "5 percent: as it is");

    l.estimate = 1000000;
    ngx_webrtc_bitrate_loss(&l, 0, 2000000);
    tap_is_int(l.estimate, 1081000, "none lost");
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 2000002), 0, "more is no hurry");

    l.estimate = 70000;
    ngx_webrtc_bitrate_loss(&l, 255, 2000000);
    tap_is_int(l.estimate, NGX_WEBRTC_BITRATE_MIN, "not below");

    ngx_webrtc_bitrate_init(&l, 500000, 1, 1);
    feed(&l, 0, 1000, 400000);
    ngx_webrtc_bitrate_loss(&l, 0, 1000000);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 1000000), 500000, "not above");
}


/* a path that carries less for a while */

static void
test_cut(void)
{
    ngx_uint_t            i;
    ngx_webrtc_bitrate_t  l;

    ngx_webrtc_bitrate_init(&l, 0, 0, 0);
    ngx_webrtc_bitrate_cut(&l, 500000);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 1), 0, "cut: not negotiated");

    /* beside transport-wide feedback, which tells the rest */

    ngx_webrtc_bitrate_init(&l, 0, 1, 0);
    ngx_webrtc_bitrate_cut(&l, 0);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 1), 0, "cut: not yet");
    ngx_webrtc_bitrate_cut(&l, 500000);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 1000000), 500000, "cut: told");
    ngx_webrtc_bitrate_cut(&l, 500000);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 1050000), 0, "cut: once");
    ngx_webrtc_bitrate_cut(&l, 400000);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 1100000), 400000, "cut: less");
    ngx_webrtc_bitrate_cut(&l, 420000);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 2100000), 420000,
               "cut: every second");
    ngx_webrtc_bitrate_cut(&l, 0);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 2200000), NGX_WEBRTC_BITRATE_MAX,
               "cut: taken back at once");

    for (i = 0; i < 5; i++) {
        ngx_webrtc_bitrate_cut(&l, 0);
        tap_is_int(ngx_webrtc_bitrate_remb(&l, 3200000 + i * 1000000),
                   NGX_WEBRTC_BITRATE_MAX,
                   "cut: taken back again: nothing comes");
    }

    for (i = 0; i < NGX_WEBRTC_BITRATE_FREE; i++) {
        ngx_webrtc_bitrate_input(&l, 1000, 8200000 + i * 1000000);
        tap_is_int(ngx_webrtc_bitrate_remb(&l, 8200000 + i * 1000000),
                   NGX_WEBRTC_BITRATE_MAX, "cut: taken back again");
    }

    tap_is_int(ngx_webrtc_bitrate_remb(&l, 15000000), 0, "cut: often enough");

    ngx_webrtc_bitrate_cut(&l, 300000);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 15100000), 300000, "cut: anew");
    ngx_webrtc_bitrate_cut(&l, 0);
    (void) ngx_webrtc_bitrate_remb(&l, 15200000);
    ngx_webrtc_bitrate_cut(&l, 200000);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 15300000), 200000,
               "cut: while that is taken back");
    tap_is_int(l.free, 0, "cut: which is over");

    /* a limit, and one that is below it */

    ngx_webrtc_bitrate_init(&l, 2000000, 1, 0);
    ngx_webrtc_bitrate_cut(&l, 3000000);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 1000000), 2000000,
               "cut: the limit is less");
    ngx_webrtc_bitrate_cut(&l, 500000);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 1000001), 500000, "cut: at once");
    ngx_webrtc_bitrate_cut(&l, 0);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 1000002), 2000000,
               "cut: the limit again");

    /* what follows the loss goes on with that */

    ngx_webrtc_bitrate_init(&l, 0, 1, 1);
    feed(&l, 0, 2000, 1000000);
    ngx_webrtc_bitrate_cut(&l, 500000);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 2000000), 500000, "cut: by loss");
    ngx_webrtc_bitrate_loss(&l, 128, 2000000);
    ngx_webrtc_bitrate_cut(&l, 0);
    tap_is_int(ngx_webrtc_bitrate_remb(&l, 2000001), 0, "cut: no hurry");
    tap_ok(ngx_webrtc_bitrate_remb(&l, 3000000) > 740000, "cut: by loss alone");
}


int
main(void)
{
    test_bitrate();
    test_check();
    test_remb();
    test_cut();

    return tap_done();
}
