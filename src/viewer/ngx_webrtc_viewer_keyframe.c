
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
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_keyframe.h"


/* ms that a viewer waits for a key frame requested from the publisher, before
 * it gets an old one; chosen: two round trips between continents */
#define NGX_WEBRTC_VIEWER_WAIT     500

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
static ngx_int_t ngx_webrtc_viewer_keyframe_replay(ngx_webrtc_session_t *s);
static ngx_int_t ngx_webrtc_viewer_keyframe_last_video(ngx_webrtc_session_t *s,
    uint64_t from, uint64_t head, ngx_webrtc_ring_packet_t *pkt);


void
ngx_webrtc_viewer_keyframe_begin(ngx_webrtc_session_t *s)
{
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    v->cursor = ngx_webrtc_ring_head(v->st->ring);
    v->audio = v->cursor;

    if (v->video && ngx_webrtc_viewer_keyframe_replay(s) != NGX_OK) {
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

    rc = ngx_webrtc_viewer_keyframe_replay(s);

    if (rc == NGX_AGAIN) {
        v->stalled = 1;
        v->looked = head;
    }

    if (rc != NGX_DECLINED) {
        return;
    }

    v->want_key = 0;

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
           && ngx_current_msec - v->waits >= NGX_WEBRTC_VIEWER_WAIT;
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

    if (!v->video || ngx_webrtc_viewer_keyframe_replay(s) != NGX_OK) {
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
 * NGX_OK
 * NGX_AGAIN     nothing to replay since the viewer is at the live point
 * NGX_DECLINED  the ring has no key frame that is worth it
 */

static ngx_int_t
ngx_webrtc_viewer_keyframe_replay(ngx_webrtc_session_t *s)
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

    if ((int64_t) (last.arrival_us - key.arrival_us) > old
        && !ngx_webrtc_viewer_keyframe_waited(v)
        && ngx_webrtc_bus_may_ask(v->st))
    {
        return NGX_DECLINED;
    }

    t = &v->tracks[key.track];

    rc = ngx_webrtc_rewrite_replay(&t->rw, key.index, key.ts, last.index + 1,
                                   last.ts);
    if (rc != NGX_OK) {
        return rc;
    }

    v->audio = ngx_max(v->audio, v->cursor);
    v->cursor = n;

    v->wait_key = 0;
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
