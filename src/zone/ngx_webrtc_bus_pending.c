
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Pending sessions and stream names.
 *
 *   1. A client is a hash, under the zone's secret key, of its address or
 *      whatever webrtc_max_pending says.  The index has its two numbers as one
 *      value, and no entry when both are 0.
 *
 *   2. A slot or stream records its client, and that it counts, before it is
 *      counted.  A worker killed in between leaves a number that is wrong by
 *      one, until that worker is reaped: then all are counted anew.
 *
 *   3. A name is on trial until its stream gets a ring, which is when media
 *      arrives.  Meanwhile its entry has the time of its creation, so that the
 *      oldest one is found without looking at streams.
 *
 *   4. Only its holders can free a stream.  So one that has to go is marked,
 *      and its holders are woken: a waiting request is answered, an unclaimed
 *      slot is closed, a source is stopped.  That takes a fraction of a second,
 *      and so begins before there is no room at all.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_bus_zone.h"


/* this fraction of the zone, and of its entries, is left to newcomers */
#define NGX_WEBRTC_PENDING_SPARE  8


#define ngx_webrtc_pending_n(value, what)                                     \
    ((uint32_t) ((value) >> (32 * (what))))

#define ngx_webrtc_pending_one(what)                                          \
    ((uint64_t) 1 << (32 * (what)))


static void ngx_webrtc_bus_drop_locked(ngx_webrtc_bus_t *bus,
    uint64_t now_ms);


uint64_t
ngx_webrtc_bus_client(ngx_webrtc_bus_t *bus, ngx_str_t *key)
{
    if (key->len == 0) {
        return 0;
    }

    return ngx_webrtc_index_hash(bus->sh->index, NGX_WEBRTC_KEY_CLIENT,
                                 key->data, key->len);
}


ngx_uint_t
ngx_webrtc_bus_pending(ngx_webrtc_bus_t *bus, uint64_t client,
    ngx_uint_t what)
{
    uint64_t  value;

    value = ngx_webrtc_index_find(bus->sh->index, client);

    return ngx_webrtc_pending_n(value, what);
}


void
ngx_webrtc_bus_drop_name(ngx_webrtc_bus_t *bus, uint64_t now_ms)
{
    ngx_shmtx_lock(&bus->shpool->mutex);

    ngx_webrtc_bus_drop_locked(bus, now_ms);

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


ngx_uint_t
ngx_webrtc_bus_is_dropped(ngx_webrtc_stream_t *st)
{
    return ngx_webrtc_atomic_load(&st->dropped)
           && ngx_webrtc_ring_room(ngx_webrtc_atomic_load_acquire(&st->ring))
              == 0;
}


ngx_uint_t
ngx_webrtc_bus_lack_say(ngx_webrtc_bus_t *bus, ngx_webrtc_lack_e lack,
    uint64_t now_ms)
{
    return ngx_webrtc_bus_say(&bus->sh->lack_said[lack], now_ms);
}


ngx_int_t
ngx_webrtc_bus_pending_add(ngx_webrtc_bus_t *bus, uint64_t client,
    ngx_uint_t what, ngx_uint_t max)
{
    uint64_t  value;

    value = ngx_webrtc_index_find(bus->sh->index, client);

    if (max && ngx_webrtc_pending_n(value, what) >= max) {
        return NGX_BUSY;
    }

    return ngx_webrtc_index_set(bus->sh->index, client,
                                value + ngx_webrtc_pending_one(what));
}


void
ngx_webrtc_bus_pending_sub(ngx_webrtc_bus_t *bus, uint64_t client,
    ngx_uint_t what)
{
    uint64_t  value;

    value = ngx_webrtc_index_find(bus->sh->index, client);

    if (ngx_webrtc_pending_n(value, what) == 0) {
        return;
    }

    if (value == ngx_webrtc_pending_one(what)) {
        ngx_webrtc_index_remove(bus->sh->index, client, value);
        return;
    }

    (void) ngx_webrtc_index_set(bus->sh->index, client,
                                value - ngx_webrtc_pending_one(what));
}


void
ngx_webrtc_bus_pending_forget(ngx_webrtc_bus_t *bus, uint64_t client)
{
    uint64_t  value;

    if (client) {
        value = ngx_webrtc_index_find(bus->sh->index, client);
        ngx_webrtc_index_remove(bus->sh->index, client, value);
    }
}


void
ngx_webrtc_bus_tried(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_atomic_store(&bus->sh->streams.entries[st->id].expires_ms,
                            (uint64_t) 0);

    /* came in time; its ring may be taken back and be one without room again */

    ngx_webrtc_atomic_store(&st->dropped, (uint32_t) 0);

    if (st->trial) {
        st->trial = 0;
        ngx_webrtc_bus_pending_sub(bus, st->client, NGX_WEBRTC_PENDING_NAMES);
    }
}


void
ngx_webrtc_bus_make_way(ngx_webrtc_bus_t *bus)
{
    ngx_webrtc_table_t  *t;

    t = &bus->sh->streams;

    if (ngx_webrtc_bus_free(bus) < bus->zone->shm.size / 4) {
        ngx_webrtc_bus_take_back(bus);
    }

    if (ngx_webrtc_bus_free(bus)
        < bus->zone->shm.size / NGX_WEBRTC_PENDING_SPARE
        || t->used > t->n - t->n / NGX_WEBRTC_PENDING_SPARE)
    {
        ngx_webrtc_bus_drop_locked(bus, ngx_current_msec);
    }
}


static void
ngx_webrtc_bus_drop_locked(ngx_webrtc_bus_t *bus, uint64_t now_ms)
{
    uint64_t              created;
    ngx_uint_t            n;
    ngx_webrtc_table_t   *t;
    ngx_webrtc_entry_t   *e, *oldest;
    ngx_webrtc_stream_t  *st;

    t = &bus->sh->streams;
    oldest = NULL;

    for (n = 0; n < t->top; n++) {
        e = &t->entries[n];
        created = ngx_webrtc_atomic_load(&e->expires_ms);

        if (created == 0
            || ngx_webrtc_entry_state(e->word) != NGX_WEBRTC_ENTRY_NEW
            || (int64_t) (now_ms - created) < NGX_WEBRTC_PENDING_LEAST)
        {
            continue;
        }

        if (oldest == NULL || created < oldest->expires_ms) {
            oldest = e;
        }
    }

    if (oldest == NULL) {
        return;
    }

    st = oldest->p;

    ngx_webrtc_atomic_store(&oldest->expires_ms, (uint64_t) 0);
    ngx_webrtc_atomic_store_release(&st->dropped, (uint32_t) 1);

    ngx_webrtc_bus_wake(bus, st);
}
