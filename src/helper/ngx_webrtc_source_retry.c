
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Plays a source's upstreams one after the other: decides which one is next,
 * and when.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_av.h"
#include "ngx_webrtc_source_retry.h"
#include "ngx_webrtc_source_standby.h"


/* chosen: after a run this long an upstream counts as good again */
#define NGX_WEBRTC_SOURCE_STEADY_US  (10 * 1000000)

/*
 * longest time in ms that an unsteady one is left alone while another plays;
 * chosen: viewers see a seam each time it comes back
 */
#define NGX_WEBRTC_SOURCE_SHY        60000


static ngx_uint_t ngx_webrtc_source_retry_next(ngx_webrtc_source_thread_t *th,
    ngx_uint_t i);
static ngx_uint_t ngx_webrtc_source_retry_backoff(
    ngx_webrtc_source_thread_t *th, ngx_uint_t backoff, uint64_t started_us);
static void ngx_webrtc_source_retry_shy(ngx_webrtc_source_thread_t *th,
    uint64_t started_us);
static void ngx_webrtc_source_retry_lost(ngx_webrtc_source_thread_t *th,
    ngx_uint_t retry_ms);


void
ngx_webrtc_source_retry_run(ngx_webrtc_source_thread_t *th)
{
    uint64_t                  started_us;
    ngx_int_t                 rc;
    ngx_uint_t                i, backoff, tried;
    ngx_webrtc_source_run_t  *run;

    backoff = 0;
    tried = 0;
    run = NULL;

    th->plays = ngx_webrtc_source_standby_begin;
    th->waits = ngx_webrtc_source_standby_check;

    ngx_webrtc_feed_init(&th->feed, &th->conf.feed);

    while (!ngx_webrtc_atomic_load(&th->stop)) {

        th->up = 0;
        th->moved = 0;
        th->error_len = 0;
        started_us = ngx_webrtc_time_now();

        rc = run ? ngx_webrtc_source_av_take(th, run)
                 : ngx_webrtc_source_av_run(th);

        if (!ngx_webrtc_source_thread_stopped(th)) {
            ngx_webrtc_source_retry_shy(th, started_us);
        }

        run = ngx_webrtc_source_standby_end(th);

        if (run && !ngx_webrtc_atomic_load(&th->stop)) {
            /* viewers notice only a different picture */
            tried = 0;
            continue;
        }

        if (rc == NGX_ABORT || ngx_webrtc_atomic_load(&th->stop)) {
            break;
        }

        if (rc == NGX_DONE) {
            th->over |= (ngx_uint_t) 1 << th->now;
        }

        i = ngx_webrtc_source_retry_next(th, th->now);

        if (i == NGX_WEBRTC_MEDIA_FROM || th->conf.once) {
            ngx_webrtc_source_retry_lost(th, 0);
            break;
        }

        if (th->moved) {

            /* at once: we have waited for it already */

            ngx_webrtc_source_retry_lost(th, 0);
            backoff = 0;
            continue;
        }

        /*
         * one that was up begins a new round; the remaining ones are tried at
         * once
         */

        tried = th->up ? 1 : tried + 1;

        if (tried < th->nfrom && i != th->now) {
            ngx_webrtc_source_retry_lost(th, 1);
            ngx_webrtc_source_thread_choose(th, i);
            continue;
        }

        tried = 0;
        backoff = ngx_webrtc_source_retry_backoff(th, backoff, started_us);

        ngx_webrtc_source_retry_lost(th, backoff);

        if (ngx_webrtc_source_thread_sleep(th, ngx_webrtc_time_now()
                                               + (uint64_t) backoff * 1000)
            != NGX_OK)
        {
            break;
        }

        ngx_webrtc_source_thread_choose(th,
                   ngx_webrtc_source_retry_next(th, th->nfrom - 1));
    }

    if (run) {
        ngx_webrtc_source_av_free(run);
    }

    ngx_webrtc_source_standby_leave(th);
}


/* the next one not yet played to its end; else _FROM */

static ngx_uint_t
ngx_webrtc_source_retry_next(ngx_webrtc_source_thread_t *th, ngx_uint_t i)
{
    ngx_uint_t  n;

    for (n = 0; n < th->nfrom; n++) {

        i = (i + 1) % th->nfrom;

        if (!(th->over & ((ngx_uint_t) 1 << i))) {
            return i;
        }
    }

    return NGX_WEBRTC_MEDIA_FROM;
}


static ngx_uint_t
ngx_webrtc_source_retry_backoff(ngx_webrtc_source_thread_t *th,
    ngx_uint_t backoff, uint64_t started_us)
{
    if (th->up
        && ngx_webrtc_time_now() - started_us
           >= NGX_WEBRTC_SOURCE_STEADY_US)
    {
        backoff = 0;
    }

    backoff = ngx_max(backoff * 2, th->conf.backoff_min);

    return ngx_min(backoff, th->conf.backoff_max);
}


/*
 * An upstream that was up has been lost: one that accepts, shows a picture
 * and goes would displace the next one again and again.
 */

static void
ngx_webrtc_source_retry_shy(ngx_webrtc_source_thread_t *th,
    uint64_t started_us)
{
    uint64_t                  now_us;
    ngx_webrtc_source_shy_t  *shy;

    if (!th->up || th->moved) {
        return;
    }

    shy = &th->shy[th->now];
    now_us = ngx_webrtc_time_now();

    if (now_us - started_us >= NGX_WEBRTC_SOURCE_STEADY_US) {
        shy->pause = 0;
        return;
    }

    shy->pause = ngx_max(shy->pause * 2, th->conf.backoff_min);
    shy->pause = ngx_min(shy->pause, NGX_WEBRTC_SOURCE_SHY);

    shy->until_us = now_us + (uint64_t) shy->pause * 1000;
}


static void
ngx_webrtc_source_retry_lost(ngx_webrtc_source_thread_t *th,
    ngx_uint_t retry_ms)
{
    ngx_webrtc_media_note_t  note;

    ngx_memzero(&note, sizeof(ngx_webrtc_media_note_t));

    note.type = th->live ? NGX_WEBRTC_MEDIA_DOWN
                         : NGX_WEBRTC_MEDIA_FAILED;

    th->live = 0;

    note.retry_ms = retry_ms;
    note.level = (th->moved
                  || (th->over & ((ngx_uint_t) 1 << th->now))
                  || (th->up && retry_ms == 0))
                 ? NGX_LOG_NOTICE : NGX_LOG_ERR;

    note.len = th->error_len;
    ngx_memcpy(note.text, th->error, th->error_len);

    (void) ngx_webrtc_source_thread_post(th, &note);
}
