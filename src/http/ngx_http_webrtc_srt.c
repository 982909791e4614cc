
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A connection of the gateway of an SRT port (ngx_webrtc_srt_link.h).  Either
 * it is its link, which is told how the port is configured and brings lines for
 * error_log, or it is a publisher: what may be published is decided by a
 * request (ngx_http_webrtc_ingest.h), and MPEG-TS goes to the media process as
 * it comes.
 *
 *   new --> link
 *      \--> asked --> publishes --> closed
 *               \-> refused ------------^
 *
 * Nothing is read while a publisher waits for its answer, while the media
 * process does not keep up, and when more has come than "webrtc_max_bitrate"
 * permits: it stays in the gateway, as far as its buffer goes.
 */


#include "ngx_http_webrtc_srt.h"
#include "ngx_http_webrtc_ingest.h"
#include "ngx_http_webrtc_ingest_out.h"
#include "ngx_http_webrtc_ingest_publish.h"
#include "ngx_http_webrtc_srt_gateway.h"
#include "ngx_webrtc_srt_link.h"
#include "ngx_webrtc_srt_streamid.h"


/* bytes that are read at once, at least a frame; chosen: ten of them */
#define NGX_HTTP_WEBRTC_SRT_BUFFER   16384

/* frames that are written at once */
#define NGX_HTTP_WEBRTC_SRT_FRAMES   16

/* reads in a turn of the event loop; chosen: 256 kB */
#define NGX_HTTP_WEBRTC_SRT_READS    16

/* connections of a worker that do not publish (yet); chosen: a crowd that
 * comes back at once */
#define NGX_HTTP_WEBRTC_SRT_PENDING  512


typedef struct {
    ngx_queue_t                     queue;      /* while pending */
    ngx_connection_t               *connection;
    ngx_http_webrtc_ingest_conf_t  *conf;
    ngx_http_webrtc_ingest_t       *in;         /* or NULL: not asked yet */
    ngx_event_t                     pace;       /* "webrtc_max_bitrate" */
    ngx_webrtc_srt_stat_t           stat;       /* the last one */
    size_t                          n;          /* in buf */
    unsigned                        pending:1;  /* counts */
    unsigned                        link:1;     /* the gateway's own */
    unsigned                        blocked:1;  /* nothing is read */
    unsigned                        paced:1;    /* likewise, as it was too much
                                                   */
    unsigned                        up:1;
    u_char                          buf[NGX_HTTP_WEBRTC_SRT_BUFFER];
} ngx_http_webrtc_srt_t;


