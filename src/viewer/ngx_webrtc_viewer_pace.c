
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Pacing of viewers.  Each has a bucket of bytes, filled at its rate and as
 * large as its burst: whatever fits in the bucket is sent at once, so a frame
 * of usual size never waits, and no clock is read for it.  Viewers with an
 * empty bucket are queued in their stream; one timer walks the queue, so that
 * their packets share system calls.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_pace.h"


static void ngx_webrtc_viewer_pace_handler(ngx_event_t *ev);


void
ngx_webrtc_viewer_pace_init(ngx_webrtc_viewer_pace_t *pace, uint32_t rate,
    uint32_t burst)
{
    pace->rate = rate / 1000;
    pace->burst = burst;
    pace->budget = burst;
    pace->filled = ngx_current_msec;
}


ngx_int_t
ngx_webrtc_viewer_pace_fill(ngx_webrtc_session_t *s, size_t n)
{
    ngx_msec_t                   passed;
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_pace_t    *pace;
    ngx_webrtc_viewer_stream_t  *vs;

    v = s->part;
    pace = &v->pace;

    if (pace->rate == 0) {
        return NGX_DECLINED;
    }

    passed = ngx_current_msec - pace->filled;
    passed = ngx_min(passed, pace->burst / pace->rate + 1);

    pace->filled = ngx_current_msec;
    pace->budget = (uint32_t) ngx_min(pace->budget
                                      + (uint64_t) passed * pace->rate,
                                      pace->burst);

    if (n <= pace->budget) {
        pace->budget -= (uint32_t) n;
        return NGX_DECLINED;
    }

    if (pace->held) {
        return NGX_OK;
    }

    vs = v->vs;

    pace->held = 1;
    ngx_queue_insert_tail(&vs->held, &pace->queue);

    ngx_webrtc_atomic_add(&v->st->stat.paced, 1);

    if (!vs->pace.timer_set) {
        ngx_add_timer(&vs->pace, NGX_WEBRTC_VIEWER_PACE);
    }

    return NGX_OK;
}


void
ngx_webrtc_viewer_pace_stop(ngx_webrtc_viewer_pace_t *pace)
{
    if (pace->held) {
        ngx_queue_remove(&pace->queue);
        pace->held = 0;
    }
}


void
ngx_webrtc_viewer_pace_stream(ngx_webrtc_viewer_stream_t *vs,
    ngx_int_t (*send)(ngx_webrtc_session_t *s))
{
    ngx_queue_init(&vs->held);

    vs->send = send;

    vs->pace.handler = ngx_webrtc_viewer_pace_handler;
    vs->pace.data = vs;
    vs->pace.log = vs->vw->wk->log;
}


void
ngx_webrtc_viewer_pace_stream_done(ngx_webrtc_viewer_stream_t *vs)
{
    if (vs->pace.timer_set) {
        ngx_del_timer(&vs->pace);
    }
}


static void
ngx_webrtc_viewer_pace_handler(ngx_event_t *ev)
{
    ngx_queue_t                  held, *q;
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_stream_t  *vs;

    vs = ev->data;

    if (ngx_queue_empty(&vs->held)) {
        return;
    }

    /* a viewer held back again is added to vs->held, and sets the timer */

    ngx_queue_init(&held);
    ngx_queue_add(&held, &vs->held);
    ngx_queue_init(&vs->held);

    while (!ngx_queue_empty(&held)) {

        q = ngx_queue_head(&held);
        v = ngx_queue_data(q, ngx_webrtc_viewer_t, pace.queue);

        ngx_webrtc_viewer_pace_stop(&v->pace);

        /*
         * With a full port this is wasted effort: all viewers of all streams
         * are served when it takes data again.
         */

        if (v->session->state == NGX_WEBRTC_SESSION_UP) {
            (void) vs->send(v->session);
        }
    }

    ngx_webrtc_udp_flush(vs->vw->wk->udp);
}
