
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Children of a worker that nginx does not know about.
 *
 * Our SIGCHLD handler reaps the children in its table and leaves the others
 * to nginx's handler, which reaps all there are.  SIGCHLD is blocked while a
 * child is started, so that one that ends at once is in the table, and
 * whenever the table is accessed.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <spawn.h>
#include <signal.h>

#include "ngx_webrtc_media_process.h"


typedef struct {
    ngx_pid_t  pid;        /* 0: free */
    int        status;
    unsigned   ended:1;
    unsigned   forget:1;   /* nobody asks how it ended */
} ngx_webrtc_media_child_t;


static ngx_webrtc_media_child_t *ngx_webrtc_media_process_find(ngx_pid_t pid);
static void ngx_webrtc_media_process_block(sigset_t *old);
static void ngx_webrtc_media_process_unblock(sigset_t *old);
static void ngx_webrtc_media_process_handler(int signo, siginfo_t *info,
    void *ucontext);


extern char  **environ;

static ngx_webrtc_media_child_t  ngx_webrtc_media_children[
                                                   NGX_WEBRTC_MEDIA_CHILDREN];
static struct sigaction  ngx_webrtc_media_nginx;
static ngx_uint_t        ngx_webrtc_media_handled;


ngx_pid_t
ngx_webrtc_media_process_start(const char *program, char *const argv[], int fd)
{
    int                          err;
    pid_t                        pid;
    sigset_t                     old, none;
    struct sigaction             sa;
    posix_spawnattr_t            attr;
    ngx_webrtc_media_child_t    *child;
    posix_spawn_file_actions_t   actions;

    pid = -1;

    ngx_webrtc_media_process_block(&old);

    if (!ngx_webrtc_media_handled) {

        ngx_memzero(&sa, sizeof(struct sigaction));
        sa.sa_sigaction = ngx_webrtc_media_process_handler;
        sa.sa_flags = SA_SIGINFO;
        sigemptyset(&sa.sa_mask);

        if (sigaction(SIGCHLD, &sa, &ngx_webrtc_media_nginx) == -1) {
            err = errno;
            goto failed;
        }

        ngx_webrtc_media_handled = 1;
    }

    child = ngx_webrtc_media_process_find(0);

    if (child == NULL) {
        err = EAGAIN;
        goto failed;
    }

    sigemptyset(&none);

    (void) posix_spawn_file_actions_init(&actions);
    (void) posix_spawnattr_init(&attr);

    err = posix_spawn_file_actions_adddup2(&actions, fd, 3);

    if (err == 0) {
        err = posix_spawnattr_setsigmask(&attr, &none);
    }

    if (err == 0) {
        err = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    }

    if (err == 0) {
        err = posix_spawn(&pid, program, &actions, &attr, argv, environ);
    }

    (void) posix_spawn_file_actions_destroy(&actions);
    (void) posix_spawnattr_destroy(&attr);

    if (err) {
        goto failed;
    }

    ngx_memzero(child, sizeof(ngx_webrtc_media_child_t));
    child->pid = pid;

    ngx_webrtc_media_process_unblock(&old);

    return pid;

failed:

    ngx_webrtc_media_process_unblock(&old);

    errno = err;

    return -1;
}


ngx_int_t
ngx_webrtc_media_process_ended(ngx_pid_t pid, int *status)
{
    sigset_t                   old;
    ngx_int_t                  rc;
    ngx_webrtc_media_child_t  *child;

    rc = NGX_AGAIN;

    ngx_webrtc_media_process_block(&old);

    child = ngx_webrtc_media_process_find(pid);

    if (child && child->ended) {
        *status = child->status;
        child->pid = 0;
        rc = NGX_OK;
    }

    ngx_webrtc_media_process_unblock(&old);

    return rc;
}


void
ngx_webrtc_media_process_kill(ngx_pid_t pid)
{
    sigset_t                   old;
    ngx_webrtc_media_child_t  *child;

    ngx_webrtc_media_process_block(&old);

    child = ngx_webrtc_media_process_find(pid);

    if (child) {

        if (child->ended) {
            child->pid = 0;

        } else {
            (void) kill(pid, SIGKILL);
            child->forget = 1;
        }
    }

    ngx_webrtc_media_process_unblock(&old);
}


void
ngx_webrtc_media_process_done(void)
{
    if (ngx_webrtc_media_handled) {

        /* any that are left will soon be another process's children */

        (void) signal(SIGCHLD, SIG_DFL);
        ngx_webrtc_media_handled = 0;
    }
}


static ngx_webrtc_media_child_t *
ngx_webrtc_media_process_find(ngx_pid_t pid)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_MEDIA_CHILDREN; i++) {
        if (ngx_webrtc_media_children[i].pid == pid) {
            return &ngx_webrtc_media_children[i];
        }
    }

    return NULL;
}


static void
ngx_webrtc_media_process_block(sigset_t *old)
{
    sigset_t  set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);

    (void) sigprocmask(SIG_BLOCK, &set, old);
}


static void
ngx_webrtc_media_process_unblock(sigset_t *old)
{
    (void) sigprocmask(SIG_SETMASK, old, NULL);
}


static void
ngx_webrtc_media_process_handler(int signo, siginfo_t *info, void *ucontext)
{
    int                        err;
    ngx_uint_t                 i;
    ngx_webrtc_media_child_t  *child;

    err = errno;

    for (i = 0; i < NGX_WEBRTC_MEDIA_CHILDREN; i++) {
        child = &ngx_webrtc_media_children[i];

        if (child->pid == 0 || child->ended
            || waitpid(child->pid, &child->status, WNOHANG) != child->pid)
        {
            continue;
        }

        child->ended = 1;

        if (child->forget) {
            child->pid = 0;
        }
    }

    errno = err;

    if (ngx_webrtc_media_nginx.sa_flags & SA_SIGINFO) {
        ngx_webrtc_media_nginx.sa_sigaction(signo, info, ucontext);

    } else if (ngx_webrtc_media_nginx.sa_handler != SIG_DFL
               && ngx_webrtc_media_nginx.sa_handler != SIG_IGN)
    {
        ngx_webrtc_media_nginx.sa_handler(signo);
    }
}
