
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The thread of a source: its lifetime, its notes to the loop, its sleep.
 * Its use of libavformat is in ngx_webrtc_source_av.c.
 *
 * The mutex is held for a few instructions on either side, never over
 * a callback or a blocking call, so the thread cannot hold up the loop.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <pthread.h>
#include <signal.h>

#include "ngx_webrtc_source_mask.h"
#include "ngx_webrtc_source_thread.h"


/*
 * chosen: libav*'s deepest users of the stack (AAC and Opus) need under
 * 200 kB; only what is touched takes memory
 */
#define NGX_WEBRTC_SOURCE_STACK      (1024 * 1024)


static void *ngx_webrtc_source_thread_main(void *data);
static ngx_int_t ngx_webrtc_source_thread_ask(ngx_webrtc_source_thread_t *th,
    ngx_webrtc_media_note_t *note);


ngx_webrtc_source_thread_t *
ngx_webrtc_source_thread_create(ngx_webrtc_source_thread_conf_t *conf)
{
    size_t                       size;
    u_char                      *p;
    ngx_uint_t                   i, n;
    ngx_webrtc_source_thread_t  *th;

    const ngx_webrtc_source_from_t  *from;

    from = conf->from;
    n = conf->nfrom;

    for (i = 0, size = 0; i < n; i++) {
        size += ngx_strlen(from[i].url) + 1
                + (from[i].format ? ngx_strlen(from[i].format) + 1 : 0);
    }

    th = calloc(1, sizeof(ngx_webrtc_source_thread_t) + size);
    if (th == NULL) {
        return NULL;
    }

    th->conf = *conf;
    th->nfrom = n;
    th->connect_timeout = conf->connect_timeout;
    th->read_timeout = conf->read_timeout;

    p = (u_char *) &th[1];

    for (i = 0; i < n; i++) {

        th->from[i] = from[i];

        th->from[i].url = (char *) p;
        p = ngx_cpymem(p, from[i].url, ngx_strlen(from[i].url) + 1);

        if (from[i].format) {
            th->from[i].format = (char *) p;
            p = ngx_cpymem(p, from[i].format, ngx_strlen(from[i].format) + 1);
        }
    }

    ngx_webrtc_source_thread_choose(th, 0);

    if (ngx_webrtc_source_thread_cond(&th->cond) != NGX_OK) {
        goto failed;
    }

    if (pthread_mutex_init(&th->mutex, NULL) != 0) {
        (void) pthread_cond_destroy(&th->cond);
        goto failed;
    }

    return th;

failed:

    free(th);

    return NULL;
}


ngx_int_t
ngx_webrtc_source_thread_cond(pthread_cond_t *cond)
{
    ngx_int_t           rc;
    pthread_condattr_t  attr;

    if (pthread_condattr_init(&attr) != 0) {
        return NGX_ERROR;
    }

    rc = (pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0
          && pthread_cond_init(cond, &attr) == 0)
         ? NGX_OK : NGX_ERROR;

    (void) pthread_condattr_destroy(&attr);

    return rc;
}


