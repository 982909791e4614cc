
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Session slots in the zone.  Nothing here depends on what a session does.
 *
 * An entry (ngx_webrtc_bus_zone.h) goes ALLOC, NEW, CLAIMED, CLOSING, FREE.
 * What makes lookups cheap and safe:
 *
 *   - The index tells a miss without the mutex.  So garbage from the network,
 *     which has no valid id, ufrag or address, takes no lock.
 *
 *   - A hit on an address ends at the entry, which never goes away and names
 *     the owner: neither the mutex nor the slot is touched.
 *
 *   - A hit on an id or ufrag copies the slot under the mutex, under which
 *     alone slots are freed.
 *
 *   - The owner's pointer is good until it closes the slot: nobody takes a
 *     CLAIMED slot from a live worker.
 *
 * The hash of each of a slot's keys is noted in the slot before it is added to
 * the index, so that whoever frees the slot of a dead worker finds them all.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_zone.h"
#include "ngx_webrtc_bus_peers.h"
#include "ngx_webrtc_bus_pending.h"


/* ms; chosen: a slot may outlive its time by as much */
#define NGX_WEBRTC_PEERS_EXPIRE  250

/* slots examined in search of an old one; chosen: some 10 us */
#define NGX_WEBRTC_PEERS_LOOK    1024

/* a slot is one chunk of the slab */
typedef char  ngx_webrtc_peers_fits
                  [sizeof(ngx_webrtc_peer_t) <= NGX_WEBRTC_PEER_SIZE ? 1 : -1];

/* and what is told of it another one */
typedef char  ngx_webrtc_peers_about_fits
                  [sizeof(ngx_webrtc_peer_about_t) <= 256 ? 1 : -1];


static ngx_int_t ngx_webrtc_peers_create_slot(ngx_webrtc_bus_t *bus,
    ngx_webrtc_peer_t *peer);
static ngx_webrtc_lack_e ngx_webrtc_peers_limit(ngx_webrtc_bus_t *bus,
    ngx_webrtc_peer_t *peer, ngx_webrtc_stream_t *st);
static ngx_int_t ngx_webrtc_peers_give_way(ngx_webrtc_bus_t *bus,
    uint64_t now_ms);
static ngx_webrtc_entry_t *ngx_webrtc_peers_oldest(ngx_webrtc_bus_t *bus,
    uint64_t now_ms, uint64_t *found);
static ngx_uint_t ngx_webrtc_peers_never_came(ngx_webrtc_entry_t *e,
    uint64_t word);
static void ngx_webrtc_peers_not_pending(ngx_webrtc_bus_t *bus,
    ngx_webrtc_peer_t *peer);
static void ngx_webrtc_peers_recount_pending(ngx_webrtc_bus_t *bus);
static ngx_webrtc_stream_t *ngx_webrtc_peers_stream(ngx_webrtc_bus_t *bus,
    ngx_webrtc_peer_t *peer);
static ngx_int_t ngx_webrtc_peers_end(ngx_webrtc_bus_t *bus,
    ngx_webrtc_entry_t *e, uint64_t word, ngx_uint_t expired);
static void ngx_webrtc_peers_free(ngx_webrtc_bus_t *bus, ngx_uint_t n);


