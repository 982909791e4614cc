
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which address a session with ICE lite sends to.
 *
 * 1. The peer chooses it: by nominating it, or by two checks in a row with none
 *    from the current address in between, as a peer whose NAT has rebound goes
 *    on checking without nominating again.  Media and DTLS never choose an
 *    address.
 * 2. A check proves who sent it but not where it came from, and the sender may
 *    well be an attacker, with a session of his own.  So sending to an address
 *    is unlimited only when the peer is proven to receive there: it has
 *    answered a binding request of ours, whose transaction id nobody else can
 *    know, or the whole DTLS handshake went to that one address, which nobody
 *    can complete without receiving it.
 * 3. Until then the session stays where it was.  An honest peer, being a full
 *    agent, answers within a round trip (RFC 8445, 7.3), so a change of address
 *    costs it no more than that.
 * 4. A peer that answers no request is followed all the same, but gets no more
 *    than three times the bytes received from there (RFC 9000, 8.1, has the
 *    same rule and number), answers to checks and requests of ours included.
 *    Anything beyond that is dropped.
 * 5. An address belongs to one session.  A check of another session from there
 *    only makes us send it a request; an answer, under that session's password,
 *    takes the address over.  An owner that has been silent for ten seconds
 *    loses it to the first check.
 *
 * 6. A connection (ICE-TCP) is an address like any other, of this session
 *    only, and proven: nobody connects without receiving.  It is second to UDP.
 *    Clients keep one beside UDP, check it as often, and may nominate both
 *    (RFC 8445, 8.1.1 once allowed that): so only the second nomination in a
 *    row takes a session from UDP to it, and a check alone never does, unless
 *    UDP has been silent.  Back to UDP it takes a nomination, or an answer to
 *    a request of ours.  When the connection in use ends, the session goes to
 *    the address that was checked last; if there is none it waits for a check.
 *
 * There is one outstanding request per session.  RFC 8445, 2.5, 7.2, 7.3.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <openssl/rand.h>

#include "ngx_webrtc_session.h"
#include "ngx_webrtc_session_path.h"
#include "ngx_webrtc_session_stat.h"
#include "ngx_webrtc_ice_probe.h"


/* checks in a row that make a path the current one; see above */
#define NGX_WEBRTC_SESSION_CHECKS       2

/* ms without a check after which an address may be taken from a session;
 * chosen: browsers check every 2.5 s, others every 5 */
#define NGX_WEBRTC_SESSION_SILENT       10000

/* ms without a check after which UDP gives way to a connection that is checked;
 * chosen: two checks of a browser have been lost */
#define NGX_WEBRTC_SESSION_STILL        5500

/* bytes that may be sent per byte received; RFC 9000, 8.1 */
#define NGX_WEBRTC_SESSION_AMPLIFY      3

/* bytes saved up at most; chosen: a few reports, not a key frame */
#define NGX_WEBRTC_SESSION_BUDGET       16384

/* requests in all, and ms to the first repetition, which doubles; chosen: a
 * path that loses one in ten is proven after 100 ms, given up after 3.1 s */
#define NGX_WEBRTC_SESSION_PROBES       5
#define NGX_WEBRTC_SESSION_PROBE_RTO    100


static ngx_uint_t ngx_webrtc_session_path_chosen(ngx_webrtc_session_t *s,
    ngx_webrtc_paths_entry_t *wp, ngx_uint_t nominated);
static ngx_webrtc_paths_entry_t *ngx_webrtc_session_path_own(
    ngx_webrtc_session_t *s, ngx_webrtc_path_t *path);
static ngx_webrtc_paths_entry_t *ngx_webrtc_session_path_add(
    ngx_webrtc_session_t *s, ngx_webrtc_path_t *path);
static ngx_uint_t ngx_webrtc_session_path_foreign(ngx_webrtc_session_t *s,
    ngx_webrtc_path_t *path);
static ngx_uint_t ngx_webrtc_session_path_silent(ngx_webrtc_paths_entry_t *wp);
static ngx_webrtc_paths_entry_t *ngx_webrtc_session_path_entry(
    ngx_webrtc_session_t *s, ngx_webrtc_path_t *path);
static void ngx_webrtc_session_path_select(ngx_webrtc_session_t *s,
    ngx_webrtc_paths_entry_t *wp);
static void ngx_webrtc_session_path_proven(ngx_webrtc_session_t *s,
    ngx_webrtc_paths_entry_t *wp);
