
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What WHIP, WHEP and file signalling have in common.
 *
 * RFC 9725 (WHIP), draft-ietf-wish-whep-03, RFC 9457 (problem details).
 */


#include "ngx_http_webrtc_resource.h"
#include <sys/random.h>


/* where a body grows from; chosen: offers of browsers have 2 to 8 kB */
#define NGX_HTTP_WEBRTC_BODY_START  8192

/* room for the fixed part of a problem body */
#define NGX_HTTP_WEBRTC_PROBLEM     64


static ngx_int_t ngx_http_webrtc_dispatch_session(ngx_http_request_t *r,
    ngx_str_t *id);
static ngx_int_t ngx_http_webrtc_options(ngx_http_request_t *r,
    ngx_str_t *methods);
static ngx_int_t ngx_http_webrtc_delete(ngx_http_request_t *r, ngx_str_t *id);
static void ngx_http_webrtc_body_init(ngx_http_request_t *r);
static void ngx_http_webrtc_body_read(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_body_append(ngx_http_request_t *r,
    ngx_http_webrtc_ctx_t *ctx);
static ngx_int_t ngx_http_webrtc_cors_filter(ngx_http_request_t *r);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;


static ngx_str_t  ngx_http_webrtc_problem_type =
    ngx_string("application/problem+json");

static ngx_str_t  ngx_http_webrtc_endpoint_methods =
    ngx_string("OPTIONS, GET, HEAD, POST");

static ngx_str_t  ngx_http_webrtc_session_methods =
    ngx_string("OPTIONS, GET, HEAD, DELETE");


ngx_str_t  ngx_http_webrtc_sdp_type = ngx_string("application/sdp");


ngx_int_t
ngx_http_webrtc_dispatch(ngx_http_request_t *r, ngx_http_webrtc_body_pt offer)
{
    ngx_int_t                    rc;
    ngx_str_t                    id, empty;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    if (ngx_http_webrtc_session_id(r, &id) == NGX_OK) {
        return ngx_http_webrtc_dispatch_session(r, &id);
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (r->method == NGX_HTTP_POST) {

        if (ngx_http_webrtc_content_type(r, &ngx_http_webrtc_sdp_type)
            == NGX_OK)
        {
            return ngx_http_webrtc_read_body(r, wlcf->max_sdp, offer);
        }

        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }

        return ngx_http_webrtc_problem(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                       "expected application/sdp", NULL);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_str_null(&empty);

    switch (r->method) {

    case NGX_HTTP_OPTIONS:
        return ngx_http_webrtc_options(r, &ngx_http_webrtc_endpoint_methods);

    case NGX_HTTP_GET:
        return ngx_http_webrtc_answer(r, NGX_HTTP_NO_CONTENT, NULL, &empty);

    case NGX_HTTP_HEAD:
        return ngx_http_webrtc_answer(r, NGX_HTTP_OK,
                                      &ngx_http_webrtc_sdp_type, &empty);
    }

    return ngx_http_webrtc_not_allowed(r, &ngx_http_webrtc_endpoint_methods);
}


static ngx_int_t
ngx_http_webrtc_dispatch_session(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_int_t                rc;
    ngx_str_t                empty;
    ngx_webrtc_peer_info_t   info;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_http_webrtc_options(r, &ngx_http_webrtc_session_methods);
    }

    if (r->method == NGX_HTTP_DELETE) {
        return ngx_http_webrtc_delete(r, id);
    }

    if (ngx_http_webrtc_worker == NULL
        || ngx_webrtc_peers_find_id(ngx_http_webrtc_worker->bus, id, NULL,
                                    &info)
           != NGX_OK)
    {
        return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND,
                                       "no such session", id);
    }

    if (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {
        ngx_str_null(&empty);
        return ngx_http_webrtc_answer(r, NGX_HTTP_NO_CONTENT, NULL, &empty);
    }

    return ngx_http_webrtc_not_allowed(r, &ngx_http_webrtc_session_methods);
}


ngx_int_t
ngx_http_webrtc_read_body(ngx_http_request_t *r, size_t limit,
    ngx_http_webrtc_body_pt handler)
{
    ngx_int_t               rc;
    ngx_http_webrtc_ctx_t  *ctx;

    if (r->headers_in.content_length_n > (off_t) limit) {
        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }

        return ngx_http_webrtc_problem(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                       "body too large", NULL);
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_webrtc_ctx_t));
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->handler = handler;
    ctx->limit = limit;

    ngx_http_set_ctx(r, ctx, ngx_http_webrtc_module);

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_webrtc_body_init);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_webrtc_body_init(ngx_http_request_t *r)
{
    if (r->reading_body) {
        r->read_event_handler = ngx_http_webrtc_body_read;
    }

    ngx_http_webrtc_body_read(r);
}


