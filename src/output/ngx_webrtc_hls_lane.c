
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Jobs of a stream in segments: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_bus_layers.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_hls_lane.h"
#include "ngx_webrtc_media.h"
#include "ngx_webrtc_output_pick.h"
#include "ngx_webrtc_time.h"


/* ms that smaller videos are waited for; chosen: an encoder begins within */
#define NGX_WEBRTC_HLS_LANE_WAIT   5000

/* ms before a segment is to end at which a key frame is asked for: a tick, as
 * it takes that long to come */
#define NGX_WEBRTC_HLS_LANE_AHEAD  250

/* ms of a piece of a segment, where parts are not listed */
#define NGX_WEBRTC_HLS_LANE_PIECE  1000

/* ms of a run after which one that comes late begins another run; chosen: all
 * layers of a publisher have begun by then.  And for one that has stopped
 * before: one that comes and goes is no more than that often a discontinuity of
 * all */
#define NGX_WEBRTC_HLS_LANE_LATE   1000
#define NGX_WEBRTC_HLS_LANE_BACK   10000

/* us by which a run may begin before the end of the one before: tracks do not
 * end together, and where a picture ends is a guess; chosen: a few frames */
#define NGX_WEBRTC_HLS_LANE_OVERLAP   100000

/* us by which what there is may be ahead of the stream: beyond that its times
 * were wrong; chosen */
#define NGX_WEBRTC_HLS_LANE_BEYOND  10000000

/* any clock that the times are asked for by */
#define NGX_WEBRTC_HLS_LANE_CLOCK  90000

/* ms for which the job of one that has stopped may take to end */
#define NGX_WEBRTC_HLS_LANE_PATIENCE  5000


static int64_t ngx_webrtc_hls_lanes_floor(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st);
static ngx_int_t ngx_webrtc_hls_lanes_pick(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st, const ngx_webrtc_hls_how_t *how,
    const char **cause);
static void ngx_webrtc_hls_lanes_more(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st, const ngx_webrtc_hls_how_t *how);
static void ngx_webrtc_hls_lanes_layers(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st);
static void ngx_webrtc_hls_lanes_layer(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *layer);
static void ngx_webrtc_hls_lanes_add(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st);
static ngx_webrtc_hls_lane_t *ngx_webrtc_hls_lanes_place(
    ngx_webrtc_hls_lanes_t *ls, ngx_webrtc_stream_t *st);
static void ngx_webrtc_hls_lanes_review(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st);
static void ngx_webrtc_hls_lane_stopped(ngx_webrtc_hls_lanes_t *ls,
    ngx_uint_t i);
static ngx_uint_t ngx_webrtc_hls_lane_ready(ngx_webrtc_hls_lanes_t *ls,
    ngx_uint_t i);
static void ngx_webrtc_hls_lane_done(ngx_webrtc_hls_lane_t *lane);
static void ngx_webrtc_hls_lane_keep(ngx_webrtc_hls_lanes_t *ls,
    ngx_uint_t i);
static void ngx_webrtc_hls_lane_left(ngx_webrtc_hls_lane_t *lane);
static void ngx_webrtc_hls_lanes_keys(ngx_webrtc_hls_lanes_t *ls);
static void ngx_webrtc_hls_lane_on_note(void *data,
    ngx_webrtc_media_note_t *note);
