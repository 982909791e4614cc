
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_twcc: when reports are made and what they say, read back by
 * ngx_webrtc_rtcp_fb (whose test has packets from elsewhere).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include <ngx_webrtc_rtcp_fb.h>
#include <ngx_webrtc_twcc.h>

#include "tap.h"
#include <peer.h>


static ngx_webrtc_twcc_t  tw;


/* "#0 10:1 11:- 12:3" feedback number, statuses with ms from 1 s on */

static char *
read_back(u_char *p, u_char *end, char *out)
{
    int64_t                     us;
    uint16_t                    seq;
    ngx_uint_t                  received;
    ngx_webrtc_rtcp_t           rtcp;
    ngx_webrtc_rtcp_fb_t        fb;
    ngx_webrtc_rtcp_twcc_t      twcc;
    ngx_webrtc_rtcp_fb_twcc_t   it;

    if (ngx_webrtc_rtcp_next(p, end, &rtcp) != end
        || ngx_webrtc_rtcp_parse_fb(&rtcp, &fb) != NGX_OK
        || fb.sender != 7 || fb.media != 9
        || ngx_webrtc_rtcp_parse_twcc(&fb, &twcc) != NGX_OK
        || ngx_webrtc_rtcp_fb_twcc_init(&it, &twcc) != NGX_OK)
    {
        return out + sprintf(out, " bad");
    }

    out += sprintf(out, " #%d", twcc.feedback);

    while (ngx_webrtc_rtcp_fb_twcc_next(&it, &seq, &received, &us) == NGX_OK) {

        if (received) {
            out += sprintf(out, " %d:%d", seq, (int) (us / 1000 - 1000));

        } else {
            out += sprintf(out, " %d:-", seq);
        }
    }

    return out;
}


static void
test_table(void)
{
    char         line[256], out[16384], *p, *o;
    u_char       buf[1200], *q;
    uint64_t     now;
    ngx_uint_t   i;

    /* "5" packet 5 comes, 1 ms later the next one; "t100": it is 100 ms */

    static const struct {
        const char  *name;
        const char  *in;
        const char  *out;
    } t[] = {
        { "nothing", "t500", "" },
        { "not yet", "5 6 t99", "" },
        { "two", "5 6 t100", " #0 5:0 6:1" },
        { "a lost one", "5 7 t100", " #0 5:0 6:- 7:1" },
        { "reordered", "5 7 6 t100", " #0 5:0 6:2 7:1" },
        { "duplicate", "5 6 5 6 t100", " #0 5:0 6:1" },
        { "over the wrap", "65535 0 1 t100", " #0 65535:0 0:1 1:2" },
        { "before the first one", "5 4 t100", " #0 4:1 5:0" },
        { "two reports", "5 6 t100 7 t199 t200", " #0 5:0 6:1 #1 7:100" },
        { "lost between reports", "5 t100 8 t200",
          " #0 5:0 #1 6:- 7:- 8:100" },
        { "late after it was told", "5 7 t100 6 t200",
          " #0 5:0 6:- 7:1 #1 6:100 7:1" },
        { "nothing new", "5 6 t100 t200 t300", " #0 5:0 6:1" },
        { "after a pause at once", "5 t100 t900 6 t900", " #0 5:0 #1 6:900" },
        { "many are told sooner",
          "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 t49 t50",
          " #0 1:0 2:1 3:2 4:3 5:4 6:5 7:6 8:7 9:8 10:9 11:10 12:11 13:12 14:13"
          " 15:14 16:15 17:16 18:17 19:18 20:19" },
        { "a jump", "5 3000 t100", " #0 3000:1" },
        { "from far back", "5 6 60000 t100", " #0 5:0 6:1" },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        ngx_webrtc_twcc_init(&tw, 7);

        now = 1000000;
        o = out;
        *o = '\0';

        strcpy(line, t[i].in);

        for (p = strtok(line, " "); p; p = strtok(NULL, " ")) {

            if (*p != 't') {
                ngx_webrtc_twcc_input(&tw, (uint16_t) atoi(p), 9, now);
                now += 1000;
                continue;
            }

            now = 1000000 + atoi(p + 1) * 1000;

            for ( ;; ) {
                q = ngx_webrtc_twcc_write(&tw, buf, buf + sizeof(buf), now);

                if (q == buf) {
                    break;
                }

                o = read_back(buf, q, o);
            }
        }

        tap_is_str(out, t[i].out, "%s", t[i].name);
    }
}


