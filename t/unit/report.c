
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTP statistics; the RTT example is that of RFC 3550, 6.4.1.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_report.h>

#include <tap.h>


static void
test_rtt(void)
{
    uint32_t    rtt;
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        uint32_t     now;
        uint32_t     lsr;
        uint32_t     dlsr;
        ngx_int_t    rc;
        uint32_t     us;
    } t[] = {
        /* RFC 3550, figure 2: A 0xb710:8000, DLSR 0x0005:4000, LSR
         * 0xb705:2000, delay 0x0006:2000 = 6.125 s */
        { "RFC 3550, figure 2", 0xb7108000, 0xb7052000, 0x00054000, NGX_OK,
          6125000 },
        { "no SR so far", 0xb7108000, 0, 0, NGX_DECLINED, 0 },
        { "over the wrap", 0x00000100, 0xffffff00, 0x100, NGX_OK, 3906 },
        { "zero is at least 1", 0x1000, 0x0f00, 0x100, NGX_OK, 1 },
        { "negative", 0x1000, 0x0f00, 0x101, NGX_DECLINED, 0 },
        { "60 s", 0x1000 + (60 << 16), 0x1000, 0, NGX_OK, 60000000 },
        { "beyond", 0x1001 + (60 << 16), 0x1000, 0, NGX_DECLINED, 0 },
        { "hostile", 0x1000, 0xffffffff, 0xffffffff, NGX_OK, 62530 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        rtt = 0;
        tap_is_int(ngx_webrtc_report_rtt(t[i].now, t[i].lsr, t[i].dlsr, &rtt),
                   t[i].rc, "%s", t[i].name);
        tap_is_int(rtt, t[i].us, "%s: us", t[i].name);
    }
}


static void
test_out(void)
{
    ngx_uint_t               i;
    ngx_webrtc_rtcp_sr_t     sr;
    ngx_webrtc_report_out_t  out;
    ngx_webrtc_rtcp_block_t  block;

    memset(&out, 0, sizeof(out));

    out.packets = 0xffffffff;
    ngx_webrtc_report_sent(&out, 1000);
    ngx_webrtc_report_sent(&out, 0);

    ngx_webrtc_report_sr(&out, 7, 0x0123456789abcdef, 99, &sr);
    tap_ok(sr.ssrc == 7 && sr.ntp == 0x0123456789abcdef && sr.rtp == 99
           && sr.packets == 1 && sr.octets == 1000, "SR");

    memset(&block, 0, sizeof(block));
    block.fraction = 64;
    block.lost = -3;
    block.jitter = 12;
    block.highest = 0x10005;

    tap_is_int(ngx_webrtc_report_block(&out, &block, 0x20000), NGX_AGAIN,
               "block without LSR");
    tap_ok(out.reported && out.fraction == 64 && out.lost == -3
           && out.jitter == 12 && out.highest == 0x10005 && out.rtt_us == 0,
           "its figures");

    block.lsr = 0x10000;
    block.dlsr = 0xe000;
    tap_is_int(ngx_webrtc_report_block(&out, &block, 0x20000), NGX_OK,
               "block with LSR");
    tap_is_int(out.rtt_us, 125000, "first RTT");

    block.dlsr = 0xf000;

    for (i = 0; i < 100; i++) {
        ngx_webrtc_report_block(&out, &block, 0x20000);
    }

    tap_is_int(out.rtt_last_us, 62500, "last RTT");
    tap_ok(out.rtt_us >= 62500 && out.rtt_us < 62520, "smoothed RTT %d",
           (int) out.rtt_us);
}


