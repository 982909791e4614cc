
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Requests and responses, common to all handlers: bodies, headers, problems
 * (RFC 9457).
 */


#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_url.h"
#include "ngx_http_webrtc_vars.h"
#include <sys/random.h>


/* initial size of a body; chosen: offers of browsers are 2 to 8 kB */
#define NGX_HTTP_WEBRTC_BODY_START  8192

/* room for the fixed part of a problem body */
#define NGX_HTTP_WEBRTC_PROBLEM     64


/* RFC 9110, 15.4.8; RFC 9725, 4.7: a POST is repeated as POST */
#define NGX_HTTP_WEBRTC_LOCATION    307


static ngx_uint_t ngx_http_webrtc_has_error_page(ngx_http_request_t *r,
    ngx_uint_t status);
static void ngx_http_webrtc_body_init(ngx_http_request_t *r);
static void ngx_http_webrtc_body_read(ngx_http_request_t *r);
static void ngx_http_webrtc_body_stop(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_body_restore(ngx_http_request_t *r,
    ngx_http_webrtc_ctx_t *ctx);
static ngx_int_t ngx_http_webrtc_body_append(ngx_http_request_t *r,
    ngx_http_webrtc_ctx_t *ctx);


static ngx_str_t  ngx_http_webrtc_problem_type =
    ngx_string("application/problem+json");

static ngx_str_t  ngx_http_webrtc_live_methods =
    ngx_string("OPTIONS, GET, HEAD");

static ngx_str_t  ngx_http_webrtc_endpoint_methods =
    ngx_string("OPTIONS, GET, HEAD, POST");

static ngx_str_t  ngx_http_webrtc_session_methods =
    ngx_string("OPTIONS, GET, HEAD, PATCH, DELETE");

static ngx_str_t  ngx_http_webrtc_layers_methods =
    ngx_string("OPTIONS, POST");

static ngx_str_t  ngx_http_webrtc_events_methods =
    ngx_string("OPTIONS, GET, HEAD, DELETE");


ngx_str_t  ngx_http_webrtc_sdp_type = ngx_string("application/sdp");
ngx_str_t  ngx_http_webrtc_json_type = ngx_string("application/json");

ngx_str_t  ngx_http_webrtc_frag_type =
    ngx_string("application/trickle-ice-sdpfrag");

ngx_str_t  ngx_http_webrtc_order_methods =
    ngx_string("OPTIONS, GET, HEAD, POST");


ngx_int_t
ngx_http_webrtc_result(ngx_int_t rc)
{
    switch (rc) {

    case NGX_DONE:
        /* the request ends as soon as everything is written */
        return NGX_OK;

    case NGX_AGAIN:
        /* drops the reference of the returning handler */
        return NGX_DONE;
    }

    return rc;
}


void
ngx_http_webrtc_end(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_http_finalize_request(r, ngx_http_webrtc_result(rc));
}


ngx_str_t *
ngx_http_webrtc_methods(ngx_http_request_t *r)
{
    ngx_str_t                    id, events;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (wlcf->live) {
        return &ngx_http_webrtc_live_methods;
    }

    if (ngx_http_webrtc_arg(r, "session", &id) != NGX_OK) {
        return &ngx_http_webrtc_endpoint_methods;
    }

    if (wlcf->play && ngx_http_webrtc_arg(r, "events", &events) != NGX_OK
        && ngx_http_webrtc_arg(r, "layers", &events) == NGX_OK)
    {
        return &ngx_http_webrtc_layers_methods;
    }

    if ((wlcf->play == NULL && wlcf->publish == NULL)
        || ngx_http_webrtc_arg(r, "events", &events) != NGX_OK)
    {
        return &ngx_http_webrtc_session_methods;
    }

    return events.len ? &ngx_http_webrtc_events_methods
                      : &ngx_http_webrtc_order_methods;
}


ngx_int_t
ngx_http_webrtc_elsewhere(ngx_http_request_t *r)
{
    ngx_str_t  url, body;

    r->keepalive = 0;

    if (r->http_version >= NGX_HTTP_VERSION_20) {

        /* the client would reuse the connection */

        if (ngx_http_webrtc_retry_after(r, 1) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                       "this worker is shutting down", NULL);
    }

    if (ngx_http_webrtc_url_again(r, &url) != NGX_OK
        || ngx_http_webrtc_header(r, "Location", &url) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&body);

    return ngx_http_webrtc_answer(r, NGX_HTTP_WEBRTC_LOCATION, NULL, &body);
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
        ngx_http_webrtc_body_stop(r);
        return rc;
    }

    /* nginx has taken a reference for the rest of the body */

    return NGX_AGAIN;
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
            ngx_http_webrtc_body_stop(r);
            ngx_http_webrtc_end(r,
                ngx_http_webrtc_problem(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                        "body too large", NULL));
            return;
        }

        if (rc == NGX_ERROR) {
            ngx_http_webrtc_body_stop(r);
            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }

        if (!r->reading_body) {
            break;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            ngx_http_webrtc_body_stop(r);
            ngx_http_finalize_request(r, rc);
            return;
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            return;
        }
    }

    r->read_event_handler = ngx_http_block_reading;

    if (ngx_http_webrtc_body_restore(r, ctx) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_webrtc_end(r, ctx->handler(r, &ctx->body));
}


