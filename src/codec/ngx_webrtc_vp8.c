
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * VP8: frame headers (RFC 6386), packetizer and payloads (RFC 7741).  See
 * ngx_webrtc_vp8.h, ngx_webrtc_pack.h, ngx_webrtc_depay.h, ngx_webrtc_codec.h.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_vp8.h"
#include "ngx_webrtc_pack.h"
#include "ngx_webrtc_depay.h"
#include "ngx_webrtc_unpack.h"


/* RFC 6386, 7.3; every flag and literal of the header has probability 128 */

typedef struct {
    u_char      *p;
    u_char      *end;
    uint32_t     value;           /* two bytes of window */
    uint32_t     range;           /* 128..255 */
    ngx_uint_t   count;           /* shifts since the last byte */
    ngx_uint_t   past;            /* bytes read past the end */
} ngx_webrtc_vp8_bool_t;


/*
 * RFC 7741, 4.2.  We write four bytes: the required one, the extension flags,
 * and a PictureID of 15 bits.  A frame is sent as one partition (PID 0), whose
 * first packet has S.
 */

#define NGX_WEBRTC_VP8_DESC     4

#define NGX_WEBRTC_VP8_X        0x80
#define NGX_WEBRTC_VP8_NONREF   0x20
#define NGX_WEBRTC_VP8_S        0x10
#define NGX_WEBRTC_VP8_PID      0x07

#define NGX_WEBRTC_VP8_I        0x80
#define NGX_WEBRTC_VP8_L        0x40
#define NGX_WEBRTC_VP8_T        0x20
#define NGX_WEBRTC_VP8_K        0x10
#define NGX_WEBRTC_VP8_M        0x80


/* what a descriptor says */

typedef struct {
    uint8_t      flags;           /* its first byte */
    uint8_t      layered;         /* the next two are there */
    uint8_t      tid;             /* temporal layer */
    uint8_t      sync;            /* depends on layer 0 only */
} ngx_webrtc_vp8_descriptor_t;


static ngx_uint_t ngx_webrtc_vp8_discardable(u_char *p, u_char *end);
static ngx_uint_t ngx_webrtc_vp8_segmentation(ngx_webrtc_vp8_bool_t *b);
static ngx_uint_t ngx_webrtc_vp8_loop_filter(ngx_webrtc_vp8_bool_t *b);
static uint32_t ngx_webrtc_vp8_byte(ngx_webrtc_vp8_bool_t *b);
static ngx_uint_t ngx_webrtc_vp8_flag(ngx_webrtc_vp8_bool_t *b);
static ngx_uint_t ngx_webrtc_vp8_literal(ngx_webrtc_vp8_bool_t *b,
    ngx_uint_t n);
