
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which session publishes a stream.
 *
 * The claim of a stream names a worker; two sessions of one worker may want
 * the same stream, so "holder" names the session.  Both it and "publisher" (the
 * reservation) are references of slots, which are never used twice: a dead
 * worker leaves references that match no slot any more, which means nobody, and
 * nothing has to be cleaned up.
 */


#include "ngx_webrtc_bus_publish.h"
#include "ngx_webrtc_bus_peers.h"
#include "ngx_webrtc_bus_zone.h"


static ngx_uint_t ngx_webrtc_bus_is_published(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, uint64_t ref, uint64_t now_ms);
static ngx_uint_t ngx_webrtc_bus_is_held(ngx_webrtc_bus_t *bus, uint64_t ref);


ngx_int_t
ngx_webrtc_bus_reserve(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    uint64_t ref, ngx_uint_t replace, uint64_t now_ms)
{
    ngx_int_t  rc;

    ngx_shmtx_lock(&bus->shpool->mutex);

    if (ngx_webrtc_claim_feeds(ngx_webrtc_bus_claimed(st, NULL))) {
        rc = NGX_BUSY;

    } else if (!replace
               && (ngx_webrtc_bus_is_published(bus, st, st->publisher, now_ms)
                   || ngx_webrtc_bus_is_published(bus, st, st->holder,
                                                  now_ms)))
    {
        rc = NGX_BUSY;

    } else {
        st->publisher = ref;
        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return rc;
}


static ngx_uint_t
ngx_webrtc_bus_is_published(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    uint64_t ref, uint64_t now_ms)
{
    uint64_t             word;
    ngx_webrtc_peer_t   *peer;
    ngx_webrtc_entry_t  *e;

    if (ref == 0) {
        return 0;
    }

    e = ngx_webrtc_table_entry(&bus->sh->peers, ref, &word);

    if (e == NULL) {
        return 0;
    }

    peer = e->p;

    switch (ngx_webrtc_entry_state(word)) {

    case NGX_WEBRTC_ENTRY_NEW:
        return (int64_t) (now_ms - peer->created_ms) < NGX_WEBRTC_RESERVE_MS;

    case NGX_WEBRTC_ENTRY_CLAIMED:
        return !peer->closing
               && ngx_webrtc_bus_state(st) != NGX_WEBRTC_STREAM_INACTIVE;

    default:
        return 0;
    }
}


/* the slot has a session, which may be on its way out */

static ngx_uint_t
ngx_webrtc_bus_is_held(ngx_webrtc_bus_t *bus, uint64_t ref)
{
    uint64_t    word;
    ngx_uint_t  state;

    if (ngx_webrtc_table_entry(&bus->sh->peers, ref, &word) == NULL) {
        return 0;
    }

    state = ngx_webrtc_entry_state(word);

    return state == NGX_WEBRTC_ENTRY_CLAIMED
           || state == NGX_WEBRTC_ENTRY_CLOSING;
}


ngx_int_t
ngx_webrtc_bus_publish(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    uint64_t ref, uint64_t *holder)
{
    ngx_int_t  rc;

    ngx_shmtx_lock(&bus->shpool->mutex);

    *holder = 0;

    if (st->publisher != ref
        || ngx_webrtc_claim_feeds(ngx_webrtc_bus_claimed(st, NULL)))
    {
        rc = NGX_DECLINED;

    } else if (st->holder != ref && ngx_webrtc_bus_is_held(bus, st->holder)) {
        *holder = st->holder;
        rc = NGX_AGAIN;

    } else {
        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    if (rc != NGX_OK) {
        return rc;
    }

    /* may reap a dead worker, which takes the mutex */

    if (ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_PUBLISH) != NGX_OK) {
        return NGX_AGAIN;
    }

    ngx_webrtc_atomic_store_release(&st->holder, ref);

    return NGX_OK;
}


void
ngx_webrtc_bus_unpublish(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    uint64_t ref)
{
    if (ngx_webrtc_atomic_load_acquire(&st->holder) != ref) {
        return;
    }

    ngx_webrtc_atomic_store_release(&st->holder, (uint64_t) 0);

    ngx_webrtc_bus_unclaim(bus, st);
}
