
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Outlets are in a list, as there are few, and none but the status and what
 * begins one walks it.  An outlet is whole before one store puts it in, and one
 * store takes it out: a worker that dies in between leaks that one.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_bus_outlet.h"
#include "ngx_webrtc_bus_zone.h"


static ngx_webrtc_outlet_t *ngx_webrtc_bus_outlet_find(ngx_webrtc_bus_t *bus,
    uint64_t stream, ngx_uint_t kind, uint32_t id);
static void ngx_webrtc_bus_outlet_free(ngx_webrtc_bus_t *bus,
    ngx_webrtc_outlet_t **link);
static uint16_t ngx_webrtc_bus_outlet_copy(u_char *to, ngx_str_t *text);


ngx_webrtc_outlet_t *
ngx_webrtc_bus_outlet_take(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_uint_t kind, uint32_t id, ngx_uint_t *full)
{
    ngx_webrtc_outlet_t  *outlet;

    *full = 0;
    outlet = NULL;

    ngx_shmtx_lock(&bus->shpool->mutex);

    if (ngx_webrtc_bus_outlet_find(bus, st->ref, kind, id) == NULL) {

        outlet = ngx_slab_calloc_locked(bus->shpool,
                                        sizeof(ngx_webrtc_outlet_t));
        if (outlet) {
            outlet->stream = st->ref;
            outlet->kind = (uint32_t) kind;
            outlet->id = id;
            outlet->worker = (uint32_t) bus->worker;
            outlet->next = bus->sh->outlets;

            ngx_webrtc_atomic_store_release(&bus->sh->outlets, outlet);

        } else {
            *full = 1;
        }
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return outlet;
}


static ngx_webrtc_outlet_t *
ngx_webrtc_bus_outlet_find(ngx_webrtc_bus_t *bus, uint64_t stream,
    ngx_uint_t kind, uint32_t id)
{
    ngx_webrtc_outlet_t  *outlet;

    for (outlet = bus->sh->outlets; outlet; outlet = outlet->next) {

        if (outlet->stream == stream
            && outlet->kind == kind
            && outlet->id == id)
        {
            return outlet;
        }
    }

    return NULL;
}


void
ngx_webrtc_bus_outlet_give(ngx_webrtc_bus_t *bus, ngx_webrtc_outlet_t *outlet)
{
    ngx_webrtc_outlet_t  **link;

    ngx_shmtx_lock(&bus->shpool->mutex);

    for (link = &bus->sh->outlets; *link; link = &(*link)->next) {

        if (*link == outlet) {
            ngx_webrtc_bus_outlet_free(bus, link);
            break;
        }
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


static void
ngx_webrtc_bus_outlet_free(ngx_webrtc_bus_t *bus, ngx_webrtc_outlet_t **link)
{
    ngx_webrtc_outlet_t  *outlet;

    outlet = *link;

    ngx_webrtc_atomic_store_release(link, outlet->next);
    ngx_slab_free_locked(bus->shpool, outlet);
}


void
ngx_webrtc_bus_outlet_state(ngx_webrtc_outlet_t *outlet, ngx_uint_t state,
    uint64_t now_ms)
{
    if (outlet->state != state || outlet->since_ms == 0) {
        ngx_webrtc_atomic_store(&outlet->state, (uint32_t) state);
        ngx_webrtc_atomic_store(&outlet->since_ms, now_ms);
    }
}


void
ngx_webrtc_bus_outlet_text(ngx_webrtc_bus_t *bus, ngx_webrtc_outlet_t *outlet,
    ngx_str_t *text)
{
    ngx_shmtx_lock(&bus->shpool->mutex);
    outlet->text_len = ngx_webrtc_bus_outlet_copy(outlet->text, text);
    ngx_shmtx_unlock(&bus->shpool->mutex);
}


void
ngx_webrtc_bus_outlet_error(ngx_webrtc_bus_t *bus, ngx_webrtc_outlet_t *outlet,
    ngx_str_t *text)
{
    ngx_shmtx_lock(&bus->shpool->mutex);
    outlet->error_len = ngx_webrtc_bus_outlet_copy(outlet->error, text);
    ngx_shmtx_unlock(&bus->shpool->mutex);
}


static uint16_t
ngx_webrtc_bus_outlet_copy(u_char *to, ngx_str_t *text)
{
    size_t  i, n;

    n = ngx_min(text->len, NGX_WEBRTC_OUTLET_TEXT);

    for (i = 0; i < n; i++) {
        to[i] = (text->data[i] < 0x20 || text->data[i] == 0x7f)
                ? '?' : text->data[i];
    }

    return (uint16_t) n;
}


ngx_uint_t
ngx_webrtc_bus_outlet_has(ngx_webrtc_bus_t *bus, uint64_t stream,
    ngx_uint_t kind, uint32_t id)
{
    ngx_uint_t  has;

    ngx_shmtx_lock(&bus->shpool->mutex);
    has = (ngx_webrtc_bus_outlet_find(bus, stream, kind, id) != NULL);
    ngx_shmtx_unlock(&bus->shpool->mutex);

    return has;
}


void
ngx_webrtc_bus_outlet_count(ngx_webrtc_bus_t *bus,
    ngx_webrtc_outlet_counts_t n)
{
    ngx_webrtc_outlet_t  *ol;

    ngx_shmtx_lock(&bus->shpool->mutex);

    for (ol = bus->sh->outlets; ol; ol = ol->next) {
        n[ol->kind % NGX_WEBRTC_OUTLET_KINDS]
         [ol->state % NGX_WEBRTC_OUTLET_STATES]++;
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


ngx_uint_t
ngx_webrtc_bus_outlets(ngx_webrtc_bus_t *bus, uint64_t stream,
    ngx_webrtc_outlet_t *to, ngx_uint_t max)
{
    ngx_uint_t            n, i;
    ngx_webrtc_outlet_t  *outlet;

    if (ngx_webrtc_atomic_load(&bus->sh->outlets) == NULL) {
        return 0;
    }

    n = 0;

    ngx_shmtx_lock(&bus->shpool->mutex);

    for (outlet = bus->sh->outlets; outlet && n < max; outlet = outlet->next) {

        if (outlet->stream != stream) {
            continue;
        }

        for (i = n++; i > 0 && to[i - 1].kind > outlet->kind; i--) {
            to[i] = to[i - 1];
        }

        to[i] = *outlet;
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return n;
}


void
ngx_webrtc_bus_outlet_reap(ngx_webrtc_bus_t *bus, ngx_uint_t worker)
{
    ngx_webrtc_outlet_t  **link;

    for (link = &bus->sh->outlets; *link; /* void */ ) {

        if ((*link)->worker == worker) {
            ngx_webrtc_bus_outlet_free(bus, link);

        } else {
            link = &(*link)->next;
        }
    }
}
