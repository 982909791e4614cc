
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Connections of ICE-TCP: from accept() to the end.  What is sent is in
 * ngx_webrtc_tcp_out.c.
 *
 *   PENDING --- first datagram is a session's check ---> BOUND
 *      |                                                   |
 *      +--- another worker's: passed on, unread            |
 *      +--- anything else, or no check in time             |
 *      v                                                   v
 *    closed                                              closed
 *
 * A connection that has not proven anything costs a connection of nginx and
 * 1 kB: its first frame is looked at in the kernel's buffer (MSG_PEEK)
 * until it is whole, and what cannot become a check any more is refused at its
 * first bytes.  It has a deadline, which what comes does not move; their number
 * is limited, per address too, the oldest giving way to the newest, and nginx
 * may take them back when it needs connections.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <netinet/tcp.h>
#include "ngx_webrtc_time.h"
#include "ngx_webrtc_tcp.h"
#include "ngx_webrtc_tcp_conn.h"
#include "ngx_webrtc_tcp_listen.h"


#ifndef TCP_NOTSENT_LOWAT
#define TCP_NOTSENT_LOWAT         25
#endif


/* ms to the first check; chosen: a retransmission or two, and RFC 8445's pacing
 * of checks */
#define NGX_WEBRTC_TCP_FIRST      5000

/* ms until a connection is offered to a busy worker again; chosen */
#define NGX_WEBRTC_TCP_RETRY      20

/* connections of a worker without a session, and of one address; chosen: an
 * office that begins to watch at once needs one round trip for each */
#define NGX_WEBRTC_TCP_PENDING    1024
#define NGX_WEBRTC_TCP_ADDRESS    128

/*
 * bytes of the first frame.  RFC 8489, 5: a header of STUN has 20; chosen: the
 * longest user name, and 400 bytes of other attributes
 */
#define NGX_WEBRTC_TCP_CHECK_MIN  20
#define NGX_WEBRTC_TCP_CHECK_MAX  1024

/* bytes that the kernel keeps unsent; chosen: a quarter of a second of
 * 1 Mbit/s */
#define NGX_WEBRTC_TCP_UNSENT     (32 * 1024)

/* bytes read at once, and times in a turn; us after which a turn reads no
 * more: as for the UDP port */
#define NGX_WEBRTC_TCP_RX         (64 * 1024)
#define NGX_WEBRTC_TCP_RX_TURNS   8
#define NGX_WEBRTC_TCP_RX_TIME    2000


static void ngx_webrtc_tcp_accepted(ngx_connection_t *c);
static void ngx_webrtc_tcp_begin(ngx_webrtc_tcp_t *tcp, ngx_connection_t *c,
    ngx_uint_t passed);
static ngx_uint_t ngx_webrtc_tcp_admit(ngx_webrtc_tcp_t *tcp,
    ngx_connection_t *c);
static void ngx_webrtc_tcp_first_handler(ngx_event_t *rev);
static ngx_int_t ngx_webrtc_tcp_peek(ngx_webrtc_tcp_conn_t *conn, u_char *buf,
    size_t *len);
static const char *ngx_webrtc_tcp_first(ngx_webrtc_tcp_conn_t *conn);
static void ngx_webrtc_tcp_bind(ngx_webrtc_tcp_conn_t *conn);
static void ngx_webrtc_tcp_again(ngx_webrtc_tcp_conn_t *conn);
static void ngx_webrtc_tcp_read_handler(ngx_event_t *rev);
static ngx_int_t ngx_webrtc_tcp_read(ngx_webrtc_tcp_conn_t *conn);
static ngx_int_t ngx_webrtc_tcp_keep(ngx_webrtc_tcp_conn_t *conn, u_char *p,
    size_t n);
static void ngx_webrtc_tcp_option(ngx_connection_t *c, int level, int name,
    int value);
static void ngx_webrtc_tcp_gone(ngx_webrtc_tcp_conn_t *conn);
static void ngx_webrtc_tcp_end(ngx_webrtc_tcp_conn_t *conn);
static void ngx_webrtc_tcp_discard(ngx_connection_t *c);


/* of this process */
static ngx_webrtc_tcp_t  *ngx_webrtc_tcp;


