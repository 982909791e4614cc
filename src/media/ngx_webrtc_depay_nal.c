
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Payloads of H.264 (RFC 6184, packetization-mode 0 and 1) and H.265
 * (RFC 7798, no DONL): see ngx_webrtc_depay.h.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_h264.h"
#include "ngx_webrtc_h265.h"
#include "ngx_webrtc_depay_codec.h"


/* a parameter set that is kept has to fit a payload with others of its kind
 * or alone: in an aggregation packet with header and length field */
#define NGX_WEBRTC_DEPAY_SET     (NGX_WEBRTC_DEPAY_PAYLOAD - 4)

/* RFC 6184, 5.8, and RFC 7798, 4.4.3 */
#define NGX_WEBRTC_DEPAY_FU_S    0x80

/* first bit of a slice header: first_mb_in_slice is ue(v) 0 (H.264, 7.3.3),
 * first_slice_segment_in_pic_flag (H.265, 7.3.6.1) */
#define NGX_WEBRTC_DEPAY_SLICE0  0x80

/* sets seen in a packet: the types that a key frame needs */
#define NGX_WEBRTC_DEPAY_SPS     0x01
#define NGX_WEBRTC_DEPAY_PPS     0x02
#define NGX_WEBRTC_DEPAY_VPS     0x04


static ngx_int_t ngx_webrtc_depay_nal_aggregate(u_char *p, u_char *end,
    size_t header);
static ngx_uint_t ngx_webrtc_depay_h264_nal(ngx_webrtc_depay_t *d,
    u_char *nal, size_t n, ngx_webrtc_depay_kind_t *kind);
static void ngx_webrtc_depay_h264_slice(ngx_uint_t type, ngx_uint_t nri,
    ngx_uint_t start, ngx_webrtc_depay_kind_t *kind);
static ngx_uint_t ngx_webrtc_depay_h265_nal(ngx_webrtc_depay_t *d,
    u_char *nal, size_t n, ngx_webrtc_depay_kind_t *kind);
static void ngx_webrtc_depay_h265_slice(ngx_webrtc_depay_t *d, ngx_uint_t type,
    ngx_uint_t tid, ngx_uint_t start, ngx_webrtc_depay_kind_t *kind);
static size_t ngx_webrtc_depay_nal_prefix(ngx_webrtc_depay_t *d,
    ngx_uint_t *next, u_char *buf, size_t size, size_t header);


