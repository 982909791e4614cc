
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Requests of ours to an address that has not proven itself: how often and when
 * one is repeated, and that each address gets all of its own.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_session.h"
#include "ngx_webrtc_session_path.h"

#include "tap.h"


/* NGX_WEBRTC_SESSION_PROBES and _PROBE_RTO */
#define PROBES  5
#define RTO     100

/* bytes of a request here */
#define REQUEST  80


static ngx_webrtc_worker_t    worker;
static ngx_webrtc_bus_t       bus;
static ngx_webrtc_peer_t      peer;
static ngx_webrtc_session_t   session;

static ngx_webrtc_path_t      sent_to;
static ngx_uint_t             sent;
static ngx_uint_t             dropped;
static ngx_int_t              authentic;


/* in the place of the session's other files, and of what they stand on */

ngx_webrtc_paths_entry_t *
ngx_webrtc_paths_find(ngx_webrtc_worker_t *wk, ngx_webrtc_path_t *path)
{
    ngx_uint_t                 i;
    ngx_webrtc_paths_entry_t  *wp;

    (void) wk;

    for (i = 0; i < NGX_WEBRTC_SESSION_PATHS; i++) {
        wp = &session.paths[i];

        if (wp->session && wp->path.listen == path->listen
            && ngx_webrtc_addr_cmp(&wp->path.remote, &path->remote) == 0)
        {
            return wp;
        }
    }

    return NULL;
}


void
ngx_webrtc_paths_add(ngx_webrtc_worker_t *wk,
    ngx_webrtc_paths_entry_t *wp)
{
    (void) wk; (void) wp;
}


void
ngx_webrtc_paths_remove(ngx_webrtc_paths_entry_t *wp)
{
    wp->session = NULL;
}


void
ngx_webrtc_peers_set_address(ngx_webrtc_bus_t *b, ngx_webrtc_peer_t *p,
    ngx_webrtc_path_t *path)
{
    (void) b; (void) p; (void) path;
}


ngx_int_t
ngx_webrtc_peers_find_address(ngx_webrtc_bus_t *b, ngx_webrtc_path_t *path,
    ngx_webrtc_peer_info_t *info)
{
    (void) b; (void) path; (void) info;

    return NGX_DECLINED;
}


ngx_msec_t
ngx_webrtc_session_alive(ngx_webrtc_session_t *s)
{
    return s->checked;
}


void
ngx_webrtc_session_close(ngx_webrtc_session_t *s, const char *text)
{
    (void) text;

    s->state = NGX_WEBRTC_SESSION_CLOSING;
}


void
ngx_webrtc_session_schedule(ngx_webrtc_session_t *s)
{
    (void) s;
}


size_t
ngx_webrtc_session_request(ngx_webrtc_session_t *s, const u_char *tid,
    u_char *buf)
{
    (void) s; (void) tid;

    buf[0] = 0;

    return REQUEST;
}


ngx_int_t
ngx_webrtc_session_answered(ngx_webrtc_session_t *s, const u_char *p, size_t n,
    const u_char *tid)
{
    (void) s; (void) p; (void) n; (void) tid;

    return authentic;
}


void
ngx_webrtc_udp_send(ngx_webrtc_udp_t *udp, ngx_webrtc_path_t *path, u_char *p,
    size_t n)
{
    (void) udp; (void) p; (void) n;

    sent_to = *path;
    sent++;
}


void
ngx_webrtc_bus_drop(ngx_webrtc_bus_t *b, ngx_webrtc_drop_e what)
{
    (void) b; (void) what;

    dropped++;
}


void
ngx_webrtc_session_stat_pair(ngx_webrtc_session_t *s, u_char *p, size_t n)
{
    (void) s; (void) p; (void) n;
}


/* connections: those that were closed by the session are counted */

struct ngx_webrtc_tcp_conn_s {
    int  unused;
};

static ngx_webrtc_tcp_conn_t  conn, none;
static ngx_uint_t             closed;
static ngx_uint_t             gone;           /* it is found no more */


