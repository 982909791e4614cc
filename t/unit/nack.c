
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_nack: tables of events with what is asked for.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include <ngx_webrtc_nack.h>

#include "tap.h"


static ngx_webrtc_nack_t        nack;
static ngx_webrtc_nack_t        other;
static ngx_webrtc_nack_share_t  share;


/*
 * Events: "5" packet 5 comes, "t30" it is 30 ms, "d7" drop what is before 7,
 * "p7" the same with a key frame wanted, "a9" 9 packets of other tracks come.
 * Asked after each "t": " 30:2,3", "g3" given up up to 3, "pli".
 */

static void
run(const char *in, char *out)
{
    char                    line[256], *p;
    uint64_t                now, base;
    ngx_uint_t              i;
    ngx_webrtc_nack_tell_t  tell;

    base = 0x10000;
    now = 1000000;

    strcpy(line, in);
    *out = '\0';

    for (p = strtok(line, " "); p; p = strtok(NULL, " ")) {

        switch (*p) {

        case 't':
            now = 1000000 + atoi(p + 1) * 1000;

            if (ngx_webrtc_nack_timeout(&nack, &share, now, &tell) != NGX_OK) {
                break;
            }

            out += sprintf(out, " %s:", p + 1);

            for (i = 0; i < tell.n; i++) {
                out += sprintf(out, i ? ",%d" : "%d", tell.seqs[i]);
            }

            if (tell.gone) {
                out += sprintf(out, "g%d", (int) (uint16_t) tell.gone);
            }

            if (tell.pli) {
                out += sprintf(out, "pli");
            }

            break;

        case 'a':
            for (i = atoi(p + 1); i > 0; i--) {
                ngx_webrtc_nack_share_received(&share, &other, 1, 1, 0, 90000,
                                               now);
            }

            break;

        case 'n':
            now = 1000000 + atoi(p + 1) * 1000;
            ngx_webrtc_nack_abandon(&nack, now);
            break;

        case 'd':
        case 'p':
            ngx_webrtc_nack_drop(&nack, base + atoi(p + 1), *p == 'p');
            break;

        default:
            (void) ngx_webrtc_nack_received(&nack, base + atoi(p), now);
        }
    }
}


