
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: what TURN servers send.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_turn.h>


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                     n;
    u_char                    *p, *copy;
    ngx_webrtc_turn_answer_t   a;

    copy = malloc(size + (size == 0));
    memcpy(copy, data, size);

    n = size;
    p = ngx_webrtc_turn_response(copy, &n);

    if (p && (n < 20 || p < copy || n > size - (size_t) (p - copy)
              || p[0] != 1 || p[1] != 1))
    {
        abort();
    }

    n = size;
    p = ngx_webrtc_turn_data(copy, &n, ngx_webrtc_turn_channel(copy, size));

    if (p && (p != copy + 4 || n > size - 4)) {
        abort();
    }

    n = ngx_webrtc_turn_length(copy, size);

    if (n < 20 && n != size) {
        abort();
    }

    if (ngx_webrtc_turn_allocate(copy, size, &a) == NGX_OK
        && (n != size || a.id != copy + 8 || (a.code && a.code < 300)
            || a.code > 699
            || (a.code && (a.reason.data < copy + 20
                           || a.reason.len > size
                                    - (size_t) (a.reason.data - copy)))))
    {
        abort();
    }

    free(copy);

    return 0;
}