ngx_webrtc_tcp_conn_t *
ngx_webrtc_tcp_find(ngx_webrtc_tcp_t *tcp, ngx_webrtc_path_t *path)
{
    (void) tcp;

    return path->listen == gone ? &none : &conn;
}


void
ngx_webrtc_tcp_close(ngx_webrtc_tcp_t *tcp, ngx_webrtc_path_t *path)
{
    (void) tcp; (void) path;

    closed++;
}


void
ngx_webrtc_tcp_send(ngx_webrtc_tcp_conn_t *c, u_char *p, size_t n)
{
    (void) c; (void) p; (void) n;

    tap_ok(0, "nothing is asked over a connection");
}


static ngx_webrtc_path_t *
at(ngx_uint_t host)
{
    static ngx_webrtc_path_t  path[8];

    ngx_memzero(&path[host], sizeof(ngx_webrtc_path_t));

    path[host].remote.u.in.sin_family = AF_INET;
    path[host].remote.u.in.sin_port = htons(5000);
    path[host].remote.u.in.sin_addr.s_addr = htonl(0xcb007100 + host);
    path[host].remote.len = sizeof(struct sockaddr_in);

    return &path[host];
}


/* a connection from there; its number is that of the host */

static ngx_webrtc_path_t *
tcp(ngx_uint_t host)
{
    ngx_webrtc_path_t  *path;

    path = at(host);
    path->listen = NGX_WEBRTC_TCP_NUMBER + host;

    return path;
}


static ngx_uint_t
host_of(ngx_webrtc_path_t *path)
{
    return ntohl(path->remote.u.in.sin_addr.s_addr) & 0xff;
}


/* a session that is up at host 1, which is proven */

static void
begin(void)
{
    ngx_memzero(&session, sizeof(ngx_webrtc_session_t));
    ngx_memzero(&peer, sizeof(ngx_webrtc_peer_t));

    worker.bus = &bus;
    session.wk = &worker;
    session.peer = &peer;
    peer.ref = 1;

    ngx_current_msec = 100000;
    session.checked = ngx_current_msec;

    ngx_webrtc_session_path_first(&session, at(1));
    session.state = NGX_WEBRTC_SESSION_UP;
    ngx_webrtc_session_path_connected(&session);

    sent = 0;
    dropped = 0;
    closed = 0;
    gone = 0;
    authentic = NGX_DECLINED;
}


static void
check(ngx_webrtc_path_t *path, ngx_uint_t nominated)
{
    ngx_webrtc_session_path_checked(&session, path, 100, nominated);
}


/* as many requests to a host as follow, each at its time; returns how many */

static ngx_uint_t
repeats(ngx_uint_t host, const char *name)
{
    ngx_msec_t  first, gap;
    ngx_uint_t  before, n;

    first = ngx_current_msec;

    for (n = 1, gap = RTO; session.probe.sent; n++, gap *= 2) {

        before = sent;

        ngx_current_msec = first + gap - 1;
        ngx_webrtc_session_path_timeout(&session, ngx_current_msec);
        tap_is_int(sent, before, "%s: not before its time", name);

        ngx_current_msec = first + gap;
        ngx_webrtc_session_path_timeout(&session, ngx_current_msec);
        first = ngx_current_msec;

        if (sent == before) {
            break;
        }

        tap_is_int(host_of(&sent_to), host, "%s: one more after %d ms", name,
                   (int) gap);
    }

    return n;
}


static void
test_all(void)
{
    begin();

    ngx_webrtc_session_path_checked(&session, at(2), 100, 1);

    tap_is_int(sent, 1, "all: a new address is asked");
    tap_is_int(host_of(&sent_to), 2, "all: that one");
    tap_is_int(host_of(&session.current->path), 1, "all: nothing moves");

    tap_is_int(repeats(2, "all"), PROBES, "all: so many times");

    tap_is_int(host_of(&session.current->path), 2,
               "all: who does not answer is followed");
    tap_ok(session.transport.budget != NULL, "all: with a limit");
}


/* what is sent to an address that is not proven, of whatever kind */

