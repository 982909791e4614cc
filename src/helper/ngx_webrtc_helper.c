
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx-webrtc-media: everything that uses FFmpeg, in a process of its own.  It
 * is started and watched by an nginx worker (ngx_webrtc_media.c) and talks to
 * it over descriptor 3 (ngx_webrtc_media_message.h).
 *
 *   ngx-webrtc-media PARENT MEMORY [gpu]  how the worker starts it
 *   ngx-webrtc-media -V                   prints its version and its libraries'
 *
 * It is linked with FFmpeg's libraries, and so is under their licence, which
 * is the GPL if they were built that way; the module is not.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "ngx_webrtc_helper_job.h"
#include "ngx_webrtc_helper_sandbox.h"
#include "ngx_webrtc_media_message.h"
#include "ngx_webrtc_source_av.h"
#include "ngx_webrtc_source_standby.h"
#include "ngx_webrtc_time.h"


/* the worker's socket */
#define NGX_WEBRTC_HELPER_FD       3

/* descriptors of START: socket, ring to the worker; ring to the job; file */
#define NGX_WEBRTC_HELPER_FDS      4

/* jobs; chosen: the most one process should ever have */
#define NGX_WEBRTC_HELPER_JOBS     1024

/* ms for threads to end once the worker is gone */
#define NGX_WEBRTC_HELPER_EXIT_MS  500

/* bytes: blocks from here on go back to the system when freed */
#define NGX_WEBRTC_HELPER_BLOCK    2097152

/* bytes of a heap's end that are kept */
#define NGX_WEBRTC_HELPER_SPARE    4194304


static void ngx_webrtc_helper_heap(void);
static void ngx_webrtc_helper_term(int signo);
static void ngx_webrtc_helper_loop(void);
static ngx_int_t ngx_webrtc_helper_input(void);
static void ngx_webrtc_helper_start(ngx_webrtc_media_message_t *m, int *fds,
    ngx_uint_t nfds);
static void ngx_webrtc_helper_pong(uint32_t number);
static void ngx_webrtc_helper_send(ngx_webrtc_media_message_t *m);
static void ngx_webrtc_helper_reap(void);
static void ngx_webrtc_helper_exit(void);


static ngx_webrtc_helper_job_t  *ngx_webrtc_helper_jobs[
                                                    NGX_WEBRTC_HELPER_JOBS];
static ngx_uint_t                ngx_webrtc_helper_njobs;
static size_t                    ngx_webrtc_helper_limit;
static int                       ngx_webrtc_helper_wake;


int
main(int argc, char *const *argv)
{
    pid_t                       parent;
    ngx_webrtc_media_message_t  m;

    if (argc == 2 && ngx_strcmp(argv[1], "-V") == 0) {
        printf("ngx-webrtc-media protocol %d, %s\n", NGX_WEBRTC_MEDIA_VERSION,
               ngx_webrtc_source_av_version());
        return 0;
    }

    if (argc != 3 && argc != 4) {
        fprintf(stderr, "ngx-webrtc-media is started by nginx, see "
                "webrtc_media_path\n");
        return 1;
    }

    parent = (pid_t) atol(argv[1]);

    /* signals from a terminal are for nginx */

    (void) setsid();
    (void) signal(SIGPIPE, SIG_IGN);
    (void) signal(SIGTERM, ngx_webrtc_helper_term);

    if (ngx_webrtc_helper_sandbox_begin(parent, NGX_WEBRTC_HELPER_FD + 1)
        != NGX_OK)
    {
        return 0;
    }

    ngx_webrtc_helper_heap();

    ngx_webrtc_helper_limit = (size_t) atoll(argv[2]);

    ngx_webrtc_helper_sandbox_enter(argc == 4);
    ngx_webrtc_helper_sandbox_data(ngx_webrtc_helper_limit, 0);

    ngx_webrtc_helper_wake = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

    if (ngx_webrtc_helper_wake == -1) {
        return 1;
    }

    ngx_webrtc_source_av_init();

    m.type = NGX_WEBRTC_MEDIA_HELLO;
    m.number = NGX_WEBRTC_MEDIA_VERSION;

    ngx_webrtc_helper_send(&m);

    ngx_webrtc_helper_loop();
    ngx_webrtc_helper_exit();

    return 0;
}


