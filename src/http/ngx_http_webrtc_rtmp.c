
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A connection of an RTMP publisher.  The dialogue is ngx_webrtc_rtmp_server.c,
 * which takes bytes and gives bytes; what may be published is decided by a
 * request (ngx_http_webrtc_ingest.h); media goes to the media process as FLV.
 *
 *   dialogue --> asked --> publishes --> lingers --> closed
 *      |           \-> refused -----------^
 *      \-> garbage, or nothing within client_header_timeout --> closed
 *
 * Nothing is read while "publish" waits for its answer, while the media process
 * does not keep up, and when more has come than "webrtc_max_bitrate" permits:
 * TCP tells the publisher.
 */


#include "ngx_http_webrtc_rtmp.h"
#include "ngx_http_webrtc_ingest.h"
#include "ngx_http_webrtc_ingest_out.h"
#include "ngx_http_webrtc_ingest_publish.h"
#include "ngx_webrtc_rtmp_server.h"
#include "ngx_webrtc_uri.h"


/* bytes that are read at once; chosen: a few packets of a fast link */
#define NGX_HTTP_WEBRTC_RTMP_BUFFER    16384

/* reads in a turn of the event loop; chosen: 256 kB */
#define NGX_HTTP_WEBRTC_RTMP_READS     16

/* connections of a worker that do not publish (yet); chosen: a crowd that
 * comes back at once, with 30 kB each */
#define NGX_HTTP_WEBRTC_RTMP_PENDING   512

/* ms for a publisher to read why it was refused, and close; chosen */
#define NGX_HTTP_WEBRTC_RTMP_LINGER    2000


/*
 * What TLS of nginx's HTTP looks at in c->data, in its callbacks, comes first:
 * both are that.
 */
typedef struct {
    ngx_http_connection_t           http;
    ngx_http_addr_conf_t            addr;       /* of it */
    ngx_http_log_ctx_t              log_ctx;    /* likewise in c->log->data */
    ngx_queue_t                     queue;      /* while pending */
    ngx_connection_t               *connection;
    ngx_http_webrtc_ingest_conf_t  *conf;
    ngx_http_webrtc_ingest_t       *in;         /* or NULL: not asked yet */
    ngx_str_t                       app;
    ngx_str_t                       host;
    ngx_str_t                       agent;
    ngx_str_t                       uri;        /* that was asked for */
    u_char                         *pos;        /* what was read, */
    u_char                         *last;       /* and is still to be */
    ngx_event_t                     pace;       /* "webrtc_max_bitrate" */
    unsigned                        pending:1;  /* counts */
    unsigned                        asks:1;     /* uri is to be asked for */
    unsigned                        blocked:1;  /* nothing is read */
    unsigned                        paced:1;    /* likewise, as it was too much
                                                   */
    unsigned                        up:1;
    unsigned                        lingers:1;
    ngx_webrtc_rtmp_server_t        server;
    u_char                          buf[NGX_HTTP_WEBRTC_RTMP_BUFFER];
} ngx_http_webrtc_rtmp_t;


static void ngx_http_webrtc_rtmp_begin(ngx_connection_t *c);
#if (NGX_HTTP_SSL)
static void ngx_http_webrtc_rtmp_handshake(ngx_http_webrtc_rtmp_t *rt);
static void ngx_http_webrtc_rtmp_secure(ngx_connection_t *c);
#endif
static u_char *ngx_http_webrtc_rtmp_log(ngx_log_t *log, u_char *buf,
    size_t len);
static ngx_int_t ngx_http_webrtc_rtmp_connect(void *data, ngx_str_t *app,
    ngx_str_t *url, ngx_str_t *agent);
static void ngx_http_webrtc_rtmp_host(ngx_str_t *url, ngx_str_t *host);
static ngx_int_t ngx_http_webrtc_rtmp_copy(ngx_pool_t *pool, ngx_str_t *to,
    ngx_str_t *from);
