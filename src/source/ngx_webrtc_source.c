
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A source: a job of the media process, whose records become packets in the
 * stream's ring, and whose notes become its state.
 *
 * The job does the waiting, including back-off.  It is done here only if
 * there is no job, because its process has died or could not be started:
 *
 *   job under way -- its process dies --> waits -- timer --> job under way
 *
 * A job that was present at two crashes in a row gets a process of its own.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_door.h"
#include "ngx_webrtc_media.h"
#include "ngx_webrtc_source.h"
#include "ngx_webrtc_source_mask.h"
#include "ngx_webrtc_source_out.h"


/* ms */
#define NGX_WEBRTC_SOURCE_TIMEOUT      10000

/* ms to the next attempt after a first crash; chosen: no storm of them, and a
 * picture again within a second */
#define NGX_WEBRTC_SOURCE_CRASHED      100

/* ms after which a crash is blamed on what came since; chosen */
#define NGX_WEBRTC_SOURCE_INNOCENT     60000

/* streams whose given source was there at a crash, and is not started again,
 * but comes back as another one; chosen */
#define NGX_WEBRTC_SOURCE_SUSPECTS     16

/* bytes of tracks in a log */
#define NGX_WEBRTC_SOURCE_TRACKS_TEXT  128

#if (NGX_WEBRTC_MEDIA_FROM != NGX_WEBRTC_PULLS)
#error "the zone and the media process differ in their number of upstreams"
#endif


struct ngx_webrtc_source_s {
    ngx_queue_t                    queue;
    ngx_pool_t                    *pool;
    ngx_log_t                      log;

    ngx_webrtc_bus_t              *bus;
    ngx_webrtc_stream_t           *st;

    ngx_webrtc_source_handler_pt   handler;
    void                          *data;

    ngx_str_t                      name;       /* of the stream: st may be gone
                                                  before us */
    ngx_str_t                      urls[NGX_WEBRTC_MEDIA_FROM];  /* for logs */
    ngx_uint_t                     from;       /* of the last note */

    ngx_webrtc_media_start_t       start;
    ngx_webrtc_media_job_t        *job;        /* or NULL, and a timer */
    ngx_event_t                    timer;
    ngx_msec_t                     started;    /* the job */
    ngx_uint_t                     crashes;    /* in a row */
    ngx_msec_t                     pause;      /* before the last attempt */

    ngx_webrtc_source_out_conf_t   out_conf;
    ngx_webrtc_source_out_t        out;

    unsigned                       up:1;
    unsigned                       stopping:1;
    unsigned                       refused:1;  /* the job could not begin */
    unsigned                       told_door:1;
};


static void ngx_webrtc_source_conf(ngx_webrtc_source_t *source,
    ngx_webrtc_source_conf_t *conf);
static void ngx_webrtc_source_suspect(ngx_webrtc_source_t *source);
static ngx_uint_t ngx_webrtc_source_suspected(ngx_webrtc_source_t *source);
static ngx_int_t ngx_webrtc_source_copy(ngx_webrtc_source_t *source,
    ngx_str_t *to, ngx_str_t *from);
static ngx_int_t ngx_webrtc_source_begin(ngx_webrtc_source_t *source);
static void ngx_webrtc_source_not_started(ngx_webrtc_source_t *source,
    const char *what, ngx_err_t err);
