
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * H.264: headers, packetizer, payloads, format parameters.  ITU-T Rec. H.264
 * (08/2021); ISO/IEC 14496-15 for avcC; RFC 6184, non-interleaved mode, from
 * publishers also single NAL unit mode.  See ngx_webrtc_h264.h,
 * ngx_webrtc_pack.h, ngx_webrtc_depay.h, ngx_webrtc_codec.h.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_h264.h"
#include "ngx_webrtc_pack_nal.h"
#include "ngx_webrtc_depay_nal.h"
#include "ngx_webrtc_unpack.h"
#include "ngx_webrtc_fmtp.h"


/* what most receivers decode: constrained baseline, level 3.1 */
#define NGX_WEBRTC_H264_DEFAULT  0x42e01f

/* rank of profiles that are not supersets of the usual ones */
#define NGX_WEBRTC_H264_OTHER    5


static u_char *ngx_webrtc_h264_avcc_sets(u_char *p, u_char *end,
    ngx_uint_t count, ngx_webrtc_params_t *ps, ngx_webrtc_h264_sps_t *sps);
static ngx_int_t ngx_webrtc_h264_pps(u_char *p, size_t n, ngx_uint_t *id);
static ngx_int_t ngx_webrtc_h264_params(ngx_webrtc_params_t *ps, u_char *p,
    size_t n, ngx_webrtc_h264_sps_t *sps);
static ngx_int_t ngx_webrtc_h264_avcc(u_char *p, size_t n,
    ngx_webrtc_params_t *ps, ngx_uint_t *length_size,
    ngx_webrtc_h264_sps_t *sps);
static ngx_int_t ngx_webrtc_h264_pack_config(ngx_webrtc_pack_t *pack,
    u_char *p, size_t n);
