
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Returning to an earlier upstream: see ngx_webrtc_source_standby.h.
 *
 * The other thread, the probe, has a thread struct of its own, which writes
 * nowhere and notifies nobody.  What it finds is an open run.
 *
 *   1. The source's thread never waits for the probe: that may be in
 *      getaddrinfo(), which nothing ends, for as long as a resolver takes.
 *   2. There is one probe at most.  If it has not returned when it is needed
 *      again, "again" makes it start over once it does.
 *   3. A run belongs to one thread at any time.  It changes hands under the
 *      mutex, and only while the source is looking: what is found later is
 *      closed by the probe.
 *   4. When the source ends, the probe is detached and frees everything
 *      itself.  It touches nothing of the source from then on: what it needs,
 *      "better" and the doors, it gets under the mutex.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_standby.h"


/* ms; chosen: twice the time in which libav* notices that it has to stop */
#define NGX_WEBRTC_SOURCE_STANDBY_WAIT  200

/*
 * detached probes of a process that have not ended; chosen: this many hanging
 * resolvers are not asked in vain.  Each has a thread and a socket
 */
#define NGX_WEBRTC_SOURCE_STANDBY_ALONE  8


struct ngx_webrtc_source_standby_s {
    ngx_webrtc_source_thread_t  *probe;

    pthread_mutex_t              mutex;

    /* under the mutex */

    ngx_webrtc_source_thread_t  *source;      /* NULL: it is gone */
    ngx_uint_t                   n;           /* upstreams to look for; 0: it
                                                 does not look */
    ngx_uint_t                   over;        /* but for these: bits */
    uint64_t                     shy_us[NGX_WEBRTC_MEDIA_FROM];
                                              /* nor is it probed until then */
    ngx_webrtc_source_run_t     *run;         /* found */
    ngx_uint_t                   now;         /* of which */
    unsigned                     again:1;     /* start over */
    unsigned                     ending:1;    /* for that it is too late */
    unsigned                     ended:1;     /* nothing is left to do */
};


static ngx_webrtc_source_standby_t *ngx_webrtc_source_standby_create(
    ngx_webrtc_source_thread_t *th);
static void ngx_webrtc_source_standby_join(ngx_webrtc_source_standby_t *sb);
static void ngx_webrtc_source_standby_free(ngx_webrtc_source_standby_t *sb);
static ngx_int_t ngx_webrtc_source_standby_ask(ngx_webrtc_source_standby_t *sb,
    ngx_webrtc_source_thread_t *th);
static void ngx_webrtc_source_standby_probe(ngx_webrtc_source_thread_t *probe);
static ngx_uint_t ngx_webrtc_source_standby_again(
    ngx_webrtc_source_standby_t *sb);
static void ngx_webrtc_source_standby_search(ngx_webrtc_source_standby_t *sb);
static ngx_uint_t ngx_webrtc_source_standby_wanted(
    ngx_webrtc_source_standby_t *sb, ngx_uint_t i);
static ngx_uint_t ngx_webrtc_source_standby_found(
    ngx_webrtc_source_standby_t *sb, ngx_webrtc_source_run_t *run,
    ngx_uint_t i);
static ngx_uint_t ngx_webrtc_source_standby_doors(void *ctx,
    struct sockaddr *sa, uint16_t *ports, ngx_uint_t max, int *family);
static void ngx_webrtc_source_standby_notify(void *ctx);


/*
 * of this process, atomic: probes detached so far, and those of them that
 * have not ended
 */
static uint32_t  ngx_webrtc_source_standby_alone;
static uint32_t  ngx_webrtc_source_standby_lost;


void
ngx_webrtc_source_standby_begin(ngx_webrtc_source_thread_t *th)
{
    ngx_uint_t                    before;
    ngx_webrtc_source_standby_t  *sb;

    before = ((ngx_uint_t) 1 << th->now) - 1;

    if ((before & ~th->over) == 0 || th->conf.once) {
        th->standby_us = UINT64_MAX;
        return;
    }

    /* retried if there is no memory or thread for it now, or too many probes */

    th->standby_us = ngx_webrtc_time_now()
                     + (uint64_t) th->conf.backoff_max * 1000;

    if (th->standby) {

        if (ngx_webrtc_source_standby_ask(th->standby, th) == NGX_OK) {
            return;
        }

        ngx_webrtc_source_standby_join(th->standby);
        th->standby = NULL;
    }

    if (ngx_webrtc_atomic_load(&ngx_webrtc_source_standby_lost)
        >= NGX_WEBRTC_SOURCE_STANDBY_ALONE)
    {
        return;
    }

    sb = ngx_webrtc_source_standby_create(th);
    if (sb == NULL) {
        return;
    }

    (void) ngx_webrtc_source_standby_ask(sb, th);

    if (ngx_webrtc_source_thread_start(sb->probe) != NGX_OK) {
        ngx_webrtc_source_standby_free(sb);
        return;
    }

    th->standby = sb;
}