static u_char *ngx_webrtc_source_log_error(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_webrtc_source_published(void *ctx,
    ngx_webrtc_source_delta_t *delta);
static ngx_int_t ngx_webrtc_source_grow(void *ctx, size_t need);
static void ngx_webrtc_source_on_note(void *data,
    ngx_webrtc_media_note_t *note);
static void ngx_webrtc_source_on_record(void *data,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_source_news(ngx_webrtc_source_t *source);
static void ngx_webrtc_source_on_ask(void *data, struct sockaddr *sa,
    ngx_webrtc_media_ports_t *ports);
static void ngx_webrtc_source_on_ended(void *data, ngx_uint_t crashed);
static ngx_msec_t ngx_webrtc_source_pause(ngx_webrtc_source_t *source);
static void ngx_webrtc_source_again(ngx_webrtc_source_t *source,
    ngx_msec_t ms);
static void ngx_webrtc_source_timer_handler(ngx_event_t *ev);
static void ngx_webrtc_source_down(ngx_webrtc_source_t *source);
static void ngx_webrtc_source_set_tracks(ngx_webrtc_source_t *source,
    ngx_webrtc_media_note_t *note);
static u_char *ngx_webrtc_source_print_tracks(u_char *buf, u_char *last,
    ngx_webrtc_track_t *track, ngx_uint_t n);
static void ngx_webrtc_source_said(ngx_webrtc_source_t *source,
    ngx_webrtc_media_note_t *note);
static void ngx_webrtc_source_failed(ngx_webrtc_source_t *source,
    ngx_webrtc_media_note_t *note);
static void ngx_webrtc_source_call(ngx_webrtc_source_t *source,
    ngx_uint_t event);
static void ngx_webrtc_source_finish(ngx_webrtc_source_t *source);
static void ngx_webrtc_source_destroy(ngx_webrtc_source_t *source);


static const ngx_webrtc_media_handlers_t  ngx_webrtc_source_handlers = {
    ngx_webrtc_source_on_note,
    ngx_webrtc_source_on_record,
    ngx_webrtc_source_on_ask,
    NULL,
    ngx_webrtc_source_on_ended
};


/* of this process */
static ngx_queue_t  ngx_webrtc_sources;
static ngx_uint_t   ngx_webrtc_sources_ready;

static struct {
    uint32_t                       hash;       /* of a name */
    ngx_msec_t                     ms;         /* 0: unused */
} ngx_webrtc_source_suspects[NGX_WEBRTC_SOURCE_SUSPECTS];


ngx_webrtc_source_t *
ngx_webrtc_source_start(ngx_webrtc_source_conf_t *conf, ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_log_t *log)
{
    u_char               *p;
    ngx_str_t            *url, name;
    ngx_uint_t            i;
    ngx_pool_t           *pool;
    ngx_webrtc_source_t  *source;

    ngx_webrtc_media_from_t  *from;

    if (!ngx_webrtc_sources_ready) {
        ngx_queue_init(&ngx_webrtc_sources);
        ngx_webrtc_sources_ready = 1;
    }

    pool = ngx_create_pool(1024, log);
    if (pool == NULL) {
        return NULL;
    }

    source = ngx_pcalloc(pool, sizeof(ngx_webrtc_source_t));

    if (source == NULL) {
        goto no_memory;
    }

    source->pool = pool;
    source->bus = bus;
    source->st = st;
    source->handler = conf->handler;
    source->data = conf->data;

    name.len = st->name_len;
    name.data = st->name;

    if (ngx_webrtc_source_copy(source, &source->name, &name) != NGX_OK) {
        goto no_memory;
    }

    for (i = 0; i < conf->nfrom; i++) {

        url = &conf->from[i].url;
        p = ngx_pnalloc(pool, ngx_max(url->len, 1));

        from = &source->start.from[i];
        *from = conf->from[i];

        if (p == NULL
            || ngx_webrtc_source_copy(source, &from->url, url) != NGX_OK
            || ngx_webrtc_source_copy(source, &from->format,
                                      &conf->from[i].format)
               != NGX_OK)
        {
            goto no_memory;
        }

        source->urls[i].data = p;
        source->urls[i].len = ngx_webrtc_source_mask_url(p, p + url->len, url,
                                                        &source->name)
                              - p;
    }

    source->log = *log;
    source->log.handler = ngx_webrtc_source_log_error;
    source->log.data = source;
    source->log.action = NULL;
    pool->log = &source->log;

    ngx_webrtc_source_conf(source, conf);

    if (source->start.given && ngx_webrtc_source_suspected(source)) {
        source->crashes = 2;
    }

    if (ngx_webrtc_source_begin(source) != NGX_OK) {
        ngx_webrtc_source_destroy(source);
        return NULL;
    }

    ngx_webrtc_bus_set_state(bus, st, NGX_WEBRTC_STREAM_STARTING,
                             ngx_current_msec);

    ngx_queue_insert_tail(&ngx_webrtc_sources, &source->queue);

    return source;

no_memory:

    ngx_destroy_pool(pool);

    return NULL;
}


/* fields that never change; strings have been copied */

static void
ngx_webrtc_source_conf(ngx_webrtc_source_t *source,
    ngx_webrtc_source_conf_t *conf)
{
    ngx_webrtc_media_start_t  *start;

    start = &source->start;

    start->kind = NGX_WEBRTC_MEDIA_SOURCE;
    start->name = source->name;
    start->nfrom = conf->nfrom;

    start->backoff_min = conf->backoff_min ? conf->backoff_min
                                           : NGX_WEBRTC_SOURCE_BACKOFF_MIN;
    start->backoff_max = conf->backoff_max ? conf->backoff_max
                                           : NGX_WEBRTC_SOURCE_BACKOFF_MAX;
    start->connect_timeout = conf->connect_timeout ? conf->connect_timeout
                                                   : NGX_WEBRTC_SOURCE_TIMEOUT;
    start->read_timeout = conf->read_timeout ? conf->read_timeout
                                             : NGX_WEBRTC_SOURCE_TIMEOUT;

    start->doors = (ngx_webrtc_doors_count() != 0);
    start->transcode = (conf->transcode != 0);
    start->given = (conf->given != -1);
    start->fd = conf->given;

    source->out_conf.ring = source->st->ring;
    source->out_conf.timeline = &source->st->timeline;
    source->out_conf.max_payload = conf->max_payload;
    source->out_conf.transcode = conf->transcode;
    source->out_conf.published = ngx_webrtc_source_published;
    source->out_conf.grow = ngx_webrtc_source_grow;
    source->out_conf.ctx = source;

    ngx_webrtc_source_out_init(&source->out, &source->out_conf);

    source->timer.handler = ngx_webrtc_source_timer_handler;
    source->timer.data = source;
    source->timer.log = &source->log;
}


static ngx_int_t
ngx_webrtc_source_copy(ngx_webrtc_source_t *source, ngx_str_t *to,
    ngx_str_t *from)
{
    to->data = ngx_pnalloc(source->pool, ngx_max(from->len, 1));

    if (to->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(to->data, from->data, from->len);
    to->len = from->len;

    return NGX_OK;
}


/* a job of the media process */

static ngx_int_t
ngx_webrtc_source_begin(ngx_webrtc_source_t *source)
{
    ngx_err_t    err;
    const char  *cause;

    /* after the second crash, running it alone shows whose fault they are */

    source->job = ngx_webrtc_media_start(&source->start, source->crashes > 1,
                                         &ngx_webrtc_source_handlers, source,
                                         &source->log, &cause, &err);

    if (source->job == NULL) {
        ngx_webrtc_source_not_started(source, cause, err);
        return NGX_ERROR;
    }

    source->started = ngx_current_msec;

    return NGX_OK;
}


void
ngx_webrtc_source_stop(ngx_webrtc_source_t *source)
{
    source->stopping = 1;

    if (source->job) {
        ngx_webrtc_media_stop(source->job);

    } else {
        ngx_webrtc_source_again(source, 1);
    }
}


void
ngx_webrtc_source_exit(void)
{
    ngx_queue_t          *q;
    ngx_webrtc_source_t  *source;

    if (ngx_webrtc_sources_ready) {

        while (!ngx_queue_empty(&ngx_webrtc_sources)) {

            q = ngx_queue_head(&ngx_webrtc_sources);
            source = ngx_queue_data(q, ngx_webrtc_source_t, queue);

            source->stopping = 1;

            if (source->job) {
                ngx_webrtc_media_close(source->job);
                source->job = NULL;
            }

            ngx_webrtc_source_finish(source);
        }
    }

    ngx_webrtc_media_done();
}


/* sets the stream's last error and logs it; err may be 0 */

static void
ngx_webrtc_source_not_started(ngx_webrtc_source_t *source, const char *what,
    ngx_err_t err)
{
    ngx_webrtc_bus_complain(source->bus, source->st, NGX_LOG_ERR, &source->log,
                            "source not started", "%s%s%s", what,
                            err ? ": " : "", err ? strerror(err) : "");
}


static u_char *
ngx_webrtc_source_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_webrtc_source_t  *source;

    source = log->data;

    return ngx_snprintf(buf, len, ", stream: \"%V\", url: \"%V\"",
                        &source->name, &source->urls[source->from]);
}


/* finds who in this nginx listens there */

static void
ngx_webrtc_source_on_ask(void *data, struct sockaddr *sa,
    ngx_webrtc_media_ports_t *ports)
{
    ngx_webrtc_source_t  *source = data;

    int       family;
    uint32_t  key;

    switch (ngx_webrtc_door_find(sa, &key, &family)) {

    case NGX_OK:
        ports->family = (uint8_t) family;
        ports->n = ngx_webrtc_bus_doors(source->bus, key, ports->ports,
                                        NGX_WEBRTC_MEDIA_PORTS);
        break;

    case NGX_BUSY:

        if (!source->told_door) {
            source->told_door = 1;

            ngx_webrtc_bus_complain(source->bus, source->st, NGX_LOG_WARN,
                        &source->log, "source",
                        "rtmp of this nginx takes connections in any worker: "
                        "write 127.0.0.1 in the URL to find the stream's");
        }

        break;

    default:
        break;
    }
}


/* a frame is in the ring */

static void
ngx_webrtc_source_published(void *ctx, ngx_webrtc_source_delta_t *delta)
{
    ngx_webrtc_source_t  *source = ctx;

    ngx_webrtc_stream_stat_t  *stat;

    stat = &source->st->stat;

    ngx_webrtc_atomic_add(&stat->packets, delta->packets);
    ngx_webrtc_atomic_add(&stat->bytes, delta->bytes);
    ngx_webrtc_atomic_add(&stat->frames, delta->frames);
    ngx_webrtc_atomic_add(&stat->keyframes, delta->keyframes);

    if (delta->dropped | delta->clamped | delta->damaged
        | delta->discontinuities)
    {
        ngx_webrtc_atomic_add(&stat->dropped, delta->dropped);
        ngx_webrtc_atomic_add(&stat->clamped, delta->clamped);
        ngx_webrtc_atomic_add(&stat->damaged, delta->damaged);
        ngx_webrtc_atomic_add(&stat->discontinuities, delta->discontinuities);
    }

    ngx_webrtc_bus_wake(source->bus, source->st);
}


/* a larger ring */

static ngx_int_t
ngx_webrtc_source_grow(void *ctx, size_t need)
{
    ngx_webrtc_source_t  *source = ctx;

    return ngx_webrtc_bus_enlarge(source->bus, source->st,
                                  &source->out.writer, need, &source->log);
}


static void
ngx_webrtc_source_on_record(void *data, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_source_t  *source = data;

    u_char  *p;
    u_char   buf[NGX_WEBRTC_SOURCE_OUT_TEXT];

    (void) ngx_webrtc_source_out_record(&source->out, r);

    if (source->out.news && source->up) {
        ngx_webrtc_source_news(source);
    }

    p = ngx_webrtc_source_out_warning(&source->out, buf);

    if (p) {
        ngx_webrtc_bus_complain(source->bus, source->st, NGX_LOG_WARN,
                                &source->log, "source", "%*s",
                                (size_t) (p - buf), buf);
    }

    if (source->out.dry) {

        /* nothing can be stored, so nobody sees anything */

        ngx_webrtc_bus_complain(source->bus, source->st, NGX_LOG_ERR,
                                &source->log, "source down", "no memory for "
                                "packets is left in webrtc_zone: enlarge it");

        ngx_webrtc_media_close(source->job);
        source->job = NULL;
        source->out.dry = 0;

        ngx_webrtc_source_down(source);

        source->stopping |= source->start.given;
        ngx_webrtc_source_again(source, source->start.backoff_max);
    }
}


/* frames are not what was announced */

static void
ngx_webrtc_source_news(ngx_webrtc_source_t *source)
{
    u_char              *p;
    u_char               buf[NGX_WEBRTC_SOURCE_TRACKS_TEXT];
    ngx_uint_t           n;
    ngx_webrtc_track_t   tracks[NGX_WEBRTC_TRACKS];

    (void) ngx_webrtc_bus_tracks(source->st, tracks, &n);

    if (n <= NGX_WEBRTC_MEDIA_VIDEO
        || !ngx_webrtc_source_out_learned(&source->out,
                                          &tracks[NGX_WEBRTC_MEDIA_VIDEO]))
    {
        source->out.news = 0;
        return;
    }

    p = ngx_webrtc_source_print_tracks(buf, buf + sizeof(buf), tracks, n);

    ngx_log_error(NGX_LOG_NOTICE, &source->log, 0,
                  "webrtc source tracks:\"%*s\"", (size_t) (p - buf), buf);

    ngx_webrtc_bus_set_tracks(source->st, tracks, n);

    ngx_webrtc_bus_wake(source->bus, source->st);
}


static void
ngx_webrtc_source_on_note(void *data, ngx_webrtc_media_note_t *note)
{
    ngx_webrtc_source_t  *source = data;

    if (note->from < source->start.nfrom) {
        source->from = note->from;
    }

    switch (note->type) {

    case NGX_WEBRTC_MEDIA_UP:

        ngx_webrtc_source_set_tracks(source, note);

        source->up = 1;

        ngx_webrtc_atomic_add(&source->st->stat.starts, 1);
        ngx_webrtc_atomic_store(&source->st->upstream,
                                (uint32_t) source->from + 1);

        ngx_webrtc_bus_set_state(source->bus, source->st,
                                 NGX_WEBRTC_STREAM_ACTIVE, ngx_current_msec);

        ngx_webrtc_media_go(source->job);

        ngx_webrtc_source_call(source, NGX_WEBRTC_SOURCE_UP);

        break;

    case NGX_WEBRTC_MEDIA_MORE:

        ngx_webrtc_source_set_tracks(source, note);

        /* the state is unchanged, and so is its age */

        ngx_webrtc_bus_wake(source->bus, source->st);

        ngx_webrtc_media_go(source->job);

        ngx_webrtc_source_call(source, NGX_WEBRTC_SOURCE_UP);

        break;

    case NGX_WEBRTC_MEDIA_DOWN:

        ngx_webrtc_source_failed(source, note);
        ngx_webrtc_source_down(source);

        break;

    case NGX_WEBRTC_MEDIA_FAILED:

        ngx_webrtc_atomic_add(&source->st->stat.failures, 1);

        ngx_webrtc_source_failed(source, note);

        ngx_webrtc_source_call(source, NGX_WEBRTC_SOURCE_DOWN);

        break;

    case NGX_WEBRTC_MEDIA_LOG:

        ngx_webrtc_source_said(source, note);
        break;

    case NGX_WEBRTC_MEDIA_REFUSED:

        source->refused = 1;

        ngx_webrtc_bus_complain(source->bus, source->st, NGX_LOG_ERR,
                                &source->log, "source not started", "%*s",
                                note->len, note->text);
        break;
    }
}


/* it was asked to end, had nothing left to do, or crashed */

static void
ngx_webrtc_source_on_ended(void *data, ngx_uint_t crashed)
{
    ngx_webrtc_source_t  *source = data;

    ngx_msec_t  ms;

    source->job = NULL;

    if (crashed && source->start.given) {
        ngx_webrtc_source_suspect(source);

        ngx_webrtc_bus_complain(source->bus, source->st, NGX_LOG_ERR,
                                &source->log, "source down",
                                "its media process has ended");
    }

    if (source->stopping || source->start.given
        || (!crashed && !source->refused))
    {
        ngx_webrtc_source_finish(source);
        return;
    }

    if (!crashed) {
        source->refused = 0;
        ngx_webrtc_source_again(source, ngx_webrtc_source_pause(source));
        return;
    }

    if (ngx_current_msec - source->started > NGX_WEBRTC_SOURCE_INNOCENT) {
        source->crashes = 0;
        source->pause = 0;
    }

    source->crashes++;

    if (source->crashes > 1) {
        ngx_webrtc_bus_complain(source->bus, source->st, NGX_LOG_ERR,
                                &source->log, "source down", "its media "
                                "process has ended several times in a row: it "
                                "may be what the upstream sends, or how much "
                                "of it");
    }

    ngx_webrtc_source_down(source);

    /* the first one may be another job's fault, and viewers are waiting */

    ms = (source->crashes == 1) ? NGX_WEBRTC_SOURCE_CRASHED
                                : ngx_webrtc_source_pause(source);

    ngx_webrtc_source_again(source, ms);
}


/* in the place of the one that has been there for longest */

static void
ngx_webrtc_source_suspect(ngx_webrtc_source_t *source)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 1; i < NGX_WEBRTC_SOURCE_SUSPECTS; i++) {
        if (ngx_webrtc_source_suspects[i].ms
            < ngx_webrtc_source_suspects[n].ms)
        {
            n = i;
        }
    }

    ngx_webrtc_source_suspects[n].hash = ngx_crc32_short(source->name.data,
                                                         source->name.len);
    ngx_webrtc_source_suspects[n].ms = ngx_max(ngx_current_msec, 1);
}


