
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The inbox of a worker.  It carries messages and does not interpret them.
 *
 * A message is one unix datagram with one or more records, each a header and
 * the bytes that follow it, padded to 8.  Both ends run the same binary, so
 * records are structs in host order; they are checked anyway.
 *
 * The name of an inbox is abstract: "webrtc-<zone>-<worker>-<generation>" in
 * hex, so that what is sent to a dead worker never reaches the next one that
 * takes its endpoint.  Any process on the host can send to such a name, so the
 * kernel is asked who did (unix(7), SO_PASSCRED), and only workers of the zone
 * are heeded.  A doorbell says nothing but "look", so it is not worth the
 * check.
 *
 * The kernel's queue holds few messages, 11 on many hosts.  Therefore datagrams
 * are collected per worker and at most one doorbell is in flight, which leaves
 * room for everything else.  Datagrams have a socket of their own: a sender
 * whose buffer is full of datagrams for one worker can still ring another.
 *
 * ngx_webrtc_bus_streams.c explains why a doorbell is never lost.  The event is
 * level triggered: a handler that leaves something in the queue is called
 * again.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus_zone.h"
#include "ngx_webrtc_ucred.h"
#include "ngx_webrtc_bus_inbox.h"


/* messages per event; chosen: other events wait a millisecond at most */
#define NGX_WEBRTC_INBOX_MESSAGES  8

/* workers for which datagrams are collected at a time; chosen */
#define NGX_WEBRTC_INBOX_BATCHES   4

/* bytes; chosen: net.core.wmem_max allows less on most hosts */
#define NGX_WEBRTC_INBOX_SNDBUF    (1024 * 1024)


/* types of records */
#define NGX_WEBRTC_INBOX_RING      1
#define NGX_WEBRTC_INBOX_TELL      2      /* ref of slot, what in len */
#define NGX_WEBRTC_INBOX_KEYFRAME  3      /* ref of stream */
#define NGX_WEBRTC_INBOX_PASS      4      /* ref of slot; path, len bytes */
#define NGX_WEBRTC_INBOX_WORDS     5      /* ref of slot; len bytes */
#define NGX_WEBRTC_INBOX_CONN      6      /* ref of slot; a descriptor */


typedef struct {
    uint32_t                 type;
    uint32_t                 len;
    uint64_t                 ref;
} ngx_webrtc_inbox_record_t;


typedef struct {
    ngx_uint_t               worker;
    size_t                   len;             /* 0: free */
    u_char                  *buf;             /* NGX_WEBRTC_INBOX_SIZE */
} ngx_webrtc_inbox_batch_t;


struct ngx_webrtc_inbox_s {
    ngx_webrtc_bus_t            *bus;
    ngx_connection_t            *connection;
    ngx_fd_t                     out;         /* datagrams leave through it */

    ngx_webrtc_inbox_handlers_t  handlers;
    ngx_webrtc_inbox_stat_t      stat;

    u_char                      *buf;         /* NGX_WEBRTC_INBOX_SIZE */
    ngx_socket_t                 fd;          /* that came with it, or -1 */

    ngx_webrtc_inbox_batch_t     batches[NGX_WEBRTC_INBOX_BATCHES];
    ngx_uint_t                   victim;      /* batch to go if all are used */
};


static ngx_webrtc_inbox_t *ngx_webrtc_inbox_create(ngx_webrtc_bus_t *bus,
    ngx_cycle_t *cycle, ngx_webrtc_inbox_handlers_t *handlers);
static ngx_fd_t ngx_webrtc_inbox_socket(ngx_log_t *log);
static ngx_int_t ngx_webrtc_inbox_bind(ngx_webrtc_bus_t *bus, ngx_fd_t fd,
    ngx_log_t *log);
static socklen_t ngx_webrtc_inbox_name(ngx_webrtc_bus_t *bus,
    ngx_uint_t worker, uint32_t generation, struct sockaddr_un *sun);
static u_char *ngx_webrtc_inbox_hex(u_char *p, uint64_t v, ngx_uint_t digits);
static ngx_int_t ngx_webrtc_inbox_send(ngx_webrtc_bus_t *bus, ngx_fd_t fd,
    ngx_uint_t worker, void *p, size_t n);
