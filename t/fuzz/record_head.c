
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: the beginning of a file that is listed as a recording.
 * Property: what is said is within limits, and the same for the same bytes.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_record_head.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t                i;
    ngx_webrtc_record_head_t  head;

    ngx_webrtc_record_head(data, size, &head);

    if (head.n > NGX_WEBRTC_RECORD_HEAD_TRACKS
        || head.duration_ms > (uint64_t) 366 * 86400 * 1000)
    {
        abort();
    }

    for (i = 0; i < head.n; i++) {
        if (head.codecs[i] == NULL || head.codecs[i][0] == '\0') {
            abort();
        }
    }

    return 0;
}
