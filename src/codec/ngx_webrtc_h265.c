
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * H.265: headers, packetizer, payloads, format parameters.  ITU-T Rec. H.265;
 * ISO/IEC 14496-15 for hvcC; RFC 7798, single RTP stream, no DONL.  See
 * ngx_webrtc_h265.h, ngx_webrtc_pack.h, ngx_webrtc_depay.h, ngx_webrtc_codec.h.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_h265.h"
#include "ngx_webrtc_pack_nal.h"
#include "ngx_webrtc_depay_nal.h"
#include "ngx_webrtc_unpack.h"
#include "ngx_webrtc_fmtp.h"


/* a header, something after it, and the base layer */

#define ngx_webrtc_h265_is_base(nal, n)                                  \
    ((n) > 2 && ngx_webrtc_h265_layer(nal) == 0)


/* profile-id 1, level 3.1: every H.265 decoder has it; RFC 7798, 7.1 */
#define NGX_WEBRTC_H265_DEFAULT   0x01005d


static void ngx_webrtc_h265_profile_tier_level(ngx_webrtc_bits_t *b,
    ngx_uint_t max_tid, ngx_webrtc_h265_sps_t *sps);
static ngx_int_t ngx_webrtc_h265_params(ngx_webrtc_params_t *ps, u_char *p,
    size_t n, ngx_webrtc_h265_sps_t *sps);
static ngx_int_t ngx_webrtc_h265_hvcc(u_char *p, size_t n,
    ngx_webrtc_params_t *ps, ngx_uint_t *length_size,
    ngx_webrtc_h265_sps_t *sps);
static ngx_int_t ngx_webrtc_h265_pack_config(ngx_webrtc_pack_t *pack,
    u_char *p, size_t n);
