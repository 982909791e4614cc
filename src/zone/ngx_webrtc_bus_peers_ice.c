
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Changes of a slot's credentials: ICE restarts, counter-offers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_zone.h"
#include "ngx_webrtc_bus_peers.h"


static void ngx_webrtc_peers_set_credentials(ngx_webrtc_desc_t *desc,
    ngx_webrtc_peer_restart_t *restart);
static void ngx_webrtc_peers_owner(ngx_webrtc_entry_t *e,
    ngx_webrtc_peer_info_t *info);


ngx_int_t
ngx_webrtc_peers_restart(ngx_webrtc_bus_t *bus, uint64_t ref,
    ngx_webrtc_peer_restart_t *restart, u_char *match, u_char *etag,
    ngx_webrtc_peer_info_t *info)
{
    uint64_t             word, hash, now;
    ngx_int_t            rc;
    ngx_webrtc_desc_t   *desc;
    ngx_webrtc_peer_t   *p;
    ngx_webrtc_index_t  *index;
    ngx_webrtc_entry_t  *e;

    index = bus->sh->index;

    hash = ngx_webrtc_peers_hash_ufrag(bus, restart->local_ufrag.data,
                                       restart->local_ufrag.len);

    p = ngx_webrtc_peers_lock(bus, ref);
    if (p == NULL) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;
    desc = &p->desc;
    now = p->keys[NGX_WEBRTC_PEERS_UFRAG];
    e = ngx_webrtc_table_entry(&bus->sh->peers, ref, &word);

    if (p->closing || e == NULL || desc->remote_ufrag_len == 0) {
        goto done;
    }

    if (match && ngx_memcmp(match, p->etag, NGX_WEBRTC_PEER_ETAG_LEN) != 0) {
        rc = NGX_BUSY;
        goto done;
    }

    info->ref = ref;

    if (restart->tell
        && ngx_webrtc_entry_state(word) == NGX_WEBRTC_ENTRY_CLAIMED
        && ngx_webrtc_entry_worker(word) != bus->worker)
    {
        info->state = NGX_WEBRTC_PEER_CLAIMED;
        info->worker = ngx_webrtc_entry_worker(word);

        rc = restart->tell(restart->ctx, info);

        if (rc != NGX_OK) {
            goto done;
        }

        rc = NGX_DECLINED;
    }

    /*
     * The ufrag that the session uses stays: that is the one before an earlier
     * restart, if that has not completed.  A slot without a session needs none.
     */

    if (ngx_webrtc_entry_state(word) == NGX_WEBRTC_ENTRY_CLAIMED
        && p->keys[NGX_WEBRTC_PEERS_BEFORE] == 0)
    {
        p->keys[NGX_WEBRTC_PEERS_BEFORE] = now;

    } else {
        ngx_webrtc_index_remove(index, now, ref);
    }

    p->keys[NGX_WEBRTC_PEERS_UFRAG] = hash;

    if (ngx_webrtc_index_set(index, hash, ref) != NGX_OK) {

        /* cannot fail: the removed one's place is free, or none was removed */

        p->keys[NGX_WEBRTC_PEERS_UFRAG] = now;
        (void) ngx_webrtc_index_set(index, now, ref);

        if (p->keys[NGX_WEBRTC_PEERS_BEFORE] == now) {
            p->keys[NGX_WEBRTC_PEERS_BEFORE] = 0;
        }

        goto done;
    }

    ngx_webrtc_peers_set_credentials(desc, restart);

    ngx_memcpy(p->etag, etag, NGX_WEBRTC_PEER_ETAG_LEN);

    ngx_webrtc_peers_owner(e, info);

    rc = NGX_OK;

done:

    ngx_webrtc_peers_unlock(bus);

    return rc;
}


/* it may be claimed at this very moment: only the word tells by whom */

static void
ngx_webrtc_peers_owner(ngx_webrtc_entry_t *e, ngx_webrtc_peer_info_t *info)
{
    uint64_t  word;

    word = ngx_webrtc_atomic_load_acquire(&e->word);

    if (ngx_webrtc_entry_state(word) == NGX_WEBRTC_ENTRY_CLAIMED) {
        info->state = NGX_WEBRTC_PEER_CLAIMED;
        info->worker = ngx_webrtc_entry_worker(word);

    } else {
        info->state = NGX_WEBRTC_PEER_NEW;
        info->worker = NGX_WEBRTC_WORKER_NONE;
    }
}


static void
ngx_webrtc_peers_set_credentials(ngx_webrtc_desc_t *desc,
    ngx_webrtc_peer_restart_t *restart)
{
    desc->local_ufrag_len = (uint8_t) restart->local_ufrag.len;
    ngx_memcpy(desc->local_ufrag, restart->local_ufrag.data,
               restart->local_ufrag.len);

    desc->local_pwd_len = (uint8_t) restart->local_pwd.len;
    ngx_memcpy(desc->local_pwd, restart->local_pwd.data,
               restart->local_pwd.len);

    desc->remote_ufrag_len = (uint16_t) restart->remote_ufrag.len;
    ngx_memcpy(desc->remote_ufrag, restart->remote_ufrag.data,
               restart->remote_ufrag.len);

    desc->remote_pwd_len = (uint16_t) restart->remote_pwd.len;
    ngx_memcpy(desc->remote_pwd, restart->remote_pwd.data,
               restart->remote_pwd.len);
}


void
ngx_webrtc_peers_restarted(ngx_webrtc_bus_t *bus, ngx_webrtc_peer_t *peer,
    ngx_str_t *ufrag)
{
    uint64_t             hash, before;
    ngx_webrtc_index_t  *index;

    index = bus->sh->index;

    hash = ngx_webrtc_peers_hash_ufrag(bus, ufrag->data, ufrag->len);

    ngx_shmtx_lock(&bus->shpool->mutex);

    before = peer->keys[NGX_WEBRTC_PEERS_BEFORE];

    if (hash == peer->keys[NGX_WEBRTC_PEERS_UFRAG]) {
        peer->keys[NGX_WEBRTC_PEERS_BEFORE] = 0;

    } else {

        /* there has been another restart since: this is now the previous one */

        peer->keys[NGX_WEBRTC_PEERS_BEFORE] = hash;
        (void) ngx_webrtc_index_set(index, hash, peer->ref);
    }

    if (before && before != hash) {
        ngx_webrtc_index_remove(index, before, peer->ref);
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


ngx_int_t
ngx_webrtc_peers_complete(ngx_webrtc_bus_t *bus, uint64_t ref, u_char *match,
    ngx_webrtc_desc_t *desc)
{
    ngx_int_t           rc;
    ngx_webrtc_peer_t  *p;

    p = ngx_webrtc_peers_lock(bus, ref);
    if (p == NULL) {
        return NGX_DECLINED;
    }

    if (p->closing || p->desc.remote_ufrag_len) {
        rc = NGX_DECLINED;

    } else if (match
               && ngx_memcmp(match, p->etag, NGX_WEBRTC_PEER_ETAG_LEN) != 0)
    {
        rc = NGX_BUSY;

    } else {
        p->desc = *desc;
        rc = NGX_OK;
    }

    ngx_webrtc_peers_unlock(bus);

    return rc;
}
