
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The event loop's side of a source.
 *
 * The thread (ngx_webrtc_source_thread.c) leaves notes and writes to an
 * eventfd; everything that concerns the stream's state, the log and the owner
 * happens here.  What the thread does itself to the stream, in published(),
 * are atomic additions and the calls that the bus allows any thread.
 *
 * There are no timers: waiting, backoff included, is done by the thread.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <sys/eventfd.h>

#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_door.h"
#include "ngx_webrtc_source.h"
#include "ngx_webrtc_source_av.h"
#include "ngx_webrtc_source_mask.h"
#include "ngx_webrtc_source_retry.h"
#include "ngx_webrtc_source_standby.h"
#include "ngx_webrtc_source_thread.h"
#include "ngx_webrtc_codecs.h"


#define NGX_WEBRTC_SOURCE_TIMEOUT      10000

/* bytes in front of a path: "file:", and a null */
#define NGX_WEBRTC_SOURCE_SCHEME       16

#if (NGX_WEBRTC_SOURCE_FROM != NGX_WEBRTC_PULLS)
#error "the zone and the thread have another number of upstreams"
#endif


struct ngx_webrtc_source_s {
    ngx_queue_t                    queue;
    ngx_pool_t                    *pool;
    ngx_log_t                      log;

    ngx_webrtc_bus_t              *bus;
    ngx_webrtc_stream_t           *st;

    ngx_webrtc_source_thread_t    *thread;
    ngx_connection_t              *connection;
    ngx_fd_t                       fd;         /* of it, for the thread */

    ngx_webrtc_source_handler_pt   handler;
    void                          *data;

    ngx_str_t                      name;       /* of the stream, and */
                                               /* for the log: st may be gone
                                                  before us */

    uint32_t                       warned;     /* by a thread; atomic */

    ngx_str_t                      urls[NGX_WEBRTC_SOURCE_FROM];
    ngx_uint_t                     nfrom;
    ngx_uint_t                     from;       /* of the last note */
    unsigned                       stopping:1;
};


static ngx_int_t ngx_webrtc_source_create_thread(ngx_webrtc_source_t *source,
    ngx_webrtc_source_conf_t *conf);
static ngx_int_t ngx_webrtc_source_from(ngx_webrtc_source_t *source,
    ngx_webrtc_source_conf_from_t *conf, ngx_webrtc_source_from_t *from);
static ngx_int_t ngx_webrtc_source_listen(ngx_webrtc_source_t *source);
static void ngx_webrtc_source_not_started(ngx_webrtc_source_t *source,
    const char *what, ngx_err_t err);
static u_char *ngx_webrtc_source_log_error(ngx_log_t *log, u_char *buf,
    size_t len);
static ngx_uint_t ngx_webrtc_source_doors(void *ctx, struct sockaddr *sa,
    uint16_t *ports, ngx_uint_t max, int *family);
static void ngx_webrtc_source_notify(void *ctx);
static void ngx_webrtc_source_published(void *ctx,
    ngx_webrtc_source_delta_t *delta);
static ngx_int_t ngx_webrtc_source_wants(void *ctx, size_t need);
static void ngx_webrtc_source_read_handler(ngx_event_t *rev);
static void ngx_webrtc_source_note(ngx_webrtc_source_t *source,
    ngx_webrtc_source_note_t *note);
static void ngx_webrtc_source_set_tracks(ngx_webrtc_source_t *source,
    ngx_webrtc_source_note_t *note);
static void ngx_webrtc_source_grow(ngx_webrtc_source_t *source,
    ngx_webrtc_source_note_t *note);
static void ngx_webrtc_source_said(ngx_webrtc_source_t *source,
    ngx_webrtc_source_note_t *note);
static void ngx_webrtc_source_failed(ngx_webrtc_source_t *source,
    ngx_webrtc_source_note_t *note);
static void ngx_webrtc_source_call(ngx_webrtc_source_t *source,
    ngx_uint_t event);
static void ngx_webrtc_source_finish(ngx_webrtc_source_t *source);
static void ngx_webrtc_source_destroy(ngx_webrtc_source_t *source);
static void ngx_webrtc_source_leave(void);


/* of this process */
static ngx_queue_t  ngx_webrtc_sources;
static ngx_uint_t   ngx_webrtc_sources_n;
static ngx_uint_t   ngx_webrtc_sources_ready;


