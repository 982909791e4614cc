
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Superframes of VP9 with several spatial layers: 6.2 and 7.2 of the VP9
 * Bitstream & Decoding Process Specification.
 *
 * A frame that is not key has one bit more where it is not shown, intra_only;
 * its uncompressed header ends at a byte's boundary, and what follows has no
 * need of where that is.
 */


#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_vp9_hide.h"


#define NGX_WEBRTC_VP9_SYNC    0x498342
#define NGX_WEBRTC_VP9_SRGB    7

/* reference frames of one that is predicted, and of those kept */
#define NGX_WEBRTC_VP9_ACTIVE  3


/* an uncompressed header, and where its reader stands */
typedef struct {
    ngx_webrtc_bits_t       bits;
    ngx_webrtc_vp9_look_t  *look;
    ngx_uint_t              profile;
    ngx_uint_t              refresh;       /* slots that get the frame */
} ngx_webrtc_vp9_header_t;


static ngx_int_t ngx_webrtc_vp9_header(ngx_webrtc_vp9_header_t *h,
    ngx_webrtc_vp9_refs_t *refs);
static ngx_int_t ngx_webrtc_vp9_header_intra(ngx_webrtc_vp9_header_t *h);
static ngx_int_t ngx_webrtc_vp9_header_inter(ngx_webrtc_vp9_header_t *h,
    ngx_webrtc_vp9_refs_t *refs);
static void ngx_webrtc_vp9_header_colour(ngx_webrtc_vp9_header_t *h);
static void ngx_webrtc_vp9_header_size(ngx_webrtc_vp9_header_t *h);
static void ngx_webrtc_vp9_header_render(ngx_webrtc_vp9_header_t *h);
static void ngx_webrtc_vp9_header_filter(ngx_webrtc_vp9_header_t *h);
static void ngx_webrtc_vp9_header_segments(ngx_webrtc_vp9_header_t *h);
static void ngx_webrtc_vp9_header_tiles(ngx_webrtc_vp9_header_t *h);
static uint32_t ngx_webrtc_vp9_header_get(ngx_webrtc_vp9_header_t *h,
    ngx_uint_t n);
static size_t ngx_webrtc_vp9_insert(u_char *p, size_t n, size_t at, size_t end);


