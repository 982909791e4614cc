
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which variants this worker makes, and for how long.
 *
 * The claim in the zone makes one worker a variant's only one.  How it is made
 * is recorded in the zone, so that a worker with viewers, or any other, can go
 * on when that one exits or dies.  A worker that is shutting down keeps a
 * variant only as long as it has viewers of it itself.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_variant_job.h"
#include "ngx_webrtc_variant_run.h"
#include "ngx_webrtc_variants.h"


/* ms for which a worker that is shutting down leaves a variant to the others;
 * chosen: a few of their ticks */
#define NGX_WEBRTC_VARIANTS_HANDOVER  1000


static void ngx_webrtc_variants_idle(ngx_webrtc_variant_run_t *vr);


static ngx_queue_t  ngx_webrtc_variants = {
    &ngx_webrtc_variants, &ngx_webrtc_variants
};


void
ngx_webrtc_variants_check(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_log_t *log)
{
    ngx_webrtc_variant_run_t  *vr;

    if (st->parent == 0
        || st->variant.hw == NGX_WEBRTC_VARIANT_PUBLISHED
        || ngx_webrtc_bus_claimed(st, NULL)
        || ngx_webrtc_bus_is_dropped(st)
        || ngx_terminate)
    {
        return;
    }

    if (ngx_exiting
        && ngx_webrtc_bus_state_age(st, ngx_current_msec)
           < NGX_WEBRTC_VARIANTS_HANDOVER)
    {
        return;
    }

    if (ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_VARIANT) != NGX_OK) {
        return;
    }

    vr = ngx_webrtc_variant_run_start(bus, st, log);

    if (vr == NULL) {
        ngx_webrtc_bus_unclaim(bus, st);
        return;
    }

    ngx_queue_insert_tail(&ngx_webrtc_variants, &vr->queue);
}


void
ngx_webrtc_variants_tick(ngx_webrtc_bus_t *bus, ngx_log_t *log)
{
    ngx_uint_t                 cursor;
    ngx_queue_t               *q, *next;
    ngx_webrtc_stream_t       *st;
    ngx_webrtc_variant_run_t  *vr;

    for (q = ngx_queue_head(&ngx_webrtc_variants);
         q != ngx_queue_sentinel(&ngx_webrtc_variants);
         q = next)
    {
        next = ngx_queue_next(q);
        vr = ngx_queue_data(q, ngx_webrtc_variant_run_t, queue);

        ngx_webrtc_variants_idle(vr);
    }

    cursor = 0;

    for ( ;; ) {
        st = ngx_webrtc_bus_variant_orphan(bus, &cursor, ngx_current_msec);

        if (st == NULL) {
            return;
        }

        ngx_webrtc_variants_check(bus, st, log);
        ngx_webrtc_bus_release(bus, st);
    }
}


/* ends it, or lets it go on */

static void
ngx_webrtc_variants_idle(ngx_webrtc_variant_run_t *vr)
{
    ngx_uint_t  viewers, dropped;

    dropped = ngx_webrtc_bus_is_dropped(vr->st);

    viewers = ngx_exiting
              ? ngx_webrtc_atomic_load(&vr->st->use[vr->bus->worker].viewers)
              : ngx_webrtc_bus_viewers(vr->bus, vr->st);

    if (viewers || ngx_webrtc_bus_is_wanted(vr->st, ngx_current_msec)) {
        vr->used = ngx_current_msec;

    } else if (ngx_exiting
               || ngx_current_msec - vr->used
                  >= ngx_webrtc_atomic_load(&vr->st->variant_idle_ms))
    {
        dropped = 1;
    }

    if (dropped) {
        ngx_queue_remove(&vr->queue);
        ngx_webrtc_variant_run_stop(vr);
        return;
    }

    ngx_webrtc_variant_run_tick(vr);
}


void
ngx_webrtc_variants_news(ngx_webrtc_stream_t *st)
{
    ngx_queue_t               *q;
    ngx_webrtc_variant_run_t  *vr;

    for (q = ngx_queue_head(&ngx_webrtc_variants);
         q != ngx_queue_sentinel(&ngx_webrtc_variants);
         q = ngx_queue_next(q))
    {
        vr = ngx_queue_data(q, ngx_webrtc_variant_run_t, queue);

        if (vr->parent == st) {
            ngx_webrtc_variant_run_news(vr);
        }
    }
}


void
ngx_webrtc_variants_keyframe(ngx_webrtc_stream_t *st)
{
    ngx_queue_t               *q;
    ngx_webrtc_variant_run_t  *vr;

    for (q = ngx_queue_head(&ngx_webrtc_variants);
         q != ngx_queue_sentinel(&ngx_webrtc_variants);
         q = ngx_queue_next(q))
    {
        vr = ngx_queue_data(q, ngx_webrtc_variant_run_t, queue);

        if (vr->st == st) {
            ngx_webrtc_variant_job_keyframe(vr);
            return;
        }
    }

    /* it ends */

    ngx_webrtc_bus_keyframe_done(st);
}


ngx_uint_t
ngx_webrtc_variants_busy(void)
{
    ngx_queue_t               *q;
    ngx_webrtc_variant_run_t  *vr;

    for (q = ngx_queue_head(&ngx_webrtc_variants);
         q != ngx_queue_sentinel(&ngx_webrtc_variants);
         q = ngx_queue_next(q))
    {
        vr = ngx_queue_data(q, ngx_webrtc_variant_run_t, queue);

        if (ngx_webrtc_bus_is_wanted(vr->st, ngx_current_msec)) {
            return 1;
        }
    }

    return 0;
}


void
ngx_webrtc_variants_exit(void)
{
    ngx_queue_t               *q;
    ngx_webrtc_variant_run_t  *vr;

    while (!ngx_queue_empty(&ngx_webrtc_variants)) {
        q = ngx_queue_head(&ngx_webrtc_variants);
        vr = ngx_queue_data(q, ngx_webrtc_variant_run_t, queue);

        ngx_queue_remove(q);
        ngx_webrtc_variant_run_stop(vr);
    }
}
