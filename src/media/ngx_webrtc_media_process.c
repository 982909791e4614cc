
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Children of a worker that nginx does not know about.
 *
 * Our SIGCHLD handler reaps the children in its table and leaves the others
 * to nginx's handler, which reaps all there are: it is called only when there
 * is one of those, as ours go on ending while it runs.  SIGCHLD is blocked
 * while a child is started, so that one that ends at once is in the table, and
 * whenever the table is accessed.
 *
 * A command leads a process group of its own, with a guard in it.  When it has
 * ended, what is left of the group is killed before its number is given back to
 * the system: until then nobody else can have it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <spawn.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "ngx_webrtc_media_process.h"


/* ms that killed children have to end; chosen: they have nothing to do */
#define NGX_WEBRTC_MEDIA_DONE  200


typedef struct {
    ngx_pid_t  pid;        /* 0: free */
    int        status;
    unsigned   ended:1;
    unsigned   forget:1;   /* nobody asks how it ended */
    unsigned   group:1;    /* leads one */
} ngx_webrtc_media_child_t;


static ngx_webrtc_media_child_t *ngx_webrtc_media_process_slot(void);
static int ngx_webrtc_media_process_spawn(const char *program,
    char *const argv[], int fd, pid_t *pid);
static void ngx_webrtc_media_process_exec(const char *program,
    char *const argv[], int fd, int guard, ngx_pid_t parent);
static void ngx_webrtc_media_process_guard(int guard, int null);
static void ngx_webrtc_media_process_close_from(int fd);
static ngx_uint_t ngx_webrtc_media_process_any(void);
static ngx_webrtc_media_child_t *ngx_webrtc_media_process_find(ngx_pid_t pid);
static ngx_uint_t ngx_webrtc_media_process_reap(
    ngx_webrtc_media_child_t *child);
static void ngx_webrtc_media_process_reap_all(void);
static ngx_uint_t ngx_webrtc_media_process_others(void);
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
    int                        err;
    pid_t                      pid;
    sigset_t                   old;
    ngx_webrtc_media_child_t  *child;

    pid = -1;

    ngx_webrtc_media_process_block(&old);

    child = ngx_webrtc_media_process_slot();
    err = ngx_errno;

    if (child) {
        err = ngx_webrtc_media_process_spawn(program, argv, fd, &pid);

        if (err == 0) {
            child->pid = pid;
        }
    }

    ngx_webrtc_media_process_unblock(&old);

    ngx_set_errno(err);

    return err ? -1 : pid;
}


ngx_pid_t
ngx_webrtc_media_process_command(const char *program, char *const argv[],
    int fd, int guard)
{
    int                        err;
    pid_t                      pid;
    sigset_t                   old, all;
    ngx_webrtc_media_child_t  *child;

    /* our handlers must not run in the child */

    sigfillset(&all);
    (void) sigprocmask(SIG_BLOCK, &all, &old);

    pid = -1;
    child = ngx_webrtc_media_process_slot();
    err = ngx_errno;

    if (child) {
        pid = fork();
        err = ngx_errno;

        if (pid == 0) {
            ngx_webrtc_media_process_exec(program, argv, fd, guard, ngx_pid);
        }

        if (pid != -1) {
            /* both do it, as either may be first */
            (void) setpgid(pid, pid);

            child->pid = pid;
            child->group = 1;
        }
    }

    ngx_webrtc_media_process_unblock(&old);

    ngx_set_errno(err);

    return pid;
}


/* SIGCHLD is blocked; an empty place, or NULL and errno */

static ngx_webrtc_media_child_t *
ngx_webrtc_media_process_slot(void)
{
    struct sigaction           sa;
    ngx_webrtc_media_child_t  *child;

    if (!ngx_webrtc_media_handled) {

        ngx_memzero(&sa, sizeof(struct sigaction));
        sa.sa_sigaction = ngx_webrtc_media_process_handler;
        sa.sa_flags = SA_SIGINFO;
        sigemptyset(&sa.sa_mask);

        if (sigaction(SIGCHLD, &sa, &ngx_webrtc_media_nginx) == -1) {
            return NULL;
        }

        ngx_webrtc_media_handled = 1;
    }

    child = ngx_webrtc_media_process_find(0);

    if (child == NULL) {
        ngx_set_errno(EAGAIN);
        return NULL;
    }

    ngx_memzero(child, sizeof(ngx_webrtc_media_child_t));

    return child;
}


