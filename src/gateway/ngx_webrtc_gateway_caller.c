
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Callers: a thread each, which reads SRT and writes to nginx.  When nginx does
 * not read, the thread waits, and what comes meanwhile stays in libsrt's buffer
 * of that caller, which is bounded.
 *
 * A thread frees nothing: it marks its caller, and the loop does it.  The loop
 * wakes a thread that waits for SRT by closing the socket of SRT, one that
 * waits for nginx wakes by itself when nginx closes.
 *
 * A caller is not closed in the moment in which it was accepted: while the end
 * of the handshake is on its way to it, it would miss that, and find out five
 * seconds later.
 */


#include "ngx_webrtc_gateway_caller.h"
#include "ngx_webrtc_time.h"


/* bytes of a thread's stack; chosen: libsrt's calls, with room */
#define NGX_WEBRTC_GATEWAY_STACK    262144

/* us between two STAT */
#define NGX_WEBRTC_GATEWAY_STAT_US  1000000

/* us that a caller is there at least; chosen: a long round trip */
#define NGX_WEBRTC_GATEWAY_STAY_US  500000

/* s that nginx may take to take a connection, when its backlog is full */
#define NGX_WEBRTC_GATEWAY_CONNECT  2


static ngx_int_t ngx_webrtc_gateway_caller_enter(
    ngx_webrtc_gateway_caller_t *c);
static ngx_uint_t ngx_webrtc_gateway_caller_same(ngx_webrtc_addr_t *a,
    ngx_webrtc_addr_t *b);
static ngx_int_t ngx_webrtc_gateway_caller_connect(ngx_webrtc_gateway_t *gw);
static ngx_int_t ngx_webrtc_gateway_caller_introduce(
    ngx_webrtc_gateway_caller_t *c, ngx_webrtc_addr_t *addr);
static ngx_int_t ngx_webrtc_gateway_caller_thread(
    ngx_webrtc_gateway_caller_t *c);
static void *ngx_webrtc_gateway_caller_run(void *data);
static ngx_int_t ngx_webrtc_gateway_caller_stat(
    ngx_webrtc_gateway_caller_t *c);
static ngx_int_t ngx_webrtc_gateway_caller_send(
    ngx_webrtc_gateway_caller_t *c, u_char *p, size_t n);
static void ngx_webrtc_gateway_caller_told(ngx_webrtc_gateway_caller_t *c);


void
ngx_webrtc_gateway_caller(ngx_webrtc_gateway_t *gw, SRTSOCKET sock,
    ngx_webrtc_addr_t *addr)
{
    ngx_webrtc_gateway_caller_t  *c;

    c = calloc(1, sizeof(ngx_webrtc_gateway_caller_t));

    if (c == NULL) {
        (void) srt_close(sock);
        return;
    }

    c->gateway = gw;
    c->socket = sock;
    c->addr = *addr;
    c->close_us = ngx_webrtc_time_now() + NGX_WEBRTC_GATEWAY_STAY_US;
    c->fd = ngx_webrtc_gateway_caller_connect(gw);

    if (c->fd == -1) {
        ngx_webrtc_gateway_say(gw, NGX_WEBRTC_SRT_LOG_INFO, addr,
                               "closed: nginx does not take it", NULL);
        goto failed;
    }

    /* libsrt's receiving thread waits for the mutex: nothing slow with it */

    if (ngx_webrtc_gateway_caller_introduce(c, addr) != NGX_OK) {
        goto failed;
    }

    if (ngx_webrtc_gateway_caller_enter(c) != NGX_OK) {
        ngx_webrtc_gateway_say(gw, NGX_WEBRTC_SRT_LOG_INFO, addr,
                               "closed: there are too many", NULL);
        goto failed;
    }

    if (ngx_webrtc_gateway_caller_thread(c) != NGX_OK) {

        /* the loop has it: it is the one that frees it */

        (void) pthread_mutex_lock(&gw->mutex);
        c->alone = 1;
        c->done = 1;
        (void) pthread_mutex_unlock(&gw->mutex);

        ngx_webrtc_gateway_say(gw, NGX_WEBRTC_SRT_LOG_ERROR, addr,
                               "closed: no thread can be started for it",
                               NULL);
    }

    ngx_webrtc_gateway_wake(gw);

    return;

failed:

    if (c->fd != -1) {
        (void) close(c->fd);
    }

    (void) srt_close(sock);
    free(c);
}


/* the loop sees it; it is not reaped before its thread has ended */

static ngx_int_t
ngx_webrtc_gateway_caller_enter(ngx_webrtc_gateway_caller_t *c)
{
    ngx_int_t              rc;
    ngx_webrtc_gateway_t  *gw;

    gw = c->gateway;
    rc = NGX_ERROR;

    (void) pthread_mutex_lock(&gw->mutex);

    if (gw->nall < NGX_WEBRTC_GATEWAY_ALL) {
        c->next = gw->callers;
        gw->callers = c;
        gw->ncallers++;
        gw->nall++;
        rc = NGX_OK;
    }

    (void) pthread_mutex_unlock(&gw->mutex);

    return rc;
}


