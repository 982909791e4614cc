
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A worker process: its start and end, its housekeeping, and requests from
 * other workers and HTTP.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_worker.h"
#include "ngx_webrtc_crypto.h"
#include "ngx_webrtc_roles.h"
#include "ngx_webrtc_router.h"
#include "ngx_webrtc_session_ice.h"
#include "ngx_webrtc_session_life.h"
#include "ngx_webrtc_session_stat.h"
#include "ngx_webrtc_unheard.h"


/*
 * ms before the end of worker_shutdown_timeout at which clients are told to
 * connect anew, half of the timeout if that is less; chosen: time for a POST, a
 * handshake and a key frame
 */
#define NGX_WEBRTC_WORKER_LEAVE   5000

/* the first byte of a text in the inbox tells its kind */
#define NGX_WEBRTC_WORKER_TRICKLE 'T'     /* the peer's candidates */
#define NGX_WEBRTC_WORKER_ASK     'Q'     /* uint32_t: the worker that asks */
#define NGX_WEBRTC_WORKER_ANSWER  'A'     /* our candidates */

/* ms that the workers of a reload have to begin; chosen: nginx starts them
 * before it ends the old ones */
#define NGX_WEBRTC_WORKER_ORPHAN  1000

/* ticks between two looks for dead workers: 5 s */
#define NGX_WEBRTC_WORKER_REAP    20


static ngx_int_t ngx_webrtc_worker_open(ngx_webrtc_worker_t *wk,
    ngx_cycle_t *cycle);
static ngx_int_t ngx_webrtc_worker_end_peer(ngx_webrtc_worker_t *wk,
    ngx_webrtc_peer_t *copy, ngx_webrtc_peer_info_t *info, ngx_uint_t why);
static ngx_int_t ngx_webrtc_worker_give_way(void *ctx, uint64_t ref);
static void ngx_webrtc_worker_received(void *ctx);
static void ngx_webrtc_worker_shutdown(void *ctx);
static void ngx_webrtc_worker_on_stream(void *ctx, ngx_webrtc_stream_t *st);
static void ngx_webrtc_worker_changed(ngx_webrtc_session_t *s);
static void ngx_webrtc_worker_on_tell(void *ctx, uint64_t ref,
    ngx_uint_t what);
static void ngx_webrtc_worker_on_keyframe(void *ctx, ngx_webrtc_stream_t *st);
static void ngx_webrtc_worker_on_text(void *ctx, uint64_t ref, u_char *p,
    size_t n);
static void ngx_webrtc_worker_on_connection(void *ctx, ngx_socket_t fd);
static void ngx_webrtc_worker_leave(ngx_webrtc_worker_t *wk);
static ngx_uint_t ngx_webrtc_worker_awaits(ngx_webrtc_worker_t *wk);
static void ngx_webrtc_worker_timer(ngx_event_t *ev);


