
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * To be preloaded into nginx's media process, with "env LD_PRELOAD; env
 * DISKSHIM;": a disk that does not answer.  While the first byte of the file
 * $DISKSHIM is "1" whoever writes to a file waits.  It is mapped at the start:
 * the process may open nothing later.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>


static ssize_t (*real)(int, const void *, size_t);
static volatile char *stuck;


__attribute__((constructor))
static void
begin(void)
{
    int          fd;
    void        *p;
    char         exe[1024], *name;
    ssize_t      n;

    *(void **) &real = dlsym(RTLD_NEXT, "write");

    n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    if (n == -1 || getenv("DISKSHIM") == NULL) {
        return;
    }

    exe[n] = '\0';
    name = strrchr(exe, '/');

    if (name == NULL || strcmp(name, "/ngx-webrtc-media") != 0) {
        return;
    }

    fd = open(getenv("DISKSHIM"), O_RDONLY);

    if (fd == -1) {
        return;
    }

    p = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);

    (void) close(fd);

    if (p != MAP_FAILED) {
        stuck = p;
    }
}


ssize_t
write(int fd, const void *buf, size_t n)
{
    struct stat  st;

    if (stuck && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        while (*stuck == '1') {
            (void) usleep(10000);
        }
    }

    return real(fd, buf, n);
}
