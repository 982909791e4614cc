
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Streams in segments: see the header file.
 *
 *   WAIT -- it has media --> RUN -- others, away, not wanted --> END
 *    ^ ^                      |                                   |
 *    | +----- a while -- REST <-- cannot be written --+           | the jobs
 *    |                                                            v have ended
 *    +------------------------------------------------------------+--> GONE
 *
 * Order.  What jobs make, and all else that is to be done with files, is in one
 * queue, of which a thread has the first part; it is published in that order
 * when the thread has done it.  So the numbers of segments are counted twice:
 * here where they are queued, in the channel where they are published.
 *
 * Times.  Segments keep the stream's times, so that those of all tracks, jobs
 * and workers fit; the wall clock is that, and a difference that is looked up
 * when a run begins.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_bus_outlet.h"
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_hls.h"
#include "ngx_webrtc_hls_lane.h"
#include "ngx_webrtc_hls_store.h"
#include "ngx_webrtc_hls_sweep.h"
#include "ngx_webrtc_output_said.h"
#include "ngx_webrtc_time.h"


/* ms of pauses: after a process that was killed; after an error; chosen: a disk
 * that is full stays so for minutes */
#define NGX_WEBRTC_HLS_CRASHED   100
#define NGX_WEBRTC_HLS_PAUSE     60000

/* doublings of the first one at most; ms after which a run counts as one that
 * went well */
#define NGX_WEBRTC_HLS_CRASHES   9
#define NGX_WEBRTC_HLS_LIVED     30000

/* ms for which jobs may take to end */
#define NGX_WEBRTC_HLS_PATIENCE  5000

/* ms for which a publisher who has gone is waited for, if it does not say */
#define NGX_WEBRTC_HLS_AWAY      10000

/* s of a part, after which another run begins: its media has paused */
#define NGX_WEBRTC_HLS_PART_LONG 60


typedef enum {
    NGX_WEBRTC_HLS_WAIT = 0,
    NGX_WEBRTC_HLS_RUN,
    NGX_WEBRTC_HLS_END,
    NGX_WEBRTC_HLS_REST,
    NGX_WEBRTC_HLS_GONE
} ngx_webrtc_hls_state_e;


struct ngx_webrtc_hls_s {
    ngx_queue_t                   queue;
    ngx_webrtc_bus_t             *bus;
    ngx_webrtc_stream_t          *st;         /* held; NULL: GONE */
    const ngx_webrtc_hls_conf_t  *conf;
    ngx_webrtc_hls_how_t          how;
    ngx_webrtc_outlet_t          *outlet;     /* NULL: the zone is full */
    ngx_webrtc_hls_channel_t     *channel;    /* ours */
    ngx_webrtc_hls_store_t        store;
    ngx_webrtc_hls_lanes_t        lanes;
    ngx_uint_t                    state;
    ngx_msec_t                    since;      /* of the state */
    ngx_msec_t                    until;      /* of REST */
    ngx_uint_t                    crashes;    /* in a row */
    uint64_t                      version;    /* of its tracks, when it began */
    int64_t                       offset_us;  /* of the wall clock */
    uint64_t                      media_ms;
    ngx_webrtc_output_said_t      said;
    ngx_log_t                     log;
    ngx_str_t                     name;
    u_char                        name_buf[NGX_WEBRTC_NAME_MAX + 1];
    unsigned                      timed:1;    /* offset_us is known */
    unsigned                      read:1;     /* a reader of the stream */
    unsigned                      over:1;     /* its publisher has gone */
    unsigned                      failed:1;
    unsigned                      again:1;    /* END: another run follows */
};


typedef struct ngx_webrtc_hls_s  ngx_webrtc_hls_t;


static ngx_webrtc_hls_t *ngx_webrtc_hls_find(ngx_str_t *name,
    const ngx_webrtc_hls_conf_t *conf);
