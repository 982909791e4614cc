
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Jobs that probe a file, or play it for a client.
 *
 *   probing: opened -> MOVIE put -> ended
 *   playing: opened -> a generation -> (the end, and waits) -> the next one ...
 *            -> stopped, or WRONG put -> ended
 *
 * It is never more than NGX_WEBRTC_HELPER_MOVIE_AHEAD of media in front of what
 * the worker has read from the ring.  A generation that is not wanted any more
 * ends where it is; what it has put into the ring is recognised by its number
 * and left out by the worker.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <pthread.h>
#include <sys/resource.h>

#include "ngx_webrtc_helper_kind.h"
#include "ngx_webrtc_movie_play.h"


/* us; the protocol's */
#define NGX_WEBRTC_HELPER_MOVIE_AHEAD  2000000

/* of what encodes, and of the encoder's threads; chosen: nginx comes first */
#define NGX_WEBRTC_HELPER_MOVIE_NICE   5

/* fragments that are in the ring at once; chosen: 2 s of the shortest */
#define NGX_WEBRTC_HELPER_MOVIE_MARKS  64


/* where a fragment ends, in the ring and in the movie */
typedef struct {
    uint64_t                   pos;
    int64_t                    us;
} ngx_webrtc_helper_movie_mark_t;


typedef struct {
    ngx_webrtc_helper_job_t   *job;
    ngx_webrtc_media_movie_t   movie;
    int                        file;

    /* of the thread */

    uint32_t                   generation;
    ngx_webrtc_movie_play_t    play;
    ngx_webrtc_helper_movie_mark_t  marks[NGX_WEBRTC_HELPER_MOVIE_MARKS];
    ngx_uint_t                 nmarks;

    pthread_mutex_t            mutex;

    /* under the mutex */

    ngx_webrtc_media_seek_t    seek;
    unsigned                   wanted:1;    /* seek is */
} ngx_webrtc_helper_movie_t;


static ngx_int_t ngx_webrtc_helper_movie_create(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_start_t *start, const char **cause, int *err);
static ngx_int_t ngx_webrtc_helper_movie_input(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_message_t *m);
static void ngx_webrtc_helper_movie_free(ngx_webrtc_helper_job_t *job);
static void ngx_webrtc_helper_movie_run(ngx_webrtc_source_thread_t *th);
static void ngx_webrtc_helper_movie_probe(ngx_webrtc_helper_movie_t *hm);
static void ngx_webrtc_helper_movie_play(ngx_webrtc_helper_movie_t *hm);
static ngx_int_t ngx_webrtc_helper_movie_next(ngx_webrtc_helper_movie_t *hm,
    ngx_webrtc_media_seek_t *seek);
static void ngx_webrtc_helper_movie_wrong(ngx_webrtc_helper_movie_t *hm);
static ngx_int_t ngx_webrtc_helper_movie_put(void *ctx, ngx_uint_t type,
    int64_t ms, u_char *data, size_t n);
static ngx_int_t ngx_webrtc_helper_movie_ahead(void *ctx, int64_t us);
static ngx_uint_t ngx_webrtc_helper_movie_over(void *ctx);
static ngx_uint_t ngx_webrtc_helper_movie_stopped(void *ctx);


const ngx_webrtc_helper_kind_t  ngx_webrtc_helper_movie = {
    ngx_webrtc_helper_movie_create,
    ngx_webrtc_helper_movie_input,
    ngx_webrtc_helper_movie_free
};