static void
test_table(void)
{
    char        out[512];
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        ngx_uint_t   video;
        uint32_t     rtt_us;
        uint64_t     age_us;
        const char  *in;
        const char  *out;
    } t[] = {
        { "nothing missing", 1, 0, 0, "1 2 3 t100", "" },
        { "not at once", 1, 0, 0, "1 3 t9", "" },
        { "a little later", 1, 0, 0, "1 3 t10", " 10:2" },
        { "only late", 1, 0, 0, "1 3 t5 2 t10 t500", "" },
        { "several", 1, 0, 0, "1 5 7 t10", " 10:2,3,4,6" },
        { "found later, asked later", 1, 0, 0, "1 3 t5 5 t10 t15",
          " 10:2 15:4" },
        { "comes after it was asked for", 1, 0, 0, "1 3 t10 2 t600",
          " 10:2" },
        { "over the wrap", 1, 0, 0, "65534 65538 t10", " 10:65535,0,1" },

        /* 125 % of the round trip, 20 to 250 ms; 100 ms without */
        { "again after 100 ms", 1, 0, 0, "1 3 t10 t109 t110", " 10:2 110:2" },
        { "again by RTT", 1, 40000, 0, "1 3 t10 t59 t60 t110",
          " 10:2 60:2 110:2" },
        { "not too often", 1, 1000, 0, "1 3 t10 t29 t30", " 10:2 30:2" },
        { "and less often each time", 1, 1000, 0,
          "1 3 t10 t29 t30 t69 t70 t149 t150 t249 t250",
          " 10:2 30:2 70:2 150:2 250:2" },
        { "often enough", 1, 900000, 0, "1 3 t10 t259 t260", " 10:2 260:2" },

        { "ten times", 1, 1000, 2000000,
          "1 3 t10 t30 t70 t150 t250 t350 t450 t550 t650 t750 t850 t950",
          " 10:2 30:2 70:2 150:2 250:2 350:2 450:2 550:2 650:2 750:2"
          " 850:g2pli" },
        { "audio wants no key frame", 0, 200000, 0, "1 3 t10 t260 t500",
          " 10:2 260:2 500:g2" },
        { "by age, to the point", 1, 0, 150000, "1 3 t10 t110 t149 t150",
          " 10:2 110:2 150:g2pli" },
        { "by age, untold before", 1, 0, 150000, "1 3 t400", " 400:g2pli" },
        { "given up with what is before", 1, 0, 150000,
          "1 3 t100 6 t110 t151", " 100:2 110:4,5 151:g2pli" },
        { "told once", 1, 0, 150000, "1 3 t400 t401", " 400:g2pli" },

        { "dropped", 1, 0, 0, "1 3 6 d5 t10", " 10:5" },
        { "dropped all", 1, 0, 0, "1 3 6 d99 t10", "" },
        { "dropped, key frame wanted", 1, 0, 0, "1 3 6 p5 t1 t10",
          " 1:pli 10:5" },
        { "nothing to drop", 1, 0, 0, "1 2 3 p3 t10", "" },
        { "dropped on audio", 0, 0, 0, "1 3 6 p5 t1 t10", " 10:5" },

        { "abandoned", 1, 0, 0, "1 3 6 n10 t10 7 9 t20", " 10:g5 20:8" },
        { "not those that may be late", 1, 0, 0, "1 3 6 n9 t10", " 10:2,4,5" },
        { "nor those that are on their way", 1, 0, 0,
          "1 3 t10 n110 t110 t130", " 10:2 130:2" },
        { "which others take along", 1, 0, 0, "1 3 t10 5 n110 t110",
          " 10:2 110:g4" },
        { "abandoned, and a key frame is wanted for others", 1, 0, 0,
          "1 3 p3 5 n10 t10", " 10:g4pli" },
        { "nothing to abandon", 1, 0, 0, "1 2 n10 t10", "" },

        { "hopeless gap", 1, 0, 0, "1 259 t0", " 0:g258pli" },
        { "just not hopeless", 1, 0, 100000, "1 258 t0 d250 t10",
          " 10:250,251,252,253,254,255,256,257" },
        { "hopeless with others before", 1, 0, 0, "1 3 300 t0",
          " 0:g299pli" },
        { "list full", 0, 0, 0, "1 201 301 t0 d297 t10",
          " 0:g43 10:297,298,299,300" },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        ngx_webrtc_nack_init(&nack, t[i].video);
        ngx_webrtc_nack_conf(&nack, t[i].rtt_us, t[i].age_us);
        ngx_webrtc_nack_share_init(&share);
        run(t[i].in, out);
        tap_is_str(out, t[i].out, "%s", t[i].name);
    }
}


/* what may be requested while packets queue is a share of what comes */

static void
test_share(void)
{
    char        out[512];
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        ngx_uint_t   video;
        const char  *in;
        const char  *out;
    } t[] = {
        { "8 packets always", 1, "1 12 t10 t29",
          " 10:2,3,4,5,6,7,8,9" },
        { "the rest when others have come", 1, "1 12 t10 t29 a2 t30 a2 t50",
          " 10:2,3,4,5,6,7,8,9 30:10 50:11" },
        { "not those that have to wait for it", 1, "1 13 t10 a3 t30 a1 t50",
          " 10:2,3,4,5,6,7,8,9 30:10 50:11" },
        { "half of what has come", 1, "a24 1 20 t10",
          " 10:2,3,4,5,6,7,8,9,10,11,12,13" },
        { "in the last 100 ms", 1, "a60 t100 a1 t200 a1 t300 a1 1 20 t310",
          " 310:2,3,4,5,6,7,8,9" },
        { "sound", 0, "1 12 t10", " 10:2,3,4,5,6,7,8,9,10,11" },

        { "video: nothing else comes", 1, "1 30 t10 t99 t100",
          " 10:2,3,4,5,6,7,8,9 100:g29pli" },
        { "those first that others wait for", 1,
          "1 30 t10 a20 t110 a20 t210 2 3 4 5 6 7 8 9 a20 t310",
          " 10:2,3,4,5,6,7,8,9 110:2,3,4,5,6,7,8,9,10,11"
          " 210:2,3,4,5,6,7,8,9,10,11"
          " 310:10,11,12,13,14,15,16,17,18,19" },
        { "one second's, of which a tenth comes", 1,
          "a27 t50 a3 1 201 t60 t149 a3 t150",
          " 60:2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"
          " 149:17 150:g200pli" },
        { "a tenth of a second without anything", 1,
          "a27 t200 1 29 t210 a2 t220 a2 t240 a10 t300",
          " 210:2,3,4,5,6,7,8,9,10,11,12,13,14 240:15,16"
          " 300:17,18,19,20,21,22" },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        ngx_webrtc_nack_init(&nack, t[i].video);
        ngx_webrtc_nack_share_init(&share);
        share.queued_us = 1000000;
        run(t[i].in, out);
        tap_is_str(out, t[i].out, "share: %s", t[i].name);
    }
}