static ngx_int_t ngx_http_webrtc_srt_is_gateway(ngx_connection_t *c);
static u_char *ngx_http_webrtc_srt_log(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_http_webrtc_srt_read_handler(ngx_event_t *rev);
static void ngx_http_webrtc_srt_timeout(ngx_http_webrtc_srt_t *rt);
static void ngx_http_webrtc_srt_read(ngx_http_webrtc_srt_t *rt);
static ngx_int_t ngx_http_webrtc_srt_recv(ngx_http_webrtc_srt_t *rt);
static void ngx_http_webrtc_srt_paced(ngx_event_t *ev);
static ngx_int_t ngx_http_webrtc_srt_take(ngx_http_webrtc_srt_t *rt);
static ngx_int_t ngx_http_webrtc_srt_frame(ngx_http_webrtc_srt_t *rt,
    ngx_webrtc_srt_frame_t *frame);
static ngx_int_t ngx_http_webrtc_srt_send(ngx_http_webrtc_srt_t *rt,
    struct iovec *iov, ngx_uint_t niov);
static ngx_int_t ngx_http_webrtc_srt_link(ngx_http_webrtc_srt_t *rt,
    ngx_webrtc_srt_frame_t *frame);
static ngx_int_t ngx_http_webrtc_srt_line(ngx_http_webrtc_srt_t *rt,
    ngx_webrtc_srt_frame_t *frame);
static ngx_int_t ngx_http_webrtc_srt_caller(ngx_http_webrtc_srt_t *rt,
    ngx_webrtc_srt_frame_t *frame);
static ngx_int_t ngx_http_webrtc_srt_peer(ngx_http_webrtc_srt_t *rt,
    ngx_webrtc_addr_t *addr);
static ngx_int_t ngx_http_webrtc_srt_ask(ngx_http_webrtc_srt_t *rt,
    ngx_webrtc_srt_caller_t *caller, ngx_webrtc_srt_request_t *request);
static ngx_int_t ngx_http_webrtc_srt_stat(ngx_http_webrtc_srt_t *rt,
    ngx_webrtc_srt_frame_t *frame);
static void ngx_http_webrtc_srt_on_accepted(void *data);
static void ngx_http_webrtc_srt_on_refused(void *data, ngx_str_t *reason);
static void ngx_http_webrtc_srt_on_writable(void *data);
static void ngx_http_webrtc_srt_on_ended(void *data, ngx_str_t *reason);
static void ngx_http_webrtc_srt_resume(ngx_http_webrtc_srt_t *rt);
static void ngx_http_webrtc_srt_settled(ngx_http_webrtc_srt_t *rt);
static void ngx_http_webrtc_srt_write_handler(ngx_event_t *wev);
static void ngx_http_webrtc_srt_close(ngx_http_webrtc_srt_t *rt,
    const char *why);
static void ngx_http_webrtc_srt_close_connection(ngx_connection_t *c);


static const ngx_http_webrtc_ingest_ops_t  ngx_http_webrtc_srt_ingest_ops = {
    ngx_http_webrtc_srt_on_accepted,
    ngx_http_webrtc_srt_on_refused,
    ngx_http_webrtc_srt_on_writable,
    ngx_http_webrtc_srt_on_ended
};


static ngx_uint_t   ngx_http_webrtc_srt_pending;
static ngx_queue_t  ngx_http_webrtc_srt_queue = {
    &ngx_http_webrtc_srt_queue, &ngx_http_webrtc_srt_queue
};


void
ngx_http_webrtc_srt_accepted(ngx_connection_t *c)
{
    ngx_queue_t            *q;
    ngx_http_webrtc_srt_t  *rt;

    if (ngx_http_webrtc_worker == NULL
        || ngx_http_webrtc_srt_is_gateway(c) != NGX_OK)
    {
        ngx_http_webrtc_srt_close_connection(c);
        return;
    }

    if (ngx_http_webrtc_srt_pending >= NGX_HTTP_WEBRTC_SRT_PENDING) {

        /* the one that has had most time */

        q = ngx_queue_head(&ngx_http_webrtc_srt_queue);
        rt = ngx_queue_data(q, ngx_http_webrtc_srt_t, queue);

        ngx_log_error(NGX_LOG_INFO, rt->connection->log, 0,
                      "webrtc srt publisher closed: %d others do not publish "
                      "yet", NGX_HTTP_WEBRTC_SRT_PENDING);
        ngx_http_webrtc_srt_close(rt, "closed");
    }

    rt = ngx_pcalloc(c->pool, sizeof(ngx_http_webrtc_srt_t));

    if (rt == NULL) {
        ngx_http_webrtc_srt_close_connection(c);
        return;
    }

    rt->connection = c;
    rt->conf = c->listening->servers;
    rt->pace.handler = ngx_http_webrtc_srt_paced;
    rt->pace.data = rt;
    rt->pace.log = c->log;
    rt->pending = 1;
    ngx_http_webrtc_srt_pending++;
    ngx_queue_insert_tail(&ngx_http_webrtc_srt_queue, &rt->queue);

    c->data = rt;
    c->log->connection = c->number;
    c->log->handler = ngx_http_webrtc_srt_log;
    c->log->data = rt;
    c->log->action = "serving an SRT publisher";
    c->log_error = NGX_ERROR_INFO;
    c->idle = 1;
    c->read->handler = ngx_http_webrtc_srt_read_handler;
    c->write->handler = ngx_http_webrtc_srt_write_handler;

    ngx_add_timer(c->read, rt->conf->cscf->client_header_timeout);

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);
        return;
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_webrtc_srt_close(rt, "closed");
    }
}


