
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_again: what a receiver gets again never takes more than a quarter
 * of its path, whatever it asks for; in virtual time.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"
#include "ngx_webrtc_again.h"


#define PACKET  1200
#define LENGTH  20000


/*
 * Asks for so many packets a second, each of them new; or, if it is 0, for the
 * same one each ms.  Bytes of each ms.
 */

static uint32_t  sent[LENGTH];


static void
ask(ngx_uint_t rate, uint32_t estimate, uint32_t rtt_ms)
{
    uint16_t            seq;
    uint64_t            now;
    ngx_uint_t          due;
    ngx_webrtc_again_t  again;

    ngx_memzero(&again, sizeof(again));
    ngx_memzero(sent, sizeof(sent));

    again.filled_ms = 5000;
    seq = 65000;
    due = 0;

    for (now = 0; now < LENGTH; now++) {

        for (due += rate ? rate : 1000; due >= 1000; due -= 1000) {

            if (ngx_webrtc_again(&again, seq, PACKET, estimate, rtt_ms,
                                 now + 5000)
                == NGX_OK)
            {
                sent[now] += PACKET;
            }

            seq += (rate != 0);
        }
    }
}


/* most bytes within so many ms */

static uint32_t
most(ngx_uint_t window)
{
    uint32_t    sum, greatest;
    ngx_uint_t  i;

    sum = greatest = 0;

    for (i = 0; i < LENGTH; i++) {
        sum += sent[i];
        sum -= (i >= window) ? sent[i - window] : 0;
        greatest = ngx_max(greatest, sum);
    }

    return greatest;
}


int
main(void)
{
    uint32_t            part, burst;
    ngx_uint_t          i;
    ngx_webrtc_again_t  again;

    static const uint32_t  estimates[] = {
        30000, 100000, 500000, 2500000, 20000000, 100000000
    };

    for (i = 0; i < sizeof(estimates) / sizeof(estimates[0]); i++) {

        /* bytes per second, a quarter */

        part = estimates[i] / 8 / 4;
        burst = ngx_max(part / 4, NGX_WEBRTC_AGAIN_BURST);

        ask(50000, estimates[i], 40);

        tap_ok(most(LENGTH) <= part * (LENGTH / 1000) + burst,
               "%u bit/s: a quarter at most", (unsigned) estimates[i]);
        tap_ok(most(LENGTH) >= part * (LENGTH / 1000 * 9 / 10),
               "%u bit/s: and that much", (unsigned) estimates[i]);
        tap_ok(most(1000) <= part + burst, "%u bit/s: nor in any second",
               (unsigned) estimates[i]);
        tap_ok(most(1) <= burst, "%u bit/s: nor at once",
               (unsigned) estimates[i]);
    }

    /* few are asked for: all of them come */

    ask(10, 2500000, 40);
    tap_is_int(most(LENGTH), LENGTH / 100 * PACKET, "few: each of them");

    /* the same one, again and again: once per three quarters of a round trip */

    ask(0, 100000000, 400);
    tap_is_int(most(299), PACKET, "not twice within a round trip");
    tap_ok(most(LENGTH) >= LENGTH / 310 * PACKET, "but after it");

    /* times that wrap */

    ngx_memzero(&again, sizeof(again));
    again.filled_ms = 0xfff00000;
    again.mbytes = 5000 * PACKET;

    tap_is_int(ngx_webrtc_again(&again, 7, PACKET, 1000000, 400, 0xffffffff),
               NGX_OK, "at the end of 16 bits of ms");
    tap_is_int(ngx_webrtc_again(&again, 7, PACKET, 1000000, 400, 0x100000063),
               NGX_DECLINED, "100 ms later");
    tap_is_int(ngx_webrtc_again(&again, 7, PACKET, 1000000, 400, 0x100000190),
               NGX_OK, "400 ms later");

    /* copies: on a path that is long and loses packets */

    tap_is_int(ngx_webrtc_again_copies(0, 200), 1, "a long path: once");
    tap_is_int(ngx_webrtc_again_copies(1, 0), 1, "an unknown one: once");
    tap_is_int(ngx_webrtc_again_copies(1, 10), 1, "a short one: once");
    tap_is_int(ngx_webrtc_again_copies(2, 100), 2, "a long one with loss");

    /* and within the same quarter */

    ngx_memzero(&again, sizeof(again));
    again.filled_ms = 5000;

    for (i = 0, part = 0; i < 1000; i++) {
        part += ngx_webrtc_again(&again, i, PACKET, 1000000, 100, 5000 + i)
                == NGX_OK;
        part += ngx_webrtc_again_take(&again, PACKET, 1000000, 5000 + i)
                == NGX_OK;
    }

    tap_ok(part * PACKET <= 1000000 / 8 / 4 + NGX_WEBRTC_AGAIN_BURST,
           "copies count");
    tap_ok(part * PACKET >= 1000000 / 8 / 4 - PACKET, "and are not refused");

    return tap_done();
}
