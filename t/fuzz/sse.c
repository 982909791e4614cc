
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: orders of events and Last-Event-ID.
 * Property: a refusal has a cause, what is taken has known events only; an id
 * that is taken prints back to itself.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sse.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                  *p, *last, *id;
    u_char                   buf[256];
    ngx_str_t                text;
    ngx_uint_t               mask;
    const char              *cause;
    ngx_webrtc_sse_state_t   known, again;

    p = (u_char *) data;

    if (ngx_webrtc_sse_parse_order(p, p + size, &mask, &cause) != NGX_OK) {

        if (cause == NULL || *cause == '\0') {
            abort();
        }

    } else if (mask & ~(ngx_uint_t) NGX_WEBRTC_SSE_ALL) {
        abort();
    }

    if (ngx_webrtc_sse_parse_id(p, p + size, &known) != NGX_OK) {
        return 0;
    }

    ngx_str_set(&text, "{}");

    last = ngx_webrtc_sse_print(buf, buf + sizeof(buf), NGX_WEBRTC_SSE_ACTIVE,
                                &known, &text);

    if (last == NULL) {
        abort();
    }

    /* "event: active\nid: ...\n" */

    id = buf + sizeof("event: active\nid: ") - 1;
    p = ngx_strlchr(id, last, '\n');

    if (p == NULL || ngx_webrtc_sse_parse_id(id, p, &again) != NGX_OK
        || again.active != known.active || again.inactive != known.inactive
        || again.counted != known.counted || again.viewers != known.viewers)
    {
        abort();
    }

    return 0;
}
