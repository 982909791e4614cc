
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx-webrtc-srt: the UDP port of "webrtc_ingest srt://".  All datagrams of a
 * port of SRT have to come to one process, and a publisher must not be lost by
 * a reload: so this is one process for a port, of no worker's, which outlives
 * reloads and binary upgrades.  It connects to a unix socket on which nginx
 * listens (ngx_webrtc_srt_link.h): once for itself, to be told how the port is
 * configured, and once for each caller.
 *
 *   ngx-webrtc-srt ADDRESS PORT SOCKET    how a worker starts it, descriptor 3
 *                                         is what it locks as long as it lives
 *   ngx-webrtc-srt -V                     prints its version and its library's
 *
 * It ends when nobody takes its connections any more, nginx being gone or the
 * port having left the configuration, and no caller is left.
 *
 * Threads: the loop (this file), one that accepts, one for each caller, and
 * libsrt's.
 */


#include "ngx_webrtc_gateway.h"
#include "ngx_webrtc_gateway_caller.h"
#include "ngx_webrtc_gateway_listen.h"
#include "ngx_webrtc_helper_sandbox.h"
#include "ngx_webrtc_time.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>


/* the file that is locked */
#define NGX_WEBRTC_GATEWAY_LOCK      3

/* us until the next attempt to reach nginx: when it is gone, when it is busy
 * or has not answered; to open the port */
#define NGX_WEBRTC_GATEWAY_GONE_US   1000000
#define NGX_WEBRTC_GATEWAY_AGAIN_US  100000
#define NGX_WEBRTC_GATEWAY_OPEN_US   1000000

/* links that were closed without an answer until nginx counts as gone; chosen:
 * workers that are ending may take some */
#define NGX_WEBRTC_GATEWAY_LINKS     50

/* ms between two looks at handshakes */
#define NGX_WEBRTC_GATEWAY_LOOK_MS   200


static ngx_int_t ngx_webrtc_gateway_args(ngx_webrtc_gateway_t *gw,
    char *const *argv);
static ngx_int_t ngx_webrtc_gateway_detach(void);
static ngx_int_t ngx_webrtc_gateway_lock(void);
static void ngx_webrtc_gateway_quiet(void *opaque, int level, const char *file,
    int line, const char *area, const char *message);
static void ngx_webrtc_gateway_loop(ngx_webrtc_gateway_t *gw);
static int ngx_webrtc_gateway_wait(ngx_webrtc_gateway_t *gw, uint64_t now_us);
static void ngx_webrtc_gateway_link(ngx_webrtc_gateway_t *gw,
    uint64_t now_us);
static void ngx_webrtc_gateway_unlink(ngx_webrtc_gateway_t *gw,
    uint64_t now_us);
static void ngx_webrtc_gateway_gone(ngx_webrtc_gateway_t *gw,
    ngx_uint_t gone);
static void ngx_webrtc_gateway_read(ngx_webrtc_gateway_t *gw,
    uint64_t now_us);
static ngx_int_t ngx_webrtc_gateway_take(ngx_webrtc_gateway_t *gw);
static void ngx_webrtc_gateway_flush(ngx_webrtc_gateway_t *gw);


static ngx_webrtc_gateway_t  ngx_webrtc_gateway;


int
main(int argc, char *const *argv)
{
    ngx_webrtc_gateway_t  *gw;

    if (argc == 2 && ngx_strcmp(argv[1], "-V") == 0) {
        printf("ngx-webrtc-srt protocol %d, libsrt %d.%d.%d\n",
               NGX_WEBRTC_SRT_LINK_VERSION, (int) (srt_getversion() >> 16),
               (int) (srt_getversion() >> 8 & 0xff),
               (int) (srt_getversion() & 0xff));
        return 0;
    }

    gw = &ngx_webrtc_gateway;

    if (argc != 4 || ngx_webrtc_gateway_args(gw, argv) != NGX_OK) {
        fprintf(stderr, "ngx-webrtc-srt is started by nginx, see "
                "webrtc_ingest\n");
        return 1;
    }

    if (ngx_webrtc_gateway_detach() != NGX_OK) {
        return 1;
    }

    if (ngx_webrtc_gateway_lock() != NGX_OK) {
        /* there is one already */
        return 0;
    }

    ngx_webrtc_helper_sandbox_enter(0);
    ngx_webrtc_helper_sandbox_no_files();

    gw->wake = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);
    gw->link = -1;
    gw->listener = SRT_INVALID_SOCK;

    if (gw->wake == -1
        || pthread_mutex_init(&gw->mutex, NULL) != 0
        || srt_startup() == SRT_ERROR)
    {
        return 1;
    }

    srt_setloghandler(NULL, ngx_webrtc_gateway_quiet);

    ngx_webrtc_gateway_loop(gw);

    ngx_webrtc_gateway_unlisten(gw);

    /* libsrt's own threads are not waited for */

    _exit(0);
}


