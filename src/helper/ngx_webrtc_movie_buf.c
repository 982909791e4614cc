
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Boxes of ISO/IEC 14496-12 in memory.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie_buf.h"


u_char *
ngx_webrtc_movie_buf_add(ngx_webrtc_movie_buf_t *b, size_t n)
{
    size_t   size;
    u_char  *p;

    if (b->failed) {
        return NULL;
    }

    if (n > b->size - b->len) {
        size = b->len + n + b->size / 2 + 4096;
        p = realloc(b->data, size);

        if (p == NULL) {
            b->failed = 1;
            return NULL;
        }

        b->data = p;
        b->size = size;
    }

    p = b->data + b->len;
    b->len += n;

    return p;
}


void
ngx_webrtc_movie_buf_u32(ngx_webrtc_movie_buf_t *b, uint32_t v)
{
    u_char  *p;

    p = ngx_webrtc_movie_buf_add(b, 4);

    if (p) {
        p[0] = (u_char) (v >> 24);
        p[1] = (u_char) (v >> 16);
        p[2] = (u_char) (v >> 8);
        p[3] = (u_char) v;
    }
}


size_t
ngx_webrtc_movie_buf_box(ngx_webrtc_movie_buf_t *b, const char *type)
{
    size_t   at;
    u_char  *p;

    at = b->len;
    p = ngx_webrtc_movie_buf_add(b, 8);

    if (p) {
        ngx_memcpy(p + 4, type, 4);
    }

    return at;
}


void
ngx_webrtc_movie_buf_done(ngx_webrtc_movie_buf_t *b, size_t at)
{
    size_t  n;

    if (b->failed) {
        return;
    }

    n = b->len - at;

    b->data[at] = (u_char) (n >> 24);
    b->data[at + 1] = (u_char) (n >> 16);
    b->data[at + 2] = (u_char) (n >> 8);
    b->data[at + 3] = (u_char) n;
}
