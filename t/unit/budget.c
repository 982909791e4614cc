
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_budget: who may hold how much, and who has to go.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_budget.h>

#include "tap.h"


#define M  1048576


/* three sessions, one of which notes something at 10 s; who has to go */

static void
test_laggard(void)
{
    ngx_uint_t                    i, j;
    ngx_webrtc_budget_t           m;
    ngx_webrtc_budget_account_t   a[3], *last;

    static const struct {
        const char  *name;
        size_t       held[3];
        uint64_t     acked_ms[3];
        int          last;           /* -1: nobody */
        size_t       left;           /* held afterwards */
    } t[] = {
        { "little is held", { M, M, M }, { 0, 0, 0 }, -1, 3 * M },
        { "three quarters", { 2 * M, 2 * M, 2 * M }, { 0, 0, 0 }, -1, 6 * M },
        { "more: the one that lags", { 2 * M, 2 * M, 2 * M + 1 },
          { 9500, 2000, 9500 }, 1, 4 * M + 1 },
        { "more: the one that holds most for longest",
          { M, 5 * M, M }, { 1000, 5000, 2000 }, 1, 2 * M },
        { "more, and all go on", { 2 * M, 2 * M, 3 * M },
          { 9500, 9900, 9500 }, -1, 7 * M },
        { "all, and all go on: the largest", { 3 * M, 4 * M, 3 * M },
          { 9900, 9900, 9900 }, 1, 6 * M },
        { "who holds nothing does not lag", { 0, 4 * M, 3 * M },
          { 0, 9900, 9900 }, -1, 7 * M },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        ngx_webrtc_budget_init(&m, 8 * M);
        memset(a, 0, sizeof(a));

        for (j = 0; j < 3; j++) {
            ngx_webrtc_budget_begin(&m, &a[j], &a[j], 0);
        }

        for (j = 0; j < 3; j++) {
            a[j].held = t[i].held[j];
            a[j].acked_ms = t[i].acked_ms[j];
            m.held += a[j].held;
        }

        last = ngx_webrtc_budget_held(&m, &a[0], t[i].held[0], 0, 10000);

        tap_is_int(last ? last - a : -1, t[i].last, "%s", t[i].name);
        tap_is_int(m.held, t[i].left, "%s: held", t[i].name);

        for (j = 0; j < 3; j++) {
            ngx_webrtc_budget_end(&m, &a[j]);
            ngx_webrtc_budget_end(&m, &a[j]);
        }

        tap_is_int(m.held, 0, "%s: and ended", t[i].name);
        tap_ok(ngx_queue_empty(&m.accounts), "%s: none is left", t[i].name);
    }
}


static void
test_ending(void)
{
    ngx_webrtc_budget_t          m;
    ngx_webrtc_budget_account_t  a, b;

    ngx_webrtc_budget_init(&m, M);
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));

    ngx_webrtc_budget_begin(&m, &a, &a, 0);
    ngx_webrtc_budget_begin(&m, &b, &b, 0);

    tap_ok(ngx_webrtc_budget_held(&m, &a, M, 0, 1) == NULL, "all of it");
    tap_ok(ngx_webrtc_budget_held(&m, &b, 1, 0, 2) == &a, "it has to go");
    tap_ok(ngx_webrtc_budget_held(&m, &a, M, 0, 3) == NULL, "once");
    tap_is_int(m.held, 1, "it holds nothing meanwhile");

    ngx_webrtc_budget_end(&m, &a);
    tap_is_int(m.held, 1, "nor when it has ended");
}


/* one that acknowledges does not lag, however much it holds */

static void
test_progress(void)
{
    uint64_t                     ms;
    ngx_webrtc_budget_t          m;
    ngx_webrtc_budget_account_t  a;

    ngx_webrtc_budget_init(&m, M);
    memset(&a, 0, sizeof(a));
    ngx_webrtc_budget_begin(&m, &a, &a, 0);

    for (ms = 0; ms < 20000; ms += 500) {
        if (ngx_webrtc_budget_held(&m, &a, M / 10 * 9, ms, ms)) {
            break;
        }
    }

    tap_is_int(ms, 20000, "acknowledges all the time");

    (void) ngx_webrtc_budget_held(&m, &a, M / 10 * 9, 20000, 20000);
    tap_ok(ngx_webrtc_budget_held(&m, &a, M / 10 * 9, 20000, 20900) == NULL,
           "not for 900 ms");
    tap_ok(ngx_webrtc_budget_held(&m, &a, M / 10 * 9, 20000, 21000) == &a,
           "not for a second");
}


