
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Pacing of viewers.  Each has a bucket of bytes, filled at its rate and as
 * large as its burst: what is in it leaves at once, so that a frame of usual
 * size never waits, and no clock is read for it.  Viewers with an empty bucket
 * are in a queue of their stream, which one timer walks, so that their packets
 * share system calls.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_play.h"
#include "ngx_webrtc_session.h"


static void ngx_webrtc_play_pace_handler(ngx_event_t *ev);


void
ngx_webrtc_play_pace_init(ngx_webrtc_play_pace_t *pace, uint32_t rate,
    uint32_t burst)
{
    pace->rate = rate / 1000;
    pace->burst = burst;
    pace->budget = burst;
    pace->filled = ngx_current_msec;
}


ngx_int_t
ngx_webrtc_play_pace_fill(ngx_webrtc_session_t *s, size_t n)
{
    ngx_msec_t                   passed;
    ngx_webrtc_play_pace_t      *pace;
    ngx_webrtc_worker_stream_t  *ws;

    pace = &s->play.pace;

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

    ws = s->play.ws;

    pace->held = 1;
    ngx_queue_insert_tail(&ws->held, &pace->queue);

    ngx_webrtc_atomic_add(&s->st->stat.paced, 1);

    if (!ws->pace.timer_set) {
        ngx_add_timer(&ws->pace, NGX_WEBRTC_PLAY_PACE);
    }

    return NGX_OK;
}


void
ngx_webrtc_play_pace_stop(ngx_webrtc_play_pace_t *pace)
{
    if (pace->held) {
        ngx_queue_remove(&pace->queue);
        pace->held = 0;
    }
}


void
ngx_webrtc_play_pace_stream(ngx_webrtc_worker_t *wk,
    ngx_webrtc_worker_stream_t *ws)
{
    ngx_queue_init(&ws->held);

    ws->wk = wk;

    ws->pace.handler = ngx_webrtc_play_pace_handler;
    ws->pace.data = ws;
    ws->pace.log = wk->log;
}


void
ngx_webrtc_play_pace_stream_done(ngx_webrtc_worker_stream_t *ws)
{
    if (ws->pace.timer_set) {
        ngx_del_timer(&ws->pace);
    }
}


static void
ngx_webrtc_play_pace_handler(ngx_event_t *ev)
{
    ngx_queue_t                  held, *q;
    ngx_webrtc_session_t        *s;
    ngx_webrtc_worker_stream_t  *ws;

    ws = ev->data;

    if (ngx_queue_empty(&ws->held)) {
        return;
    }

    /* who is held back again goes to ws->held, and sets the timer */

    ngx_queue_init(&held);
    ngx_queue_add(&held, &ws->held);
    ngx_queue_init(&ws->held);

    while (!ngx_queue_empty(&held)) {

        q = ngx_queue_head(&held);
        s = ngx_queue_data(q, ngx_webrtc_session_t, play.pace.queue);

        ngx_webrtc_play_pace_stop(&s->play.pace);

        /*
         * With a full port this goes on for nothing: all viewers of all
         * streams are served when it takes data again.
         */

        if (s->state == NGX_WEBRTC_SESSION_UP) {
            (void) ngx_webrtc_play_send(s);
        }
    }

    ngx_webrtc_udp_flush(ws->wk->udp);
}
