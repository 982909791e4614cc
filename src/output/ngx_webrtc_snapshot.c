
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Pictures of streams: see the header file.
 *
 *   IDLE -- somebody asks --> LOOK -- a key frame, and a free place --> RUN
 *    ^                         |                                         |
 *    +-- is there, or cannot be+-------------- made, or failed ----------+
 *
 * A stream is held and watched by LOOK and RUN, and not while a picture of it
 * is only kept.  What could not be decoded is not tried again before there is
 * another key frame.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_media.h"
#include "ngx_webrtc_output_reader.h"
#include "ngx_webrtc_snapshot.h"
#include "ngx_webrtc_snapshot_feed.h"
#include "ngx_webrtc_time.h"


/* pictures that are made at a time; chosen: viewers come first */
#define NGX_WEBRTC_SNAPSHOT_JOBS     2

/* pictures of a worker, and bytes of them; chosen: a wall of thumbnails */
#define NGX_WEBRTC_SNAPSHOT_MOST     256
#define NGX_WEBRTC_SNAPSHOT_BYTES    (64 * 1024 * 1024)

/* pictures of one stream, of all sizes and formats; chosen: a page's */
#define NGX_WEBRTC_SNAPSHOT_SIZES    8

/* ms for which one is kept that nobody asks for; chosen: a page that reloads */
#define NGX_WEBRTC_SNAPSHOT_KEPT     10000

/* ms to wait for a key frame that was asked for, while there is an older one;
 * chosen: as viewers do */
#define NGX_WEBRTC_SNAPSHOT_ASKED    500

/* ms for a picture to be made; chosen: the largest one on a busy machine */
#define NGX_WEBRTC_SNAPSHOT_PATIENCE 20000


typedef enum {
    NGX_WEBRTC_SNAPSHOT_IDLE = 0,
    NGX_WEBRTC_SNAPSHOT_LOOK,
    NGX_WEBRTC_SNAPSHOT_RUN
} ngx_webrtc_snapshot_state_e;


typedef struct {
    ngx_queue_t                  queue;      /* who was asked for last first */
    uint64_t                     stream;     /* its ref */
    ngx_webrtc_media_picture_t   picture;    /* what is wanted */
    ngx_webrtc_snapshot_file_t  *file;       /* the last one; NULL: none */
    uint64_t                     bad;        /* key frame that failed, for all
                                                of the stream */
    ngx_msec_t                   used;       /* when it was asked for */
    ngx_uint_t                   state;
    ngx_log_t                   *log;
    const char                  *text;       /* why the bad one failed */
    u_char                       buf[NGX_WEBRTC_MEDIA_TEXT + 1];

    /* but in IDLE */

    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_stream_t         *st;         /* held and watched */
    ngx_queue_t                  asks;
    ngx_webrtc_media_job_t      *job;        /* in RUN */
    uint64_t                     number;     /* of the key frame, likewise */
    time_t                       time;       /* when that came */
    ngx_msec_t                   begun;      /* the state, when */
    ngx_msec_t                   wait;       /* in it at most */
    ngx_msec_t                   age;
    uint64_t                     before;     /* the newest when another one */
    unsigned                     asked:1;    /* was asked for */
    unsigned                     made:1;     /* the job has */
    unsigned                     ready:1;    /* the key frame is there */
    unsigned                     full:1;     /* no room for the file */
    unsigned                     alone:1;    /* it has killed a process */
    unsigned                     busy:1;     /* who asked is answered */
} ngx_webrtc_snapshot_t;


static ngx_webrtc_snapshot_t *ngx_webrtc_snapshot_find(uint64_t stream,
    ngx_webrtc_media_picture_t *picture);
static ngx_webrtc_snapshot_t *ngx_webrtc_snapshot_create(uint64_t stream,
    ngx_webrtc_media_picture_t *picture, ngx_log_t *log);
static ngx_uint_t ngx_webrtc_snapshot_sizes(uint64_t stream);
static ngx_uint_t ngx_webrtc_snapshot_evict(ngx_webrtc_snapshot_t *but,
    uint64_t stream);
