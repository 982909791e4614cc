
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * AV1: packetizer, payloads, format parameters.  "RTP Payload Format For AV1",
 * version 1.0.  See ngx_webrtc_obu.h, ngx_webrtc_pack.h, ngx_webrtc_depay.h,
 * ngx_webrtc_codec.h.
 *
 * The OBUs of a temporal unit, without their size fields, become elements of
 * packets; an element may be cut at any byte and continues in the next packet.
 * W is the number of elements in a packet, and the last one then has no length
 * field; with more than three elements W is 0 and all have one.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_av1.h"
#include "ngx_webrtc_obu.h"
#include "ngx_webrtc_pack.h"
#include "ngx_webrtc_depay.h"
#include "ngx_webrtc_unpack.h"
#include "ngx_webrtc_fmtp.h"


/* chosen: frames of 64 tiles in an OBU each and their headers */
#define NGX_WEBRTC_AV1_OBUS  128

/* 4.4, the aggregation header */

#define NGX_WEBRTC_AV1_Z     0x80      /* first element is a continuation */
#define NGX_WEBRTC_AV1_Y     0x40      /* last element continues in the next */
#define NGX_WEBRTC_AV1_W     4         /* shift */
#define NGX_WEBRTC_AV1_N     0x08      /* new coded video sequence */

/* obu_has_size_field of an OBU's header; AV1, 5.3.2 */
#define NGX_WEBRTC_AV1_SIZED 0x02


typedef struct {
    ngx_webrtc_obu_t       obus[NGX_WEBRTC_AV1_OBUS];
    ngx_uint_t             nobus;

    ngx_uint_t             i;         /* where the next packet begins: */
    size_t                 offset;    /* OBU, and byte in it */

    u_char                *p;         /* NULL: only count */
} ngx_webrtc_av1_unit_t;


/* header of the aggregation and of the OBU, and its size */
#define NGX_WEBRTC_AV1_HEADS  4


/* the elements of a packet; collected before anything is kept */
typedef struct {
    ngx_webrtc_obu_t       sequence;
    u_char                 first;      /* byte of the first frame header */

    unsigned               sequenced:1;
    unsigned               whole:1;    /* the sequence header is */
    unsigned               delimiter:1;
    unsigned               frame:1;    /* there is a frame header */
    unsigned               samples:1;
    unsigned               other:1;
    unsigned               layered:1;  /* they have an extension header */
    unsigned               joined:1;   /* the continuation is empty */
    uint8_t                layer;      /* which: temporal_id << 5
                                          | spatial_id << 3 */
} ngx_webrtc_av1_parts_t;


/* level-idx 5, level 3.1: the default of AV1 RTP, 7.2.1 */
#define NGX_WEBRTC_AV1_DEFAULT  5


static ngx_int_t ngx_webrtc_av1_pack_config(ngx_webrtc_pack_t *pack,
    u_char *p, size_t n);
