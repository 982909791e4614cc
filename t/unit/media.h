
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * For the tests of the packetizers: reading the streams of t/data/media, and
 * collecting what a packetizer gives out.
 */


#ifndef _MEDIA_H_INCLUDED_
#define _MEDIA_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_pack.h"
#include "tap.h"


#define MEDIA_MAX  65536


typedef struct {
    u_char      data[MEDIA_MAX];
    size_t      size;
} media_file_t;


/* what came out of one frame; each payload in a block of its own, so that the
   address sanitizer sees a read past its end */

typedef struct {
    u_char      *data[512];
    size_t       size[512];
    ngx_uint_t   flags[512];
    int32_t      tick[512];
    ngx_uint_t   n;
    ngx_uint_t   fail;          /* NGX_ERROR at this payload, 1.. */

    ngx_webrtc_pack_t  *pack;
} media_out_t;


static TAP_UNUSED void
media_read(media_file_t *f, const char *path)
{
    FILE  *in;

    f->size = 0;

    in = fopen(path, "rb");

    if (in == NULL) {
        tap_ok(0, "open %s", path);
        exit(tap_done());
    }

    f->size = fread(f->data, 1, MEDIA_MAX, in);
    fclose(in);
}


/* IVF: 32 bytes, then per frame u32le size and u64le time; the next frame */

static TAP_UNUSED u_char *
media_ivf(media_file_t *f, size_t *pos, size_t *n)
{
    u_char  *p;

    if (*pos == 0) {
        *pos = 32;
    }

    if (f->size < *pos + 12) {
        return NULL;
    }

    p = f->data + *pos;
    *n = p[0] | (p[1] << 8) | ((size_t) p[2] << 16);
    *pos += 12 + *n;

    return p + 12;
}


/*
 * Annex B with access unit delimiters: the next access unit.  type: the type
 * byte of the delimiter (0x09, or 0x46 in H.265).
 */

static TAP_UNUSED u_char *
media_annexb(media_file_t *f, size_t *pos, size_t *n, u_char type)
{
    size_t   i;
    u_char  *p;

    p = f->data;

    for (i = *pos; i + 4 < f->size; i++) {
        if (p[i] == 0 && p[i + 1] == 0 && p[i + 2] == 1
            && p[i + 3] == type && i > *pos + 1)
        {
            if (p[i - 1] == 0) {
                i--;
            }

            break;
        }
    }

    if (i + 4 >= f->size) {
        i = f->size;
    }

    if (i == *pos) {
        return NULL;
    }

    p += *pos;
    *n = i - *pos;
    *pos = i;

    return p;
}


static TAP_UNUSED ngx_int_t
media_out(void *ctx, u_char *payload, size_t n, ngx_uint_t flags)
{
    media_out_t  *out = ctx;

    if (out->n == 512 || n == 0) {
        abort();
    }

    out->data[out->n] = malloc(n);
    memcpy(out->data[out->n], payload, n);
    out->size[out->n] = n;
    out->flags[out->n] = flags;
    out->tick[out->n] = out->pack ? out->pack->tick : 0;
    out->n++;

    return (out->n == out->fail) ? NGX_ERROR : NGX_OK;
}


static TAP_UNUSED void
media_free(media_out_t *out)
{
    while (out->n) {
        free(out->data[--out->n]);
    }
}


/*
 * The flags every packetizer must keep: FIRST once, LAST and MARKER at the end,
 * KEY and DISCARD on all or none; no payload above max.
 */

static TAP_UNUSED int
media_flags(media_out_t *out, size_t max, ngx_webrtc_frame_t *frame)
{
    ngx_uint_t  i, f;

    for (i = 0; i < out->n; i++) {
        f = out->flags[i];

        if (out->size[i] > max
            || !!(f & NGX_WEBRTC_PKT_FIRST) != (i == 0)
            || !!(f & NGX_WEBRTC_PKT_LAST) != (i == out->n - 1)
            || !!(f & NGX_WEBRTC_PKT_MARKER) != (i == out->n - 1)
            || !!(f & NGX_WEBRTC_PKT_KEY) != frame->key
            || !!(f & NGX_WEBRTC_PKT_DISCARD) != frame->discardable)
        {
            tap_diag("packet %d of %d: flags %x, %d bytes", (int) i,
                     (int) out->n, (int) f, (int) out->size[i]);
            return 0;
        }
    }

    return out->n > 0;
}


/* all of one size but the last, which is shorter by less than slack */

static TAP_UNUSED int
media_equal(media_out_t *out, ngx_uint_t from, ngx_uint_t to, size_t slack)
{
    ngx_uint_t  i;

    for (i = from + 1; i < to; i++) {
        if (out->size[i] > out->size[from]
            || (i + 1 < to && out->size[i] != out->size[from])
            || out->size[from] - out->size[i] > slack)
        {
            tap_diag("packet %d: %d bytes after %d", (int) i,
                     (int) out->size[i], (int) out->size[from]);
            return 0;
        }
    }

    return 1;
}


#endif /* _MEDIA_H_INCLUDED_ */
