
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Viewers.  The packet ring is the queue: each viewer has a cursor, and what is
 * between it and the ring's head is still to be sent.
 *
 * Start.  The cursor of a new viewer is put on the last key frame, and its
 * video timestamps up to the live point are squeezed (ngx_webrtc_rewrite.h).
 * Audio starts live.
 *
 * PLI and FIR.  The viewer is put back to the last key frame in the ring, in
 * the same way: a source from RTMP or MPEG-TS cannot make one, and a publisher
 * should not be asked by every viewer.
 *
 * A publisher makes key frames only when it is asked.  Where the last one is
 * old, what has come since would be a burst that nobody can decode in time, so
 * that the publisher is asked and the viewer waits for the new one: for
 * NGX_WEBRTC_PLAY_WAIT, as some never answer.
 *
 * A viewer that was lapped by the writer goes on at the last key frame.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_play.h"
#include "ngx_webrtc_session.h"
#include "ngx_webrtc_bus_ring.h"
#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_time.h"
#include "ngx_webrtc_track.h"


/*
 * us; an older key frame is no start where a new one may be had within
 * NGX_WEBRTC_PLAY_WAIT; chosen: a viewer decodes as much within a few frames'
 * time
 */
#define NGX_WEBRTC_PLAY_OLD   3000000

/* bytes of a compound packet of SR and SDES with our CNAME */
#define NGX_WEBRTC_PLAY_RTCP  256


static ngx_int_t ngx_webrtc_play_tracks(ngx_webrtc_session_t *s);
static void ngx_webrtc_play_begin(ngx_webrtc_session_t *s);
static void ngx_webrtc_play_live(ngx_webrtc_session_t *s);
static void ngx_webrtc_play_ask(ngx_webrtc_session_t *s);
static void ngx_webrtc_play_look(ngx_webrtc_session_t *s);
static ngx_uint_t ngx_webrtc_play_waited(ngx_webrtc_play_t *pl);
static ngx_int_t ngx_webrtc_play_replay(ngx_webrtc_session_t *s);
static ngx_int_t ngx_webrtc_play_last_video(ngx_webrtc_session_t *s,
    uint64_t from, uint64_t head, ngx_webrtc_ring_packet_t *pkt);
static ngx_int_t ngx_webrtc_play_skip(ngx_webrtc_play_t *pl,
    ngx_webrtc_play_track_t *t, ngx_webrtc_ring_packet_t *pkt);
static void ngx_webrtc_play_lapped(ngx_webrtc_session_t *s);
static ngx_int_t ngx_webrtc_play_send_packet(ngx_webrtc_session_t *s,
    ngx_webrtc_play_track_t *t, ngx_webrtc_ring_packet_t *pkt,
    u_char *payload);
static ngx_int_t ngx_webrtc_play_resend(ngx_webrtc_session_t *s,
    ngx_webrtc_play_track_t *t, uint16_t seq);
static ngx_uint_t ngx_webrtc_play_take_resend(ngx_webrtc_play_t *pl);
static ngx_webrtc_play_track_t *ngx_webrtc_play_find(ngx_webrtc_play_t *pl,
    uint32_t ssrc);
static ngx_int_t ngx_webrtc_play_changed(ngx_webrtc_session_t *s);
static int64_t ngx_webrtc_play_clock(void);


