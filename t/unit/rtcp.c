
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_rtcp: readers and writers.  Packets named "aiortc" were made by
 * aiortc 1.4's serializer, the others by hand from the RFCs.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_rtcp.h>

#include "tap.h"
#include <peer.h>


#define SR0  "80c80006 12345678 e5d3a1b2c3d4e5f6 fffffff0 000003e8 0010c8e0"

#define BLOCK1                                                                \
    "11223344 0cfffffb 0002ffff 0000004d a1b2c3d4 00010000"

#define BLOCK2                                                                \
    "55667788 ff011170 00000009 00000000 00000000 00000000"

#define SR2                                                                   \
    "82c80012 12345678 e5d3a1b2c3d4e5f6 fffffff0 000003e8 0010c8e0 "          \
    BLOCK1 " " BLOCK2

#define REMB(rate)                                                            \
    "8fce0006 00000001 00000000 52454d42 " rate " 96be96cf 00000007"


static size_t
unhex(const char *hex, u_char *out)
{
    size_t  n;

    for (n = 0; hex[0] != '\0'; n++) {

        if (hex[0] == ' ') {
            hex++;
        }

        out[n] = (u_char) ngx_hextoi((u_char *) hex, 2);
        hex += 2;
    }

    return n;
}


static void
is_hex(u_char *b, u_char *p, const char *hex, const char *name)
{
    size_t  n;
    u_char  want[256];

    if (p == NULL) {
        tap_fail("%s", name);
        return;
    }

    n = unhex(hex, want);
    tap_is_mem(b, p - b, want, n, "%s", name);
}


static ngx_webrtc_rtcp_t
parse(const char *hex)
{
    size_t             n;
    static u_char      b[256];
    ngx_webrtc_rtcp_t  rtcp;

    n = unhex(hex, b);

    ngx_memzero(&rtcp, sizeof(ngx_webrtc_rtcp_t));

    if (ngx_webrtc_rtcp_next(b, b + n, &rtcp) != b + n) {
        tap_fail("parse %s", hex);
    }

    return rtcp;
}


static void
test_check(void)
{
    size_t      n;
    u_char      b[256];
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        const char  *hex;
        ngx_int_t    rc;
    } rows[] = {
        { "SR, aiortc", SR0, NGX_OK },
        { "SR with two blocks, aiortc", SR2, NGX_OK },
        { "compound", SR0 " 81ca0003 31097322 0103616263000000", NGX_OK },
        { "reduced size: PLI alone", "81ce0002 00000001 00000002", NGX_OK },
        { "unknown type", "80df0000", NGX_OK },
        { "padded last one", "80c90001 00000001 a0c90002 00000001 00000004",
          NGX_OK },
        { "nothing but padding", "a0c90001 00000004", NGX_OK },
        { "empty", "", NGX_DECLINED },
        { "three bytes", "80c900", NGX_DECLINED },
        { "cut", "80c90001 000000", NGX_DECLINED },
        { "version 1", "40c90001 00000001", NGX_DECLINED },
        { "bytes left over", "80c90001 00000001 80c9", NGX_DECLINED },
        { "padding in the middle", "a0c90001 00000004 80c90001 00000001",
          NGX_DECLINED },
        { "padding of 0", "a0c90001 00000000", NGX_DECLINED },
        { "padding of 2, as libwebrtc's", "a0c90001 00000002", NGX_OK },
        { "transport-wide feedback of Chromium",
          "afcd0005 fa17fa17 43032fa0 00990001 3de80217 20019401", NGX_OK },
        { "padding above length", "a0c90001 00000008", NGX_DECLINED },
        { "padding without body", "a0c90000", NGX_DECLINED }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        n = unhex(rows[i].hex, b);

        tap_is_int(ngx_webrtc_rtcp_check(b, b + n), rows[i].rc, "check: %s",
                   rows[i].name);
    }

    tap_is_int(ngx_webrtc_rtcp_check(NULL, NULL), NGX_DECLINED,
               "check: no datagram");
}


