
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which key frame a viewer starts or resumes with.
 *
 * Start.  The cursor of a new viewer is put on the last key frame, and its
 * video timestamps up to the live point are squeezed (ngx_webrtc_rewrite.h).
 * Audio starts live.
 *
 * PLI and FIR.  The viewer is put back to the last key frame in the ring, in
 * the same way: an RTMP or MPEG-TS source cannot make one on request, and not
 * every viewer should bother the publisher.
 *
 * A publisher makes key frames only when it is asked.  If the last one is old,
 * what has come since would be a burst that nobody can decode in time, so the
 * publisher is asked and the viewer waits for the new one, for
 * NGX_WEBRTC_VIEWER_WAIT at most, as some never answer.
 *
 * A viewer that was lapped by the writer resumes at the last key frame.
 *
 * A push is no viewer who wants a picture at once, but a server that keeps what
 * it gets, or passes it on:
 *
 *   1. It begins with a new key frame where one may come within
 *      NGX_WEBRTC_VIEWER_WAIT_PUSH: the publisher is asked, or the interval of
 *      the last two says so.  Until then there is no sound either.
 *
 *   2. Else it begins with the last one.  What is not older than
 *      NGX_WEBRTC_VIEWER_PUSH_ROOM keeps its time, the rest is squeezed into
 *      that.
 *
 *   3. Sound begins where the picture does, by their timestamps; at the live
 *      point if pictures are squeezed, as many of them come before any of it.
 *
 *   4. When it asks for a key frame, others see what it gets: the stream goes
 *      on until the new one comes.  Only if none does, it goes back.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_seq.h"
#include "ngx_webrtc_time.h"
#include "ngx_webrtc_viewer_keyframe.h"


/* ms that a viewer waits for a key frame requested from the publisher, before
 * it gets an old one; chosen: two round trips between continents */
#define NGX_WEBRTC_VIEWER_WAIT     500

/* the same of a push; chosen: more than one "webrtc_keyframe_interval", and
 * less than the 2 s that servers wait for tracks */
#define NGX_WEBRTC_VIEWER_WAIT_PUSH  1500

/* 90 kHz ticks that a push may begin before the live point; chosen: what comes
 * at once is no more than what a server takes for one that stalls, and 25
 * frames of 10 s are 8 ms apart */
#define NGX_WEBRTC_VIEWER_PUSH_ROOM  180000

/* entries of the ring that are looked at for sound that comes earlier than the
 * picture it belongs to; chosen: a second of a high rate */
#define NGX_WEBRTC_VIEWER_EARLIER    1000

/* entries in which the key frame before the last one is looked for; chosen:
 * 10 s of 20 Mbit/s */
#define NGX_WEBRTC_VIEWER_INTERVAL   20000

/*
 * us; an older key frame is not used where a new one may come within
 * NGX_WEBRTC_VIEWER_WAIT; chosen: a viewer decodes this much within a few
 * frames' time
 */
#define NGX_WEBRTC_VIEWER_OLD      3000000

/* the same where no more is sent than the path carries: a burst would take as
 * long as what it is made of; chosen */
#define NGX_WEBRTC_VIEWER_OLD_FIT  300000


static void ngx_webrtc_viewer_keyframe_live(ngx_webrtc_session_t *s);
static void ngx_webrtc_viewer_keyframe_ask(ngx_webrtc_session_t *s);
static ngx_int_t ngx_webrtc_viewer_keyframe_asked(ngx_webrtc_session_t *s);
static ngx_int_t ngx_webrtc_viewer_keyframe_replay(ngx_webrtc_session_t *s,
    ngx_uint_t any);
static ngx_uint_t ngx_webrtc_viewer_keyframe_comes(ngx_webrtc_session_t *s);
static ngx_uint_t ngx_webrtc_viewer_keyframe_due(ngx_webrtc_ring_t *ring);
static void ngx_webrtc_viewer_keyframe_sound(ngx_webrtc_session_t *s,
    uint64_t key, uint32_t ts);
static ngx_int_t ngx_webrtc_viewer_keyframe_before(
    ngx_webrtc_viewer_t *v, const ngx_webrtc_ring_packet_t *pkt);
static ngx_int_t ngx_webrtc_viewer_keyframe_last_video(ngx_webrtc_session_t *s,
    uint64_t from, uint64_t head, ngx_webrtc_ring_packet_t *pkt);