ngx_int_t
ngx_webrtc_peers_create(ngx_webrtc_bus_t *bus, ngx_webrtc_peer_t *peer)
{
    ngx_webrtc_bus_sh_t  *sh;

    sh = bus->sh;

    if (bus->worker == NGX_WEBRTC_WORKER_NONE) {
        bus->lack = NGX_WEBRTC_LACK_SLOTS;
        return NGX_DECLINED;
    }

    peer->current = 0;
    peer->closing = 0;
    peer->counted = 0;
    peer->pending = (peer->client.key != 0);
    peer->why = 0;
    peer->reconnect = 0;
    peer->session = NULL;
    peer->file = NULL;
    ngx_memzero(peer->events, sizeof(peer->events));
    ngx_memzero(peer->addrs, sizeof(peer->addrs));
    ngx_memzero(peer->keys, sizeof(peer->keys));
    ngx_memzero(&peer->stat, sizeof(peer->stat));
    peer->reads = 0;

    peer->keys[NGX_WEBRTC_PEERS_ID] =
        ngx_webrtc_index_hash(sh->index, NGX_WEBRTC_KEY_ID, peer->id,
                              NGX_WEBRTC_PEER_ID_LEN);

    peer->keys[NGX_WEBRTC_PEERS_UFRAG] =
        ngx_webrtc_peers_hash_ufrag(bus, peer->desc.local_ufrag,
                                    peer->desc.local_ufrag_len);

    if (ngx_webrtc_peers_create_slot(bus, peer) == NGX_OK) {
        return NGX_OK;
    }

    switch (bus->lack) {

    case NGX_WEBRTC_LACK_MEMORY:
    case NGX_WEBRTC_LACK_SLOTS:
    case NGX_WEBRTC_LACK_SESSIONS:

        /* sessions that never connected go first */

        return (ngx_webrtc_peers_give_way(bus, peer->created_ms) == NGX_OK)
               ? ngx_webrtc_peers_create_slot(bus, peer) : NGX_DECLINED;

    default:
        return NGX_DECLINED;
    }
}


static ngx_int_t
ngx_webrtc_peers_create_slot(ngx_webrtc_bus_t *bus, ngx_webrtc_peer_t *peer)
{
    ngx_int_t                 n;
    ngx_uint_t                i;
    ngx_webrtc_peer_t        *p;
    ngx_webrtc_entry_t       *e;
    ngx_webrtc_stream_t      *st;
    ngx_webrtc_bus_sh_t      *sh;
    ngx_webrtc_peer_about_t  *about, *from;

    sh = bus->sh;

    ngx_shmtx_lock(&bus->shpool->mutex);

    st = ngx_webrtc_peers_stream(bus, peer);

    bus->lack = ngx_webrtc_peers_limit(bus, peer, st);

    if (bus->lack != NGX_WEBRTC_LACK_NONE) {
        ngx_shmtx_unlock(&bus->shpool->mutex);
        return NGX_DECLINED;
    }

    n = ngx_webrtc_table_alloc(bus, &sh->peers, NGX_WEBRTC_PEER_SIZE,
                               sizeof(ngx_webrtc_peer_t));

    if (n == -1) {
        ngx_shmtx_unlock(&bus->shpool->mutex);
        return NGX_DECLINED;
    }

    e = &sh->peers.entries[n];
    p = e->p;

    peer->ref = ngx_webrtc_ref(n, ngx_webrtc_entry_generation(e->word));

    /* not the creator's pointer: whoever reaps us would free it */

    from = peer->about;
    peer->about = NULL;

    *p = *peer;

    about = ngx_slab_alloc_locked(bus->shpool, sizeof(ngx_webrtc_peer_about_t));

    if (about == NULL) {
        peer->about = from;
        p->pending = 0;
        ngx_webrtc_peers_free(bus, n);
        ngx_shmtx_unlock(&bus->shpool->mutex);
        bus->lack = NGX_WEBRTC_LACK_MEMORY;
        return NGX_DECLINED;
    }

    if (from) {
        *about = *from;

    } else {
        ngx_memzero(about, sizeof(ngx_webrtc_peer_about_t));
    }

    ngx_webrtc_atomic_store_release(&p->about, about);

    if (st) {
        st->slots++;
        p->counted = 1;
    }

    if (p->pending
        && ngx_webrtc_bus_pending_add(bus, p->client.key,
                                      NGX_WEBRTC_PENDING_SESSIONS, 0)
           != NGX_OK)
    {
        p->pending = 0;
        ngx_webrtc_peers_free(bus, n);
        ngx_shmtx_unlock(&bus->shpool->mutex);
        bus->lack = NGX_WEBRTC_LACK_SLOTS;
        return NGX_DECLINED;
    }

    for (i = NGX_WEBRTC_PEERS_ID; i <= NGX_WEBRTC_PEERS_UFRAG; i++) {

        if (ngx_webrtc_index_set(sh->index, p->keys[i], p->ref) != NGX_OK) {
            ngx_webrtc_peers_free(bus, n);
            ngx_shmtx_unlock(&bus->shpool->mutex);
            bus->lack = NGX_WEBRTC_LACK_SLOTS;
            return NGX_DECLINED;
        }
    }

    ngx_webrtc_atomic_store(&e->expires_ms, peer->expires_ms);
    ngx_webrtc_atomic_store(&e->created_ms, peer->created_ms);

    ngx_webrtc_atomic_store_release(&e->word,
                       ngx_webrtc_entry_word(NGX_WEBRTC_ENTRY_NEW,
                                         NGX_WEBRTC_ENTRY_NOBODY,
                                         ngx_webrtc_entry_generation(e->word)));

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return NGX_OK;
}


