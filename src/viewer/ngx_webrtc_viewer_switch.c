
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * From one stream of a family to another: see the header file.
 *
 * When.  Video changes at a key frame.  One that has come since the change was
 * wanted is as near to what has been sent as can be; it is asked for at once,
 * and again while none comes.  Where the path does not carry what the viewer
 * reads, one that has just come will do, if what has come since is no more
 * bytes than the key frame itself: a publisher who has just begun takes long to
 * make another one.  Where what the viewer reads does not play, one that is not
 * far behind will do, and after NGX_WEBRTC_VIEWER_SWITCH_WAIT any.
 *
 * Timestamps.  Those of both rings are of one timeline, so they go on.  What is
 * encoded anew lags behind: its key frame may be of a time that has been sent
 * already.  Then the timestamps of video go on from the last one, and catch up
 * (ngx_webrtc_rewrite_follow()).
 *
 * Audio is the same in both rings, packet by packet: it goes on with the first
 * packet that is behind the last one sent, by its timestamp.
 *
 * What was sent before the change is not sent again when it is asked for: it
 * was in another ring.  A key frame follows, before which nothing is missed.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_switch.h"
#include "ngx_webrtc_viewer_streams.h"
#include "ngx_webrtc_viewer_thin.h"
#include "ngx_webrtc_viewer_track.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_seq.h"


/* ms without a new key frame after which an old one will do, and after which
 * another is asked for; chosen as that of a start */
#define NGX_WEBRTC_VIEWER_SWITCH_WAIT  500

/* ticks that an old key frame may be behind what has been sent, chosen: half a
 * second is caught up with in another one */
#define NGX_WEBRTC_VIEWER_SWITCH_LAG   45000

/* us that a key frame has come before the last packet, and entries of the ring
 * since, for it to have just come; chosen: a publisher asked for another one
 * takes about as long, and 20 Mbit/s have as many in that time */
#define NGX_WEBRTC_VIEWER_SWITCH_JUST  500000
#define NGX_WEBRTC_VIEWER_SWITCH_SINCE 1024


static ngx_int_t ngx_webrtc_viewer_switch_ready(ngx_webrtc_session_t *s,
    ngx_webrtc_stream_t *st);
static ngx_int_t ngx_webrtc_viewer_switch_key(ngx_webrtc_viewer_t *v,
    ngx_webrtc_stream_t *st, uint64_t *n, ngx_webrtc_ring_packet_t *key);
static ngx_uint_t ngx_webrtc_viewer_switch_recent(ngx_webrtc_viewer_t *v,
    ngx_webrtc_stream_t *st, uint64_t *n);
static ngx_uint_t ngx_webrtc_viewer_switch_will_do(ngx_webrtc_viewer_t *v,
    uint64_t n, ngx_webrtc_ring_packet_t *key);
static void ngx_webrtc_viewer_switch_take(ngx_webrtc_session_t *s, uint64_t n,
    ngx_webrtc_ring_packet_t *key);
static uint64_t ngx_webrtc_viewer_switch_audio(ngx_webrtc_viewer_t *v,
    ngx_webrtc_ring_t *ring);


ngx_int_t
ngx_webrtc_viewer_switch(ngx_webrtc_session_t *s, ngx_webrtc_stream_t *st,
    ngx_webrtc_viewer_switch_at_e at)
{
    uint64_t              n;
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_viewer_t  *v;

    v = s->part;
    bus = s->wk->bus;

    if (v->to.vs && v->to.vs->st == st) {
        v->to.urgent |= (at == NGX_WEBRTC_VIEWER_SWITCH_ANY);
        ngx_webrtc_bus_release(bus, st);
        return NGX_OK;
    }

    ngx_webrtc_viewer_switch_cancel(s);

    if (st == v->st) {
        ngx_webrtc_bus_release(bus, st);
        return NGX_OK;
    }

    if (ngx_webrtc_viewer_streams_await(ngx_webrtc_viewer_worker(s->wk), v, st)
        != NGX_OK)
    {
        ngx_webrtc_bus_release(bus, st);
        return NGX_ERROR;
    }

    v->to.from = ngx_webrtc_ring_head(st->ring);
    v->to.since = ngx_current_msec;
    v->to.asked = ngx_current_msec;
    v->to.urgent = (at == NGX_WEBRTC_VIEWER_SWITCH_ANY);
    v->to.want = NGX_WEBRTC_LAYER_ALL;

    if (at == NGX_WEBRTC_VIEWER_SWITCH_RECENT
        && ngx_webrtc_viewer_switch_recent(v, st, &n))
    {
        v->to.from = n;
        return NGX_OK;
    }

    (void) ngx_webrtc_bus_keyframe(bus, st);

    return NGX_OK;
}


