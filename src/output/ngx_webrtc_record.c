
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Recordings.
 *
 *   WAIT -- it has media --> OPENING -- by a thread --> RUN
 *    ^ ^                        |                        |  another file, or
 *    | |                      failed                     |  not wanted any more
 *    | |                        v                        v
 *    | +------ a while ------ REST <-- failed --+    CLOSING   the job ends
 *    |                                          |        v     the file
 *    +-------- the next file -------------------+---- NAMING   by a thread
 *                                               |
 *                                               +--> gone
 *
 * A recording whose task is under way is not freed before that has returned.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_media.h"
#include "ngx_webrtc_output_feed.h"
#include "ngx_webrtc_output_said.h"
#include "ngx_webrtc_output_task.h"
#include "ngx_webrtc_record.h"
#include "ngx_webrtc_record_file.h"


/* ms of pauses: after a process that was killed; after an error, which doubles
 * up to the longest; chosen: a disk that is full stays so for minutes */
#define NGX_WEBRTC_RECORD_CRASHED  100
#define NGX_WEBRTC_RECORD_PAUSE    60000
#define NGX_WEBRTC_RECORD_PAUSES   600000

/* doublings of the first one at most, and ms of media after which a file counts
 * as one that went well; chosen: 100 s, 30 s */
#define NGX_WEBRTC_RECORD_CRASHES  10
#define NGX_WEBRTC_RECORD_LIVED    30000

/* ms for which a worker that shuts down waits for a file to be completed;
 * chosen: a disk that takes longer is not waited for */
#define NGX_WEBRTC_RECORD_PATIENCE  10000


typedef enum {
    NGX_WEBRTC_RECORD_WAIT = 0,
    NGX_WEBRTC_RECORD_OPENING,
    NGX_WEBRTC_RECORD_RUN,
    NGX_WEBRTC_RECORD_CLOSING,
    NGX_WEBRTC_RECORD_NAMING,
    NGX_WEBRTC_RECORD_REST
} ngx_webrtc_record_state_e;


/* of a thread's task; what is in it is the thread's while "busy" */
typedef struct {
    ngx_webrtc_record_t         *rec;
    ngx_webrtc_record_file_t     file;
    ngx_int_t                    rc;
} ngx_webrtc_record_task_t;


struct ngx_webrtc_record_s {
    ngx_queue_t                      queue;
    ngx_webrtc_bus_t                *bus;
    ngx_webrtc_stream_t             *st;        /* held and watched */
    const ngx_webrtc_record_conf_t  *conf;
    ngx_webrtc_outlet_t             *outlet;
    ngx_webrtc_output_feed_t         feed;
    ngx_webrtc_media_job_t          *job;
    ngx_webrtc_record_task_t        *task;      /* of the file, NULL: none */
    ngx_uint_t                       state;
    ngx_msec_t                       pause;     /* the last one; 0: none */
    ngx_msec_t                       until;     /* of REST */
    ngx_msec_t                       since;     /* of the state */
    ngx_uint_t                       crashes;   /* in a row */
    uint64_t                         bytes;     /* of files before */
    uint64_t                         media_ms;  /* likewise */
    uint64_t                         size;      /* of this one, as told */
    uint64_t                         ms;
    time_t                           begun;
    const char                      *cause;     /* of the file's end */
    ngx_webrtc_output_said_t         said;
    ngx_log_t                        log;
    ngx_str_t                        name;
    u_char                           name_buf[NGX_WEBRTC_NAME_MAX + 1];
    unsigned                         wanted:1;
    unsigned                         again:1;   /* another file follows */
    unsigned                         failed:1;  /* this one */
    unsigned                         reading:1; /* the feed is */
};


