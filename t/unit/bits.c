
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Bit reader: H.264, 9.1, Table 9-2 and Table 9-3; emulation prevention of
 * 7.4.1; leb128() examples of AV1, 4.10.5.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_bits.h"
#include "tap.h"

#define nelts(a)  (sizeof(a) / sizeof(a[0]))


static const struct {
    u_char      data[10];
    size_t      n;
    uint32_t    ue;
    int32_t     se;
    int         error;
} golombs[] = {
    { { 0x80 }, 1, 0, 0, 0 },
    { { 0x40 }, 1, 1, 1, 0 },
    { { 0x60 }, 1, 2, -1, 0 },
    { { 0x20 }, 1, 3, 2, 0 },
    { { 0x28 }, 1, 4, -2, 0 },
    { { 0x30 }, 1, 5, 3, 0 },
    { { 0x38 }, 1, 6, -3, 0 },
    { { 0x10 }, 1, 7, 4, 0 },
    { { 0x12 }, 1, 8, -4, 0 },
    { { 0x01, 0xfe }, 2, 254, -127, 0 },
    /* 2^32 - 2: 31 zeros, then 32 ones */
    { { 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe }, 8, 0xfffffffe, -2147483647, 0 },
    { { 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfc }, 8, 0xfffffffd, 2147483647, 0 },
    { { 0, 0, 0, 0, 0x80, 0, 0, 0, 0 }, 9, 0, 0, 1 },
    { { 0 }, 1, 0, 0, 1 },
    { { 0x08 }, 1, 0, 0, 1 },
    { { 0 }, 0, 0, 0, 1 },
};


static const struct {
    u_char      data[12];
    size_t      n;
    u_char      want[12];
    size_t      want_n;
} rbsps[] = {
    { { 1, 0, 0, 3, 1 }, 5, { 1, 0, 0, 1 }, 4 },
    { { 0, 0, 3, 0, 0, 3, 0, 0, 3, 1 }, 10, { 0, 0, 0, 0, 0, 0, 1 }, 7 },
    { { 0, 0, 3 }, 3, { 0, 0 }, 2 },
    { { 0, 0, 0, 3, 7 }, 5, { 0, 0, 0, 7 }, 4 },
    { { 0, 3, 0, 3, 3 }, 5, { 0, 3, 0, 3, 3 }, 5 },
    { { 3, 3 }, 2, { 3, 3 }, 2 },
    { { 0, 0, 3, 3, 0, 0, 3, 3 }, 8, { 0, 0, 3, 0, 0, 3 }, 6 },
};


static const struct {
    u_char      data[10];
    size_t      n;
    uint64_t    want;
    int         error;
} lebs[] = {
    { { 0x00 }, 1, 0, 0 },
    { { 0x7f }, 1, 127, 0 },
    { { 0x80, 0x01 }, 2, 128, 0 },
    { { 0x81, 0x80, 0x00 }, 3, 1, 0 },
    { { 0xff, 0xff, 0xff, 0xff, 0x0f }, 5, 0xffffffff, 0 },
    { { 0x80 }, 1, 0, 1 },
    { { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00 }, 9, 0, 1 },
};


int
main(void)
{
    u_char             *p;
    size_t              k;
    ngx_uint_t          i;
    ngx_webrtc_bits_t   b;
    u_char              d[] = { 0xa5, 0x0f, 0x12, 0x34, 0x56, 0x78, 0x9a };

    for (i = 0; i < nelts(golombs); i++) {
        p = malloc(golombs[i].n);
        memcpy(p, golombs[i].data, golombs[i].n);

        ngx_webrtc_bits_init(&b, p, p + golombs[i].n);
        tap_is_int(ngx_webrtc_bits_ue(&b), golombs[i].ue, "ue %d", (int) i);
        tap_is_int(b.error, golombs[i].error, "ue %d error", (int) i);

        ngx_webrtc_bits_init(&b, p, p + golombs[i].n);
        tap_is_int(ngx_webrtc_bits_se(&b), golombs[i].se, "se %d", (int) i);
        tap_is_int(b.error, golombs[i].error, "se %d error", (int) i);

        free(p);
    }

    for (i = 0; i < nelts(rbsps); i++) {
        u_char  got[12];

        p = malloc(rbsps[i].n);
        memcpy(p, rbsps[i].data, rbsps[i].n);

        ngx_webrtc_bits_init_rbsp(&b, p, p + rbsps[i].n);

        for (k = 0; k < 12; k++) {
            got[k] = (u_char) ngx_webrtc_bits_get(&b, 8);

            if (b.error) {
                break;
            }
        }

        tap_is_mem(got, k, rbsps[i].want, rbsps[i].want_n, "rbsp %d", (int) i);

        free(p);
    }

    for (i = 0; i < nelts(lebs); i++) {
        p = malloc(lebs[i].n);
        memcpy(p, lebs[i].data, lebs[i].n);

        ngx_webrtc_bits_init(&b, p, p + lebs[i].n);
        tap_is_int(ngx_webrtc_bits_leb128(&b), lebs[i].want, "leb128 %d",
                   (int) i);
        tap_is_int(b.error, lebs[i].error, "leb128 %d error", (int) i);

        free(p);
    }

    ngx_webrtc_bits_init(&b, d, d + sizeof(d));

    tap_is_int(ngx_webrtc_bits_get(&b, 0), 0, "no bits");
    tap_is_int(ngx_webrtc_bits_get(&b, 3), 5, "3 bits");
    tap_is_int(ngx_webrtc_bits_get(&b, 9), 0x50, "9 bits over a byte");
    tap_is_int(ngx_webrtc_bits_get(&b, 32), 0xf1234567, "32 bits unaligned");
    tap_is_int(ngx_webrtc_bits_flag(&b), 1, "flag");
    ngx_webrtc_bits_skip(&b, 7);
    tap_is_int(ngx_webrtc_bits_get(&b, 4), 0x0a, "after a skip");
    tap_is_int(b.error, 0, "read to the end");
    ngx_webrtc_bits_skip(&b, (size_t) -1);
    tap_is_int(b.error, 1, "skip past the end");
    tap_is_int(ngx_webrtc_bits_get(&b, 32), 0, "0 past the end");
    tap_is_int(ngx_webrtc_bits_ue(&b), 0, "ue past the end");
    tap_is_int(b.error, 1, "error stays");

    return tap_done();
}
