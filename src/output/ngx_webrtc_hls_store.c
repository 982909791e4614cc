
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Files of a channel: see the header file.
 *
 * One thread at a time has the work that was queued until then; what comes
 * meanwhile is for the next one.  So the order is kept, and files of one stream
 * never take more than one thread.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_hls_store.h"
#include "ngx_webrtc_output_task.h"


/* bytes that may wait to be written; chosen: ten seconds of 50 Mbit/s */
#define NGX_WEBRTC_HLS_STORE_BYTES  (64 * 1024 * 1024)

/* likewise, of all of a worker */
#define NGX_WEBRTC_HLS_STORE_ALL    (256 * 1024 * 1024)

/*
 * ms for which files stay when they are listed no more, if the window is not
 * shorter; RFC 8216, 6.2.2 asks for a segment and the longest playlist, which
 * for hours of DVR is of no use to anybody
 */
#define NGX_WEBRTC_HLS_STORE_GRACE  30000

/* us, below which nothing is no gap */
#define NGX_WEBRTC_HLS_STORE_GAP    100000

/* segments that a worker that has taken a channel over looks back for */
#define NGX_WEBRTC_HLS_STORE_BACK   64


/* private to a thread while "busy" */
struct ngx_webrtc_hls_task_s {
    ngx_webrtc_hls_store_t    *store;     /* NULL: nobody has it any more */
    ngx_webrtc_hls_dir_t       dir;
    ngx_queue_t                ops;
    ngx_webrtc_hls_op_t       *at;        /* the one that failed, or NULL */
    unsigned                   busy:1;
    unsigned                   off:1;     /* it is not to be published */
};


static void ngx_webrtc_hls_store_sync(ngx_webrtc_hls_store_t *store);
static ngx_int_t ngx_webrtc_hls_store_whole(ngx_webrtc_hls_store_t *store,
    ngx_uint_t track);
static ngx_int_t ngx_webrtc_hls_store_gap(ngx_webrtc_hls_store_t *store,
    ngx_uint_t track, ngx_webrtc_hls_store_track_t *first);
static ngx_webrtc_hls_op_t *ngx_webrtc_hls_store_op(
    ngx_webrtc_hls_store_t *store, ngx_uint_t what, ngx_uint_t track,
    size_t len);
static ngx_int_t ngx_webrtc_hls_store_post(ngx_webrtc_hls_store_t *store);
static void ngx_webrtc_hls_store_task(void *data, ngx_log_t *log);
static void ngx_webrtc_hls_store_tasked(ngx_event_t *ev);
static void ngx_webrtc_hls_store_next(ngx_webrtc_hls_store_t *store);
static ngx_int_t ngx_webrtc_hls_store_publish(ngx_webrtc_hls_store_t *store,
    ngx_webrtc_hls_op_t *op);
static void ngx_webrtc_hls_store_close(ngx_webrtc_hls_store_t *store,
    ngx_uint_t track);
static void ngx_webrtc_hls_store_delete(ngx_webrtc_hls_store_t *store,
    ngx_uint_t track, uint32_t number, ngx_uint_t head);
static ngx_int_t ngx_webrtc_hls_store_fail(ngx_webrtc_hls_store_t *store,
    const char *cause, int err);
static void ngx_webrtc_hls_store_drop(ngx_queue_t *ops);
static void ngx_webrtc_hls_store_free(ngx_webrtc_hls_task_t *task);


/* of this process: bytes that wait to be written */

static size_t  ngx_webrtc_hls_store_all;


ngx_int_t
ngx_webrtc_hls_store_open(ngx_webrtc_hls_store_t *store, ngx_str_t *name,
    uint32_t id)
{
    uint32_t                       back;
    ngx_uint_t                     i;
    ngx_webrtc_hls_info_t         *info;
    ngx_webrtc_hls_store_track_t  *t;

    ngx_queue_init(&store->ops);

    store->task = ngx_calloc(sizeof(ngx_webrtc_hls_task_t), store->log);

    if (store->task == NULL) {
        return NGX_ERROR;
    }

    info = ngx_webrtc_bus_hls_info(store->channel);

    store->task->store = store;
    store->task->dir.dir = -1;
    store->task->dir.root = store->root;
    store->task->dir.gen = info->gen;

    ngx_queue_init(&store->task->ops);
    ngx_webrtc_hls_name_dir(store->task->dir.name, name, id);

    ngx_webrtc_hls_store_sync(store);

    back = info->params.window / ngx_max(info->params.segment, 1)
           + NGX_WEBRTC_HLS_STORE_BACK;

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {
        t = &store->tracks[i];
        t->kept = (t->msn > back) ? t->msn - back : 0;
        t->heads = 1;
    }

    return NGX_OK;
}


