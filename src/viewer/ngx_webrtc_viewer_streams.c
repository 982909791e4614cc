
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The streams that have viewers in this worker.  A stream is watched while it
 * has some, or some are on their way to it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_streams.h"
#include "ngx_webrtc_viewer_pace.h"
#include "ngx_webrtc_viewer_send.h"


static ngx_webrtc_viewer_stream_t *ngx_webrtc_viewer_streams_get(
    ngx_webrtc_viewer_worker_t *vw, ngx_webrtc_stream_t *st);
static void ngx_webrtc_viewer_streams_unused(ngx_webrtc_viewer_stream_t *vs);
static ngx_webrtc_viewer_stream_t *ngx_webrtc_viewer_streams_make(
    ngx_webrtc_viewer_worker_t *vw, ngx_webrtc_stream_t *st);


ngx_webrtc_viewer_stream_t *
ngx_webrtc_viewer_streams_find(ngx_webrtc_viewer_worker_t *vw,
    ngx_webrtc_stream_t *st)
{
    ngx_queue_t                 *q, *bucket;
    ngx_webrtc_viewer_stream_t  *vs;

    bucket = &vw->streams[st->id % NGX_WEBRTC_VIEWER_STREAMS];

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        vs = ngx_queue_data(q, ngx_webrtc_viewer_stream_t, queue);

        if (vs->st == st) {
            return vs;
        }
    }

    return NULL;
}


ngx_int_t
ngx_webrtc_viewer_streams_join(ngx_webrtc_viewer_worker_t *vw,
    ngx_webrtc_viewer_t *v)
{
    ngx_webrtc_stream_t         *st;
    ngx_webrtc_viewer_stream_t  *vs;

    st = v->st;
    vs = ngx_webrtc_viewer_streams_get(vw, st);

    if (vs == NULL) {
        return NGX_ERROR;
    }

    v->vs = vs;
    ngx_queue_insert_tail(&vs->viewers, &v->queue);

    if (st != v->session->st) {
        ngx_webrtc_bus_viewer(vw->wk->bus, st, 1);
    }

    return NGX_OK;
}


void
ngx_webrtc_viewer_streams_leave(ngx_webrtc_viewer_t *v)
{
    ngx_webrtc_viewer_stream_t  *vs;

    vs = v->vs;

    ngx_webrtc_viewer_pace_stop(&v->pace);

    ngx_queue_remove(&v->queue);
    v->vs = NULL;

    if (vs->st != v->session->st) {
        ngx_webrtc_bus_viewer(vs->vw->wk->bus, vs->st, -1);
    }

    ngx_webrtc_viewer_streams_unused(vs);
}


ngx_int_t
ngx_webrtc_viewer_streams_await(ngx_webrtc_viewer_worker_t *vw,
    ngx_webrtc_viewer_t *v, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_viewer_stream_t  *vs;

    vs = ngx_webrtc_viewer_streams_get(vw, st);

    if (vs == NULL) {
        return NGX_ERROR;
    }

    v->to.vs = vs;
    ngx_queue_insert_tail(&vs->coming, &v->to.queue);

    return NGX_OK;
}


void
ngx_webrtc_viewer_streams_stay(ngx_webrtc_viewer_t *v)
{
    ngx_webrtc_viewer_stream_t  *vs;

    vs = v->to.vs;

    ngx_queue_remove(&v->to.queue);
    v->to.vs = NULL;

    ngx_webrtc_viewer_streams_unused(vs);
}


void
ngx_webrtc_viewer_streams_each(ngx_webrtc_worker_t *wk,
    void (*handler)(ngx_webrtc_stream_t *st))
{
    ngx_uint_t                   i;
    ngx_queue_t                 *q;
    ngx_webrtc_viewer_stream_t  *vs;
    ngx_webrtc_viewer_worker_t  *vw;

    vw = ngx_webrtc_viewer_worker(wk);

    for (i = 0; i < NGX_WEBRTC_VIEWER_STREAMS; i++) {

        for (q = ngx_queue_head(&vw->streams[i]);
             q != ngx_queue_sentinel(&vw->streams[i]);
             q = ngx_queue_next(q))
        {
            vs = ngx_queue_data(q, ngx_webrtc_viewer_stream_t, queue);
            handler(vs->st);
        }
    }
}


/* NULL without memory; a new one is freed with its last viewer */

static ngx_webrtc_viewer_stream_t *
ngx_webrtc_viewer_streams_get(ngx_webrtc_viewer_worker_t *vw,
    ngx_webrtc_stream_t *st)
{
    ngx_webrtc_viewer_stream_t  *vs;

    vs = ngx_webrtc_viewer_streams_find(vw, st);

    return vs ? vs : ngx_webrtc_viewer_streams_make(vw, st);
}


/* frees it, unless somebody is there */

static void
ngx_webrtc_viewer_streams_unused(ngx_webrtc_viewer_stream_t *vs)
{
    if (!ngx_queue_empty(&vs->viewers) || !ngx_queue_empty(&vs->coming)) {
        return;
    }

    ngx_webrtc_bus_unwatch(vs->vw->wk->bus, vs->st);
    ngx_webrtc_viewer_pace_stream_done(vs);

    ngx_queue_remove(&vs->queue);
    ngx_free(vs);
}


static ngx_webrtc_viewer_stream_t *
ngx_webrtc_viewer_streams_make(ngx_webrtc_viewer_worker_t *vw,
    ngx_webrtc_stream_t *st)
{
    ngx_webrtc_viewer_stream_t  *vs;

    vs = ngx_calloc(sizeof(ngx_webrtc_viewer_stream_t), vw->wk->log);
    if (vs == NULL) {
        return NULL;
    }

    vs->vw = vw;
    vs->st = st;
    ngx_queue_init(&vs->viewers);
    ngx_queue_init(&vs->coming);
    ngx_webrtc_viewer_pace_stream(vs, ngx_webrtc_viewer_send);

    ngx_queue_insert_head(&vw->streams[st->id % NGX_WEBRTC_VIEWER_STREAMS],
                          &vs->queue);

    ngx_webrtc_bus_watch(vw->wk->bus, st);

    return vs;
}
