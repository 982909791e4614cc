
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * One variant that is made in this worker.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_variant_run.h"


static u_char *ngx_webrtc_variant_run_log_error(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_webrtc_variant_run_state(ngx_webrtc_variant_run_t *vr);


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

    ngx_webrtc_bus_hold(bus, st);
    ngx_webrtc_bus_watch(bus, parent);
    ngx_webrtc_bus_reader(bus, parent, 1);

    ngx_webrtc_bus_set_state(bus, st, NGX_WEBRTC_STREAM_STARTING,
                             ngx_current_msec);

    return vr;
}


void
ngx_webrtc_variant_run_stop(ngx_webrtc_variant_run_t *vr)
{
    ngx_webrtc_bus_reader(vr->bus, vr->parent, -1);
    ngx_webrtc_bus_unwatch(vr->bus, vr->parent);

    ngx_webrtc_bus_unclaim(vr->bus, vr->st);
    ngx_webrtc_bus_release(vr->bus, vr->st);

    ngx_free(vr);
}


void
ngx_webrtc_variant_run_tick(ngx_webrtc_variant_run_t *vr)
{
    ngx_webrtc_variant_run_state(vr);
}


void
ngx_webrtc_variant_run_news(ngx_webrtc_variant_run_t *vr)
{
    ngx_webrtc_variant_run_state(vr);
}


void
ngx_webrtc_variant_run_keyframe(ngx_webrtc_variant_run_t *vr)
{
    ngx_webrtc_bus_keyframe_done(vr->st);
}


/* the parent's state is the variant's, as far as it has media */

static void
ngx_webrtc_variant_run_state(ngx_webrtc_variant_run_t *vr)
{
    uint64_t  linger;

    linger = 0;

    if (ngx_webrtc_bus_state(vr->parent) != NGX_WEBRTC_STREAM_ACTIVE
        && !ngx_webrtc_claim_feeds(ngx_webrtc_bus_claimed(vr->parent, NULL)))
    {
        /* viewers wait for its publisher as long as those of the parent */

        linger = ngx_webrtc_atomic_load(&vr->parent->linger_ms);
    }

    ngx_webrtc_atomic_store(&vr->st->linger_ms, linger);

    if (vr->up
        && ngx_webrtc_bus_state(vr->parent) != NGX_WEBRTC_STREAM_ACTIVE)
    {
        vr->up = 0;

        ngx_webrtc_bus_set_state(vr->bus, vr->st, NGX_WEBRTC_STREAM_INACTIVE,
                                 ngx_current_msec);
    }
}


static u_char *
ngx_webrtc_variant_run_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_webrtc_variant_run_t  *vr;

    vr = log->data;

    return ngx_snprintf(buf, len, ", stream: \"%V\", variant: \"%V\"",
                        &vr->name, &vr->label);
}