static void ngx_http_webrtc_rtmp_publish(void *data, ngx_str_t *name);
static ngx_int_t ngx_http_webrtc_rtmp_media(void *data, ngx_uint_t type,
    uint32_t ms, u_char *p, size_t len);
static u_char *ngx_http_webrtc_rtmp_grow(void *data, u_char *old,
    size_t size);
static void ngx_http_webrtc_rtmp_on_accepted(void *data);
static void ngx_http_webrtc_rtmp_on_refused(void *data, ngx_str_t *reason);
static void ngx_http_webrtc_rtmp_on_writable(void *data);
static void ngx_http_webrtc_rtmp_on_ended(void *data, ngx_str_t *reason);
static void ngx_http_webrtc_rtmp_read_handler(ngx_event_t *rev);
static void ngx_http_webrtc_rtmp_timeout(ngx_http_webrtc_rtmp_t *rt);
static void ngx_http_webrtc_rtmp_read(ngx_http_webrtc_rtmp_t *rt);
static ngx_int_t ngx_http_webrtc_rtmp_recv(ngx_http_webrtc_rtmp_t *rt);
static void ngx_http_webrtc_rtmp_pace(ngx_http_webrtc_rtmp_t *rt, size_t n);
static void ngx_http_webrtc_rtmp_paced(ngx_event_t *ev);
static ngx_int_t ngx_http_webrtc_rtmp_take(ngx_http_webrtc_rtmp_t *rt);
static ngx_int_t ngx_http_webrtc_rtmp_ask(ngx_http_webrtc_rtmp_t *rt);
static void ngx_http_webrtc_rtmp_resume(ngx_http_webrtc_rtmp_t *rt);
static void ngx_http_webrtc_rtmp_write_handler(ngx_event_t *wev);
static ngx_int_t ngx_http_webrtc_rtmp_send(ngx_http_webrtc_rtmp_t *rt);
static void ngx_http_webrtc_rtmp_linger(ngx_http_webrtc_rtmp_t *rt,
    const char *why);
static void ngx_http_webrtc_rtmp_close(ngx_http_webrtc_rtmp_t *rt,
    const char *why);
static void ngx_http_webrtc_rtmp_close_connection(ngx_connection_t *c);


static const ngx_webrtc_rtmp_server_ops_t  ngx_http_webrtc_rtmp_ops = {
    ngx_http_webrtc_rtmp_connect,
    ngx_http_webrtc_rtmp_publish,
    ngx_http_webrtc_rtmp_media,
    ngx_http_webrtc_rtmp_grow
};


static const ngx_http_webrtc_ingest_ops_t  ngx_http_webrtc_rtmp_ingest_ops = {
    ngx_http_webrtc_rtmp_on_accepted,
    ngx_http_webrtc_rtmp_on_refused,
    ngx_http_webrtc_rtmp_on_writable,
    ngx_http_webrtc_rtmp_on_ended
};


static ngx_uint_t   ngx_http_webrtc_rtmp_pending;
static ngx_queue_t  ngx_http_webrtc_rtmp_queue = {
    &ngx_http_webrtc_rtmp_queue, &ngx_http_webrtc_rtmp_queue
};


