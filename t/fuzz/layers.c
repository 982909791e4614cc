
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: a viewer's choice of a layer.
 * Property: a refusal has a cause; a choice that is taken means a layer that
 * there is.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_signal_layers.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_int_t                    rc;
    ngx_uint_t                   layer;
    const char                  *cause;
    ngx_webrtc_signal_choice_t   choice;

    static ngx_webrtc_signal_layers_t  l = {
        .mid = ngx_string("0"),
        .n = 2,
        .layers = { { .name = ngx_string("original"), .width = 640,
                      .height = 360 },
                    { .name = ngx_string("low"), .bitrate = 400000,
                      .width = 320, .height = 180 } },
        .limited = ""
    };

    cause = NULL;

    if (ngx_webrtc_signal_parse_choice(data, size, &choice, &cause) != NGX_OK) {

        if (cause == NULL || choice.message) {
            abort();
        }

        return 0;
    }

    layer = 0;
    rc = ngx_webrtc_signal_choose(&l, &choice, &layer);

    if (layer >= l.n
        || choice.max_width > 65535 || choice.max_height > 65535
        || (rc == NGX_DONE && choice.encoding.data))
    {
        abort();
    }

    ngx_webrtc_signal_choice_free(&choice);

    return 0;
}
