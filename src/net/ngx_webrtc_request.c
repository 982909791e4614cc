
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A request of ours to an HTTP server.
 *
 *   begin (posted) --> resolve --> connect --> TLS --> send --> receive --> end
 *
 * Each step may fail, and one timer is over all of them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "ngx_webrtc_lookup.h"
#include "ngx_webrtc_request.h"


/* bytes of the buffer at first, which doubles */
#define NGX_WEBRTC_REQUEST_BUFFER  4096


struct ngx_webrtc_request_s {
    ngx_webrtc_request_conf_t   conf;
    ngx_pool_t                 *pool;
    ngx_peer_connection_t       peer;
    ngx_webrtc_lookup_t         lookup;
    ngx_event_t                 begin;       /* posted */
    ngx_event_t                 timer;
    ngx_log_t                   log;
    size_t                      sent;
    u_char                     *buf;
    size_t                      n;
    size_t                      size;
    unsigned                    connected:1;
};


static ngx_int_t ngx_webrtc_request_copy(ngx_webrtc_request_t *rq,
    const ngx_webrtc_request_conf_t *conf);
static void ngx_webrtc_request_begin(ngx_event_t *ev);
static ngx_int_t ngx_webrtc_request_literal(ngx_webrtc_request_t *rq);
static void ngx_webrtc_request_resolve(ngx_webrtc_request_t *rq);
static void ngx_webrtc_request_resolved(void *ctx);
static void ngx_webrtc_request_connect(ngx_webrtc_request_t *rq);
static void ngx_webrtc_request_timeout(ngx_event_t *ev);
static void ngx_webrtc_request_write(ngx_event_t *ev);
static ngx_int_t ngx_webrtc_request_is_connected(ngx_webrtc_request_t *rq);
static void ngx_webrtc_request_read(ngx_event_t *ev);
static ngx_int_t ngx_webrtc_request_grow(ngx_webrtc_request_t *rq);
static void ngx_webrtc_request_end(ngx_webrtc_request_t *rq,
    ngx_webrtc_http_reply_t *reply, const char *cause);
static void ngx_webrtc_request_close(ngx_webrtc_request_t *rq);
#if (NGX_SSL)
static void ngx_webrtc_request_tls(ngx_webrtc_request_t *rq);
static void ngx_webrtc_request_tls_done(ngx_connection_t *c);
static const char *ngx_webrtc_request_verify(ngx_webrtc_request_t *rq);
#endif


ngx_uint_t
ngx_webrtc_request_may_tls(void)
{
#if (NGX_SSL)
    return 1;
#else
    return 0;
#endif
}


ngx_webrtc_request_t *
ngx_webrtc_request(const ngx_webrtc_request_conf_t *conf)
{
    ngx_pool_t            *pool;
    ngx_webrtc_request_t  *rq;

    pool = ngx_create_pool(NGX_WEBRTC_REQUEST_BUFFER, conf->log);
    if (pool == NULL) {
        return NULL;
    }

    rq = ngx_pcalloc(pool, sizeof(ngx_webrtc_request_t));

    if (rq) {
        rq->pool = pool;
        rq->conf = *conf;
    }

    if (rq == NULL || ngx_webrtc_request_copy(rq, conf) != NGX_OK) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    rq->log = *conf->log;

    rq->begin.handler = ngx_webrtc_request_begin;
    rq->begin.data = rq;
    rq->begin.log = &rq->log;

    rq->timer.handler = ngx_webrtc_request_timeout;
    rq->timer.data = rq;
    rq->timer.log = &rq->log;

    ngx_add_timer(&rq->timer, conf->timeout);
    ngx_post_event(&rq->begin, &ngx_posted_events);

    return rq;
}


