
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Headers of AAC: what is taken has a duration.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_aac.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char            *p;
    ngx_int_t          rc[3];
    ngx_uint_t         i;
    ngx_webrtc_aac_t   aac[3];

    p = malloc(size ? size : 1);
    ngx_memcpy(p, data, size);

    ngx_memzero(aac, sizeof(aac));

    rc[0] = ngx_webrtc_aac_config(&aac[0], p, size);
    rc[1] = ngx_webrtc_aac_adts(&aac[1], p, size);
    rc[2] = ngx_webrtc_aac_loas(&aac[2], p, size);

    for (i = 0; i < 3; i++) {
        if ((rc[i] == NGX_OK) != (aac[i].rate != 0)
            || (rc[i] == NGX_OK && (aac[i].samples < 480
                                    || aac[i].samples > 64 * 1024)))
        {
            abort();
        }
    }

    free(p);

    return 0;
}
