
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Variants in the registry of streams: see ngx_webrtc_bus_variant.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_bus_zone.h"


static ngx_uint_t ngx_webrtc_bus_variant_count(ngx_webrtc_bus_t *bus);
static ngx_webrtc_stream_t *ngx_webrtc_bus_variant_known(
    ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *parent,
    const ngx_webrtc_variant_t *variant, uint64_t *hash);
static ngx_webrtc_stream_t *ngx_webrtc_bus_variant_locked(
    ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *parent,
    ngx_webrtc_variant_t *variant, size_t ring_size);


ngx_webrtc_stream_t *
ngx_webrtc_bus_variant(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *parent,
    ngx_webrtc_variant_t *variant, uint32_t idle_ms, size_t ring_size,
    size_t ring_max)
{
    ngx_webrtc_stream_t  *st;

    if (parent->parent
        || variant->label_len == 0
        || variant->label_len > NGX_WEBRTC_VARIANT_LABEL
        || bus->worker == NGX_WEBRTC_WORKER_NONE)
    {
        return NULL;
    }

    ngx_shmtx_lock(&bus->shpool->mutex);

    st = ngx_webrtc_bus_variant_locked(bus, parent, variant, ring_size);

    if (st) {
        ngx_webrtc_bus_hold_locked(bus, st);
        ngx_webrtc_atomic_store(&st->variant_idle_ms, idle_ms);
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    if (st) {
        ngx_webrtc_bus_set_ring_max(st, ring_max);
    }

    return st;
}


ngx_webrtc_stream_t *
ngx_webrtc_bus_variant_find(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *parent,
    const ngx_webrtc_variant_t *variant)
{
    uint64_t              hash;
    ngx_webrtc_stream_t  *st;

    ngx_shmtx_lock(&bus->shpool->mutex);

    st = ngx_webrtc_bus_variant_known(bus, parent, variant, &hash);

    if (st) {
        ngx_webrtc_bus_hold_locked(bus, st);
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return st;
}


static ngx_webrtc_stream_t *
ngx_webrtc_bus_variant_known(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *parent, const ngx_webrtc_variant_t *variant,
    uint64_t *hash)
{
    ngx_webrtc_stream_t  *st;

    *hash = ngx_webrtc_bus_variant_hash(bus, parent->ref, variant);

    st = ngx_webrtc_bus_find_ref(bus,
                              ngx_webrtc_index_find(bus->sh->index, *hash));

    return (st
            && st->parent == parent->ref
            && ngx_memcmp(&st->variant, variant, sizeof(ngx_webrtc_variant_t))
               == 0)
           ? st : NULL;
}


static ngx_webrtc_stream_t *
ngx_webrtc_bus_variant_locked(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *parent, ngx_webrtc_variant_t *variant,
    size_t ring_size)
{
    uint64_t              hash;
    ngx_str_t             name;
    ngx_webrtc_stream_t  *st;

    static ngx_webrtc_client_t  nobody;

    st = ngx_webrtc_bus_variant_known(bus, parent, variant, &hash);

    if (st) {
        return st;
    }

    if (variant->hw != NGX_WEBRTC_VARIANT_PUBLISHED
        && bus->max_variants
        && ngx_webrtc_bus_variant_count(bus) >= bus->max_variants)
    {
        bus->lack = NGX_WEBRTC_LACK_VARIANTS;
        return NULL;
    }

    name.len = parent->name_len;
    name.data = parent->name;

    ngx_webrtc_bus_make_way(bus);

    return ngx_webrtc_bus_make_locked(bus, &name, hash, ring_size, &nobody,
                                      parent->ref, variant);
}


static ngx_uint_t
ngx_webrtc_bus_variant_count(ngx_webrtc_bus_t *bus)
{
    ngx_uint_t            i, n;
    ngx_webrtc_table_t   *t;
    ngx_webrtc_stream_t  *st;

    t = &bus->sh->streams;
    n = 0;

    for (i = 0; i < t->top; i++) {
        st = t->entries[i].p;

        n += (ngx_webrtc_entry_state(t->entries[i].word)
              == NGX_WEBRTC_ENTRY_NEW
              && st->parent
              && st->variant.hw != NGX_WEBRTC_VARIANT_PUBLISHED);
    }

    return n;
}


ngx_webrtc_stream_t *
ngx_webrtc_bus_parent(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_stream_t  *parent;

    if (st->parent == 0) {
        return NULL;
    }

    parent = bus->held[ngx_webrtc_ref_entry(st->parent)];

    return (parent && parent->ref == st->parent) ? parent : NULL;
}


size_t
ngx_webrtc_bus_variant_label(ngx_webrtc_bus_t *bus, uint64_t ref, u_char *buf)
{
    size_t                n;
    ngx_webrtc_stream_t  *st;

    ngx_shmtx_lock(&bus->shpool->mutex);

    st = ngx_webrtc_bus_find_ref(bus, ref);
    n = st ? ngx_min(st->variant.label_len, NGX_WEBRTC_VARIANT_LABEL) : 0;

    if (n) {
        ngx_memcpy(buf, st->variant.label, n);
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return n;
}


ngx_webrtc_stream_t *
ngx_webrtc_bus_variant_orphan(ngx_webrtc_bus_t *bus, ngx_uint_t *cursor,
    uint64_t now_ms)
{
    ngx_uint_t            n;
    ngx_webrtc_table_t   *t;
    ngx_webrtc_stream_t  *st, *found;

    t = &bus->sh->streams;
    found = NULL;

    ngx_shmtx_lock(&bus->shpool->mutex);

    for (n = *cursor; n < t->top && found == NULL; n++) {

        if (ngx_webrtc_entry_state(t->entries[n].word)
            != NGX_WEBRTC_ENTRY_NEW)
        {
            continue;
        }

        st = t->entries[n].p;

        if (st->parent
            && st->variant.hw != NGX_WEBRTC_VARIANT_PUBLISHED
            && ngx_webrtc_bus_claimed(st, NULL) == 0
            && (ngx_webrtc_bus_viewers(bus, st)
                || ngx_webrtc_bus_is_wanted(st, now_ms)))
        {
            ngx_webrtc_bus_hold_locked(bus, st);
            found = st;
        }
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    *cursor = n;

    return found;
}


void
ngx_webrtc_bus_variant_limit(ngx_webrtc_stream_t *st, uint32_t bitrate)
{
    uint32_t  old;

    do {
        old = ngx_webrtc_atomic_load(&st->variant_bitrate);

        if (old && old <= bitrate) {
            return;
        }

    } while (!ngx_webrtc_atomic_cas(&st->variant_bitrate, old, bitrate));
}


void
ngx_webrtc_bus_want(ngx_webrtc_stream_t *st, uint64_t until_ms)
{
    if (ngx_webrtc_atomic_load(&st->wanted_ms) < until_ms) {
        ngx_webrtc_atomic_store(&st->wanted_ms, until_ms);
    }
}


ngx_uint_t
ngx_webrtc_bus_is_wanted(ngx_webrtc_stream_t *st, uint64_t now_ms)
{
    return (int64_t) (ngx_webrtc_atomic_load(&st->wanted_ms) - now_ms) > 0;
}


void
ngx_webrtc_bus_reader(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_int_t n)
{
    uint32_t  *readers;

    readers = &st->use[bus->worker].readers;

    ngx_webrtc_atomic_store(readers, *readers + (uint32_t) n);
}


ngx_uint_t
ngx_webrtc_bus_readers(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_uint_t  w, n;

    n = 0;

    for (w = 0; w < ngx_webrtc_atomic_load(&bus->sh->nworkers); w++) {
        n += ngx_webrtc_atomic_load(&st->use[w].readers);
    }

    return n;
}


uint64_t
ngx_webrtc_bus_variant_hash(ngx_webrtc_bus_t *bus, uint64_t parent,
    const ngx_webrtc_variant_t *variant)
{
    u_char  key[sizeof(uint64_t) + sizeof(ngx_webrtc_variant_t)];

    ngx_memcpy(key, &parent, sizeof(uint64_t));
    ngx_memcpy(key + sizeof(uint64_t), variant, sizeof(ngx_webrtc_variant_t));

    return ngx_webrtc_index_hash(bus->sh->index, NGX_WEBRTC_KEY_VARIANT, key,
                                 sizeof(key));
}
