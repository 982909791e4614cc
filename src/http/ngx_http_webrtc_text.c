
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A response that is composed piece by piece.
 */


#include "ngx_http_webrtc_text.h"
#include "ngx_http_webrtc_resource.h"


/* bytes of a buffer that many pieces share; chosen */
#define NGX_HTTP_WEBRTC_TEXT_BUFFER  16384


u_char *
ngx_http_webrtc_text_room(ngx_http_webrtc_text_t *t, size_t n, u_char **end)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (t->failed) {
        return NULL;
    }

    if (t->last && (size_t) (t->last->buf->end - t->last->buf->last) >= n) {
        *end = t->last->buf->last + n;
        return t->last->buf->last;
    }

    cl = ngx_alloc_chain_link(t->request->pool);
    b = ngx_create_temp_buf(t->request->pool,
                            ngx_max(n, NGX_HTTP_WEBRTC_TEXT_BUFFER));

    if (cl == NULL || b == NULL) {
        t->failed = 1;
        return NULL;
    }

    cl->buf = b;
    cl->next = NULL;

    if (t->last) {
        t->size += ngx_buf_size(t->last->buf);
        t->last->next = cl;

    } else {
        t->first = cl;
    }

    t->last = cl;

    *end = b->last + n;

    return b->last;
}


void
ngx_http_webrtc_text_add(ngx_http_webrtc_text_t *t, u_char *p)
{
    t->last->buf->last = p;
}


void
ngx_http_webrtc_text_string(ngx_http_webrtc_text_t *t, const char *s)
{
    size_t   n;
    u_char  *p, *end;

    n = ngx_strlen(s);
    p = ngx_http_webrtc_text_room(t, n, &end);

    if (p) {
        ngx_http_webrtc_text_add(t, ngx_cpymem(p, s, n));
    }
}


ngx_int_t
ngx_http_webrtc_text_send(ngx_http_webrtc_text_t *t, ngx_str_t *type)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    static ngx_str_t  cache = ngx_string("no-store");

    r = t->request;

    if (t->failed || t->last == NULL
        || ngx_http_webrtc_header(r, "Cache-Control", &cache) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    t->last->buf->last_buf = (r == r->main);
    t->last->buf->last_in_chain = 1;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = t->size + ngx_buf_size(t->last->buf);
    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = type->len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    if (r->header_only) {
        return NGX_DONE;
    }

    rc = ngx_http_output_filter(r, t->first);

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_DONE;
}


u_char *
ngx_http_webrtc_text_json(u_char *p, u_char *s, size_t n)
{
    ngx_http_webrtc_utf8(s, n);

    return (u_char *) ngx_escape_json(p, s, n);
}