static ngx_int_t ngx_webrtc_h264_pack_probe(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_h264_pack_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_uint_t ngx_webrtc_h264_is_params(u_char *nal, size_t n);
static ngx_int_t ngx_webrtc_h264_pack_params(ngx_webrtc_pack_t *pack,
    u_char *p, size_t n);
static void ngx_webrtc_h264_pack_track(ngx_webrtc_pack_t *pack,
    ngx_webrtc_h264_sps_t *sps);
static ngx_uint_t ngx_webrtc_h264_sends(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame, u_char *nal, size_t n);
static void ngx_webrtc_h264_aggregate(u_char *h, u_char *nal,
    ngx_uint_t first);
static void ngx_webrtc_h264_fragment(u_char *h, u_char *nal);
static ngx_int_t ngx_webrtc_h264_depay_kind(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind);
static size_t ngx_webrtc_h264_depay_prefix(ngx_webrtc_depay_t *d,
    ngx_uint_t *next, u_char *buf, size_t size);
static ngx_uint_t ngx_webrtc_h264_depay_nal(ngx_webrtc_depay_t *d,
    u_char *nal, size_t n, ngx_webrtc_depay_kind_t *kind);
static void ngx_webrtc_h264_depay_slice(ngx_uint_t type, ngx_uint_t nri,
    ngx_uint_t start, ngx_webrtc_depay_kind_t *kind);
static ngx_int_t ngx_webrtc_h264_unpack_payload(ngx_webrtc_unpack_t *u,
    u_char *p, size_t n, ngx_uint_t flags);
static ngx_uint_t ngx_webrtc_h264_distance(const ngx_webrtc_track_t *track,
    const ngx_str_t *fmtp);
static ngx_uint_t ngx_webrtc_h264_rank(uint32_t profile);
static uint32_t ngx_webrtc_h264_profile(const ngx_str_t *fmtp);
static ngx_uint_t ngx_webrtc_h264_interleaved(const ngx_str_t *fmtp);
static u_char *ngx_webrtc_h264_answer(u_char *p, u_char *end,
    const ngx_str_t *fmtp, ngx_uint_t stereo, ngx_uint_t sending);
static u_char *ngx_webrtc_h264_offer(u_char *p, u_char *end, uint32_t profile,
    ngx_uint_t channels);


static const ngx_webrtc_pack_nal_ops_t  ngx_webrtc_h264_pack_nal = {
    1,
    ngx_webrtc_h264_is_params,
    ngx_webrtc_h264_pack_params,
    ngx_webrtc_h264_sends,
    ngx_webrtc_h264_aggregate,
    ngx_webrtc_h264_fragment
};


static const ngx_webrtc_pack_ops_t  ngx_webrtc_h264_pack = {
    ngx_webrtc_h264_pack_config,
    ngx_webrtc_h264_pack_probe,
    ngx_webrtc_h264_pack_frame
};


static const ngx_webrtc_depay_ops_t  ngx_webrtc_h264_depay = {
    ngx_webrtc_h264_depay_kind,
    ngx_webrtc_h264_depay_prefix,
    2,                                      /* SPS, PPS */
    0,
    NULL,
    NULL,
    NULL,
    0
};


static const ngx_webrtc_unpack_ops_t  ngx_webrtc_h264_unpack = {
    ngx_webrtc_h264_unpack_payload,
    NULL
};


static const ngx_webrtc_codec_fmtp_t  ngx_webrtc_h264_fmtp = {
    ngx_webrtc_h264_distance,
    ngx_webrtc_h264_interleaved,
    NULL,
    ngx_webrtc_h264_answer,
    ngx_webrtc_h264_offer
};


const ngx_webrtc_codec_t  ngx_webrtc_codec_h264 = {
    ngx_string("H264"), NGX_WEBRTC_VIDEO, NGX_WEBRTC_CODEC_H264, 0, -1, 90000,
    96, 97, 0,
    &ngx_webrtc_h264_fmtp,
    &ngx_webrtc_h264_pack,
    &ngx_webrtc_h264_depay,
    &ngx_webrtc_h264_unpack
};


/*
 * The pic_parameter_set_id of a PPS; p, n: the NAL unit.
 * NGX_OK or NGX_DECLINED.
 */

static ngx_int_t
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


/*
 * Puts a parameter set NAL unit (SPS, SPS extension, PPS) into a store, under
 * its type and id.
 *
 *   sps   not NULL: filled in when it was an SPS
 *
 * The results of ngx_webrtc_params_put(); NGX_DECLINED also when malformed.
 */

static ngx_int_t
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


/*
 * Parses avcC and puts its parameter sets into a store.
 *
 *   length_size   bytes of the length field in frames, 1..4
 *   sps           filled in from the first SPS; zeroed when there is none
 *
 * NGX_OK
 * NGX_DECLINED  malformed, or does not fit
 */

static ngx_int_t
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

    /* what follows for High profiles repeats the SPS, except SPS extensions */

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

        /* some encoders write empty sets */

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


static ngx_int_t
ngx_webrtc_h264_pack_config(ngx_webrtc_pack_t *pack, u_char *p, size_t n)
{
    ngx_uint_t             length_size;
    ngx_webrtc_h264_sps_t  sps;

    /* avcC begins with configurationVersion 1, Annex B with zero bytes */

    if (p[0] == 1) {

        if (ngx_webrtc_h264_avcc(p, n, &pack->params, &length_size, &sps)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        pack->length_size = (uint8_t) length_size;

        ngx_webrtc_h264_pack_track(pack, &sps);

        return NGX_OK;
    }

    return ngx_webrtc_pack_nal_config(&ngx_webrtc_h264_pack_nal, pack, p, n);
}


static ngx_int_t
ngx_webrtc_h264_pack_probe(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char            *nal;
    size_t             n;
    ngx_int_t          rc;
    ngx_uint_t         type, nri, idr, recovery;
    ngx_webrtc_nal_t   it;

    nri = 0;
    idr = 0;
    recovery = 0;

    ngx_webrtc_nal_init(&it, frame->data, frame->size, pack->length_size);

    while ((rc = ngx_webrtc_nal_next(&it, &nal, &n)) == NGX_OK) {

        type = ngx_webrtc_h264_type(nal);

        if (type == NGX_WEBRTC_H264_SEI) {
            recovery |= ngx_webrtc_nal_sei(nal, n, 1)
                        & NGX_WEBRTC_SEI_RECOVERY;

        } else if (ngx_webrtc_h264_is_params(nal, n)) {
            frame->params = 1;

        } else if (type >= NGX_WEBRTC_H264_SLICE
                   && type <= NGX_WEBRTC_H264_IDR)
        {
            frame->picture = 1;
            nri |= ngx_webrtc_h264_nri(nal);

            if (type == NGX_WEBRTC_H264_IDR) {
                idr = 1;
            }
        }
    }

    if (rc == NGX_DECLINED || (!frame->picture && !frame->params)) {
        return NGX_DECLINED;
    }

    if (frame->picture) {
        frame->key = ngx_webrtc_pack_recovery(pack, idr) && recovery;
        frame->recovery = frame->key;
        frame->key |= idr;
        frame->discardable = (nri == 0 && !frame->key);
    }

    if (frame->params) {
        ngx_webrtc_pack_nal_keep(&ngx_webrtc_h264_pack_nal, pack, frame);

    } else if (pack->params.n == 0) {
        /* decoding cannot start there */
        frame->key = 0;
    }

    ngx_webrtc_pack_start(pack, frame);

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_h264_pack_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    return ngx_webrtc_pack_nal_frame(&ngx_webrtc_h264_pack_nal, pack, frame);
}


static ngx_uint_t
ngx_webrtc_h264_is_params(u_char *nal, size_t n)
{
    ngx_uint_t  type;

    (void) n;

    type = ngx_webrtc_h264_type(nal);

    return type == NGX_WEBRTC_H264_SPS || type == NGX_WEBRTC_H264_PPS
           || type == NGX_WEBRTC_H264_SPS_EXT;
}


static ngx_int_t
ngx_webrtc_h264_pack_params(ngx_webrtc_pack_t *pack, u_char *p, size_t n)
{
    ngx_int_t              rc;
    ngx_webrtc_h264_sps_t  sps;

    ngx_memzero(&sps, sizeof(ngx_webrtc_h264_sps_t));

    rc = ngx_webrtc_h264_params(&pack->params, p, n, &sps);

    if (rc == NGX_OK && sps.width) {
        ngx_webrtc_h264_pack_track(pack, &sps);
    }

    return rc;
}


static void
ngx_webrtc_h264_pack_track(ngx_webrtc_pack_t *pack, ngx_webrtc_h264_sps_t *sps)
{
    pack->track.profile = sps->profile;
    pack->track.width = sps->width;
    pack->track.height = sps->height;
    pack->track.depth = sps->depth;
    pack->track.chroma = sps->chroma;

    ngx_webrtc_pack_traits(pack, sps->traits, sps->reorder);
}


static ngx_uint_t
ngx_webrtc_h264_sends(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame,
    u_char *nal, size_t n)
{
    ngx_uint_t  type;

    type = ngx_webrtc_h264_type(nal);

    if (type >= NGX_WEBRTC_H264_SLICE && type <= NGX_WEBRTC_H264_IDR) {
        return 1;
    }

    if (type == NGX_WEBRTC_H264_SEI) {
        return ngx_webrtc_nal_sei(nal, n, 1) & ~NGX_WEBRTC_SEI_FILLER;
    }

    if (ngx_webrtc_h264_is_params(nal, n)) {
        /* the kept sets are sent before a key frame already */
        return !(frame->key && ngx_webrtc_params_has(&pack->params, nal, n));
    }

    /*
     * Not sent: AUD, ends, filler; NAL units of other layers and views (14, 15,
     * 20, 21), auxiliary pictures (19), and what is reserved or, in RTP, has
     * another meaning (24 and above)
     */

    return 0;
}


/* RFC 6184, 5.7: F is the OR, NRI the maximum of all */

static void
ngx_webrtc_h264_aggregate(u_char *h, u_char *nal, ngx_uint_t first)
{
    ngx_uint_t  nri;

    nri = ngx_webrtc_h264_nri(nal);

    if (first) {
        h[0] = (u_char) ((nal[0] & 0x80) | nri | NGX_WEBRTC_H264_STAP_A);
        return;
    }

    nri = ngx_max(nri, (ngx_uint_t) ngx_webrtc_h264_nri(h));

    h[0] = (u_char) (((h[0] | nal[0]) & 0x80) | nri | NGX_WEBRTC_H264_STAP_A);
}


static void
ngx_webrtc_h264_fragment(u_char *h, u_char *nal)
{
    h[0] = (nal[0] & 0xe0) | NGX_WEBRTC_H264_FU_A;
    h[1] = ngx_webrtc_h264_type(nal);
}


static ngx_int_t
ngx_webrtc_h264_depay_kind(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind)
{
    u_char      *p;
    ngx_uint_t   type;

    p = pkt->payload;

    if (p[0] & 0x80) {                          /* forbidden_zero_bit */
        return NGX_DECLINED;
    }

    type = ngx_webrtc_h264_type(p);

    if (type == 0 || (type > NGX_WEBRTC_H264_STAP_A
                      && type != NGX_WEBRTC_H264_FU_A))
    {
        /* of the interleaved mode, which was not negotiated */
        return NGX_DECLINED;
    }

    if (type == NGX_WEBRTC_H264_FU_A) {

        if (pkt->n < 3) {
            return NGX_DECLINED;
        }

        type = p[1] & 0x1f;

        if (type == 0 || type >= NGX_WEBRTC_H264_STAP_A) {
            return NGX_DECLINED;
        }

        ngx_webrtc_h264_depay_slice(type, ngx_webrtc_h264_nri(p),
                                    (p[1] & NGX_WEBRTC_DEPAY_FU_S)
                                    && (p[2] & NGX_WEBRTC_DEPAY_SLICE0), kind);
        return NGX_OK;
    }

    if (type != NGX_WEBRTC_H264_STAP_A) {
        (void) ngx_webrtc_h264_depay_nal(d, p, pkt->n, kind);
        return NGX_OK;
    }

    return ngx_webrtc_depay_nal_aggregate(d, p + 1, p + pkt->n, 1,
                                          ngx_webrtc_h264_depay_nal,
                                          NGX_WEBRTC_DEPAY_SPS
                                          |NGX_WEBRTC_DEPAY_PPS, kind);
}


static size_t
ngx_webrtc_h264_depay_prefix(ngx_webrtc_depay_t *d, ngx_uint_t *next,
    u_char *buf, size_t size)
{
    size_t      n;
    ngx_uint_t  i, nri;

    i = *next;

    n = ngx_webrtc_depay_nal_prefix(d, next, buf, size, 1);

    if (*next - i > 1) {

        /* RFC 6184, 5.7.1: NRI "MUST be the maximum" of those inside */

        for (nri = 0; i < *next; i++) {
            nri = ngx_max(nri, ngx_webrtc_h264_nri(d->params.data
                                                + d->params.sets[i].offset));
        }

        buf[0] = (u_char) (nri | NGX_WEBRTC_H264_STAP_A);
    }

    return n;
}


/* returns which parameter set it is */

static ngx_uint_t
ngx_webrtc_h264_depay_nal(ngx_webrtc_depay_t *d, u_char *nal, size_t n,
    ngx_webrtc_depay_kind_t *kind)
{
    ngx_int_t              rc;
    ngx_uint_t             type;
    ngx_webrtc_h264_sps_t  sps;

    type = ngx_webrtc_h264_type(nal);

    switch (type) {

    case NGX_WEBRTC_H264_SEI:
        kind->other = 1;

        if (ngx_webrtc_nal_sei(nal, n, 1) & NGX_WEBRTC_SEI_RECOVERY) {
            kind->recovery = 1;
        }

        return 0;

    case NGX_WEBRTC_H264_SPS:
    case NGX_WEBRTC_H264_PPS:
    case NGX_WEBRTC_H264_SPS_EXT:

        ngx_memzero(&sps, sizeof(ngx_webrtc_h264_sps_t));

        rc = (n > NGX_WEBRTC_DEPAY_SET) ? NGX_DECLINED
                        : ngx_webrtc_h264_params(&d->params, nal, n, &sps);

        ngx_webrtc_depay_nal_kept(rc, kind);

        if (rc == NGX_OK && sps.width) {

            if (ngx_webrtc_depay_track(d, sps.profile, sps.width, sps.height)) {
                kind->changed = 1;
            }

            if (ngx_webrtc_depay_form(d, sps.depth, sps.chroma, sps.traits,
                                      sps.reorder))
            {
                kind->changed = 1;
            }
        }

        return (type == NGX_WEBRTC_H264_SPS) ? NGX_WEBRTC_DEPAY_SPS
               : (type == NGX_WEBRTC_H264_PPS) ? NGX_WEBRTC_DEPAY_PPS : 0;
    }

    ngx_webrtc_h264_depay_slice(type, ngx_webrtc_h264_nri(nal),
                                n > 1 && (nal[1] & NGX_WEBRTC_DEPAY_SLICE0),
                                kind);
    return 0;
}


static void
ngx_webrtc_h264_depay_slice(ngx_uint_t type, ngx_uint_t nri, ngx_uint_t start,
    ngx_webrtc_depay_kind_t *kind)
{
    if (type < NGX_WEBRTC_H264_SLICE || type > NGX_WEBRTC_H264_IDR) {
        kind->other = 1;
        return;
    }

    kind->picture = 1;

    /* partitions B and C have no first_mb_in_slice */

    if (start && type != NGX_WEBRTC_H264_PART_A + 1
        && type != NGX_WEBRTC_H264_PART_C)
    {
        kind->start = 1;
    }

    if (type == NGX_WEBRTC_H264_IDR) {
        kind->key = 1;

    } else {
        kind->intra = 1;
    }

    if (nri == 0) {
        kind->discard = 1;
    }
}


/*
 * RFC 6184, 8.1.  Non-interleaved mode first, as our packetizer fragments; then
 * the profile nearest to the stream's, one that includes it before one that
 * doesn't; then a sufficient level.  None of it is a reason to refuse: browsers
 * decode High on a payload type of Constrained Baseline.
 */

static ngx_int_t
ngx_webrtc_h264_unpack_payload(ngx_webrtc_unpack_t *u, u_char *p, size_t n,
    ngx_uint_t flags)
{
    u_char  nal;

    (void) flags;

    switch (ngx_webrtc_h264_type(p)) {

    case NGX_WEBRTC_H264_STAP_A:
        return u->open ? NGX_DECLINED
                       : ngx_webrtc_unpack_nals(u, p + 1, n - 1, 1);

    case NGX_WEBRTC_H264_FU_A:

        if (n < 3) {
            return NGX_DECLINED;
        }

        nal = (u_char) ((p[0] & 0xe0) | (p[1] & 0x1f));

        return ngx_webrtc_unpack_fragment(u, &nal, 1, p + 2, n - 2,
                                          p[1] & NGX_WEBRTC_DEPAY_FU_S,
                                          p[1] & NGX_WEBRTC_DEPAY_FU_E);
    }

    if (u->open) {
        return NGX_DECLINED;
    }

    ngx_webrtc_unpack_nal(u, p, n);

    return NGX_OK;
}


static ngx_uint_t
ngx_webrtc_h264_distance(const ngx_webrtc_track_t *track,
    const ngx_str_t *fmtp)
{
    uint32_t    profile;
    ngx_str_t   value;
    ngx_uint_t  distance, have, want;

    distance = 0;

    if (ngx_webrtc_fmtp_find(fmtp, "packetization-mode", &value)
        != NGX_OK || value.len != 1 || value.data[0] != '1')
    {
        distance += ngx_webrtc_h264_interleaved(fmtp) ? 2000 : 1000;
    }

    if (track == NULL || track->profile == 0) {
        return distance;
    }

    profile = ngx_webrtc_h264_profile(fmtp);

    have = ngx_webrtc_h264_rank(profile);
    want = ngx_webrtc_h264_rank(track->profile);

    if (profile >> 16 == track->profile >> 16 && have == want) {
        /* same profile */

    } else if (have == NGX_WEBRTC_H264_OTHER) {
        distance += 200;

    } else if (have >= want) {
        distance += (have - want) * 10;

    } else {
        distance += 100 + (want - have) * 10;
    }

    if ((profile & 0xff) < (track->profile & 0xff)) {
        distance++;
    }

    return distance;
}


/*
 * RFC 6184, table 5: profile_idc and constraint flags, put in order so that a
 * profile includes the ones before it, as far as possible.  More than 8 bits or
 * 4:2:0 is left out of that order: hardware decoders don't support it.
 */

static ngx_uint_t
ngx_webrtc_h264_rank(uint32_t profile)
{
    uint32_t  flags;

    flags = (profile >> 8) & 0xff;

    switch (profile >> 16) {

    case 0x42:
        /* constraint_set1: Constrained Baseline */
        return (flags & 0x40) ? 0 : 1;

    case 0x4d:
        /* constraint_set0: obeys Baseline as well */
        return (flags & 0x80) ? 0 : 2;

    case 0x58:
        return ((flags & 0xc0) == 0xc0) ? 0 : 1;

    case 0x64:
        /* constraint_set4 and 5: Constrained High */
        return ((flags & 0x0c) == 0x0c) ? 3 : 4;

    default:
        return NGX_WEBRTC_H264_OTHER;
    }
}


/* what isn't there or isn't six hexadecimal digits counts as the default */

static uint32_t
ngx_webrtc_h264_profile(const ngx_str_t *fmtp)
{
    ngx_int_t  profile;
    ngx_str_t  value;

    if (ngx_webrtc_fmtp_find(fmtp, "profile-level-id", &value) == NGX_OK
        && value.len == 6)
    {
        profile = ngx_hextoi(value.data, 6);

        if (profile != NGX_ERROR) {
            return (uint32_t) profile;
        }
    }

    return NGX_WEBRTC_H264_DEFAULT;
}


/* RFC 6184, 8.1: packetization-mode 2 is not supported here */

static ngx_uint_t
ngx_webrtc_h264_interleaved(const ngx_str_t *fmtp)
{
    ngx_str_t  value;

    return ngx_webrtc_fmtp_find(fmtp, "packetization-mode", &value)
           == NGX_OK
           && value.len == 1 && value.data[0] == '2';
}


/*
 * RFC 6184, 8.2.2: packetization-mode and the profile "MUST be used
 * symmetrically", so both are copied from the offer.  If the offer has no mode,
 * the answer has none: that means mode 0, yet peers that leave it out turn out
 * to accept fragments all the same.
 */

static u_char *
ngx_webrtc_h264_answer(u_char *p, u_char *end, const ngx_str_t *fmtp,
    ngx_uint_t stereo, ngx_uint_t sending)
{
    u_char  *start;

    static const ngx_str_t    one = ngx_string("1");
    static const char *const  names[] = { "packetization-mode", NULL };

    (void) stereo;
    (void) sending;

    start = p;

    p = ngx_webrtc_fmtp_add(p, end, start, "level-asymmetry-allowed", &one);
    p = ngx_webrtc_fmtp_repeat(p, end, start, fmtp, names);

    return ngx_slprintf(p, end, ";profile-level-id=%06xD",
                        ngx_webrtc_h264_profile(fmtp));
}


/*
 * Not the stream's profile: browsers accept H.264 only with a profile that they
 * list, which for all of them includes Constrained Baseline, and decode any
 * other under it.
 */

static u_char *
ngx_webrtc_h264_offer(u_char *p, u_char *end, uint32_t profile,
    ngx_uint_t channels)
{
    (void) profile;
    (void) channels;

    return ngx_slprintf(p, end, "level-asymmetry-allowed=1;"
                                "packetization-mode=1;"
                                "profile-level-id=42e01f");
}