/* then its process is its own */

static ngx_uint_t
ngx_webrtc_source_suspected(ngx_webrtc_source_t *source)
{
    uint32_t    hash;
    ngx_uint_t  i;

    hash = ngx_crc32_short(source->name.data, source->name.len);

    for (i = 0; i < NGX_WEBRTC_SOURCE_SUSPECTS; i++) {
        if (ngx_webrtc_source_suspects[i].hash == hash
            && ngx_webrtc_source_suspects[i].ms
            && ngx_current_msec - ngx_webrtc_source_suspects[i].ms
               < NGX_WEBRTC_SOURCE_INNOCENT)
        {
            return 1;
        }
    }

    return 0;
}


/* a longer one each time, until it is up */

static ngx_msec_t
ngx_webrtc_source_pause(ngx_webrtc_source_t *source)
{
    source->pause = source->pause ? source->pause * 2
                                  : source->start.backoff_min;
    source->pause = ngx_min(source->pause, source->start.backoff_max);

    return source->pause;
}


/* then tries again */

static void
ngx_webrtc_source_again(ngx_webrtc_source_t *source, ngx_msec_t ms)
{
    if (source->timer.timer_set) {
        ngx_del_timer(&source->timer);
    }

    ngx_add_timer(&source->timer, ms);
}


