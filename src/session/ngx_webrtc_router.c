
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Where a datagram belongs:
 *
 *   1. an address of a session here: to that session;
 *   2. an address of another worker's session: to that worker's inbox;
 *   3. a STUN binding request: to the slot found by our part of its user name;
 *      the first request that verifies claims an unclaimed slot, one for
 *      another worker's slot goes to that worker's inbox;
 *   4. a STUN binding response: to the session that sent the request, found by
 *      the number in the transaction id, which we chose;
 *   5. anything else is dropped and counted.
 *
 * So a session may be reached through the socket of any worker: after a reload
 * has changed which socket the kernel chooses for an address, and after the
 * peer's address has changed.  In a binary upgrade there is another zone, of
 * the binary that has the same sockets: what belongs to no slot here goes to it
 * (ngx_webrtc_twin.c).
 *
 * A datagram comes from the port, the other binary or another worker, and is
 * passed on in this order only, so it cannot bounce between two workers.
 *
 * Only 3 creates state, and only after MESSAGE-INTEGRITY has verified.
 *
 * A connection of ICE-TCP belongs to one session, and so to that session's
 * worker.  Its first frame has to be a check, which says whose it is: the
 * connection, of which nothing has been read, is given to that worker, where
 * all this happens again.  What follows is for that session only.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_router.h"
#include "ngx_webrtc_paths.h"
#include "ngx_webrtc_roles.h"
#include "ngx_webrtc_session_life.h"
#include "ngx_webrtc_session_path.h"
#include "ngx_webrtc_bus_unheard.h"


/* how a datagram arrived; it may only be passed on by a later one of these */
typedef enum {
    NGX_WEBRTC_ROUTER_PORT = 0,
    NGX_WEBRTC_ROUTER_TWIN,
    NGX_WEBRTC_ROUTER_INBOX
} ngx_webrtc_router_via_e;


static void ngx_webrtc_router_route(ngx_webrtc_worker_t *wk,
    ngx_webrtc_path_t *path, u_char *p, size_t n, ngx_webrtc_router_via_e via);
static void ngx_webrtc_router_stun(ngx_webrtc_worker_t *wk,
    ngx_webrtc_path_t *path, u_char *p, size_t n, ngx_webrtc_router_via_e via);
static ngx_int_t ngx_webrtc_router_owner(ngx_webrtc_worker_t *wk,
    ngx_webrtc_peer_info_t *info, ngx_webrtc_router_via_e via);
static void ngx_webrtc_router_answer(ngx_webrtc_worker_t *wk,
    ngx_webrtc_path_t *path, u_char *p, size_t n, ngx_webrtc_router_via_e via);
static void ngx_webrtc_router_unknown(ngx_webrtc_worker_t *wk,
    ngx_webrtc_path_t *path, u_char *p, size_t n, ngx_webrtc_router_via_e via,
    ngx_uint_t drop);
static void ngx_webrtc_router_claim(ngx_webrtc_worker_t *wk,
    ngx_webrtc_path_t *path, ngx_webrtc_peer_t *peer, u_char *p, size_t n);


void
ngx_webrtc_router_input(void *ctx, ngx_webrtc_path_t *path, u_char *p,
    size_t n)
{
    ngx_webrtc_router_route(ctx, path, p, n, NGX_WEBRTC_ROUTER_PORT);
}


void
ngx_webrtc_router_twin(void *ctx, ngx_webrtc_path_t *path, u_char *p, size_t n)
{
    ngx_webrtc_router_route(ctx, path, p, n, NGX_WEBRTC_ROUTER_TWIN);
}


void
ngx_webrtc_router_passed(void *ctx, ngx_webrtc_path_t *path, uint64_t ref,
    u_char *p, size_t n)
{
    ngx_webrtc_router_route(ctx, path, p, n, NGX_WEBRTC_ROUTER_INBOX);
    ngx_webrtc_roles_batch(ctx);
}