static ngx_int_t ngx_webrtc_inbox_sendmsg(ngx_webrtc_bus_t *bus, ngx_fd_t fd,
    ngx_uint_t worker, struct msghdr *msg);
static ngx_webrtc_inbox_batch_t *ngx_webrtc_inbox_batch(
    ngx_webrtc_inbox_t *inbox, ngx_uint_t worker, size_t size);
static void ngx_webrtc_inbox_flush_batch(ngx_webrtc_inbox_t *inbox,
    ngx_webrtc_inbox_batch_t *b);
static void ngx_webrtc_inbox_read_handler(ngx_event_t *rev);
static ssize_t ngx_webrtc_inbox_recv(ngx_webrtc_inbox_t *inbox,
    ngx_uint_t *known);
static void ngx_webrtc_inbox_message(ngx_webrtc_inbox_t *inbox, u_char *p,
    u_char *end, ngx_uint_t known);
static ngx_int_t ngx_webrtc_inbox_pass(ngx_webrtc_inbox_t *inbox,
    ngx_webrtc_inbox_record_t *r, u_char *p);
static void ngx_webrtc_inbox_asked(ngx_webrtc_inbox_t *inbox, uint64_t ref);
static void ngx_webrtc_inbox_news(ngx_webrtc_inbox_t *inbox);


ngx_webrtc_inbox_t *
ngx_webrtc_inbox_init(ngx_webrtc_bus_t *bus, ngx_cycle_t *cycle,
    ngx_webrtc_inbox_handlers_t *handlers)
{
    int                  on;
    ngx_fd_t             fd;
    ngx_uint_t           w;
    ngx_event_t         *rev;
    ngx_connection_t    *c;
    ngx_webrtc_inbox_t  *inbox;

    inbox = ngx_webrtc_inbox_create(bus, cycle, handlers);
    if (inbox == NULL) {
        return NULL;
    }

    fd = ngx_webrtc_inbox_socket(cycle->log);
    if (fd == (ngx_fd_t) -1) {
        return NULL;
    }

    /* before anybody knows the name: every message carries credentials */

    on = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(int)) == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_socket_errno,
                      "webrtc inbox setsockopt(SO_PASSCRED) failed");
        goto failed;
    }

    inbox->out = ngx_webrtc_inbox_socket(cycle->log);
    if (inbox->out == (ngx_fd_t) -1) {
        goto failed;
    }

    if (ngx_webrtc_inbox_bind(bus, fd, cycle->log) != NGX_OK) {
        goto failed;
    }

    c = ngx_get_connection(fd, cycle->log);
    if (c == NULL) {
        goto failed;
    }

    c->data = inbox;

    rev = c->read;
    rev->log = c->log;
    rev->handler = ngx_webrtc_inbox_read_handler;

    /* like nginx's own channel: a shutdown does not wait for it */

    rev->channel = 1;
    c->write->channel = 1;

    inbox->connection = c;

    if (ngx_add_event(rev, NGX_READ_EVENT, NGX_LEVEL_EVENT) != NGX_OK) {
        ngx_close_connection(c);
        (void) ngx_close_socket(inbox->out);
        return NULL;
    }

    bus->fd = fd;

    /*
     * Doorbells rung before there was an inbox are lost, and so is what this
     * worker had to send while it reaped others.
     */

    ngx_webrtc_atomic_store_release(&bus->sh->workers[bus->worker].rung, 0);

    for (w = 0; w < ngx_webrtc_atomic_load(&bus->sh->nworkers); w++) {
        (void) ngx_webrtc_inbox_ring(bus, w);
    }

    return inbox;

failed:

    if (inbox->out != (ngx_fd_t) -1) {
        (void) ngx_close_socket(inbox->out);
    }

    (void) ngx_close_socket(fd);

    return NULL;
}


