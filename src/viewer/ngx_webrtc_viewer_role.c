
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The start and end of a viewer.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_role.h"
#include "ngx_webrtc_viewer_bandwidth.h"
#include "ngx_webrtc_viewer_family.h"
#include "ngx_webrtc_viewer_feedback.h"
#include "ngx_webrtc_viewer_keyframe.h"
#include "ngx_webrtc_viewer_layers.h"
#include "ngx_webrtc_viewer_pace.h"
#include "ngx_webrtc_viewer_send.h"
#include "ngx_webrtc_viewer_stream.h"
#include "ngx_webrtc_viewer_streams.h"
#include "ngx_webrtc_viewer_switch.h"
#include "ngx_webrtc_viewer_thin.h"
#include "ngx_webrtc_viewer_track.h"


static void *ngx_webrtc_viewer_role_push(ngx_webrtc_worker_t *wk,
    void *conf);
static void ngx_webrtc_viewer_role_pushed(void *state);
static void ngx_webrtc_viewer_role_start(ngx_webrtc_session_t *s);
static void ngx_webrtc_viewer_role_counts(ngx_webrtc_session_t *s,
    ngx_int_t n);
static void ngx_webrtc_viewer_role_stop(ngx_webrtc_session_t *s);


const ngx_webrtc_role_t  ngx_webrtc_viewer_role = {
    .name = "viewer",
    .id = NGX_WEBRTC_PEER_PLAY,
    .media = NGX_WEBRTC_ROLE_SENDS,
    .stream = 1,

    .init = ngx_webrtc_viewer_stream_init,
    .done = ngx_webrtc_viewer_stream_done,
    .tick = ngx_webrtc_viewer_stream_tick,
    .news = ngx_webrtc_viewer_stream_news,
    .writable = ngx_webrtc_viewer_stream_writable,

    .start = ngx_webrtc_viewer_role_start,
    .stop = ngx_webrtc_viewer_role_stop,
    .rtcp = ngx_webrtc_viewer_feedback,
    .changed = ngx_webrtc_viewer_layers_changed,
    .second = ngx_webrtc_viewer_feedback_reports
};


const ngx_webrtc_role_t  ngx_webrtc_viewer_push_role = {
    .name = "push",
    .id = NGX_WEBRTC_PEER_PUSH,
    .media = NGX_WEBRTC_ROLE_SENDS,
    .stream = 1,

    .init = ngx_webrtc_viewer_role_push,
    .done = ngx_webrtc_viewer_role_pushed,

    .start = ngx_webrtc_viewer_role_start,
    .stop = ngx_webrtc_viewer_role_stop,
    .rtcp = ngx_webrtc_viewer_feedback,
    .changed = ngx_webrtc_viewer_layers_changed,
    .second = ngx_webrtc_viewer_feedback_reports
};


/* they are among the viewers of the worker */

static void *
ngx_webrtc_viewer_role_push(ngx_webrtc_worker_t *wk, void *conf)
{
    return ngx_webrtc_viewer_worker(wk);
}


static void
ngx_webrtc_viewer_role_pushed(void *state)
{
    (void) state;
}


static void
ngx_webrtc_viewer_role_start(ngx_webrtc_session_t *s)
{
    ngx_webrtc_viewer_t  *v;

    v = ngx_calloc(sizeof(ngx_webrtc_viewer_t), &s->log);
    if (v == NULL) {
        ngx_webrtc_session_close(s, "no memory");
        return;
    }

    ngx_webrtc_viewer_thin_init(v);

    v->session = s;
    v->how = &s->peer->policy.variant;
    v->push = (s->role == &ngx_webrtc_viewer_push_role);
    s->part = v;

    if (ngx_webrtc_viewer_family_begin(s) != NGX_OK) {
        return;
    }

    ngx_webrtc_viewer_track_init(s);

    if (ngx_webrtc_viewer_layers_begin(s) != NGX_OK
        || ngx_webrtc_viewer_streams_join(ngx_webrtc_viewer_worker(s->wk), v)
           != NGX_OK)
    {
        ngx_webrtc_session_close(s, "no memory");
        return;
    }

    /* the stream counts the viewers of its variants too */

    ngx_webrtc_viewer_role_counts(s, 1);

    v->fresh = 1;
    v->resends = NGX_WEBRTC_VIEWER_RESEND;
    v->refilled = ngx_current_msec;

    ngx_webrtc_viewer_pace_init(&v->pace,
                                (uint32_t) (s->peer->policy.pacing_rate / 8),
                                (uint32_t) s->peer->policy.pacing_burst);

    if (v->bw) {
        ngx_webrtc_viewer_bandwidth_pace(s, 100);
    }

    /* tracks may have changed since the answer */

    if (ngx_webrtc_viewer_track_changed(s) != NGX_OK) {
        return;
    }

    ngx_webrtc_viewer_keyframe_begin(s);

    (void) ngx_webrtc_viewer_send(s);
    ngx_webrtc_udp_flush(s->wk->udp);
}


static void
ngx_webrtc_viewer_role_counts(ngx_webrtc_session_t *s, ngx_int_t n)
{
    if (s->role == &ngx_webrtc_viewer_role) {
        ngx_webrtc_bus_viewer(s->wk->bus, s->st, n);
    }
}


static void
ngx_webrtc_viewer_role_stop(ngx_webrtc_session_t *s)
{
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    if (v == NULL) {
        return;
    }

    ngx_webrtc_viewer_switch_cancel(s);

    if (v->vs) {
        ngx_webrtc_viewer_streams_leave(v);
        ngx_webrtc_viewer_role_counts(s, -1);
    }

    if (v->st) {
        ngx_webrtc_bus_release(s->wk->bus, v->st);
    }

    ngx_webrtc_viewer_layers_end(v);

    ngx_free(v);
    s->part = NULL;
}
