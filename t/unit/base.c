
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Cursor, serial numbers, clocks, NTP time.  Figures of the tables: RFC 1982,
 * 5.1 (its relations for 16 and 32 bits), RFC 5905, Figure 4 (eras), Python's
 * integers.
 * clock_gettime() is replaced for this program.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_seq.h"
#include "ngx_webrtc_time.h"
#include "tap.h"

static uint64_t  mono_us;
static uint64_t  wall_us;


#define nelts(a)  (sizeof(a) / sizeof(a[0]))


static const struct {
    uint16_t    a;
    uint16_t    b;
    int32_t     diff;
} seqs16[] = {
    { 0, 0, 0 },
    { 1, 0, 1 },
    { 0, 1, -1 },
    { 0, 65535, 1 },
    { 65535, 0, -1 },
    { 32767, 0, 32767 },
    { 32768, 0, -32768 },
    { 0, 32768, -32768 },
    { 32769, 0, -32767 },
    { 100, 65436, 200 },
};


static const struct {
    uint32_t    a;
    uint32_t    b;
    int32_t     diff;
} seqs32[] = {
    { 0, 0, 0 },
    { 0, 0xffffffff, 1 },
    { 0xffffffff, 0, -1 },
    { 0x7fffffff, 0, 0x7fffffff },
    { 0x80000000, 0, INT32_MIN },
    { 0, 0x80000000, INT32_MIN },
    { 0x80000001, 0, -0x7fffffff },
};


static const struct {
    uint64_t    last;
    uint32_t    seq;
    uint64_t    want;
} unwraps16[] = {
    { 0, 0, 0 },
    { 0, 1, 1 },
    { 0, 0xffff, 0xffff },              /* would be -1 */
    { 5, 0xfffe, 0xfffe },
    { 0xffff, 0, 0x10000 },
    { 0x10000, 0xffff, 0xffff },
    { 0x10005, 0xfffe, 0xfffe },
    { 0x18000, 0x0000, 0x10000 },       /* half: back */
    { 0x17fff, 0xfffe, 0x1fffe },
    { 0x17fff, 0xffff, 0xffff },        /* half: back */
    { UINT64_C(0x123456789ffff), 2, UINT64_C(0x12345678a0002) },
}, unwraps32[] = {
    { 0, 0, 0 },
    { 0, 0xffffffff, 0xffffffff },
    { 0xffffffff, 0, UINT64_C(0x100000000) },
    { UINT64_C(0x100000000), 0xffffffff, 0xffffffff },
    { UINT64_C(0x180000000), 0, UINT64_C(0x100000000) },
    { UINT64_C(0x17fffffff), 0xfffffffe, UINT64_C(0x1fffffffe) },
    { UINT64_C(0x5ffffffff), 7, UINT64_C(0x600000007) },
};


static const struct {
    uint64_t    us;
    uint64_t    ntp;
    uint32_t    abs_send;
} ntps[] = {
    { UINT64_C(0), UINT64_C(0x83aa7e8000000000), 0x000000 },
    { UINT64_C(1), UINT64_C(0x83aa7e80000010c6), 0x000000 },
    { UINT64_C(999999), UINT64_C(0x83aa7e80ffffef39), 0x03ffff },
    { UINT64_C(1000000), UINT64_C(0x83aa7e8100000000), 0x040000 },
    { UINT64_C(1700000000123456), UINT64_C(0xe8fe6f801f9acffa), 0x007e6b },
    { UINT64_C(2085978495999999), UINT64_C(0xffffffffffffef39), 0xffffff },
    { UINT64_C(2085978496000000), UINT64_C(0x0000000000000000), 0x000000 },
    { UINT64_C(2085978496500000), UINT64_C(0x0000000080000000), 0x020000 },
    { UINT64_C(4102444800123457), UINT64_C(0x7830d5801f9ae0c1), 0x007e6b },
};


