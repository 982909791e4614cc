
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What is sent over connections of ICE-TCP.
 *
 * Frames for one connection that follow each other are collected in one buffer
 * and leave with one send(): when a frame for another connection comes, when
 * the buffer is full, or at the end of the turn of the event loop.  So a
 * connection whose peer keeps up holds no memory.
 *
 * What the socket does not take is kept, in the connection's own buffer, until
 * it does.  The kernel is told to keep little that it has not sent
 * (TCP_NOTSENT_LOWAT), so that the backlog is ours, where it is known and
 * bounded.  Three limits, in bytes:
 *
 *   LATE      above it, or above a part of it for longer than LATE_TIME, the
 *             sender should begin nothing that can be left out: a viewer gets
 *             no video before the next key frame.  A frame that has begun is
 *             finished, or it would be of no use.
 *   FULL      above it nothing should be sent at all.  What is between the two
 *             is for the rest of a frame, and for sound.
 *   BACKLOG   above it datagrams are dropped, as the network would.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_tcp.h"
#include "ngx_webrtc_tcp_conn.h"


/* bytes of the batch; chosen: a large frame, and it fits a core's L2 cache */
#define NGX_WEBRTC_TCP_ARENA      (256 * 1024)

/*
 * bytes of the backlog, ms.  Chosen: LATE is a second of 2 Mbit/s, and more
 * than a frame of 10 Mbit/s; LATE_PART a quarter of a second of 1 Mbit/s;
 * BACKLOG more than a key frame of any stream that we know
 */
#define NGX_WEBRTC_TCP_LATE       (256 * 1024)
#define NGX_WEBRTC_TCP_LATE_PART  (32 * 1024)
#define NGX_WEBRTC_TCP_LATE_TIME  400
#define NGX_WEBRTC_TCP_FULL       (1536 * 1024)
#define NGX_WEBRTC_TCP_BACKLOG    (2048 * 1024)

/* least size of its buffer; chosen */
#define NGX_WEBRTC_TCP_LEAST      (16 * 1024)


static void ngx_webrtc_tcp_out_batch(ngx_webrtc_tcp_t *tcp);
static void ngx_webrtc_tcp_out_backlog(ngx_webrtc_tcp_conn_t *conn);
static size_t ngx_webrtc_tcp_out_write(ngx_webrtc_tcp_conn_t *conn, u_char *p,
    size_t n);
static u_char *ngx_webrtc_tcp_out_room(ngx_webrtc_tcp_conn_t *conn,
    size_t size);
static void ngx_webrtc_tcp_out_flush_handler(ngx_event_t *ev);


ngx_int_t
ngx_webrtc_tcp_out_init(ngx_webrtc_tcp_t *tcp, ngx_cycle_t *cycle)
{
    tcp->arena = ngx_palloc(cycle->pool, NGX_WEBRTC_TCP_ARENA);
    tcp->scratch = ngx_palloc(cycle->pool, NGX_WEBRTC_FRAMING_HEADER
                                           + NGX_WEBRTC_TCP_MAX);

    if (tcp->arena == NULL || tcp->scratch == NULL) {
        return NGX_ERROR;
    }

    tcp->pos = tcp->arena;

    tcp->flush.handler = ngx_webrtc_tcp_out_flush_handler;
    tcp->flush.data = tcp;
    tcp->flush.log = cycle->log;

    return NGX_OK;
}


void
ngx_webrtc_tcp_out_done(ngx_webrtc_tcp_t *tcp)
{
    ngx_webrtc_tcp_out_batch(tcp);

    if (tcp->flush.posted) {
        ngx_delete_posted_event(&tcp->flush);
    }
}


void
ngx_webrtc_tcp_send(ngx_webrtc_tcp_conn_t *conn, u_char *p, size_t n)
{
    if (n > NGX_WEBRTC_TCP_MAX) {
        conn->tcp->stat.tx_dropped++;
        return;
    }

    ngx_memcpy(ngx_webrtc_tcp_reserve(conn, n), p, n);
    ngx_webrtc_tcp_commit(conn, n);
}