/* 0, or an error */

static int
ngx_webrtc_media_process_spawn(const char *program, char *const argv[], int fd,
    pid_t *pid)
{
    int                          err;
    sigset_t                     none;
    posix_spawnattr_t            attr;
    posix_spawn_file_actions_t   actions;

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
        err = posix_spawn(pid, program, &actions, &attr, argv, environ);
    }

    (void) posix_spawn_file_actions_destroy(&actions);
    (void) posix_spawnattr_destroy(&attr);

    return err;
}


/*
 * In the child of fork(), with all signals blocked: only what is safe in a
 * handler of signals.  Does not return.
 */

static void
ngx_webrtc_media_process_exec(const char *program, char *const argv[], int fd,
    int guard, ngx_pid_t parent)
{
    int          i, null;
    ssize_t      n;
    sigset_t     none;
    const char  *text;

    (void) setpgid(0, 0);
    (void) prctl(PR_SET_PDEATHSIG, SIGKILL);

    if (getppid() != parent) {
        _exit(126);
    }

    for (i = 1; i < NSIG; i++) {
        (void) signal(i, SIG_DFL);
    }

    null = open("/dev/null", O_RDWR);

    if (null == -1 || dup2(null, 0) == -1 || dup2(null, 1) == -1
        || dup2(fd, 2) == -1)
    {
        _exit(126);
    }

    sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);

    ngx_webrtc_media_process_guard(guard, null);
    ngx_webrtc_media_process_close_from(3);

    (void) execve(program, argv, environ);

    text = (errno == ENOENT) ? "there is no such program\n"
           : (errno == EACCES) ? "the program may not be run\n"
                               : "the program cannot be run\n";

    n = write(2, text, strlen(text));
    (void) n;

    _exit(127);
}


/*
 * PR_SET_PDEATHSIG is for the command alone.  For what it starts there is a
 * guard in its group, whose input ends when the worker does: it has the other
 * end.  It is nobody's child that waits for children.
 */

static void
ngx_webrtc_media_process_guard(int guard, int null)
{
    int    status;
    pid_t  pid;

    static char  *const argv[] = {
        "sh", "-c", "trap '' TERM; read x; kill -KILL 0", NULL
    };

    pid = fork();

    if (pid == -1) {
        return;
    }

    if (pid > 0) {
        (void) waitpid(pid, &status, 0);
        return;
    }

    if (fork() != 0) {
        _exit(0);
    }

    if (dup2(guard, 0) == -1 || dup2(null, 2) == -1) {
        _exit(0);
    }

    ngx_webrtc_media_process_close_from(3);

    (void) execve("/bin/sh", argv, environ);

    _exit(0);
}


static void
ngx_webrtc_media_process_close_from(int fd)
{
    struct rlimit  limit;

#if defined(SYS_close_range)

    if (syscall(SYS_close_range, (unsigned) fd, ~0U, 0U) == 0) {
        return;
    }

#endif

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) {
        limit.rlim_cur = 1024;
    }

    while ((rlim_t) fd < limit.rlim_cur) {
        (void) close(fd++);
    }
}


uint64_t
ngx_webrtc_media_process_memory(ngx_pid_t pid)
{
    int      fd;
    char     buf[128];
    long     size, resident, shared;
    u_char   path[sizeof("/proc//statm") + NGX_INT64_LEN];
    ssize_t  n;

    (void) ngx_sprintf(path, "/proc/%P/statm%Z", pid);

    fd = open((char *) path, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        return 0;
    }

    n = read(fd, buf, sizeof(buf) - 1);

    (void) close(fd);

    if (n <= 0) {
        return 0;
    }

    buf[n] = '\0';

    if (sscanf(buf, "%ld %ld %ld", &size, &resident, &shared) != 3
        || resident < shared)
    {
        return 0;
    }

    return (uint64_t) (resident - shared) * ngx_pagesize;
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


ngx_uint_t
ngx_webrtc_media_process_stopped(ngx_pid_t pid)
{
    siginfo_t  info;

    info.si_pid = 0;

    return waitid(P_PID, (id_t) pid, &info, WSTOPPED|WNOHANG|WNOWAIT) == 0
           && info.si_pid == pid;
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
            (void) kill(child->group ? -pid : pid, SIGKILL);
            child->forget = 1;
        }
    }

    ngx_webrtc_media_process_unblock(&old);
}


