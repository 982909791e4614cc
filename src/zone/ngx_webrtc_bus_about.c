
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the status tells of a session.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_zone.h"
#include "ngx_webrtc_bus_about.h"


ngx_int_t
ngx_webrtc_peers_about(ngx_webrtc_bus_t *bus, uint64_t ref,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_about_t *about,
    ngx_webrtc_peer_info_t *info)
{
    ngx_webrtc_peer_t  *p;

    if (ngx_webrtc_peers_find_ref(bus, ref, peer, info) != NGX_OK) {
        return NGX_DECLINED;
    }

    p = ngx_webrtc_peers_lock(bus, ref);
    if (p == NULL) {
        return NGX_DECLINED;
    }

    if (p->about) {
        *about = *p->about;

    } else {
        ngx_memzero(about, sizeof(ngx_webrtc_peer_about_t));
    }

    ngx_webrtc_peers_unlock(bus);

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_peers_list(ngx_webrtc_bus_t *bus, ngx_uint_t *cursor,
    ngx_str_t *name, ngx_uint_t *look, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_about_t *about, ngx_webrtc_peer_info_t *info)
{
    uint64_t             word, ref;
    ngx_uint_t           n;
    ngx_webrtc_peer_t   *p;
    ngx_webrtc_table_t  *t;

    t = &bus->sh->peers;

    for (n = *cursor; n < ngx_webrtc_atomic_load(&t->top); n++) {

        *cursor = n;

        word = ngx_webrtc_atomic_load_acquire(&t->entries[n].word);

        if (ngx_webrtc_entry_state(word) == NGX_WEBRTC_ENTRY_FREE) {
            continue;
        }

        if (*look == 0) {
            return NGX_AGAIN;
        }

        (*look)--;

        /* a slot that is just being freed stays readable; compared again below,
         * in the copy */

        p = ngx_webrtc_atomic_load(&t->entries[n].p);

        if (p == NULL
            || (name && (p->name_len != name->len
                         || ngx_memcmp(p->name, name->data, name->len) != 0)))
        {
            continue;
        }

        ref = ngx_webrtc_ref(n, ngx_webrtc_entry_generation(word));

        if (ngx_webrtc_peers_about(bus, ref, peer, about, info) != NGX_OK
            || (name && (peer->name_len != name->len
                         || ngx_memcmp(peer->name, name->data, name->len)
                            != 0)))
        {
            continue;
        }

        *cursor = n + 1;

        return NGX_OK;
    }

    *cursor = n;

    return NGX_DONE;
}


ngx_int_t
ngx_webrtc_peers_find_public(ngx_webrtc_bus_t *bus, ngx_str_t *public,
    uint64_t *ref)
{
    uint64_t                  word;
    ngx_uint_t                n;
    ngx_webrtc_peer_t        *p;
    ngx_webrtc_table_t       *t;
    ngx_webrtc_peer_about_t  *about;

    if (public->len != NGX_WEBRTC_PUBLIC_LEN) {
        return NGX_DECLINED;
    }

    t = &bus->sh->peers;

    for (n = 0; n < ngx_webrtc_atomic_load(&t->top); n++) {

        word = ngx_webrtc_atomic_load_acquire(&t->entries[n].word);
        p = ngx_webrtc_atomic_load(&t->entries[n].p);
        about = p ? ngx_webrtc_atomic_load(&p->about) : NULL;

        if (about == NULL
            || (ngx_webrtc_entry_state(word) != NGX_WEBRTC_ENTRY_NEW
                && ngx_webrtc_entry_state(word) != NGX_WEBRTC_ENTRY_CLAIMED)
            || ngx_memcmp(about->public, public->data, NGX_WEBRTC_PUBLIC_LEN)
               != 0)
        {
            continue;
        }

        *ref = ngx_webrtc_ref(n, ngx_webrtc_entry_generation(word));

        return NGX_OK;
    }

    return NGX_DECLINED;
}
