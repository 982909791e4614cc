
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a publisher of another protocol than WHIP asks for, as a URI.  The
 * contract is in the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_uri.h"


static void ngx_webrtc_uri_split(ngx_str_t *s, ngx_str_t *args);
static ngx_uint_t ngx_webrtc_uri_plain(u_char *p, u_char *last);


u_char *
ngx_webrtc_uri(u_char *buf, ngx_str_t *app, ngx_str_t *name)
{
    u_char      *p;
    ngx_str_t    part[2], args[2];
    ngx_uint_t   i;

    part[0] = *app;
    part[1] = *name;
    p = buf;

    for (i = 0; i < 2; i++) {
        ngx_webrtc_uri_split(&part[i], &args[i]);

        if (part[i].len) {
            *p++ = '/';
            p = ngx_cpymem(p, part[i].data, part[i].len);
        }
    }

    if (part[1].len == 0 || !ngx_webrtc_uri_plain(buf, p)) {
        return NULL;
    }

    for (i = 0; i < 2; i++) {
        if (args[i].len) {
            *p++ = (i && args[0].len) ? '&' : '?';
            p = ngx_cpymem(p, args[i].data, args[i].len);
        }
    }

    return p;
}


static void
ngx_webrtc_uri_split(ngx_str_t *s, ngx_str_t *args)
{
    u_char  *p, *last;

    ngx_str_null(args);

    if (s->len == 0) {
        return;
    }

    last = s->data + s->len;
    p = ngx_strlchr(s->data, last, '?');

    if (p) {
        args->data = p + 1;
        args->len = last - args->data;
        last = p;
    }

    p = s->data;

    while (p < last && *p == '/') {
        p++;
    }

    while (p < last && last[-1] == '/') {
        last--;
    }

    s->data = p;
    s->len = last - p;
}


static ngx_uint_t
ngx_webrtc_uri_plain(u_char *p, u_char *last)
{
    u_char  *part;

    for (part = p; p <= last; p++) {

        if (p == last || *p == '/') {

            if ((p - part == 1 && part[0] == '.')
                || (p - part == 2 && part[0] == '.' && part[1] == '.'))
            {
                return 0;
            }

            part = p + 1;
            continue;
        }

        if (*p == '%' && last - p > 2 && p[1] == '2'
            && ngx_strchr("eEfF", p[2]))
        {
            return 0;
        }
    }

    return 1;
}
