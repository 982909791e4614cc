
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The URLs of a slot: lengths, and behind them the texts.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_bus_peers.h"
#include "ngx_webrtc_bus_push.h"
#include "ngx_webrtc_bus_zone.h"


typedef struct {
    uint32_t                 len[NGX_WEBRTC_PUSHES];
} ngx_webrtc_peer_push_t;


ngx_int_t
ngx_webrtc_bus_push_attach(ngx_webrtc_bus_t *bus, uint64_t ref,
    const ngx_str_t *urls)
{
    size_t                   size;
    u_char                  *p;
    ngx_uint_t               i;
    ngx_webrtc_peer_t       *peer;
    ngx_webrtc_peer_push_t  *push;

    size = sizeof(ngx_webrtc_peer_push_t);

    for (i = 0; i < NGX_WEBRTC_PUSHES; i++) {
        size += urls[i].len;
    }

    peer = ngx_webrtc_peers_lock(bus, ref);
    if (peer == NULL) {
        return NGX_DECLINED;
    }

    push = (peer->role == NGX_WEBRTC_PEER_PUBLISH && peer->file == NULL)
           ? ngx_slab_alloc_locked(bus->shpool, size) : NULL;

    if (push) {
        p = (u_char *) &push[1];

        for (i = 0; i < NGX_WEBRTC_PUSHES; i++) {
            push->len[i] = (uint32_t) urls[i].len;

            if (urls[i].len) {
                p = ngx_cpymem(p, urls[i].data, urls[i].len);
            }
        }

        ngx_webrtc_atomic_store_release(&peer->file, (void *) push);
    }

    ngx_webrtc_peers_unlock(bus);

    if (push == NULL) {
        bus->lack = NGX_WEBRTC_LACK_MEMORY;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


size_t
ngx_webrtc_bus_push_url(ngx_webrtc_bus_t *bus, uint64_t ref, ngx_uint_t n,
    u_char *buf, size_t max)
{
    size_t                   len;
    u_char                  *p;
    ngx_uint_t               i;
    ngx_webrtc_peer_t       *peer;
    ngx_webrtc_peer_push_t  *push;

    peer = ngx_webrtc_peers_lock(bus, ref);
    if (peer == NULL) {
        return 0;
    }

    len = 0;
    push = (peer->role == NGX_WEBRTC_PEER_PUBLISH) ? peer->file : NULL;

    if (push && n < NGX_WEBRTC_PUSHES && push->len[n] <= max) {
        p = (u_char *) &push[1];

        for (i = 0; i < n; i++) {
            p += push->len[i];
        }

        len = push->len[n];
        ngx_memcpy(buf, p, len);
    }

    ngx_webrtc_peers_unlock(bus);

    return len;
}


void
ngx_webrtc_bus_push_wipe(ngx_uint_t role, void *file)
{
    size_t                   size;
    ngx_uint_t               i;
    ngx_webrtc_peer_push_t  *push;

    if (role != NGX_WEBRTC_PEER_PUBLISH) {
        return;
    }

    push = file;
    size = sizeof(ngx_webrtc_peer_push_t);

    for (i = 0; i < NGX_WEBRTC_PUSHES; i++) {
        size += push->len[i];
    }

    ngx_explicit_memzero(push, size);
}


ngx_uint_t
ngx_webrtc_bus_push_ordered(ngx_webrtc_stream_t *st, uint32_t conf,
    ngx_uint_t n)
{
    uint32_t  orders;

    orders = ngx_webrtc_atomic_load(&st->push);

    /* those of another configuration do not count */

    return (orders >> 16 == (conf & 0xffff)) ? orders >> (2 * n) & 3
                                             : NGX_WEBRTC_PUSH_CONF;
}


void
ngx_webrtc_bus_push_order(ngx_webrtc_stream_t *st, uint32_t conf,
    ngx_uint_t n, ngx_uint_t order)
{
    uint32_t  old, now;

    do {
        old = ngx_webrtc_atomic_load(&st->push);
        now = (old >> 16 == (conf & 0xffff)) ? old : conf << 16;

        now &= ~((uint32_t) 3 << (2 * n));
        now |= (uint32_t) order << (2 * n);

    } while (!ngx_webrtc_atomic_cas(&st->push, old, now));
}
