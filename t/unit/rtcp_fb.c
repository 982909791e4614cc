
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_rtcp_fb: transport-wide feedback, REMB, FIR, XR.  Packets named
 * "Chrome" are in the tests of pion's rtcp package, as captured, but for the P
 * bit and count of their padding, where ours is zero (draft, 3.1).
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_rtcp_fb.h>

#include "tap.h"
#include <peer.h>


#define LOST  NGX_WEBRTC_TWCC_LOST

/* us of a reference time */
#define REF(n)  ((int64_t) (n) * 64000)


typedef struct {
    const char  *name;
    const char  *hex;
    uint32_t     sender;
    uint32_t     media;
    uint16_t     base;
    uint8_t      feedback;
    ngx_uint_t   n;
    int64_t      us[16];
} twcc_row_t;


static const twcc_row_t  twcc_rows[] = {

    { "Chrome, one packet",
      "8fcd0005fa17fa1743032fa0009900013de8021720019400",
      0xfa17fa17, 0x43032fa0, 153, 23, 1, { REF(4057090) + 37000 } },

    { "Chrome, a run of small deltas",
      "8fcd0007fa17fa17193dd8bb00040007"
      "10636e0120074c242410" "0c0c1000" "0000",
      0xfa17fa17, 0x193dd8bb, 4, 1, 7,
      { REF(1074030) + 19000, REF(1074030) + 28000, REF(1074030) + 37000,
        REF(1074030) + 41000, REF(1074030) + 44000, REF(1074030) + 47000,
        REF(1074030) + 51000 } },

    { "Chrome, a vector of one bit",
      "8fcd0006fa17fa17193dd8bb0001000e10636d00ba00100c0c100000",
      0xfa17fa17, 0x193dd8bb, 1, 0, 14,
      { REF(1074029) + 4000, REF(1074029) + 7000, REF(1074029) + 10000, LOST,
        REF(1074029) + 14000, LOST, LOST, LOST, LOST, LOST, LOST, LOST, LOST,
        LOST } },

    /* 1 2 1 1 1 2: 11 01 10 01 01 01 10 00; 400 ticks, and one back */
    { "a vector of two bits",
      "8fcd0007fa17fa17193dd8bb0174000600000a40" "d958" "04" "0190" "010101"
      "ffff" "0000",
      0xfa17fa17, 0x193dd8bb, 372, 64, 6,
      { REF(10) + 1000, REF(10) + 101000, REF(10) + 101250, REF(10) + 101500,
        REF(10) + 101750, REF(10) + 101500 } },

    /* back by a tick */
    { "a negative delta, over the wrap of the number",
      "8fcd0006" "00000001" "00000002" "ffff0003" "00000a05"
      "d900" /* 01 10 01 ... */ "ff" "ffff" "00" "0000",
      1, 2, 65535, 5, 3,
      { REF(10) + 63750, REF(10) + 63500, REF(10) + 63500 } },

    { "lost first",
      "8fcd0005" "00000001" "00000002" "00100002" "00000100" "9000" "04" "00",
      1, 2, 16, 0, 2, { LOST, REF(1) + 1000 } },
};


static uint32_t  rnd_state = 1;


static uint32_t
rnd(void)
{
    rnd_state = rnd_state * 1664525 + 1013904223;

    return rnd_state >> 8;
}


static size_t
unhex(const char *hex, u_char *out)
{
    size_t  n;

    for (n = 0; hex[0] != '\0'; n++) {
        out[n] = (u_char) ngx_hextoi((u_char *) hex, 2);
        hex += 2;
    }

    return n;
}


/* a feedback packet to the reader; NULL: declined */

static ngx_webrtc_rtcp_fb_twcc_t *
parse(u_char *p, size_t n, ngx_webrtc_rtcp_twcc_t *twcc)
{
    ngx_webrtc_rtcp_t     rtcp;
    ngx_webrtc_rtcp_fb_t  fb;

    static ngx_webrtc_rtcp_fb_twcc_t  it;

    if (ngx_webrtc_rtcp_check(p, p + n) != NGX_OK
        || ngx_webrtc_rtcp_next(p, p + n, &rtcp) != p + n
        || rtcp.type != NGX_WEBRTC_RTCP_RTPFB
        || rtcp.count != NGX_WEBRTC_RTPFB_TWCC
        || ngx_webrtc_rtcp_parse_fb(&rtcp, &fb) != NGX_OK
        || ngx_webrtc_rtcp_parse_twcc(&fb, twcc) != NGX_OK
        || ngx_webrtc_rtcp_fb_twcc_init(&it, twcc) != NGX_OK)
    {
        return NULL;
    }

    return &it;
}


