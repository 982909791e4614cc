
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Connections of publishers over TCP: see the header.  Bytes go to the
 * protocol's engine and come from it; what may be published is decided by a
 * request (ngx_http_webrtc_ingest.h).
 */


#include "ngx_http_webrtc_ingest_tcp.h"
#include "ngx_http_webrtc_ingest_out.h"
#include "ngx_http_webrtc_ingest_publish.h"


/* bytes that are read at once; chosen: a few packets of a fast link */
#define NGX_HTTP_WEBRTC_INGEST_TCP_BUFFER    16384

/* reads in a turn of the event loop; chosen: 256 kB */
#define NGX_HTTP_WEBRTC_INGEST_TCP_READS     16

/* connections of a worker that do not publish (yet); chosen: a crowd that
 * comes back at once, with 30 kB each; 200 kB while a long description comes */
#define NGX_HTTP_WEBRTC_INGEST_TCP_PENDING   512

/* ms for a publisher to read why it was refused, and close; chosen */
#define NGX_HTTP_WEBRTC_INGEST_TCP_LINGER    2000


static void ngx_http_webrtc_ingest_tcp_first(void);
static ngx_http_webrtc_ingest_tcp_t *ngx_http_webrtc_ingest_tcp_create(
    ngx_connection_t *c,
    const ngx_http_webrtc_ingest_tcp_protocol_t *protocol);
static void ngx_http_webrtc_ingest_tcp_begin(ngx_connection_t *c);
#if (NGX_HTTP_SSL)
static void ngx_http_webrtc_ingest_tcp_handshake(
    ngx_http_webrtc_ingest_tcp_t *tc);