static void
test_in(void)
{
    ngx_uint_t               i;
    ngx_webrtc_rtcp_sr_t     sr;
    ngx_webrtc_report_in_t   in;
    ngx_webrtc_rtcp_block_t  block;

    ngx_webrtc_report_in_init(&in, 90000);

    tap_is_int(ngx_webrtc_report_in_block(&in, 1, 0, &block), NGX_DECLINED,
               "nothing received");

    /* 100 packets, each tenth lost, in time */

    for (i = 0; i < 100; i++) {
        if (i % 10 != 5) {
            ngx_webrtc_report_received(&in, 65500 + i,
                                       (uint32_t) (0xfffff000 + i * 900),
                                       1700000000000000 + i * 10000);
        }
    }

    tap_is_int(ngx_webrtc_report_in_block(&in, 1, 0, &block), NGX_OK, "block");
    tap_is_int(block.ssrc, 1, "SSRC");
    tap_is_int(block.lost, 10, "lost");
    tap_is_int(block.fraction, 25, "fraction: 10 of 100 of 256");
    tap_is_int(block.highest, 65599, "extended highest sequence number");
    tap_is_int(block.jitter, 0, "no jitter");
    tap_ok(block.lsr == 0 && block.dlsr == 0, "no SR");

    /* nothing since then */

    ngx_webrtc_report_in_block(&in, 1, 0, &block);
    tap_is_int(block.fraction, 0, "empty interval");
    tap_is_int(block.lost, 10, "lost in all");

    /* five of the lost ones come late: a negative loss of the interval */

    for (i = 5; i < 50; i += 10) {
        ngx_webrtc_report_received(&in, 65500 + i, 0, 1700000000000000);
    }

    ngx_webrtc_report_received(&in, 65600, 0, 1700000000000000);
    ngx_webrtc_report_in_block(&in, 1, 0, &block);
    tap_is_int(block.fraction, 0, "late packets: no negative fraction");
    tap_is_int(block.lost, 5, "late packets are not lost");

    /* all lost but the last of many */

    ngx_webrtc_report_received(&in, 65600 + 10000000, 0, 1700000000000000);
    ngx_webrtc_report_in_block(&in, 1, 0, &block);
    tap_is_int(block.fraction, 255, "fraction is at most 255");
    tap_is_int(block.lost, 0x7fffff, "lost is at most 2^23 - 1");

    /* duplicates make it negative */

    ngx_webrtc_report_in_init(&in, 48000);

    for (i = 0; i < 10; i++) {
        ngx_webrtc_report_received(&in, 100 + i / 5, 0, 0);
    }

    ngx_webrtc_report_in_block(&in, 1, 0, &block);
    tap_is_int(block.lost, -8, "duplicates");

    /* the first packet was not the first */

    ngx_webrtc_report_in_init(&in, 48000);
    ngx_webrtc_report_received(&in, 101, 0, 0);
    ngx_webrtc_report_received(&in, 100, 0, 0);
    ngx_webrtc_report_in_block(&in, 1, 0, &block);
    tap_is_int(block.lost, 0, "reordered at the start");

    /* RFC 3550, A.8 with a constant |D| of 160 goes towards it */

    ngx_webrtc_report_in_init(&in, 8000);

    for (i = 0; i < 1000; i++) {
        ngx_webrtc_report_received(&in, i, (uint32_t) (i * 160),
                                   i * 20000 + ((i & 1) ? 20000 : 0));
    }

    ngx_webrtc_report_in_block(&in, 1, 0, &block);
    tap_ok(block.jitter >= 159 && block.jitter <= 160, "jitter %d",
           (int) block.jitter);

    /* a jump of the clock is not jitter */

    ngx_webrtc_report_received(&in, 1000, 0x80000000, 20000000);
    ngx_webrtc_report_in_block(&in, 1, 0, &block);
    tap_ok(block.jitter <= 160, "nor a jump");

    /* LSR, DLSR */

    sr.ntp = 0x1111b7052000ffff;
    ngx_webrtc_report_in_sr(&in, &sr, 1000000);
    ngx_webrtc_report_in_block(&in, 1, 1000000 + 5250000, &block);
    tap_is_int(block.lsr, 0xb7052000, "LSR");
    tap_is_int(block.dlsr, 0x00054000, "DLSR: 5.25 s");

    ngx_webrtc_report_in_block(&in, 1, 0, &block);
    tap_is_int(block.dlsr, 0, "DLSR is not negative");
}


int
main(void)
{
    test_rtt();
    test_out();
    test_in();

    return tap_done();
}