void
ngx_webrtc_viewer_switch_look(ngx_webrtc_session_t *s)
{
    uint64_t                   n;
    ngx_webrtc_stream_t       *st;
    ngx_webrtc_viewer_t       *v;
    ngx_webrtc_ring_packet_t   key;

    v = s->part;
    st = v->to.vs->st;

    ngx_webrtc_bus_want(st, ngx_current_msec + NGX_WEBRTC_VIEWER_WANTED);

    if (ngx_webrtc_viewer_switch_ready(s, st) != NGX_OK) {
        return;
    }

    if (ngx_webrtc_viewer_switch_key(v, st, &n, &key) == NGX_OK
        && ngx_webrtc_viewer_switch_will_do(v, n, &key))
    {
        ngx_webrtc_viewer_switch_take(s, n, &key);
        return;
    }

    if (ngx_current_msec - v->to.asked >= NGX_WEBRTC_VIEWER_SWITCH_WAIT) {
        v->to.asked = ngx_current_msec;
        (void) ngx_webrtc_bus_keyframe(s->wk->bus, st);
    }
}


void
ngx_webrtc_viewer_switch_cancel(ngx_webrtc_session_t *s)
{
    ngx_webrtc_stream_t  *st;
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    if (v->to.vs == NULL) {
        return;
    }

    st = v->to.vs->st;

    ngx_webrtc_viewer_streams_stay(v);
    ngx_webrtc_bus_release(s->wk->bus, st);
}


/* NGX_OK: it is live, and all that it has was negotiated */