static void
test_reports(void)
{
    u_char                    b[256], *p, *end;
    uint32_t                  ssrc;
    ngx_uint_t                i;
    ngx_webrtc_rtcp_t         rtcp;
    ngx_webrtc_rtcp_sr_t      sr;
    ngx_webrtc_rtcp_block_t   blocks[2], block;

    rtcp = parse(SR2);

    tap_ok(ngx_webrtc_rtcp_parse_sr(&rtcp, &sr) == NGX_OK
           && sr.ssrc == 0x12345678 && sr.ntp == 0xe5d3a1b2c3d4e5f6ULL
           && sr.rtp == 0xfffffff0 && sr.packets == 1000
           && sr.octets == 1100000,
           "SR");

    tap_ok(ngx_webrtc_rtcp_parse_block(&rtcp, 0, &ssrc, &blocks[0]) == NGX_OK
           && ssrc == 0x12345678 && blocks[0].ssrc == 0x11223344
           && blocks[0].fraction == 12 && blocks[0].lost == -5
           && blocks[0].highest == 0x2ffff && blocks[0].jitter == 77
           && blocks[0].lsr == 0xa1b2c3d4 && blocks[0].dlsr == 65536,
           "first block");

    tap_ok(ngx_webrtc_rtcp_parse_block(&rtcp, 1, NULL, &blocks[1]) == NGX_OK
           && blocks[1].ssrc == 0x55667788 && blocks[1].fraction == 255
           && blocks[1].lost == 70000 && blocks[1].highest == 9,
           "second block");

    tap_is_int(ngx_webrtc_rtcp_parse_block(&rtcp, 2, NULL, &block), NGX_DONE,
               "no third block");

    end = b + sizeof(b);

    is_hex(b, ngx_webrtc_rtcp_write_sr(b, end, &sr, NULL, 0), SR0,
           "write SR as aiortc");
    is_hex(b, ngx_webrtc_rtcp_write_sr(b, end, &sr, blocks, 2), SR2,
           "write SR with blocks as aiortc");
    is_hex(b, ngx_webrtc_rtcp_write_rr(b, end, 0xaabbccdd, blocks, 1),
           "81c90007 aabbccdd " BLOCK1, "write RR as aiortc");
    is_hex(b, ngx_webrtc_rtcp_write_rr(b, end, 0xaabbccdd, NULL, 0),
           "80c90001 aabbccdd", "write empty RR as aiortc");

    for (i = 0; i < 76; i++) {
        if (ngx_webrtc_rtcp_write_sr(b, b + i, &sr, blocks, 2) != NULL) {
            break;
        }
    }

    tap_is_int(i, 76, "write SR: no room is NULL at every length");
    tap_ok(ngx_webrtc_rtcp_write_sr(b, end, &sr, blocks, 32) == NULL,
           "write SR: 32 blocks do not fit RC");
    tap_ok(ngx_webrtc_rtcp_write_sr(NULL, end, &sr, blocks, 2) == NULL,
           "write SR: NULL is passed on");

    /* RFC 3550, A.3: clamped */

    blocks[0].lost = 0x800000;
    blocks[1].lost = -0x800001;

    p = ngx_webrtc_rtcp_write_rr(b, end, 1, blocks, 2);
    tap_ok(p != NULL && ngx_memcmp(b + 13, "\x7f\xff\xff", 3) == 0
           && ngx_memcmp(b + 37, "\x80\x00\x00", 3) == 0,
           "write RR: losses are clamped to 24 bits");

    rtcp = parse("82c90007 aabbccdd " BLOCK1);
    tap_is_int(ngx_webrtc_rtcp_parse_block(&rtcp, 0, NULL, &block),
               NGX_DECLINED, "RC above length");

    rtcp = parse("80c90000");
    tap_is_int(ngx_webrtc_rtcp_parse_block(&rtcp, 0, NULL, &block),
               NGX_DECLINED, "RR without SSRC");

    rtcp = parse("80c80001 00000001");
    tap_is_int(ngx_webrtc_rtcp_parse_sr(&rtcp, &sr), NGX_DECLINED, "short SR");

    rtcp = parse("80c90001 00000001");
    tap_is_int(ngx_webrtc_rtcp_parse_sr(&rtcp, &sr), NGX_DECLINED,
               "RR is no SR");
}