/* do packets queue, by the times that they take? */

static void
test_queue(void)
{
    char        line[256], *p;
    int         ms, at, n;
    ngx_uint_t  i;

    ngx_webrtc_nack_tell_t  tell;

    /* "at:ms": when it comes, and how long it took, by some clock */

    static const struct {
        const char  *name;
        const char  *in;
        int          queues;             /* ms, when they did last; 0: never */
    } t[] = {
        { "as long as ever", "1:50 2:50 3:50", 0 },
        { "a little longer", "1:50 2:149 3:50", 0 },
        { "they wait", "1:50 2:150 3:50", 2 },
        { "than the fastest of those", "1:100 2:50 3:100 4:150", 4 },
        { "before zero", "1:-50 2:40 3:50", 3 },
        { "where the clock wraps", "1:47721850 2:47721950", 2 },
        { "for good: another path, behind 5 to 10 s",
          "1:50 2:200 5100:200 9900:200 10200:200 10300:200", 9900 },
        { "but not before", "1:50 2:200 5100:200 10000:200", 10000 },
        { "another clock", "1:50 2:20000 3:20000 4:20099", 0 },
        { "on which they wait, too", "1:50 2:20000 3:20000 4:20100", 4 },
        { "of a frame the first packet counts", "1:50 2:50 2:150 3:50", 0 },
        { "and none of a frame that is shown before",
          "1:50 40:50 20:190 60:50", 0 },
        { "one that is behind", "1:20000 2:50 3:150", 3 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        ngx_webrtc_nack_init(&nack, 1);
        ngx_webrtc_nack_share_init(&share);
        strcpy(line, t[i].in);

        for (p = strtok(line, " "); p; p = strtok(NULL, " ")) {
            at = atoi(p);
            ms = atoi(strchr(p, ':') + 1);
            ngx_webrtc_nack_share_received(&share, &nack, (uint64_t) at,
                                           (uint32_t) at * 90,
                                           (int32_t) ((uint32_t) ms * 90),
                                           90000, (uint64_t) at * 1000);
        }

        n = (int) (share.queued_us / 1000);
        tap_is_int(n, t[i].queues, "queue: %s", t[i].name);
    }

    /* of any packet */

    ngx_webrtc_nack_init(&nack, 1);
    ngx_webrtc_nack_share_init(&share);

    for (i = 0; i < 4; i++) {
        ngx_webrtc_nack_share_received(&share, &nack, i + 1, 90,
                                       (int32_t) (i * 40 * 90), 90000,
                                       1000000 + i * 40000);
        ngx_webrtc_nack_received(&nack, i + 1, 1000000 + i * 40000);
        tap_is_int(share.queue_us, i * 40000, "queue: packet %d", (int) i);
    }

    ngx_webrtc_nack_share_received(&share, &nack, 2, 90, 0, 90000, 1200000);
    tap_is_int(share.queue_us, NGX_WEBRTC_NACK_UNKNOWN,
               "queue: unknown of one that is sent again");

    /* all is requested when they do not */

    for (i = 0; i < 2; i++) {
        ngx_webrtc_nack_init(&nack, 1);
        ngx_webrtc_nack_share_init(&share);
        share.queued_us = i ? 500000 : 500001;
        ngx_webrtc_nack_received(&nack, 1, 990000);
        ngx_webrtc_nack_received(&nack, 60, 990000);
        (void) ngx_webrtc_nack_timeout(&nack, &share, 1000000, &tell);
        tap_is_int(tell.n, i ? 58 : 8, "queue: half a second ago: %d", (int) i);
    }
}


static void
test_counters(void)
{
    ngx_uint_t              i, n;
    ngx_webrtc_nack_tell_t  tell;

    static const struct {
        uint32_t  rtt_us;
        uint64_t  hold_us;
    } t[] = {
        { 0, 310000 }, { 1000, 90000 }, { 100000, 385000 }, { 140000, 500000 }
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        ngx_webrtc_nack_init(&nack, 1);
        ngx_webrtc_nack_conf(&nack, t[i].rtt_us, 0);
        tap_is_int(ngx_webrtc_nack_hold(&nack), t[i].hold_us,
                   "hold with an RTT of %d us", (int) t[i].rtt_us);
    }

    ngx_webrtc_nack_init(&nack, 1);
    ngx_webrtc_nack_share_init(&share);

    tap_is_int(ngx_webrtc_nack_received(&nack, 100, 0), NGX_OK, "first");
    tap_is_int(ngx_webrtc_nack_deadline(&nack), 0, "no deadline");
    tap_is_int(ngx_webrtc_nack_received(&nack, 105, 7000), NGX_AGAIN, "gap");
    tap_is_int(ngx_webrtc_nack_deadline(&nack), 17000, "deadline");
    tap_is_int(ngx_webrtc_nack_received(&nack, 101, 8000), NGX_OK, "late");
    tap_is_int(ngx_webrtc_nack_timeout(&nack, &share, 17000, &tell), NGX_OK,
               "asked");
    tap_is_int(ngx_webrtc_nack_deadline(&nack), 117000, "next deadline");
    tap_is_int(ngx_webrtc_nack_received(&nack, 103, 60000), NGX_OK, "asked");
    tap_is_int(ngx_webrtc_nack_received(&nack, 103, 60000), NGX_OK, "twice");
    tap_is_int(ngx_webrtc_nack_received(&nack, 1, 60000), NGX_OK, "old");

    tap_ok(nack.missing == 4 && nack.asked == 3 && nack.recovered == 1
           && nack.late == 1 && nack.given_up == 0 && nack.n == 2, "counters");

    tap_is_int(ngx_webrtc_nack_timeout(&nack, &share, 900000, &tell), NGX_OK,
               "told");
    tap_ok(tell.gone == 104 && tell.pli && tell.n == 0 && nack.given_up == 2
           && ngx_webrtc_nack_deadline(&nack) == 0, "given up");

    /* more than one call gives out */

    ngx_webrtc_nack_received(&nack, 106 + 200, 1000000);

    for (n = 0, i = 0; i < 4; i++) {
        ngx_webrtc_nack_timeout(&nack, &share, 1010000, &tell);
        n += tell.n;

        if (i == 0) {
            tap_is_int(tell.n, NGX_WEBRTC_NACK_ASK, "a packet full");
            tap_ok(ngx_webrtc_nack_deadline(&nack) <= 1010000, "more is due");
        }
    }

    tap_is_int(n, 200, "all in four");
    tap_is_int(ngx_webrtc_nack_timeout(&nack, &share, 1010000, &tell), NGX_DONE,
               "no more");

    /* another stream, whose numbers are below: nothing is told of the first */

    ngx_webrtc_nack_conf(&nack, 40000, 200000);
    ngx_webrtc_nack_renew(&nack);

    tap_is_int(ngx_webrtc_nack_timeout(&nack, &share, 9000000, &tell), NGX_DONE,
               "anew: nothing is left");
    tap_is_int(ngx_webrtc_nack_received(&nack, 50, 2000000), NGX_OK,
               "anew: first");
    tap_is_int(ngx_webrtc_nack_received(&nack, 52, 2000000), NGX_AGAIN,
               "anew: gap");
    tap_is_int(ngx_webrtc_nack_timeout(&nack, &share, 2010000, &tell), NGX_OK,
               "anew: asked");
    tap_is_int(ngx_webrtc_nack_deadline(&nack), 2060000,
               "anew: the round trip is known");
    tap_ok(tell.n == 1 && tell.seqs[0] == 51 && nack.given_up == 202,
           "anew: for what is missing");
}


int
main(void)
{
    test_table();
    test_share();
    test_queue();
    test_counters();

    return tap_done();
}
