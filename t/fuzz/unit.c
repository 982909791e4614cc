
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Access units in a byte stream: however many bytes come at a time, they are
 * cut at the same places.  Input: u8 codec, u8 bytes at a time, the stream.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_unit.h"


#define UNITS  4096


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_uint_t
cut(const uint8_t *data, size_t size, ngx_uint_t h265, size_t step,
    size_t *ends)
{
    size_t             at, have, len;
    u_char            *p;
    ngx_int_t          rc;
    ngx_uint_t         n, whole;
    ngx_webrtc_unit_t  u;

    ngx_webrtc_unit_init(&u, h265);

    at = 0;
    have = 0;

    for (n = 0; n < UNITS; /* void */ ) {

        /* of its size, so that a sanitizer sees a byte too many */

        p = malloc(have - at ? have - at : 1);
        ngx_memcpy(p, data + at, have - at);

        rc = ngx_webrtc_unit_next(&u, p, have - at, have == size, &len,
                                  &whole);
        free(p);

        if (rc == NGX_AGAIN) {

            if (have == size) {
                abort();
            }

            have = ngx_min(have + step, size);
            continue;
        }

        if (len > have - at || (len == 0 && rc == NGX_OK)) {
            abort();
        }

        at += len;
        ends[n++] = at;

        if (rc == NGX_DONE) {

            if (at != size) {
                abort();
            }

            break;
        }
    }

    return n;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             step;
    u_char            *p;
    ngx_uint_t         h265, n, m;
    ngx_webrtc_unit_t  u;
    static size_t      a[UNITS], b[UNITS];

    if (size < 2 || size > 8192) {
        return 0;
    }

    h265 = data[0] & 1;
    step = data[1] + 1;

    data += 2;
    size -= 2;

    n = cut(data, size, h265, size + 1, a);
    m = cut(data, size, h265, step, b);

    if (n != m || ngx_memcmp(a, b, n * sizeof(size_t)) != 0) {
        abort();
    }

    p = malloc(size ? size : 1);
    ngx_memcpy(p, data, size);

    ngx_webrtc_unit_init(&u, h265);

    if (ngx_webrtc_unit_alone(&u, p, size)
        && (n != 1 || !ngx_webrtc_unit_begins(h265, p, size)))
    {
        abort();
    }

    free(p);

    return 0;
}
