
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Messages of SSE signalling: parsed, and what they carry printed again.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_signal.h>
#include <ngx_webrtc_signal_json.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static u_char         buf[65536];
    u_char               *p;
    const char           *cause;
    ngx_str_t             text;
    ngx_webrtc_signal_t   msg;

    cause = NULL;

    if (ngx_webrtc_signal_parse(data, size, &msg, &cause) != NGX_OK) {
        if (cause == NULL) {
            __builtin_trap();
        }

        return 0;
    }

    p = ngx_webrtc_signal_print_answer(buf, buf + sizeof(buf) / 4, &msg.text);

    if (p) {
        text.data = buf;
        text.len = p - buf;

        (void) ngx_webrtc_signal_print_event(p, buf + sizeof(buf), 1, msg.type,
                                             &text, 1);
    }

    ngx_webrtc_signal_free(&msg);
    ngx_webrtc_signal_free(&msg);

    return 0;
}
