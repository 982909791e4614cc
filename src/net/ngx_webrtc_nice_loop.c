
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The loop of an agent of full ICE: its GMainContext on nginx's events.  Of the
 * agent it knows only that, and what its signals have recorded.
 *
 * How it is driven.  Each agent has a GMainContext of its own, so that an event
 * of one session costs nothing for the others.  A turn is what a GLib loop
 * would do (prepare, query, poll, check, dispatch), with a poll() that never
 * waits, repeated while there was something to dispatch.  Then nginx is made to
 * watch exactly the descriptors that the context wants, one connection each,
 * and its timeout becomes nginx's timer.  A turn follows each event, each
 * expiry of the timer, and each call that may have changed what is wanted.
 *
 * Events are level triggered: what a turn has left over comes back.
 *
 * The agent opens and closes its sockets at will, even within a turn, so that a
 * descriptor may be another socket afterwards: sockets are told apart by their
 * inode.  A closed socket has left epoll by itself, and its state is dropped
 * without a system call on a descriptor that is another's by now.
 *
 * Packets that come one by one cost a turn each.  A session that gets many of
 * them has its sockets rest for a while after each read, as a network card
 * holds its interrupts back.
 *
 * libnice's reading costs as much per packet as DTLS.  So what comes over the
 * path that we send on past it (ngx_webrtc_nice_path.c) is read past it, too:
 * DTLS and RTP, from exactly that address, by that channel.  All else is left
 * to libnice.
 *
 * libnice drops answers to requests that are not its own, and does not report
 * what TURN servers answer.  While a request of ours or one to a TURN server is
 * pending, what waits in a socket is looked at (ngx_webrtc_nice_peek.c,
 * ngx_webrtc_nice_relay.c) before libnice reads it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <netinet/tcp.h>
#include <poll.h>
#include "ngx_webrtc_nice_loop.h"
#include "ngx_webrtc_nice_peek.h"
#include "ngx_webrtc_nice_spare.h"
#include "ngx_webrtc_rtp.h"
#include "ngx_webrtc_turn.h"


/* sockets of an agent: per address one, and one per address and TURN server
 * over TCP */
#define NGX_WEBRTC_NICE_FDS        256

/* batches of a turn; chosen: see NGX_WEBRTC_NICE_TURNS */
#define NGX_WEBRTC_NICE_TAKES      4

/* initial room for descriptors */
#define NGX_WEBRTC_NICE_FDS_START  8

/* ms between turns while connections are short; chosen */
#define NGX_WEBRTC_NICE_STARVED    20

/* bytes of each of a socket's buffers, as far as the system allows; chosen:
 * what SCTP has in flight at most */
#define NGX_WEBRTC_NICE_SOCKBUF    (4 * 1024 * 1024)


/* the socket that a datagram is seen in */
typedef struct {
    ngx_webrtc_nice_t     *nice;
    ngx_webrtc_nice_io_t  *io;
} ngx_webrtc_nice_seen_t;


static void ngx_webrtc_nice_drive(ngx_webrtc_nice_t *nice);
static void ngx_webrtc_nice_delivered(ngx_webrtc_nice_t *nice);
static void ngx_webrtc_nice_look(ngx_webrtc_nice_t *nice, ngx_uint_t nfds);
static void ngx_webrtc_nice_look_at(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_io_t *io, GPollFD *fd);
static void ngx_webrtc_nice_seen(void *ctx, struct sockaddr *sa, u_char *p,
    size_t n);
static void ngx_webrtc_nice_take_data(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_io_t *io, GPollFD *fd);
static ngx_int_t ngx_webrtc_nice_owns(void *ctx, struct sockaddr *sa,
    socklen_t len, u_char *p, size_t n);
static void ngx_webrtc_nice_taken_one(void *ctx, u_char *p, size_t n);
static ngx_int_t ngx_webrtc_nice_query(ngx_webrtc_nice_t *nice, gint priority,
    gint *timeout);
static ngx_int_t ngx_webrtc_nice_grow(ngx_webrtc_nice_t *nice, ngx_uint_t n);
static void ngx_webrtc_nice_sync(ngx_webrtc_nice_t *nice, ngx_uint_t nfds);
static void ngx_webrtc_nice_adopt(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_io_t *io);
static void ngx_webrtc_nice_watch(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_io_t *io, short events);
static ngx_connection_t *ngx_webrtc_nice_connection(ngx_webrtc_nice_t *nice,
    ngx_socket_t fd);
