
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How a stream gets its ring, and a larger one; see ngx_webrtc_bus.h.
 *
 *   1. A stream begins with the zone's empty ring, which all such streams
 *      share: a name costs no memory for packets.
 *
 *   2. Only the claim's holder changes st->ring, from the event loop, while its
 *      writer waits.  It takes memory, notes it in st->rings under the mutex,
 *      as BEING filled, copies the ring's contents, and stores st->ring.  A
 *      reader still in the old ring misses nothing: that has the same entries
 *      under the same numbers, and the reader finds new ones in its next turn.
 *
 *   3. Readers take no lock and do not announce where they are, but none keeps
 *      a pointer to a ring across turns of its event loop.  So a ring that is
 *      replaced gets the next number of the zone's epoch, and is freed when
 *      every worker has seen that number: ngx_webrtc_bus_turn() stores, between
 *      two events, the epoch that it sees.  Whoever sees the epoch also sees
 *      the newer ring, as that was stored first.
 *
 *   4. A worker that hangs delays the freeing of rings, and nothing else.  A
 *      dead one has no endpoint once it is reaped.
 *
 *   5. A worker killed between the steps of 2 leaves either a ring that is
 *      BEING filled, which the next holder of the claim frees, or which goes
 *      with the stream; or one that st->ring points to already, which is then
 *      valid.  A worker that dies between taking memory and noting it down
 *      leaks it, as everywhere in the zone.
 *
 *   6. The next ring is larger by a step.  While two older ones may still be
 *      read, as media comes faster than turns, it is twice as large: all of
 *      them together take less than three times the last.
 *
 *   7. The next writer does not inherit a ring that has grown: a new claim
 *      begins with an empty ring that continues the numbers, so that readers
 *      go on too (ngx_webrtc_bus_renew_ring()).  Otherwise a held name would
 *      keep forever what one burst took.  When memory is short, unclaimed
 *      streams lose theirs at once; to keep 2 true, whoever takes a ring away
 *      claims the stream meanwhile (NGX_WEBRTC_CLAIM_TIDY).
 *
 *   8. What is freed goes back to the system: it is not touched before it is
 *      allocated again, which may be never.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_bus_zone.h"


/* epochs of a ring: current, or not examined since; being filled */
#define NGX_WEBRTC_BUS_CURRENT  ((uint64_t) 0)
#define NGX_WEBRTC_BUS_BEING    ((uint64_t) -1)

/*
 * Bytes by which a ring grows, and the size from which it grows by a quarter;
 * chosen: half a second of 1 Mbit/s, few copies
 */
#define NGX_WEBRTC_BUS_STEP     65536
#define NGX_WEBRTC_BUS_LARGE    (1024 * 1024)

/* ms between two looks for rings to take back; chosen: half a turn */
#define NGX_WEBRTC_BUS_TAKE     125


static ngx_webrtc_stream_ring_t *ngx_webrtc_bus_take_ring(
    ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st, size_t has, size_t need,
    size_t *size, ngx_int_t *rc);
static void ngx_webrtc_bus_set_ring(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_webrtc_stream_ring_t *r,
    ngx_webrtc_ring_t *ring);
static void ngx_webrtc_bus_renew_locked(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st);
static ngx_uint_t ngx_webrtc_bus_has_grown(ngx_webrtc_stream_t *st);
static ngx_webrtc_stream_ring_t *ngx_webrtc_bus_tidy_rings(
    ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st);
static ngx_uint_t ngx_webrtc_bus_sweep(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st);
static ngx_uint_t ngx_webrtc_bus_is_seen(ngx_webrtc_bus_t *bus,
    uint64_t epoch);
static void ngx_webrtc_bus_free_ring(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_ring_t *r);
static void ngx_webrtc_bus_grow_failed(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, size_t has, ngx_uint_t torn, size_t need,
    ngx_int_t why, ngx_log_t *log);
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
    size_t      has;
    ngx_int_t   rc;
    ngx_uint_t  torn;

    has = ngx_webrtc_ring_size(w->ring);
    torn = (need || w->state == NGX_WEBRTC_RING_TORN);

    rc = ngx_webrtc_bus_grow(bus, st, w, need);

    if (rc == NGX_OK) {
        ngx_log_error(NGX_LOG_INFO, log, 0, "webrtc buffer grows to:%uz",
                      ngx_webrtc_ring_size(w->ring));
        return NGX_OK;
    }

    /* what is not seen yet may never be: two intervals are more than one */

    if (rc != NGX_BUSY
        && (has == 0 || need || w->state != NGX_WEBRTC_RING_HELD))
    {
        ngx_webrtc_bus_grow_failed(bus, st, has, torn, need, rc, log);
    }

    return rc;
}