static void ngx_webrtc_hls_lane_on_record(void *data,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_hls_lane_on_room(void *data);
static void ngx_webrtc_hls_lane_on_ended(void *data, ngx_uint_t crashed);


static const ngx_webrtc_media_handlers_t  ngx_webrtc_hls_lane_handlers = {
    ngx_webrtc_hls_lane_on_note,
    ngx_webrtc_hls_lane_on_record,
    NULL,
    ngx_webrtc_hls_lane_on_room,
    ngx_webrtc_hls_lane_on_ended
};


ngx_int_t
ngx_webrtc_hls_lanes_ready(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st, const ngx_webrtc_hls_how_t *how,
    const char **cause)
{
    ngx_int_t   rc;
    ngx_uint_t  i, late;

    ls->floor_us = ngx_webrtc_hls_lanes_floor(ls, st);

    if (ls->lanes[0].st == NULL) {
        rc = ngx_webrtc_hls_lanes_pick(ls, st, how, cause);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (!ngx_webrtc_hls_lane_ready(ls, 0)) {
        return NGX_AGAIN;
    }

    late = (ngx_current_msec - ls->since >= NGX_WEBRTC_HLS_LANE_WAIT);

    for (i = 1; i < NGX_WEBRTC_HLS_VIDEOS; i++) {

        if (ls->lanes[i].st && !ngx_webrtc_hls_lane_ready(ls, i) && !late) {
            return NGX_AGAIN;
        }
    }

    return NGX_OK;
}


/* what there is already is not made once more: up to a time of the stream */

static int64_t
ngx_webrtc_hls_lanes_floor(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st)
{
    int64_t                 now_us, media, ahead_us;
    uint32_t                rtp;
    ngx_webrtc_hls_info_t  *info;

    info = ngx_webrtc_bus_hls_info(ls->channel);
    now_us = (int64_t) ngx_webrtc_time_now();

    if (info->stream != st->ref
        || ngx_webrtc_timeline_at(&st->timeline, NGX_WEBRTC_HLS_LANE_CLOCK,
                                  now_us, &rtp)
           != NGX_OK)
    {
        return 0;
    }

    media = ngx_webrtc_timeline_media(&st->timeline, NGX_WEBRTC_HLS_LANE_CLOCK,
                                      now_us, rtp);

    ahead_us = info->media_us
               - ngx_webrtc_ts_scale(media, 1000000, NGX_WEBRTC_HLS_LANE_CLOCK);

    return (ahead_us > NGX_WEBRTC_HLS_LANE_BEYOND)
           ? 0 : info->media_us - NGX_WEBRTC_HLS_LANE_OVERLAP;
}


/* which streams are read */

static ngx_int_t
ngx_webrtc_hls_lanes_pick(ngx_webrtc_hls_lanes_t *ls, ngx_webrtc_stream_t *st,
    const ngx_webrtc_hls_how_t *how, const char **cause)
{
    ngx_webrtc_output_pick_t  pick;

    /* tracks that are to come may be videos */

    if (ngx_webrtc_bus_tracks(st, NULL, NULL) == 0) {
        return NGX_AGAIN;
    }

    if (ngx_webrtc_output_pick(ls->bus, st, ls->conf->codecs, &how->how,
                               ls->log, &pick)
        != NGX_OK)
    {
        *cause = pick.cause ? pick.cause
                            : "its video is of a codec that players of HLS do "
                              "not take, and webrtc_transcode is off";
        return NGX_DECLINED;
    }

    ls->how = *how;
    ls->version = pick.version;
    ls->changed = 0;
    ls->since = ngx_current_msec;

    ngx_webrtc_hls_lanes_add(ls, pick.st);

    if (pick.codec) {
        ngx_webrtc_hls_lanes_more(ls, st, how);
    }

    ngx_webrtc_hls_lanes_keep(ls, st, !how->always);

    return NGX_OK;
}


/* smaller videos; one for which there is no room is left out */

static void
ngx_webrtc_hls_lanes_more(ngx_webrtc_hls_lanes_t *ls, ngx_webrtc_stream_t *st,
    const ngx_webrtc_hls_how_t *how)
{
    ngx_uint_t                i;
    ngx_webrtc_output_how_t   more;
    ngx_webrtc_output_pick_t  pick;

    ngx_webrtc_hls_lanes_layers(ls, st);

    if (how->how.transcode == NGX_WEBRTC_TRANSCODE_OFF) {
        return;
    }

    for (i = 0; i < how->nmore; i++) {

        /* what a rendition does not say is as the location has it */

        more = how->how;
        more.transcode = NGX_WEBRTC_TRANSCODE_ALWAYS;
        more.variant = how->more[i];
        more.variant.codec = how->how.variant.codec;
        more.variant.hw = how->how.variant.hw;
        more.variant.deinterlace = how->how.variant.deinterlace;

        if (ngx_webrtc_output_pick(ls->bus, st, ls->conf->codecs, &more,
                                   ls->log, &pick)
            == NGX_OK)
        {
            ngx_webrtc_hls_lanes_add(ls, pick.st);
        }
    }
}


/* those that its publisher sends, if players take them, and none has yet */

static void
ngx_webrtc_hls_lanes_layers(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st)
{
    ngx_uint_t                  i;
    ngx_webrtc_stream_t        *layer;
    ngx_webrtc_stream_layers_t  list;

    ls->layers = ngx_webrtc_bus_layers(st, &list);

    for (i = 0; i < list.n; i++) {

        if (list.layers[i].top || list.layers[i].ref == 0) {
            continue;
        }

        layer = ngx_webrtc_bus_stream_ref(ls->bus, list.layers[i].ref);

        if (layer) {
            ngx_webrtc_hls_lanes_layer(ls, layer);
        }
    }
}


/* one that is held */

static void
ngx_webrtc_hls_lanes_layer(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *layer)
{
    ngx_uint_t          k, n;
    ngx_webrtc_track_t  tracks[NGX_WEBRTC_TRACKS];

    n = 0;
    (void) ngx_webrtc_bus_tracks(layer, tracks, &n);

    for (k = 0; k < n && tracks[k].kind != NGX_WEBRTC_VIDEO; k++) {
        /* void */
    }

    /* spatial layers of one encoding are in the stream itself */

    if (k < n && layer->parent
        && (ls->conf->codecs & ((uint32_t) 1 << tracks[k].codec))
        && ngx_webrtc_bus_state(layer) == NGX_WEBRTC_STREAM_ACTIVE
        && !ngx_webrtc_hls_lanes_reads(ls, layer))
    {
        ngx_webrtc_hls_lanes_add(ls, layer);
        return;
    }

    ngx_webrtc_bus_release(ls->bus, layer);
}


/* a stream that is held becomes one more; or is released, without room */

static void
ngx_webrtc_hls_lanes_add(ngx_webrtc_hls_lanes_t *ls, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_hls_lane_t  *lane;

    lane = ngx_webrtc_hls_lanes_place(ls, st);

    if (lane == NULL) {
        ngx_webrtc_bus_release(ls->bus, st);
        return;
    }

    ngx_memzero(lane, sizeof(ngx_webrtc_hls_lane_t));

    lane->lanes = ls;
    lane->st = st;

    ngx_webrtc_bus_watch(ls->bus, st);

    if (st->parent) {
        ngx_webrtc_bus_reader(ls->bus, st, 1);
    }
}


/*
 * The first is the stream's; the others have the place that they had before, in
 * whatever worker, as that is a playlist, and players have been told how large
 * it is.  NULL: there is none left
 */

static ngx_webrtc_hls_lane_t *
ngx_webrtc_hls_lanes_place(ngx_webrtc_hls_lanes_t *ls, ngx_webrtc_stream_t *st)
{
    ngx_uint_t               i, free;
    ngx_webrtc_hls_info_t   *info;
    ngx_webrtc_hls_place_t   place, *had;

    if (ls->lanes[0].st == NULL) {
        return &ls->lanes[0];
    }

    info = ngx_webrtc_bus_hls_info(ls->channel);
    free = NGX_WEBRTC_HLS_VIDEOS;

    for (i = NGX_WEBRTC_HLS_VIDEOS - 1; i > 0; i--) {
        had = &info->places[i];

        if (ls->lanes[i].st) {
            continue;
        }

        if (had->used
            && ngx_memcmp(&had->variant, &st->variant,
                          sizeof(ngx_webrtc_variant_t))
               == 0)
        {
            return &ls->lanes[i];
        }

        /* of those that others have had, the last */

        if (!had->used || free == NGX_WEBRTC_HLS_VIDEOS) {
            free = i;
        }
    }

    if (free == NGX_WEBRTC_HLS_VIDEOS) {
        return NULL;
    }

    ngx_memzero(&place, sizeof(ngx_webrtc_hls_place_t));

    place.variant = st->variant;
    place.used = 1;

    ngx_webrtc_bus_hls_place(ls->bus, ls->channel, free, &place);

    return &ls->lanes[free];
}


static ngx_uint_t
ngx_webrtc_hls_lane_ready(ngx_webrtc_hls_lanes_t *ls, ngx_uint_t i)
{
    ngx_webrtc_hls_lane_t  *lane;

    lane = &ls->lanes[i];

    if (lane->ready) {
        return 1;
    }

    if (!lane->reading) {

        if (ngx_webrtc_bus_state(lane->st) != NGX_WEBRTC_STREAM_ACTIVE) {
            return 0;
        }

        ngx_memzero(&lane->feed, sizeof(ngx_webrtc_output_feed_t));
        ngx_webrtc_output_feed_init(&lane->feed, lane->st, ls->log);

        lane->feed.floor_us = ls->floor_us;
        lane->feed.whole = 1;
        lane->feed.mute = (i > 0);
        lane->reading = 1;
    }

    lane->ready = (ngx_webrtc_output_feed_ready(&lane->feed) == NGX_OK);

    return lane->ready;
}


ngx_int_t
ngx_webrtc_hls_lanes_start(ngx_webrtc_hls_lanes_t *ls, ngx_uint_t alone,
    const char **cause, ngx_err_t *err)
{
    ngx_uint_t                i;
    ngx_webrtc_hls_lane_t    *lane;
    ngx_webrtc_media_start_t  start;

    ngx_memzero(&start, sizeof(ngx_webrtc_media_start_t));

    start.kind = NGX_WEBRTC_MEDIA_OUTPUT;
    start.name = *ls->name;
    start.output.segment = ls->conf->params.segment;
    start.output.part = ls->conf->params.part
                        ? ls->conf->params.part
                        : ngx_min(NGX_WEBRTC_HLS_LANE_PIECE,
                                  ls->conf->params.segment);
    ngx_str_set(&start.output.format, "cmaf");

    for (i = 0; i < NGX_WEBRTC_HLS_VIDEOS; i++) {
        lane = &ls->lanes[i];

        if (!lane->ready) {
            continue;
        }

        lane->job = ngx_webrtc_media_start(&start, alone,
                                           &ngx_webrtc_hls_lane_handlers, lane,
                                           ls->log, cause, err);
        if (lane->job == NULL) {
            return NGX_ERROR;
        }

        ngx_webrtc_output_feed_job(&lane->feed, lane->job);
    }

    ls->running = 1;
    ls->begun = ngx_current_msec;

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_hls_lanes_tracks(ngx_webrtc_hls_lanes_t *ls)
{
    ngx_int_t                  audio;
    ngx_uint_t                 i, bits;
    ngx_webrtc_output_feed_t  *feed;

    bits = 0;

    for (i = 0; i < NGX_WEBRTC_HLS_VIDEOS; i++) {
        feed = &ls->lanes[i].feed;

        if (ls->lanes[i].job
            && feed->tracks[NGX_WEBRTC_MEDIA_VIDEO].track != -1)
        {
            bits |= (ngx_uint_t) 1 << i;
        }
    }

    feed = &ls->lanes[0].feed;
    audio = feed->tracks[NGX_WEBRTC_MEDIA_AUDIO].track;

    if (audio != -1) {
        bits |= (ngx_uint_t) 1 << NGX_WEBRTC_HLS_AAC;

        if (ngx_webrtc_output_reader_codec(&feed->reader, (ngx_uint_t) audio)
            == NGX_WEBRTC_CODEC_OPUS)
        {
            bits |= (ngx_uint_t) 1 << NGX_WEBRTC_HLS_OPUS;
        }
    }

    return bits;
}


ngx_int_t
ngx_webrtc_hls_lanes_run(ngx_webrtc_hls_lanes_t *ls)
{
    ngx_uint_t              i;
    ngx_webrtc_hls_lane_t  *lane;

    if (ls->changed) {
        return NGX_DONE;
    }

    for (i = 0; i < NGX_WEBRTC_HLS_VIDEOS; i++) {
        lane = &ls->lanes[i];

        /* what has no room is left out, up to the next key frame */

        if (lane->job
            && ngx_webrtc_output_feed_run(&lane->feed, 0) == NGX_DONE)
        {
            return NGX_DONE;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_hls_lanes_end(ngx_webrtc_hls_lanes_t *ls)
{
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_webrtc_hls_lane_t  *lane;

    rc = NGX_DONE;
    ls->running = 0;

    for (i = 0; i < NGX_WEBRTC_HLS_VIDEOS; i++) {
        lane = &ls->lanes[i];

        if (lane->job) {
            rc = NGX_OK;

            if (lane->feed.job) {
                ngx_webrtc_output_feed_end(&lane->feed);
            }
        }
    }

    return rc;
}


void
ngx_webrtc_hls_lanes_close(ngx_webrtc_hls_lanes_t *ls)
{
    ngx_uint_t  i;

    ls->running = 0;

    for (i = 0; i < NGX_WEBRTC_HLS_VIDEOS; i++) {

        if (ls->lanes[i].job) {
            ngx_webrtc_media_close(ls->lanes[i].job);
            ls->lanes[i].job = NULL;
            ls->lanes[i].feed.job = NULL;
        }
    }
}


void
ngx_webrtc_hls_lanes_done(ngx_webrtc_hls_lanes_t *ls)
{
    ngx_uint_t  i;

    ngx_webrtc_hls_lanes_close(ls);

    for (i = 0; i < NGX_WEBRTC_HLS_VIDEOS; i++) {

        if (ls->lanes[i].st) {
            ngx_webrtc_hls_lane_done(&ls->lanes[i]);
        }
    }
}


static void
ngx_webrtc_hls_lane_done(ngx_webrtc_hls_lane_t *lane)
{
    ngx_webrtc_hls_lanes_t  *ls;

    ls = lane->lanes;

    if (lane->reading) {
        ngx_webrtc_output_feed_done(&lane->feed);
        lane->reading = 0;
    }

    if (lane->st->parent) {
        ngx_webrtc_bus_reader(ls->bus, lane->st, -1);
    }

    ngx_webrtc_bus_unwatch(ls->bus, lane->st);
    ngx_webrtc_bus_release(ls->bus, lane->st);

    lane->st = NULL;
    lane->ready = 0;
    lane->leaves = 0;
}


void
ngx_webrtc_hls_lanes_keep(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st, ngx_uint_t asked)
{
    ngx_uint_t  i;

    if (ls->lanes[0].st == NULL) {
        return;
    }

    if (ngx_webrtc_bus_tracks(st, NULL, NULL) != ls->version) {
        ngx_webrtc_hls_lanes_review(ls, st);
    }

    if (ngx_webrtc_bus_layers(st, NULL) != ls->layers) {
        ngx_webrtc_hls_lanes_layers(ls, st);
    }

    for (i = 0; i < NGX_WEBRTC_HLS_VIDEOS; i++) {

        if (ls->lanes[i].st == NULL) {
            continue;
        }

        if (ls->running) {
            ngx_webrtc_hls_lane_keep(ls, i);
        }

        ngx_webrtc_output_pick_keep(ls->bus, st, ls->lanes[i].st, asked,
                                    ls->log);
    }

    ngx_webrtc_hls_lanes_keys(ls);
}


/*
 * The stream's tracks are others.  Where it is still read itself, as with sound
 * that comes late, its feed knows with which frame another run begins.
 */

static void
ngx_webrtc_hls_lanes_review(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st)
{
    ngx_webrtc_output_pick_t  pick;

    if (ngx_webrtc_output_pick(ls->bus, st, ls->conf->codecs, &ls->how.how,
                               ls->log, &pick)
        != NGX_OK)
    {
        ls->changed = 1;
        return;
    }

    if (pick.st == ls->lanes[0].st && pick.st == st && ls->running) {
        ls->version = pick.version;

    } else {
        ls->changed = 1;
    }

    ngx_webrtc_bus_release(ls->bus, pick.st);
}


/* has one stopped, or come late? */

static void
ngx_webrtc_hls_lane_keep(ngx_webrtc_hls_lanes_t *ls, ngx_uint_t i)
{
    ngx_msec_t              least;
    ngx_uint_t              live;
    ngx_webrtc_hls_lane_t  *lane;

    lane = &ls->lanes[i];

    live = (ngx_webrtc_bus_state(lane->st) == NGX_WEBRTC_STREAM_ACTIVE);

    if (lane->job == NULL) {
        least = ngx_webrtc_bus_hls_info(ls->channel)->places[i].stopped
                ? NGX_WEBRTC_HLS_LANE_BACK : NGX_WEBRTC_HLS_LANE_LATE;

        if (live && ngx_webrtc_hls_lane_ready(ls, i)
            && ngx_current_msec - ls->begun >= least)
        {
            ls->changed = 1;
        }

        return;
    }

    if (lane->leaves) {

        if (ngx_current_msec - lane->since > NGX_WEBRTC_HLS_LANE_PATIENCE) {
            ngx_webrtc_media_close(lane->job);
            ngx_webrtc_hls_lane_left(lane);
        }

        return;
    }

    if (live) {
        return;
    }

    if (i == 0) {
        ls->changed = 1;
        return;
    }

    /* the others go on without it: its playlist has gaps */

    lane->leaves = 1;
    lane->since = ngx_current_msec;

    ngx_webrtc_hls_lane_stopped(ls, i);
    ngx_webrtc_output_feed_end(&lane->feed);
}


static void
ngx_webrtc_hls_lane_stopped(ngx_webrtc_hls_lanes_t *ls, ngx_uint_t i)
{
    ngx_webrtc_hls_place_t  place;

    place = ngx_webrtc_bus_hls_info(ls->channel)->places[i];
    place.stopped = 1;

    ngx_webrtc_bus_hls_place(ls->bus, ls->channel, i, &place);
}


/* its job has ended, and when it comes again it is read anew */

static void
ngx_webrtc_hls_lane_left(ngx_webrtc_hls_lane_t *lane)
{
    lane->job = NULL;
    lane->leaves = 0;

    ngx_webrtc_output_feed_done(&lane->feed);

    lane->reading = 0;
    lane->ready = 0;

    lane->lanes->stopped(lane->lanes->data, lane - lane->lanes->lanes);
}


/* at the same time of all, so that their segments begin together */

static void
ngx_webrtc_hls_lanes_keys(ngx_webrtc_hls_lanes_t *ls)
{
    ngx_uint_t              i, asked;
    ngx_msec_t              old;
    ngx_webrtc_hls_lane_t  *lane;

    old = ls->conf->params.segment - NGX_WEBRTC_HLS_LANE_AHEAD;
    asked = 0;

    for (i = 0; i < NGX_WEBRTC_HLS_VIDEOS; i++) {
        lane = &ls->lanes[i];

        asked |= (lane->reading && !lane->leaves
                  && ngx_webrtc_bus_state(lane->st) == NGX_WEBRTC_STREAM_ACTIVE
                  && ngx_webrtc_output_feed_wants_key(&lane->feed, old));
    }

    for (i = 0; asked && i < NGX_WEBRTC_HLS_VIDEOS; i++) {
        lane = &ls->lanes[i];

        if (lane->reading
            && ngx_webrtc_bus_state(lane->st) == NGX_WEBRTC_STREAM_ACTIVE)
        {
            (void) ngx_webrtc_bus_keyframe(ls->bus, lane->st);
        }
    }
}


ngx_uint_t
ngx_webrtc_hls_lanes_reads(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_HLS_VIDEOS; i++) {

        if (ls->lanes[i].st == st) {
            return 1;
        }
    }

    return 0;
}


uint64_t
ngx_webrtc_hls_lanes_left_out(ngx_webrtc_hls_lanes_t *ls)
{
    uint64_t    n;
    ngx_uint_t  i;

    n = 0;

    for (i = 0; i < NGX_WEBRTC_HLS_VIDEOS; i++) {
        n += ls->lanes[i].feed.reader.left_out + ls->lanes[i].feed.skipped;
    }

    return n;
}


static void
ngx_webrtc_hls_lane_on_note(void *data, ngx_webrtc_media_note_t *note)
{
    ngx_webrtc_hls_lane_t *lane = data;

    ngx_str_t  text;

    text.data = note->text;
    text.len = note->len;

    lane->lanes->note(lane->lanes->data,
                      note->type != NGX_WEBRTC_MEDIA_LOG, note->level, &text);
}


static void
ngx_webrtc_hls_lane_on_record(void *data, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_hls_lane_t *lane = data;

    lane->lanes->record(lane->lanes->data, lane - lane->lanes->lanes, r);
}


u_char *
ngx_webrtc_hls_lane_head(ngx_webrtc_hls_lanes_t *ls, ngx_uint_t lane,
    ngx_webrtc_media_record_t *r, ngx_webrtc_hls_track_t *head)
{
    u_char                    *end;
    ngx_webrtc_track_t        *told;
    ngx_webrtc_output_feed_t  *feed;

    end = ngx_strlchr(r->data, r->data + r->len, '\0');

    if (end == NULL || end - r->data > NGX_WEBRTC_HLS_CODEC
        || r->ts <= 0 || r->ts > 1000000)
    {
        return NULL;
    }

    ngx_memzero(head, sizeof(ngx_webrtc_hls_track_t));

    head->clock = (uint32_t) r->ts;
    head->codec_len = (uint32_t) (end - r->data);
    ngx_memcpy(head->codec, r->data, head->codec_len);

    if (ngx_webrtc_hls_lane_track(lane, r) >= NGX_WEBRTC_HLS_AAC) {
        head->channels = 2;
        return end + 1;
    }

    feed = &ls->lanes[lane].feed;
    told = &feed->tracks[NGX_WEBRTC_MEDIA_VIDEO].told;

    /* how it is shown, if it is turned by a quarter */

    head->width = (feed->cvo & 1) ? told->height : told->width;
    head->height = (feed->cvo & 1) ? told->width : told->height;

    return end + 1;
}


ngx_uint_t
ngx_webrtc_hls_lane_track(ngx_uint_t lane, ngx_webrtc_media_record_t *r)
{
    if (r->value & NGX_WEBRTC_MEDIA_MUXED_AAC) {
        return NGX_WEBRTC_HLS_AAC;
    }

    return (r->value & NGX_WEBRTC_MEDIA_MUXED_SOUND) ? NGX_WEBRTC_HLS_OPUS
                                                     : lane;
}


static void
ngx_webrtc_hls_lane_on_room(void *data)
{
    /* what had no room has been left out */

    (void) data;
}


static void
ngx_webrtc_hls_lane_on_ended(void *data, ngx_uint_t crashed)
{
    ngx_webrtc_hls_lane_t *lane = data;

    ngx_uint_t               i;
    ngx_webrtc_hls_lanes_t  *ls;

    ls = lane->lanes;

    lane->job = NULL;
    lane->feed.job = NULL;

    if (lane->leaves && !crashed) {
        ngx_webrtc_hls_lane_left(lane);

        if (ls->running) {
            return;
        }
    }

    for (i = 0; i < NGX_WEBRTC_HLS_VIDEOS && ls->lanes[i].job == NULL; i++) {
        /* void */
    }

    if (crashed || ls->running || i == NGX_WEBRTC_HLS_VIDEOS) {
        ls->running = 0;
        ls->ended(ls->data, crashed);
    }
}
