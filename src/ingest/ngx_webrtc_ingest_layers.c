
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Layers of a simulcast (RFC 8853).
 *
 *   1. Each layer is a track of its own: order, retransmissions, reports, key
 *      frames.  All have the same place in the stream, and by their sender
 *      reports the same time.
 *
 *   2. The stream's own ring has the best layer that comes ("top"): the largest
 *      picture; while sizes are not known, the first one of the offer.  It
 *      changes at a key frame, at which its time goes on.
 *
 *   3. Each of the others has a ring of its own, that of a variant of the
 *      stream, from its first key frame on, with the stream's audio in it.  One
 *      that becomes the top keeps its ring: it may have viewers.
 *
 *   4. A layer has stopped if nothing of it has come for GONE us, while others
 *      had GONE_FRAMES frames: a publisher that has not enough bandwidth stops
 *      the upper ones, and a picture that stands still stops all.  It leaves
 *      the list; if it was the top, a key frame of the next one is asked for.
 *      It is back with its next key frame.  What is sent again does not count:
 *      it still comes when a publisher has stopped the layer.
 *
 *      The top is suspected after QUIET us: the key frame is asked for, as it
 *      takes a while on a path that has become narrow, and if it comes before
 *      anything of the top, that has stopped.  Then there is no other suspicion
 *      for some time: a layer of few pictures is not given up again and again.
 *
 *   5. A publisher that finds out what its path carries begins a layer, and
 *      stops it a moment later, again and again; each time is a freeze.  So one
 *      that stops within SOON us of being back is held back the next time: it
 *      has to come for HOLD us without a pause, twice as long each time, up to
 *      HOLD_MOST, before a key frame of it is of use.  Until then it is not in
 *      the list, nor is its own ring written.  All of that is forgotten when it
 *      has been seen for SOON us: one that was stopped as nobody watched it is
 *      back at once, and so is any that has stopped for the first time.
 *
 *      That is, unless packets of it were lost for good within LOST us before
 *      it stopped: its path carries it no longer, and it is held back the first
 *      time, too.  Nor does what was held back begin with packets missing: none
 *      may have been lost for HOLD us, unless it has come for HOLD_MOST us.
 *
 *      It is held back only where viewers have something else: while a smaller
 *      one comes.  If it still is the top, the stream has it until the key
 *      frame of the next one, which was asked for; and if that does not come
 *      within INSTEAD us, it is held back no longer.
 *
 *   6. A layer is broken that loses more than BROKEN packets for good, until as
 *      many have come whole.  If it is the top, the key frame of any other one
 *      replaces it, and is asked for: its own is large, and would be lost, too.
 *      If not, a key frame does not help it either: it has stopped.  Nobody is
 *      left without a picture for that.
 *
 *   7. A path that suddenly becomes narrow (rtp/overuse) does not carry those
 *      that are too much for it, which its sender is about to stop: they are
 *      broken at once, and for BEYOND us nothing of them is requested again,
 *      nor a key frame.  That of the best one that is left is, HUSH us later,
 *      when the sender has done what it was told, or there would be one of all;
 *      and of the others after that, as what is too close to it is not heard.
 *
 *   8. A layer that takes more than it may (ngx_webrtc_ingest_limit.c) leaves
 *      the list at once, and is written for LEAVE us more, so that those who
 *      have it see no pause: until the next one has a key frame.  Then it is as
 *      if it had stopped.
 *
 * A publisher can make us hold no more than what was negotiated: packets of
 * other rids are dropped, and SSRCs have places as in ngx_webrtc_ingest_rtp.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_ingest_layers.h"
#include "ngx_webrtc_ingest_list.h"
#include "ngx_webrtc_ingest_ring.h"
#include "ngx_webrtc_ingest_track.h"
#include "ngx_webrtc_bus_figures.h"
#include "ngx_webrtc_bus_layers.h"


/* us and frames of others without a packet, after which a layer has stopped;
 * chosen: far more than packets of one picture are apart, and what players
 * hide, nearly */
#define NGX_WEBRTC_INGEST_LAYERS_GONE         300000
#define NGX_WEBRTC_INGEST_LAYERS_GONE_FRAMES  6

/* the same after which the best layer is suspected; us for which that holds;
 * and in which there is no other suspicion.  Chosen: a frame that is left out
 * is no reason, a key frame has come by then, and one in 10 s costs little */