static void ngx_webrtc_session_path_ask(ngx_webrtc_session_t *s,
    ngx_webrtc_path_t *path, ngx_uint_t nominated);
static void ngx_webrtc_session_path_send(ngx_webrtc_session_t *s);
static void ngx_webrtc_session_path_remove(ngx_webrtc_session_t *s,
    ngx_webrtc_paths_entry_t *wp);
static void ngx_webrtc_session_path_use(ngx_webrtc_session_t *s,
    ngx_webrtc_path_t *path);


void
ngx_webrtc_session_path_first(ngx_webrtc_session_t *s, ngx_webrtc_path_t *path)
{
    s->current = ngx_webrtc_session_path_own(s, path);

    if (s->current == NULL) {

        /* another session's: not in the table until it is proven */

        s->current = &s->paths[0];
        s->current->path = *path;
    }

    ngx_webrtc_session_path_use(s, &s->current->path);
}


ngx_int_t
ngx_webrtc_session_path_fresh(ngx_webrtc_session_t *s, ngx_webrtc_path_t *path,
    u_char *p)
{
    uint64_t    tid;
    ngx_uint_t  i, n;

    /* RFC 8489, 5: the transaction id, of which 64 bits will do */

    ngx_memcpy(&tid, p + 8, sizeof(uint64_t));

    n = ngx_min(s->ntids, NGX_WEBRTC_SESSION_TIDS);

    for (i = 0; i < n; i++) {
        if (s->tids[i] == tid) {

            /* a retransmission comes from the same address as the first */

            return ngx_webrtc_session_path_entry(s, path) ? NGX_OK
                                                          : NGX_DECLINED;
        }
    }

    s->tids[s->ntids++ % NGX_WEBRTC_SESSION_TIDS] = tid;

    return NGX_OK;
}


void
ngx_webrtc_session_path_checked(ngx_webrtc_session_t *s,
    ngx_webrtc_path_t *path, size_t n, ngx_uint_t nominated)
{
    ngx_uint_t                 i;
    ngx_webrtc_paths_entry_t  *wp;

    wp = ngx_webrtc_session_path_own(s, path);

    if (wp == NULL) {
        ngx_webrtc_session_path_ask(s, path, nominated);
        return;
    }

    wp->checked = ngx_current_msec;

    ngx_webrtc_session_path_received(wp, n);

    if (wp == s->current) {

        for (i = 0; i < NGX_WEBRTC_SESSION_PATHS; i++) {
            s->paths[i].checks = 0;

            if (nominated) {
                s->paths[i].nominations = 0;
            }
        }

        if (s->transport.budget) {
            ngx_webrtc_session_path_ask(s, path, nominated);
        }

        return;
    }

    if (!ngx_webrtc_session_path_chosen(s, wp, nominated)) {
        return;
    }

    if (wp->proven || wp->deaf || s->state != NGX_WEBRTC_SESSION_UP) {
        ngx_webrtc_session_path_select(s, wp);
    }

    if (!wp->proven) {
        ngx_webrtc_session_path_ask(s, path, nominated);
    }
}


/* has the peer chosen this address, which is not the current one? */

static ngx_uint_t
ngx_webrtc_session_path_chosen(ngx_webrtc_session_t *s,
    ngx_webrtc_paths_entry_t *wp, ngx_uint_t nominated)
{
    ngx_uint_t  tcp;

    tcp = ngx_webrtc_path_is_tcp(&wp->path);

    if (!ngx_webrtc_path_is_tcp(&s->current->path)) {

        if (!tcp) {
            return nominated || ++wp->checks >= NGX_WEBRTC_SESSION_CHECKS;
        }

        wp->nominations = nominated ? wp->nominations + 1 : 0;

        return wp->nominations >= NGX_WEBRTC_SESSION_CHECKS
               || ngx_current_msec - s->current->checked
                  > NGX_WEBRTC_SESSION_STILL;
    }

    if (s->current->session == NULL) {
        /* it has ended */
        return 1;
    }

    if (nominated || tcp) {
        return nominated || ++wp->checks >= NGX_WEBRTC_SESSION_CHECKS;
    }

    /*
     * Checks that get through over UDP do not mean that answers do, and they
     * come more often while they do not.
     */

    if (++wp->checks < NGX_WEBRTC_SESSION_CHECKS) {
        return 0;
    }

    if (!wp->proven && !wp->deaf) {
        ngx_webrtc_session_path_ask(s, &wp->path, 0);
    }

    return wp->proven;
}


