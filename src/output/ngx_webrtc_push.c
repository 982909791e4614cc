
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Pushes.
 *
 *   WAIT -- it has media --> OPENING -- the job has connected --> RUN
 *    ^ ^                        |                                  |
 *    | |                      failed                other tracks, another URL,
 *    | |                        v                   or not wanted any more
 *    | +------ a while ------ REST <-- failed --+                  v
 *    |                                          +-------------- CLOSING
 *    +------------------------- the job has ended -----------------+
 *
 * What is pushed begins with a key frame that is not old: where one can be
 * asked for, older ones are not begun with.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_media.h"
#include "ngx_webrtc_output_feed.h"
#include "ngx_webrtc_push.h"
#include "ngx_webrtc_target.h"


/* ms behind, at most, with which a target has caught up; chosen */
#define NGX_WEBRTC_PUSH_CAUGHT    500

/* ms of a key frame's age to begin with */
#define NGX_WEBRTC_PUSH_YOUNG     1500

/* ms after a key frame when another one is asked for; chosen: servers that make
 * segments of it want one every 2 to 4 s */
#define NGX_WEBRTC_PUSH_KEYS      2000

/* ms that a job gets to say that it is over */
#define NGX_WEBRTC_PUSH_PATIENCE  3000


typedef enum {
    NGX_WEBRTC_PUSH_WAIT = 0,
    NGX_WEBRTC_PUSH_OPENING,
    NGX_WEBRTC_PUSH_RUN,
    NGX_WEBRTC_PUSH_CLOSING,
    NGX_WEBRTC_PUSH_REST
} ngx_webrtc_push_state_e;


struct ngx_webrtc_push_s {
    ngx_webrtc_push_head_t      head;       /* its stream is watched */
    ngx_webrtc_stream_t        *read;       /* the same, or a variant that is
                                               held and watched; NULL: not
                                               known yet */
    ngx_webrtc_output_how_t     how;
    ngx_webrtc_output_feed_t    feed;
    ngx_webrtc_media_job_t     *job;
    const ngx_webrtc_target_t  *target;
    ngx_uint_t                  crashes;    /* in a row */
    uint64_t                    version;    /* of its tracks, for "read" */
    uint64_t                    sent;       /* by this connection, bytes */
    uint64_t                    sent_ms;
    unsigned                    reading:1;  /* the feed is */
    unsigned                    live:1;     /* it has caught up once */
    unsigned                    over:1;     /* the job has been told */
};


