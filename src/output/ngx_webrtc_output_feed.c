
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Frames of a stream for a job: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus_layers.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_output_feed.h"
#include "ngx_webrtc_pack.h"
#include "ngx_webrtc_time.h"


static ngx_int_t ngx_webrtc_output_feed_next(ngx_webrtc_output_feed_t *feed);
static ngx_int_t ngx_webrtc_output_feed_dark(ngx_webrtc_output_feed_t *feed,
    ngx_int_t video, ngx_uint_t wait);
static ngx_uint_t ngx_webrtc_output_feed_other(ngx_webrtc_output_feed_t *feed);
static ngx_uint_t ngx_webrtc_output_feed_goes_on(
    ngx_webrtc_output_feed_t *feed, ngx_int_t i);
static ngx_int_t ngx_webrtc_output_feed_place(ngx_webrtc_output_feed_t *feed,
    ngx_uint_t kind, ngx_uint_t wait);
static ngx_int_t ngx_webrtc_output_feed_which(ngx_webrtc_output_feed_t *feed);
static ngx_uint_t ngx_webrtc_output_feed_begins(
    ngx_webrtc_output_feed_t *feed, ngx_uint_t i);
static ngx_uint_t ngx_webrtc_output_feed_old(ngx_webrtc_output_feed_t *feed);
static ngx_uint_t ngx_webrtc_output_feed_leaves(
    ngx_webrtc_output_feed_t *feed, ngx_uint_t i);
static ngx_uint_t ngx_webrtc_output_feed_changed(
    ngx_webrtc_output_feed_t *feed, ngx_uint_t i);
static void ngx_webrtc_output_feed_look(ngx_webrtc_output_feed_t *feed,
    ngx_webrtc_track_t *track);
static ngx_int_t ngx_webrtc_output_feed_packed(void *ctx, u_char *payload,
    size_t n, ngx_uint_t flags);
static ngx_int_t ngx_webrtc_output_feed_begin(ngx_webrtc_output_feed_t *feed,
    ngx_uint_t i);
static ngx_int_t ngx_webrtc_output_feed_frame(ngx_webrtc_output_feed_t *feed,
    ngx_uint_t i);
static ngx_int_t ngx_webrtc_output_feed_write(ngx_webrtc_output_feed_t *feed,
    ngx_uint_t type, ngx_uint_t i, ngx_uint_t value, int64_t ts, u_char *data,
    size_t n);
static int64_t ngx_webrtc_output_feed_us(ngx_webrtc_output_feed_t *feed);


void
ngx_webrtc_output_feed_init(ngx_webrtc_output_feed_t *feed,
    ngx_webrtc_stream_t *st, ngx_log_t *log)
{
    ngx_uint_t  i;

    feed->log = log;
    feed->since = ngx_current_msec;

    for (i = 0; i < NGX_WEBRTC_MEDIA_TRACKS; i++) {
        feed->tracks[i].track = -1;
    }

    ngx_webrtc_output_reader_init(&feed->reader, st, log);

    feed->from = feed->reader.cursor;
}


void
ngx_webrtc_output_feed_done(ngx_webrtc_output_feed_t *feed)
{
    ngx_webrtc_output_reader_done(&feed->reader);

    feed->job = NULL;
    feed->held = 0;
}


ngx_int_t
ngx_webrtc_output_feed_ready(ngx_webrtc_output_feed_t *feed)
{
    ngx_int_t   video, audio;
    ngx_msec_t  waited;
    ngx_uint_t  wait, dark;

    /* takes over the stream's tracks; a frame that is found is kept */

    if (!feed->held) {
        (void) ngx_webrtc_output_feed_next(feed);
    }

    if (feed->held && !feed->heard) {

        /* who has sent nothing so far has not been waited for */

        feed->heard = 1;
        feed->since = ngx_current_msec;
    }

    waited = ngx_current_msec - feed->since;
    wait = (waited < NGX_WEBRTC_OUTPUT_FEED_WAIT);
    dark = feed->whole ? (waited < NGX_WEBRTC_OUTPUT_FEED_DARK) : wait;

    video = ngx_webrtc_output_feed_place(feed, NGX_WEBRTC_VIDEO, dark);
    audio = ngx_webrtc_output_feed_place(feed, NGX_WEBRTC_AUDIO, wait);

    if (video >= 0 && audio >= 0) {
        video = ngx_webrtc_output_feed_dark(feed, video, dark);
    }

    if (!feed->held || video == NGX_AGAIN || audio == NGX_AGAIN
        || (video == NGX_DECLINED && audio == NGX_DECLINED))
    {
        return NGX_AGAIN;
    }

    feed->tracks[NGX_WEBRTC_MEDIA_VIDEO].track = (video == NGX_DECLINED)
                                                 ? -1 : video;
    feed->tracks[NGX_WEBRTC_MEDIA_AUDIO].track = (audio == NGX_DECLINED)
                                                 ? -1 : audio;

    return NGX_OK;
}


