
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What happens to the streams that have viewers in this worker: new packets are
 * sent to all viewers of a stream at once, so that they share system calls.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_ahead.h"
#include "ngx_webrtc_bus_layers.h"
#include "ngx_webrtc_viewer_stream.h"
#include "ngx_webrtc_viewer_family.h"
#include "ngx_webrtc_viewer_feedback.h"
#include "ngx_webrtc_viewer_keyframe.h"
#include "ngx_webrtc_viewer_layers.h"
#include "ngx_webrtc_viewer_narrow.h"
#include "ngx_webrtc_viewer_send.h"
#include "ngx_webrtc_viewer_streams.h"
#include "ngx_webrtc_viewer_switch.h"
#include "ngx_webrtc_viewer_track.h"


static ngx_int_t ngx_webrtc_viewer_stream_pump(ngx_webrtc_viewer_stream_t *vs);
static void ngx_webrtc_viewer_stream_ahead(ngx_webrtc_viewer_stream_t *vs,
    ngx_queue_t *q);
static void ngx_webrtc_viewer_stream_arrive(ngx_webrtc_viewer_stream_t *vs);
static void ngx_webrtc_viewer_stream_family(ngx_webrtc_viewer_stream_t *vs);
static void ngx_webrtc_viewer_stream_end(ngx_webrtc_viewer_stream_t *vs,
    const char *reason);


void *
ngx_webrtc_viewer_stream_init(ngx_webrtc_worker_t *wk, void *conf)
{
    ngx_uint_t                   i;
    ngx_webrtc_viewer_worker_t  *vw;

    vw = ngx_calloc(sizeof(ngx_webrtc_viewer_worker_t), wk->log);
    if (vw == NULL) {
        return NULL;
    }

    vw->wk = wk;
    vw->conf = *(ngx_webrtc_viewer_conf_t *) conf;

    for (i = 0; i < NGX_WEBRTC_VIEWER_STREAMS; i++) {
        ngx_queue_init(&vw->streams[i]);
    }

    return vw;
}


void
ngx_webrtc_viewer_stream_done(void *state)
{
    ngx_free(state);
}


/* ends viewers whose publisher has been gone too long; looks for others whose
 * original plays again, and for key frames of streams that have no news */

void
ngx_webrtc_viewer_stream_tick(void *state)
{
    ngx_webrtc_viewer_worker_t *vw = state;

    uint64_t                     linger;
    ngx_uint_t                   i;
    ngx_queue_t                 *q;
    ngx_webrtc_viewer_stream_t  *vs;

    for (i = 0; i < NGX_WEBRTC_VIEWER_STREAMS; i++) {

        for (q = ngx_queue_head(&vw->streams[i]);
             q != ngx_queue_sentinel(&vw->streams[i]);
             q = ngx_queue_next(q))
        {
            vs = ngx_queue_data(q, ngx_webrtc_viewer_stream_t, queue);

            ngx_webrtc_viewer_stream_arrive(vs);
            ngx_webrtc_viewer_stream_family(vs);

            linger = ngx_webrtc_atomic_load(&vs->st->linger_ms);

            if (linger
                && !ngx_webrtc_claim_feeds(ngx_webrtc_bus_claimed(vs->st,
                                                                  NULL))
                && ngx_webrtc_bus_state(vs->st) != NGX_WEBRTC_STREAM_ACTIVE
                && ngx_webrtc_bus_state(vs->st) != NGX_WEBRTC_STREAM_STARTING
                && ngx_webrtc_bus_state_age(vs->st, ngx_current_msec) > linger)
            {
                ngx_webrtc_viewer_stream_end(vs, "publisher did not come back");
            }
        }
    }
}


void
ngx_webrtc_viewer_stream_news(void *state, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_viewer_stream_t  *vs;

    vs = ngx_webrtc_viewer_streams_find(state, st);

    if (vs) {
        (void) ngx_webrtc_viewer_stream_pump(vs);
    }
}


void
ngx_webrtc_viewer_stream_writable(void *state)
{
    ngx_webrtc_viewer_worker_t *vw = state;

    ngx_uint_t                   i, n, full;
    ngx_queue_t                 *q;
    ngx_webrtc_viewer_stream_t  *vs;

    /* begins where the port was full the last time */

    n = vw->writable;
    full = 0;

    for (i = 0; i < NGX_WEBRTC_VIEWER_STREAMS; i++) {

        for (q = ngx_queue_head(&vw->streams[n]);
             q != ngx_queue_sentinel(&vw->streams[n]);
             q = ngx_queue_next(q))
        {
            vs = ngx_queue_data(q, ngx_webrtc_viewer_stream_t, queue);

            if (ngx_webrtc_viewer_stream_pump(vs) == NGX_AGAIN && !full) {
                vw->writable = n;
                full = 1;
            }
        }

        n = (n + 1) % NGX_WEBRTC_VIEWER_STREAMS;
    }
}


/*
 * Sends what is new to all viewers of a stream, and flushes the port.
 *
 * NGX_OK
 * NGX_AGAIN  a port is full; the next call begins with the viewer that met it
 */