/*
 * Discards the rest of the body.  A handler called after us by "error_page"
 * finds an empty body: what was read is incomplete, and what is still to come
 * must not be read by us, as our context is gone by then.
 */

static void
ngx_http_webrtc_body_stop(ngx_http_request_t *r)
{
    ngx_event_t  *rev;

    rev = r->connection->read;

    if (rev->timer_set) {
        ngx_del_timer(rev);
    }

    r->read_event_handler = ngx_http_block_reading;
    r->keepalive = 0;

    /* reading_body is left set, so that HTTP/2 skips the rest */

    r->request_body_no_buffering = 0;

    if (r->request_body) {
        r->request_body->bufs = NULL;
    }

    r->headers_in.content_length_n = 0;
    r->headers_in.chunked = 0;
}


/* makes the whole body available to handlers after us, by "error_page" */

static ngx_int_t
ngx_http_webrtc_body_restore(ngx_http_request_t *r, ngx_http_webrtc_ctx_t *ctx)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (r->request_body == NULL || ctx->body.len == 0) {
        return NGX_OK;
    }

    cl = ngx_alloc_chain_link(r->pool);
    b = ngx_calloc_buf(r->pool);

    if (cl == NULL || b == NULL) {
        return NGX_ERROR;
    }

    b->start = ctx->body.data;
    b->pos = b->start;
    b->last = b->start + ctx->body.len;
    b->end = b->last;
    b->temporary = 1;

    cl->buf = b;
    cl->next = NULL;

    r->request_body->bufs = cl;

    return NGX_OK;
}


/*
 * Moves what has arrived into the body.
 *
 * NGX_OK; NGX_DECLINED: over the limit; NGX_ERROR: out of memory
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

        n = (size_t) ngx_buf_size(b);

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

        if (ngx_buf_in_memory(b)) {
            ngx_memcpy(ctx->body.data + ctx->body.len, b->pos, n);
            b->pos = b->last;

        } else if (n
                   && ngx_read_file(b->file, ctx->body.data + ctx->body.len,
                                    n, b->file_pos)
                      != (ssize_t) n)
        {
            /* read by another module, with "client_body_in_file_only" */
            return NGX_ERROR;
        }

        ctx->body.len += n;
    }

    r->request_body->bufs = NULL;

    return NGX_OK;
}


