
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * AV1 packetizer, "RTP Payload Format For AV1", version 1.0: see
 * ngx_webrtc_pack.h.
 *
 * The OBUs of a temporal unit, without their size fields, are elements of
 * packets; an element may be cut at any byte and goes on in the next packet.  A
 * packet says how many elements it has in W, and the last one then has no
 * length; with more than three W is 0 and all have one.
 */


#include "ngx_webrtc_av1.h"
#include "ngx_webrtc_pack.h"


/* chosen: frames of 64 tiles in an OBU each and their headers */
#define NGX_WEBRTC_AV1_OBUS  128

/* 4.4, the aggregation header */

#define NGX_WEBRTC_AV1_Z     0x80      /* first element goes on */
#define NGX_WEBRTC_AV1_Y     0x40      /* last element goes on in the next */
#define NGX_WEBRTC_AV1_W     4         /* shift */
#define NGX_WEBRTC_AV1_N     0x08      /* new coded video sequence */


typedef struct {
    ngx_webrtc_av1_obu_t   obus[NGX_WEBRTC_AV1_OBUS];
    ngx_uint_t             nobus;

    ngx_uint_t             i;         /* where the next packet begins: */
    size_t                 offset;    /* OBU, and byte in it */

    u_char                *p;         /* NULL: only count */
} ngx_webrtc_pack_av1_t;


static ngx_int_t ngx_webrtc_pack_av1_config(ngx_webrtc_pack_t *pack,
    u_char *p, size_t n);
