
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * VP8 frame headers: see ngx_webrtc_vp8.h.  RFC 6386.
 */


#include "ngx_webrtc_vp8.h"


/* RFC 6386, 7.3; every flag and literal of the header has probability 128 */

typedef struct {
    u_char      *p;
    u_char      *end;
    uint32_t     value;           /* two bytes of window */
    uint32_t     range;           /* 128..255 */
    ngx_uint_t   count;           /* shifts since the last byte */
    ngx_uint_t   past;            /* bytes read past the end */
} ngx_webrtc_vp8_bool_t;


static ngx_uint_t ngx_webrtc_vp8_discardable(u_char *p, u_char *end);
static ngx_uint_t ngx_webrtc_vp8_segmentation(ngx_webrtc_vp8_bool_t *b);
static ngx_uint_t ngx_webrtc_vp8_loop_filter(ngx_webrtc_vp8_bool_t *b);
static uint32_t ngx_webrtc_vp8_byte(ngx_webrtc_vp8_bool_t *b);
static ngx_uint_t ngx_webrtc_vp8_flag(ngx_webrtc_vp8_bool_t *b);
static ngx_uint_t ngx_webrtc_vp8_literal(ngx_webrtc_vp8_bool_t *b,
    ngx_uint_t n);
static void ngx_webrtc_vp8_optional(ngx_webrtc_vp8_bool_t *b, ngx_uint_t n);


ngx_int_t
ngx_webrtc_vp8_parse(u_char *p, size_t n, ngx_webrtc_vp8_t *vp8)
{
    uint32_t  tag;

    ngx_memzero(vp8, sizeof(ngx_webrtc_vp8_t));

    /* 9.1 */

    if (n < 3) {
        return NGX_DECLINED;
    }

    tag = p[0] | (p[1] << 8) | ((uint32_t) p[2] << 16);

    vp8->key = !(tag & 1);
    vp8->show = (tag >> 4) & 1;

    if ((tag >> 1 & 7) > 3) {
        /* version: "reserved for future use" */
        return NGX_DECLINED;
    }

    if (!vp8->key) {
        vp8->discardable = ngx_webrtc_vp8_discardable(p + 3, p + n);
        return NGX_OK;
    }

    if (n < 10 || p[3] != 0x9d || p[4] != 0x01 || p[5] != 0x2a) {
        return NGX_DECLINED;
    }

    vp8->width = (uint16_t) ((p[6] | (p[7] << 8)) & 0x3fff);
    vp8->height = (uint16_t) ((p[8] | (p[9] << 8)) & 0x3fff);

    return NGX_OK;
}


/* 19.2, frame_header() of an interframe */

static ngx_uint_t
ngx_webrtc_vp8_discardable(u_char *p, u_char *end)
{
    ngx_uint_t             i, changes, golden, alt;
    ngx_webrtc_vp8_bool_t  b;

    b.p = p;
    b.end = end;
    b.past = 0;
    b.range = 255;
    b.count = 0;
    b.value = ngx_webrtc_vp8_byte(&b) << 8;
    b.value |= ngx_webrtc_vp8_byte(&b);

    changes = ngx_webrtc_vp8_segmentation(&b);
    changes |= ngx_webrtc_vp8_loop_filter(&b);

    (void) ngx_webrtc_vp8_literal(&b, 2);   /* log2_nbr_of_dct_partitions */

    (void) ngx_webrtc_vp8_literal(&b, 7);   /* y_ac_qi */

    for (i = 0; i < 5; i++) {               /* y_dc_delta .. uv_ac_delta */
        ngx_webrtc_vp8_optional(&b, 5);
    }

    golden = ngx_webrtc_vp8_flag(&b);       /* refresh_golden_frame */
    alt = ngx_webrtc_vp8_flag(&b);          /* refresh_alternate_frame */

    changes |= golden | alt;

    if (!golden) {
        changes |= ngx_webrtc_vp8_literal(&b, 2);
                                            /* copy_buffer_to_golden */
    }

    if (!alt) {
        changes |= ngx_webrtc_vp8_literal(&b, 2);
                                            /* copy_buffer_to_alternate */
    }

    (void) ngx_webrtc_vp8_literal(&b, 2);   /* sign_bias_golden, _alternate */

    changes |= ngx_webrtc_vp8_flag(&b);     /* refresh_entropy_probs */
    changes |= ngx_webrtc_vp8_flag(&b);     /* refresh_last */

    return changes == 0 && b.past == 0;
}


