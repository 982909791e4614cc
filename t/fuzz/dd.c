
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Dependency descriptors of one track: for each a byte of length, and as many
 * bytes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_dd.h"
#include "ngx_webrtc_packet.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char           *p;
    size_t            n;
    ngx_uint_t        told;
    ngx_webrtc_dd_t   dd;

    memset(&dd, 0, sizeof(dd));

    while (size > 1) {
        n = ngx_min(data[0], size - 1);

        /* a block of its own: nothing is read behind it */

        p = malloc(n ? n : 1);
        memcpy(p, data + 1, n);

        told = ngx_webrtc_dd_read(&dd, p, n);

        free(p);

        if (told > 0xffff
            || (told && !(told & NGX_WEBRTC_DD_TOLD))
            || dd.n > NGX_WEBRTC_DD_TEMPLATES
            || dd.ntargets > NGX_WEBRTC_DD_TARGETS)
        {
            abort();
        }

        data += 1 + n;
        size -= 1 + n;
    }

    return 0;
}