static ngx_uint_t ngx_webrtc_nice_buffers(ngx_socket_t fd);
static void ngx_webrtc_nice_forget(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_io_t *io);
static void ngx_webrtc_nice_set_cork(ngx_webrtc_nice_t *nice, int on);
static ngx_int_t ngx_webrtc_nice_inode(ngx_socket_t fd, ino_t *ino);
static void ngx_webrtc_nice_schedule(ngx_webrtc_nice_t *nice, gint timeout);
static void ngx_webrtc_nice_event_handler(ngx_event_t *ev);
static void ngx_webrtc_nice_timer_handler(ngx_event_t *ev);
static void ngx_webrtc_nice_post_handler(ngx_event_t *ev);


ngx_int_t
ngx_webrtc_nice_loop(ngx_webrtc_nice_t *nice, ngx_webrtc_nice_end_pt end)
{
    nice->end = end;

    nice->timer.handler = ngx_webrtc_nice_timer_handler;
    nice->timer.data = nice;
    nice->timer.log = nice->conf.log;

    nice->post.handler = ngx_webrtc_nice_post_handler;
    nice->post.data = nice;
    nice->post.log = nice->conf.log;

    return ngx_webrtc_nice_grow(nice, NGX_WEBRTC_NICE_FDS_START);
}


