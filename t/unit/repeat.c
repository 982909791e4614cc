
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_repeat: when sound is repeated, in virtual time; a report comes
 * each second.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"
#include "ngx_webrtc_repeat.h"


int
main(void)
{
    uint64_t             now;
    ngx_uint_t           i, s, n, first;
    ngx_webrtc_repeat_t  r;

    static const struct {
        const char  *name;
        ngx_uint_t   percent[3];     /* of ten seconds each */
        ngx_uint_t   n;              /* at the end, */
        ngx_uint_t   first;          /* and after the first ten */
    } t[] = {
        { "no loss", { 0, 0, 0 }, 0, 0 },
        { "1 %", { 1, 1, 1 }, 0, 0 },
        { "2 %", { 2, 2, 2 }, 0, 0 },
        { "5 %", { 5, 5, 5 }, 1, 1 },
        { "20 %", { 20, 20, 20 }, 2, 2 },
        { "all", { 100, 100, 100 }, 2, 2 },
        { "20 %, and then 4", { 20, 4, 4 }, 2, 2 },
        { "20 %, and then 1", { 20, 1, 1 }, 0, 2 },
        { "good for less than ten seconds", { 5, 0, 5 }, 1, 1 },
        { "good, and bad again", { 0, 0, 5 }, 1, 0 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        ngx_memzero(&r, sizeof(ngx_webrtc_repeat_t));

        n = first = 0;
        now = 1000;

        for (s = 0; s < 30; s++, now += 1000) {
            n = ngx_webrtc_repeat(&r, t[i].percent[s / 10] * 256 / 100, now);

            if (s == 9) {
                first = n;
            }
        }

        tap_is_int(first, t[i].first, "%s: after ten seconds", t[i].name);
        tap_is_int(n, t[i].n, "%s: after thirty", t[i].name);
    }

    /* one report of a burst is not yet a bad path */

    ngx_memzero(&r, sizeof(ngx_webrtc_repeat_t));

    tap_is_int(ngx_webrtc_repeat(&r, 10, 1000), 0, "a packet or two, once");
    tap_is_int(ngx_webrtc_repeat(&r, 26, 2000), 1, "10 %%: with the first");
    tap_is_int(ngx_webrtc_repeat(&r, 64, 3000), 2, "25 %%: two");

    return tap_done();
}