void
ngx_webrtc_session_path_received(ngx_webrtc_paths_entry_t *wp, size_t n)
{
    if (wp->proven) {
        return;
    }

    wp->budget += NGX_WEBRTC_SESSION_AMPLIFY * n;

    if (wp->budget > NGX_WEBRTC_SESSION_BUDGET) {
        wp->budget = NGX_WEBRTC_SESSION_BUDGET;
    }
}


void
ngx_webrtc_session_path_sent(ngx_webrtc_session_t *s, ngx_webrtc_path_t *path,
    size_t n)
{
    ngx_webrtc_paths_entry_t  *wp;

    wp = ngx_webrtc_session_path_entry(s, path);

    if (wp && !wp->proven) {
        wp->budget -= ngx_min(wp->budget, n);
    }
}


void
ngx_webrtc_session_path_connected(ngx_webrtc_session_t *s)
{
    if (s->current == NULL) {
        /* full ICE */
        return;
    }

    if (!s->moved && s->current->session == s) {
        s->current->proven = 1;
    }

    if (s->current->proven) {
        return;
    }

    s->transport.budget = &s->current->budget;

    ngx_webrtc_session_path_ask(s, &s->current->path, 1);
}


/* the session's entry for an address, made if no session has it; or NULL */

static ngx_webrtc_paths_entry_t *
ngx_webrtc_session_path_own(ngx_webrtc_session_t *s, ngx_webrtc_path_t *path)
{
    ngx_webrtc_paths_entry_t  *wp;

    wp = ngx_webrtc_paths_find(s->wk, path);

    if (wp && wp->session == s) {
        wp->path.local = path->local;

        if (wp == s->current) {
            ngx_webrtc_peers_set_address(s->wk->bus, s->peer, path);
        }

        return wp;
    }

    if (!ngx_webrtc_path_is_tcp(path)
        && ngx_webrtc_session_path_foreign(s, path))
    {
        return NULL;
    }

    return ngx_webrtc_session_path_add(s, path);
}


/* does another session have this address, here or in another worker? */

static ngx_uint_t
ngx_webrtc_session_path_foreign(ngx_webrtc_session_t *s,
    ngx_webrtc_path_t *path)
{
    ngx_webrtc_paths_entry_t  *wp;
    ngx_webrtc_peer_info_t     info;

    wp = ngx_webrtc_paths_find(s->wk, path);

    if (wp) {
        return wp->session != s
               && !ngx_webrtc_session_path_silent(wp);
    }

    return ngx_webrtc_peers_find_address(s->wk->bus, path, &info) == NGX_OK
           && info.ref != s->peer->ref
           && info.worker != s->wk->bus->worker;
}


/* has its owner been silent there for long? */

static ngx_uint_t
ngx_webrtc_session_path_silent(ngx_webrtc_paths_entry_t *wp)
{
    ngx_msec_t             heard;
    ngx_webrtc_session_t  *s;

    s = wp->session;
    heard = (wp == s->current) ? ngx_webrtc_session_alive(s) : wp->checked;

    return ngx_current_msec - heard > NGX_WEBRTC_SESSION_SILENT;
}


/* makes an address the session's, even if another one has it */

static ngx_webrtc_paths_entry_t *
ngx_webrtc_session_path_add(ngx_webrtc_session_t *s, ngx_webrtc_path_t *path)
{
    ngx_uint_t                 i;
    ngx_webrtc_session_t      *other;
    ngx_webrtc_paths_entry_t  *wp, *oldest;

    wp = ngx_webrtc_paths_find(s->wk, path);

    if (wp) {

        /* usually the same client's, whose page has moved on */

        other = wp->session;

        if (other->current == wp) {

            if (ngx_webrtc_session_path_silent(wp)) {
                ngx_webrtc_session_close(other, "address taken over");
            }

            other->transport.budget = &wp->budget;
        }

        ngx_webrtc_paths_remove(wp);
        wp->proven = 0;
        wp->budget = 0;
    }

    oldest = NULL;

    for (i = 0; i < NGX_WEBRTC_SESSION_PATHS; i++) {
        wp = &s->paths[i];

        if (wp == s->current && wp->session == NULL) {

            /* another session's: it is kept for that address */

            if (wp->path.listen == path->listen
                && ngx_webrtc_addr_cmp(&wp->path.remote, &path->remote) == 0)
            {
                oldest = wp;
                break;
            }

            continue;
        }

        if (wp->session == NULL) {
            oldest = wp;
            break;
        }

        if (wp != s->current
            && (oldest == NULL
                || (ngx_msec_int_t) (wp->checked - oldest->checked) < 0))
        {
            oldest = wp;
        }
    }

    wp = oldest;

    if (wp->session) {
        ngx_webrtc_session_path_remove(s, wp);
    }

    wp->session = s;
    wp->path = *path;
    wp->checks = 0;
    wp->nominations = 0;
    wp->checked = ngx_current_msec;
    wp->budget = 0;
    wp->proven = ngx_webrtc_path_is_tcp(path) ? 1 : 0;
    wp->deaf = 0;

    ngx_webrtc_paths_add(s->wk, wp);
    ngx_webrtc_peers_set_address(s->wk->bus, s->peer, path);

    return wp;
}


