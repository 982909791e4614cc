
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * VP9: uncompressed headers, packetizer, payloads, format parameters.
 * RFC 9628; we send non-flexible mode without layers, and a superframe as one
 * frame.  See ngx_webrtc_vp9.h, ngx_webrtc_pack.h, ngx_webrtc_depay.h,
 * ngx_webrtc_codec.h.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_vp9.h"
#include "ngx_webrtc_vp9_hide.h"
#include "ngx_webrtc_pack.h"
#include "ngx_webrtc_depay.h"
#include "ngx_webrtc_unpack.h"
#include "ngx_webrtc_fmtp.h"


#define NGX_WEBRTC_VP9_SYNC_CODE  0x498342
#define NGX_WEBRTC_VP9_CS_RGB     7


/* RFC 9628, 4.2: the flags, and a PictureID of 15 bits */

#define NGX_WEBRTC_VP9_DESC  3

#define NGX_WEBRTC_VP9_I     0x80
#define NGX_WEBRTC_VP9_P     0x40      /* inter-picture predicted */
#define NGX_WEBRTC_VP9_L     0x20      /* layer indices present */
#define NGX_WEBRTC_VP9_F     0x10      /* flexible mode */
#define NGX_WEBRTC_VP9_B     0x08      /* start of frame */
#define NGX_WEBRTC_VP9_E     0x04      /* end of frame */
#define NGX_WEBRTC_VP9_V     0x02      /* scalability structure present */
#define NGX_WEBRTC_VP9_M     0x80

/*
 * 4.2.1: the scalability structure, in the first packet of a key frame.  One
 * spatial layer (N_S 0), its size (Y), and a group of one picture (G) that
 * refers to the picture before it: TID 0, U 0, R 1, P_DIFF 1.
 */

#define NGX_WEBRTC_VP9_SS    8

#define NGX_WEBRTC_VP9_SS_Y  0x10
#define NGX_WEBRTC_VP9_SS_G  0x08
#define NGX_WEBRTC_VP9_R1    0x04

/* bytes of an uncompressed header up to the frame size, at most, and a zero */
#define NGX_WEBRTC_VP9_HEADER  12


/* frames that one refers to, at most */
#define NGX_WEBRTC_VP9_REFS    3


typedef struct {
    ngx_uint_t   sid;             /* spatial layer */
    ngx_uint_t   tid;             /* temporal layer */
    ngx_uint_t   layered;         /* 1: it says so */
    ngx_uint_t   up;              /* "switching up point" */
    ngx_uint_t   nrefs;           /* in flexible mode */
    uint8_t      refs[NGX_WEBRTC_VP9_REFS];    /* pictures back */
    uint16_t     id;              /* of the picture; wide: 15 bits, not 7 */
    uint8_t      wide;
    uint8_t      numbered;        /* 1: it has an id */
    uint8_t      sids;            /* spatial layers, 0: not told */
    uint16_t     width;           /* of the greatest, 0: not known */
    uint16_t     height;
    ngx_webrtc_depay_group_t  group;    /* n is 0: not told */
} ngx_webrtc_vp9_descriptor_t;


static ngx_int_t ngx_webrtc_vp9_frame(u_char *p, size_t n,
    ngx_webrtc_vp9_t *vp9);
static ngx_uint_t ngx_webrtc_vp9_superframe(u_char *p, size_t n,
    size_t sizes[8]);