#define NGX_WEBRTC_INGEST_LAYERS_QUIET         180000
#define NGX_WEBRTC_INGEST_LAYERS_QUIET_FRAMES  3
#define NGX_WEBRTC_INGEST_LAYERS_HOLDS         1000000
#define NGX_WEBRTC_INGEST_LAYERS_WRONG         10000000

/* us for which a layer that is back has to be seen, or it is held back the next
 * time; for how long at first, and at most; and for how long if it is the best
 * one, and nothing has replaced it.  Chosen: Chromium stops most of those that
 * it will not keep within a second or two, and none is stopped for want of
 * viewers within 10 s; a key frame that was asked for has come by then, or does
 * not */
#define NGX_WEBRTC_INGEST_LAYERS_SOON         5000000
#define NGX_WEBRTC_INGEST_LAYERS_HOLD         2000000
#define NGX_WEBRTC_INGEST_LAYERS_HOLD_MOST    16000000
#define NGX_WEBRTC_INGEST_LAYERS_INSTEAD      1000000

/* us for which a loss tells why a layer stops; chosen: Chromium hears of it
 * after a round trip, and stops a layer within a second or two */
#define NGX_WEBRTC_INGEST_LAYERS_LOST         3000000

/* packets lost for good, less half of those that are not, after which a path
 * does not carry a layer; and how many of a gap count: a full queue makes many
 * of them, a pause in the air one.  Chosen: a picture or two */
#define NGX_WEBRTC_INGEST_LAYERS_BROKEN       8
#define NGX_WEBRTC_INGEST_LAYERS_GAP          4

/* us for which a path does not carry a layer; us until the sender knows, and
 * until it hears a second request; and part of what a layer takes with which a
 * sender goes on with it.  Chosen: a key frame of another one has come by then;
 * libwebrtc looks every 25 ms, and at its next picture; as
 * NGX_WEBRTC_INGEST_ANEW; its least bitrate of 540 lines and more */
#define NGX_WEBRTC_INGEST_LAYERS_BEYOND       1000000
#define NGX_WEBRTC_INGEST_LAYERS_HUSH         100000
#define NGX_WEBRTC_INGEST_LAYERS_OTHERS       450000
#define NGX_WEBRTC_INGEST_LAYERS_PART         4

/* us that a layer which is left out is written for those who read it; chosen: a
 * key frame of another one, asked for twice */
#define NGX_WEBRTC_INGEST_LAYERS_LEAVE        2000000

/* us between two lists: bitrates change */
#define NGX_WEBRTC_INGEST_LAYERS_LIST         1000000

/* us until a ring that there was no room for is tried again */
#define NGX_WEBRTC_INGEST_LAYERS_FAILED       5000000


/* 1: its path does not carry it, as of the last look */
#define ngx_webrtc_ingest_layers_beyond(l)                                    \
    ((l)->beyond_us > (l)->t->in->checked_us)


static ngx_webrtc_ingest_layer_t *ngx_webrtc_ingest_layers_top(
    ngx_webrtc_ingest_t *in);
static ngx_uint_t ngx_webrtc_ingest_layers_shown(ngx_webrtc_ingest_layer_t *l);
static ngx_uint_t ngx_webrtc_ingest_layers_held(ngx_webrtc_ingest_layer_t *l,
    uint64_t now_us);
static ngx_uint_t ngx_webrtc_ingest_layers_instead(
    ngx_webrtc_ingest_layer_t *l);
static void ngx_webrtc_ingest_layers_set_top(ngx_webrtc_ingest_layer_t *l);
static void ngx_webrtc_ingest_layers_open(ngx_webrtc_ingest_layer_t *l,
    uint64_t now_us);
static ngx_uint_t ngx_webrtc_ingest_layers_quiet(ngx_webrtc_ingest_t *in,
    uint64_t now_us);
static ngx_uint_t ngx_webrtc_ingest_layers_doubtful(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_layer_t *top, uint64_t now_us);
static ngx_uint_t ngx_webrtc_ingest_layers_paused(ngx_webrtc_ingest_layer_t *l,
    uint64_t now_us);
static ngx_webrtc_ingest_layer_t *ngx_webrtc_ingest_layers_least(
    ngx_webrtc_ingest_t *in, ngx_uint_t *done);
static void ngx_webrtc_ingest_layers_gone(ngx_webrtc_ingest_layer_t *l,
    uint64_t now_us);
