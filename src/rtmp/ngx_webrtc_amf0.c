
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * AMF 0.  The contracts are in the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_amf0.h"
#include "ngx_webrtc_cursor.h"


static u_char *ngx_webrtc_amf0_value(u_char *p, u_char *end,
    const ngx_webrtc_amf0_want_t *want, ngx_uint_t n, ngx_uint_t depth);
static u_char *ngx_webrtc_amf0_properties(u_char *p, u_char *end,
    const ngx_webrtc_amf0_want_t *want, ngx_uint_t n, ngx_uint_t depth);
static u_char *ngx_webrtc_amf0_elements(u_char *p, u_char *end,
    ngx_uint_t depth);
static void ngx_webrtc_amf0_wanted(u_char *p, u_char *end, ngx_str_t *name,
    const ngx_webrtc_amf0_want_t *want, ngx_uint_t n);
static u_char *ngx_webrtc_amf0_text(u_char *p, u_char *end, ngx_str_t *s);
static u_char *ngx_webrtc_amf0_long_text(u_char *p, u_char *end, ngx_str_t *s);


u_char *
ngx_webrtc_amf0_read_string(u_char *p, u_char *end, ngx_str_t *s)
{
    uint8_t  marker;

    p = ngx_webrtc_read_u8(p, end, &marker);

    if (p == NULL) {
        return NULL;
    }

    switch (marker) {

    case NGX_WEBRTC_AMF0_STRING:
        return ngx_webrtc_amf0_text(p, end, s);

    case NGX_WEBRTC_AMF0_LONG_STRING:
        return ngx_webrtc_amf0_long_text(p, end, s);

    default:
        return NULL;
    }
}


u_char *
ngx_webrtc_amf0_read_number(u_char *p, u_char *end, double *v)
{
    uint8_t   marker;
    uint64_t  bits;

    marker = 0;
    bits = 0;

    p = ngx_webrtc_read_u8(p, end, &marker);
    p = ngx_webrtc_read_u64(p, end, &bits);

    if (p == NULL || marker != NGX_WEBRTC_AMF0_NUMBER) {
        return NULL;
    }

    ngx_memcpy(v, &bits, sizeof(double));

    return p;
}


u_char *
ngx_webrtc_amf0_read(u_char *p, u_char *end,
    const ngx_webrtc_amf0_want_t *want, ngx_uint_t n)
{
    return ngx_webrtc_amf0_value(p, end, want, n, 0);
}


static u_char *
ngx_webrtc_amf0_value(u_char *p, u_char *end,
    const ngx_webrtc_amf0_want_t *want, ngx_uint_t n, ngx_uint_t depth)
{
    uint8_t    marker;
    ngx_str_t  text;

    p = ngx_webrtc_read_u8(p, end, &marker);

    if (p == NULL || depth > NGX_WEBRTC_AMF0_DEPTH) {
        return NULL;
    }

    switch (marker) {

    case NGX_WEBRTC_AMF0_NUMBER:
        return ngx_webrtc_skip(p, end, 8);

    case NGX_WEBRTC_AMF0_BOOLEAN:
        return ngx_webrtc_skip(p, end, 1);

    case NGX_WEBRTC_AMF0_STRING:
        return ngx_webrtc_amf0_text(p, end, &text);

    case NGX_WEBRTC_AMF0_LONG_STRING:
        return ngx_webrtc_amf0_long_text(p, end, &text);

    case NGX_WEBRTC_AMF0_NULL:
    case NGX_WEBRTC_AMF0_UNDEFINED:
        return p;

    case NGX_WEBRTC_AMF0_REFERENCE:
        return ngx_webrtc_skip(p, end, 2);

    case NGX_WEBRTC_AMF0_DATE:
        return ngx_webrtc_skip(p, end, 8 + 2);

    case NGX_WEBRTC_AMF0_ECMA_ARRAY:

        /* 2.10: a count, which encoders get wrong, then as an object */

        p = ngx_webrtc_skip(p, end, 4);
        return ngx_webrtc_amf0_properties(p, end, want, n, depth + 1);

    case NGX_WEBRTC_AMF0_OBJECT:
        return ngx_webrtc_amf0_properties(p, end, want, n, depth + 1);

    case NGX_WEBRTC_AMF0_STRICT_ARRAY:
        return ngx_webrtc_amf0_elements(p, end, depth + 1);

    default:
        return NULL;
    }
}


