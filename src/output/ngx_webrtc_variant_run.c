
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * One variant that is made in this worker: its life, and what is read of its
 * parent.
 *
 * Audio does not pass through the job: its packets are copied as they come.
 * So that none is copied twice when the job, which needs to begin at a key
 * frame, is started anew, audio counts by the numbers of the parent's ring.
 * What was there when this worker took the variant over is not copied: it has
 * been, or is too old for those who are waiting.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus_layers.h"
#include "ngx_webrtc_variant_job.h"
#include "ngx_webrtc_variant_run.h"


/* ms that the job is kept without a parent; chosen: publishers who reload */
#define NGX_WEBRTC_VARIANT_RUN_GONE   10000

/* ms that a variant without video waits until it is ACTIVE; chosen: below
 * webrtc_wait */
#define NGX_WEBRTC_VARIANT_RUN_WAIT   3000

/* lost packets that viewers hear of; chosen: of more they learn nothing */
#define NGX_WEBRTC_VARIANT_RUN_GAP    100


static u_char *ngx_webrtc_variant_run_log_error(ngx_log_t *log, u_char *buf,
    size_t len);
static ngx_uint_t ngx_webrtc_variant_run_state(ngx_webrtc_variant_run_t *vr);
static void ngx_webrtc_variant_run_read(ngx_webrtc_variant_run_t *vr);
static void ngx_webrtc_variant_run_audio(ngx_webrtc_variant_run_t *vr,
    ngx_webrtc_output_unit_t *unit);
static void ngx_webrtc_variant_run_tracks(ngx_webrtc_variant_run_t *vr);
static void ngx_webrtc_variant_run_silent(ngx_webrtc_variant_run_t *vr);


ngx_webrtc_variant_run_t *
ngx_webrtc_variant_run_start(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_log_t *log)
{
    ngx_webrtc_stream_t       *parent;
    ngx_webrtc_variant_run_t  *vr;

    parent = ngx_webrtc_bus_parent(bus, st);

    if (parent == NULL) {
        return NULL;
    }

    vr = ngx_calloc(sizeof(ngx_webrtc_variant_run_t), log);

    if (vr == NULL) {
        return NULL;
    }

    vr->bus = bus;
    vr->st = st;
    vr->parent = parent;
    vr->used = ngx_current_msec;

    vr->name.data = st->name;
    vr->name.len = st->name_len;
    vr->label.data = st->variant.label;
    vr->label.len = st->variant.label_len;

    vr->log = *log;
    vr->log.handler = ngx_webrtc_variant_run_log_error;
    vr->log.data = vr;
    vr->log.action = NULL;

    vr->how = st->variant;
    vr->video = -1;
    vr->heard = ngx_webrtc_ring_head(parent->ring);
    vr->anew = (ngx_webrtc_ring_head(st->ring) == 0);

    ngx_webrtc_bus_hold(bus, st);
    ngx_webrtc_bus_watch(bus, parent);
    ngx_webrtc_bus_reader(bus, parent, 1);

    ngx_webrtc_variant_job_init(vr);

    ngx_webrtc_bus_set_state(bus, st, NGX_WEBRTC_STREAM_STARTING,
                             ngx_current_msec);

    ngx_webrtc_variant_run_news(vr);

    return vr;
}


void
ngx_webrtc_variant_run_stop(ngx_webrtc_variant_run_t *vr)
{
    ngx_webrtc_variant_job_stop(vr);
    ngx_webrtc_output_reader_done(&vr->reader);

    ngx_log_error(NGX_LOG_INFO, &vr->log, 0, "webrtc variant ended");

    ngx_webrtc_bus_reader(vr->bus, vr->parent, -1);
    ngx_webrtc_bus_unwatch(vr->bus, vr->parent);

    ngx_webrtc_bus_keyframe_done(vr->st);
    ngx_webrtc_bus_unclaim(vr->bus, vr->st);
    ngx_webrtc_bus_release(vr->bus, vr->st);

    ngx_free(vr);
}


void
ngx_webrtc_variant_run_tick(ngx_webrtc_variant_run_t *vr)
{
    ngx_webrtc_variant_run_news(vr);

    if (ngx_webrtc_output_reader_wants_key(&vr->reader)) {
        (void) ngx_webrtc_bus_keyframe(vr->bus, vr->parent);
    }

    if (!vr->up) {
        ngx_webrtc_variant_run_silent(vr);
    }

    ngx_webrtc_variant_job_tick(vr);
}


void
ngx_webrtc_variant_run_news(ngx_webrtc_variant_run_t *vr)
{
    if (!ngx_webrtc_variant_run_state(vr)) {
        return;
    }

    ngx_webrtc_variant_job_start(vr);

    if (vr->reader.st) {
        ngx_webrtc_variant_run_read(vr);
    }
}


/* the parent's state is the variant's, as far as it has media; 1: it has */

