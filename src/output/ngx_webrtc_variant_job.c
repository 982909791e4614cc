
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The job of a variant.
 *
 *   1. It begins at a key frame of the parent, and so gets frames from the past
 *      first.  What it makes of these is not written: viewers want to see what
 *      is live, and those who were there before have seen it.  "floor" is the
 *      time of the parent's newest frame then; when the job has come to it,
 *      it is asked for a key frame, which is the first that is written.  If
 *      nobody has made the variant before, that may show the newest frame
 *      itself: the next one may be far.
 *
 *   2. If there is no room for a frame, it is left out, and so are all up to
 *      the next key frame (ngx_webrtc_output_reader_skip()).
 *
 *   3. A job that has ended by itself is started anew after a pause that
 *      doubles; one whose process was killed, soon.  Viewers keep the last
 *      picture meanwhile.
 *
 *   4. Requests for key frames are passed on, one at a time, until one has
 *      come or NGX_WEBRTC_VARIANT_JOB_ASK has passed.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_bus_figures.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_media.h"
#include "ngx_webrtc_time.h"
#include "ngx_webrtc_variant_job.h"


/* ms of pauses: after a first crash, the first of the others, the longest;
 * chosen, as for sources */
#define NGX_WEBRTC_VARIANT_JOB_CRASHED  100
#define NGX_WEBRTC_VARIANT_JOB_LEAST    500
#define NGX_WEBRTC_VARIANT_JOB_MOST     5000

/* ms that a job has to run for its end to be blamed on what came since */
#define NGX_WEBRTC_VARIANT_JOB_WELL     60000

/* ms between two requests for a key frame, ms until one is taken for lost;
 * chosen: a picture or two, and an encoder under load */
#define NGX_WEBRTC_VARIANT_JOB_ASK      300
#define NGX_WEBRTC_VARIANT_JOB_LOST     1000

/* in 90 kHz: what is missing that viewers get late rather than not; chosen */
#define NGX_WEBRTC_VARIANT_JOB_NEAR     45000

/* ms after which a viewer's limit is one no more, and part of it that is added
 * in each tick then; chosen: viewers look as often, and 8 % in a second */
#define NGX_WEBRTC_VARIANT_JOB_LIMITED  2000
#define NGX_WEBRTC_VARIANT_JOB_GROWTH   50

/* entries of a ring that are searched for its last video; chosen */
#define NGX_WEBRTC_VARIANT_JOB_SEARCH   512


static ngx_int_t ngx_webrtc_variant_job_encode(ngx_webrtc_variant_run_t *vr,
    ngx_webrtc_media_transcode_t *encode);
static void ngx_webrtc_variant_job_last(ngx_webrtc_variant_run_t *vr);
static ngx_int_t ngx_webrtc_variant_job_begin(ngx_webrtc_variant_run_t *vr,
    ngx_webrtc_output_unit_t *unit);
static ngx_int_t ngx_webrtc_variant_job_write(ngx_webrtc_variant_run_t *vr,
    ngx_uint_t type, ngx_uint_t value, u_char *data, size_t n);
static void ngx_webrtc_variant_job_on_note(void *data,
    ngx_webrtc_media_note_t *note);