static void
test_limit(void)
{
    size_t  budget;

    begin();

    ngx_webrtc_session_path_checked(&session, at(2), 100, 1);
    ngx_webrtc_session_path_sent(&session, at(2), 90);
    (void) repeats(2, "limit");

    budget = 0;

    tap_ok(session.transport.budget == &session.current->budget,
           "limit: there is one");
    tap_is_int((int) *session.transport.budget, (int) budget,
               "limit: requests have used it up");

    ngx_webrtc_session_path_checked(&session, at(2), 1000, 0);
    budget += 3 * 1000 - REQUEST;
    tap_is_int((int) *session.transport.budget, (int) budget,
               "limit: three times of what came, but for a request");

    ngx_webrtc_session_path_sent(&session, at(2), 90);
    budget -= 90;
    tap_is_int((int) *session.transport.budget, (int) budget,
               "limit: and for an answer");

    ngx_webrtc_session_path_sent(&session, at(3), 90);
    tap_is_int((int) *session.transport.budget, (int) budget,
               "limit: not for what goes elsewhere");

    tap_ok(ngx_webrtc_transport_allow(&session.transport, budget),
           "limit: media may have the rest");
    tap_ok(!ngx_webrtc_transport_allow(&session.transport, 1),
           "limit: and no more");
}


/* another address is nominated while one is being asked */

static void
test_superseded(void)
{
    begin();

    ngx_webrtc_session_path_checked(&session, at(2), 100, 0);
    ngx_webrtc_session_path_checked(&session, at(2), 100, 0);
    tap_is_int(host_of(&sent_to), 2, "superseded: the first is asked");

    /* four requests of five are used up */

    ngx_current_msec += 100;
    ngx_webrtc_session_path_timeout(&session, ngx_current_msec);
    ngx_current_msec += 200;
    ngx_webrtc_session_path_timeout(&session, ngx_current_msec);
    ngx_current_msec += 400;
    ngx_webrtc_session_path_timeout(&session, ngx_current_msec);
    tap_is_int(sent, 4, "superseded: and asked again");

    ngx_webrtc_session_path_checked(&session, at(3), 100, 0);
    tap_is_int(sent, 4, "superseded: by none that is not nominated");

    ngx_webrtc_session_path_checked(&session, at(3), 100, 1);
    tap_is_int(sent, 5, "superseded: one that is nominated is asked");
    tap_is_int(host_of(&sent_to), 3, "superseded: that one");

    tap_is_int(repeats(3, "superseded"), PROBES,
               "superseded: as often as any");

    tap_is_int(host_of(&session.current->path), 3, "superseded: and followed");
}


/* one that is nominated is asked to the end */

static void
test_nominated(void)
{
    begin();

    ngx_webrtc_session_path_checked(&session, at(2), 100, 1);
    ngx_webrtc_session_path_checked(&session, at(3), 100, 1);

    tap_is_int(sent, 1, "nominated: the first goes on");
    tap_is_int(repeats(2, "nominated"), PROBES, "nominated: so many times");
}


static void
test_answered(void)
{
    begin();

    ngx_webrtc_session_path_checked(&session, at(2), 100, 1);

    ngx_current_msec += 100;
    ngx_webrtc_session_path_timeout(&session, ngx_current_msec);
    tap_is_int(sent, 2, "answered: asked twice");

    ngx_webrtc_session_path_answered(&session, at(2), (u_char *) "x", 1);
    tap_is_int(dropped, 1, "answered: what is not authentic is dropped");
    tap_is_int(host_of(&session.current->path), 1, "answered: nothing moves");

    authentic = NGX_OK;

    ngx_webrtc_session_path_answered(&session, at(3), (u_char *) "x", 1);
    tap_is_int(dropped, 2, "answered: nor from elsewhere");

    ngx_webrtc_session_path_answered(&session, at(2), (u_char *) "x", 1);
    tap_is_int(host_of(&session.current->path), 2, "answered: it moves");
    tap_ok(session.transport.budget == NULL, "answered: without a limit");
    tap_is_int(session.probe.sent, 0, "answered: none is under way");

    ngx_webrtc_session_path_answered(&session, at(2), (u_char *) "x", 1);
    tap_is_int(dropped, 3, "answered: once");

    ngx_current_msec += 10000;
    ngx_webrtc_session_path_timeout(&session, ngx_current_msec);
    tap_is_int(sent, 2, "answered: nothing is asked any more");

    /* the next address begins anew */

    authentic = NGX_DECLINED;
    session.checked = ngx_current_msec;
    ngx_webrtc_session_path_checked(&session, at(4), 100, 1);
    tap_is_int(repeats(4, "next"), PROBES, "answered: the next has all of its");
}


