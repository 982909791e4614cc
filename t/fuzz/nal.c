
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * NAL unit iteration, compared with a search byte by byte, and the parameter
 * set store.  Input: u8 size of the length field (0: Annex B), then the buffer.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_nal.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static u_char *
naive_start_code(u_char *p, u_char *end)
{
    for ( /* void */ ; end - p >= 3; p++) {
        if (p[0] == 0 && p[1] == 0 && p[2] == 1) {
            return p;
        }
    }

    return end;
}


static void
check_params(ngx_webrtc_params_t *ps)
{
    size_t      used;
    ngx_uint_t  i;

    for (i = 0, used = 0; i < ps->n; i++) {
        used += ps->sets[i].size;

        if ((size_t) ps->sets[i].offset + ps->sets[i].size > ps->used) {
            abort();
        }

        if (i && (ps->sets[i - 1].type > ps->sets[i].type
                  || (ps->sets[i - 1].type == ps->sets[i].type
                      && ps->sets[i - 1].id >= ps->sets[i].id)))
        {
            abort();
        }
    }

    if (used != ps->used || used > NGX_WEBRTC_PARAMS_SIZE) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                      n;
    u_char                     *p, *end, *q, *nal, *last;
    ngx_int_t                   rc;
    ngx_uint_t                  length_size;
    ngx_webrtc_nal_t            it;
    static ngx_webrtc_params_t  ps;

    if (size < 1) {
        return 0;
    }

    length_size = data[0] % 5;
    size--;

    p = malloc(size ? size : 1);
    memcpy(p, data + 1, size);
    end = p + size;

    for (q = p; ; q++) {

        if (ngx_webrtc_nal_start_code(q, end) != naive_start_code(q, end)) {
            abort();
        }

        if (q == end || q - p > 64) {
            break;
        }
    }

    ngx_webrtc_params_clear(&ps);
    ngx_webrtc_nal_init(&it, p, size, length_size);

    last = p;

    while ((rc = ngx_webrtc_nal_next(&it, &nal, &n)) == NGX_OK) {

        if (n == 0 || nal < last || n > (size_t) (end - nal)) {
            abort();
        }

        if (length_size == 0
            && (naive_start_code(nal, nal + n) != nal + n
                || nal[n - 1] == 0))
        {
            abort();
        }

        last = nal + n;

        rc = ngx_webrtc_params_put(&ps, nal[0] & 3, nal[n - 1] & 7, nal, n);

        if (rc != NGX_DECLINED && !ngx_webrtc_params_has(&ps, nal, n)) {
            abort();
        }

        check_params(&ps);
    }

    if (rc == NGX_DECLINED && length_size == 0) {
        abort();
    }

    free(p);

    return 0;
}