ngx_webrtc_source_t *
ngx_webrtc_source_start(ngx_webrtc_source_conf_t *conf, ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_log_t *log)
{
    u_char               *p;
    ngx_str_t            *url;
    ngx_uint_t            i;
    ngx_pool_t           *pool;
    ngx_webrtc_source_t  *source;

    if (!ngx_webrtc_sources_ready) {
        ngx_queue_init(&ngx_webrtc_sources);
        ngx_webrtc_source_av_init();
        ngx_webrtc_sources_ready = 1;
    }

    pool = ngx_create_pool(1024, log);
    if (pool == NULL) {
        return NULL;
    }

    source = ngx_pcalloc(pool, sizeof(ngx_webrtc_source_t));

    if (source == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    source->pool = pool;
    source->bus = bus;
    source->st = st;
    source->handler = conf->handler;
    source->data = conf->data;
    source->fd = -1;

    source->name.len = st->name_len;
    source->name.data = ngx_pnalloc(pool, st->name_len + 1);

    if (source->name.data == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    ngx_memcpy(source->name.data, st->name, st->name_len);

    for (i = 0; i < conf->nfrom; i++) {

        url = &conf->from[i].url;
        p = ngx_pnalloc(pool, ngx_max(url->len, 1));

        if (p == NULL) {
            ngx_destroy_pool(pool);
            return NULL;
        }

        source->urls[i].data = p;
        source->urls[i].len = ngx_webrtc_source_mask_url(p, p + url->len, url,
                                                        &source->name)
                              - p;
    }

    source->nfrom = conf->nfrom;

    source->log = *log;
    source->log.handler = ngx_webrtc_source_log_error;
    source->log.data = source;
    source->log.action = NULL;
    pool->log = &source->log;

    if (ngx_webrtc_source_create_thread(source, conf) != NGX_OK
        || ngx_webrtc_source_listen(source) != NGX_OK)
    {
        goto failed;
    }

    ngx_webrtc_bus_set_state(bus, st, NGX_WEBRTC_STREAM_STARTING,
                             ngx_current_msec);

    if (ngx_webrtc_source_thread_start(source->thread) != NGX_OK) {
        ngx_webrtc_source_not_started(source, "no thread", ngx_errno);
        goto failed;
    }

    ngx_queue_insert_tail(&ngx_webrtc_sources, &source->queue);
    ngx_webrtc_sources_n++;

    return source;

failed:

    ngx_webrtc_source_destroy(source);

    return NULL;
}


void
ngx_webrtc_source_stop(ngx_webrtc_source_t *source)
{
    source->stopping = 1;

    ngx_webrtc_source_thread_stop(source->thread);
}


ngx_webrtc_stream_t *
ngx_webrtc_source_stream(ngx_webrtc_source_t *source)
{
    return source->st;
}


void
ngx_webrtc_source_exit(ngx_msec_t ms)
{
    uint64_t              until_us, now_us;
    ngx_uint_t            left;
    ngx_queue_t          *q, *next;
    ngx_connection_t     *c;
    ngx_webrtc_source_t  *source;

    if (!ngx_webrtc_sources_ready) {
        return;
    }

    for (q = ngx_queue_head(&ngx_webrtc_sources);
         q != ngx_queue_sentinel(&ngx_webrtc_sources);
         q = ngx_queue_next(q))
    {
        ngx_webrtc_source_stop(ngx_queue_data(q, ngx_webrtc_source_t, queue));
    }

    left = 0;
    until_us = ngx_webrtc_time_now() + (uint64_t) ms * 1000;

    for (q = ngx_queue_head(&ngx_webrtc_sources);
         q != ngx_queue_sentinel(&ngx_webrtc_sources);
         q = next)
    {
        next = ngx_queue_next(q);
        source = ngx_queue_data(q, ngx_webrtc_source_t, queue);

        now_us = ngx_webrtc_time_now();

        if (ngx_webrtc_source_thread_join(source->thread,
                         now_us < until_us ? (until_us - now_us) / 1000 : 0)
            == NGX_OK)
        {
            ngx_webrtc_source_finish(source);
            continue;
        }

        /*
         * The thread lives until the process ends, and so must what it uses,
         * the descriptor too: only the connection is taken away from it.
         */

        ngx_log_error(NGX_LOG_WARN, &source->log, 0,
                      "webrtc source: thread did not end in time");

        left = 1;

        c = source->connection;

        if (c->read->active) {
            (void) ngx_del_event(c->read, NGX_READ_EVENT, 0);
        }

        ngx_free_connection(c);

        c->fd = (ngx_socket_t) -1;
    }

    /*
     * nginx unloads modules before a process ends, and libraries tidy up as it
     * does; under a thread that comes back then the code would be gone.
     */

    if (left || ngx_webrtc_source_standby_left()) {
        (void) atexit(ngx_webrtc_source_leave);
    }
}


ngx_uint_t
ngx_webrtc_source_count(void)
{
    return ngx_webrtc_sources_n;
}


static ngx_int_t
ngx_webrtc_source_create_thread(ngx_webrtc_source_t *source,
    ngx_webrtc_source_conf_t *conf)
{
    ngx_uint_t                        i;
    ngx_webrtc_source_from_t          from[NGX_WEBRTC_SOURCE_FROM];
    ngx_webrtc_source_thread_conf_t   tc;

    ngx_memzero(&tc, sizeof(ngx_webrtc_source_thread_conf_t));

    for (i = 0; i < conf->nfrom; i++) {
        if (ngx_webrtc_source_from(source, &conf->from[i], &from[i])
            != NGX_OK)
        {
            ngx_webrtc_source_not_started(source,
                                          "not a URL that can be pulled", 0);
            return NGX_ERROR;
        }
    }

    tc.from = from;
    tc.nfrom = conf->nfrom;
    tc.name = source->name;

    tc.backoff_min = conf->backoff_min ? conf->backoff_min
                                       : NGX_WEBRTC_SOURCE_BACKOFF_MIN;
    tc.backoff_max = conf->backoff_max ? conf->backoff_max
                                       : NGX_WEBRTC_SOURCE_BACKOFF_MAX;
    tc.connect_timeout = conf->connect_timeout ? conf->connect_timeout
                                               : NGX_WEBRTC_SOURCE_TIMEOUT;
    tc.read_timeout = conf->read_timeout ? conf->read_timeout
                                         : NGX_WEBRTC_SOURCE_TIMEOUT;

    tc.doors = ngx_webrtc_doors_count() ? ngx_webrtc_source_doors : NULL;
    tc.body = ngx_webrtc_source_retry_run;
    tc.notify = ngx_webrtc_source_notify;
    tc.ctx = source;

    tc.out.ring = source->st->ring;
    tc.out.timeline = &source->st->timeline;
    tc.out.max_payload = conf->max_payload;
    tc.out.published = ngx_webrtc_source_published;
    tc.out.grow = ngx_webrtc_source_wants;
    tc.out.ctx = source;

    source->thread = ngx_webrtc_source_thread_create(&tc);

    if (source->thread == NULL) {
        ngx_webrtc_source_not_started(source, "no memory for a thread", 0);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* the strings are in the source's pool */

static ngx_int_t
ngx_webrtc_source_from(ngx_webrtc_source_t *source,
    ngx_webrtc_source_conf_from_t *conf, ngx_webrtc_source_from_t *from)
{
    size_t   size;
    u_char  *url, *format;

    ngx_memzero(from, sizeof(ngx_webrtc_source_from_t));

    from->scheme = ngx_webrtc_source_url_scheme(&conf->url);

    size = conf->url.len + NGX_WEBRTC_SOURCE_SCHEME;

    url = ngx_pnalloc(source->pool, size);
    format = ngx_pnalloc(source->pool, conf->format.len + 1);

    if (from->scheme == NULL || url == NULL || format == NULL
        || ngx_webrtc_source_url_open(&conf->url, url, size) != NGX_OK)
    {
        return NGX_ERROR;
    }

    from->url = (char *) url;

    if (conf->format.len) {
        (void) ngx_cpystrn(format, conf->format.data, conf->format.len + 1);
        from->format = (char *) format;
    }

    from->program = conf->program;
    from->loop = conf->loop;
    from->lists = conf->lists;
    from->links = conf->links;
    from->links_from = conf->links_from;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_source_listen(ngx_webrtc_source_t *source)
{
    ngx_fd_t           fd;
    ngx_connection_t  *c;

    fd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

    if (fd == -1) {
        ngx_webrtc_source_not_started(source, "no descriptor, raise "
                                      "worker_rlimit_nofile", ngx_errno);
        return NGX_ERROR;
    }

    /* nginx's own line would be one for each attempt */

    c = (ngx_cycle->free_connection_n || ngx_cycle->reusable_connections_n)
        ? ngx_get_connection(fd, &source->log) : NULL;

    if (c == NULL) {
        ngx_webrtc_source_not_started(source, "no free connection, raise "
                                      "worker_connections", 0);
        (void) close(fd);
        return NGX_ERROR;
    }

    source->fd = fd;
    source->connection = c;

    c->data = source;
    c->log = &source->log;
    c->pool = source->pool;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);

    c->read->log = &source->log;
    c->write->log = &source->log;
    c->read->handler = ngx_webrtc_source_read_handler;

    return ngx_handle_read_event(c->read, 0);
}


/* the stream's last error, and a line for it; err may be 0 */

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


/* in the thread: who in this nginx listens there */

static ngx_uint_t
ngx_webrtc_source_doors(void *ctx, struct sockaddr *sa, uint16_t *ports,
    ngx_uint_t max, int *family)
{
    ngx_webrtc_source_t  *source = ctx;

    uint32_t  key;

    switch (ngx_webrtc_door_find(sa, &key, family)) {

    case NGX_OK:
        return ngx_webrtc_bus_doors(source->bus, key, ports, max);

    case NGX_BUSY:

        if (!ngx_webrtc_atomic_swap(&source->warned, 1)) {
            ngx_webrtc_source_thread_log(source->thread, NGX_LOG_WARN,
                        "this is rtmp of this nginx, but in any worker: write "
                        "127.0.0.1 in the URL to find the stream's one");
        }

        return 0;

    default:
        return 0;
    }
}


/* in the thread: there is something to look at */

static void
ngx_webrtc_source_notify(void *ctx)
{
    ngx_webrtc_source_t  *source = ctx;

    ssize_t   n;
    uint64_t  one;

    one = 1;

    /* fails only when as many notes are unread that one more says nothing */

    do {
        n = write(source->fd, &one, sizeof(uint64_t));
    } while (n == -1 && ngx_errno == NGX_EINTR);
}


/* in the thread: a frame is in the ring */

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


/* in the thread: a larger ring */

static ngx_int_t
ngx_webrtc_source_wants(void *ctx, size_t need)
{
    ngx_webrtc_source_t  *source = ctx;

    return ngx_webrtc_source_thread_grow(source->thread, need);
}


static void
ngx_webrtc_source_read_handler(ngx_event_t *rev)
{
    uint64_t                   n;
    ngx_connection_t          *c;
    ngx_webrtc_source_t       *source;
    ngx_webrtc_source_note_t   note;

    c = rev->data;
    source = c->data;

    /* it counts, so one read empties it */

    if (read(source->fd, &n, sizeof(uint64_t)) == -1
        && ngx_errno != NGX_EAGAIN && ngx_errno != NGX_EINTR)
    {
        ngx_log_error(NGX_LOG_ALERT, &source->log, ngx_errno,
                      "webrtc source: read() from eventfd failed");
    }

    while (ngx_webrtc_source_thread_note(source->thread, &note) == NGX_OK) {
        ngx_webrtc_source_note(source, &note);
    }

    if (ngx_webrtc_source_thread_join(source->thread, 0) == NGX_OK) {

        /* what it left last, before it ended */

        while (ngx_webrtc_source_thread_note(source->thread, &note) == NGX_OK) {
            ngx_webrtc_source_note(source, &note);
        }

        ngx_webrtc_source_finish(source);
        return;
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_webrtc_source_stop(source);
    }
}


static void
ngx_webrtc_source_note(ngx_webrtc_source_t *source,
    ngx_webrtc_source_note_t *note)
{
    source->from = note->from;

    switch (note->type) {

    case NGX_WEBRTC_SOURCE_NOTE_UP:

        ngx_webrtc_source_set_tracks(source, note);

        ngx_webrtc_atomic_add(&source->st->stat.starts, 1);
        ngx_webrtc_atomic_store(&source->st->upstream,
                                (uint32_t) note->from + 1);

        ngx_webrtc_bus_set_state(source->bus, source->st,
                                 NGX_WEBRTC_STREAM_ACTIVE, ngx_current_msec);

        ngx_webrtc_source_thread_go(source->thread);

        ngx_webrtc_source_call(source, NGX_WEBRTC_SOURCE_UP);

        break;

    case NGX_WEBRTC_SOURCE_NOTE_TRACKS:

        ngx_webrtc_source_set_tracks(source, note);

        /* its state is as old as it was */

        ngx_webrtc_bus_wake(source->bus, source->st);

        ngx_webrtc_source_thread_go(source->thread);

        ngx_webrtc_source_call(source, NGX_WEBRTC_SOURCE_UP);

        break;

    case NGX_WEBRTC_SOURCE_NOTE_GROW:

        ngx_webrtc_source_grow(source, note);
        break;

    case NGX_WEBRTC_SOURCE_NOTE_DOWN:

        ngx_webrtc_source_failed(source, note);

        ngx_webrtc_atomic_store(&source->st->upstream, 0);

        ngx_webrtc_bus_set_state(source->bus, source->st,
                                 NGX_WEBRTC_STREAM_INACTIVE, ngx_current_msec);

        ngx_webrtc_source_call(source, NGX_WEBRTC_SOURCE_DOWN);

        break;

    case NGX_WEBRTC_SOURCE_NOTE_FAILED:

        ngx_webrtc_atomic_add(&source->st->stat.failures, 1);

        ngx_webrtc_source_failed(source, note);

        ngx_webrtc_source_call(source, NGX_WEBRTC_SOURCE_DOWN);

        break;

    case NGX_WEBRTC_SOURCE_NOTE_LOG:

        ngx_webrtc_source_said(source, note);
        break;
    }
}


static void
ngx_webrtc_source_set_tracks(ngx_webrtc_source_t *source,
    ngx_webrtc_source_note_t *note)
{
    u_char              *p, *last;
    u_char               buf[128];
    ngx_uint_t           i, n;
    ngx_webrtc_track_t   tracks[NGX_WEBRTC_TRACKS], *track;

    p = buf;
    last = buf + sizeof(buf);

    for (i = 0; i < note->ntracks; i++) {

        track = &note->tracks[i];

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
    }

    if (source->nfrom == 1) {
        ngx_log_error(NGX_LOG_NOTICE, &source->log, 0,
                      "webrtc source up tracks:\"%*s\"",
                      (size_t) (p - buf), buf);

    } else {
        ngx_log_error(NGX_LOG_NOTICE, &source->log, 0,
                      "webrtc source up upstream:%ui/%ui tracks:\"%*s\"",
                      source->from + 1, source->nfrom, (size_t) (p - buf),
                      buf);
    }

    /* viewers take another version for other tracks */

    if (ngx_webrtc_bus_tracks(source->st, tracks, &n) != 0
        && n == note->ntracks
        && ngx_memcmp(tracks, note->tracks, n * sizeof(ngx_webrtc_track_t))
           == 0)
    {
        return;
    }

    for (i = 0; i < ngx_min(n, note->ntracks); i++) {

        /* the thread waits for us: nothing is written meanwhile */

        if (tracks[i].codec != note->tracks[i].codec) {
            ngx_webrtc_atomic_store(&source->st->since[i],
                                    source->thread->out.writer.next[i]);
        }
    }

    ngx_webrtc_bus_set_tracks(source->st, note->tracks, note->ntracks);
}


/* the thread waits: it does not write */

static void
ngx_webrtc_source_grow(ngx_webrtc_source_t *source,
    ngx_webrtc_source_note_t *note)
{
    ngx_int_t  rc;

    rc = ngx_webrtc_bus_enlarge(source->bus, source->st,
                                &source->thread->out.writer, note->need,
                                &source->log);

    ngx_webrtc_source_thread_grown(source->thread, rc == NGX_OK);
}


/* what an operator has to know of is kept, and shows in the status */

static void
ngx_webrtc_source_said(ngx_webrtc_source_t *source,
    ngx_webrtc_source_note_t *note)
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
    ngx_webrtc_source_note_t *note)
{
    u_char  event[64];

    if (note->level == NGX_LOG_NOTICE) {

        /* a file was played to its end, or the stream moved in this nginx */

        ngx_log_error(NGX_LOG_NOTICE, &source->log, 0,
                      "webrtc source down retry_ms:%ui reason:\"%*s\"",
                      note->retry_ms, note->len, note->text);
        return;
    }

    (void) ngx_snprintf(event, sizeof(event), "source %s retry_ms:%ui%Z",
                        note->type == NGX_WEBRTC_SOURCE_NOTE_DOWN
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


/* the thread is joined */

static void
ngx_webrtc_source_finish(ngx_webrtc_source_t *source)
{
    ngx_queue_remove(&source->queue);
    ngx_webrtc_sources_n--;

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

    if (source->connection) {
        source->connection->pool = NULL;
        ngx_close_connection(source->connection);
    }

    if (source->thread) {
        ngx_webrtc_source_thread_destroy(source->thread);
    }

    pool = source->pool;

    /* the log is inside */

    pool->log = ngx_cycle->log;

    ngx_destroy_pool(pool);
}


/* as this module is unloaded, or by exit() */

static void
ngx_webrtc_source_leave(void)
{
    _exit(0);
}
