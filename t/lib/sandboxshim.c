
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * To be preloaded into nginx's media process, with "env LD_PRELOAD;": when it
 * is to resolve "name.invalid", does what somebody would who has taken it over,
 * and says on stderr, which is nginx's log, how far that went.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>


static int (*real)(const char *, const char *, const struct addrinfo *,
                   struct addrinfo **);


/* errno of what failed, 0: it did not */

static int
result(long rc)
{
    return (rc == -1) ? errno : 0;
}


static void
attempts(void)
{
    int          wr, rd, mk, ex, fk, kl, li, ow, of;
    char        *argv[] = { "/bin/true", NULL };
    char         line[256];
    const char  *file;
    struct rlimit  limit;

    file = getenv("SANDBOXSHIM");

    wr = result(open(file, O_WRONLY|O_CREAT, 0644));
    rd = result(open("/etc/hostname", O_RDONLY));
    of = result(open(file, O_RDONLY));
    mk = result(unlink(file));
    kl = result(kill(getppid(), 0))
         && result(syscall(SYS_tgkill, getppid(), getppid(), 0))
         && result(syscall(SYS_rt_sigqueueinfo, getppid(), 0, NULL)) == EPERM;
    li = result(syscall(SYS_prlimit64, getppid(), RLIMIT_CPU, NULL, &limit))
         && result(setpriority(PRIO_PROCESS, getppid(), 19));
    ow = result(syscall(SYS_tgkill, getpid(), getpid(), 0))
         || result(setpriority(PRIO_PROCESS, 0, 0))
         || result(syscall(SYS_prlimit64, 0, RLIMIT_CPU, NULL, &limit));
    fk = result(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));

    if (fk == 0) {
        _exit(0);                       /* the child, or who has made one */
    }

    ex = result(execve(argv[0], argv, NULL));

    snprintf(line, sizeof(line), "sandboxshim: write %s, read %s, "
             "read other %s, unlink %s, kill %s, limit %s, "
             "its own %s, fork %s, exec %s\n",
             wr ? "refused" : "done", rd ? "refused" : "done",
             of ? "refused" : "done", mk ? "refused" : "done",
             kl ? "refused" : "done", li ? "refused" : "done",
             ow ? "refused" : "done", fk ? "refused" : "done",
             ex ? "refused" : "done");

    (void) !write(2, line, strlen(line));
}


int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **res)
{
    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "getaddrinfo");
    }

    if (node && strcmp(node, "name.invalid") == 0) {
        attempts();
        return EAI_NONAME;
    }

    return real(node, service, hints, res);
}
