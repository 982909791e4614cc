
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A connection of the gateway of an SRT port (ngx_webrtc_srt_link.h): a row of
 * ngx_http_webrtc_ingest_tcp.h.  Either it is its link, which is told how the
 * port is configured, brings lines for error_log, and stays until this worker
 * is to end; or it is a publisher, whose MPEG-TS goes to the media process as
 * it comes.  What is not read stays in the gateway, as far as its buffer goes.
 */


#include "ngx_http_webrtc_srt.h"
#include "ngx_http_webrtc_ingest_tcp.h"
#include "ngx_http_webrtc_srt_gateway.h"
#include "ngx_webrtc_srt_link.h"
#include "ngx_webrtc_srt_streamid.h"


/* frames that are written at once */
#define NGX_HTTP_WEBRTC_SRT_FRAMES   16

/* bytes that the gateway is told: its configuration, or that it may */
#define NGX_HTTP_WEBRTC_SRT_OUT      256


typedef struct {
    ngx_webrtc_srt_stat_t   stat;       /* the last one */
    ngx_uint_t              link;       /* it is the gateway's own */
    size_t                  nout;
    u_char                  out[NGX_HTTP_WEBRTC_SRT_OUT];

    ngx_uint_t              niov;       /* of frames in what is read now */
    struct iovec            iov[NGX_HTTP_WEBRTC_SRT_FRAMES];

    size_t                  nheld;      /* of a frame whose end is to come */
    u_char                  held[NGX_WEBRTC_SRT_LINK_HEAD
                                 + NGX_WEBRTC_SRT_LINK_FRAME];
} ngx_http_webrtc_srt_t;


static ngx_int_t ngx_http_webrtc_srt_is_gateway(ngx_connection_t *c);
static ngx_int_t ngx_http_webrtc_srt_init(ngx_http_webrtc_ingest_tcp_t *tc);
static ngx_int_t ngx_http_webrtc_srt_read(ngx_http_webrtc_ingest_tcp_t *tc,
    u_char **p, u_char *last);
static ngx_int_t ngx_http_webrtc_srt_rest(ngx_http_webrtc_ingest_tcp_t *tc,
    u_char **p, u_char *last);
static ngx_int_t ngx_http_webrtc_srt_send(ngx_http_webrtc_ingest_tcp_t *tc);
static ngx_int_t ngx_http_webrtc_srt_frame(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_webrtc_srt_frame_t *frame);
static ngx_int_t ngx_http_webrtc_srt_link(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_webrtc_srt_frame_t *frame);
static ngx_int_t ngx_http_webrtc_srt_line(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_webrtc_srt_frame_t *frame);
static ngx_int_t ngx_http_webrtc_srt_caller(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_webrtc_srt_frame_t *frame);
static ngx_int_t ngx_http_webrtc_srt_peer(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_webrtc_addr_t *addr);
static void ngx_http_webrtc_srt_agent(ngx_http_webrtc_ingest_tcp_t *tc,
    uint32_t version, ngx_str_t *agent);
static ngx_int_t ngx_http_webrtc_srt_stat(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_webrtc_srt_frame_t *frame);
static void ngx_http_webrtc_srt_on_accepted(ngx_http_webrtc_ingest_tcp_t *tc);
static ngx_int_t ngx_http_webrtc_srt_on_refused(
    ngx_http_webrtc_ingest_tcp_t *tc, ngx_str_t *reason);
static void ngx_http_webrtc_srt_on_ended(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_str_t *reason);
static void ngx_http_webrtc_srt_free(ngx_http_webrtc_ingest_tcp_t *tc);


static const ngx_http_webrtc_ingest_tcp_protocol_t  ngx_http_webrtc_srt = {
    "srt",
    "not valid SRT",
    "mpegts",
    NGX_WEBRTC_PROTOCOL_SRT,
    ngx_http_webrtc_srt_init,
    ngx_http_webrtc_srt_read,
    ngx_http_webrtc_srt_on_accepted,
    ngx_http_webrtc_srt_on_refused,
    ngx_http_webrtc_srt_on_ended,
    ngx_http_webrtc_srt_free,
    NULL
};