static void ngx_webrtc_snapshot_free(ngx_webrtc_snapshot_t *sn);
static void ngx_webrtc_snapshot_begin(ngx_webrtc_snapshot_t *sn,
    ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_snapshot_ask_t *ask);
static void ngx_webrtc_snapshot_idle(ngx_webrtc_snapshot_t *sn);
static ngx_uint_t ngx_webrtc_snapshot_look(ngx_webrtc_snapshot_t *sn);
static ngx_uint_t ngx_webrtc_snapshot_key(ngx_webrtc_snapshot_t *sn);
static ngx_uint_t ngx_webrtc_snapshot_late(ngx_webrtc_snapshot_t *sn,
    ngx_msec_t ms);
static ngx_uint_t ngx_webrtc_snapshot_is_bad(ngx_webrtc_snapshot_t *sn);
static ngx_uint_t ngx_webrtc_snapshot_turn(ngx_webrtc_snapshot_t *sn);
static ngx_uint_t ngx_webrtc_snapshot_running(uint64_t stream);
static ngx_uint_t ngx_webrtc_snapshot_run(ngx_webrtc_snapshot_t *sn);
static ngx_uint_t ngx_webrtc_snapshot_start(ngx_webrtc_snapshot_t *sn,
    ngx_webrtc_output_reader_t *rd, ngx_webrtc_output_unit_t *unit);
static void ngx_webrtc_snapshot_on_note(void *data,
    ngx_webrtc_media_note_t *note);
