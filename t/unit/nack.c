
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


static ngx_webrtc_nack_t  nack;


/*
 * Events: "5" packet 5 comes, "t30" it is 30 ms, "d7" drop what is before 7,
 * "p7" the same with a key frame wanted.  Asked after each "t": " 30:2,3",
 * "g3" given up up to 3, "pli".
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

            if (ngx_webrtc_nack_timeout(&nack, now, &tell) != NGX_OK) {
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
        { "often enough", 1, 900000, 0, "1 3 t10 t259 t260", " 10:2 260:2" },

        { "ten times", 1, 1000, 0,
          "1 3 t10 t30 t50 t70 t90 t110 t130 t150 t170 t190 t210 t230",
          " 10:2 30:2 50:2 70:2 90:2 110:2 130:2 150:2 170:2 190:2"
          " 210:g2pli" },
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
        run(t[i].in, out);
        tap_is_str(out, t[i].out, "%s", t[i].name);
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
        { 0, 310000 }, { 1000, 70000 }, { 100000, 385000 }, { 140000, 500000 }
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        ngx_webrtc_nack_init(&nack, 1);
        ngx_webrtc_nack_conf(&nack, t[i].rtt_us, 0);
        tap_is_int(ngx_webrtc_nack_hold(&nack), t[i].hold_us,
                   "hold with an RTT of %d us", (int) t[i].rtt_us);
    }

    ngx_webrtc_nack_init(&nack, 1);

    tap_is_int(ngx_webrtc_nack_received(&nack, 100, 0), NGX_OK, "first");
    tap_is_int(ngx_webrtc_nack_deadline(&nack), 0, "no deadline");
    tap_is_int(ngx_webrtc_nack_received(&nack, 105, 7000), NGX_AGAIN, "gap");
    tap_is_int(ngx_webrtc_nack_deadline(&nack), 17000, "deadline");
    tap_is_int(ngx_webrtc_nack_received(&nack, 101, 8000), NGX_OK, "late");
    tap_is_int(ngx_webrtc_nack_timeout(&nack, 17000, &tell), NGX_OK, "asked");
    tap_is_int(ngx_webrtc_nack_deadline(&nack), 117000, "next deadline");
    tap_is_int(ngx_webrtc_nack_received(&nack, 103, 60000), NGX_OK, "asked");
    tap_is_int(ngx_webrtc_nack_received(&nack, 103, 60000), NGX_OK, "twice");
    tap_is_int(ngx_webrtc_nack_received(&nack, 1, 60000), NGX_OK, "old");

    tap_ok(nack.missing == 4 && nack.asked == 3 && nack.recovered == 1
           && nack.late == 1 && nack.given_up == 0 && nack.n == 2, "counters");

    tap_is_int(ngx_webrtc_nack_timeout(&nack, 900000, &tell), NGX_OK, "told");
    tap_ok(tell.gone == 104 && tell.pli && tell.n == 0 && nack.given_up == 2
           && ngx_webrtc_nack_deadline(&nack) == 0, "given up");

    /* more than one call gives out */

    ngx_webrtc_nack_received(&nack, 106 + 200, 1000000);

    for (n = 0, i = 0; i < 4; i++) {
        ngx_webrtc_nack_timeout(&nack, 1010000, &tell);
        n += tell.n;

        if (i == 0) {
            tap_is_int(tell.n, NGX_WEBRTC_NACK_ASK, "a packet full");
            tap_ok(ngx_webrtc_nack_deadline(&nack) <= 1010000, "more is due");
        }
    }

    tap_is_int(n, 200, "all in four");
    tap_is_int(ngx_webrtc_nack_timeout(&nack, 1010000, &tell), NGX_DONE,
               "no more");

    /* another stream, whose numbers are below: nothing is told of the first */

    ngx_webrtc_nack_conf(&nack, 40000, 200000);
    ngx_webrtc_nack_renew(&nack);

    tap_is_int(ngx_webrtc_nack_timeout(&nack, 9000000, &tell), NGX_DONE,
               "anew: nothing is left");
    tap_is_int(ngx_webrtc_nack_received(&nack, 50, 2000000), NGX_OK,
               "anew: first");
    tap_is_int(ngx_webrtc_nack_received(&nack, 52, 2000000), NGX_AGAIN,
               "anew: gap");
    tap_is_int(ngx_webrtc_nack_timeout(&nack, 2010000, &tell), NGX_OK,
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
    test_counters();

    return tap_done();
}
