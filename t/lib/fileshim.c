
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * To be preloaded into nginx: a file system that is slow.  Threads, not the
 * event loop, wait
 *
 *   $FILESHIM/fadvise  while there is this file: in posix_fadvise(), and
 *                      nothing is in the page cache
 *   $FILESHIM/fstat    while there is this one: when fstat() has looked
 *
 * and $FILESHIM/fadvise.held, $FILESHIM/fstat.held tell that one does.  While
 * there is the former, $FILESHIM/pread.loop tells that the event loop reads
 * what is in no page cache.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>


/* milliseconds that a thread waits at most */
#define SHIM_MAX  120000


typedef int (*fstat_pt)(int, struct stat64 *);
typedef int (*fadvise_pt)(int, off64_t, off64_t, int);
typedef ssize_t (*pread_pt)(int, void *, size_t, off64_t);
typedef ssize_t (*preadv_pt)(int, const struct iovec *, int, off64_t, int);


static int
shim_on(const char *name, const char *suffix, char *path, size_t n)
{
    const char  *dir;

    dir = getenv("FILESHIM");

    if (dir == NULL) {
        return 0;
    }

    (void) snprintf(path, n, "%s/%s%s", dir, name, suffix);

    return access(path, F_OK) == 0;
}


static void
shim_hold(const char *name)
{
    int   fd, ms;
    char  path[4096];

    if (getpid() == (pid_t) syscall(SYS_gettid)
        || !shim_on(name, "", path, sizeof(path)))
    {
        return;
    }

    (void) shim_on(name, ".held", path, sizeof(path));
    fd = open(path, O_CREAT | O_WRONLY, 0600);

    if (fd != -1) {
        (void) close(fd);
    }

    for (ms = 0; ms < SHIM_MAX; ms += 10) {

        if (!shim_on(name, "", path, sizeof(path))) {
            return;
        }

        (void) usleep(10000);
    }
}


int
fstat64(int fd, struct stat64 *st)
{
    int              rc;
    static fstat_pt  real;

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "fstat64");
    }

    rc = real(fd, st);
    shim_hold("fstat");

    return rc;
}


int
posix_fadvise64(int fd, off64_t offset, off64_t len, int advice)
{
    static fadvise_pt  real;

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "posix_fadvise64");
    }

    shim_hold("fadvise");

    return real(fd, offset, len, advice);
}


ssize_t
pread64(int fd, void *buf, size_t n, off64_t offset)
{
    int              file;
    char             path[4096];
    static pread_pt  real;

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "pread64");
    }

    if (getpid() == (pid_t) syscall(SYS_gettid)
        && shim_on("fadvise", "", path, sizeof(path)))
    {
        (void) shim_on("pread", ".loop", path, sizeof(path));
        file = open(path, O_CREAT | O_WRONLY, 0600);

        if (file != -1) {
            (void) close(file);
        }
    }

    return real(fd, buf, n, offset);
}


ssize_t
preadv64v2(int fd, const struct iovec *iov, int n, off64_t offset, int flags)
{
    char              path[4096];
    static preadv_pt  real;

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "preadv64v2");
    }

    if (shim_on("fadvise", "", path, sizeof(path))) {
        errno = EAGAIN;
        return -1;
    }

    return real(fd, iov, n, offset, flags);
}
