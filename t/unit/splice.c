
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Steps of a source's clock.  All figures are milliseconds and were reckoned
 * by hand: "t" is what the source says, "now" when it came, "want" where it
 * goes.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_splice.h"
#include "tap.h"


#define nelts(a)  (sizeof(a) / sizeof(a[0]))

#define END  0             /* kinds of rows */
#define V    1             /* video, decoding times */
#define A    2             /* audio of 20 ms */
#define P    3             /* video, times of presentation */


typedef struct {
    int      kind;
    int64_t  t;
    int64_t  now;
    int64_t  want;
} row_t;

typedef struct {
    const char  *name;
    uint32_t     steps;
    row_t        rows[32];
} scenario_t;


static const scenario_t  scenarios[] = {

    { "no step, whatever the network does", 0, {
        { V, 1000, 1000, 1000 },
        { A, 1010, 1001, 1010 },
        { V, 1040, 1040, 1040 },
        { V, 1080, 1900, 1080 },
        { V, 1120, 1901, 1120 },
        { V, 1900, 1902, 1900 },
        { A, 1030, 1903, 1030 },
        { V, 1940, 1941, 1940 } } },

    { "back by 1.5 s in both", 1, {
        { V, 5000, 5000, 5000 },
        { A, 5000, 5001, 5000 },
        { V, 5040, 5040, 5040 },
        { A, 5020, 5041, 5020 },
        { V, 3580, 5080, 5080 },
        { A, 3540, 5081, 5040 },
        { A, 3560, 5082, 5060 },
        { V, 3620, 5120, 5120 },
        { V, 3660, 5160, 5160 },
        { A, 3580, 5161, 5080 } } },

    { "arrival at the step does not matter", 1, {
        { V, 5000, 5000, 5000 },
        { A, 5000, 5001, 5000 },
        { V, 5040, 5040, 5040 },
        { A, 5020, 5041, 5020 },
        { V, 3580, 5190, 5080 },
        { A, 3540, 5191, 5040 },
        { V, 3620, 5200, 5120 } } },

    { "ahead by 1.5 s in both", 1, {
        { V, 5000, 5000, 5000 },
        { A, 5000, 5001, 5000 },
        { V, 5040, 5040, 5040 },
        { A, 5020, 5041, 5020 },
        { V, 6580, 5080, 5080 },
        { A, 6540, 5081, 5040 },
        { A, 6560, 5082, 5060 },
        { V, 6620, 5120, 5120 } } },

    { "audio comes to the step later", 1, {
        { V, 5000, 5000, 5000 },
        { A, 4800, 5001, 4800 },
        { V, 5040, 5040, 5040 },
        { A, 4820, 5041, 4820 },
        { V, 3580, 5080, 5080 },
        { A, 4840, 5081, 4840 },
        { V, 3620, 5120, 5120 },
        { A, 4860, 5121, 4860 },
        { A, 3380, 5122, 4880 },
        { A, 3400, 5140, 4900 } } },

    { "sound alone, back and ahead again", 2, {
        { V, 5000, 5000, 5000 },
        { A, 5000, 5001, 5000 },
        { A, 5020, 5021, 5020 },
        { A, 3540, 5041, 5040 },
        { V, 5040, 5042, 5040 },
        { A, 3560, 5061, 5060 },
        { V, 5080, 5082, 5080 },
        { A, 5080, 5083, 5080 },
        { V, 5120, 5122, 5120 } } },

    { "again and again", 3, {
        { V, 4960, 4960, 4960 },
        { V, 5000, 5000, 5000 },
        { A, 5000, 5001, 5000 },
        { V, 3540, 5040, 5040 },
        { A, 3520, 5041, 5020 },
        { V, 2080, 5080, 5080 },
        { A, 2040, 5081, 5040 },
        { A, 2060, 5082, 5060 },
        { V,  620, 5120, 5120 },
        { A,  580, 5121, 5080 } } },

    { "small ones", 2, {
        { V, 5000, 5000, 5000 },
        { A, 5000, 5001, 5000 },
        { V, 4940, 5040, 5040 },
        { A, 5020, 5121, 5020 },
        { A, 4940, 5122, 5040 },
        { V, 4980, 5123, 5080 },
        { V, 4920, 5124, 5120 } } },

    { "rounding is no step", 0, {
        { V, 5000, 5000, 5000 },
        { V, 4960, 5040, 4960 },
        { V, 5080, 5080, 5080 } } },

    { "a pause is no step", 0, {
        { V, 5000, 5000, 5000 },
        { A, 5000, 5001, 5000 },
        { V, 9000, 9000, 9000 },
        { A, 9000, 9001, 9000 } } },

    { "a step in a pause", 1, {
        { V, 5000, 5000, 5000 },
        { V, 5040, 5040, 5040 },
        { V,  100, 9040, 9040 } } },

    { "frames that were lost in a stall", 0, {
        { V, 5000, 5000, 5000 },
        { A, 5000, 5001, 5000 },
        { V, 5040, 7040, 5040 },
        { A, 5020, 7041, 5020 },
        { V, 7000, 7042, 7000 },
        { A, 5040, 7043, 5040 },
        { A, 7000, 7044, 7000 } } },

    { "a stale first packet", 0, {
        { A,       0, 1000,   0 },
        { V, 5000000, 1005,   0 },
        { A, 5000010, 1010,  10 },
        { V, 5000040, 1045,  40 },
        { A, 5000030, 1046,  30 } } },

    { "b-frames are no step", 0, {
        { P, 5000, 5000, 5000 },
        { P, 5160, 5040, 5160 },
        { P, 5080, 5080, 5080 },
        { P, 5040, 5120, 5040 },
        { P, 5120, 5160, 5120 },
        { P, 5320, 5200, 5320 } } },

    { "without decoding times, back by far", 1, {
        { P, 5000, 5000, 5000 },
        { P, 5040, 5040, 5040 },
        { P, 3580, 5080, 5080 },
        { P, 3620, 5120, 5120 } } },

    { "without decoding times, audio tells", 1, {
        { P, 5000, 5000, 5000 },
        { A, 5000, 5001, 5000 },
        { P, 5040, 5040, 5040 },
        { A, 5020, 5041, 5020 },
        { A, 4540, 5060, 5040 },
        { P, 4580, 5080, 5080 },
        { P, 4620, 5120, 5120 } } },

    /* read from a disk: now is 0 */
    { "a file", 2, {
        { V, 5000, 0, 5000 },
        { A, 5000, 0, 5000 },
        { V, 5040, 0, 5040 },
        { A, 5020, 0, 5020 },
        { V, 4000, 0, 5080 },
        { A, 3960, 0, 5040 },
        { V, 9000, 0, 10080 },
        { V, 20000, 0, 10120 },
        { A, 3980, 0, 5060 } } }
};