void
ngx_webrtc_source_standby_check(ngx_webrtc_source_thread_t *th,
    uint64_t now_us)
{
    if (th->standby == NULL && th->live && now_us >= th->standby_us) {
        ngx_webrtc_source_standby_begin(th);
    }
}


ngx_webrtc_source_run_t *
ngx_webrtc_source_standby_end(ngx_webrtc_source_thread_t *th)
{
    ngx_webrtc_source_run_t      *run;
    ngx_webrtc_source_standby_t  *sb;

    th->standby_us = UINT64_MAX;

    sb = th->standby;

    if (sb == NULL) {
        return NULL;
    }

    pthread_mutex_lock(&sb->mutex);

    run = sb->run;

    if (run) {
        ngx_webrtc_source_av_move(run, th);
        ngx_webrtc_source_thread_choose(th, sb->now);
    }

    sb->run = NULL;
    sb->n = 0;
    sb->again = 0;

    ngx_webrtc_source_thread_stop(sb->probe);
    ngx_webrtc_atomic_store(&th->better, 0);

    pthread_mutex_unlock(&sb->mutex);

    return run;
}


void
ngx_webrtc_source_standby_leave(ngx_webrtc_source_thread_t *th)
{
    ngx_uint_t                    ended;
    ngx_webrtc_source_standby_t  *sb;

    sb = th->standby;

    if (sb == NULL) {
        return;
    }

    th->standby = NULL;

    if (ngx_webrtc_source_thread_join(sb->probe,
                                      NGX_WEBRTC_SOURCE_STANDBY_WAIT)
        == NGX_OK)
    {
        ngx_webrtc_source_standby_free(sb);
        return;
    }

    pthread_mutex_lock(&sb->mutex);

    ended = sb->ended;

    if (!ended) {
        sb->source = NULL;
        ngx_webrtc_source_thread_detach(sb->probe);
        ngx_webrtc_atomic_add(&ngx_webrtc_source_standby_alone, 1);
        ngx_webrtc_atomic_add(&ngx_webrtc_source_standby_lost, 1);
    }

    pthread_mutex_unlock(&sb->mutex);

    if (ended) {
        ngx_webrtc_source_standby_join(sb);
    }
}


ngx_uint_t
ngx_webrtc_source_standby_left(void)
{
    return ngx_webrtc_atomic_load(&ngx_webrtc_source_standby_alone);
}


static ngx_webrtc_source_standby_t *
ngx_webrtc_source_standby_create(ngx_webrtc_source_thread_t *th)
{
    ngx_webrtc_source_standby_t      *sb;
    ngx_webrtc_source_thread_conf_t   conf;

    sb = calloc(1, sizeof(ngx_webrtc_source_standby_t));
    if (sb == NULL) {
        return NULL;
    }

    if (pthread_mutex_init(&sb->mutex, NULL) != 0) {
        free(sb);
        return NULL;
    }

    sb->source = th;

    conf = th->conf;

    conf.from = th->from;
    conf.nfrom = th->nfrom;
    conf.connect_timeout = th->connect_timeout;
    conf.read_timeout = th->read_timeout;
    conf.feed.put = NULL;

    conf.body = ngx_webrtc_source_standby_probe;
    conf.probe = 1;
    conf.doors = conf.doors ? ngx_webrtc_source_standby_doors : NULL;
    conf.notify = ngx_webrtc_source_standby_notify;
    conf.ctx = sb;

    sb->probe = ngx_webrtc_source_thread_create(&conf);

    if (sb->probe == NULL) {
        (void) pthread_mutex_destroy(&sb->mutex);
        free(sb);
        return NULL;
    }

    return sb;
}


/* only of a probe that is ending */

static void
ngx_webrtc_source_standby_join(ngx_webrtc_source_standby_t *sb)
{
    while (ngx_webrtc_source_thread_join(sb->probe, 1000) != NGX_OK) {
        /* void */
    }

    ngx_webrtc_source_standby_free(sb);
}


static void
ngx_webrtc_source_standby_free(ngx_webrtc_source_standby_t *sb)
{
    ngx_webrtc_source_thread_destroy(sb->probe);

    (void) pthread_mutex_destroy(&sb->mutex);

    free(sb);
}


/* NGX_OK; NGX_DECLINED: the probe is ending */

static ngx_int_t
ngx_webrtc_source_standby_ask(ngx_webrtc_source_standby_t *sb,
    ngx_webrtc_source_thread_t *th)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    rc = NGX_DECLINED;

    pthread_mutex_lock(&sb->mutex);

    if (!sb->ending) {

        sb->again = 1;
        sb->n = th->now;
        sb->over = th->over;

        for (i = 0; i < NGX_WEBRTC_MEDIA_FROM; i++) {
            sb->shy_us[i] = th->shy[i].until_us;
        }

        rc = NGX_OK;
    }

    pthread_mutex_unlock(&sb->mutex);

    return rc;
}


