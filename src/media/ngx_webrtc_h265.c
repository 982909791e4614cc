
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * H.265 headers: see ngx_webrtc_h265.h.  ITU-T Rec. H.265 (08/2021);
 * ISO/IEC 14496-15 for hvcC.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_h265.h"


static void ngx_webrtc_h265_profile_tier_level(ngx_webrtc_bits_t *b,
    ngx_uint_t max_tid, ngx_webrtc_h265_sps_t *sps);


ngx_int_t
ngx_webrtc_h265_sps(u_char *p, size_t n, ngx_webrtc_h265_sps_t *sps)
{
    uint32_t           id, chroma, left, right, top, bottom, unit_x, unit_y;
    uint32_t           width, height;
    ngx_webrtc_bits_t  b;

    if (n < 2 || ngx_webrtc_h265_type(p) != NGX_WEBRTC_H265_SPS) {
        return NGX_DECLINED;
    }

    ngx_webrtc_bits_init_rbsp(&b, p + 2, p + n);

    ngx_webrtc_bits_skip(&b, 4);            /* sps_video_parameter_set_id */

    sps->max_tid = (uint8_t) ngx_webrtc_bits_get(&b, 3);

    if (sps->max_tid > 6) {
        return NGX_DECLINED;
    }

    ngx_webrtc_bits_skip(&b, 1);            /* sps_temporal_id_nesting_flag */

    ngx_webrtc_h265_profile_tier_level(&b, sps->max_tid, sps);

    id = ngx_webrtc_bits_ue(&b);
    chroma = ngx_webrtc_bits_ue(&b);        /* chroma_format_idc */

    if (chroma == 3 && ngx_webrtc_bits_flag(&b)) {
        chroma = 0;                         /* separate_colour_plane_flag */
    }

    width = ngx_webrtc_bits_ue(&b);
    height = ngx_webrtc_bits_ue(&b);

    left = right = top = bottom = 0;

    if (ngx_webrtc_bits_flag(&b)) {         /* conformance_window_flag */
        left = ngx_webrtc_bits_ue(&b);
        right = ngx_webrtc_bits_ue(&b);
        top = ngx_webrtc_bits_ue(&b);
        bottom = ngx_webrtc_bits_ue(&b);
    }

    if (b.error || id > 15 || chroma > 3
        || width > 0xffff || height > 0xffff)
    {
        return NGX_DECLINED;
    }

    /* Table 6-1 */

    unit_x = (chroma == 1 || chroma == 2) ? 2 : 1;
    unit_y = (chroma == 1) ? 2 : 1;

    if (((uint64_t) left + right) * unit_x >= width
        || ((uint64_t) top + bottom) * unit_y >= height)
    {
        return NGX_DECLINED;
    }

    sps->id = (uint8_t) id;
    sps->width = (uint16_t) (width - (left + right) * unit_x);
    sps->height = (uint16_t) (height - (top + bottom) * unit_y);

    return NGX_OK;
}


/* 7.3.3, with profilePresentFlag 1 */

static void
ngx_webrtc_h265_profile_tier_level(ngx_webrtc_bits_t *b, ngx_uint_t max_tid,
    ngx_webrtc_h265_sps_t *sps)
{
    uint32_t    tier, profile, level, present;
    ngx_uint_t  i;

    ngx_webrtc_bits_skip(b, 2);             /* general_profile_space */

    tier = ngx_webrtc_bits_get(b, 1);
    profile = ngx_webrtc_bits_get(b, 5);

    ngx_webrtc_bits_skip(b, 32 + 48);       /* compatibility, constraints */

    level = ngx_webrtc_bits_get(b, 8);

    sps->profile = (profile << 16) | (tier << 8) | level;

    if (max_tid == 0) {
        return;
    }

    /* sub_layer_{profile,level}_present_flag, to 8 sub-layers aligned */

    present = ngx_webrtc_bits_get(b, 16);

    for (i = 0; i < max_tid; i++) {

        if (present & (0x8000 >> (i * 2))) {
            ngx_webrtc_bits_skip(b, 88);
        }

        if (present & (0x4000 >> (i * 2))) {
            ngx_webrtc_bits_skip(b, 8);
        }
    }
}


ngx_int_t
ngx_webrtc_h265_params(ngx_webrtc_params_t *ps, u_char *p, size_t n,
    ngx_webrtc_h265_sps_t *sps)
{
    uint32_t               id;
    ngx_int_t              rc;
    ngx_uint_t             type;
    ngx_webrtc_bits_t      b;
    ngx_webrtc_h265_sps_t  parsed;

    if (n < 3) {
        return NGX_DECLINED;
    }

    type = ngx_webrtc_h265_type(p);

    switch (type) {

    case NGX_WEBRTC_H265_VPS:

        /* vps_video_parameter_set_id u(4) */
        return ngx_webrtc_params_put(ps, type, p[2] >> 4, p, n);

    case NGX_WEBRTC_H265_SPS:

        if (ngx_webrtc_h265_sps(p, n, &parsed) != NGX_OK) {
            return NGX_DECLINED;
        }

        rc = ngx_webrtc_params_put(ps, type, parsed.id, p, n);

        if (rc != NGX_DECLINED && sps) {
            *sps = parsed;
        }

        return rc;

    case NGX_WEBRTC_H265_PPS:

        ngx_webrtc_bits_init_rbsp(&b, p + 2, p + n);

        id = ngx_webrtc_bits_ue(&b);

        if (b.error || id > 63) {
            return NGX_DECLINED;
        }

        return ngx_webrtc_params_put(ps, type, id, p, n);
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_webrtc_h265_hvcc(u_char *p, size_t n, ngx_webrtc_params_t *ps,
    ngx_uint_t *length_size, ngx_webrtc_h265_sps_t *sps)
{
    u_char                 *end, *data;
    uint8_t                 version, size, arrays, type;
    uint16_t                count, len;
    ngx_webrtc_h265_sps_t  *first;

    end = p + n;

    ngx_memzero(sps, sizeof(ngx_webrtc_h265_sps_t));

    p = ngx_webrtc_read_u8(p, end, &version);
    p = ngx_webrtc_skip(p, end, 20);        /* general_profile .. frame rate */
    p = ngx_webrtc_read_u8(p, end, &size);
    p = ngx_webrtc_read_u8(p, end, &arrays);

    /* version 0 was written before the format was final */

    if (p == NULL || version > 1) {
        return NGX_DECLINED;
    }

    while (arrays--) {
        p = ngx_webrtc_read_u8(p, end, &type);
        p = ngx_webrtc_read_u16(p, end, &count);

        if (p == NULL) {
            return NGX_DECLINED;
        }

        type &= 0x3f;

        while (count--) {
            p = ngx_webrtc_read_u16(p, end, &len);

            if (p == NULL) {
                return NGX_DECLINED;
            }

            p = ngx_webrtc_read_mem(p, end, len, &data);

            if (p == NULL) {
                return NGX_DECLINED;
            }

            /* SEI may be there too */

            if (len == 0
                || type < NGX_WEBRTC_H265_VPS || type > NGX_WEBRTC_H265_PPS)
            {
                continue;
            }

            first = (sps->profile == 0) ? sps : NULL;

            if (ngx_webrtc_h265_params(ps, data, len, first) == NGX_DECLINED) {
                return NGX_DECLINED;
            }
        }
    }

    *length_size = (size & 3) + 1;

    return NGX_OK;
}