static ngx_int_t ngx_webrtc_pack_av1_probe(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_pack_av1_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_pack_av1_sequence(ngx_webrtc_pack_t *pack,
    ngx_webrtc_av1_obu_t *obu);
static ngx_uint_t ngx_webrtc_pack_av1_key(ngx_webrtc_pack_t *pack,
    ngx_webrtc_av1_obu_t *obu);
static ngx_int_t ngx_webrtc_pack_av1_collect(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame, ngx_webrtc_pack_av1_t *av1);
static size_t ngx_webrtc_pack_av1_size(ngx_webrtc_pack_av1_t *av1, size_t max);
static ngx_uint_t ngx_webrtc_pack_av1_count(ngx_webrtc_pack_av1_t *av1,
    size_t size);
static size_t ngx_webrtc_pack_av1_packet(ngx_webrtc_pack_av1_t *av1,
    u_char *p, size_t size);
static ngx_uint_t ngx_webrtc_pack_av1_elements(ngx_webrtc_pack_av1_t *av1,
    size_t room);
static void ngx_webrtc_pack_av1_element(ngx_webrtc_pack_av1_t *av1,
    size_t len);
static size_t ngx_webrtc_pack_av1_left(ngx_webrtc_pack_av1_t *av1);


const ngx_webrtc_pack_ops_t  ngx_webrtc_pack_av1 = {
    ngx_webrtc_pack_av1_config,
    ngx_webrtc_pack_av1_probe,
    ngx_webrtc_pack_av1_frame
};


static ngx_int_t
ngx_webrtc_pack_av1_config(ngx_webrtc_pack_t *pack, u_char *p, size_t n)
{
    u_char                *end;
    ngx_webrtc_av1_obu_t   obu;

    end = p + n;

    /* av1C: marker 1 and version 1, where an OBU has its forbidden bit */

    if (p[0] == 0x81) {

        if (n < 4) {
            return NGX_DECLINED;
        }

        p += 4;
    }

    while (p < end) {
        p = ngx_webrtc_av1_obu(p, end, &obu);

        if (p == NULL) {
            return NGX_DECLINED;
        }

        if (obu.type == NGX_WEBRTC_AV1_SEQUENCE
            && ngx_webrtc_pack_av1_sequence(pack, &obu) == NGX_DECLINED)
        {
            return NGX_DECLINED;
        }
    }

    /* an av1C without OBUs is allowed */

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_pack_av1_probe(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char                *p, *end;
    ngx_webrtc_av1_obu_t   obu, sequence;

    end = frame->data + frame->size;

    ngx_memzero(&sequence, sizeof(ngx_webrtc_av1_obu_t));

    for (p = frame->data; p < end; /* void */ ) {

        p = ngx_webrtc_av1_obu(p, end, &obu);

        if (p == NULL) {
            return NGX_DECLINED;
        }

        switch (obu.type) {

        case NGX_WEBRTC_AV1_SEQUENCE:
            frame->params = 1;
            sequence = obu;
            break;

        case NGX_WEBRTC_AV1_HEADER:
        case NGX_WEBRTC_AV1_FRAME:

            /* decoding may start where the first frame is a shown key frame */

            if (!frame->picture) {
                frame->picture = 1;
                frame->key = ngx_webrtc_pack_av1_key(pack, &obu);
            }

            break;
        }
    }

    if (!frame->picture && !frame->params) {
        return NGX_DECLINED;
    }

    if (frame->params) {
        (void) ngx_webrtc_pack_av1_sequence(pack, &sequence);

    } else if (pack->params.n == 0) {
        /* nobody could start there */
        frame->key = 0;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_pack_av1_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    size_t                  n, size;
    ngx_int_t               rc;
    ngx_uint_t              flags;
    ngx_webrtc_pack_av1_t   av1;

    if (ngx_webrtc_pack_av1_collect(pack, frame, &av1) != NGX_OK) {
        return NGX_DECLINED;
    }

    size = ngx_webrtc_pack_av1_size(&av1, pack->max);

    flags = NGX_WEBRTC_PKT_FIRST;

    if (frame->key) {
        flags |= NGX_WEBRTC_PKT_KEY;
    }

    av1.i = 0;
    av1.offset = 0;

    do {
        n = ngx_webrtc_pack_av1_packet(&av1, pack->buf, size);

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
ngx_webrtc_pack_av1_sequence(ngx_webrtc_pack_t *pack,
    ngx_webrtc_av1_obu_t *obu)
{
    ngx_int_t             rc;
    ngx_webrtc_av1_seq_t  seq;

    if (ngx_webrtc_av1_sequence(obu->payload, obu->size, &seq) != NGX_OK) {
        return NGX_DECLINED;
    }

    rc = ngx_webrtc_params_put(&pack->params, NGX_WEBRTC_AV1_SEQUENCE, 0,
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
ngx_webrtc_pack_av1_key(ngx_webrtc_pack_t *pack, ngx_webrtc_av1_obu_t *obu)
{
    if (pack->reduced) {
        return 1;
    }

    /* show_existing_frame 0, frame_type 00 (KEY_FRAME), show_frame 1 */

    return obu->size && (obu->payload[0] >> 4) == 0x01;
}


static ngx_int_t
ngx_webrtc_pack_av1_collect(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame, ngx_webrtc_pack_av1_t *av1)
{
    u_char                *p, *end;
    ngx_webrtc_param_t    *set;
    ngx_webrtc_av1_obu_t  *obu;

    av1->nobus = 0;

    if (frame->key && !frame->params) {
        set = ngx_webrtc_params_get(&pack->params, NGX_WEBRTC_AV1_SEQUENCE);

        if (set) {
            obu = &av1->obus[av1->nobus++];

            obu->type = NGX_WEBRTC_AV1_SEQUENCE;
            obu->header[0] = NGX_WEBRTC_AV1_SEQUENCE << 3;
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

        p = ngx_webrtc_av1_obu(p, end, obu);

        if (p == NULL) {
            return NGX_DECLINED;
        }

        /*
         * 5: the temporal delimiter SHOULD, the tile list MUST NOT be sent;
         * padding is of no use to anybody
         */

        if (obu->type != NGX_WEBRTC_AV1_TEMPORAL
            && obu->type != NGX_WEBRTC_AV1_TILE_LIST
            && obu->type != NGX_WEBRTC_AV1_PADDING)
        {
            av1->nobus++;
        }
    }

    return av1->nobus ? NGX_OK : NGX_DECLINED;
}


/*
 * The least size that needs no more packets than the largest one does.
 */

static size_t
ngx_webrtc_pack_av1_size(ngx_webrtc_pack_av1_t *av1, size_t max)
{
    size_t      total, low, high, mid;
    ngx_uint_t  i, parts;

    total = 0;

    for (i = 0; i < av1->nobus; i++) {
        total += av1->obus[i].header_size + av1->obus[i].size;
    }

    parts = ngx_webrtc_pack_av1_count(av1, max);

    if (parts == 1) {
        return max;
    }

    /* without any length field it would be total / parts */

    low = total / parts + 1;
    low = ngx_min(low, max);
    high = max;

    while (low < high) {
        mid = (low + high) / 2;

        if (ngx_webrtc_pack_av1_count(av1, mid) <= parts) {
            high = mid;

        } else {
            low = mid + 1;
        }
    }

    return high;
}


static ngx_uint_t
ngx_webrtc_pack_av1_count(ngx_webrtc_pack_av1_t *av1, size_t size)
{
    ngx_uint_t  n;

    av1->i = 0;
    av1->offset = 0;

    for (n = 0; av1->i < av1->nobus; n++) {
        (void) ngx_webrtc_pack_av1_packet(av1, NULL, size);
    }

    return n;
}


/*
 * Makes one packet of at most size bytes, and steps on.
 *
 *   p   where to, or NULL: only step on
 *
 * Returns the bytes of the packet.
 */

static size_t
ngx_webrtc_pack_av1_packet(ngx_webrtc_pack_av1_t *av1, u_char *p, size_t size)
{
    size_t      room, len, left, field;
    u_char      header;
    ngx_uint_t  n, w;

    header = av1->offset ? NGX_WEBRTC_AV1_Z : 0;

    room = size - 1;
    av1->p = p ? p + 1 : NULL;

    w = ngx_webrtc_pack_av1_elements(av1, room);

    for (n = 1; av1->i < av1->nobus && room > 0; n++) {

        left = ngx_webrtc_pack_av1_left(av1);

        if (n == w) {
            len = ngx_min(left, room);
            field = 0;

        } else {
            /* a length field, and as much as fits beside it */

            len = left;
            field = ngx_webrtc_av1_leb128_size(len);

            if (field + len > room) {

                if (room < 2) {
                    break;
                }

                len = room - 1;
                field = ngx_webrtc_av1_leb128_size(len);

                if (field + len > room) {
                    len = room - field;
                    field = ngx_webrtc_av1_leb128_size(len);
                }
            }

            if (av1->p) {
                av1->p = ngx_webrtc_av1_leb128_write(av1->p, len);
            }
        }

        room -= field + len;

        ngx_webrtc_pack_av1_element(av1, len);

        if (n == w) {
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
 * W of the next packet, whose elements have that much room: 1, 2 or 3, or 0
 * where more than three fit.
 */

static ngx_uint_t
ngx_webrtc_pack_av1_elements(ngx_webrtc_pack_av1_t *av1, size_t room)
{
    size_t      left, need;
    ngx_uint_t  i, n;

    left = ngx_webrtc_pack_av1_left(av1);

    for (i = av1->i, n = 1; n <= 3; n++) {

        need = ngx_webrtc_av1_leb128_size(left) + left;

        /* nothing comes, or nothing fits, after this one */

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
ngx_webrtc_pack_av1_element(ngx_webrtc_pack_av1_t *av1, size_t len)
{
    ngx_webrtc_av1_obu_t  *obu;

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
ngx_webrtc_pack_av1_left(ngx_webrtc_pack_av1_t *av1)
{
    return av1->obus[av1->i].header_size + av1->obus[av1->i].size
           - av1->offset;
}