ngx_uint_t
ngx_http_webrtc_is_type(ngx_http_request_t *r, ngx_str_t *type)
{
    u_char     *p;
    ngx_str_t  *value;

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    value = &r->headers_in.content_type->value;

    if (value->len < type->len
        || ngx_strncasecmp(value->data, type->data, type->len) != 0)
    {
        return 0;
    }

    for (p = value->data + type->len; p < value->data + value->len; p++) {
        if (*p == ';') {
            return 1;
        }

        if (*p != ' ' && *p != '\t') {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_webrtc_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *title, ngx_str_t *detail)
{
    size_t                   len;
    u_char                  *p, *text;
    ngx_str_t                body;
    ngx_http_webrtc_note_t  *note;

    note = ngx_http_webrtc_note(r);

    if (note) {
        note->cause.data = (u_char *) title;
        note->cause.len = ngx_strlen(title);
    }

    if (ngx_http_webrtc_has_error_page(r, status)) {
        return status;
    }

    len = NGX_HTTP_WEBRTC_PROBLEM + ngx_strlen(title);
    text = NULL;

    if (detail && detail->len) {

        text = ngx_pnalloc(r->pool, detail->len);
        if (text == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_memcpy(text, detail->data, detail->len);
        ngx_http_webrtc_utf8(text, detail->len);

        len += detail->len + ngx_escape_json(NULL, text, detail->len);
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = p;

    p = ngx_sprintf(p, "{\"title\":\"%s\",\"status\":%ui", title, status);

    if (text) {
        p = ngx_cpymem(p, ",\"detail\":\"", sizeof(",\"detail\":\"") - 1);
        p = (u_char *) ngx_escape_json(p, text, detail->len);
        *p++ = '"';
    }

    *p++ = '}';
    *p++ = '\n';

    body.len = p - body.data;

    return ngx_http_webrtc_answer(r, status, &ngx_http_webrtc_problem_type,
                                  &body);
}


void
ngx_http_webrtc_utf8(u_char *p, size_t n)
{
    u_char    *last, *start;
    uint32_t   c;

    last = p + n;

    while (p < last) {

        if (*p < 0x80) {
            p++;
            continue;
        }

        start = p;

        c = ngx_utf8_decode(&p, last - p);

        if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
            *start = '?';
            p = start + 1;
        }
    }
}


/* a body sent by the handler itself would bypass "error_page" */

static ngx_uint_t
ngx_http_webrtc_has_error_page(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_uint_t                 i;
    ngx_http_err_page_t       *page;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->error_pages == NULL
        || (r->error_page && !clcf->recursive_error_pages)
        || r->uri_changes == 0)
    {
        return 0;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {
        if (page[i].status == (ngx_int_t) status) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_webrtc_answer(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *body)
{
    r->headers_out.status = status;
    r->headers_out.content_length_n = body->len;

    /* If-Match has been checked where it matters */

    r->disable_not_modified = 1;

    if (type) {
        r->headers_out.content_type = *type;
        r->headers_out.content_type_len = type->len;
        r->headers_out.content_type_lowcase = NULL;
    }

    if (body->len == 0) {
        r->header_only = 1;
    }

    return ngx_http_webrtc_send(r, body);
}


ngx_int_t
ngx_http_webrtc_send(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    if (r->header_only) {
        return NGX_DONE;
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

    rc = ngx_http_output_filter(r, &out);

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_DONE;
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
ngx_http_webrtc_arg(ngx_http_request_t *r, const char *name, ngx_str_t *value)
{
    size_t   len;
    u_char  *p, *end, *amp;

    len = ngx_strlen(name);
    end = r->args.data + r->args.len;

    for (p = r->args.data; p < end; p = amp + 1) {

        amp = ngx_strlchr(p, end, '&');
        if (amp == NULL) {
            amp = end;
        }

        if ((size_t) (amp - p) < len || ngx_memcmp(p, name, len) != 0) {
            continue;
        }

        if ((size_t) (amp - p) == len) {
            value->data = amp;
            value->len = 0;
            return NGX_OK;
        }

        if (p[len] == '=') {
            value->data = p + len + 1;
            value->len = amp - value->data;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


void
ngx_http_webrtc_wait(ngx_http_request_t *r)
{
    ngx_event_t  *rev;

    r->main->count++;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    rev = r->connection->read;

    /*
     * A close that arrived before this is not reported again, so check now.
     * HTTP/2 and later streams are notified by their connection, and their
     * events have other handlers.
     */

    if (r->http_version < NGX_HTTP_VERSION_20
        && (rev->ready || rev->pending_eof))
    {
        ngx_post_event(rev, &ngx_posted_events);
    }
}


ngx_int_t
ngx_http_webrtc_arm(ngx_http_request_t *r, ngx_uint_t blocked)
{
    ngx_event_t               *wev;
    ngx_http_core_loc_conf_t  *clcf;

    wev = r->connection->write;

    clcf = ngx_http_get_module_loc_conf(r->main, ngx_http_core_module);

    /* with "limit_rate", the timer is in use by nginx */

    if (!wev->delayed) {

        if (blocked) {
            ngx_add_timer(wev, clcf->send_timeout);

        } else if (wev->timer_set) {
            ngx_del_timer(wev);
        }
    }

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


ngx_str_t *
ngx_http_webrtc_request_header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);
    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == len
            && ngx_memcmp(h[i].lowcase_key, name, len) == 0)
        {
            return &h[i].value;
        }
    }
}


ngx_int_t
ngx_http_webrtc_etag(ngx_http_request_t *r, u_char *etag)
{
    u_char     *p;
    ngx_str_t   value;

    value.len = NGX_WEBRTC_PEER_ETAG_LEN + 2;

    p = ngx_pnalloc(r->pool, value.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;

    *p++ = '"';
    p = ngx_cpymem(p, etag, NGX_WEBRTC_PEER_ETAG_LEN);
    *p = '"';

    return ngx_http_webrtc_header(r, "ETag", &value);
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


ngx_int_t
ngx_http_webrtc_no_session(ngx_http_request_t *r, ngx_str_t *id)
{
    return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND, "no such session",
                                   id);
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


u_char *
ngx_http_webrtc_random_hex(ngx_http_request_t *r, size_t n)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, n + n / 2);

    if (p == NULL || ngx_http_webrtc_random(p + n, n / 2) != NGX_OK) {
        return NULL;
    }

    ngx_hex_dump(p, p + n, n / 2);

    return p;
}


ngx_uint_t
ngx_http_webrtc_wants_events(ngx_http_request_t *r)
{
    ngx_str_t  *accept;

    accept = ngx_http_webrtc_request_header(r, "accept");

    return accept
           && ngx_strlcasestrn(accept->data, accept->data + accept->len,
                               (u_char *) "text/event-stream",
                               sizeof("text/event-stream") - 2)
              != NULL;
}


ngx_int_t
ngx_http_webrtc_session_link(ngx_http_request_t *r, u_char *id,
    const char *query, ngx_str_t *rel)
{
    u_char     *p;
    ngx_str_t   url, link;

    if (ngx_http_webrtc_url_session(r, id, query, &url) != NGX_OK) {
        return NGX_ERROR;
    }

    link.len = 1 + url.len + rel->len;

    p = ngx_pnalloc(r->pool, link.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    link.data = p;

    *p++ = '<';
    p = ngx_cpymem(p, url.data, url.len);
    ngx_memcpy(p, rel->data, rel->len);

    return ngx_http_webrtc_header(r, "Link", &link);
}