static void ngx_http_webrtc_ingest_tcp_secure(ngx_connection_t *c);
#endif
static u_char *ngx_http_webrtc_ingest_tcp_log(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_http_webrtc_ingest_tcp_counted(
    ngx_http_webrtc_ingest_tcp_t *tc);
static void ngx_http_webrtc_ingest_tcp_on_accepted(void *data);
static void ngx_http_webrtc_ingest_tcp_on_refused(void *data,
    ngx_str_t *reason);
static void ngx_http_webrtc_ingest_tcp_on_writable(void *data);
static void ngx_http_webrtc_ingest_tcp_on_ended(void *data,
    ngx_str_t *reason);
static void ngx_http_webrtc_ingest_tcp_read_handler(ngx_event_t *rev);
static void ngx_http_webrtc_ingest_tcp_timeout(
    ngx_http_webrtc_ingest_tcp_t *tc);
static void ngx_http_webrtc_ingest_tcp_read(ngx_http_webrtc_ingest_tcp_t *tc);
static ngx_int_t ngx_http_webrtc_ingest_tcp_recv(
    ngx_http_webrtc_ingest_tcp_t *tc);
static void ngx_http_webrtc_ingest_tcp_wait(ngx_http_webrtc_ingest_tcp_t *tc);
static void ngx_http_webrtc_ingest_tcp_pace(ngx_http_webrtc_ingest_tcp_t *tc,
    size_t n);
static void ngx_http_webrtc_ingest_tcp_paced(ngx_event_t *ev);
static ngx_int_t ngx_http_webrtc_ingest_tcp_take(
    ngx_http_webrtc_ingest_tcp_t *tc);
static void ngx_http_webrtc_ingest_tcp_request(
    ngx_http_webrtc_ingest_tcp_t *tc);
static void ngx_http_webrtc_ingest_tcp_resume(
    ngx_http_webrtc_ingest_tcp_t *tc);
static void ngx_http_webrtc_ingest_tcp_again(
    ngx_http_webrtc_ingest_tcp_t *tc);
static void ngx_http_webrtc_ingest_tcp_write_handler(ngx_event_t *wev);
static ngx_int_t ngx_http_webrtc_ingest_tcp_flush(
    ngx_http_webrtc_ingest_tcp_t *tc);
static void ngx_http_webrtc_ingest_tcp_linger(
    ngx_http_webrtc_ingest_tcp_t *tc, const char *why);
static void ngx_http_webrtc_ingest_tcp_close(ngx_http_webrtc_ingest_tcp_t *tc,
    const char *why);
static void ngx_http_webrtc_ingest_tcp_close_connection(ngx_connection_t *c);


static const ngx_http_webrtc_ingest_ops_t  ngx_http_webrtc_ingest_tcp_ops = {
    ngx_http_webrtc_ingest_tcp_on_accepted,
    ngx_http_webrtc_ingest_tcp_on_refused,
    ngx_http_webrtc_ingest_tcp_on_writable,
    ngx_http_webrtc_ingest_tcp_on_ended
};


/* of all protocols */

static ngx_uint_t   ngx_http_webrtc_ingest_tcp_pending;
static ngx_queue_t  ngx_http_webrtc_ingest_tcp_queue = {
    &ngx_http_webrtc_ingest_tcp_queue, &ngx_http_webrtc_ingest_tcp_queue
};


void
ngx_http_webrtc_ingest_tcp_accepted(ngx_connection_t *c,
    const ngx_http_webrtc_ingest_tcp_protocol_t *protocol)
{
    int                            on;
    ngx_http_webrtc_ingest_tcp_t  *tc;

    if (ngx_http_webrtc_worker == NULL || protocol == NULL) {
        ngx_http_webrtc_ingest_tcp_close_connection(c);
        return;
    }

    if (ngx_http_webrtc_ingest_tcp_pending
        >= NGX_HTTP_WEBRTC_INGEST_TCP_PENDING)
    {
        ngx_http_webrtc_ingest_tcp_first();
    }

    tc = ngx_http_webrtc_ingest_tcp_create(c, protocol);

    if (tc == NULL) {
        ngx_http_webrtc_ingest_tcp_close_connection(c);
        return;
    }

    tc->pending = 1;
    ngx_http_webrtc_ingest_tcp_pending++;
    ngx_queue_insert_tail(&ngx_http_webrtc_ingest_tcp_queue, &tc->queue);

    c->data = tc;
    c->log->connection = c->number;
    c->log->handler = ngx_http_webrtc_ingest_tcp_log;
    c->log->data = &tc->log_ctx;
    c->log->action = "serving a publisher";
    c->log_error = NGX_ERROR_INFO;
    c->idle = 1;

    on = 1;
    (void) setsockopt(c->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(int));

    ngx_add_timer(c->read, tc->conf->cscf->client_header_timeout);

#if (NGX_HTTP_SSL)

    if (tc->conf->ssl) {
        ngx_http_webrtc_ingest_tcp_handshake(tc);
        return;
    }

#endif

    ngx_http_webrtc_ingest_tcp_begin(c);
}


/* closes the one that has had most time: who only connects keeps nobody out */

static void
ngx_http_webrtc_ingest_tcp_first(void)
{
    ngx_queue_t                   *q;
    ngx_http_webrtc_ingest_tcp_t  *tc;

    q = ngx_queue_head(&ngx_http_webrtc_ingest_tcp_queue);
    tc = ngx_queue_data(q, ngx_http_webrtc_ingest_tcp_t, queue);

    ngx_log_error(NGX_LOG_INFO, tc->connection->log, 0,
                  "webrtc %s connection closed: %d others do not publish yet",
                  tc->protocol->name, NGX_HTTP_WEBRTC_INGEST_TCP_PENDING);
    ngx_http_webrtc_ingest_tcp_close(tc, "closed");
}


static ngx_http_webrtc_ingest_tcp_t *
ngx_http_webrtc_ingest_tcp_create(ngx_connection_t *c,
    const ngx_http_webrtc_ingest_tcp_protocol_t *protocol)
{
    ngx_http_webrtc_ingest_tcp_t  *tc;

    tc = ngx_pcalloc(c->pool, sizeof(ngx_http_webrtc_ingest_tcp_t));
    if (tc == NULL) {
        return NULL;
    }

    tc->buf = ngx_pnalloc(c->pool, NGX_HTTP_WEBRTC_INGEST_TCP_BUFFER);

    /* the request's addresses are the connection's */

    if (tc->buf == NULL || ngx_connection_local_sockaddr(c, NULL, 0) != NGX_OK)
    {
        return NULL;
    }

    tc->connection = c;
    tc->protocol = protocol;
    tc->conf = c->listening->servers;
    tc->pos = tc->buf;
    tc->last = tc->buf;
    tc->pace.handler = ngx_http_webrtc_ingest_tcp_paced;
    tc->pace.data = tc;
    tc->pace.log = c->log;
    tc->log_ctx.connection = c;
    tc->http.addr_conf = &tc->addr;
    tc->http.conf_ctx = tc->conf->cscf->ctx;
    tc->addr.default_server = tc->conf->cscf;

    return (protocol->init(tc) == NGX_OK) ? tc : NULL;
}


static void
ngx_http_webrtc_ingest_tcp_begin(ngx_connection_t *c)
{
    c->read->handler = ngx_http_webrtc_ingest_tcp_read_handler;
    c->write->handler = ngx_http_webrtc_ingest_tcp_write_handler;

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);
        return;
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_webrtc_ingest_tcp_close(c->data, "closed");
    }
}