static void ngx_webrtc_ingest_layers_alone(ngx_webrtc_ingest_layer_t *top,
    ngx_webrtc_ingest_layer_t *next);
static void ngx_webrtc_ingest_layers_hold(ngx_webrtc_ingest_layer_t *l);
static void ngx_webrtc_ingest_layers_ask(ngx_webrtc_ingest_t *in);
static ngx_webrtc_ingest_layer_t *ngx_webrtc_ingest_layers_next(
    ngx_webrtc_ingest_t *in);


ngx_uint_t
ngx_webrtc_ingest_layers_init(ngx_webrtc_ingest_t *in,
    ngx_webrtc_desc_media_t *m)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_INGEST_LAYERS; i++) {
        if (ngx_webrtc_desc_rid(m, i, &in->layers[i].rid) != NGX_OK) {
            break;
        }
    }

    in->nlayers = i;

    return i;
}


void
ngx_webrtc_ingest_layers_end(ngx_webrtc_ingest_t *in)
{
    ngx_uint_t  i;

    if (in->out.st == NULL) {
        return;
    }

    for (i = 0; i < in->nlayers; i++) {
        if (in->layers[i].out.st) {
            ngx_webrtc_bus_layer_close(in->bus, in->layers[i].out.st);
            in->layers[i].out.st = NULL;
        }
    }

    ngx_webrtc_bus_no_layers(in->st);

    in->nlayers = 0;
}


void
ngx_webrtc_ingest_layers_route(ngx_webrtc_ingest_t *in)
{
    ngx_uint_t                  i, n;
    ngx_webrtc_ingest_layer_t  *l;
    ngx_webrtc_ingest_track_t  *t;

    for (i = 0; i < in->ntracks; i++) {
        t = &in->tracks[i];

        t->nouts = 0;

        if (t->layer == NULL || in->out.from == t) {
            t->outs[t->nouts++] = &in->out;
        }

        for (n = 0; n < in->nlayers; n++) {
            l = &in->layers[n];

            if (l->out.st && l->live
                && (l->t == t || t->media->kind == NGX_WEBRTC_AUDIO))
            {
                t->outs[t->nouts++] = &l->out;
            }
        }
    }
}


void
ngx_webrtc_ingest_layers_frame(ngx_webrtc_ingest_layer_t *l, uint64_t now_us)
{
    ngx_uint_t            i;
    ngx_webrtc_ingest_t  *in;

    in = l->t->in;

    for (i = 0; i < in->nlayers; i++) {
        if (&in->layers[i] != l) {
            in->layers[i].missed++;
        }
    }

    if (l->since_us == 0) {
        l->since_us = now_us;
    }
}


ngx_uint_t
ngx_webrtc_ingest_layers_wanted(ngx_webrtc_ingest_layer_t *l, uint64_t now_us)
{
    return !ngx_webrtc_ingest_layers_out(l)
           && !ngx_webrtc_ingest_layers_held(l, now_us);
}


void
ngx_webrtc_ingest_layers_key_frame(ngx_webrtc_ingest_layer_t *l,
    uint64_t now_us)
{
    ngx_uint_t                  began, comes;
    ngx_webrtc_ingest_t        *in;
    ngx_webrtc_ingest_layer_t  *top;

    in = l->t->in;

    if (!ngx_webrtc_ingest_layers_wanted(l, now_us)) {
        return;
    }

    top = ngx_webrtc_ingest_layers_top(in);

    if (top && top != l) {

        if (ngx_webrtc_ingest_layers_doubtful(in, top, now_us)) {
            comes = top->broken;
            in->suspect = NULL;

            ngx_webrtc_ingest_layers_gone(top, now_us);
            l->t->want_key = 0;

            if (comes) {
                top->since_us = now_us;
            }

        } else if (l->broken && ngx_webrtc_ingest_layers_shown(top)
                   && ngx_webrtc_ingest_layers_instead(l))
        {
            /* as if it had stopped: viewers have another one */

            ngx_webrtc_ingest_layers_gone(l, now_us);
            l->since_us = now_us;

            if (ngx_webrtc_ingest_layers_held(l, now_us)) {
                return;
            }
        }

        l->broken = 0;
        l->lost = 0;
        l->beyond_us = 0;
        l->t->hush_us = 0;
    }

    if (l == in->heir) {
        in->heir = NULL;
    }

    began = !l->live;

    if (began) {
        l->live = 1;
        l->since_us = now_us;
    }

    if (top == NULL
        || (top != l
            && (!ngx_webrtc_ingest_layers_shown(top)
                || ngx_webrtc_ingest_track_larger(l->t, top->t))))
    {
        ngx_webrtc_ingest_layers_set_top(l);
        began = 1;

    } else if (top != l && l->out.st == NULL) {
        ngx_webrtc_ingest_layers_open(l, now_us);
        began = 1;
    }

    if (!began) {
        return;
    }

    ngx_webrtc_ingest_layers_route(in);

    if (l->out.st) {
        ngx_webrtc_ingest_track_show(l->t, &l->out);
    }

    ngx_webrtc_ingest_list(in, now_us);
}


