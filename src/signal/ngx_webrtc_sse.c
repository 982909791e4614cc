
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The events of a WHEP session.  The JSON that is taken is an array of strings
 * without escapes, since no name needs any; everything else is refused.
 *
 * WHATWG HTML, 9.2; RFC 8259.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_sse.h"


static u_char *ngx_webrtc_sse_space(u_char *p, u_char *end);
static u_char *ngx_webrtc_sse_name(u_char *p, u_char *end, ngx_str_t *name);


static const struct {
    ngx_uint_t  event;
    ngx_str_t   name;
} ngx_webrtc_sse_events[] = {
    { NGX_WEBRTC_SSE_ACTIVE, ngx_string("active") },
    { NGX_WEBRTC_SSE_INACTIVE, ngx_string("inactive") },
    { NGX_WEBRTC_SSE_LAYERS, ngx_string("layers") },
    { NGX_WEBRTC_SSE_RECONNECT, ngx_string("reconnect") },
    { NGX_WEBRTC_SSE_VIEWERCOUNT, ngx_string("viewercount") }
};

#define NGX_WEBRTC_SSE_EVENTS                                                 \
    (sizeof(ngx_webrtc_sse_events) / sizeof(ngx_webrtc_sse_events[0]))


ngx_int_t
ngx_webrtc_sse_parse_order(u_char *p, u_char *end, ngx_uint_t *mask,
    const char **cause)
{
    ngx_str_t   name;
    ngx_uint_t  i;

    *mask = 0;
    *cause = "expected a JSON array of event names";

    p = ngx_webrtc_sse_space(p, end);

    if (p == end) {
        *mask = NGX_WEBRTC_SSE_ALL;
        return NGX_OK;
    }

    if (*p++ != '[') {
        return NGX_DECLINED;
    }

    p = ngx_webrtc_sse_space(p, end);

    if (p != end && *p == ']') {
        p++;
        goto done;
    }

    for ( ;; ) {
        p = ngx_webrtc_sse_name(ngx_webrtc_sse_space(p, end), end, &name);

        if (p == NULL) {
            return NGX_DECLINED;
        }

        for (i = 0; i < NGX_WEBRTC_SSE_EVENTS; i++) {
            if (name.len == ngx_webrtc_sse_events[i].name.len
                && ngx_memcmp(name.data, ngx_webrtc_sse_events[i].name.data,
                              name.len)
                   == 0)
            {
                break;
            }
        }

        if (i == NGX_WEBRTC_SSE_EVENTS) {
            *cause = "unknown event, known are " NGX_WEBRTC_SSE_NAMES;
            return NGX_DECLINED;
        }

        *mask |= ngx_webrtc_sse_events[i].event;

        p = ngx_webrtc_sse_space(p, end);

        if (p == end) {
            return NGX_DECLINED;
        }

        if (*p == ']') {
            p++;
            break;
        }

        if (*p++ != ',') {
            return NGX_DECLINED;
        }
    }

done:

    return ngx_webrtc_sse_space(p, end) == end ? NGX_OK : NGX_DECLINED;
}


static u_char *
ngx_webrtc_sse_space(u_char *p, u_char *end)
{
    while (p != end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
        p++;
    }

    return p;
}


/* a string; p is at its quotation mark, the result behind the closing one */

static u_char *
ngx_webrtc_sse_name(u_char *p, u_char *end, ngx_str_t *name)
{
    if (p == end || *p++ != '"') {
        return NULL;
    }

    name->data = p;

    while (p != end && *p != '"') {

        if (*p < ' ') {
            return NULL;
        }

        p++;
    }

    if (p == end) {
        return NULL;
    }

    name->len = p - name->data;

    return p + 1;
}


ngx_uint_t
ngx_webrtc_sse_next(ngx_webrtc_sse_state_t *known, ngx_uint_t live,
    ngx_int_t viewers)
{
    if (live && !known->active) {
        known->active = 1;
        known->inactive = 0;
        return NGX_WEBRTC_SSE_ACTIVE;
    }

    if (!live && known->active) {
        known->active = 0;
        known->inactive = 1;
        return NGX_WEBRTC_SSE_INACTIVE;
    }

    if (viewers >= 0
        && (!known->counted || known->viewers != (uint32_t) viewers))
    {
        known->counted = 1;
        known->viewers = (uint32_t) viewers;
        return NGX_WEBRTC_SSE_VIEWERCOUNT;
    }

    return 0;
}


/* the id: "0", "1" or "2" for nothing, active, inactive; "-" and the count */

u_char *
ngx_webrtc_sse_print(u_char *p, u_char *end, ngx_uint_t event,
    ngx_webrtc_sse_state_t *known, ngx_str_t *data)
{
    ngx_uint_t  i;

    if ((size_t) (end - p) < NGX_WEBRTC_SSE_ROOM
        || (size_t) (end - p) - NGX_WEBRTC_SSE_ROOM < data->len)
    {
        return NULL;
    }

    for (i = 0; i < NGX_WEBRTC_SSE_EVENTS; i++) {
        if (ngx_webrtc_sse_events[i].event == event) {
            p = ngx_sprintf(p, "event: %V\n", &ngx_webrtc_sse_events[i].name);
            break;
        }
    }

    p = ngx_sprintf(p, "id: %d-",
                    known->active ? 1 : known->inactive ? 2 : 0);

    if (known->counted) {
        p = ngx_sprintf(p, "%uD", known->viewers);
    }

    return ngx_sprintf(p, "\ndata: %V\n\n", data);
}


ngx_int_t
ngx_webrtc_sse_parse_name(u_char *p, u_char *end, uint32_t *name)
{
    ngx_int_t  n;

    *name = 0;

    if (end - p != NGX_WEBRTC_SSE_NAME) {
        return NGX_DECLINED;
    }

    n = ngx_hextoi(p, NGX_WEBRTC_SSE_NAME);

    if (n == NGX_ERROR || n == 0) {
        return NGX_DECLINED;
    }

    *name = (uint32_t) n;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_sse_parse_id(u_char *p, u_char *end, ngx_webrtc_sse_state_t *known)
{
    ngx_int_t  n;

    ngx_memzero(known, sizeof(ngx_webrtc_sse_state_t));

    if ((size_t) (end - p) < 2 || (size_t) (end - p) > NGX_WEBRTC_SSE_ID
        || p[0] < '0' || p[0] > '2' || p[1] != '-')
    {
        return NGX_DECLINED;
    }

    if (end - p > 2) {
        n = ngx_atoi(p + 2, end - p - 2);

        if (n == NGX_ERROR || n > NGX_MAX_INT32_VALUE) {
            return NGX_DECLINED;
        }

        known->counted = 1;
        known->viewers = (uint32_t) n;
    }

    known->active = (p[0] == '1');
    known->inactive = (p[0] == '2');

    return NGX_OK;
}
