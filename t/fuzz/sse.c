
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: what comes with requests for events: orders, the name of an
 * event stream in its URL, Last-Event-ID.
 * Property: a refusal has a cause, what is taken has known events only; a name
 * and an id that are taken print back to themselves.
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
    uint32_t                 name;
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

    if (ngx_webrtc_sse_parse_name(p, p + size, &name) == NGX_OK) {

        last = ngx_sprintf(buf, "%08xD", name);

        if (size != (size_t) (last - buf)
            || ngx_strncasecmp(buf, p, size) != 0)
        {
            abort();
        }

    } else if (name != 0) {
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