static ngx_int_t
ngx_webrtc_helper_movie_create(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_start_t *start, const char **cause, int *err)
{
    ngx_webrtc_helper_movie_t        *hm;
    ngx_webrtc_source_thread_conf_t   conf;

    *cause = "no memory in the media process";
    *err = 0;

    hm = calloc(1, sizeof(ngx_webrtc_helper_movie_t));

    if (hm == NULL) {
        return NGX_ERROR;
    }

    (void) pthread_mutex_init(&hm->mutex, NULL);

    job->part = hm;

    hm->job = job;
    hm->movie = start->movie;
    hm->file = fcntl(start->fd, F_DUPFD_CLOEXEC, 0);

    if (hm->file == -1) {
        *cause = "no descriptor for the file";
        *err = errno;
        return NGX_ERROR;
    }

    hm->play.plan = hm->movie.plan;
    hm->play.out.put = ngx_webrtc_helper_movie_put;
    hm->play.out.ahead = ngx_webrtc_helper_movie_ahead;
    hm->play.out.over = ngx_webrtc_helper_movie_over;
    hm->play.out.stopped = ngx_webrtc_helper_movie_stopped;
    hm->play.out.ctx = hm;

    ngx_webrtc_helper_job_conf(job, &conf);

    conf.body = ngx_webrtc_helper_movie_run;

    job->th = ngx_webrtc_source_thread_create(&conf);

    return job->th ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_webrtc_helper_movie_input(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_message_t *m)
{
    ngx_webrtc_helper_movie_t  *hm;

    hm = job->part;

    if (m->type != NGX_WEBRTC_MEDIA_SEEK) {
        return NGX_DECLINED;
    }

    pthread_mutex_lock(&hm->mutex);

    hm->seek = m->u.seek;
    hm->wanted = 1;

    pthread_mutex_unlock(&hm->mutex);

    /* whatever it waits for */

    ngx_webrtc_source_thread_room(job->th);

    return NGX_OK;
}


static void
ngx_webrtc_helper_movie_free(ngx_webrtc_helper_job_t *job)
{
    ngx_webrtc_helper_movie_t  *hm;

    hm = job->part;

    if (hm) {
        if (hm->file != -1) {
            (void) close(hm->file);
        }

        (void) pthread_mutex_destroy(&hm->mutex);
        free(hm);
    }
}


static void
ngx_webrtc_helper_movie_run(ngx_webrtc_source_thread_t *th)
{
    ngx_webrtc_helper_job_t    *job;
    ngx_webrtc_helper_movie_t  *hm;

    job = th->conf.ctx;
    hm = job->part;

    if (hm->movie.plan.scale) {
        (void) setpriority(PRIO_PROCESS, 0, NGX_WEBRTC_HELPER_MOVIE_NICE);
    }

    if (hm->movie.probe) {
        ngx_webrtc_helper_movie_probe(hm);

    } else {
        ngx_webrtc_helper_movie_play(hm);
    }

    ngx_webrtc_movie_play_close(&hm->play);
}


static void
ngx_webrtc_helper_movie_probe(ngx_webrtc_helper_movie_t *hm)
{
    u_char  *p;
    u_char   buf[NGX_WEBRTC_MOVIE_SIZE];

    if (ngx_webrtc_movie_play_open(&hm->play, hm->file) != NGX_OK) {
        ngx_webrtc_helper_movie_wrong(hm);
        return;
    }

    p = ngx_webrtc_movie_write(buf, buf + sizeof(buf), &hm->play.in.movie);

    if (p) {
        (void) ngx_webrtc_helper_movie_put(hm, NGX_WEBRTC_MEDIA_MOVIE, 0, buf,
                                           p - buf);
    }
}


static void
ngx_webrtc_helper_movie_play(ngx_webrtc_helper_movie_t *hm)
{
    ngx_int_t                rc;
    ngx_webrtc_media_seek_t  seek;

    seek = hm->movie.seek;
    hm->generation = seek.generation;

    if (ngx_webrtc_movie_play_open(&hm->play, hm->file) != NGX_OK) {
        ngx_webrtc_helper_movie_wrong(hm);
        return;
    }

    do {
        hm->generation = seek.generation;
        hm->nmarks = 0;

        rc = ngx_webrtc_movie_play(&hm->play, &seek);

        if (rc == NGX_ERROR) {
            ngx_webrtc_helper_movie_wrong(hm);
            return;
        }

    } while (ngx_webrtc_helper_movie_next(hm, &seek) == NGX_OK);
}


/* waits for what is wanted next; NGX_ABORT: nothing */

static ngx_int_t
ngx_webrtc_helper_movie_next(ngx_webrtc_helper_movie_t *hm,
    ngx_webrtc_media_seek_t *seek)
{
    while (!ngx_webrtc_helper_movie_over(hm)) {
        if (ngx_webrtc_source_thread_wait_room(hm->job->th) != NGX_OK) {
            return NGX_ABORT;
        }
    }

    if (ngx_webrtc_helper_movie_stopped(hm)) {
        return NGX_ABORT;
    }

    pthread_mutex_lock(&hm->mutex);

    *seek = hm->seek;
    hm->wanted = 0;

    pthread_mutex_unlock(&hm->mutex);

    return NGX_OK;
}


/* it cannot be played, or not any further */

static void
ngx_webrtc_helper_movie_wrong(ngx_webrtc_helper_movie_t *hm)
{
    const char  *cause;

    cause = hm->play.cause ? hm->play.cause : "it cannot be read";

    (void) ngx_webrtc_helper_movie_put(hm, NGX_WEBRTC_MEDIA_WRONG, 0,
                                       (u_char *) cause, ngx_strlen(cause));
}


/* a fragment comes in parts of which each fits a frame of the range protocol */

static ngx_int_t
ngx_webrtc_helper_movie_put(void *ctx, ngx_uint_t type, int64_t ms,
    u_char *data, size_t n)
{
    ngx_webrtc_helper_movie_t *hm = ctx;

    size_t                     part;
    ngx_webrtc_media_record_t  r;

    ngx_memzero(&r, sizeof(ngx_webrtc_media_record_t));

    r.type = (uint8_t) type;
    r.value = (uint16_t) hm->generation;
    r.ts = ms;

    if (type != NGX_WEBRTC_MEDIA_FRAGMENT) {
        r.data = data;
        r.len = n;

        return ngx_webrtc_helper_job_put(hm->job, &r);
    }

    for ( /* void */ ; n; n -= part) {
        part = ngx_min(n, hm->movie.chunk);

        r.data = data;
        r.len = part;
        r.track = (part == n);          /* the last one */

        if (ngx_webrtc_helper_job_put(hm->job, &r) != NGX_OK) {
            return NGX_ABORT;
        }

        data += part;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_helper_movie_ahead(void *ctx, int64_t us)
{
    ngx_webrtc_helper_movie_t *hm = ctx;

    uint64_t                  tail;
    ngx_uint_t                i;
    ngx_webrtc_media_ring_t  *ring;

    ring = &hm->job->ring;

    if (hm->nmarks == NGX_WEBRTC_HELPER_MOVIE_MARKS) {
        hm->nmarks--;
    }

    hm->marks[hm->nmarks].pos = ring->pos;
    hm->marks[hm->nmarks].us = us;
    hm->nmarks++;

    for ( ;; ) {

        if (ngx_webrtc_helper_movie_over(hm)) {
            return NGX_ABORT;
        }

        tail = ngx_webrtc_media_ring_tail(ring);

        for (i = 0; i < hm->nmarks && hm->marks[i].pos <= tail; i++) {
            /* void */
        }

        hm->nmarks -= i;
        ngx_memmove(hm->marks, hm->marks + i,
                    hm->nmarks * sizeof(ngx_webrtc_helper_movie_mark_t));

        /* the oldest that has not been read ends then */

        if (hm->nmarks == 0
            || us - hm->marks[0].us < NGX_WEBRTC_HELPER_MOVIE_AHEAD)
        {
            return NGX_OK;
        }

        ngx_webrtc_media_ring_want(ring);

        if (ngx_webrtc_media_ring_tail(ring) != tail) {
            continue;
        }

        if (ngx_webrtc_source_thread_wait_room(hm->job->th) != NGX_OK) {
            return NGX_ABORT;
        }
    }
}


/* stopped, or another place is wanted */

static ngx_uint_t
ngx_webrtc_helper_movie_over(void *ctx)
{
    ngx_webrtc_helper_movie_t *hm = ctx;

    ngx_uint_t  wanted;

    pthread_mutex_lock(&hm->mutex);
    wanted = hm->wanted;
    pthread_mutex_unlock(&hm->mutex);

    return wanted || ngx_webrtc_helper_movie_stopped(hm);
}


static ngx_uint_t
ngx_webrtc_helper_movie_stopped(void *ctx)
{
    ngx_webrtc_helper_movie_t *hm = ctx;

    return ngx_webrtc_source_thread_stopped(hm->job->th);
}