ngx_webrtc_worker_t *
ngx_webrtc_worker_init(ngx_cycle_t *cycle, ngx_webrtc_worker_conf_t *conf)
{
    ngx_uint_t            i;
    ngx_webrtc_worker_t  *wk;

    wk = ngx_pcalloc(cycle->pool, sizeof(ngx_webrtc_worker_t));
    if (wk == NULL) {
        return NULL;
    }

    ngx_webrtc_time_init();

    wk->conf = *conf;
    wk->bus = conf->bus;
    wk->log = cycle->log;

    ngx_queue_init(&wk->sessions);

    for (i = 0; i < NGX_WEBRTC_PATHS; i++) {
        ngx_queue_init(&wk->paths[i]);
    }

    ngx_webrtc_crypto_choose(conf->crypto, cycle->log);

    wk->ice = ngx_webrtc_ice_create(cycle->pool);
    if (wk->ice == NULL) {
        return NULL;
    }

    if (ngx_webrtc_bus_attach(wk->bus, cycle->log) != NGX_OK) {
        return NULL;
    }

    ngx_webrtc_unheard_init(wk);

    wk->bus->on_give_way = ngx_webrtc_worker_give_way;
    wk->bus->on_give_way_ctx = wk;
    wk->bus->on_up = conf->on_up;
    wk->bus->on_down = conf->on_down;
    wk->bus->on_up_ctx = conf->ctx;

    if (ngx_webrtc_roles_init(wk) != NGX_OK) {
        goto failed;
    }

    if (ngx_webrtc_worker_open(wk, cycle) != NGX_OK) {
        goto failed;
    }

    wk->timer.handler = ngx_webrtc_worker_timer;
    wk->timer.data = wk;
    wk->timer.log = cycle->log;

    ngx_add_timer(&wk->timer, 0);

    return wk;

failed:

    ngx_webrtc_roles_done(wk);

    if (wk->twin) {
        ngx_webrtc_twin_done(wk->twin);
    }

    if (wk->inbox) {
        ngx_webrtc_inbox_done(wk->inbox);
    }

    ngx_webrtc_bus_detach(wk->bus);

    return NULL;
}


/* the inbox, the other binary, the port; whoever gets NGX_ERROR closes them */