static void
ngx_webrtc_router_route(ngx_webrtc_worker_t *wk, ngx_webrtc_path_t *path,
    u_char *p, size_t n, ngx_webrtc_router_via_e via)
{
    ngx_uint_t                 class;
    ngx_webrtc_paths_entry_t  *wp;
    ngx_webrtc_peer_info_t     info;

    class = ngx_webrtc_rtp_classify(p, n);

    if (class == NGX_WEBRTC_DATAGRAM_UNKNOWN) {
        ngx_webrtc_bus_drop(wk->bus, NGX_WEBRTC_DROP_OTHER);
        return;
    }

    if (class == NGX_WEBRTC_DATAGRAM_STUN) {

        /*
         * by user name, not by address: a client may begin a new session
         * from the port of its last one
         */

        ngx_webrtc_router_stun(wk, path, p, n, via);
        return;
    }

    wp = ngx_webrtc_paths_find(wk, path);

    if (wp) {
        ngx_webrtc_session_life_input(wp->session, wp, p, n);
        return;
    }

    if (via != NGX_WEBRTC_ROUTER_INBOX
        && ngx_webrtc_peers_find_address(wk->bus, path, &info) == NGX_OK
        && info.worker != wk->bus->worker)
    {
        (void) ngx_webrtc_inbox_datagram(wk->inbox, info.worker, path,
                                         info.ref, p, n);
        return;
    }

    ngx_webrtc_router_unknown(wk, path, p, n, via, NGX_WEBRTC_DROP_UNKNOWN);
}


/* unknown here: goes to the other binary, if there is one */

static void
ngx_webrtc_router_unknown(ngx_webrtc_worker_t *wk, ngx_webrtc_path_t *path,
    u_char *p, size_t n, ngx_webrtc_router_via_e via, ngx_uint_t drop)
{
    if (via == NGX_WEBRTC_ROUTER_PORT
        && ngx_webrtc_twin_pass(wk->twin, path, p, n) == NGX_OK)
    {
        return;
    }

    ngx_webrtc_bus_drop(wk->bus, drop);
}


static void
ngx_webrtc_router_stun(ngx_webrtc_worker_t *wk, ngx_webrtc_path_t *path,
    u_char *p, size_t n, ngx_webrtc_router_via_e via)
{
    ngx_str_t                  local, remote;
    ngx_webrtc_peer_t          peer, *mine;
    ngx_webrtc_session_t      *s;
    ngx_webrtc_peer_info_t     info;
    ngx_webrtc_paths_entry_t  *wp;

    if (ngx_webrtc_ice_class(p, n) == NGX_WEBRTC_ICE_RESPONSE) {
        ngx_webrtc_router_answer(wk, path, p, n, via);
        return;
    }

    if (ngx_webrtc_ice_username(p, n, &local, &remote) != NGX_OK) {
        ngx_webrtc_bus_drop(wk->bus, NGX_WEBRTC_DROP_STUN);
        return;
    }

    wp = ngx_webrtc_paths_find(wk, path);

    if (wp) {
        s = wp->session;

        if (ngx_webrtc_session_find_cred(s, &local)) {
            ngx_webrtc_session_life_check(s, path, p, n);
            return;
        }
    }

    if (ngx_webrtc_peers_find_ufrag(wk->bus, &local, &peer, &info) != NGX_OK) {
        ngx_webrtc_router_unknown(wk, path, p, n, via, NGX_WEBRTC_DROP_STUN);
        return;
    }

    switch (ngx_webrtc_router_owner(wk, &info, via)) {

    case NGX_OK:
        break;

    case NGX_DONE:
        (void) ngx_webrtc_inbox_datagram(wk->inbox, info.worker, path,
                                         info.ref, p, n);
        return;

    default:
        ngx_webrtc_bus_drop(wk->bus, NGX_WEBRTC_DROP_UNKNOWN);
        return;
    }

    if (info.state == NGX_WEBRTC_PEER_NEW) {
        ngx_webrtc_router_claim(wk, path, &peer, p, n);
        return;
    }

    mine = ngx_webrtc_peers_mine(wk->bus, info.ref);

    if (mine && mine->session) {
        ngx_webrtc_session_life_check(mine->session, path, p, n);
    }
}


/*
 * Who is to have a check of a slot.
 *
 * NGX_OK        this worker
 * NGX_DONE      info->worker, another one
 * NGX_DECLINED  nobody
 */

