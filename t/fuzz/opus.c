
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Opus packets: frames lie inside, and packets made of them have the same
 * ones.  Input: u16be greatest size, the packet.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_opus.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(ngx_webrtc_opus_t *opus, u_char *p, size_t n)
{
    ngx_uint_t  i;

    if (opus->n == 0 || opus->n > NGX_WEBRTC_OPUS_FRAMES
        || opus->n * opus->samples != ngx_webrtc_opus_samples(p, n))
    {
        abort();
    }

    for (i = 0; i < opus->n; i++) {
        if (opus->frame[i] < p
            || opus->frame[i] > p + n
            || opus->size[i] > (size_t) (p + n - opus->frame[i])
            || opus->size[i] > NGX_WEBRTC_OPUS_FRAME_MAX)
        {
            abort();
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             max, len;
    u_char            *p, *buf;
    ngx_uint_t         i, k, n;
    ngx_webrtc_opus_t  opus, part;

    if (size < 2) {
        return 0;
    }

    max = (data[0] << 8 | data[1]) % 1500;

    data += 2;
    size -= 2;

    p = malloc(size ? size : 1);
    buf = malloc(max ? max : 1);

    ngx_memcpy(p, data, size);

    if (ngx_webrtc_opus_parse(&opus, p, size) == NGX_OK) {

        check(&opus, p, size);

        for (i = 0; i < opus.n; i += n) {

            n = ngx_webrtc_opus_fit(&opus, i, max);

            if (n == 0) {

                if (opus.size[i] < max) {
                    abort();
                }

                n = 1;
                continue;
            }

            len = ngx_webrtc_opus_print(&opus, i, n, buf, max);

            if (len == 0 || len > max
                || ngx_webrtc_opus_parse(&part, buf, len) != NGX_OK
                || part.n != n)
            {
                abort();
            }

            check(&part, buf, len);

            for (k = 0; k < n; k++) {
                if (part.size[k] != opus.size[i + k]
                    || ngx_memcmp(part.frame[k], opus.frame[i + k],
                                  part.size[k]) != 0)
                {
                    abort();
                }
            }
        }
    }

    free(buf);
    free(p);

    return 0;
}