void
ngx_webrtc_viewer_keyframe_begin(ngx_webrtc_session_t *s)
{
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    v->cursor = ngx_webrtc_ring_head(v->st->ring);
    v->audio = v->cursor;

    v->dark = (v->push && v->video);

    if (v->video && ngx_webrtc_viewer_keyframe_replay(s, 0) != NGX_OK) {
        ngx_webrtc_viewer_keyframe_live(s);
    }

    /* the start does not count: its losses are noticed at once */

    v->pause = NGX_WEBRTC_VIEWER_REPLAY;
}


void
ngx_webrtc_viewer_keyframe_look(ngx_webrtc_session_t *s)
{
    uint64_t                   head;
    ngx_int_t                  rc;
    ngx_webrtc_viewer_t       *v;
    ngx_webrtc_ring_packet_t   pkt;

    v = s->part;

    if (v->push && !v->wait_key && !v->stalled
        && ngx_webrtc_viewer_keyframe_asked(s) == NGX_OK)
    {
        return;
    }

    head = ngx_webrtc_ring_head(v->st->ring);

    if (v->stalled) {

        /* nothing changes until there is video again */

        rc = ngx_webrtc_viewer_keyframe_last_video(s, v->looked, head, &pkt);
        v->looked = head;

        if (rc != NGX_OK) {
            return;
        }

        v->stalled = 0;
    }

    rc = ngx_webrtc_viewer_keyframe_replay(s, v->push);

    if (rc == NGX_AGAIN) {
        v->stalled = 1;
        v->looked = head;
    }

    if (rc != NGX_DECLINED) {
        return;
    }

    v->want_key = 0;
    v->dark = 0;

    if (v->wait_key) {
        /* the ring has none either; or an inbox was full, so ask again */
        ngx_webrtc_viewer_keyframe_ask(s);

    } else {
        ngx_webrtc_viewer_keyframe_live(s);
    }
}


ngx_uint_t
ngx_webrtc_viewer_keyframe_waited(ngx_webrtc_viewer_t *v)
{
    return v->wait_key
           && ngx_current_msec - v->waits
              >= (v->push ? NGX_WEBRTC_VIEWER_WAIT_PUSH
                          : NGX_WEBRTC_VIEWER_WAIT);
}


/*
 * A push has asked for a key frame.
 *
 * NGX_OK        it has come, or may come: nothing else is to be done
 * NGX_DECLINED  nobody makes one
 */

static ngx_int_t
ngx_webrtc_viewer_keyframe_asked(ngx_webrtc_session_t *s)
{
    uint64_t              key;
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    if (!v->asking) {

        if (!ngx_webrtc_viewer_keyframe_comes(s)) {
            return NGX_DECLINED;
        }

        v->asking = 1;
        v->keyed = ngx_webrtc_ring_head(v->st->ring);
        v->replayed = ngx_current_msec;
        v->pause = NGX_WEBRTC_VIEWER_REPLAY;

        ngx_webrtc_viewer_keyframe_ask(s);

        return NGX_OK;
    }

    key = ngx_webrtc_ring_keyframe(v->st->ring);

    if (key != NGX_WEBRTC_RING_NONE && key >= v->keyed) {
        v->asking = 0;
        v->want_key = 0;
        return NGX_OK;
    }

    if (ngx_current_msec - v->waits < NGX_WEBRTC_VIEWER_WAIT_PUSH) {
        return NGX_OK;
    }

    v->asking = 0;

    return NGX_DECLINED;
}


void
ngx_webrtc_viewer_keyframe_lapped(ngx_webrtc_session_t *s)
{
    uint64_t              was;
    ngx_uint_t            i;
    ngx_webrtc_viewer_t  *v;

    v = s->part;
    was = v->cursor;

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        v->tracks[i].jump = 1;
    }

    /* audio resumes at the ring's head, not with stale packets */

    v->cursor = ngx_webrtc_ring_head(v->st->ring);

    if (!v->video || ngx_webrtc_viewer_keyframe_replay(s, 0) != NGX_OK) {
        ngx_webrtc_viewer_keyframe_live(s);
    }

    ngx_webrtc_atomic_add(&v->st->stat.lapped, 1);
    ngx_webrtc_atomic_add(&s->peer->stat.lapped, 1);

    if (v->cursor > was) {
        ngx_webrtc_atomic_add(&v->st->stat.lost, v->cursor - was);
    }
}


/* resumes at the live point, with video from the next key frame on */

static void
ngx_webrtc_viewer_keyframe_live(ngx_webrtc_session_t *s)
{
    ngx_uint_t            i;
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    v->cursor = ngx_webrtc_ring_head(v->st->ring);
    v->audio = v->cursor;
    v->wait_key = v->video;

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        v->tracks[i].jump = 1;
    }

    if (v->video) {
        ngx_webrtc_viewer_keyframe_ask(s);
    }
}