static ngx_int_t
ngx_webrtc_viewer_switch_ready(ngx_webrtc_session_t *s, ngx_webrtc_stream_t *st)
{
    ngx_uint_t                  i, n;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_track_t          tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_viewer_track_t  *t;

    v = s->part;

    if (ngx_webrtc_bus_state(st) != NGX_WEBRTC_STREAM_ACTIVE
        || ngx_webrtc_bus_tracks(st, tracks, &n) == 0)
    {
        return NGX_AGAIN;
    }

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        t = &v->tracks[i];

        if (t->used
            && (i >= n || !ngx_webrtc_viewer_track_may(t, &tracks[i])))
        {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/* the last key frame of a stream, if it is of the codec that it has now */

static ngx_int_t
ngx_webrtc_viewer_switch_key(ngx_webrtc_viewer_t *v, ngx_webrtc_stream_t *st,
    uint64_t *n, ngx_webrtc_ring_packet_t *key)
{
    *n = ngx_webrtc_ring_keyframe(st->ring);

    return (*n != NGX_WEBRTC_RING_NONE
            && ngx_webrtc_ring_peek(st->ring, *n, key, NULL) == NGX_OK
            && key->track < NGX_WEBRTC_TRACKS
            && v->tracks[key->track].used
            && key->index >= ngx_webrtc_atomic_load(&st->since[key->track]))
           ? NGX_OK : NGX_DECLINED;
}


/* The last key frame, in n, has just come: without a gap since. */

static ngx_uint_t
ngx_webrtc_viewer_switch_recent(ngx_webrtc_viewer_t *v, ngx_webrtc_stream_t *st,
    uint64_t *n)
{
    size_t                     size, since;
    uint64_t                   i, head, index;
    ngx_webrtc_ring_packet_t   key, pkt;

    if (ngx_webrtc_viewer_switch_ready(v->session, st) != NGX_OK
        || ngx_webrtc_viewer_switch_key(v, st, n, &key) != NGX_OK)
    {
        return 0;
    }

    head = ngx_webrtc_ring_head(st->ring);

    if (head - *n > NGX_WEBRTC_VIEWER_SWITCH_SINCE) {
        return 0;
    }

    size = 0;
    since = 0;
    index = key.index;

    for (i = *n; i < head; i++) {

        if (ngx_webrtc_ring_peek(st->ring, i, &pkt, NULL) != NGX_OK
            || (int64_t) (pkt.arrival_us - key.arrival_us)
               > NGX_WEBRTC_VIEWER_SWITCH_JUST)
        {
            return 0;
        }

        if (pkt.track != key.track) {
            continue;
        }

        if (pkt.index != index++) {
            /* it was lost, or is late */
            return 0;
        }

        if (pkt.ts == key.ts) {
            size += pkt.len;

        } else {
            since += pkt.len;
        }
    }

    return since <= size;
}


static ngx_uint_t
ngx_webrtc_viewer_switch_will_do(ngx_webrtc_viewer_t *v, uint64_t n,
    ngx_webrtc_ring_packet_t *key)
{
    ngx_webrtc_viewer_track_t  *t;

    if (n >= v->to.from) {
        return 1;
    }

    if (!v->to.urgent) {
        return 0;
    }

    t = &v->tracks[key->track];

    return !t->rw.sent
           || ngx_webrtc_seq_diff32(t->rw.last_ts, key->ts)
              < NGX_WEBRTC_VIEWER_SWITCH_LAG
           || ngx_current_msec - v->to.since >= NGX_WEBRTC_VIEWER_SWITCH_WAIT;
}


/* from now on the viewer reads the stream that it was on its way to */

static void
ngx_webrtc_viewer_switch_take(ngx_webrtc_session_t *s, uint64_t n,
    ngx_webrtc_ring_packet_t *key)
{
    uint64_t                     audio;
    ngx_uint_t                   i, ntracks;
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_stream_t         *before;
    ngx_webrtc_track_t           tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_viewer_track_t   *t;

    v = s->part;
    before = v->st;

    ngx_webrtc_viewer_streams_leave(v);

    v->st = v->to.vs->st;

    /* cannot fail: the worker has it already */

    (void) ngx_webrtc_viewer_streams_join(ngx_webrtc_viewer_worker(s->wk), v);
    ngx_webrtc_viewer_streams_stay(v);

    ngx_webrtc_bus_release(s->wk->bus, before);

    v->tracks_version = ngx_webrtc_bus_tracks(v->st, tracks, &ntracks);

    audio = ngx_webrtc_viewer_switch_audio(v, v->st->ring);

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        t = &v->tracks[i];

        if (!t->used) {
            continue;
        }

        ngx_webrtc_viewer_track_take(t, &tracks[i]);

        t->since = ngx_webrtc_atomic_load(&v->st->since[i]);
        t->jump = 1;

        if (i == key->track) {
            t->since = key->index;
            t->jump = 0;
            ngx_webrtc_rewrite_follow(&t->rw, key->index, key->ts);

        } else {
            ngx_webrtc_rewrite_forget(&t->rw);
        }
    }

    v->cursor = ngx_min(n, audio);
    v->audio = audio;
    v->looked = v->cursor;

    ngx_webrtc_viewer_thin_set(v, v->thin, v->to.want);

    v->wait_key = 0;
    v->want_key = 0;
    v->dark = 0;
    v->stalled = 0;
    v->hushed = 0;

    v->replayed = ngx_current_msec;
    v->pause = NGX_WEBRTC_VIEWER_REPLAY;

    s->peer->reads = (v->st == s->st) ? 0 : v->st->ref;

    ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                  "webrtc viewer switched layer:\"%*s\" after:%M",
                  (size_t) (v->st == s->st ? sizeof("original") - 1
                                           : v->st->variant.label_len),
                  v->st == s->st ? (u_char *) "original"
                                 : v->st->variant.label,
                  ngx_current_msec - v->to.since);
}


/* the first packet of audio that has not been sent, or where it will be */

static uint64_t
ngx_webrtc_viewer_switch_audio(ngx_webrtc_viewer_t *v, ngx_webrtc_ring_t *ring)
{
    uint64_t                    n, first;
    ngx_webrtc_viewer_track_t  *t;
    ngx_webrtc_ring_packet_t    pkt;

    n = ngx_webrtc_ring_head(ring);
    first = n;

    while (n-- > 0) {

        if (ngx_webrtc_ring_peek(ring, n, &pkt, NULL) != NGX_OK) {
            break;
        }

        t = &v->tracks[pkt.track & (NGX_WEBRTC_TRACKS - 1)];

        if (!t->used || t->kind != NGX_WEBRTC_AUDIO) {
            continue;
        }

        /* at the live point, if nothing of it has been sent */

        if (!t->rw.sent
            || ngx_webrtc_seq_diff32(pkt.ts, t->rw.last_in_ts) <= 0)
        {
            break;
        }

        first = n;
    }

    return first;
}
