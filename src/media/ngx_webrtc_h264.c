
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * H.264 headers: see ngx_webrtc_h264.h.  ITU-T Rec. H.264 (08/2021);
 * ISO/IEC 14496-15 for avcC.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_h264.h"


static ngx_uint_t ngx_webrtc_h264_sps_high(ngx_webrtc_bits_t *b);
static void ngx_webrtc_h264_scaling_list(ngx_webrtc_bits_t *b, ngx_uint_t n);
static u_char *ngx_webrtc_h264_avcc_sets(u_char *p, u_char *end,
    ngx_uint_t count, ngx_webrtc_params_t *ps, ngx_webrtc_h264_sps_t *sps);


/* 7.3.2.1.1: the profiles whose SPS says chroma_format_idc and more */

static const uint8_t  ngx_webrtc_h264_high_profiles[] = {
    100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135
};


ngx_int_t
ngx_webrtc_h264_sps(u_char *p, size_t n, ngx_webrtc_h264_sps_t *sps)
{
    uint32_t           id, v, left, right, top, bottom, unit_x, unit_y, chroma;
    uint32_t           frame_num;
    uint64_t           width, height;
    ngx_uint_t         i, frame_mbs_only;
    ngx_webrtc_bits_t  b;

    if (n < 4 || ngx_webrtc_h264_type(p) != NGX_WEBRTC_H264_SPS) {
        return NGX_DECLINED;
    }

    ngx_webrtc_bits_init_rbsp(&b, p + 1, p + n);

    sps->profile = ngx_webrtc_bits_get(&b, 24);

    id = ngx_webrtc_bits_ue(&b);

    chroma = 1;

    for (i = 0; i < sizeof(ngx_webrtc_h264_high_profiles); i++) {
        if (sps->profile >> 16 == ngx_webrtc_h264_high_profiles[i]) {
            chroma = ngx_webrtc_h264_sps_high(&b);
            break;
        }
    }

    frame_num = ngx_webrtc_bits_ue(&b);     /* log2_max_frame_num_minus4 */

    v = ngx_webrtc_bits_ue(&b);             /* pic_order_cnt_type */

    if (v == 0) {
        (void) ngx_webrtc_bits_ue(&b);      /* log2_max_pic_order_cnt_lsb.. */

    } else if (v == 1) {
        (void) ngx_webrtc_bits_flag(&b);    /* delta_pic_order_always_zero */
        (void) ngx_webrtc_bits_se(&b);      /* offset_for_non_ref_pic */
        (void) ngx_webrtc_bits_se(&b);      /* offset_for_top_to_bottom_field */

        v = ngx_webrtc_bits_ue(&b);         /* num_ref_frames_in_pic_order.. */

        if (v > 255) {
            return NGX_DECLINED;
        }

        for (i = 0; i < v; i++) {
            (void) ngx_webrtc_bits_se(&b);  /* offset_for_ref_frame[] */
        }

    } else if (v > 2) {
        return NGX_DECLINED;
    }

    (void) ngx_webrtc_bits_ue(&b);          /* max_num_ref_frames */
    (void) ngx_webrtc_bits_flag(&b);        /* gaps_in_frame_num_allowed */

    width = ((uint64_t) ngx_webrtc_bits_ue(&b) + 1) * 16;
    height = ((uint64_t) ngx_webrtc_bits_ue(&b) + 1) * 16;

    frame_mbs_only = ngx_webrtc_bits_flag(&b);

    if (!frame_mbs_only) {
        height *= 2;
        (void) ngx_webrtc_bits_flag(&b);    /* mb_adaptive_frame_field_flag */
    }

    (void) ngx_webrtc_bits_flag(&b);        /* direct_8x8_inference_flag */

    left = right = top = bottom = 0;

    if (ngx_webrtc_bits_flag(&b)) {         /* frame_cropping_flag */
        left = ngx_webrtc_bits_ue(&b);
        right = ngx_webrtc_bits_ue(&b);
        top = ngx_webrtc_bits_ue(&b);
        bottom = ngx_webrtc_bits_ue(&b);
    }

    if (b.error || id > 31 || frame_num > 12 || width > 0xffff
        || height > 0xffff)
    {
        return NGX_DECLINED;
    }

    /* Table 6-1, (7-19) to (7-22): chroma 4:2:0 and 4:2:2 halve the width */

    unit_x = (chroma == 1 || chroma == 2) ? 2 : 1;
    unit_y = (chroma == 1 ? 2 : 1) * (frame_mbs_only ? 1 : 2);

    if (((uint64_t) left + right) * unit_x >= width
        || ((uint64_t) top + bottom) * unit_y >= height)
    {
        return NGX_DECLINED;
    }

    sps->id = (uint8_t) id;
    sps->frame_num_bits = (uint8_t) (frame_num + 4);
    sps->frame_mbs_only = (frame_mbs_only != 0);
    sps->width = (uint16_t) (width - (left + right) * unit_x);
    sps->height = (uint16_t) (height - (top + bottom) * unit_y);

    return NGX_OK;
}


