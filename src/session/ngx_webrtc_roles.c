
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The roles of a worker.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_roles.h"


ngx_int_t
ngx_webrtc_roles_init(ngx_webrtc_worker_t *wk)
{
    void                     *state;
    ngx_webrtc_role_conf_t   *rc;
    const ngx_webrtc_role_t  *role;

    for (rc = wk->conf.roles; rc->role; rc++) {
        role = rc->role;

        state = role->init(wk, rc->conf);
        if (state == NULL) {
            ngx_log_error(NGX_LOG_CRIT, wk->log, 0,
                          "webrtc %s sessions cannot begin", role->name);
            return NGX_ERROR;
        }

        wk->roles[role->id].role = role;
        wk->roles[role->id].state = state;
    }

    return NGX_OK;
}


void
ngx_webrtc_roles_done(ngx_webrtc_worker_t *wk)
{
    ngx_uint_t               i;
    ngx_webrtc_role_slot_t  *slot;

    for (i = 0; i < NGX_WEBRTC_PEER_ROLES; i++) {
        slot = &wk->roles[i];

        if (slot->role) {
            slot->role->done(slot->state);
            slot->role = NULL;
        }
    }
}


void
ngx_webrtc_roles_tick(ngx_webrtc_worker_t *wk)
{
    ngx_uint_t               i;
    ngx_webrtc_role_slot_t  *slot;

    for (i = 0; i < NGX_WEBRTC_PEER_ROLES; i++) {
        slot = &wk->roles[i];

        if (slot->role && slot->role->tick) {
            slot->role->tick(slot->state);
        }
    }
}


void
ngx_webrtc_roles_batch(ngx_webrtc_worker_t *wk)
{
    ngx_uint_t               i;
    ngx_webrtc_role_slot_t  *slot;

    for (i = 0; i < NGX_WEBRTC_PEER_ROLES; i++) {
        slot = &wk->roles[i];

        if (slot->role && slot->role->batch) {
            slot->role->batch(slot->state);
        }
    }

    wk->now_us = 0;

    ngx_webrtc_inbox_flush(wk->inbox);
    ngx_webrtc_twin_flush(wk->twin);
    ngx_webrtc_udp_flush(wk->udp);
}


void
ngx_webrtc_roles_news(ngx_webrtc_worker_t *wk, ngx_webrtc_stream_t *st)
{
    ngx_uint_t               i;
    ngx_webrtc_role_slot_t  *slot;

    for (i = 0; i < NGX_WEBRTC_PEER_ROLES; i++) {
        slot = &wk->roles[i];

        if (slot->role && slot->role->news) {
            slot->role->news(slot->state, st);
        }
    }

    wk->conf.on_stream(wk->conf.ctx, st);
}


void
ngx_webrtc_roles_writable(void *ctx)
{
    ngx_webrtc_worker_t *wk = ctx;

    ngx_uint_t               i;
    ngx_webrtc_role_slot_t  *slot;

    for (i = 0; i < NGX_WEBRTC_PEER_ROLES; i++) {
        slot = &wk->roles[i];

        if (slot->role && slot->role->writable) {
            slot->role->writable(slot->state);
        }
    }
}