ngx_int_t
ngx_webrtc_bus_grow(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_ring_writer_t *w, size_t need)
{
    size_t                     size;
    ngx_int_t                  rc;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_stream_ring_t  *r;

    ngx_webrtc_ring_publish(w);

    need = ngx_max(need, ngx_webrtc_ring_larger(w));

    ngx_shmtx_lock(&bus->shpool->mutex);

    r = ngx_webrtc_bus_take_ring(bus, st, ngx_webrtc_ring_size(w->ring), need,
                                 &size, &rc);

    ngx_shmtx_unlock(&bus->shpool->mutex);

    if (r == NULL) {
        return rc;
    }

    ring = ngx_webrtc_ring_move(r->p, size, w);

    if (ring == NULL) {
        /* it is found and freed by the next attempt, or with the stream */
        return NGX_ERROR;
    }

    ngx_webrtc_bus_set_ring(bus, st, r, ring);

    return NGX_OK;
}


void
ngx_webrtc_bus_renew_ring(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    if (!ngx_webrtc_bus_has_grown(st)) {
        return;
    }

    ngx_shmtx_lock(&bus->shpool->mutex);

    ngx_webrtc_bus_renew_locked(bus, st);

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


void
ngx_webrtc_bus_take_back(ngx_webrtc_bus_t *bus)
{
    uint64_t              now_ms, mine;
    ngx_uint_t            n;
    ngx_webrtc_entry_t   *e;
    ngx_webrtc_bus_sh_t  *sh;
    ngx_webrtc_stream_t  *st;

    sh = bus->sh;
    now_ms = (uint64_t) ngx_current_msec;

    /* another worker's clock may be ahead */

    if (sh->taken_ms
        && (int64_t) (now_ms - sh->taken_ms) < NGX_WEBRTC_BUS_TAKE)
    {
        return;
    }

    sh->taken_ms = ngx_max(now_ms, 1);

    mine = ngx_webrtc_claim_word(NGX_WEBRTC_CLAIM_TIDY, bus->worker,
                                 bus->generation);

    for (n = 0; n < sh->streams.top; n++) {
        e = &sh->streams.entries[n];
        st = e->p;

        if (ngx_webrtc_entry_state(ngx_webrtc_atomic_load(&e->word))
            != NGX_WEBRTC_ENTRY_NEW
            || ngx_webrtc_atomic_load_acquire(&st->claim)
            || !ngx_webrtc_bus_has_grown(st)
            || !ngx_webrtc_atomic_cas(&st->claim, 0, mine))
        {
            continue;
        }

        ngx_webrtc_bus_renew_locked(bus, st);

        (void) ngx_webrtc_atomic_cas(&st->claim, mine, 0);
    }
}


/* settles what becomes of memory that was BEING filled */

static void
ngx_webrtc_bus_set_ring(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_ring_t *r, ngx_webrtc_ring_t *ring)
{
    ngx_webrtc_atomic_store_release(&st->ring, ring);
    ngx_webrtc_atomic_store_release(&r->epoch, NGX_WEBRTC_BUS_CURRENT);
    ngx_webrtc_atomic_store_release(&bus->sh->old, (uint64_t) 1);
}


/* without memory for it, the stream goes on with the ring it has */

static void
ngx_webrtc_bus_renew_locked(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    void                      *p;
    ngx_webrtc_stream_ring_t  *r;

    (void) ngx_webrtc_bus_sweep(bus, st);
    r = ngx_webrtc_bus_tidy_rings(bus, st);

    if (r == NULL) {
        return;
    }

    p = ngx_slab_alloc_locked(bus->shpool, NGX_WEBRTC_RING_NO_SIZE);
    if (p == NULL) {
        return;
    }

    r->size = NGX_WEBRTC_RING_NO_SIZE;

    ngx_webrtc_atomic_store(&r->epoch, NGX_WEBRTC_BUS_BEING);
    ngx_webrtc_atomic_store_release(&r->p, p);

    ngx_webrtc_bus_set_ring(bus, st, r, ngx_webrtc_ring_follow(p, st->ring));
}


static ngx_uint_t
ngx_webrtc_bus_has_grown(ngx_webrtc_stream_t *st)
{
    ngx_webrtc_ring_t  *ring;

    ring = ngx_webrtc_atomic_load_acquire(&st->ring);

    return ngx_webrtc_ring_size(ring)
           > ngx_webrtc_atomic_load(&st->ring_size);
}


void
ngx_webrtc_bus_turn(ngx_webrtc_bus_t *bus)
{
    uint64_t              seen;
    ngx_uint_t            n, left;
    ngx_webrtc_entry_t   *e;
    ngx_webrtc_bus_sh_t  *sh;

    sh = bus->sh;

    if (bus->worker == NGX_WEBRTC_WORKER_NONE) {
        return;
    }

    seen = ngx_webrtc_atomic_load_acquire(&sh->epoch);
    ngx_webrtc_atomic_store_release(&sh->seen[bus->worker], seen);

    if (ngx_webrtc_atomic_load(&sh->old) == 0) {
        return;
    }

    ngx_shmtx_lock(&bus->shpool->mutex);

    (void) ngx_webrtc_atomic_swap(&sh->old, (uint64_t) 0);

    left = 0;

    for (n = 0; n < sh->streams.top; n++) {
        e = &sh->streams.entries[n];

        if (ngx_webrtc_entry_state(ngx_webrtc_atomic_load(&e->word))
            == NGX_WEBRTC_ENTRY_NEW)
        {
            left += ngx_webrtc_bus_sweep(bus, e->p);
        }
    }

    if (left) {
        ngx_webrtc_atomic_store(&sh->old, (uint64_t) 1);
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


void
ngx_webrtc_bus_free_rings(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_BUS_RINGS; i++) {
        ngx_webrtc_bus_free_ring(bus, &st->rings[i]);
    }
}


/*
 * Memory for a ring in place of one of "has" bytes, with the mutex held.
 *
 *   size, rc   set: of the memory; why there is none
 */

static ngx_webrtc_stream_ring_t *
ngx_webrtc_bus_take_ring(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    size_t has, size_t need, size_t *size, ngx_int_t *rc)
{
    void                      *p;
    size_t                     next, max, step;
    ngx_uint_t                 old;
    ngx_webrtc_stream_ring_t  *r;

    r = ngx_webrtc_bus_tidy_rings(bus, st);
    old = ngx_webrtc_bus_sweep(bus, st);

    max = (size_t) ngx_webrtc_atomic_load(&st->ring_max);
    max = ngx_min(max, NGX_WEBRTC_RING_MAX_SIZE);

    step = (has < NGX_WEBRTC_BUS_LARGE) ? NGX_WEBRTC_BUS_STEP : has / 4;

    if (old > 1) {
        step = ngx_max(has, step);
    }

    next = has ? has + step : (size_t) ngx_webrtc_atomic_load(&st->ring_size);
    next = ngx_align(ngx_max(next, need), ngx_pagesize);

    if (next > max) {

        /* whatever is left, if that is enough */

        if (need > max || max < has + ngx_pagesize) {
            *rc = NGX_DECLINED;
            return NULL;
        }

        next = max;
    }

    if (r == NULL) {
        *rc = NGX_BUSY;
        return NULL;
    }

    *rc = NGX_ERROR;

    if (has && !ngx_webrtc_bus_grow_spare(bus, next)) {
        ngx_webrtc_bus_take_back(bus);
        return NULL;
    }

    p = ngx_slab_alloc_locked(bus->shpool, next);

    if (p == NULL) {
        ngx_webrtc_bus_make_way(bus);
        return NULL;
    }

    if (has == 0) {
        ngx_webrtc_bus_tried(bus, st);
    }

    r->size = next;

    ngx_webrtc_atomic_store(&r->epoch, NGX_WEBRTC_BUS_BEING);
    ngx_webrtc_atomic_store_release(&r->p, p);

    *size = next;
    *rc = NGX_OK;

    return r;
}


/* frees what a dead holder of the claim was filling; returns a free place */

static ngx_webrtc_stream_ring_t *
ngx_webrtc_bus_tidy_rings(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_uint_t                 i;
    ngx_webrtc_stream_ring_t  *r, *room;

    room = NULL;

    for (i = 0; i < NGX_WEBRTC_BUS_RINGS; i++) {
        r = &st->rings[i];

        if (r->p && r->epoch == NGX_WEBRTC_BUS_BEING) {

            if (r->p == (void *) st->ring) {
                ngx_webrtc_atomic_store(&r->epoch, NGX_WEBRTC_BUS_CURRENT);

            } else {
                ngx_webrtc_bus_free_ring(bus, r);
            }
        }

        if (r->p == NULL) {
            room = r;
        }
    }

    return room;
}


/*
 * Frees those rings of a stream that no worker uses any more, with the mutex
 * held.  Returns how many are left besides the current one.
 */

static ngx_uint_t
ngx_webrtc_bus_sweep(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    uint64_t                   epoch;
    ngx_uint_t                 i, left;
    ngx_webrtc_stream_ring_t  *r;

    left = 0;

    for (i = 0; i < NGX_WEBRTC_BUS_RINGS; i++) {
        r = &st->rings[i];

        /* in this order: what is not BEING filled has been at st->ring */

        epoch = ngx_webrtc_atomic_load_acquire(&r->epoch);

        if (r->p == NULL
            || epoch == NGX_WEBRTC_BUS_BEING
            || r->p == (void *) ngx_webrtc_atomic_load_acquire(&st->ring))
        {
            continue;
        }

        if (epoch == NGX_WEBRTC_BUS_CURRENT) {

            epoch = bus->sh->epoch + 1;

            ngx_webrtc_atomic_store(&r->epoch, epoch);
            ngx_webrtc_atomic_store_release(&bus->sh->epoch, epoch);
        }

        if (ngx_webrtc_bus_is_seen(bus, epoch)) {
            ngx_webrtc_bus_free_ring(bus, r);

        } else {
            left++;
        }
    }

    return left;
}


static ngx_uint_t
ngx_webrtc_bus_is_seen(ngx_webrtc_bus_t *bus, uint64_t epoch)
{
    ngx_uint_t            w;
    ngx_webrtc_bus_sh_t  *sh;

    sh = bus->sh;

    for (w = 0; w < sh->nworkers; w++) {

        if (ngx_webrtc_atomic_load_acquire(&sh->workers[w].id)
            && ngx_webrtc_atomic_load_acquire(&sh->seen[w]) < epoch)
        {
            return 0;
        }
    }

    return 1;
}


static void
ngx_webrtc_bus_free_ring(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_ring_t *r)
{
    void  *p;

    p = r->p;

    if (p) {
        ngx_webrtc_atomic_store_release(&r->p, NULL);

        /* smaller blocks share their page */

        if (r->size >= ngx_pagesize) {
            (void) madvise(p, r->size, MADV_REMOVE);
        }

        ngx_slab_free_locked(bus->shpool, p);
    }
}


static void
ngx_webrtc_bus_grow_failed(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    size_t has, ngx_uint_t torn, size_t need, ngx_int_t why, ngx_log_t *log)
{
    size_t       least;
    const char  *what, *set;

    if (has == 0) {
        ngx_webrtc_bus_complain(bus, st, NGX_LOG_ERR, log, "no buffer",
                                "webrtc_zone \"%V\" of %uzm has no memory "
                                "left for packets: enlarge webrtc_zone",
                                &bus->zone->shm.name,
                                bus->zone->shm.size / (1024 * 1024));
        return;
    }

    least = ngx_max(has * 2, need);
    least = (least + 1024 * 1024 - 1) / (1024 * 1024);

    what = torn ? "viewers see no picture, as a key frame does not fit into"
                : "new viewers wait for a key frame, as the last one is not "
                  "kept in";

    set = (why == NGX_DECLINED) ? "webrtc_buffer_max has to be"
                                : "webrtc_zone has too little room for";

    ngx_webrtc_bus_complain(bus, st, torn ? NGX_LOG_ERR : NGX_LOG_WARN, log,
                            "buffer full", "%s webrtc_buffer of %uzk: "
                            "%s %uzm", what, has / 1024, set, least);
}


/* leaves a quarter of the zone to streams that are still to come */

static ngx_uint_t
ngx_webrtc_bus_grow_spare(ngx_webrtc_bus_t *bus, size_t size)
{
    size_t  spare;

    spare = (size_t) bus->shpool->pfree * ngx_pagesize;

    return spare >= size && spare - size >= bus->zone->shm.size / 4;
}