static void
ngx_http_webrtc_body_read(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_http_webrtc_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_webrtc_module);

    for ( ;; ) {

        rc = ngx_http_webrtc_body_append(r, ctx);

        if (rc == NGX_DECLINED) {
            r->keepalive = 0;
            ngx_http_finalize_request(r,
                ngx_http_webrtc_problem(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                        "body too large", NULL));
            return;
        }

        if (rc == NGX_ERROR) {
            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }

        if (!r->reading_body) {
            break;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            ngx_http_finalize_request(r, rc);
            return;
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            return;
        }
    }

    r->read_event_handler = ngx_http_block_reading;

    ctx->handler(r, &ctx->body);
}


/*
 * Moves what has arrived into the body.
 *
 * NGX_OK, NGX_DECLINED over the limit, NGX_ERROR without memory
 */

static ngx_int_t
ngx_http_webrtc_body_append(ngx_http_request_t *r, ngx_http_webrtc_ctx_t *ctx)
{
    size_t        n, size;
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (r->request_body == NULL) {
        return NGX_OK;
    }

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (!ngx_buf_in_memory(b)) {
            continue;
        }

        n = b->last - b->pos;

        if (n > ctx->limit - ctx->body.len) {
            return NGX_DECLINED;
        }

        if (n > ctx->size - ctx->body.len) {
            size = ngx_max(2 * ctx->size, NGX_HTTP_WEBRTC_BODY_START);
            size = ngx_max(size, ctx->body.len + n);

            p = ngx_pnalloc(r->pool, size);
            if (p == NULL) {
                return NGX_ERROR;
            }

            if (ctx->body.len) {
                ngx_memcpy(p, ctx->body.data, ctx->body.len);
            }

            ctx->body.data = p;
            ctx->size = size;
        }

        ngx_memcpy(ctx->body.data + ctx->body.len, b->pos, n);
        ctx->body.len += n;

        b->pos = b->last;
    }

    r->request_body->bufs = NULL;

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_content_type(ngx_http_request_t *r, ngx_str_t *type)
{
    u_char     *p;
    ngx_str_t  *value;

    if (r->headers_in.content_type == NULL) {
        return NGX_DECLINED;
    }

    value = &r->headers_in.content_type->value;

    if (value->len < type->len
        || ngx_strncasecmp(value->data, type->data, type->len) != 0)
    {
        return NGX_DECLINED;
    }

    for (p = value->data + type->len; p < value->data + value->len; p++) {
        if (*p == ';') {
            return NGX_OK;
        }

        if (*p != ' ' && *p != '\t') {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *title, ngx_str_t *detail)
{
    size_t     len;
    u_char    *p;
    ngx_str_t  body;

    len = NGX_HTTP_WEBRTC_PROBLEM + ngx_strlen(title);

    if (detail && detail->len) {
        len += detail->len
               + ngx_escape_json(NULL, detail->data, detail->len);
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = p;

    p = ngx_sprintf(p, "{\"title\":\"%s\",\"status\":%ui", title, status);

    if (detail && detail->len) {
        p = ngx_cpymem(p, ",\"detail\":\"", sizeof(",\"detail\":\"") - 1);
        p = (u_char *) ngx_escape_json(p, detail->data, detail->len);
        *p++ = '"';
    }

    *p++ = '}';
    *p++ = '\n';

    body.len = p - body.data;

    return ngx_http_webrtc_answer(r, status, &ngx_http_webrtc_problem_type,
                                  &body);
}


ngx_int_t
ngx_http_webrtc_answer(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *body)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    r->headers_out.status = status;
    r->headers_out.content_length_n = body->len;

    if (type) {
        r->headers_out.content_type = *type;
        r->headers_out.content_type_len = type->len;
        r->headers_out.content_type_lowcase = NULL;
    }

    if (body->len == 0) {
        r->header_only = 1;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


ngx_int_t
ngx_http_webrtc_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_retry_after(ngx_http_request_t *r, ngx_uint_t sec)
{
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%ui", sec) - value.data;

    return ngx_http_webrtc_header(r, "Retry-After", &value);
}


ngx_int_t
ngx_http_webrtc_session_id(ngx_http_request_t *r, ngx_str_t *id)
{
    return ngx_http_arg(r, (u_char *) "session", 7, id);
}


ngx_int_t
ngx_http_webrtc_session_url(ngx_http_request_t *r, u_char *id, size_t len,
    ngx_str_t *url)
{
    u_char     *p, *end;
    ngx_str_t   path;

    /*
     * The request line's URI before rewrites.  An absolute-form request has
     * its host stripped by nginx already.
     */

    path = r->main->unparsed_uri;
    end = path.data + path.len;

    p = ngx_strlchr(path.data, end, '?');
    if (p) {
        path.len = p - path.data;
    }

    p = ngx_strlchr(path.data, path.data + path.len, '#');
    if (p) {
        path.len = p - path.data;
    }

    url->data = ngx_pnalloc(r->pool,
                            path.len + sizeof("/?session=") - 1 + len);
    if (url->data == NULL) {
        return NGX_ERROR;
    }

    p = url->data;

    if (path.len == 0 || path.data[0] != '/') {
        *p++ = '/';
    }

    p = ngx_cpymem(p, path.data, path.len);
    p = ngx_cpymem(p, "?session=", sizeof("?session=") - 1);
    p = ngx_cpymem(p, id, len);

    url->len = p - url->data;

    return NGX_OK;
}


/* OPTIONS, RFC 9725, 4.2, and CORS preflights */

static ngx_int_t
ngx_http_webrtc_options(ngx_http_request_t *r, ngx_str_t *methods)
{
    ngx_str_t  body;

    if (ngx_http_webrtc_header(r, "Accept-Post", &ngx_http_webrtc_sdp_type)
        != NGX_OK
        || ngx_http_webrtc_header(r, "Access-Control-Allow-Methods", methods)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&body);

    return ngx_http_webrtc_answer(r, NGX_HTTP_OK, NULL, &body);
}


ngx_int_t
ngx_http_webrtc_not_allowed(ngx_http_request_t *r, ngx_str_t *methods)
{
    if (ngx_http_webrtc_header(r, "Allow", methods) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_ALLOWED,
                                   "method not allowed", methods);
}


/* DELETE of a session, RFC 9725, 4.2: any worker may */

static ngx_int_t
ngx_http_webrtc_delete(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_str_t  body;

    if (ngx_http_webrtc_worker == NULL
        || ngx_webrtc_worker_close(ngx_http_webrtc_worker, id) != NGX_OK)
    {
        return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND,
                                       "no such session", id);
    }

    ngx_str_null(&body);

    return ngx_http_webrtc_answer(r, NGX_HTTP_OK, NULL, &body);
}


ngx_int_t
ngx_http_webrtc_random(u_char *p, size_t n)
{
    ssize_t  got;

    while (n) {
        got = getrandom(p, n, 0);

        if (got == -1) {
            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            return NGX_ERROR;
        }

        p += got;
        n -= got;
    }

    return NGX_OK;
}


void
ngx_http_webrtc_resource_init(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_webrtc_cors_filter;
}


static ngx_int_t
ngx_http_webrtc_cors_filter(ngx_http_request_t *r)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    static ngx_str_t  expose = ngx_string("Location, ETag, Link, Retry-After, "
                                          "Accept-Patch");
    static ngx_str_t  allow = ngx_string("Authorization, Content-Type, "
                                         "If-Match");
    static ngx_str_t  age = ngx_string("86400");
    static ngx_str_t  vary = ngx_string("Origin");

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (wlcf->cors_origin.len == 0
        || (wlcf->play == NULL && wlcf->publish == NULL && !wlcf->status)
        || r != r->main)
    {
        return ngx_http_next_header_filter(r);
    }

    if (ngx_http_webrtc_header(r, "Access-Control-Allow-Origin",
                               &wlcf->cors_origin)
        != NGX_OK
        || ngx_http_webrtc_header(r, "Access-Control-Expose-Headers", &expose)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (wlcf->cors_origin.data[0] != '*'
        && ngx_http_webrtc_header(r, "Vary", &vary) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (r->method == NGX_HTTP_OPTIONS
        && (ngx_http_webrtc_header(r, "Access-Control-Allow-Headers", &allow)
            != NGX_OK
            || ngx_http_webrtc_header(r, "Access-Control-Max-Age", &age)
               != NGX_OK))
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}