ngx_int_t
ngx_webrtc_nice_begin(ngx_webrtc_nice_t *nice)
{
    gint       priority, timeout;
    ngx_int_t  nfds;

    (void) g_main_context_prepare(nice->context, &priority);

    nfds = ngx_webrtc_nice_query(nice, priority, &timeout);

    if (nfds == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_webrtc_nice_sync(nice, nfds);

    if (nice->deaf) {
        return NGX_ERROR;
    }

    return ngx_webrtc_nice_room(nice->conf.log);
}


void
ngx_webrtc_nice_wake(ngx_webrtc_nice_t *nice)
{
    if (!nice->driving && !nice->post.posted) {
        ngx_post_event(&nice->post, &ngx_posted_events);
    }
}


void
ngx_webrtc_nice_tell(ngx_webrtc_nice_t *nice)
{
    if (nice->candidate && !nice->closed) {
        nice->candidate = 0;
        nice->conf.candidate(nice->conf.ctx);
    }

    if (nice->gathered && !nice->told && !nice->closed) {
        nice->told = 1;
        nice->conf.gathered(nice->conf.ctx);
    }

    if (nice->news != nice->state && nice->news && !nice->closed) {
        nice->state = nice->news;
        nice->conf.state(nice->conf.ctx, nice->state);
    }

    if (nice->reflexive && !nice->closed) {
        nice->reflexive = 0;
        nice->conf.reflexive(nice->conf.ctx, nice->nreflexive);
    }
}


static void
ngx_webrtc_nice_drive(ngx_webrtc_nice_t *nice)
{
    gint            priority, timeout;
    ngx_int_t       nfds;
    ngx_uint_t      turn, ended;
    ngx_msec_int_t  due;

    if (nice->driving) {
        return;
    }

    nice->driving = 1;
    nfds = 0;
    timeout = -1;

    if (nice->resting
        && (ngx_msec_int_t) (ngx_current_msec - nice->rested) >= 0)
    {
        nice->resting = 0;
    }

    /* our own calls cause events too */

    ngx_webrtc_nice_tell(nice);

    for (turn = 0; turn < NGX_WEBRTC_NICE_TURNS; turn++) {

        (void) g_main_context_prepare(nice->context, &priority);

        nfds = ngx_webrtc_nice_query(nice, priority, &timeout);

        if (nfds == NGX_ERROR) {
            break;
        }

        if (nfds) {
            (void) poll((struct pollfd *) nice->fds, nfds, 0);

            if (nice->expect || nice->deaf || nice->watch || nice->resting
                || nice->socket)
            {
                ngx_webrtc_nice_look(nice, nfds);
            }

            if (nice->closed && !nice->ended) {
                break;
            }
        }

        if (!g_main_context_check(nice->context, priority, nice->fds,
                                  (gint) nfds))
        {
            break;
        }

        g_main_context_dispatch(nice->context);

        ngx_webrtc_nice_tell(nice);

        if (nice->closed && !nice->ended) {
            break;
        }
    }

    ngx_webrtc_nice_delivered(nice);

    nice->driving = 0;

    if (nice->closed) {
        ended = nice->ended;

        if (nice->end(nice) != NGX_OK || !ended) {
            /* what was asked for is of before it, and another turn comes */
            return;
        }
    }

    if (nfds == NGX_ERROR || turn == NGX_WEBRTC_NICE_TURNS) {

        /* others first */

        ngx_webrtc_nice_schedule(nice, 0);
        return;
    }

    ngx_webrtc_nice_sync(nice, nfds);

    if (nice->starved && (timeout < 0 || timeout > NGX_WEBRTC_NICE_STARVED)) {
        timeout = NGX_WEBRTC_NICE_STARVED;
    }

    if (nice->resting && (timeout < 0 || timeout > (gint) nice->rest)) {
        timeout = (gint) nice->rest;
    }

    if (nice->ended) {
        due = (ngx_msec_int_t) (nice->due - ngx_current_msec);
        due = ngx_max(due, 0);

        if (timeout < 0 || timeout > (gint) due) {
            timeout = (gint) due;
        }
    }

    ngx_webrtc_nice_schedule(nice, timeout);
}


/* what was waiting has been read */

static void
ngx_webrtc_nice_delivered(ngx_webrtc_nice_t *nice)
{
    if (nice->input && !nice->closed) {

        nice->conf.done(nice->conf.ctx);

        if (nice->rest && !nice->closed) {
            nice->resting = 1;
            nice->rested = ngx_current_msec + nice->rest;
        }
    }

    nice->input = 0;

    if (nice->corked) {
        ngx_webrtc_nice_set_cork(nice, 0);
    }
}


/* what is readable is looked at before libnice does */

static void
ngx_webrtc_nice_look(ngx_webrtc_nice_t *nice, ngx_uint_t nfds)
{
    ngx_uint_t  i, k;

    for (i = 0; i < nfds; i++) {

        if (nice->resting) {
            nice->fds[i].revents &= (gushort) ~G_IO_IN;
        }

        if (!(nice->fds[i].revents & (G_IO_IN|G_IO_ERR|G_IO_HUP))) {
            continue;
        }

        for (k = 0; k < nice->nios; k++) {
            if (nice->ios[k].fd == nice->fds[i].fd) {
                ngx_webrtc_nice_look_at(nice, &nice->ios[k], &nice->fds[i]);
            }
        }
    }
}


static void
ngx_webrtc_nice_look_at(ngx_webrtc_nice_t *nice, ngx_webrtc_nice_io_t *io,
    GPollFD *fd)
{
    ngx_webrtc_nice_seen_t  seen;

    if (io->deaf) {
        fd->revents = 0;
        return;
    }

    if (!io->dgram) {

        if (nice->watch
            && ngx_webrtc_nice_relay_stream(nice->turn, &io->relay, io->fd)
               == NGX_AGAIN)
        {
            fd->revents &= (gushort) ~G_IO_IN;
        }

        return;
    }

    if (nice->watch && (fd->revents & G_IO_ERR)) {
        ngx_webrtc_nice_relay_errors(nice->turn, io->fd);
        fd->revents &= (gushort) ~G_IO_ERR;
    }

    if (nice->socket && !nice->watch && !nice->closed
        && (fd->revents & G_IO_IN)
        && !g_socket_is_closed(nice->socket)
        && g_socket_get_fd(nice->socket) == io->fd)
    {
        ngx_webrtc_nice_take_data(nice, io, fd);
    }

    /* what is left, an answer perhaps, is libnice's */

    if ((nice->expect || nice->watch) && !nice->closed
        && (fd->revents & G_IO_IN))
    {
        seen.nice = nice;
        seen.io = io;

        ngx_webrtc_nice_peek(io->fd, ngx_webrtc_nice_seen, &seen);
    }
}


static void
ngx_webrtc_nice_take_data(ngx_webrtc_nice_t *nice, ngx_webrtc_nice_io_t *io,
    GPollFD *fd)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_NICE_TAKES; i++) {

        rc = ngx_webrtc_nice_take(io->fd, ngx_webrtc_nice_owns,
                                  ngx_webrtc_nice_taken_one, nice);

        if (rc == NGX_DECLINED || nice->closed) {
            return;
        }

        if (rc == NGX_OK) {
            break;
        }
    }

    /* what is left comes back with the next event */

    fd->revents &= (gushort) ~G_IO_IN;
}