ngx_int_t
ngx_webrtc_depay_h264(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind)
{
    u_char      *p, *end;
    size_t       len;
    ngx_uint_t   type, sets;

    p = pkt->payload;
    end = p + pkt->n;

    if (p[0] & 0x80) {                          /* forbidden_zero_bit */
        return NGX_DECLINED;
    }

    type = ngx_webrtc_h264_type(p);

    if (type == 0 || (type > NGX_WEBRTC_H264_STAP_A
                      && type != NGX_WEBRTC_H264_FU_A))
    {
        /* of these the interleaved mode was not negotiated */
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

        ngx_webrtc_depay_h264_slice(type, ngx_webrtc_h264_nri(p),
                                    (p[1] & NGX_WEBRTC_DEPAY_FU_S)
                                    && (p[2] & NGX_WEBRTC_DEPAY_SLICE0), kind);
        return NGX_OK;
    }

    if (type != NGX_WEBRTC_H264_STAP_A) {
        (void) ngx_webrtc_depay_h264_nal(d, p, pkt->n, kind);
        return NGX_OK;
    }

    p++;

    if (ngx_webrtc_depay_nal_aggregate(p, end, 1) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (sets = 0; p < end; p += len) {
        len = (p[0] << 8) | p[1];
        p += 2;

        sets |= ngx_webrtc_depay_h264_nal(d, p, len, kind);
    }

    kind->whole = (sets == (NGX_WEBRTC_DEPAY_SPS|NGX_WEBRTC_DEPAY_PPS));

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_depay_h265(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind)
{
    u_char      *p, *end;
    size_t       len;
    ngx_uint_t   type, sets;

    p = pkt->payload;
    end = p + pkt->n;

    if (pkt->n < 3 || (p[0] & 0x80) || ngx_webrtc_h265_tid(p) == 0) {
        return NGX_DECLINED;
    }

    type = ngx_webrtc_h265_type(p);

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

        ngx_webrtc_depay_h265_slice(d, type, ngx_webrtc_h265_tid(p),
                                    (p[2] & NGX_WEBRTC_DEPAY_FU_S)
                                    && (p[3] & NGX_WEBRTC_DEPAY_SLICE0), kind);
        return NGX_OK;
    }

    if (type != NGX_WEBRTC_H265_AP) {
        (void) ngx_webrtc_depay_h265_nal(d, p, pkt->n, kind);
        return NGX_OK;
    }

    p += 2;

    if (ngx_webrtc_depay_nal_aggregate(p, end, 2) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (sets = 0; p < end; p += len) {
        len = (p[0] << 8) | p[1];
        p += 2;

        sets |= ngx_webrtc_depay_h265_nal(d, p, len, kind);
    }

    kind->whole = (sets == (NGX_WEBRTC_DEPAY_VPS|NGX_WEBRTC_DEPAY_SPS
                            |NGX_WEBRTC_DEPAY_PPS));

    return NGX_OK;
}


size_t
ngx_webrtc_depay_h264_prefix(ngx_webrtc_depay_t *d, ngx_uint_t *next,
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


size_t
ngx_webrtc_depay_h265_prefix(ngx_webrtc_depay_t *d, ngx_uint_t *next,
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


/* whether the NAL units of an aggregation packet are whole */

static ngx_int_t
ngx_webrtc_depay_nal_aggregate(u_char *p, u_char *end, size_t header)
{
    uint16_t  len;

    if (p == end) {
        return NGX_DECLINED;
    }

    while (p < end) {
        p = ngx_webrtc_read_u16(p, end, &len);

        if (p == NULL || len < header) {
            return NGX_DECLINED;
        }

        p = ngx_webrtc_skip(p, end, len);

        if (p == NULL) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/* returns which parameter set it is */

static ngx_uint_t
ngx_webrtc_depay_h264_nal(ngx_webrtc_depay_t *d, u_char *nal, size_t n,
    ngx_webrtc_depay_kind_t *kind)
{
    ngx_int_t              rc;
    ngx_uint_t             type;
    ngx_webrtc_h264_sps_t  sps;

    type = ngx_webrtc_h264_type(nal);

    switch (type) {

    case NGX_WEBRTC_H264_SEI:
        kind->other = 1;

        if (ngx_webrtc_h264_sei(nal, n, 1) & NGX_WEBRTC_SEI_RECOVERY) {
            kind->recovery = 1;
        }

        return 0;

    case NGX_WEBRTC_H264_SPS:
    case NGX_WEBRTC_H264_PPS:
    case NGX_WEBRTC_H264_SPS_EXT:

        ngx_memzero(&sps, sizeof(ngx_webrtc_h264_sps_t));

        rc = (n > NGX_WEBRTC_DEPAY_SET) ? NGX_DECLINED
                        : ngx_webrtc_h264_params(&d->params, nal, n, &sps);

        if (rc == NGX_DECLINED) {
            /* goes through as it is */
            kind->other = 1;

        } else {
            kind->sets = 1;
        }

        if (rc == NGX_OK) {
            kind->fresh = 1;

            if (sps.width && ngx_webrtc_depay_track(d, sps.profile, sps.width,
                                                    sps.height))
            {
                kind->changed = 1;
            }
        }

        return (type == NGX_WEBRTC_H264_SPS) ? NGX_WEBRTC_DEPAY_SPS
               : (type == NGX_WEBRTC_H264_PPS) ? NGX_WEBRTC_DEPAY_PPS : 0;
    }

    ngx_webrtc_depay_h264_slice(type, ngx_webrtc_h264_nri(nal),
                                n > 1 && (nal[1] & NGX_WEBRTC_DEPAY_SLICE0),
                                kind);
    return 0;
}


static void
ngx_webrtc_depay_h264_slice(ngx_uint_t type, ngx_uint_t nri, ngx_uint_t start,
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


static ngx_uint_t
ngx_webrtc_depay_h265_nal(ngx_webrtc_depay_t *d, u_char *nal, size_t n,
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

    if (type < NGX_WEBRTC_H265_VPS || type > NGX_WEBRTC_H265_PPS) {
        ngx_webrtc_depay_h265_slice(d, type, ngx_webrtc_h265_tid(nal),
                                    nal[2] & NGX_WEBRTC_DEPAY_SLICE0, kind);
        return 0;
    }

    ngx_memzero(&sps, sizeof(ngx_webrtc_h265_sps_t));

    rc = (n > NGX_WEBRTC_DEPAY_SET) ? NGX_DECLINED
                          : ngx_webrtc_h265_params(&d->params, nal, n, &sps);

    if (rc == NGX_DECLINED) {
        kind->other = 1;

    } else {
        kind->sets = 1;
    }

    if (rc == NGX_OK) {
        kind->fresh = 1;

        if (sps.width) {
            d->max_tid = sps.max_tid;

            if (ngx_webrtc_depay_track(d, sps.profile, sps.width, sps.height)) {
                kind->changed = 1;
            }
        }
    }

    return (type == NGX_WEBRTC_H265_VPS) ? NGX_WEBRTC_DEPAY_VPS
           : (type == NGX_WEBRTC_H265_SPS) ? NGX_WEBRTC_DEPAY_SPS
                                           : NGX_WEBRTC_DEPAY_PPS;
}


static void
ngx_webrtc_depay_h265_slice(ngx_webrtc_depay_t *d, ngx_uint_t type,
    ngx_uint_t tid, ngx_uint_t start, ngx_webrtc_depay_kind_t *kind)
{
    if (type > NGX_WEBRTC_H265_VCL_LAST) {
        kind->other = 1;
        return;
    }

    kind->picture = 1;

    if (start) {
        kind->start = 1;
    }

    if (type >= NGX_WEBRTC_H265_IRAP_FIRST
        && type <= NGX_WEBRTC_H265_IRAP_LAST)
    {
        kind->key = 1;
    }

    /* H.265, 7.4.2.2: see ngx_webrtc_pack_h265_probe() */

    if (type < NGX_WEBRTC_H265_VCL_R15 && !(type & 1)
        && tid == (ngx_uint_t) d->max_tid + 1)
    {
        kind->discard = 1;
    }
}


/*
 * One set as it is, or several with their lengths behind room for a header of
 * an aggregation packet.
 */

static size_t
ngx_webrtc_depay_nal_prefix(ngx_webrtc_depay_t *d, ngx_uint_t *next,
    u_char *buf, size_t size, size_t header)
{
    size_t               used;
    ngx_uint_t           i, k;
    ngx_webrtc_param_t  *set;

    used = header;

    for (i = *next; i < d->params.n; i++) {
        set = &d->params.sets[i];

        if (used + 2 + set->size > size) {
            break;
        }

        used += 2 + set->size;
    }

    if (i == *next) {
        return 0;
    }

    if (i == *next + 1) {
        set = &d->params.sets[*next];
        *next = i;

        ngx_memcpy(buf, d->params.data + set->offset, set->size);

        return set->size;
    }

    buf += header;

    for (k = *next; k < i; k++) {
        set = &d->params.sets[k];

        *buf++ = (u_char) (set->size >> 8);
        *buf++ = (u_char) set->size;

        buf = ngx_cpymem(buf, d->params.data + set->offset, set->size);
    }

    *next = i;

    return used;
}
