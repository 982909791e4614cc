
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Streams in containers, for clients of HTTP: see the header file.
 *
 *   WAIT -- tracks are known --> RUN -- gone, or others --> END -- the job has
 *   ended --> OVER, which clients that have not read all of it still have
 *
 * Memory.  A piece is there once for all its clients.  Of those that came, the
 * newest are kept: no more bytes and no longer than below, but all since the
 * newest key frame if these bytes suffice.  What is not kept any more is freed
 * when the last client that is sending it has done so; a client takes few at a
 * time (ngx_http_webrtc_muxed.c).  If all that a worker has are too many bytes,
 * fewer are kept, and nobody new is served.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_bus_outlet.h"
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_media.h"
#include "ngx_webrtc_muxed.h"
#include "ngx_webrtc_output_feed.h"


/* pieces that are kept at most, a power of two; chosen: frames and sound of ten
 * seconds are 800 */
#define NGX_WEBRTC_MUXED_PIECES  2048

/* bytes and ms of them; chosen: 10 s of 6 Mbit/s */
#define NGX_WEBRTC_MUXED_KEEP    (8 * 1024 * 1024)
#define NGX_WEBRTC_MUXED_AGE     10000

/* bytes of all pieces of a worker; chosen: 30 streams of which each has all */
#define NGX_WEBRTC_MUXED_BYTES   (256 * 1024 * 1024)

/* ms for which a job goes on without clients; chosen: one that reconnects */
#define NGX_WEBRTC_MUXED_IDLE    2000

/* ms after which a key frame is old, and for which another one is waited for;
 * chosen: as viewers do, and the way of a publisher's network */
#define NGX_WEBRTC_MUXED_OLD     3000
#define NGX_WEBRTC_MUXED_FRESH   1000

/* ms for which one that may have killed its process gets one of its own, and
 * how many are remembered */
#define NGX_WEBRTC_MUXED_ALONE   60000
#define NGX_WEBRTC_MUXED_CRASHES 16

/* ms for which a source that has gone is waited for; chosen: as publishers who
 * reload */
#define NGX_WEBRTC_MUXED_AWAY    10000


typedef enum {
    NGX_WEBRTC_MUXED_WAIT = 0,
    NGX_WEBRTC_MUXED_RUN,
    NGX_WEBRTC_MUXED_END,
    NGX_WEBRTC_MUXED_OVER
} ngx_webrtc_muxed_state_e;


typedef struct {
    uint64_t                      stream;     /* 0: none */
    size_t                        format;     /* its length tells them apart */
    ngx_msec_t                    at;
} ngx_webrtc_muxed_crash_t;


struct ngx_webrtc_muxed_s {
    ngx_queue_t                   queue;
    ngx_webrtc_bus_t             *bus;
    ngx_webrtc_stream_t          *st;         /* held, watched, and read */
    ngx_str_t                     format;
    ngx_webrtc_outlet_t          *outlet;     /* NULL: the zone is full */
    ngx_webrtc_output_feed_t      feed;
    ngx_webrtc_media_job_t       *job;
    ngx_uint_t                    state;
    ngx_msec_t                    used;       /* when it had clients */
    ngx_queue_t                   clients;
    ngx_uint_t                    nclients;
    ngx_event_t                   event;      /* tells them */
    ngx_log_t                     log;
    ngx_str_t                     name;
    u_char                        name_buf[NGX_WEBRTC_NAME_MAX + 1];

    ngx_webrtc_muxed_piece_t     *head;       /* what comes first; or NULL */
    ngx_webrtc_muxed_piece_t     *pieces[NGX_WEBRTC_MUXED_PIECES];
    uint64_t                      first;      /* of those that are kept */
    uint64_t                      next;       /* to come */
    uint64_t                      key;        /* the newest, if "keyed" */
    size_t                        bytes;      /* kept */

    size_t                        len;        /* of: */
    u_char                        text[NGX_WEBRTC_MEDIA_TEXT + 1];

    unsigned                      keyed:1;
    unsigned                      failed:1;
    unsigned                      reading:1;  /* the feed is */
    unsigned                      released:1; /* the stream is */
};


static ngx_webrtc_muxed_crash_t *ngx_webrtc_muxed_crashed(
    ngx_webrtc_muxed_t *m);