static ngx_int_t
ngx_webrtc_viewer_stream_pump(ngx_webrtc_viewer_stream_t *vs)
{
    uint64_t               tracks;
    ngx_int_t              rc;
    ngx_queue_t           *q;
    ngx_webrtc_viewer_t   *v;
    ngx_webrtc_session_t  *s;

    rc = NGX_OK;
    tracks = ngx_webrtc_bus_tracks(vs->st, NULL, NULL);

    ngx_webrtc_viewer_stream_arrive(vs);

    if (vs->st->parent
        && ngx_webrtc_bus_state(vs->st) == NGX_WEBRTC_STREAM_STARTING)
    {
        /* its publisher has stopped this layer */

        ngx_webrtc_viewer_stream_family(vs);
    }

    for (q = ngx_queue_head(&vs->viewers);
         q != ngx_queue_sentinel(&vs->viewers);
         q = ngx_queue_next(q))
    {
        ngx_webrtc_viewer_stream_ahead(vs, q);

        v = ngx_queue_data(q, ngx_webrtc_viewer_t, queue);
        s = v->session;

        if (s->state != NGX_WEBRTC_SESSION_UP) {
            continue;
        }

        if (v->tracks_version != tracks
            && (ngx_webrtc_viewer_family_check(s) != NGX_OK
                || ngx_webrtc_viewer_track_changed(s) != NGX_OK))
        {
            continue;
        }

        if (v->want_key || ngx_webrtc_viewer_keyframe_waited(v)) {
            ngx_webrtc_viewer_keyframe_look(s);
        }

        rc = ngx_webrtc_viewer_send(s);

        if (rc == NGX_AGAIN) {
            ngx_queue_remove(&vs->viewers);
            ngx_queue_insert_tail(q, &vs->viewers);
            break;
        }

        if (v->fresh && s->state == NGX_WEBRTC_SESSION_UP) {
            ngx_webrtc_viewer_feedback_first(s);
        }
    }

    ngx_webrtc_udp_flush(vs->vw->wk->udp);

    return rc;
}


/*
 * Asks for the memory of the viewers behind q in the order in which their
 * addresses are known: of the third one the viewer, of the second its session,
 * of the first what the session points to.  Each has come when it is the next
 * one's turn; without, a fifth of the time was waiting.
 */

static void
ngx_webrtc_viewer_stream_ahead(ngx_webrtc_viewer_stream_t *vs, ngx_queue_t *q)
{
    ngx_webrtc_viewer_t   *v;
    ngx_webrtc_session_t  *s;

    q = ngx_queue_next(q);

    if (q == ngx_queue_sentinel(&vs->viewers)) {
        return;
    }

    v = ngx_queue_data(q, ngx_webrtc_viewer_t, queue);
    s = v->session;

    ngx_webrtc_srtp_ahead(&s->out);
    ngx_webrtc_ahead(&s->peer->stat, sizeof(ngx_webrtc_peer_stat_t));
    ngx_webrtc_ahead(s->current, sizeof(ngx_webrtc_path_t));

    q = ngx_queue_next(q);

    if (q == ngx_queue_sentinel(&vs->viewers)) {
        return;
    }

    v = ngx_queue_data(q, ngx_webrtc_viewer_t, queue);
    s = v->session;

    ngx_webrtc_ahead(s, NGX_WEBRTC_AHEAD_LINE);
    ngx_webrtc_ahead(&s->current, sizeof(ngx_webrtc_paths_entry_t *)
                                  + sizeof(ngx_webrtc_transport_t));
    ngx_webrtc_ahead(&s->out, sizeof(ngx_webrtc_srtp_out_t));
    ngx_webrtc_ahead(&s->part, sizeof(void *));

    q = ngx_queue_next(q);

    if (q != ngx_queue_sentinel(&vs->viewers)) {
        v = ngx_queue_data(q, ngx_webrtc_viewer_t, queue);
        ngx_webrtc_ahead(v, sizeof(ngx_webrtc_viewer_t));
    }
}


/* Those who wait for a key frame of this stream, if there is one. */

static void
ngx_webrtc_viewer_stream_arrive(ngx_webrtc_viewer_stream_t *vs)
{
    ngx_queue_t          *q, *next;
    ngx_webrtc_viewer_t  *v;

    for (q = ngx_queue_head(&vs->coming);
         q != ngx_queue_sentinel(&vs->coming);
         q = next)
    {
        next = ngx_queue_next(q);
        v = ngx_queue_data(q, ngx_webrtc_viewer_t, to.queue);

        if (v->session->state == NGX_WEBRTC_SESSION_UP) {
            ngx_webrtc_viewer_switch_look(v->session);
        }
    }
}


/* Viewers of a variant are not told of what happens to the original; others may
 * have to go to another layer. */

static void
ngx_webrtc_viewer_stream_family(ngx_webrtc_viewer_stream_t *vs)
{
    ngx_queue_t          *q;
    ngx_webrtc_viewer_t  *v;

    for (q = ngx_queue_head(&vs->viewers);
         q != ngx_queue_sentinel(&vs->viewers);
         q = ngx_queue_next(q))
    {
        v = ngx_queue_data(q, ngx_webrtc_viewer_t, queue);

        if (v->session->state != NGX_WEBRTC_SESSION_UP
            || ngx_webrtc_viewer_family_check(v->session) != NGX_OK)
        {
            continue;
        }

        ngx_webrtc_viewer_track_playout(v->session);

        if (v->layers) {
            ngx_webrtc_viewer_layers_tick(v->session);
            ngx_webrtc_viewer_narrow_tick(v->session);

        } else {
            ngx_webrtc_bus_climb(v->session->st, ngx_current_msec);
        }
    }
}


/* ends all viewers of a stream in this worker; reason is static text */

static void
ngx_webrtc_viewer_stream_end(ngx_webrtc_viewer_stream_t *vs, const char *reason)
{
    ngx_queue_t          *q;
    ngx_webrtc_viewer_t  *v;

    for (q = ngx_queue_head(&vs->viewers);
         q != ngx_queue_sentinel(&vs->viewers);
         q = ngx_queue_next(q))
    {
        v = ngx_queue_data(q, ngx_webrtc_viewer_t, queue);
        ngx_webrtc_session_close(v->session, reason);
    }
}
