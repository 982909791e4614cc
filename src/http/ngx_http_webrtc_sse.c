
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Server-sent events: the writer.
 *
 * All event streams of a worker share one timer, which runs while there are
 * any.  It is not cancelable: a worker that is shutting down waits for the next
 * tick, when it ends its event streams; the clients reconnect to another
 * worker.
 *
 * An idle client costs its request and one buffer.  Nothing is queued: news()
 * is called only once everything sent before has been written, so that nothing
 * piles up for a client that does not read.  Such a client is disconnected
 * after "send_timeout", as usual in nginx.
 *
 * WHATWG HTML, 9.2.
 */


#include "ngx_http_webrtc_sse.h"
#include "ngx_http_webrtc_resource.h"


/* ms; chosen: maximum delay of an event */
#define NGX_HTTP_WEBRTC_SSE_TICK       250

/* ms between comments: proxies close silent connections after 60 s or so */
#define NGX_HTTP_WEBRTC_SSE_HEARTBEAT  15000

/* initial bytes of a buffer; chosen: a few short events */
#define NGX_HTTP_WEBRTC_SSE_BUFFER     512


static ngx_int_t ngx_http_webrtc_sse_header(ngx_http_request_t *r);
static void ngx_http_webrtc_sse_timer_handler(ngx_event_t *ev);
static void ngx_http_webrtc_sse_run(ngx_http_webrtc_sse_t *sse);
static ngx_int_t ngx_http_webrtc_sse_send(ngx_http_webrtc_sse_t *sse);
static ngx_int_t ngx_http_webrtc_sse_add(ngx_http_webrtc_sse_t *sse,
    const char *text);
static ngx_uint_t ngx_http_webrtc_sse_blocked(ngx_http_webrtc_sse_t *sse);
static void ngx_http_webrtc_sse_writer(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_sse_last(ngx_http_webrtc_sse_t *sse);
static void ngx_http_webrtc_sse_cleanup(void *data);


/* ms after which EventSource reconnects */
static const char  ngx_http_webrtc_sse_retry[] = "retry: 1000\n\n";

static ngx_event_t       ngx_http_webrtc_sse_timer;
static ngx_connection_t  ngx_http_webrtc_sse_dummy;    /* the timer's, logs */
static ngx_queue_t       ngx_http_webrtc_sse_all = {
    &ngx_http_webrtc_sse_all, &ngx_http_webrtc_sse_all
};


ngx_http_webrtc_sse_t *
ngx_http_webrtc_sse_create(ngx_http_request_t *r,
    const ngx_http_webrtc_sse_kind_t *kind, uint64_t key, size_t size)
{
    ngx_http_cleanup_t     *cln;
    ngx_http_webrtc_sse_t  *sse;

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_webrtc_sse_t));
    if (cln == NULL) {
        return NULL;
    }

    sse = cln->data;
    ngx_memzero(sse, sizeof(ngx_http_webrtc_sse_t));

    sse->data = ngx_pcalloc(r->pool, size);
    sse->buf = ngx_create_temp_buf(r->pool, NGX_HTTP_WEBRTC_SSE_BUFFER);

    if (sse->data == NULL || sse->buf == NULL) {
        return NULL;
    }

    sse->kind = kind;
    sse->key = key;
    sse->request = r;

    sse->buf->flush = 1;
    sse->buf->tag = (ngx_buf_tag_t) &ngx_http_webrtc_module;

    cln->handler = ngx_http_webrtc_sse_cleanup;

    return sse;
}