/* NULL: none has begun */

static ngx_webrtc_ingest_layer_t *
ngx_webrtc_ingest_layers_top(ngx_webrtc_ingest_t *in)
{
    return in->out.from ? in->out.from->layer : NULL;
}


static ngx_uint_t
ngx_webrtc_ingest_layers_shown(ngx_webrtc_ingest_layer_t *l)
{
    return l->live && !ngx_webrtc_ingest_layers_out(l);
}


/* it has not come for long enough, or not whole, and a smaller one is there
 * meanwhile */

static ngx_uint_t
ngx_webrtc_ingest_layers_held(ngx_webrtc_ingest_layer_t *l, uint64_t now_us)
{
    uint64_t              until_us;
    ngx_webrtc_ingest_t  *in;

    if (l->live || l->hold_us == 0) {
        return 0;
    }

    in = l->t->in;

    if (l == ngx_webrtc_ingest_layers_top(in)) {
        until_us = l->since_us + ngx_min(l->hold_us,
                                         NGX_WEBRTC_INGEST_LAYERS_INSTEAD);
    } else {
        until_us = ngx_min(l->lost_us + NGX_WEBRTC_INGEST_LAYERS_HOLD,
                           l->since_us + NGX_WEBRTC_INGEST_LAYERS_HOLD_MOST);
        until_us = ngx_max(until_us, l->since_us + l->hold_us);
    }

    return now_us < until_us && ngx_webrtc_ingest_layers_instead(l);
}


/* is there a smaller one that viewers may have? */

static ngx_uint_t
ngx_webrtc_ingest_layers_instead(ngx_webrtc_ingest_layer_t *l)
{
    ngx_uint_t            i;
    ngx_webrtc_ingest_t  *in;

    in = l->t->in;

    for (i = 0; i < in->nlayers; i++) {
        if (ngx_webrtc_ingest_layers_shown(&in->layers[i])
            && ngx_webrtc_ingest_track_larger(l->t, in->layers[i].t))
        {
            return 1;
        }
    }

    return 0;
}


/* from its key frame, whose first packet this is, the stream has that layer */

static void
ngx_webrtc_ingest_layers_set_top(ngx_webrtc_ingest_layer_t *l)
{
    ngx_webrtc_ingest_t        *in;
    ngx_webrtc_ingest_track_t  *before;

    in = l->t->in;
    before = in->out.from;

    if (before && before->layer) {

        if (before->open) {
            ngx_webrtc_ring_skip(&in->out.writer, before->track, 1);
        }

        in->floor = in->frame;

        /* it gets a ring of its own with its next key frame */

        before->want_key = (ngx_webrtc_ingest_layers_shown(before->layer)
                            && before->layer->out.st == NULL);
    } else {
        in->floor = INT64_MIN;
    }

    in->frame_in = INT64_MIN;
    in->out.from = l->t;

    ngx_webrtc_ingest_track_show(l->t, &in->out);
    in->out.news = 1;

    ngx_log_error(NGX_LOG_INFO, in->log, 0,
                  "webrtc %s best layer rid:\"%V\" width:%ui height:%ui",
                  in->what, &l->rid, (ngx_uint_t) l->t->depay.track.width,
                  (ngx_uint_t) l->t->depay.track.height);
}


int64_t
ngx_webrtc_ingest_layers_time(ngx_webrtc_ingest_track_t *t)
{
    ngx_webrtc_ingest_t  *in;

    in = t->in;

    if (t->ts == in->frame_in) {
        return in->frame;
    }

    in->frame_in = t->ts;
    in->frame = t->ts;

    if (in->frame <= in->floor) {

        /* the layer before was ahead of it */

        in->frame = ++in->floor;
    }

    return in->frame;
}