static void
ngx_webrtc_source_timer_handler(ngx_event_t *ev)
{
    ngx_webrtc_source_t  *source;

    source = ev->data;

    if (source->stopping) {
        ngx_webrtc_source_finish(source);
        return;
    }

    if (ngx_webrtc_source_begin(source) != NGX_OK) {
        ngx_webrtc_source_again(source, ngx_webrtc_source_pause(source));
    }
}


/* nothing more comes, for now */

static void
ngx_webrtc_source_down(ngx_webrtc_source_t *source)
{
    ngx_webrtc_atomic_store(&source->st->upstream, 0);

    if (source->up) {
        source->up = 0;

        ngx_webrtc_bus_set_state(source->bus, source->st,
                                 NGX_WEBRTC_STREAM_INACTIVE, ngx_current_msec);
    }

    ngx_webrtc_source_call(source, NGX_WEBRTC_SOURCE_DOWN);
}


static void
ngx_webrtc_source_set_tracks(ngx_webrtc_source_t *source,
    ngx_webrtc_media_note_t *note)
{
    u_char              *p;
    u_char               buf[NGX_WEBRTC_SOURCE_TRACKS_TEXT];
    ngx_uint_t           i, n;
    ngx_webrtc_track_t   tracks[NGX_WEBRTC_TRACKS];

    if (note->type == NGX_WEBRTC_MEDIA_MORE) {
        (void) ngx_webrtc_source_out_learned(&source->out,
                                      &note->tracks[NGX_WEBRTC_MEDIA_VIDEO]);
    }

    p = ngx_webrtc_source_print_tracks(buf, buf + sizeof(buf), note->tracks,
                                       note->ntracks);

    if (source->start.nfrom == 1) {
        ngx_log_error(NGX_LOG_NOTICE, &source->log, 0,
                      "webrtc source up tracks:\"%*s\"",
                      (size_t) (p - buf), buf);

    } else {
        ngx_log_error(NGX_LOG_NOTICE, &source->log, 0,
                      "webrtc source up upstream:%ui/%ui tracks:\"%*s\"",
                      source->from + 1, source->start.nfrom, (size_t) (p - buf),
                      buf);
    }

    /* viewers take a new version to mean different tracks */

    if (ngx_webrtc_bus_tracks(source->st, tracks, &n) != 0
        && n == note->ntracks
        && ngx_memcmp(tracks, note->tracks, n * sizeof(ngx_webrtc_track_t))
           == 0)
    {
        return;
    }

    for (i = 0; i < ngx_min(n, note->ntracks); i++) {

        /* the job waits for us: nothing is written meanwhile */

        if (tracks[i].codec != note->tracks[i].codec) {
            ngx_webrtc_atomic_store(&source->st->since[i],
                                    source->out.writer.next[i]);
        }
    }

    ngx_webrtc_bus_set_tracks(source->st, note->tracks, note->ntracks);
}