static void
test_many(void)
{
    u_char                      buf[1200], *q;
    int64_t                     us;
    uint16_t                    seq, next;
    uint64_t                    now;
    ngx_uint_t                  i, n, received, reports, room;
    ngx_webrtc_rtcp_t           rtcp;
    ngx_webrtc_rtcp_fb_t        fb;
    ngx_webrtc_rtcp_twcc_t      twcc;
    ngx_webrtc_rtcp_fb_twcc_t   it;

    ngx_webrtc_twcc_init(&tw, 7);

    tap_is_int(ngx_webrtc_twcc_deadline(&tw), 0, "no deadline");

    /* each tenth lost, in any room: each number told once and in order */

    now = 1000000;
    n = 0;
    next = 60000;
    reports = 0;

    for (i = 0; i < 20000; i++) {
        now += (i % 1000 == 999) ? 20000 : 100;

        if (i % 10 != 5) {
            ngx_webrtc_twcc_input(&tw, (uint16_t) (60000 + i), 9, now);
        }

        room = 24 + i % 1000;

        q = ngx_webrtc_twcc_write(&tw, buf, buf + room, now);

        if (q == buf) {
            continue;
        }

        if (ngx_webrtc_rtcp_next(buf, q, &rtcp) != q
            || ngx_webrtc_rtcp_parse_fb(&rtcp, &fb) != NGX_OK
            || ngx_webrtc_rtcp_parse_twcc(&fb, &twcc) != NGX_OK
            || twcc.feedback != (uint8_t) reports
            || ngx_webrtc_rtcp_fb_twcc_init(&it, &twcc) != NGX_OK)
        {
            break;
        }

        reports++;

        while (ngx_webrtc_rtcp_fb_twcc_next(&it, &seq, &received, &us)
               == NGX_OK)
        {
            if (seq != next || received != ((n % 10) != 5)) {
                i = 99999;
                break;
            }

            next++;
            n++;
        }
    }

    tap_is_int(i, 20000, "20000 packets in %d reports", (int) reports);
    tap_ok(n > 19000 && tw.lost == n / 10 + (n % 10 > 5)
           && tw.reports == reports,
           "%d told, %d lost", (int) n, (int) tw.lost);

    /* half a window is told at once, whatever the time */

    ngx_webrtc_twcc_init(&tw, 7);

    for (i = 0; i < NGX_WEBRTC_TWCC_WINDOW / 2; i++) {
        ngx_webrtc_twcc_input(&tw, (uint16_t) i, 9, 1000000);
    }

    tap_is_int(ngx_webrtc_twcc_deadline(&tw), 1050000, "not yet half");
    ngx_webrtc_twcc_input(&tw, (uint16_t) i, 9, 1000000);
    tap_is_int(ngx_webrtc_twcc_deadline(&tw), 1, "half a window");

    /* and nothing breaks when nobody asks */

    for (i = 0; i < 5000; i++) {
        ngx_webrtc_twcc_input(&tw, (uint16_t) (i * 3), 9, 1000000 + i);
    }

    tap_ok(tw.highest - tw.first < NGX_WEBRTC_TWCC_WINDOW, "bounded");
    tap_ok(ngx_webrtc_twcc_write(&tw, buf, buf + 23, 2000000) == buf,
           "no room");
}


int
main(void)
{
    test_table();
    test_many();

    return tap_done();
}