static ngx_int_t ngx_webrtc_h265_pack_probe(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_h265_pack_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_uint_t ngx_webrtc_h265_is_params(u_char *nal, size_t n);
static ngx_int_t ngx_webrtc_h265_pack_params(ngx_webrtc_pack_t *pack,
    u_char *p, size_t n);
static void ngx_webrtc_h265_pack_track(ngx_webrtc_pack_t *pack,
    ngx_webrtc_h265_sps_t *sps);
static ngx_uint_t ngx_webrtc_h265_sends(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame, u_char *nal, size_t n);
static void ngx_webrtc_h265_aggregate(u_char *h, u_char *nal,
    ngx_uint_t first);
static void ngx_webrtc_h265_fragment(u_char *h, u_char *nal);
static ngx_int_t ngx_webrtc_h265_depay_kind(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind);
static size_t ngx_webrtc_h265_depay_prefix(ngx_webrtc_depay_t *d,
    ngx_uint_t *next, u_char *buf, size_t size);
static ngx_uint_t ngx_webrtc_h265_depay_nal(ngx_webrtc_depay_t *d,
    u_char *nal, size_t n, ngx_webrtc_depay_kind_t *kind);
static void ngx_webrtc_h265_depay_slice(ngx_webrtc_depay_t *d,
    ngx_uint_t type, ngx_uint_t tid, ngx_uint_t start,
    ngx_webrtc_depay_kind_t *kind);
static ngx_int_t ngx_webrtc_h265_unpack_payload(ngx_webrtc_unpack_t *u,
    u_char *p, size_t n, ngx_uint_t flags);
static ngx_uint_t ngx_webrtc_h265_distance(const ngx_webrtc_track_t *track,
    const ngx_str_t *fmtp);
static u_char *ngx_webrtc_h265_answer(u_char *p, u_char *end,
    const ngx_str_t *fmtp, ngx_uint_t stereo, ngx_uint_t sending);
static u_char *ngx_webrtc_h265_offer(u_char *p, u_char *end, uint32_t profile,
    ngx_uint_t channels);


static const ngx_webrtc_pack_nal_ops_t  ngx_webrtc_h265_pack_nal = {
    2,
    ngx_webrtc_h265_is_params,
    ngx_webrtc_h265_pack_params,
    ngx_webrtc_h265_sends,
    ngx_webrtc_h265_aggregate,
    ngx_webrtc_h265_fragment
};


static const ngx_webrtc_pack_ops_t  ngx_webrtc_h265_pack = {
    ngx_webrtc_h265_pack_config,
    ngx_webrtc_h265_pack_probe,
    ngx_webrtc_h265_pack_frame
};


static const ngx_webrtc_depay_ops_t  ngx_webrtc_h265_depay = {
    ngx_webrtc_h265_depay_kind,
    ngx_webrtc_h265_depay_prefix,
    3,                                      /* VPS, SPS, PPS */
    0,
    NULL,
    NULL,
    NULL,
    0
};


static const ngx_webrtc_unpack_ops_t  ngx_webrtc_h265_unpack = {
    ngx_webrtc_h265_unpack_payload,
    NULL
};


static const ngx_webrtc_codec_fmtp_t  ngx_webrtc_h265_fmtp = {
    ngx_webrtc_h265_distance,
    NULL,
    NULL,
    ngx_webrtc_h265_answer,
    ngx_webrtc_h265_offer
};


const ngx_webrtc_codec_t  ngx_webrtc_codec_h265 = {
    ngx_string("H265"), NGX_WEBRTC_VIDEO, NGX_WEBRTC_CODEC_H265, 0, -1, 90000,
    98, 99, 0,
    &ngx_webrtc_h265_fmtp,
    &ngx_webrtc_h265_pack,
    &ngx_webrtc_h265_depay,
    &ngx_webrtc_h265_unpack
};


ngx_int_t
ngx_webrtc_h265_sps(u_char *p, size_t n, ngx_webrtc_h265_sps_t *sps)
{
    uint32_t           id, chroma, left, right, top, bottom, unit_x, unit_y;
    uint32_t           width, height, depth, reorder;
    ngx_uint_t         i, layers;
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

    sps->chroma = (uint8_t) (chroma ? chroma : NGX_WEBRTC_CHROMA_MONO);

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

    depth = ngx_webrtc_bits_ue(&b);         /* bit_depth_luma_minus8 */

    if (b.error || id > 15 || chroma > 3 || depth > 8
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
    sps->depth = (uint8_t) (8 + depth);

    (void) ngx_webrtc_bits_ue(&b);          /* bit_depth_chroma_minus8 */
    (void) ngx_webrtc_bits_ue(&b);          /* log2_max_pic_order_cnt_lsb.. */

    /* sps_sub_layer_ordering_info_present_flag: one of each, or one of all */

    layers = ngx_webrtc_bits_flag(&b) ? sps->max_tid + 1 : 1;
    reorder = 0;

    for (i = 0; i < layers; i++) {
        (void) ngx_webrtc_bits_ue(&b);      /* sps_max_dec_pic_buffering.. */
        reorder = ngx_webrtc_bits_ue(&b);   /* sps_max_num_reorder_pics */
        (void) ngx_webrtc_bits_ue(&b);      /* sps_max_latency_increase.. */
    }

    sps->reorder = (uint8_t) ((b.error || reorder > 16)
                              ? NGX_WEBRTC_REORDER_UNKNOWN : reorder);

    return NGX_OK;
}


/* 7.3.3, with profilePresentFlag 1 */

static void
ngx_webrtc_h265_profile_tier_level(ngx_webrtc_bits_t *b, ngx_uint_t max_tid,
    ngx_webrtc_h265_sps_t *sps)
{
    uint32_t    tier, profile, level, present, progressive, interlaced;
    ngx_uint_t  i;

    ngx_webrtc_bits_skip(b, 2);             /* general_profile_space */

    tier = ngx_webrtc_bits_get(b, 1);
    profile = ngx_webrtc_bits_get(b, 5);

    ngx_webrtc_bits_skip(b, 32);            /* compatibility */

    progressive = ngx_webrtc_bits_get(b, 1);
    interlaced = ngx_webrtc_bits_get(b, 1);

    /* 7.4.4: both say that each picture tells */

    sps->traits = (interlaced && !progressive) ? NGX_WEBRTC_TRACK_INTERLACED
                                               : 0;

    ngx_webrtc_bits_skip(b, 46);            /* constraints */

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


/*
 * Puts a parameter set NAL unit (VPS, SPS, PPS) into a store, under its type
 * and id.  sps: not NULL: filled in when it was an SPS.
 *
 * The results of ngx_webrtc_params_put(); NGX_DECLINED also when malformed.
 */

static ngx_int_t
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


/*
 * Parses hvcC and puts its parameter sets into a store.
 *
 *   length_size   bytes of the length field in frames, 1..4
 *   sps           filled in from the first SPS; zeroed when there is none
 *
 * NGX_OK
 * NGX_DECLINED  malformed, or does not fit
 */

static ngx_int_t
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


static ngx_int_t
ngx_webrtc_h265_pack_config(ngx_webrtc_pack_t *pack, u_char *p, size_t n)
{
    ngx_uint_t             length_size;
    ngx_webrtc_h265_sps_t  sps;

    /* Annex B begins with 00 00 01 or 00 00 00 01, hvcC with a version */

    if (n < 4 || p[0] != 0 || p[1] != 0 || p[2] > 1) {

        if (ngx_webrtc_h265_hvcc(p, n, &pack->params, &length_size, &sps)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        pack->length_size = (uint8_t) length_size;

        if (sps.width) {
            ngx_webrtc_h265_pack_track(pack, &sps);
        }

        return NGX_OK;
    }

    return ngx_webrtc_pack_nal_config(&ngx_webrtc_h265_pack_nal, pack, p, n);
}


static ngx_int_t
ngx_webrtc_h265_pack_probe(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char            *nal;
    size_t             n;
    ngx_int_t          rc;
    ngx_uint_t         type, referenced, recovery;
    ngx_webrtc_nal_t   it;

    referenced = 0;
    recovery = 0;

    ngx_webrtc_nal_init(&it, frame->data, frame->size, pack->length_size);

    while ((rc = ngx_webrtc_nal_next(&it, &nal, &n)) == NGX_OK) {

        if (!ngx_webrtc_h265_is_base(nal, n)) {
            continue;
        }

        type = ngx_webrtc_h265_type(nal);

        if (ngx_webrtc_h265_is_params(nal, n)) {
            frame->params = 1;

        } else if (type == NGX_WEBRTC_H265_PREFIX_SEI) {
            recovery |= ngx_webrtc_nal_sei(nal, n, 2)
                        & NGX_WEBRTC_SEI_RECOVERY;

        } else if (type <= NGX_WEBRTC_H265_VCL_LAST) {
            frame->picture = 1;

            if (type >= NGX_WEBRTC_H265_IRAP_FIRST
                && type <= NGX_WEBRTC_H265_IRAP_LAST)
            {
                frame->key = 1;
            }

            /*
             * 7.4.2.2: even types up to RSV_VCL_N14 are sub-layer non-reference
             * pictures: others of the same sub-layer do not refer to them
             */

            if (type >= NGX_WEBRTC_H265_VCL_R15 || (type & 1)
                || ngx_webrtc_h265_tid(nal) != pack->max_tid + 1)
            {
                referenced = 1;
            }
        }
    }

    if (rc == NGX_DECLINED || (!frame->picture && !frame->params)) {
        return NGX_DECLINED;
    }

    if (frame->picture) {
        frame->recovery = ngx_webrtc_pack_recovery(pack, frame->key)
                          && recovery && !frame->key;
        frame->key |= frame->recovery;
        frame->discardable = (!referenced && !frame->key);
    }

    if (frame->params) {
        ngx_webrtc_pack_nal_keep(&ngx_webrtc_h265_pack_nal, pack, frame);

    } else if (pack->params.n == 0) {
        /* decoding cannot start there */
        frame->key = 0;
    }

    ngx_webrtc_pack_start(pack, frame);

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_h265_pack_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    return ngx_webrtc_pack_nal_frame(&ngx_webrtc_h265_pack_nal, pack, frame);
}


static ngx_uint_t
ngx_webrtc_h265_is_params(u_char *nal, size_t n)
{
    ngx_uint_t  type;

    if (!ngx_webrtc_h265_is_base(nal, n)) {
        return 0;
    }

    type = ngx_webrtc_h265_type(nal);

    return type >= NGX_WEBRTC_H265_VPS && type <= NGX_WEBRTC_H265_PPS;
}


static ngx_int_t
ngx_webrtc_h265_pack_params(ngx_webrtc_pack_t *pack, u_char *p, size_t n)
{
    ngx_int_t              rc;
    ngx_webrtc_h265_sps_t  sps;

    ngx_memzero(&sps, sizeof(ngx_webrtc_h265_sps_t));

    rc = ngx_webrtc_h265_params(&pack->params, p, n, &sps);

    if (rc == NGX_OK && sps.width) {
        ngx_webrtc_h265_pack_track(pack, &sps);
    }

    return rc;
}


static void
ngx_webrtc_h265_pack_track(ngx_webrtc_pack_t *pack, ngx_webrtc_h265_sps_t *sps)
{
    pack->track.profile = sps->profile;
    pack->track.width = sps->width;
    pack->track.height = sps->height;
    pack->track.depth = sps->depth;
    pack->track.chroma = sps->chroma;

    pack->max_tid = sps->max_tid;

    ngx_webrtc_pack_traits(pack, sps->traits, sps->reorder);
}


static ngx_uint_t
ngx_webrtc_h265_sends(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame,
    u_char *nal, size_t n)
{
    ngx_uint_t  type;

    if (!ngx_webrtc_h265_is_base(nal, n)) {
        return 0;
    }

    type = ngx_webrtc_h265_type(nal);

    if (type <= NGX_WEBRTC_H265_VCL_LAST) {
        return 1;
    }

    if (type == NGX_WEBRTC_H265_PREFIX_SEI
        || type == NGX_WEBRTC_H265_SUFFIX_SEI)
    {
        return ngx_webrtc_nal_sei(nal, n, 2) & ~NGX_WEBRTC_SEI_FILLER;
    }

    if (ngx_webrtc_h265_is_params(nal, n)) {
        /* the kept sets are sent before a key frame already */
        return !(frame->key && ngx_webrtc_params_has(&pack->params, nal, n));
    }

    /*
     * Not sent: AUD, ends of sequence and bitstream, filler, and what is
     * reserved or, in RTP, has another meaning (48 and above)
     */

    return 0;
}


/*
 * RFC 7798, 4.4.2: F is the OR, LayerId and TID the lowest of all; the layer is
 * 0 as nothing else is sent
 */

static void
ngx_webrtc_h265_aggregate(u_char *h, u_char *nal, ngx_uint_t first)
{
    if (first) {
        h[0] = (u_char) ((nal[0] & 0x80) | (NGX_WEBRTC_H265_AP << 1));
        h[1] = (u_char) ngx_webrtc_h265_tid(nal);
        return;
    }

    h[0] |= nal[0] & 0x80;

    if (ngx_webrtc_h265_tid(nal) < h[1]) {
        h[1] = (u_char) ngx_webrtc_h265_tid(nal);
    }
}


static void
ngx_webrtc_h265_fragment(u_char *h, u_char *nal)
{
    h[0] = (nal[0] & 0x81) | (NGX_WEBRTC_H265_FU << 1);
    h[1] = nal[1];
    h[2] = ngx_webrtc_h265_type(nal);
}


static ngx_int_t
ngx_webrtc_h265_depay_kind(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind)
{
    u_char      *p;
    ngx_uint_t   type;

    p = pkt->payload;

    if (pkt->n < 3 || (p[0] & 0x80) || ngx_webrtc_h265_tid(p) == 0) {
        return NGX_DECLINED;
    }

    type = ngx_webrtc_h265_type(p);

    /* 7.4.2.2: all NAL units of an access unit have the same, but for some
     * parameter sets */

    kind->tid = (uint8_t) (ngx_webrtc_h265_tid(p) - 1);

    if (kind->tid || (d->max_tid && d->max_tid != 0xff)) {
        kind->layered = NGX_WEBRTC_DEPAY_LAYERED;
    }

    if (type == NGX_WEBRTC_H265_FU) {

        if (pkt->n < 4) {
            return NGX_DECLINED;
        }

        type = p[2] & 0x3f;

        if (type >= NGX_WEBRTC_H265_AP) {
            return NGX_DECLINED;
        }

        if (ngx_webrtc_h265_layer(p) != 0) {
            kind->other = 1;
            return NGX_OK;
        }

        ngx_webrtc_h265_depay_slice(d, type, ngx_webrtc_h265_tid(p),
                                    (p[2] & NGX_WEBRTC_DEPAY_FU_S)
                                    && (p[3] & NGX_WEBRTC_DEPAY_SLICE0), kind);
        return NGX_OK;
    }

    if (type != NGX_WEBRTC_H265_AP) {
        (void) ngx_webrtc_h265_depay_nal(d, p, pkt->n, kind);
        return NGX_OK;
    }

    return ngx_webrtc_depay_nal_aggregate(d, p + 2, p + pkt->n, 2,
                                          ngx_webrtc_h265_depay_nal,
                                          NGX_WEBRTC_DEPAY_VPS
                                          |NGX_WEBRTC_DEPAY_SPS
                                          |NGX_WEBRTC_DEPAY_PPS, kind);
}


static size_t
ngx_webrtc_h265_depay_prefix(ngx_webrtc_depay_t *d, ngx_uint_t *next,
    u_char *buf, size_t size)
{
    size_t      n;
    ngx_uint_t  i;

    i = *next;

    n = ngx_webrtc_depay_nal_prefix(d, next, buf, size, 2);

    if (*next - i > 1) {

        /*
         * RFC 7798, 4.4.2: LayerId and TID are the lowest of those inside:
         * parameter sets of the base layer are 0 and 1 (H.265, 7.4.2.2)
         */

        buf[0] = NGX_WEBRTC_H265_AP << 1;
        buf[1] = 1;
    }

    return n;
}


static ngx_uint_t
ngx_webrtc_h265_depay_nal(ngx_webrtc_depay_t *d, u_char *nal, size_t n,
    ngx_webrtc_depay_kind_t *kind)
{
    ngx_int_t              rc;
    ngx_uint_t             type;
    ngx_webrtc_h265_sps_t  sps;

    type = ngx_webrtc_h265_type(nal);

    if (n < 3 || ngx_webrtc_h265_layer(nal) != 0) {
        kind->other = 1;
        return 0;
    }

    if (type == NGX_WEBRTC_H265_PREFIX_SEI
        && (ngx_webrtc_nal_sei(nal, n, 2) & NGX_WEBRTC_SEI_RECOVERY))
    {
        kind->recovery = 1;
    }

    if (type < NGX_WEBRTC_H265_VPS || type > NGX_WEBRTC_H265_PPS) {
        ngx_webrtc_h265_depay_slice(d, type, ngx_webrtc_h265_tid(nal),
                                    nal[2] & NGX_WEBRTC_DEPAY_SLICE0, kind);
        return 0;
    }

    ngx_memzero(&sps, sizeof(ngx_webrtc_h265_sps_t));

    rc = (n > NGX_WEBRTC_DEPAY_SET) ? NGX_DECLINED
                          : ngx_webrtc_h265_params(&d->params, nal, n, &sps);

    ngx_webrtc_depay_nal_kept(rc, kind);

    if (rc == NGX_OK && sps.width) {
        d->max_tid = sps.max_tid;

        if (ngx_webrtc_depay_track(d, sps.profile, sps.width, sps.height)) {
            kind->changed = 1;
        }

        if (ngx_webrtc_depay_form(d, sps.depth, sps.chroma, sps.traits,
                                  sps.reorder))
        {
            kind->changed = 1;
        }
    }

    return (type == NGX_WEBRTC_H265_VPS) ? NGX_WEBRTC_DEPAY_VPS
           : (type == NGX_WEBRTC_H265_SPS) ? NGX_WEBRTC_DEPAY_SPS
                                           : NGX_WEBRTC_DEPAY_PPS;
}


static void
ngx_webrtc_h265_depay_slice(ngx_webrtc_depay_t *d, ngx_uint_t type,
    ngx_uint_t tid, ngx_uint_t start, ngx_webrtc_depay_kind_t *kind)
{
    if (type > NGX_WEBRTC_H265_VCL_LAST) {
        kind->other = 1;
        return;
    }

    kind->picture = 1;

    if (type >= NGX_WEBRTC_H265_TSA_N && type <= NGX_WEBRTC_H265_STSA_R) {

        /* Table 7-1: no picture of its layer before it is referred to, nor, if
         * it is a TSA picture, of higher ones */

        kind->sync = 1;

        if (type <= NGX_WEBRTC_H265_TSA_R && tid) {
            kind->ups = ngx_webrtc_depay_above(ngx_min(tid,
                                                NGX_WEBRTC_LAYER_MOST) - 1);
        }
    }

    if (start) {
        kind->start = 1;
    }

    if (type >= NGX_WEBRTC_H265_IRAP_FIRST
        && type <= NGX_WEBRTC_H265_IRAP_LAST)
    {
        kind->key = 1;

    } else {
        kind->intra = 1;
    }

    /* H.265, 7.4.2.2: see ngx_webrtc_h265_pack_probe() */

    if (type < NGX_WEBRTC_H265_VCL_R15 && !(type & 1)
        && tid == (ngx_uint_t) d->max_tid + 1)
    {
        kind->discard = 1;
    }
}


static ngx_int_t
ngx_webrtc_h265_unpack_payload(ngx_webrtc_unpack_t *u, u_char *p, size_t n,
    ngx_uint_t flags)
{
    u_char  nal[2];

    (void) flags;

    if (n < 3) {
        return NGX_DECLINED;
    }

    switch (ngx_webrtc_h265_type(p)) {

    case NGX_WEBRTC_H265_AP:
        return u->open ? NGX_DECLINED
                       : ngx_webrtc_unpack_nals(u, p + 2, n - 2, 2);

    case NGX_WEBRTC_H265_FU:

        if (n < 4) {
            return NGX_DECLINED;
        }

        nal[0] = (u_char) ((p[0] & 0x81) | (p[2] & 0x3f) << 1);
        nal[1] = p[1];

        return ngx_webrtc_unpack_fragment(u, nal, 2, p + 3, n - 3,
                                          p[2] & NGX_WEBRTC_DEPAY_FU_S,
                                          p[2] & NGX_WEBRTC_DEPAY_FU_E);
    }

    if (u->open) {
        return NGX_DECLINED;
    }

    ngx_webrtc_unpack_nal(u, p, n);

    return NGX_OK;
}


static ngx_uint_t
ngx_webrtc_h265_distance(const ngx_webrtc_track_t *track,
    const ngx_str_t *fmtp)
{
    /* RFC 7798, 7.1: inferred to be 1 */

    return track ? ngx_webrtc_fmtp_differs(fmtp, "profile-id", 1,
                                           track->profile >> 16)
                 : 0;
}


static u_char *
ngx_webrtc_h265_answer(u_char *p, u_char *end, const ngx_str_t *fmtp,
    ngx_uint_t stereo, ngx_uint_t sending)
{
    static const char *const  names[] = { "profile-id", "tier-flag",
                                          "level-id", "tx-mode", NULL };

    (void) stereo;
    (void) sending;

    return ngx_webrtc_fmtp_repeat(p, end, p, fmtp, names);
}


static u_char *
ngx_webrtc_h265_offer(u_char *p, u_char *end, uint32_t profile,
    ngx_uint_t channels)
{
    (void) channels;

    if (profile == 0) {
        profile = NGX_WEBRTC_H265_DEFAULT;
    }

    return ngx_slprintf(p, end, "level-id=%uD;profile-id=%uD;tier-flag=%uD;"
                                "tx-mode=SRST",
                        profile & 0xff, profile >> 16, (profile >> 8) & 0xff);
}