static void
test_share(void)
{
    ngx_uint_t                   i;
    ngx_webrtc_budget_t          m;
    ngx_webrtc_budget_account_t  a;

    static const struct {
        size_t  own, others, share;
    } t[] = {
        { 0, 0, 2 * M },
        { 2 * M, 0, 2 * M },
        { 0, 4 * M, M },
        { M, 4 * M, M },
        { 0, 8 * M - 4, 65536 },
        { 0, 8 * M, 65536 },
        { M, 9 * M, 65536 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        ngx_webrtc_budget_init(&m, 8 * M);
        memset(&a, 0, sizeof(a));

        a.held = t[i].own;
        m.held = t[i].own + t[i].others;

        tap_is_int(ngx_webrtc_budget_share(&m, &a, 65536, 8 * M), t[i].share,
                   "share of who has %u of %u", (unsigned) t[i].own,
                   (unsigned) m.held);
        tap_is_int(ngx_webrtc_budget_share(&m, &a, 65536, 70000),
                   ngx_min(t[i].share, 70000), "no more than wanted");
    }
}


static void
test_fell(void)
{
    ngx_uint_t                   i;
    ngx_webrtc_budget_t          m;
    ngx_webrtc_budget_account_t  a;

    ngx_webrtc_budget_init(&m, 64 * M);
    memset(&a, 0, sizeof(a));
    ngx_webrtc_budget_begin(&m, &a, &a, 0);

    (void) ngx_webrtc_budget_held(&m, &a, 4 * M - 1, 1, 1);
    (void) ngx_webrtc_budget_held(&m, &a, 0, 2, 2);
    tap_ok(!ngx_webrtc_budget_freed(&m), "a small peak");

    (void) ngx_webrtc_budget_held(&m, &a, 16 * M, 3, 3);
    tap_ok(!ngx_webrtc_budget_freed(&m), "at the peak");
    (void) ngx_webrtc_budget_held(&m, &a, 4 * M + 1, 4, 4);
    tap_ok(!ngx_webrtc_budget_freed(&m), "above a quarter");
    (void) ngx_webrtc_budget_held(&m, &a, 3 * M, 5, 5);
    tap_ok(ngx_webrtc_budget_freed(&m), "fell");
    tap_ok(!ngx_webrtc_budget_freed(&m), "once");
    tap_ok(!ngx_webrtc_budget_freed(&m), "a little later");
    tap_ok(ngx_webrtc_budget_freed(&m), "again");
    tap_ok(!ngx_webrtc_budget_freed(&m), "and no more");

    /* sessions that have ended leave something, whatever they held */

    ngx_webrtc_budget_end(&m, &a);

    for (i = 1; i < 64; i++) {
        ngx_webrtc_budget_begin(&m, &a, &a, 0);
        ngx_webrtc_budget_end(&m, &a);
        ngx_webrtc_budget_end(&m, &a);

        if (ngx_webrtc_budget_freed(&m)) {
            break;
        }
    }

    tap_is_int(i, 63, "after 64 sessions");

    for (i = 0; i < 100; i++) {
        ngx_webrtc_budget_begin(&m, &a, &a, 0);
        ngx_webrtc_budget_end(&m, &a);
    }

    for (i = 1; i < 20; i++) {
        if (ngx_webrtc_budget_freed(&m) && i > 3) {
            break;
        }
    }

    tap_is_int(i, 10, "after more of them not before 10 seconds");
    tap_ok(!ngx_webrtc_budget_freed(&m), "once");
    tap_ok(!ngx_webrtc_budget_freed(&m), "a little later");
    tap_ok(ngx_webrtc_budget_freed(&m), "again");

    /* fewer, when no more end */

    for (i = 0; i < 16; i++) {
        ngx_webrtc_budget_begin(&m, &a, &a, 0);
        tap_ok(!ngx_webrtc_budget_freed(&m), "some more");
        ngx_webrtc_budget_end(&m, &a);
    }

    for (i = 1; i < 20; i++) {
        if (ngx_webrtc_budget_freed(&m)) {
            break;
        }
    }

    tap_is_int(i, 10, "what is left after 10 seconds");
}


int
main(void)
{
    test_laggard();
    test_ending();
    test_progress();
    test_share();
    test_fell();

    return tap_done();
}