/*
 * One heap for all threads.  By default each has its own, which keeps the room
 * of what it once needed, tens of megabytes for the pictures decoded to learn
 * what an input has, and the limit of memory counts that as used.
 */

static void
ngx_webrtc_helper_heap(void)
{
#ifdef M_ARENA_MAX
    (void) mallopt(M_ARENA_MAX, 1);
    (void) mallopt(M_MMAP_THRESHOLD, NGX_WEBRTC_HELPER_BLOCK);
    (void) mallopt(M_TRIM_THRESHOLD, NGX_WEBRTC_HELPER_SPARE);
#endif
}


/* exits at once on request, without causing an alert */

static void
ngx_webrtc_helper_term(int signo)
{
    _exit(0);
}


/* until the worker closes its end */

static void
ngx_webrtc_helper_loop(void)
{
    uint64_t                n;
    ngx_uint_t              i, njobs;
    static struct pollfd    fds[2 + NGX_WEBRTC_HELPER_JOBS];

    fds[0].fd = NGX_WEBRTC_HELPER_FD;
    fds[0].events = POLLIN;
    fds[1].fd = ngx_webrtc_helper_wake;
    fds[1].events = POLLIN;

    for ( ;; ) {
        njobs = ngx_webrtc_helper_njobs;

        for (i = 0; i < njobs; i++) {
            fds[2 + i].fd =
                    ngx_webrtc_helper_job_fd(ngx_webrtc_helper_jobs[i]);
            fds[2 + i].events = POLLIN;
            fds[2 + i].revents = 0;
        }

        if (poll(fds, 2 + njobs, -1) == -1 && errno != EINTR) {
            return;
        }

        for (i = 0; i < njobs; i++) {
            if (fds[2 + i].revents) {
                ngx_webrtc_helper_job_input(ngx_webrtc_helper_jobs[i]);
            }
        }

        if (fds[1].revents) {
            (void) (read(ngx_webrtc_helper_wake, &n, sizeof(n)) == -1);
        }

        ngx_webrtc_helper_reap();

        if (fds[0].revents && ngx_webrtc_helper_input() != NGX_OK) {
            return;
        }
    }
}


static ngx_int_t
ngx_webrtc_helper_input(void)
{
    int                         fds[NGX_WEBRTC_HELPER_FDS];
    ssize_t                     n;
    u_char                      buf[NGX_WEBRTC_MEDIA_MESSAGE];
    ngx_uint_t                  nfds;
    struct iovec                iov;
    struct msghdr               msg;
    struct cmsghdr             *cmsg;
    ngx_webrtc_media_message_t  m;

    union {
        struct cmsghdr  align;
        char            space[CMSG_SPACE(sizeof(fds))];
    } control;

    nfds = 0;

    iov.iov_base = buf;
    iov.iov_len = sizeof(buf);

    ngx_memzero(&msg, sizeof(struct msghdr));
    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;
    msg.msg_control = &control;
    msg.msg_controllen = sizeof(control);

    n = recvmsg(NGX_WEBRTC_HELPER_FD, &msg, MSG_DONTWAIT|MSG_CMSG_CLOEXEC);

    if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
        return NGX_OK;
    }

    if (n <= 0) {
        return NGX_ERROR;
    }

    cmsg = CMSG_FIRSTHDR(&msg);

    if (cmsg
        && cmsg->cmsg_type == SCM_RIGHTS
        && cmsg->cmsg_len <= CMSG_LEN(sizeof(fds)))
    {
        nfds = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        ngx_memcpy(fds, CMSG_DATA(cmsg), nfds * sizeof(int));
    }

    if (ngx_webrtc_media_message_parse(buf, buf + n, &m) != NGX_OK) {
        return NGX_ERROR;
    }

    switch (m.type) {

    case NGX_WEBRTC_MEDIA_START:

        /* without descriptors, as there were too many: the worker sees the
         * end of both */

        ngx_webrtc_helper_start(&m, fds, nfds);
        return NGX_OK;

    case NGX_WEBRTC_MEDIA_PING:
        ngx_webrtc_helper_pong(m.number);
        return NGX_OK;

    default:
        return NGX_ERROR;
    }
}


