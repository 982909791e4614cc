
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTMP for connections of publishers (ngx_http_webrtc_ingest_tcp.h).  The
 * dialogue is ngx_webrtc_rtmp_server.c, which takes bytes and gives bytes;
 * media goes to the media process as FLV.
 */


#include "ngx_http_webrtc_rtmp.h"
#include "ngx_http_webrtc_ingest_tcp.h"
#include "ngx_webrtc_rtmp_server.h"
#include "ngx_webrtc_uri.h"


typedef struct {
    ngx_http_webrtc_ingest_tcp_t  *tc;
    ngx_str_t                      app;
    ngx_http_webrtc_ingest_ask_t   ask;
    ngx_webrtc_rtmp_server_t       server;
} ngx_http_webrtc_rtmp_t;


static ngx_int_t ngx_http_webrtc_rtmp_init(ngx_http_webrtc_ingest_tcp_t *tc);
static ngx_int_t ngx_http_webrtc_rtmp_read(ngx_http_webrtc_ingest_tcp_t *tc,
    u_char **p, u_char *last);
static void ngx_http_webrtc_rtmp_accept(ngx_http_webrtc_ingest_tcp_t *tc);
static ngx_int_t ngx_http_webrtc_rtmp_refuse(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_str_t *reason);
static void ngx_http_webrtc_rtmp_end(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_str_t *reason);
static void ngx_http_webrtc_rtmp_free(ngx_http_webrtc_ingest_tcp_t *tc);
static ngx_int_t ngx_http_webrtc_rtmp_connect(void *data, ngx_str_t *app,
    ngx_str_t *url, ngx_str_t *agent);
static void ngx_http_webrtc_rtmp_host(ngx_str_t *url, ngx_str_t *host);
static void ngx_http_webrtc_rtmp_publish(void *data, ngx_str_t *name);
static ngx_int_t ngx_http_webrtc_rtmp_media(void *data, ngx_uint_t type,
    uint32_t ms, u_char *p, size_t len);


static const ngx_webrtc_rtmp_server_ops_t  ngx_http_webrtc_rtmp_ops = {
    ngx_http_webrtc_rtmp_connect,
    ngx_http_webrtc_rtmp_publish,
    ngx_http_webrtc_rtmp_media,
    ngx_http_webrtc_ingest_tcp_grow
};


static const ngx_http_webrtc_ingest_tcp_protocol_t  ngx_http_webrtc_rtmp = {
    "rtmp",
    "not valid RTMP",
    "flv",
    NGX_WEBRTC_PROTOCOL_RTMP,
    ngx_http_webrtc_rtmp_init,
    ngx_http_webrtc_rtmp_read,
    ngx_http_webrtc_rtmp_accept,
    ngx_http_webrtc_rtmp_refuse,
    ngx_http_webrtc_rtmp_end,
    ngx_http_webrtc_rtmp_free,
    NULL
};


void
ngx_http_webrtc_rtmp_accepted(ngx_connection_t *c)
{
    ngx_http_webrtc_ingest_tcp_accepted(c, &ngx_http_webrtc_rtmp);
}


