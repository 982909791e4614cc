
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A subrequest whose answer is kept.  It is processed as any other, so that
 * proxy_pass, caches, njs and everything else works; the request waits for it,
 * and nothing else does.
 */


#include "ngx_http_webrtc_ask.h"
#include "ngx_http_webrtc_call.h"


static ngx_int_t ngx_http_webrtc_ask_done(ngx_http_request_t *sr, void *data,
    ngx_int_t rc);


ngx_int_t
ngx_http_webrtc_ask(ngx_http_request_t *r, ngx_str_t *uri, ngx_uint_t headers,
    ngx_http_webrtc_asked_t *asked)
{
    ngx_str_t                    escaped, args;
    ngx_uint_t                   flags;
    ngx_http_request_t          *sr;
    ngx_http_post_subrequest_t  *ps;

    ngx_memzero(asked, sizeof(ngx_http_webrtc_asked_t));

    ps = ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t));

    if (ps == NULL
        || ngx_http_webrtc_call_escape(r->pool, uri, &escaped) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_null(&args);
    flags = NGX_HTTP_LOG_UNSAFE;

    if (ngx_http_parse_unsafe_uri(r, &escaped, &args, &flags) != NGX_OK) {
        return NGX_ERROR;
    }

    ps->handler = ngx_http_webrtc_ask_done;
    ps->data = asked;

    if (ngx_http_subrequest(r, &escaped, &args, &sr, ps,
                            NGX_HTTP_SUBREQUEST_WAITED
                            |NGX_HTTP_SUBREQUEST_IN_MEMORY)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* it has no body: the request's is not read yet */

    sr->request_body = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));
    if (sr->request_body == NULL) {
        return NGX_ERROR;
    }

    if (!headers) {
        ngx_memzero(&sr->headers_in, sizeof(ngx_http_headers_in_t));

        if (ngx_list_init(&sr->headers_in.headers, r->pool, 1,
                          sizeof(ngx_table_elt_t))
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        sr->headers_in.server = r->headers_in.server;
        sr->headers_in.keep_alive_n = -1;
    }

    sr->headers_in.content_length = NULL;
    sr->headers_in.content_length_n = -1;
    sr->headers_in.chunked = 0;

    return NGX_OK;
}


/* may be called twice: with a status, and when its page has been sent */

static ngx_int_t
ngx_http_webrtc_ask_done(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
    ngx_http_webrtc_asked_t *asked = data;

    ngx_buf_t        *b;
    ngx_table_elt_t  *h;

    asked->done = 1;
    asked->status = sr->headers_out.status;

    if (asked->status == 0) {
        asked->status = (rc >= NGX_HTTP_SPECIAL_RESPONSE)
                        ? (ngx_uint_t) rc : NGX_HTTP_BAD_GATEWAY;
    }

    asked->type = sr->headers_out.content_type;

    /* what an upstream has sent is in a list only */

    h = sr->headers_out.location;

    if (h == NULL && sr->upstream) {
        h = sr->upstream->headers_in.location;
    }

    if (h) {
        asked->location = h->value;
    }

    h = sr->headers_out.www_authenticate;

    if (h == NULL && sr->upstream) {
        h = sr->upstream->headers_in.www_authenticate;
    }

    if (h) {
        asked->authenticate = h->value;
    }

    if (sr->out && sr->out->buf) {
        b = sr->out->buf;
        asked->body.data = b->pos;
        asked->body.len = b->last - b->pos;
    }

    return rc;
}