#if (NGX_HTTP_SSL)

static void
ngx_http_webrtc_ingest_tcp_handshake(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ngx_connection_t  *c;

    c = tc->connection;

    if (ngx_ssl_create_connection(tc->conf->ssl, c, 0) != NGX_OK) {
        ngx_http_webrtc_ingest_tcp_close(tc, "closed");
        return;
    }

    if (ngx_ssl_handshake(c) == NGX_AGAIN) {
        c->ssl->handler = ngx_http_webrtc_ingest_tcp_secure;
        return;
    }

    ngx_http_webrtc_ingest_tcp_secure(c);
}


static void
ngx_http_webrtc_ingest_tcp_secure(ngx_connection_t *c)
{
    if (c->ssl->handshaked) {
        ngx_http_webrtc_ingest_tcp_begin(c);
        return;
    }

    if (c->read->timedout) {
        ngx_http_webrtc_ingest_tcp_timeout(c->data);
        return;
    }

    ngx_http_webrtc_ingest_tcp_close(c->data, "closed by peer");
}

#endif


static u_char *
ngx_http_webrtc_ingest_tcp_log(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_connection_t               *c;
    ngx_http_log_ctx_t             *ctx;
    ngx_http_webrtc_ingest_conf_t  *conf;

    ctx = log->data;
    c = ctx->connection;
    conf = c->listening->servers;

    return ngx_snprintf(buf, len, ", client: %V, server: %V", &c->addr_text,
                        &conf->addr.name);
}


void
ngx_http_webrtc_ingest_tcp_ask(ngx_http_webrtc_ingest_tcp_t *tc,
    const ngx_http_webrtc_ingest_ask_t *ask)
{
    tc->asks = 1;
    tc->ask = *ask;
}