static void ngx_webrtc_snapshot_on_record(void *data,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_snapshot_on_ended(void *data, ngx_uint_t crashed);
static void ngx_webrtc_snapshot_again(ngx_webrtc_snapshot_t *sn);
static void ngx_webrtc_snapshot_over(ngx_webrtc_snapshot_t *sn);
static ngx_webrtc_snapshot_file_t *ngx_webrtc_snapshot_file(
    ngx_webrtc_snapshot_t *sn, ngx_webrtc_media_record_t *r);
static void ngx_webrtc_snapshot_answer(ngx_webrtc_snapshot_t *sn,
    ngx_uint_t why);


static const ngx_webrtc_media_handlers_t  ngx_webrtc_snapshot_handlers = {
    ngx_webrtc_snapshot_on_note,
    ngx_webrtc_snapshot_on_record,
    NULL,
    NULL,                                /* what had no room is left out */
    ngx_webrtc_snapshot_on_ended
};


/* of this process */

static ngx_queue_t  ngx_webrtc_snapshots = {
    &ngx_webrtc_snapshots, &ngx_webrtc_snapshots
};

static ngx_uint_t  ngx_webrtc_snapshots_n;
static ngx_uint_t  ngx_webrtc_snapshots_jobs;
static size_t      ngx_webrtc_snapshots_bytes;


ngx_int_t
ngx_webrtc_snapshot(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_snapshot_ask_t *ask, ngx_log_t *log)
{
    ngx_uint_t              why;
    ngx_webrtc_snapshot_t  *sn;

    ask->file = NULL;
    ask->text = NULL;
    ask->why = NGX_WEBRTC_SNAPSHOT_FULL;

    sn = ngx_webrtc_snapshot_find(st->ref, &ask->picture);

    if (sn == NULL) {
        sn = ngx_webrtc_snapshot_create(st->ref, &ask->picture, log);

        if (sn == NULL) {
            return NGX_DECLINED;
        }
    }

    sn->used = ngx_current_msec;

    ngx_queue_remove(&sn->queue);
    ngx_queue_insert_head(&ngx_webrtc_snapshots, &sn->queue);

    if (sn->file && ngx_current_msec - sn->file->fresh < ask->age) {
        goto found;
    }

    if (sn->state != NGX_WEBRTC_SNAPSHOT_IDLE) {
        sn->age = ngx_min(sn->age, ask->age);
        sn->wait = ngx_max(sn->wait, ngx_current_msec - sn->begun + ask->wait);

    } else {
        ngx_webrtc_snapshot_begin(sn, bus, st, ask);

        why = ngx_webrtc_snapshot_look(sn);

        if (sn->state == NGX_WEBRTC_SNAPSHOT_IDLE) {
            if (why == 0) {
                goto found;
            }

            ask->why = why;
            ask->text = sn->text;

            return NGX_DECLINED;
        }
    }

    ask->queued = 1;
    ngx_queue_insert_tail(&sn->asks, &ask->queue);

    return NGX_AGAIN;

found:

    ask->file = sn->file;
    ask->file->refs++;

    return NGX_OK;
}


void
ngx_webrtc_snapshot_cancel(ngx_webrtc_snapshot_ask_t *ask)
{
    if (ask->queued) {
        ask->queued = 0;
        ngx_queue_remove(&ask->queue);
    }
}


void
ngx_webrtc_snapshot_done(ngx_webrtc_snapshot_file_t *file)
{
    if (file && --file->refs == 0) {
        ngx_webrtc_snapshots_bytes -= file->len;
        ngx_free(file);
    }
}


static ngx_webrtc_snapshot_t *
ngx_webrtc_snapshot_find(uint64_t stream, ngx_webrtc_media_picture_t *picture)
{
    ngx_queue_t            *q;
    ngx_webrtc_snapshot_t  *sn;

    for (q = ngx_queue_head(&ngx_webrtc_snapshots);
         q != ngx_queue_sentinel(&ngx_webrtc_snapshots);
         q = ngx_queue_next(q))
    {
        sn = ngx_queue_data(q, ngx_webrtc_snapshot_t, queue);

        if (sn->stream == stream
            && sn->picture.webp == picture->webp
            && sn->picture.quality == picture->quality
            && sn->picture.width == picture->width
            && sn->picture.height == picture->height)
        {
            return sn;
        }
    }

    return NULL;
}


static ngx_webrtc_snapshot_t *
ngx_webrtc_snapshot_create(uint64_t stream,
    ngx_webrtc_media_picture_t *picture, ngx_log_t *log)
{
    ngx_webrtc_snapshot_t  *sn;

    if ((ngx_webrtc_snapshot_sizes(stream) >= NGX_WEBRTC_SNAPSHOT_SIZES
         && !ngx_webrtc_snapshot_evict(NULL, stream))
        || (ngx_webrtc_snapshots_n >= NGX_WEBRTC_SNAPSHOT_MOST
            && !ngx_webrtc_snapshot_evict(NULL, 0)))
    {
        return NULL;
    }

    sn = ngx_calloc(sizeof(ngx_webrtc_snapshot_t), log);

    if (sn == NULL) {
        return NULL;
    }

    sn->stream = stream;
    sn->picture = *picture;
    sn->bad = NGX_WEBRTC_RING_NONE;
    sn->log = ngx_cycle->log;

    ngx_queue_init(&sn->asks);
    ngx_queue_insert_head(&ngx_webrtc_snapshots, &sn->queue);

    ngx_webrtc_snapshots_n++;

    return sn;
}


static ngx_uint_t
ngx_webrtc_snapshot_sizes(uint64_t stream)
{
    ngx_uint_t              n;
    ngx_queue_t            *q;
    ngx_webrtc_snapshot_t  *sn;

    n = 0;

    for (q = ngx_queue_head(&ngx_webrtc_snapshots);
         q != ngx_queue_sentinel(&ngx_webrtc_snapshots);
         q = ngx_queue_next(q))
    {
        sn = ngx_queue_data(q, ngx_webrtc_snapshot_t, queue);
        n += (sn->stream == stream);
    }

    return n;
}


/*
 * Frees what was asked for the longest time ago, of a stream or (0) of all; 0:
 * all are in use
 */

static ngx_uint_t
ngx_webrtc_snapshot_evict(ngx_webrtc_snapshot_t *but, uint64_t stream)
{
    ngx_queue_t            *q;
    ngx_webrtc_snapshot_t  *sn;

    for (q = ngx_queue_last(&ngx_webrtc_snapshots);
         q != ngx_queue_sentinel(&ngx_webrtc_snapshots);
         q = ngx_queue_prev(q))
    {
        sn = ngx_queue_data(q, ngx_webrtc_snapshot_t, queue);

        if (sn != but && !sn->busy && sn->state == NGX_WEBRTC_SNAPSHOT_IDLE
            && (stream == 0 || sn->stream == stream))
        {
            ngx_webrtc_snapshot_free(sn);
            return 1;
        }
    }

    return 0;
}


static void
ngx_webrtc_snapshot_free(ngx_webrtc_snapshot_t *sn)
{
    ngx_queue_remove(&sn->queue);
    ngx_webrtc_snapshots_n--;

    ngx_webrtc_snapshot_done(sn->file);
    ngx_free(sn);
}


static void
ngx_webrtc_snapshot_begin(ngx_webrtc_snapshot_t *sn, ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_webrtc_snapshot_ask_t *ask)
{
    sn->state = NGX_WEBRTC_SNAPSHOT_LOOK;
    sn->bus = bus;
    sn->st = st;
    sn->begun = ngx_current_msec;
    sn->wait = ask->wait;
    sn->age = ask->age;
    sn->asked = 0;
    sn->made = 0;
    sn->ready = 0;
    sn->full = 0;

    ngx_webrtc_bus_hold(bus, st);
    ngx_webrtc_bus_watch(bus, st);
}


static void
ngx_webrtc_snapshot_idle(ngx_webrtc_snapshot_t *sn)
{
    sn->state = NGX_WEBRTC_SNAPSHOT_IDLE;

    ngx_webrtc_bus_unwatch(sn->bus, sn->st);
    ngx_webrtc_bus_release(sn->bus, sn->st);

    sn->st = NULL;
}


/*
 * In LOOK.  If it is IDLE then, it is over: 0, sn->file is the newest; else
 * why there is none.
 */

static ngx_uint_t
ngx_webrtc_snapshot_look(ngx_webrtc_snapshot_t *sn)
{
    ngx_uint_t  why;

    why = NGX_WEBRTC_SNAPSHOT_NOT_LIVE;
    sn->ready = 0;

    if (ngx_webrtc_bus_state(sn->st) == NGX_WEBRTC_STREAM_ACTIVE) {

        if (!ngx_webrtc_snapshot_feed_video(sn->st)) {
            ngx_webrtc_snapshot_idle(sn);
            return NGX_WEBRTC_SNAPSHOT_NO_VIDEO;
        }

        if (ngx_webrtc_snapshot_key(sn)) {

            if (sn->file && sn->file->number == sn->number) {
                sn->file->fresh = ngx_current_msec;
                ngx_webrtc_snapshot_idle(sn);
                return 0;
            }

            if (ngx_webrtc_snapshot_is_bad(sn)) {
                ngx_webrtc_snapshot_idle(sn);
                return NGX_WEBRTC_SNAPSHOT_FAILED;
            }

            sn->ready = 1;

            if (!ngx_webrtc_snapshot_turn(sn)) {
                why = NGX_WEBRTC_SNAPSHOT_FULL;

            } else {
                why = ngx_webrtc_snapshot_run(sn);

                if (why == 0) {
                    return 0;
                }

                if (why == NGX_WEBRTC_SNAPSHOT_FAILED) {
                    ngx_webrtc_snapshot_idle(sn);
                    return why;
                }
            }
        }
    }

    if (ngx_webrtc_snapshot_late(sn, sn->wait)) {
        ngx_webrtc_snapshot_idle(sn);
    }

    return why;
}


/* a key frame that cannot be decoded cannot in any size */

static ngx_uint_t
ngx_webrtc_snapshot_is_bad(ngx_webrtc_snapshot_t *sn)
{
    ngx_queue_t            *q;
    ngx_webrtc_snapshot_t  *other;

    for (q = ngx_queue_head(&ngx_webrtc_snapshots);
         q != ngx_queue_sentinel(&ngx_webrtc_snapshots);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_webrtc_snapshot_t, queue);

        if (other->stream == sn->stream && other->bad == sn->number) {
            sn->text = "its key frame cannot be decoded";
            return 1;
        }
    }

    return 0;
}


