
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


/* ms that smaller videos are waited for; chosen: an encoder begins within */
#define NGX_WEBRTC_HLS_LANE_WAIT   5000

/* ms before a segment is to end at which a key frame is asked for: a tick, as
 * it takes that long to come */
#define NGX_WEBRTC_HLS_LANE_AHEAD  250

/* ms of a piece of a segment, where parts are not listed */
#define NGX_WEBRTC_HLS_LANE_PIECE  1000


static ngx_int_t ngx_webrtc_hls_lanes_pick(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st, const ngx_webrtc_hls_how_t *how,
    const char **cause);
static void ngx_webrtc_hls_lanes_more(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st, const ngx_webrtc_hls_how_t *how);
static void ngx_webrtc_hls_lanes_layers(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st);
static void ngx_webrtc_hls_lanes_add(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st);
static ngx_uint_t ngx_webrtc_hls_lane_ready(ngx_webrtc_hls_lanes_t *ls,
    ngx_uint_t i);
static void ngx_webrtc_hls_lane_done(ngx_webrtc_hls_lane_t *lane);
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

    if (ls->n == 0) {
        rc = ngx_webrtc_hls_lanes_pick(ls, st, how, cause);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (!ngx_webrtc_hls_lane_ready(ls, 0)) {
        return NGX_AGAIN;
    }

    late = (ngx_current_msec - ls->since >= NGX_WEBRTC_HLS_LANE_WAIT);

    for (i = 1; i < ls->n; i++) {

        if (!ngx_webrtc_hls_lane_ready(ls, i) && !late) {
            return NGX_AGAIN;
        }
    }

    return NGX_OK;
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

    for (i = 0; i < how->nmore && ls->n < NGX_WEBRTC_HLS_VIDEOS; i++) {

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


/* those that its publisher sends, if players take them */

static void
ngx_webrtc_hls_lanes_layers(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st)
{
    ngx_uint_t                  i, k, n;
    ngx_webrtc_track_t          tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_stream_t        *layer;
    ngx_webrtc_stream_layers_t  list;

    (void) ngx_webrtc_bus_layers(st, &list);

    for (i = 0; i < list.n && ls->n < NGX_WEBRTC_HLS_VIDEOS; i++) {

        if (list.layers[i].top || list.layers[i].ref == 0) {
            continue;
        }

        layer = ngx_webrtc_bus_stream_ref(ls->bus, list.layers[i].ref);

        if (layer == NULL) {
            continue;
        }

        n = 0;
        (void) ngx_webrtc_bus_tracks(layer, tracks, &n);

        for (k = 0; k < n && tracks[k].kind != NGX_WEBRTC_VIDEO; k++) {
            /* void */
        }

        if (k < n
            && (ls->conf->codecs & ((uint32_t) 1 << tracks[k].codec))
            && ngx_webrtc_bus_state(layer) == NGX_WEBRTC_STREAM_ACTIVE)
        {
            ngx_webrtc_hls_lanes_add(ls, layer);

        } else {
            ngx_webrtc_bus_release(ls->bus, layer);
        }
    }
}


/* a stream that is held becomes one more */

static void
ngx_webrtc_hls_lanes_add(ngx_webrtc_hls_lanes_t *ls, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_hls_lane_t  *lane;

    lane = &ls->lanes[ls->n++];

    ngx_memzero(lane, sizeof(ngx_webrtc_hls_lane_t));

    lane->lanes = ls;
    lane->st = st;

    ngx_webrtc_bus_watch(ls->bus, st);

    if (st->parent) {
        ngx_webrtc_bus_reader(ls->bus, st, 1);
    }
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

    for (i = 0; i < ls->n; i++) {
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

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_hls_lanes_run(ngx_webrtc_hls_lanes_t *ls)
{
    ngx_uint_t              i;
    ngx_webrtc_hls_lane_t  *lane;

    if (ls->changed) {
        return NGX_DONE;
    }

    for (i = 0; i < ls->n; i++) {
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

    for (i = 0; i < ls->n; i++) {
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

    for (i = 0; i < ls->n; i++) {

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

    for (i = 0; i < ls->n; i++) {
        ngx_webrtc_hls_lane_done(&ls->lanes[i]);
    }

    ls->n = 0;
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
}


void
ngx_webrtc_hls_lanes_keep(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st, ngx_uint_t asked)
{
    ngx_uint_t              i;
    ngx_msec_t              old;
    ngx_webrtc_hls_lane_t  *lane;

    if (ls->n && ngx_webrtc_bus_tracks(st, NULL, NULL) != ls->version) {
        ls->changed = 1;
    }

    old = ls->conf->params.segment - NGX_WEBRTC_HLS_LANE_AHEAD;

    for (i = 0; i < ls->n; i++) {
        lane = &ls->lanes[i];

        /* one that is not there any more would make its players wait */

        if (lane->job
            && ngx_webrtc_bus_state(lane->st) != NGX_WEBRTC_STREAM_ACTIVE)
        {
            ls->changed = 1;
        }

        /* nor is one left out that has come late */

        if (ls->running && lane->job == NULL
            && ngx_webrtc_hls_lane_ready(ls, i))
        {
            ls->changed = 1;
        }

        ngx_webrtc_output_pick_keep(ls->bus, st, lane->st, asked, ls->log);

        if (lane->reading
            && ngx_webrtc_bus_state(lane->st) == NGX_WEBRTC_STREAM_ACTIVE
            && ngx_webrtc_output_feed_wants_key(&lane->feed, old))
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

    for (i = 0; i < ls->n; i++) {

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

    for (i = 0; i < ls->n; i++) {
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

    for (i = 0; i < ls->n && ls->lanes[i].job == NULL; i++) {
        /* void */
    }

    if (crashed || ls->running || i == ls->n) {
        ls->running = 0;
        ls->ended(ls->data, crashed);
    }
}