static ngx_int_t
ngx_webrtc_router_owner(ngx_webrtc_worker_t *wk, ngx_webrtc_peer_info_t *info,
    ngx_webrtc_router_via_e via)
{
    ngx_uint_t  same;

    if (info->state != NGX_WEBRTC_PEER_NEW) {

        if (info->worker == wk->bus->worker) {
            return NGX_OK;
        }

        return (via == NGX_WEBRTC_ROUTER_INBOX) ? NGX_DECLINED : NGX_DONE;
    }

    if (!ngx_exiting) {
        return NGX_OK;
    }

    /*
     * No session begins here any more; a newer worker takes it, and what comes
     * from its address is then passed on.  But if the newer workers are another
     * binary's, only we can serve those we have answered.
     */

    info->worker = ngx_webrtc_bus_successor(wk->bus, &same);

    if (info->worker != NGX_WEBRTC_WORKER_NONE
        && via != NGX_WEBRTC_ROUTER_INBOX)
    {
        return NGX_DONE;
    }

    if (info->worker != NGX_WEBRTC_WORKER_NONE
        || !ngx_webrtc_twin_there(wk->twin))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* the answer to a session's own request, see ngx_webrtc_session_path.c */

static void
ngx_webrtc_router_answer(ngx_webrtc_worker_t *wk, ngx_webrtc_path_t *path,
    u_char *p, size_t n, ngx_webrtc_router_via_e via)
{
    ngx_webrtc_peer_t       *mine;
    ngx_webrtc_peer_info_t   info;

    if (ngx_webrtc_peers_find_number(wk->bus,
                                     ngx_webrtc_session_path_number(p), &info)
        != NGX_OK)
    {
        ngx_webrtc_router_unknown(wk, path, p, n, via, NGX_WEBRTC_DROP_STUN);
        return;
    }

    if (info.worker == wk->bus->worker) {
        mine = ngx_webrtc_peers_mine(wk->bus, info.ref);

        if (mine && mine->session) {
            ngx_webrtc_session_path_answered(mine->session, path, p, n);
        }

        return;
    }

    if (via == NGX_WEBRTC_ROUTER_INBOX) {
        ngx_webrtc_bus_drop(wk->bus, NGX_WEBRTC_DROP_STUN);
        return;
    }

    (void) ngx_webrtc_inbox_datagram(wk->inbox, info.worker, path, info.ref,
                                     p, n);
}


/* the first check of an unclaimed slot; peer is a copy of it */

static void
ngx_webrtc_router_claim(ngx_webrtc_worker_t *wk, ngx_webrtc_path_t *path,
    ngx_webrtc_peer_t *peer, u_char *p, size_t n)
{
    size_t                    len;
    ngx_int_t                 rc;
    ngx_webrtc_peer_t        *mine;
    ngx_webrtc_stream_t      *st;
    ngx_webrtc_session_t     *s;
    ngx_webrtc_ice_cred_t     cred;
    ngx_webrtc_ice_result_t   result;
    const ngx_webrtc_role_t  *role;
    u_char                    reply[NGX_WEBRTC_ICE_REPLY];

    ngx_webrtc_session_cred(&peer->desc, &cred);

    rc = ngx_webrtc_ice_input(wk->ice, &cred, p, n, &path->remote.u.sa, reply,
                              &len, &result);

    if (rc != NGX_OK) {
        ngx_webrtc_bus_drop(wk->bus, NGX_WEBRTC_DROP_INTEGRITY);

        if (len) {
            ngx_webrtc_transport_send_to(wk->udp, wk->tcp, path, reply, len);
        }

        return;
    }

    /*
     * Held before the claim: the worker that answered the publisher holds the
     * stream only as long as the slot is NEW.
     */

    st = NULL;

    role = ngx_webrtc_roles_find(wk, peer->role);

    if (role && role->stream) {
        st = ngx_webrtc_bus_stream_ref(wk->bus, peer->stream);
    }

    mine = ngx_webrtc_peers_claim(wk->bus, peer->ref);
    s = NULL;

    if (mine) {
        s = ngx_webrtc_session_life_create(wk, mine, path);
    }

    if (st) {
        ngx_webrtc_bus_release(wk->bus, st);
    }

    if (mine == NULL) {
        /* expired, or another worker was faster: the check is repeated */
        return;
    }

    if (s == NULL) {
        ngx_log_error(NGX_LOG_INFO, wk->log, 0,
                      "webrtc session not created, the stream is gone or "
                      "there is no memory, stream:\"%*s\"",
                      (size_t) peer->name_len, peer->name);
        (void) ngx_webrtc_peers_close(wk->bus, peer->ref);
        return;
    }

    ngx_webrtc_bus_heard(wk->bus);

    ngx_webrtc_transport_send_to(wk->udp, wk->tcp, path, reply, len);

    (void) ngx_webrtc_session_path_fresh(s, path, p);
    ngx_webrtc_session_life_checked(s, path, n, len, result.use_candidate);
}


ngx_int_t
ngx_webrtc_router_first(void *ctx, ngx_webrtc_path_t *path, u_char *p,
    size_t n, ngx_socket_t fd, ngx_uint_t passed)
{
    ngx_webrtc_worker_t *wk = ctx;

    ngx_int_t               rc;
    ngx_str_t               local, remote;
    ngx_webrtc_peer_t       peer, *mine;
    ngx_webrtc_peer_info_t  info;

    if (ngx_webrtc_rtp_classify(p, n) != NGX_WEBRTC_DATAGRAM_STUN
        || ngx_webrtc_ice_class(p, n) == NGX_WEBRTC_ICE_RESPONSE
        || ngx_webrtc_ice_username(p, n, &local, &remote) != NGX_OK
        || ngx_webrtc_peers_find_ufrag(wk->bus, &local, &peer, &info)
           != NGX_OK)
    {
        ngx_webrtc_bus_drop(wk->bus, NGX_WEBRTC_DROP_STUN);
        return NGX_DECLINED;
    }

    rc = ngx_webrtc_router_owner(wk, &info, passed ? NGX_WEBRTC_ROUTER_INBOX
                                                   : NGX_WEBRTC_ROUTER_PORT);
    if (rc == NGX_DONE) {
        rc = ngx_webrtc_inbox_connection(wk->inbox, info.worker, info.ref, fd);
        return (rc == NGX_OK) ? NGX_DONE : rc;
    }

    if (rc != NGX_OK) {
        ngx_webrtc_bus_drop(wk->bus, NGX_WEBRTC_DROP_UNKNOWN);
        return NGX_DECLINED;
    }

    if (info.state == NGX_WEBRTC_PEER_NEW) {
        ngx_webrtc_router_claim(wk, path, &peer, p, n);

    } else {
        mine = ngx_webrtc_peers_mine(wk->bus, info.ref);

        if (mine && mine->session) {
            ngx_webrtc_session_life_check(mine->session, path, p, n);
        }
    }

    /* it has verified if the address is a session's now */

    return ngx_webrtc_paths_find(wk, path) ? NGX_OK : NGX_DECLINED;
}


void
ngx_webrtc_router_framed(void *ctx, ngx_webrtc_path_t *path, u_char *p,
    size_t n)
{
    ngx_webrtc_worker_t *wk = ctx;

    ngx_webrtc_paths_entry_t  *wp;

    wp = ngx_webrtc_paths_find(wk, path);

    if (wp == NULL) {
        return;
    }

    switch (ngx_webrtc_rtp_classify(p, n)) {

    case NGX_WEBRTC_DATAGRAM_UNKNOWN:
        ngx_webrtc_bus_drop(wk->bus, NGX_WEBRTC_DROP_OTHER);
        break;

    case NGX_WEBRTC_DATAGRAM_STUN:

        if (ngx_webrtc_ice_class(p, n) == NGX_WEBRTC_ICE_RESPONSE) {
            /* nothing is asked over connections */
            ngx_webrtc_bus_drop(wk->bus, NGX_WEBRTC_DROP_STUN);
            break;
        }

        ngx_webrtc_session_life_check(wp->session, path, p, n);
        break;

    default:
        ngx_webrtc_session_life_input(wp->session, wp, p, n);
        break;
    }
}


void
ngx_webrtc_router_gone(void *ctx, ngx_webrtc_path_t *path)
{
    ngx_webrtc_worker_t *wk = ctx;

    ngx_webrtc_paths_entry_t  *wp;

    wp = ngx_webrtc_paths_find(wk, path);

    if (wp) {
        ngx_webrtc_session_path_gone(wp->session, wp);
    }
}