static ngx_webrtc_inbox_t *
ngx_webrtc_inbox_create(ngx_webrtc_bus_t *bus, ngx_cycle_t *cycle,
    ngx_webrtc_inbox_handlers_t *handlers)
{
    ngx_uint_t           w;
    ngx_webrtc_inbox_t  *inbox;

    inbox = ngx_pcalloc(cycle->pool, sizeof(ngx_webrtc_inbox_t));
    if (inbox == NULL) {
        return NULL;
    }

    inbox->bus = bus;
    inbox->handlers = *handlers;
    inbox->out = (ngx_fd_t) -1;
    inbox->fd = (ngx_socket_t) -1;

    inbox->buf = ngx_palloc(cycle->pool, NGX_WEBRTC_INBOX_SIZE);
    if (inbox->buf == NULL) {
        return NULL;
    }

    for (w = 0; w < NGX_WEBRTC_INBOX_BATCHES; w++) {
        inbox->batches[w].buf = ngx_palloc(cycle->pool,
                                           NGX_WEBRTC_INBOX_SIZE);
        if (inbox->batches[w].buf == NULL) {
            return NULL;
        }
    }

    return inbox;
}


void
ngx_webrtc_inbox_done(ngx_webrtc_inbox_t *inbox)
{
    if (inbox->connection == NULL) {
        return;
    }

    inbox->bus->fd = (ngx_fd_t) -1;

    ngx_close_connection(inbox->connection);
    inbox->connection = NULL;

    if (ngx_close_socket(inbox->out) == -1) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_socket_errno,
                      "webrtc inbox " ngx_close_socket_n " failed");
    }

    inbox->out = (ngx_fd_t) -1;
}


ngx_int_t
ngx_webrtc_inbox_datagram(ngx_webrtc_inbox_t *inbox, ngx_uint_t worker,
    ngx_webrtc_path_t *path, uint64_t ref, u_char *p, size_t n)
{
    size_t                      size, pad;
    u_char                     *dst;
    ngx_webrtc_inbox_batch_t   *b;
    ngx_webrtc_inbox_record_t   r;

    if (n > NGX_WEBRTC_INBOX_DATAGRAM || worker >= NGX_WEBRTC_WORKERS) {
        inbox->stat.dropped++;
        return NGX_DECLINED;
    }

    r.type = NGX_WEBRTC_INBOX_PASS;
    r.len = (uint32_t) (sizeof(ngx_webrtc_path_t) + n);
    r.ref = ref;

    size = sizeof(ngx_webrtc_inbox_record_t) + ngx_align(r.len, 8);
    pad = ngx_align(r.len, 8) - r.len;

    b = ngx_webrtc_inbox_batch(inbox, worker, size);

    dst = b->buf + b->len;
    dst = ngx_cpymem(dst, &r, sizeof(ngx_webrtc_inbox_record_t));
    dst = ngx_cpymem(dst, path, sizeof(ngx_webrtc_path_t));
    dst = ngx_cpymem(dst, p, n);
    ngx_memzero(dst, pad);

    b->len += size;

    inbox->stat.datagrams_out++;

    return NGX_OK;
}


void
ngx_webrtc_inbox_flush(ngx_webrtc_inbox_t *inbox)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_INBOX_BATCHES; i++) {
        if (inbox->batches[i].len) {
            ngx_webrtc_inbox_flush_batch(inbox, &inbox->batches[i]);
        }
    }
}


ngx_int_t
ngx_webrtc_inbox_tell(ngx_webrtc_inbox_t *inbox, ngx_uint_t worker,
    uint64_t ref, ngx_uint_t what)
{
    ngx_int_t                  rc;
    ngx_webrtc_inbox_record_t  r;

    r.type = NGX_WEBRTC_INBOX_TELL;
    r.len = (uint32_t) what;
    r.ref = ref;

    rc = ngx_webrtc_inbox_send(inbox->bus, inbox->bus->fd, worker, &r,
                               sizeof(r));
    if (rc != NGX_OK) {
        inbox->stat.dropped++;
    }

    return rc;
}


ngx_int_t
ngx_webrtc_inbox_text(ngx_webrtc_inbox_t *inbox, ngx_uint_t worker,
    uint64_t ref, u_char *p, size_t n)
{
    u_char                     *dst;
    ngx_int_t                   rc;
    ngx_webrtc_inbox_record_t   r;
    u_char                      buf[sizeof(ngx_webrtc_inbox_record_t)
                                    + NGX_WEBRTC_INBOX_TEXT];

    if (n > NGX_WEBRTC_INBOX_TEXT || worker >= NGX_WEBRTC_WORKERS) {
        return NGX_DECLINED;
    }

    r.type = NGX_WEBRTC_INBOX_WORDS;
    r.len = (uint32_t) n;
    r.ref = ref;

    dst = ngx_cpymem(buf, &r, sizeof(ngx_webrtc_inbox_record_t));
    dst = ngx_cpymem(dst, p, n);
    ngx_memzero(dst, ngx_align(n, 8) - n);
    dst += ngx_align(n, 8) - n;

    rc = ngx_webrtc_inbox_send(inbox->bus, inbox->out, worker, buf,
                               dst - buf);
    if (rc != NGX_OK) {
        inbox->stat.dropped++;
    }

    return rc;
}