void
ngx_http_webrtc_srt_accepted(ngx_connection_t *c)
{
    ngx_http_webrtc_ingest_tcp_accepted(c,
                                        (ngx_http_webrtc_srt_is_gateway(c)
                                         == NGX_OK)
                                        ? &ngx_http_webrtc_srt : NULL);
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
    ngx_memzero(&cred, sizeof(struct ucred));

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


static ngx_int_t
ngx_http_webrtc_srt_init(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ngx_http_webrtc_srt_t  *rt;

    rt = ngx_pcalloc(tc->connection->pool, sizeof(ngx_http_webrtc_srt_t));
    if (rt == NULL) {
        return NGX_ERROR;
    }

    tc->data = rt;
    tc->out = rt->out;
    tc->nout = &rt->nout;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_srt_read(ngx_http_webrtc_ingest_tcp_t *tc, u_char **p,
    u_char *last)
{
    u_char                  *pos;
    ngx_int_t                rc;
    ngx_http_webrtc_srt_t   *rt;
    ngx_webrtc_srt_frame_t   frame;

    rt = tc->data;
    rc = NGX_OK;

    while (rc == NGX_OK && *p < last) {

        if (rt->nheld) {
            rc = ngx_http_webrtc_srt_rest(tc, p, last);
            continue;
        }

        pos = *p;
        rc = ngx_webrtc_srt_frame(&pos, last, &frame);

        if (rc == NGX_AGAIN) {

            /* shorter than a frame */

            rt->nheld = last - *p;
            ngx_memcpy(rt->held, *p, rt->nheld);
            *p = last;

            return ngx_http_webrtc_srt_send(tc);
        }

        if (rc == NGX_OK) {
            *p = pos;
            rc = ngx_http_webrtc_srt_frame(tc, &frame);
        }
    }

    return (rc == NGX_OK) ? ngx_http_webrtc_srt_send(tc) : rc;
}


/* of the frame that is held: NGX_OK, too, if there is not all of it yet */

static ngx_int_t
ngx_http_webrtc_srt_rest(ngx_http_webrtc_ingest_tcp_t *tc, u_char **p,
    u_char *last)
{
    size_t                   n;
    u_char                  *pos;
    ngx_int_t                rc;
    ngx_http_webrtc_srt_t   *rt;
    ngx_webrtc_srt_frame_t   frame;

    rt = tc->data;

    if (rt->nheld < NGX_WEBRTC_SRT_LINK_HEAD) {
        n = NGX_WEBRTC_SRT_LINK_HEAD - rt->nheld;

    } else {
        n = NGX_WEBRTC_SRT_LINK_HEAD + (rt->held[2] << 8 | rt->held[3])
            - rt->nheld;
    }

    n = ngx_min(n, (size_t) (last - *p));

    ngx_memcpy(rt->held + rt->nheld, *p, n);
    rt->nheld += n;
    *p += n;

    pos = rt->held;
    rc = ngx_webrtc_srt_frame(&pos, rt->held + rt->nheld, &frame);

    if (rc != NGX_OK) {
        return (rc == NGX_AGAIN) ? NGX_OK : rc;
    }

    rt->nheld = 0;

    rc = ngx_http_webrtc_srt_frame(tc, &frame);

    /* its place may be needed for another one */

    return (rc == NGX_OK) ? ngx_http_webrtc_srt_send(tc) : rc;
}


static ngx_int_t
ngx_http_webrtc_srt_send(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ngx_uint_t              n;
    ngx_http_webrtc_srt_t  *rt;

    rt = tc->data;
    n = rt->niov;
    rt->niov = 0;

    if (n == 0) {
        return NGX_OK;
    }

    if (tc->in && tc->in->peer) {
        /* one is counted by the other */
        tc->in->peer->stat.packets_in += n - 1;
    }

    return ngx_http_webrtc_ingest_tcp_send(tc, rt->iov, n);
}


/* NGX_DECLINED: this is not the place for it */

static ngx_int_t
ngx_http_webrtc_srt_frame(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_webrtc_srt_frame_t *frame)
{
    ngx_http_webrtc_srt_t  *rt;

    rt = tc->data;

    if (rt->link) {
        return (frame->type == NGX_WEBRTC_SRT_LINK_LOG)
               ? ngx_http_webrtc_srt_line(tc, frame) : NGX_DECLINED;
    }

    switch (frame->type) {

    case NGX_WEBRTC_SRT_LINK_DATA:

        if (!tc->flows) {
            return NGX_DECLINED;
        }

        rt->iov[rt->niov].iov_base = frame->data;
        rt->iov[rt->niov++].iov_len = frame->len;

        return (rt->niov == NGX_HTTP_WEBRTC_SRT_FRAMES)
               ? ngx_http_webrtc_srt_send(tc) : NGX_OK;

    case NGX_WEBRTC_SRT_LINK_STAT:
        return tc->flows ? ngx_http_webrtc_srt_stat(tc, frame) : NGX_DECLINED;

    case NGX_WEBRTC_SRT_LINK_HELLO:
        return tc->flows ? NGX_DECLINED : ngx_http_webrtc_srt_link(tc, frame);

    case NGX_WEBRTC_SRT_LINK_CALLER:
        return tc->flows ? NGX_DECLINED : ngx_http_webrtc_srt_caller(tc, frame);

    default:
        return NGX_DECLINED;
    }
}


static ngx_int_t
ngx_http_webrtc_srt_link(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_webrtc_srt_frame_t *frame)
{
    u_char                 *p;
    ngx_http_webrtc_srt_t  *rt;

    rt = tc->data;

    if (ngx_webrtc_srt_read_hello(frame) != NGX_OK) {
        tc->cause = "it is of another version";
        return NGX_DECLINED;
    }

    p = ngx_webrtc_srt_write_config(rt->out, rt->out + sizeof(rt->out),
                                    &tc->conf->srt->config);
    if (p == NULL) {
        return NGX_DECLINED;
    }

    rt->nout = p - rt->out;
    rt->link = 1;
    tc->stays = 1;

    ngx_log_error(NGX_LOG_INFO, tc->connection->log, 0,
                  "webrtc srt process is configured");

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_srt_line(ngx_http_webrtc_ingest_tcp_t *tc,
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

    ngx_log_error(levels[log.level], tc->connection->log, 0, "webrtc srt %V",
                  &log.text);

    return NGX_OK;
}


/* a publisher: what it asks for is a request, with its address */

static ngx_int_t
ngx_http_webrtc_srt_caller(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_webrtc_srt_frame_t *frame)
{
    ngx_webrtc_srt_caller_t        caller;
    ngx_webrtc_srt_request_t       request;
    ngx_http_webrtc_ingest_ask_t   ask;

    if (ngx_webrtc_srt_read_caller(frame, &caller) != NGX_OK
        || ngx_http_webrtc_srt_peer(tc, &caller.addr) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_memzero(&ask, sizeof(ngx_http_webrtc_ingest_ask_t));

    if (ngx_webrtc_srt_streamid(&caller.streamid, &request) != NGX_OK) {
        tc->cause = request.cause;
        ngx_str_set(&ask.uri, "");

    } else {
        ngx_http_webrtc_ingest_tcp_copy(tc, &ask.uri, &request.uri);
        ngx_http_webrtc_ingest_tcp_copy(tc, &ask.host, &request.host);
        ngx_http_webrtc_srt_agent(tc, caller.version, &ask.agent);
    }

    ngx_http_webrtc_ingest_tcp_ask(tc, &ask);

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_webrtc_srt_peer(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_webrtc_addr_t *addr)
{
    u_char             text[NGX_SOCKADDR_STRLEN];
    ngx_str_t          name;
    ngx_connection_t  *c;

    c = tc->connection;

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

    c->local_sockaddr = tc->conf->addr.sockaddr;
    c->local_socklen = tc->conf->addr.socklen;

    return NGX_OK;
}


static void
ngx_http_webrtc_srt_agent(ngx_http_webrtc_ingest_tcp_t *tc, uint32_t version,
    ngx_str_t *agent)
{
    u_char      text[sizeof("libsrt/255.255.255")];
    ngx_str_t   name;

    if (version == 0) {
        return;
    }

    name.data = text;
    name.len = ngx_snprintf(text, sizeof(text), "libsrt/%uD.%uD.%uD",
                            version >> 16 & 0xff, version >> 8 & 0xff,
                            version & 0xff)
               - text;

    ngx_http_webrtc_ingest_tcp_copy(tc, agent, &name);
}


/* of libsrt: what was asked for again had been lost */

static ngx_int_t
ngx_http_webrtc_srt_stat(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_webrtc_srt_frame_t *frame)
{
    uint32_t                 lost, all;
    ngx_webrtc_srt_stat_t    stat;
    ngx_http_webrtc_srt_t   *rt;
    ngx_webrtc_peer_stat_t  *st;

    rt = tc->data;

    if (ngx_webrtc_srt_read_stat(frame, &stat) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (tc->in && tc->in->peer) {
        lost = stat.asked - rt->stat.asked;
        all = stat.received - rt->stat.received;

        st = &tc->in->peer->stat;
        st->rtt_us = stat.rtt_us;
        st->nacks = stat.asked;
        st->lost_in = stat.lost;
        st->lost = all ? (uint32_t) ngx_min((uint64_t) lost * 256 / all, 256)
                       : 0;
    }

    rt->stat = stat;

    return NGX_OK;
}


/* it counts as one that waits no more */

static void
ngx_http_webrtc_srt_on_accepted(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ngx_http_webrtc_srt_t  *rt;

    rt = tc->data;

    rt->nout = ngx_webrtc_srt_write_head(rt->out, NGX_WEBRTC_SRT_LINK_UP, 0)
               - rt->out;
    tc->flows = 1;
}


/* SRT has no words for that, and for why: it is closed */

static ngx_int_t
ngx_http_webrtc_srt_on_refused(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_str_t *reason)
{
    return NGX_OK;
}


static void
ngx_http_webrtc_srt_on_ended(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_str_t *reason)
{
    /* void */
}


static void
ngx_http_webrtc_srt_free(ngx_http_webrtc_ingest_tcp_t *tc)
{
    /* void: it is of the connection's pool */
}
