
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * To be preloaded into nginx: a resolver that has no answer for "name.invalid"
 * until the process that asks has unloaded a module, which nginx does before it
 * ends.  Then it says that there is none, and who asked goes on.
 *
 *     RESOLVESHIM  file; a line for each time that the name is asked for
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


static pthread_mutex_t  mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t   cond = PTHREAD_COND_INITIALIZER;

static int              asked;         /* threads that wait */
static int              unloaded;
static int              fd = -1;

static int (*real_getaddrinfo)(const char *, const char *,
                               const struct addrinfo *, struct addrinfo **);
static int (*real_dlclose)(void *);


__attribute__((constructor)) static void
begin(void)
{
    const char  *name;

    *(void **) &real_getaddrinfo = dlsym(RTLD_NEXT, "getaddrinfo");
    *(void **) &real_dlclose = dlsym(RTLD_NEXT, "dlclose");

    name = getenv("RESOLVESHIM");

    if (name) {
        fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
}


int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **res)
{
    if (node == NULL || strcmp(node, "name.invalid") != 0) {
        return real_getaddrinfo(node, service, hints, res);
    }

    pthread_mutex_lock(&mutex);

    asked++;

    if (fd != -1 && write(fd, "asked\n", 6) != 6) {
        abort();
    }

    while (!unloaded) {
        pthread_cond_wait(&cond, &mutex);
    }

    pthread_mutex_unlock(&mutex);

    return EAI_NONAME;
}


/* what has been asked for gets its second of time, with the code gone */

int
dlclose(void *handle)
{
    int              rc;
    struct timespec  ts;

    rc = real_dlclose(handle);

    pthread_mutex_lock(&mutex);

    if (asked && !unloaded) {

        unloaded = 1;
        pthread_cond_broadcast(&cond);
        pthread_mutex_unlock(&mutex);

        ts.tv_sec = 1;
        ts.tv_nsec = 0;

        (void) nanosleep(&ts, NULL);

        return rc;
    }

    pthread_mutex_unlock(&mutex);

    return rc;
}