static ngx_webrtc_record_t *ngx_webrtc_record_find(ngx_webrtc_stream_t *st);
static u_char *ngx_webrtc_record_log_error(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_webrtc_record_tick(ngx_webrtc_record_t *rec);
static ngx_uint_t ngx_webrtc_record_wants_key(ngx_webrtc_record_t *rec);
static void ngx_webrtc_record_wait(ngx_webrtc_record_t *rec);
static void ngx_webrtc_record_open(ngx_webrtc_record_t *rec);
static ngx_int_t ngx_webrtc_record_post(ngx_webrtc_record_t *rec,
    void (*handler)(void *data, ngx_log_t *log), ngx_event_handler_pt done);
static void ngx_webrtc_record_open_task(void *data, ngx_log_t *log);
static void ngx_webrtc_record_opened(ngx_event_t *ev);
static void ngx_webrtc_record_start(ngx_webrtc_record_t *rec);
static void ngx_webrtc_record_run(ngx_webrtc_record_t *rec);
static void ngx_webrtc_record_finish(ngx_webrtc_record_t *rec,
    const char *cause, ngx_uint_t again);
static void ngx_webrtc_record_on_note(void *data,
    ngx_webrtc_media_note_t *note);
static void ngx_webrtc_record_on_record(void *data,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_record_on_room(void *data);
static void ngx_webrtc_record_on_ended(void *data, ngx_uint_t crashed);
static void ngx_webrtc_record_name(ngx_webrtc_record_t *rec);
static void ngx_webrtc_record_name_task(void *data, ngx_log_t *log);
static void ngx_webrtc_record_named(ngx_event_t *ev);
static void ngx_webrtc_record_told(ngx_webrtc_record_t *rec,
    ngx_webrtc_record_task_t *task);
static void ngx_webrtc_record_next_state(ngx_webrtc_record_t *rec);
static void ngx_webrtc_record_fail(ngx_webrtc_record_t *rec, const char *cause,
    int err);
static void ngx_webrtc_record_rest(ngx_webrtc_record_t *rec);
static void ngx_webrtc_record_state(ngx_webrtc_record_t *rec,
    ngx_uint_t state);
static void ngx_webrtc_record_free(ngx_webrtc_record_t *rec);


static const ngx_webrtc_media_handlers_t  ngx_webrtc_record_handlers = {
    ngx_webrtc_record_on_note,
    ngx_webrtc_record_on_record,
    NULL,
    ngx_webrtc_record_on_room,
    ngx_webrtc_record_on_ended
};


/* by state; for the status */

static const ngx_uint_t  ngx_webrtc_record_outlet[] = {
    NGX_WEBRTC_OUTLET_WAITING,
    NGX_WEBRTC_OUTLET_STARTING,
    NGX_WEBRTC_OUTLET_ACTIVE,
    NGX_WEBRTC_OUTLET_ACTIVE,
    NGX_WEBRTC_OUTLET_ACTIVE,
    NGX_WEBRTC_OUTLET_FAILED
};


/* of this process */

static ngx_queue_t  ngx_webrtc_records = {
    &ngx_webrtc_records, &ngx_webrtc_records
};


void
ngx_webrtc_record_want(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    const ngx_webrtc_record_conf_t *conf, ngx_log_t *log)
{
    ngx_webrtc_outlet_t  *outlet;
    ngx_webrtc_record_t  *rec;

    rec = ngx_webrtc_record_find(st);

    if (rec) {

        /* that of another configuration comes after this one */

        rec->wanted = (rec->conf == conf);
        return;
    }

    outlet = ngx_webrtc_output_said_take(bus, st, NGX_WEBRTC_OUTLET_RECORD,
                                         conf->id, "record failed", log);
    if (outlet == NULL) {
        return;
    }

    rec = ngx_calloc(sizeof(ngx_webrtc_record_t), log);

    if (rec == NULL) {
        ngx_webrtc_bus_outlet_give(bus, outlet);
        return;
    }

    rec->bus = bus;
    rec->st = st;
    rec->conf = conf;
    rec->outlet = outlet;
    rec->wanted = 1;

    rec->name.data = rec->name_buf;
    rec->name.len = st->name_len;
    ngx_memcpy(rec->name_buf, st->name, st->name_len);

    rec->log = *log;
    rec->log.handler = ngx_webrtc_record_log_error;
    rec->log.data = rec;
    rec->log.action = NULL;

    rec->said.event = "record";
    rec->said.log = &rec->log;
    rec->said.bus = bus;
    rec->said.outlet = outlet;

    ngx_webrtc_bus_hold(bus, st);
    ngx_webrtc_bus_watch(bus, st);

    ngx_webrtc_record_state(rec, NGX_WEBRTC_RECORD_WAIT);

    ngx_queue_insert_tail(&ngx_webrtc_records, &rec->queue);
}


static ngx_webrtc_record_t *
ngx_webrtc_record_find(ngx_webrtc_stream_t *st)
{
    ngx_queue_t          *q;
    ngx_webrtc_record_t  *rec;

    for (q = ngx_queue_head(&ngx_webrtc_records);
         q != ngx_queue_sentinel(&ngx_webrtc_records);
         q = ngx_queue_next(q))
    {
        rec = ngx_queue_data(q, ngx_webrtc_record_t, queue);

        if (rec->st == st) {
            return rec;
        }
    }

    return NULL;
}


ngx_webrtc_record_t *
ngx_webrtc_record_next(ngx_webrtc_record_t *rec)
{
    ngx_queue_t  *q;

    q = rec ? ngx_queue_next(&rec->queue) : ngx_queue_head(&ngx_webrtc_records);

    return (q == ngx_queue_sentinel(&ngx_webrtc_records))
           ? NULL : ngx_queue_data(q, ngx_webrtc_record_t, queue);
}


ngx_webrtc_stream_t *
ngx_webrtc_record_stream(ngx_webrtc_record_t *rec)
{
    return rec->st;
}


static u_char *
ngx_webrtc_record_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_webrtc_record_t  *rec;

    rec = log->data;

    return ngx_snprintf(buf, len, ", stream: \"%V\"", &rec->name);
}


void
ngx_webrtc_records_tick(void)
{
    ngx_queue_t  *q, *next;

    for (q = ngx_queue_head(&ngx_webrtc_records);
         q != ngx_queue_sentinel(&ngx_webrtc_records);
         q = next)
    {
        next = ngx_queue_next(q);

        ngx_webrtc_record_tick(ngx_queue_data(q, ngx_webrtc_record_t, queue));
    }
}


static void
ngx_webrtc_record_tick(ngx_webrtc_record_t *rec)
{
    ngx_uint_t  wanted;

    wanted = rec->wanted;
    rec->wanted = 0;

    switch (rec->state) {

    case NGX_WEBRTC_RECORD_WAIT:
    case NGX_WEBRTC_RECORD_REST:

        if (!wanted) {
            ngx_webrtc_record_free(rec);
            return;
        }

        if (rec->state == NGX_WEBRTC_RECORD_REST) {

            if ((ngx_msec_int_t) (rec->until - ngx_current_msec) > 0) {
                return;
            }

            ngx_webrtc_record_state(rec, NGX_WEBRTC_RECORD_WAIT);
        }

        ngx_webrtc_record_wait(rec);
        break;

    case NGX_WEBRTC_RECORD_RUN:

        ngx_webrtc_record_run(rec);

        if (!wanted && rec->state == NGX_WEBRTC_RECORD_RUN) {
            ngx_webrtc_record_finish(rec, "ended", 0);
            return;
        }

        break;

    default:

        if (!wanted) {
            rec->again = 0;
        }

        return;
    }

    if (ngx_webrtc_record_wants_key(rec)) {
        (void) ngx_webrtc_bus_keyframe(rec->bus, rec->st);
    }
}


/* to begin with, or for the next file: browsers make none unless asked */

static ngx_uint_t
ngx_webrtc_record_wants_key(ngx_webrtc_record_t *rec)
{
    if (!rec->reading
        || ngx_webrtc_bus_state(rec->st) != NGX_WEBRTC_STREAM_ACTIVE)
    {
        return 0;
    }

    return ngx_webrtc_output_reader_wants_key(&rec->feed.reader)
           || (rec->state == NGX_WEBRTC_RECORD_RUN && rec->feed.turns)
           || (rec->state == NGX_WEBRTC_RECORD_RUN
               && rec->conf->segment
               && ngx_webrtc_output_feed_ms(&rec->feed) >= rec->conf->segment
               && rec->feed.tracks[NGX_WEBRTC_MEDIA_VIDEO].track != -1);
}


static void
ngx_webrtc_record_wait(ngx_webrtc_record_t *rec)
{
    if (!rec->reading) {

        if (ngx_webrtc_bus_state(rec->st) != NGX_WEBRTC_STREAM_ACTIVE) {
            return;
        }

        ngx_memzero(&rec->feed, sizeof(ngx_webrtc_output_feed_t));
        ngx_webrtc_output_feed_init(&rec->feed, rec->st, &rec->log);
        rec->feed.whole = 1;
        rec->reading = 1;
    }

    if (ngx_webrtc_output_feed_ready(&rec->feed) == NGX_OK) {
        ngx_webrtc_record_open(rec);
    }
}


static void
ngx_webrtc_record_open(ngx_webrtc_record_t *rec)
{
    size_t                     n;
    const char                *cause;
    ngx_webrtc_record_task_t  *task;

    task = ngx_calloc(sizeof(ngx_webrtc_record_task_t), &rec->log);

    if (task == NULL) {
        ngx_webrtc_record_fail(rec, "no memory", 0);
        return;
    }

    cause = "its path cannot be made";
    n = rec->conf->name(rec->conf->ctx, rec->st, task->file.rel, &cause);

    if (n == 0
        || ngx_webrtc_record_path_clean(task->file.rel, n, &n, &cause)
           != NGX_OK)
    {
        ngx_free(task);
        ngx_webrtc_record_fail(rec, cause, 0);
        return;
    }

    task->rec = rec;
    task->file.rel[n] = '\0';
    task->file.root = (char *) rec->conf->root.data;
    task->file.fd = -1;
    task->file.dir = -1;

    rec->task = task;
    rec->begun = ngx_time();

    ngx_webrtc_record_state(rec, NGX_WEBRTC_RECORD_OPENING);

    if (ngx_webrtc_record_post(rec, ngx_webrtc_record_open_task,
                               ngx_webrtc_record_opened)
        != NGX_OK)
    {
        ngx_free(task);
        rec->task = NULL;
        ngx_webrtc_record_fail(rec, "no thread is free", 0);
    }
}


/* has a thread do it */

static ngx_int_t
ngx_webrtc_record_post(ngx_webrtc_record_t *rec,
    void (*handler)(void *data, ngx_log_t *log), ngx_event_handler_pt done)
{
    return ngx_webrtc_output_task(rec->conf->pool, rec->task, handler, done,
                                  &rec->log);
}


static void
ngx_webrtc_record_open_task(void *data, ngx_log_t *log)
{
    ngx_webrtc_record_task_t  *task;

    (void) log;

    task = *(ngx_webrtc_record_task_t **) data;
    task->rc = ngx_webrtc_record_file_open(&task->file);
}


static void
ngx_webrtc_record_opened(ngx_event_t *ev)
{
    ngx_webrtc_record_t       *rec;
    ngx_webrtc_record_task_t  *task;

    task = ngx_webrtc_output_task_data(ev);
    rec = task->rec;

    if (rec == NULL) {

        /* nobody has it any more */

        if (task->rc == NGX_OK) {
            (void) ngx_webrtc_record_file_done(&task->file);
        }

        ngx_free(task);
        return;
    }

    if (task->file.found) {
        ngx_log_error(NGX_LOG_NOTICE, &rec->log, 0,
                      "webrtc record found files:%ui of recordings that had "
                      "not been completed", task->file.found);
    }

    if (task->rc != NGX_OK) {
        rec->task = NULL;
        ngx_webrtc_record_fail(rec, task->file.cause, task->file.err);
        ngx_free(task);
        return;
    }

    ngx_webrtc_record_start(rec);
}


/* the file is there */

static void
ngx_webrtc_record_start(ngx_webrtc_record_t *rec)
{
    ngx_err_t                 err;
    ngx_str_t                 path;
    const char               *cause;
    ngx_webrtc_media_start_t  start;

    ngx_memzero(&start, sizeof(ngx_webrtc_media_start_t));

    start.kind = NGX_WEBRTC_MEDIA_RECORD;
    start.name = rec->name;
    start.fd = rec->task->file.fd;
    start.output.format = rec->conf->format;

    rec->size = 0;
    rec->ms = 0;
    rec->failed = 0;
    rec->again = 0;

    path.data = rec->task->file.path;
    path.len = ngx_strlen(path.data);

    ngx_webrtc_bus_outlet_text(rec->bus, rec->outlet, &path);

    /* one that takes the process down gets a process of its own */

    rec->job = ngx_webrtc_media_start(&start, rec->crashes > 1,
                                      &ngx_webrtc_record_handlers, rec,
                                      &rec->log, &cause, &err);

    if (rec->job == NULL) {
        ngx_webrtc_record_fail(rec, cause, err);
        rec->failed = 1;
        ngx_webrtc_record_name(rec);
        return;
    }

    ngx_log_error(NGX_LOG_INFO, &rec->log, 0,
                  "webrtc record begins path:\"%V\"", &path);

    ngx_webrtc_atomic_add(&rec->outlet->files, 1);
    ngx_webrtc_output_feed_job(&rec->feed, rec->job);
    ngx_webrtc_record_state(rec, NGX_WEBRTC_RECORD_RUN);
    ngx_webrtc_record_run(rec);
}


void
ngx_webrtc_records_news(ngx_webrtc_stream_t *st)
{
    ngx_webrtc_record_t  *rec;

    rec = ngx_queue_empty(&ngx_webrtc_records) ? NULL
                                               : ngx_webrtc_record_find(st);

    if (rec && rec->state == NGX_WEBRTC_RECORD_RUN) {
        ngx_webrtc_record_run(rec);
    }
}


static void
ngx_webrtc_record_run(ngx_webrtc_record_t *rec)
{
    ngx_int_t                    rc;
    ngx_webrtc_output_reader_t  *rd;

    rc = ngx_webrtc_output_feed_run(&rec->feed,
                                    (int64_t) rec->conf->segment * 1000);

    rd = &rec->feed.reader;

    ngx_webrtc_atomic_store(&rec->outlet->left_out,
                            rd->left_out + rec->feed.skipped);

    switch (rc) {

    case NGX_DONE:
        ngx_webrtc_record_finish(rec, "changed", 1);
        break;

    case NGX_OK:
        ngx_webrtc_record_finish(rec, "segment", 1);
        break;

    case NGX_DECLINED:
        ngx_webrtc_record_fail(rec, "the file cannot be written as fast as "
                               "media comes: a slow disk", 0);
        rec->failed = 1;
        ngx_webrtc_record_finish(rec, "slow", 0);
        break;

    default: /* NGX_AGAIN */
        break;
    }
}


/* no more frames are for this file */

static void
ngx_webrtc_record_finish(ngx_webrtc_record_t *rec, const char *cause,
    ngx_uint_t again)
{
    rec->cause = cause;
    rec->again = again;
    rec->ms = ngx_webrtc_output_feed_ms(&rec->feed);

    ngx_webrtc_record_state(rec, NGX_WEBRTC_RECORD_CLOSING);
    ngx_webrtc_output_feed_end(&rec->feed);
}


static void
ngx_webrtc_record_on_note(void *data, ngx_webrtc_media_note_t *note)
{
    ngx_webrtc_record_t *rec = data;

    ngx_str_t  text;

    text.data = note->text;
    text.len = note->len;

    if (note->type == NGX_WEBRTC_MEDIA_LOG) {
        ngx_webrtc_bus_complain(rec->bus, rec->st, note->level, &rec->log,
                                "record", "%V", &text);
        ngx_webrtc_bus_outlet_error(rec->bus, rec->outlet, &text);
        return;
    }

    /* its end follows */

    rec->failed = 1;
    rec->cause = "failed";
    ngx_webrtc_output_said(&rec->said, &text);
}


static void
ngx_webrtc_record_on_record(void *data, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_record_t *rec = data;

    if (r->type != NGX_WEBRTC_MEDIA_MUXED) {
        return;
    }

    rec->size = (uint64_t) r->now_us;

    ngx_webrtc_atomic_store(&rec->outlet->bytes, rec->bytes + rec->size);
    ngx_webrtc_atomic_store(&rec->outlet->media_ms,
                            rec->media_ms + (uint64_t) ngx_max(r->ts, 0));
}


static void
ngx_webrtc_record_on_room(void *data)
{
    /* it ends when there is none */

    (void) data;
}


static void
ngx_webrtc_record_on_ended(void *data, ngx_uint_t crashed)
{
    ngx_webrtc_record_t *rec = data;

    rec->job = NULL;

    rec->task->file.cut = crashed || rec->failed;

    if (rec->state == NGX_WEBRTC_RECORD_RUN) {
        rec->ms = ngx_webrtc_output_feed_ms(&rec->feed);
        rec->feed.job = NULL;
        rec->again = 0;

        if (crashed) {
            rec->cause = "crashed";
        }
    }

    if (rec->cause == NULL) {
        rec->cause = "ended";
    }

    ngx_webrtc_record_name(rec);
}


/* the file is as whole as it gets */

static void
ngx_webrtc_record_name(ngx_webrtc_record_t *rec)
{
    ngx_webrtc_record_state(rec, NGX_WEBRTC_RECORD_NAMING);

    if (ngx_webrtc_record_post(rec, ngx_webrtc_record_name_task,
                               ngx_webrtc_record_named)
        == NGX_OK)
    {
        return;
    }

    /* no thread is free: rather wait than leave it */

    rec->task->rc = ngx_webrtc_record_file_done(&rec->task->file);
    ngx_webrtc_record_told(rec, rec->task);
    ngx_webrtc_record_next_state(rec);
}


static void
ngx_webrtc_record_name_task(void *data, ngx_log_t *log)
{
    ngx_webrtc_record_task_t  *task;

    (void) log;

    task = *(ngx_webrtc_record_task_t **) data;
    task->rc = ngx_webrtc_record_file_done(&task->file);
}


static void
ngx_webrtc_record_named(ngx_event_t *ev)
{
    ngx_webrtc_record_t       *rec;
    ngx_webrtc_record_task_t  *task;

    task = ngx_webrtc_output_task_data(ev);
    rec = task->rec;

    if (rec == NULL) {
        ngx_free(task);
        return;
    }

    ngx_webrtc_record_told(rec, task);
    ngx_webrtc_record_next_state(rec);
}


/* it has its name, or cannot get it */

static void
ngx_webrtc_record_told(ngx_webrtc_record_t *rec,
    ngx_webrtc_record_task_t *task)
{
    ngx_webrtc_record_done_t  done;

    if (task->rc != NGX_OK) {
        ngx_webrtc_record_fail(rec, task->file.cause, task->file.err);
        rec->failed = 1;
    }

    if (task->rc == NGX_OK && task->file.size) {

        rec->bytes += task->file.size;
        rec->media_ms += rec->ms;

        ngx_memzero(&done, sizeof(ngx_webrtc_record_done_t));

        done.stream = rec->st;
        done.path.data = task->file.path;
        done.path.len = ngx_strlen(task->file.path);
        done.size = task->file.size;
        done.duration_ms = rec->ms;
        done.begun = rec->begun;
        done.cause.data = (u_char *) rec->cause;
        done.cause.len = ngx_strlen(rec->cause);

        ngx_webrtc_bus_outlet_text(rec->bus, rec->outlet, &done.path);

        ngx_log_error(NGX_LOG_NOTICE, &rec->log, 0,
                      "webrtc record done path:\"%V\" size:%uL "
                      "duration_ms:%uL cause:%V", &done.path, done.size,
                      done.duration_ms, &done.cause);

        if (!rec->failed) {
            rec->pause = 0;
            rec->said.hash = 0;
        }

        if (rec->conf->done) {
            rec->conf->done(rec->conf->ctx, &done);
        }
    }

    ngx_free(task);
    rec->task = NULL;
}


static void
ngx_webrtc_record_next_state(ngx_webrtc_record_t *rec)
{
    ngx_uint_t  crashed;

    crashed = rec->cause && ngx_strcmp(rec->cause, "crashed") == 0;
    rec->cause = NULL;

    rec->crashes = !crashed ? 0
                   : rec->ms > NGX_WEBRTC_RECORD_LIVED ? 1
                   : rec->crashes + 1;

    if (rec->failed) {
        ngx_webrtc_record_rest(rec);
        return;
    }

    if (!rec->again || crashed) {

        /* what comes next begins at the newest key frame */

        ngx_webrtc_output_feed_done(&rec->feed);
        rec->reading = 0;
    }

    if (crashed) {
        rec->until = ngx_current_msec
                     + (NGX_WEBRTC_RECORD_CRASHED
                        << ngx_min(rec->crashes - 1,
                                   NGX_WEBRTC_RECORD_CRASHES));
        ngx_webrtc_record_state(rec, NGX_WEBRTC_RECORD_REST);
        return;
    }

    ngx_webrtc_record_state(rec, NGX_WEBRTC_RECORD_WAIT);

    if (rec->again) {
        rec->again = 0;
        ngx_webrtc_record_wait(rec);
    }
}


/* why there is no recording; one whose file is not there yet rests */

static void
ngx_webrtc_record_fail(ngx_webrtc_record_t *rec, const char *cause, int err)
{
    u_char     buf[NGX_WEBRTC_ERROR_TEXT];
    ngx_str_t  text;

    text.data = buf;
    text.len = ngx_snprintf(buf, sizeof(buf), "%s%s%s", cause, err ? ": " : "",
                            err ? strerror(err) : "")
               - buf;

    ngx_webrtc_output_said(&rec->said, &text);

    if (rec->task == NULL) {
        ngx_webrtc_record_rest(rec);
    }
}


static void
ngx_webrtc_record_rest(ngx_webrtc_record_t *rec)
{
    if (rec->reading) {
        ngx_webrtc_output_feed_done(&rec->feed);
        rec->reading = 0;
    }

    rec->pause = rec->pause ? ngx_min(2 * rec->pause, NGX_WEBRTC_RECORD_PAUSES)
                            : NGX_WEBRTC_RECORD_PAUSE;
    rec->until = ngx_current_msec + rec->pause;

    ngx_webrtc_record_state(rec, NGX_WEBRTC_RECORD_REST);
}


static void
ngx_webrtc_record_state(ngx_webrtc_record_t *rec, ngx_uint_t state)
{
    rec->state = state;
    rec->since = ngx_current_msec;

    ngx_webrtc_bus_outlet_state(rec->outlet, ngx_webrtc_record_outlet[state],
                                ngx_current_msec);
}


ngx_uint_t
ngx_webrtc_records_any(void)
{
    return !ngx_queue_empty(&ngx_webrtc_records);
}


ngx_uint_t
ngx_webrtc_records_busy(void)
{
    ngx_webrtc_record_t  *rec;

    for (rec = ngx_webrtc_record_next(NULL); rec;
         rec = ngx_webrtc_record_next(rec))
    {
        switch (rec->state) {

        case NGX_WEBRTC_RECORD_WAIT:
        case NGX_WEBRTC_RECORD_REST:
            break;

        case NGX_WEBRTC_RECORD_RUN:
            return 1;

        default:

            if (ngx_current_msec - rec->since < NGX_WEBRTC_RECORD_PATIENCE) {
                return 1;
            }
        }
    }

    return 0;
}


void
ngx_webrtc_records_exit(void)
{
    ngx_webrtc_record_t  *rec;

    while ((rec = ngx_webrtc_record_next(NULL)) != NULL) {

        if (rec->job) {

            /* what it has got and not written is lost: part of a fragment */

            ngx_webrtc_media_close(rec->job);
            rec->job = NULL;

            (void) ngx_webrtc_record_file_done(&rec->task->file);

            ngx_log_error(NGX_LOG_NOTICE, &rec->log, 0,
                          "webrtc record done path:\"%s\" size:%uL "
                          "duration_ms:%uL cause:exit", rec->task->file.path,
                          rec->task->file.size,
                          ngx_webrtc_output_feed_ms(&rec->feed));

            ngx_free(rec->task);
            rec->task = NULL;
        }

        ngx_webrtc_record_free(rec);
    }
}


static void
ngx_webrtc_record_free(ngx_webrtc_record_t *rec)
{
    if (rec->reading) {
        ngx_webrtc_output_feed_done(&rec->feed);
    }

    if (rec->task) {

        /* a thread has it */

        rec->task->rec = NULL;
    }

    ngx_queue_remove(&rec->queue);

    ngx_webrtc_bus_outlet_give(rec->bus, rec->outlet);
    ngx_webrtc_bus_unwatch(rec->bus, rec->st);
    ngx_webrtc_bus_release(rec->bus, rec->st);

    ngx_free(rec);
}