static void
ngx_webrtc_viewer_keyframe_ask(ngx_webrtc_session_t *s)
{
    ngx_webrtc_viewer_t  *v;

    v = s->part;
    v->waits = ngx_current_msec;

    (void) ngx_webrtc_bus_keyframe(s->wk->bus, v->st);
}


/*
 * Moves the cursor back to the last key frame.  Audio that was sent is not sent
 * again.
 *
 *   any   however old it is, and whether or not another one may come
 *
 * NGX_OK
 * NGX_AGAIN     nothing to replay since the viewer is at the live point
 * NGX_DECLINED  the ring has no key frame that is worth it
 */

static ngx_int_t
ngx_webrtc_viewer_keyframe_replay(ngx_webrtc_session_t *s, ngx_uint_t any)
{
    int64_t                     old;
    uint64_t                    n, head;
    ngx_int_t                   rc;
    ngx_webrtc_ring_t          *ring;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;
    ngx_webrtc_ring_packet_t    key, last;

    v = s->part;
    ring = v->st->ring;

    head = ngx_webrtc_ring_head(ring);
    n = ngx_webrtc_ring_keyframe(ring);

    if (n == NGX_WEBRTC_RING_NONE
        || ngx_webrtc_ring_peek(ring, n, &key, NULL) != NGX_OK
        || key.track >= NGX_WEBRTC_TRACKS
        || !v->tracks[key.track].used
        || key.index < v->tracks[key.track].since)
    {
        return NGX_DECLINED;
    }

    if (n >= head) {
        /* published since: it will be sent anyway */
        return NGX_AGAIN;
    }

    if (ngx_webrtc_viewer_keyframe_last_video(s, n, head, &last) != NGX_OK) {
        return NGX_DECLINED;
    }

    old = v->bw ? NGX_WEBRTC_VIEWER_OLD_FIT : NGX_WEBRTC_VIEWER_OLD;

    if (!any
        && (v->push || (int64_t) (last.arrival_us - key.arrival_us) > old)
        && !ngx_webrtc_viewer_keyframe_waited(v)
        && ngx_webrtc_viewer_keyframe_comes(s))
    {
        return NGX_DECLINED;
    }

    t = &v->tracks[key.track];

    if (v->push && !v->started) {
        t->rw.room = NGX_WEBRTC_VIEWER_PUSH_ROOM;
    }

    rc = ngx_webrtc_rewrite_replay(&t->rw, key.index, key.ts, last.index + 1,
                                   last.ts);
    if (rc != NGX_OK) {
        return rc;
    }

    v->audio = ngx_max(v->audio, v->cursor);
    v->cursor = n;

    /* where pictures are squeezed, sound begins at the live point */

    if (v->dark
        && ngx_webrtc_seq_diff32(last.ts, key.ts) <= (int32_t) t->rw.room)
    {
        ngx_webrtc_viewer_keyframe_sound(s, n, key.ts);
    }

    v->dark = 0;

    /* pictures between its sound and the key frame are not for it */

    v->wait_key = (v->cursor < n);
    v->want_key = 0;
    t->jump = 0;

    /* replays never add up to more than the stream itself */

    v->replayed = ngx_current_msec;
    v->pause = NGX_WEBRTC_VIEWER_REPLAY;

    if (last.arrival_us > key.arrival_us) {
        v->pause = (ngx_msec_t) ((last.arrival_us - key.arrival_us) / 1000);
        v->pause = ngx_max(v->pause, NGX_WEBRTC_VIEWER_REPLAY);
    }

    return NGX_OK;
}


/* may a key frame come within the time that is waited for it? */

static ngx_uint_t
ngx_webrtc_viewer_keyframe_comes(ngx_webrtc_session_t *s)
{
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    return ngx_webrtc_bus_may_ask(v->st)
           || (v->push && ngx_webrtc_viewer_keyframe_due(v->st->ring));
}


/* by the interval of the last two */