static void
test_rows(void)
{
    u_char                      want[64], got[64], *p;
    size_t                      n;
    int64_t                     us;
    uint16_t                    seq;
    ngx_uint_t                  i, k, written, received;
    const twcc_row_t           *t;
    ngx_webrtc_rtcp_twcc_t      twcc;
    ngx_webrtc_rtcp_fb_twcc_t  *it;

    for (i = 0; i < sizeof(twcc_rows) / sizeof(twcc_rows[0]); i++) {
        t = &twcc_rows[i];

        n = unhex(t->hex, want);
        want[3] = (u_char) (n / 4 - 1);

        memset(got, 0xaa, sizeof(got));
        written = 0;

        p = ngx_webrtc_rtcp_fb_write_twcc(got, got + sizeof(got), t->sender,
                                          t->media, t->base, t->feedback,
                                          t->us, t->n, &written);

        tap_is_mem(got, p ? p - got : 0, want, n, "%s: written", t->name);
        tap_is_int(written, t->n, "%s: statuses", t->name);

        it = parse(want, n, &twcc);

        if (!tap_ok(it != NULL, "%s: parsed", t->name)) {
            continue;
        }

        for (k = 0; ngx_webrtc_rtcp_fb_twcc_next(it, &seq, &received, &us)
                    == NGX_OK; k++)
        {
            if (seq != (uint16_t) (t->base + k)
                || received != (t->us[k] != LOST)
                || (received && us != t->us[k]))
            {
                break;
            }
        }

        tap_is_int(k, t->n, "%s: read", t->name);
    }
}


/* what no writer of ours makes; 20 bytes up to the chunks, then these */