/* nobody else says who has come from where */

static ngx_int_t
ngx_http_webrtc_srt_is_gateway(ngx_connection_t *c)
{
    socklen_t                       len;
    struct ucred                    cred;
    ngx_http_webrtc_ingest_conf_t  *conf;

    conf = c->listening->servers;
    len = sizeof(struct ucred);

    if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0
        && cred.pid > 0
        && cred.pid == ngx_http_webrtc_srt_pid(conf->srt))
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_INFO, c->log, 0,
                  "webrtc srt connection closed: process %P is not that of %V",
                  (ngx_pid_t) cred.pid, &conf->addr.name);

    return NGX_DECLINED;
}


static u_char *
ngx_http_webrtc_srt_log(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_http_webrtc_srt_t  *rt;

    rt = log->data;

    if (rt->in == NULL) {
        return ngx_snprintf(buf, len, ", server: %V", &rt->conf->addr.name);
    }

    return ngx_snprintf(buf, len, ", client: %V, server: %V",
                        &rt->connection->addr_text, &rt->conf->addr.name);
}


static void
ngx_http_webrtc_srt_read_handler(ngx_event_t *rev)
{
    ngx_connection_t       *c;
    ngx_http_webrtc_srt_t  *rt;

    c = rev->data;
    rt = c->data;

    if (c->close) {
        ngx_http_webrtc_srt_close(rt, "worker shutdown timeout");
        return;
    }

    if (rev->timedout) {
        ngx_http_webrtc_srt_timeout(rt);
        return;
    }

    ngx_http_webrtc_srt_read(rt);
}


static void
ngx_http_webrtc_srt_timeout(ngx_http_webrtc_srt_t *rt)
{
    if (!rt->up) {
        ngx_log_error(NGX_LOG_INFO, rt->connection->log, NGX_ETIMEDOUT,
                      "webrtc srt publisher closed: it was not answered in "
                      "time");
    }

    ngx_http_webrtc_srt_close(rt, "timeout");
}


static void
ngx_http_webrtc_srt_read(ngx_http_webrtc_srt_t *rt)
{
    ngx_int_t     rc;
    ngx_uint_t    n;
    ngx_event_t  *rev;

    rev = rt->connection->read;

    for (n = 0; n < NGX_HTTP_WEBRTC_SRT_READS; n++) {

        rc = ngx_http_webrtc_srt_take(rt);

        if (rc == NGX_DONE) {
            /* it is closed */
            return;
        }

        if (rt->blocked || rt->paced) {

#if (NGX_HAVE_EPOLLRDHUP)

            /* what it has sent before is not waited for */

            if (rev->pending_eof) {
                ngx_http_webrtc_srt_close(rt, "closed by peer");
                return;
            }

#endif

        } else {
            rc = ngx_http_webrtc_srt_recv(rt);

            if (rc == NGX_DONE) {
                return;
            }

            if (rc == NGX_OK) {
                continue;
            }
        }

        if (ngx_handle_read_event(rev, 0) != NGX_OK) {
            ngx_http_webrtc_srt_close(rt, "closed");
        }

        return;
    }

    /* others come first */

    ngx_post_event(rev, &ngx_posted_next_events);
}


/* NGX_OK: there is something; NGX_DONE: closed */