ngx_int_t
ngx_webrtc_vp9_look(u_char *p, size_t n, ngx_webrtc_vp9_refs_t *refs,
    ngx_webrtc_vp9_look_t *look)
{
    ngx_uint_t               i;
    ngx_webrtc_vp9_header_t  h;

    ngx_memzero(&h, sizeof(ngx_webrtc_vp9_header_t));
    ngx_memzero(look, sizeof(ngx_webrtc_vp9_look_t));

    h.look = look;

    ngx_webrtc_bits_init(&h.bits, p, p + n);

    if (ngx_webrtc_vp9_header(&h, refs) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (i = 0; i < NGX_WEBRTC_VP9_SLOTS; i++) {
        if (h.refresh & (1u << i)) {
            refs->width[i] = look->width;
            refs->height[i] = look->height;
        }
    }

    return NGX_OK;
}


size_t
ngx_webrtc_vp9_hide(u_char *p, size_t n, const ngx_webrtc_vp9_look_t *look)
{
    if (!look->show) {
        return n;
    }

    p[look->shown / 8] &= (u_char) ~(0x80 >> look->shown % 8);

    /* intra_only, behind error_resilient_mode */

    return look->key ? n : ngx_webrtc_vp9_insert(p, n, look->shown + 2,
                                                 look->bits);
}


/* a bit that is 0, at a place of a header of "end" bits; the new length */

static size_t
ngx_webrtc_vp9_insert(u_char *p, size_t n, size_t at, size_t end)
{
    u_char       carry, next, keep;
    size_t       i, last;

    last = (end + 7) / 8;

    if (end % 8 == 0) {
        ngx_memmove(p + last + 1, p + last, n - last);
        p[last] = 0;
        last++;
        n++;
    }

    i = at / 8;
    keep = (u_char) (0xff << (8 - at % 8));

    carry = (u_char) (p[i] & 1);
    p[i] = (u_char) ((p[i] & keep) | ((p[i] & ~keep) >> 1));

    for (i++; i < last; i++) {
        next = (u_char) (p[i] & 1);
        p[i] = (u_char) (p[i] >> 1 | carry << 7);
        carry = next;
    }

    return n;
}


/* 6.2, uncompressed_header() */

static ngx_int_t
ngx_webrtc_vp9_header(ngx_webrtc_vp9_header_t *h, ngx_webrtc_vp9_refs_t *refs)
{
    ngx_int_t               rc;
    ngx_uint_t              i, intra;
    ngx_webrtc_vp9_look_t  *look;

    look = h->look;

    if (ngx_webrtc_vp9_header_get(h, 2) != 2) {        /* frame_marker */
        return NGX_DECLINED;
    }

    h->profile = ngx_webrtc_vp9_header_get(h, 1);
    h->profile |= ngx_webrtc_vp9_header_get(h, 1) << 1;

    if (h->profile == 3 && ngx_webrtc_vp9_header_get(h, 1)) {
        return NGX_DECLINED;                           /* reserved_zero */
    }

    if (ngx_webrtc_vp9_header_get(h, 1)) {             /* show_existing_frame */
        return NGX_DECLINED;
    }

    look->key = !ngx_webrtc_vp9_header_get(h, 1);      /* frame_type */
    look->shown = look->bits;
    look->show = ngx_webrtc_vp9_header_get(h, 1);
    look->resilient = ngx_webrtc_vp9_header_get(h, 1);

    intra = look->key;

    if (!look->key) {
        intra = look->show ? 0 : ngx_webrtc_vp9_header_get(h, 1);

        if (!look->resilient) {
            (void) ngx_webrtc_vp9_header_get(h, 2);    /* reset_frame_context */
        }
    }

    rc = intra ? ngx_webrtc_vp9_header_intra(h)
               : ngx_webrtc_vp9_header_inter(h, refs);
    if (rc != NGX_OK) {
        return NGX_DECLINED;
    }

    if (!look->resilient) {
        /* refresh_frame_context, frame_parallel_decoding_mode */
        (void) ngx_webrtc_vp9_header_get(h, 2);
    }

    (void) ngx_webrtc_vp9_header_get(h, 2);            /* frame_context_idx */

    ngx_webrtc_vp9_header_filter(h);

    (void) ngx_webrtc_vp9_header_get(h, 8);            /* base_q_idx */

    for (i = 0; i < 3; i++) {
        if (ngx_webrtc_vp9_header_get(h, 1)) {
            (void) ngx_webrtc_vp9_header_get(h, 5);    /* delta_q */
        }
    }

    ngx_webrtc_vp9_header_segments(h);
    ngx_webrtc_vp9_header_tiles(h);

    /* header_size_in_bytes, of the compressed header */

    return (ngx_webrtc_vp9_header_get(h, 16) == 0 || h->bits.error)
           ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_webrtc_vp9_header_intra(ngx_webrtc_vp9_header_t *h)
{
    if (ngx_webrtc_vp9_header_get(h, 24) != NGX_WEBRTC_VP9_SYNC) {
        return NGX_DECLINED;
    }

    if (h->look->key || h->profile) {
        ngx_webrtc_vp9_header_colour(h);
    }

    h->refresh = h->look->key ? (1u << NGX_WEBRTC_VP9_SLOTS) - 1
                        : ngx_webrtc_vp9_header_get(h, NGX_WEBRTC_VP9_SLOTS);

    ngx_webrtc_vp9_header_size(h);
    ngx_webrtc_vp9_header_render(h);

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_vp9_header_inter(ngx_webrtc_vp9_header_t *h,
    ngx_webrtc_vp9_refs_t *refs)
{
    ngx_uint_t  i, ref[NGX_WEBRTC_VP9_ACTIVE];

    h->refresh = ngx_webrtc_vp9_header_get(h, NGX_WEBRTC_VP9_SLOTS);

    for (i = 0; i < NGX_WEBRTC_VP9_ACTIVE; i++) {
        ref[i] = ngx_webrtc_vp9_header_get(h, 3);
        (void) ngx_webrtc_vp9_header_get(h, 1);        /* ref_frame_sign_bias */
    }

    /* frame_size_with_refs() */

    for (i = 0; i < NGX_WEBRTC_VP9_ACTIVE; i++) {
        if (ngx_webrtc_vp9_header_get(h, 1)) {         /* found_ref */
            h->look->width = refs->width[ref[i]];
            h->look->height = refs->height[ref[i]];
            break;
        }
    }

    if (i == NGX_WEBRTC_VP9_ACTIVE) {
        ngx_webrtc_vp9_header_size(h);
    }

    ngx_webrtc_vp9_header_render(h);

    (void) ngx_webrtc_vp9_header_get(h, 1);            /* high_precision_mv */

    if (!ngx_webrtc_vp9_header_get(h, 1)) {            /* filter_switchable */
        (void) ngx_webrtc_vp9_header_get(h, 2);
    }

    return h->look->width ? NGX_OK : NGX_DECLINED;
}


/* color_config() */

static void
ngx_webrtc_vp9_header_colour(ngx_webrtc_vp9_header_t *h)
{
    if (h->profile >= 2) {
        (void) ngx_webrtc_vp9_header_get(h, 1);        /* ten_or_twelve_bit */
    }

    if (ngx_webrtc_vp9_header_get(h, 3) != NGX_WEBRTC_VP9_SRGB) {
        (void) ngx_webrtc_vp9_header_get(h, 1);        /* color_range */

        if (h->profile & 1) {
            (void) ngx_webrtc_vp9_header_get(h, 3);    /* subsampling */
        }

    } else if (h->profile & 1) {
        (void) ngx_webrtc_vp9_header_get(h, 1);        /* reserved_zero */
    }
}


static void
ngx_webrtc_vp9_header_size(ngx_webrtc_vp9_header_t *h)
{
    h->look->width = ngx_webrtc_vp9_header_get(h, 16) + 1;
    h->look->height = ngx_webrtc_vp9_header_get(h, 16) + 1;
}


static void
ngx_webrtc_vp9_header_render(ngx_webrtc_vp9_header_t *h)
{
    if (ngx_webrtc_vp9_header_get(h, 1)) {
        (void) ngx_webrtc_vp9_header_get(h, 32);
    }
}


/* loop_filter_params() */

static void
ngx_webrtc_vp9_header_filter(ngx_webrtc_vp9_header_t *h)
{
    ngx_uint_t  i;

    (void) ngx_webrtc_vp9_header_get(h, 6);            /* level */
    (void) ngx_webrtc_vp9_header_get(h, 3);            /* sharpness */

    if (!ngx_webrtc_vp9_header_get(h, 1)               /* delta_enabled */
        || !ngx_webrtc_vp9_header_get(h, 1))           /* delta_update */
    {
        return;
    }

    /* of four references and two modes */

    for (i = 0; i < 6; i++) {
        if (ngx_webrtc_vp9_header_get(h, 1)) {
            (void) ngx_webrtc_vp9_header_get(h, 7);
        }
    }
}


/* segmentation_params() */

static void
ngx_webrtc_vp9_header_segments(ngx_webrtc_vp9_header_t *h)
{
    ngx_uint_t  i, k, temporal;

    /* bits of a feature's value, with its sign */

    static const uint8_t  bits[] = { 9, 7, 2, 0 };

    if (!ngx_webrtc_vp9_header_get(h, 1)) {            /* enabled */
        return;
    }

    if (ngx_webrtc_vp9_header_get(h, 1)) {             /* update_map */

        for (i = 0; i < 7; i++) {
            if (ngx_webrtc_vp9_header_get(h, 1)) {
                (void) ngx_webrtc_vp9_header_get(h, 8);
            }
        }

        temporal = ngx_webrtc_vp9_header_get(h, 1);

        for (i = 0; temporal && i < 3; i++) {
            if (ngx_webrtc_vp9_header_get(h, 1)) {
                (void) ngx_webrtc_vp9_header_get(h, 8);
            }
        }
    }

    if (!ngx_webrtc_vp9_header_get(h, 1)) {            /* update_data */
        return;
    }

    (void) ngx_webrtc_vp9_header_get(h, 1);            /* abs_delta_update */

    for (i = 0; i < 8; i++) {
        for (k = 0; k < sizeof(bits); k++) {
            if (ngx_webrtc_vp9_header_get(h, 1)) {     /* feature_enabled */
                (void) ngx_webrtc_vp9_header_get(h, bits[k]);
            }
        }
    }
}


/* tile_info(): a tile is 4 to 64 superblocks of 64 pixels wide */

static void
ngx_webrtc_vp9_header_tiles(ngx_webrtc_vp9_header_t *h)
{
    uint32_t    blocks;
    ngx_uint_t  least, most;

    blocks = (h->look->width + 63) / 64;

    for (least = 0; (64u << least) < blocks; least++) { /* void */ }
    for (most = 1; (blocks >> most) >= 4; most++) { /* void */ }

    while (least < most - 1 && ngx_webrtc_vp9_header_get(h, 1)) {
        least++;
    }

    if (ngx_webrtc_vp9_header_get(h, 1)) {             /* tile_rows_log2 */
        (void) ngx_webrtc_vp9_header_get(h, 1);
    }
}


static uint32_t
ngx_webrtc_vp9_header_get(ngx_webrtc_vp9_header_t *h, ngx_uint_t n)
{
    h->look->bits += n;

    return ngx_webrtc_bits_get(&h->bits, n);
}