/* the session's entry for an address, in the table or not; or NULL */

static ngx_webrtc_paths_entry_t *
ngx_webrtc_session_path_entry(ngx_webrtc_session_t *s, ngx_webrtc_path_t *path)
{
    ngx_uint_t                 i;
    ngx_webrtc_paths_entry_t  *wp;

    for (i = 0; i < NGX_WEBRTC_SESSION_PATHS; i++) {
        wp = &s->paths[i];

        if ((wp->session == s || wp == s->current)
            && wp->path.listen == path->listen
            && ngx_webrtc_addr_cmp(&wp->path.remote, &path->remote) == 0)
        {
            return wp;
        }
    }

    return NULL;
}


static void
ngx_webrtc_session_path_select(ngx_webrtc_session_t *s,
    ngx_webrtc_paths_entry_t *wp)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_SESSION_PATHS; i++) {
        s->paths[i].checks = 0;
    }

    if (s->current == wp) {
        return;
    }

    s->current = wp;

    ngx_webrtc_session_path_use(s, &wp->path);

    if (s->state == NGX_WEBRTC_SESSION_UP) {
        s->transport.budget = wp->proven ? NULL : &wp->budget;

    } else if (s->greeted) {
        s->moved = 1;
    }

    ngx_webrtc_peers_set_address(s->wk->bus, s->peer, &wp->path);

    ngx_log_error(NGX_LOG_INFO, &s->log, 0, "webrtc session path selected%s%s",
                  ngx_webrtc_path_is_tcp(&wp->path) ? ", tcp" : "",
                  s->transport.budget ? ", it does not answer" : "");
}


/* Asks an address, unless another one is being asked. */

static void
ngx_webrtc_session_path_ask(ngx_webrtc_session_t *s, ngx_webrtc_path_t *path,
    ngx_uint_t nominated)
{
    ngx_uint_t  same;
    u_char     *p;

    same = (s->probe.path.listen == path->listen
            && ngx_webrtc_addr_cmp(&s->probe.path.remote, &path->remote) == 0);

    if (s->probe.sent) {

        if (same) {
            s->probe.nominated |= nominated;
            return;
        }

        if (s->probe.nominated || !nominated) {
            return;
        }

        s->probe.sent = 0;
    }

    /* the number of the slot leads the answer here from any worker */

    p = s->probe.tid;

    *p++ = (u_char) (s->peer->ref >> 24);
    *p++ = (u_char) (s->peer->ref >> 16);
    *p++ = (u_char) (s->peer->ref >> 8);
    *p++ = (u_char) s->peer->ref;

    if (RAND_bytes(p, NGX_WEBRTC_ICE_TID - 4) != 1) {
        return;
    }

    s->probe.path = *path;
    s->probe.nominated = nominated;

    ngx_webrtc_session_path_send(s);
    ngx_webrtc_session_schedule(s);
}