/* the place of video, if it comes; else as ngx_webrtc_output_feed_place() */

static ngx_int_t
ngx_webrtc_output_feed_dark(ngx_webrtc_output_feed_t *feed, ngx_int_t video,
    ngx_uint_t wait)
{
    while (!feed->lit) {

        if (!wait) {
            break;
        }

        feed->held = 0;

        if (ngx_webrtc_output_feed_next(feed) != NGX_OK) {
            return NGX_AGAIN;
        }
    }

    if (feed->lit) {
        return video;
    }

    if (feed->whole) {

        /* the sound that has been read meanwhile */

        feed->whole = 0;
        feed->held = 0;

        ngx_webrtc_output_reader_back(&feed->reader, feed->from);
        (void) ngx_webrtc_output_feed_next(feed);
    }

    return NGX_DECLINED;
}


/* feed->unit becomes the next frame: NGX_OK; NGX_AGAIN: there is none yet */

static ngx_int_t
ngx_webrtc_output_feed_next(ngx_webrtc_output_feed_t *feed)
{
    ngx_int_t  rc;

    if (feed->held) {
        return NGX_OK;
    }

    ngx_webrtc_bus_climb(feed->reader.st, ngx_current_msec);

    do {
        rc = ngx_webrtc_output_reader_next(&feed->reader, &feed->unit);
    } while (rc == NGX_DONE);

    if (rc == NGX_OK) {
        feed->held = 1;

        /* pictures of the past say nothing of a camera */

        feed->lit |= (feed->reader.tracks[feed->unit.track].kind
                      == NGX_WEBRTC_VIDEO
                      && !ngx_webrtc_output_feed_old(feed));
    }

    return rc;
}


/*
 * The stream's first track of a kind, or NGX_DECLINED: it has none, or
 * NGX_AGAIN: it may come
 */

static ngx_int_t
ngx_webrtc_output_feed_place(ngx_webrtc_output_feed_t *feed, ngx_uint_t kind,
    ngx_uint_t wait)
{
    ngx_uint_t                   i;
    ngx_webrtc_output_reader_t  *rd;

    rd = &feed->reader;

    if (feed->mute && kind == NGX_WEBRTC_AUDIO) {
        return NGX_DECLINED;
    }

    for (i = 0; i < rd->ntracks; i++) {

        if (rd->tracks[i].kind != kind) {
            continue;
        }

        if (rd->tracks[i].flags & NGX_WEBRTC_TRACK_PENDING) {
            return wait ? NGX_AGAIN : NGX_DECLINED;
        }

        if (ngx_webrtc_codec(rd->tracks[i].codec)->unpack == NULL) {
            return NGX_DECLINED;
        }

        return (ngx_int_t) i;
    }

    return NGX_DECLINED;
}


void
ngx_webrtc_output_feed_job(ngx_webrtc_output_feed_t *feed,
    ngx_webrtc_media_job_t *job)
{
    feed->job = job;
    feed->begun = 0;
    feed->shut = 0;
    feed->wait_key = 0;
    feed->turns = 0;
    feed->whole = 0;
    feed->first_us = 0;
    feed->last_us = 0;
    feed->since = ngx_current_msec;
}