static void ngx_webrtc_push_tick(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_key(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_wait(ngx_webrtc_push_t *push);
static ngx_int_t ngx_webrtc_push_choose(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_reads(ngx_webrtc_push_t *push,
    ngx_webrtc_stream_t *st);
static void ngx_webrtc_push_keep(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_read(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_unread(ngx_webrtc_push_t *push);
static ngx_int_t ngx_webrtc_push_url(ngx_webrtc_push_t *push);
static ngx_uint_t ngx_webrtc_push_elsewhere(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_open(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_run(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_count(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_lag(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_finish(ngx_webrtc_push_t *push,
    const char *cause);
static void ngx_webrtc_push_end(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_on_note(void *data, ngx_webrtc_media_note_t *note);
static void ngx_webrtc_push_on_record(void *data,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_push_connected(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_on_room(void *data);
static void ngx_webrtc_push_on_ended(void *data, ngx_uint_t crashed);
static void ngx_webrtc_push_ended(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_failed(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_rest(ngx_webrtc_push_t *push);
static void ngx_webrtc_push_free(ngx_webrtc_push_t *push);


static const ngx_webrtc_media_handlers_t  ngx_webrtc_push_handlers = {
    ngx_webrtc_push_on_note,
    ngx_webrtc_push_on_record,
    NULL,
    ngx_webrtc_push_on_room,
    ngx_webrtc_push_on_ended
};


/* by state; for the status.  What has failed has, until something is sent */

static const ngx_uint_t  ngx_webrtc_push_outlet[] = {
    NGX_WEBRTC_OUTLET_WAITING,
    NGX_WEBRTC_OUTLET_STARTING,
    NGX_WEBRTC_OUTLET_STARTING,     /* until something has been sent */
    NGX_WEBRTC_OUTLET_ACTIVE,
    NGX_WEBRTC_OUTLET_FAILED
};


/* of this process */

static ngx_queue_t  ngx_webrtc_pushes = {
    &ngx_webrtc_pushes, &ngx_webrtc_pushes
};


void
ngx_webrtc_push_want(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    const ngx_webrtc_push_conf_t *conf, const ngx_webrtc_output_how_t *how,
    ngx_uint_t keep, ngx_log_t *log)
{
    ngx_webrtc_push_t  *push;

    push = ngx_webrtc_push_head_find(&ngx_webrtc_pushes, st, conf);

    if (push == NULL) {

        push = ngx_webrtc_push_head_new(&ngx_webrtc_pushes,
                                        sizeof(ngx_webrtc_push_t), bus, st,
                                        conf, ngx_webrtc_push_outlet,
                                        NGX_WEBRTC_PUSH_REST, log);
        if (push == NULL) {
            return;
        }

        ngx_webrtc_bus_watch(bus, st);
    }

    push->how = *how;
    push->head.keep = (keep != 0);
    push->head.wanted = 1;
}


ngx_webrtc_push_t *
ngx_webrtc_push_next(ngx_webrtc_push_t *push)
{
    return ngx_webrtc_push_head_next(&ngx_webrtc_pushes, push);
}


ngx_webrtc_stream_t *
ngx_webrtc_push_stream(ngx_webrtc_push_t *push)
{
    return push->head.st;
}


void
ngx_webrtc_pushes_tick(void)
{
    ngx_webrtc_push_t  *push, *next;

    for (push = ngx_webrtc_push_next(NULL); push; push = next) {
        next = ngx_webrtc_push_next(push);
        ngx_webrtc_push_tick(push);
    }
}


static void
ngx_webrtc_push_tick(ngx_webrtc_push_t *push)
{
    ngx_uint_t  wanted;

    wanted = push->head.wanted;
    push->head.wanted = 0;

    switch (push->head.state) {

    case NGX_WEBRTC_PUSH_REST:

        if (wanted && !ngx_webrtc_push_head_rested(&push->head)) {
            return;
        }

        ngx_webrtc_push_head_state(&push->head, NGX_WEBRTC_PUSH_WAIT);

        /* fall through */

    case NGX_WEBRTC_PUSH_WAIT:

        if (!wanted) {
            ngx_webrtc_push_free(push);
            return;
        }

        ngx_webrtc_push_wait(push);
        break;

    case NGX_WEBRTC_PUSH_CLOSING:

        if (ngx_current_msec - push->head.since > NGX_WEBRTC_PUSH_PATIENCE) {
            ngx_webrtc_media_close(push->job);
            ngx_webrtc_push_ended(push);
        }

        return;

    default: /* NGX_WEBRTC_PUSH_OPENING, _RUN */

        if (!wanted) {
            ngx_webrtc_push_finish(push, "ended");
            return;
        }

        if (ngx_webrtc_push_elsewhere(push)) {
            ngx_webrtc_push_finish(push, "changed");
            return;
        }

        ngx_webrtc_push_keep(push);

        if (push->head.state == NGX_WEBRTC_PUSH_RUN) {
            ngx_webrtc_push_run(push);
        }
    }

    ngx_webrtc_push_key(push);
}


/* to begin with, or to go on with: browsers make none unless asked */

static void
ngx_webrtc_push_key(ngx_webrtc_push_t *push)
{
    if (!push->reading
        || ngx_webrtc_bus_state(push->read) != NGX_WEBRTC_STREAM_ACTIVE)
    {
        return;
    }

    if (ngx_webrtc_output_feed_wants_key(&push->feed, NGX_WEBRTC_PUSH_KEYS)) {
        (void) ngx_webrtc_bus_keyframe(push->head.bus, push->read);
    }
}


static void
ngx_webrtc_push_wait(ngx_webrtc_push_t *push)
{
    if (ngx_webrtc_bus_state(push->head.st) != NGX_WEBRTC_STREAM_ACTIVE
        || ngx_webrtc_push_choose(push) != NGX_OK)
    {
        return;
    }

    ngx_webrtc_push_keep(push);

    if (ngx_webrtc_bus_state(push->read) != NGX_WEBRTC_STREAM_ACTIVE) {
        return;
    }

    if (!push->reading) {
        ngx_webrtc_push_read(push);
    }

    if (ngx_webrtc_output_feed_ready(&push->feed) == NGX_OK) {
        ngx_webrtc_push_open(push);
    }
}


/*
 * Which stream of the family is for the target.  NGX_OK: push->read is it;
 * NGX_DECLINED: none, it rests
 */

static ngx_int_t
ngx_webrtc_push_choose(ngx_webrtc_push_t *push)
{
    ngx_int_t                  rc;
    ngx_webrtc_output_pick_t   pick;

    if (push->read
        && ngx_webrtc_bus_tracks(push->head.st, NULL, NULL) == push->version)
    {
        return NGX_OK;
    }

    if (ngx_webrtc_push_url(push) != NGX_OK) {
        return NGX_DECLINED;
    }

    rc = ngx_webrtc_output_pick(push->head.bus, push->head.st,
                                push->target->video, &push->how,
                                &push->head.log, &pick);

    push->version = pick.version;
    ngx_webrtc_push_reads(push, pick.st);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (pick.cause) {
        ngx_webrtc_push_head_fail(&push->head, "%s", pick.cause);

    } else {
        ngx_webrtc_push_head_fail(&push->head,
                             "%V takes %s, the stream has %V%s",
                             &push->target->name, push->target->list,
                             &ngx_webrtc_codec(pick.codec)->name,
                             push->how.transcode == NGX_WEBRTC_TRANSCODE_OFF
                             ? ", and webrtc_transcode is off" : "");
    }

    ngx_webrtc_push_failed(push);

    return NGX_DECLINED;
}


/* takes over a hold on the stream to be read from now on; NULL: none */

static void
ngx_webrtc_push_reads(ngx_webrtc_push_t *push, ngx_webrtc_stream_t *st)
{
    if (push->read == st) {

        if (st) {
            ngx_webrtc_bus_release(push->head.bus, st);
        }

        return;
    }

    ngx_webrtc_push_end(push);
    ngx_webrtc_push_unread(push);

    if (push->read) {
        ngx_webrtc_bus_unwatch(push->head.bus, push->read);
        ngx_webrtc_bus_release(push->head.bus, push->read);
    }

    push->read = st;

    if (st) {
        ngx_webrtc_bus_watch(push->head.bus, st);
    }
}


static void
ngx_webrtc_push_keep(ngx_webrtc_push_t *push)
{
    ngx_webrtc_output_pick_keep(push->head.bus, push->head.st, push->read,
                                push->head.keep, &push->head.log);
}


static void
ngx_webrtc_push_read(ngx_webrtc_push_t *push)
{
    ngx_memzero(&push->feed, sizeof(ngx_webrtc_output_feed_t));
    ngx_webrtc_output_feed_init(&push->feed, push->read, &push->head.log);

    push->feed.sizes = 1;
    push->feed.young_us = ngx_webrtc_bus_may_ask(push->read)
                          ? NGX_WEBRTC_PUSH_YOUNG * 1000 : 0;
    push->reading = 1;
}


static void
ngx_webrtc_push_unread(ngx_webrtc_push_t *push)
{
    if (push->reading) {
        ngx_webrtc_output_feed_done(&push->feed);
        push->reading = 0;
    }
}


/* NGX_OK; NGX_DECLINED: it cannot be made, and the push rests */

static ngx_int_t
ngx_webrtc_push_url(ngx_webrtc_push_t *push)
{
    ngx_str_t    url;
    const char  *cause;

    if (ngx_webrtc_push_head_url(&push->head, &cause) != NGX_OK) {
        ngx_webrtc_push_head_fail(&push->head, "its URL: %s", cause);
        ngx_webrtc_push_failed(push);
        return NGX_DECLINED;
    }

    url.data = push->head.url;
    url.len = push->head.url_len;

    push->target = ngx_webrtc_target(&url);

    ngx_webrtc_push_head_disclose(&push->head);

    return NGX_OK;
}


/* has another stream of the family to be read, or another publisher come? */

static ngx_uint_t
ngx_webrtc_push_elsewhere(ngx_webrtc_push_t *push)
{
    ngx_webrtc_stream_t  *read;

    if (ngx_webrtc_push_head_moved(&push->head)) {
        return 1;
    }

    if (ngx_webrtc_bus_state(push->head.st) != NGX_WEBRTC_STREAM_ACTIVE
        || ngx_webrtc_bus_tracks(push->head.st, NULL, NULL) == push->version)
    {
        return 0;
    }

    read = push->read;

    return ngx_webrtc_push_choose(push) != NGX_OK || push->read != read;
}


static void
ngx_webrtc_push_open(ngx_webrtc_push_t *push)
{
    ngx_err_t                 err;
    const char               *cause;
    ngx_webrtc_media_start_t  start;

    if (ngx_webrtc_push_url(push) != NGX_OK) {
        return;
    }

    ngx_memzero(&start, sizeof(ngx_webrtc_media_start_t));

    start.kind = NGX_WEBRTC_MEDIA_OUTPUT;
    start.name = push->head.name;
    start.fd = -1;
    start.output.format.data = (u_char *) push->target->format;
    start.output.format.len = ngx_strlen(push->target->format);
    start.output.url.data = push->head.url;
    start.output.url.len = push->head.url_len;
    start.output.verify = (uint8_t) push->head.conf->verify;

    push->sent = 0;
    push->sent_ms = 0;
    push->head.failed = 0;
    push->live = 0;
    push->over = 0;
    push->head.cause = NULL;

    /* one that takes the process down gets a process of its own */

    push->job = ngx_webrtc_media_start(&start, push->crashes > 1,
                                       &ngx_webrtc_push_handlers, push,
                                       &push->head.log, &cause, &err);

    if (push->job == NULL) {
        ngx_webrtc_push_head_fail(&push->head, "%s%s%s", cause,
                                  err ? ": " : "", err ? strerror(err) : "");
        ngx_webrtc_push_rest(push);
        return;
    }

    ngx_webrtc_push_head_state(&push->head, NGX_WEBRTC_PUSH_OPENING);
}


void
ngx_webrtc_pushes_news(ngx_webrtc_stream_t *st)
{
    ngx_webrtc_push_t  *push, *next;

    for (push = ngx_webrtc_push_next(NULL); push; push = next) {
        next = ngx_webrtc_push_next(push);

        if (push->read == st && push->head.state == NGX_WEBRTC_PUSH_RUN) {
            ngx_webrtc_push_run(push);
        }
    }
}


static void
ngx_webrtc_push_run(ngx_webrtc_push_t *push)
{
    ngx_int_t  rc;

    /* its codec may have changed while the job was connecting */

    if (!push->feed.begun && ngx_webrtc_push_elsewhere(push)) {
        ngx_webrtc_push_finish(push, "changed");
        return;
    }

    if (push->feed.job == NULL) {

        if (ngx_webrtc_output_feed_ready(&push->feed) != NGX_OK) {
            return;
        }

        ngx_webrtc_output_feed_job(&push->feed, push->job);
    }

    ngx_webrtc_push_lag(push);

    rc = ngx_webrtc_output_feed_run(&push->feed, 0);

    ngx_webrtc_push_count(push);

    if (rc == NGX_DONE) {
        ngx_webrtc_push_finish(push, "changed");

    } else if (rc == NGX_DECLINED) {

        /* the ring to the job is full */

        push->feed.shut = 1;
    }
}


static void
ngx_webrtc_push_count(ngx_webrtc_push_t *push)
{
    uint64_t  left_out;

    /* what has come before it was connected is not left out */

    left_out = push->head.begun ? push->feed.reader.left_out
                                  + push->feed.skipped
                                : 0;

    ngx_webrtc_push_head_sent(&push->head, push->sent, push->sent_ms,
                              left_out);
}


/* how far is what has been sent behind what was given? */

static void
ngx_webrtc_push_lag(ngx_webrtc_push_t *push)
{
    int64_t  lag;

    if (!push->feed.begun) {
        return;
    }

    lag = (int64_t) ngx_webrtc_output_feed_ms(&push->feed)
          - (int64_t) push->sent_ms;

    if (lag < NGX_WEBRTC_PUSH_CAUGHT) {
        push->feed.shut = 0;
        push->live = 1;

    } else if (lag > NGX_WEBRTC_PUSH_LATE && push->live && !push->feed.shut) {

        push->feed.shut = 1;

        ngx_webrtc_bus_complain(push->head.bus, push->head.st, NGX_LOG_WARN,
                                &push->head.log, "push", "the target is slower "
                                "than the stream: pictures are left out");
    }
}


/* no more frames are for this connection */

static void
ngx_webrtc_push_finish(ngx_webrtc_push_t *push, const char *cause)
{
    push->head.cause = cause;

    ngx_webrtc_push_head_state(&push->head, NGX_WEBRTC_PUSH_CLOSING);
    ngx_webrtc_push_end(push);

    if (!push->over) {
        ngx_webrtc_media_stop(push->job);
    }
}


/* if it is fed, the job says goodbye to the target */

static void
ngx_webrtc_push_end(ngx_webrtc_push_t *push)
{
    if (push->reading && push->feed.job) {
        ngx_webrtc_output_feed_end(&push->feed);
        push->over = 1;
    }
}


static void
ngx_webrtc_push_on_note(void *data, ngx_webrtc_media_note_t *note)
{
    ngx_webrtc_push_t *push = data;

    ngx_str_t  text;

    text.data = note->text;
    text.len = note->len;

    if (note->type == NGX_WEBRTC_MEDIA_LOG) {
        ngx_webrtc_bus_complain(push->head.bus, push->head.st, note->level,
                                &push->head.log, "push", "%V", &text);
        ngx_webrtc_bus_outlet_error(push->head.bus, push->head.outlet, &text);
        return;
    }

    /* its end follows */

    push->head.failed = 1;
    push->head.cause = "failed";
    ngx_webrtc_output_said(&push->head.said, &text);
}


static void
ngx_webrtc_push_on_record(void *data, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_push_t *push = data;

    if (r->type != NGX_WEBRTC_MEDIA_MUXED) {
        return;
    }

    push->sent = (uint64_t) r->now_us;
    push->sent_ms = (uint64_t) ngx_max(r->ts, 0);

    ngx_webrtc_push_count(push);

    if (push->head.state == NGX_WEBRTC_PUSH_OPENING && !push->head.failed) {
        ngx_webrtc_push_connected(push);

    } else if (push->head.begun == 0 && push->sent) {
        ngx_webrtc_push_head_begin(&push->head);
    }
}


static void
ngx_webrtc_push_connected(ngx_webrtc_push_t *push)
{
    ngx_webrtc_push_head_state(&push->head, NGX_WEBRTC_PUSH_RUN);

    /* what has come meanwhile is old */

    ngx_webrtc_push_unread(push);
    ngx_webrtc_push_read(push);

    ngx_webrtc_push_run(push);

    ngx_webrtc_push_key(push);
}


static void
ngx_webrtc_push_on_room(void *data)
{
    /* what is left out is so until it has caught up */

    (void) data;
}


static void
ngx_webrtc_push_on_ended(void *data, ngx_uint_t crashed)
{
    ngx_webrtc_push_t *push = data;

    push->crashes = crashed ? push->crashes + 1 : 0;

    if (push->head.state != NGX_WEBRTC_PUSH_CLOSING) {

        /* nobody has asked it to */

        if (!push->head.failed) {
            push->head.cause = crashed ? "crashed" : "closed";
        }

        push->head.failed = 1;
    }

    ngx_webrtc_push_ended(push);
}


static void
ngx_webrtc_push_ended(ngx_webrtc_push_t *push)
{
    push->job = NULL;
    push->feed.job = NULL;

    if (push->head.begun) {
        ngx_webrtc_push_count(push);
    }

    push->sent = 0;
    push->sent_ms = 0;

    ngx_webrtc_push_unread(push);

    if (ngx_webrtc_push_head_end(&push->head)) {
        ngx_webrtc_push_head_state(&push->head, NGX_WEBRTC_PUSH_WAIT);

    } else {
        ngx_webrtc_push_rest(push);
    }
}


/* one that has no job rests */

static void
ngx_webrtc_push_failed(ngx_webrtc_push_t *push)
{
    if (push->job == NULL) {
        ngx_webrtc_push_rest(push);
    }
}


static void
ngx_webrtc_push_rest(ngx_webrtc_push_t *push)
{
    ngx_webrtc_push_unread(push);
    ngx_webrtc_push_head_rest(&push->head, 0);
}


ngx_uint_t
ngx_webrtc_pushes_busy(void)
{
    ngx_webrtc_push_t  *push;

    for (push = ngx_webrtc_push_next(NULL); push;
         push = ngx_webrtc_push_next(push))
    {
        if (push->head.state == NGX_WEBRTC_PUSH_CLOSING
            && ngx_current_msec - push->head.since < NGX_WEBRTC_PUSH_PATIENCE)
        {
            return 1;
        }
    }

    return 0;
}


void
ngx_webrtc_pushes_exit(void)
{
    ngx_webrtc_push_t  *push;

    while ((push = ngx_webrtc_push_next(NULL)) != NULL) {
        ngx_webrtc_push_free(push);
    }
}


static void
ngx_webrtc_push_free(ngx_webrtc_push_t *push)
{
    if (push->job) {
        ngx_webrtc_media_close(push->job);
        push->job = NULL;
        push->feed.job = NULL;
    }

    ngx_webrtc_push_reads(push, NULL);

    ngx_webrtc_bus_unwatch(push->head.bus, push->head.st);
    ngx_webrtc_push_head_free(&push->head, sizeof(ngx_webrtc_push_t));
}
