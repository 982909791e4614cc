
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * VP9 uncompressed headers: see ngx_webrtc_vp9.h.  VP9 Bitstream & Decoding
 * Process Specification, version 0.6.
 */


#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_vp9.h"


#define NGX_WEBRTC_VP9_SYNC_CODE  0x498342
#define NGX_WEBRTC_VP9_CS_RGB     7


static ngx_int_t ngx_webrtc_vp9_frame(u_char *p, size_t n,
    ngx_webrtc_vp9_t *vp9);
static ngx_uint_t ngx_webrtc_vp9_superframe(u_char *p, size_t n,
    size_t sizes[8]);


ngx_int_t
ngx_webrtc_vp9_parse(u_char *p, size_t n, ngx_webrtc_vp9_t *vp9)
{
    size_t            sizes[8];
    ngx_uint_t        i, count, seen;
    ngx_webrtc_vp9_t  frame;

    count = ngx_webrtc_vp9_superframe(p, n, sizes);

    if (count == 0) {
        return ngx_webrtc_vp9_frame(p, n, vp9);
    }

    seen = 0;

    for (i = 0; i < count; i++) {

        if (sizes[i] == 0) {
            continue;
        }

        if (ngx_webrtc_vp9_frame(p, sizes[i], &frame) != NGX_OK) {
            return NGX_DECLINED;
        }

        p += sizes[i];

        if (!seen) {
            *vp9 = frame;
            seen = 1;

        } else if (frame.show) {
            vp9->show = 1;
        }
    }

    return seen ? NGX_OK : NGX_DECLINED;
}


/* 6.2, uncompressed_header(), as far as frame_size() of key frames */

static ngx_int_t
ngx_webrtc_vp9_frame(u_char *p, size_t n, ngx_webrtc_vp9_t *vp9)
{
    uint32_t           width, height;
    ngx_webrtc_bits_t  b;

    ngx_memzero(vp9, sizeof(ngx_webrtc_vp9_t));

    ngx_webrtc_bits_init(&b, p, p + n);

    if (ngx_webrtc_bits_get(&b, 2) != 2) {      /* frame_marker */
        return NGX_DECLINED;
    }

    vp9->profile = (uint8_t) ngx_webrtc_bits_flag(&b);
    vp9->profile |= (uint8_t) (ngx_webrtc_bits_flag(&b) << 1);

    if (vp9->profile == 3 && ngx_webrtc_bits_flag(&b)) {
        return NGX_DECLINED;                    /* reserved_zero */
    }

    if (ngx_webrtc_bits_flag(&b)) {             /* show_existing_frame */
        vp9->show = 1;
        return b.error ? NGX_DECLINED : NGX_OK;
    }

    vp9->key = !ngx_webrtc_bits_flag(&b);       /* frame_type */
    vp9->show = ngx_webrtc_bits_flag(&b);       /* show_frame */

    (void) ngx_webrtc_bits_flag(&b);            /* error_resilient_mode */

    if (b.error) {
        return NGX_DECLINED;
    }

    if (!vp9->key) {
        return NGX_OK;
    }

    if (ngx_webrtc_bits_get(&b, 24) != NGX_WEBRTC_VP9_SYNC_CODE) {
        return NGX_DECLINED;
    }

    /* color_config() */

    if (vp9->profile >= 2) {
        (void) ngx_webrtc_bits_flag(&b);        /* ten_or_twelve_bit */
    }

    if (ngx_webrtc_bits_get(&b, 3) != NGX_WEBRTC_VP9_CS_RGB) {
        (void) ngx_webrtc_bits_flag(&b);        /* color_range */

        if (vp9->profile & 1) {
            (void) ngx_webrtc_bits_get(&b, 3);  /* subsampling, reserved */
        }

    } else if (vp9->profile & 1) {
        (void) ngx_webrtc_bits_flag(&b);        /* reserved_zero */
    }

    /*
     * 1..65536; the track's fields are 16 bits, and RFC 9628, 4.2.1 cannot say
     * more than 65535 either
     */

    width = ngx_webrtc_bits_get(&b, 16) + 1;
    height = ngx_webrtc_bits_get(&b, 16) + 1;

    vp9->width = (uint16_t) ngx_min(width, 0xffff);
    vp9->height = (uint16_t) ngx_min(height, 0xffff);

    return b.error ? NGX_DECLINED : NGX_OK;
}


/* Annex B.  Returns the number of frames, or 0: no superframe. */

static ngx_uint_t
ngx_webrtc_vp9_superframe(u_char *p, size_t n, size_t sizes[8])
{
    u_char      *index;
    size_t       size, left;
    ngx_uint_t   i, k, count, bytes;

    if (n == 0 || (p[n - 1] & 0xe0) != 0xc0) {
        return 0;
    }

    count = (p[n - 1] & 7) + 1;
    bytes = ((p[n - 1] >> 3) & 3) + 1;
    size = 2 + bytes * count;

    if (n < size || p[n - size] != p[n - 1]) {
        return 0;
    }

    index = p + n - size + 1;
    left = n - size;

    for (i = 0; i < count; i++) {
        sizes[i] = 0;

        for (k = 0; k < bytes; k++) {
            sizes[i] |= (size_t) *index++ << (k * 8);
        }

        if (sizes[i] > left) {
            return 0;
        }

        left -= sizes[i];
    }

    return count;
}