ngx_int_t
ngx_http_webrtc_ingest_tcp_send(ngx_http_webrtc_ingest_tcp_t *tc,
    struct iovec *iov, ngx_uint_t niov)
{
    if (tc->in && ngx_http_webrtc_ingest_send(tc->in, iov, niov) == NGX_AGAIN)
    {
        tc->blocked = 1;
        return NGX_AGAIN;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_ingest_tcp_reads(ngx_http_webrtc_ingest_tcp_t *tc)
{
    if (tc->in == NULL || !tc->flows || tc->lingers) {
        return NGX_DECLINED;
    }

    return (tc->blocked || tc->paced) ? NGX_AGAIN : NGX_OK;
}


void
ngx_http_webrtc_ingest_tcp_beside(ngx_http_webrtc_ingest_tcp_t *tc, size_t n)
{
    ngx_http_webrtc_ingest_received(tc->in, n);
    ngx_http_webrtc_ingest_tcp_pace(tc, n);
    ngx_http_webrtc_ingest_tcp_wait(tc);
}


u_char *
ngx_http_webrtc_ingest_tcp_grow(void *ctx, u_char *old, size_t size)
{
    if (size == 0) {
        free(old);
        return NULL;
    }

    return realloc(old, size);
}


void
ngx_http_webrtc_ingest_tcp_copy(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_str_t *to, ngx_str_t *from)
{
    u_char  *p;

    p = ngx_pnalloc(tc->connection->pool, ngx_max(from->len, 1));

    if (p && from->len) {
        ngx_memcpy(p, from->data, from->len);
    }

    to->data = p;
    to->len = p ? from->len : 0;
}


/* it is none of those that do not publish any more */

static void
ngx_http_webrtc_ingest_tcp_counted(ngx_http_webrtc_ingest_tcp_t *tc)
{
    if (tc->pending) {
        tc->pending = 0;
        ngx_http_webrtc_ingest_tcp_pending--;
        ngx_queue_remove(&tc->queue);
    }
}


static void
ngx_http_webrtc_ingest_tcp_on_accepted(void *data)
{
    ngx_http_webrtc_ingest_tcp_t *tc = data;

    ngx_http_webrtc_ingest_tcp_counted(tc);

    tc->up = 1;
    tc->connection->idle = 0;
    tc->blocked = 0;

    tc->protocol->accepted(tc);

    ngx_http_webrtc_ingest_tcp_resume(tc);
}


static void
ngx_http_webrtc_ingest_tcp_on_refused(void *data, ngx_str_t *reason)
{
    ngx_http_webrtc_ingest_tcp_t *tc = data;

    ngx_int_t  rc;

    ngx_log_error(NGX_LOG_INFO, tc->connection->log, 0,
                  "webrtc %s publisher refused: %V", tc->protocol->name,
                  reason);

    rc = tc->protocol->refused(tc, reason);

    if (rc != NGX_AGAIN) {
        ngx_http_webrtc_ingest_tcp_linger(tc, "refused");
        return;
    }

    if (tc->in) {
        ngx_http_webrtc_ingest_end(tc->in, "refused");
        tc->in = NULL;
    }

    tc->blocked = 0;

    ngx_http_webrtc_ingest_tcp_resume(tc);
}


static void
ngx_http_webrtc_ingest_tcp_on_writable(void *data)
{
    ngx_http_webrtc_ingest_tcp_t *tc = data;

    tc->blocked = 0;

    ngx_http_webrtc_ingest_tcp_resume(tc);
}


static void
ngx_http_webrtc_ingest_tcp_on_ended(void *data, ngx_str_t *reason)
{
    ngx_http_webrtc_ingest_tcp_t *tc = data;

    if (tc->up) {
        tc->protocol->ended(tc, reason);

    } else {
        (void) tc->protocol->refused(tc, reason);
    }

    ngx_http_webrtc_ingest_tcp_linger(tc, "ended");
}


static void
ngx_http_webrtc_ingest_tcp_read_handler(ngx_event_t *rev)
{
    ngx_connection_t              *c;
    ngx_http_webrtc_ingest_tcp_t  *tc;

    c = rev->data;
    tc = c->data;

    if (c->close) {
        ngx_http_webrtc_ingest_tcp_close(tc, "worker shutdown timeout");
        return;
    }

    if (rev->timedout) {
        ngx_http_webrtc_ingest_tcp_timeout(tc);
        return;
    }

    ngx_http_webrtc_ingest_tcp_read(tc);
}


static void
ngx_http_webrtc_ingest_tcp_timeout(ngx_http_webrtc_ingest_tcp_t *tc)
{
    if (!tc->flows && !tc->lingers) {
        ngx_log_error(NGX_LOG_INFO, tc->connection->log, NGX_ETIMEDOUT,
                      "webrtc %s connection closed: it has not published "
                      "anything in time", tc->protocol->name);
    }

    ngx_http_webrtc_ingest_tcp_close(tc, "timeout");
}


static void
ngx_http_webrtc_ingest_tcp_read(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ngx_int_t     rc;
    ngx_uint_t    n;
    ngx_event_t  *rev;

    rev = tc->connection->read;

    for (n = 0; n < NGX_HTTP_WEBRTC_INGEST_TCP_READS; n++) {

        if (tc->lingers) {
            rc = ngx_http_webrtc_ingest_tcp_recv(tc);

        } else if (tc->blocked || tc->paced) {

#if (NGX_HAVE_EPOLLRDHUP)

            /* what it has sent before is not waited for */

            if (rev->pending_eof) {
                ngx_http_webrtc_ingest_tcp_close(tc, "closed by peer");
                return;
            }

#endif

            rc = NGX_AGAIN;

        } else {
            rc = (tc->pos < tc->last) ? NGX_OK
                                      : ngx_http_webrtc_ingest_tcp_recv(tc);

            if (rc == NGX_OK) {
                rc = ngx_http_webrtc_ingest_tcp_take(tc);
            }
        }

        if (rc == NGX_DONE) {
            /* it is closed */
            return;
        }

        if (rc == NGX_AGAIN) {

            if (ngx_handle_read_event(rev, 0) != NGX_OK) {
                ngx_http_webrtc_ingest_tcp_close(tc, "closed");
            }

            return;
        }
    }

    /* others come first */

    ngx_post_event(rev, &ngx_posted_next_events);
}


/* NGX_OK: there is something, or was, and is forgotten; NGX_DONE: closed */

static ngx_int_t
ngx_http_webrtc_ingest_tcp_recv(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = tc->connection;

    n = c->recv(c, tc->buf, NGX_HTTP_WEBRTC_INGEST_TCP_BUFFER);

    if (n == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (n <= 0) {
        ngx_http_webrtc_ingest_tcp_close(tc, "closed by peer");
        return NGX_DONE;
    }

    if (tc->lingers) {
        return NGX_OK;
    }

    tc->pos = tc->buf;
    tc->last = tc->buf + n;

    if (tc->up) {
        ngx_http_webrtc_ingest_received(tc->in, n);
        ngx_http_webrtc_ingest_tcp_pace(tc, n);
        ngx_http_webrtc_ingest_tcp_wait(tc);
    }

    return NGX_OK;
}


/* media comes: how long it may be silent */

static void
ngx_http_webrtc_ingest_tcp_wait(ngx_http_webrtc_ingest_tcp_t *tc)
{
    if (tc->flows && tc->in && tc->in->peer) {
        ngx_add_timer(tc->connection->read, tc->in->peer->policy.timeout);
    }
}


static void
ngx_http_webrtc_ingest_tcp_pace(ngx_http_webrtc_ingest_tcp_t *tc, size_t n)
{
    ngx_msec_t  wait;

    wait = ngx_http_webrtc_ingest_pace(tc->in, n);

    if (wait) {
        tc->paced = 1;
        ngx_add_timer(&tc->pace, wait);
    }
}


static void
ngx_http_webrtc_ingest_tcp_paced(ngx_event_t *ev)
{
    ngx_http_webrtc_ingest_tcp_t  *tc;

    tc = ev->data;
    tc->paced = 0;

    ngx_http_webrtc_ingest_tcp_again(tc);
}


/* NGX_OK: go on; NGX_DONE: closed */

static ngx_int_t
ngx_http_webrtc_ingest_tcp_take(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ngx_int_t   rc;
    ngx_uint_t  flows;

    flows = tc->flows;

    rc = tc->protocol->read(tc, &tc->pos, tc->last);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, tc->connection->log, 0,
                      "webrtc %s connection closed: %s", tc->protocol->name,
                      tc->cause ? tc->cause : "malformed");
        ngx_http_webrtc_ingest_tcp_close(tc, tc->protocol->invalid);
        return NGX_DONE;
    }

    if (ngx_http_webrtc_ingest_tcp_flush(tc) != NGX_OK) {
        ngx_http_webrtc_ingest_tcp_close(tc, "closed by peer");
        return NGX_DONE;
    }

    if (rc == NGX_DONE) {
        ngx_http_webrtc_ingest_tcp_linger(tc, "closed by peer");
        return NGX_OK;
    }

    if (tc->flows != flows) {
        ngx_http_webrtc_ingest_tcp_wait(tc);
    }

    if (tc->stays && tc->pending) {
        ngx_http_webrtc_ingest_tcp_counted(tc);
        ngx_del_timer(tc->connection->read);
    }

    if (tc->asks) {
        tc->asks = 0;
        tc->blocked = 1;
        ngx_http_webrtc_ingest_tcp_request(tc);
    }

    return NGX_OK;
}


static void
ngx_http_webrtc_ingest_tcp_request(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ngx_str_t          reason;
    ngx_connection_t  *c;

    c = tc->connection;

    ngx_str_set(&reason, "the server has no memory");

    if (tc->ask.uri.data && tc->ask.uri.len == 0) {
        reason.data = (u_char *) (tc->cause ? tc->cause
                                  : "the stream has no name, or one that "
                                    "leads elsewhere");
        reason.len = ngx_strlen(reason.data);
    }

    if (tc->ask.uri.len) {
        tc->in = ngx_http_webrtc_ingest_create(c,
                                         &ngx_http_webrtc_ingest_tcp_ops, tc);
    }

    if (tc->in) {
        tc->in->protocol = tc->protocol->protocol;
        tc->in->format = tc->protocol->format;

        if (ngx_http_webrtc_ingest_ask(tc->in, tc->conf, c, &tc->ask)
            == NGX_OK)
        {
            return;
        }

        ngx_http_webrtc_ingest_end(tc->in, "refused");
        tc->in = NULL;
    }

    ngx_http_webrtc_ingest_tcp_on_refused(tc, &reason);
}


/* reading goes on, with what has been read before */

static void
ngx_http_webrtc_ingest_tcp_resume(ngx_http_webrtc_ingest_tcp_t *tc)
{
    if (tc->lingers) {
        return;
    }

    if (ngx_http_webrtc_ingest_tcp_flush(tc) != NGX_OK) {
        ngx_http_webrtc_ingest_tcp_close(tc, "closed by peer");
        return;
    }

    ngx_http_webrtc_ingest_tcp_wait(tc);
    ngx_http_webrtc_ingest_tcp_again(tc);
}


static void
ngx_http_webrtc_ingest_tcp_again(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ngx_post_event(tc->connection->read, &ngx_posted_events);

    if (tc->protocol->resume) {
        tc->protocol->resume(tc);
    }
}


static void
ngx_http_webrtc_ingest_tcp_write_handler(ngx_event_t *wev)
{
    ngx_connection_t              *c;
    ngx_http_webrtc_ingest_tcp_t  *tc;

    c = wev->data;
    tc = c->data;

    if (ngx_http_webrtc_ingest_tcp_flush(tc) != NGX_OK) {
        ngx_http_webrtc_ingest_tcp_close(tc, "closed by peer");
        return;
    }

    if (tc->lingers && *tc->nout == 0) {
        (void) ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN);
    }
}