static void
test_parse(void)
{
    u_char                      buf[64];
    size_t                      n;
    int64_t                     us;
    uint16_t                    seq;
    ngx_uint_t                  i, k, lost, received;
    ngx_webrtc_rtcp_twcc_t      twcc;
    ngx_webrtc_rtcp_fb_twcc_t  *it;

    static const struct {
        const char  *name;
        uint16_t     packets;
        const char  *hex;
        ngx_uint_t   received;            /* 99: declined */
    } t[] = {
        { "draft, 3.1.3: run of 221 lost", 221, "00dd0000", 0 },
        { "run longer than the count", 3, "00dd0000", 0 },
        { "draft, 3.1.4: one bit", 14, "9f1c" "0102030405060708" "0000", 8 },
        { "the same, cut by the count", 3, "9f1c" "0102", 2 },
        { "two bits", 7, "d955" "01000203040506070800", 7 },
        { "Chrome, two runs", 6, "40022004" "1ffe1f9ad000d000", 6 },
        { "a run of none", 1, "2000" "2001" "05000000", 1 },
        { "no chunk", 1, "", 99 },
        { "too few chunks", 15, "9f1c" "0000", 99 },
        { "too few deltas", 14, "9f1c" "010203040506", 99 },
        { "reserved run", 24, "60180000", 99 },
        { "reserved in a vector", 7, "cd500102" "03040506", 99 },
        { "reserved behind the count", 1, "cd500000", 0 },
        { "65535 lost", 65535, "1fff1fff1fff1fff1fff1fff1fff1fff00070000",
          0 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        n = unhex("8fcd0000" "00000001" "00000002" "fff0" "0000" "000001" "00",
                  buf);
        buf[14] = (u_char) (t[i].packets >> 8);
        buf[15] = (u_char) t[i].packets;
        n += unhex(t[i].hex, buf + n);
        buf[3] = (u_char) (n / 4 - 1);

        it = parse(buf, n, &twcc);

        if (it == NULL) {
            tap_is_int(99, t[i].received, "%s", t[i].name);
            continue;
        }

        lost = 0;
        k = 0;

        while (ngx_webrtc_rtcp_fb_twcc_next(it, &seq, &received, &us)
               == NGX_OK)
        {
            if (received) {
                k++;
            } else {
                lost++;
            }
        }

        tap_is_int(k, t[i].received, "%s", t[i].name);
        tap_is_int(k + lost, t[i].packets, "%s: in all", t[i].name);
    }
}


/* any pattern, any room: what is written is read back, and all of it */

static void
test_any(void)
{
    u_char                      *buf, *p;
    size_t                       room;
    int64_t                      us[1200], got, error;
    uint16_t                     seq;
    ngx_uint_t                   i, k, n, from, written, received, round, bad;
    ngx_webrtc_rtcp_twcc_t       twcc;
    ngx_webrtc_rtcp_fb_twcc_t   *it;

    bad = 0;

    for (round = 0; round < 2000 && !bad; round++) {

        n = 1 + rnd() % (round % 8 ? 60 : 1200);

        us[0] = (int64_t) 1 << 40;

        for (i = 1; i < n; i++) {
            us[i] = us[i - 1] + rnd() % 3000;

            switch (rnd() % (1 + round % 200)) {

            case 1:
                us[i] -= 40000;
                break;

            case 2:
                us[i] += 100000;
                break;

            case 3:
                us[i] += (round % 16) ? 0 : 9000000;
                break;
            }
        }

        for (i = 0; i + 1 < n; i++) {
            if (rnd() % 1000 < (round * 7) % 1000) {
                us[i] = LOST;
            }
        }

        for (from = 0; from < n && !bad; from += written) {

            room = NGX_WEBRTC_TWCC_MIN + rnd() % 400;
            buf = malloc(room);
            written = 0;

            p = ngx_webrtc_rtcp_fb_write_twcc(buf, buf + room, 1, 2,
                                              (uint16_t) from, 0, us + from,
                                              n - from, &written);

            it = p ? parse(buf, p - buf, &twcc) : NULL;

            if (it == NULL || written == 0 || written > n - from) {
                bad = 1;
                free(buf);
                break;
            }

            for (k = from; ngx_webrtc_rtcp_fb_twcc_next(it, &seq, &received,
                                                        &got)
                           == NGX_OK; k++)
            {
                /* 24 bits of 64 ms */

                error = received
                        ? (us[k] - got) % ((int64_t) 64000 << 24) : 0;

                if (seq != (uint16_t) k
                    || received != (us[k] != LOST)
                    || error < 0 || error >= 250)
                {
                    bad = 1;
                }
            }

            if (k != from + written) {
                bad = 1;
            }

            free(buf);
        }
    }

    tap_ok(!bad, "2000 patterns, round %d", (int) round);

    /* refusals */

    us[0] = LOST;
    us[1] = LOST;
    buf = malloc(64);

    tap_ok(ngx_webrtc_rtcp_fb_write_twcc(buf, buf + 64, 1, 2, 0, 0, us, 2,
                                         &written) == NULL, "nothing came");
    us[0] = 0;
    tap_ok(ngx_webrtc_rtcp_fb_write_twcc(buf, buf + 23, 1, 2, 0, 0, us, 2,
                                         &written) == NULL, "no room");
    tap_ok(ngx_webrtc_rtcp_fb_write_twcc(NULL, buf + 64, 1, 2, 0, 0, us, 2,
                                         &written) == NULL, "chained");
    tap_ok(ngx_webrtc_rtcp_fb_write_twcc(buf, buf + 24, 1, 2, 0, 0, us, 2,
                                         &written) == buf + 24
           && written == 2, "the least room");
    free(buf);
}


static void
test_other(void)
{
    u_char                   buf[128], want[128], *p;
    size_t                   n;
    uint8_t                  seq;
    uint32_t                 ssrc, ssrcs[2];
    uint64_t                 ntp;
    ngx_uint_t               i;
    ngx_webrtc_rtcp_t        rtcp;
    ngx_webrtc_rtcp_fb_t     fb;
    ngx_webrtc_rtcp_xr_t     xr;
    ngx_webrtc_rtcp_remb_t   remb;
    ngx_webrtc_rtcp_dlrr_t   dlrr[2], back;

    static const struct {
        uint64_t     bitrate;
        const char  *hex;
    } t[] = {
        /* as sent by Chrome, in pion's tests */
        { 8927168, "8fce00050000000100000000" "52454d42" "011a20df4874ed16" },
        /* one less: mantissa 139486 */
        { 8927167, "8fce00050000000100000000" "52454d42" "011a20de4874ed16" },
        { 0x3ffff, "8fce00050000000100000000" "52454d42" "0103ffff4874ed16" },
        { 0x40000, "8fce00050000000100000000" "52454d42" "010600004874ed16" },
        { (uint64_t) -1,
          "8fce00050000000100000000" "52454d42" "01bbffff4874ed16" },
    };

    ssrcs[0] = 1215622422;
    ssrcs[1] = 7;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        n = unhex(t[i].hex, want);
        p = ngx_webrtc_rtcp_fb_write_remb(buf, buf + 24, 1, t[i].bitrate,
                                          ssrcs, 1);
        tap_is_mem(buf, p ? p - buf : 0, want, n, "REMB %llu",
                   (unsigned long long) t[i].bitrate);
    }

    tap_ok(ngx_webrtc_rtcp_fb_write_remb(buf, buf + 27, 1, 1, ssrcs, 2)
           == NULL, "REMB without room");

    p = ngx_webrtc_rtcp_fb_write_remb(buf, buf + 28, 1, 3000000, ssrcs, 2);

    tap_ok(p != NULL && ngx_webrtc_rtcp_next(buf, p, &rtcp) == p
           && ngx_webrtc_rtcp_parse_fb(&rtcp, &fb) == NGX_OK
           && ngx_webrtc_rtcp_parse_remb(&fb, &remb) == NGX_OK
           && remb.nssrcs == 2 && remb.bitrate == 3000000, "REMB read back");

    /* RFC 5104, figure 4 */

    n = unhex("84ce0004" "01020304" "00000000" "0a0b0c0d" "2a000000", want);
    p = ngx_webrtc_rtcp_fb_write_fir(buf, buf + 20, 0x01020304, 0x0a0b0c0d,
                                     42);
    tap_is_mem(buf, p ? p - buf : 0, want, n, "FIR");

    tap_ok(ngx_webrtc_rtcp_next(buf, buf + 20, &rtcp) == buf + 20
           && ngx_webrtc_rtcp_parse_fb(&rtcp, &fb) == NGX_OK
           && ngx_webrtc_rtcp_parse_fir(&fb, 0, &ssrc, &seq) == NGX_OK
           && ssrc == 0x0a0b0c0d && seq == 42, "FIR read back");

    /* RFC 3611, 4.4 */

    n = unhex("80cf0004" "01020304" "04000002" "1122334455667788", want);
    p = ngx_webrtc_rtcp_fb_write_rrtr(buf, buf + 20, 0x01020304,
                                      0x1122334455667788);
    tap_is_mem(buf, p ? p - buf : 0, want, n, "RRTR");

    tap_ok(ngx_webrtc_rtcp_next(buf, buf + 20, &rtcp) == buf + 20
           && ngx_webrtc_rtcp_parse_xr(&rtcp, NULL, &ssrc, &xr) != NULL
           && ngx_webrtc_rtcp_parse_rrt(&xr, &ntp) == NGX_OK
           && ssrc == 0x01020304 && ntp == 0x1122334455667788,
           "RRTR read back");

    /* RFC 3611, 4.5 */

    dlrr[0].ssrc = 0xa;
    dlrr[0].lrr = 0x33445566;
    dlrr[0].dlrr = 0x10000;
    dlrr[1].ssrc = 0xb;
    dlrr[1].lrr = 0;
    dlrr[1].dlrr = 0;

    n = unhex("80cf0008" "00000001" "05000006" "0000000a" "33445566" "00010000"
              "0000000b" "00000000" "00000000", want);
    p = ngx_webrtc_rtcp_fb_write_dlrr(buf, buf + 36, 1, dlrr, 2);
    tap_is_mem(buf, p ? p - buf : 0, want, n, "DLRR");

    tap_ok(ngx_webrtc_rtcp_next(buf, buf + 36, &rtcp) == buf + 36
           && ngx_webrtc_rtcp_parse_xr(&rtcp, NULL, &ssrc, &xr) != NULL
           && ngx_webrtc_rtcp_parse_dlrr(&xr, 1, &back) == NGX_OK
           && back.ssrc == 0xb, "DLRR read back");

    tap_ok(ngx_webrtc_rtcp_fb_write_dlrr(buf, buf + 35, 1, dlrr, 2) == NULL
           && ngx_webrtc_rtcp_fb_write_dlrr(buf, buf + 36, 1, dlrr, 0)
              == NULL, "DLRR without room, and empty");
}


int
main(void)
{
    test_rows();
    test_parse();
    test_any();
    test_other();

    return tap_done();
}