static void
test_scenario(const scenario_t *sc)
{
    int64_t              got, us;
    ngx_uint_t           bad;
    const row_t         *r;
    ngx_webrtc_splice_t  sp;

    ngx_memzero(&sp, sizeof(sp));
    bad = 0;

    for (r = sc->rows; r->kind != END; r++) {

        us = r->now ? r->now * 1000 + INT64_C(77000000000) : 0;

        got = r->t * 90
              + ngx_webrtc_splice(&sp, r->kind == A, r->t * 90, r->kind != P,
                                  r->kind == A ? 1800 : 0, us);

        /* frames of 40 ms; the first of a track is taken for one of 33 */

        if (got != r->want * 90 && got != r->want * 90 - 600) {
            tap_diag("row %d: got %lld, want %lld", (int) (r - sc->rows),
                     (long long) got / 90, (long long) r->want);
            bad++;
        }
    }

    tap_is_int(bad, 0, "%s", sc->name);
    tap_is_int(sp.steps, sc->steps, "%s: steps", sc->name);
}


/* few frames below the newest one: a step, but it takes a while to be seen */

static void
test_reorder(void)
{
    int64_t              t;
    ngx_int_t            i;
    ngx_webrtc_splice_t  sp;

    ngx_memzero(&sp, sizeof(sp));

    for (i = 0; i < 100; i++) {
        (void) ngx_webrtc_splice(&sp, 0, i * 3600, 0, 0,
                                 INT64_C(1000000) + i * 40000);
    }

    t = 0;

    for (i = 0; i < 40; i++) {
        t = (80 + i) * 3600;
        t += ngx_webrtc_splice(&sp, 0, t, 0, 0,
                               INT64_C(5000000) + i * 40000);
    }

    tap_is_int(sp.steps, 1, "0.8 s back without decoding times");
    tap_ok(t >= (80 + 39 + 20) * 3600 - 3600
           && t <= (80 + 39 + 20) * 3600 + 3600,
           "0.8 s back without decoding times: %d ms", (int) (t / 90));
}


/*
 * Two hours of a source that steps every 3 s, by any amount, one track or both,
 * with frames that come up to 60 ms late: as far as both step, they stay
 * together.
 */

static void
test_many(void)
{
    int64_t              clock, t, now, v, a, worst, off;
    uint32_t             seed;
    ngx_uint_t           i;
    ngx_webrtc_splice_t  sp;

    ngx_memzero(&sp, sizeof(sp));

    seed = 1;
    clock = 0;
    worst = 0;
    v = 0;
    a = 0;

    for (i = 0; i < 2 * 3600 * 50; i++) {

        seed = seed * 1664525 + 1013904223;

        if (i % 150 == 149) {
            clock += ((int64_t) (seed >> 8) % 600000 - 300000);
        }

        t = (int64_t) i * 1800;
        now = INT64_C(1000000) + (int64_t) i * 20000
              + (int64_t) (seed >> 12) % 60000;

        a = t + clock + ngx_webrtc_splice(&sp, 1, t + clock, 1, 1800, now);

        if (i % 2 == 0) {
            v = t + clock + ngx_webrtc_splice(&sp, 0, t + clock, 1, 0, now);

            off = (a > v) ? a - v : v - a;
            worst = ngx_max(worst, off);
        }
    }

    /* a step less than NGX_WEBRTC_SPLICE_BACK may be seen in one only */

    tap_ok(worst <= 50 * 90, "2400 steps: %d ms apart at worst",
           (int) (worst / 90));
}


int
main(void)
{
    ngx_uint_t  i;

    for (i = 0; i < nelts(scenarios); i++) {
        test_scenario(&scenarios[i]);
    }

    test_reorder();
    test_many();

    return tap_done();
}
