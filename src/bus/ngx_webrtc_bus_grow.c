
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A stream's ring becomes larger: see ngx_webrtc_bus.h.
 *
 * Readers in other processes have no lock and tell nobody where they are, so
 * that a ring that was in use is never freed before the stream is.  As each
 * one is at least twice as large as the one before, all of them together take
 * less than twice the last one.
 *
 * A worker that dies between taking memory and noting it down loses it, as
 * everywhere in the zone.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_bus_zone.h"


static void ngx_webrtc_bus_grow_failed(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_uint_t torn, size_t need, ngx_int_t why,
    ngx_log_t *log);
static ngx_uint_t ngx_webrtc_bus_grow_spare(ngx_webrtc_bus_t *bus,
    size_t size);


void
ngx_webrtc_bus_set_ring_max(ngx_webrtc_stream_t *st, size_t max)
{
    ngx_webrtc_atomic_store(&st->ring_max, (uint64_t) max);
}


ngx_int_t
ngx_webrtc_bus_enlarge(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_ring_writer_t *w, size_t need, ngx_log_t *log)
{
    ngx_int_t   rc;
    ngx_uint_t  torn;

    torn = (need || w->state == NGX_WEBRTC_RING_TORN);

    rc = ngx_webrtc_bus_grow(bus, st, w, need);

    if (rc == NGX_OK) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "webrtc buffer grows to:%uL because %s did not fit",
                      st->ring_size,
                      torn ? "a key frame" : "what follows a key frame");
        return NGX_OK;
    }

    ngx_webrtc_bus_grow_failed(bus, st, torn, need, rc, log);

    return rc;
}


static void
ngx_webrtc_bus_grow_failed(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_uint_t torn, size_t need, ngx_int_t why, ngx_log_t *log)
{
    size_t       least;
    const char  *what, *set;

    least = ngx_max((size_t) st->ring_size * 2, need);
    least = (least + 1024 * 1024 - 1) / (1024 * 1024);

    what = torn ? "viewers see no picture, as a key frame does not fit into"
                : "new viewers wait for a key frame, as the last one does not "
                  "stay in";

    set = (why == NGX_DECLINED) ? "webrtc_buffer_max has to be"
                                : "webrtc_zone has too little room for";

    ngx_webrtc_bus_complain(bus, st, torn ? NGX_LOG_ERR : NGX_LOG_WARN, log,
                            "buffer full", "%s webrtc_buffer of %uLk: "
                            "%s %uzm", what, st->ring_size / 1024, set, least);
}


ngx_int_t
ngx_webrtc_bus_grow(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_ring_writer_t *w, size_t need)
{
    void               *p;
    size_t              size, max;
    ngx_webrtc_ring_t  *ring;

    size = (size_t) ngx_webrtc_atomic_load(&st->ring_size);
    max = (size_t) ngx_webrtc_atomic_load(&st->ring_max);
    max = ngx_min(max, NGX_WEBRTC_RING_MAX_SIZE);

    size = ngx_max(size * 2, need);

    if (size > max) {

        /* what is left, if that is enough */

        if (need > max || max < st->ring_size * 2) {
            return NGX_DECLINED;
        }

        size = max;
    }

    if (st->ngrown == NGX_WEBRTC_BUS_GROWN) {
        return NGX_DECLINED;
    }

    ngx_shmtx_lock(&bus->shpool->mutex);

    p = NULL;

    if (ngx_webrtc_bus_grow_spare(bus, size)) {
        p = ngx_slab_alloc_locked(bus->shpool, size);
    }

    if (p) {
        st->grown[st->ngrown++] = p;
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_webrtc_ring_publish(w);

    ring = ngx_webrtc_ring_move(p, size, w);

    if (ring == NULL) {
        return NGX_ERROR;
    }

    ngx_webrtc_atomic_store(&st->ring_size, (uint64_t) size);
    ngx_webrtc_atomic_store_release(&st->ring, ring);

    return NGX_OK;
}


/* streams that come yet need memory, too: a quarter of the zone is left */

static ngx_uint_t
ngx_webrtc_bus_grow_spare(ngx_webrtc_bus_t *bus, size_t size)
{
    size_t  spare;

    spare = (size_t) bus->shpool->pfree * ngx_pagesize;

    return spare >= size && spare - size >= bus->zone->shm.size / 4;
}