static ngx_int_t ngx_webrtc_vp9_pack_probe(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_vp9_pack_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static u_char *ngx_webrtc_vp9_pack_structure(ngx_webrtc_pack_t *pack,
    u_char *p);
static ngx_int_t ngx_webrtc_vp9_depay_kind(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind);
static void ngx_webrtc_vp9_depay_layer(ngx_webrtc_depay_t *d,
    ngx_webrtc_vp9_descriptor_t *vp9, ngx_uint_t flags,
    ngx_webrtc_depay_kind_t *kind);
static ngx_uint_t ngx_webrtc_vp9_depay_lower(ngx_webrtc_depay_t *d,
    ngx_webrtc_vp9_descriptor_t *vp9);
static u_char *ngx_webrtc_vp9_depay_plain(u_char *p, u_char *end);
static u_char *ngx_webrtc_vp9_depay_descriptor(u_char *p, u_char *end,
    uint8_t *flags, ngx_webrtc_vp9_descriptor_t *vp9);
static u_char *ngx_webrtc_vp9_depay_structure(u_char *p, u_char *end,
    ngx_webrtc_vp9_descriptor_t *vp9);
static u_char *ngx_webrtc_vp9_depay_group(u_char *p, u_char *end,
    ngx_webrtc_depay_group_t *group);
static ngx_uint_t ngx_webrtc_vp9_distance(const ngx_webrtc_track_t *track,
    const ngx_str_t *fmtp);
static u_char *ngx_webrtc_vp9_answer(u_char *p, u_char *end,
    const ngx_str_t *fmtp, ngx_uint_t stereo, ngx_uint_t sending);
static u_char *ngx_webrtc_vp9_offer(u_char *p, u_char *end, uint32_t profile,
    ngx_uint_t channels);


static ngx_int_t ngx_webrtc_vp9_unpack_payload(ngx_webrtc_unpack_t *u,
    u_char *p, size_t n, ngx_uint_t flags);
static ngx_int_t ngx_webrtc_vp9_unpack_end(ngx_webrtc_unpack_t *u);


static const ngx_webrtc_pack_ops_t  ngx_webrtc_vp9_pack = {
    NULL,
    ngx_webrtc_vp9_pack_probe,
    ngx_webrtc_vp9_pack_frame
};


static const ngx_webrtc_depay_ops_t  ngx_webrtc_vp9_depay = {
    ngx_webrtc_vp9_depay_kind, NULL, 0, 0, NULL,
    ngx_webrtc_vp9_depay_plain, NULL, 0
};


static const ngx_webrtc_codec_fmtp_t  ngx_webrtc_vp9_fmtp = {
    ngx_webrtc_vp9_distance,
    NULL,
    NULL,
    ngx_webrtc_vp9_answer,
    ngx_webrtc_vp9_offer
};


static const ngx_webrtc_unpack_ops_t  ngx_webrtc_vp9_unpack = {
    ngx_webrtc_vp9_unpack_payload,
    ngx_webrtc_vp9_unpack_end
};


const ngx_webrtc_codec_t  ngx_webrtc_codec_vp9 = {
    ngx_string("VP9"), NGX_WEBRTC_VIDEO, NGX_WEBRTC_CODEC_VP9, 0, -1, 90000,
    102, 103, 0,
    &ngx_webrtc_vp9_fmtp,
    &ngx_webrtc_vp9_pack,
    &ngx_webrtc_vp9_depay,
    &ngx_webrtc_vp9_unpack
};


ngx_int_t
ngx_webrtc_vp9_parse(u_char *p, size_t n, ngx_webrtc_vp9_t *vp9)
{
    size_t                 sizes[8];
    ngx_uint_t             i, count, seen;
    ngx_webrtc_vp9_t       frame;
    ngx_webrtc_vp9_look_t  look;
    ngx_webrtc_vp9_refs_t  refs;

    count = ngx_webrtc_vp9_superframe(p, n, sizes);

    if (count == 0) {
        return ngx_webrtc_vp9_frame(p, n, vp9);
    }

    ngx_memzero(&refs, sizeof(ngx_webrtc_vp9_refs_t));

    seen = 0;

    for (i = 0; i < count; i++) {

        if (sizes[i] == 0) {
            continue;
        }

        if (ngx_webrtc_vp9_frame(p, sizes[i], &frame) != NGX_OK) {
            return NGX_DECLINED;
        }

        if (!seen) {
            *vp9 = frame;
            seen = 1;

        } else if (frame.show) {
            vp9->show = 1;
        }

        /* of spatial layers the highest one is shown */

        if (vp9->key
            && ngx_webrtc_vp9_look(p, sizes[i], &refs, &look) == NGX_OK
            && look.show)
        {
            vp9->width = (uint16_t) ngx_min(look.width, 0xffff);
            vp9->height = (uint16_t) ngx_min(look.height, 0xffff);
        }

        p += sizes[i];
    }

    return seen ? NGX_OK : NGX_DECLINED;
}


/* 6.2, uncompressed_header(), as far as frame_size() of key frames */

static ngx_int_t
ngx_webrtc_vp9_frame(u_char *p, size_t n, ngx_webrtc_vp9_t *vp9)
{
    uint32_t           width, height;
    ngx_webrtc_bits_t  b;

    ngx_memzero(vp9, sizeof(ngx_webrtc_vp9_t));

    ngx_webrtc_bits_init(&b, p, p + n);

    if (ngx_webrtc_bits_get(&b, 2) != 2) {      /* frame_marker */
        return NGX_DECLINED;
    }

    vp9->profile = (uint8_t) ngx_webrtc_bits_flag(&b);
    vp9->profile |= (uint8_t) (ngx_webrtc_bits_flag(&b) << 1);

    if (vp9->profile == 3 && ngx_webrtc_bits_flag(&b)) {
        return NGX_DECLINED;                    /* reserved_zero */
    }

    if (ngx_webrtc_bits_flag(&b)) {             /* show_existing_frame */
        vp9->show = 1;
        return b.error ? NGX_DECLINED : NGX_OK;
    }

    vp9->key = !ngx_webrtc_bits_flag(&b);       /* frame_type */
    vp9->show = ngx_webrtc_bits_flag(&b);       /* show_frame */

    (void) ngx_webrtc_bits_flag(&b);            /* error_resilient_mode */

    if (b.error) {
        return NGX_DECLINED;
    }

    if (!vp9->key) {
        return NGX_OK;
    }

    if (ngx_webrtc_bits_get(&b, 24) != NGX_WEBRTC_VP9_SYNC_CODE) {
        return NGX_DECLINED;
    }

    /* color_config() */

    if (vp9->profile >= 2) {
        (void) ngx_webrtc_bits_flag(&b);        /* ten_or_twelve_bit */
    }

    if (ngx_webrtc_bits_get(&b, 3) != NGX_WEBRTC_VP9_CS_RGB) {
        (void) ngx_webrtc_bits_flag(&b);        /* color_range */

        if (vp9->profile & 1) {
            (void) ngx_webrtc_bits_get(&b, 3);  /* subsampling, reserved */
        }

    } else if (vp9->profile & 1) {
        (void) ngx_webrtc_bits_flag(&b);        /* reserved_zero */
    }

    /*
     * 1..65536; the track's fields are 16 bits, and RFC 9628, 4.2.1 cannot say
     * more than 65535 either
     */

    width = ngx_webrtc_bits_get(&b, 16) + 1;
    height = ngx_webrtc_bits_get(&b, 16) + 1;

    vp9->width = (uint16_t) ngx_min(width, 0xffff);
    vp9->height = (uint16_t) ngx_min(height, 0xffff);

    return b.error ? NGX_DECLINED : NGX_OK;
}


/* Annex B.  Returns the number of frames, or 0: no superframe. */

static ngx_uint_t
ngx_webrtc_vp9_superframe(u_char *p, size_t n, size_t sizes[8])
{
    u_char      *index;
    size_t       size, left;
    ngx_uint_t   i, k, count, bytes;

    if (n == 0 || (p[n - 1] & 0xe0) != 0xc0) {
        return 0;
    }

    count = (p[n - 1] & 7) + 1;
    bytes = ((p[n - 1] >> 3) & 3) + 1;
    size = 2 + bytes * count;

    if (n < size || p[n - size] != p[n - 1]) {
        return 0;
    }

    index = p + n - size + 1;
    left = n - size;

    for (i = 0; i < count; i++) {
        sizes[i] = 0;

        for (k = 0; k < bytes; k++) {
            sizes[i] |= (size_t) *index++ << (k * 8);
        }

        if (sizes[i] > left) {
            return 0;
        }

        left -= sizes[i];
    }

    return count;
}


static ngx_int_t
ngx_webrtc_vp9_pack_probe(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    ngx_webrtc_vp9_t  vp9;

    if (ngx_webrtc_vp9_parse(frame->data, frame->size, &vp9) != NGX_OK) {
        return NGX_DECLINED;
    }

    frame->picture = 1;
    frame->key = vp9.key;
    frame->hidden = !vp9.show;

    if (vp9.key) {
        pack->track.profile = (uint32_t) vp9.profile << 16;
        pack->track.width = vp9.width;
        pack->track.height = vp9.height;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_vp9_pack_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char      *p, *q, *data;
    size_t       n, len, size, parts, structure;
    ngx_int_t    rc;
    ngx_uint_t   flags;

    data = frame->data;
    n = frame->size;

    structure = frame->key ? NGX_WEBRTC_VP9_SS : 0;

    size = ngx_webrtc_pack_split(n + structure, NGX_WEBRTC_VP9_DESC,
                                 pack->max, &parts);

    p = pack->buf;

    p[0] = NGX_WEBRTC_VP9_I|NGX_WEBRTC_VP9_B;
    p[1] = (u_char) (NGX_WEBRTC_VP9_M | (pack->picture_id >> 8));
    p[2] = (u_char) pack->picture_id;

    q = p + NGX_WEBRTC_VP9_DESC;

    flags = NGX_WEBRTC_PKT_FIRST;

    if (frame->key) {
        flags |= NGX_WEBRTC_PKT_KEY;
        p[0] |= NGX_WEBRTC_VP9_V;
        q = ngx_webrtc_vp9_pack_structure(pack, q);

    } else {
        p[0] |= NGX_WEBRTC_VP9_P;
    }

    pack->picture_id = (pack->picture_id + 1) & 0x7fff;

    while (parts--) {

        if (parts == 0) {
            flags |= NGX_WEBRTC_PKT_LAST|NGX_WEBRTC_PKT_MARKER;
            p[0] |= NGX_WEBRTC_VP9_E;
        }

        len = ngx_min(size - (q - p), n);

        ngx_memcpy(q, data, len);

        rc = pack->out(pack->ctx, p, (q - p) + len, flags);

        if (rc != NGX_OK) {
            return rc;
        }

        data += len;
        n -= len;

        p[0] &= (u_char) ~(NGX_WEBRTC_VP9_B|NGX_WEBRTC_VP9_V);
        q = p + NGX_WEBRTC_VP9_DESC;
        flags &= ~NGX_WEBRTC_PKT_FIRST;
    }

    return NGX_OK;
}


static u_char *
ngx_webrtc_vp9_pack_structure(ngx_webrtc_pack_t *pack, u_char *p)
{
    *p++ = NGX_WEBRTC_VP9_SS_Y|NGX_WEBRTC_VP9_SS_G;

    *p++ = (u_char) (pack->track.width >> 8);
    *p++ = (u_char) pack->track.width;
    *p++ = (u_char) (pack->track.height >> 8);
    *p++ = (u_char) pack->track.height;

    *p++ = 1;                               /* N_G */
    *p++ = NGX_WEBRTC_VP9_R1;
    *p++ = 1;                               /* P_DIFF */

    return p;
}


static ngx_int_t
ngx_webrtc_vp9_depay_kind(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind)
{
    u_char                       *p, *end, header[NGX_WEBRTC_VP9_HEADER];
    size_t                        n;
    uint8_t                       flags;
    uint32_t                      profile;
    ngx_webrtc_vp9_t              frame;
    ngx_webrtc_vp9_descriptor_t   vp9;

    end = pkt->payload + pkt->n;

    p = ngx_webrtc_vp9_depay_descriptor(pkt->payload, end, &flags, &vp9);

    if (p == NULL || p == end) {
        return NGX_DECLINED;
    }

    kind->picture = 1;
    kind->whole = 1;

    ngx_webrtc_vp9_depay_layer(d, &vp9, flags, kind);

    if (d->track.width && vp9.height
        && (ngx_uint_t) vp9.width * 4 >= (ngx_uint_t) d->track.width * 5
        && ngx_webrtc_depay_track(d, d->track.profile, vp9.width, vp9.height))
    {
        /* another spatial layer, with a picture that is no key picture; what
         * becomes smaller or hardly larger waits for one, so that sizes do not
         * change with each packet */
        kind->changed = 1;
    }

    /*
     * A picture begins with the frame of its lowest spatial layer.  In a key
     * picture, frames of higher layers do not have P set either, but refer to
     * the layer below
     */

    if (!(flags & NGX_WEBRTC_VP9_B) || vp9.sid != 0) {
        return NGX_OK;
    }

    kind->start = 1;

    if (flags & NGX_WEBRTC_VP9_P) {
        return NGX_OK;
    }

    /*
     * Only the header, followed by a zero byte, so that no byte from the middle
     * of a frame is taken for a superframe index
     */

    n = ngx_min((size_t) (end - p), NGX_WEBRTC_VP9_HEADER - 1);

    ngx_memcpy(header, p, n);
    header[n] = 0;

    if (ngx_webrtc_vp9_parse(header, n + 1, &frame) != NGX_OK) {
        kind->key = 1;
        return NGX_OK;
    }

    /* not inter-picture predicted: a key frame, or an intra-only one */

    kind->key = frame.key;

    if (!frame.key) {
        return NGX_OK;
    }

    profile = (uint32_t) frame.profile << 16;

    if (vp9.width == 0 || vp9.height == 0) {
        vp9.width = frame.width;
        vp9.height = frame.height;
    }

    if (ngx_webrtc_depay_track(d, profile, vp9.width, vp9.height)) {
        kind->changed = 1;
    }

    return NGX_OK;
}


/*
 * Layers of a packet.  Of a frame's references, those of its base layer count:
 * they are the same for the picture's others, as far as it matters here.
 */

static void
ngx_webrtc_vp9_depay_layer(ngx_webrtc_depay_t *d,
    ngx_webrtc_vp9_descriptor_t *vp9, ngx_uint_t flags,
    ngx_webrtc_depay_kind_t *kind)
{
    ngx_uint_t                 n, mask;
    ngx_webrtc_depay_group_t  *group;

    if (vp9->sids) {
        d->sids = vp9->sids;
    }

    group = &d->group;

    if (vp9->group.n) {
        *group = vp9->group;
        group->first = vp9->id;
        group->wide = vp9->wide;

        if (!vp9->numbered) {
            group->n = 0;
        }
    }

    if (!vp9->layered) {
        return;
    }

    kind->layered = NGX_WEBRTC_DEPAY_LAYERED;
    kind->tid = (uint8_t) vp9->tid;
    kind->sid = (uint8_t) vp9->sid;
    kind->end = (flags & NGX_WEBRTC_VP9_E) ? 1 : 0;

    if (vp9->up) {
        kind->ups = ngx_webrtc_depay_above(vp9->tid);
    }

    if (flags & NGX_WEBRTC_VP9_F) {
        kind->sync = ngx_webrtc_vp9_depay_lower(d, vp9) ? 1 : 0;

    } else if (group->n && vp9->numbered && vp9->wide == group->wide) {

        mask = group->wide ? 0x7fff : 0x7f;
        n = ((vp9->id - group->first) & mask) % group->n;

        kind->sync = (group->syncs >> n) & 1;

        if ((group->ups >> n) & 1) {
            kind->ups = ngx_webrtc_depay_above(vp9->tid);
        }
    }
}


/* flexible mode: 1 if all pictures that it refers to are of lower layers */

static ngx_uint_t
ngx_webrtc_vp9_depay_lower(ngx_webrtc_depay_t *d,
    ngx_webrtc_vp9_descriptor_t *vp9)
{
    ngx_uint_t  i, n;

    if (!vp9->numbered) {
        return 0;
    }

    n = vp9->id % NGX_WEBRTC_DEPAY_PICTURES;
    d->tids[n] = (uint8_t) vp9->tid;

    for (i = 0; i < vp9->nrefs; i++) {

        if (vp9->refs[i] >= NGX_WEBRTC_DEPAY_PICTURES) {
            return 0;
        }

        n = (vp9->id + NGX_WEBRTC_DEPAY_PICTURES - vp9->refs[i])
            % NGX_WEBRTC_DEPAY_PICTURES;

        if (d->tids[n] >= vp9->tid) {
            return 0;
        }
    }

    return vp9->nrefs != 0;
}


/*
 * One byte is left: whether it refers to others, where it begins and ends.  Of
 * several spatial layers, which have to be told apart, all is.
 */

static u_char *
ngx_webrtc_vp9_depay_plain(u_char *p, u_char *end)
{
    u_char                       *data;
    uint8_t                       flags;
    ngx_webrtc_vp9_descriptor_t   vp9;

    data = ngx_webrtc_vp9_depay_descriptor(p, end, &flags, &vp9);

    if (data == NULL || vp9.sid != 0) {
        return p;
    }

    *--data = (u_char) (flags & ~(NGX_WEBRTC_VP9_I|NGX_WEBRTC_VP9_L
                                  |NGX_WEBRTC_VP9_F|NGX_WEBRTC_VP9_V));

    return data;
}


/* RFC 9628, 4.2; returns the position behind it, or NULL */

static u_char *
ngx_webrtc_vp9_depay_descriptor(u_char *p, u_char *end, uint8_t *flags,
    ngx_webrtc_vp9_descriptor_t *vp9)
{
    uint8_t     b;
    ngx_uint_t  i;

    ngx_memzero(vp9, sizeof(ngx_webrtc_vp9_descriptor_t));

    p = ngx_webrtc_read_u8(p, end, flags);

    if (p == NULL) {
        return NULL;
    }

    if (*flags & NGX_WEBRTC_VP9_I) {
        p = ngx_webrtc_read_u8(p, end, &b);

        if (p == NULL) {
            return NULL;
        }

        vp9->numbered = 1;
        vp9->id = b & ~NGX_WEBRTC_VP9_M;

        if (b & NGX_WEBRTC_VP9_M) {
            vp9->wide = 1;
            p = ngx_webrtc_read_u8(p, end, &b);

            if (p == NULL) {
                return NULL;
            }

            vp9->id = (uint16_t) (vp9->id << 8 | b);
        }
    }

    if (*flags & NGX_WEBRTC_VP9_L) {
        p = ngx_webrtc_read_u8(p, end, &b);

        if (p == NULL) {
            return NULL;
        }

        vp9->layered = 1;
        vp9->tid = b >> 5;
        vp9->up = (b >> 4) & 1;
        vp9->sid = (b >> 1) & 7;

        if (!(*flags & NGX_WEBRTC_VP9_F)) {
            p = ngx_webrtc_skip(p, end, 1);     /* TL0PICIDX */
        }
    }

    if ((*flags & NGX_WEBRTC_VP9_F) && (*flags & NGX_WEBRTC_VP9_P)) {

        for (i = 0; /* void */ ; i++) {
            p = ngx_webrtc_read_u8(p, end, &b); /* P_DIFF, N */

            if (p == NULL || i == NGX_WEBRTC_VP9_REFS) {
                return NULL;
            }

            vp9->refs[i] = b >> 1;
            vp9->nrefs = i + 1;

            if (!(b & 1)) {
                break;
            }
        }
    }

    if (*flags & NGX_WEBRTC_VP9_V) {
        p = ngx_webrtc_vp9_depay_structure(p, end, vp9);
    }

    return p;
}


/* 4.2.1 */

static u_char *
ngx_webrtc_vp9_depay_structure(u_char *p, u_char *end,
    ngx_webrtc_vp9_descriptor_t *vp9)
{
    uint8_t     ss;
    ngx_uint_t  i;

    p = ngx_webrtc_read_u8(p, end, &ss);

    if (p == NULL) {
        return NULL;
    }

    vp9->sids = (uint8_t) ((ss >> 5) + 1);

    if (ss & NGX_WEBRTC_VP9_SS_Y) {

        for (i = 0; i <= (ngx_uint_t) ss >> 5; i++) {
            p = ngx_webrtc_read_u16(p, end, &vp9->width);
            p = ngx_webrtc_read_u16(p, end, &vp9->height);
        }
    }

    if (p == NULL || !(ss & NGX_WEBRTC_VP9_SS_G)) {
        return p;
    }

    return ngx_webrtc_vp9_depay_group(p, end, &vp9->group);
}


/* 4.2.1: each picture has TID, U, and how far back are those it refers to */

static u_char *
ngx_webrtc_vp9_depay_group(u_char *p, u_char *end,
    ngx_webrtc_depay_group_t *group)
{
    u_char      *start;
    uint8_t      n, b, tids[256];
    ngx_uint_t   i, k, lower;

    p = ngx_webrtc_read_u8(p, end, &n);
    start = p;

    for (i = 0; i < n && p != NULL; i++) {
        p = ngx_webrtc_read_u8(p, end, &b);

        if (p != NULL) {
            tids[i] = b >> 5;
            p = ngx_webrtc_skip(p, end, (b >> 2) & 3);
        }
    }

    if (p == NULL || n > NGX_WEBRTC_DEPAY_GROUP) {
        return p;
    }

    group->n = n;

    for (i = 0; i < n; i++) {
        b = *start++;
        lower = ((b >> 2) & 3) != 0;

        for (k = 0; k < ((ngx_uint_t) (b >> 2) & 3); k++) {
            if (tids[(i + n * 256 - *start++) % n] >= tids[i]) {
                lower = 0;
            }
        }

        group->ups |= (uint32_t) ((b >> 4) & 1) << i;
        group->syncs |= (uint32_t) lower << i;
    }

    return p;
}


static ngx_int_t
ngx_webrtc_vp9_unpack_payload(ngx_webrtc_unpack_t *u, u_char *p, size_t n,
    ngx_uint_t pkt_flags)
{
    u_char                       *end;
    uint8_t                       flags;
    ngx_webrtc_vp9_descriptor_t   vp9;

    (void) pkt_flags;

    end = p + n;

    p = ngx_webrtc_vp9_depay_descriptor(p, end, &flags, &vp9);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    /* a layer's frame begins */

    if (flags & NGX_WEBRTC_VP9_B) {

        if (u->nlayers == NGX_WEBRTC_UNPACK_LAYERS) {
            return NGX_DECLINED;
        }

        if (u->nlayers) {
            /* what ngx_webrtc_vp9_hide() may take */
            u->data[u->n++] = 0;
        }

        u->layers[u->nlayers++] = u->n;
    }

    ngx_webrtc_unpack_put(u, p, end - p);

    return NGX_OK;
}


/*
 * Annex B: one frame is shown, and behind them is the index of a superframe,
 * sizes in four bytes
 */

static ngx_int_t
ngx_webrtc_vp9_unpack_end(ngx_webrtc_unpack_t *u)
{
    u_char                 marker, *p, *frame;
    size_t                 n, sizes[NGX_WEBRTC_UNPACK_LAYERS];
    ngx_uint_t             i, last;
    ngx_webrtc_vp9_look_t  look[NGX_WEBRTC_UNPACK_LAYERS];

    if (u->nlayers == 0) {
        return NGX_OK;
    }

    last = u->nlayers - 1;

    for (i = 0; i <= last; i++) {

        frame = u->data + u->layers[i];
        sizes[i] = (i < last ? u->layers[i + 1] - 1 : u->n) - u->layers[i];

        if (ngx_webrtc_vp9_look(frame, sizes[i], &u->refs, &look[i])
            != NGX_OK)
        {
            ngx_memzero(&look[i], sizeof(ngx_webrtc_vp9_look_t));
        }
    }

    p = u->data + u->layers[0];

    for (i = 0; i <= last; i++) {

        frame = u->data + u->layers[i];
        n = sizes[i];

        if (i < last && look[i].width && look[i + 1].width
            && ngx_webrtc_vp9_apart(&look[i], &look[i + 1]))
        {
            n = ngx_webrtc_vp9_hide(frame, n, &look[i]);
        }

        ngx_memmove(p, frame, n);
        p += n;

        sizes[i] = n;
    }

    if (last) {

        marker = (u_char) (0xc0 | 3 << 3 | last);

        *p++ = marker;

        for (i = 0; i <= last; i++) {
            *p++ = (u_char) sizes[i];
            *p++ = (u_char) (sizes[i] >> 8);
            *p++ = (u_char) (sizes[i] >> 16);
            *p++ = (u_char) (sizes[i] >> 24);
        }

        *p++ = marker;
    }

    u->n = p - u->data;

    return NGX_OK;
}


static ngx_uint_t
ngx_webrtc_vp9_distance(const ngx_webrtc_track_t *track, const ngx_str_t *fmtp)
{
    /* RFC 9628, 6: inferred to be 0 */

    return track ? ngx_webrtc_fmtp_differs(fmtp, "profile-id", 0,
                                           track->profile >> 16)
                 : 0;
}


static u_char *
ngx_webrtc_vp9_answer(u_char *p, u_char *end, const ngx_str_t *fmtp,
    ngx_uint_t stereo, ngx_uint_t sending)
{
    static const char *const  names[] = { "profile-id", NULL };

    (void) stereo;
    (void) sending;

    return ngx_webrtc_fmtp_repeat(p, end, p, fmtp, names);
}


static u_char *
ngx_webrtc_vp9_offer(u_char *p, u_char *end, uint32_t profile,
    ngx_uint_t channels)
{
    (void) channels;

    return ngx_slprintf(p, end, "profile-id=%uD", profile >> 16);
}