static ngx_int_t
ngx_http_webrtc_srt_recv(ngx_http_webrtc_srt_t *rt)
{
    ssize_t            n;
    ngx_msec_t         wait;
    ngx_connection_t  *c;

    c = rt->connection;

    n = c->recv(c, rt->buf + rt->n, sizeof(rt->buf) - rt->n);

    if (n == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (n <= 0) {
        ngx_http_webrtc_srt_close(rt, "closed by peer");
        return NGX_DONE;
    }

    rt->n += n;

    if (rt->up && rt->in->peer) {
        ngx_http_webrtc_ingest_received(rt->in, n);
        ngx_add_timer(c->read, rt->in->peer->policy.timeout);

        wait = ngx_http_webrtc_ingest_pace(rt->in, n);

        if (wait) {
            rt->paced = 1;
            ngx_add_timer(&rt->pace, wait);
        }
    }

    return NGX_OK;
}


static void
ngx_http_webrtc_srt_paced(ngx_event_t *ev)
{
    ngx_http_webrtc_srt_t  *rt;

    rt = ev->data;
    rt->paced = 0;

    ngx_post_event(rt->connection->read, &ngx_posted_events);
}


/* NGX_OK: all that is whole has been taken; NGX_DONE: closed */

static ngx_int_t
ngx_http_webrtc_srt_take(ngx_http_webrtc_srt_t *rt)
{
    u_char                  *p, *last;
    ngx_int_t                rc;
    ngx_uint_t               n;
    struct iovec             iov[NGX_HTTP_WEBRTC_SRT_FRAMES];
    ngx_webrtc_srt_frame_t   frame;

    n = 0;
    p = rt->buf;
    last = p + rt->n;

    while (!rt->blocked) {

        rc = ngx_webrtc_srt_frame(&p, last, &frame);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc == NGX_OK && rt->up && frame.type == NGX_WEBRTC_SRT_LINK_DATA) {

            iov[n].iov_base = frame.data;
            iov[n++].iov_len = frame.len;

            if (n == NGX_HTTP_WEBRTC_SRT_FRAMES) {
                rc = ngx_http_webrtc_srt_send(rt, iov, n);
                n = 0;
            }

        } else if (rc == NGX_OK) {
            rc = ngx_http_webrtc_srt_frame(rt, &frame);
        }

        if (rc == NGX_DONE) {
            return NGX_DONE;
        }

        if (rc != NGX_OK) {
            ngx_log_error(NGX_LOG_INFO, rt->connection->log, 0,
                          "webrtc srt connection closed: malformed");
            ngx_http_webrtc_srt_close(rt, "not valid SRT");
            return NGX_DONE;
        }
    }

    if (n && ngx_http_webrtc_srt_send(rt, iov, n) != NGX_OK) {
        return NGX_DONE;
    }

    rt->n = last - p;

    if (rt->n && p != rt->buf) {
        ngx_memmove(rt->buf, p, rt->n);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_srt_send(ngx_http_webrtc_srt_t *rt, struct iovec *iov,
    ngx_uint_t niov)
{
    if (rt->in->peer) {
        /* one is counted there */
        rt->in->peer->stat.packets_in += niov - 1;
    }

    if (ngx_http_webrtc_ingest_send(rt->in, iov, niov) == NGX_AGAIN) {
        rt->blocked = 1;
    }

    /* if nobody reads it, ended() follows */

    return NGX_OK;
}


/* NGX_DECLINED: this is not the place for it */

static ngx_int_t
ngx_http_webrtc_srt_frame(ngx_http_webrtc_srt_t *rt,
    ngx_webrtc_srt_frame_t *frame)
{
    if (rt->link) {
        return (frame->type == NGX_WEBRTC_SRT_LINK_LOG)
               ? ngx_http_webrtc_srt_line(rt, frame) : NGX_DECLINED;
    }

    if (rt->up) {
        return (frame->type == NGX_WEBRTC_SRT_LINK_STAT)
               ? ngx_http_webrtc_srt_stat(rt, frame) : NGX_DECLINED;
    }

    switch (frame->type) {

    case NGX_WEBRTC_SRT_LINK_HELLO:
        return ngx_http_webrtc_srt_link(rt, frame);

    case NGX_WEBRTC_SRT_LINK_CALLER:
        return ngx_http_webrtc_srt_caller(rt, frame);

    default:
        return NGX_DECLINED;
    }
}


/* it is told, and stays until this worker is to end */

static ngx_int_t
ngx_http_webrtc_srt_link(ngx_http_webrtc_srt_t *rt,
    ngx_webrtc_srt_frame_t *frame)
{
    u_char            *p;
    u_char             buf[256];
    ngx_connection_t  *c;

    c = rt->connection;

    if (ngx_webrtc_srt_read_hello(frame) != NGX_OK) {
        return NGX_DECLINED;
    }

    p = ngx_webrtc_srt_write_config(buf, buf + sizeof(buf),
                                    &rt->conf->srt->config);

    if (p == NULL || c->send(c, buf, p - buf) != p - buf) {
        ngx_http_webrtc_srt_close(rt, "closed");
        return NGX_DONE;
    }

    rt->link = 1;
    ngx_http_webrtc_srt_settled(rt);
    ngx_del_timer(c->read);

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_srt_line(ngx_http_webrtc_srt_t *rt,
    ngx_webrtc_srt_frame_t *frame)
{
    size_t                i;
    ngx_webrtc_srt_log_t  log;

    static const ngx_uint_t  levels[] = {
        NGX_LOG_INFO, NGX_LOG_ERR, NGX_LOG_NOTICE
    };

    if (ngx_webrtc_srt_read_log(frame, &log) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (i = 0; i < log.text.len; i++) {
        if (log.text.data[i] < 0x20 || log.text.data[i] > 0x7e) {
            log.text.data[i] = '.';
        }
    }

    ngx_log_error(levels[log.level], rt->connection->log, 0, "webrtc srt %V",
                  &log.text);

    return NGX_OK;
}


/* a publisher: what it asks for is a request, with its address */

static ngx_int_t
ngx_http_webrtc_srt_caller(ngx_http_webrtc_srt_t *rt,
    ngx_webrtc_srt_frame_t *frame)
{
    ngx_str_t                 reason;
    ngx_webrtc_srt_caller_t   caller;
    ngx_webrtc_srt_request_t  request;

    if (ngx_webrtc_srt_read_caller(frame, &caller) != NGX_OK
        || ngx_http_webrtc_srt_peer(rt, &caller.addr) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    rt->blocked = 1;

    if (ngx_webrtc_srt_streamid(&caller.streamid, &request) != NGX_OK) {
        reason.data = (u_char *) request.cause;
        reason.len = ngx_strlen(request.cause);

    } else if (ngx_http_webrtc_srt_ask(rt, &caller, &request) == NGX_OK) {
        return NGX_OK;

    } else {
        ngx_str_set(&reason, "the server has no memory");
    }

    ngx_http_webrtc_srt_on_refused(rt, &reason);

    return NGX_DONE;
}


static ngx_int_t
ngx_http_webrtc_srt_peer(ngx_http_webrtc_srt_t *rt, ngx_webrtc_addr_t *addr)
{
    u_char             text[NGX_SOCKADDR_STRLEN];
    ngx_str_t          name;
    ngx_connection_t  *c;

    c = rt->connection;

    name.len = ngx_sock_ntop(&addr->u.sa, addr->len, text, NGX_SOCKADDR_STRLEN,
                             0);
    name.data = text;

    c->addr_text.data = ngx_pstrdup(c->pool, &name);
    c->sockaddr = ngx_palloc(c->pool, addr->len);

    if (c->addr_text.data == NULL || c->sockaddr == NULL) {
        return NGX_ERROR;
    }

    c->addr_text.len = name.len;

    ngx_memcpy(c->sockaddr, &addr->u, addr->len);
    c->socklen = addr->len;

    c->local_sockaddr = rt->conf->addr.sockaddr;
    c->local_socklen = rt->conf->addr.socklen;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_srt_ask(ngx_http_webrtc_srt_t *rt,
    ngx_webrtc_srt_caller_t *caller, ngx_webrtc_srt_request_t *request)
{
    u_char                         text[sizeof("libsrt/255.255.255") + 1];
    ngx_connection_t              *c;
    ngx_http_webrtc_ingest_ask_t   ask;

    c = rt->connection;

    ngx_memzero(&ask, sizeof(ngx_http_webrtc_ingest_ask_t));

    ask.uri = request->uri;
    ask.host = request->host;

    if (caller->version) {
        ask.agent.data = text;
        ask.agent.len = ngx_snprintf(text, sizeof(text), "libsrt/%uD.%uD.%uD",
                                     caller->version >> 16 & 0xff,
                                     caller->version >> 8 & 0xff,
                                     caller->version & 0xff)
                        - text;
    }

    rt->in = ngx_http_webrtc_ingest_create(c, &ngx_http_webrtc_srt_ingest_ops,
                                           rt);
    if (rt->in == NULL) {
        return NGX_ERROR;
    }

    rt->in->protocol = NGX_WEBRTC_PROTOCOL_SRT;
    rt->in->format = "mpegts";

    return ngx_http_webrtc_ingest_ask(rt->in, rt->conf, c, &ask);
}


/* of libsrt: what was asked for again had been lost */

static ngx_int_t
ngx_http_webrtc_srt_stat(ngx_http_webrtc_srt_t *rt,
    ngx_webrtc_srt_frame_t *frame)
{
    uint32_t                 lost, all;
    ngx_webrtc_srt_stat_t    stat;
    ngx_webrtc_peer_stat_t  *st;

    if (ngx_webrtc_srt_read_stat(frame, &stat) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (rt->in->peer) {
        lost = stat.asked - rt->stat.asked;
        all = stat.received - rt->stat.received;

        st = &rt->in->peer->stat;
        st->rtt_us = stat.rtt_us;
        st->nacks = stat.asked;
        st->lost_in = stat.lost;
        st->lost = all ? (uint32_t) ngx_min((uint64_t) lost * 256 / all, 256)
                       : 0;
    }

    rt->stat = stat;

    return NGX_OK;
}


static void
ngx_http_webrtc_srt_on_accepted(void *data)
{
    ngx_http_webrtc_srt_t *rt = data;

    ngx_http_webrtc_srt_settled(rt);

    rt->up = 1;
    rt->connection->idle = 0;

    ngx_http_webrtc_srt_resume(rt);
}


static void
ngx_http_webrtc_srt_on_refused(void *data, ngx_str_t *reason)
{
    ngx_http_webrtc_srt_t *rt = data;

    ngx_log_error(NGX_LOG_INFO, rt->connection->log, 0,
                  "webrtc srt publisher refused: %V", reason);

    ngx_http_webrtc_srt_close(rt, "refused");
}


static void
ngx_http_webrtc_srt_on_writable(void *data)
{
    ngx_http_webrtc_srt_resume(data);
}


/* SRT has no words for why */

static void
ngx_http_webrtc_srt_on_ended(void *data, ngx_str_t *reason)
{
    ngx_http_webrtc_srt_close(data, "ended");
}


/* reading goes on, with what has been read before */

static void
ngx_http_webrtc_srt_resume(ngx_http_webrtc_srt_t *rt)
{
    rt->blocked = 0;

    if (rt->in->peer) {
        ngx_add_timer(rt->connection->read, rt->in->peer->policy.timeout);
    }

    ngx_post_event(rt->connection->read, &ngx_posted_events);
}


static void
ngx_http_webrtc_srt_settled(ngx_http_webrtc_srt_t *rt)
{
    if (rt->pending) {
        rt->pending = 0;
        ngx_http_webrtc_srt_pending--;
        ngx_queue_remove(&rt->queue);
    }
}


static void
ngx_http_webrtc_srt_write_handler(ngx_event_t *wev)
{
    /* void: nothing more is said to the gateway */
}


static void
ngx_http_webrtc_srt_close(ngx_http_webrtc_srt_t *rt, const char *why)
{
    if (rt->in) {
        ngx_http_webrtc_ingest_end(rt->in, why);
    }

    ngx_http_webrtc_srt_settled(rt);

    if (rt->pace.timer_set) {
        ngx_del_timer(&rt->pace);
    }

    ngx_http_webrtc_srt_close_connection(rt->connection);
}


static void
ngx_http_webrtc_srt_close_connection(ngx_connection_t *c)
{
    ngx_pool_t  *pool;

    pool = c->pool;

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif

    ngx_close_connection(c);
    ngx_destroy_pool(pool);
}