static ngx_int_t
ngx_webrtc_gateway_args(ngx_webrtc_gateway_t *gw, char *const *argv)
{
    long  port;

    port = atol(argv[2]);

    if (port < 1 || port > 65535
        || ngx_strlen(argv[3]) >= sizeof(gw->nginx.sun_path))
    {
        return NGX_ERROR;
    }

    gw->nginx.sun_family = AF_UNIX;
    (void) strcpy(gw->nginx.sun_path, argv[3]);

    if (inet_pton(AF_INET, argv[1], &gw->addr.u.in.sin_addr) == 1) {
        gw->addr.u.in.sin_family = AF_INET;
        gw->addr.u.in.sin_port = htons((in_port_t) port);
        gw->addr.len = sizeof(struct sockaddr_in);
        return NGX_OK;
    }

#if (NGX_HAVE_INET6)

    if (inet_pton(AF_INET6, argv[1], &gw->addr.u.in6.sin6_addr) == 1) {
        gw->addr.u.in6.sin6_family = AF_INET6;
        gw->addr.u.in6.sin6_port = htons((in_port_t) port);
        gw->addr.len = sizeof(struct sockaddr_in6);
        return NGX_OK;
    }

#endif

    return NGX_ERROR;
}


/*
 * No child of the worker's, whose end must not be this one's, nor in its group:
 * the worker reaps the parent, which returns at once.
 */

static ngx_int_t
ngx_webrtc_gateway_detach(void)
{
    int    fd;
    pid_t  pid;

    pid = fork();

    if (pid == -1) {
        return NGX_ERROR;
    }

    if (pid > 0) {
        _exit(0);
    }

    (void) setsid();
    (void) signal(SIGPIPE, SIG_IGN);
    (void) signal(SIGHUP, SIG_IGN);

    if (chdir("/") == -1) {
        return NGX_ERROR;
    }

    fd = open("/dev/null", O_RDWR);

    if (fd == -1 || dup2(fd, 0) == -1 || dup2(fd, 1) == -1
        || dup2(fd, 2) == -1)
    {
        return NGX_ERROR;
    }

    /* nginx's sockets, of which a copy would keep them open */

    ngx_webrtc_helper_sandbox_close(NGX_WEBRTC_GATEWAY_LOCK + 1);

    return NGX_OK;
}


/* it belongs to this process, and goes with it */

static ngx_int_t
ngx_webrtc_gateway_lock(void)
{
    struct flock  fl;

    ngx_memzero(&fl, sizeof(struct flock));
    fl.l_type = F_WRLCK;
    fl.l_whence = SEEK_SET;

    return (fcntl(NGX_WEBRTC_GATEWAY_LOCK, F_SETLK, &fl) == -1)
           ? NGX_DECLINED : NGX_OK;
}


static void
ngx_webrtc_gateway_quiet(void *opaque, int level, const char *file, int line,
    const char *area, const char *message)
{
    /* void: of packets, and for libsrt's authors */
}


static void
ngx_webrtc_gateway_loop(ngx_webrtc_gateway_t *gw)
{
    int                   ms;
    uint64_t              n, now_us;
    ngx_uint_t            ncallers;
    static struct pollfd  fds[2 + NGX_WEBRTC_GATEWAY_ALL];

    for ( ;; ) {
        now_us = ngx_webrtc_time_now();

        if (gw->link == -1 && now_us >= gw->next_us) {
            ngx_webrtc_gateway_link(gw, now_us);
        }

        if (gw->linked
            && gw->listener == SRT_INVALID_SOCK
            && now_us >= gw->listen_us)
        {
            gw->listen_us = now_us + NGX_WEBRTC_GATEWAY_OPEN_US;
            (void) ngx_webrtc_gateway_listen(gw);
        }

        ngx_webrtc_gateway_refused(gw, now_us);
        ngx_webrtc_gateway_caller_reap(gw);

        if (gw->gone && gw->callers == NULL) {
            return;
        }

        ngx_webrtc_gateway_flush(gw);

        fds[0].fd = gw->link;
        fds[0].events = POLLIN;
        fds[0].revents = 0;
        fds[1].fd = gw->wake;
        fds[1].events = POLLIN;
        fds[1].revents = 0;

        ms = ngx_webrtc_gateway_wait(gw, now_us);
        ncallers = ngx_webrtc_gateway_caller_poll(gw, &fds[2], now_us, &ms);

        if (poll(fds, 2 + ncallers, ms) == -1) {
            continue;
        }

        if (fds[1].revents) {
            (void) (read(gw->wake, &n, sizeof(n)) == -1);
        }

        ngx_webrtc_gateway_caller_polled(gw, &fds[2], ncallers);

        if (gw->link != -1 && fds[0].revents) {
            ngx_webrtc_gateway_read(gw, ngx_webrtc_time_now());
        }
    }
}


/* ms; -1: for as long as nothing happens */