/* the limit that has been reached; with the mutex held */

static ngx_webrtc_lack_e
ngx_webrtc_peers_limit(ngx_webrtc_bus_t *bus, ngx_webrtc_peer_t *peer,
    ngx_webrtc_stream_t *st)
{
    ngx_webrtc_client_t  *client;

    client = &peer->client;

    if (client->key && client->max_sessions
        && ngx_webrtc_bus_pending(bus, client->key,
                                  NGX_WEBRTC_PENDING_SESSIONS)
           >= client->max_sessions)
    {
        return NGX_WEBRTC_LACK_PENDING;
    }

    if (st && peer->policy.max_viewers
        && st->slots >= (ngx_uint_t) peer->policy.max_viewers)
    {
        return NGX_WEBRTC_LACK_VIEWERS;
    }

    /* last, as it ends another slot: never for what is refused anyway */

    if (peer->max_sessions && bus->sh->peers.used >= peer->max_sessions) {
        return NGX_WEBRTC_LACK_SESSIONS;
    }

    return NGX_WEBRTC_LACK_NONE;
}


ngx_uint_t
ngx_webrtc_peers_may_give_way(ngx_webrtc_bus_t *bus, uint64_t now_ms)
{
    uint64_t  word;

    return ngx_webrtc_peers_oldest(bus, now_ms, &word) != NULL;
}


/*
 * Ends the oldest slot to which nobody has connected, of those it looks at.
 * One with full ICE is claimed from the start: its owner has to end it, which
 * takes a moment if that is another worker.
 */

static ngx_int_t
ngx_webrtc_peers_give_way(ngx_webrtc_bus_t *bus, uint64_t now_ms)
{
    uint64_t             word, ref;
    ngx_webrtc_entry_t  *e;

    e = ngx_webrtc_peers_oldest(bus, now_ms, &word);

    if (e == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_webrtc_entry_state(word) == NGX_WEBRTC_ENTRY_NEW) {
        return ngx_webrtc_peers_end(bus, e, word, 1);
    }

    if (bus->on_give_way == NULL) {
        return NGX_DECLINED;
    }

    ref = ngx_webrtc_ref(e - bus->sh->peers.entries,
                         ngx_webrtc_entry_generation(word));

    return bus->on_give_way(bus->on_give_way_ctx, ref);
}