ngx_int_t
ngx_webrtc_inbox_connection(ngx_webrtc_inbox_t *inbox, ngx_uint_t worker,
    uint64_t ref, ngx_socket_t fd)
{
    ngx_int_t                  rc;
    struct iovec               iov;
    struct msghdr              msg;
    ngx_webrtc_rights_t        rights;
    ngx_webrtc_inbox_record_t  r;

    ngx_memzero(&msg, sizeof(struct msghdr));

    r.type = NGX_WEBRTC_INBOX_CONN;
    r.len = 0;
    r.ref = ref;

    iov.iov_base = &r;
    iov.iov_len = sizeof(r);

    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;

    ngx_webrtc_rights_set(&msg, &rights, fd);

    rc = ngx_webrtc_inbox_sendmsg(inbox->bus, inbox->out, worker, &msg);

    if (rc != NGX_OK) {
        inbox->stat.dropped++;
    }

    return rc;
}


ngx_webrtc_inbox_stat_t *
ngx_webrtc_inbox_stat(ngx_webrtc_inbox_t *inbox)
{
    return &inbox->stat;
}


ngx_int_t
ngx_webrtc_inbox_ring(ngx_webrtc_bus_t *bus, ngx_uint_t worker)
{
    ngx_webrtc_inbox_record_t  r;

    r.type = NGX_WEBRTC_INBOX_RING;
    r.len = 0;
    r.ref = 0;

    return ngx_webrtc_inbox_send(bus, bus->fd, worker, &r, sizeof(r));
}


ngx_int_t
ngx_webrtc_inbox_keyframe(ngx_webrtc_bus_t *bus, ngx_uint_t worker,
    uint64_t ref)
{
    ngx_webrtc_inbox_record_t  r;

    r.type = NGX_WEBRTC_INBOX_KEYFRAME;
    r.len = 0;
    r.ref = ref;

    return ngx_webrtc_inbox_send(bus, bus->fd, worker, &r, sizeof(r));
}


static ngx_fd_t
ngx_webrtc_inbox_socket(ngx_log_t *log)
{
    int       size;
    ngx_fd_t  fd;

    fd = ngx_socket(AF_UNIX, SOCK_DGRAM, 0);

    if (fd == (ngx_fd_t) -1) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_socket_errno,
                      "webrtc inbox " ngx_socket_n " failed");
        return (ngx_fd_t) -1;
    }

    if (ngx_nonblocking(fd) == -1) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_socket_errno,
                      "webrtc inbox " ngx_nonblocking_n " failed");
        goto failed;
    }

    /* not to be inherited by programs that a worker runs */

    if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      "webrtc inbox fcntl(FD_CLOEXEC) failed");
        goto failed;
    }

    size = NGX_WEBRTC_INBOX_SNDBUF;

    /* the kernel takes what it allows */

    (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(int));

    return fd;

failed:

    (void) ngx_close_socket(fd);

    return (ngx_fd_t) -1;
}


static ngx_int_t
ngx_webrtc_inbox_bind(ngx_webrtc_bus_t *bus, ngx_fd_t fd, ngx_log_t *log)
{
    socklen_t           len;
    struct sockaddr_un  sun;

    len = ngx_webrtc_inbox_name(bus, bus->worker, bus->generation, &sun);

    if (bind(fd, (struct sockaddr *) &sun, len) == -1) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_socket_errno,
                      "webrtc inbox bind() to abstract \"%s\" failed",
                      &sun.sun_path[1]);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* may run in any thread, so no printf */

