
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Session slots by their keys: id, user name, address, number.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_zone.h"
#include "ngx_webrtc_bus_peers.h"


static ngx_int_t ngx_webrtc_peers_find(ngx_webrtc_bus_t *bus, uint8_t kind,
    ngx_str_t *key, ngx_webrtc_peer_t *peer, ngx_webrtc_peer_info_t *info);
static ngx_uint_t ngx_webrtc_peers_has_key(ngx_webrtc_bus_t *bus,
    ngx_webrtc_peer_t *p, uint8_t kind, ngx_str_t *key);
static ngx_int_t ngx_webrtc_peers_copy(ngx_webrtc_bus_t *bus, uint64_t ref,
    uint8_t kind, ngx_str_t *key, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_info_t *info);


ngx_int_t
ngx_webrtc_peers_find_id(ngx_webrtc_bus_t *bus, ngx_str_t *id,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_info_t *info)
{
    if (id->len != NGX_WEBRTC_PEER_ID_LEN) {
        return NGX_DECLINED;
    }

    return ngx_webrtc_peers_find(bus, NGX_WEBRTC_KEY_ID, id, peer, info);
}


ngx_int_t
ngx_webrtc_peers_find_ufrag(ngx_webrtc_bus_t *bus, ngx_str_t *ufrag,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_info_t *info)
{
    if (ufrag->len == 0 || ufrag->len > NGX_WEBRTC_DESC_LOCAL_UFRAG) {
        return NGX_DECLINED;
    }

    return ngx_webrtc_peers_find(bus, NGX_WEBRTC_KEY_UFRAG, ufrag, peer, info);
}


ngx_int_t
ngx_webrtc_peers_find_ref(ngx_webrtc_bus_t *bus, uint64_t ref,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_info_t *info)
{
    return ngx_webrtc_peers_copy(bus, ref, 0, NULL, peer, info);
}


ngx_int_t
ngx_webrtc_peers_find_address(ngx_webrtc_bus_t *bus, ngx_webrtc_path_t *path,
    ngx_webrtc_peer_info_t *info)
{
    uint64_t             ref, word, hash;
    ngx_webrtc_entry_t  *e;

    hash = ngx_webrtc_peers_hash_address(bus, &path->remote, path->listen);

    ref = ngx_webrtc_index_find(bus->sh->index, hash);

    e = ngx_webrtc_table_entry(&bus->sh->peers, ref, &word);

    if (e == NULL
        || ngx_webrtc_entry_state(word) != NGX_WEBRTC_ENTRY_CLAIMED)
    {
        return NGX_DECLINED;
    }

    info->ref = ref;
    info->state = NGX_WEBRTC_PEER_CLAIMED;
    info->worker = ngx_webrtc_entry_worker(word);

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_peers_find_number(ngx_webrtc_bus_t *bus, uint32_t number,
    ngx_webrtc_peer_info_t *info)
{
    uint64_t  word;

    if (number >= bus->sh->peers.n) {
        return NGX_DECLINED;
    }

    word = ngx_webrtc_atomic_load_acquire(
                                        &bus->sh->peers.entries[number].word);

    if (ngx_webrtc_entry_state(word) != NGX_WEBRTC_ENTRY_CLAIMED) {
        return NGX_DECLINED;
    }

    info->ref = ngx_webrtc_ref(number, ngx_webrtc_entry_generation(word));
    info->state = NGX_WEBRTC_PEER_CLAIMED;
    info->worker = ngx_webrtc_entry_worker(word);

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_peers_find(ngx_webrtc_bus_t *bus, uint8_t kind, ngx_str_t *key,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_info_t *info)
{
    uint64_t  ref, hash;

    hash = ngx_webrtc_index_hash(bus->sh->index, kind, key->data, key->len);

    ref = ngx_webrtc_index_find(bus->sh->index, hash);

    if (ref == 0) {
        return NGX_DECLINED;
    }

    return ngx_webrtc_peers_copy(bus, ref, kind, key, peer, info);
}


static ngx_uint_t
ngx_webrtc_peers_has_key(ngx_webrtc_bus_t *bus, ngx_webrtc_peer_t *p,
    uint8_t kind, ngx_str_t *key)
{
    switch (kind) {

    case NGX_WEBRTC_KEY_ID:
        return ngx_memcmp(p->id, key->data, NGX_WEBRTC_PEER_ID_LEN) == 0;

    case NGX_WEBRTC_KEY_UFRAG:

        if (p->desc.local_ufrag_len == key->len
            && ngx_memcmp(p->desc.local_ufrag, key->data, key->len) == 0)
        {
            return 1;
        }

        /* only the hash of the ufrag before a restart is kept here; the owner
         * knows the text */

        return p->keys[NGX_WEBRTC_PEERS_BEFORE] != 0
               && p->keys[NGX_WEBRTC_PEERS_BEFORE]
                  == ngx_webrtc_peers_hash_ufrag(bus, key->data, key->len);

    default:
        return 1;
    }
}


static ngx_int_t
ngx_webrtc_peers_copy(ngx_webrtc_bus_t *bus, uint64_t ref, uint8_t kind,
    ngx_str_t *key, ngx_webrtc_peer_t *peer, ngx_webrtc_peer_info_t *info)
{
    uint64_t             word;
    ngx_int_t            rc;
    ngx_uint_t           state;
    ngx_webrtc_entry_t  *e;

    rc = NGX_DECLINED;

    ngx_shmtx_lock(&bus->shpool->mutex);

    e = ngx_webrtc_table_entry(&bus->sh->peers, ref, &word);

    if (e == NULL) {
        goto done;
    }

    state = ngx_webrtc_entry_state(word);

    if ((state != NGX_WEBRTC_ENTRY_NEW && state != NGX_WEBRTC_ENTRY_CLAIMED)
        || !ngx_webrtc_peers_has_key(bus, e->p, kind, key))
    {
        goto done;
    }

    info->ref = ref;

    if (state == NGX_WEBRTC_ENTRY_NEW) {
        info->state = NGX_WEBRTC_PEER_NEW;
        info->worker = NGX_WEBRTC_WORKER_NONE;

    } else {
        info->state = NGX_WEBRTC_PEER_CLAIMED;
        info->worker = ngx_webrtc_entry_worker(word);
    }

    if (peer) {
        ngx_memcpy(peer, e->p, sizeof(ngx_webrtc_peer_t));

        if (info->worker != bus->worker || state == NGX_WEBRTC_ENTRY_NEW) {
            peer->session = NULL;
        }
    }

    rc = NGX_OK;

done:

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return rc;
}


uint64_t
ngx_webrtc_peers_hash_ufrag(ngx_webrtc_bus_t *bus, u_char *ufrag, size_t len)
{
    return ngx_webrtc_index_hash(bus->sh->index, NGX_WEBRTC_KEY_UFRAG, ufrag,
                                 ngx_min(len, NGX_WEBRTC_DESC_LOCAL_UFRAG));
}


uint64_t
ngx_webrtc_peers_hash_address(ngx_webrtc_bus_t *bus, ngx_webrtc_addr_t *addr,
    uint32_t listen)
{
    u_char                buf[sizeof(uint32_t) + sizeof(addr->u)], *p;

    p = ngx_cpymem(buf, &listen, sizeof(uint32_t));
    p = ngx_cpymem(p, &addr->u, ngx_min(addr->len, sizeof(addr->u)));

    return ngx_webrtc_index_hash(bus->sh->index, NGX_WEBRTC_KEY_ADDRESS, buf,
                                 p - buf);
}