static void
test_sdes_bye(void)
{
    u_char              b[300], name[300], *end;
    uint32_t            ssrc, ssrcs[2];
    ngx_uint_t          i;
    ngx_webrtc_rtcp_t   rtcp;

    static const struct {
        const char  *cname;
        const char  *hex;
    } rows[] = {
        /* RFC 3550, 6.5: at least one zero byte, then to 32 bits */
        { "a", "81ca0002 31097322 01016100" },
        { "ab", "81ca0003 31097322 01026162 00000000" },
        { "abc", "81ca0003 31097322 01036162 63000000" },
        { "abcd", "81ca0003 31097322 01046162 63640000" },
        { "", "81ca0002 31097322 01000000" }
    };

    end = b + sizeof(b);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        is_hex(b, ngx_webrtc_rtcp_write_sdes(b, end, 0x31097322,
                                             (u_char *) rows[i].cname,
                                             strlen(rows[i].cname)),
               rows[i].hex, "write SDES");
    }

    ngx_memset(name, 'x', sizeof(name));
    tap_is_int(ngx_webrtc_rtcp_write_sdes(b, end, 1, name, 300) - b, 268,
               "write SDES: a name is cut at 255");

    ssrcs[0] = 1;
    ssrcs[1] = 0xfffffffe;

    is_hex(b, ngx_webrtc_rtcp_write_bye(b, end, ssrcs, 2),
           "82cb0002 00000001 fffffffe", "write BYE as aiortc");

    rtcp = parse("82cb0002 00000001 fffffffe");

    tap_ok(ngx_webrtc_rtcp_parse_bye(&rtcp, 1, &ssrc) == NGX_OK
           && ssrc == 0xfffffffe, "BYE");
    tap_is_int(ngx_webrtc_rtcp_parse_bye(&rtcp, 2, &ssrc), NGX_DONE,
               "BYE: no third SSRC");

    rtcp = parse("82cb0001 00000001");
    tap_is_int(ngx_webrtc_rtcp_parse_bye(&rtcp, 0, &ssrc), NGX_DECLINED,
               "BYE: SC above length");
}


static void
test_nack(void)
{
    u_char                 b[128], *end;
    uint16_t               pid, blp;
    ngx_uint_t             i;
    ngx_webrtc_rtcp_t      rtcp;
    ngx_webrtc_rtcp_fb_t   fb;

    static const struct {
        const char  *name;
        uint16_t     seqs[16];
        ngx_uint_t   n;
        const char  *hex;
    } rows[] = {
        { "one, aiortc", { 10 }, 1,
          "81cd0003 54506265 23013fb9 000a0000" },
        { "mask, aiortc", { 10, 11, 26 }, 3,
          "81cd0003 54506265 23013fb9 000a8001" },
        { "17 apart, aiortc", { 10, 27 }, 2,
          "81cd0004 54506265 23013fb9 000a0000 001b0000" },
        { "many, aiortc",
          { 12, 32, 39, 54, 76, 110, 123, 183, 187, 223, 236, 271, 292 }, 13,
          "81cd000b 54506265 23013fb9 000c0000 00200040 00360000 004c0000"
          "006e1000 00b70008 00df1000 010f0000 01240000" },
        { "over the wrap", { 65534, 65535, 0, 14, 15 }, 5,
          "81cd0004 54506265 23013fb9 fffe8003 000f0000" },
        { "repeated", { 7, 7, 8 }, 3,
          "81cd0003 54506265 23013fb9 00070001" }
    };

    end = b + sizeof(b);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        is_hex(b, ngx_webrtc_rtcp_write_nack(b, end, 0x54506265, 0x23013fb9,
                                             rows[i].seqs, rows[i].n),
               rows[i].hex, rows[i].name);
    }

    tap_ok(ngx_webrtc_rtcp_write_nack(b, end, 1, 2, rows[0].seqs, 0) == NULL,
           "write NACK of nothing");
    tap_ok(ngx_webrtc_rtcp_write_nack(b, b + 15, 1, 2, rows[0].seqs, 1)
           == NULL, "write NACK without room");

    rtcp = parse("81cd0004 54506265 23013fb9 000a8001 001b0000");

    tap_ok(ngx_webrtc_rtcp_parse_fb(&rtcp, &fb) == NGX_OK
           && fb.sender == 0x54506265 && fb.media == 0x23013fb9
           && fb.len == 8, "feedback header");
    tap_ok(ngx_webrtc_rtcp_parse_nack(&fb, 0, &pid, &blp) == NGX_OK
           && pid == 10 && blp == 0x8001, "NACK: first entry");
    tap_ok(ngx_webrtc_rtcp_parse_nack(&fb, 1, &pid, &blp) == NGX_OK
           && pid == 27 && blp == 0, "NACK: second entry");
    tap_is_int(ngx_webrtc_rtcp_parse_nack(&fb, 2, &pid, &blp), NGX_DONE,
               "NACK: no third entry");

    rtcp = parse("81cd0001 54506265");
    tap_is_int(ngx_webrtc_rtcp_parse_fb(&rtcp, &fb), NGX_DECLINED,
               "short feedback");

    rtcp = parse(SR0);
    tap_is_int(ngx_webrtc_rtcp_parse_fb(&rtcp, &fb), NGX_DECLINED,
               "SR is no feedback");
}


