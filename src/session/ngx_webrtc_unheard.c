
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Sessions that were answered, but whose client never sent a check.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_unheard.h"
#include "ngx_webrtc_bus_public.h"
#include "ngx_webrtc_bus_unheard.h"
#include "ngx_webrtc_roles.h"


static void ngx_webrtc_unheard_expired(void *ctx, void *peer);


void
ngx_webrtc_unheard_init(ngx_webrtc_worker_t *wk)
{
    wk->bus->on_expire = ngx_webrtc_unheard_expired;
    wk->bus->on_expire_ctx = wk;
}


static void
ngx_webrtc_unheard_expired(void *ctx, void *peer)
{
    ngx_webrtc_worker_t  *wk = ctx;
    ngx_webrtc_peer_t    *p = peer;

    ngx_webrtc_unheard(wk, p);

    if (wk->conf.on_end) {
        wk->conf.on_end(wk->conf.ctx, p, p->about, "never connected");
    }
}


void
ngx_webrtc_unheard_deleted(ngx_webrtc_worker_t *wk, ngx_webrtc_peer_t *peer)
{
    if ((uint64_t) ngx_current_msec - peer->created_ms
        >= NGX_WEBRTC_UNHEARD_LEAST)
    {
        ngx_webrtc_unheard(wk, peer);
    }
}


void
ngx_webrtc_unheard(ngx_webrtc_worker_t *wk, ngx_webrtc_peer_t *peer)
{
    ngx_uint_t                row, level;
    ngx_webrtc_stream_t      *st;
    const ngx_webrtc_role_t  *role;
    u_char                    public[NGX_WEBRTC_PUBLIC_LEN];

    if (peer->desc.remote_ufrag_len == 0) {
        /* a counter-offer that was not taken */
        return;
    }

    row = ngx_webrtc_bus_unheard(wk->bus);

    role = ngx_webrtc_roles_find(wk, peer->role);

    if (role && role->stream) {

        st = ngx_webrtc_bus_stream_ref(wk->bus, peer->stream);

        if (st) {
            ngx_webrtc_atomic_add(&st->stat.never_connected, 1);
            ngx_webrtc_bus_release(wk->bus, st);
        }
    }

    level = ngx_webrtc_bus_unheard_say(wk->bus, 0, ngx_current_msec)
            ? NGX_LOG_WARN : NGX_LOG_INFO;

    ngx_webrtc_bus_public(peer->id, public);

    ngx_log_error(level, wk->log, 0,
                  "webrtc session never connected: it was answered and sent no "
                  "check, session:%*s, stream:\"%*s\"",
                  (size_t) NGX_WEBRTC_PUBLIC_LEN, public,
                  (size_t) peer->name_len, peer->name);

    if (row >= NGX_WEBRTC_UNHEARD_ROW
        && wk->conf.on_unheard
        && ngx_webrtc_bus_unheard_say(wk->bus, 1, ngx_current_msec))
    {
        wk->conf.on_unheard(wk->conf.ctx, peer, row);
    }
}
