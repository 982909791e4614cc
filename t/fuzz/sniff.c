
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * What an upstream sends: however many bytes come at a time, the same is said
 * of it.  Input: u8 bytes at a time, the stream.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_sniff.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t               at, n, step;
    u_char              *p;
    ngx_uint_t           fourcc;
    ngx_webrtc_sniff_t   a, b;

    if (size < 1) {
        return 0;
    }

    step = data[0] + 1;

    data++;
    size--;

    ngx_memzero(&a, sizeof(ngx_webrtc_sniff_t));
    ngx_memzero(&b, sizeof(ngx_webrtc_sniff_t));

    /* of its size, so that a sanitizer sees a byte too many */

    p = malloc(size ? size : 1);
    ngx_memcpy(p, data, size);
    ngx_webrtc_sniff(&a, p, size);

    (void) ngx_webrtc_sniff_flv(size & 1, size & 15, p, size, &fourcc);

    free(p);

    for (at = 0; at < size; at += n) {
        n = ngx_min(step, size - at);

        p = malloc(n);
        ngx_memcpy(p, data + at, n);
        ngx_webrtc_sniff(&b, p, n);
        free(p);
    }

    if (ngx_webrtc_sniff_name(&a) != ngx_webrtc_sniff_name(&b)
        || ngx_webrtc_sniff_scrambled(&a) != ngx_webrtc_sniff_scrambled(&b)
        || a.clear != b.clear
        || a.scrambled != b.scrambled)
    {
        abort();
    }

    return 0;
}