/* 2.5: names and values; an empty name and OBJECT_END */

static u_char *
ngx_webrtc_amf0_properties(u_char *p, u_char *end,
    const ngx_webrtc_amf0_want_t *want, ngx_uint_t n, ngx_uint_t depth)
{
    u_char     *value;
    ngx_str_t   name;

    for ( ;; ) {
        p = ngx_webrtc_amf0_text(p, end, &name);

        if (!ngx_webrtc_has(p, end, 1)) {
            return NULL;
        }

        if (*p == NGX_WEBRTC_AMF0_OBJECT_END) {
            return p + 1;
        }

        value = p;
        p = ngx_webrtc_amf0_value(p, end, NULL, 0, depth);

        if (p == NULL) {
            return NULL;
        }

        ngx_webrtc_amf0_wanted(value, p, &name, want, n);
    }
}


static void
ngx_webrtc_amf0_wanted(u_char *p, u_char *end, ngx_str_t *name,
    const ngx_webrtc_amf0_want_t *want, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (ngx_strlen(want[i].name) == name->len
            && ngx_memcmp(want[i].name, name->data, name->len) == 0)
        {
            (void) ngx_webrtc_amf0_read_string(p, end, want[i].value);
        }
    }
}


/* 2.12; each has a byte at least, so that they end with the message */

static u_char *
ngx_webrtc_amf0_elements(u_char *p, u_char *end, ngx_uint_t depth)
{
    uint32_t  n;

    p = ngx_webrtc_read_u32(p, end, &n);

    if (p == NULL) {
        return NULL;
    }

    while (n-- && p) {
        p = ngx_webrtc_amf0_value(p, end, NULL, 0, depth);
    }

    return p;
}


static u_char *
ngx_webrtc_amf0_text(u_char *p, u_char *end, ngx_str_t *s)
{
    uint16_t  n;

    n = 0;
    p = ngx_webrtc_read_u16(p, end, &n);
    s->len = n;

    return ngx_webrtc_read_mem(p, end, n, &s->data);
}


static u_char *
ngx_webrtc_amf0_long_text(u_char *p, u_char *end, ngx_str_t *s)
{
    uint32_t  n;

    n = 0;
    p = ngx_webrtc_read_u32(p, end, &n);
    s->len = n;

    return ngx_webrtc_read_mem(p, end, n, &s->data);
}


u_char *
ngx_webrtc_amf0_write_string(u_char *p, u_char *end, ngx_str_t *s)
{
    size_t  n;

    n = ngx_min(s->len, 65535);

    p = ngx_webrtc_write_u8(p, end, NGX_WEBRTC_AMF0_STRING);
    p = ngx_webrtc_write_u16(p, end, (uint16_t) n);

    return ngx_webrtc_write_mem(p, end, s->data, n);
}


u_char *
ngx_webrtc_amf0_write_number(u_char *p, u_char *end, double v)
{
    uint64_t  bits;

    ngx_memcpy(&bits, &v, sizeof(double));

    p = ngx_webrtc_write_u8(p, end, NGX_WEBRTC_AMF0_NUMBER);

    return ngx_webrtc_write_u64(p, end, bits);
}


u_char *
ngx_webrtc_amf0_write_marker(u_char *p, u_char *end, uint8_t marker)
{
    return ngx_webrtc_write_u8(p, end, marker);
}


u_char *
ngx_webrtc_amf0_write_property(u_char *p, u_char *end, const char *name,
    ngx_str_t *value)
{
    size_t  n;

    n = ngx_strlen(name);

    p = ngx_webrtc_write_u16(p, end, (uint16_t) n);
    p = ngx_webrtc_write_mem(p, end, name, n);

    return ngx_webrtc_amf0_write_string(p, end, value);
}


u_char *
ngx_webrtc_amf0_write_end(u_char *p, u_char *end)
{
    p = ngx_webrtc_write_u16(p, end, 0);

    return ngx_webrtc_write_u8(p, end, NGX_WEBRTC_AMF0_OBJECT_END);
}
