
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Streams in the zone: registry, claims, wake-ups, viewers.  The order of
 * stores that lets any worker die at any time is explained at the top of
 * ngx_webrtc_bus_zone.c.
 *
 *
 * Who frees a stream
 *
 * whoever ends the last hold, under the mutex, if nobody claims it.  A stream
 * is also found by name under the mutex, and held before that is released.
 * With a hold, everything but ending the last hold works without the mutex.
 * Source threads never take it: it is a spin lock by pid, and would let two
 * threads of one process in.
 *
 *
 * Wake-ups
 *
 * A writer publishes, then checks who watches; a watcher sets its bit, then
 * looks at the ring.  With a full fence between the two on both sides, one of
 * them sees the other.
 *
 * For each watching worker the writer sets the stream's bit in the worker's
 * news, then takes the worker's doorbell (rung: 0 to 1); the one that gets it
 * sends one message.  The worker empties its inbox, sets rung to 0, and then
 * takes and zeroes its news.  So a bit is set either before the news is taken,
 * or by a writer that finds the doorbell free.  If the message cannot be sent,
 * rung is reset, and the next frame tries again; if that was because the inbox
 * is full, then the worker has something to read and takes its news anyway.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_figures.h"
#include "ngx_webrtc_bus_layers.h"
#include "ngx_webrtc_bus_zone.h"
#include "ngx_webrtc_bus_inbox.h"
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_bus_variant.h"


/* kinds of claims whose holder makes key frames when asked */
#define ngx_webrtc_bus_asks(kind)                                             \
    ((kind) == NGX_WEBRTC_CLAIM_PUBLISH || (kind) >= NGX_WEBRTC_CLAIM_VARIANT)


static void ngx_webrtc_bus_reap_stream(ngx_webrtc_bus_t *bus, ngx_uint_t n,
    ngx_uint_t worker);
static ngx_webrtc_stream_t *ngx_webrtc_bus_find_locked(ngx_webrtc_bus_t *bus,
    ngx_str_t *name, uint64_t hash);
static ngx_webrtc_stream_t *ngx_webrtc_bus_get(ngx_webrtc_bus_t *bus,
    ngx_str_t *name, size_t ring_size, ngx_webrtc_client_t *client);
static void ngx_webrtc_bus_release_locked(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st);
static ngx_uint_t ngx_webrtc_bus_is_used(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st);
static void ngx_webrtc_bus_free_stream(ngx_webrtc_bus_t *bus, ngx_uint_t n,
    ngx_uint_t worker);
static void ngx_webrtc_bus_end_claim(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, uint64_t claim);
static void ngx_webrtc_bus_wake_worker(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_uint_t worker);
static void ngx_webrtc_bus_wake_watching(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_uint_t except);


ngx_webrtc_stream_t *
ngx_webrtc_bus_stream(ngx_webrtc_bus_t *bus, ngx_str_t *name,
    size_t ring_size, ngx_uint_t create)
{
    static ngx_webrtc_client_t  nobody;

    return ngx_webrtc_bus_get(bus, name, ring_size, create ? &nobody : NULL);
}


ngx_webrtc_stream_t *
ngx_webrtc_bus_stream_for(ngx_webrtc_bus_t *bus, ngx_str_t *name,
    size_t ring_size, ngx_webrtc_client_t *client)
{
    return ngx_webrtc_bus_get(bus, name, ring_size, client);
}


/* client: on whose behalf it is created if it does not exist, or NULL */