ngx_webrtc_tcp_t *
ngx_webrtc_tcp_init(ngx_cycle_t *cycle, ngx_webrtc_tcp_conf_t *conf)
{
    ngx_uint_t         i;
    ngx_webrtc_tcp_t  *tcp;

    tcp = ngx_pcalloc(cycle->pool, sizeof(ngx_webrtc_tcp_t));
    if (tcp == NULL) {
        return NULL;
    }

    tcp->conf = *conf;
    tcp->log = cycle->log;
    tcp->none.tcp = tcp;

    tcp->rx = ngx_palloc(cycle->pool, NGX_WEBRTC_TCP_RX);

    if (tcp->rx == NULL || ngx_webrtc_tcp_out_init(tcp, cycle) != NGX_OK) {
        return NULL;
    }

    ngx_queue_init(&tcp->pending);

    for (i = 0; i < NGX_WEBRTC_TCP_BUCKETS; i++) {
        ngx_queue_init(&tcp->conns[i]);
    }

    ngx_webrtc_tcp = tcp;

    ngx_webrtc_tcp_listen_handler(cycle, ngx_webrtc_tcp_accepted);

    return tcp;
}


void
ngx_webrtc_tcp_done(ngx_webrtc_tcp_t *tcp)
{
    ngx_uint_t              i;
    ngx_queue_t            *q;
    ngx_webrtc_tcp_conn_t  *conn;

    ngx_webrtc_tcp_out_done(tcp);

    for (i = 0; i < NGX_WEBRTC_TCP_BUCKETS; i++) {

        while (!ngx_queue_empty(&tcp->conns[i])) {
            q = ngx_queue_head(&tcp->conns[i]);
            conn = ngx_queue_data(q, ngx_webrtc_tcp_conn_t, bucket);

            ngx_webrtc_tcp_end(conn);
        }
    }

    ngx_webrtc_tcp_listen_handler(NULL, NULL);
}


static void
ngx_webrtc_tcp_accepted(ngx_connection_t *c)
{
    ngx_webrtc_tcp->stat.accepted++;
    ngx_webrtc_tcp_begin(ngx_webrtc_tcp, c, 0);
}


void
ngx_webrtc_tcp_take(ngx_webrtc_tcp_t *tcp, ngx_socket_t fd)
{
    socklen_t          len;
    ngx_sockaddr_t     sa;
    ngx_connection_t  *c;

    len = sizeof(ngx_sockaddr_t);

    if (getpeername(fd, &sa.sockaddr, &len) == -1) {
        /* it has ended on the way */
        (void) ngx_close_socket(fd);
        return;
    }

    c = ngx_get_connection(fd, tcp->log);
    if (c == NULL) {
        (void) ngx_close_socket(fd);
        return;
    }

    /* as ngx_event_accept() does */

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, 1);
#endif

    c->pool = ngx_create_pool(NGX_WEBRTC_TCP_LISTEN_POOL, tcp->log);
    if (c->pool == NULL) {
        ngx_webrtc_tcp_discard(c);
        return;
    }

    c->sockaddr = ngx_palloc(c->pool, len);
    if (c->sockaddr == NULL) {
        ngx_webrtc_tcp_discard(c);
        return;
    }

    ngx_memcpy(c->sockaddr, &sa, len);

    c->addr_text.data = ngx_pnalloc(c->pool, NGX_SOCKADDR_STRLEN);
    if (c->addr_text.data == NULL) {
        ngx_webrtc_tcp_discard(c);
        return;
    }

    c->addr_text.len = ngx_sock_ntop(c->sockaddr, len, c->addr_text.data,
                                     NGX_SOCKADDR_STRLEN, 0);

    c->type = SOCK_STREAM;
    c->socklen = len;
    c->recv = ngx_recv;
    c->log = tcp->log;
    c->read->log = tcp->log;
    c->write->log = tcp->log;
    c->write->ready = 1;

    ngx_webrtc_tcp_begin(tcp, c, 1);
}