void
ngx_http_webrtc_rtmp_accepted(ngx_connection_t *c)
{
    int                      on;
    ngx_queue_t             *q;
    ngx_http_webrtc_rtmp_t  *rt;

    if (ngx_http_webrtc_worker == NULL) {
        ngx_http_webrtc_rtmp_close_connection(c);
        return;
    }

    if (ngx_http_webrtc_rtmp_pending >= NGX_HTTP_WEBRTC_RTMP_PENDING) {

        /* the one that has had most time: who only connects keeps nobody out */

        q = ngx_queue_head(&ngx_http_webrtc_rtmp_queue);
        rt = ngx_queue_data(q, ngx_http_webrtc_rtmp_t, queue);

        ngx_log_error(NGX_LOG_INFO, rt->connection->log, 0,
                      "webrtc rtmp connection closed: %d others do not "
                      "publish yet", NGX_HTTP_WEBRTC_RTMP_PENDING);
        ngx_http_webrtc_rtmp_close(rt, "closed");
    }

    rt = ngx_pcalloc(c->pool, sizeof(ngx_http_webrtc_rtmp_t));

    /* the request's addresses are the connection's */

    if (rt == NULL || ngx_connection_local_sockaddr(c, NULL, 0) != NGX_OK) {
        ngx_http_webrtc_rtmp_close_connection(c);
        return;
    }

    rt->connection = c;
    rt->conf = c->listening->servers;
    rt->pos = rt->buf;
    rt->last = rt->buf;
    rt->pace.handler = ngx_http_webrtc_rtmp_paced;
    rt->pace.data = rt;
    rt->pace.log = c->log;
    rt->log_ctx.connection = c;
    rt->http.addr_conf = &rt->addr;
    rt->http.conf_ctx = rt->conf->cscf->ctx;
    rt->addr.default_server = rt->conf->cscf;
    rt->pending = 1;
    ngx_http_webrtc_rtmp_pending++;
    ngx_queue_insert_tail(&ngx_http_webrtc_rtmp_queue, &rt->queue);

    ngx_webrtc_rtmp_server_init(&rt->server, &ngx_http_webrtc_rtmp_ops, rt);

    c->data = rt;
    c->log->connection = c->number;
    c->log->handler = ngx_http_webrtc_rtmp_log;
    c->log->data = &rt->log_ctx;
    c->log->action = "serving an RTMP publisher";
    c->log_error = NGX_ERROR_INFO;
    c->idle = 1;

    on = 1;
    (void) setsockopt(c->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(int));

    ngx_add_timer(c->read, rt->conf->cscf->client_header_timeout);

#if (NGX_HTTP_SSL)

    if (rt->conf->ssl) {
        ngx_http_webrtc_rtmp_handshake(rt);
        return;
    }

#endif

    ngx_http_webrtc_rtmp_begin(c);
}


static void
ngx_http_webrtc_rtmp_begin(ngx_connection_t *c)
{
    c->read->handler = ngx_http_webrtc_rtmp_read_handler;
    c->write->handler = ngx_http_webrtc_rtmp_write_handler;

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);
        return;
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_webrtc_rtmp_close(c->data, "closed");
    }
}


#if (NGX_HTTP_SSL)

static void
ngx_http_webrtc_rtmp_handshake(ngx_http_webrtc_rtmp_t *rt)
{
    ngx_connection_t  *c;

    c = rt->connection;

    if (ngx_ssl_create_connection(rt->conf->ssl, c, 0) != NGX_OK) {
        ngx_http_webrtc_rtmp_close(rt, "closed");
        return;
    }

    if (ngx_ssl_handshake(c) == NGX_AGAIN) {
        c->ssl->handler = ngx_http_webrtc_rtmp_secure;
        return;
    }

    ngx_http_webrtc_rtmp_secure(c);
}


static void
ngx_http_webrtc_rtmp_secure(ngx_connection_t *c)
{
    if (c->ssl->handshaked) {
        ngx_http_webrtc_rtmp_begin(c);
        return;
    }

    if (c->read->timedout) {
        ngx_http_webrtc_rtmp_timeout(c->data);
        return;
    }

    ngx_http_webrtc_rtmp_close(c->data, "closed by peer");
}

#endif


static u_char *
ngx_http_webrtc_rtmp_log(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_connection_t    *c;
    ngx_http_log_ctx_t  *ctx;

    ctx = log->data;
    c = ctx->connection;

    return ngx_snprintf(buf, len, ", client: %V, server: %V", &c->addr_text,
                        &c->listening->addr_text);
}


/* of "rtmp://host:port/app"; more of it in "app" belongs to the name */