ngx_int_t
ngx_http_webrtc_sse_start(ngx_http_webrtc_sse_t *sse)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = sse->request;

    rc = ngx_http_webrtc_sse_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    if (r->header_only) {
        return NGX_DONE;
    }

    sse->time = ngx_current_msec;
    sse->listed = 1;

    ngx_queue_insert_tail(&ngx_http_webrtc_sse_all, &sse->queue);

    if (!ngx_http_webrtc_sse_timer.timer_set) {
        ngx_http_webrtc_sse_timer.handler = ngx_http_webrtc_sse_timer_handler;
        ngx_http_webrtc_sse_timer.data = &ngx_http_webrtc_sse_dummy;
        ngx_http_webrtc_sse_dummy.fd = (ngx_socket_t) -1;
        ngx_http_webrtc_sse_timer.log = ngx_cycle->log;

        ngx_add_timer(&ngx_http_webrtc_sse_timer, NGX_HTTP_WEBRTC_SSE_TICK);
    }

    if (ngx_http_webrtc_sse_add(sse, ngx_http_webrtc_sse_retry) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_webrtc_sse_send(sse);

    if (rc == NGX_DONE) {
        return ngx_http_webrtc_sse_last(sse) == NGX_ERROR ? NGX_ERROR
                                                          : NGX_DONE;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    /* open until its end, or until the client disconnects */

    ngx_http_webrtc_wait(r);
    r->write_event_handler = ngx_http_webrtc_sse_writer;

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_webrtc_sse_header(ngx_http_request_t *r)
{
    static ngx_str_t  type = ngx_string("text/event-stream");
    static ngx_str_t  cache = ngx_string("no-store");
    static ngx_str_t  buffering = ngx_string("no");

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = -1;
    r->headers_out.content_type = type;
    r->headers_out.content_type_len = type.len;
    r->headers_out.content_type_lowcase = NULL;

    r->disable_not_modified = 1;

    /* X-Accel-Buffering is for an nginx in front of us, which would buffer */

    if (ngx_http_webrtc_header(r, "Cache-Control", &cache) != NGX_OK
        || ngx_http_webrtc_header(r, "X-Accel-Buffering", &buffering)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_send_header(r);
}


ngx_buf_t *
ngx_http_webrtc_sse_room(ngx_http_webrtc_sse_t *sse, size_t n)
{
    u_char     *p;
    size_t      used, size;
    ngx_buf_t  *b;

    b = sse->buf;

    if ((size_t) (b->end - b->last) >= n) {
        return b;
    }

    /* the buffer is not in use by filters while it is being filled */

    used = b->last - b->start;
    size = ngx_max(2 * (size_t) (b->end - b->start), used + n);

    p = ngx_pnalloc(sse->request->pool, size);
    if (p == NULL) {
        return NULL;
    }

    ngx_memcpy(p, b->start, used);
    (void) ngx_pfree(sse->request->pool, b->start);

    b->start = p;
    b->pos = p;
    b->last = p + used;
    b->end = p + size;

    return b;
}


static ngx_int_t
ngx_http_webrtc_sse_add(ngx_http_webrtc_sse_t *sse, const char *text)
{
    size_t      n;
    ngx_buf_t  *b;

    n = ngx_strlen(text);

    b = ngx_http_webrtc_sse_room(sse, n);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->last = ngx_cpymem(b->last, text, n);

    return NGX_OK;
}


ngx_http_webrtc_sse_t *
ngx_http_webrtc_sse_find(const ngx_http_webrtc_sse_kind_t *kind, uint64_t key,
    ngx_uint_t *n)
{
    ngx_uint_t              found;
    ngx_queue_t            *q;
    ngx_http_webrtc_sse_t  *sse, *first;

    first = NULL;
    found = 0;

    for (q = ngx_queue_head(&ngx_http_webrtc_sse_all);
         q != ngx_queue_sentinel(&ngx_http_webrtc_sse_all);
         q = ngx_queue_next(q))
    {
        sse = ngx_queue_data(q, ngx_http_webrtc_sse_t, queue);

        if (sse->kind != kind || sse->key != key) {
            continue;
        }

        if (found++ == 0) {
            first = sse;
        }
    }

    if (n) {
        *n = found;
    }

    return first;
}


static void
ngx_http_webrtc_sse_timer_handler(ngx_event_t *ev)
{
    ngx_queue_t             todo, *q;
    ngx_http_webrtc_sse_t  *sse;

    if (ngx_exiting) {
        ngx_http_webrtc_sse_done();
        return;
    }

    if (ngx_queue_empty(&ngx_http_webrtc_sse_all)) {
        return;
    }

    /*
     * Serving one client may end others, such as those on the same HTTP/2
     * connection, so a pointer to the next one cannot be kept.
     */

    ngx_queue_init(&todo);
    ngx_queue_add(&todo, &ngx_http_webrtc_sse_all);
    ngx_queue_init(&ngx_http_webrtc_sse_all);

    while (!ngx_queue_empty(&todo)) {
        q = ngx_queue_head(&todo);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&ngx_http_webrtc_sse_all, q);

        sse = ngx_queue_data(q, ngx_http_webrtc_sse_t, queue);

        ngx_http_webrtc_sse_run(sse);
    }

    if (!ngx_queue_empty(&ngx_http_webrtc_sse_all) && !ev->timer_set) {
        ngx_add_timer(ev, NGX_HTTP_WEBRTC_SSE_TICK);
    }
}


static void
ngx_http_webrtc_sse_run(ngx_http_webrtc_sse_t *sse)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = sse->request;
    c = r->connection;

    rc = ngx_http_webrtc_sse_send(sse);

    if (rc == NGX_OK) {
        return;
    }

    ngx_http_finalize_request(r, rc == NGX_DONE ? ngx_http_webrtc_sse_last(sse)
                                                : NGX_ERROR);
    ngx_http_run_posted_requests(c);
}


/*
 * Sends news unless the client has not read all that was sent before; the write
 * handler calls it again then.
 *
 * NGX_OK; NGX_DONE: the response ends here; NGX_ERROR: to finalize the request
 * with
 */

static ngx_int_t
ngx_http_webrtc_sse_send(ngx_http_webrtc_sse_t *sse)
{
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_chain_t          out;
    ngx_http_request_t  *r;

    r = sse->request;

    if (sse->sending) {

        if (ngx_http_webrtc_sse_blocked(sse)) {
            return NGX_OK;
        }

        sse->buf->pos = sse->buf->start;
        sse->buf->last = sse->buf->start;
    }

    rc = sse->kind->news(sse);

    if (rc != NGX_OK && rc != NGX_DONE) {
        return NGX_ERROR;
    }

    b = sse->buf;

    if (b->last == b->pos && rc == NGX_OK
        && ngx_current_msec - sse->time >= NGX_HTTP_WEBRTC_SSE_HEARTBEAT
        && ngx_http_webrtc_sse_add(sse, ":\n\n") != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (b->last == b->pos) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    sse->sending = 1;
    sse->time = ngx_current_msec;

    if (ngx_http_output_filter(r, &out) == NGX_ERROR || r->connection->error
        || ngx_http_webrtc_arm(sse->request, ngx_http_webrtc_sse_blocked(sse))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return rc;
}


static ngx_uint_t
ngx_http_webrtc_sse_blocked(ngx_http_webrtc_sse_t *sse)
{
    return sse->buf->pos != sse->buf->last
           || sse->request->buffered
           || sse->request->connection->buffered;
}


/* write handler: the client can take more, or has timed out */

static void
ngx_http_webrtc_sse_writer(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_connection_t       *c;
    ngx_http_cleanup_t     *cln;
    ngx_http_webrtc_sse_t  *sse;

    c = r->connection;

    for (cln = r->main->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_webrtc_sse_cleanup) {
            break;
        }
    }

    if (cln == NULL) {
        return;
    }

    sse = cln->data;

    if (c->write->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT, "client timed out");
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if ((ngx_http_webrtc_sse_blocked(sse)
         && ngx_http_output_filter(r, NULL) == NGX_ERROR)
        || c->error
        || ngx_http_webrtc_arm(sse->request, ngx_http_webrtc_sse_blocked(sse))
           != NGX_OK)
    {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    rc = ngx_http_webrtc_sse_send(sse);

    if (rc != NGX_OK) {
        ngx_http_finalize_request(r, rc == NGX_DONE
                                     ? ngx_http_webrtc_sse_last(sse)
                                     : NGX_ERROR);
    }
}


void
ngx_http_webrtc_sse_end(ngx_http_webrtc_sse_t *sse)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = sse->request;
    c = r->connection;

    if (ngx_http_webrtc_sse_blocked(sse)) {
        ngx_http_webrtc_sse_cleanup(sse);
        rc = NGX_ERROR;

    } else {
        rc = ngx_http_webrtc_sse_last(sse);
    }

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


void
ngx_http_webrtc_sse_done(void)
{
    ngx_queue_t            *q;
    ngx_http_webrtc_sse_t  *sse;

    while (!ngx_queue_empty(&ngx_http_webrtc_sse_all)) {
        q = ngx_queue_head(&ngx_http_webrtc_sse_all);
        sse = ngx_queue_data(q, ngx_http_webrtc_sse_t, queue);

        ngx_http_webrtc_sse_end(sse);
    }
}


/* ends the response; unsent data is written by nginx */

static ngx_int_t
ngx_http_webrtc_sse_last(ngx_http_webrtc_sse_t *sse)
{
    ngx_http_webrtc_sse_cleanup(sse);

    return ngx_http_send_special(sse->request, NGX_HTTP_LAST);
}


static void
ngx_http_webrtc_sse_cleanup(void *data)
{
    ngx_http_webrtc_sse_t *sse = data;

    if (sse->listed) {
        ngx_queue_remove(&sse->queue);
        sse->listed = 0;
    }

    if (sse->kind && sse->kind->closed) {
        sse->kind->closed(sse);
    }

    /* call it only once */

    sse->kind = NULL;

    if (ngx_queue_empty(&ngx_http_webrtc_sse_all)
        && ngx_http_webrtc_sse_timer.timer_set)
    {
        ngx_del_timer(&ngx_http_webrtc_sse_timer);
    }
}