static u_char *
ngx_webrtc_source_print_tracks(u_char *buf, u_char *last,
    ngx_webrtc_track_t *track, ngx_uint_t n)
{
    u_char      *p;
    ngx_uint_t   i;

    static const char *const  chromas[] = {
        "", "", " 4:2:2", " 4:4:4", " 4:0:0"
    };

    static const struct {
        ngx_uint_t   trait;
        const char  *name;
    } traits[] = {
        { NGX_WEBRTC_TRACK_REORDERED, " B-frames" },
        { NGX_WEBRTC_TRACK_NO_IDR, " no IDR" },
        { NGX_WEBRTC_TRACK_INTERLACED, " interlaced" }
    };

    for (p = buf; n--; track++) {

        if (track->kind == 0) {
            continue;
        }

        p = ngx_slprintf(p, last, p == buf ? "%V" : " %V",
                         &ngx_webrtc_codec(track->codec)->name);

        if (track->flags & NGX_WEBRTC_TRACK_PENDING) {
            p = ngx_slprintf(p, last, "(%s)",
                             (track->flags & NGX_WEBRTC_TRACK_ANNOUNCED)
                             ? "to come" : "may come");
        }

        if (track->width) {
            p = ngx_slprintf(p, last, " %uix%ui", (ngx_uint_t) track->width,
                             (ngx_uint_t) track->height);
        }

        if (track->depth > 8) {
            p = ngx_slprintf(p, last, " %ui bit", (ngx_uint_t) track->depth);
        }

        p = ngx_slprintf(p, last, "%s", chromas[track->chroma]);

        for (i = 0; i < sizeof(traits) / sizeof(traits[0]); i++) {
            if (track->traits & traits[i].trait) {
                p = ngx_slprintf(p, last, "%s", traits[i].name);
            }
        }
    }

    return p;
}