static void ngx_webrtc_variant_job_on_record(void *data,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_variant_job_frame(ngx_webrtc_variant_run_t *vr,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_variant_job_written(ngx_webrtc_variant_run_t *vr,
    ngx_uint_t key);
static void ngx_webrtc_variant_job_on_room(void *data);
static void ngx_webrtc_variant_job_on_ended(void *data, ngx_uint_t crashed);
static void ngx_webrtc_variant_job_pause(ngx_webrtc_variant_run_t *vr);
static void ngx_webrtc_variant_job_timer(ngx_event_t *ev);
static void ngx_webrtc_variant_job_ask(ngx_webrtc_variant_run_t *vr);
static uint32_t ngx_webrtc_variant_job_limit(ngx_webrtc_variant_run_t *vr);
static void ngx_webrtc_variant_job_published(void *ctx,
    ngx_webrtc_source_delta_t *delta);
static ngx_int_t ngx_webrtc_variant_job_grow(void *ctx, size_t need);


static const ngx_webrtc_media_handlers_t  ngx_webrtc_variant_job_handlers = {
    ngx_webrtc_variant_job_on_note,
    ngx_webrtc_variant_job_on_record,
    NULL,
    ngx_webrtc_variant_job_on_room,
    ngx_webrtc_variant_job_on_ended
};


/* an encoder makes key frames when asked: its last one is useful for as long as
 * a publisher's */

static const ngx_webrtc_ring_keep_t  ngx_webrtc_variant_job_keep = {
    NGX_WEBRTC_KEEP_US, NGX_WEBRTC_KEEP_MAX, 3500000
};


/* by NGX_WEBRTC_VARIANT_HW_* */

static ngx_str_t  ngx_webrtc_variant_job_hw[] = {
    ngx_string("auto"),
    ngx_string("none"),
    ngx_string("vaapi"),
    ngx_string("nvenc"),
    ngx_string("qsv"),
    ngx_string("v4l2m2m")
};


void
ngx_webrtc_variant_job_init(ngx_webrtc_variant_run_t *vr)
{
    vr->place[NGX_WEBRTC_MEDIA_VIDEO] = NGX_WEBRTC_MEDIA_VIDEO;
    vr->place[NGX_WEBRTC_MEDIA_AUDIO] = NGX_WEBRTC_MEDIA_AUDIO;

    vr->out_conf.ring = vr->st->ring;
    vr->out_conf.place = vr->place;
    vr->out_conf.keep = &ngx_webrtc_variant_job_keep;
    vr->out_conf.published = ngx_webrtc_variant_job_published;
    vr->out_conf.grow = ngx_webrtc_variant_job_grow;
    vr->out_conf.ctx = vr;

    ngx_webrtc_source_out_init(&vr->out, &vr->out_conf);

    vr->timer.handler = ngx_webrtc_variant_job_timer;
    vr->timer.data = vr;
    vr->timer.log = &vr->log;

    if (!vr->anew) {
        ngx_webrtc_variant_job_last(vr);
    }
}


/* the time of the last video that another worker has written, if it is there */

static void
ngx_webrtc_variant_job_last(ngx_webrtc_variant_run_t *vr)
{
    uint64_t                  n, head;
    ngx_uint_t                ntracks;
    ngx_webrtc_track_t        tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_ring_packet_t  pkt;

    (void) ngx_webrtc_bus_tracks(vr->st, tracks, &ntracks);

    head = ngx_webrtc_ring_head(vr->st->ring);

    for (n = head; n && head - n < NGX_WEBRTC_VARIANT_JOB_SEARCH; /* void */ ) {

        if (ngx_webrtc_ring_peek(vr->st->ring, --n, &pkt, NULL) != NGX_OK) {
            return;
        }

        if (pkt.track < ntracks && tracks[pkt.track].kind == NGX_WEBRTC_VIDEO)
        {
            vr->has = 1;
            vr->written = ngx_webrtc_timeline_media(&vr->parent->timeline,
                                       tracks[pkt.track].clock_rate,
                                       (int64_t) pkt.arrival_us, pkt.ts);
            return;
        }
    }
}


void
ngx_webrtc_variant_job_start(ngx_webrtc_variant_run_t *vr)
{
    ngx_err_t                  err;
    const char                *cause;
    ngx_webrtc_media_start_t   start;

    if (vr->job || vr->timer.timer_set) {
        return;
    }

    ngx_memzero(&start, sizeof(ngx_webrtc_media_start_t));

    start.kind = NGX_WEBRTC_MEDIA_TRANSCODE;
    start.name = vr->name;

    if (ngx_webrtc_variant_job_encode(vr, &start.encode) != NGX_OK) {
        cause = "it cannot be made";
        err = 0;

    } else {
        vr->job = ngx_webrtc_media_start(&start, 1,
                                         &ngx_webrtc_variant_job_handlers, vr,
                                         &vr->log, &cause, &err);
    }

    if (vr->job == NULL) {
        ngx_webrtc_bus_complain(vr->bus, vr->st, NGX_LOG_ERR, &vr->log,
                                "variant not started", "%s%s%s", cause,
                                err ? ": " : "", err ? strerror(err) : "");

        ngx_webrtc_variant_job_pause(vr);
        return;
    }

    vr->started = ngx_current_msec;
    vr->codec = NGX_WEBRTC_CODEC_NONE;
    vr->bitrate = 0;
    vr->fed = INT64_MIN / 2;
    vr->live = 0;
    vr->crossed = 0;
    vr->asking = 0;

    ngx_webrtc_source_out_begin(&vr->out);

    (void) ngx_webrtc_source_out_track(&vr->out, NGX_WEBRTC_MEDIA_VIDEO,
                                       vr->how.codec, NULL, 0);

    /* from the newest key frame */

    ngx_webrtc_output_reader_done(&vr->reader);
    ngx_memzero(&vr->reader, sizeof(ngx_webrtc_output_reader_t));
    ngx_webrtc_output_reader_init(&vr->reader, vr->parent, &vr->log);
    vr->reader.version = 0;

    ngx_log_error(NGX_LOG_INFO, &vr->log, 0, "webrtc variant started");
}


static ngx_int_t
ngx_webrtc_variant_job_encode(ngx_webrtc_variant_run_t *vr,
    ngx_webrtc_media_transcode_t *encode)
{
    ngx_webrtc_variant_t  *how;

    how = &vr->how;

    if (how->hw >= sizeof(ngx_webrtc_variant_job_hw) / sizeof(ngx_str_t)) {
        return NGX_DECLINED;
    }

    encode->codec = how->codec;
    encode->deinterlace = how->deinterlace;
    encode->upright = 1;
    encode->width = how->width;
    encode->height = how->height;
    encode->fps = how->fps;
    encode->bitrate = how->bitrate;
    encode->hw = ngx_webrtc_variant_job_hw[how->hw];

    return NGX_OK;
}


void
ngx_webrtc_variant_job_stop(ngx_webrtc_variant_run_t *vr)
{
    if (vr->job) {
        ngx_webrtc_media_close(vr->job);
        vr->job = NULL;
    }

    if (vr->timer.timer_set) {
        ngx_del_timer(&vr->timer);
    }

    vr->pause = 0;
}


ngx_int_t
ngx_webrtc_variant_job_feed(ngx_webrtc_variant_run_t *vr,
    ngx_webrtc_output_unit_t *unit)
{
    ngx_int_t                  rc;
    ngx_webrtc_media_record_t  r;

    if (ngx_webrtc_variant_job_begin(vr, unit) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_memzero(&r, sizeof(ngx_webrtc_media_record_t));

    r.type = NGX_WEBRTC_MEDIA_FRAME;
    r.track = NGX_WEBRTC_MEDIA_VIDEO;
    r.value = unit->key ? NGX_WEBRTC_MEDIA_KEY : 0;
    r.ts = unit->ts;
    r.now_us = unit->arrival_us;
    r.data = unit->data + unit->config;
    r.len = unit->n - unit->config;

    rc = ngx_webrtc_media_write(vr->job, &r);

    if (rc == NGX_OK) {
        vr->fed = ngx_max(vr->fed, unit->ts);
        return NGX_OK;
    }

    ngx_webrtc_atomic_add(&vr->st->stat.dropped, 1);

    if (vr->late == 0 || ngx_current_msec - vr->late > 60000) {
        ngx_webrtc_bus_complain(vr->bus, vr->st, NGX_LOG_WARN, &vr->log,
                                "variant", "the encoder does not keep up: "
                                "pictures are left out; lower what is asked "
                                "of it, or the number of variants");
        vr->late = ngx_current_msec;
    }

    return NGX_DECLINED;
}


/* what the job has to know before a frame */

static ngx_int_t
ngx_webrtc_variant_job_begin(ngx_webrtc_variant_run_t *vr,
    ngx_webrtc_output_unit_t *unit)
{
    uint32_t     config;
    ngx_uint_t   codec;

    codec = ngx_webrtc_output_reader_codec(&vr->reader, unit->track);
    config = unit->config ? ngx_crc32_long(unit->data, unit->config) : 0;

    if (codec != vr->codec) {
        vr->codec = NGX_WEBRTC_CODEC_NONE;

        if (ngx_webrtc_variant_job_write(vr, NGX_WEBRTC_MEDIA_BEGIN, 0, NULL,
                                         0)
            != NGX_OK
            || ngx_webrtc_variant_job_write(vr, NGX_WEBRTC_MEDIA_TRACK, codec,
                                            unit->data, unit->config)
               != NGX_OK
            || ngx_webrtc_variant_job_write(vr, NGX_WEBRTC_MEDIA_TURN,
                                            unit->cvo, NULL, 0)
               != NGX_OK)
        {
            return NGX_DECLINED;
        }

        vr->codec = (uint8_t) codec;
        vr->cvo = unit->cvo;
        vr->config = config;

        return NGX_OK;
    }

    if (unit->seam
        && ngx_webrtc_variant_job_write(vr, NGX_WEBRTC_MEDIA_SEAM, 0, NULL, 0)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (unit->config && config != vr->config) {

        if (ngx_webrtc_variant_job_write(vr, NGX_WEBRTC_MEDIA_CONFIG, 0,
                                         unit->data, unit->config)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        vr->config = config;
    }

    if (unit->cvo != vr->cvo) {

        if (ngx_webrtc_variant_job_write(vr, NGX_WEBRTC_MEDIA_TURN, unit->cvo,
                                         NULL, 0)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        vr->cvo = unit->cvo;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_variant_job_write(ngx_webrtc_variant_run_t *vr, ngx_uint_t type,
    ngx_uint_t value, u_char *data, size_t n)
{
    ngx_webrtc_media_record_t  r;

    ngx_memzero(&r, sizeof(ngx_webrtc_media_record_t));

    r.type = (uint8_t) type;
    r.track = NGX_WEBRTC_MEDIA_VIDEO;
    r.value = (uint16_t) value;
    r.data = data;
    r.len = n;

    return ngx_webrtc_media_write(vr->job, &r);
}


void
ngx_webrtc_variant_job_fed(ngx_webrtc_variant_run_t *vr)
{
    if (vr->live || vr->codec == NGX_WEBRTC_CODEC_NONE) {
        return;
    }

    vr->live = 1;
    vr->floor = vr->fed + !vr->anew;

    if (vr->has && vr->fed - vr->written < NGX_WEBRTC_VARIANT_JOB_NEAR) {
        /* little is missing: it is made up for */
        vr->floor = vr->written + 1;
    }

    vr->anew = 0;
}


static void
ngx_webrtc_variant_job_on_note(void *data, ngx_webrtc_media_note_t *note)
{
    ngx_webrtc_variant_run_t *vr = data;

    switch (note->type) {

    case NGX_WEBRTC_MEDIA_UP:
    case NGX_WEBRTC_MEDIA_MORE:

        if (note->ntracks > NGX_WEBRTC_MEDIA_VIDEO) {
            vr->made = note->tracks[NGX_WEBRTC_MEDIA_VIDEO];
        }

        if (note->type == NGX_WEBRTC_MEDIA_UP) {
            ngx_webrtc_atomic_add(&vr->st->stat.starts, 1);
        }

        if (vr->up) {
            ngx_webrtc_variant_job_tracks(vr);
        }

        ngx_webrtc_media_go(vr->job);

        break;

    case NGX_WEBRTC_MEDIA_LOG:

        if (note->level > NGX_LOG_WARN) {
            ngx_log_error(note->level, &vr->log, 0, "webrtc variant: %*s",
                          note->len, note->text);
            break;
        }

        ngx_webrtc_bus_complain(vr->bus, vr->st, note->level, &vr->log,
                                "variant", "%*s", note->len, note->text);
        break;

    default: /* _DOWN, _FAILED, _REFUSED: its end follows, or another try */

        ngx_webrtc_atomic_add(&vr->st->stat.failures, 1);

        ngx_webrtc_bus_complain(vr->bus, vr->st, NGX_LOG_ERR, &vr->log,
                                "variant failed", "%*s", note->len,
                                note->text);
        break;
    }
}


static void
ngx_webrtc_variant_job_on_record(void *data, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_variant_run_t *vr = data;

    if (r->type == NGX_WEBRTC_MEDIA_TRACK && r->value != vr->how.codec) {
        return;
    }

    if (r->type != NGX_WEBRTC_MEDIA_FRAME) {
        (void) ngx_webrtc_source_out_record(&vr->out, r);
        return;
    }

    if (r->track == NGX_WEBRTC_MEDIA_VIDEO) {
        ngx_webrtc_variant_job_frame(vr, r);
    }

    if (vr->out.dry) {
        vr->out.dry = 0;

        ngx_webrtc_bus_complain(vr->bus, vr->st, NGX_LOG_ERR, &vr->log,
                                "variant down", "no memory for packets is left "
                                "in webrtc_zone: enlarge it");

        ngx_webrtc_media_close(vr->job);
        vr->job = NULL;

        ngx_webrtc_variant_job_pause(vr);
    }
}


static void
ngx_webrtc_variant_job_frame(ngx_webrtc_variant_run_t *vr,
    ngx_webrtc_media_record_t *r)
{
    uint64_t  keyframes;

    if (!vr->live || r->ts < vr->floor) {
        return;
    }

    if (!vr->crossed) {
        vr->crossed = 1;

        /* this one, unless it is a key frame, and all up to the next */

        ngx_webrtc_source_out_seam(&vr->out);
    }

    r->now_us = (int64_t) ngx_webrtc_time_now();

    keyframes = vr->st->stat.keyframes;

    if (ngx_webrtc_source_out_record(&vr->out, r) == NGX_OK) {
        vr->has = 1;
        vr->written = r->ts;

        ngx_webrtc_variant_job_written(vr,
                                    vr->st->stat.keyframes != keyframes);

    } else if (vr->out.wait_key) {
        ngx_webrtc_variant_job_ask(vr);
    }
}


/* a frame is in the ring */

static void
ngx_webrtc_variant_job_written(ngx_webrtc_variant_run_t *vr, ngx_uint_t key)
{
    ngx_webrtc_track_t  track;

    if (key) {
        vr->asking = 0;
        vr->wants_key = 0;
        vr->pause = 0;      /* it works */

        ngx_webrtc_bus_keyframe_done(vr->st);

        /* size and profile as the bytes say */

        (void) ngx_webrtc_pack_track(&vr->out.pack[NGX_WEBRTC_MEDIA_VIDEO],
                                     &track);

        if (track.width) {
            vr->made.profile = track.profile;
            vr->made.width = track.width;
            vr->made.height = track.height;
        }

        vr->made.kind = NGX_WEBRTC_VIDEO;

        ngx_webrtc_variant_job_tracks(vr);
    }

    if (!vr->up
        && vr->made.kind
        && ngx_webrtc_bus_state(vr->parent) == NGX_WEBRTC_STREAM_ACTIVE)
    {
        vr->up = 1;

        ngx_webrtc_bus_set_state(vr->bus, vr->st, NGX_WEBRTC_STREAM_ACTIVE,
                                 ngx_current_msec);
    }
}


void
ngx_webrtc_variant_job_tracks(ngx_webrtc_variant_run_t *vr)
{
    ngx_uint_t                   i, n, ntracks;
    ngx_webrtc_track_t           was[NGX_WEBRTC_TRACKS], *t;
    ngx_webrtc_track_t           tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_output_reader_t  *rd;

    rd = &vr->reader;
    ntracks = rd->ntracks;

    ngx_memcpy(tracks, rd->tracks, sizeof(tracks));

    for (i = 0; i < ntracks; i++) {
        t = &tracks[i];

        if ((ngx_int_t) i == vr->video) {
            ngx_webrtc_codec_track(ngx_webrtc_codec(vr->how.codec), t, 0);

            t->profile = vr->made.profile;
            t->width = vr->made.width;
            t->height = vr->made.height;
            t->depth = 8;
            t->chroma = NGX_WEBRTC_CHROMA_420;

            if (vr->made.kind == 0) {
                t->flags = NGX_WEBRTC_TRACK_PENDING|NGX_WEBRTC_TRACK_ANNOUNCED;
            }

        } else if (t->kind == NGX_WEBRTC_VIDEO) {

            /* a second one is not made */

            ngx_memzero(t, sizeof(ngx_webrtc_track_t));

        } else if (ngx_webrtc_output_reader_codec(rd, i)
                   != NGX_WEBRTC_CODEC_NONE)
        {
            /* a change of codec has been said, but not been read */

            t->codec = (uint8_t) ngx_webrtc_output_reader_codec(rd, i);
        }
    }

    if (ngx_webrtc_bus_tracks(vr->st, was, &n) != 0
        && n == ntracks
        && ngx_memcmp(was, tracks, n * sizeof(ngx_webrtc_track_t)) == 0)
    {
        return;
    }

    for (i = 0; i < ngx_min(n, ntracks); i++) {

        if (was[i].codec != tracks[i].codec) {
            ngx_webrtc_atomic_store(&vr->st->since[i],
                                    vr->out.writer.next[i]);
        }
    }

    ngx_webrtc_bus_set_tracks(vr->st, tracks, ntracks);
    ngx_webrtc_bus_wake(vr->bus, vr->st);
}


static void
ngx_webrtc_variant_job_on_room(void *data)
{
    /* the reader waits for a key frame anyway */

    (void) data;
}


static void
ngx_webrtc_variant_job_on_ended(void *data, ngx_uint_t crashed)
{
    ngx_webrtc_variant_run_t *vr = data;

    vr->job = NULL;

    if (ngx_current_msec - vr->started > NGX_WEBRTC_VARIANT_JOB_WELL) {
        vr->crashes = 0;
        vr->pause = 0;
    }

    if (!crashed) {
        ngx_webrtc_variant_job_pause(vr);
        return;
    }

    if (++vr->crashes == 1) {
        ngx_add_timer(&vr->timer, NGX_WEBRTC_VARIANT_JOB_CRASHED);
        return;
    }

    ngx_webrtc_bus_complain(vr->bus, vr->st, NGX_LOG_ERR, &vr->log,
                            "variant down", "its media process has ended "
                            "several times in a row: it may be what the stream "
                            "has, or how much of it");

    ngx_webrtc_variant_job_pause(vr);
}


/* tries again after a while: viewers who come meanwhile are told why */

static void
ngx_webrtc_variant_job_pause(ngx_webrtc_variant_run_t *vr)
{
    if (vr->up) {
        vr->up = 0;

        ngx_webrtc_bus_set_state(vr->bus, vr->st, NGX_WEBRTC_STREAM_INACTIVE,
                                 ngx_current_msec);
    }

    vr->pause = vr->pause ? ngx_min(vr->pause * 2, NGX_WEBRTC_VARIANT_JOB_MOST)
                          : NGX_WEBRTC_VARIANT_JOB_LEAST;

    ngx_add_timer(&vr->timer, vr->pause);
}


static void
ngx_webrtc_variant_job_timer(ngx_event_t *ev)
{
    ngx_webrtc_variant_run_t  *vr;

    vr = ev->data;

    if (ngx_webrtc_bus_state(vr->parent) == NGX_WEBRTC_STREAM_ACTIVE) {
        ngx_webrtc_variant_job_start(vr);
    }

    /* the next tick reads for it */
}


void
ngx_webrtc_variant_job_keyframe(ngx_webrtc_variant_run_t *vr)
{
    vr->wants_key = 1;

    ngx_webrtc_variant_job_ask(vr);
}


static void
ngx_webrtc_variant_job_ask(ngx_webrtc_variant_run_t *vr)
{
    if (vr->job == NULL
        || (vr->asking
            && ngx_current_msec - vr->asked < NGX_WEBRTC_VARIANT_JOB_LOST)
        || (vr->asked
            && ngx_current_msec - vr->asked < NGX_WEBRTC_VARIANT_JOB_ASK))
    {
        return;
    }

    vr->asking = 1;
    vr->asked = ngx_current_msec;

    ngx_webrtc_media_keyframe(vr->job);

    ngx_webrtc_atomic_add(&vr->st->stat.key_requests, 1);
}


void
ngx_webrtc_variant_job_tick(ngx_webrtc_variant_run_t *vr)
{
    uint32_t  bitrate;

    if (vr->job == NULL) {

        if (vr->wants_key) {
            /* the next job begins with one */
            vr->wants_key = 0;
            ngx_webrtc_bus_keyframe_done(vr->st);
        }

        return;
    }

    if (vr->wants_key) {
        ngx_webrtc_variant_job_ask(vr);
    }

    bitrate = ngx_webrtc_variant_job_limit(vr);

    if (bitrate == 0 || (vr->how.bitrate && bitrate > vr->how.bitrate)) {
        bitrate = vr->how.bitrate;
    }

    if (bitrate && bitrate != (vr->bitrate ? vr->bitrate : vr->how.bitrate)) {
        ngx_webrtc_media_bitrate(vr->job, bitrate);
        vr->bitrate = bitrate;
    }
}


/* The viewers' limit, which grows when none of them insists.  0: none. */

static uint32_t
ngx_webrtc_variant_job_limit(ngx_webrtc_variant_run_t *vr)
{
    uint32_t   limit, more;
    uint64_t   rate;

    limit = ngx_webrtc_atomic_load(&vr->st->variant_bitrate);

    if (limit != vr->limit) {

        if (vr->limit == 0) {
            rate = vr->how.bitrate ? vr->how.bitrate
                                   : ngx_webrtc_bus_bitrate(vr->st);

            vr->most = (uint32_t) ngx_min(rate, NGX_WEBRTC_VARIANT_BIT_MOST);
            vr->most = ngx_max(vr->most, limit);
        }

        vr->limit = limit;
        vr->limited = ngx_current_msec;

        return limit;
    }

    if (limit == 0
        || ngx_current_msec - vr->limited < NGX_WEBRTC_VARIANT_JOB_LIMITED)
    {
        return limit;
    }

    more = limit + limit / NGX_WEBRTC_VARIANT_JOB_GROWTH;
    more = (more < vr->most) ? more : 0;

    if (!ngx_webrtc_atomic_cas(&vr->st->variant_bitrate, limit, more)) {
        return limit;
    }

    vr->limit = more;

    /* of one without a bitrate of its own, the encoder has to be told */

    return more ? more : vr->most;
}


static void
ngx_webrtc_variant_job_published(void *ctx, ngx_webrtc_source_delta_t *delta)
{
    ngx_webrtc_variant_run_t *vr = ctx;

    ngx_webrtc_stream_stat_t  *stat;

    stat = &vr->st->stat;

    ngx_webrtc_atomic_add(&stat->packets, delta->packets);
    ngx_webrtc_atomic_add(&stat->bytes, delta->bytes);
    ngx_webrtc_atomic_add(&stat->frames, delta->frames);
    ngx_webrtc_atomic_add(&stat->keyframes, delta->keyframes);
    ngx_webrtc_atomic_add(&stat->dropped, delta->dropped);
    ngx_webrtc_atomic_add(&stat->clamped, delta->clamped);
    ngx_webrtc_atomic_add(&stat->damaged, delta->damaged);

    ngx_webrtc_bus_wake(vr->bus, vr->st);
}


static ngx_int_t
ngx_webrtc_variant_job_grow(void *ctx, size_t need)
{
    ngx_webrtc_variant_run_t *vr = ctx;

    return ngx_webrtc_bus_enlarge(vr->bus, vr->st, &vr->out.writer, need,
                                  &vr->log);
}