ngx_int_t
ngx_webrtc_play_start(ngx_webrtc_session_t *s)
{
    ngx_webrtc_play_t  *pl;

    pl = &s->play;

    if (ngx_webrtc_play_tracks(s) != NGX_OK) {
        return NGX_ERROR;
    }

    pl->ws = ngx_webrtc_worker_stream(s->wk, s->st);
    if (pl->ws == NULL) {
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&pl->ws->viewers, &pl->queue);

    ngx_webrtc_bus_viewer(s->wk->bus, s->st, 1);

    pl->resends = NGX_WEBRTC_PLAY_RESEND;
    pl->refilled = ngx_current_msec;

    ngx_webrtc_play_pace_init(&pl->pace, s->peer->pacing_rate,
                              s->peer->pacing_burst);

    /* since the answer */

    if (ngx_webrtc_play_changed(s) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_webrtc_play_begin(s);

    (void) ngx_webrtc_play_send(s);
    ngx_webrtc_udp_flush(s->wk->udp);

    return NGX_OK;
}


/* what was negotiated, by track of the stream */

static ngx_int_t
ngx_webrtc_play_tracks(ngx_webrtc_session_t *s)
{
    ngx_uint_t                i;
    ngx_webrtc_play_t        *pl;
    ngx_webrtc_desc_media_t  *m;
    ngx_webrtc_play_track_t  *t;

    pl = &s->play;

    for (i = 0; i < s->peer->desc.nmedia; i++) {
        m = &s->peer->desc.media[i];

        if (!m->sending || m->track >= NGX_WEBRTC_TRACKS) {
            continue;
        }

        t = &pl->tracks[m->track];

        t->used = 1;
        t->jump = 1;
        t->media = m;
        t->since = ngx_webrtc_atomic_load(&s->st->since[m->track]);
        t->kind = m->kind;
        t->codec = m->codec;
        t->clock_rate = m->clock_rate;

        ngx_webrtc_rewrite_init(&t->rw, m->ssrc, m->pt,
                                (uint16_t) ngx_random(),
                                (uint32_t) ngx_random());

        t->rtx = (m->rtx_pt != NGX_WEBRTC_DESC_NO_PT);
        t->rtx_pt = m->rtx_pt;
        t->red_pt = m->red_pt;
        t->ext_cvo = m->ext_cvo;
        t->rtx_ssrc = m->rtx_ssrc;
        t->rtx_next = ngx_random() & 0x7fff;

        if (t->kind == NGX_WEBRTC_VIDEO) {
            pl->video = 1;
        }
    }

    return NGX_OK;
}


/* puts the cursor of a new viewer */

static void
ngx_webrtc_play_begin(ngx_webrtc_session_t *s)
{
    s->play.cursor = ngx_webrtc_ring_head(s->st->ring);
    s->play.audio = s->play.cursor;

    if (s->play.video && ngx_webrtc_play_replay(s) != NGX_OK) {
        ngx_webrtc_play_live(s);
    }

    /* the start does not count: what gets lost of it is missed at once */

    s->play.pause = NGX_WEBRTC_PLAY_REPLAY;
}


/* goes on at the live point, with video from the next key frame on */

static void
ngx_webrtc_play_live(ngx_webrtc_session_t *s)
{
    ngx_uint_t          i;
    ngx_webrtc_play_t  *pl;

    pl = &s->play;

    pl->cursor = ngx_webrtc_ring_head(s->st->ring);
    pl->audio = pl->cursor;
    pl->wait_key = pl->video;

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        pl->tracks[i].jump = 1;
    }

    if (pl->video) {
        ngx_webrtc_play_ask(s);
    }
}


static void
ngx_webrtc_play_ask(ngx_webrtc_session_t *s)
{
    s->play.waits = ngx_current_msec;

    (void) ngx_webrtc_bus_keyframe(s->wk->bus, s->st);
}


/*
 * The viewer has asked for a key frame, or waits for one.  Many publishers make
 * none when they are asked: an old one is better than none.
 */

static void
ngx_webrtc_play_look(ngx_webrtc_session_t *s)
{
    uint64_t                   head;
    ngx_int_t                  rc;
    ngx_webrtc_play_t         *pl;
    ngx_webrtc_ring_packet_t   pkt;

    pl = &s->play;
    head = ngx_webrtc_ring_head(s->st->ring);

    if (pl->stalled) {

        /* nothing has changed before there is video again */

        rc = ngx_webrtc_play_last_video(s, pl->looked, head, &pkt);
        pl->looked = head;

        if (rc != NGX_OK) {
            return;
        }

        pl->stalled = 0;
    }

    rc = ngx_webrtc_play_replay(s);

    if (rc == NGX_AGAIN) {
        pl->stalled = 1;
        pl->looked = head;
    }

    if (rc != NGX_DECLINED) {
        return;
    }

    pl->want_key = 0;

    if (pl->wait_key) {
        /* nor has the ring one; an inbox may have been full, too */
        ngx_webrtc_play_ask(s);

    } else {
        ngx_webrtc_play_live(s);
    }
}


static ngx_uint_t
ngx_webrtc_play_waited(ngx_webrtc_play_t *pl)
{
    return pl->wait_key
           && ngx_current_msec - pl->waits >= NGX_WEBRTC_PLAY_WAIT;
}


/*
 * Puts the cursor back to the last key frame.  Audio that was sent is not sent
 * again.
 *
 * NGX_OK
 * NGX_AGAIN     nothing to replay since the viewer is at the live point
 * NGX_DECLINED  the ring has no key frame that is worth it
 */