static ngx_int_t ngx_webrtc_av1_pack_probe(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_av1_pack_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_av1_pack_sequence(ngx_webrtc_pack_t *pack,
    ngx_webrtc_obu_t *obu);
static ngx_uint_t ngx_webrtc_av1_pack_key(ngx_webrtc_pack_t *pack,
    ngx_webrtc_obu_t *obu);
static ngx_int_t ngx_webrtc_av1_pack_collect(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame, ngx_webrtc_av1_unit_t *av1);
static size_t ngx_webrtc_av1_pack_size(ngx_webrtc_av1_unit_t *av1, size_t max);
static ngx_uint_t ngx_webrtc_av1_pack_count(ngx_webrtc_av1_unit_t *av1,
    size_t size);
static size_t ngx_webrtc_av1_pack_packet(ngx_webrtc_av1_unit_t *av1,
    u_char *p, size_t size);
static ngx_uint_t ngx_webrtc_av1_pack_elements(ngx_webrtc_av1_unit_t *av1,
    size_t room);
static void ngx_webrtc_av1_pack_element(ngx_webrtc_av1_unit_t *av1,
    size_t len);
static size_t ngx_webrtc_av1_pack_left(ngx_webrtc_av1_unit_t *av1);
static ngx_int_t ngx_webrtc_av1_depay_kind(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind);
static size_t ngx_webrtc_av1_depay_prefix(ngx_webrtc_depay_t *d,
    ngx_uint_t *next, u_char *buf, size_t size);
static u_char *ngx_webrtc_av1_depay_join(u_char *p, size_t *n,
    ngx_uint_t joins, u_char *buf);
static ngx_int_t ngx_webrtc_av1_depay_elements(u_char *p, u_char *end,
    ngx_webrtc_av1_parts_t *av1);
static void ngx_webrtc_av1_depay_element(u_char *p, u_char *end,
    ngx_uint_t whole, ngx_webrtc_av1_parts_t *av1);
static void ngx_webrtc_av1_depay_sequence(ngx_webrtc_depay_t *d,
    ngx_webrtc_av1_parts_t *av1, ngx_webrtc_depay_kind_t *kind);
static ngx_int_t ngx_webrtc_av1_unpack_payload(ngx_webrtc_unpack_t *u,
    u_char *p, size_t n, ngx_uint_t flags);
static ngx_int_t ngx_webrtc_av1_unpack_obu(ngx_webrtc_unpack_t *u);
static ngx_uint_t ngx_webrtc_av1_distance(const ngx_webrtc_track_t *track,
    const ngx_str_t *fmtp);
static u_char *ngx_webrtc_av1_answer(u_char *p, u_char *end,
    const ngx_str_t *fmtp, ngx_uint_t stereo, ngx_uint_t sending);
static u_char *ngx_webrtc_av1_offer(u_char *p, u_char *end, uint32_t profile,
    ngx_uint_t channels);


static const ngx_webrtc_pack_ops_t  ngx_webrtc_av1_pack = {
    ngx_webrtc_av1_pack_config,
    ngx_webrtc_av1_pack_probe,
    ngx_webrtc_av1_pack_frame
};


static const ngx_webrtc_depay_ops_t  ngx_webrtc_av1_depay = {
    ngx_webrtc_av1_depay_kind,
    ngx_webrtc_av1_depay_prefix,
    1,                                      /* sequence header */
    0,
    NULL,
    NULL,
    ngx_webrtc_av1_depay_join,
    NGX_WEBRTC_AV1_Y
};


static const ngx_webrtc_unpack_ops_t  ngx_webrtc_av1_unpack = {
    ngx_webrtc_av1_unpack_payload,
    NULL
};


static const ngx_webrtc_codec_fmtp_t  ngx_webrtc_av1_fmtp = {
    ngx_webrtc_av1_distance,
    NULL,
    NULL,
    ngx_webrtc_av1_answer,
    ngx_webrtc_av1_offer
};


const ngx_webrtc_codec_t  ngx_webrtc_codec_av1 = {
    ngx_string("AV1"), NGX_WEBRTC_VIDEO, NGX_WEBRTC_CODEC_AV1, 0, -1, 90000,
    104, 105, 0,
    &ngx_webrtc_av1_fmtp,
    &ngx_webrtc_av1_pack,
    &ngx_webrtc_av1_depay,
    &ngx_webrtc_av1_unpack
};


static ngx_int_t
ngx_webrtc_av1_pack_config(ngx_webrtc_pack_t *pack, u_char *p, size_t n)
{
    u_char                *end;
    ngx_webrtc_obu_t       obu;

    end = p + n;

    /* av1C: marker 1 and version 1, where an OBU has its forbidden bit */

    if (p[0] == 0x81) {

        if (n < 4) {
            return NGX_DECLINED;
        }

        p += 4;
    }

    while (p < end) {
        p = ngx_webrtc_obu_read(p, end, &obu);

        if (p == NULL) {
            return NGX_DECLINED;
        }

        if (obu.type == NGX_WEBRTC_OBU_SEQUENCE
            && ngx_webrtc_av1_pack_sequence(pack, &obu) == NGX_DECLINED)
        {
            return NGX_DECLINED;
        }
    }

    /* an av1C without OBUs is allowed */

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_av1_pack_probe(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char                *p, *end;
    ngx_webrtc_obu_t       obu, sequence;

    end = frame->data + frame->size;

    ngx_memzero(&sequence, sizeof(ngx_webrtc_obu_t));

    for (p = frame->data; p < end; /* void */ ) {

        p = ngx_webrtc_obu_read(p, end, &obu);

        if (p == NULL) {
            return NGX_DECLINED;
        }

        switch (obu.type) {

        case NGX_WEBRTC_OBU_SEQUENCE:
            frame->params = 1;
            sequence = obu;
            break;

        case NGX_WEBRTC_OBU_HEADER:
        case NGX_WEBRTC_OBU_FRAME:

            /* decoding may start where the first frame is a shown key frame */

            if (!frame->picture) {
                frame->picture = 1;
                frame->key = ngx_webrtc_av1_pack_key(pack, &obu);
            }

            break;
        }
    }

    if (!frame->picture && !frame->params) {
        return NGX_DECLINED;
    }

    if (frame->params) {
        (void) ngx_webrtc_av1_pack_sequence(pack, &sequence);

    } else if (pack->params.n == 0) {
        /* decoding cannot start there */
        frame->key = 0;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_av1_pack_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    size_t                  n, size;
    ngx_int_t               rc;
    ngx_uint_t              flags;
    ngx_webrtc_av1_unit_t   av1;

    if (ngx_webrtc_av1_pack_collect(pack, frame, &av1) != NGX_OK) {
        return NGX_DECLINED;
    }

    size = ngx_webrtc_av1_pack_size(&av1, pack->max);

    flags = NGX_WEBRTC_PKT_FIRST;

    if (frame->key) {
        flags |= NGX_WEBRTC_PKT_KEY;
    }

    av1.i = 0;
    av1.offset = 0;

    do {
        n = ngx_webrtc_av1_pack_packet(&av1, pack->buf, size);

        if (frame->key && (flags & NGX_WEBRTC_PKT_FIRST)) {
            pack->buf[0] |= NGX_WEBRTC_AV1_N;
        }

        if (av1.i == av1.nobus) {
            flags |= NGX_WEBRTC_PKT_LAST|NGX_WEBRTC_PKT_MARKER;
        }

        rc = pack->out(pack->ctx, pack->buf, n, flags);

        if (rc != NGX_OK) {
            return rc;
        }

        flags &= ~NGX_WEBRTC_PKT_FIRST;

    } while (av1.i < av1.nobus);

    return NGX_OK;
}


/* keeps a sequence header, as it goes into a packet */

static ngx_int_t
ngx_webrtc_av1_pack_sequence(ngx_webrtc_pack_t *pack,
    ngx_webrtc_obu_t *obu)
{
    ngx_int_t             rc;
    ngx_webrtc_obu_seq_t  seq;

    if (ngx_webrtc_obu_sequence(obu->payload, obu->size, &seq) != NGX_OK) {
        return NGX_DECLINED;
    }

    rc = ngx_webrtc_params_put(&pack->params, NGX_WEBRTC_OBU_SEQUENCE, 0,
                               obu->payload, obu->size);

    if (rc == NGX_OK) {
        pack->track.profile = seq.profile;
        pack->track.width = seq.width;
        pack->track.height = seq.height;
        pack->reduced = seq.reduced;
    }

    return rc;
}


/* 5.9.2, the first bits of uncompressed_header() */

static ngx_uint_t
ngx_webrtc_av1_pack_key(ngx_webrtc_pack_t *pack, ngx_webrtc_obu_t *obu)
{
    if (pack->reduced) {
        return 1;
    }

    /* show_existing_frame 0, frame_type 00 (KEY_FRAME), show_frame 1 */

    return obu->size && (obu->payload[0] >> 4) == 0x01;
}


static ngx_int_t
ngx_webrtc_av1_pack_collect(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame, ngx_webrtc_av1_unit_t *av1)
{
    u_char                *p, *end;
    ngx_webrtc_param_t    *set;
    ngx_webrtc_obu_t      *obu;

    av1->nobus = 0;

    if (frame->key && !frame->params) {
        set = ngx_webrtc_params_get(&pack->params, NGX_WEBRTC_OBU_SEQUENCE);

        if (set) {
            obu = &av1->obus[av1->nobus++];

            obu->type = NGX_WEBRTC_OBU_SEQUENCE;
            obu->header[0] = NGX_WEBRTC_OBU_SEQUENCE << 3;
            obu->header_size = 1;
            obu->payload = pack->params.data + set->offset;
            obu->size = set->size;
        }
    }

    end = frame->data + frame->size;

    for (p = frame->data; p < end; /* void */ ) {

        if (av1->nobus == NGX_WEBRTC_AV1_OBUS) {
            return NGX_DECLINED;
        }

        obu = &av1->obus[av1->nobus];

        p = ngx_webrtc_obu_read(p, end, obu);

        if (p == NULL) {
            return NGX_DECLINED;
        }

        /*
         * 5: the temporal delimiter SHOULD, the tile list MUST NOT be sent;
         * padding is useless
         */

        if (obu->type != NGX_WEBRTC_OBU_TEMPORAL
            && obu->type != NGX_WEBRTC_OBU_TILE_LIST
            && obu->type != NGX_WEBRTC_OBU_PADDING)
        {
            av1->nobus++;
        }
    }

    return av1->nobus ? NGX_OK : NGX_DECLINED;
}


/*
 * The smallest payload size that needs no more packets than the largest.
 */

static size_t
ngx_webrtc_av1_pack_size(ngx_webrtc_av1_unit_t *av1, size_t max)
{
    size_t      total, low, high, mid;
    ngx_uint_t  i, parts;

    total = 0;

    for (i = 0; i < av1->nobus; i++) {
        total += av1->obus[i].header_size + av1->obus[i].size;
    }

    parts = ngx_webrtc_av1_pack_count(av1, max);

    if (parts == 1) {
        return max;
    }

    /* without any length field it would be total / parts */

    low = total / parts + 1;
    low = ngx_min(low, max);
    high = max;

    while (low < high) {
        mid = (low + high) / 2;

        if (ngx_webrtc_av1_pack_count(av1, mid) <= parts) {
            high = mid;

        } else {
            low = mid + 1;
        }
    }

    return high;
}


static ngx_uint_t
ngx_webrtc_av1_pack_count(ngx_webrtc_av1_unit_t *av1, size_t size)
{
    ngx_uint_t  n;

    av1->i = 0;
    av1->offset = 0;

    for (n = 0; av1->i < av1->nobus; n++) {
        (void) ngx_webrtc_av1_pack_packet(av1, NULL, size);
    }

    return n;
}


/*
 * Makes one packet of at most size bytes, and advances.
 *
 *   p   where to write, or NULL: only advance
 *
 * Returns the bytes of the packet.
 */

static size_t
ngx_webrtc_av1_pack_packet(ngx_webrtc_av1_unit_t *av1, u_char *p, size_t size)
{
    size_t      room, len, left, field;
    u_char      header;
    ngx_uint_t  n, w, last;

    header = av1->offset ? NGX_WEBRTC_AV1_Z : 0;

    room = size - 1;
    av1->p = p ? p + 1 : NULL;

    w = ngx_webrtc_av1_pack_elements(av1, room);

    for (n = 1; av1->i < av1->nobus && room > 0; n++) {

        left = ngx_webrtc_av1_pack_left(av1);

        if (n == w) {
            len = ngx_min(left, room);
            field = 0;

        } else {
            /* a length field, and as much as fits after it */

            len = left;
            field = ngx_webrtc_obu_leb128_size(len);

            if (field + len > room) {

                len = room - 1;
                field = ngx_webrtc_obu_leb128_size(len);

                if (field + len > room) {
                    len = room - field;
                    field = ngx_webrtc_obu_leb128_size(len);
                }
            }
        }

        last = w ? (n == w) : (room - field - len < 2);

        if (last && len == left && len > 1 && av1->i + 1 < av1->nobus) {

            /* receivers take it for the end of the frame otherwise, see
             * ngx_webrtc_depay_join() */

            len--;
            field = (n == w) ? 0 : ngx_webrtc_obu_leb128_size(len);
        }

        if (av1->p && n != w) {
            av1->p = ngx_webrtc_obu_leb128_write(av1->p, len);
        }

        room -= field + len;

        ngx_webrtc_av1_pack_element(av1, len);

        if (last) {
            break;
        }
    }

    if (av1->offset) {
        header |= NGX_WEBRTC_AV1_Y;
    }

    if (p) {
        p[0] = header | (u_char) (w << NGX_WEBRTC_AV1_W);
    }

    return size - room;
}


/*
 * W of the next packet, with that much room for elements: 1, 2 or 3, or 0 if
 * more than three fit.
 */

static ngx_uint_t
ngx_webrtc_av1_pack_elements(ngx_webrtc_av1_unit_t *av1, size_t room)
{
    size_t      left, need;
    ngx_uint_t  i, n;

    left = ngx_webrtc_av1_pack_left(av1);

    for (i = av1->i, n = 1; n <= 3; n++) {

        need = ngx_webrtc_obu_leb128_size(left) + left;

        /* this is the last one, or nothing fits after it */

        if (++i == av1->nobus || need >= room) {
            return n;
        }

        room -= need;
        left = av1->obus[i].header_size + av1->obus[i].size;
    }

    return 0;
}


/* takes len bytes of the current OBU */

static void
ngx_webrtc_av1_pack_element(ngx_webrtc_av1_unit_t *av1, size_t len)
{
    ngx_webrtc_obu_t      *obu;

    obu = &av1->obus[av1->i];

    if (av1->p == NULL) {
        av1->offset += len;

    } else {

        while (len && av1->offset < obu->header_size) {
            *av1->p++ = obu->header[av1->offset++];
            len--;
        }

        if (len) {
            av1->p = ngx_cpymem(av1->p, obu->payload
                                        + (av1->offset - obu->header_size),
                                len);
            av1->offset += len;
        }
    }

    if (av1->offset == obu->header_size + obu->size) {
        av1->i++;
        av1->offset = 0;
    }
}


static size_t
ngx_webrtc_av1_pack_left(ngx_webrtc_av1_unit_t *av1)
{
    return av1->obus[av1->i].header_size + av1->obus[av1->i].size
           - av1->offset;
}


static ngx_int_t
ngx_webrtc_av1_depay_kind(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind)
{
    u_char                  *p;
    ngx_webrtc_av1_parts_t   av1;

    p = pkt->payload;

    /* 4.4: "If N is 1, Z must be 0" */

    if (pkt->n < 2
        || (p[0] & (NGX_WEBRTC_AV1_N|NGX_WEBRTC_AV1_Z))
           == (NGX_WEBRTC_AV1_N|NGX_WEBRTC_AV1_Z))
    {
        return NGX_DECLINED;
    }

    ngx_memzero(&av1, sizeof(ngx_webrtc_av1_parts_t));

    if (ngx_webrtc_av1_depay_elements(p, p + pkt->n, &av1) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (av1.sequenced) {
        ngx_webrtc_av1_depay_sequence(d, &av1, kind);
    }

    kind->picture = av1.samples;
    kind->other |= av1.other;

    if (av1.layered) {
        kind->layered = NGX_WEBRTC_DEPAY_NUMBERS;
        kind->tid = av1.layer >> 5;
        kind->sid = (av1.layer >> 3) & 3;
    }

    /* a delimiter need not be passed on (5) */

    if (av1.delimiter && !av1.sequenced) {
        kind->other = 1;
    }

    if ((p[0] & NGX_WEBRTC_AV1_Z) && !av1.joined) {
        return NGX_OK;
    }

    /*
     * Without any of the signs of a temporal unit's start, the first frame seen
     * is its first one unless packets are missing
     */

    kind->start = (p[0] & NGX_WEBRTC_AV1_N) || av1.sequenced || av1.delimiter
                  || (av1.frame && !d->gap);

    if (p[0] & NGX_WEBRTC_AV1_N) {
        kind->key = 1;

    } else if (av1.frame) {

        /* AV1, 5.9.2: show_existing_frame 0, KEY_FRAME, show_frame 1 */

        kind->key = (d->reduced || (av1.first >> 4) == 0x01);

    } else {
        kind->key = av1.sequenced;
    }

    return NGX_OK;
}


static size_t
ngx_webrtc_av1_depay_prefix(ngx_webrtc_depay_t *d, ngx_uint_t *next,
    u_char *buf, size_t size)
{
    u_char              *p;
    ngx_webrtc_param_t  *set;

    if (*next >= d->params.n) {
        return 0;
    }

    set = &d->params.sets[(*next)++];

    if (set->size + (size_t) NGX_WEBRTC_AV1_HEADS > size) {
        return 0;
    }

    /* one element without length field; the OBU has one, as what follows is
     * joined to it */

    p = buf;

    *p++ = (1 << NGX_WEBRTC_AV1_W) | NGX_WEBRTC_AV1_N;
    *p++ = NGX_WEBRTC_OBU_SEQUENCE << 3 | NGX_WEBRTC_AV1_SIZED;

    p = ngx_webrtc_obu_leb128_write(p, set->size);
    p = ngx_cpymem(p, d->params.data + set->offset, set->size);

    return p - buf;
}


/*
 * Each packet ends within an element that the next one continues, with nothing
 * if the element is whole.
 */

static u_char *
ngx_webrtc_av1_depay_join(u_char *p, size_t *n, ngx_uint_t joins, u_char *buf)
{
    size_t              len;
    u_char             *q, *last, *end;
    ngx_uint_t          i, w, z;
    ngx_webrtc_bits_t   b;

    end = p + *n;
    w = (p[0] >> NGX_WEBRTC_AV1_W) & 3;
    z = p[0] & NGX_WEBRTC_AV1_Z;

    if (!joins && z && w != 1 && *n > 2 && p[1] == 0) {

        /* an empty continuation, of nothing */

        p[1] = (u_char) ((p[0] & ~NGX_WEBRTC_AV1_Z)
                         - (w ? 1 << NGX_WEBRTC_AV1_W : 0));
        *n -= 1;

        return p + 1;
    }

    if (!joins || z) {
        return p;
    }

    q = buf;

    *q++ = (u_char) ((p[0] & NGX_WEBRTC_AV1_Y) | NGX_WEBRTC_AV1_Z
                     | (w && w < 3 ? (w + 1) << NGX_WEBRTC_AV1_W : 0));
    *q++ = 0;

    last = p + 1;

    if (w == 3) {

        /* W cannot say four: the last one has a length, too */

        for (i = 1; i < w; i++) {
            ngx_webrtc_bits_init(&b, last, end);
            len = (size_t) ngx_webrtc_bits_leb128(&b);
            last = b.p + ngx_min(len, (size_t) (end - b.p));
        }
    }

    q = ngx_cpymem(q, p + 1, last - (p + 1));

    if (w == 3) {
        q = ngx_webrtc_obu_leb128_write(q, end - last);
    }

    q = ngx_cpymem(q, last, end - last);

    *n = q - buf;

    return buf;
}


static ngx_int_t
ngx_webrtc_av1_depay_elements(u_char *p, u_char *end,
    ngx_webrtc_av1_parts_t *av1)
{
    u_char              head, *element;
    uint64_t            len;
    ngx_uint_t          i, w, last;
    ngx_webrtc_bits_t   b;

    head = *p++;
    w = (head >> NGX_WEBRTC_AV1_W) & 3;

    for (i = 1; p < end; i++) {

        if (i == w) {
            len = end - p;

        } else {
            ngx_webrtc_bits_init(&b, p, end);

            len = ngx_webrtc_bits_leb128(&b);

            if (b.error || len > (size_t) (end - b.p)) {
                return NGX_DECLINED;
            }

            p = b.p;
        }

        element = p;
        p += len;
        last = (p == end);

        if (i == 1 && (head & NGX_WEBRTC_AV1_Z)) {

            /* the packet before has told what it continues */

            if (len) {
                av1->samples = 1;

            } else {
                av1->joined = 1;
            }

            continue;
        }

        if (len) {
            ngx_webrtc_av1_depay_element(element, p,
                                     !(last && (head & NGX_WEBRTC_AV1_Y)), av1);
        }
    }

    /* W is their number */

    return (w == 0 || i == w + 1) ? NGX_OK : NGX_DECLINED;
}


/* whole: not cut by the end of the packet */

static void
ngx_webrtc_av1_depay_element(u_char *p, u_char *end, ngx_uint_t whole,
    ngx_webrtc_av1_parts_t *av1)
{
    ngx_uint_t             type;
    ngx_webrtc_bits_t      b;
    ngx_webrtc_obu_t       obu;

    type = (*p >> 3) & 0x0f;

    if ((*p & 0x04)                             /* obu_extension_flag */
        && end - p > 1
        && (type == NGX_WEBRTC_OBU_HEADER || type == NGX_WEBRTC_OBU_FRAME
            || type == NGX_WEBRTC_OBU_GROUP))
    {
        av1->layered = 1;
        av1->layer = p[1];
    }

    if (ngx_webrtc_obu_read(p, end, &obu) == NULL) {

        /* a size field that points behind the cut: rare, but allowed */

        p = ngx_webrtc_skip(p, end, (*p & 0x04) ? 2 : 1);

        if (p == NULL) {
            return;
        }

        ngx_webrtc_bits_init(&b, p, end);
        (void) ngx_webrtc_bits_leb128(&b);

        obu.payload = b.p;
        obu.size = end - b.p;
        whole = 0;

    } else if (*p & NGX_WEBRTC_AV1_SIZED) {
        whole = 1;
    }

    switch (type) {

    case NGX_WEBRTC_OBU_SEQUENCE:
        av1->sequenced = 1;
        av1->whole = whole ? 1 : 0;
        av1->sequence = obu;
        break;

    case NGX_WEBRTC_OBU_TEMPORAL:
        av1->delimiter = 1;
        break;

    case NGX_WEBRTC_OBU_HEADER:
    case NGX_WEBRTC_OBU_FRAME:
        av1->samples = 1;


        if (!av1->frame && obu.size) {
            av1->frame = 1;
            av1->first = obu.payload[0];
        }

        break;

    case NGX_WEBRTC_OBU_GROUP:
    case NGX_WEBRTC_OBU_REDUNDANT:
        av1->samples = 1;
        break;

    default:
        av1->other = 1;
    }
}


/* keeps a sequence header */

static void
ngx_webrtc_av1_depay_sequence(ngx_webrtc_depay_t *d,
    ngx_webrtc_av1_parts_t *av1, ngx_webrtc_depay_kind_t *kind)
{
    ngx_int_t              rc;
    ngx_webrtc_obu_seq_t   seq;
    ngx_webrtc_obu_t      *obu;

    obu = &av1->sequence;

    kind->whole = 1;

    if (!av1->whole
        || obu->size > NGX_WEBRTC_DEPAY_PAYLOAD - NGX_WEBRTC_AV1_HEADS
        || ngx_webrtc_obu_sequence(obu->payload, obu->size, &seq) != NGX_OK)
    {
        kind->other = 1;
        return;
    }

    rc = ngx_webrtc_params_put(&d->params, NGX_WEBRTC_OBU_SEQUENCE, 0,
                               obu->payload, obu->size);

    if (rc == NGX_DECLINED) {
        kind->other = 1;
        return;
    }

    kind->sets = 1;

    if (rc == NGX_OK) {
        kind->fresh = 1;
        d->reduced = seq.reduced;

        if (ngx_webrtc_depay_track(d, seq.profile, seq.width, seq.height)) {
            kind->changed = 1;
        }
    }
}


/* AV1 RTP, 4.4: elements, of which the first and the last may be cut */

static ngx_int_t
ngx_webrtc_av1_unpack_payload(ngx_webrtc_unpack_t *u, u_char *p, size_t n,
    ngx_uint_t flags)
{
    u_char             *end, head;
    uint64_t            len;
    ngx_uint_t          i, w;
    ngx_webrtc_bits_t   b;

    (void) flags;

    end = p + n;
    head = *p++;
    w = (head >> NGX_WEBRTC_AV1_W) & 3;

    if (u->open != ((head & NGX_WEBRTC_AV1_Z) != 0)) {
        return NGX_DECLINED;
    }

    for (i = 1; p < end; i++) {

        if (i == w) {
            len = end - p;

        } else {
            ngx_webrtc_bits_init(&b, p, end);

            len = ngx_webrtc_bits_leb128(&b);

            if (b.error || len > (size_t) (end - b.p)) {
                return NGX_DECLINED;
            }

            p = b.p;
        }

        if (!u->open) {
            u->mark = u->n;
        }

        ngx_webrtc_unpack_put(u, p, (size_t) len);
        p += len;

        u->open = (p == end && (head & NGX_WEBRTC_AV1_Y));

        if (!u->open && ngx_webrtc_av1_unpack_obu(u) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/*
 * The OBU from u->mark on is whole: gives it a size field, if it has none
 * (AV1, 5.2: the low-overhead format), and leaves out temporal delimiters.
 */

static ngx_int_t
ngx_webrtc_av1_unpack_obu(ngx_webrtc_unpack_t *u)
{
    u_char            *p, *payload;
    size_t             size;
    ngx_webrtc_obu_t   obu;

    p = u->data + u->mark;

    if (u->n == u->mark) {
        return NGX_OK;
    }

    if (ngx_webrtc_obu_read(p, u->data + u->n, &obu) == NULL) {
        return NGX_DECLINED;
    }

    if (obu.type == NGX_WEBRTC_OBU_TEMPORAL) {
        u->n = u->mark;
        return NGX_OK;
    }

    size = ngx_webrtc_obu_leb128_size(obu.size);

    payload = p + obu.header_size + size;

    ngx_memmove(payload, obu.payload, obu.size);
    ngx_memcpy(p, obu.header, obu.header_size);

    p[0] |= NGX_WEBRTC_AV1_SIZED;

    (void) ngx_webrtc_obu_leb128_write(p + obu.header_size, obu.size);

    u->n = (payload - u->data) + obu.size;

    return NGX_OK;
}


static ngx_uint_t
ngx_webrtc_av1_distance(const ngx_webrtc_track_t *track, const ngx_str_t *fmtp)
{
    /* 7.2.1: inferred to be 0 */

    return track ? ngx_webrtc_fmtp_differs(fmtp, "profile", 0,
                                           track->profile >> 16)
                 : 0;
}


static u_char *
ngx_webrtc_av1_answer(u_char *p, u_char *end, const ngx_str_t *fmtp,
    ngx_uint_t stereo, ngx_uint_t sending)
{
    static const char *const  names[] = { "profile", "level-idx", "tier",
                                          NULL };

    (void) stereo;
    (void) sending;

    return ngx_webrtc_fmtp_repeat(p, end, p, fmtp, names);
}


static u_char *
ngx_webrtc_av1_offer(u_char *p, u_char *end, uint32_t profile,
    ngx_uint_t channels)
{
    (void) channels;

    if (profile == 0) {
        profile = NGX_WEBRTC_AV1_DEFAULT;
    }

    return ngx_slprintf(p, end, "level-idx=%uD;profile=%uD;tier=%uD",
                        profile & 0xff, profile >> 16, (profile >> 8) & 0xff);
}