static void
test_psfb(void)
{
    u_char                  b[64];
    uint8_t                 seq;
    uint32_t                ssrc;
    ngx_uint_t              i;
    ngx_webrtc_rtcp_t       rtcp;
    ngx_webrtc_rtcp_fb_t    fb;
    ngx_webrtc_rtcp_remb_t  remb;

    static const struct {
        const char  *name;
        const char  *hex;
        ngx_int_t    rc;
        uint64_t     bitrate;
    } rows[] = {
        { "4160000, aiortc", REMB("0213f7a0"), NGX_OK, 4160000 },
        { "1, aiortc", REMB("02000001"), NGX_OK, 1 },
        { "262143, aiortc", REMB("0203ffff"), NGX_OK, 262143 },
        { "262144, aiortc", REMB("02060000"), NGX_OK, 262144 },
        /* 10^12 rounded down to 18 bits */
        { "10^12, aiortc", REMB("025ba352"), NGX_OK, 999997571072ULL },
        { "largest", REMB("02bbffff"), NGX_OK,
          262143ULL << 46 },
        { "exponent too large", REMB("02bfffff"), NGX_DECLINED, 0 },
        { "more SSRCs than there are", REMB("0313f7a0"), NGX_DECLINED, 0 },
        { "other name", "8fce0004 00000001 00000000 52454d43 00000001",
          NGX_DECLINED, 0 },
        { "cut", "8fce0003 00000001 00000000 52454d42", NGX_DECLINED, 0 }
    };

    is_hex(b, ngx_webrtc_rtcp_write_pli(b, b + 64, 0x54506265, 0x23013fb9),
           "81ce0002 54506265 23013fb9", "write PLI as aiortc");
    tap_ok(ngx_webrtc_rtcp_write_pli(b, b + 11, 1, 2) == NULL,
           "write PLI without room");

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rtcp = parse(rows[i].hex);

        tap_ok(ngx_webrtc_rtcp_parse_fb(&rtcp, &fb) == NGX_OK
               && ngx_webrtc_rtcp_parse_remb(&fb, &remb) == rows[i].rc
               && (rows[i].rc != NGX_OK
                   || (remb.bitrate == rows[i].bitrate && remb.nssrcs == 2
                       && ngx_memcmp(remb.ssrcs, "\x96\xbe\x96\xcf", 4) == 0)),
               "REMB: %s", rows[i].name);
    }

    rtcp = parse("84ce0006 00000001 00000000 11223344 2a000000"
                 "55667788 ff000000");

    (void) ngx_webrtc_rtcp_parse_fb(&rtcp, &fb);

    tap_ok(ngx_webrtc_rtcp_parse_fir(&fb, 0, &ssrc, &seq) == NGX_OK
           && ssrc == 0x11223344 && seq == 42, "FIR: first entry");
    tap_ok(ngx_webrtc_rtcp_parse_fir(&fb, 1, &ssrc, &seq) == NGX_OK
           && ssrc == 0x55667788 && seq == 255, "FIR: second entry");
    tap_is_int(ngx_webrtc_rtcp_parse_fir(&fb, 2, &ssrc, &seq), NGX_DONE,
               "FIR: no third entry");
}