ngx_uint_t
ngx_webrtc_gateway_caller_asked(ngx_webrtc_gateway_t *gw,
    ngx_webrtc_addr_t *addr, ngx_uint_t *same)
{
    ngx_uint_t                    n;
    ngx_webrtc_gateway_caller_t  *c;

    n = 0;
    *same = 0;

    for (c = gw->callers; c; c = c->next) {
        if (!c->up && !c->left) {
            n++;
            *same += ngx_webrtc_gateway_caller_same(&c->addr, addr);
        }
    }

    return n;
}


/* the port is another one for each */

static ngx_uint_t
ngx_webrtc_gateway_caller_same(ngx_webrtc_addr_t *a, ngx_webrtc_addr_t *b)
{
    if (a->u.sa.sa_family != b->u.sa.sa_family) {
        return 0;
    }

#if (NGX_HAVE_INET6)

    if (a->u.sa.sa_family == AF_INET6) {
        return ngx_memcmp(&a->u.in6.sin6_addr, &b->u.in6.sin6_addr, 16) == 0;
    }

#endif

    return a->u.in.sin_addr.s_addr == b->u.in.sin_addr.s_addr;
}


static ngx_int_t
ngx_webrtc_gateway_caller_connect(ngx_webrtc_gateway_t *gw)
{
    int             fd;
    struct timeval  wait;

    fd = socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0);

    if (fd == -1) {
        return -1;
    }

    wait.tv_sec = NGX_WEBRTC_GATEWAY_CONNECT;
    wait.tv_usec = 0;

    (void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));

    if (connect(fd, (struct sockaddr *) &gw->nginx, sizeof(gw->nginx)) == -1) {
        (void) close(fd);
        return -1;
    }

    /* what it sends waits for as long as nginx has it wait */

    wait.tv_sec = 0;

    (void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));

    return fd;
}


/* the first bytes of a connection, which always fit */

static ngx_int_t
ngx_webrtc_gateway_caller_introduce(ngx_webrtc_gateway_caller_t *c,
    ngx_webrtc_addr_t *addr)
{
    int                       len;
    char                      streamid[NGX_WEBRTC_SRT_STREAMID + 1];
    u_char                   *p;
    u_char                    frame[NGX_WEBRTC_SRT_LINK_FRAME];
    ngx_webrtc_srt_caller_t   caller;

    ngx_memzero(&caller, sizeof(ngx_webrtc_srt_caller_t));

    caller.addr = *addr;

    len = sizeof(caller.version);

    if (srt_getsockflag(c->socket, SRTO_PEERVERSION, &caller.version, &len)
        == SRT_ERROR)
    {
        caller.version = 0;
    }

    len = sizeof(streamid);

    if (srt_getsockflag(c->socket, SRTO_STREAMID, streamid, &len)
        == SRT_ERROR)
    {
        return NGX_ERROR;
    }

    caller.streamid.data = (u_char *) streamid;
    caller.streamid.len = len;

    p = ngx_webrtc_srt_write_caller(frame, frame + sizeof(frame), &caller);

    if (p == NULL) {
        return NGX_ERROR;
    }

    return ngx_webrtc_gateway_caller_send(c, frame, p - frame);
}


static ngx_int_t
ngx_webrtc_gateway_caller_thread(ngx_webrtc_gateway_caller_t *c)
{
    int             err;
    pthread_attr_t  attr;

    if (pthread_attr_init(&attr) != 0) {
        return NGX_ERROR;
    }

    (void) pthread_attr_setstacksize(&attr, NGX_WEBRTC_GATEWAY_STACK);

    err = pthread_create(&c->thread, &attr, ngx_webrtc_gateway_caller_run, c);

    (void) pthread_attr_destroy(&attr);

    return err ? NGX_ERROR : NGX_OK;
}


static void *
ngx_webrtc_gateway_caller_run(void *data)
{
    ngx_webrtc_gateway_caller_t *c = data;

    int        n;
    uint64_t   now_us, next_us;
    u_char     buf[NGX_WEBRTC_SRT_LINK_HEAD + NGX_WEBRTC_SRT_LINK_FRAME];

    next_us = 0;

    for ( ;; ) {
        n = srt_recvmsg(c->socket, (char *) buf + NGX_WEBRTC_SRT_LINK_HEAD,
                        NGX_WEBRTC_SRT_LINK_FRAME);

        if (n <= 0) {
            break;
        }

        (void) ngx_webrtc_srt_write_head(buf, NGX_WEBRTC_SRT_LINK_DATA, n);

        if (ngx_webrtc_gateway_caller_send(c, buf, NGX_WEBRTC_SRT_LINK_HEAD + n)
            != NGX_OK)
        {
            break;
        }

        now_us = ngx_webrtc_time_now();

        if (now_us >= next_us) {
            next_us = now_us + NGX_WEBRTC_GATEWAY_STAT_US;

            if (ngx_webrtc_gateway_caller_stat(c) != NGX_OK) {
                break;
            }
        }
    }

    (void) shutdown(c->fd, SHUT_RDWR);

    now_us = ngx_webrtc_time_now();

    if (now_us < c->close_us) {
        (void) usleep((useconds_t) (c->close_us - now_us));
    }

    (void) srt_close(c->socket);

    (void) pthread_mutex_lock(&c->gateway->mutex);
    c->done = 1;
    (void) pthread_mutex_unlock(&c->gateway->mutex);

    ngx_webrtc_gateway_wake(c->gateway);

    return NULL;
}