static void
ngx_webrtc_tcp_begin(ngx_webrtc_tcp_t *tcp, ngx_connection_t *c,
    ngx_uint_t passed)
{
    ngx_webrtc_tcp_conn_t  *conn;

    if (!ngx_webrtc_tcp_admit(tcp, c)) {
        tcp->stat.refused++;
        ngx_webrtc_tcp_discard(c);
        return;
    }

    conn = ngx_pcalloc(c->pool, sizeof(ngx_webrtc_tcp_conn_t));

    if (conn == NULL
        || ngx_webrtc_addr_set(&conn->path.remote, c->sockaddr, c->socklen)
           != NGX_OK)
    {
        ngx_webrtc_tcp_discard(c);
        return;
    }

    conn->tcp = tcp;
    conn->connection = c;
    conn->passed = passed ? 1 : 0;
    conn->framing.max = NGX_WEBRTC_TCP_MAX;
    conn->deadline = ngx_current_msec + NGX_WEBRTC_TCP_FIRST;

    /* after 2^31 connections numbers begin again, and the first have ended */

    conn->path.listen = NGX_WEBRTC_TCP_NUMBER
                        | (tcp->number++ & (NGX_WEBRTC_TCP_NUMBER - 1));

    ngx_queue_insert_tail(&tcp->pending, &conn->queue);
    ngx_queue_insert_tail(&tcp->conns[conn->path.listen
                                      & (NGX_WEBRTC_TCP_BUCKETS - 1)],
                          &conn->bucket);
    tcp->stat.pending++;

    c->data = conn;
    c->log_error = NGX_ERROR_INFO;
    c->read->handler = ngx_webrtc_tcp_first_handler;
    c->write->handler = ngx_webrtc_tcp_out_handler;

    ngx_add_timer(c->read, NGX_WEBRTC_TCP_FIRST);
    ngx_reusable_connection(c, 1);

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_webrtc_tcp_end(conn);
    }
}


/* Makes room for one more, where the oldest may give way. */

static ngx_uint_t
ngx_webrtc_tcp_admit(ngx_webrtc_tcp_t *tcp, ngx_connection_t *c)
{
    ngx_uint_t              n, few;
    ngx_queue_t            *q;
    ngx_webrtc_addr_t       addr;
    ngx_webrtc_tcp_conn_t  *conn, *oldest;

    if (ngx_webrtc_addr_set(&addr, c->sockaddr, c->socklen) != NGX_OK) {
        return 0;
    }

    ngx_inet_set_port(&addr.u.sa, 0);

    /* as full ICE: others need connections, too */

    few = (ngx_cycle->free_connection_n < ngx_cycle->connection_n / 4);

    n = 0;
    oldest = NULL;

    for (q = ngx_queue_head(&tcp->pending);
         q != ngx_queue_sentinel(&tcp->pending);
         q = ngx_queue_next(q))
    {
        conn = ngx_queue_data(q, ngx_webrtc_tcp_conn_t, queue);

        if (ngx_cmp_sockaddr(&conn->path.remote.u.sa, conn->path.remote.len,
                             &addr.u.sa, addr.len, 0)
            == NGX_OK)
        {
            oldest = oldest ? oldest : conn;
            n++;
        }
    }

    if (n < NGX_WEBRTC_TCP_ADDRESS) {

        if (!few && tcp->stat.pending < NGX_WEBRTC_TCP_PENDING) {
            return 1;
        }

        if (ngx_queue_empty(&tcp->pending)) {
            return 0;
        }

        q = ngx_queue_head(&tcp->pending);
        oldest = ngx_queue_data(q, ngx_webrtc_tcp_conn_t, queue);
    }

    if (oldest->busy) {
        return 0;
    }

    tcp->stat.refused++;
    ngx_webrtc_tcp_end(oldest);

    return 1;
}


static void
ngx_webrtc_tcp_first_handler(ngx_event_t *rev)
{
    const char             *why;
    ngx_msec_int_t          left;
    ngx_connection_t       *c;
    ngx_webrtc_tcp_conn_t  *conn;

    c = rev->data;
    conn = c->data;
    why = NULL;

    if (c->close) {

        /* nginx is short of connections, or ends */

        conn->tcp->stat.refused++;
        ngx_webrtc_tcp_end(conn);
        return;
    }

    left = (ngx_msec_int_t) (conn->deadline - ngx_current_msec);

    if (left <= 0) {
        why = "no connectivity check in time";

    } else {
        rev->timedout = 0;

        conn->busy = 1;
        why = ngx_webrtc_tcp_first(conn);
        conn->busy = 0;
    }

    if (conn->dead || why) {

        if (why && *why) {
            conn->tcp->stat.strangers++;

            ngx_log_error(NGX_LOG_INFO, c->log, 0,
                          "webrtc tcp connection closed: %s, client: %V", why,
                          &c->addr_text);
        }

        ngx_webrtc_tcp_end(conn);
        return;
    }

    if (conn->bound) {
        ngx_webrtc_tcp_read_handler(rev);
    }
}