ngx_int_t
ngx_webrtc_output_feed_run(ngx_webrtc_output_feed_t *feed, int64_t until_us)
{
    ngx_int_t  rc, i;

    while (feed->job && ngx_webrtc_output_feed_next(feed) == NGX_OK) {

        i = ngx_webrtc_output_feed_which(feed);

        feed->turns = (ngx_webrtc_output_feed_other(feed) != 0);

        if (feed->turns) {

            if (!ngx_webrtc_output_feed_goes_on(feed, i)) {
                return NGX_DONE;
            }

            i = (i == NGX_WEBRTC_MEDIA_VIDEO) ? i : NGX_DECLINED;
        }

        if (i == NGX_DECLINED
            || (!feed->begun && (!ngx_webrtc_output_feed_begins(feed, i)
                                 || ngx_webrtc_output_feed_old(feed))))
        {
            feed->held = 0;
            continue;
        }

        if (ngx_webrtc_output_feed_leaves(feed, i)) {
            feed->skipped += (i == NGX_WEBRTC_MEDIA_VIDEO);
            feed->held = 0;
            continue;
        }

        if (feed->begun && ngx_webrtc_output_feed_changed(feed, i)) {
            return NGX_DONE;
        }

        if (feed->begun && until_us
            && ngx_webrtc_output_feed_us(feed) - feed->first_us >= until_us
            && ngx_webrtc_output_feed_begins(feed, i))
        {
            return NGX_OK;
        }

        rc = ngx_webrtc_output_feed_frame(feed, i);

        feed->held = 0;

        if (rc != NGX_OK) {
            feed->skipped++;

            if (i == NGX_WEBRTC_MEDIA_VIDEO) {
                ngx_webrtc_output_reader_skip(&feed->reader,
                                              feed->unit.track);
            }

            return NGX_DECLINED;
        }
    }

    return NGX_AGAIN;
}


/* the job has tracks that the stream does not have now, or the other way */

static ngx_uint_t
ngx_webrtc_output_feed_other(ngx_webrtc_output_feed_t *feed)
{
    ngx_int_t                        place;
    ngx_uint_t                       i, codec;
    ngx_webrtc_output_feed_track_t  *t;

    for (i = 0; i < NGX_WEBRTC_MEDIA_TRACKS; i++) {
        t = &feed->tracks[i];

        place = ngx_webrtc_output_feed_place(feed,
                                             i == NGX_WEBRTC_MEDIA_VIDEO
                                             ? NGX_WEBRTC_VIDEO
                                             : NGX_WEBRTC_AUDIO, 0);

        if (place == NGX_DECLINED) {

            /* one that is gone, or pauses, is no reason for another file */

            continue;
        }

        if (i == NGX_WEBRTC_MEDIA_VIDEO && !feed->lit) {
            continue;
        }

        if (place != t->track) {
            return 1;
        }

        codec = ngx_webrtc_output_reader_codec(&feed->reader, place);

        if (feed->begun && codec != NGX_WEBRTC_CODEC_NONE
            && codec != t->told.codec)
        {
            return 1;
        }
    }

    return 0;
}


/*
 * Sound has come, or is another: the pictures that the job has been given so
 * far go on up to their next key frame, as nobody could show them after that.
 * It may be long until there is one.
 */

static ngx_uint_t
ngx_webrtc_output_feed_goes_on(ngx_webrtc_output_feed_t *feed, ngx_int_t i)
{
    ngx_int_t                        place;
    ngx_webrtc_output_feed_track_t  *t;

    t = &feed->tracks[NGX_WEBRTC_MEDIA_VIDEO];

    if (!feed->begun || t->track == -1
        || (i == NGX_WEBRTC_MEDIA_VIDEO && feed->unit.key))
    {
        return 0;
    }

    /* a camera that is off makes none, and sound has no other job to be in */

    if (ngx_current_msec - feed->pictured >= NGX_WEBRTC_OUTPUT_FEED_DARK) {
        feed->lit = 0;
        return 0;
    }

    place = ngx_webrtc_output_feed_place(feed, NGX_WEBRTC_VIDEO, 0);

    return place == t->track
           && ngx_webrtc_output_reader_codec(&feed->reader,
                                             (ngx_uint_t) place)
              == t->told.codec;
}


/* the job's track of the frame; NGX_DECLINED: it has none */

static ngx_int_t
ngx_webrtc_output_feed_which(ngx_webrtc_output_feed_t *feed)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_MEDIA_TRACKS; i++) {
        if (feed->tracks[i].track == (ngx_int_t) feed->unit.track) {
            return (ngx_int_t) i;
        }
    }

    return NGX_DECLINED;
}


