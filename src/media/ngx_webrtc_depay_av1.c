
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Payloads of AV1 ("RTP Payload Format For AV1", version 1.0): see
 * ngx_webrtc_depay.h.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_av1.h"
#include "ngx_webrtc_depay_codec.h"


/* 4.4, the aggregation header */

#define NGX_WEBRTC_AV1_Z      0x80     /* the first element goes on */
#define NGX_WEBRTC_AV1_Y      0x40     /* the last element goes on */
#define NGX_WEBRTC_AV1_W      4        /* shift */
#define NGX_WEBRTC_AV1_N      0x08     /* new coded video sequence */

/* header of the aggregation and of the OBU */
#define NGX_WEBRTC_AV1_HEADS  2


/* what the elements of a packet are; gathered before anything is kept */
typedef struct {
    ngx_webrtc_av1_obu_t   sequence;
    u_char                 first;      /* byte of the first frame header */

    unsigned               sequenced:1;
    unsigned               whole:1;    /* the sequence header is */
    unsigned               delimiter:1;
    unsigned               frame:1;    /* there is a frame header */
    unsigned               samples:1;
    unsigned               other:1;
} ngx_webrtc_depay_av1_t;


static ngx_int_t ngx_webrtc_depay_av1_elements(u_char *p, u_char *end,
    ngx_webrtc_depay_av1_t *av1);
static void ngx_webrtc_depay_av1_element(u_char *p, u_char *end,
    ngx_uint_t whole, ngx_webrtc_depay_av1_t *av1);
static void ngx_webrtc_depay_av1_sequence(ngx_webrtc_depay_t *d,
    ngx_webrtc_depay_av1_t *av1, ngx_webrtc_depay_kind_t *kind);


ngx_int_t
ngx_webrtc_depay_av1(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind)
{
    u_char                  *p;
    ngx_webrtc_depay_av1_t   av1;

    p = pkt->payload;

    /* 4.4: "If N is 1, Z must be 0" */

    if (pkt->n < 2
        || (p[0] & (NGX_WEBRTC_AV1_N|NGX_WEBRTC_AV1_Z))
           == (NGX_WEBRTC_AV1_N|NGX_WEBRTC_AV1_Z))
    {
        return NGX_DECLINED;
    }

    ngx_memzero(&av1, sizeof(ngx_webrtc_depay_av1_t));

    if (ngx_webrtc_depay_av1_elements(p, p + pkt->n, &av1) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (av1.sequenced) {
        ngx_webrtc_depay_av1_sequence(d, &av1, kind);
    }

    kind->picture = av1.samples;
    kind->other |= av1.other;

    /* a delimiter needs not be passed on (5) */

    if (av1.delimiter && !av1.sequenced) {
        kind->other = 1;
    }

    if (p[0] & NGX_WEBRTC_AV1_Z) {
        return NGX_OK;
    }

    /*
     * Without one of the signs of a temporal unit's begin the first frame that
     * is seen is its first one unless packets are missing
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


size_t
ngx_webrtc_depay_av1_prefix(ngx_webrtc_depay_t *d, ngx_uint_t *next,
    u_char *buf, size_t size)
{
    ngx_webrtc_param_t  *set;

    if (*next >= d->params.n) {
        return 0;
    }

    set = &d->params.sets[(*next)++];

    if (set->size + (size_t) NGX_WEBRTC_AV1_HEADS > size) {
        return 0;
    }

    /* one element without length field */

    buf[0] = (1 << NGX_WEBRTC_AV1_W) | NGX_WEBRTC_AV1_N;
    buf[1] = NGX_WEBRTC_AV1_SEQUENCE << 3;

    ngx_memcpy(buf + 2, d->params.data + set->offset, set->size);

    return NGX_WEBRTC_AV1_HEADS + set->size;
}


static ngx_int_t
ngx_webrtc_depay_av1_elements(u_char *p, u_char *end,
    ngx_webrtc_depay_av1_t *av1)
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
            /* of what, the packet before has told */
            av1->samples = 1;
            continue;
        }

        if (len) {
            ngx_webrtc_depay_av1_element(element, p,
                                     !(last && (head & NGX_WEBRTC_AV1_Y)), av1);
        }
    }

    /* W says how many there are */

    return (w == 0 || i == w + 1) ? NGX_OK : NGX_DECLINED;
}


/* whole: not cut by the end of the packet */

static void
ngx_webrtc_depay_av1_element(u_char *p, u_char *end, ngx_uint_t whole,
    ngx_webrtc_depay_av1_t *av1)
{
    ngx_uint_t             type;
    ngx_webrtc_bits_t      b;
    ngx_webrtc_av1_obu_t   obu;

    type = (*p >> 3) & 0x0f;

    if (ngx_webrtc_av1_obu(p, end, &obu) == NULL) {

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
    }

    switch (type) {

    case NGX_WEBRTC_AV1_SEQUENCE:
        av1->sequenced = 1;
        av1->whole = whole ? 1 : 0;
        av1->sequence = obu;
        break;

    case NGX_WEBRTC_AV1_TEMPORAL:
        av1->delimiter = 1;
        break;

    case NGX_WEBRTC_AV1_HEADER:
    case NGX_WEBRTC_AV1_FRAME:
        av1->samples = 1;

        if (!av1->frame && obu.size) {
            av1->frame = 1;
            av1->first = obu.payload[0];
        }

        break;

    case NGX_WEBRTC_AV1_GROUP:
    case NGX_WEBRTC_AV1_REDUNDANT:
        av1->samples = 1;
        break;

    default:
        av1->other = 1;
    }
}


/* keeps a sequence header */

static void
ngx_webrtc_depay_av1_sequence(ngx_webrtc_depay_t *d,
    ngx_webrtc_depay_av1_t *av1, ngx_webrtc_depay_kind_t *kind)
{
    ngx_int_t              rc;
    ngx_webrtc_av1_seq_t   seq;
    ngx_webrtc_av1_obu_t  *obu;

    obu = &av1->sequence;

    kind->whole = 1;

    if (!av1->whole
        || obu->size > NGX_WEBRTC_DEPAY_PAYLOAD - NGX_WEBRTC_AV1_HEADS
        || ngx_webrtc_av1_sequence(obu->payload, obu->size, &seq) != NGX_OK)
    {
        kind->other = 1;
        return;
    }

    rc = ngx_webrtc_params_put(&d->params, NGX_WEBRTC_AV1_SEQUENCE, 0,
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
