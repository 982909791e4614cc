
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
    c->close_us = ngx_webrtc_time_now() + NGX_WEBRTC_GATEWAY_STAY_US;
    c->fd = ngx_webrtc_gateway_caller_connect(gw);

    if (c->fd == -1) {
        ngx_webrtc_gateway_say(gw, NGX_WEBRTC_SRT_LOG_INFO, addr,
                               "closed: nginx does not take it", NULL);
        goto failed;
    }

    (void) pthread_mutex_lock(&gw->mutex);

    if (gw->ncallers >= NGX_WEBRTC_GATEWAY_CALLERS
        || ngx_webrtc_gateway_caller_introduce(c, addr) != NGX_OK
        || ngx_webrtc_gateway_caller_thread(c) != NGX_OK)
    {
        (void) pthread_mutex_unlock(&gw->mutex);
        goto failed;
    }

    c->next = gw->callers;
    gw->callers = c;
    gw->ncallers++;

    (void) pthread_mutex_unlock(&gw->mutex);

    ngx_webrtc_gateway_wake(gw);

    return;

failed:

    if (c->fd != -1) {
        (void) close(c->fd);
    }

    (void) srt_close(sock);
    free(c);
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
    ngx_webrtc_gateway_caller_t  *c;

    n = 0;

    (void) pthread_mutex_lock(&gw->mutex);

    for (c = gw->callers; c; c = c->next) {
        fds[n].fd = c->left ? -1 : c->fd;
        fds[n].events = POLLIN;
        fds[n].revents = 0;
        n++;

        if (!c->left || c->closed) {
            continue;
        }

        if (now_us >= c->close_us) {
            c->closed = 1;
            (void) srt_close(c->socket);
            continue;
        }

        wait = (int) ((c->close_us - now_us) / 1000) + 1;
        *ms = (*ms == -1) ? wait : ngx_min(*ms, wait);
    }

    (void) pthread_mutex_unlock(&gw->mutex);

    return n;
}


/* nginx says nothing, so that what is to be read is the end */

void
ngx_webrtc_gateway_caller_polled(ngx_webrtc_gateway_t *gw,
    struct pollfd *fds, ngx_uint_t n)
{
    ngx_uint_t                    i;
    ngx_webrtc_gateway_caller_t  *c;

    for (i = 0; i < n; i++) {

        if (fds[i].fd == -1 || fds[i].revents == 0) {
            continue;
        }

        /* only the loop takes callers out and closes descriptors */

        (void) pthread_mutex_lock(&gw->mutex);

        for (c = gw->callers; c && c->fd != fds[i].fd; c = c->next) {
            /* void */
        }

        (void) pthread_mutex_unlock(&gw->mutex);

        if (c) {
            c->left = 1;
            (void) shutdown(c->fd, SHUT_RDWR);
        }
    }
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
        gw->ncallers--;
    }

    (void) pthread_mutex_unlock(&gw->mutex);

    while (done) {
        c = done;
        done = c->next;

        (void) pthread_join(c->thread, NULL);
        (void) close(c->fd);
        free(c);
    }
}