static ngx_webrtc_muxed_t *ngx_webrtc_muxed_find(ngx_webrtc_stream_t *st,
    ngx_str_t *format);
static ngx_webrtc_muxed_t *ngx_webrtc_muxed_create(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_str_t *format, ngx_log_t *log);
static u_char *ngx_webrtc_muxed_log_error(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_webrtc_muxed_free(ngx_webrtc_muxed_t *m);
static void ngx_webrtc_muxed_release(ngx_webrtc_muxed_t *m);
static void ngx_webrtc_muxed_tick(ngx_webrtc_muxed_t *m);
static ngx_uint_t ngx_webrtc_muxed_gone(ngx_webrtc_muxed_t *m);
static void ngx_webrtc_muxed_key(ngx_webrtc_muxed_t *m);
static void ngx_webrtc_muxed_wait(ngx_webrtc_muxed_t *m);
static void ngx_webrtc_muxed_run(ngx_webrtc_muxed_t *m);
static void ngx_webrtc_muxed_end(ngx_webrtc_muxed_t *m);
static void ngx_webrtc_muxed_over(ngx_webrtc_muxed_t *m);
static void ngx_webrtc_muxed_on_note(void *data,
    ngx_webrtc_media_note_t *note);
static void ngx_webrtc_muxed_on_record(void *data,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_muxed_on_room(void *data);
static void ngx_webrtc_muxed_on_ended(void *data, ngx_uint_t crashed);
static ngx_webrtc_muxed_piece_t *ngx_webrtc_muxed_piece(ngx_webrtc_muxed_t *m,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_muxed_keep(ngx_webrtc_muxed_t *m,
    ngx_webrtc_muxed_piece_t *piece);
static void ngx_webrtc_muxed_drop(ngx_webrtc_muxed_t *m);
static ngx_uint_t ngx_webrtc_muxed_old(ngx_webrtc_muxed_t *m,
    ngx_webrtc_muxed_client_t *client);
static void ngx_webrtc_muxed_tell(ngx_webrtc_muxed_t *m);
static void ngx_webrtc_muxed_told(ngx_event_t *ev);


/* what has taken its process down */

static ngx_webrtc_muxed_crash_t  ngx_webrtc_muxed_crashes[
                                                  NGX_WEBRTC_MUXED_CRASHES];
static ngx_uint_t  ngx_webrtc_muxed_ncrashes;


static const ngx_webrtc_media_handlers_t  ngx_webrtc_muxed_handlers = {
    ngx_webrtc_muxed_on_note,
    ngx_webrtc_muxed_on_record,
    NULL,
    ngx_webrtc_muxed_on_room,
    ngx_webrtc_muxed_on_ended
};


/* of this process */

static ngx_queue_t  ngx_webrtc_muxeds = {
    &ngx_webrtc_muxeds, &ngx_webrtc_muxeds
};

static size_t  ngx_webrtc_muxed_bytes;


ngx_int_t
ngx_webrtc_muxed_join(ngx_webrtc_muxed_client_t *client, ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_str_t *format, ngx_log_t *log)
{
    ngx_webrtc_muxed_t  *m;

    if (ngx_webrtc_muxed_bytes >= NGX_WEBRTC_MUXED_BYTES) {
        return NGX_DECLINED;
    }

    m = ngx_webrtc_muxed_find(st, format);

    if (m == NULL) {
        m = ngx_webrtc_muxed_create(bus, st, format, log);

        if (m == NULL) {
            return NGX_DECLINED;
        }
    }

    client->muxed = m;
    client->since = ngx_current_msec;
    client->begun = 0;
    client->head = 0;
    client->asked = 0;

    ngx_queue_insert_tail(&m->clients, &client->queue);
    m->nclients++;

    if (m->outlet) {
        ngx_webrtc_atomic_store(&m->outlet->clients, (uint32_t) m->nclients);
    }

    if (m->state == NGX_WEBRTC_MUXED_WAIT) {
        ngx_webrtc_muxed_wait(m);
    }

    ngx_webrtc_muxed_tell(m);

    return NGX_OK;
}


void
ngx_webrtc_muxed_leave(ngx_webrtc_muxed_client_t *client)
{
    ngx_webrtc_muxed_t  *m;

    m = client->muxed;

    if (m == NULL) {
        return;
    }

    client->muxed = NULL;
    ngx_queue_remove(&client->queue);

    m->nclients--;
    m->used = ngx_current_msec;

    if (m->outlet) {
        ngx_webrtc_atomic_store(&m->outlet->clients, (uint32_t) m->nclients);
    }
}


static ngx_webrtc_muxed_t *
ngx_webrtc_muxed_find(ngx_webrtc_stream_t *st, ngx_str_t *format)
{
    ngx_queue_t         *q;
    ngx_webrtc_muxed_t  *m;

    for (q = ngx_queue_head(&ngx_webrtc_muxeds);
         q != ngx_queue_sentinel(&ngx_webrtc_muxeds);
         q = ngx_queue_next(q))
    {
        m = ngx_queue_data(q, ngx_webrtc_muxed_t, queue);

        if (m->state <= NGX_WEBRTC_MUXED_RUN && m->st == st
            && m->format.len == format->len
            && ngx_memcmp(m->format.data, format->data, format->len) == 0)
        {
            return m;
        }
    }

    return NULL;
}


static ngx_webrtc_muxed_t *
ngx_webrtc_muxed_create(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_str_t *format, ngx_log_t *log)
{
    ngx_uint_t           full;
    ngx_webrtc_muxed_t  *m;

    m = ngx_calloc(sizeof(ngx_webrtc_muxed_t), log);

    if (m == NULL) {
        return NULL;
    }

    m->bus = bus;
    m->st = st;
    m->format = *format;
    m->used = ngx_current_msec;

    m->name.data = m->name_buf;
    m->name.len = st->name_len;
    ngx_memcpy(m->name_buf, st->name, st->name_len);

    m->log = *ngx_cycle->log;
    m->log.handler = ngx_webrtc_muxed_log_error;
    m->log.data = m;
    m->log.action = NULL;

    m->event.handler = ngx_webrtc_muxed_told;
    m->event.data = m;
    m->event.log = ngx_cycle->log;

    ngx_queue_init(&m->clients);

    ngx_webrtc_bus_hold(bus, st);
    ngx_webrtc_bus_watch(bus, st);
    ngx_webrtc_bus_reader(bus, st, 1);

    /* each worker has its own */

    m->outlet = ngx_webrtc_bus_outlet_take(bus, st, NGX_WEBRTC_OUTLET_HTTP,
                                           ngx_crc32_short(format->data,
                                                           format->len)
                                           + (uint32_t) bus->worker, &full);
    if (m->outlet) {
        ngx_webrtc_bus_outlet_text(bus, m->outlet, format);
        ngx_webrtc_bus_outlet_state(m->outlet, NGX_WEBRTC_OUTLET_WAITING,
                                    ngx_current_msec);
    }

    ngx_queue_insert_tail(&ngx_webrtc_muxeds, &m->queue);

    return m;
}


static u_char *
ngx_webrtc_muxed_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_webrtc_muxed_t  *m;

    m = log->data;

    return ngx_snprintf(buf, len, ", stream: \"%V\"", &m->name);
}


/* it has no clients */

static void
ngx_webrtc_muxed_free(ngx_webrtc_muxed_t *m)
{
    if (m->job) {
        ngx_webrtc_media_close(m->job);
        m->job = NULL;
    }

    ngx_webrtc_muxed_release(m);

    while (m->first != m->next) {
        ngx_webrtc_muxed_drop(m);
    }

    ngx_webrtc_muxed_done(m->head);

    if (m->event.posted) {
        ngx_delete_posted_event(&m->event);
    }

    ngx_queue_remove(&m->queue);
    ngx_free(m);
}


/* the stream is not needed any more */

static void
ngx_webrtc_muxed_release(ngx_webrtc_muxed_t *m)
{
    if (m->released) {
        return;
    }

    m->released = 1;

    if (m->reading) {
        ngx_webrtc_output_feed_done(&m->feed);
        m->reading = 0;
    }

    if (m->outlet) {
        ngx_webrtc_bus_outlet_give(m->bus, m->outlet);
        m->outlet = NULL;
    }

    ngx_webrtc_bus_reader(m->bus, m->st, -1);
    ngx_webrtc_bus_unwatch(m->bus, m->st);
    ngx_webrtc_bus_release(m->bus, m->st);
}


void
ngx_webrtc_muxeds_tick(void)
{
    ngx_queue_t  *q, *next;

    for (q = ngx_queue_head(&ngx_webrtc_muxeds);
         q != ngx_queue_sentinel(&ngx_webrtc_muxeds);
         q = next)
    {
        next = ngx_queue_next(q);

        ngx_webrtc_muxed_tick(ngx_queue_data(q, ngx_webrtc_muxed_t, queue));
    }
}


static void
ngx_webrtc_muxed_tick(ngx_webrtc_muxed_t *m)
{
    if (m->nclients) {
        m->used = ngx_current_msec;

    } else if (m->state == NGX_WEBRTC_MUXED_OVER
               || ngx_current_msec - m->used >= NGX_WEBRTC_MUXED_IDLE)
    {
        ngx_webrtc_muxed_free(m);
        return;
    }

    switch (m->state) {

    case NGX_WEBRTC_MUXED_WAIT:
        ngx_webrtc_muxed_wait(m);
        break;

    case NGX_WEBRTC_MUXED_RUN:
        ngx_webrtc_muxed_run(m);
        break;

    default:
        return;
    }

    if (m->state == NGX_WEBRTC_MUXED_RUN
        && ngx_webrtc_muxed_gone(m))
    {
        ngx_webrtc_muxed_end(m);
        return;
    }

    ngx_webrtc_muxed_key(m);
}


/* for as long as viewers are kept for a publisher */

static ngx_uint_t
ngx_webrtc_muxed_gone(ngx_webrtc_muxed_t *m)
{
    uint64_t  linger;

    if (ngx_webrtc_bus_is_dropped(m->st)) {
        return 1;
    }

    if (ngx_webrtc_bus_state(m->st) == NGX_WEBRTC_STREAM_ACTIVE) {
        return 0;
    }

    linger = ngx_webrtc_atomic_load(&m->st->linger_ms);

    return ngx_webrtc_bus_state_age(m->st, ngx_current_msec)
           >= (linger ? linger : NGX_WEBRTC_MUXED_AWAY);
}


/* for the first client, or one that came when none was kept */

static void
ngx_webrtc_muxed_key(ngx_webrtc_muxed_t *m)
{
    ngx_queue_t                *q;
    ngx_webrtc_muxed_client_t  *client;

    if (!m->reading
        || ngx_webrtc_bus_state(m->st) != NGX_WEBRTC_STREAM_ACTIVE)
    {
        return;
    }

    if (!ngx_webrtc_output_reader_wants_key(&m->feed.reader)) {

        if (m->state != NGX_WEBRTC_MUXED_RUN || m->keyed
            || m->feed.tracks[NGX_WEBRTC_MEDIA_VIDEO].track == -1)
        {
            return;
        }

        for (q = ngx_queue_head(&m->clients);
             q != ngx_queue_sentinel(&m->clients);
             q = ngx_queue_next(q))
        {
            client = ngx_queue_data(q, ngx_webrtc_muxed_client_t, queue);

            if (!client->begun) {
                break;
            }
        }

        if (q == ngx_queue_sentinel(&m->clients)) {
            return;
        }
    }

    (void) ngx_webrtc_bus_keyframe(m->bus, m->st);
}


void
ngx_webrtc_muxeds_news(ngx_webrtc_stream_t *st)
{
    ngx_queue_t         *q;
    ngx_webrtc_muxed_t  *m;

    for (q = ngx_queue_head(&ngx_webrtc_muxeds);
         q != ngx_queue_sentinel(&ngx_webrtc_muxeds);
         q = ngx_queue_next(q))
    {
        m = ngx_queue_data(q, ngx_webrtc_muxed_t, queue);

        if (m->st != st) {
            continue;
        }

        if (m->state == NGX_WEBRTC_MUXED_WAIT) {
            ngx_webrtc_muxed_wait(m);

        } else if (m->state == NGX_WEBRTC_MUXED_RUN) {
            ngx_webrtc_muxed_run(m);
        }
    }
}


static void
ngx_webrtc_muxed_wait(ngx_webrtc_muxed_t *m)
{
    ngx_err_t                 err;
    const char               *cause;
    ngx_webrtc_media_start_t  start;

    if (!m->reading) {

        if (ngx_webrtc_bus_state(m->st) != NGX_WEBRTC_STREAM_ACTIVE) {
            return;
        }

        ngx_webrtc_output_feed_init(&m->feed, m->st, &m->log);
        m->feed.sizes = (m->format.len == 2);
        m->reading = 1;
    }

    if (ngx_webrtc_output_feed_ready(&m->feed) != NGX_OK) {
        return;
    }

    ngx_memzero(&start, sizeof(ngx_webrtc_media_start_t));

    start.kind = NGX_WEBRTC_MEDIA_OUTPUT;
    start.name = m->name;
    start.output.format = m->format;

    m->job = ngx_webrtc_media_start(&start, ngx_webrtc_muxed_crashed(m) != NULL,
                                    &ngx_webrtc_muxed_handlers, m, &m->log,
                                    &cause, &err);

    if (m->job == NULL) {
        m->failed = 1;
        m->len = ngx_snprintf(m->text, NGX_WEBRTC_MEDIA_TEXT, "%s", cause)
                 - m->text;
        ngx_webrtc_bus_complain(m->bus, m->st, NGX_LOG_ERR, &m->log, "output",
                                "%s%s%s", cause, err ? ": " : "",
                                err ? strerror(err) : "");
        ngx_webrtc_muxed_over(m);
        return;
    }

    ngx_webrtc_output_feed_job(&m->feed, m->job);
    m->state = NGX_WEBRTC_MUXED_RUN;

    if (m->outlet) {
        ngx_webrtc_atomic_add(&m->outlet->files, 1);
        ngx_webrtc_bus_outlet_state(m->outlet, NGX_WEBRTC_OUTLET_ACTIVE,
                                    ngx_current_msec);
    }

    ngx_webrtc_muxed_run(m);
}


/* the last crash of such a job; NULL: there was none of late */

static ngx_webrtc_muxed_crash_t *
ngx_webrtc_muxed_crashed(ngx_webrtc_muxed_t *m)
{
    ngx_uint_t                 i;
    ngx_webrtc_muxed_crash_t  *crash;

    for (i = 0; i < NGX_WEBRTC_MUXED_CRASHES; i++) {
        crash = &ngx_webrtc_muxed_crashes[i];

        if (crash->stream == m->st->ref
            && crash->format == m->format.len
            && ngx_current_msec - crash->at < NGX_WEBRTC_MUXED_ALONE)
        {
            return crash;
        }
    }

    return NULL;
}


static void
ngx_webrtc_muxed_run(ngx_webrtc_muxed_t *m)
{
    ngx_int_t  rc;

    rc = ngx_webrtc_output_feed_run(&m->feed, 0);

    if (m->outlet) {
        ngx_webrtc_atomic_store(&m->outlet->left_out,
                                m->feed.reader.left_out + m->feed.skipped);
    }

    if (rc == NGX_DONE) {

        /* other tracks: whoever wants them comes again */

        ngx_webrtc_muxed_end(m);
    }
}


/* no more frames are for the job */

static void
ngx_webrtc_muxed_end(ngx_webrtc_muxed_t *m)
{
    m->state = NGX_WEBRTC_MUXED_END;

    ngx_webrtc_output_feed_end(&m->feed);
    ngx_webrtc_muxed_release(m);
}


static void
ngx_webrtc_muxed_over(ngx_webrtc_muxed_t *m)
{
    m->state = NGX_WEBRTC_MUXED_OVER;

    ngx_webrtc_muxed_release(m);
    ngx_webrtc_muxed_tell(m);
}


static void
ngx_webrtc_muxed_on_note(void *data, ngx_webrtc_media_note_t *note)
{
    ngx_webrtc_muxed_t *m = data;

    ngx_str_t  text;

    text.data = note->text;
    text.len = note->len;

    if (!m->released) {
        ngx_webrtc_bus_complain(m->bus, m->st, note->level, &m->log, "output",
                                "%V", &text);

        if (m->outlet) {
            ngx_webrtc_bus_outlet_error(m->bus, m->outlet, &text);
        }
    }

    if (note->type == NGX_WEBRTC_MEDIA_LOG) {
        return;
    }

    /* its end follows */

    m->failed = 1;
    m->len = note->len;
    ngx_memcpy(m->text, note->text, note->len);
}


static void
ngx_webrtc_muxed_on_record(void *data, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_muxed_t *m = data;

    ngx_webrtc_muxed_piece_t  *piece;

    if (r->type != NGX_WEBRTC_MEDIA_MUXED || r->len == 0) {
        return;
    }

    piece = ngx_webrtc_muxed_piece(m, r);

    if (piece == NULL) {

        /* no memory; who has the one before cannot go on behind this */

        ngx_webrtc_media_close(m->job);
        ngx_webrtc_muxed_on_ended(m, 1);
        return;
    }

    if (m->outlet) {
        ngx_webrtc_atomic_store(&m->outlet->bytes, (uint64_t) r->now_us);
        ngx_webrtc_atomic_store(&m->outlet->media_ms,
                                (uint64_t) ngx_max(r->ts, 0));
    }

    if (r->value & NGX_WEBRTC_MEDIA_MUXED_HEAD) {
        ngx_webrtc_muxed_done(m->head);
        m->head = piece;

    } else {
        ngx_webrtc_muxed_keep(m, piece);
    }

    ngx_webrtc_muxed_tell(m);
}


static void
ngx_webrtc_muxed_on_room(void *data)
{
    /* what had no room has been left out */

    (void) data;
}


static void
ngx_webrtc_muxed_on_ended(void *data, ngx_uint_t crashed)
{
    ngx_webrtc_muxed_t *m = data;

    ngx_webrtc_muxed_crash_t  *crash;

    m->job = NULL;
    m->feed.job = NULL;

    if (crashed || m->state == NGX_WEBRTC_MUXED_RUN) {
        m->failed = 1;
    }

    if (crashed && !m->released) {
        crash = ngx_webrtc_muxed_crashed(m);

        if (crash == NULL) {
            crash = &ngx_webrtc_muxed_crashes[ngx_webrtc_muxed_ncrashes++
                                              % NGX_WEBRTC_MUXED_CRASHES];
        }

        crash->stream = m->st->ref;
        crash->format = m->format.len;
        crash->at = ngx_current_msec;
    }

    ngx_webrtc_muxed_over(m);
}


static ngx_webrtc_muxed_piece_t *
ngx_webrtc_muxed_piece(ngx_webrtc_muxed_t *m, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_muxed_piece_t  *piece;

    piece = ngx_alloc(sizeof(ngx_webrtc_muxed_piece_t) + r->len, &m->log);

    if (piece == NULL) {
        return NULL;
    }

    piece->refs = 1;
    piece->at = ngx_current_msec;
    piece->key = (r->value & NGX_WEBRTC_MEDIA_MUXED_KEY) ? 1 : 0;
    piece->len = r->len;
    ngx_memcpy(piece->data, r->data, r->len);

    ngx_webrtc_muxed_bytes += piece->len;

    return piece;
}


void
ngx_webrtc_muxed_done(ngx_webrtc_muxed_piece_t *piece)
{
    if (piece && --piece->refs == 0) {
        ngx_webrtc_muxed_bytes -= piece->len;
        ngx_free(piece);
    }
}


static void
ngx_webrtc_muxed_keep(ngx_webrtc_muxed_t *m, ngx_webrtc_muxed_piece_t *piece)
{
    size_t                     most;
    ngx_webrtc_muxed_piece_t  *first;

    if (m->next - m->first == NGX_WEBRTC_MUXED_PIECES) {
        ngx_webrtc_muxed_drop(m);
    }

    if (piece->key) {
        m->key = m->next;
        m->keyed = 1;
    }

    m->pieces[m->next++ % NGX_WEBRTC_MUXED_PIECES] = piece;
    m->bytes += piece->len;

    most = (ngx_webrtc_muxed_bytes < NGX_WEBRTC_MUXED_BYTES)
           ? NGX_WEBRTC_MUXED_KEEP : NGX_WEBRTC_MUXED_KEEP / 8;

    while (m->first + 1 < m->next) {

        first = m->pieces[m->first % NGX_WEBRTC_MUXED_PIECES];

        if (m->bytes <= most
            && ((m->keyed && m->first == m->key)
                || piece->at - first->at <= NGX_WEBRTC_MUXED_AGE))
        {
            break;
        }

        ngx_webrtc_muxed_drop(m);
    }
}


/* the oldest one */

static void
ngx_webrtc_muxed_drop(ngx_webrtc_muxed_t *m)
{
    ngx_webrtc_muxed_piece_t  *piece;

    if (m->keyed && m->first == m->key) {
        m->keyed = 0;
    }

    piece = m->pieces[m->first++ % NGX_WEBRTC_MUXED_PIECES];

    m->bytes -= piece->len;

    ngx_webrtc_muxed_done(piece);
}


ngx_int_t
ngx_webrtc_muxed_next(ngx_webrtc_muxed_client_t *client,
    ngx_webrtc_muxed_piece_t **piece)
{
    ngx_webrtc_muxed_t  *m;

    m = client->muxed;

    if (client->begun && client->next < m->first) {
        client->begun = 0;
        client->skipped++;
    }

    if (!client->begun && m->keyed && !ngx_webrtc_muxed_old(m, client)) {

        if (m->head && !client->head) {
            client->head = 1;

            *piece = m->head;
            m->head->refs++;

            return NGX_OK;
        }

        client->begun = 1;
        client->next = m->key;
    }

    if (client->begun && client->next < m->next) {
        *piece = m->pieces[client->next++ % NGX_WEBRTC_MUXED_PIECES];
        (*piece)->refs++;

        return NGX_OK;
    }

    if (m->state != NGX_WEBRTC_MUXED_OVER) {
        return NGX_AGAIN;
    }

    client->failed = m->failed;

    return NGX_DONE;
}


/* should a client that begins rather wait for a newer key frame? */

static ngx_uint_t
ngx_webrtc_muxed_old(ngx_webrtc_muxed_t *m, ngx_webrtc_muxed_client_t *client)
{
    ngx_webrtc_muxed_piece_t  *piece;

    piece = m->pieces[m->key % NGX_WEBRTC_MUXED_PIECES];

    if (m->state != NGX_WEBRTC_MUXED_RUN
        || ngx_current_msec - piece->at < NGX_WEBRTC_MUXED_OLD
        || ngx_current_msec - client->since >= NGX_WEBRTC_MUXED_FRESH
        || !ngx_webrtc_bus_may_ask(m->st))
    {
        return 0;
    }

    if (!client->asked) {
        client->asked = 1;
        (void) ngx_webrtc_bus_keyframe(m->bus, m->st);
    }

    return 1;
}


const char *
ngx_webrtc_muxed_text(ngx_webrtc_muxed_client_t *client)
{
    return (client->muxed && client->muxed->len)
           ? (char *) client->muxed->text : NULL;
}


static void
ngx_webrtc_muxed_tell(ngx_webrtc_muxed_t *m)
{
    ngx_post_event(&m->event, &ngx_posted_events);
}


static void
ngx_webrtc_muxed_told(ngx_event_t *ev)
{
    ngx_queue_t                 todo, *q;
    ngx_webrtc_muxed_t         *m;
    ngx_webrtc_muxed_client_t  *client;

    m = ev->data;

    /*
     * Serving one client may end others, such as those on the same HTTP/2
     * connection, so a pointer to the next one cannot be kept.
     */

    if (ngx_queue_empty(&m->clients)) {
        return;
    }

    ngx_queue_init(&todo);
    ngx_queue_add(&todo, &m->clients);
    ngx_queue_init(&m->clients);

    while (!ngx_queue_empty(&todo)) {
        q = ngx_queue_head(&todo);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&m->clients, q);

        client = ngx_queue_data(q, ngx_webrtc_muxed_client_t, queue);

        client->news(client->data);
    }
}


ngx_uint_t
ngx_webrtc_muxeds_any(void)
{
    return !ngx_queue_empty(&ngx_webrtc_muxeds);
}


void
ngx_webrtc_muxeds_exit(void)
{
    ngx_webrtc_muxed_t         *m;
    ngx_webrtc_muxed_client_t  *client;

    while (!ngx_queue_empty(&ngx_webrtc_muxeds)) {
        m = ngx_queue_data(ngx_queue_head(&ngx_webrtc_muxeds),
                           ngx_webrtc_muxed_t, queue);

        while (!ngx_queue_empty(&m->clients)) {
            client = ngx_queue_data(ngx_queue_head(&m->clients),
                                    ngx_webrtc_muxed_client_t, queue);
            ngx_webrtc_muxed_leave(client);
        }

        ngx_webrtc_muxed_free(m);
    }
}
