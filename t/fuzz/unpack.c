
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Payloads of a ring, made frames of.  The first byte is the codec; then
 * packets: a byte with the end of a frame (1), parameter sets (2) and RED (4),
 * two bytes of length, the payload.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_unpack.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(ngx_uint_t cond)
{
    if (!cond) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char               *p, *grown;
    size_t                n, room;
    ngx_int_t             rc;
    ngx_uint_t            flags;
    ngx_webrtc_unpack_t   u;

    if (size < 1
        || ngx_webrtc_unpack_init(&u,
                               ngx_webrtc_codec(data[0] % NGX_WEBRTC_CODEC_N))
           != NGX_OK)
    {
        return 0;
    }

    data++;
    size--;

    ngx_webrtc_unpack_begin(&u);

    while (size >= 3) {
        n = (data[1] << 8) | data[2];
        n = ngx_min(n, size - 3);

        flags = (data[0] & 2) ? NGX_WEBRTC_PKT_PARAMS : 0;
        flags |= (data[0] & 4) ? NGX_WEBRTC_PKT_RED : 0;

        p = malloc(n + !n);
        memcpy(p, data + 3, n);

        /* as much room as is asked for, and no more */

        room = u.n + ngx_webrtc_unpack_room(n);
        grown = malloc(room);

        if (u.data) {
            memcpy(grown, u.data, u.n);
            free(u.data);
        }

        u.data = grown;

        rc = ngx_webrtc_unpack_payload(&u, p, n, flags);

        check(rc == NGX_OK || rc == NGX_DECLINED);
        check(u.n <= room && u.config <= u.n);

        if (rc == NGX_OK && (data[0] & 1)) {
            rc = ngx_webrtc_unpack_end(&u);

            check(rc == NGX_DECLINED || (rc == NGX_OK && u.n > u.config));
            check(u.n <= room);
            rc = NGX_DONE;
        }

        if (rc != NGX_OK) {
            ngx_webrtc_unpack_begin(&u);
        }

        data += 3 + n;
        size -= 3 + n;

        free(p);
    }

    free(u.data);

    return 0;
}