static void
ngx_webrtc_ingest_layers_open(ngx_webrtc_ingest_layer_t *l, uint64_t now_us)
{
    ngx_webrtc_ingest_t      *in;
    ngx_webrtc_ingest_out_t  *out;

    in = l->t->in;
    out = &l->out;

    if (l->failed_us
        && now_us - l->failed_us < NGX_WEBRTC_INGEST_LAYERS_FAILED)
    {
        return;
    }

    ngx_memzero(out, sizeof(ngx_webrtc_ingest_out_t));

    out->st = ngx_webrtc_bus_layer_open(in->bus, in->st, &l->rid);

    if (out->st == NULL) {
        l->failed_us = now_us;
        return;
    }

    l->failed_us = 0;

    ngx_webrtc_ring_attach(out->st->ring, &out->writer);

    ngx_memcpy(out->stream, in->out.stream, sizeof(out->stream));
    out->nstream = in->out.nstream;
    out->from = l->t;
    out->news = 1;
}


void
ngx_webrtc_ingest_layers_check(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    ngx_uint_t                  i;
    ngx_webrtc_ingest_layer_t  *l;

    in->checked_us = now_us;

    for (i = 0; i < in->nlayers; i++) {
        l = &in->layers[i];

        if (!l->live) {

            if (ngx_webrtc_ingest_layers_paused(l, now_us)) {
                l->since_us = 0;
            }

        } else if (ngx_webrtc_ingest_layers_paused(l, now_us)
                   || (l->left_us
                       && now_us - l->left_us
                          >= NGX_WEBRTC_INGEST_LAYERS_LEAVE))
        {
            ngx_webrtc_ingest_layers_gone(l, now_us);
        }
    }

    if (ngx_webrtc_ingest_layers_quiet(in, now_us)
        && (in->quiet_us == 0
            || now_us - in->quiet_us >= NGX_WEBRTC_INGEST_LAYERS_WRONG))
    {
        in->quiet_us = now_us;
        in->suspect = ngx_webrtc_ingest_layers_top(in);
        ngx_webrtc_ingest_layers_ask(in);
    }

    if (now_us - in->listed_us >= NGX_WEBRTC_INGEST_LAYERS_LIST) {
        ngx_webrtc_ingest_list(in, now_us);
    }
}


/* Has nothing come of it for so long that it has stopped? */

static ngx_uint_t
ngx_webrtc_ingest_layers_paused(ngx_webrtc_ingest_layer_t *l, uint64_t now_us)
{
    return l->missed >= NGX_WEBRTC_INGEST_LAYERS_GONE_FRAMES
           && now_us - l->last_us >= NGX_WEBRTC_INGEST_LAYERS_GONE;
}


/* Has nothing come of the best layer for a while, while others did? */

static ngx_uint_t
ngx_webrtc_ingest_layers_quiet(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    ngx_webrtc_ingest_layer_t  *top;

    top = ngx_webrtc_ingest_layers_top(in);

    return top && top->live
           && top->missed >= NGX_WEBRTC_INGEST_LAYERS_QUIET_FRAMES
           && now_us >= top->last_us + NGX_WEBRTC_INGEST_LAYERS_QUIET;
}


/* Is the best layer to be replaced by any other that has a key frame? */

static ngx_uint_t
ngx_webrtc_ingest_layers_doubtful(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_layer_t *top, uint64_t now_us)
{
    if (!top->live) {
        return 0;
    }

    return top->broken
           || (top == in->suspect
               && now_us - in->quiet_us < NGX_WEBRTC_INGEST_LAYERS_HOLDS
               && ngx_webrtc_ingest_layers_quiet(in, now_us));
}


void
ngx_webrtc_ingest_layers_packet(ngx_webrtc_ingest_layer_t *l, uint32_t lost,
    uint64_t now_us)
{
    ngx_webrtc_ingest_layer_t  *next;

    if (lost == 0) {
        l->lost -= (l->lost > 0);

        if (l->lost == 0 && now_us >= l->beyond_us) {
            l->broken = 0;
        }

        return;
    }

    l->lost_us = now_us;
    l->lost += 2 * ngx_min(lost, NGX_WEBRTC_INGEST_LAYERS_GAP);

    if (l->lost <= 2 * NGX_WEBRTC_INGEST_LAYERS_BROKEN) {
        return;
    }

    l->lost = 2 * NGX_WEBRTC_INGEST_LAYERS_BROKEN;

    if (!l->live) {
        return;
    }

    l->broken = 1;

    next = ngx_webrtc_ingest_layers_next(l->t->in);

    if (l == ngx_webrtc_ingest_layers_top(l->t->in)
        && next && !next->t->want_key)
    {
        ngx_webrtc_ingest_layers_ask(l->t->in);
    }
}