static void
test_seq(void)
{
    ngx_uint_t  i;

    for (i = 0; i < nelts(seqs16); i++) {
        tap_is_int(ngx_webrtc_seq_diff16(seqs16[i].a, seqs16[i].b),
                   seqs16[i].diff, "diff16 %d", (int) i);
        tap_is_int(ngx_webrtc_seq_less16(seqs16[i].a, seqs16[i].b),
                   seqs16[i].diff < 0, "less16 %d", (int) i);
    }

    for (i = 0; i < nelts(seqs32); i++) {
        tap_is_int(ngx_webrtc_seq_diff32(seqs32[i].a, seqs32[i].b),
                   seqs32[i].diff, "diff32 %d", (int) i);
        tap_is_int(ngx_webrtc_seq_less32(seqs32[i].a, seqs32[i].b),
                   seqs32[i].diff < 0, "less32 %d", (int) i);
    }

    for (i = 0; i < nelts(unwraps16); i++) {
        tap_is_int(ngx_webrtc_seq_unwrap16(unwraps16[i].last,
                                           (uint16_t) unwraps16[i].seq),
                   unwraps16[i].want, "unwrap16 %d", (int) i);
    }

    for (i = 0; i < nelts(unwraps32); i++) {
        tap_is_int(ngx_webrtc_seq_unwrap32(unwraps32[i].last,
                                           unwraps32[i].seq),
                   unwraps32[i].want, "unwrap32 %d", (int) i);
    }
}


int
clock_gettime(clockid_t id, struct timespec *ts)
{
    uint64_t  us;

    us = (id == CLOCK_REALTIME) ? wall_us : mono_us;

    ts->tv_sec = (time_t) (us / 1000000);
    ts->tv_nsec = (long) (us % 1000000) * 1000;

    return 0;
}


static void
test_clocks(void)
{
    uint64_t  us;

    mono_us = 5000000123;
    wall_us = UINT64_C(1700000000000456);

    ngx_webrtc_time_init();
    us = ngx_webrtc_time_now();

    tap_is_int(us, 5000000123, "monotonic");
    tap_is_int(ngx_webrtc_time_wall(us), UINT64_C(1700000000000456), "wall");

    /* the wall clock is put back by an hour, and time goes on */

    mono_us += 1500000;
    wall_us -= UINT64_C(3600000000) - 1500000;

    us = ngx_webrtc_time_now();

    tap_is_int(us, 5001500123, "monotonic, wall clock put back");
    tap_is_int(ngx_webrtc_time_wall(us), UINT64_C(1700000001500456),
               "reports, wall clock put back");

    /* the next process knows it */

    ngx_webrtc_time_init();
    tap_is_int(ngx_webrtc_time_wall(us), UINT64_C(1699996401500456),
               "reports of the next process");

    /* 1970, on a machine without a battery that is up for a while */

    mono_us = 90000000;
    wall_us = 2000000;

    ngx_webrtc_time_init();
    tap_is_int(ngx_webrtc_time_wall(91000000), 3000000, "wall clock behind");
}


static void
test_time(void)
{
    ngx_uint_t  i;

    for (i = 0; i < nelts(ntps); i++) {
        tap_is_int(ngx_webrtc_time_ntp(ntps[i].us), ntps[i].ntp, "ntp %d",
                   (int) i);
        tap_is_int(ngx_webrtc_time_from_ntp(ntps[i].ntp), ntps[i].us,
                   "from ntp %d", (int) i);
        tap_is_int(ngx_webrtc_time_abs_send(ntps[i].us), ntps[i].abs_send,
                   "abs-send-time %d", (int) i);
    }

    /* RFC 3550, 6.4.1, Figure 2: LSR of b44d:b705:2000:0000 */

    tap_is_int(ngx_webrtc_time_compact(UINT64_C(0xb44db70520000000)),
               0xb7052000, "compact");

    /* and its DLSR 5.250 s, delay 6.125 s */

    tap_is_int(ngx_webrtc_time_us_to_compact(5250000), 0x00054000, "5.25 s");
    tap_is_int(ngx_webrtc_time_compact_to_us(0x00062000), 6125000, "6.125 s");
    tap_is_int(ngx_webrtc_time_us_to_compact(UINT64_C(65535999999)),
               0xffffffff, "the largest");
    tap_is_int(ngx_webrtc_time_us_to_compact(UINT64_C(65536000000)),
               0xffffffff, "one more");
    tap_is_int(ngx_webrtc_time_us_to_compact(UINT64_MAX), 0xffffffff, "any");
    tap_is_int(ngx_webrtc_time_compact_to_us(0xffffffff),
               UINT64_C(65535999984), "the largest back");
}


