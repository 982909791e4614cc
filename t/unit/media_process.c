
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Children beside those of nginx: whose handler hears of which, before and
 * after ours is in charge.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <signal.h>

#include "ngx_webrtc_media_process.h"
#include "tap.h"


/* of a child that nginx knows: how often its handler was called, and reaped */
static volatile sig_atomic_t  called, reaped;


static void
handler(int signo, siginfo_t *info, void *ucontext)
{
    (void) signo;
    (void) info;
    (void) ucontext;

    called = 1;

    while (waitpid(-1, NULL, WNOHANG) > 0) {
        reaped = reaped + 1;
    }
}


static ngx_pid_t
start(const char *program, const char *arg)
{
    char  *argv[3];

    argv[0] = (char *) program;
    argv[1] = (char *) arg;
    argv[2] = NULL;

    return ngx_webrtc_media_process_start(program, argv, 0);
}


static int
ended(ngx_pid_t pid, int *status)
{
    int  i;

    for (i = 0; i < 20000; i++) {
        if (ngx_webrtc_media_process_ended(pid, status) == NGX_OK) {
            return 1;
        }

        usleep(1000);
    }

    return 0;
}


/* many that end at the same time, the last one first; how many are known */

static int
crowd(void)
{
    int        i, n, round, status;
    ngx_pid_t  pids[8];

    n = 0;

    for (round = 0; round < 40; round++) {

        for (i = 0; i < 8; i++) {
            pids[i] = start("/bin/sleep", "1000");
        }

        while (i > 0) {
            (void) kill(pids[--i], SIGKILL);
        }

        for (i = 0; i < 8; i++) {
            n += ended(pids[i], &status);
        }

        if (reaped) {
            break;
        }
    }

    return n;
}


/* a child that nginx has started */

static int
stranger(void)
{
    int         i;
    ngx_pid_t   pid;

    reaped = 0;

    pid = fork();

    if (pid == 0) {
        _exit(0);
    }

    for (i = 0; i < 20000 && reaped == 0; i++) {
        usleep(1000);
    }

    return reaped;
}


static int
caught(void)
{
    struct sigaction  sa;

    (void) sigaction(SIGCHLD, NULL, &sa);

    return (sa.sa_flags & SA_SIGINFO) && sa.sa_sigaction == handler;
}


int
main(void)
{
    int               i, status;
    ngx_pid_t         pid;
    struct sigaction  sa;

    memset(&sa, 0, sizeof(sa));
    sa.sa_sigaction = handler;
    sa.sa_flags = SA_SIGINFO;
    (void) sigaction(SIGCHLD, &sa, NULL);

    /* twice: nginx without a master goes on after a reload */

    for (i = 0; i < 2; i++) {

        ngx_webrtc_media_process_done();
        tap_ok(caught(), "nginx's handler");
        called = 0;

        pid = start("/bin/false", NULL);
        tap_ok(pid > 0, "a child");
        tap_ok(!caught(), "ours in front of nginx's");

        tap_ok(ended(pid, &status), "it ends");
        tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == 1, "and how");
        tap_is_int(called, 0, "nginx's handler is not called");
        tap_is_int(stranger(), 1, "it reaps what it has started");

        called = 0;
        reaped = 0;

        pid = start("/bin/sleep", "1000");
        tap_ok(pid > 0, "another child");
        ngx_webrtc_media_process_kill(pid);
        ngx_webrtc_media_process_done();

        tap_ok(caught(), "nginx's handler again");
        tap_ok(kill(pid, 0) == -1, "our child has gone");
        tap_is_int(reaped, 0, "without nginx's hearing of it");
        tap_is_int(stranger(), 1, "nginx reaps what it has started");
    }

    pid = start("/bin/sleep", "1000");
    tap_is_int(ngx_webrtc_media_process_stopped(pid), 0, "one that runs");
    (void) kill(pid, SIGSTOP);

    for (i = 0; i < 20000 && !ngx_webrtc_media_process_stopped(pid); i++) {
        usleep(1000);
    }

    tap_is_int(ngx_webrtc_media_process_stopped(pid), 1, "one that is stopped");
    tap_is_int(ngx_webrtc_media_process_stopped(pid), 1, "and still is");
    ngx_webrtc_media_process_kill(pid);

    reaped = 0;
    tap_is_int(crowd(), 320, "many at once are all found");
    tap_is_int(reaped, 0, "nginx hears of none");

    /* one that nobody has killed, and so does not end */

    pid = start("/bin/sleep", "1000");
    ngx_webrtc_media_process_done();

    (void) sigaction(SIGCHLD, NULL, &sa);
    tap_ok(sa.sa_handler == SIG_DFL, "nobody is told of one that stays");

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);

    return tap_done();
}