static ngx_webrtc_entry_t *
ngx_webrtc_peers_oldest(ngx_webrtc_bus_t *bus, uint64_t now_ms, uint64_t *found)
{
    uint32_t             i, n, top;
    uint64_t             word, created, oldest;
    ngx_webrtc_table_t  *t;
    ngx_webrtc_entry_t  *e;

    t = &bus->sh->peers;
    top = ngx_webrtc_atomic_load(&t->top);
    n = top ? (uint32_t) ngx_random() % top : 0;

    oldest = now_ms - NGX_WEBRTC_PENDING_LEAST + 1;
    e = NULL;

    for (i = 0; i < ngx_min(top, NGX_WEBRTC_PEERS_LOOK); i++) {

        word = ngx_webrtc_atomic_load_acquire(&t->entries[n].word);

        if (ngx_webrtc_peers_never_came(&t->entries[n], word)) {
            created = ngx_webrtc_atomic_load(&t->entries[n].created_ms);

            if ((int64_t) (created - oldest) < 0) {
                oldest = created;
                *found = word;
                e = &t->entries[n];
            }
        }

        n = (n + 1) % top;
    }

    return e;
}


static ngx_uint_t
ngx_webrtc_peers_never_came(ngx_webrtc_entry_t *e, uint64_t word)
{
    ngx_webrtc_peer_t  *peer;

    switch (ngx_webrtc_entry_state(word)) {

    case NGX_WEBRTC_ENTRY_NEW:
        return 1;

    case NGX_WEBRTC_ENTRY_CLAIMED:
        peer = e->p;

        return peer->full && !peer->closing
               && ngx_webrtc_atomic_load(&peer->progress) == 0;

    default:
        return 0;
    }
}