static ngx_int_t
ngx_webrtc_request_copy(ngx_webrtc_request_t *rq,
    const ngx_webrtc_request_conf_t *conf)
{
    u_char  *p;

    p = ngx_pnalloc(rq->pool, conf->text.len + conf->host.len + 1);

    rq->size = NGX_WEBRTC_REQUEST_BUFFER;
    rq->buf = ngx_alloc(rq->size, conf->log);

    if (p == NULL || rq->buf == NULL) {
        goto failed;
    }

    rq->conf.text.data = p;
    p = ngx_cpymem(p, conf->text.data, conf->text.len);

    /* null-terminated, as OpenSSL takes it */

    rq->conf.host.data = p;
    p = ngx_cpymem(p, conf->host.data, conf->host.len);
    *p = '\0';

    if (conf->sockaddr) {
        rq->conf.sockaddr = ngx_palloc(rq->pool, conf->socklen);

        if (rq->conf.sockaddr == NULL) {
            goto failed;
        }

        ngx_memcpy(rq->conf.sockaddr, conf->sockaddr, conf->socklen);
    }

    return NGX_OK;

failed:

    if (rq->buf) {
        ngx_free(rq->buf);
    }

    return NGX_ERROR;
}


void
ngx_webrtc_request_cancel(ngx_webrtc_request_t *rq)
{
    ngx_webrtc_request_close(rq);
    ngx_destroy_pool(rq->pool);
}


static void
ngx_webrtc_request_begin(ngx_event_t *ev)
{
    ngx_webrtc_request_t  *rq;

    rq = ev->data;

    if (rq->conf.sockaddr == NULL
        && ngx_webrtc_request_literal(rq) == NGX_DECLINED)
    {
        ngx_webrtc_request_resolve(rq);
        return;
    }

    ngx_webrtc_request_connect(rq);
}


/* NGX_OK: the host is an address; NGX_DECLINED: a name */

static ngx_int_t
ngx_webrtc_request_literal(ngx_webrtc_request_t *rq)
{
    ngx_addr_t  addr;

    if (ngx_parse_addr(rq->pool, &addr, rq->conf.host.data, rq->conf.host.len)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_inet_set_port(addr.sockaddr, rq->conf.port);

    rq->conf.sockaddr = addr.sockaddr;
    rq->conf.socklen = addr.socklen;

    return NGX_OK;
}


static void
ngx_webrtc_request_resolve(ngx_webrtc_request_t *rq)
{
    rq->lookup.handler = ngx_webrtc_request_resolved;
    rq->lookup.ctx = rq;
    rq->lookup.log = &rq->log;

    if (ngx_webrtc_lookup(&rq->lookup, rq->conf.resolver,
                          rq->conf.resolver_timeout, &rq->conf.host)
        != NGX_AGAIN)
    {
        ngx_webrtc_request_resolved(rq);
    }
}


static void
ngx_webrtc_request_resolved(void *ctx)
{
    ngx_webrtc_request_t *rq = ctx;

    if (rq->lookup.cause) {
        ngx_webrtc_request_end(rq, NULL, rq->lookup.cause);
        return;
    }

    rq->conf.sockaddr = &rq->lookup.addr.u.sa;
    rq->conf.socklen = rq->lookup.addr.len;

    ngx_inet_set_port(rq->conf.sockaddr, rq->conf.port);

    ngx_webrtc_request_connect(rq);
}


static void
ngx_webrtc_request_connect(ngx_webrtc_request_t *rq)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    if (rq->conf.filtered
        && !ngx_webrtc_ice_filter_allows(&rq->conf.filter, rq->conf.sockaddr))
    {
        ngx_webrtc_request_end(rq, NULL, "it leads to a network that "
                                         "\"webrtc_ice_allow\" does not name");
        return;
    }

    rq->peer.sockaddr = rq->conf.sockaddr;
    rq->peer.socklen = rq->conf.socklen;
    rq->peer.name = &rq->conf.host;
    rq->peer.get = ngx_event_get_peer;
    rq->peer.log = &rq->log;
    rq->peer.log_error = NGX_ERROR_INFO;

    rc = ngx_event_connect_peer(&rq->peer);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_webrtc_request_end(rq, NULL, "no connection");
        return;
    }

    c = rq->peer.connection;

    c->data = rq;
    c->pool = rq->pool;
    c->log = &rq->log;
    c->sendfile = 0;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_webrtc_request_read;
    c->write->handler = ngx_webrtc_request_write;

    if (rc == NGX_OK) {
        ngx_webrtc_request_write(c->write);
    }
}