static ngx_webrtc_stream_t *
ngx_webrtc_bus_get(ngx_webrtc_bus_t *bus, ngx_str_t *name, size_t ring_size,
    ngx_webrtc_client_t *client)
{
    uint64_t              hash;
    ngx_webrtc_index_t   *index;
    ngx_webrtc_stream_t  *st;

    if (name->len == 0
        || name->len > NGX_WEBRTC_NAME_MAX
        || bus->worker == NGX_WEBRTC_WORKER_NONE)
    {
        return NULL;
    }

    index = bus->sh->index;
    hash = ngx_webrtc_index_hash(index, NGX_WEBRTC_KEY_NAME, name->data,
                                 name->len);

    if (client == NULL && ngx_webrtc_index_find(index, hash) == 0) {
        return NULL;
    }

    ngx_shmtx_lock(&bus->shpool->mutex);

    st = ngx_webrtc_bus_find_locked(bus, name, hash);

    if (st == NULL && client) {
        ngx_webrtc_bus_make_way(bus);
        st = ngx_webrtc_bus_make_locked(bus, name, hash, ring_size, client, 0,
                                        NULL);
    }

    if (st) {
        ngx_webrtc_bus_hold_locked(bus, st);
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return st;
}


ngx_webrtc_stream_t *
ngx_webrtc_bus_stream_ref(ngx_webrtc_bus_t *bus, uint64_t ref)
{
    ngx_webrtc_stream_t  *st;

    if (bus->worker == NGX_WEBRTC_WORKER_NONE) {
        return NULL;
    }

    ngx_shmtx_lock(&bus->shpool->mutex);

    st = ngx_webrtc_bus_find_ref(bus, ref);

    if (st) {
        ngx_webrtc_bus_hold_locked(bus, st);
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return st;
}


ngx_webrtc_stream_t *
ngx_webrtc_bus_find_ref(ngx_webrtc_bus_t *bus, uint64_t ref)
{
    uint64_t             word;
    ngx_webrtc_entry_t  *e;

    e = ngx_webrtc_table_entry(&bus->sh->streams, ref, &word);

    return (e && ngx_webrtc_entry_state(word) == NGX_WEBRTC_ENTRY_NEW) ? e->p
                                                                      : NULL;
}


void
ngx_webrtc_bus_hold(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_stream_use_t  *use;

    use = &st->use[bus->worker];

    ngx_webrtc_atomic_store(&use->holds, use->holds + 1);
}


void
ngx_webrtc_bus_release(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_stream_use_t  *use;

    use = &st->use[bus->worker];

    if (use->holds > 1) {
        ngx_webrtc_atomic_store(&use->holds, use->holds - 1);
        return;
    }

    ngx_shmtx_lock(&bus->shpool->mutex);

    ngx_webrtc_bus_release_locked(bus, st);

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


ngx_int_t
ngx_webrtc_bus_next(ngx_webrtc_bus_t *bus, ngx_uint_t *cursor,
    ngx_webrtc_stream_info_t *info)
{
    uint64_t              word;
    ngx_uint_t            n;
    ngx_webrtc_table_t   *t;
    ngx_webrtc_stream_t  *st;

    t = &bus->sh->streams;

    for (n = *cursor; n < ngx_webrtc_atomic_load(&t->top); n++) {

        word = ngx_webrtc_atomic_load(&t->entries[n].word);

        if (ngx_webrtc_entry_state(word) != NGX_WEBRTC_ENTRY_NEW) {
            continue;
        }

        ngx_shmtx_lock(&bus->shpool->mutex);

        if (ngx_webrtc_atomic_load(&t->entries[n].word) != word) {
            ngx_shmtx_unlock(&bus->shpool->mutex);
            continue;
        }

        st = t->entries[n].p;

        info->ref = st->ref;
        info->id = st->id;
        info->state = ngx_webrtc_bus_state(st);
        info->claim_kind = (uint32_t) ngx_webrtc_bus_claimed(st,
                                                          &info->claim_worker);
        info->viewers = (uint32_t) ngx_webrtc_bus_viewers(bus, st);
        info->upstream = ngx_webrtc_atomic_load(&st->upstream);
        info->upstreams = st->pull.set ? st->pull.nfrom : 0;
        info->changed_ms = ngx_webrtc_atomic_load(&st->changed_ms);
        info->name_len = st->name_len;
        info->stat = st->stat;
        info->error = st->error;
        info->parent = st->parent;
        info->variant = st->variant;
        info->variant_why = st->variant_why;
        info->readers = (uint32_t) ngx_webrtc_bus_readers(bus, st);

        ngx_webrtc_bus_info_rates(st, info);
        (void) ngx_webrtc_bus_layers(st, &info->layers);

        ngx_memcpy(info->name, st->name, sizeof(info->name));

        (void) ngx_webrtc_bus_tracks(st, info->tracks, &info->ntracks);

        ngx_shmtx_unlock(&bus->shpool->mutex);

        *cursor = n + 1;

        return NGX_OK;
    }

    *cursor = n;

    return NGX_DONE;
}


ngx_int_t
ngx_webrtc_bus_claim(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_uint_t kind)
{
    uint64_t              claim, mine, id;
    ngx_uint_t            w, waited;
    ngx_webrtc_endpoint_t  *wk;

    mine = ngx_webrtc_claim_word(kind, bus->worker, bus->generation);
    waited = 0;

    for ( ;; ) {
        claim = ngx_webrtc_atomic_load_acquire(&st->claim);

        w = ngx_webrtc_claim_worker(claim);

        if (claim == 0
            || (w == bus->worker
                && ngx_webrtc_claim_generation(claim) == bus->generation))
        {
            if (!ngx_webrtc_atomic_cas(&st->claim, claim, mine)) {
                continue;
            }

            if (claim == 0) {
                ngx_webrtc_atomic_store(&st->keyframe, 0);
                ngx_webrtc_atomic_store(&st->protocol,
                                        NGX_WEBRTC_PROTOCOL_WEBRTC);
                ngx_webrtc_bus_renew_ring(bus, st);
                ngx_webrtc_bus_rates_begin(st, ngx_current_msec);
            }

            return NGX_OK;
        }

        /* checks the pid only: reap finds a pid that is in use again */

        wk = &bus->sh->workers[w];
        id = ngx_webrtc_atomic_load_acquire(&wk->id);

        if (ngx_webrtc_endpoint_generation(id)
            == ngx_webrtc_claim_generation(claim)
            && kill(ngx_webrtc_endpoint_pid(id), 0) == -1
            && ngx_errno == NGX_ESRCH)
        {
            ngx_webrtc_bus_reap_worker(bus, w, id);
            continue;
        }

        if (ngx_webrtc_claim_kind(claim) == NGX_WEBRTC_CLAIM_TIDY
            && !waited)
        {
            /* waits until it is done, which is before it releases the mutex */

            ngx_shmtx_lock(&bus->shpool->mutex);
            ngx_shmtx_unlock(&bus->shpool->mutex);

            waited = 1;
            continue;
        }

        /* else it lives, or another process has just reaped it */

        if (ngx_webrtc_atomic_load_acquire(&st->claim) == claim) {
            return NGX_BUSY;
        }
    }
}


void
ngx_webrtc_bus_unclaim(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    if (ngx_webrtc_bus_is_mine(bus, st)) {

        ngx_webrtc_bus_rates_end(bus, st);

        ngx_webrtc_bus_end_claim(bus, st, ngx_webrtc_atomic_load(&st->claim));
    }
}


uint64_t
ngx_webrtc_bus_state_age(ngx_webrtc_stream_t *st, uint64_t now_ms)
{
    int64_t  ms;

    ms = (int64_t) (now_ms - ngx_webrtc_atomic_load(&st->changed_ms));

    return (uint64_t) ngx_max(ms, 0);
}


ngx_uint_t
ngx_webrtc_bus_claimed(ngx_webrtc_stream_t *st, ngx_uint_t *worker)
{
    uint64_t  claim;

    claim = ngx_webrtc_atomic_load_acquire(&st->claim);

    if (ngx_webrtc_claim_kind(claim) == NGX_WEBRTC_CLAIM_TIDY) {
        claim = 0;
    }

    if (worker) {
        *worker = claim ? ngx_webrtc_claim_worker(claim)
                        : NGX_WEBRTC_WORKER_NONE;
    }

    return ngx_webrtc_claim_kind(claim);
}


ngx_uint_t
ngx_webrtc_bus_is_mine(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    uint64_t  claim;

    claim = ngx_webrtc_atomic_load_acquire(&st->claim);

    return claim
           && ngx_webrtc_claim_worker(claim) == bus->worker
           && ngx_webrtc_claim_generation(claim) == bus->generation;
}


void
ngx_webrtc_bus_set_state(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_state_e state, uint64_t now_ms)
{
    ngx_webrtc_atomic_store(&st->changed_ms, now_ms);

    if (state == NGX_WEBRTC_STREAM_ACTIVE) {
        ngx_webrtc_atomic_store(&st->active_ms, now_ms);
    }

    ngx_webrtc_atomic_store_release(&st->state, (uint32_t) state);

    ngx_webrtc_bus_wake(bus, st);
}


void
ngx_webrtc_bus_set_tracks(ngx_webrtc_stream_t *st, ngx_webrtc_track_t *tracks,
    ngx_uint_t ntracks)
{
    uint64_t                     version;
    ngx_webrtc_stream_tracks_t  *t;

    version = ngx_webrtc_atomic_load(&st->tracks_version) + 1;

    t = &st->tracks[version & 1];

    /* whoever still reads this copy sees that version - 1 has been stored */

    ngx_webrtc_atomic_fence_release();

    t->ntracks = (uint32_t) ngx_min(ntracks, NGX_WEBRTC_TRACKS);

    ngx_memzero(t->tracks, sizeof(t->tracks));
    ngx_memcpy(t->tracks, tracks, t->ntracks * sizeof(ngx_webrtc_track_t));

    ngx_webrtc_atomic_store_release(&st->tracks_version, version);
}


ngx_webrtc_stream_state_e
ngx_webrtc_bus_state(ngx_webrtc_stream_t *st)
{
    return (ngx_webrtc_stream_state_e)
               ngx_webrtc_atomic_load_acquire(&st->state);
}


uint64_t
ngx_webrtc_bus_tracks(ngx_webrtc_stream_t *st, ngx_webrtc_track_t *tracks,
    ngx_uint_t *ntracks)
{
    uint64_t                    version;
    ngx_webrtc_stream_tracks_t  t;

    /* repeated only when tracks are set twice meanwhile */

    do {
        version = ngx_webrtc_atomic_load_acquire(&st->tracks_version);

        t = st->tracks[version & 1];

        ngx_webrtc_atomic_fence_acquire();

    } while (ngx_webrtc_atomic_load(&st->tracks_version) != version);

    if (tracks) {
        ngx_memcpy(tracks, t.tracks, sizeof(t.tracks));
    }

    if (ntracks) {
        *ntracks = t.ntracks;
    }

    return version;
}


void
ngx_webrtc_bus_watch(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_uint_t  w;

    w = bus->worker;

    if (st->use[w].watches++ == 0) {
        (void) ngx_webrtc_atomic_fetch_or(&st->watching[w / 64],
                                          (uint64_t) 1 << (w & 63));
        ngx_webrtc_atomic_fence_full();
    }
}


void
ngx_webrtc_bus_unwatch(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_uint_t  w;

    w = bus->worker;

    if (st->use[w].watches == 0) {
        return;
    }

    if (--st->use[w].watches == 0) {
        (void) ngx_webrtc_atomic_fetch_and(&st->watching[w / 64],
                                           ~((uint64_t) 1 << (w & 63)));
        ngx_webrtc_bus_clean(bus, st);
    }
}


void
ngx_webrtc_bus_wake(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_bus_wake_watching(bus, st, NGX_WEBRTC_WORKER_NONE);
}


void
ngx_webrtc_bus_wake_others(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_bus_wake_watching(bus, st, bus->worker);
}


void
ngx_webrtc_bus_clean(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    uint64_t  *news;

    news = ngx_webrtc_bus_news(bus->sh, bus->worker);

    (void) ngx_webrtc_atomic_fetch_and(&news[st->id / 64],
                                       ~((uint64_t) 1 << (st->id & 63)));
    ngx_webrtc_atomic_fence_full();
}


ngx_int_t
ngx_webrtc_bus_keyframe(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    uint64_t  claim;

    claim = ngx_webrtc_atomic_load_acquire(&st->claim);

    if (!ngx_webrtc_bus_may_ask(st)) {
        return NGX_DECLINED;
    }

    if (ngx_webrtc_atomic_load(&st->keyframe)
        || ngx_webrtc_atomic_swap(&st->keyframe, 1))
    {
        return NGX_OK;
    }

    if (ngx_webrtc_inbox_keyframe(bus, ngx_webrtc_claim_worker(claim), st->ref)
        == NGX_OK)
    {
        return NGX_OK;
    }

    ngx_webrtc_atomic_store(&st->keyframe, 0);

    return NGX_DECLINED;
}


ngx_uint_t
ngx_webrtc_bus_may_ask(ngx_webrtc_stream_t *st)
{
    return ngx_webrtc_bus_asks(ngx_webrtc_bus_claimed(st, NULL))
           && ngx_webrtc_atomic_load(&st->protocol)
              == NGX_WEBRTC_PROTOCOL_WEBRTC;
}


void
ngx_webrtc_bus_keyframe_done(ngx_webrtc_stream_t *st)
{
    ngx_webrtc_atomic_store(&st->keyframe, 0);
}


void
ngx_webrtc_bus_viewer(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_int_t n)
{
    uint32_t  *viewers;

    viewers = &st->use[bus->worker].viewers;

    ngx_webrtc_atomic_store(viewers, *viewers + (uint32_t) n);

    if (n > 0) {
        ngx_webrtc_atomic_add(&st->stat.viewers_total, (uint64_t) n);
    }
}


ngx_uint_t
ngx_webrtc_bus_viewers(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_uint_t  w, n;

    n = 0;

    for (w = 0; w < ngx_webrtc_atomic_load(&bus->sh->nworkers); w++) {
        n += ngx_webrtc_atomic_load(&st->use[w].viewers);
    }

    return n;
}


void
ngx_webrtc_bus_reap_streams(ngx_webrtc_bus_t *bus, ngx_uint_t worker)
{
    ngx_uint_t  n;

    for (n = 0; n < bus->sh->streams.top; n++) {
        ngx_webrtc_bus_reap_stream(bus, n, worker);
    }
}


static void
ngx_webrtc_bus_reap_stream(ngx_webrtc_bus_t *bus, ngx_uint_t n,
    ngx_uint_t worker)
{
    uint64_t              word, claim;
    ngx_webrtc_entry_t   *e;
    ngx_webrtc_stream_t  *st;

    e = &bus->sh->streams.entries[n];

    word = e->word;
    st = e->p;

    switch (ngx_webrtc_entry_state(word)) {

    case NGX_WEBRTC_ENTRY_ALLOC:
    case NGX_WEBRTC_ENTRY_CLOSING:

        if (ngx_webrtc_entry_worker(word) != worker) {
            return;
        }

        ngx_webrtc_bus_free_stream(bus, n, worker);
        return;

    case NGX_WEBRTC_ENTRY_NEW:
        break;

    default:
        return;
    }

    (void) ngx_webrtc_atomic_fetch_and(&st->watching[worker / 64],
                                       ~((uint64_t) 1 << (worker & 63)));

    ngx_memzero(&st->use[worker], sizeof(ngx_webrtc_stream_use_t));

    claim = ngx_webrtc_atomic_load(&st->output);

    if (claim && ngx_webrtc_claim_worker(claim) == worker) {
        (void) ngx_webrtc_atomic_cas(&st->output, claim, 0);
    }

    claim = ngx_webrtc_atomic_load_acquire(&st->claim);

    if (claim && ngx_webrtc_claim_worker(claim) == worker) {
        ngx_webrtc_bus_end_claim(bus, st, claim);
    }

    if (!ngx_webrtc_bus_is_used(bus, st)) {
        ngx_webrtc_bus_free_stream(bus, n, worker);
    }
}


static ngx_webrtc_stream_t *
ngx_webrtc_bus_find_locked(ngx_webrtc_bus_t *bus, ngx_str_t *name,
    uint64_t hash)
{
    ngx_webrtc_stream_t  *st;

    st = ngx_webrtc_bus_find_ref(bus,
                              ngx_webrtc_index_find(bus->sh->index, hash));

    if (st == NULL
        || st->parent
        || st->name_len != name->len
        || ngx_memcmp(st->name, name->data, name->len) != 0)
    {
        return NULL;
    }

    return st;
}


ngx_webrtc_stream_t *
ngx_webrtc_bus_make_locked(ngx_webrtc_bus_t *bus, ngx_str_t *name,
    uint64_t hash, size_t ring_size, ngx_webrtc_client_t *client,
    uint64_t parent, ngx_webrtc_variant_t *variant)
{
    ngx_int_t             n;
    ngx_webrtc_entry_t   *e;
    ngx_webrtc_stream_t  *st;

    if (ring_size < NGX_WEBRTC_RING_MIN_SIZE
        || ring_size > NGX_WEBRTC_RING_MAX_SIZE)
    {
        return NULL;
    }

    if (client->key && client->max_names
        && ngx_webrtc_bus_pending(bus, client->key, NGX_WEBRTC_PENDING_NAMES)
           >= client->max_names)
    {
        bus->lack = NGX_WEBRTC_LACK_NAMES;
        return NULL;
    }

    /* its ring is taken later, but there has to be room for one */

    if (ngx_webrtc_bus_free(bus) < ring_size) {
        bus->lack = NGX_WEBRTC_LACK_MEMORY;
        return NULL;
    }

    /* more than a page, so it begins at a cache line */

    n = ngx_webrtc_table_alloc(bus, &bus->sh->streams,
                               sizeof(ngx_webrtc_stream_t),
                               sizeof(ngx_webrtc_stream_t));
    if (n == -1) {
        return NULL;
    }

    e = &bus->sh->streams.entries[n];
    st = e->p;

    st->id = (uint32_t) n;
    st->ref = ngx_webrtc_ref(n, ngx_webrtc_entry_generation(e->word));

    ngx_memcpy(st->name, name->data, name->len);
    st->name_len = (uint32_t) name->len;

    if (variant) {
        st->variant = *variant;
        st->parent = parent;
    }

    ngx_webrtc_timeline_init(&st->timeline);

    st->ring_size = ring_size;
    st->ring_max = ring_size;
    st->ring = bus->sh->none;
    ngx_webrtc_atomic_store(&e->expires_ms,
                            ngx_max((uint64_t) ngx_current_msec, 1));

    if (client->key) {
        st->client = client->key;
        ngx_webrtc_atomic_store(&st->trial, (uint32_t) 1);
    }

    if ((st->trial
         && ngx_webrtc_bus_pending_add(bus, st->client,
                                       NGX_WEBRTC_PENDING_NAMES, 0)
            != NGX_OK)
        || ngx_webrtc_index_set(bus->sh->index, hash, st->ref) != NGX_OK)
    {
        bus->lack = NGX_WEBRTC_LACK_STREAMS;
        ngx_webrtc_bus_free_stream(bus, n, bus->worker);
        return NULL;
    }

    ngx_webrtc_atomic_store_release(&e->word,
                       ngx_webrtc_entry_word(NGX_WEBRTC_ENTRY_NEW,
                                         NGX_WEBRTC_ENTRY_NOBODY,
                                         ngx_webrtc_entry_generation(e->word)));
    return st;
}


/* who holds a variant holds its parent too, once */

void
ngx_webrtc_bus_hold_locked(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_stream_t  *parent;

    if (st->parent && st->use[bus->worker].holds == 0) {
        parent = ngx_webrtc_bus_find_ref(bus, st->parent);

        if (parent) {
            ngx_webrtc_bus_hold_locked(bus, parent);
        }
    }

    ngx_webrtc_bus_hold(bus, st);

    bus->held[st->id] = st;
}


/* ends this worker's last hold */

static void
ngx_webrtc_bus_release_locked(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_stream_t      *parent;
    ngx_webrtc_stream_use_t  *use;

    parent = ngx_webrtc_bus_parent(bus, st);

    bus->held[st->id] = NULL;

    ngx_webrtc_atomic_store(&st->use[bus->worker].holds, 0);

    if (!ngx_webrtc_bus_is_used(bus, st)) {
        ngx_webrtc_bus_free_stream(bus, st->id, bus->worker);
    }

    if (parent == NULL) {
        return;
    }

    use = &parent->use[bus->worker];

    if (use->holds > 1) {
        ngx_webrtc_atomic_store(&use->holds, use->holds - 1);
        return;
    }

    ngx_webrtc_bus_release_locked(bus, parent);
}


static ngx_uint_t
ngx_webrtc_bus_is_used(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_uint_t  w;

    if (ngx_webrtc_atomic_load_acquire(&st->claim)) {
        return 1;
    }

    for (w = 0; w < bus->sh->nworkers; w++) {
        if (ngx_webrtc_atomic_load(&st->use[w].holds)) {
            return 1;
        }
    }

    return 0;
}


/*
 * In any state but FREE, with whatever it has so far.  Names "worker" in case
 * this one dies midway: itself, or the dead one that it is reaping.
 */

static void
ngx_webrtc_bus_free_stream(ngx_webrtc_bus_t *bus, ngx_uint_t n,
    ngx_uint_t worker)
{
    uint64_t              hash;
    ngx_webrtc_entry_t   *e;
    ngx_webrtc_stream_t  *st;

    e = &bus->sh->streams.entries[n];
    st = e->p;

    ngx_webrtc_atomic_store_release(&e->word,
                       ngx_webrtc_entry_word(NGX_WEBRTC_ENTRY_CLOSING, worker,
                                         ngx_webrtc_entry_generation(e->word)));

    if (st) {
        ngx_webrtc_bus_tried(bus, st);
        ngx_webrtc_bus_free_rings(bus, st);

        hash = st->parent
               ? ngx_webrtc_bus_variant_hash(bus, st->parent, &st->variant)
               : ngx_webrtc_index_hash(bus->sh->index, NGX_WEBRTC_KEY_NAME,
                                       st->name, st->name_len);

        ngx_webrtc_index_remove(bus->sh->index, hash, st->ref);

        /* a URL's credentials do not stay in freed memory */

        ngx_explicit_memzero(&st->pull, sizeof(ngx_webrtc_stream_pull_t));
    }

    ngx_webrtc_table_free(bus, &bus->sh->streams, n);
}


/* The state is set while the claim keeps others from setting it. */

static void
ngx_webrtc_bus_end_claim(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    uint64_t claim)
{
    uint32_t  state;

    state = ngx_webrtc_atomic_load_acquire(&st->state);

    state = (state == NGX_WEBRTC_STREAM_ACTIVE
             || state == NGX_WEBRTC_STREAM_INACTIVE)
            ? NGX_WEBRTC_STREAM_INACTIVE : NGX_WEBRTC_STREAM_IDLE;

    ngx_webrtc_atomic_store(&st->changed_ms, (uint64_t) ngx_current_msec);
    ngx_webrtc_atomic_store_release(&st->state, state);

    ngx_webrtc_bus_no_layers(st);

    (void) ngx_webrtc_atomic_cas(&st->claim, claim, 0);

    ngx_webrtc_bus_wake(bus, st);
}


static void
ngx_webrtc_bus_wake_worker(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_uint_t worker)
{
    uint32_t  *rung;
    uint64_t  *news;

    news = ngx_webrtc_bus_news(bus->sh, worker);

    (void) ngx_webrtc_atomic_fetch_or(&news[st->id / 64],
                                      (uint64_t) 1 << (st->id & 63));

    rung = &bus->sh->workers[worker].rung;

    if (ngx_webrtc_atomic_swap(rung, 1)) {
        return;
    }

    if (ngx_webrtc_inbox_ring(bus, worker) != NGX_OK) {
        ngx_webrtc_atomic_store_release(rung, 0);
    }
}


static void
ngx_webrtc_bus_wake_watching(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_uint_t except)
{
    uint64_t    watching;
    ngx_uint_t  i, n, w;

    /* see "Wake-ups" above */

    ngx_webrtc_atomic_fence_full();

    n = ngx_webrtc_atomic_load(&bus->sh->nworkers);

    for (i = 0; i * 64 < n; i++) {
        watching = ngx_webrtc_atomic_load(&st->watching[i]);

        while (watching) {
            w = i * 64 + (ngx_uint_t) __builtin_ctzll(watching);
            watching &= watching - 1;

            if (w != except) {
                ngx_webrtc_bus_wake_worker(bus, st, w);
            }
        }
    }
}