/*
 * A place is free, and nobody has waited for longer.  A stream has one at a
 * time, so that whoever asks for all sizes of one holds up no other.
 */

static ngx_uint_t
ngx_webrtc_snapshot_turn(ngx_webrtc_snapshot_t *sn)
{
    ngx_queue_t            *q;
    ngx_webrtc_snapshot_t  *other;

    if (ngx_webrtc_snapshots_jobs >= NGX_WEBRTC_SNAPSHOT_JOBS
        || ngx_webrtc_snapshot_running(sn->stream))
    {
        return 0;
    }

    for (q = ngx_queue_head(&ngx_webrtc_snapshots);
         q != ngx_queue_sentinel(&ngx_webrtc_snapshots);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_webrtc_snapshot_t, queue);

        /* that one is first, unless its stream has a place */

        if (other->state == NGX_WEBRTC_SNAPSHOT_LOOK && other->ready
            && (ngx_msec_int_t) (sn->begun - other->begun) > 0
            && !ngx_webrtc_snapshot_running(other->stream))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_webrtc_snapshot_running(uint64_t stream)
{
    ngx_queue_t            *q;
    ngx_webrtc_snapshot_t  *sn;

    for (q = ngx_queue_head(&ngx_webrtc_snapshots);
         q != ngx_queue_sentinel(&ngx_webrtc_snapshots);
         q = ngx_queue_next(q))
    {
        sn = ngx_queue_data(q, ngx_webrtc_snapshot_t, queue);

        if (sn->state == NGX_WEBRTC_SNAPSHOT_RUN && sn->stream == stream) {
            return 1;
        }
    }

    return 0;
}


/* 1: sn->number and sn->time are those of a key frame that will do */

static ngx_uint_t
ngx_webrtc_snapshot_key(ngx_webrtc_snapshot_t *sn)
{
    int64_t                    old_us;
    uint64_t                   n;
    ngx_uint_t                 any;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_packet_t   pkt;

    ring = ngx_webrtc_atomic_load_acquire(&sn->st->ring);
    n = ngx_webrtc_ring_keyframe(ring);

    any = (n != NGX_WEBRTC_RING_NONE
           && ngx_webrtc_ring_peek(ring, n, &pkt, NULL) == NGX_OK);

    if (any) {
        old_us = (int64_t) (ngx_webrtc_time_now() - pkt.arrival_us);
        old_us = ngx_max(old_us, 0);

        if (old_us < (int64_t) sn->age * 1000
            || (sn->asked && n != sn->before)
            || !ngx_webrtc_bus_may_ask(sn->st)
            || ngx_webrtc_snapshot_late(sn, ngx_min(sn->wait,
                                                NGX_WEBRTC_SNAPSHOT_ASKED)))
        {
            sn->number = n;
            sn->time = ngx_time() - (time_t) (old_us / 1000000);

            return 1;
        }
    }

    if (!sn->asked) {
        sn->asked = 1;
        sn->before = n;
        (void) ngx_webrtc_bus_keyframe(sn->bus, sn->st);
    }

    return 0;
}


static ngx_uint_t
ngx_webrtc_snapshot_late(ngx_webrtc_snapshot_t *sn, ngx_msec_t ms)
{
    return ngx_current_msec - sn->begun >= ms;
}


/* 0: it runs; NOT_LIVE: the key frame is not there yet; FAILED: sn->text */

static ngx_uint_t
ngx_webrtc_snapshot_run(ngx_webrtc_snapshot_t *sn)
{
    ngx_uint_t                   why;
    ngx_webrtc_output_unit_t     unit;
    ngx_webrtc_output_reader_t  *rd;

    rd = ngx_calloc(sizeof(ngx_webrtc_output_reader_t), sn->log);

    if (rd == NULL) {
        sn->text = "no memory";
        return NGX_WEBRTC_SNAPSHOT_FAILED;
    }

    ngx_webrtc_output_reader_init(rd, sn->st, sn->log);

    why = NGX_WEBRTC_SNAPSHOT_NOT_LIVE;

    while (ngx_webrtc_snapshot_feed_next(rd, &unit) == NGX_OK) {
        if (unit.key) {
            why = ngx_webrtc_snapshot_start(sn, rd, &unit);
            break;
        }
    }

    ngx_webrtc_output_reader_done(rd);
    ngx_free(rd);

    return why;
}


/* as ngx_webrtc_snapshot_run() */

static ngx_uint_t
ngx_webrtc_snapshot_start(ngx_webrtc_snapshot_t *sn,
    ngx_webrtc_output_reader_t *rd, ngx_webrtc_output_unit_t *unit)
{
    ngx_err_t                 err;
    const char               *cause;
    ngx_webrtc_media_start_t  start;

    ngx_memzero(&start, sizeof(ngx_webrtc_media_start_t));

    start.kind = NGX_WEBRTC_MEDIA_PICTURE;
    start.name.data = sn->st->name;
    start.name.len = sn->st->name_len;
    start.picture = sn->picture;

    sn->job = ngx_webrtc_media_start(&start, sn->alone,
                                     &ngx_webrtc_snapshot_handlers, sn, sn->log,
                                     &cause, &err);

    if (sn->job == NULL) {
        ngx_webrtc_bus_complain(sn->bus, sn->st, NGX_LOG_ERR, sn->log,
                                "snapshot", "%s%s%s", cause, err ? ": " : "",
                                err ? strerror(err) : "");
        sn->text = cause;
        return NGX_WEBRTC_SNAPSHOT_FAILED;
    }

    if (ngx_webrtc_snapshot_feed(sn->job, rd, unit) != NGX_OK) {
        ngx_webrtc_media_close(sn->job);
        sn->job = NULL;

        sn->text = "its key frame is too large";
        sn->bad = sn->number;

        return NGX_WEBRTC_SNAPSHOT_FAILED;
    }

    ngx_webrtc_snapshots_jobs++;

    sn->state = NGX_WEBRTC_SNAPSHOT_RUN;
    sn->begun = ngx_current_msec;
    sn->made = 0;
    sn->text = NULL;

    return 0;
}


static void
ngx_webrtc_snapshot_on_note(void *data, ngx_webrtc_media_note_t *note)
{
    ngx_webrtc_snapshot_t *sn = data;

    ngx_memcpy(sn->buf, note->text, note->len);
    sn->buf[note->len] = '\0';

    sn->text = (char *) sn->buf;

    ngx_webrtc_bus_complain(sn->bus, sn->st, NGX_LOG_WARN, sn->log, "snapshot",
                            "%s", sn->text);
}


static void
ngx_webrtc_snapshot_on_record(void *data, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_snapshot_t *sn = data;

    ngx_str_t                    name;
    ngx_webrtc_snapshot_file_t  *file;

    if (r->type != NGX_WEBRTC_MEDIA_IMAGE || sn->made || r->len == 0) {
        return;
    }

    file = ngx_webrtc_snapshot_file(sn, r);

    if (file == NULL) {
        sn->full = 1;
        return;
    }

    ngx_webrtc_snapshot_done(sn->file);

    sn->file = file;
    sn->made = 1;

    name.data = sn->st->name;
    name.len = sn->st->name_len;

    ngx_log_error(NGX_LOG_INFO, sn->log, 0,
                  "webrtc snapshot made stream:\"%V\" type:%s bytes:%uz ms:%M",
                  &name, file->webp ? "webp" : "jpeg", file->len,
                  ngx_current_msec - sn->begun);

    ngx_webrtc_snapshot_answer(sn, 0);
}


static ngx_webrtc_snapshot_file_t *
ngx_webrtc_snapshot_file(ngx_webrtc_snapshot_t *sn,
    ngx_webrtc_media_record_t *r)
{
    uint32_t                     hash[2];
    ngx_webrtc_snapshot_file_t  *file;

    while (ngx_webrtc_snapshots_bytes + r->len > NGX_WEBRTC_SNAPSHOT_BYTES
           && ngx_webrtc_snapshot_evict(sn, 0))
    {
        /* void */
    }

    /* what clients are still reading stays */

    if (ngx_webrtc_snapshots_bytes + r->len > NGX_WEBRTC_SNAPSHOT_BYTES) {
        return NULL;
    }

    file = ngx_alloc(sizeof(ngx_webrtc_snapshot_file_t) + r->len, sn->log);

    if (file == NULL) {
        return NULL;
    }

    file->refs = 1;
    file->fresh = ngx_current_msec;
    file->number = sn->number;
    file->time = sn->time;
    file->webp = r->value;
    file->len = r->len;
    ngx_memcpy(file->data, r->data, r->len);

    /* of the bytes: the same in all workers */

    hash[0] = ngx_crc32_long(r->data, r->len);
    hash[1] = ngx_murmur_hash2(r->data, r->len);

    (void) ngx_hex_dump(file->etag, (u_char *) hash, sizeof(hash));

    ngx_webrtc_snapshots_bytes += file->len;

    return file;
}


static void
ngx_webrtc_snapshot_on_ended(void *data, ngx_uint_t crashed)
{
    ngx_webrtc_snapshot_t *sn = data;

    sn->job = NULL;

    if (!sn->made && crashed && !sn->alone) {

        /* was it this one?  once more, in a process of its own */

        sn->alone = 1;
        ngx_webrtc_snapshots_jobs--;
        ngx_webrtc_snapshot_again(sn);
        ngx_webrtc_snapshots_news(NULL);
        return;
    }

    if (!crashed) {
        sn->alone = 0;
    }

    if (!sn->made && sn->text == NULL) {
        sn->text = crashed ? "its decoder has failed" : "no picture was made";
    }

    ngx_webrtc_snapshot_over(sn);
}


/* looks anew, for those who wait */

static void
ngx_webrtc_snapshot_again(ngx_webrtc_snapshot_t *sn)
{
    sn->state = NGX_WEBRTC_SNAPSHOT_LOOK;
    sn->begun = ngx_current_msec;
    sn->asked = 0;
    sn->ready = 0;
    sn->full = 0;
}


/* the job is gone */

static void
ngx_webrtc_snapshot_over(ngx_webrtc_snapshot_t *sn)
{
    ngx_webrtc_snapshots_jobs--;

    if (sn->full) {
        ngx_webrtc_snapshot_idle(sn);
        ngx_webrtc_snapshot_answer(sn, NGX_WEBRTC_SNAPSHOT_FULL);

    } else if (!sn->made) {
        sn->bad = sn->number;
        ngx_webrtc_snapshot_idle(sn);
        ngx_webrtc_snapshot_answer(sn, NGX_WEBRTC_SNAPSHOT_FAILED);

    } else if (ngx_queue_empty(&sn->asks)) {
        ngx_webrtc_snapshot_idle(sn);

    } else {

        /* who came when it had been made, and wants a newer one */

        ngx_webrtc_snapshot_again(sn);
    }

    /* a place is free */

    ngx_webrtc_snapshots_news(NULL);
}


/* why: 0, sn->file is there */

static void
ngx_webrtc_snapshot_answer(ngx_webrtc_snapshot_t *sn, ngx_uint_t why)
{
    ngx_queue_t                 asks;
    ngx_webrtc_snapshot_ask_t  *ask;

    /* some may ask again at once */

    sn->busy = 1;
    ngx_queue_init(&asks);

    if (!ngx_queue_empty(&sn->asks)) {
        ngx_queue_add(&asks, &sn->asks);
        ngx_queue_init(&sn->asks);
    }

    while (!ngx_queue_empty(&asks)) {
        ask = ngx_queue_data(ngx_queue_head(&asks), ngx_webrtc_snapshot_ask_t,
                             queue);

        ngx_webrtc_snapshot_cancel(ask);

        ask->why = why;
        ask->text = sn->text;

        if (why == 0) {
            ask->file = sn->file;
            ask->file->refs++;
        }

        ask->ready(ask);
    }

    sn->busy = 0;
}


void
ngx_webrtc_snapshots_news(ngx_webrtc_stream_t *st)
{
    ngx_uint_t              why;
    ngx_queue_t            *q, *next;
    ngx_webrtc_snapshot_t  *sn;

    for (q = ngx_queue_head(&ngx_webrtc_snapshots);
         q != ngx_queue_sentinel(&ngx_webrtc_snapshots);
         q = next)
    {
        next = ngx_queue_next(q);
        sn = ngx_queue_data(q, ngx_webrtc_snapshot_t, queue);

        if (sn->state != NGX_WEBRTC_SNAPSHOT_LOOK || (st && sn->st != st)) {
            continue;
        }

        if (ngx_queue_empty(&sn->asks)) {

            /* who asked has gone */

            ngx_webrtc_snapshot_idle(sn);
            continue;
        }

        why = ngx_webrtc_snapshot_look(sn);

        if (sn->state == NGX_WEBRTC_SNAPSHOT_IDLE) {
            ngx_webrtc_snapshot_answer(sn, why);

            /* who was answered may have asked again, and the next be gone */

            next = ngx_queue_head(&ngx_webrtc_snapshots);
        }
    }
}


void
ngx_webrtc_snapshots_tick(void)
{
    ngx_queue_t            *q, *next;
    ngx_webrtc_snapshot_t  *sn;

    for (q = ngx_queue_head(&ngx_webrtc_snapshots);
         q != ngx_queue_sentinel(&ngx_webrtc_snapshots);
         q = next)
    {
        next = ngx_queue_next(q);
        sn = ngx_queue_data(q, ngx_webrtc_snapshot_t, queue);

        if (sn->state == NGX_WEBRTC_SNAPSHOT_IDLE
            && ngx_current_msec - sn->used
               >= ngx_max(sn->age, NGX_WEBRTC_SNAPSHOT_KEPT))
        {
            ngx_webrtc_snapshot_free(sn);

        } else if (sn->state == NGX_WEBRTC_SNAPSHOT_RUN
                   && ngx_webrtc_snapshot_late(sn,
                                               NGX_WEBRTC_SNAPSHOT_PATIENCE))
        {
            ngx_webrtc_media_close(sn->job);
            sn->job = NULL;

            if (!sn->made) {
                sn->text = "it was not made in time";
            }

            ngx_webrtc_snapshot_over(sn);

            /* others may be gone by now */

            break;
        }
    }

    ngx_webrtc_snapshots_news(NULL);
}


ngx_uint_t
ngx_webrtc_snapshots_any(void)
{
    ngx_queue_t            *q;
    ngx_webrtc_snapshot_t  *sn;

    for (q = ngx_queue_head(&ngx_webrtc_snapshots);
         q != ngx_queue_sentinel(&ngx_webrtc_snapshots);
         q = ngx_queue_next(q))
    {
        sn = ngx_queue_data(q, ngx_webrtc_snapshot_t, queue);

        if (sn->state != NGX_WEBRTC_SNAPSHOT_IDLE) {
            return 1;
        }
    }

    return 0;
}


void
ngx_webrtc_snapshots_exit(void)
{
    ngx_webrtc_snapshot_t  *sn;

    while (!ngx_queue_empty(&ngx_webrtc_snapshots)) {
        sn = ngx_queue_data(ngx_queue_head(&ngx_webrtc_snapshots),
                            ngx_webrtc_snapshot_t, queue);

        while (!ngx_queue_empty(&sn->asks)) {
            ngx_webrtc_snapshot_cancel(ngx_queue_data(
                ngx_queue_head(&sn->asks), ngx_webrtc_snapshot_ask_t, queue));
        }

        if (sn->job) {
            ngx_webrtc_media_close(sn->job);
            ngx_webrtc_snapshots_jobs--;
        }

        if (sn->state != NGX_WEBRTC_SNAPSHOT_IDLE) {
            ngx_webrtc_snapshot_idle(sn);
        }

        ngx_webrtc_snapshot_free(sn);
    }
}