uint32_t
ngx_webrtc_session_path_number(const u_char *p)
{
    p += 8;

    return (uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}


static void
ngx_webrtc_session_path_send(ngx_webrtc_session_t *s)
{
    size_t  n;
    u_char  buf[NGX_WEBRTC_ICE_PROBE];

    s->probe.next = ngx_current_msec
                    + (NGX_WEBRTC_SESSION_PROBE_RTO << s->probe.sent);
    s->probe.sent++;

    n = ngx_webrtc_session_request(s, s->probe.tid, buf);

    if (n) {
        ngx_webrtc_transport_send_to(s->wk->udp, s->wk->tcp, &s->probe.path,
                                     buf, n);
        ngx_webrtc_session_path_sent(s, &s->probe.path, n);
    }
}


void
ngx_webrtc_session_path_timeout(ngx_webrtc_session_t *s, ngx_msec_t now)
{
    ngx_webrtc_paths_entry_t  *wp;

    if (s->probe.sent == 0 || (ngx_msec_int_t) (now - s->probe.next) < 0) {
        return;
    }

    if (s->probe.sent < NGX_WEBRTC_SESSION_PROBES) {
        ngx_webrtc_session_path_send(s);
        return;
    }

    s->probe.sent = 0;

    wp = ngx_webrtc_session_path_entry(s, &s->probe.path);

    if (wp && wp->session == s && !wp->proven) {
        wp->deaf = 1;

        if (s->probe.nominated
            || (wp->checks >= NGX_WEBRTC_SESSION_CHECKS
                && !ngx_webrtc_path_is_tcp(&s->current->path)))
        {
            ngx_webrtc_session_path_select(s, wp);
        }
    }
}


void
ngx_webrtc_session_path_answered(ngx_webrtc_session_t *s,
    ngx_webrtc_path_t *path, u_char *p, size_t n)
{
    ngx_webrtc_paths_entry_t  *wp;

    if (s->state == NGX_WEBRTC_SESSION_CLOSING
        || s->probe.sent == 0
        || s->probe.path.listen != path->listen
        || ngx_webrtc_addr_cmp(&s->probe.path.remote, &path->remote) != 0
        || ngx_webrtc_session_answered(s, p, n, s->probe.tid) != NGX_OK)
    {
        ngx_webrtc_bus_drop(s->wk->bus, NGX_WEBRTC_DROP_STUN);
        return;
    }

    s->probe.sent = 0;

    wp = ngx_webrtc_paths_find(s->wk, path);

    if (wp == NULL || wp->session != s) {
        wp = ngx_webrtc_session_path_add(s, path);
    }

    wp->path.local = path->local;

    ngx_webrtc_session_path_proven(s, wp);
    ngx_webrtc_session_schedule(s);
}


static void
ngx_webrtc_session_path_proven(ngx_webrtc_session_t *s,
    ngx_webrtc_paths_entry_t *wp)
{
    wp->proven = 1;
    wp->deaf = 0;

    if (s->probe.nominated || wp->checks >= NGX_WEBRTC_SESSION_CHECKS) {
        ngx_webrtc_session_path_select(s, wp);
    }

    if (wp == s->current) {
        s->transport.budget = NULL;
    }
}


void
ngx_webrtc_session_path_done(ngx_webrtc_session_t *s)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_SESSION_PATHS; i++) {
        if (s->paths[i].session) {
            ngx_webrtc_session_path_remove(s, &s->paths[i]);
        }
    }
}


void
ngx_webrtc_session_path_gone(ngx_webrtc_session_t *s,
    ngx_webrtc_paths_entry_t *wp)
{
    ngx_uint_t                 i;
    ngx_webrtc_paths_entry_t  *other, *next;

    ngx_webrtc_paths_remove(wp);

    if (wp != s->current) {
        return;
    }

    /* the one that was checked last; UDP if it is alive */

    next = NULL;

    for (i = 0; i < NGX_WEBRTC_SESSION_PATHS; i++) {
        other = &s->paths[i];

        if (other->session == s
            && (next == NULL
                || (ngx_msec_int_t) (other->checked - next->checked) > 0))
        {
            next = other;
        }
    }

    if (next) {
        ngx_webrtc_session_path_select(s, next);
        return;
    }

    /* what is sent is dropped */

    ngx_webrtc_session_path_use(s, &wp->path);

    ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                  "webrtc session path lost, the connection was closed");
}


/* gives an address up; a connection ends with it */

static void
ngx_webrtc_session_path_remove(ngx_webrtc_session_t *s,
    ngx_webrtc_paths_entry_t *wp)
{
    ngx_webrtc_paths_remove(wp);

    if (ngx_webrtc_path_is_tcp(&wp->path)) {
        ngx_webrtc_tcp_close(s->wk->tcp, &wp->path);
    }
}


/* sends there from now on */

static void
ngx_webrtc_session_path_use(ngx_webrtc_session_t *s, ngx_webrtc_path_t *path)
{
    ngx_webrtc_transport_select(&s->transport, s->wk->tcp, path);

    ngx_webrtc_session_stat_pair(s, (u_char *) "tcp",
                                 s->transport.conn ? sizeof("tcp") - 1 : 0);
}