static void
test_twcc_xr(void)
{
    u_char                  *p;
    uint32_t                 ssrc;
    uint64_t                 ntp;
    ngx_webrtc_rtcp_t        rtcp;
    ngx_webrtc_rtcp_fb_t     fb;
    ngx_webrtc_rtcp_xr_t     xr;
    ngx_webrtc_rtcp_dlrr_t   dlrr;
    ngx_webrtc_rtcp_twcc_t   twcc;

    /* section 3.1: base 1, two packets, one chunk, two small deltas */

    rtcp = parse("8fcd0005 fa17fa17 43030043 0001 0002 fffffe 07 20024040");

    tap_ok(ngx_webrtc_rtcp_parse_fb(&rtcp, &fb) == NGX_OK
           && ngx_webrtc_rtcp_parse_twcc(&fb, &twcc) == NGX_OK
           && twcc.base == 1 && twcc.packets == 2 && twcc.reference == -2
           && twcc.feedback == 7 && twcc.len == 4,
           "TWCC header");

    rtcp = parse("8fcd0004 fa17fa17 43030043 0001 0000 000001 07");
    (void) ngx_webrtc_rtcp_parse_fb(&rtcp, &fb);
    tap_is_int(ngx_webrtc_rtcp_parse_twcc(&fb, &twcc), NGX_DECLINED,
               "TWCC about nothing");

    /* RFC 3611, 4.4 and 4.5 behind an unknown block */

    rtcp = parse("80cf000c 0000002a f0000000 04000002 e5d3a1b2 c3d4e5f6"
                 "05000006 11223344 a1b2c3d4 00010000 55667788 00000000"
                 "00000000");
    tap_ok(rtcp.type == NGX_WEBRTC_RTCP_XR, "XR");

    p = ngx_webrtc_rtcp_parse_xr(&rtcp, NULL, &ssrc, &xr);
    tap_ok(p != NULL && ssrc == 42 && xr.type == 0xf0 && xr.len == 0,
           "XR: unknown block");

    p = ngx_webrtc_rtcp_parse_xr(&rtcp, p, NULL, &xr);
    tap_ok(p != NULL && ngx_webrtc_rtcp_parse_rrt(&xr, &ntp) == NGX_OK
           && ntp == 0xe5d3a1b2c3d4e5f6ULL, "XR: RRT");
    tap_is_int(ngx_webrtc_rtcp_parse_dlrr(&xr, 0, &dlrr), NGX_DECLINED,
               "XR: RRT is no DLRR");

    p = ngx_webrtc_rtcp_parse_xr(&rtcp, p, NULL, &xr);
    tap_ok(p != NULL && ngx_webrtc_rtcp_parse_dlrr(&xr, 0, &dlrr) == NGX_OK
           && dlrr.ssrc == 0x11223344 && dlrr.lrr == 0xa1b2c3d4
           && dlrr.dlrr == 65536, "XR: DLRR");
    tap_ok(ngx_webrtc_rtcp_parse_dlrr(&xr, 1, &dlrr) == NGX_OK
           && dlrr.ssrc == 0x55667788 && dlrr.lrr == 0, "XR: DLRR, second");
    tap_is_int(ngx_webrtc_rtcp_parse_dlrr(&xr, 2, &dlrr), NGX_DONE,
               "XR: DLRR, no third");

    tap_ok(ngx_webrtc_rtcp_parse_xr(&rtcp, p, NULL, &xr) == NULL,
           "XR: no more blocks");

    rtcp = parse("80cf0002 0000002a 04000002");
    tap_ok(ngx_webrtc_rtcp_parse_xr(&rtcp, NULL, &ssrc, &xr) == NULL,
           "XR: cut block");
}


int
main(void)
{
    test_check();
    test_reports();
    test_sdes_bye();
    test_nack();
    test_psfb();
    test_twcc_xr();

    return tap_done();
}