static void ngx_webrtc_vp8_optional(ngx_webrtc_vp8_bool_t *b, ngx_uint_t n);
static ngx_int_t ngx_webrtc_vp8_pack_probe(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_vp8_pack_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_vp8_depay_kind(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind);
static u_char *ngx_webrtc_vp8_depay_plain(u_char *p, u_char *end);
static u_char *ngx_webrtc_vp8_depay_descriptor(u_char *p, u_char *end,
    ngx_webrtc_vp8_descriptor_t *desc);
static ngx_int_t ngx_webrtc_vp8_unpack_payload(ngx_webrtc_unpack_t *u,
    u_char *p, size_t n, ngx_uint_t flags);


static const ngx_webrtc_pack_ops_t  ngx_webrtc_vp8_pack = {
    NULL,
    ngx_webrtc_vp8_pack_probe,
    ngx_webrtc_vp8_pack_frame
};


static const ngx_webrtc_depay_ops_t  ngx_webrtc_vp8_depay = {
    ngx_webrtc_vp8_depay_kind, NULL, 0, 0, NULL,
    ngx_webrtc_vp8_depay_plain, NULL, 0
};


static const ngx_webrtc_unpack_ops_t  ngx_webrtc_vp8_unpack = {
    ngx_webrtc_vp8_unpack_payload, NULL
};


const ngx_webrtc_codec_t  ngx_webrtc_codec_vp8 = {
    ngx_string("VP8"), NGX_WEBRTC_VIDEO, NGX_WEBRTC_CODEC_VP8, 0, -1, 90000,
    100, 101, 0,
    &ngx_webrtc_codec_no_fmtp,
    &ngx_webrtc_vp8_pack,
    &ngx_webrtc_vp8_depay,
    &ngx_webrtc_vp8_unpack
};


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


/* 9.3: returns whether it changes state that later frames use */

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


static ngx_int_t
ngx_webrtc_vp8_pack_probe(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    ngx_webrtc_vp8_t  vp8;

    if (ngx_webrtc_vp8_parse(frame->data, frame->size, &vp8) != NGX_OK) {
        return NGX_DECLINED;
    }

    frame->picture = 1;
    frame->key = vp8.key;
    frame->discardable = vp8.discardable;
    frame->hidden = !vp8.show;

    if (vp8.key) {
        pack->track.width = vp8.width;
        pack->track.height = vp8.height;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_vp8_pack_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char      *p, *data;
    size_t       n, len, size, parts;
    ngx_int_t    rc;
    ngx_uint_t   flags;

    data = frame->data;
    n = frame->size;

    size = ngx_webrtc_pack_split(n, NGX_WEBRTC_VP8_DESC, pack->max, &parts);
    size -= NGX_WEBRTC_VP8_DESC;

    p = pack->buf;

    p[0] = NGX_WEBRTC_VP8_X|NGX_WEBRTC_VP8_S;
    p[1] = NGX_WEBRTC_VP8_I;
    p[2] = (u_char) (NGX_WEBRTC_VP8_M | (pack->picture_id >> 8));
    p[3] = (u_char) pack->picture_id;

    flags = NGX_WEBRTC_PKT_FIRST;

    if (frame->key) {
        flags |= NGX_WEBRTC_PKT_KEY;
    }

    if (frame->discardable) {
        flags |= NGX_WEBRTC_PKT_DISCARD;
        p[0] |= NGX_WEBRTC_VP8_NONREF;
    }

    pack->picture_id = (pack->picture_id + 1) & 0x7fff;

    while (parts--) {

        if (parts == 0) {
            flags |= NGX_WEBRTC_PKT_LAST|NGX_WEBRTC_PKT_MARKER;
        }

        len = ngx_min(size, n);

        ngx_memcpy(p + NGX_WEBRTC_VP8_DESC, data, len);

        rc = pack->out(pack->ctx, p, NGX_WEBRTC_VP8_DESC + len, flags);

        if (rc != NGX_OK) {
            return rc;
        }

        data += len;
        n -= len;

        p[0] &= (u_char) ~NGX_WEBRTC_VP8_S;
        flags &= ~NGX_WEBRTC_PKT_FIRST;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_vp8_depay_kind(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind)
{
    u_char                       *p, *end;
    ngx_webrtc_vp8_t              vp8;
    ngx_webrtc_vp8_descriptor_t   desc;

    end = pkt->payload + pkt->n;

    p = ngx_webrtc_vp8_depay_descriptor(pkt->payload, end, &desc);

    if (p == NULL || p == end) {
        return NGX_DECLINED;
    }

    kind->picture = 1;
    kind->whole = 1;
    kind->discard = ((desc.flags & NGX_WEBRTC_VP8_NONREF) != 0);

    if (desc.layered) {
        kind->layered = NGX_WEBRTC_DEPAY_LAYERED;
        kind->tid = desc.tid;
        kind->sync = desc.sync ? 1 : 0;
    }

    /* 4.2: the first packet of the first partition begins the frame */

    if (!(desc.flags & NGX_WEBRTC_VP8_S) || (desc.flags & NGX_WEBRTC_VP8_PID)) {
        return NGX_OK;
    }

    kind->start = 1;
    kind->key = !(p[0] & 1);                    /* 4.3, P */

    if (kind->key
        && ngx_webrtc_vp8_parse(p, end - p, &vp8) == NGX_OK
        && ngx_webrtc_depay_track(d, 0, vp8.width, vp8.height))
    {
        kind->changed = 1;
    }

    return NGX_OK;
}


/* RFC 7741, 4.2; returns the position of the payload header, or NULL */

static u_char *
ngx_webrtc_vp8_depay_descriptor(u_char *p, u_char *end,
    ngx_webrtc_vp8_descriptor_t *desc)
{
    uint8_t  ext, id, b;

    ngx_memzero(desc, sizeof(ngx_webrtc_vp8_descriptor_t));

    p = ngx_webrtc_read_u8(p, end, &desc->flags);

    if (p == NULL || !(desc->flags & NGX_WEBRTC_VP8_X)) {
        return p;
    }

    p = ngx_webrtc_read_u8(p, end, &ext);

    if (p == NULL) {
        return NULL;
    }

    if (ext & NGX_WEBRTC_VP8_I) {
        p = ngx_webrtc_read_u8(p, end, &id);

        if (p != NULL && (id & NGX_WEBRTC_VP8_M)) {
            p = ngx_webrtc_skip(p, end, 1);
        }
    }

    if (ext & NGX_WEBRTC_VP8_L) {
        p = ngx_webrtc_skip(p, end, 1);
    }

    if (ext & (NGX_WEBRTC_VP8_T|NGX_WEBRTC_VP8_K)) {
        p = ngx_webrtc_read_u8(p, end, &b);

        if (p != NULL && (ext & NGX_WEBRTC_VP8_T)) {
            desc->layered = 1;
            desc->tid = b >> 6;
            desc->sync = (b >> 5) & 1;
        }
    }

    return p;
}


/* one byte is left: the frame is found by S, and its end by the marker */

static u_char *
ngx_webrtc_vp8_depay_plain(u_char *p, u_char *end)
{
    u_char                       *data;
    ngx_webrtc_vp8_descriptor_t   desc;

    data = ngx_webrtc_vp8_depay_descriptor(p, end, &desc);

    if (data == NULL) {
        return p;
    }

    *--data = (u_char) (desc.flags & ~NGX_WEBRTC_VP8_X);

    return data;
}


static ngx_int_t
ngx_webrtc_vp8_unpack_payload(ngx_webrtc_unpack_t *u, u_char *p, size_t n,
    ngx_uint_t pkt_flags)
{
    u_char                       *end;
    ngx_webrtc_vp8_descriptor_t   desc;

    (void) pkt_flags;

    end = p + n;

    p = ngx_webrtc_vp8_depay_descriptor(p, end, &desc);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    ngx_webrtc_unpack_put(u, p, end - p);

    return NGX_OK;
}