static ngx_uint_t
ngx_webrtc_variant_run_state(ngx_webrtc_variant_run_t *vr)
{
    uint64_t  linger;

    if (ngx_webrtc_bus_state(vr->parent) == NGX_WEBRTC_STREAM_ACTIVE) {

        /* viewers are not ended for a fault of ours */

        ngx_webrtc_atomic_store(&vr->st->linger_ms, (uint64_t) 0);
        ngx_webrtc_timeline_follow(&vr->st->timeline, &vr->parent->timeline);

        return 1;
    }

    linger = 0;

    if (!ngx_webrtc_claim_feeds(ngx_webrtc_bus_claimed(vr->parent, NULL))) {
        linger = ngx_webrtc_atomic_load(&vr->parent->linger_ms);
    }

    ngx_webrtc_atomic_store(&vr->st->linger_ms, linger);

    if (vr->up) {
        vr->up = 0;

        ngx_webrtc_bus_set_state(vr->bus, vr->st, NGX_WEBRTC_STREAM_INACTIVE,
                                 ngx_current_msec);
    }

    if (ngx_webrtc_bus_state_age(vr->parent, ngx_current_msec)
        > NGX_WEBRTC_VARIANT_RUN_GONE)
    {
        ngx_webrtc_variant_job_stop(vr);
    }

    return 0;
}


static void
ngx_webrtc_variant_run_read(ngx_webrtc_variant_run_t *vr)
{
    ngx_int_t                  rc;
    ngx_webrtc_output_unit_t   unit;

    ngx_webrtc_bus_climb(vr->reader.st, ngx_current_msec);

    for ( ;; ) {

        rc = ngx_webrtc_output_reader_next(&vr->reader, &unit);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc == NGX_DONE) {
            ngx_webrtc_variant_run_tracks(vr);
            continue;
        }

        if (vr->reader.tracks[unit.track].kind == NGX_WEBRTC_AUDIO) {
            ngx_webrtc_variant_run_audio(vr, &unit);
            continue;
        }

        if ((ngx_int_t) unit.track == vr->video
            && vr->job
            && ngx_webrtc_variant_job_feed(vr, &unit) != NGX_OK)
        {
            ngx_webrtc_output_reader_skip(&vr->reader, unit.track);
        }
    }

    if (vr->out.delta.packets) {
        ngx_webrtc_source_out_flush(&vr->out);
    }

    if (vr->job) {
        ngx_webrtc_variant_job_fed(vr);
    }
}


static void
ngx_webrtc_variant_run_audio(ngx_webrtc_variant_run_t *vr,
    ngx_webrtc_output_unit_t *unit)
{
    ngx_uint_t  missing;

    if (unit->number < vr->heard) {
        return;
    }

    vr->heard = unit->number + 1;

    missing = (unit->missing <= NGX_WEBRTC_VARIANT_RUN_GAP) ? unit->missing
                                                            : 0;

    (void) ngx_webrtc_source_out_copy(&vr->out, &unit->packet, unit->payload,
                                      missing);
}


/* the parent's tracks, or the codec of what is read from here on */

static void
ngx_webrtc_variant_run_tracks(ngx_webrtc_variant_run_t *vr)
{
    ngx_uint_t                   i;
    ngx_webrtc_output_reader_t  *rd;

    rd = &vr->reader;
    vr->video = -1;

    for (i = 0; i < rd->ntracks; i++) {

        if (rd->tracks[i].kind == NGX_WEBRTC_VIDEO) {
            vr->video = (ngx_int_t) i;
            vr->place[NGX_WEBRTC_MEDIA_VIDEO] = (uint8_t) i;
            break;
        }
    }

    if (vr->up) {
        ngx_webrtc_variant_job_tracks(vr);
    }
}


/* a parent whose video does not come: there is audio */

static void
ngx_webrtc_variant_run_silent(ngx_webrtc_variant_run_t *vr)
{
    if (ngx_webrtc_bus_state(vr->parent) != NGX_WEBRTC_STREAM_ACTIVE
        || ngx_webrtc_bus_state_age(vr->st, ngx_current_msec)
           < NGX_WEBRTC_VARIANT_RUN_WAIT
        || ngx_webrtc_ring_room(vr->out.writer.ring) == 0
        || vr->job == NULL
        || vr->pause)
    {
        return;
    }

    ngx_webrtc_variant_job_tracks(vr);

    vr->up = 1;

    ngx_webrtc_bus_set_state(vr->bus, vr->st, NGX_WEBRTC_STREAM_ACTIVE,
                             ngx_current_msec);
}


static u_char *
ngx_webrtc_variant_run_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_webrtc_variant_run_t  *vr;

    vr = log->data;

    return ngx_snprintf(buf, len, ", stream: \"%V\", variant: \"%V\"",
                        &vr->name, &vr->label);
}
