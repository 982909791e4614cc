
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RED payloads: blocks lie one behind the other in the packet, up to its end,
 * and are the same after another payload type was set.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_red.h"


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
    u_char                  *p, *last;
    ngx_uint_t               i, count, again;
    ngx_webrtc_red_block_t   a[NGX_WEBRTC_RED_BLOCKS];
    ngx_webrtc_red_block_t   b[NGX_WEBRTC_RED_BLOCKS];

    p = malloc(size + !size);
    memcpy(p, data, size);

    if (ngx_webrtc_red_parse(p, size, a, &count) == NGX_OK) {

        check(count >= 1 && count <= NGX_WEBRTC_RED_BLOCKS);

        last = p + 4 * (count - 1) + 1;

        for (i = 0; i < count; i++) {
            check(a[i].data == last);
            check(a[i].pt <= 127 && a[i].ts_offset <= 16383);
            last += a[i].n;
        }

        check(last == p + size && a[count - 1].ts_offset == 0);

        ngx_webrtc_red_set_pt(p, count, 96);

        check(ngx_webrtc_red_parse(p, size, b, &again) == NGX_OK);
        check(again == count);

        for (i = 0; i < count; i++) {
            check(b[i].pt == 96 && b[i].data == a[i].data
                  && b[i].n == a[i].n && b[i].ts_offset == a[i].ts_offset);
        }
    }

    free(p);

    return 0;
}