/* a connection beside UDP */

static void
test_tcp(void)
{
    begin();

    check(tcp(2), 0);
    check(tcp(2), 0);
    check(tcp(2), 1);
    tap_is_int(host_of(&session.current->path), 1, "tcp: UDP is used");

    check(at(1), 1);
    check(tcp(2), 1);
    tap_is_int(host_of(&session.current->path), 1,
               "tcp: and when both are nominated");
    tap_ok(session.transport.conn == NULL, "tcp: over UDP");

    check(tcp(2), 1);
    tap_is_int(host_of(&session.current->path), 2,
               "tcp: the second nomination in a row counts");
    tap_ok(session.transport.conn == &conn, "tcp: over the connection");
    tap_ok(session.transport.budget == NULL, "tcp: without a limit");
    tap_is_int(sent, 0, "tcp: nothing is asked");

    /* only checks of the peer get through over UDP */

    check(at(3), 0);
    check(at(3), 0);
    check(at(3), 0);
    tap_is_int(host_of(&sent_to), 3, "tcp: another address of UDP is asked");
    (void) repeats(3, "tcp");
    check(at(3), 0);
    tap_is_int(host_of(&session.current->path), 2,
               "tcp: who does not answer over UDP is not followed");

    check(at(1), 0);
    tap_is_int(host_of(&session.current->path), 2, "tcp: one check");
    check(at(1), 0);
    tap_is_int(host_of(&session.current->path), 1,
               "tcp: two over UDP, where it is proven");

    check(tcp(2), 1);
    check(tcp(2), 1);
    check(at(1), 1);
    tap_is_int(host_of(&session.current->path), 1,
               "tcp: back to UDP when that is nominated");
}


/* UDP is silent, and the connection is checked but not nominated */

static void
test_silent(void)
{
    begin();

    check(at(1), 1);
    check(tcp(2), 0);

    ngx_current_msec += 5000;
    check(tcp(2), 0);
    tap_is_int(host_of(&session.current->path), 1, "silent: not yet");

    ngx_current_msec += 1000;
    check(tcp(2), 0);
    tap_is_int(host_of(&session.current->path), 2, "silent: to TCP");
}


static void
test_gone(void)
{
    ngx_webrtc_paths_entry_t  *wp;

    begin();

    check(tcp(2), 1);
    check(tcp(2), 1);

    wp = session.current;
    gone = wp->path.listen;
    ngx_webrtc_session_path_gone(&session, wp);
    tap_is_int(host_of(&session.current->path), 1, "gone: back to UDP");
    tap_ok(session.transport.conn == NULL, "gone: which has no connection");

    /* without UDP */

    begin();
    session.current->session = NULL;
    ngx_memzero(&session.paths, sizeof(session.paths));
    ngx_webrtc_session_path_first(&session, tcp(2));

    gone = tcp(2)->listen;
    ngx_webrtc_session_path_gone(&session, session.current);
    tap_ok(session.transport.conn == &none, "gone: what is sent is dropped");

    check(tcp(3), 0);
    tap_is_int(host_of(&session.current->path), 3,
               "gone: the first check of another one");
    tap_ok(session.transport.conn == &conn, "gone: is sent to");

    ngx_webrtc_session_path_done(&session);
    tap_is_int(closed, 1, "gone: it is closed with the session");
}


int
main(void)
{
    test_all();
    test_limit();
    test_superseded();
    test_nominated();
    test_answered();
    test_tcp();
    test_silent();
    test_gone();

    return tap_done();
}