static socklen_t
ngx_webrtc_inbox_name(ngx_webrtc_bus_t *bus, ngx_uint_t worker,
    uint32_t generation, struct sockaddr_un *sun)
{
    u_char  *p;

    ngx_memzero(sun, sizeof(struct sockaddr_un));

    sun->sun_family = AF_UNIX;

    /* the first byte of an abstract name is zero */

    p = (u_char *) &sun->sun_path[1];
    p = ngx_cpymem(p, "webrtc-", sizeof("webrtc-") - 1);
    p = ngx_webrtc_inbox_hex(p, bus->sh->token, 16);
    *p++ = '-';
    p = ngx_webrtc_inbox_hex(p, worker, 3);
    *p++ = '-';
    p = ngx_webrtc_inbox_hex(p, generation, 8);

    return (socklen_t) (p - (u_char *) sun);
}


static u_char *
ngx_webrtc_inbox_hex(u_char *p, uint64_t v, ngx_uint_t digits)
{
    static const u_char  hex[] = "0123456789abcdef";

    while (digits--) {
        *p++ = hex[(v >> (4 * digits)) & 0xf];
    }

    return p;
}


static ngx_int_t
ngx_webrtc_inbox_send(ngx_webrtc_bus_t *bus, ngx_fd_t fd, ngx_uint_t worker,
    void *p, size_t n)
{
    struct iovec   iov;
    struct msghdr  msg;

    ngx_memzero(&msg, sizeof(struct msghdr));

    iov.iov_base = p;
    iov.iov_len = n;

    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;

    return ngx_webrtc_inbox_sendmsg(bus, fd, worker, &msg);
}


static ngx_int_t
ngx_webrtc_inbox_sendmsg(ngx_webrtc_bus_t *bus, ngx_fd_t fd, ngx_uint_t worker,
    struct msghdr *msg)
{
    ssize_t             rc;
    uint64_t            id;
    socklen_t           len;
    struct sockaddr_un  sun;

    if (fd == (ngx_fd_t) -1 || worker >= NGX_WEBRTC_WORKERS) {
        return NGX_DECLINED;
    }

    id = ngx_webrtc_atomic_load_acquire(&bus->sh->workers[worker].id);

    if (id == 0) {
        return NGX_DECLINED;
    }

    len = ngx_webrtc_inbox_name(bus, worker, ngx_webrtc_endpoint_generation(id),
                                &sun);

    msg->msg_name = &sun;
    msg->msg_namelen = len;

    do {
        rc = sendmsg(fd, msg, MSG_DONTWAIT|MSG_NOSIGNAL);
    } while (rc == -1 && errno == EINTR);

    if (rc != -1) {
        return NGX_OK;
    }

    return (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
           ? NGX_AGAIN : NGX_DECLINED;
}


/* a batch for this worker, with room for size bytes */

static ngx_webrtc_inbox_batch_t *
ngx_webrtc_inbox_batch(ngx_webrtc_inbox_t *inbox, ngx_uint_t worker,
    size_t size)
{
    ngx_uint_t                 i;
    ngx_webrtc_inbox_batch_t  *b, *room;

    room = NULL;

    for (i = 0; i < NGX_WEBRTC_INBOX_BATCHES; i++) {
        b = &inbox->batches[i];

        if (b->len == 0) {
            room = b;
            continue;
        }

        if (b->worker != worker) {
            continue;
        }

        if (size > NGX_WEBRTC_INBOX_SIZE - b->len) {
            ngx_webrtc_inbox_flush_batch(inbox, b);
        }

        return b;
    }

    if (room == NULL) {
        room = &inbox->batches[inbox->victim++ % NGX_WEBRTC_INBOX_BATCHES];
        ngx_webrtc_inbox_flush_batch(inbox, room);
    }

    room->worker = worker;

    return room;
}


static void
ngx_webrtc_inbox_flush_batch(ngx_webrtc_inbox_t *inbox,
    ngx_webrtc_inbox_batch_t *b)
{
    u_char                     *p;
    ngx_webrtc_inbox_record_t  *r;

    if (ngx_webrtc_inbox_send(inbox->bus, inbox->out, b->worker, b->buf,
                              b->len)
        != NGX_OK)
    {
        for (p = b->buf; p < b->buf + b->len; p += ngx_align(r->len, 8)) {
            r = (ngx_webrtc_inbox_record_t *) (void *) p;
            p += sizeof(ngx_webrtc_inbox_record_t);

            inbox->stat.datagrams_out--;
            inbox->stat.dropped++;
        }
    }

    b->len = 0;
}


static void
ngx_webrtc_inbox_read_handler(ngx_event_t *rev)
{
    ssize_t              n;
    ngx_uint_t           i, known;
    ngx_connection_t    *c;
    ngx_webrtc_inbox_t  *inbox;

    c = rev->data;
    inbox = c->data;

    for (i = 0; i < NGX_WEBRTC_INBOX_MESSAGES; i++) {

        n = ngx_webrtc_inbox_recv(inbox, &known);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n < 0) {
            ngx_log_error(NGX_LOG_ALERT, rev->log, ngx_socket_errno,
                          "webrtc inbox recvmsg() failed");
            break;
        }

        ngx_webrtc_inbox_message(inbox, inbox->buf, inbox->buf + n, known);

        if (inbox->fd != (ngx_socket_t) -1) {

            /* nobody has taken it: it came from somebody else, or in vain */

            (void) ngx_close_socket(inbox->fd);
            inbox->fd = (ngx_socket_t) -1;
        }

        if (inbox->connection == NULL) {
            return;
        }
    }