static ngx_int_t
ngx_webrtc_worker_open(ngx_webrtc_worker_t *wk, ngx_cycle_t *cycle)
{
    ngx_webrtc_udp_conf_t         udp;
    ngx_webrtc_tcp_conf_t         tcp;
    ngx_webrtc_twin_conf_t        twin;
    ngx_webrtc_inbox_handlers_t   inbox;

    ngx_memzero(&inbox, sizeof(ngx_webrtc_inbox_handlers_t));

    inbox.on_stream = ngx_webrtc_worker_on_stream;
    inbox.on_datagram = ngx_webrtc_router_passed;
    inbox.on_tell = ngx_webrtc_worker_on_tell;
    inbox.on_keyframe = ngx_webrtc_worker_on_keyframe;
    inbox.on_text = ngx_webrtc_worker_on_text;
    inbox.on_connection = ngx_webrtc_worker_on_connection;
    inbox.ctx = wk;

    wk->inbox = ngx_webrtc_inbox_init(wk->bus, cycle, &inbox);
    if (wk->inbox == NULL) {
        return NGX_ERROR;
    }

    twin.input = ngx_webrtc_router_twin;
    twin.done = ngx_webrtc_worker_received;
    twin.ctx = wk;

    wk->twin = ngx_webrtc_twin_init(cycle, &twin);
    if (wk->twin == NULL) {
        return NGX_ERROR;
    }

    ngx_webrtc_twin_know(wk->twin, ngx_webrtc_bus_twin(wk->bus, 0));

    ngx_memzero(&udp, sizeof(ngx_webrtc_udp_conf_t));

    udp.input = ngx_webrtc_router_input;
    udp.done = ngx_webrtc_worker_received;
    udp.writable = ngx_webrtc_roles_writable;
    udp.shutdown = ngx_webrtc_worker_shutdown;
    udp.gso = wk->conf.gso;
    udp.ctx = wk;

    wk->udp = ngx_webrtc_udp_init(cycle, &udp);
    if (wk->udp == NULL) {
        return NGX_ERROR;
    }

    tcp.first = ngx_webrtc_router_first;
    tcp.input = ngx_webrtc_router_framed;
    tcp.done = ngx_webrtc_worker_received;
    tcp.gone = ngx_webrtc_router_gone;
    tcp.shutdown = ngx_webrtc_worker_shutdown;
    tcp.ctx = wk;

    wk->tcp = ngx_webrtc_tcp_init(cycle, &tcp);
    if (wk->tcp == NULL) {
        ngx_webrtc_udp_done(wk->udp);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_webrtc_worker_done(ngx_webrtc_worker_t *wk)
{
    ngx_queue_t           *q;
    ngx_webrtc_session_t  *s;

    wk->ending = 1;

    while (!ngx_queue_empty(&wk->sessions)) {
        q = ngx_queue_head(&wk->sessions);
        s = ngx_queue_data(q, ngx_webrtc_session_t, queue);

        s->reason = "worker exits";
        ngx_webrtc_session_life_destroy(s);
    }

    ngx_webrtc_roles_done(wk);
    ngx_webrtc_session_stat_flush(wk);

    if (wk->timer.timer_set) {
        ngx_del_timer(&wk->timer);
    }

    ngx_webrtc_nice_done();
    ngx_webrtc_twin_done(wk->twin);
    ngx_webrtc_udp_done(wk->udp);
    ngx_webrtc_tcp_done(wk->tcp);

    /* others are told what ends here: the inbox is needed until then */

    ngx_webrtc_bus_detach(wk->bus);
    ngx_webrtc_inbox_done(wk->inbox);
}


ngx_int_t
ngx_webrtc_worker_close(ngx_webrtc_worker_t *wk, ngx_str_t *id)
{
    ngx_webrtc_peer_t       copy;
    ngx_webrtc_peer_info_t  info;

    if (ngx_webrtc_peers_find_id(wk->bus, id, &copy, &info) != NGX_OK) {
        return NGX_DECLINED;
    }

    return (ngx_webrtc_worker_end_peer(wk, &copy, &info,
                                       NGX_WEBRTC_WHY_DELETED)
            == NGX_DECLINED) ? NGX_DECLINED : NGX_OK;
}


/* ngx_webrtc_worker_end() of a slot that has been found */

static ngx_int_t
ngx_webrtc_worker_end_peer(ngx_webrtc_worker_t *wk, ngx_webrtc_peer_t *copy,
    ngx_webrtc_peer_info_t *info, ngx_uint_t why)
{
    ngx_webrtc_peer_t     *peer;
    ngx_webrtc_session_t  *s;

    switch (ngx_webrtc_peers_delete(wk->bus, info->ref, why, &info->worker)) {

    case NGX_OK:

        if (info->state == NGX_WEBRTC_PEER_NEW) {
            ngx_webrtc_unheard_deleted(wk, copy);

            if (wk->conf.on_end) {
                /* what was told of it is gone with the slot */
                wk->conf.on_end(wk->conf.ctx, copy, NULL,
                                ngx_webrtc_session_why(why));
            }
        }

        return NGX_OK;

    case NGX_BUSY:
        break;

    default:
        return NGX_DECLINED;
    }

    peer = ngx_webrtc_peers_mine(wk->bus, info->ref);

    if (peer && peer->session) {
        /* at once: we are not in one of its callbacks */
        s = peer->session;
        ngx_webrtc_session_life_destroy(s);
        return NGX_OK;
    }

    /*
     * A full inbox does not matter: the owner finds the mark when its
     * session's timer looks at the slot.
     */

    ngx_webrtc_worker_tell_close(wk, info, why);

    return NGX_BUSY;
}


ngx_int_t
ngx_webrtc_worker_end(ngx_webrtc_worker_t *wk, uint64_t ref, ngx_uint_t why)
{
    ngx_webrtc_peer_t       copy;
    ngx_webrtc_peer_info_t  info;

    if (ngx_webrtc_peers_find_ref(wk->bus, ref, &copy, &info) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_webrtc_worker_end_peer(wk, &copy, &info, why);
}


static ngx_int_t
ngx_webrtc_worker_give_way(void *ctx, uint64_t ref)
{
    return ngx_webrtc_worker_end(ctx, ref, NGX_WEBRTC_WHY_GIVE_WAY);
}


void
ngx_webrtc_worker_tell_close(ngx_webrtc_worker_t *wk,
    ngx_webrtc_peer_info_t *info, ngx_uint_t why)
{
    if (info->state != NGX_WEBRTC_PEER_CLAIMED) {
        (void) ngx_webrtc_peers_close(wk->bus, info->ref);
        return;
    }

    if (info->worker != wk->bus->worker) {
        (void) ngx_webrtc_inbox_tell(wk->inbox, info->worker, info->ref, why);
        return;
    }

    ngx_webrtc_worker_on_tell(wk, info->ref, why);
}


void
ngx_webrtc_worker_tell_changed(ngx_webrtc_worker_t *wk,
    ngx_webrtc_peer_info_t *info)
{
    if (info->state != NGX_WEBRTC_PEER_CLAIMED) {
        return;
    }

    if (info->worker == wk->bus->worker) {
        ngx_webrtc_worker_on_tell(wk, info->ref, NGX_WEBRTC_TELL_CHANGED);
        return;
    }

    /* if it is lost, the first check under the new ufrag tells */

    (void) ngx_webrtc_inbox_tell(wk->inbox, info->worker, info->ref,
                                 NGX_WEBRTC_TELL_CHANGED);
}


static void
ngx_webrtc_worker_received(void *ctx)
{
    ngx_webrtc_worker_t *wk = ctx;

    uint64_t  dropped;

    dropped = ngx_webrtc_udp_stat(wk->udp)->rx_dropped
              + ngx_webrtc_tcp_stat(wk->tcp)->rx_dropped;

    for ( /* void */ ; wk->cut < dropped; wk->cut++) {
        ngx_webrtc_bus_drop(wk->bus, NGX_WEBRTC_DROP_LIMIT);
    }

    ngx_webrtc_roles_batch(wk);
}


static void
ngx_webrtc_worker_shutdown(void *ctx)
{
    ngx_webrtc_worker_t *wk = ctx;

    ngx_queue_t           *q;
    ngx_webrtc_session_t  *s;

    for (q = ngx_queue_head(&wk->sessions);
         q != ngx_queue_sentinel(&wk->sessions);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_webrtc_session_t, queue);
        ngx_webrtc_session_close(s, "worker shutdown timeout");
    }
}


static void
ngx_webrtc_worker_on_stream(void *ctx, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_roles_news(ctx, st);
}


static void
ngx_webrtc_worker_changed(ngx_webrtc_session_t *s)
{
    if (s->state == NGX_WEBRTC_SESSION_UP && s->part && s->role->changed) {
        s->role->changed(s);
    }
}


static void
ngx_webrtc_worker_on_tell(void *ctx, uint64_t ref, ngx_uint_t what)
{
    ngx_webrtc_worker_t *wk = ctx;

    ngx_webrtc_peer_t  *peer;

    peer = ngx_webrtc_peers_mine(wk->bus, ref);

    if (peer == NULL) {
        return;
    }

    if (peer->session == NULL) {

        if (wk->conf.on_tell
            && what > NGX_WEBRTC_WHY_UNKNOWN && what < NGX_WEBRTC_WHY_N)
        {
            wk->conf.on_tell(wk->conf.ctx, ref, what);
        }

        return;
    }

    if (what == NGX_WEBRTC_TELL_CHANGED) {
        ngx_webrtc_session_life_changed(peer->session);
        ngx_webrtc_worker_changed(peer->session);
        return;
    }

    if (what > NGX_WEBRTC_WHY_UNKNOWN && what < NGX_WEBRTC_WHY_N) {
        ngx_webrtc_session_close(peer->session, ngx_webrtc_session_why(what));
    }
}


ngx_int_t
ngx_webrtc_worker_trickle(ngx_webrtc_worker_t *wk,
    ngx_webrtc_peer_info_t *info, ngx_str_t *text)
{
    u_char  buf[NGX_WEBRTC_INBOX_TEXT];

    if (info->state != NGX_WEBRTC_PEER_CLAIMED
        || text->len > sizeof(buf) - 1)
    {
        return NGX_DECLINED;
    }

    buf[0] = NGX_WEBRTC_WORKER_TRICKLE;
    ngx_memcpy(buf + 1, text->data, text->len);

    if (info->worker == wk->bus->worker) {
        ngx_webrtc_worker_on_text(wk, info->ref, buf, text->len + 1);
        return NGX_OK;
    }

    return ngx_webrtc_inbox_text(wk->inbox, info->worker, info->ref, buf,
                                 text->len + 1);
}


ngx_int_t
ngx_webrtc_worker_ask(ngx_webrtc_worker_t *wk, ngx_webrtc_peer_info_t *info)
{
    uint32_t  worker;
    u_char    buf[1 + sizeof(uint32_t)];

    if (info->state != NGX_WEBRTC_PEER_CLAIMED
        || info->worker == wk->bus->worker)
    {
        return NGX_DECLINED;
    }

    worker = (uint32_t) wk->bus->worker;

    buf[0] = NGX_WEBRTC_WORKER_ASK;
    ngx_memcpy(buf + 1, &worker, sizeof(uint32_t));

    return ngx_webrtc_inbox_text(wk->inbox, info->worker, info->ref, buf,
                                 sizeof(buf));
}


static void
ngx_webrtc_worker_on_text(void *ctx, uint64_t ref, u_char *p, size_t n)
{
    ngx_webrtc_worker_t *wk = ctx;

    u_char             *last;
    uint32_t            worker;
    ngx_webrtc_peer_t  *peer;
    u_char              buf[NGX_WEBRTC_INBOX_TEXT];

    if (n == 0) {
        return;
    }

    if (p[0] == NGX_WEBRTC_WORKER_ANSWER) {

        if (wk->conf.on_candidates) {
            wk->conf.on_candidates(wk->conf.ctx, ref, p + 1, n - 1);
        }

        return;
    }

    peer = ngx_webrtc_peers_mine(wk->bus, ref);

    if (peer == NULL || peer->session == NULL) {
        return;
    }

    if (p[0] == NGX_WEBRTC_WORKER_TRICKLE) {
        ngx_webrtc_session_ice_trickle(peer->session, p + 1, n - 1);
        return;
    }

    if (p[0] == NGX_WEBRTC_WORKER_ASK && n == 1 + sizeof(uint32_t)) {

        ngx_memcpy(&worker, p + 1, sizeof(uint32_t));

        buf[0] = NGX_WEBRTC_WORKER_ANSWER;
        last = ngx_webrtc_session_ice_print(peer->session, buf + 1,
                                            buf + sizeof(buf));

        (void) ngx_webrtc_inbox_text(wk->inbox, worker, ref, buf, last - buf);
    }
}


/* another worker has accepted a connection that is for a session here */

static void
ngx_webrtc_worker_on_connection(void *ctx, ngx_socket_t fd)
{
    ngx_webrtc_worker_t *wk = ctx;

    ngx_webrtc_tcp_take(wk->tcp, fd);
}


/* viewers in some worker want a key frame of a stream that is made here */

static void
ngx_webrtc_worker_on_keyframe(void *ctx, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_worker_t *wk = ctx;

    uint64_t               holder;
    ngx_webrtc_peer_t     *peer;
    ngx_webrtc_session_t  *s;

    if (ngx_webrtc_bus_claimed(st, NULL) != NGX_WEBRTC_CLAIM_PUBLISH
        && (st->parent
            || ngx_webrtc_claim_feeds(ngx_webrtc_bus_claimed(st, NULL))))
    {
        wk->conf.on_keyframe(wk->conf.ctx, st);
        return;
    }

    holder = ngx_webrtc_atomic_load(&st->holder);
    peer = holder ? ngx_webrtc_peers_mine(wk->bus, holder) : NULL;

    s = peer ? peer->session : NULL;

    if (s == NULL || s->role->keyframe == NULL) {
        /* the publisher is leaving */
        ngx_webrtc_bus_keyframe_done(st);
        return;
    }

    s->role->keyframe(s, st);
}


static void
ngx_webrtc_worker_timer(ngx_event_t *ev)
{
    ngx_webrtc_worker_t  *wk;

    wk = ev->data;

    if (wk->ticks == 0) {

        /*
         * Not before the event loop runs: a worker that is shutting down leaves
         * our sockets' place to us, see ngx_webrtc_twin.c.
         */

        ngx_webrtc_bus_set_number(wk->bus, ngx_worker);
    }

    ngx_webrtc_bus_turn(wk->bus);

    (void) ngx_webrtc_peers_expire(wk->bus, ngx_current_msec);

    if (++wk->ticks % NGX_WEBRTC_WORKER_REAP == 0) {
        (void) ngx_webrtc_bus_reap(wk->bus, wk->log);
    }

    ngx_webrtc_roles_tick(wk);
    ngx_webrtc_session_stat_tick(wk);

    ngx_webrtc_twin_know(wk->twin, ngx_webrtc_bus_twin(wk->bus,
                                       ngx_webrtc_twin_heard(wk->twin)));

    if (ngx_exiting) {
        ngx_webrtc_worker_leave(wk);

    } else {
        ngx_webrtc_twin_tick(wk->twin, 0);
    }

    wk->conf.on_stream(wk->conf.ctx, NULL);

    if (ngx_exiting) {

        /*
         * From the first tick after that, the timer no longer keeps the worker
         * alive; this tick has ended or handed over what had to be.
         */

        ev->cancelable = !wk->conf.busy(wk->conf.ctx)
                         && !ngx_webrtc_worker_awaits(wk);
    }

    ngx_add_timer(ev, NGX_WEBRTC_WORKER_TICK);
}


/*
 * This process shuts down and is going to close its sessions: workers with an
 * event stream of one of them tell the client.
 */

static void
ngx_webrtc_worker_leave(ngx_webrtc_worker_t *wk)
{
    ngx_msec_t             after;
    ngx_uint_t             same;
    ngx_queue_t           *q;
    ngx_webrtc_session_t  *s;

    if (wk->exiting == 0) {
        wk->exiting = ngx_current_msec ? ngx_current_msec : 1;
    }

    wk->next = ngx_webrtc_bus_successor(wk->bus, &same);

    ngx_webrtc_twin_tick(wk->twin, same);

    if (!wk->orphan
        && ngx_current_msec - wk->exiting >= NGX_WEBRTC_WORKER_ORPHAN
        && !same
        && (wk->next != NGX_WEBRTC_WORKER_NONE
            || ngx_webrtc_twin_fewer(wk->twin)))
    {
        /*
         * There are fewer workers now.  Our sockets stay in the kernel's group
         * as long as we have them, and nobody else reads them.
         */

        wk->orphan = 1;
        ngx_webrtc_udp_read_on(wk->udp);
    }

    after = wk->conf.shutdown;

    if (after == 0 || wk->left) {
        return;
    }

    after -= ngx_min(NGX_WEBRTC_WORKER_LEAVE, after / 2);

    if (ngx_current_msec - wk->exiting < after) {
        return;
    }

    wk->left = 1;

    for (q = ngx_queue_head(&wk->sessions);
         q != ngx_queue_sentinel(&wk->sessions);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_webrtc_session_t, queue);

        if (ngx_webrtc_peers_lock(wk->bus, s->peer->ref)) {
            s->peer->reconnect++;
            ngx_webrtc_peers_unlock(wk->bus);

            ngx_webrtc_peers_touch(wk->bus, s->peer->ref);
        }
    }
}


/*
 * May a client that our binary has answered still connect?  In an upgrade, the
 * other binary passes its datagrams on to us.
 */

static ngx_uint_t
ngx_webrtc_worker_awaits(ngx_webrtc_worker_t *wk)
{
    return wk->next == NGX_WEBRTC_WORKER_NONE
           && ngx_webrtc_twin_there(wk->twin)
           && ngx_webrtc_peers_new(wk->bus);
}
