
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: records of the media process, up to the ring.  The input is
 * records, each with its length in two bytes in front of it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_out.h"


#define RING  (256 * 1024)


static void
published(void *ctx, ngx_webrtc_source_delta_t *delta)
{
    (void) ctx;
    (void) delta;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                         n;
    u_char                        *copy;
    u_char                         text[NGX_WEBRTC_SOURCE_OUT_TEXT];
    ngx_webrtc_timeline_t          timeline;
    ngx_webrtc_source_out_t        out;
    ngx_webrtc_media_record_t      r;
    ngx_webrtc_source_out_conf_t   conf;

    static u_char  ring[RING] __attribute__((aligned(4096)));

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_out_conf_t));
    ngx_memzero(ring, 4096);

    conf.ring = ngx_webrtc_ring_init(ring, RING);
    conf.timeline = &timeline;
    conf.published = published;

    ngx_webrtc_timeline_init(&timeline);
    ngx_webrtc_source_out_init(&out, &conf);

    while (size >= 2) {
        n = (data[0] << 8) | data[1];
        data += 2;
        size -= 2;

        n = ngx_min(n, size);

        copy = malloc(n + (n == 0));
        memcpy(copy, data, n);

        if (ngx_webrtc_media_record_parse(copy, copy + n, &r) == NGX_OK) {
            (void) ngx_webrtc_source_out_record(&out, &r);
            (void) ngx_webrtc_source_out_warning(&out, text);
        }

        free(copy);

        data += n;
        size -= n;
    }

    return 0;
}
