
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Datagrams over a connection: RFC 4571, 2.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_framing.h>


ngx_int_t
ngx_webrtc_framing_next(ngx_webrtc_framing_t *f, u_char **p, u_char *end,
    u_char **frame, size_t *n)
{
    size_t  len;

    for ( ;; ) {

        if (f->skip) {
            len = ngx_min(f->skip, (size_t) (end - *p));

            *p += len;
            f->skip -= len;
        }

        if (NGX_WEBRTC_FRAMING_HEADER > (size_t) (end - *p)) {
            return NGX_AGAIN;
        }

        len = (size_t) (*p)[0] << 8 | (*p)[1];

        if (len == 0) {
            *p += NGX_WEBRTC_FRAMING_HEADER;
            continue;
        }

        if (len > f->max) {
            f->skip = NGX_WEBRTC_FRAMING_HEADER + len;
            f->cut++;
            continue;
        }

        if (len > (size_t) (end - *p) - NGX_WEBRTC_FRAMING_HEADER) {
            return NGX_AGAIN;
        }

        *frame = *p + NGX_WEBRTC_FRAMING_HEADER;
        *n = len;
        *p = *frame + len;

        return NGX_OK;
    }
}


void
ngx_webrtc_framing_write(u_char *p, size_t n)
{
    p[0] = (u_char) (n >> 8);
    p[1] = (u_char) n;
}
