
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_limit: which layers are left out, in virtual time.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_limit.h>

#include "tap.h"


#define MAX   400000
#define LOOK  100                    /* ms */


static ngx_webrtc_limit_t  l;
static uint64_t            now_ms;


static void
begin(uint64_t max)
{
    now_ms = 1000000;

    ngx_webrtc_limit_init(&l, max);
}


/*
 * Sends for some seconds at a rate, in percent of the limit, ten packets a
 * second.  Returns what was decided in order, a letter each time that it
 * changed ("I" in, "O" out, "E" end).
 */

static const char *
send_for(ngx_uint_t ms, ngx_uint_t percent, ngx_uint_t only)
{
    char         *p;
    ngx_uint_t    t;
    static char   out[64];

    p = out;

    for (t = 0; t < ms; t += LOOK) {
        ngx_webrtc_limit_input(&l, MAX / 8 / 10 * percent / 100, now_ms * 1000);

        *p = "IOE"[ngx_webrtc_limit(&l, only, now_ms * 1000)];

        if (p == out || *p != p[-1]) {
            p++;
        }

        now_ms += LOOK;
    }

    *p = '\0';

    return out;
}


/* ms at a rate until it is decided so */

static ngx_uint_t
until(char want, ngx_uint_t percent, ngx_uint_t only)
{
    ngx_uint_t  ms;

    for (ms = 0; ms < 200000; ms += LOOK) {
        if (send_for(LOOK, percent, only)[0] == want) {
            break;
        }
    }

    return ms;
}


static void
test_rates(void)
{
    ngx_uint_t  i, ms;

    static const struct {
        const char  *name;
        ngx_uint_t   percent;
        const char  *what;
    } t[] = {
        { "nothing", 0, "I" },
        { "half of it", 50, "I" },
        { "all of it", 100, "I" },
        { "somewhat more", 113, "I" },
        { "more", 120, "IO" },
        { "far more", 1000, "IO" },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        begin(MAX);
        tap_is_str(send_for(20000, t[i].percent, 0), t[i].what, "%s",
                   t[i].name);
    }

    begin(0);
    tap_is_str(send_for(20000, 1000, 0), "I", "no limit");
    tap_is_int(ngx_webrtc_limit_rate(&l, now_ms * 1000), 0,
               "and nothing is counted");

    begin(MAX);
    tap_is_str(send_for(5000, 1000, 0), "I", "not before there is a window");

    begin(MAX);
    (void) send_for(20000, 75, 0);
    ms = (ngx_uint_t) ngx_webrtc_limit_rate(&l, now_ms * 1000);
    tap_ok(ms > MAX / 100 * 72 && ms < MAX / 100 * 80, "the mean rate: %d",
           (int) ms);

    /* a key frame of three times what comes in a second, each six seconds */

    begin(MAX);

    for (i = 0; i < 10; i++) {
        (void) send_for(LOOK, 1500, 0);
        if (send_for(5900, 70, 0)[1] != '\0') {
            break;
        }
    }

    tap_is_int(i, 10, "key frames are no reason");
}


static void
test_back(void)
{
    ngx_uint_t  i, ms, last;

    begin(MAX);
    (void) until('O', 200, 0);
    tap_is_int(l.out, 1, "it is out");
    tap_is_str(send_for(20000, 110, 0), "O", "still somewhat above: it stays");
    ms = until('I', 100, 0);
    tap_ok(ms > 0 && ms <= 5000, "within: it is back after %d ms", (int) ms);
    tap_is_str(send_for(20000, 113, 0), "I", "and somewhat above again: stays");

    /* who never obeys for long */

    begin(MAX);

    for (i = 0, last = 0; i < 6; i++) {
        (void) until('O', 200, 0);
        ms = until('I', 50, 0);
        tap_ok(ms >= last, "time %d: out for %d ms", (int) i, (int) ms);
        last = ms;
    }

    tap_ok(last >= 59000 && last <= 61000, "a minute at most");

    (void) send_for(61000, 50, 0);
    (void) until('O', 200, 0);
    ms = until('I', 50, 0);
    tap_ok(ms <= 5000, "forgotten after a minute: %d ms", (int) ms);

    /* it stops, and begins anew */

    begin(MAX);
    (void) until('O', 200, 0);
    now_ms += 100000;
    tap_is_str(send_for(4000, 100, 0), "I", "stopped, and obeys: at once");
}


static void
test_only(void)
{
    ngx_uint_t  ms;

    begin(MAX);
    ms = until('E', 200, 1);
    tap_ok(ms >= 9900 && ms <= 10700, "the only one: ended after %d ms",
           (int) ms);
    tap_is_int(l.out, 0, "and never out");

    begin(MAX);
    (void) send_for(6000, 200, 1);
    tap_is_str(send_for(30000, 80, 1), "I", "it obeys in time");
    tap_is_str(send_for(6000, 200, 1), "I", "time counts anew");

    begin(MAX);
    (void) until('O', 200, 0);
    tap_is_str(send_for(LOOK, 200, 1), "I", "out, and the others stop: in");
    ms = until('E', 200, 1);
    tap_ok(ms >= 4800 && ms <= 5500, "and ended after %d ms", (int) ms);

    begin(MAX);
    (void) send_for(7000, 200, 1);
    tap_is_str(send_for(LOOK, 200, 0), "O", "another one comes: out");
}


int
main(void)
{
    test_rates();
    test_back();
    test_only();

    return tap_done();
}