/* returns ChromaArrayType */

static ngx_uint_t
ngx_webrtc_h264_sps_high(ngx_webrtc_bits_t *b)
{
    uint32_t    chroma;
    ngx_uint_t  i, n;

    chroma = ngx_webrtc_bits_ue(b);         /* chroma_format_idc */
    n = (chroma == 3) ? 12 : 8;

    if (chroma > 3) {
        b->error = 1;
    }

    if (chroma == 3 && ngx_webrtc_bits_flag(b)) {
        chroma = 0;                         /* separate_colour_plane_flag */
    }

    (void) ngx_webrtc_bits_ue(b);           /* bit_depth_luma_minus8 */
    (void) ngx_webrtc_bits_ue(b);           /* bit_depth_chroma_minus8 */
    (void) ngx_webrtc_bits_flag(b);         /* qpprime_y_zero_transform.. */

    if (ngx_webrtc_bits_flag(b)) {          /* seq_scaling_matrix_present */

        for (i = 0; i < n; i++) {
            if (ngx_webrtc_bits_flag(b)) {
                ngx_webrtc_h264_scaling_list(b, i < 6 ? 16 : 64);
            }
        }
    }

    return chroma;
}


/* 7.3.2.1.1.1 */

static void
ngx_webrtc_h264_scaling_list(ngx_webrtc_bits_t *b, ngx_uint_t n)
{
    uint32_t    last, next;
    ngx_uint_t  i;

    last = 8;
    next = 8;

    for (i = 0; i < n && !b->error; i++) {

        if (next != 0) {
            next = (last + (uint32_t) ngx_webrtc_bits_se(b)) & 0xff;
        }

        if (next != 0) {
            last = next;
        }
    }
}