    /* whatever has arrived: see "Wake-ups" in ngx_webrtc_bus_streams.c */

    ngx_webrtc_inbox_news(inbox);
}


/*
 * Receives one message, and the descriptor that came with it: inbox->fd.
 * *known is set if a worker of the zone has sent it.
 *
 * Returns its length, NGX_AGAIN or NGX_ERROR.
 */

static ssize_t
ngx_webrtc_inbox_recv(ngx_webrtc_inbox_t *inbox, ngx_uint_t *known)
{
    ssize_t                     n;
    uint64_t                    id;
    ngx_uint_t                  w;
    struct iovec                iov;
    struct ucred                cred;
    struct msghdr               msg;
    ngx_webrtc_bus_sh_t        *sh;
    ngx_webrtc_ucred_rights_t   control;

    ngx_memzero(&msg, sizeof(struct msghdr));

    iov.iov_base = inbox->buf;
    iov.iov_len = NGX_WEBRTC_INBOX_SIZE;

    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;
    msg.msg_control = &control;
    msg.msg_controllen = sizeof(control);

    do {
        n = recvmsg(inbox->bus->fd, &msg, MSG_DONTWAIT|MSG_CMSG_CLOEXEC);
    } while (n == -1 && ngx_socket_errno == NGX_EINTR);

    if (n == -1) {
        return (ngx_socket_errno == NGX_EAGAIN) ? NGX_AGAIN : NGX_ERROR;
    }

    *known = 0;

    inbox->fd = ngx_webrtc_rights_get(&msg);

    if ((msg.msg_flags & MSG_TRUNC)
        || ngx_webrtc_ucred(&msg, &cred) != NGX_OK)
    {
        return n;
    }

    sh = inbox->bus->sh;

    for (w = 0; w < ngx_webrtc_atomic_load(&sh->nworkers); w++) {
        id = ngx_webrtc_atomic_load_acquire(&sh->workers[w].id);

        if (id
            && ngx_webrtc_endpoint_pid(id) == cred.pid
            && sh->workers[w].uid == cred.uid)
        {
            *known = 1;
            break;
        }
    }

    return n;
}