/*
 * Looks at the first frame.
 *
 * Returns why the connection is to be closed, "": that needs not be said, NULL:
 * it goes on.
 */

static const char *
ngx_webrtc_tcp_first(ngx_webrtc_tcp_conn_t *conn)
{
    size_t             len;
    ngx_int_t          rc;
    ngx_connection_t  *c;
    ngx_webrtc_tcp_t  *tcp;
    u_char             buf[NGX_WEBRTC_FRAMING_HEADER
                           + NGX_WEBRTC_TCP_CHECK_MAX];

    c = conn->connection;
    tcp = conn->tcp;

    rc = ngx_webrtc_tcp_peek(conn, buf, &len);

    if (rc == NGX_AGAIN) {
        return ngx_handle_read_event(c->read, 0) == NGX_OK ? NULL : "";
    }

    if (rc == NGX_DECLINED) {
        return "what came is no connectivity check";
    }

    if (rc == NGX_ERROR) {
        return "";
    }

    switch (tcp->conf.first(tcp->conf.ctx, &conn->path,
                            buf + NGX_WEBRTC_FRAMING_HEADER, len, c->fd,
                            conn->passed))
    {

    case NGX_OK:

        if (conn->dead
            || recv(c->fd, buf, NGX_WEBRTC_FRAMING_HEADER + len, MSG_DONTWAIT)
               != (ssize_t) (NGX_WEBRTC_FRAMING_HEADER + len))
        {
            ngx_webrtc_tcp_gone(conn);
            return "";
        }

        tcp->stat.rx_packets++;
        ngx_webrtc_tcp_bind(conn);

        return NULL;

    case NGX_DONE:
        tcp->stat.passed++;

        /*
         * the other worker has the same open file: closing our descriptor does
         * not take it out of our epoll, and nothing else could afterwards
         */

        if (ngx_del_conn && conn->connection->read->active) {
            (void) ngx_del_conn(conn->connection, 0);
        }

        return "";

    case NGX_AGAIN:
        ngx_webrtc_tcp_again(conn);
        return NULL;

    default:
        return "no session has such a check";
    }
}


/*
 * NGX_OK        *len out: bytes of the frame, which is whole, in buf
 * NGX_AGAIN     more has to come
 * NGX_DECLINED  it can be no check
 * NGX_ERROR     the connection has ended
 */

static ngx_int_t
ngx_webrtc_tcp_peek(ngx_webrtc_tcp_conn_t *conn, u_char *buf, size_t *len)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = conn->connection;

    n = recv(c->fd, buf, NGX_WEBRTC_FRAMING_HEADER + NGX_WEBRTC_TCP_CHECK_MAX,
             MSG_PEEK|MSG_DONTWAIT);

    if (n == -1) {
        c->read->ready = 0;

        return (ngx_socket_errno == NGX_EAGAIN
                || ngx_socket_errno == NGX_EINTR) ? NGX_AGAIN : NGX_ERROR;
    }

    if (n == 0) {
        return NGX_ERROR;
    }

    *len = (n > 1) ? (size_t) buf[0] << 8 | buf[1] : NGX_WEBRTC_TCP_CHECK_MIN;

    /* RFC 8489, 5: a binding request begins with 0x0001 */

    if (*len < NGX_WEBRTC_TCP_CHECK_MIN || *len > NGX_WEBRTC_TCP_CHECK_MAX
        || (n > 2 && buf[2] != 0) || (n > 3 && buf[3] != 1))
    {
        return NGX_DECLINED;
    }

    *len += NGX_WEBRTC_FRAMING_HEADER;

    if ((size_t) n < *len) {

        if (c->read->pending_eof) {
            return NGX_ERROR;
        }

        /* the kernel need not wake us up before it is whole */

        ngx_webrtc_tcp_option(c, SOL_SOCKET, SO_RCVLOWAT,
                              n > 1 ? (int) *len : NGX_WEBRTC_FRAMING_HEADER);
        c->read->ready = 0;

        return NGX_AGAIN;
    }

    *len -= NGX_WEBRTC_FRAMING_HEADER;

    return NGX_OK;
}