void
ngx_webrtc_peers_up(ngx_webrtc_bus_t *bus, ngx_webrtc_peer_t *peer)
{
    ngx_webrtc_atomic_store(&peer->progress, NGX_WEBRTC_PEER_UP);

    if (!peer->pending) {
        return;
    }

    ngx_shmtx_lock(&bus->shpool->mutex);

    ngx_webrtc_peers_not_pending(bus, peer);

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


static void
ngx_webrtc_peers_not_pending(ngx_webrtc_bus_t *bus, ngx_webrtc_peer_t *peer)
{
    if (peer->pending) {
        peer->pending = 0;
        ngx_webrtc_bus_pending_sub(bus, peer->client.key,
                                   NGX_WEBRTC_PENDING_SESSIONS);
    }
}


ngx_webrtc_peer_t *
ngx_webrtc_peers_claim(ngx_webrtc_bus_t *bus, uint64_t ref)
{
    uint64_t             word;
    ngx_webrtc_entry_t  *e;

    if (bus->worker == NGX_WEBRTC_WORKER_NONE) {
        return NULL;
    }

    e = ngx_webrtc_table_entry(&bus->sh->peers, ref, &word);

    if (e == NULL || ngx_webrtc_entry_state(word) != NGX_WEBRTC_ENTRY_NEW) {
        return NULL;
    }

    if (!ngx_webrtc_atomic_cas(&e->word, word,
                    ngx_webrtc_entry_word(NGX_WEBRTC_ENTRY_CLAIMED, bus->worker,
                                          ngx_webrtc_ref_generation(ref))))
    {
        return NULL;
    }

    return e->p;
}


ngx_webrtc_peer_t *
ngx_webrtc_peers_mine(ngx_webrtc_bus_t *bus, uint64_t ref)
{
    uint64_t             word;
    ngx_webrtc_entry_t  *e;

    e = ngx_webrtc_table_entry(&bus->sh->peers, ref, &word);

    if (e == NULL
        || ngx_webrtc_entry_state(word) != NGX_WEBRTC_ENTRY_CLAIMED
        || ngx_webrtc_entry_worker(word) != bus->worker)
    {
        return NULL;
    }

    return e->p;
}


void
ngx_webrtc_peers_set_address(ngx_webrtc_bus_t *bus, ngx_webrtc_peer_t *peer,
    ngx_webrtc_path_t *path)
{
    uint64_t                 hash, old;
    ngx_uint_t               i;
    ngx_webrtc_index_t      *index;
    ngx_webrtc_peer_addr_t  *a;

    index = bus->sh->index;

    hash = ngx_webrtc_peers_hash_address(bus, &path->remote, path->listen);

    /* every check of a session comes here, nearly all from one address */

    if (hash == peer->keys[NGX_WEBRTC_PEERS_ADDRS + peer->current]
        && ngx_webrtc_index_find(index, hash) == peer->ref)
    {
        return;
    }

    for (i = 0; i < NGX_WEBRTC_PEER_ADDRS; i++) {
        if (peer->keys[NGX_WEBRTC_PEERS_ADDRS + i] == hash) {
            break;
        }
    }

    if (i == NGX_WEBRTC_PEER_ADDRS) {

        for (i = 0; i < NGX_WEBRTC_PEER_ADDRS; i++) {
            if (peer->addrs[i].addr.len == 0) {
                break;
            }
        }
    }

    if (i == NGX_WEBRTC_PEER_ADDRS) {

        /* they are filled in turn: the oldest comes after the newest */

        i = (peer->current + 1) % NGX_WEBRTC_PEER_ADDRS;
    }

    ngx_shmtx_lock(&bus->shpool->mutex);

    old = peer->keys[NGX_WEBRTC_PEERS_ADDRS + i];

    if (old != hash) {

        if (old) {
            ngx_webrtc_index_remove(index, old, peer->ref);
        }

        a = &peer->addrs[i];

        a->addr = path->remote;
        a->listen = path->listen;

        ngx_webrtc_atomic_store_release(
                              &peer->keys[NGX_WEBRTC_PEERS_ADDRS + i], hash);
    }

    peer->current = (uint8_t) i;

    /* without room nothing is passed on, but the session works */

    (void) ngx_webrtc_index_set(index, hash, peer->ref);

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


void
ngx_webrtc_peers_touch(ngx_webrtc_bus_t *bus, uint64_t ref)
{
    uint64_t             word;
    ngx_webrtc_entry_t  *e;

    e = ngx_webrtc_table_entry(&bus->sh->peers, ref, &word);

    if (e) {
        ngx_webrtc_atomic_add(&e->news, 1);
    }
}


ngx_int_t
ngx_webrtc_peers_news(ngx_webrtc_bus_t *bus, uint64_t ref, uint64_t *news)
{
    uint64_t             word;
    ngx_webrtc_entry_t  *e;

    e = ngx_webrtc_table_entry(&bus->sh->peers, ref, &word);

    if (e == NULL
        || (ngx_webrtc_entry_state(word) != NGX_WEBRTC_ENTRY_NEW
            && ngx_webrtc_entry_state(word) != NGX_WEBRTC_ENTRY_CLAIMED))
    {
        return NGX_DECLINED;
    }

    *news = ngx_webrtc_atomic_load(&e->news);

    return NGX_OK;
}


ngx_webrtc_peer_t *
ngx_webrtc_peers_lock(ngx_webrtc_bus_t *bus, uint64_t ref)
{
    uint64_t             word;
    ngx_webrtc_entry_t  *e;

    ngx_shmtx_lock(&bus->shpool->mutex);

    e = ngx_webrtc_table_entry(&bus->sh->peers, ref, &word);

    if (e == NULL
        || (ngx_webrtc_entry_state(word) != NGX_WEBRTC_ENTRY_NEW
            && ngx_webrtc_entry_state(word) != NGX_WEBRTC_ENTRY_CLAIMED))
    {
        ngx_shmtx_unlock(&bus->shpool->mutex);
        return NULL;
    }

    return e->p;
}


void
ngx_webrtc_peers_unlock(ngx_webrtc_bus_t *bus)
{
    ngx_shmtx_unlock(&bus->shpool->mutex);
}


ngx_int_t
ngx_webrtc_peers_close(ngx_webrtc_bus_t *bus, uint64_t ref)
{
    uint64_t             word;
    ngx_webrtc_entry_t  *e;

    if (bus->worker == NGX_WEBRTC_WORKER_NONE) {
        return NGX_DECLINED;
    }

    for ( ;; ) {
        e = ngx_webrtc_table_entry(&bus->sh->peers, ref, &word);

        if (e == NULL) {
            return NGX_DECLINED;
        }

        switch (ngx_webrtc_entry_state(word)) {

        case NGX_WEBRTC_ENTRY_NEW:
            break;

        case NGX_WEBRTC_ENTRY_CLAIMED:

            if (ngx_webrtc_entry_worker(word) != bus->worker) {
                return NGX_BUSY;
            }

            break;

        default:
            return NGX_DECLINED;
        }

        /* a NEW one may be claimed at this very moment */

        if (ngx_webrtc_peers_end(bus, e, word, 0) == NGX_OK) {
            return NGX_OK;
        }
    }
}


ngx_int_t
ngx_webrtc_peers_delete(ngx_webrtc_bus_t *bus, uint64_t ref,
    ngx_webrtc_why_e why, ngx_uint_t *worker)
{
    uint64_t             word;
    ngx_int_t            rc;
    ngx_webrtc_peer_t   *peer;
    ngx_webrtc_entry_t  *e;

    for ( ;; ) {
        peer = ngx_webrtc_peers_lock(bus, ref);
        if (peer == NULL) {
            return NGX_DECLINED;
        }

        e = ngx_webrtc_table_entry(&bus->sh->peers, ref, &word);

        if (e && ngx_webrtc_entry_state(word) == NGX_WEBRTC_ENTRY_CLAIMED) {
            break;
        }

        ngx_webrtc_peers_unlock(bus);

        rc = ngx_webrtc_peers_close(bus, ref);

        if (rc != NGX_BUSY) {
            return rc;
        }

        /* claimed at this very moment */
    }

    rc = peer->closing ? NGX_DECLINED : NGX_BUSY;

    if (!peer->closing) {
        peer->why = (uint8_t) why;
    }

    peer->closing = 1;
    ngx_webrtc_index_remove(bus->sh->index, peer->keys[NGX_WEBRTC_PEERS_ID],
                            ref);
    ngx_webrtc_atomic_add(&e->news, 1);

    *worker = ngx_webrtc_entry_worker(word);

    ngx_webrtc_peers_unlock(bus);

    return rc;
}


ngx_uint_t
ngx_webrtc_peers_expire(ngx_webrtc_bus_t *bus, uint64_t now_ms)
{
    uint64_t             last, word;
    ngx_uint_t           n, count;
    ngx_webrtc_table_t  *t;
    ngx_webrtc_entry_t  *e;

    if (bus->worker == NGX_WEBRTC_WORKER_NONE) {
        return 0;
    }

    last = ngx_webrtc_atomic_load(&bus->sh->expire_ms);

    if ((last && (int64_t) (now_ms - last) < NGX_WEBRTC_PEERS_EXPIRE)
        || !ngx_webrtc_atomic_cas(&bus->sh->expire_ms, last, now_ms))
    {
        return 0;
    }

    t = &bus->sh->peers;
    count = 0;

    for (n = 0; n < ngx_webrtc_atomic_load(&t->top); n++) {
        e = &t->entries[n];

        word = ngx_webrtc_atomic_load_acquire(&e->word);

        if (ngx_webrtc_entry_state(word) != NGX_WEBRTC_ENTRY_NEW
            || (int64_t) (now_ms - ngx_webrtc_atomic_load(&e->expires_ms)) < 0)
        {
            continue;
        }

        if (ngx_webrtc_peers_end(bus, e, word, 1) == NGX_OK) {
            count++;
        }
    }

    return count;
}


ngx_uint_t
ngx_webrtc_peers_new(ngx_webrtc_bus_t *bus)
{
    uint32_t             n;
    ngx_webrtc_table_t  *t;

    t = &bus->sh->peers;

    for (n = 0; n < ngx_webrtc_atomic_load(&t->top); n++) {

        if (ngx_webrtc_entry_state(ngx_webrtc_atomic_load(&t->entries[n].word))
            == NGX_WEBRTC_ENTRY_NEW)
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_webrtc_peers_count(ngx_webrtc_bus_t *bus)
{
    return ngx_webrtc_atomic_load(&bus->sh->peers.used);
}


ngx_int_t
ngx_webrtc_peers_next(ngx_webrtc_bus_t *bus, ngx_uint_t *cursor,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_info_t *info)
{
    uint64_t             word, ref;
    ngx_uint_t           n;
    ngx_webrtc_table_t  *t;

    t = &bus->sh->peers;

    for (n = *cursor; n < ngx_webrtc_atomic_load(&t->top); n++) {

        word = ngx_webrtc_atomic_load_acquire(&t->entries[n].word);

        if (ngx_webrtc_entry_state(word) == NGX_WEBRTC_ENTRY_FREE) {
            continue;
        }

        ref = ngx_webrtc_ref(n, ngx_webrtc_entry_generation(word));

        if (ngx_webrtc_peers_find_ref(bus, ref, peer, info) == NGX_OK) {
            *cursor = n + 1;
            return NGX_OK;
        }
    }

    *cursor = n;

    return NGX_DONE;
}


void
ngx_webrtc_peers_reap(ngx_webrtc_bus_t *bus, ngx_uint_t worker)
{
    uint64_t             word;
    ngx_uint_t           n;
    ngx_webrtc_table_t  *t;
    ngx_webrtc_entry_t  *e;

    t = &bus->sh->peers;

    for (n = 0; n < t->top; n++) {
        e = &t->entries[n];

        word = ngx_webrtc_atomic_load_acquire(&e->word);

        if (ngx_webrtc_entry_worker(word) != worker) {
            continue;
        }

        switch (ngx_webrtc_entry_state(word)) {

        case NGX_WEBRTC_ENTRY_ALLOC:
        case NGX_WEBRTC_ENTRY_CLAIMED:
        case NGX_WEBRTC_ENTRY_CLOSING:

            /* stays the dead one's, in case the reaper dies as well */

            ngx_webrtc_atomic_store_release(&e->word,
                        ngx_webrtc_entry_word(NGX_WEBRTC_ENTRY_CLOSING, worker,
                                            ngx_webrtc_entry_generation(word)));

            ngx_webrtc_peers_free(bus, n);
            break;

        default:
            break;
        }
    }
}


void
ngx_webrtc_peers_recount(ngx_webrtc_bus_t *bus)
{
    uint64_t              word;
    ngx_uint_t            n;
    ngx_webrtc_table_t   *t;
    ngx_webrtc_peer_t    *p;
    ngx_webrtc_stream_t  *st;

    t = &bus->sh->streams;

    for (n = 0; n < t->top; n++) {
        st = t->entries[n].p;

        if (st) {
            st->slots = 0;
            ngx_webrtc_bus_pending_forget(bus, st->client);
        }
    }

    ngx_webrtc_peers_recount_pending(bus);

    t = &bus->sh->peers;

    for (n = 0; n < t->top; n++) {
        p = t->entries[n].p;
        word = t->entries[n].word;

        if (p == NULL || ngx_webrtc_entry_state(word) == NGX_WEBRTC_ENTRY_ALLOC)
        {
            continue;
        }

        st = ngx_webrtc_peers_stream(bus, p);

        p->counted = (st != NULL);

        if (st) {
            st->slots++;
        }
    }
}


/* the clients of streams are cleared already */

static void
ngx_webrtc_peers_recount_pending(ngx_webrtc_bus_t *bus)
{
    ngx_uint_t            n;
    ngx_webrtc_table_t   *t;
    ngx_webrtc_peer_t    *p;
    ngx_webrtc_stream_t  *st;

    t = &bus->sh->peers;

    for (n = 0; n < t->top; n++) {
        p = t->entries[n].p;

        if (p) {
            ngx_webrtc_bus_pending_forget(bus, p->client.key);
        }
    }

    for (n = 0; n < t->top; n++) {
        p = t->entries[n].p;

        if (p && p->pending) {
            (void) ngx_webrtc_bus_pending_add(bus, p->client.key,
                                              NGX_WEBRTC_PENDING_SESSIONS, 0);
        }
    }

    t = &bus->sh->streams;

    for (n = 0; n < t->top; n++) {
        st = t->entries[n].p;

        if (st && st->trial) {
            (void) ngx_webrtc_bus_pending_add(bus, st->client,
                                              NGX_WEBRTC_PENDING_NAMES, 0);
        }
    }
}


/* the stream that a slot counts for as viewer, or NULL; with the mutex held */

static ngx_webrtc_stream_t *
ngx_webrtc_peers_stream(ngx_webrtc_bus_t *bus, ngx_webrtc_peer_t *peer)
{
    uint64_t             word;
    ngx_webrtc_entry_t  *e;

    if (peer->role != NGX_WEBRTC_PEER_PLAY) {
        return NULL;
    }

    e = ngx_webrtc_table_entry(&bus->sh->streams, peer->stream, &word);

    return e ? e->p : NULL;
}


/*
 * Closes and frees an entry that is still in state "word".
 *
 *   expired   1: it has expired, bus->on_expire() is called
 *
 * NGX_OK; NGX_DECLINED when it is not
 */

static ngx_int_t
ngx_webrtc_peers_end(ngx_webrtc_bus_t *bus, ngx_webrtc_entry_t *e,
    uint64_t word, ngx_uint_t expired)
{
    uint64_t  closing;

    closing = ngx_webrtc_entry_word(NGX_WEBRTC_ENTRY_CLOSING, bus->worker,
                                    ngx_webrtc_entry_generation(word));

    if (!ngx_webrtc_atomic_cas(&e->word, word, closing)) {
        return NGX_DECLINED;
    }

    if (expired && bus->on_expire && e->p) {
        bus->on_expire(bus->on_expire_ctx, e->p);
    }

    ngx_shmtx_lock(&bus->shpool->mutex);

    ngx_webrtc_peers_free(bus, e - bus->sh->peers.entries);

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return NGX_OK;
}


/* with the mutex held, in state ALLOC or CLOSING; may be repeated */

static void
ngx_webrtc_peers_free(ngx_webrtc_bus_t *bus, ngx_uint_t n)
{
    void                 *file, *about;
    ngx_uint_t            i;
    ngx_webrtc_peer_t    *p;
    ngx_webrtc_stream_t  *st;

    p = bus->sh->peers.entries[n].p;

    if (p) {
        ngx_webrtc_peers_not_pending(bus, p);

        if (p->counted) {
            p->counted = 0;
            st = ngx_webrtc_peers_stream(bus, p);

            if (st && st->slots) {
                st->slots--;
            }
        }

        for (i = 0; i < NGX_WEBRTC_PEERS_KEYS; i++) {
            ngx_webrtc_index_remove(bus->sh->index, p->keys[i], p->ref);
        }

        /* a crash in between loses the blocks */

        file = p->file;
        about = p->about;

        if (file) {
            ngx_webrtc_bus_push_wipe(p->role, file);
            ngx_webrtc_atomic_store_release(&p->file, NULL);
            ngx_slab_free_locked(bus->shpool, file);
        }

        if (about) {
            ngx_webrtc_atomic_store_release(&p->about, NULL);
            ngx_slab_free_locked(bus->shpool, about);
        }

        /* credentials do not stay in freed memory */

        ngx_explicit_memzero(&p->desc, sizeof(ngx_webrtc_desc_t));
    }

    ngx_webrtc_table_free(bus, &bus->sh->peers, n);
}