static ngx_webrtc_hls_t *ngx_webrtc_hls_create(ngx_webrtc_bus_t *bus,
    ngx_str_t *name, const ngx_webrtc_hls_conf_t *conf, ngx_log_t *log);
static u_char *ngx_webrtc_hls_log_error(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_webrtc_hls_of(ngx_webrtc_hls_t *h, ngx_webrtc_stream_t *st);
static ngx_uint_t ngx_webrtc_hls_asked(ngx_webrtc_hls_t *h);
static void ngx_webrtc_hls_tick(ngx_webrtc_hls_t *h);
static ngx_uint_t ngx_webrtc_hls_away(ngx_webrtc_hls_t *h);
static void ngx_webrtc_hls_wait(ngx_webrtc_hls_t *h);
static void ngx_webrtc_hls_start(ngx_webrtc_hls_t *h);
static void ngx_webrtc_hls_run(ngx_webrtc_hls_t *h);
static void ngx_webrtc_hls_time(ngx_webrtc_hls_t *h);
static void ngx_webrtc_hls_end(ngx_webrtc_hls_t *h, ngx_uint_t again);
static void ngx_webrtc_hls_ended(void *data, ngx_uint_t crashed);
static void ngx_webrtc_hls_note(void *data, ngx_uint_t failed,
    ngx_uint_t level, ngx_str_t *text);
static void ngx_webrtc_hls_record(void *data, ngx_uint_t lane,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_hls_head(ngx_webrtc_hls_t *h, ngx_uint_t track,
    ngx_webrtc_media_record_t *r, ngx_uint_t lane);
static void ngx_webrtc_hls_stopped(void *data, ngx_uint_t lane);
static void ngx_webrtc_hls_stored(void *data, uint64_t bytes);
static void ngx_webrtc_hls_fail(void *data, const char *cause, int err);
static void ngx_webrtc_hls_rest(ngx_webrtc_hls_t *h, ngx_msec_t pause);
static void ngx_webrtc_hls_state(ngx_webrtc_hls_t *h, ngx_uint_t state);
static void ngx_webrtc_hls_gone(ngx_webrtc_hls_t *h);
static void ngx_webrtc_hls_removed(void *data);
static void ngx_webrtc_hls_free(ngx_webrtc_hls_t *h);


/* by state; for the status */

static const ngx_uint_t  ngx_webrtc_hls_outlet[] = {
    NGX_WEBRTC_OUTLET_WAITING,
    NGX_WEBRTC_OUTLET_ACTIVE,
    NGX_WEBRTC_OUTLET_ACTIVE,
    NGX_WEBRTC_OUTLET_FAILED,
    NGX_WEBRTC_OUTLET_WAITING
};


/* of this process */

static ngx_queue_t  ngx_webrtc_hlss = {
    &ngx_webrtc_hlss, &ngx_webrtc_hlss
};


ngx_int_t
ngx_webrtc_hls_want(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    const ngx_webrtc_hls_conf_t *conf, const ngx_webrtc_hls_how_t *how,
    ngx_log_t *log)
{
    ngx_str_t          name;
    ngx_webrtc_hls_t  *h;

    name.data = st->name;
    name.len = st->name_len;

    h = ngx_webrtc_hls_find(&name, conf);

    if (h == NULL) {

        if (ngx_webrtc_bus_state(st) != NGX_WEBRTC_STREAM_ACTIVE) {
            return NGX_OK;
        }

        h = ngx_webrtc_hls_create(bus, &name, conf, log);

        if (h == NULL) {
            return ngx_webrtc_bus_hls_read(bus, &name, conf->id, 0, NULL, 0,
                                           NULL);
        }
    }

    if (h->st != st && h->state != NGX_WEBRTC_HLS_RUN
        && h->state != NGX_WEBRTC_HLS_END)
    {
        ngx_webrtc_hls_of(h, st);
    }

    h->how = *how;

    if (h->state == NGX_WEBRTC_HLS_WAIT) {
        ngx_webrtc_hls_wait(h);
    }

    return NGX_OK;
}


/* not of those that are being removed */

static ngx_webrtc_hls_t *
ngx_webrtc_hls_find(ngx_str_t *name, const ngx_webrtc_hls_conf_t *conf)
{
    ngx_queue_t       *q;
    ngx_webrtc_hls_t  *h;

    for (q = ngx_queue_head(&ngx_webrtc_hlss);
         q != ngx_queue_sentinel(&ngx_webrtc_hlss);
         q = ngx_queue_next(q))
    {
        h = ngx_queue_data(q, ngx_webrtc_hls_t, queue);

        if (h->state != NGX_WEBRTC_HLS_GONE
            && h->conf->id == conf->id
            && h->name.len == name->len
            && ngx_memcmp(h->name.data, name->data, name->len) == 0)
        {
            return h;
        }
    }

    return NULL;
}


static ngx_webrtc_hls_t *
ngx_webrtc_hls_create(ngx_webrtc_bus_t *bus, ngx_str_t *name,
    const ngx_webrtc_hls_conf_t *conf, ngx_log_t *log)
{
    uint32_t                   gen;
    uint64_t                   now;
    ngx_uint_t                 adopted, full;
    ngx_webrtc_hls_t          *h;
    ngx_webrtc_hls_channel_t  *ch;

    /* of names that nobody has had: in caches and in directories */

    now = ngx_webrtc_time_wall(ngx_webrtc_time_now());
    gen = ngx_webrtc_hls_gen(now);

    ch = ngx_webrtc_bus_hls_take(bus, name, conf->id, &conf->params, gen,
                                 (int64_t) now, &adopted, &full);

    if (adopted
        && ngx_memcmp(&ngx_webrtc_bus_hls_info(ch)->params, &conf->params,
                      sizeof(ngx_webrtc_hls_params_t))
           != 0)
    {
        ngx_webrtc_bus_hls_free(bus, ch);

        ch = ngx_webrtc_bus_hls_take(bus, name, conf->id, &conf->params, gen,
                                     (int64_t) now, &adopted, &full);
    }

    if (ch == NULL) {
        return NULL;
    }

    h = ngx_calloc(sizeof(ngx_webrtc_hls_t), log);

    if (h == NULL) {
        ngx_webrtc_bus_hls_give(bus, ch);
        return NULL;
    }

    h->bus = bus;
    h->conf = conf;
    h->channel = ch;

    h->name.data = h->name_buf;
    h->name.len = name->len;
    ngx_memcpy(h->name_buf, name->data, name->len);

    h->log = *ngx_cycle->log;
    h->log.handler = ngx_webrtc_hls_log_error;
    h->log.data = h;
    h->log.action = NULL;

    h->said.event = "hls";
    h->said.log = &h->log;
    h->said.bus = bus;

    h->store.bus = bus;
    h->store.channel = ch;
    h->store.pool = conf->pool;
    h->store.root = (const char *) conf->root.data;
    h->store.log = &h->log;
    h->store.stored = ngx_webrtc_hls_stored;
    h->store.failed = ngx_webrtc_hls_fail;
    h->store.removed = ngx_webrtc_hls_removed;
    h->store.data = h;

    h->lanes.bus = bus;
    h->lanes.log = &h->log;
    h->lanes.conf = conf;
    h->lanes.name = &h->name;
    h->lanes.channel = ch;
    h->lanes.record = ngx_webrtc_hls_record;
    h->lanes.note = ngx_webrtc_hls_note;
    h->lanes.stopped = ngx_webrtc_hls_stopped;
    h->lanes.ended = ngx_webrtc_hls_ended;
    h->lanes.data = h;

    ngx_queue_insert_tail(&ngx_webrtc_hlss, &h->queue);

    if (ngx_webrtc_hls_store_open(&h->store, name, conf->id) != NGX_OK) {
        ngx_webrtc_hls_free(h);
        return NULL;
    }

    if (adopted) {
        ngx_log_error(NGX_LOG_NOTICE, &h->log, 0,
                      "webrtc hls taken over from a worker that has gone");
    }

    return h;
}


static u_char *
ngx_webrtc_hls_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_webrtc_hls_t  *h;

    h = log->data;

    return ngx_snprintf(buf, len, ", stream: \"%V\"", &h->name);
}


/* it is made of this stream from now on; NULL: of none */

static void
ngx_webrtc_hls_of(ngx_webrtc_hls_t *h, ngx_webrtc_stream_t *st)
{
    ngx_uint_t  full;

    if (h->st) {
        ngx_webrtc_hls_lanes_done(&h->lanes);

        if (h->outlet) {
            ngx_webrtc_bus_outlet_give(h->bus, h->outlet);
            h->outlet = NULL;
        }

        if (h->read) {
            ngx_webrtc_bus_reader(h->bus, h->st, -1);
            h->read = 0;
        }

        ngx_webrtc_bus_release(h->bus, h->st);
    }

    h->st = st;
    h->said.outlet = NULL;

    if (st == NULL) {
        return;
    }

    ngx_webrtc_bus_hold(h->bus, st);

    h->outlet = ngx_webrtc_bus_outlet_take(h->bus, st, NGX_WEBRTC_OUTLET_HLS,
                                           h->conf->id, &full);
    if (h->outlet) {
        ngx_webrtc_bus_outlet_text(h->bus, h->outlet,
                                   (ngx_str_t *) &h->conf->root);
        h->said.outlet = h->outlet;
    }

    ngx_webrtc_hls_state(h, h->state);
}


void
ngx_webrtc_hlss_tick(void)
{
    ngx_queue_t  *q, *next;

    for (q = ngx_queue_head(&ngx_webrtc_hlss);
         q != ngx_queue_sentinel(&ngx_webrtc_hlss);
         q = next)
    {
        next = ngx_queue_next(q);

        ngx_webrtc_hls_tick(ngx_queue_data(q, ngx_webrtc_hls_t, queue));
    }
}


/* does somebody play it? */

static ngx_uint_t
ngx_webrtc_hls_asked(ngx_webrtc_hls_t *h)
{
    uint64_t                wanted;
    ngx_msec_t              idle;
    ngx_webrtc_hls_info_t  *info;

    info = ngx_webrtc_bus_hls_info(h->channel);

    /* players come back after a segment, and after a failure a bit later */

    idle = ngx_min(info->target, NGX_WEBRTC_HLS_LONG) * 3000;
    idle = ngx_max(h->how.idle, idle);
    wanted = ngx_webrtc_bus_hls_wanted(h->channel);

    return (int64_t) ((uint64_t) ngx_current_msec - wanted) < (int64_t) idle;
}


static void
ngx_webrtc_hls_tick(ngx_webrtc_hls_t *h)
{
    ngx_uint_t  asked, wanted;

    if (h->state == NGX_WEBRTC_HLS_GONE || h->st == NULL) {
        return;
    }

    asked = ngx_webrtc_hls_asked(h);
    wanted = (asked || (h->how.always && !ngx_webrtc_hls_away(h)))
             && !ngx_exiting;

    /* one that is always made does not keep an upstream on, its players do */

    if (asked != h->read) {
        ngx_webrtc_bus_reader(h->bus, h->st, asked ? 1 : -1);
        h->read = (asked != 0);
    }

    switch (h->state) {

    case NGX_WEBRTC_HLS_WAIT:
    case NGX_WEBRTC_HLS_REST:

        if (!wanted) {
            ngx_webrtc_hls_gone(h);
            return;
        }

        if (h->state == NGX_WEBRTC_HLS_REST) {

            if ((ngx_msec_int_t) (h->until - ngx_current_msec) > 0) {
                return;
            }

            ngx_webrtc_hls_state(h, NGX_WEBRTC_HLS_WAIT);
        }

        if (!h->over && ngx_webrtc_hls_away(h)) {

            /* players are told that nothing more comes */

            h->over = 1;
            ngx_webrtc_bus_hls_state(h->bus, h->channel, 1, h->failed);
        }

        ngx_webrtc_hls_wait(h);
        break;

    case NGX_WEBRTC_HLS_RUN:

        if (!wanted
            || ngx_webrtc_bus_is_dropped(h->st)
            || ngx_webrtc_bus_state(h->st) != NGX_WEBRTC_STREAM_ACTIVE)
        {
            ngx_webrtc_hls_end(h, wanted);
            return;
        }

        ngx_webrtc_hls_run(h);
        break;

    default: /* NGX_WEBRTC_HLS_END */

        if (ngx_current_msec - h->since > NGX_WEBRTC_HLS_PATIENCE) {
            ngx_webrtc_hls_lanes_close(&h->lanes);
            ngx_webrtc_hls_ended(h, 0);
        }

        return;
    }

    ngx_webrtc_hls_lanes_keep(&h->lanes, h->st, h->read);
}


/* for longer than viewers are kept for a publisher */

static ngx_uint_t
ngx_webrtc_hls_away(ngx_webrtc_hls_t *h)
{
    uint64_t  linger;

    if (ngx_webrtc_bus_is_dropped(h->st)) {
        return 1;
    }

    if (ngx_webrtc_bus_state(h->st) == NGX_WEBRTC_STREAM_ACTIVE) {
        return 0;
    }

    linger = ngx_webrtc_atomic_load(&h->st->linger_ms);

    return ngx_webrtc_bus_state_age(h->st, ngx_current_msec)
           >= (linger ? linger : NGX_WEBRTC_HLS_AWAY);
}


static void
ngx_webrtc_hls_wait(ngx_webrtc_hls_t *h)
{
    ngx_int_t    rc;
    const char  *cause;

    if (ngx_webrtc_bus_is_dropped(h->st)
        || ngx_webrtc_bus_state(h->st) != NGX_WEBRTC_STREAM_ACTIVE)
    {
        ngx_webrtc_hls_lanes_done(&h->lanes);
        return;
    }

    if (!h->read && ngx_webrtc_hls_asked(h)) {
        ngx_webrtc_bus_reader(h->bus, h->st, 1);
        h->read = 1;
    }

    rc = ngx_webrtc_hls_lanes_ready(&h->lanes, h->st, &h->how, &cause);

    if (rc == NGX_OK) {
        ngx_webrtc_hls_start(h);

    } else if (rc != NGX_AGAIN) {
        ngx_webrtc_hls_fail(h, cause, 0);
    }
}


static void
ngx_webrtc_hls_start(ngx_webrtc_hls_t *h)
{
    ngx_err_t    err;
    const char  *cause;

    h->timed = 0;
    h->again = 0;
    h->media_ms = 0;

    /* one that takes the process down gets a process of its own */

    if (ngx_webrtc_hls_lanes_start(&h->lanes, h->crashes > 1, &cause, &err)
        != NGX_OK)
    {
        ngx_webrtc_hls_lanes_done(&h->lanes);
        ngx_webrtc_hls_fail(h, cause, err);
        return;
    }

    if (ngx_webrtc_hls_store_run(&h->store, h->st->ref,
                                 ngx_webrtc_hls_lanes_tracks(&h->lanes))
        != NGX_OK)
    {
        return;
    }

    h->over = 0;
    h->failed = 0;
    ngx_webrtc_bus_hls_state(h->bus, h->channel, 0, 0);

    if (h->outlet) {
        ngx_webrtc_atomic_add(&h->outlet->files, 1);
    }

    ngx_webrtc_hls_state(h, NGX_WEBRTC_HLS_RUN);
    ngx_webrtc_hls_run(h);
}


void
ngx_webrtc_hlss_news(ngx_webrtc_stream_t *st)
{
    ngx_queue_t       *q;
    ngx_webrtc_hls_t  *h;

    for (q = ngx_queue_head(&ngx_webrtc_hlss);
         q != ngx_queue_sentinel(&ngx_webrtc_hlss);
         q = ngx_queue_next(q))
    {
        h = ngx_queue_data(q, ngx_webrtc_hls_t, queue);

        if (!ngx_webrtc_hls_lanes_reads(&h->lanes, st)) {
            continue;
        }

        if (h->state == NGX_WEBRTC_HLS_WAIT) {
            ngx_webrtc_hls_wait(h);

        } else if (h->state == NGX_WEBRTC_HLS_RUN) {
            ngx_webrtc_hls_run(h);
        }
    }
}


static void
ngx_webrtc_hls_run(ngx_webrtc_hls_t *h)
{
    ngx_int_t  rc;

    rc = ngx_webrtc_hls_lanes_run(&h->lanes);

    if (h->outlet) {
        ngx_webrtc_atomic_store(&h->outlet->left_out,
                                ngx_webrtc_hls_lanes_left_out(&h->lanes));
    }

    if (!h->timed) {
        ngx_webrtc_hls_time(h);
    }

    if (rc == NGX_DONE) {
        ngx_webrtc_hls_end(h, 1);
    }
}


/* the wall clock, from the newest frame that was read */

static void
ngx_webrtc_hls_time(ngx_webrtc_hls_t *h)
{
    int64_t                    behind;
    ngx_webrtc_hls_info_t     *info;
    ngx_webrtc_output_feed_t  *feed;

    feed = &h->lanes.lanes[0].feed;

    if (!feed->begun) {
        return;
    }

    h->timed = 1;
    h->offset_us = (int64_t)
                   ngx_webrtc_time_wall((uint64_t) feed->unit.arrival_us)
                   - feed->last_us;

    /* dates only rise */

    info = ngx_webrtc_bus_hls_info(h->channel);
    behind = info->end_us - (feed->first_us + h->offset_us);

    if (behind > 0) {
        h->offset_us += behind;
    }
}


/* no more frames are for these jobs */

static void
ngx_webrtc_hls_end(ngx_webrtc_hls_t *h, ngx_uint_t again)
{
    h->again = (again != 0);

    ngx_webrtc_hls_state(h, NGX_WEBRTC_HLS_END);

    if (ngx_webrtc_hls_lanes_end(&h->lanes) == NGX_DONE) {
        ngx_webrtc_hls_ended(h, 0);
    }
}


/* all jobs have ended, or one of them has died */

static void
ngx_webrtc_hls_ended(void *data, ngx_uint_t crashed)
{
    ngx_webrtc_hls_t *h = data;

    ngx_uint_t  asked, lived;

    asked = (h->state == NGX_WEBRTC_HLS_END);
    lived = (ngx_current_msec - h->since > NGX_WEBRTC_HLS_LIVED);

    ngx_webrtc_hls_lanes_done(&h->lanes);
    ngx_webrtc_hls_store_end(&h->store);

    if (h->state != NGX_WEBRTC_HLS_RUN && !asked) {
        return;
    }

    if (crashed) {
        h->crashes = lived ? 1 : h->crashes + 1;
        h->failed = 0;

        ngx_webrtc_hls_rest(h, NGX_WEBRTC_HLS_CRASHED
                               << ngx_min(h->crashes - 1,
                                          NGX_WEBRTC_HLS_CRASHES));
        return;
    }

    if (h->failed || !asked) {
        ngx_webrtc_hls_rest(h, NGX_WEBRTC_HLS_PAUSE);
        return;
    }

    h->crashes = 0;
    ngx_webrtc_hls_state(h, NGX_WEBRTC_HLS_WAIT);

    if (h->again) {
        ngx_webrtc_hls_wait(h);
    }
}


static void
ngx_webrtc_hls_note(void *data, ngx_uint_t failed, ngx_uint_t level,
    ngx_str_t *text)
{
    ngx_webrtc_hls_t *h = data;

    if (failed) {

        /* its end follows */

        h->failed = 1;
        ngx_webrtc_bus_hls_state(h->bus, h->channel, h->over, 1);

        if (h->outlet) {
            ngx_webrtc_output_said(&h->said, text);
            return;
        }
    }

    if (h->st == NULL) {
        return;
    }

    ngx_webrtc_bus_complain(h->bus, h->st, level, &h->log, "hls", "%V", text);
}


static void
ngx_webrtc_hls_record(void *data, ngx_uint_t lane,
    ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_hls_t *h = data;

    int64_t                 us;
    uint32_t                clock;
    ngx_uint_t              track;
    ngx_webrtc_hls_piece_t  piece;

    if (r->type != NGX_WEBRTC_MEDIA_MUXED || r->len == 0
        || (h->state != NGX_WEBRTC_HLS_RUN && h->state != NGX_WEBRTC_HLS_END))
    {
        return;
    }

    track = ngx_webrtc_hls_lane_track(lane, r);

    if (r->value & NGX_WEBRTC_MEDIA_MUXED_HEAD) {
        ngx_webrtc_hls_head(h, track, r, lane);
        return;
    }

    clock = h->store.tracks[track].clock;

    if (clock == 0 || r->ts < 0 || r->now_us > UINT32_MAX) {
        return;
    }

    if (r->now_us > (int64_t) NGX_WEBRTC_HLS_PART_LONG * clock) {

        if (h->state == NGX_WEBRTC_HLS_RUN) {
            ngx_webrtc_hls_end(h, 1);
        }

        return;
    }

    us = ngx_webrtc_ts_scale(r->ts, 1000000, clock);

    piece.track = track;
    piece.ts = r->ts;
    piece.wall_us = us + h->offset_us;
    piece.duration = (uint32_t) r->now_us;
    piece.frames = (track < NGX_WEBRTC_HLS_AAC)
                   ? r->value >> NGX_WEBRTC_MEDIA_MUXED_FRAMES : 0;
    piece.fresh = ((r->value & NGX_WEBRTC_MEDIA_MUXED_SEGMENT) != 0);
    piece.last = ((r->value & NGX_WEBRTC_MEDIA_MUXED_LAST) != 0);
    piece.independent = ((r->value & NGX_WEBRTC_MEDIA_MUXED_KEY) != 0);
    piece.data = r->data;
    piece.len = r->len;

    if (ngx_webrtc_hls_store_part(&h->store, &piece) != NGX_OK) {
        return;
    }

    if (track < NGX_WEBRTC_HLS_AAC && lane == 0) {
        h->media_ms += (uint64_t) r->now_us * 1000 / clock;
    }
}


static void
ngx_webrtc_hls_head(ngx_webrtc_hls_t *h, ngx_uint_t track,
    ngx_webrtc_media_record_t *r, ngx_uint_t lane)
{
    u_char                  *p;
    ngx_webrtc_hls_track_t   head;

    p = ngx_webrtc_hls_lane_head(&h->lanes, lane, r, &head);

    if (p) {
        ngx_webrtc_hls_store_head(&h->store, track, &head, p,
                                  r->data + r->len - p);
    }
}


/* a smaller video has, and the others go on */

static void
ngx_webrtc_hls_stopped(void *data, ngx_uint_t lane)
{
    ngx_webrtc_hls_t *h = data;

    ngx_webrtc_hls_store_stop(&h->store, lane);
}


/* so much has been written, and published */

static void
ngx_webrtc_hls_stored(void *data, uint64_t bytes)
{
    ngx_webrtc_hls_t *h = data;

    if (h->outlet) {
        ngx_webrtc_atomic_add(&h->outlet->bytes, bytes);
        ngx_webrtc_atomic_store(&h->outlet->media_ms, h->media_ms);
        h->said.hash = 0;
    }
}


static void
ngx_webrtc_hls_fail(void *data, const char *cause, int err)
{
    ngx_webrtc_hls_t *h = data;

    u_char     buf[NGX_WEBRTC_ERROR_TEXT];
    ngx_str_t  text;

    text.data = buf;
    text.len = ngx_snprintf(buf, sizeof(buf), "%s%s%s", cause, err ? ": " : "",
                            err ? strerror(err) : "")
               - buf;

    ngx_webrtc_hls_note(h, 1, NGX_LOG_ERR, &text);

    ngx_webrtc_hls_lanes_done(&h->lanes);
    ngx_webrtc_hls_store_end(&h->store);

    if (h->state != NGX_WEBRTC_HLS_GONE) {
        ngx_webrtc_hls_rest(h, NGX_WEBRTC_HLS_PAUSE);
    }
}


static void
ngx_webrtc_hls_rest(ngx_webrtc_hls_t *h, ngx_msec_t pause)
{
    h->until = ngx_current_msec + pause;
    ngx_webrtc_hls_state(h, NGX_WEBRTC_HLS_REST);
}


static void
ngx_webrtc_hls_state(ngx_webrtc_hls_t *h, ngx_uint_t state)
{
    h->state = state;
    h->since = ngx_current_msec;

    if (h->outlet) {
        ngx_webrtc_bus_outlet_state(h->outlet, ngx_webrtc_hls_outlet[state],
                                    ngx_current_msec);
    }
}


ngx_uint_t
ngx_webrtc_hlss_busy(void)
{
    ngx_queue_t       *q;
    ngx_webrtc_hls_t  *h;

    for (q = ngx_queue_head(&ngx_webrtc_hlss);
         q != ngx_queue_sentinel(&ngx_webrtc_hlss);
         q = ngx_queue_next(q))
    {
        h = ngx_queue_data(q, ngx_webrtc_hls_t, queue);

        if (h->state == NGX_WEBRTC_HLS_END) {
            return 1;
        }
    }

    return 0;
}


/* nobody wants it; or another worker goes on with it */

static void
ngx_webrtc_hls_gone(ngx_webrtc_hls_t *h)
{
    ngx_webrtc_hls_of(h, NULL);

    if (ngx_exiting) {
        ngx_webrtc_hls_free(h);
        return;
    }

    ngx_webrtc_hls_state(h, NGX_WEBRTC_HLS_GONE);
    ngx_webrtc_bus_hls_state(h->bus, h->channel, 1, 0);

    ngx_webrtc_hls_store_remove(&h->store);
}


/* its files are gone */

static void
ngx_webrtc_hls_removed(void *data)
{
    ngx_webrtc_hls_t *h = data;

    ngx_webrtc_bus_hls_free(h->bus, h->channel);
    h->channel = NULL;

    ngx_webrtc_hls_free(h);
}


void
ngx_webrtc_hls_drop(ngx_webrtc_bus_t *bus, ngx_str_t *name,
    const ngx_webrtc_hls_conf_t *conf, ngx_log_t *log)
{
    ngx_webrtc_hls_t  *h;

    h = ngx_webrtc_hls_create(bus, name, conf, log);

    if (h) {
        ngx_webrtc_hls_gone(h);
    }
}


void
ngx_webrtc_hlss_exit(void)
{
    while (!ngx_queue_empty(&ngx_webrtc_hlss)) {
        ngx_webrtc_hls_free(ngx_queue_data(ngx_queue_head(&ngx_webrtc_hlss),
                                           ngx_webrtc_hls_t, queue));
    }
}


static void
ngx_webrtc_hls_free(ngx_webrtc_hls_t *h)
{
    ngx_webrtc_hls_lanes_done(&h->lanes);
    ngx_webrtc_hls_of(h, NULL);
    ngx_webrtc_hls_store_done(&h->store);

    if (h->channel) {
        ngx_webrtc_bus_hls_give(h->bus, h->channel);
    }

    ngx_queue_remove(&h->queue);
    ngx_free(h);
}