void
ngx_webrtc_ingest_layers_narrow(ngx_webrtc_ingest_t *in, uint64_t rate,
    uint64_t now_us)
{
    uint64_t                    sum, takes;
    ngx_uint_t                  i, done;
    ngx_webrtc_ingest_layer_t  *l, *top, *next;

    top = ngx_webrtc_ingest_layers_top(in);
    next = NULL;

    for (done = 0, sum = 0;
         (l = ngx_webrtc_ingest_layers_least(in, &done)) != NULL;
         sum += takes)
    {
        takes = l->out.st ? ngx_webrtc_bus_bitrate(l->out.st)
                : (l == top) ? ngx_webrtc_bus_bitrate(in->st) : 0;

        if (next == NULL
            || sum + takes / NGX_WEBRTC_INGEST_LAYERS_PART <= rate)
        {
            next = l;
            continue;
        }

        l->broken = 1;
        l->lost_us = now_us;
        l->beyond_us = now_us + NGX_WEBRTC_INGEST_LAYERS_BEYOND;
        l->t->hush_us = l->beyond_us;
    }

    if (next == NULL || next == top
        || (next == in->heir
            && now_us < in->quiet_us + NGX_WEBRTC_INGEST_LAYERS_BEYOND))
    {
        return;
    }

    in->heir = next;

    for (i = 0; i < in->nlayers; i++) {
        l = &in->layers[i];

        if (l->beyond_us <= now_us) {
            l->t->hush_us = now_us + ((l == next)
                                      ? NGX_WEBRTC_INGEST_LAYERS_HUSH
                                      : NGX_WEBRTC_INGEST_LAYERS_OTHERS);
        }
    }

    next->t->want_key = 1;
    next->t->asked_us = 0;

    /* it is not asked for once more as that is quiet */

    in->quiet_us = now_us;
    in->suspect = top;
}


/* the smallest of those that are shown, and have not had their turn, or NULL */

static ngx_webrtc_ingest_layer_t *
ngx_webrtc_ingest_layers_least(ngx_webrtc_ingest_t *in, ngx_uint_t *done)
{
    ngx_uint_t                  i;
    ngx_webrtc_ingest_layer_t  *l, *least;

    for (i = 0, least = NULL; i < in->nlayers; i++) {
        l = &in->layers[i];

        if ((*done & ((ngx_uint_t) 1 << i)) == 0
            && ngx_webrtc_ingest_layers_shown(l)
            && (least == NULL
                || ngx_webrtc_ingest_track_larger(least->t, l->t)))
        {
            least = l;
        }
    }

    if (least) {
        *done |= (ngx_uint_t) 1 << (least - in->layers);
    }

    return least;
}


static void
ngx_webrtc_ingest_layers_gone(ngx_webrtc_ingest_layer_t *l, uint64_t now_us)
{
    ngx_webrtc_ingest_t        *in;
    ngx_webrtc_ingest_layer_t  *top, *next;

    in = l->t->in;

    l->live = 0;
    l->broken = 0;
    l->lost = 0;
    l->t->want_key = 0;
    l->t->waits_us = 0;

    if (l->left_us == 0) {
        ngx_webrtc_ingest_layers_hold(l);

        ngx_log_error(NGX_LOG_INFO, in->log, 0,
                      "webrtc %s layer stopped rid:\"%V\" hold:%ui",
                      in->what, &l->rid, (ngx_uint_t) (l->hold_us / 1000));
    }

    l->since_us = 0;

    ngx_webrtc_ingest_layers_route(in);
    ngx_webrtc_ingest_list(in, now_us);

    if (l->out.st) {
        ngx_webrtc_ingest_ring_flush_one(in, &l->out);
        l->out.key = 0;

        /* wakes those who watch it: they look at the list */

        ngx_webrtc_bus_keyframe_done(l->out.st);
        ngx_webrtc_bus_set_state(in->bus, l->out.st,
                                 NGX_WEBRTC_STREAM_STARTING, ngx_current_msec);
    }

    /*
     * It was the top, or the one that was to follow it.  What has been asked
     * for just now is on its way.
     */

    top = ngx_webrtc_ingest_layers_top(in);
    next = ngx_webrtc_ingest_layers_next(in);

    ngx_webrtc_ingest_layers_alone(top, next);

    if (top && (top->broken || !ngx_webrtc_ingest_layers_shown(top))
        && next
        && (!next->t->want_key
            || now_us - next->t->asked_us
               >= 2 * NGX_WEBRTC_INGEST_LAYERS_GONE))
    {
        ngx_webrtc_ingest_layers_ask(in);
    }
}