static ngx_int_t
ngx_http_webrtc_rtmp_connect(void *data, ngx_str_t *app, ngx_str_t *url,
    ngx_str_t *agent)
{
    ngx_http_webrtc_rtmp_t *rt = data;

    ngx_str_t    host, *only;
    ngx_pool_t  *pool;

    only = &rt->conf->app;

    if (only->len
        && (app->len < only->len
            || ngx_memcmp(app->data, only->data, only->len) != 0
            || (app->len > only->len && app->data[only->len] != '/'
                && app->data[only->len] != '?')))
    {
        ngx_log_error(NGX_LOG_INFO, rt->connection->log, 0,
                      "webrtc rtmp publisher refused: its application is not "
                      "\"%V\"", only);
        return NGX_DECLINED;
    }

    pool = rt->connection->pool;

    ngx_http_webrtc_rtmp_host(url, &host);

    if (ngx_http_webrtc_rtmp_copy(pool, &rt->app, app) != NGX_OK
        || ngx_http_webrtc_rtmp_copy(pool, &rt->host, &host) != NGX_OK
        || ngx_http_webrtc_rtmp_copy(pool, &rt->agent, agent) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_http_webrtc_rtmp_host(ngx_str_t *url, ngx_str_t *host)
{
    u_char  *p, *last;

    ngx_str_null(host);

    last = url->data + url->len;
    p = url->len ? ngx_strlchr(url->data, last, ':') : NULL;

    if (p == NULL || last - p < 3 || p[1] != '/' || p[2] != '/') {
        return;
    }

    host->data = p + 3;

    for (p = host->data; p < last && *p != '/' && *p != '?'; p++) { /* void */ }

    host->len = p - host->data;

    if (host->len > NGX_WEBRTC_RTMP_AGENT_MAX) {
        host->len = 0;
    }
}


static ngx_int_t
ngx_http_webrtc_rtmp_copy(ngx_pool_t *pool, ngx_str_t *to, ngx_str_t *from)
{
    to->len = from->len;
    to->data = ngx_pnalloc(pool, ngx_max(from->len, 1));

    if (to->data == NULL) {
        return NGX_ERROR;
    }

    if (from->len) {
        ngx_memcpy(to->data, from->data, from->len);
    }

    return NGX_OK;
}


/* the request is made when the dialogue has returned */

static void
ngx_http_webrtc_rtmp_publish(void *data, ngx_str_t *name)
{
    ngx_http_webrtc_rtmp_t *rt = data;

    u_char  *p;

    rt->asks = 1;
    rt->uri.len = 0;
    rt->uri.data = ngx_pnalloc(rt->connection->pool,
                               rt->app.len + name->len + 2);

    if (rt->uri.data) {
        p = ngx_webrtc_uri(rt->uri.data, &rt->app, name);
        rt->uri.len = p ? (size_t) (p - rt->uri.data) : 0;
    }
}


static ngx_int_t
ngx_http_webrtc_rtmp_media(void *data, ngx_uint_t type, uint32_t ms,
    u_char *p, size_t len)
{
    ngx_http_webrtc_rtmp_t *rt = data;

    ngx_int_t     rc;
    struct iovec  iov[3];
    u_char        tag[NGX_WEBRTC_RTMP_TAG], end[NGX_WEBRTC_RTMP_TAG_END];

    ngx_webrtc_rtmp_tag(tag, type, ms, len);
    ngx_webrtc_rtmp_tag_end(end, len);

    iov[0].iov_base = tag;
    iov[0].iov_len = sizeof(tag);
    iov[1].iov_base = p;
    iov[1].iov_len = len;
    iov[2].iov_base = end;
    iov[2].iov_len = sizeof(end);

    rc = (type == NGX_WEBRTC_RTMP_TYPE_AGGREGATE)
         ? ngx_http_webrtc_ingest_send(rt->in, &iov[1], 1)
         : ngx_http_webrtc_ingest_send(rt->in, iov, 3);

    if (rc == NGX_AGAIN) {
        rt->blocked = 1;
        return NGX_AGAIN;
    }

    return NGX_OK;
}


static u_char *
ngx_http_webrtc_rtmp_grow(void *data, u_char *old, size_t size)
{
    if (size == 0) {
        free(old);
        return NULL;
    }

    return realloc(old, size);
}


static void
ngx_http_webrtc_rtmp_on_accepted(void *data)
{
    ngx_http_webrtc_rtmp_t *rt = data;

    struct iovec  iov;
    u_char        flv[NGX_WEBRTC_RTMP_FLV];

    ngx_webrtc_rtmp_flv(flv);

    iov.iov_base = flv;
    iov.iov_len = sizeof(flv);

    (void) ngx_http_webrtc_ingest_send(rt->in, &iov, 1);

    ngx_http_webrtc_rtmp_pending--;
    ngx_queue_remove(&rt->queue);
    rt->pending = 0;
    rt->up = 1;
    rt->connection->idle = 0;

    ngx_webrtc_rtmp_server_accept(&rt->server);

    ngx_http_webrtc_rtmp_resume(rt);
}


static void
ngx_http_webrtc_rtmp_on_refused(void *data, ngx_str_t *reason)
{
    ngx_http_webrtc_rtmp_t *rt = data;

    ngx_log_error(NGX_LOG_INFO, rt->connection->log, 0,
                  "webrtc rtmp publisher refused: %V", reason);

    ngx_webrtc_rtmp_server_refuse(&rt->server, reason);
    ngx_http_webrtc_rtmp_linger(rt, "refused");
}


static void
ngx_http_webrtc_rtmp_on_writable(void *data)
{
    ngx_http_webrtc_rtmp_resume(data);
}


static void
ngx_http_webrtc_rtmp_on_ended(void *data, ngx_str_t *reason)
{
    ngx_http_webrtc_rtmp_t *rt = data;

    if (rt->up) {
        ngx_webrtc_rtmp_server_end(&rt->server, reason);

    } else {
        ngx_webrtc_rtmp_server_refuse(&rt->server, reason);
    }

    ngx_http_webrtc_rtmp_linger(rt, "ended");
}


static void
ngx_http_webrtc_rtmp_read_handler(ngx_event_t *rev)
{
    ngx_connection_t        *c;
    ngx_http_webrtc_rtmp_t  *rt;

    c = rev->data;
    rt = c->data;

    if (c->close) {
        ngx_http_webrtc_rtmp_close(rt, "worker shutdown timeout");
        return;
    }

    if (rev->timedout) {
        ngx_http_webrtc_rtmp_timeout(rt);
        return;
    }

    ngx_http_webrtc_rtmp_read(rt);
}


static void
ngx_http_webrtc_rtmp_timeout(ngx_http_webrtc_rtmp_t *rt)
{
    if (!rt->up && !rt->lingers) {
        ngx_log_error(NGX_LOG_INFO, rt->connection->log, NGX_ETIMEDOUT,
                      "webrtc rtmp connection closed: it has not published "
                      "anything in time");
    }

    ngx_http_webrtc_rtmp_close(rt, "timeout");
}


static void
ngx_http_webrtc_rtmp_read(ngx_http_webrtc_rtmp_t *rt)
{
    ngx_int_t          rc;
    ngx_uint_t         n;
    ngx_event_t       *rev;

    rev = rt->connection->read;

    for (n = 0; n < NGX_HTTP_WEBRTC_RTMP_READS; n++) {

        if (rt->lingers) {
            rc = ngx_http_webrtc_rtmp_recv(rt);

        } else if (rt->blocked || rt->paced) {

#if (NGX_HAVE_EPOLLRDHUP)

            /* what it has sent before is not waited for */

            if (rev->pending_eof) {
                ngx_http_webrtc_rtmp_close(rt, "closed by peer");
                return;
            }

#endif

            rc = NGX_AGAIN;

        } else {
            rc = (rt->pos < rt->last) ? NGX_OK : ngx_http_webrtc_rtmp_recv(rt);

            if (rc == NGX_OK) {
                rc = ngx_http_webrtc_rtmp_take(rt);
            }
        }

        if (rc == NGX_DONE) {
            /* it is closed */
            return;
        }

        if (rc == NGX_AGAIN) {

            if (ngx_handle_read_event(rev, 0) != NGX_OK) {
                ngx_http_webrtc_rtmp_close(rt, "closed");
            }

            return;
        }
    }

    /* others come first */

    ngx_post_event(rev, &ngx_posted_next_events);
}


/* NGX_OK: there is something, or was, and is forgotten; NGX_DONE: closed */

static ngx_int_t
ngx_http_webrtc_rtmp_recv(ngx_http_webrtc_rtmp_t *rt)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = rt->connection;

    n = c->recv(c, rt->buf, sizeof(rt->buf));

    if (n == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (n <= 0) {
        ngx_http_webrtc_rtmp_close(rt, "closed by peer");
        return NGX_DONE;
    }

    if (rt->lingers) {
        return NGX_OK;
    }

    rt->pos = rt->buf;
    rt->last = rt->buf + n;

    if (rt->up) {
        ngx_http_webrtc_ingest_received(rt->in, n);
        ngx_http_webrtc_rtmp_pace(rt, n);
        ngx_add_timer(c->read, rt->in->peer
                               ? rt->in->peer->policy.timeout
                               : rt->conf->cscf->client_header_timeout);
    }

    return NGX_OK;
}


static void
ngx_http_webrtc_rtmp_pace(ngx_http_webrtc_rtmp_t *rt, size_t n)
{
    ngx_msec_t  wait;

    wait = ngx_http_webrtc_ingest_pace(rt->in, n);

    if (wait) {
        rt->paced = 1;
        ngx_add_timer(&rt->pace, wait);
    }
}


static void
ngx_http_webrtc_rtmp_paced(ngx_event_t *ev)
{
    ngx_http_webrtc_rtmp_t  *rt;

    rt = ev->data;
    rt->paced = 0;

    ngx_post_event(rt->connection->read, &ngx_posted_events);
}


/* NGX_OK: go on; NGX_DONE: closed */

static ngx_int_t
ngx_http_webrtc_rtmp_take(ngx_http_webrtc_rtmp_t *rt)
{
    ngx_int_t  rc;

    rc = ngx_webrtc_rtmp_server_read(&rt->server, &rt->pos, rt->last);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, rt->connection->log, 0,
                      "webrtc rtmp connection closed: %s",
                      rt->server.cause ? rt->server.cause : "malformed");
        ngx_http_webrtc_rtmp_close(rt, "not valid RTMP");
        return NGX_DONE;
    }

    if (ngx_http_webrtc_rtmp_send(rt) != NGX_OK) {
        ngx_http_webrtc_rtmp_close(rt, "closed by peer");
        return NGX_DONE;
    }

    if (rc == NGX_DONE) {
        ngx_http_webrtc_rtmp_linger(rt, "closed by peer");
        return NGX_OK;
    }

    if (rt->asks) {
        rt->asks = 0;
        rt->blocked = 1;

        return ngx_http_webrtc_rtmp_ask(rt);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_rtmp_ask(ngx_http_webrtc_rtmp_t *rt)
{
    ngx_str_t          reason;
    ngx_connection_t  *c;

    c = rt->connection;

    ngx_str_set(&reason, "the server has no memory");

    if (rt->uri.data && rt->uri.len == 0) {
        ngx_str_set(&reason, "the stream has no name, or one that leads "
                             "elsewhere");
    }

    if (rt->uri.len) {
        rt->in = ngx_http_webrtc_ingest_create(c,
                                         &ngx_http_webrtc_rtmp_ingest_ops, rt);
    }

    if (rt->in) {
        rt->in->protocol = NGX_WEBRTC_PROTOCOL_RTMP;
        rt->in->format = "flv";

        if (ngx_http_webrtc_ingest_ask(rt->in, rt->conf, c, &rt->uri,
                                       &rt->host, &rt->agent)
            == NGX_OK)
        {
            return NGX_OK;
        }

        ngx_http_webrtc_ingest_end(rt->in, "refused");
        rt->in = NULL;
    }

    ngx_http_webrtc_rtmp_on_refused(rt, &reason);

    return NGX_OK;
}


/* reading goes on, with what has been read before */

static void
ngx_http_webrtc_rtmp_resume(ngx_http_webrtc_rtmp_t *rt)
{
    if (rt->lingers) {
        return;
    }

    rt->blocked = 0;

    if (ngx_http_webrtc_rtmp_send(rt) != NGX_OK) {
        ngx_http_webrtc_rtmp_close(rt, "closed by peer");
        return;
    }

    ngx_add_timer(rt->connection->read, rt->in->peer->policy.timeout);
    ngx_post_event(rt->connection->read, &ngx_posted_events);
}


static void
ngx_http_webrtc_rtmp_write_handler(ngx_event_t *wev)
{
    ngx_connection_t        *c;
    ngx_http_webrtc_rtmp_t  *rt;

    c = wev->data;
    rt = c->data;

    if (ngx_http_webrtc_rtmp_send(rt) != NGX_OK) {
        ngx_http_webrtc_rtmp_close(rt, "closed by peer");
        return;
    }

    if (rt->lingers && rt->server.nout == 0) {
        (void) ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN);
    }
}


/* what it has not read stays; the dialogue ends if that becomes too much */

static ngx_int_t
ngx_http_webrtc_rtmp_send(ngx_http_webrtc_rtmp_t *rt)
{
    ssize_t                    n;
    ngx_connection_t          *c;
    ngx_webrtc_rtmp_server_t  *s;

    c = rt->connection;
    s = &rt->server;

    while (s->nout) {
        n = c->send(c, s->out, s->nout);

        if (n == NGX_AGAIN) {
            return ngx_handle_write_event(c->write, 0);
        }

        if (n <= 0) {
            return NGX_ERROR;
        }

        s->nout -= n;
        ngx_memmove(s->out, s->out + n, s->nout);
    }

    return NGX_OK;
}


/* it publishes no more, and has some time to read why */

static void
ngx_http_webrtc_rtmp_linger(ngx_http_webrtc_rtmp_t *rt, const char *why)
{
    ngx_connection_t  *c;

    c = rt->connection;

    rt->lingers = 1;
    c->idle = 1;

    if (rt->in) {
        ngx_http_webrtc_ingest_end(rt->in, why);
        rt->in = NULL;
    }

    if (ngx_http_webrtc_rtmp_send(rt) != NGX_OK) {
        rt->server.nout = 0;
    }

    if (rt->server.nout == 0) {
        (void) ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN);
    }

    ngx_add_timer(c->read, NGX_HTTP_WEBRTC_RTMP_LINGER);
    ngx_post_event(c->read, &ngx_posted_events);
}


static void
ngx_http_webrtc_rtmp_close(ngx_http_webrtc_rtmp_t *rt, const char *why)
{
    if (rt->in) {
        ngx_http_webrtc_ingest_end(rt->in, why);
    }

    if (rt->pending) {
        ngx_http_webrtc_rtmp_pending--;
        ngx_queue_remove(&rt->queue);
    }

    if (rt->pace.timer_set) {
        ngx_del_timer(&rt->pace);
    }

    ngx_webrtc_rtmp_server_free(&rt->server);
    ngx_http_webrtc_rtmp_close_connection(rt->connection);
}


static void
ngx_http_webrtc_rtmp_close_connection(ngx_connection_t *c)
{
    ngx_pool_t  *pool;

    pool = c->pool;

#if (NGX_HTTP_SSL)

    if (c->ssl) {

        /* at once: what the peer had to know has been said in RTMP */

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