ngx_int_t
ngx_webrtc_source_thread_start(ngx_webrtc_source_thread_t *th)
{
    int             err;
    sigset_t        all, saved;
    pthread_attr_t  attr;

    err = pthread_attr_init(&attr);
    if (err) {
        ngx_set_errno(err);
        return NGX_ERROR;
    }

    err = pthread_attr_setstacksize(&attr, th->conf.stack
                                           ? th->conf.stack
                                           : NGX_WEBRTC_SOURCE_STACK);

    if (err == 0) {

        /* the process' signals are nginx's main thread's */

        sigfillset(&all);

        err = pthread_sigmask(SIG_BLOCK, &all, &saved);

        if (err == 0) {
            err = pthread_create(&th->tid, &attr,
                                 ngx_webrtc_source_thread_main, th);

            (void) pthread_sigmask(SIG_SETMASK, &saved, NULL);
        }
    }

    (void) pthread_attr_destroy(&attr);

    if (err) {
        ngx_set_errno(err);
        return NGX_ERROR;
    }

    /* it shares its word with what the thread writes */

    pthread_mutex_lock(&th->mutex);
    th->started = 1;
    pthread_mutex_unlock(&th->mutex);

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_source_thread_note(ngx_webrtc_source_thread_t *th,
    ngx_webrtc_media_note_t *note)
{
    ngx_int_t  rc;

    rc = NGX_AGAIN;

    pthread_mutex_lock(&th->mutex);

    if (th->nnotes) {

        *note = th->notes[0];
        th->nnotes--;
        ngx_memmove(&th->notes[0], &th->notes[1],
                    th->nnotes * sizeof(ngx_webrtc_media_note_t));
        rc = NGX_OK;
    }

    pthread_mutex_unlock(&th->mutex);

    return rc;
}


void
ngx_webrtc_source_thread_go(ngx_webrtc_source_thread_t *th)
{
    pthread_mutex_lock(&th->mutex);

    th->go = 1;
    pthread_cond_broadcast(&th->cond);

    pthread_mutex_unlock(&th->mutex);
}


void
ngx_webrtc_source_thread_room(ngx_webrtc_source_thread_t *th)
{
    pthread_mutex_lock(&th->mutex);

    th->room = 1;
    pthread_cond_broadcast(&th->cond);

    pthread_mutex_unlock(&th->mutex);
}


void
ngx_webrtc_source_thread_fed(ngx_webrtc_source_thread_t *th)
{
    pthread_mutex_lock(&th->mutex);

    th->fed = 1;
    pthread_cond_broadcast(&th->cond);

    pthread_mutex_unlock(&th->mutex);
}


void
ngx_webrtc_source_thread_stop(ngx_webrtc_source_thread_t *th)
{
    pthread_mutex_lock(&th->mutex);

    ngx_webrtc_atomic_store(&th->stop, 1);
    pthread_cond_broadcast(&th->cond);

    pthread_mutex_unlock(&th->mutex);
}


ngx_int_t
ngx_webrtc_source_thread_join(ngx_webrtc_source_thread_t *th, ngx_uint_t ms)
{
    ngx_uint_t       ended;
    struct timespec  ts;

    ngx_webrtc_source_thread_timespec(&ts, ngx_webrtc_time_now()
                                           + (uint64_t) ms * 1000);

    pthread_mutex_lock(&th->mutex);

    if (!th->started) {
        pthread_mutex_unlock(&th->mutex);
        return NGX_OK;
    }

    while (!th->ended && ms) {
        if (pthread_cond_timedwait(&th->cond, &th->mutex, &ts) != 0) {
            break;
        }
    }

    ended = th->ended;

    pthread_mutex_unlock(&th->mutex);

    if (!ended) {
        return NGX_AGAIN;
    }

    /* it has nothing left to do but to return */

    (void) pthread_join(th->tid, NULL);

    th->started = 0;

    return NGX_OK;
}


void
ngx_webrtc_source_thread_detach(ngx_webrtc_source_thread_t *th)
{
    (void) pthread_detach(th->tid);
}


void
ngx_webrtc_source_thread_destroy(ngx_webrtc_source_thread_t *th)
{
    (void) pthread_mutex_destroy(&th->mutex);
    (void) pthread_cond_destroy(&th->cond);

    free(th);
}


static void *
ngx_webrtc_source_thread_main(void *data)
{
    ngx_webrtc_source_thread_t  *th = data;

    void   (*notify)(void *ctx);
    void    *ctx;

    th->conf.body(th);

    notify = th->conf.notify;
    ctx = th->conf.ctx;

    /*
     * First the flag, then the call, so that the callee sees it.  As join()
     * waits for this function to return, ctx lives that long.
     */

    pthread_mutex_lock(&th->mutex);

    th->ended = 1;
    pthread_cond_broadcast(&th->cond);

    pthread_mutex_unlock(&th->mutex);

    notify(ctx);

    return NULL;
}


void
ngx_webrtc_source_thread_choose(ngx_webrtc_source_thread_t *th, ngx_uint_t i)
{
    ngx_uint_t  divisor;

    th->now = i;
    th->at = &th->from[i];

    /* viewers wait for what follows; chosen: in time for a POST that waits */

    divisor = (i + 1 < th->nfrom) ? 3 : 1;

    th->conf.connect_timeout = ngx_max(th->connect_timeout / divisor, 1);
    th->conf.read_timeout = ngx_max(th->read_timeout / divisor, 1);
}


void
ngx_webrtc_source_thread_yield(ngx_webrtc_source_thread_t *th)
{
    pthread_mutex_lock(&th->mutex);

    ngx_webrtc_atomic_store(&th->better, 1);
    pthread_cond_broadcast(&th->cond);

    pthread_mutex_unlock(&th->mutex);
}


ngx_uint_t
ngx_webrtc_source_thread_stopped(ngx_webrtc_source_thread_t *th)
{
    return ngx_webrtc_atomic_load(&th->stop)
           || ngx_webrtc_atomic_load(&th->better);
}


ngx_int_t
ngx_webrtc_source_thread_sleep(ngx_webrtc_source_thread_t *th,
    uint64_t until_us)
{
    struct timespec  ts;

    ngx_webrtc_source_thread_timespec(&ts, until_us);

    pthread_mutex_lock(&th->mutex);

    while (!ngx_webrtc_source_thread_stopped(th)) {
        if (pthread_cond_timedwait(&th->cond, &th->mutex, &ts) != 0) {
            break;
        }
    }

    pthread_mutex_unlock(&th->mutex);

    return ngx_webrtc_source_thread_stopped(th) ? NGX_ABORT : NGX_OK;
}


ngx_int_t
ngx_webrtc_source_thread_up(ngx_webrtc_source_thread_t *th,
    ngx_webrtc_track_t *tracks, ngx_uint_t ntracks)
{
    ngx_webrtc_media_note_t  note;

    ngx_memzero(&note, sizeof(ngx_webrtc_media_note_t));

    note.type = th->up ? NGX_WEBRTC_MEDIA_MORE
                       : NGX_WEBRTC_MEDIA_UP;
    note.ntracks = ntracks;
    ngx_memcpy(note.tracks, tracks, ntracks * sizeof(ngx_webrtc_track_t));

    th->up = 1;
    th->live = 1;

    /*
     * Nothing is written before the stream's tracks are set: packets of
     * another codec must not reach viewers of the previous run.
     */

    return ngx_webrtc_source_thread_ask(th, &note);
}


ngx_int_t
ngx_webrtc_source_thread_wait_room(ngx_webrtc_source_thread_t *th)
{
    pthread_mutex_lock(&th->mutex);

    while (!th->room && !ngx_webrtc_atomic_load(&th->stop)) {
        pthread_cond_wait(&th->cond, &th->mutex);
    }

    th->room = 0;

    pthread_mutex_unlock(&th->mutex);

    return ngx_webrtc_atomic_load(&th->stop) ? NGX_ABORT : NGX_OK;
}


ngx_int_t
ngx_webrtc_source_thread_wait_fed(ngx_webrtc_source_thread_t *th,
    uint64_t until_us)
{
    ngx_uint_t       fed;
    struct timespec  ts;

    ngx_webrtc_source_thread_timespec(&ts, until_us);

    pthread_mutex_lock(&th->mutex);

    while (!th->fed && !ngx_webrtc_atomic_load(&th->stop)) {
        if (pthread_cond_timedwait(&th->cond, &th->mutex, &ts) != 0) {
            break;
        }
    }

    fed = th->fed;
    th->fed = 0;

    pthread_mutex_unlock(&th->mutex);

    if (ngx_webrtc_atomic_load(&th->stop)) {
        return NGX_ABORT;
    }

    return fed ? NGX_OK : NGX_AGAIN;
}


/* leaves a note and waits until the loop has acted on it */

static ngx_int_t
ngx_webrtc_source_thread_ask(ngx_webrtc_source_thread_t *th,
    ngx_webrtc_media_note_t *note)
{
    pthread_mutex_lock(&th->mutex);
    th->go = 0;
    pthread_mutex_unlock(&th->mutex);

    (void) ngx_webrtc_source_thread_post(th, note);

    pthread_mutex_lock(&th->mutex);

    while (!th->go && !ngx_webrtc_atomic_load(&th->stop)) {
        pthread_cond_wait(&th->cond, &th->mutex);
    }

    pthread_mutex_unlock(&th->mutex);

    return ngx_webrtc_source_thread_stopped(th) ? NGX_ABORT : NGX_OK;
}


void
ngx_webrtc_source_thread_log(ngx_webrtc_source_thread_t *th, ngx_uint_t level,
    const char *fmt, ...)
{
    u_char                   *p;
    u_char                    text[NGX_WEBRTC_SOURCE_LINE];
    va_list                   args;
    ngx_webrtc_media_note_t  note;

    ngx_memzero(&note, sizeof(ngx_webrtc_media_note_t));

    note.type = NGX_WEBRTC_MEDIA_LOG;
    note.level = level;

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

    note.len = ngx_webrtc_source_thread_mask(th, text, p - text, note.text,
                                             NGX_WEBRTC_MEDIA_TEXT);

    (void) ngx_webrtc_source_thread_post(th, &note);
}


void
ngx_webrtc_source_thread_error(ngx_webrtc_source_thread_t *th, const char *fmt,
    ...)
{
    u_char   *p;
    u_char    text[NGX_WEBRTC_SOURCE_LINE];
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

    th->error_len = ngx_webrtc_source_thread_mask(th, text, p - text,
                                                  th->error,
                                                  NGX_WEBRTC_MEDIA_TEXT);
}


size_t
ngx_webrtc_source_thread_mask(ngx_webrtc_source_thread_t *th, u_char *text,
    size_t n, u_char *to, size_t size)
{
    ngx_str_t   url;
    ngx_uint_t  i;

    n = ngx_webrtc_source_mask_text(text, n, &th->conf.name);

    for (i = 0; i < th->nfrom; i++) {
        url.data = (u_char *) th->from[i].url;
        url.len = ngx_strlen(url.data);

        n = ngx_webrtc_source_mask_secrets(text, n, &url, &th->conf.name);
    }

    n = ngx_min(n, size);
    ngx_memcpy(to, text, n);

    return n;
}


ngx_int_t
ngx_webrtc_source_thread_post(ngx_webrtc_source_thread_t *th,
    ngx_webrtc_media_note_t *note)
{
    ngx_int_t   rc;
    ngx_uint_t  room;

    /*
     * Three places are reserved for notes that change the state: a loop that
     * is late finds at most DOWN, the last FAILED and UP, after which we wait
     * for it.
     */

    room = NGX_WEBRTC_SOURCE_NOTES;

    if (note->type == NGX_WEBRTC_MEDIA_LOG) {
        room -= 3;
    }

    rc = NGX_DECLINED;

    note->from = th->now;

    pthread_mutex_lock(&th->mutex);

    if (th->nnotes
        && note->type == NGX_WEBRTC_MEDIA_FAILED
        && th->notes[th->nnotes - 1].type == NGX_WEBRTC_MEDIA_FAILED)
    {
        th->nnotes--;
    }

    if (th->nnotes < room) {
        th->notes[th->nnotes++] = *note;
        rc = NGX_OK;
    }

    pthread_mutex_unlock(&th->mutex);

    if (rc == NGX_OK) {
        th->conf.notify(th->conf.ctx);
    }

    return rc;
}


void
ngx_webrtc_source_thread_timespec(struct timespec *ts, uint64_t us)
{
    ts->tv_sec = us / 1000000;
    ts->tv_nsec = (us % 1000000) * 1000;
}