/* it is a session's: what comes from now on is read */

static void
ngx_webrtc_tcp_bind(ngx_webrtc_tcp_conn_t *conn)
{
    ngx_connection_t  *c;

    c = conn->connection;

    ngx_queue_remove(&conn->queue);
    conn->tcp->stat.pending--;
    conn->tcp->stat.sessions++;
    conn->bound = 1;

    ngx_del_timer(c->read);
    ngx_reusable_connection(c, 0);

    c->read->handler = ngx_webrtc_tcp_read_handler;

    ngx_webrtc_tcp_option(c, SOL_SOCKET, SO_RCVLOWAT, 1);
    ngx_webrtc_tcp_option(c, IPPROTO_TCP, TCP_NODELAY, 1);
    ngx_webrtc_tcp_option(c, IPPROTO_TCP, TCP_NOTSENT_LOWAT,
                          NGX_WEBRTC_TCP_UNSENT);
}


/* the worker whose it is has no room: it is asked again soon */

static void
ngx_webrtc_tcp_again(ngx_webrtc_tcp_conn_t *conn)
{
    ngx_msec_t  left;

    left = conn->deadline - ngx_current_msec;

    if (conn->connection->read->timer_set) {
        ngx_del_timer(conn->connection->read);
    }

    ngx_add_timer(conn->connection->read,
                  ngx_min(left, NGX_WEBRTC_TCP_RETRY));
}


static void
ngx_webrtc_tcp_read_handler(ngx_event_t *rev)
{
    uint64_t                start;
    ngx_int_t               rc;
    ngx_uint_t              turns;
    ngx_connection_t       *c;
    ngx_webrtc_tcp_t       *tcp;
    ngx_webrtc_tcp_conn_t  *conn;

    c = rev->data;
    conn = c->data;
    tcp = conn->tcp;

    if (c->close) {
        /* worker_shutdown_timeout has passed */
        tcp->conf.shutdown(tcp->conf.ctx);
        return;
    }

    start = ngx_webrtc_time_now();
    rc = NGX_AGAIN;

    conn->busy = 1;

    for (turns = 0; turns < NGX_WEBRTC_TCP_RX_TURNS && !conn->dead; turns++) {

        rc = ngx_webrtc_tcp_read(conn);

        if (rc != NGX_OK
            || ngx_webrtc_time_now() - start > NGX_WEBRTC_TCP_RX_TIME)
        {
            break;
        }
    }

    tcp->conf.done(tcp->conf.ctx);

    conn->busy = 0;

    if (rc != NGX_ERROR && !conn->dead
        && ngx_handle_read_event(rev, 0) != NGX_OK)
    {
        rc = NGX_ERROR;
    }

    if (rc == NGX_ERROR) {
        ngx_webrtc_tcp_gone(conn);
    }

    if (conn->dead) {
        ngx_webrtc_tcp_end(conn);
        return;
    }

    if (rc == NGX_OK) {
        /* others first */
        ngx_post_event(rev, &ngx_posted_next_events);
    }
}


/*
 * NGX_OK     there may be more
 * NGX_AGAIN  everything has been read
 * NGX_ERROR  the connection has ended
 */

static ngx_int_t
ngx_webrtc_tcp_read(ngx_webrtc_tcp_conn_t *conn)
{
    size_t             n;
    u_char            *p, *end, *frame;
    ssize_t            rc;
    uint64_t           cut;
    ngx_connection_t  *c;
    ngx_webrtc_tcp_t  *tcp;

    c = conn->connection;
    tcp = conn->tcp;

    /* part of a frame, and what follows it */

    if (conn->npart) {
        ngx_memcpy(tcp->rx, conn->part, conn->npart);
    }

    rc = c->recv(c, tcp->rx + conn->npart, NGX_WEBRTC_TCP_RX - conn->npart);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (rc <= 0) {
        return NGX_ERROR;
    }

    p = tcp->rx;
    end = p + conn->npart + rc;
    cut = conn->framing.cut;

    while (!conn->dead
           && ngx_webrtc_framing_next(&conn->framing, &p, end, &frame, &n)
              == NGX_OK)
    {
        tcp->stat.rx_packets++;
        tcp->conf.input(tcp->conf.ctx, &conn->path, frame, n);
    }

    tcp->stat.rx_dropped += conn->framing.cut - cut;

    if (conn->dead) {
        return NGX_AGAIN;
    }

    if (ngx_webrtc_tcp_keep(conn, p, end - p) != NGX_OK) {
        return NGX_ERROR;
    }

    return c->read->ready ? NGX_OK : NGX_AGAIN;
}