static void
test_cursor(void)
{
    u_char      b[18], *p, *end, *m;
    uint8_t     v8;
    uint16_t    v16;
    uint32_t    v24, v32;
    uint64_t    v64;
    ngx_uint_t  n, fits;
    u_char      want[18] = { 0x01, 0x02, 0x03, 0x84, 0x05, 0x06, 0x87, 0x08,
                             0x09, 0x0a, 0x8b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10,
                             0x11, 0x12 };

    /* writing and reading with every possible end */

    for (n = 0; n <= 18; n++) {
        end = b + n;
        ngx_memzero(b, sizeof(b));

        p = ngx_webrtc_write_u8(b, end, 0x01);
        p = ngx_webrtc_write_u16(p, end, 0x0203);
        p = ngx_webrtc_write_u24(p, end, 0x840506);
        p = ngx_webrtc_write_u32(p, end, 0x8708090a);
        p = ngx_webrtc_write_u64(p, end, UINT64_C(0x8b0c0d0e0f101112));
        p = ngx_webrtc_write_mem(p, end, NULL, 0);

        tap_ok(n == 18 ? p == end : p == NULL, "write into %d", (int) n);

        fits = (n < 1) ? 0 : (n < 3) ? 1 : (n < 6) ? 3 : (n < 10) ? 6
               : (n < 18) ? 10 : 18;

        tap_is_mem(b, fits, want, fits, "written into %d", (int) n);
        tap_ok(fits == 18 || b[fits] == 0, "no more into %d", (int) n);

        end = want + n;
        v8 = 0; v16 = 0; v24 = 0; v32 = 0; v64 = 0;

        p = ngx_webrtc_read_u8(want, end, &v8);
        p = ngx_webrtc_read_u16(p, end, &v16);
        p = ngx_webrtc_read_u24(p, end, &v24);
        p = ngx_webrtc_read_u32(p, end, &v32);
        p = ngx_webrtc_read_u64(p, end, &v64);

        tap_ok(n == 18 ? p == end : p == NULL, "read from %d", (int) n);

        tap_is_int(v8, fits >= 1 ? 0x01 : 0, "u8 of %d", (int) n);
        tap_is_int(v16, fits >= 3 ? 0x0203 : 0, "u16 of %d", (int) n);
        tap_is_int(v24, fits >= 6 ? 0x840506 : 0, "u24 of %d", (int) n);
        tap_is_int(v32, fits >= 10 ? 0x8708090a : 0, "u32 of %d", (int) n);
        tap_ok(v64 == (fits >= 18 ? UINT64_C(0x8b0c0d0e0f101112) : 0),
               "u64 of %d", (int) n);
    }

    end = want + 18;

    tap_ok(ngx_webrtc_skip(want, end, 18) == end, "skip to the end");
    tap_ok(ngx_webrtc_skip(want, end, 19) == NULL, "skip past the end");
    tap_ok(ngx_webrtc_skip(want, end, (size_t) -1) == NULL, "skip too far");
    tap_ok(ngx_webrtc_skip(NULL, end, 0) == NULL, "skip from nowhere");
    tap_ok(ngx_webrtc_read_mem(want + 2, end, 16, &m) == end, "mem");
    tap_ok(m == want + 2, "where mem is");
    tap_ok(ngx_webrtc_read_mem(want + 2, end, 17, &m) == NULL,
           "mem past the end");
    tap_ok(ngx_webrtc_write_mem(b, b + 3, "abc", 3) == b + 3, "write mem");
    tap_is_mem(b, 3, "abc", 3, "mem written");
    tap_ok(ngx_webrtc_write_mem(b, b + 2, "abc", 3) == NULL,
           "write mem past the end");
    tap_ok(ngx_webrtc_write_u8(NULL, end, 1) == NULL, "write to nowhere");
}


int
main(void)
{
    test_cursor();
    test_seq();
    test_clocks();
    test_time();

    return tap_done();
}