static ngx_int_t
ngx_webrtc_play_replay(ngx_webrtc_session_t *s)
{
    uint64_t                   n, head;
    ngx_int_t                  rc;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_play_t         *pl;
    ngx_webrtc_play_track_t   *t;
    ngx_webrtc_ring_packet_t   key, last;

    pl = &s->play;
    ring = s->st->ring;

    head = ngx_webrtc_ring_head(ring);
    n = ngx_webrtc_ring_keyframe(ring);

    if (n == NGX_WEBRTC_RING_NONE
        || ngx_webrtc_ring_peek(ring, n, &key, NULL) != NGX_OK
        || key.track >= NGX_WEBRTC_TRACKS
        || !pl->tracks[key.track].used
        || key.index < pl->tracks[key.track].since)
    {
        return NGX_DECLINED;
    }

    if (n >= head) {
        /* published since: it comes anyway */
        return NGX_AGAIN;
    }

    if (ngx_webrtc_play_last_video(s, n, head, &last) != NGX_OK) {
        return NGX_DECLINED;
    }

    if ((int64_t) (last.arrival_us - key.arrival_us) > NGX_WEBRTC_PLAY_OLD
        && !ngx_webrtc_play_waited(pl)
        && ngx_webrtc_bus_claimed(s->st, NULL) == NGX_WEBRTC_CLAIM_PUBLISH)
    {
        return NGX_DECLINED;
    }

    t = &pl->tracks[key.track];

    rc = ngx_webrtc_rewrite_replay(&t->rw, key.index, key.ts, last.index + 1,
                                   last.ts);
    if (rc != NGX_OK) {
        return rc;
    }

    pl->audio = ngx_max(pl->audio, pl->cursor);
    pl->cursor = n;

    pl->wait_key = 0;
    pl->want_key = 0;
    t->jump = 0;

    /* what is sent again is never more than the stream itself */

    pl->replayed = ngx_current_msec;
    pl->pause = NGX_WEBRTC_PLAY_REPLAY;

    if (last.arrival_us > key.arrival_us) {
        pl->pause = (ngx_msec_t) ((last.arrival_us - key.arrival_us) / 1000);
        pl->pause = ngx_max(pl->pause, NGX_WEBRTC_PLAY_REPLAY);
    }

    return NGX_OK;
}


/* the last video packet of [from, head) */

static ngx_int_t
ngx_webrtc_play_last_video(ngx_webrtc_session_t *s, uint64_t from,
    uint64_t head, ngx_webrtc_ring_packet_t *pkt)
{
    ngx_webrtc_play_track_t  *t;

    while (head > from) {
        head--;

        if (ngx_webrtc_ring_peek(s->st->ring, head, pkt, NULL) != NGX_OK) {
            return NGX_DECLINED;
        }

        if (pkt->track >= NGX_WEBRTC_TRACKS) {
            continue;
        }

        t = &s->play.tracks[pkt->track];

        if (t->used && t->kind == NGX_WEBRTC_VIDEO) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


void
ngx_webrtc_play_stop(ngx_webrtc_session_t *s)
{
    ngx_webrtc_play_t  *pl;

    pl = &s->play;

    if (pl->ws == NULL) {
        return;
    }

    ngx_webrtc_play_pace_stop(&pl->pace);

    ngx_queue_remove(&pl->queue);
    ngx_webrtc_bus_viewer(s->wk->bus, s->st, -1);
    ngx_webrtc_worker_release_stream(s->wk, pl->ws);

    pl->ws = NULL;
}


void
ngx_webrtc_play_end(ngx_webrtc_worker_stream_t *ws, const char *reason)
{
    ngx_queue_t           *q;
    ngx_webrtc_session_t  *s;

    for (q = ngx_queue_head(&ws->viewers);
         q != ngx_queue_sentinel(&ws->viewers);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_webrtc_session_t, play.queue);
        ngx_webrtc_session_close(s, reason);
    }
}


ngx_int_t
ngx_webrtc_play_pump(ngx_webrtc_worker_t *wk, ngx_webrtc_worker_stream_t *ws)
{
    uint64_t               tracks;
    ngx_int_t              rc;
    ngx_queue_t           *q;
    ngx_webrtc_session_t  *s;

    rc = NGX_OK;
    tracks = ngx_webrtc_bus_tracks(ws->st, NULL, NULL);

    for (q = ngx_queue_head(&ws->viewers);
         q != ngx_queue_sentinel(&ws->viewers);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_webrtc_session_t, play.queue);

        if (s->state != NGX_WEBRTC_SESSION_UP) {
            continue;
        }

        if (s->play.tracks_version != tracks
            && ngx_webrtc_play_changed(s) != NGX_OK)
        {
            continue;
        }

        if (s->play.want_key || ngx_webrtc_play_waited(&s->play)) {
            ngx_webrtc_play_look(s);
        }

        rc = ngx_webrtc_play_send(s);

        if (rc == NGX_AGAIN) {
            ngx_queue_remove(&ws->viewers);
            ngx_queue_insert_tail(q, &ws->viewers);
            break;
        }
    }

    ngx_webrtc_udp_flush(wk->udp);

    return rc;
}