/* may a job begin with the frame? */

static ngx_uint_t
ngx_webrtc_output_feed_begins(ngx_webrtc_output_feed_t *feed, ngx_uint_t i)
{
    if (i == NGX_WEBRTC_MEDIA_VIDEO) {
        return feed->unit.key;
    }

    return feed->tracks[NGX_WEBRTC_MEDIA_VIDEO].track == -1;
}


static ngx_uint_t
ngx_webrtc_output_feed_old(ngx_webrtc_output_feed_t *feed)
{
    return (feed->young_us
            && (int64_t) ngx_webrtc_time_now()
               > feed->unit.arrival_us + (int64_t) feed->young_us)
           || ngx_webrtc_output_feed_us(feed) < feed->floor_us;
}


/* is the frame one to be left out, as the job does not keep up? */

static ngx_uint_t
ngx_webrtc_output_feed_leaves(ngx_webrtc_output_feed_t *feed, ngx_uint_t i)
{
    if (feed->shut) {
        feed->wait_key = 1;

    } else if (feed->wait_key && ngx_webrtc_output_feed_begins(feed, i)) {
        feed->wait_key = 0;
    }

    return feed->wait_key;
}


/* a key frame says what it is: is that what the job was told? */

static ngx_uint_t
ngx_webrtc_output_feed_changed(ngx_webrtc_output_feed_t *feed, ngx_uint_t i)
{
    ngx_webrtc_track_t   track;
    ngx_webrtc_track_t  *told;

    told = &feed->tracks[i].told;

    if (i != NGX_WEBRTC_MEDIA_VIDEO || !feed->unit.key || feed->sizes) {
        return 0;
    }

    if (feed->unit.cvo != feed->cvo) {
        return 1;
    }

    ngx_webrtc_output_feed_look(feed, &track);

    return (track.width != told->width || track.height != told->height
            || track.profile != told->profile
            || (track.traits & ~told->traits & NGX_WEBRTC_TRACK_REORDERED));
}


/* the track as its key frame and the stream say */

static void
ngx_webrtc_output_feed_look(ngx_webrtc_output_feed_t *feed,
    ngx_webrtc_track_t *track)
{
    ngx_uint_t                 codec;
    ngx_webrtc_pack_t          pack;
    ngx_webrtc_track_t        *stream, seen;
    ngx_webrtc_frame_t         frame;
    ngx_webrtc_output_unit_t  *unit;

    unit = &feed->unit;
    stream = &feed->reader.tracks[unit->track];
    codec = ngx_webrtc_output_reader_codec(&feed->reader, unit->track);

    *track = *stream;
    track->codec = (uint8_t) codec;

    ngx_memzero(&pack, sizeof(ngx_webrtc_pack_t));

    if (ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(codec), 0,
                             ngx_webrtc_output_feed_packed, feed)
        != NGX_OK
        || ngx_webrtc_pack_probe(&pack, unit->data + unit->config,
                                 unit->n - unit->config, &frame)
           != NGX_OK
        || ngx_webrtc_pack_track(&pack, &seen) == NGX_DECLINED
        || seen.width == 0)
    {
        return;
    }

    track->width = seen.width;
    track->height = seen.height;
    track->profile = seen.profile;
    track->traits |= seen.traits;
}


static ngx_int_t
ngx_webrtc_output_feed_packed(void *ctx, u_char *payload, size_t n,
    ngx_uint_t flags)
{
    /* frames are looked at, not packed */

    (void) ctx;
    (void) payload;
    (void) n;
    (void) flags;

    return NGX_ERROR;
}


/* the job's first frame */