/* 9.3: returns whether it changes what stays for later frames */

static ngx_uint_t
ngx_webrtc_vp8_segmentation(ngx_webrtc_vp8_bool_t *b)
{
    ngx_uint_t  i, map, data;

    if (!ngx_webrtc_vp8_flag(b)) {          /* segmentation_enabled */
        return 0;
    }

    map = ngx_webrtc_vp8_flag(b);           /* update_mb_segmentation_map */
    data = ngx_webrtc_vp8_flag(b);          /* update_segment_feature_data */

    if (data) {
        (void) ngx_webrtc_vp8_flag(b);      /* segment_feature_mode */

        for (i = 0; i < 4; i++) {
            ngx_webrtc_vp8_optional(b, 8);  /* quantizer_update, sign */
        }

        for (i = 0; i < 4; i++) {
            ngx_webrtc_vp8_optional(b, 7);  /* loop_filter_update, sign */
        }
    }

    if (map) {
        for (i = 0; i < 3; i++) {
            ngx_webrtc_vp8_optional(b, 8);  /* segment_prob */
        }
    }

    return map | data;
}


/* 9.6, likewise */

static ngx_uint_t
ngx_webrtc_vp8_loop_filter(ngx_webrtc_vp8_bool_t *b)
{
    ngx_uint_t  i;

    (void) ngx_webrtc_vp8_literal(b, 10);   /* type, level, sharpness */

    if (!ngx_webrtc_vp8_flag(b)) {          /* loop_filter_adj_enable */
        return 0;
    }

    if (!ngx_webrtc_vp8_flag(b)) {          /* mode_ref_lf_delta_update */
        return 0;
    }

    for (i = 0; i < 8; i++) {
        ngx_webrtc_vp8_optional(b, 7);      /* delta_magnitude, sign */
    }

    return 1;
}


static uint32_t
ngx_webrtc_vp8_byte(ngx_webrtc_vp8_bool_t *b)
{
    if (b->p == b->end) {
        b->past++;
        return 0;
    }

    return *b->p++;
}


static ngx_uint_t
ngx_webrtc_vp8_flag(ngx_webrtc_vp8_bool_t *b)
{
    uint32_t    split;
    ngx_uint_t  bit;

    split = 1 + (((b->range - 1) * 128) >> 8);

    if (b->value >= split << 8) {
        bit = 1;
        b->range -= split;
        b->value -= split << 8;

    } else {
        bit = 0;
        b->range = split;
    }

    while (b->range < 128) {
        b->value <<= 1;
        b->range <<= 1;

        if (++b->count == 8) {
            b->count = 0;
            b->value |= ngx_webrtc_vp8_byte(b);
        }
    }

    return bit;
}


static ngx_uint_t
ngx_webrtc_vp8_literal(ngx_webrtc_vp8_bool_t *b, ngx_uint_t n)
{
    ngx_uint_t  v;

    for (v = 0; n; n--) {
        v = (v << 1) | ngx_webrtc_vp8_flag(b);
    }

    return v;
}


/* a flag, and n bits when it is set */

static void
ngx_webrtc_vp8_optional(ngx_webrtc_vp8_bool_t *b, ngx_uint_t n)
{
    if (ngx_webrtc_vp8_flag(b)) {
        (void) ngx_webrtc_vp8_literal(b, n);
    }
}