static ngx_uint_t
ngx_webrtc_viewer_keyframe_due(ngx_webrtc_ring_t *ring)
{
    uint64_t                   n, i, age, interval;
    ngx_webrtc_ring_packet_t   key, pkt;

    n = ngx_webrtc_ring_keyframe(ring);

    if (n == NGX_WEBRTC_RING_NONE
        || ngx_webrtc_ring_peek(ring, n, &key, NULL) != NGX_OK)
    {
        return 0;
    }

    for (i = 1; i <= n && i <= NGX_WEBRTC_VIEWER_INTERVAL; i++) {

        if (ngx_webrtc_ring_peek(ring, n - i, &pkt, NULL) != NGX_OK) {
            return 0;
        }

        if (pkt.track != key.track
            || (pkt.flags & (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
               != (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
        {
            continue;
        }

        interval = key.arrival_us - pkt.arrival_us;
        age = ngx_webrtc_time_now() - key.arrival_us;

        return age < 2 * interval
               && age + NGX_WEBRTC_VIEWER_WAIT_PUSH * 1000 > interval;
    }

    return 0;
}


ngx_int_t
ngx_webrtc_viewer_keyframe_first(ngx_webrtc_session_t *s,
    const ngx_webrtc_ring_packet_t *pkt)
{
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;

    v = s->part;
    t = &v->tracks[pkt->track & (NGX_WEBRTC_TRACKS - 1)];

    if (!t->used || t->kind != NGX_WEBRTC_VIDEO || pkt->index < t->since
        || (pkt->flags & (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
           != (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
    {
        return NGX_DECLINED;
    }

    v->dark = 0;
    ngx_webrtc_viewer_keyframe_sound(s, v->cursor, pkt->ts);

    return NGX_OK;
}


/*
 * Sound begins where the picture does.  Some of what belongs to it may be in
 * front of it in the ring: the cursor goes back to that.
 *
 *   key   entry of the picture
 *   ts    its timestamp, as it is sent
 */

static void
ngx_webrtc_viewer_keyframe_sound(ngx_webrtc_session_t *s, uint64_t key,
    uint32_t ts)
{
    int64_t                     ago, now_us;
    uint32_t                    at;
    uint64_t                    n, i;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;
    ngx_webrtc_ring_packet_t    pkt;

    v = s->part;
    now_us = (int64_t) ngx_webrtc_time_now();

    v->cursor = key;
    v->audio = key;

    if (ngx_webrtc_timeline_at(&v->st->timeline, 90000, now_us, &at)
        != NGX_OK)
    {
        return;
    }

    ago = ngx_webrtc_seq_diff32(at, ts);

    if (ago < -90000 || ago > NGX_WEBRTC_VIEWER_PUSH_ROOM + 90000) {
        /* it is not of this time */
        return;
    }

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        t = &v->tracks[i];

        if (t->used && t->kind == NGX_WEBRTC_AUDIO
            && ngx_webrtc_timeline_at(&v->st->timeline, t->clock_rate, now_us,
                                      &at)
               == NGX_OK)
        {
            t->held = 1;
            t->from = at - (uint32_t) (ago * t->clock_rate / 90000);
        }
    }

    for (n = key, i = 0; n > 0 && i < NGX_WEBRTC_VIEWER_EARLIER; i++) {
        n--;

        if (ngx_webrtc_ring_peek(v->st->ring, n, &pkt, NULL) != NGX_OK
            || ngx_webrtc_viewer_keyframe_before(v, &pkt) == NGX_OK)
        {
            return;
        }

        if (v->tracks[pkt.track & (NGX_WEBRTC_TRACKS - 1)].held) {
            v->cursor = n;
            v->audio = n;
        }
    }
}


/* NGX_OK: it is sound of before the picture; NGX_DECLINED */

static ngx_int_t
ngx_webrtc_viewer_keyframe_before(ngx_webrtc_viewer_t *v,
    const ngx_webrtc_ring_packet_t *pkt)
{
    ngx_webrtc_viewer_track_t  *t;

    t = &v->tracks[pkt->track & (NGX_WEBRTC_TRACKS - 1)];

    return (t->held && ngx_webrtc_seq_diff32(pkt->ts, t->from) < 0)
           ? NGX_OK : NGX_DECLINED;
}


/* the last video packet of [from, head) */

static ngx_int_t
ngx_webrtc_viewer_keyframe_last_video(ngx_webrtc_session_t *s, uint64_t from,
    uint64_t head, ngx_webrtc_ring_packet_t *pkt)
{
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;

    v = s->part;

    while (head > from) {
        head--;

        if (ngx_webrtc_ring_peek(v->st->ring, head, pkt, NULL) != NGX_OK) {
            return NGX_DECLINED;
        }

        if (pkt->track >= NGX_WEBRTC_TRACKS) {
            continue;
        }

        t = &v->tracks[pkt->track];

        if (t->used && t->kind == NGX_WEBRTC_VIDEO) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}
