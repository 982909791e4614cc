
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The fuzz targets of the packetizers.  Input:
 *
 *     u8     max payload: 64 + 11 * this
 *     u16    size of the configuration, and it (not given when 0)
 *     then frames, each u16 size and bytes; the last one may be cut short
 *
 * Every input is copied to a block of its own, so that a read past its end
 * is seen.  Checked: payload sizes, flags, frames declined give nothing.
 */


#ifndef _PACK_H_INCLUDED_
#define _PACK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_pack.h"
#include "ngx_webrtc_codecs.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    size_t       max;
    size_t       bytes;
    ngx_uint_t   n;
    ngx_uint_t   flags;
} fuzz_pack_t;


static ngx_int_t
fuzz_pack_out(void *ctx, u_char *payload, size_t n, ngx_uint_t flags)
{
    size_t        i;
    u_char        sum;
    fuzz_pack_t  *f = ctx;

    if (n == 0 || n > f->max) {
        abort();
    }

    if (!!(flags & NGX_WEBRTC_PKT_FIRST) != (f->n == 0)
        || (f->flags & NGX_WEBRTC_PKT_LAST))
    {
        abort();
    }

    for (i = 0, sum = 0; i < n; i++) {
        sum ^= payload[i];
    }

    f->bytes += n + (sum & 0);
    f->flags = flags;
    f->n++;

    return NGX_OK;
}


static u_char *
fuzz_pack_block(u_char *p, u_char *end, u_char **block, size_t *n)
{
    uint16_t  len;

    p = ngx_webrtc_read_u16(p, end, &len);

    if (p == NULL) {
        return NULL;
    }

    *n = ngx_min(len, (size_t) (end - p));
    *block = malloc(*n ? *n : 1);

    if (*n) {
        memcpy(*block, p, *n);
    }

    return p + *n;
}


static int
fuzz_pack(ngx_uint_t codec, const uint8_t *data, size_t size)
{
    size_t                     n;
    u_char                    *p, *end, *block;
    uint8_t                    max;
    ngx_int_t                  rc;
    fuzz_pack_t                f;
    ngx_webrtc_frame_t         frame;
    ngx_webrtc_track_t         track;
    static ngx_webrtc_pack_t   pack;

    p = (u_char *) data;
    end = p + size;

    p = ngx_webrtc_read_u8(p, end, &max);

    if (p == NULL) {
        return 0;
    }

    if (ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(codec), 64 + 11 * max,
                             fuzz_pack_out, &f)
        != NGX_OK)
    {
        abort();
    }

    f.max = pack.max;

    p = fuzz_pack_block(p, end, &block, &n);

    if (p == NULL) {
        return 0;
    }

    if (n) {
        (void) ngx_webrtc_pack_config(&pack, block, n);
    }

    free(block);

    while ((p = fuzz_pack_block(p, end, &block, &n)) != NULL) {

        f.bytes = 0;
        f.n = 0;
        f.flags = 0;

        rc = ngx_webrtc_pack_probe(&pack, block, n, &frame);

        if (rc == NGX_OK) {
            rc = ngx_webrtc_pack_frame(&pack, block, n, &frame);

            if (rc == NGX_OK) {

                if (f.n == 0
                    || !(f.flags & NGX_WEBRTC_PKT_LAST)
                    || !(f.flags & NGX_WEBRTC_PKT_MARKER)
                    || !!(f.flags & NGX_WEBRTC_PKT_KEY) != frame.key)
                {
                    abort();
                }

                /* no more than parameter sets, and headers per packet */

                if (f.bytes > NGX_WEBRTC_PARAMS_SIZE + 64 + 3 * n
                              + 16 * f.n)
                {
                    abort();
                }

            } else if (f.n) {
                abort();
            }
        }

        (void) ngx_webrtc_pack_track(&pack, &track);

        free(block);
    }

    return 0;
}


#endif /* _PACK_H_INCLUDED_ */
