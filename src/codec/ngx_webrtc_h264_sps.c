
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * H.264's sequence parameter set: see ngx_webrtc_h264.h.
 */


#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_h264.h"


static ngx_uint_t ngx_webrtc_h264_sps_high(ngx_webrtc_bits_t *b,
    ngx_webrtc_h264_sps_t *sps);
static ngx_uint_t ngx_webrtc_h264_reorder(ngx_webrtc_bits_t *b);
static void ngx_webrtc_h264_scaling_list(ngx_webrtc_bits_t *b, ngx_uint_t n);
static void ngx_webrtc_h264_hrd(ngx_webrtc_bits_t *b);


/* 7.3.2.1.1: the profiles whose SPS says chroma_format_idc and more */

static const uint8_t  ngx_webrtc_h264_high_profiles[] = {
    100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135
};


ngx_int_t
ngx_webrtc_h264_sps(u_char *p, size_t n, ngx_webrtc_h264_sps_t *sps)
{
    uint32_t           id, v, left, right, top, bottom, unit_x, unit_y, chroma;
    uint32_t           frame_num, poc_type;
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

    sps->depth = 8;
    sps->chroma = NGX_WEBRTC_CHROMA_420;

    for (i = 0; i < sizeof(ngx_webrtc_h264_high_profiles); i++) {
        if (sps->profile >> 16 == ngx_webrtc_h264_high_profiles[i]) {
            chroma = ngx_webrtc_h264_sps_high(&b, sps);
            break;
        }
    }

    frame_num = ngx_webrtc_bits_ue(&b);     /* log2_max_frame_num_minus4 */

    poc_type = ngx_webrtc_bits_ue(&b);      /* pic_order_cnt_type */

    if (poc_type == 0) {
        (void) ngx_webrtc_bits_ue(&b);      /* log2_max_pic_order_cnt_lsb.. */

    } else if (poc_type == 1) {
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

    } else if (poc_type > 2) {
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
    sps->traits = frame_mbs_only ? 0 : NGX_WEBRTC_TRACK_INTERLACED;

    /* 8.2.1: type 2 is of output in decoding order; A.2.1: so is Baseline */

    sps->reorder = (poc_type == 2 || sps->profile >> 16 == 66)
                   ? 0 : ngx_webrtc_h264_reorder(&b);

    return NGX_OK;
}


/* returns ChromaArrayType */

static ngx_uint_t
ngx_webrtc_h264_sps_high(ngx_webrtc_bits_t *b, ngx_webrtc_h264_sps_t *sps)
{
    uint32_t    chroma, depth;
    ngx_uint_t  i, n;

    chroma = ngx_webrtc_bits_ue(b);         /* chroma_format_idc */
    n = (chroma == 3) ? 12 : 8;

    sps->chroma = (uint8_t) (chroma ? chroma : NGX_WEBRTC_CHROMA_MONO);

    if (chroma > 3) {
        b->error = 1;
    }

    if (chroma == 3 && ngx_webrtc_bits_flag(b)) {
        chroma = 0;                         /* separate_colour_plane_flag */
    }

    depth = ngx_webrtc_bits_ue(b);          /* bit_depth_luma_minus8 */

    if (depth > 6) {
        b->error = 1;
    }

    sps->depth = (uint8_t) (8 + depth);

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


/* vui_parameters(), E.1.1, from its flag on: max_num_reorder_frames */

static ngx_uint_t
ngx_webrtc_h264_reorder(ngx_webrtc_bits_t *b)
{
    uint32_t    reorder;
    ngx_uint_t  hrd;

    if (!ngx_webrtc_bits_flag(b)) {         /* vui_parameters_present_flag */
        return NGX_WEBRTC_REORDER_UNKNOWN;
    }

    if (ngx_webrtc_bits_flag(b)             /* aspect_ratio_info_present.. */
        && ngx_webrtc_bits_get(b, 8) == 255)
    {
        ngx_webrtc_bits_skip(b, 32);        /* sar_width, sar_height */
    }

    if (ngx_webrtc_bits_flag(b)) {          /* overscan_info_present_flag */
        ngx_webrtc_bits_skip(b, 1);
    }

    if (ngx_webrtc_bits_flag(b)) {          /* video_signal_type_present.. */
        ngx_webrtc_bits_skip(b, 4);

        if (ngx_webrtc_bits_flag(b)) {      /* colour_description_present.. */
            ngx_webrtc_bits_skip(b, 24);
        }
    }

    if (ngx_webrtc_bits_flag(b)) {          /* chroma_loc_info_present_flag */
        (void) ngx_webrtc_bits_ue(b);
        (void) ngx_webrtc_bits_ue(b);
    }

    if (ngx_webrtc_bits_flag(b)) {          /* timing_info_present_flag */
        ngx_webrtc_bits_skip(b, 65);
    }

    hrd = 0;

    if (ngx_webrtc_bits_flag(b)) {          /* nal_hrd_parameters_present.. */
        ngx_webrtc_h264_hrd(b);
        hrd = 1;
    }

    if (ngx_webrtc_bits_flag(b)) {          /* vcl_hrd_parameters_present.. */
        ngx_webrtc_h264_hrd(b);
        hrd = 1;
    }

    ngx_webrtc_bits_skip(b, hrd);           /* low_delay_hrd_flag */
    ngx_webrtc_bits_skip(b, 1);             /* pic_struct_present_flag */

    if (!ngx_webrtc_bits_flag(b)) {         /* bitstream_restriction_flag */
        return NGX_WEBRTC_REORDER_UNKNOWN;
    }

    ngx_webrtc_bits_skip(b, 1);             /* motion_vectors_over_pic.. */
    (void) ngx_webrtc_bits_ue(b);           /* max_bytes_per_pic_denom */
    (void) ngx_webrtc_bits_ue(b);           /* max_bits_per_mb_denom */
    (void) ngx_webrtc_bits_ue(b);           /* log2_max_mv_length_horizontal */
    (void) ngx_webrtc_bits_ue(b);           /* log2_max_mv_length_vertical */

    reorder = ngx_webrtc_bits_ue(b);        /* max_num_reorder_frames */

    return (b->error || reorder > 16) ? NGX_WEBRTC_REORDER_UNKNOWN : reorder;
}


/* hrd_parameters(), E.1.2 */

static void
ngx_webrtc_h264_hrd(ngx_webrtc_bits_t *b)
{
    uint32_t  n;

    n = ngx_webrtc_bits_ue(b) + 1;          /* cpb_cnt_minus1 */

    ngx_webrtc_bits_skip(b, 8);             /* bit_rate_scale, cpb_size_scale */

    if (n > 32) {
        b->error = 1;
    }

    while (n-- && !b->error) {
        (void) ngx_webrtc_bits_ue(b);       /* bit_rate_value_minus1 */
        (void) ngx_webrtc_bits_ue(b);       /* cpb_size_value_minus1 */
        ngx_webrtc_bits_skip(b, 1);         /* cbr_flag */
    }

    ngx_webrtc_bits_skip(b, 20);            /* lengths */
}
