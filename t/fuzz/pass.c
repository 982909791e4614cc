
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: what another binary passes on.  What is read is written again,
 * and has to be the same.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_pass.h>


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t              n;
    u_char             *p, *next, *end, *copy, *q, *again, *body;
    uint32_t            pid;
    ngx_webrtc_path_t   path;

    copy = malloc(size + (size == 0));
    again = malloc(size + (size == 0));
    memcpy(copy, data, size);

    end = copy + size;

    for (p = ngx_webrtc_pass_open(copy, end, &pid); p && p < end; p = next) {

        next = ngx_webrtc_pass_read(p, end, &path, &body, &n);

        if (next == NULL) {
            break;
        }

        if (body < p || body > next || n != (size_t) (next - body)) {
            abort();
        }

        q = ngx_webrtc_pass_write(again, again + size, &path, body, n);

        if (q == NULL || q - again != next - p
            || memcmp(again, p, next - p) != 0)
        {
            abort();
        }
    }

    free(copy);
    free(again);

    return 0;
}