void
ngx_webrtc_hls_store_done(ngx_webrtc_hls_store_t *store)
{
    if (store->task == NULL) {
        return;
    }

    ngx_webrtc_hls_store_drop(&store->ops);

    if (store->task->busy) {
        store->task->store = NULL;

    } else {
        ngx_webrtc_hls_store_free(store->task);
    }

    store->task = NULL;
}


/* counts from what has been published */

static void
ngx_webrtc_hls_store_sync(ngx_webrtc_hls_store_t *store)
{
    ngx_uint_t              i;
    ngx_webrtc_hls_info_t  *info;

    info = ngx_webrtc_bus_hls_info(store->channel);

    store->run = info->run;

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {
        store->tracks[i].msn = info->tracks[i].next;
        store->tracks[i].begun = 0;
        store->tracks[i].clock = 0;
        store->tracks[i].waits = 0;
        store->tracks[i].known = (info->tracks[i].clock != 0);
    }
}


ngx_int_t
ngx_webrtc_hls_store_run(ngx_webrtc_hls_store_t *store, uint64_t stream,
    ngx_uint_t tracks)
{
    ngx_uint_t            i;
    ngx_webrtc_hls_op_t  *op;

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {
        store->tracks[i].clock = 0;
        store->tracks[i].waits = (tracks >> i) & 1;
    }

    if (ngx_webrtc_hls_store_op(store, NGX_WEBRTC_HLS_OPEN, 0, 0) == NULL) {
        return NGX_ERROR;
    }

    op = ngx_webrtc_hls_store_op(store, NGX_WEBRTC_HLS_BEGIN, 0, 0);

    if (op == NULL) {
        return NGX_ERROR;
    }

    store->run++;
    op->ts = (int64_t) stream;

    return ngx_webrtc_hls_store_post(store);
}


void
ngx_webrtc_hls_store_end(ngx_webrtc_hls_store_t *store)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {

        if (ngx_webrtc_hls_store_whole(store, i) != NGX_OK) {
            return;
        }
    }

    if (store->task) {
        (void) ngx_webrtc_hls_store_post(store);
    }
}


ngx_int_t
ngx_webrtc_hls_store_head(ngx_webrtc_hls_store_t *store, ngx_uint_t track,
    const ngx_webrtc_hls_track_t *head, u_char *p, size_t n)
{
    ngx_webrtc_hls_op_t     *op;
    ngx_webrtc_hls_track_t  *to;

    op = ngx_webrtc_hls_store_op(store, NGX_WEBRTC_HLS_HEAD, track,
                                 sizeof(ngx_webrtc_hls_track_t) + n);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->number = store->run;
    op->fresh = 1;
    op->name = sizeof(ngx_webrtc_hls_track_t);

    ngx_memcpy(op->data, head, sizeof(ngx_webrtc_hls_track_t));
    ngx_memcpy(op->data + op->name, p, n);

    to = (ngx_webrtc_hls_track_t *) op->data;
    to->head = store->run;

    store->tracks[track].clock = head->clock;
    store->tracks[track].known = 1;

    return ngx_webrtc_hls_store_post(store);
}