/*
 * The stream's tracks were set again: another source or publisher, or more is
 * known of them.  A codec that this viewer has negotiated as an alternative
 * gets its payload type, in place.
 *
 * NGX_OK
 * NGX_DECLINED  what there is now was not negotiated, the session is being
 *               closed
 */

static ngx_int_t
ngx_webrtc_play_changed(ngx_webrtc_session_t *s)
{
    ngx_uint_t                i, n;
    ngx_webrtc_track_t        tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_desc_alt_t     alt;
    ngx_webrtc_play_track_t  *t;

    s->play.tracks_version = ngx_webrtc_bus_tracks(s->st, tracks, &n);

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        t = &s->play.tracks[i];

        if (!t->used || i >= n || tracks[i].kind == 0
            || (tracks[i].flags & NGX_WEBRTC_TRACK_PENDING))
        {
            continue;
        }

        if (tracks[i].cvo && t->ext_cvo == 0) {
            ngx_webrtc_play_sideways(s, tracks[i].cvo);
        }

        if (tracks[i].codec == t->codec
            && tracks[i].clock_rate == t->clock_rate)
        {
            continue;
        }

        if (tracks[i].kind != t->kind
            || tracks[i].clock_rate != t->clock_rate
            || ngx_webrtc_desc_codec(t->media, tracks[i].codec, &alt)
               != NGX_OK)
        {
            ngx_webrtc_session_close(s, "codec of the stream has changed");
            return NGX_DECLINED;
        }

        t->codec = alt.codec;
        t->rw.pt = alt.pt;
        t->rtx = (alt.rtx_pt != NGX_WEBRTC_DESC_NO_PT);
        t->rtx_pt = alt.rtx_pt;

        t->jump = 1;
        t->since = ngx_webrtc_atomic_load(&s->st->since[i]);

        if (t->kind == NGX_WEBRTC_VIDEO) {
            s->play.wait_key = 1;
            s->play.waits = ngx_current_msec;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_play_send(ngx_webrtc_session_t *s)
{
    u_char                    *payload;
    ngx_int_t                  rc;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_play_t         *pl;
    ngx_webrtc_play_track_t   *t;
    ngx_webrtc_ring_packet_t   pkt;

    pl = &s->play;
    ring = s->st->ring;

    for ( ;; ) {

        rc = ngx_webrtc_ring_peek(ring, pl->cursor, &pkt, &payload);

        if (rc == NGX_AGAIN) {
            return NGX_OK;
        }

        if (rc == NGX_DECLINED) {
            ngx_webrtc_play_lapped(s);
            continue;
        }

        if (ngx_webrtc_atomic_load(&s->st->tracks_version)
            != pl->tracks_version)
        {
            /* it may be of other tracks: the pump looks at them first */
            return NGX_OK;
        }

        t = &pl->tracks[pkt.track & (NGX_WEBRTC_TRACKS - 1)];

        if (!t->used || ngx_webrtc_play_skip(pl, t, &pkt) == NGX_OK) {
            pl->cursor++;
            continue;
        }

        if (ngx_webrtc_play_pace_take(s, &pl->pace, pkt.len) == NGX_OK) {
            return NGX_OK;
        }

        rc = ngx_webrtc_play_send_packet(s, t, &pkt, payload);

        if (rc == NGX_AGAIN) {
            ngx_webrtc_play_pace_give(&pl->pace, pkt.len);
            return NGX_AGAIN;
        }

        if (rc == NGX_ERROR) {
            return NGX_OK;
        }

        if (rc == NGX_BUSY) {
            /* overwritten while it was encrypted */
            ngx_webrtc_play_lapped(s);
            continue;
        }

        pl->cursor++;
    }
}


/* NGX_OK: the packet is not for this viewer; NGX_DECLINED: send it */

static ngx_int_t
ngx_webrtc_play_skip(ngx_webrtc_play_t *pl, ngx_webrtc_play_track_t *t,
    ngx_webrtc_ring_packet_t *pkt)
{
    if (pkt->index < t->since) {
        /* of the codec before */
        t->jump = 1;
        return NGX_OK;
    }

    if (t->kind == NGX_WEBRTC_AUDIO) {

        if (pl->cursor < pl->audio) {
            t->jump |= !pl->started;
            return NGX_OK;
        }

    } else if (pl->wait_key) {

        if ((pkt->flags & (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
            != (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
        {
            t->jump = 1;
            return NGX_OK;
        }

        pl->wait_key = 0;
        pl->want_key = 0;
    }

    if (t->jump) {
        t->jump = 0;
        ngx_webrtc_rewrite_jump(&t->rw, pkt->index);
    }

    return NGX_DECLINED;
}


static void
ngx_webrtc_play_lapped(ngx_webrtc_session_t *s)
{
    uint64_t            was;
    ngx_uint_t          i;
    ngx_webrtc_play_t  *pl;

    pl = &s->play;
    was = pl->cursor;

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        pl->tracks[i].jump = 1;
    }

    /* audio goes on where the ring's is now, not with what is stale */

    pl->cursor = ngx_webrtc_ring_head(s->st->ring);

    if (!pl->video || ngx_webrtc_play_replay(s) != NGX_OK) {
        ngx_webrtc_play_live(s);
    }

    ngx_webrtc_atomic_add(&s->st->stat.lapped, 1);
    ngx_webrtc_atomic_add(&s->peer->stat.lapped, 1);

    if (pl->cursor > was) {
        ngx_webrtc_atomic_add(&s->st->stat.lost, pl->cursor - was);
    }
}


/*
 * NGX_OK     in the batch
 * NGX_AGAIN  the port is full
 * NGX_BUSY   the writer has overwritten the packet meanwhile
 * NGX_ERROR  the session is being closed
 */

static ngx_int_t
ngx_webrtc_play_send_packet(ngx_webrtc_session_t *s,
    ngx_webrtc_play_track_t *t, ngx_webrtc_ring_packet_t *pkt,
    u_char *payload)
{
    size_t                     n, hdr, pad;
    u_char                    *dst;
    uint32_t                   ts;
    uint64_t                   index;
    ngx_webrtc_play_payload_t  out;

    n = ngx_webrtc_play_header_size(t, pkt) + pkt->len + NGX_WEBRTC_SRTP_TAG;

    dst = ngx_webrtc_transport_reserve(&s->transport, n);
    if (dst == NULL) {
        return NGX_AGAIN;
    }

    if (ngx_webrtc_rewrite_map(&t->rw, pkt->index, pkt->ts, &index, &ts)
        != NGX_OK)
    {
        /*
         * The ring does not count back, but if it did, an SRTP index must
         * never come to mean another packet.
         */

        ngx_webrtc_rewrite_forget(&t->rw);
        ngx_webrtc_rewrite_jump(&t->rw, pkt->index);

        if (ngx_webrtc_rewrite_map(&t->rw, pkt->index, pkt->ts, &index, &ts)
            != NGX_OK)
        {
            return NGX_OK;
        }
    }

    ngx_webrtc_play_payload(t, pkt, payload, t->rw.pt, &out);

    pad = (pkt->flags & NGX_WEBRTC_PKT_PADDED) ? payload[pkt->len - 1] : 0;

    hdr = ngx_webrtc_play_header(t, pkt, out.pt, index, ts, t->rw.ssrc, dst);

    if (ngx_webrtc_srtp_protect(&s->out, index, dst, hdr, NULL, 0, out.data,
                                out.n, dst, &n)
        != NGX_OK)
    {
        ngx_webrtc_session_close(s, "srtp failed");
        return NGX_ERROR;
    }

    if (ngx_webrtc_ring_check(s->st->ring, s->play.cursor) != NGX_OK) {
        return NGX_BUSY;
    }

    ngx_webrtc_transport_commit(&s->transport, n);

    ngx_webrtc_report_sent(&t->report, out.n - pad);

    s->peer->stat.packets_out++;
    s->peer->stat.bytes_out += n;

    if (!s->play.started) {
        s->play.started = 1;
        s->peer->stat.first_frame_ms = ngx_current_msec - s->peer->created_ms;
    }

    return NGX_OK;
}


void
ngx_webrtc_play_nack(ngx_webrtc_session_t *s, const ngx_webrtc_rtcp_fb_t *fb)
{
    uint16_t                  pid, blp;
    ngx_uint_t                i;
    ngx_webrtc_play_track_t  *t;

    t = ngx_webrtc_play_find(&s->play, fb->media);

    if (t == NULL || s->play.ws == NULL) {
        return;
    }

    if (ngx_current_msec - s->play.asked_ms >= 1000) {
        s->play.asked_ms = ngx_current_msec;
        s->play.asked = 0;
    }

    for (i = 0; ngx_webrtc_rtcp_parse_nack(fb, i, &pid, &blp) == NGX_OK; i++) {

        for ( ;; ) {
            if (s->play.asked++ >= NGX_WEBRTC_PLAY_ASK) {
                return;
            }

            s->peer->stat.nacks++;
            ngx_webrtc_atomic_add(&s->st->stat.nacks, 1);

            if (ngx_webrtc_play_resend(s, t, pid) == NGX_AGAIN) {
                return;
            }

            while (blp && !(blp & 1)) {
                blp >>= 1;
                pid++;
            }

            if (blp == 0) {
                break;
            }

            blp >>= 1;
            pid++;
        }
    }
}


/*
 * NGX_OK         in the batch
 * NGX_DECLINED   not there any more
 * NGX_AGAIN      the viewer has had enough, or the port is full
 */

static ngx_int_t
ngx_webrtc_play_resend(ngx_webrtc_session_t *s, ngx_webrtc_play_track_t *t,
    uint16_t seq)
{
    size_t                     n, hdr, prefix_n;
    u_char                    *dst, *payload, prefix[2];
    uint8_t                    pt;
    uint32_t                   ts, ssrc;
    uint64_t                   track_index, index, entry;
    ngx_webrtc_ring_packet_t   pkt;
    ngx_webrtc_play_payload_t  out;

    if (ngx_webrtc_rewrite_unmap(&t->rw, seq, &track_index, &index) != NGX_OK
        || (t->rtx && track_index < t->since)
        || ngx_webrtc_ring_find(s->st->ring, t - s->play.tracks, track_index,
                                &entry)
           != NGX_OK
        || ngx_webrtc_ring_peek(s->st->ring, entry, &pkt, &payload) != NGX_OK
        || ngx_webrtc_rewrite_remap(&t->rw, index, pkt.ts, &ts, &pt) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (!ngx_webrtc_play_take_resend(&s->play)) {
        return NGX_AGAIN;
    }

    n = ngx_webrtc_play_header_size(t, &pkt) + sizeof(prefix) + pkt.len
        + NGX_WEBRTC_SRTP_TAG;

    dst = ngx_webrtc_transport_reserve(&s->transport, n);
    if (dst == NULL) {
        return NGX_AGAIN;
    }

    ngx_webrtc_play_payload(t, &pkt, payload, pt, &out);

    ssrc = t->rw.ssrc;
    pt = out.pt;
    prefix_n = 0;

    if (t->rtx) {
        /* RFC 4588, 4: a stream of its own, the old number in front */
        (void) ngx_webrtc_write_u16(prefix, prefix + sizeof(prefix),
                                    (uint16_t) index);
        prefix_n = sizeof(prefix);
        index = t->rtx_next;
        ssrc = t->rtx_ssrc;
        pt = t->rtx_pt;
    }

    hdr = ngx_webrtc_play_header(t, &pkt, pt, index, ts, ssrc, dst);

    if (ngx_webrtc_srtp_protect(&s->out, index, dst, hdr,
                                prefix_n ? prefix : NULL, prefix_n, out.data,
                                out.n, dst, &n)
        != NGX_OK)
    {
        ngx_webrtc_session_close(s, "srtp failed");
        return NGX_AGAIN;
    }

    if (ngx_webrtc_ring_check(s->st->ring, entry) != NGX_OK) {
        /* a torn payload must never leave under this index */
        return NGX_DECLINED;
    }

    if (t->rtx) {
        t->rtx_next++;
    }

    ngx_webrtc_transport_commit(&s->transport, n);

    s->peer->stat.resent++;
    ngx_webrtc_atomic_add(&s->st->stat.resent, 1);

    return NGX_OK;
}


/* a bucket of NGX_WEBRTC_PLAY_RESEND that fills within a second */

static ngx_uint_t
ngx_webrtc_play_take_resend(ngx_webrtc_play_t *pl)
{
    ngx_uint_t  n;
    ngx_msec_t  passed;

    passed = ngx_current_msec - pl->refilled;
    n = ngx_min(passed, 1000) * NGX_WEBRTC_PLAY_RESEND / 1000;

    if (n) {
        pl->refilled = ngx_current_msec;
        pl->resends = ngx_min(pl->resends + n, NGX_WEBRTC_PLAY_RESEND);
    }

    if (pl->resends == 0) {
        return 0;
    }

    pl->resends--;

    return 1;
}


void
ngx_webrtc_play_keyframe(ngx_webrtc_session_t *s)
{
    ngx_webrtc_play_t  *pl;

    pl = &s->play;

    if (pl->ws == NULL || !pl->video) {
        return;
    }

    s->peer->stat.plis++;
    ngx_webrtc_atomic_add(&s->st->stat.plis, 1);

    if (pl->wait_key
        || ngx_current_msec - pl->replayed < pl->pause)
    {
        /* one is on its way */
        return;
    }

    /* with the next frame: a replay needs room in time behind what was sent */

    pl->want_key = 1;
}


void
ngx_webrtc_play_report(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_block_t *block)
{
    ngx_webrtc_play_track_t  *t;

    t = ngx_webrtc_play_find(&s->play, block->ssrc);
    if (t == NULL) {
        return;
    }

    if (ngx_webrtc_report_block(&t->report, block,
            (uint32_t) (ngx_webrtc_time_ntp(ngx_webrtc_play_clock()) >> 16))
        == NGX_OK)
    {
        s->peer->stat.rtt_us = t->report.rtt_us;
    }

    if (t->kind == NGX_WEBRTC_VIDEO || !s->play.video) {
        s->peer->stat.lost = block->fraction;
    }
}


void
ngx_webrtc_play_send_reports(ngx_webrtc_session_t *s)
{
    int64_t                   now;
    u_char                   *p, *end, buf[NGX_WEBRTC_PLAY_RTCP];
    uint32_t                  rtp;
    uint64_t                  ntp;
    ngx_uint_t                i;
    ngx_webrtc_play_t        *pl;
    ngx_webrtc_rtcp_sr_t      sr;
    ngx_webrtc_play_track_t  *t;

    pl = &s->play;

    if (pl->ws == NULL) {
        return;
    }

    now = ngx_webrtc_play_clock();

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        t = &pl->tracks[i];

        if (!t->used || t->report.packets == 0
            || ngx_webrtc_timeline_ntp(&s->st->timeline, t->clock_rate, now,
                                       &rtp, &ntp)
               != NGX_OK)
        {
            continue;
        }

        ngx_webrtc_report_sr(&t->report, t->rw.ssrc, ntp,
                             rtp + t->rw.ts_offset, &sr);

        end = buf + sizeof(buf) - NGX_WEBRTC_SRTP_RTCP_TAG;

        p = ngx_webrtc_rtcp_write_sr(buf, end, &sr, NULL, 0);
        p = ngx_webrtc_rtcp_write_sdes(p, end, t->rw.ssrc, s->peer->id,
                                       NGX_WEBRTC_PLAY_CNAME);
        if (p == NULL) {
            continue;
        }

        ngx_webrtc_session_send_rtcp(s, buf, p - buf);
    }
}


static ngx_webrtc_play_track_t *
ngx_webrtc_play_find(ngx_webrtc_play_t *pl, uint32_t ssrc)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        if (pl->tracks[i].used && pl->tracks[i].rw.ssrc == ssrc) {
            return &pl->tracks[i];
        }
    }

    return NULL;
}


/* the wall clock of sender reports, in microseconds: finer than nginx's */

static int64_t
ngx_webrtc_play_clock(void)
{
    struct timeval  tv;

    ngx_gettimeofday(&tv);

    return (int64_t) tv.tv_sec * 1000000 + tv.tv_usec;
}
