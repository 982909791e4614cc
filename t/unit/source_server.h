
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * For the tests of sources: a TCP server on the loopback that sends FLV, whose
 * tags carry their time, in bursts and in real time.
 */


#ifndef _SOURCE_SERVER_H_INCLUDED_
#define _SOURCE_SERVER_H_INCLUDED_


#include "source_harness.h"

#include <sys/stat.h>


/* connections whose time is noted down */
#define SERVER_TIMES  16


typedef struct {
    int          fd;           /* listening */
    int          port;
    pthread_t    tid;

    u_char      *p;            /* the file */
    size_t       n;

    ngx_uint_t   burst_ms;     /* of media, sent at once */
    ngx_uint_t   live_ms;      /* of media in all; 0: accept and be silent */
    ngx_uint_t   rounds;       /* connections to serve */
    u_char       flags;        /* of the FLV header */
    int          step_ms;      /* added to times of tags of this type, */
    u_char       step_type;    /* 0: of all, from 2 s on */
    uint32_t     served;       /* atomic */
    uint32_t     drop;         /* atomic: close the one that is open */
    uint64_t     at_us[SERVER_TIMES];
                               /* of the first ones, once they are served */
    uint32_t     quit;         /* atomic */
} server_t;


/* of the files */
static char  dir[] = "/tmp/ngx_webrtc_source_XXXXXX";


/* FLV, E.4.1: the timestamp of a tag of media */

static void
server_step(server_t *s, u_char *tag, uint64_t ts)
{
    uint32_t  t;

    if (s->step_ms == 0 || ts < 2000
        || (s->step_type && tag[0] != s->step_type))
    {
        return;
    }

    t = (uint32_t) ((int64_t) ts + s->step_ms);

    tag[4] = (u_char) (t >> 16);
    tag[5] = (u_char) (t >> 8);
    tag[6] = (u_char) t;
}


static void *
server_main(void *data)
{
    int        fd;
    size_t     pos, n;
    server_t  *s = data;
    uint64_t   start_us, due_us, now_us, ts;

    for ( ;; ) {

        fd = accept(s->fd, NULL, NULL);

        if (fd == -1 || ngx_webrtc_atomic_load(&s->quit)
            || s->served == s->rounds)
        {
            break;
        }

        start_us = ngx_webrtc_time_now();

        if (s->served < SERVER_TIMES) {
            s->at_us[s->served] = start_us;
        }

        ngx_webrtc_atomic_add(&s->served, 1);
        pos = 13;

        if (s->live_ms) {
            s->p[4] = s->flags;
            (void) !send(fd, s->p, 13, MSG_NOSIGNAL);
        }

        while (pos + 11 < s->n) {

            n = 11 + 4 + ((s->p[pos + 1] << 16) | (s->p[pos + 2] << 8)
                          | s->p[pos + 3]);
            ts = (s->p[pos + 4] << 16) | (s->p[pos + 5] << 8) | s->p[pos + 6];

            if (pos + n > s->n || ts > s->live_ms
                || ngx_webrtc_atomic_load(&s->quit)
                || ngx_webrtc_atomic_swap(&s->drop, 0))
            {
                break;
            }

            due_us = start_us + (ts > s->burst_ms ? ts - s->burst_ms : 0)
                                * 1000;
            now_us = ngx_webrtc_time_now();

            if (due_us > now_us) {
                usleep(due_us - now_us);
            }

            server_step(s, s->p + pos, ts);

            if (send(fd, s->p + pos, n, MSG_NOSIGNAL) != (ssize_t) n) {
                break;
            }

            pos += n;
        }

        while (s->live_ms == 0 && !ngx_webrtc_atomic_load(&s->quit)) {
            usleep(1000);
        }

        close(fd);
    }

    if (fd != -1) {
        close(fd);
    }

    return NULL;
}


static int
server_start(server_t *s, const char *name)
{
    char                file[256];
    FILE               *f;
    socklen_t           len;
    struct stat         st;
    struct sockaddr_in  sin;

    snprintf(file, sizeof(file), "%s/%s", dir, name);

    f = fopen(file, "r");
    if (f == NULL || fstat(fileno(f), &st) != 0) {
        return 0;
    }

    s->n = st.st_size;
    s->p = malloc(s->n);
    s->n = fread(s->p, 1, s->n, f);
    fclose(f);

    s->fd = socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0);

    ngx_memzero(&sin, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    len = sizeof(sin);

    if (s->fd == -1
        || bind(s->fd, (struct sockaddr *) &sin, len) != 0
        || listen(s->fd, 5) != 0
        || getsockname(s->fd, (struct sockaddr *) &sin, &len) != 0)
    {
        return 0;
    }

    s->port = ntohs(sin.sin_port);

    return pthread_create(&s->tid, NULL, server_main, s) == 0;
}


static void
server_stop(server_t *s)
{
    ngx_webrtc_atomic_store(&s->quit, 1);
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->tid, NULL);
    close(s->fd);
    free(s->p);
}


static __attribute__((unused)) const char *
url(server_t *s)
{
    static char  buf[64];

    snprintf(buf, sizeof(buf), "tcp://127.0.0.1:%d", s->port);

    return buf;
}


#endif /* _SOURCE_SERVER_H_INCLUDED_ */
