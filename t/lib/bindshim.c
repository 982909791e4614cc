
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * To be preloaded into nginx: a worker that is slow to begin.  While there is a
 * file $BINDSHIM, whoever binds a socket to an abstract name that begins with
 * "webrtc-port-" waits, and $BINDSHIM.<pid> tells that it does.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>


/* milliseconds that it waits at most */
#define SHIM_MAX   120000

#define SHIM_NAME  "\0webrtc-port-"


static int (*real_bind)(int, const struct sockaddr *, socklen_t);

/* workers do not have nginx's environment */
static char  file[4096];


__attribute__((constructor)) static void
begin(void)
{
    *(void **) &real_bind = dlsym(RTLD_NEXT, "bind");

    if (getenv("BINDSHIM")) {
        (void) snprintf(file, sizeof(file), "%s", getenv("BINDSHIM"));
    }
}


int
bind(int fd, const struct sockaddr *sa, socklen_t len)
{
    int    i;
    char   held[sizeof(file) + 32];
    FILE  *f;

    if (file[0] && access(file, F_OK) == 0 && sa->sa_family == AF_UNIX
        && len > sizeof(sa_family_t) + sizeof(SHIM_NAME) - 1
        && memcmp(((const struct sockaddr_un *) sa)->sun_path, SHIM_NAME,
                  sizeof(SHIM_NAME) - 1)
           == 0)
    {
        (void) snprintf(held, sizeof(held), "%s.%d", file, (int) getpid());

        f = fopen(held, "w");

        if (f) {
            (void) fclose(f);
        }

        for (i = 0; i < SHIM_MAX / 10 && access(file, F_OK) == 0; i++) {
            (void) usleep(10000);
        }
    }

    return real_bind(fd, sa, len);
}
