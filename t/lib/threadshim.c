
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * To be preloaded into nginx: a system that has no thread left, as long as the
 * file THREADSHIM exists.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>


typedef int (*create_pt)(pthread_t *, const pthread_attr_t *,
                         void *(*)(void *), void *);


int
pthread_create(pthread_t *tid, const pthread_attr_t *attr,
    void *(*start)(void *), void *arg)
{
    const char        *file;
    static create_pt   real;

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "pthread_create");
    }

    file = getenv("THREADSHIM");

    if (file && access(file, F_OK) == 0) {
        return EAGAIN;
    }

    return real(tid, attr, start, arg);
}