ngx_int_t
ngx_webrtc_hls_store_part(ngx_webrtc_hls_store_t *store,
    const ngx_webrtc_hls_piece_t *piece)
{
    ngx_webrtc_hls_op_t           *op;
    ngx_webrtc_hls_store_track_t  *t;

    t = &store->tracks[piece->track];

    if (store->bytes > NGX_WEBRTC_HLS_STORE_BYTES
        || ngx_webrtc_hls_store_all > NGX_WEBRTC_HLS_STORE_ALL)
    {
        return ngx_webrtc_hls_store_fail(store, "segments cannot be written as "
                                         "fast as media comes: a slow disk",
                                         0);
    }

    if (piece->fresh
        && ngx_webrtc_hls_store_whole(store, piece->track) != NGX_OK)
    {
        return NGX_ERROR;
    }

    op = ngx_webrtc_hls_store_op(store, NGX_WEBRTC_HLS_PART, piece->track,
                                 piece->len);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->number = t->msn;
    op->ts = piece->ts;
    op->wall_us = piece->wall_us;
    op->duration = piece->duration;
    op->frames = piece->frames;
    op->fresh = !t->begun;
    op->independent = (piece->independent != 0);

    ngx_memcpy(op->data, piece->data, piece->len);

    if (!t->begun) {
        t->begun = 1;
        t->begin_us = piece->wall_us;
    }

    t->end_us = piece->wall_us
                + (int64_t) piece->duration * 1000000 / t->clock;

    if (piece->last
        && ngx_webrtc_hls_store_whole(store, piece->track) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_webrtc_hls_store_post(store);
}


/* the segment that has begun, if any */

static ngx_int_t
ngx_webrtc_hls_store_whole(ngx_webrtc_hls_store_t *store, ngx_uint_t track)
{
    ngx_uint_t                     i, first;
    ngx_webrtc_hls_store_track_t  *t;

    t = &store->tracks[track];

    if (!t->begun) {
        return NGX_OK;
    }

    if (ngx_webrtc_hls_store_op(store, NGX_WEBRTC_HLS_CLOSE, track, 0) == NULL)
    {
        return NGX_ERROR;
    }

    t->begun = 0;
    t->msn++;

    for (first = 0; first < track && !store->tracks[first].clock; first++) {
        /* void */
    }

    for (i = 0; first == track && i < NGX_WEBRTC_HLS_TRACKS; i++) {

        if (i != track
            && ngx_webrtc_hls_store_gap(store, i, t) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* where there is nothing, up to where the first track that comes is */

static ngx_int_t
ngx_webrtc_hls_store_gap(ngx_webrtc_hls_store_t *store, ngx_uint_t track,
    ngx_webrtc_hls_store_track_t *first)
{
    int64_t                        from;
    ngx_webrtc_hls_op_t           *op;
    ngx_webrtc_hls_info_t         *info;
    ngx_webrtc_hls_store_track_t  *t;

    t = &store->tracks[track];

    if (!t->known || t->waits || t->begun) {
        return NGX_OK;
    }

    /* without a hole, but not beyond the target */

    info = ngx_webrtc_bus_hls_info(store->channel);
    from = t->end_us;

    if (first->end_us - from > (int64_t) info->target * 1000000) {
        from = first->begin_us;
    }

    if (first->end_us - from < NGX_WEBRTC_HLS_STORE_GAP) {
        return NGX_OK;
    }

    op = ngx_webrtc_hls_store_op(store, NGX_WEBRTC_HLS_GAP, track, 0);

    if (op == NULL) {
        return NGX_ERROR;
    }

    op->wall_us = from;
    op->duration = (uint32_t) (first->end_us - from);

    t->end_us = first->end_us;
    t->msn++;

    return NGX_OK;
}


void
ngx_webrtc_hls_store_stop(ngx_webrtc_hls_store_t *store, ngx_uint_t track)
{
    if (ngx_webrtc_hls_store_whole(store, track) == NGX_OK) {
        store->tracks[track].clock = 0;
        store->tracks[track].waits = 0;
        (void) ngx_webrtc_hls_store_post(store);
    }
}


void
ngx_webrtc_hls_store_remove(ngx_webrtc_hls_store_t *store)
{
    store->removing = 1;

    if (ngx_webrtc_hls_store_op(store, NGX_WEBRTC_HLS_OPEN, 0, 0) == NULL
        || ngx_webrtc_hls_store_op(store, NGX_WEBRTC_HLS_REMOVE, 0, 0) == NULL
        || (!store->task->busy && ngx_webrtc_hls_store_post(store) != NGX_OK))
    {
        /* what is left is removed by whoever opens the directory next */

        store->removed(store->data);
    }
}


/* queued; NULL: no memory, failed() has been called */

static ngx_webrtc_hls_op_t *
ngx_webrtc_hls_store_op(ngx_webrtc_hls_store_t *store, ngx_uint_t what,
    ngx_uint_t track, size_t len)
{
    ngx_webrtc_hls_op_t  *op;

    op = ngx_alloc(sizeof(ngx_webrtc_hls_op_t) + len, store->log);

    if (op == NULL) {
        (void) ngx_webrtc_hls_store_fail(store, "no memory", 0);
        return NULL;
    }

    ngx_memzero(op, sizeof(ngx_webrtc_hls_op_t));

    op->what = what;
    op->track = track;
    op->len = len;

    store->bytes += len;
    ngx_webrtc_hls_store_all += len;
    ngx_queue_insert_tail(&store->ops, &op->queue);

    return op;
}


/* has a thread do what is queued, unless one is at work */

static ngx_int_t
ngx_webrtc_hls_store_post(ngx_webrtc_hls_store_t *store)
{
    ngx_webrtc_hls_task_t  *task;

    task = store->task;

    if (task->busy || ngx_queue_empty(&store->ops)) {
        return NGX_OK;
    }

    ngx_queue_add(&task->ops, &store->ops);
    ngx_queue_init(&store->ops);

    task->busy = 1;
    task->off = 0;
    task->at = NULL;

    if (ngx_webrtc_output_task(store->pool, task, ngx_webrtc_hls_store_task,
                               ngx_webrtc_hls_store_tasked, store->log)
        != NGX_OK)
    {
        task->busy = 0;
        return ngx_webrtc_hls_store_fail(store, "no thread is free", 0);
    }

    return NGX_OK;
}


static void
ngx_webrtc_hls_store_task(void *data, ngx_log_t *log)
{
    ngx_queue_t            *q;
    ngx_webrtc_hls_op_t    *op;
    ngx_webrtc_hls_task_t  *task;

    (void) log;

    task = *(ngx_webrtc_hls_task_t **) data;

    for (q = ngx_queue_head(&task->ops);
         q != ngx_queue_sentinel(&task->ops);
         q = ngx_queue_next(q))
    {
        op = ngx_queue_data(q, ngx_webrtc_hls_op_t, queue);

        if (ngx_webrtc_hls_file_do(&task->dir, op) != NGX_OK) {
            task->at = op;
            break;
        }
    }
}


static void
ngx_webrtc_hls_store_tasked(ngx_event_t *ev)
{
    uint64_t                 bytes;
    ngx_uint_t               removed;
    ngx_queue_t             *q;
    const char              *cause;
    ngx_webrtc_hls_op_t     *op;
    ngx_webrtc_hls_task_t   *task;
    ngx_webrtc_hls_store_t  *store;

    task = ngx_webrtc_output_task_data(ev);
    store = task->store;
    task->busy = 0;

    if (store == NULL) {
        ngx_webrtc_hls_store_free(task);
        return;
    }

    if (task->off || (store->removing && task->at)) {
        ngx_webrtc_hls_store_drop(&task->ops);

        if (store->removing && ngx_queue_empty(&store->ops)) {
            store->removed(store->data);
            return;
        }

        ngx_webrtc_hls_store_next(store);
        return;
    }

    bytes = 0;
    cause = NULL;
    removed = 0;

    while (!ngx_queue_empty(&task->ops)) {
        q = ngx_queue_head(&task->ops);
        op = ngx_queue_data(q, ngx_webrtc_hls_op_t, queue);

        if (op == task->at) {
            cause = task->dir.cause;
            break;
        }

        ngx_queue_remove(q);

        store->bytes -= op->len;
        ngx_webrtc_hls_store_all -= op->len;
        bytes += op->len;
        removed = (op->what == NGX_WEBRTC_HLS_REMOVE);

        if (ngx_webrtc_hls_store_publish(store, op) != NGX_OK
            && !store->removing)
        {
            cause = "no room for it in webrtc_zone";
            task->dir.err = 0;
            ngx_free(op);
            break;
        }

        ngx_free(op);
    }

    if (removed) {
        store->removed(store->data);
        return;
    }

    if (cause) {
        (void) ngx_webrtc_hls_store_fail(store, cause, task->dir.err);
        return;
    }

    if (bytes) {
        store->stored(store->data, bytes);
    }

    ngx_webrtc_hls_store_next(store);
}


static void
ngx_webrtc_hls_store_next(ngx_webrtc_hls_store_t *store)
{
    if (ngx_webrtc_hls_store_post(store) != NGX_OK && store->removing) {
        store->removed(store->data);
    }
}


static ngx_int_t
ngx_webrtc_hls_store_publish(ngx_webrtc_hls_store_t *store,
    ngx_webrtc_hls_op_t *op)
{
    ngx_webrtc_hls_part_t  part;

    switch (op->what) {

    case NGX_WEBRTC_HLS_BEGIN:
        (void) ngx_webrtc_bus_hls_run(store->bus, store->channel,
                                      (uint64_t) op->ts);
        return NGX_OK;

    case NGX_WEBRTC_HLS_HEAD:
        return ngx_webrtc_bus_hls_head(store->bus, store->channel, op->track,
                                       (ngx_webrtc_hls_track_t *) op->data);

    case NGX_WEBRTC_HLS_PART:
        ngx_memzero(&part, sizeof(ngx_webrtc_hls_part_t));

        part.bytes = (uint32_t) op->len;
        part.duration = op->duration;
        part.independent = op->independent;

        ngx_webrtc_bus_hls_part(store->bus, store->channel, op->track, op->ts,
                                op->wall_us, op->frames, &part);
        return NGX_OK;

    case NGX_WEBRTC_HLS_GAP:
        ngx_webrtc_bus_hls_gap(store->bus, store->channel, op->track,
                               op->wall_us, op->duration);

        /* fall through */

    case NGX_WEBRTC_HLS_CLOSE:
        ngx_webrtc_hls_store_close(store, op->track);
        return NGX_OK;

    default:
        return NGX_OK;
    }
}


/* a segment is whole: old ones go */

static void
ngx_webrtc_hls_store_close(ngx_webrtc_hls_store_t *store, ngx_uint_t track)
{
    uint32_t                       run, grace, first;
    ngx_webrtc_hls_info_t         *info;
    ngx_webrtc_hls_store_track_t  *t;

    ngx_webrtc_bus_hls_close(store->bus, store->channel, track, &run);

    t = &store->tracks[track];
    info = ngx_webrtc_bus_hls_info(store->channel);

    grace = ngx_min(info->params.window, NGX_WEBRTC_HLS_STORE_GRACE)
            / ngx_max(info->params.segment, 1) + 1;
    first = info->tracks[track].first;

    while (t->kept + grace < first) {
        ngx_webrtc_hls_store_delete(store, track, t->kept++, 0);
    }

    /* that of the run before may still be fetched */

    while (t->heads + 1 < run) {
        ngx_webrtc_hls_store_delete(store, track, t->heads++, 1);
    }
}


static void
ngx_webrtc_hls_store_delete(ngx_webrtc_hls_store_t *store, ngx_uint_t track,
    uint32_t number, ngx_uint_t head)
{
    ngx_webrtc_hls_op_t  *op;

    /* without memory it stays */

    op = ngx_calloc(sizeof(ngx_webrtc_hls_op_t), store->log);

    if (op) {
        op->what = NGX_WEBRTC_HLS_DELETE;
        op->track = track;
        op->number = number;
        op->name = head;

        ngx_queue_insert_tail(&store->ops, &op->queue);
    }
}


/* returns NGX_ERROR */

static ngx_int_t
ngx_webrtc_hls_store_fail(ngx_webrtc_hls_store_t *store, const char *cause,
    int err)
{
    uint32_t    run;
    ngx_uint_t  i;

    ngx_webrtc_hls_store_drop(&store->ops);

    store->bytes = 0;

    if (store->task) {

        if (store->task->busy) {
            store->task->off = 1;

        } else {
            ngx_webrtc_hls_store_drop(&store->task->ops);
        }
    }

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {
        ngx_webrtc_bus_hls_close(store->bus, store->channel, i, &run);
    }

    ngx_webrtc_hls_store_sync(store);

    if (store->removing) {
        return NGX_ERROR;
    }

    store->failed(store->data, cause, err);

    return NGX_ERROR;
}


static void
ngx_webrtc_hls_store_drop(ngx_queue_t *ops)
{
    ngx_queue_t          *q;
    ngx_webrtc_hls_op_t  *op;

    while (!ngx_queue_empty(ops)) {
        q = ngx_queue_head(ops);
        ngx_queue_remove(q);

        op = ngx_queue_data(q, ngx_webrtc_hls_op_t, queue);
        ngx_webrtc_hls_store_all -= op->len;
        ngx_free(op);
    }
}


static void
ngx_webrtc_hls_store_free(ngx_webrtc_hls_task_t *task)
{
    ngx_webrtc_hls_store_drop(&task->ops);
    ngx_webrtc_hls_file_close(&task->dir);
    ngx_free(task);
}
