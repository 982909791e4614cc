
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: what a worker and its media process tell each other.  What is
 * read can be written, and is then the same again.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_media_message.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                      *p, *copy;
    u_char                       buf[2][NGX_WEBRTC_MEDIA_MESSAGE];
    ngx_webrtc_media_message_t   m, again;

    if (size > NGX_WEBRTC_MEDIA_MESSAGE) {
        return 0;
    }

    copy = malloc(size + (size == 0));
    memcpy(copy, data, size);

    if (ngx_webrtc_media_message_parse(copy, copy + size, &m) == NGX_OK) {

        p = ngx_webrtc_media_message_write(buf[0], buf[0] + size, &m);

        if (p != buf[0] + size
            || ngx_webrtc_media_message_parse(buf[0], p, &again) != NGX_OK
            || ngx_webrtc_media_message_write(buf[1], buf[1] + size, &again)
               != buf[1] + size
            || memcmp(buf[0], buf[1], size) != 0)
        {
            abort();
        }
    }

    free(copy);

    return 0;
}