static void
ngx_webrtc_inbox_message(ngx_webrtc_inbox_t *inbox, u_char *p, u_char *end,
    ngx_uint_t known)
{
    ngx_webrtc_inbox_record_t  r;

    while (p < end) {

        if (sizeof(ngx_webrtc_inbox_record_t) > (size_t) (end - p)) {
            inbox->stat.malformed++;
            return;
        }

        ngx_memcpy(&r, p, sizeof(ngx_webrtc_inbox_record_t));
        p += sizeof(ngx_webrtc_inbox_record_t);

        if (r.type == NGX_WEBRTC_INBOX_RING) {
            inbox->stat.rings++;
            continue;
        }

        if (!known) {
            inbox->stat.foreign++;
            return;
        }

        switch (r.type) {

        case NGX_WEBRTC_INBOX_TELL:
            inbox->stat.tells_in++;

            if (inbox->handlers.on_tell) {
                inbox->handlers.on_tell(inbox->handlers.ctx, r.ref, r.len);
            }

            break;

        case NGX_WEBRTC_INBOX_KEYFRAME:
            ngx_webrtc_inbox_asked(inbox, r.ref);
            break;

        case NGX_WEBRTC_INBOX_CONN:

            if (inbox->fd != (ngx_socket_t) -1
                && inbox->handlers.on_connection)
            {
                inbox->handlers.on_connection(inbox->handlers.ctx, inbox->fd);
                inbox->fd = (ngx_socket_t) -1;
            }

            break;

        case NGX_WEBRTC_INBOX_PASS:

            if (ngx_align((size_t) r.len, 8) > (size_t) (end - p)
                || ngx_webrtc_inbox_pass(inbox, &r, p) != NGX_OK)
            {
                inbox->stat.malformed++;
                return;
            }

            p += ngx_align((size_t) r.len, 8);
            break;

        case NGX_WEBRTC_INBOX_WORDS:

            if (ngx_align((size_t) r.len, 8) > (size_t) (end - p)) {
                inbox->stat.malformed++;
                return;
            }

            if (inbox->handlers.on_text) {
                inbox->handlers.on_text(inbox->handlers.ctx, r.ref, p, r.len);
            }

            p += ngx_align((size_t) r.len, 8);
            break;

        default:
            inbox->stat.malformed++;
            return;
        }

        if (inbox->connection == NULL) {
            return;
        }
    }
}


static ngx_int_t
ngx_webrtc_inbox_pass(ngx_webrtc_inbox_t *inbox, ngx_webrtc_inbox_record_t *r,
    u_char *p)
{
    ngx_webrtc_path_t  path;

    if (r->len < sizeof(ngx_webrtc_path_t)) {
        return NGX_DECLINED;
    }

    ngx_memcpy(&path, p, sizeof(ngx_webrtc_path_t));

    if (path.remote.len > (socklen_t) sizeof(path.remote.u)) {
        return NGX_DECLINED;
    }

    inbox->stat.datagrams_in++;

    if (inbox->handlers.on_datagram) {
        inbox->handlers.on_datagram(inbox->handlers.ctx, &path, r->ref,
                                    p + sizeof(ngx_webrtc_path_t),
                                    r->len - sizeof(ngx_webrtc_path_t));
    }

    return NGX_OK;
}


static void
ngx_webrtc_inbox_asked(ngx_webrtc_inbox_t *inbox, uint64_t ref)
{
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_stream_t  *st;

    bus = inbox->bus;

    if (ngx_webrtc_ref_entry(ref) >= bus->sh->streams.n || bus->held == NULL) {
        return;
    }

    st = bus->held[ngx_webrtc_ref_entry(ref)];

    if (st == NULL || st->ref != ref) {
        return;
    }

    if (inbox->handlers.on_keyframe == NULL
        || !ngx_webrtc_bus_is_mine(bus, st))
    {
        ngx_webrtc_bus_keyframe_done(st);
        return;
    }

    inbox->handlers.on_keyframe(inbox->handlers.ctx, st);
}


static void
ngx_webrtc_inbox_news(ngx_webrtc_inbox_t *inbox)
{
    uint64_t             *news, bits;
    uint32_t              i, n, id;
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_stream_t  *st;

    bus = inbox->bus;

    if (bus->held == NULL) {
        return;
    }

    (void) ngx_webrtc_atomic_swap(&bus->sh->workers[bus->worker].rung, 0);

    ngx_webrtc_atomic_fence_full();

    news = ngx_webrtc_bus_news(bus->sh, bus->worker);
    n = (ngx_webrtc_atomic_load(&bus->sh->streams.top) + 63) / 64;

    for (i = 0; i < n; i++) {

        if (ngx_webrtc_atomic_load(&news[i]) == 0) {
            continue;
        }

        bits = ngx_webrtc_atomic_swap(&news[i], 0);

        /* the news before the stream: what it has now is seen */

        ngx_webrtc_atomic_fence_full();

        while (bits) {
            id = i * 64 + (uint32_t) __builtin_ctzll(bits);
            bits &= bits - 1;

            st = bus->held[id];

            if (st && inbox->handlers.on_stream) {
                inbox->handlers.on_stream(inbox->handlers.ctx, st);
            }

            if (inbox->connection == NULL) {
                return;
            }
        }
    }
}
