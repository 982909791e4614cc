
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Payloads of VP8 (RFC 7741) and VP9 (RFC 9628): see ngx_webrtc_depay.h.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_vp8.h"
#include "ngx_webrtc_vp9.h"
#include "ngx_webrtc_depay_codec.h"


/* RFC 7741, 4.2 */

#define NGX_WEBRTC_VP8_X        0x80
#define NGX_WEBRTC_VP8_NONREF   0x20
#define NGX_WEBRTC_VP8_S        0x10
#define NGX_WEBRTC_VP8_PID      0x07

#define NGX_WEBRTC_VP8_I        0x80
#define NGX_WEBRTC_VP8_L        0x40
#define NGX_WEBRTC_VP8_T        0x20
#define NGX_WEBRTC_VP8_K        0x10
#define NGX_WEBRTC_VP8_M        0x80

/* RFC 9628, 4.2 */

#define NGX_WEBRTC_VP9_I        0x80
#define NGX_WEBRTC_VP9_P        0x40
#define NGX_WEBRTC_VP9_L        0x20
#define NGX_WEBRTC_VP9_F        0x10
#define NGX_WEBRTC_VP9_B        0x08
#define NGX_WEBRTC_VP9_V        0x02
#define NGX_WEBRTC_VP9_M        0x80

/* 4.2.1, the scalability structure */

#define NGX_WEBRTC_VP9_SS_Y     0x10
#define NGX_WEBRTC_VP9_SS_G     0x08

/* bytes of an uncompressed header up to the frame size, at most, and a zero */
#define NGX_WEBRTC_VP9_HEADER   12


typedef struct {
    ngx_uint_t   sid;             /* spatial layer */
    uint16_t     width;           /* of the greatest, 0: not told */
    uint16_t     height;
} ngx_webrtc_depay_vp9_t;


static u_char *ngx_webrtc_depay_vp8_descriptor(u_char *p, u_char *end,
    uint8_t *flags);
static u_char *ngx_webrtc_depay_vp9_descriptor(u_char *p, u_char *end,
    uint8_t *flags, ngx_webrtc_depay_vp9_t *vp9);
static u_char *ngx_webrtc_depay_vp9_structure(u_char *p, u_char *end,
    ngx_webrtc_depay_vp9_t *vp9);


ngx_int_t
ngx_webrtc_depay_vp8(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind)
{
    u_char            *p, *end;
    uint8_t            flags;
    ngx_webrtc_vp8_t   vp8;

    end = pkt->payload + pkt->n;

    p = ngx_webrtc_depay_vp8_descriptor(pkt->payload, end, &flags);

    if (p == NULL || p == end) {
        return NGX_DECLINED;
    }

    kind->picture = 1;
    kind->whole = 1;
    kind->discard = ((flags & NGX_WEBRTC_VP8_NONREF) != 0);

    /* 4.2: the first packet of the first partition begins the frame */

    if (!(flags & NGX_WEBRTC_VP8_S) || (flags & NGX_WEBRTC_VP8_PID)) {
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


ngx_int_t
ngx_webrtc_depay_vp9(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind)
{
    u_char                  *p, *end, header[NGX_WEBRTC_VP9_HEADER];
    size_t                   n;
    uint8_t                  flags;
    uint32_t                 profile;
    ngx_webrtc_vp9_t         frame;
    ngx_webrtc_depay_vp9_t   vp9;

    end = pkt->payload + pkt->n;

    p = ngx_webrtc_depay_vp9_descriptor(pkt->payload, end, &flags, &vp9);

    if (p == NULL || p == end) {
        return NGX_DECLINED;
    }

    kind->picture = 1;
    kind->whole = 1;

    /*
     * A picture begins with the frame of its lowest spatial layer.  Frames of
     * the higher ones have no P either where the picture is a key frame, but
     * refer to the one below
     */

    if (!(flags & NGX_WEBRTC_VP9_B) || vp9.sid != 0) {
        return NGX_OK;
    }

    kind->start = 1;

    if (flags & NGX_WEBRTC_VP9_P) {
        return NGX_OK;
    }

    /*
     * The header alone and a zero byte behind it, so that no byte of the middle
     * of a frame is taken for the index of a superframe
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


/* RFC 7741, 4.2; returns the position of the payload header, or NULL */

static u_char *
ngx_webrtc_depay_vp8_descriptor(u_char *p, u_char *end, uint8_t *flags)
{
    uint8_t  ext, id;

    p = ngx_webrtc_read_u8(p, end, flags);

    if (p == NULL || !(*flags & NGX_WEBRTC_VP8_X)) {
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
        p = ngx_webrtc_skip(p, end, 1);
    }

    return p;
}


/* RFC 9628, 4.2; returns the position behind it, or NULL */

static u_char *
ngx_webrtc_depay_vp9_descriptor(u_char *p, u_char *end, uint8_t *flags,
    ngx_webrtc_depay_vp9_t *vp9)
{
    uint8_t     b;
    ngx_uint_t  i;

    ngx_memzero(vp9, sizeof(ngx_webrtc_depay_vp9_t));

    p = ngx_webrtc_read_u8(p, end, flags);

    if (p == NULL) {
        return NULL;
    }

    if (*flags & NGX_WEBRTC_VP9_I) {
        p = ngx_webrtc_read_u8(p, end, &b);

        if (p != NULL && (b & NGX_WEBRTC_VP9_M)) {
            p = ngx_webrtc_skip(p, end, 1);
        }
    }

    if (*flags & NGX_WEBRTC_VP9_L) {
        p = ngx_webrtc_read_u8(p, end, &b);

        if (p == NULL) {
            return NULL;
        }

        vp9->sid = (b >> 1) & 7;

        if (!(*flags & NGX_WEBRTC_VP9_F)) {
            p = ngx_webrtc_skip(p, end, 1);     /* TL0PICIDX */
        }
    }

    if ((*flags & NGX_WEBRTC_VP9_F) && (*flags & NGX_WEBRTC_VP9_P)) {

        for (i = 0; /* void */ ; i++) {
            p = ngx_webrtc_read_u8(p, end, &b); /* P_DIFF, N */

            if (p == NULL || i == 3) {
                return NULL;
            }

            if (!(b & 1)) {
                break;
            }
        }
    }

    if (*flags & NGX_WEBRTC_VP9_V) {
        p = ngx_webrtc_depay_vp9_structure(p, end, vp9);
    }

    return p;
}


/* 4.2.1 */

static u_char *
ngx_webrtc_depay_vp9_structure(u_char *p, u_char *end,
    ngx_webrtc_depay_vp9_t *vp9)
{
    uint8_t     ss, n, b;
    ngx_uint_t  i;

    p = ngx_webrtc_read_u8(p, end, &ss);

    if (p == NULL) {
        return NULL;
    }

    if (ss & NGX_WEBRTC_VP9_SS_Y) {

        for (i = 0; i <= (ngx_uint_t) ss >> 5; i++) {
            p = ngx_webrtc_read_u16(p, end, &vp9->width);
            p = ngx_webrtc_read_u16(p, end, &vp9->height);
        }
    }

    if (p == NULL || !(ss & NGX_WEBRTC_VP9_SS_G)) {
        return p;
    }

    p = ngx_webrtc_read_u8(p, end, &n);

    if (p == NULL) {
        return NULL;
    }

    while (n-- > 0) {
        p = ngx_webrtc_read_u8(p, end, &b);

        if (p == NULL) {
            return NULL;
        }

        p = ngx_webrtc_skip(p, end, (b >> 2) & 3);
    }

    return p;
}