static void
ngx_webrtc_helper_start(ngx_webrtc_media_message_t *m, int *fds,
    ngx_uint_t nfds)
{
    ngx_uint_t                i, fed, filed;
    ngx_webrtc_helper_job_t  *job;

    fed = ngx_webrtc_media_fed(m->u.start.kind);
    filed = ngx_webrtc_media_filed(m->u.start.kind) || m->u.start.given;
    i = 0;

    if (nfds == 2 + fed + filed) {
        i = 1;

        m->u.start.fd = filed ? fds[2 + fed] : -1;

        if (ngx_webrtc_helper_njobs == NGX_WEBRTC_HELPER_JOBS) {
            ngx_webrtc_helper_job_refuse(fds[0], "too many jobs in the media "
                                         "process", 0);

        } else {
            ngx_webrtc_helper_sandbox_data(ngx_webrtc_helper_limit,
                                           ngx_webrtc_helper_njobs + 1);

            job = ngx_webrtc_helper_job_create(&m->u.start, fds[0], fds[1],
                                               fed ? fds[2] : -1,
                                               ngx_webrtc_helper_wake);
            if (job) {
                ngx_webrtc_helper_jobs[ngx_webrtc_helper_njobs++] = job;
            }
        }
    }

    for ( /* void */ ; i < nfds; i++) {
        (void) close(fds[i]);
    }
}


static void
ngx_webrtc_helper_pong(uint32_t number)
{
    ngx_webrtc_media_message_t  m;

    m.type = NGX_WEBRTC_MEDIA_PONG;
    m.number = number;

    ngx_webrtc_helper_send(&m);
}


static void
ngx_webrtc_helper_send(ngx_webrtc_media_message_t *m)
{
    u_char  *p;
    u_char   buf[NGX_WEBRTC_MEDIA_MESSAGE];

    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), m);

    /* if the worker does not read, it is up to the worker to act */

    (void) (send(NGX_WEBRTC_HELPER_FD, buf, p - buf, MSG_NOSIGNAL|MSG_DONTWAIT)
            == -1);
}


/* jobs whose thread has ended */

static void
ngx_webrtc_helper_reap(void)
{
    ngx_uint_t  i, njobs;

    njobs = ngx_webrtc_helper_njobs;

    for (i = 0; i < ngx_webrtc_helper_njobs; /* void */ ) {

        if (ngx_webrtc_helper_job_ended(ngx_webrtc_helper_jobs[i], 0)
            != NGX_OK)
        {
            i++;
            continue;
        }

        ngx_webrtc_helper_jobs[i] =
                           ngx_webrtc_helper_jobs[--ngx_webrtc_helper_njobs];
    }

    if (ngx_webrtc_helper_njobs < njobs) {
        ngx_webrtc_helper_sandbox_data(ngx_webrtc_helper_limit,
                                       ngx_webrtc_helper_njobs);
    }
}


/* a thread that resolves a name cannot be ended: do not wait for it */

static void
ngx_webrtc_helper_exit(void)
{
    uint64_t    until_us, now_us;
    ngx_uint_t  i, left;

    for (i = 0; i < ngx_webrtc_helper_njobs; i++) {
        ngx_webrtc_helper_job_stop(ngx_webrtc_helper_jobs[i]);
    }

    left = 0;
    until_us = ngx_webrtc_time_now()
               + NGX_WEBRTC_HELPER_EXIT_MS * 1000;

    for (i = 0; i < ngx_webrtc_helper_njobs; i++) {

        now_us = ngx_webrtc_time_now();

        if (ngx_webrtc_helper_job_ended(ngx_webrtc_helper_jobs[i],
                           now_us < until_us ? (until_us - now_us) / 1000 : 0)
            != NGX_OK)
        {
            left = 1;
        }
    }

    if (left || ngx_webrtc_source_standby_left()) {
        _exit(0);
    }
}
