
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Back to an upstream of before: see ngx_webrtc_source_standby.h.
 *
 * The other thread has a thread struct of its own, that writes nowhere and
 * tells nobody.  What it finds is an open run; it ends with that, and the
 * source's thread joins it before it takes the run over.  So a run belongs to
 * one thread at any time, and nothing but "stop" and "better" is shared.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_run.h"
#include "ngx_webrtc_source_standby.h"


struct ngx_webrtc_source_standby_s {
    ngx_webrtc_source_thread_t  *source;
    ngx_webrtc_source_thread_t  *probe;
    ngx_webrtc_timeline_t        timeline;    /* of frames that do not leave */

    ngx_uint_t                   n;           /* upstreams to look for */
    ngx_uint_t                   over;        /* but for these: bits */

    /* the other thread's, until it is joined */

    ngx_webrtc_source_run_t     *run;
    ngx_uint_t                   now;
};


static void ngx_webrtc_source_standby_probe(ngx_webrtc_source_thread_t *probe);
static void ngx_webrtc_source_standby_quiet(void *ctx);
static void ngx_webrtc_source_standby_published(void *ctx,
    ngx_webrtc_source_delta_t *delta);


void
ngx_webrtc_source_standby_begin(ngx_webrtc_source_thread_t *th)
{
    ngx_uint_t                        before;
    ngx_webrtc_source_standby_t      *sb;
    ngx_webrtc_source_thread_conf_t   conf;

    before = ((ngx_uint_t) 1 << th->now) - 1;

    if ((before & ~th->over) == 0 || th->conf.once) {
        th->standby_us = UINT64_MAX;
        return;
    }

    /* should there be no memory or no thread for it now */

    th->standby_us = ngx_webrtc_source_thread_now()
                     + (uint64_t) th->conf.backoff_max * 1000;

    sb = calloc(1, sizeof(ngx_webrtc_source_standby_t));
    if (sb == NULL) {
        return;
    }

    sb->source = th;
    sb->n = th->now;
    sb->over = th->over;

    ngx_webrtc_timeline_init(&sb->timeline);

    conf = th->conf;

    conf.from = th->from;
    conf.nfrom = th->nfrom;
    conf.connect_timeout = th->connect_timeout;
    conf.read_timeout = th->read_timeout;

    conf.out.ring = NULL;
    conf.out.timeline = &sb->timeline;
    conf.out.published = ngx_webrtc_source_standby_published;
    conf.out.ctx = sb;

    conf.body = ngx_webrtc_source_standby_probe;
    conf.notify = ngx_webrtc_source_standby_quiet;

    sb->probe = ngx_webrtc_source_thread_create(&conf);

    if (sb->probe == NULL) {
        free(sb);
        return;
    }

    if (ngx_webrtc_source_thread_start(sb->probe) != NGX_OK) {
        ngx_webrtc_source_thread_destroy(sb->probe);
        free(sb);
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

    sb = th->standby;

    if (sb == NULL) {
        return NULL;
    }

    ngx_webrtc_source_thread_stop(sb->probe);

    while (ngx_webrtc_source_thread_join(sb->probe, 1000) != NGX_OK) {
        /* void */
    }

    run = sb->run;

    if (run) {
        run->th = th;
        ngx_webrtc_source_thread_choose(th, sb->now);
    }

    ngx_webrtc_source_thread_destroy(sb->probe);
    free(sb);

    th->standby = NULL;
    th->standby_us = UINT64_MAX;

    ngx_webrtc_atomic_store(&th->better, 0);

    return run;
}


static void
ngx_webrtc_source_standby_probe(ngx_webrtc_source_thread_t *probe)
{
    ngx_uint_t                    i, pause;
    ngx_webrtc_source_standby_t  *sb;

    sb = probe->conf.out.ctx;
    pause = 0;

    ngx_webrtc_source_out_init(&probe->out, &probe->conf.out);

    for ( ;; ) {

        pause = ngx_max(pause * 2, probe->conf.backoff_min);
        pause = ngx_min(pause, probe->conf.backoff_max);

        if (ngx_webrtc_source_thread_sleep(probe,
                                           ngx_webrtc_source_thread_now()
                                           + (uint64_t) pause * 1000)
            != NGX_OK)
        {
            return;
        }

        for (i = 0; i < sb->n; i++) {

            if (sb->over & ((ngx_uint_t) 1 << i)) {
                continue;
            }

            ngx_webrtc_source_thread_choose(probe, i);

            if (ngx_webrtc_source_av_start(probe, &sb->run) == NGX_OK) {
                sb->now = i;
                ngx_webrtc_source_thread_yield(sb->source);
                return;
            }

            if (ngx_webrtc_source_thread_stopped(probe)) {
                return;
            }
        }
    }
}


/* nobody reads its notes: they are those of attempts */

static void
ngx_webrtc_source_standby_quiet(void *ctx)
{
    (void) ctx;
}


static void
ngx_webrtc_source_standby_published(void *ctx,
    ngx_webrtc_source_delta_t *delta)
{
    (void) ctx;
    (void) delta;
}
