
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Bit reader: see ngx_webrtc_bits.h.
 */


#include "ngx_webrtc_bits.h"


static void ngx_webrtc_bits_load(ngx_webrtc_bits_t *b);


void
ngx_webrtc_bits_init(ngx_webrtc_bits_t *b, u_char *p, u_char *end)
{
    ngx_memzero(b, sizeof(ngx_webrtc_bits_t));

    b->p = p;
    b->end = end;
}


void
ngx_webrtc_bits_init_rbsp(ngx_webrtc_bits_t *b, u_char *p, u_char *end)
{
    ngx_webrtc_bits_init(b, p, end);

    b->rbsp = 1;
}


uint32_t
ngx_webrtc_bits_get(ngx_webrtc_bits_t *b, ngx_uint_t n)
{
    uint64_t    v;
    ngx_uint_t  take;

    v = 0;

    while (n) {

        if (b->left == 0) {
            ngx_webrtc_bits_load(b);

            if (b->error) {
                return 0;
            }
        }

        take = ngx_min(n, b->left);

        b->left -= (uint8_t) take;
        n -= take;

        v = (v << take) | ((b->byte >> b->left) & ((1u << take) - 1));
    }

    return (uint32_t) v;
}


void
ngx_webrtc_bits_skip(ngx_webrtc_bits_t *b, size_t n)
{
    ngx_uint_t  take;

    while (n && !b->error) {
        take = ngx_min(n, 32);
        (void) ngx_webrtc_bits_get(b, take);
        n -= take;
    }
}


uint32_t
ngx_webrtc_bits_ue(ngx_webrtc_bits_t *b)
{
    uint32_t    suffix;
    ngx_uint_t  zeros;

    for (zeros = 0; ngx_webrtc_bits_get(b, 1) == 0; zeros++) {

        if (b->error) {
            return 0;
        }

        if (zeros == 31) {
            /* the largest code, 2^32 - 2, has 31 */
            b->error = 1;
            return 0;
        }
    }

    suffix = ngx_webrtc_bits_get(b, zeros);

    if (b->error) {
        return 0;
    }

    return (((uint32_t) 1 << zeros) - 1) + suffix;
}


int32_t
ngx_webrtc_bits_se(ngx_webrtc_bits_t *b)
{
    uint32_t  k;

    k = ngx_webrtc_bits_ue(b);

    /* H.264, 9.1.1: 1, -1, 2, -2 ... */

    if (k & 1) {
        return (int32_t) (k / 2 + 1);
    }

    return -(int32_t) (k / 2);
}


uint64_t
ngx_webrtc_bits_leb128(ngx_webrtc_bits_t *b)
{
    uint32_t    byte;
    uint64_t    v;
    ngx_uint_t  i;

    v = 0;

    for (i = 0; i < 8; i++) {
        byte = ngx_webrtc_bits_get(b, 8);

        if (b->error) {
            return 0;
        }

        v |= (uint64_t) (byte & 0x7f) << (i * 7);

        if (!(byte & 0x80)) {
            return v;
        }
    }

    b->error = 1;

    return 0;
}


static void
ngx_webrtc_bits_load(ngx_webrtc_bits_t *b)
{
    if (b->rbsp && b->zeros >= 2 && b->p != b->end && *b->p == 3) {
        b->p++;
        b->zeros = 0;
    }

    if (b->p == b->end) {
        b->error = 1;
        return;
    }

    b->byte = *b->p++;
    b->left = 8;

    if (b->byte == 0) {
        /* two are enough to know, and must not wrap */
        if (b->zeros < 2) {
            b->zeros++;
        }

    } else {
        b->zeros = 0;
    }
}