/* It has stopped: for how long is it held back when it comes again? */

static void
ngx_webrtc_ingest_layers_hold(ngx_webrtc_ingest_layer_t *l)
{
    if (!l->stopped
        || l->last_us >= l->since_us + NGX_WEBRTC_INGEST_LAYERS_SOON)
    {
        l->hold_us = 0;

    } else {
        l->hold_us = ngx_max(2 * l->hold_us, NGX_WEBRTC_INGEST_LAYERS_HOLD);
        l->hold_us = ngx_min(l->hold_us, NGX_WEBRTC_INGEST_LAYERS_HOLD_MOST);
    }

    if (l->lost_us && l->last_us < l->lost_us + NGX_WEBRTC_INGEST_LAYERS_LOST) {
        l->hold_us = ngx_max(l->hold_us, NGX_WEBRTC_INGEST_LAYERS_HOLD);
    }

    l->stopped = 1;
}


void
ngx_webrtc_ingest_layers_leave(ngx_webrtc_ingest_layer_t *l, uint64_t now_us)
{
    ngx_webrtc_ingest_t        *in;
    ngx_webrtc_ingest_layer_t  *top;

    in = l->t->in;

    l->left_us = now_us;
    l->t->want_key = 0;
    l->t->waits_us = 0;

    ngx_webrtc_ingest_list(in, now_us);

    /* it may have been the one that was to follow another */

    top = ngx_webrtc_ingest_layers_top(in);

    ngx_webrtc_ingest_layers_alone(top, ngx_webrtc_ingest_layers_next(in));

    if (top && (top->broken || !ngx_webrtc_ingest_layers_shown(top))) {
        ngx_webrtc_ingest_layers_ask(in);
    }
}


/* where nothing follows it, it may be asked for whatever the path carries */

static void
ngx_webrtc_ingest_layers_alone(ngx_webrtc_ingest_layer_t *top,
    ngx_webrtc_ingest_layer_t *next)
{
    if (top && next == NULL) {
        top->t->hush_us = 0;
        top->beyond_us = 0;
    }
}


void
ngx_webrtc_ingest_layers_return(ngx_webrtc_ingest_layer_t *l, uint64_t now_us)
{
    l->left_us = 0;

    ngx_webrtc_ingest_list(l->t->in, now_us);
}


/* the best layer has stopped: the next key frame of another one replaces it */

static void
ngx_webrtc_ingest_layers_ask(ngx_webrtc_ingest_t *in)
{
    ngx_webrtc_ingest_layer_t  *l;

    l = ngx_webrtc_ingest_layers_next(in);

    if (l) {
        l->t->want_key = 1;
        l->t->asked_us = 0;

        if (ngx_webrtc_ingest_layers_beyond(l)) {
            /* there is no other */
            l->t->hush_us = 0;
        }
    }
}


/* the best one that is shown, besides the one that is the best now, and that
 * its path carries, if there is one that it does; or NULL */

static ngx_webrtc_ingest_layer_t *
ngx_webrtc_ingest_layers_next(ngx_webrtc_ingest_t *in)
{
    ngx_uint_t                  i;
    ngx_webrtc_ingest_layer_t  *l, *best;

    best = NULL;

    for (i = 0; i < in->nlayers; i++) {
        l = &in->layers[i];

        if (l != ngx_webrtc_ingest_layers_top(in)
            && ngx_webrtc_ingest_layers_shown(l)
            && (best == NULL
                || (ngx_webrtc_ingest_layers_beyond(best)
                    && !ngx_webrtc_ingest_layers_beyond(l))
                || (ngx_webrtc_ingest_layers_beyond(best)
                    == ngx_webrtc_ingest_layers_beyond(l)
                    && ngx_webrtc_ingest_track_larger(l->t, best->t))))
        {
            best = l;
        }
    }

    return best;
}