static int
ngx_webrtc_gateway_wait(ngx_webrtc_gateway_t *gw, uint64_t now_us)
{
    int       ms;
    uint64_t  until_us;

    ms = -1;

    (void) pthread_mutex_lock(&gw->mutex);

    if (gw->nshaking || gw->nlines) {
        ms = NGX_WEBRTC_GATEWAY_LOOK_MS;
    }

    (void) pthread_mutex_unlock(&gw->mutex);

    until_us = 0;

    if (gw->link == -1) {
        until_us = gw->next_us;

    } else if (gw->linked && gw->listener == SRT_INVALID_SOCK) {
        until_us = gw->listen_us;
    }

    if (until_us) {
        until_us = (until_us > now_us) ? (until_us - now_us) / 1000 + 1 : 0;
        ms = (ms == -1) ? (int) until_us : ngx_min(ms, (int) until_us);
    }

    return ms;
}


/* whichever worker takes it */

static void
ngx_webrtc_gateway_link(ngx_webrtc_gateway_t *gw, uint64_t now_us)
{
    int      fd;
    u_char  *p;
    u_char   frame[NGX_WEBRTC_SRT_LINK_HEAD + 1];

    gw->next_us = now_us + NGX_WEBRTC_GATEWAY_AGAIN_US;

    fd = socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);

    if (fd == -1) {
        return;
    }

    if (connect(fd, (struct sockaddr *) &gw->nginx, sizeof(gw->nginx)) == -1) {

        if (errno != EAGAIN) {
            ngx_webrtc_gateway_gone(gw, 1);
            gw->next_us = now_us + NGX_WEBRTC_GATEWAY_GONE_US;
        }

        (void) close(fd);
        return;
    }

    p = ngx_webrtc_srt_write_hello(frame, frame + sizeof(frame));

    if (send(fd, frame, p - frame, MSG_NOSIGNAL) != p - frame) {
        (void) close(fd);
        return;
    }

    gw->link = fd;
    gw->nread = 0;
    gw->unanswered++;
}


static void
ngx_webrtc_gateway_unlink(ngx_webrtc_gateway_t *gw, uint64_t now_us)
{
    (void) close(gw->link);

    gw->link = -1;
    gw->next_us = gw->linked ? now_us : now_us + NGX_WEBRTC_GATEWAY_AGAIN_US;
    gw->linked = 0;

    (void) pthread_mutex_lock(&gw->mutex);

    if (gw->cut) {
        /* the rest begins in the middle of a frame */
        gw->nlines = 0;
        gw->cut = 0;
    }

    (void) pthread_mutex_unlock(&gw->mutex);

    if (gw->unanswered >= NGX_WEBRTC_GATEWAY_LINKS) {
        ngx_webrtc_gateway_gone(gw, 1);
        gw->next_us = now_us + NGX_WEBRTC_GATEWAY_GONE_US;
    }
}


/* the port stays open as long as there are callers, as it is theirs, too */

static void
ngx_webrtc_gateway_gone(ngx_webrtc_gateway_t *gw, ngx_uint_t gone)
{
    (void) pthread_mutex_lock(&gw->mutex);
    gw->gone = gone;
    (void) pthread_mutex_unlock(&gw->mutex);
}


static void
ngx_webrtc_gateway_read(ngx_webrtc_gateway_t *gw, uint64_t now_us)
{
    ssize_t  n;

    n = recv(gw->link, gw->read + gw->nread, sizeof(gw->read) - gw->nread, 0);

    if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    if (n > 0) {
        gw->nread += n;

        if (ngx_webrtc_gateway_take(gw) == NGX_OK) {
            return;
        }
    }

    ngx_webrtc_gateway_unlink(gw, now_us);
}


static ngx_int_t
ngx_webrtc_gateway_take(ngx_webrtc_gateway_t *gw)
{
    u_char                   *p, *last;
    ngx_int_t                 rc;
    ngx_webrtc_srt_frame_t    frame;
    ngx_webrtc_srt_config_t   config;

    p = gw->read;
    last = p + gw->nread;

    while ((rc = ngx_webrtc_srt_frame(&p, last, &frame)) == NGX_OK) {

        if (frame.type != NGX_WEBRTC_SRT_LINK_CONFIG
            || ngx_webrtc_srt_read_config(&frame, &config) != NGX_OK)
        {
            return NGX_ERROR;
        }

        (void) pthread_mutex_lock(&gw->mutex);
        gw->config = config;
        (void) pthread_mutex_unlock(&gw->mutex);

        ngx_webrtc_gateway_gone(gw, 0);
        gw->linked = 1;
        gw->unanswered = 0;
    }

    gw->nread = last - p;
    ngx_memmove(gw->read, p, gw->nread);

    return (rc == NGX_AGAIN && gw->nread < sizeof(gw->read))
           ? NGX_OK : NGX_ERROR;
}


static void
ngx_webrtc_gateway_flush(ngx_webrtc_gateway_t *gw)
{
    ssize_t  n;

    if (!gw->linked) {
        return;
    }

    (void) pthread_mutex_lock(&gw->mutex);

    if (gw->nlines) {
        n = send(gw->link, gw->lines, gw->nlines, MSG_NOSIGNAL|MSG_DONTWAIT);

        if (n > 0) {
            gw->cut = ((size_t) n != gw->nlines);
            gw->nlines -= n;
            ngx_memmove(gw->lines, gw->lines + n, gw->nlines);
        }
    }

    (void) pthread_mutex_unlock(&gw->mutex);
}