static void
ngx_webrtc_source_standby_probe(ngx_webrtc_source_thread_t *probe)
{
    ngx_webrtc_source_standby_t  *sb;

    sb = probe->conf.ctx;

    while (ngx_webrtc_source_standby_again(sb)) {
        ngx_webrtc_source_standby_search(sb);
    }
}


/* 0: the probe is to end */

static ngx_uint_t
ngx_webrtc_source_standby_again(ngx_webrtc_source_standby_t *sb)
{
    ngx_uint_t  again;

    pthread_mutex_lock(&sb->mutex);

    again = sb->again;

    if (again) {
        sb->again = 0;
        ngx_webrtc_atomic_store(&sb->probe->stop, 0);

    } else {
        sb->ending = 1;
    }

    pthread_mutex_unlock(&sb->mutex);

    return again;
}


static void
ngx_webrtc_source_standby_search(ngx_webrtc_source_standby_t *sb)
{
    ngx_uint_t                   i, pause;
    ngx_webrtc_source_run_t     *run;
    ngx_webrtc_source_thread_t  *probe;

    probe = sb->probe;
    pause = 0;

    ngx_webrtc_feed_init(&probe->feed, &probe->conf.feed);

    for ( ;; ) {

        pause = ngx_max(pause * 2, probe->conf.backoff_min);
        pause = ngx_min(pause, probe->conf.backoff_max);

        if (ngx_webrtc_source_thread_sleep(probe,
                                           ngx_webrtc_time_now()
                                           + (uint64_t) pause * 1000)
            != NGX_OK)
        {
            return;
        }

        for (i = 0; i < NGX_WEBRTC_MEDIA_FROM; i++) {

            if (!ngx_webrtc_source_standby_wanted(sb, i)) {
                continue;
            }

            ngx_webrtc_source_thread_choose(probe, i);

            if (ngx_webrtc_source_av_start(probe, &run) == NGX_OK
                && ngx_webrtc_source_standby_found(sb, run, i))
            {
                return;
            }

            if (ngx_webrtc_source_thread_stopped(probe)) {
                return;
            }
        }
    }
}


static ngx_uint_t
ngx_webrtc_source_standby_wanted(ngx_webrtc_source_standby_t *sb,
    ngx_uint_t i)
{
    ngx_uint_t  wanted;

    pthread_mutex_lock(&sb->mutex);

    wanted = i < sb->n
             && !(sb->over & ((ngx_uint_t) 1 << i))
             && ngx_webrtc_time_now() >= sb->shy_us[i];

    pthread_mutex_unlock(&sb->mutex);

    return wanted;
}


/* 0: it came too late, and is closed */

static ngx_uint_t
ngx_webrtc_source_standby_found(ngx_webrtc_source_standby_t *sb,
    ngx_webrtc_source_run_t *run, ngx_uint_t i)
{
    ngx_uint_t  found;

    pthread_mutex_lock(&sb->mutex);

    found = !ngx_webrtc_source_thread_stopped(sb->probe);

    if (found) {
        sb->run = run;
        sb->now = i;
        ngx_webrtc_source_thread_yield(sb->source);
    }

    pthread_mutex_unlock(&sb->mutex);

    if (!found) {
        ngx_webrtc_source_av_free(run);
    }

    return found;
}


static ngx_uint_t
ngx_webrtc_source_standby_doors(void *ctx, struct sockaddr *sa,
    uint16_t *ports, ngx_uint_t max, int *family)
{
    ngx_webrtc_source_standby_t  *sb = ctx;

    ngx_uint_t                   n;
    ngx_webrtc_source_thread_t  *source;

    n = 0;

    pthread_mutex_lock(&sb->mutex);

    if (sb->n) {
        source = sb->source;
        n = source->conf.doors(source->conf.ctx, sa, ports, max, family);
    }

    pthread_mutex_unlock(&sb->mutex);

    return n;
}


/*
 * Nobody reads the probe's notes: they are those of attempts.  But the last
 * call is the last thing that its thread does.
 */

static void
ngx_webrtc_source_standby_notify(void *ctx)
{
    ngx_webrtc_source_standby_t  *sb = ctx;

    ngx_uint_t  alone;

    pthread_mutex_lock(&sb->mutex);

    sb->ended = sb->ending;
    alone = (sb->ended && sb->source == NULL);

    pthread_mutex_unlock(&sb->mutex);

    if (alone) {
        ngx_webrtc_source_standby_free(sb);
        ngx_webrtc_atomic_add(&ngx_webrtc_source_standby_lost, -1);
    }
}