static ngx_int_t
ngx_webrtc_output_feed_begin(ngx_webrtc_output_feed_t *feed, ngx_uint_t first)
{
    int64_t                          ts;
    u_char                          *config;
    size_t                           n;
    ngx_uint_t                       i;
    ngx_webrtc_output_feed_track_t  *t;

    if (ngx_webrtc_output_feed_write(feed, NGX_WEBRTC_MEDIA_BEGIN, 0, 0, 0,
                                     NULL, 0)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < NGX_WEBRTC_MEDIA_TRACKS; i++) {
        t = &feed->tracks[i];

        if (t->track == -1) {
            ngx_memzero(&t->told, sizeof(ngx_webrtc_track_t));
            continue;
        }

        config = NULL;
        n = 0;

        if (i == first) {
            config = feed->unit.data;
            n = feed->unit.config;
        }

        if (i == NGX_WEBRTC_MEDIA_VIDEO) {
            ngx_webrtc_output_feed_look(feed, &t->told);
            ts = t->told.traits;

        } else {
            t->told = feed->reader.tracks[t->track];
            ts = t->told.channels;
        }

        if (ngx_webrtc_output_feed_write(feed, NGX_WEBRTC_MEDIA_TRACK, i,
                                         t->told.codec, ts, config, n)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    feed->cvo = feed->unit.cvo;

    if (first == NGX_WEBRTC_MEDIA_VIDEO
        && ngx_webrtc_output_feed_write(feed, NGX_WEBRTC_MEDIA_TURN, first,
                                        feed->cvo, 0, NULL, 0)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    feed->begun = 1;
    feed->first_us = ngx_webrtc_output_feed_us(feed);
    feed->last_us = feed->first_us;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_output_feed_frame(ngx_webrtc_output_feed_t *feed, ngx_uint_t i)
{
    int64_t                    us;
    ngx_uint_t                 value;
    ngx_webrtc_output_unit_t  *unit;

    if (!feed->begun && ngx_webrtc_output_feed_begin(feed, i) != NGX_OK) {
        return NGX_DECLINED;
    }

    unit = &feed->unit;
    value = (i == NGX_WEBRTC_MEDIA_VIDEO && unit->key) ? NGX_WEBRTC_MEDIA_KEY
                                                       : 0;

    if (ngx_webrtc_output_feed_write(feed, NGX_WEBRTC_MEDIA_FRAME, i, value,
                                     unit->ts, unit->data + unit->config,
                                     unit->n - unit->config)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (value == NGX_WEBRTC_MEDIA_KEY) {
        feed->keyed = ngx_current_msec;
    }

    if (i == NGX_WEBRTC_MEDIA_VIDEO) {
        feed->pictured = ngx_current_msec;
    }

    us = ngx_webrtc_output_feed_us(feed);
    feed->last_us = ngx_max(feed->last_us, us);

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_output_feed_write(ngx_webrtc_output_feed_t *feed, ngx_uint_t type,
    ngx_uint_t i, ngx_uint_t value, int64_t ts, u_char *data, size_t n)
{
    ngx_webrtc_media_record_t  r;

    ngx_memzero(&r, sizeof(ngx_webrtc_media_record_t));

    r.type = (uint8_t) type;
    r.track = (uint8_t) i;
    r.value = (uint16_t) value;
    r.ts = ts;
    r.data = data;
    r.len = n;

    return ngx_webrtc_media_write(feed->job, &r);
}


ngx_uint_t
ngx_webrtc_output_feed_wants_key(ngx_webrtc_output_feed_t *feed,
    ngx_msec_t old)
{
    return ngx_webrtc_output_reader_wants_key(&feed->reader)
           || (feed->job && (!feed->begun || feed->turns))
           || (feed->wait_key && !feed->shut)
           || (feed->begun
               && feed->tracks[NGX_WEBRTC_MEDIA_VIDEO].track != -1
               && ngx_current_msec - feed->keyed >= old);
}


void
ngx_webrtc_output_feed_end(ngx_webrtc_output_feed_t *feed)
{
    if (ngx_webrtc_output_feed_write(feed, NGX_WEBRTC_MEDIA_END, 0, 0, 0, NULL,
                                     0)
        != NGX_OK)
    {
        /* no room: it completes what it has got */

        ngx_webrtc_media_stop(feed->job);
    }

    feed->job = NULL;
}


uint64_t
ngx_webrtc_output_feed_ms(ngx_webrtc_output_feed_t *feed)
{
    return (uint64_t) (feed->last_us - feed->first_us) / 1000;
}


/* the time of the frame, of the stream, in us */

static int64_t
ngx_webrtc_output_feed_us(ngx_webrtc_output_feed_t *feed)
{
    uint32_t  clock;

    clock = feed->reader.tracks[feed->unit.track].clock_rate;

    return clock ? ngx_webrtc_ts_scale(feed->unit.ts, 1000000, clock) : 0;
}
