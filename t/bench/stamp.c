
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Stamped payloads: see stamp.h.  RFC 6184 (H.264), RFC 7741 (VP8), RFC 7587
 * (Opus).
 */


#define _GNU_SOURCE

#include "stamp.h"

#include <string.h>


#define MAGIC  "_WS_"


/* 1280x720, as x264 writes them without B-frames */

static const unsigned char  params[] = {
    0x78,
    0x00, 0x18, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xb2, 0x00, 0xa0, 0x0b, 0x76,
    0x02, 0x20, 0x00, 0x00, 0x03, 0x00, 0x20, 0x00, 0x00, 0x07, 0x81, 0xe3,
    0x06, 0x49,
    0x00, 0x06, 0x68, 0xeb, 0xc3, 0xcb, 0x22, 0xc0
};


int
stamp_pt(stamp_codec_t codec)
{
    return codec == STAMP_H264 ? STAMP_PT_H264
           : codec == STAMP_VP8 ? STAMP_PT_VP8 : STAMP_PT_OPUS;
}


uint32_t
stamp_rate(unsigned pt)
{
    return pt == STAMP_PT_OPUS ? 48000 : 90000;
}


/* four bits per byte, none of them 0 */

static unsigned char *
put(unsigned char *p, uint64_t v, int digits)
{
    while (digits--) {
        *p++ = (unsigned char) (0x40 | ((v >> (4 * digits)) & 15));
    }

    return p;
}


static const unsigned char *
get(const unsigned char *p, uint64_t *v, int digits)
{
    for (*v = 0; digits--; p++) {
        *v = *v << 4 | (*p & 15);
    }

    return p;
}


static unsigned char *
header(unsigned char *p, const stamp_frame_t *f, const stamp_t *s)
{
    switch (f->codec) {

    case STAMP_H264:

        if (f->first && f->last) {
            *p++ = f->key ? 0x65 : 0x41;

        } else {
            *p++ = f->key ? 0x7c : 0x5c;
            *p++ = (unsigned char) ((f->first ? 0x80 : 0)
                                    | (f->last ? 0x40 : 0)
                                    | (f->key ? 5 : 1));
        }

        if (f->first) {
            *p++ = 0x9a;                  /* first_mb_in_slice 0 */
        }

        break;

    case STAMP_VP8:

        /* with a picture id of 15 bits */

        *p++ = 0x80 | (f->first ? 0x10 : 0);
        *p++ = 0x80;
        *p++ = (unsigned char) (0x80 | ((s->frame >> 8) & 0x7f));
        *p++ = (unsigned char) s->frame;

        if (f->first) {
            *p++ = f->key ? 0x10 : 0x11;  /* shown */
            *p++ = 0x02;
            *p++ = 0x01;
        }

        if (f->first && f->key) {
            memcpy(p, "\x9d\x01\x2a\x00\x05\xd0\x02", 7);    /* 1280x720 */
            p += 7;
        }

        break;

    case STAMP_OPUS:
        *p++ = 0xfc;                      /* CELT, 20 ms, stereo, one frame */
        break;
    }

    return p;
}


void
stamp_write(unsigned char *p, size_t n, const stamp_frame_t *f,
    const stamp_t *s)
{
    unsigned char  *end = p + n;

    p = header(p, f, s);

    memcpy(p, MAGIC, 4);
    p = put(p + 4, s->gen, 8);
    p = put(p, s->track, 2);
    p = put(p, s->n, 8);
    p = put(p, s->frame, 8);
    p = put(p, s->ns, 16);

    memset(p, 0x5a, (size_t) (end - p));
}


size_t
stamp_params(unsigned char *p)
{
    memcpy(p, params, sizeof(params));

    return sizeof(params);
}


int
stamp_read(const unsigned char *p, size_t n, stamp_t *s)
{
    uint64_t              v;
    const unsigned char  *m;

    m = memmem(p, n < STAMP_MIN ? n : STAMP_MIN, MAGIC, 4);

    if (m == NULL || n - (size_t) (m - p) < STAMP_SIZE) {
        return 0;
    }

    m = get(m + 4, &v, 8);
    s->gen = (uint32_t) v;
    m = get(m, &v, 2);
    s->track = (uint8_t) v;
    m = get(m, &v, 8);
    s->n = (uint32_t) v;
    m = get(m, &v, 8);
    s->frame = (uint32_t) v;
    (void) get(m, &s->ns, 16);

    return 1;
}


static int
h264_is_key(const unsigned char *p, size_t n)
{
    size_t  i;

    switch (p[0] & 31) {

    case 5:
    case 7:
        return 1;

    case 24:
        for (i = 1; i + 2 < n; i += 2 + (size_t) (p[i] << 8 | p[i + 1])) {
            if ((p[i + 2] & 31) == 5 || (p[i + 2] & 31) == 7) {
                return 1;
            }
        }

        return 0;

    case 28:
        return n > 1 && (p[1] & 0x80) && (p[1] & 31) == 5;

    default:
        return 0;
    }
}


/* RFC 7741, 4.2: S, partition 0, and P of the frame is not set */

static int
vp8_is_key(const unsigned char *p, size_t n)
{
    size_t  i;

    if (!(p[0] & 0x10) || (p[0] & 7)) {
        return 0;
    }

    i = 1;

    if ((p[0] & 0x80) && n > 2) {
        i = 2;
        i += (p[1] & 0x80) ? ((p[2] & 0x80) ? 2 : 1) : 0;
        i += (p[1] & 0x40) ? 1 : 0;
        i += (p[1] & 0x30) ? 1 : 0;
    }

    return i < n && !(p[i] & 1);
}


int
stamp_is_key(unsigned pt, const unsigned char *p, size_t n)
{
    return n == 0 ? 0
           : pt == STAMP_PT_H264 ? h264_is_key(p, n)
           : pt == STAMP_PT_VP8 ? vp8_is_key(p, n) : 0;
}