u_char *
ngx_webrtc_tcp_reserve(ngx_webrtc_tcp_conn_t *conn, size_t size)
{
    ngx_webrtc_tcp_t  *tcp;

    tcp = conn->tcp;
    tcp->room = NULL;

    if (conn->connection && !conn->broken) {
        tcp->room = ngx_webrtc_tcp_out_room(conn,
                                            NGX_WEBRTC_FRAMING_HEADER + size);
    }

    return (tcp->room ? tcp->room : tcp->scratch) + NGX_WEBRTC_FRAMING_HEADER;
}


/* size includes the length; NULL: there is none */

static u_char *
ngx_webrtc_tcp_out_room(ngx_webrtc_tcp_conn_t *conn, size_t size)
{
    u_char                    *buf;
    size_t                     n, len;
    ngx_webrtc_tcp_t          *tcp;
    ngx_webrtc_tcp_backlog_t  *b;

    tcp = conn->tcp;
    b = &conn->backlog;

    if (b->buf == NULL) {

        if (tcp->open != conn
            || size > (size_t) (tcp->arena + NGX_WEBRTC_TCP_ARENA - tcp->pos))
        {
            ngx_webrtc_tcp_out_batch(tcp);
            tcp->open = conn;
        }

        if (b->buf == NULL) {
            return conn->broken ? NULL : tcp->pos;
        }
    }

    len = b->last - b->pos;

    if (len + size > NGX_WEBRTC_TCP_BACKLOG) {
        return NULL;
    }

    if (size <= b->size - b->last) {
        return b->buf + b->last;
    }

    if (len + size <= b->size / 2) {
        ngx_memmove(b->buf, b->buf + b->pos, len);

    } else {
        n = ngx_min(ngx_max(2 * b->size, len + size), NGX_WEBRTC_TCP_BACKLOG);

        buf = ngx_alloc(n, tcp->log);
        if (buf == NULL) {
            return NULL;
        }

        ngx_memcpy(buf, b->buf + b->pos, len);
        ngx_free(b->buf);

        b->buf = buf;
        b->size = n;
    }

    b->pos = 0;
    b->last = len;

    return b->buf + b->last;
}


void
ngx_webrtc_tcp_commit(ngx_webrtc_tcp_conn_t *conn, size_t n)
{
    ngx_webrtc_tcp_t  *tcp;

    tcp = conn->tcp;

    if (tcp->room == NULL) {
        tcp->stat.tx_dropped++;
        return;
    }

    ngx_webrtc_framing_write(tcp->room, n);

    tcp->stat.tx_packets++;
    tcp->stat.tx_bytes += n;

    if (conn->backlog.buf) {
        conn->backlog.last += NGX_WEBRTC_FRAMING_HEADER + n;
        return;
    }

    tcp->pos += NGX_WEBRTC_FRAMING_HEADER + n;

    if (!tcp->flush.posted) {
        ngx_post_event(&tcp->flush, &ngx_posted_events);
    }
}


static void
ngx_webrtc_tcp_out_flush_handler(ngx_event_t *ev)
{
    ngx_webrtc_tcp_out_batch(ev->data);
}


void
ngx_webrtc_tcp_out_flush(ngx_webrtc_tcp_conn_t *conn)
{
    if (conn->tcp->open == conn) {
        ngx_webrtc_tcp_out_batch(conn->tcp);
    }

    ngx_webrtc_tcp_out_backlog(conn);
}


/* sends the batch; what the socket does not take is the connection's backlog */