static ngx_int_t
ngx_webrtc_gateway_caller_stat(ngx_webrtc_gateway_caller_t *c)
{
    u_char                  *p;
    u_char                   frame[64];
    SRT_TRACEBSTATS          of;
    ngx_webrtc_srt_stat_t    stat;

    if (srt_bstats(c->socket, &of, 0) == SRT_ERROR) {
        return NGX_OK;
    }

    stat.rtt_us = (uint32_t) (of.msRTT * 1000);
    stat.received = (uint32_t) of.pktRecvTotal;
    stat.asked = (uint32_t) of.pktRcvLossTotal;
    stat.lost = (uint32_t) of.pktRcvDropTotal;

    p = ngx_webrtc_srt_write_stat(frame, frame + sizeof(frame), &stat);

    return ngx_webrtc_gateway_caller_send(c, frame, p - frame);
}


static ngx_int_t
ngx_webrtc_gateway_caller_send(ngx_webrtc_gateway_caller_t *c, u_char *p,
    size_t n)
{
    ssize_t  sent;

    while (n) {
        sent = send(c->fd, p, n, MSG_NOSIGNAL);

        if (sent == -1) {

            if (errno == EINTR) {
                continue;
            }

            return NGX_ERROR;
        }

        p += sent;
        n -= sent;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_gateway_caller_poll(ngx_webrtc_gateway_t *gw, struct pollfd *fds,
    uint64_t now_us, int *ms)
{
    int                           wait;
    ngx_uint_t                    n;
    ngx_webrtc_gateway_caller_t  *c, *closes;

    n = 0;
    closes = NULL;

    (void) pthread_mutex_lock(&gw->mutex);

    for (c = gw->callers; c; c = c->next) {

        if (!c->left) {
            fds[n].fd = c->fd;
            fds[n].events = POLLIN;
            fds[n++].revents = 0;
            continue;
        }

        if (c->closed) {
            continue;
        }

        if (now_us >= c->close_us) {
            c->closed = 1;
            c->closes = closes;
            closes = c;
            continue;
        }

        wait = (int) ((c->close_us - now_us) / 1000) + 1;
        *ms = (*ms == -1) ? wait : ngx_min(*ms, wait);
    }

    (void) pthread_mutex_unlock(&gw->mutex);

    for (c = closes; c; c = c->closes) {
        (void) srt_close(c->socket);
    }

    return n;
}


void
ngx_webrtc_gateway_caller_polled(ngx_webrtc_gateway_t *gw,
    struct pollfd *fds, ngx_uint_t n)
{
    ngx_uint_t                    i;
    ngx_webrtc_gateway_caller_t  *c;

    for (i = 0; i < n; i++) {

        if (fds[i].revents == 0) {
            continue;
        }

        (void) pthread_mutex_lock(&gw->mutex);

        for (c = gw->callers; c && c->fd != fds[i].fd; c = c->next) {
            /* void */
        }

        if (c) {
            ngx_webrtc_gateway_caller_told(c);
        }

        (void) pthread_mutex_unlock(&gw->mutex);
    }
}


/* that it is let in, and the end */

static void
ngx_webrtc_gateway_caller_told(ngx_webrtc_gateway_caller_t *c)
{
    u_char   buf[64];
    ssize_t  n;

    n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);

    if (n > 0) {
        c->up = 1;
        return;
    }

    if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    c->left = 1;
    c->gateway->ncallers--;

    (void) shutdown(c->fd, SHUT_RDWR);
}


void
ngx_webrtc_gateway_caller_reap(ngx_webrtc_gateway_t *gw)
{
    ngx_webrtc_gateway_caller_t  *c, **prev, *done;

    done = NULL;

    (void) pthread_mutex_lock(&gw->mutex);

    for (prev = &gw->callers; *prev; /* void */ ) {
        c = *prev;

        if (!c->done) {
            prev = &c->next;
            continue;
        }

        *prev = c->next;
        c->next = done;
        done = c;
        gw->ncallers -= !c->left;
        gw->nall--;
    }

    (void) pthread_mutex_unlock(&gw->mutex);

    while (done) {
        c = done;
        done = c->next;

        if (c->alone) {
            (void) srt_close(c->socket);

        } else {
            (void) pthread_join(c->thread, NULL);
        }

        (void) close(c->fd);
        free(c);
    }
}