/* what it has not read stays; the dialogue ends if that becomes too much */

static ngx_int_t
ngx_http_webrtc_ingest_tcp_flush(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = tc->connection;

    while (*tc->nout) {
        n = c->send(c, tc->out, *tc->nout);

        if (n == NGX_AGAIN) {
            return ngx_handle_write_event(c->write, 0);
        }

        if (n <= 0) {
            return NGX_ERROR;
        }

        *tc->nout -= n;
        ngx_memmove(tc->out, tc->out + n, *tc->nout);
    }

    return NGX_OK;
}


/* it publishes no more, and has some time to read why */

static void
ngx_http_webrtc_ingest_tcp_linger(ngx_http_webrtc_ingest_tcp_t *tc,
    const char *why)
{
    ngx_connection_t  *c;

    c = tc->connection;

    tc->lingers = 1;
    c->idle = 1;

    if (tc->pending) {

        /* the first to make room for others */

        ngx_queue_remove(&tc->queue);
        ngx_queue_insert_head(&ngx_http_webrtc_ingest_tcp_queue, &tc->queue);
    }

    if (tc->in) {
        ngx_http_webrtc_ingest_end(tc->in, why);
        tc->in = NULL;
    }

    if (ngx_http_webrtc_ingest_tcp_flush(tc) != NGX_OK) {
        *tc->nout = 0;
    }

    if (*tc->nout == 0) {
        (void) ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN);
    }

    ngx_add_timer(c->read, NGX_HTTP_WEBRTC_INGEST_TCP_LINGER);
    ngx_post_event(c->read, &ngx_posted_events);
}


static void
ngx_http_webrtc_ingest_tcp_close(ngx_http_webrtc_ingest_tcp_t *tc,
    const char *why)
{
    if (tc->in) {
        ngx_http_webrtc_ingest_end(tc->in, why);
    }

    ngx_http_webrtc_ingest_tcp_counted(tc);

    if (tc->pace.timer_set) {
        ngx_del_timer(&tc->pace);
    }

    tc->protocol->free(tc);
    ngx_http_webrtc_ingest_tcp_close_connection(tc->connection);
}


static void
ngx_http_webrtc_ingest_tcp_close_connection(ngx_connection_t *c)
{
    ngx_pool_t  *pool;

    pool = c->pool;

#if (NGX_HTTP_SSL)

    if (c->ssl) {

        /* at once: what the peer had to know has been said */

        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;

        (void) ngx_ssl_shutdown(c);
    }

#endif

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif

    ngx_close_connection(c);
    ngx_destroy_pool(pool);
}
