
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The header Accept.  RFC 9110, 12.5.1.
 */


#include "ngx_http_webrtc_accept.h"
#include "ngx_http_webrtc_resource.h"


static ngx_int_t ngx_http_webrtc_accept_weight(u_char *p, u_char *end);


ngx_uint_t
ngx_http_webrtc_accepts(ngx_http_request_t *r, ngx_str_t *name)
{
    u_char     *p, *end;
    ngx_int_t   weight;
    ngx_str_t  *accept, type;

    accept = ngx_http_webrtc_request_header(r, "accept");

    if (accept == NULL) {
        return 0;
    }

    p = accept->data;
    end = p + accept->len;

    while (p < end) {
        p = ngx_http_webrtc_accept_range(p, end, &type, &weight);

        if (weight && type.len == name->len
            && ngx_strncasecmp(type.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


u_char *
ngx_http_webrtc_accept_range(u_char *p, u_char *end, ngx_str_t *type,
    ngx_int_t *weight)
{
    u_char  *last, *semi;

    last = ngx_strlchr(p, end, ',');
    if (last == NULL) {
        last = end;
    }

    semi = ngx_strlchr(p, last, ';');

    type->data = p;
    type->len = (semi ? semi : last) - p;

    while (type->len && (type->data[0] == ' ' || type->data[0] == '\t')) {
        type->data++;
        type->len--;
    }

    while (type->len && (type->data[type->len - 1] == ' '
                         || type->data[type->len - 1] == '\t'))
    {
        type->len--;
    }

    *weight = type->len ? NGX_HTTP_WEBRTC_ACCEPT_ONE : 0;

    for (p = semi; p; p = ngx_strlchr(p, last, ';')) {

        p++;

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if (last - p >= 2 && (*p | 0x20) == 'q' && p[1] == '=') {
            *weight = ngx_http_webrtc_accept_weight(p + 2, last);
        }
    }

    return (last == end) ? end : last + 1;
}


/* "0.8" is 800; 0 if malformed */

static ngx_int_t
ngx_http_webrtc_accept_weight(u_char *p, u_char *end)
{
    ngx_int_t  weight, unit;

    if (p == end || (*p != '0' && *p != '1')) {
        return 0;
    }

    weight = (*p++ - '0') * NGX_HTTP_WEBRTC_ACCEPT_ONE;

    if (p < end && *p == '.') {
        p++;

        for (unit = 100; p < end && unit && *p >= '0' && *p <= '9'; p++) {
            weight += (*p - '0') * unit;
            unit /= 10;
        }
    }

    return ngx_min(weight, NGX_HTTP_WEBRTC_ACCEPT_ONE);
}