/* keeps part of a frame, if there is one */

static ngx_int_t
ngx_webrtc_tcp_keep(ngx_webrtc_tcp_conn_t *conn, u_char *p, size_t n)
{
    conn->npart = n;

    if (n == 0) {

        if (conn->part) {
            ngx_free(conn->part);
            conn->part = NULL;
        }

        return NGX_OK;
    }

    if (conn->part == NULL) {
        conn->part = ngx_alloc(NGX_WEBRTC_FRAMING_HEADER + NGX_WEBRTC_TCP_MAX,
                               conn->tcp->log);
        if (conn->part == NULL) {
            conn->npart = 0;
            return NGX_ERROR;
        }
    }

    ngx_memcpy(conn->part, p, n);

    return NGX_OK;
}


static void
ngx_webrtc_tcp_option(ngx_connection_t *c, int level, int name, int value)
{
    if (setsockopt(c->fd, level, name, &value, sizeof(int)) == -1) {
        ngx_log_debug2(NGX_LOG_DEBUG_EVENT, c->log, ngx_socket_errno,
                       "webrtc tcp setsockopt(%d, %d) failed", level, name);
    }
}


ngx_webrtc_tcp_conn_t *
ngx_webrtc_tcp_find(ngx_webrtc_tcp_t *tcp, ngx_webrtc_path_t *path)
{
    ngx_queue_t            *q, *bucket;
    ngx_webrtc_tcp_conn_t  *conn;

    bucket = &tcp->conns[path->listen & (NGX_WEBRTC_TCP_BUCKETS - 1)];

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        conn = ngx_queue_data(q, ngx_webrtc_tcp_conn_t, bucket);

        if (conn->path.listen == path->listen && !conn->dead) {
            return conn;
        }
    }

    return &tcp->none;
}


void
ngx_webrtc_tcp_close(ngx_webrtc_tcp_t *tcp, ngx_webrtc_path_t *path)
{
    ngx_webrtc_tcp_conn_t  *conn;

    conn = ngx_webrtc_tcp_find(tcp, path);

    if (conn->connection == NULL) {
        return;
    }

    conn->dead = 1;

    if (!conn->busy) {
        ngx_webrtc_tcp_end(conn);
    }
}


/* the peer has ended it; not found from now on */

static void
ngx_webrtc_tcp_gone(ngx_webrtc_tcp_conn_t *conn)
{
    if (conn->dead) {
        return;
    }

    conn->dead = 1;
    conn->tcp->conf.gone(conn->tcp->conf.ctx, &conn->path);
}


static void
ngx_webrtc_tcp_end(ngx_webrtc_tcp_conn_t *conn)
{
    ngx_connection_t  *c;

    c = conn->connection;

    /* a close_notify, or why a check was refused */

    ngx_webrtc_tcp_out_flush(conn);
    ngx_webrtc_tcp_out_drop(conn);

    if (conn->bound) {
        conn->tcp->stat.sessions--;

    } else {
        ngx_queue_remove(&conn->queue);
        conn->tcp->stat.pending--;
    }

    ngx_queue_remove(&conn->bucket);

    if (conn->part) {
        ngx_free(conn->part);
    }

    ngx_webrtc_tcp_discard(c);
}


static void
ngx_webrtc_tcp_discard(ngx_connection_t *c)
{
    ngx_pool_t  *pool;

    pool = c->pool;

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif

    ngx_close_connection(c);

    if (pool) {
        ngx_destroy_pool(pool);
    }
}


ngx_webrtc_tcp_stat_t *
ngx_webrtc_tcp_stat(ngx_webrtc_tcp_t *tcp)
{
    return &tcp->stat;
}