static void
ngx_webrtc_request_timeout(ngx_event_t *ev)
{
    ngx_webrtc_request_t  *rq;

    rq = ev->data;

    ngx_webrtc_request_end(rq, NULL, rq->connected ? "no answer in time"
                                                   : "no connection in time");
}


static void
ngx_webrtc_request_write(ngx_event_t *ev)
{
    ssize_t                n;
    ngx_connection_t      *c;
    ngx_webrtc_request_t  *rq;

    c = ev->data;
    rq = c->data;

    if (!rq->connected) {

        if (ngx_webrtc_request_is_connected(rq) != NGX_OK) {
            ngx_webrtc_request_end(rq, NULL, "connection refused");
            return;
        }

        rq->connected = 1;

#if (NGX_SSL)
        if (rq->conf.ssl) {
            ngx_webrtc_request_tls(rq);
            return;
        }
#endif
    }

    while (rq->sent < rq->conf.text.len) {
        n = c->send(c, rq->conf.text.data + rq->sent,
                    rq->conf.text.len - rq->sent);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n <= 0) {
            ngx_webrtc_request_end(rq, NULL, "connection closed");
            return;
        }

        rq->sent += n;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        ngx_webrtc_request_end(rq, NULL, "no memory");
    }
}


static ngx_int_t
ngx_webrtc_request_is_connected(ngx_webrtc_request_t *rq)
{
    int        err;
    socklen_t  len;

    err = 0;
    len = sizeof(int);

    if (getsockopt(rq->peer.connection->fd, SOL_SOCKET, SO_ERROR,
                   (void *) &err, &len)
        == -1)
    {
        err = ngx_socket_errno;
    }

    if (err) {
        ngx_log_error(NGX_LOG_INFO, &rq->log, err, "connect() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


#if (NGX_SSL)

static void
ngx_webrtc_request_tls(ngx_webrtc_request_t *rq)
{
    u_char             addr[16];
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = rq->peer.connection;

    if (ngx_ssl_create_connection(rq->conf.ssl, c,
                                  NGX_SSL_BUFFER|NGX_SSL_CLIENT)
        != NGX_OK)
    {
        ngx_webrtc_request_end(rq, NULL, "no memory for TLS");
        return;
    }

    /* RFC 6066, 3: "Literal IPv4 and IPv6 addresses are not permitted" */

    if (ngx_inet_addr(rq->conf.host.data, rq->conf.host.len) == INADDR_NONE
        && ngx_inet6_addr(rq->conf.host.data, rq->conf.host.len, addr)
           != NGX_OK
        && SSL_set_tlsext_host_name(c->ssl->connection,
                                    (char *) rq->conf.host.data)
           == 0)
    {
        ngx_webrtc_request_end(rq, NULL, "no memory for TLS");
        return;
    }

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_AGAIN) {
        c->ssl->handler = ngx_webrtc_request_tls_done;
        return;
    }

    ngx_webrtc_request_tls_done(c);
}


static void
ngx_webrtc_request_tls_done(ngx_connection_t *c)
{
    const char            *cause;
    ngx_webrtc_request_t  *rq;

    rq = c->data;

    cause = c->ssl->handshaked ? ngx_webrtc_request_verify(rq)
                               : "TLS failed";
    if (cause) {
        ngx_webrtc_request_end(rq, NULL, cause);
        return;
    }

    c->read->handler = ngx_webrtc_request_read;
    c->write->handler = ngx_webrtc_request_write;

    ngx_webrtc_request_write(c->write);
}


/* NULL: it is who it should be */

static const char *
ngx_webrtc_request_verify(ngx_webrtc_request_t *rq)
{
    int                rc;
    long               result;
    X509              *cert;
    ngx_connection_t  *c;

    c = rq->peer.connection;

    if (!rq->conf.verify) {
        return NULL;
    }

    result = SSL_get_verify_result(c->ssl->connection);

    if (result != X509_V_OK) {
        ngx_log_error(NGX_LOG_INFO, &rq->log, 0,
                      "webrtc certificate of \"%V\" is not trusted (%l:%s)",
                      &rq->conf.host, result,
                      X509_verify_cert_error_string(result));
        return "its certificate is not trusted";
    }

    if (ngx_ssl_check_host(c, &rq->conf.host) == NGX_OK) {
        return NULL;
    }

    /* the name may be an address, which is none of the names there */

    cert = SSL_get_peer_certificate(c->ssl->connection);
    rc = cert ? X509_check_ip_asc(cert, (char *) rq->conf.host.data, 0) : 0;

    X509_free(cert);

    return (rc == 1) ? NULL : "its certificate is for another host";
}

#endif


static void
ngx_webrtc_request_read(ngx_event_t *ev)
{
    ssize_t                   n;
    ngx_int_t                 rc;
    ngx_uint_t                eof;
    ngx_connection_t         *c;
    ngx_webrtc_request_t     *rq;
    ngx_webrtc_http_reply_t   reply;

    c = ev->data;
    rq = c->data;

    if (!rq->connected) {

        /* an error of the connection, which the other event tells too */

        ngx_webrtc_request_write(c->write);
        return;
    }

    eof = 0;

    do {
        if (rq->n == rq->size && ngx_webrtc_request_grow(rq) != NGX_OK) {
            ngx_webrtc_request_end(rq, NULL, "its answer is too long");
            return;
        }

        n = c->recv(c, rq->buf + rq->n, rq->size - rq->n);

        if (n > 0) {
            rq->n += n;

        } else if (n == NGX_AGAIN) {
            break;

        } else {
            eof = 1;
        }

    } while (!eof);

    rc = rq->n ? ngx_webrtc_http_reply(rq->buf, rq->n, eof, &reply)
               : NGX_AGAIN;

    if (rc == NGX_OK) {
        ngx_webrtc_request_end(rq, &reply, NULL);

    } else if (rc == NGX_DECLINED) {
        ngx_webrtc_request_end(rq, NULL, "what it answers is not HTTP, or not "
                                         "complete");

    } else if (eof) {
        ngx_webrtc_request_end(rq, NULL, "connection closed");

    } else if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_webrtc_request_end(rq, NULL, "no memory");
    }
}


static ngx_int_t
ngx_webrtc_request_grow(ngx_webrtc_request_t *rq)
{
    u_char  *p;

    if (rq->size >= NGX_WEBRTC_HTTP_REPLY_MAX) {
        return NGX_DECLINED;
    }

    p = ngx_alloc(2 * rq->size, &rq->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, rq->buf, rq->n);
    ngx_free(rq->buf);

    rq->buf = p;
    rq->size *= 2;

    return NGX_OK;
}


static void
ngx_webrtc_request_end(ngx_webrtc_request_t *rq,
    ngx_webrtc_http_reply_t *reply, const char *cause)
{
    u_char  *buf;

    /* the reply is in the buffer, which outlives the connection */

    buf = rq->buf;
    rq->buf = NULL;

    ngx_webrtc_request_close(rq);

    rq->conf.handler(rq->conf.ctx, reply, cause);

    ngx_free(buf);
    ngx_destroy_pool(rq->pool);
}


static void
ngx_webrtc_request_close(ngx_webrtc_request_t *rq)
{
    ngx_connection_t  *c;

    if (rq->begin.posted) {
        ngx_delete_posted_event(&rq->begin);
    }

    if (rq->timer.timer_set) {
        ngx_del_timer(&rq->timer);
    }

    ngx_webrtc_lookup_cancel(&rq->lookup);

    c = rq->peer.connection;

    if (c) {
        rq->peer.connection = NULL;

#if (NGX_SSL)
        if (c->ssl) {
            c->ssl->no_wait_shutdown = 1;
            c->ssl->no_send_shutdown = 1;
            (void) ngx_ssl_shutdown(c);
        }
#endif

        ngx_close_connection(c);
    }

    /* it may have what only the target should know */

    ngx_explicit_memzero(rq->conf.text.data, rq->conf.text.len);

    if (rq->buf) {
        ngx_free(rq->buf);
        rq->buf = NULL;
    }
}