ngx_int_t
ngx_webrtc_h264_pps(u_char *p, size_t n, ngx_uint_t *id)
{
    uint32_t           v;
    ngx_webrtc_bits_t  b;

    if (n < 2 || ngx_webrtc_h264_type(p) != NGX_WEBRTC_H264_PPS) {
        return NGX_DECLINED;
    }

    ngx_webrtc_bits_init_rbsp(&b, p + 1, p + n);

    v = ngx_webrtc_bits_ue(&b);

    if (b.error || v > 255) {
        return NGX_DECLINED;
    }

    *id = v;

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_h264_sei(u_char *p, size_t n, size_t header)
{
    uint32_t           byte;
    ngx_uint_t         kinds, i, v[2];
    ngx_webrtc_bits_t  b;

    if (n < header) {
        return NGX_WEBRTC_SEI_OTHER;
    }

    kinds = 0;

    ngx_webrtc_bits_init_rbsp(&b, p + header, p + n);

    /* 7.3.2.3.1; what stands before rbsp_trailing_bits is at least 2 bytes */

    while (b.end - b.p >= 2) {

        for (i = 0; i < 2; i++) {           /* payloadType, payloadSize */
            v[i] = 0;

            do {
                byte = ngx_webrtc_bits_get(&b, 8);
                v[i] += byte;
            } while (byte == 0xff);
        }

        ngx_webrtc_bits_skip(&b, v[1] * 8);

        if (b.error) {
            return kinds | NGX_WEBRTC_SEI_OTHER;
        }

        switch (v[0]) {

        case 3:
            kinds |= NGX_WEBRTC_SEI_FILLER;
            break;

        case 6:
            kinds |= NGX_WEBRTC_SEI_RECOVERY;
            break;

        default:
            kinds |= NGX_WEBRTC_SEI_OTHER;
        }
    }

    return kinds;
}


ngx_int_t
ngx_webrtc_h264_params(ngx_webrtc_params_t *ps, u_char *p, size_t n,
    ngx_webrtc_h264_sps_t *sps)
{
    uint32_t               v;
    ngx_int_t              rc;
    ngx_uint_t             id;
    ngx_webrtc_bits_t      b;
    ngx_webrtc_h264_sps_t  parsed;

    switch (ngx_webrtc_h264_type(p)) {

    case NGX_WEBRTC_H264_SPS:

        if (ngx_webrtc_h264_sps(p, n, &parsed) != NGX_OK) {
            return NGX_DECLINED;
        }

        rc = ngx_webrtc_params_put(ps, NGX_WEBRTC_H264_SPS, parsed.id, p, n);

        if (rc != NGX_DECLINED && sps) {
            *sps = parsed;
        }

        return rc;

    case NGX_WEBRTC_H264_PPS:

        if (ngx_webrtc_h264_pps(p, n, &id) != NGX_OK) {
            return NGX_DECLINED;
        }

        return ngx_webrtc_params_put(ps, NGX_WEBRTC_H264_PPS, id, p, n);

    case NGX_WEBRTC_H264_SPS_EXT:

        ngx_webrtc_bits_init_rbsp(&b, p + 1, p + n);

        v = ngx_webrtc_bits_ue(&b);

        if (b.error || v > 31) {
            return NGX_DECLINED;
        }

        return ngx_webrtc_params_put(ps, NGX_WEBRTC_H264_SPS_EXT, v, p, n);
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_webrtc_h264_avcc(u_char *p, size_t n, ngx_webrtc_params_t *ps,
    ngx_uint_t *length_size, ngx_webrtc_h264_sps_t *sps)
{
    u_char   *end;
    uint8_t   version, size, count;

    end = p + n;

    ngx_memzero(sps, sizeof(ngx_webrtc_h264_sps_t));

    p = ngx_webrtc_read_u8(p, end, &version);
    p = ngx_webrtc_skip(p, end, 3);         /* profile, constraints, level */
    p = ngx_webrtc_read_u8(p, end, &size);
    p = ngx_webrtc_read_u8(p, end, &count);

    if (p == NULL || version != 1) {
        return NGX_DECLINED;
    }

    p = ngx_webrtc_h264_avcc_sets(p, end, count & 0x1f, ps, sps);
    p = ngx_webrtc_read_u8(p, end, &count);
    p = ngx_webrtc_h264_avcc_sets(p, end, count, ps, sps);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    /* what follows for High profiles repeats the SPS, but for extensions */

    *length_size = (size & 3) + 1;

    return NGX_OK;
}


static u_char *
ngx_webrtc_h264_avcc_sets(u_char *p, u_char *end, ngx_uint_t count,
    ngx_webrtc_params_t *ps, ngx_webrtc_h264_sps_t *sps)
{
    u_char                 *data;
    uint16_t                len;
    ngx_webrtc_h264_sps_t  *first;

    while (count--) {
        p = ngx_webrtc_read_u16(p, end, &len);

        if (p == NULL) {
            return NULL;
        }

        p = ngx_webrtc_read_mem(p, end, len, &data);

        if (p == NULL) {
            return NULL;
        }

        /* encoders are seen that write empty sets */

        if (len == 0) {
            continue;
        }

        first = (sps->profile == 0) ? sps : NULL;

        if (ngx_webrtc_h264_params(ps, data, len, first) == NGX_DECLINED) {
            return NULL;
        }
    }

    return p;
}