static ngx_int_t
ngx_webrtc_nice_owns(void *ctx, struct sockaddr *sa, socklen_t len, u_char *p,
    size_t n)
{
    ngx_webrtc_nice_t *nice = ctx;

    if (ngx_cmp_sockaddr(sa, len, &nice->dst.remote.sockaddr, nice->dst.len,
                         1)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (nice->channel) {
        p = ngx_webrtc_turn_data(p, &n, nice->channel);

        if (p == NULL) {
            return NGX_DECLINED;
        }
    }

    switch (ngx_webrtc_rtp_classify(p, n)) {

    case NGX_WEBRTC_DATAGRAM_DTLS:
    case NGX_WEBRTC_DATAGRAM_RTP:
    case NGX_WEBRTC_DATAGRAM_RTCP:
        return NGX_OK;

    default:
        return NGX_DECLINED;
    }
}


static void
ngx_webrtc_nice_taken_one(void *ctx, u_char *p, size_t n)
{
    ngx_webrtc_nice_t *nice = ctx;

    if (nice->closed) {
        return;
    }

    /* it may have unselected the path, but not what is read of a frame */

    if (ngx_webrtc_turn_channel(p, n)) {
        n = ngx_min(n - NGX_WEBRTC_TURN_FRAME, (size_t) (p[2] << 8 | p[3]));
        p += NGX_WEBRTC_TURN_FRAME;
    }

    nice->input = 1;
    nice->conf.input(nice->conf.ctx, p, n);
}


static void
ngx_webrtc_nice_seen(void *ctx, struct sockaddr *sa, u_char *p, size_t n)
{
    ngx_webrtc_nice_seen_t *seen = ctx;

    ngx_uint_t          channel;
    ngx_webrtc_nice_t  *nice;

    nice = seen->nice;

    if (nice->watch) {
        ngx_webrtc_nice_relay_input(nice->turn, &seen->io->relay, sa, p, n);
    }

    if (nice->expect && !nice->closed) {

        channel = ngx_webrtc_turn_channel(p, n);
        p = ngx_webrtc_turn_response(p, &n);

        if (p && nice->conf.answer(nice->conf.ctx, p, n) == NGX_OK
            && !nice->closed)
        {
            nice->answered(nice, seen->io->fd, sa, channel);
        }
    }
}


/* the number of descriptors in nice->fds, NGX_ERROR without memory */

static ngx_int_t
ngx_webrtc_nice_query(ngx_webrtc_nice_t *nice, gint priority, gint *timeout)
{
    gint  n;

    for ( ;; ) {
        n = g_main_context_query(nice->context, priority, timeout, nice->fds,
                                 (gint) nice->nalloc);

        if (n <= (gint) nice->nalloc) {
            return n;
        }

        if (ngx_webrtc_nice_grow(nice, n) != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_webrtc_nice_grow(ngx_webrtc_nice_t *nice, ngx_uint_t n)
{
    void                  *p;
    GPollFD               *fds;
    ngx_webrtc_nice_io_t  *ios;

    if (n > NGX_WEBRTC_NICE_FDS) {
        return NGX_ERROR;
    }

    p = ngx_alloc(n * (sizeof(GPollFD) + sizeof(ngx_webrtc_nice_io_t)),
                  nice->conf.log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ios = p;
    fds = (GPollFD *) (ios + n);

    if (nice->ios) {
        ngx_memcpy(ios, nice->ios, nice->nios * sizeof(ngx_webrtc_nice_io_t));
        ngx_free(nice->ios);
    }

    nice->ios = ios;
    nice->fds = fds;
    nice->nalloc = n;

    return NGX_OK;
}


/* makes nginx watch what the context wants, and nothing else */

static void
ngx_webrtc_nice_sync(ngx_webrtc_nice_t *nice, ngx_uint_t nfds)
{
    ino_t                  ino;
    ngx_uint_t             i, k;
    ngx_webrtc_nice_io_t  *io;

    for (k = 0; k < nice->nios; k++) {
        nice->ios[k].seen = 0;
    }

    nice->starved = 0;

    for (i = 0; i < nfds; i++) {

        /* the context's own eventfd is for other threads: there are none */

        if (ngx_webrtc_nice_inode(nice->fds[i].fd, &ino) != NGX_OK) {
            continue;
        }

        for (k = 0; k < nice->nios; k++) {
            if (nice->ios[k].fd == nice->fds[i].fd) {
                break;
            }
        }

        io = &nice->ios[k];

        if (k == nice->nios) {

            /* no more are known than the context has and there is room for */

            if (nice->nios == nice->nalloc) {
                nice->starved = 1;
                continue;
            }

            nice->nios++;
            io->c = NULL;
            io->fd = nice->fds[i].fd;
            io->ino = ino;

            ngx_webrtc_nice_adopt(nice, io);

        } else if (io->ino != ino) {
            ngx_webrtc_nice_forget(nice, io);
            io->ino = ino;

            ngx_webrtc_nice_adopt(nice, io);
        }

        io->seen = 1;

        ngx_webrtc_nice_watch(nice, io, (short) nice->fds[i].events);
    }

    for (k = 0; k < nice->nios; /* void */ ) {
        io = &nice->ios[k];

        if (io->seen) {

            if (nice->watch && nice->gathered) {
                ngx_webrtc_nice_relay_leave(&io->relay, io->fd, io->dgram);
            }

            k++;
            continue;
        }

        ngx_webrtc_nice_forget(nice, io);
        *io = nice->ios[--nice->nios];
    }

    if (nice->gathered) {
        nice->watch = 0;
    }
}


/* A socket is read through its filter or not at all. */

static void
ngx_webrtc_nice_adopt(ngx_webrtc_nice_t *nice, ngx_webrtc_nice_io_t *io)
{
    io->dgram = ngx_webrtc_nice_buffers(io->fd);
    io->deaf = 0;

    if (io->dgram
        && ngx_webrtc_ice_filter_attach(&nice->conf.filter, nice->servers,
                                        nice->nservers, io->fd,
                                        nice->conf.log)
           != NGX_OK)
    {
        io->deaf = 1;
        nice->deaf = 1;
    }

    if (nice->watch) {
        ngx_webrtc_nice_relay_open(nice->turn, &io->relay, io->fd, io->dgram,
                                   nice->conf.relay);
    }
}


static void
ngx_webrtc_nice_watch(ngx_webrtc_nice_t *nice, ngx_webrtc_nice_io_t *io,
    short events)
{
    ngx_uint_t    want;
    ngx_event_t  *ev;

    if (io->c == NULL) {
        io->c = ngx_webrtc_nice_connection(nice, io->fd);
        if (io->c == NULL) {
            nice->starved = 1;
            return;
        }

        io->events = 0;
    }

    events &= (io->deaf || nice->resting) ? POLLOUT : POLLIN|POLLOUT;

    if (io->events == events) {
        return;
    }

    for (want = POLLIN; want <= POLLOUT; want += POLLOUT - POLLIN) {

        if (((io->events ^ events) & want) == 0) {
            continue;
        }

        ev = (want == POLLIN) ? io->c->read : io->c->write;

        if (events & want) {
            if (ngx_add_event(ev, (want == POLLIN) ? NGX_READ_EVENT
                                                   : NGX_WRITE_EVENT,
                              NGX_LEVEL_EVENT)
                != NGX_OK)
            {
                nice->starved = 1;
                return;
            }

        } else {
            (void) ngx_del_event(ev, (want == POLLIN) ? NGX_READ_EVENT
                                                      : NGX_WRITE_EVENT, 0);
        }
    }

    io->events = events;
}


static ngx_connection_t *
ngx_webrtc_nice_connection(ngx_webrtc_nice_t *nice, ngx_socket_t fd)
{
    ngx_connection_t  *c;

    /* nginx's own line would be one for each attempt */

    c = ngx_webrtc_nice_connections(nice->conf.log)
        ? ngx_get_connection(fd, nice->conf.log) : NULL;

    if (c == NULL) {
        return NULL;
    }

    c->data = nice;
    c->log = nice->conf.log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_webrtc_nice_event_handler;
    c->write->handler = ngx_webrtc_nice_event_handler;

    return c;
}


/*
 * GLib leaves a socket's buffers as they are: too small for a fast path.  The
 * kernel sizes those of TCP, towards a TURN server, unless somebody else does.
 *
 * Returns whether it is one of UDP.
 */

static ngx_uint_t
ngx_webrtc_nice_buffers(ngx_socket_t fd)
{
    int        size, type;
    socklen_t  len;

    len = sizeof(int);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1
        || type != SOCK_DGRAM)
    {
        return 0;
    }

    size = NGX_WEBRTC_NICE_SOCKBUF;

    (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(int));
    (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(int));

    return 1;
}


/* the socket stays the agent's, if it is still there */

static void
ngx_webrtc_nice_forget(ngx_webrtc_nice_t *nice, ngx_webrtc_nice_io_t *io)
{
    ino_t              ino;
    ngx_uint_t         flags;
    ngx_connection_t  *c;

    c = io->c;

    if (c == NULL) {
        return;
    }

    io->c = NULL;

    flags = (ngx_webrtc_nice_inode(io->fd, &ino) == NGX_OK && ino == io->ino)
            ? 0 : NGX_CLOSE_EVENT;

    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, flags);
    }

    if (c->write->active) {
        (void) ngx_del_event(c->write, NGX_WRITE_EVENT, flags);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    /* events of it that were fetched already are stale from now on */

    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;
}


void
ngx_webrtc_nice_cork(ngx_webrtc_nice_t *nice)
{
    if (!nice->corked) {
        ngx_webrtc_nice_set_cork(nice, 1);
    }

    ngx_webrtc_nice_wake(nice);
}


/* the connections to TURN servers; what is left over leaves by itself, later */

static void
ngx_webrtc_nice_set_cork(ngx_webrtc_nice_t *nice, int on)
{
    ino_t                  ino;
    ngx_uint_t             k;
    ngx_webrtc_nice_io_t  *io;

    nice->corked = on ? 1 : 0;

    for (k = 0; k < nice->nios; k++) {
        io = &nice->ios[k];

        if (!io->dgram && ngx_webrtc_nice_inode(io->fd, &ino) == NGX_OK
            && ino == io->ino)
        {
            (void) setsockopt(io->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(int));
        }
    }
}


/* NGX_DECLINED: no socket */

static ngx_int_t
ngx_webrtc_nice_inode(ngx_socket_t fd, ino_t *ino)
{
    struct stat  st;

    if (fstat(fd, &st) == -1 || !S_ISSOCK(st.st_mode)) {
        return NGX_DECLINED;
    }

    *ino = st.st_ino;

    return NGX_OK;
}


/* timeout in ms, -1: none */

static void
ngx_webrtc_nice_schedule(ngx_webrtc_nice_t *nice, gint timeout)
{
    ngx_msec_t  at;

    if (timeout < 0) {
        if (nice->timer.timer_set) {
            ngx_del_timer(&nice->timer);
        }

        return;
    }

    at = ngx_current_msec + timeout;

    if (nice->timer.timer_set) {

        /* an early turn does no harm and sets the timer again */

        if ((ngx_msec_int_t) (nice->timer.timer.key - at) <= 0) {
            return;
        }

        ngx_del_timer(&nice->timer);
    }

    ngx_add_timer(&nice->timer, timeout ? timeout : 1);
}


static void
ngx_webrtc_nice_event_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    if (c->close) {
        /* worker_shutdown_timeout: the port's connection ends the sessions */
        c->close = 0;
        return;
    }

    ngx_webrtc_nice_drive(c->data);
}


static void
ngx_webrtc_nice_timer_handler(ngx_event_t *ev)
{
    ngx_webrtc_nice_drive(ev->data);
}


static void
ngx_webrtc_nice_post_handler(ngx_event_t *ev)
{
    ngx_webrtc_nice_drive(ev->data);
}


void
ngx_webrtc_nice_detach(ngx_webrtc_nice_t *nice)
{
    while (nice->nios) {
        ngx_webrtc_nice_forget(nice, &nice->ios[--nice->nios]);
    }

    if (nice->timer.timer_set) {
        ngx_del_timer(&nice->timer);
    }

    if (nice->post.posted) {
        ngx_delete_posted_event(&nice->post);
    }
}