static void
ngx_webrtc_tcp_out_batch(ngx_webrtc_tcp_t *tcp)
{
    size_t                     n, sent;
    ngx_webrtc_tcp_conn_t     *conn;
    ngx_webrtc_tcp_backlog_t  *b;

    conn = tcp->open;
    n = tcp->pos - tcp->arena;

    tcp->open = NULL;
    tcp->pos = tcp->arena;

    if (conn == NULL || n == 0) {
        return;
    }

    sent = ngx_webrtc_tcp_out_write(conn, tcp->arena, n);

    if (sent == n || conn->broken) {
        return;
    }

    b = &conn->backlog;

    b->pos = 0;
    b->last = n - sent;
    b->size = ngx_max(2 * b->last, NGX_WEBRTC_TCP_LEAST);
    b->since = ngx_current_msec;
    b->buf = ngx_alloc(b->size, tcp->log);

    if (b->buf == NULL) {

        /* half a frame may have left: nothing can follow it */

        conn->broken = 1;
        return;
    }

    ngx_memcpy(b->buf, tcp->arena + sent, n - sent);

    tcp->stat.tx_blocked++;
}


static void
ngx_webrtc_tcp_out_backlog(ngx_webrtc_tcp_conn_t *conn)
{
    ngx_webrtc_tcp_backlog_t  *b;

    b = &conn->backlog;

    if (b->buf == NULL || conn->broken) {
        return;
    }

    b->pos += ngx_webrtc_tcp_out_write(conn, b->buf + b->pos, b->last - b->pos);

    if (b->pos == b->last) {
        ngx_webrtc_tcp_out_drop(conn);
    }
}


void
ngx_webrtc_tcp_out_drop(ngx_webrtc_tcp_conn_t *conn)
{
    if (conn->tcp->open == conn) {
        conn->tcp->open = NULL;
        conn->tcp->pos = conn->tcp->arena;
    }

    if (conn->backlog.buf) {
        ngx_free(conn->backlog.buf);
        conn->backlog.buf = NULL;
    }
}


/*
 * Returns how much was sent: less than n when the socket is full, whose event
 * is waited for, and when the connection is broken
 */

static size_t
ngx_webrtc_tcp_out_write(ngx_webrtc_tcp_conn_t *conn, u_char *p, size_t n)
{
    size_t        sent;
    ssize_t       rc;
    ngx_err_t     err;
    ngx_event_t  *wev;

    wev = conn->connection->write;

    for (sent = 0; sent < n; sent += rc) {

        rc = send(conn->connection->fd, p + sent, n - sent,
                  MSG_DONTWAIT|MSG_NOSIGNAL);

        if (rc != -1) {
            continue;
        }

        err = ngx_socket_errno;
        rc = 0;

        if (err == NGX_EINTR) {
            continue;
        }

        wev->ready = 0;

        if (err != NGX_EAGAIN || ngx_handle_write_event(wev, 0) != NGX_OK) {
            conn->broken = 1;
        }

        break;
    }

    return sent;
}


void
ngx_webrtc_tcp_out_handler(ngx_event_t *wev)
{
    ngx_connection_t  *c;

    c = wev->data;

    ngx_webrtc_tcp_out_backlog(c->data);
}


ngx_uint_t
ngx_webrtc_tcp_late(ngx_webrtc_tcp_conn_t *conn)
{
    size_t                     n;
    ngx_webrtc_tcp_backlog_t  *b;

    b = &conn->backlog;

    if (b->buf == NULL) {
        return 0;
    }

    n = b->last - b->pos;

    return n > NGX_WEBRTC_TCP_LATE
           || (n > NGX_WEBRTC_TCP_LATE_PART
               && ngx_current_msec - b->since > NGX_WEBRTC_TCP_LATE_TIME);
}


ngx_uint_t
ngx_webrtc_tcp_idle(ngx_webrtc_tcp_conn_t *conn)
{
    return conn->backlog.buf == NULL;
}


ngx_uint_t
ngx_webrtc_tcp_full(ngx_webrtc_tcp_conn_t *conn)
{
    return conn->backlog.buf
           && conn->backlog.last - conn->backlog.pos > NGX_WEBRTC_TCP_FULL;
}