/* what an operator has to know is kept and shown in the status */

static void
ngx_webrtc_source_said(ngx_webrtc_source_t *source,
    ngx_webrtc_media_note_t *note)
{
    if (note->level <= NGX_LOG_WARN) {
        ngx_webrtc_bus_complain(source->bus, source->st, note->level,
                                &source->log, "source", "%*s", note->len,
                                note->text);
        return;
    }

    ngx_log_error(note->level, &source->log, 0, "webrtc source: %*s",
                  note->len, note->text);
}


static void
ngx_webrtc_source_failed(ngx_webrtc_source_t *source,
    ngx_webrtc_media_note_t *note)
{
    u_char  event[64];

    if (note->level == NGX_LOG_NOTICE || source->stopping) {

        /* a file was played to its end, the stream moved in this nginx, or
         * what a publisher gave ends with him */

        ngx_log_error(NGX_LOG_NOTICE, &source->log, 0,
                      "webrtc source down retry_ms:%ui reason:\"%*s\"",
                      note->retry_ms, note->len, note->text);
        return;
    }

    (void) ngx_snprintf(event, sizeof(event), "source %s retry_ms:%ui%Z",
                        note->type == NGX_WEBRTC_MEDIA_DOWN
                        ? "down" : "failed", note->retry_ms);

    ngx_webrtc_bus_complain(source->bus, source->st, NGX_LOG_ERR, &source->log,
                            (char *) event, "%*s", note->len, note->text);
}


static void
ngx_webrtc_source_call(ngx_webrtc_source_t *source, ngx_uint_t event)
{
    if (source->handler) {
        source->handler(source, source->data, event);
    }
}


/* it no longer has a job */

static void
ngx_webrtc_source_finish(ngx_webrtc_source_t *source)
{
    ngx_queue_remove(&source->queue);

    if (source->stopping) {
        ngx_log_error(NGX_LOG_NOTICE, &source->log, 0,
                      "webrtc source stopped");
    }

    ngx_webrtc_atomic_store(&source->st->upstream, 0);

    ngx_webrtc_source_call(source, NGX_WEBRTC_SOURCE_ENDED);

    ngx_webrtc_source_destroy(source);
}


static void
ngx_webrtc_source_destroy(ngx_webrtc_source_t *source)
{
    ngx_pool_t  *pool;

    if (source->timer.timer_set) {
        ngx_del_timer(&source->timer);
    }

    pool = source->pool;

    /* the log is inside */

    pool->log = ngx_cycle->log;

    ngx_destroy_pool(pool);
}