void
ngx_webrtc_media_process_signal(ngx_pid_t pid, int signo)
{
    sigset_t                   old;
    ngx_webrtc_media_child_t  *child;

    ngx_webrtc_media_process_block(&old);

    child = ngx_webrtc_media_process_find(pid);

    if (child && !child->ended) {
        (void) kill(child->group ? -pid : pid, signo);
    }

    ngx_webrtc_media_process_unblock(&old);
}


void
ngx_webrtc_media_process_done(void)
{
    ngx_uint_t  i;

    if (!ngx_webrtc_media_handled) {
        return;
    }

    for (i = 0; i < NGX_WEBRTC_MEDIA_DONE && ngx_webrtc_media_process_any();
         i++)
    {
        ngx_msleep(1);
    }

    if (ngx_webrtc_media_process_any()) {

        /* they do not die, and nginx knows nothing of them */

        (void) signal(SIGCHLD, SIG_DFL);

    } else {
        (void) sigaction(SIGCHLD, &ngx_webrtc_media_nginx, NULL);
    }

    ngx_webrtc_media_handled = 0;
}


/* is one of our children still there? */

static ngx_uint_t
ngx_webrtc_media_process_any(void)
{
    sigset_t    old;
    ngx_uint_t  i, any;

    any = 0;

    ngx_webrtc_media_process_block(&old);

    for (i = 0; i < NGX_WEBRTC_MEDIA_CHILDREN; i++) {
        any |= (ngx_webrtc_media_children[i].pid
                && !ngx_webrtc_media_children[i].ended);
    }

    ngx_webrtc_media_process_unblock(&old);

    return any;
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


/* in the handler: has it ended? */

static ngx_uint_t
ngx_webrtc_media_process_reap(ngx_webrtc_media_child_t *child)
{
    siginfo_t  info;

    if (child->group) {
        info.si_pid = 0;

        if (waitid(P_PID, child->pid, &info, WEXITED|WNOHANG|WNOWAIT) == -1
            || info.si_pid != child->pid)
        {
            return 0;
        }

        (void) kill(-child->pid, SIGKILL);
    }

    return waitpid(child->pid, &child->status, WNOHANG) == child->pid;
}


static void
ngx_webrtc_media_process_reap_all(void)
{
    ngx_uint_t                 i;
    ngx_webrtc_media_child_t  *child;

    for (i = 0; i < NGX_WEBRTC_MEDIA_CHILDREN; i++) {
        child = &ngx_webrtc_media_children[i];

        if (child->pid == 0 || child->ended
            || !ngx_webrtc_media_process_reap(child))
        {
            continue;
        }

        child->ended = 1;

        if (child->forget) {
            child->pid = 0;
        }
    }
}


/* has a child ended that is none of ours? */

static ngx_uint_t
ngx_webrtc_media_process_others(void)
{
    siginfo_t                  info;
    ngx_webrtc_media_child_t  *child;

    for ( ;; ) {
        ngx_webrtc_media_process_reap_all();

        info.si_pid = 0;

        if (waitid(P_ALL, 0, &info, WEXITED|WNOHANG|WNOWAIT) == -1
            || info.si_pid == 0)
        {
            return 0;
        }

        child = ngx_webrtc_media_process_find(info.si_pid);

        if (child == NULL || child->ended) {
            return 1;
        }

        /* it has ended just now */
    }
}


static void
ngx_webrtc_media_process_handler(int signo, siginfo_t *info, void *ucontext)
{
    int         err;
    ngx_uint_t  others;

    err = errno;
    others = ngx_webrtc_media_process_others();
    errno = err;

    if (!others) {
        return;
    }

    if (ngx_webrtc_media_nginx.sa_flags & SA_SIGINFO) {
        ngx_webrtc_media_nginx.sa_sigaction(signo, info, ucontext);

    } else if (ngx_webrtc_media_nginx.sa_handler != SIG_DFL
               && ngx_webrtc_media_nginx.sa_handler != SIG_IGN)
    {
        ngx_webrtc_media_nginx.sa_handler(signo);
    }
}