static ngx_int_t
ngx_http_webrtc_rtmp_init(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ngx_http_webrtc_rtmp_t  *rt;

    rt = ngx_pcalloc(tc->connection->pool, sizeof(ngx_http_webrtc_rtmp_t));
    if (rt == NULL) {
        return NGX_ERROR;
    }

    rt->tc = tc;
    tc->data = rt;
    tc->out = rt->server.out;
    tc->nout = &rt->server.nout;

    ngx_webrtc_rtmp_server_init(&rt->server, &ngx_http_webrtc_rtmp_ops, rt);

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_rtmp_read(ngx_http_webrtc_ingest_tcp_t *tc, u_char **p,
    u_char *last)
{
    ngx_int_t                rc;
    ngx_http_webrtc_rtmp_t  *rt;

    rt = tc->data;

    rc = ngx_webrtc_rtmp_server_read(&rt->server, p, last);

    if (rc == NGX_DECLINED) {
        tc->cause = rt->server.cause;
    }

    return rc;
}


static void
ngx_http_webrtc_rtmp_accept(ngx_http_webrtc_ingest_tcp_t *tc)
{
    struct iovec             iov;
    ngx_http_webrtc_rtmp_t  *rt;
    u_char                   flv[NGX_WEBRTC_RTMP_FLV];

    rt = tc->data;

    ngx_webrtc_rtmp_flv(flv);

    iov.iov_base = flv;
    iov.iov_len = sizeof(flv);

    (void) ngx_http_webrtc_ingest_tcp_send(tc, &iov, 1);

    ngx_webrtc_rtmp_server_accept(&rt->server);

    tc->flows = 1;
}


static ngx_int_t
ngx_http_webrtc_rtmp_refuse(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_str_t *reason)
{
    ngx_http_webrtc_rtmp_t  *rt;

    rt = tc->data;

    ngx_webrtc_rtmp_server_refuse(&rt->server, reason);

    return NGX_OK;
}


static void
ngx_http_webrtc_rtmp_end(ngx_http_webrtc_ingest_tcp_t *tc, ngx_str_t *reason)
{
    ngx_http_webrtc_rtmp_t  *rt;

    rt = tc->data;

    ngx_webrtc_rtmp_server_end(&rt->server, reason);
}


static void
ngx_http_webrtc_rtmp_free(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ngx_http_webrtc_rtmp_t  *rt;

    rt = tc->data;

    ngx_webrtc_rtmp_server_free(&rt->server);
}


/* of "rtmp://host:port/app"; more of it in "app" belongs to the name */

static ngx_int_t
ngx_http_webrtc_rtmp_connect(void *data, ngx_str_t *app, ngx_str_t *url,
    ngx_str_t *agent)
{
    ngx_http_webrtc_rtmp_t *rt = data;

    ngx_str_t                      host, *only;
    ngx_http_webrtc_ingest_tcp_t  *tc;

    tc = rt->tc;
    only = &tc->conf->app;

    if (only->len
        && (app->len < only->len
            || ngx_memcmp(app->data, only->data, only->len) != 0
            || (app->len > only->len && app->data[only->len] != '/'
                && app->data[only->len] != '?')))
    {
        ngx_log_error(NGX_LOG_INFO, tc->connection->log, 0,
                      "webrtc rtmp publisher refused: its application is not "
                      "\"%V\"", only);
        return NGX_DECLINED;
    }

    ngx_http_webrtc_rtmp_host(url, &host);

    ngx_http_webrtc_ingest_tcp_copy(tc, &rt->app, app);
    ngx_http_webrtc_ingest_tcp_copy(tc, &rt->ask.host, &host);
    ngx_http_webrtc_ingest_tcp_copy(tc, &rt->ask.agent, agent);

    return rt->app.data ? NGX_OK : NGX_DECLINED;
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


static void
ngx_http_webrtc_rtmp_publish(void *data, ngx_str_t *name)
{
    ngx_http_webrtc_rtmp_t *rt = data;

    u_char     *p;
    ngx_str_t  *uri;

    uri = &rt->ask.uri;

    uri->len = 0;
    uri->data = ngx_pnalloc(rt->tc->connection->pool,
                            rt->app.len + name->len + 2);

    if (uri->data) {
        p = ngx_webrtc_uri(uri->data, &rt->app, name);
        uri->len = p ? (size_t) (p - uri->data) : 0;
    }

    ngx_http_webrtc_ingest_tcp_ask(rt->tc, &rt->ask);
}


static ngx_int_t
ngx_http_webrtc_rtmp_media(void *data, ngx_uint_t type, uint32_t ms,
    u_char *p, size_t len)
{
    ngx_http_webrtc_rtmp_t *rt = data;

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

    return (type == NGX_WEBRTC_RTMP_TYPE_AGGREGATE)
           ? ngx_http_webrtc_ingest_tcp_send(rt->tc, &iov[1], 1)
           : ngx_http_webrtc_ingest_tcp_send(rt->tc, iov, 3);
}
