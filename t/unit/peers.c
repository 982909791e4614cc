
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Session slots, and the index behind them.
 */


#include "bus_zone.h"
#include "ngx_webrtc_bus_index.h"
#include "ngx_webrtc_bus_peers.h"
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_bus_push.h"


#define ZONE  (8 * 1024 * 1024)


/* the owner of a slot that restarts */
typedef struct {
    ngx_int_t                rc;
    ngx_uint_t               n;
    ngx_webrtc_peer_info_t   info;
} told_t;


static told_t  told;


static void
peer_make(ngx_webrtc_peer_t *peer, int n, uint64_t expires_ms)
{
    ngx_memzero(peer, sizeof(ngx_webrtc_peer_t));

    ngx_sprintf(peer->id, "%032xd", n);
    ngx_sprintf(peer->etag, "%016xd", n);
    peer->role = NGX_WEBRTC_PEER_PLAY;
    peer->expires_ms = expires_ms;
    peer->desc.local_ufrag_len = (uint8_t)
        (ngx_sprintf(peer->desc.local_ufrag, "u%d", n)
         - peer->desc.local_ufrag);
    peer->desc.local_pwd_len = 3;
    ngx_memcpy(peer->desc.local_pwd, "pwd", 3);
}


static void
path_make(ngx_webrtc_path_t *path, const char *ip, int port, uint32_t listen)
{
    struct sockaddr_in   sin;
    struct sockaddr_in6  sin6;

    ngx_memzero(path, sizeof(ngx_webrtc_path_t));
    ngx_memzero(&sin, sizeof(sin));
    ngx_memzero(&sin6, sizeof(sin6));

    if (strchr(ip, ':')) {
        sin6.sin6_family = AF_INET6;
        sin6.sin6_port = htons(port);
        inet_pton(AF_INET6, ip, &sin6.sin6_addr);
        ngx_webrtc_addr_set(&path->remote, (struct sockaddr *) &sin6,
                            sizeof(sin6));

    } else {
        sin.sin_family = AF_INET;
        sin.sin_port = htons(port);
        inet_pton(AF_INET, ip, &sin.sin_addr);
        ngx_webrtc_addr_set(&path->remote, (struct sockaddr *) &sin,
                            sizeof(sin));
    }

    path->listen = listen;
}


static ngx_int_t
find_id(ngx_webrtc_bus_t *bus, int n, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_info_t *info)
{
    u_char     id[64];
    ngx_str_t  v;

    v.data = id;
    v.len = ngx_sprintf(id, "%032xd", n) - id;

    return ngx_webrtc_peers_find_id(bus, &v, peer, info);
}


static ngx_int_t
find_ufrag(ngx_webrtc_bus_t *bus, const char *ufrag, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_info_t *info)
{
    ngx_str_t  v;

    v.data = (u_char *) ufrag;
    v.len = strlen(ufrag);

    return ngx_webrtc_peers_find_ufrag(bus, &v, peer, info);
}


static ngx_int_t
find_path(ngx_webrtc_bus_t *bus, const char *ip, int port, uint32_t listen,
    ngx_webrtc_peer_info_t *info)
{
    ngx_webrtc_path_t  path;

    path_make(&path, ip, port, listen);

    return ngx_webrtc_peers_find_address(bus, &path, info);
}


static void
test_index(void)
{
    int                  i, ok;
    void                *mem;
    u_char               msg[8];
    ngx_webrtc_index_t  *ix;

    const int  n = 1000;

    mem = calloc(1, ngx_webrtc_index_size(2 * n));
    ix = ngx_webrtc_index_init(mem, 2 * n,
                               (u_char *) "\x00\x01\x02\x03\x04\x05\x06\x07"
                                          "\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f");

    /*
     * SipHash-1-3 of 00, 00 01, .. 00 .. 07 under the key 00 .. 0f: lengths 1
     * to 8 of test_siphash_1_3 in Rust's library/core, read as little-endian.
     * The kind is the first byte
     */

    static const uint64_t  vectors[] = {
        0xc9f49bf37d57ca93ULL, 0x82cb9b024dc7d44dULL, 0x8bf80ab8e7ddf7fbULL,
        0xcf75576088d38328ULL, 0xdef9d52f49533b67ULL, 0xc50d2b50c59f22a7ULL,
        0xd3927d989bb11140ULL, 0x369095118d299a8eULL
    };

    for (i = 0; i < 8; i++) {
        msg[i] = (u_char) (i + 1);
    }

    ok = 1;

    for (i = 0; i < 8; i++) {
        ok = ok && ngx_webrtc_index_hash(ix, 0, msg, i) == vectors[i];
    }

    tap_ok(ok, "SipHash-1-3");

    for (i = 1; i <= n; i++) {
        ok = ok && ngx_webrtc_index_set(ix, i * 0x9e3779b97f4a7c15ULL, i)
                   == NGX_OK;
    }

    for (i = 1; i <= n; i++) {
        ok = ok && ngx_webrtc_index_find(ix, i * 0x9e3779b97f4a7c15ULL)
                   == (uint64_t) i;
    }

    tap_ok(ok, "%d keys are found", n);

    for (i = 1; i <= n; i += 2) {
        ngx_webrtc_index_remove(ix, i * 0x9e3779b97f4a7c15ULL, i);
        ngx_webrtc_index_remove(ix, (i + 1) * 0x9e3779b97f4a7c15ULL, i);
    }

    for (i = 1; i <= n; i++) {
        ok = ok && ngx_webrtc_index_find(ix, i * 0x9e3779b97f4a7c15ULL)
                   == (uint64_t) ((i & 1) ? 0 : i);
    }

    tap_ok(ok, "every other one is removed, others' values are not");

    tap_is_int(ngx_webrtc_index_set(ix, 7, 1), NGX_OK, "set");
    tap_is_int(ngx_webrtc_index_set(ix, 7, 2), NGX_OK, "set again");
    tap_is_int(ngx_webrtc_index_find(ix, 7), 2, "the newest");
    ngx_webrtc_index_remove(ix, 7, 1);
    tap_is_int(ngx_webrtc_index_find(ix, 7), 2, "the older is none to remove");
    ngx_webrtc_index_remove(ix, 7, 2);
    tap_is_int(ngx_webrtc_index_find(ix, 7), 0, "removed");

    /* full: one home for all */

    for (i = 1; i < 10000; i++) {
        if (ngx_webrtc_index_set(ix, (uint64_t) i << 32, 1) != NGX_OK) {
            break;
        }
    }

    tap_ok(i > 100 && i < 1000, "no room near: declined after %d", i);

    free(mem);
}


static void
test_life(void)
{
    size_t                   before;
    uint64_t                 ref;
    ngx_uint_t               cursor;
    ngx_webrtc_bus_t        *bus, bus2;
    ngx_webrtc_path_t        path;
    ngx_webrtc_peer_t        peer, copy, *mine;
    ngx_webrtc_peer_info_t   info;

    /* two workers; the parent stands in for the first */

    bus = bus_zone(ZONE);
    ngx_pid = getppid();
    ngx_webrtc_bus_attach(bus, &bus_log);
    ngx_pid = getpid();

    bus2 = *bus;
    bus2.worker = NGX_WEBRTC_WORKER_NONE;
    ngx_webrtc_bus_attach(&bus2, &bus_log);

    before = ngx_webrtc_bus_free(bus);

    peer_make(&peer, 1, 1000);

    tap_ok(sizeof(ngx_webrtc_peer_t) <= NGX_WEBRTC_PEER_SIZE,
           "a slot of %lu bytes", (unsigned long) sizeof(ngx_webrtc_peer_t));
    tap_is_int(ngx_webrtc_peers_create(bus, &peer), NGX_OK, "create");
    tap_ok(peer.ref != 0, "has a reference");
    tap_is_int(ngx_webrtc_peers_count(bus), 1, "count");

    ref = peer.ref;

    tap_is_int(find_id(&bus2, 1, &copy, &info), NGX_OK, "by id");
    tap_ok(info.ref == ref && info.state == NGX_WEBRTC_PEER_NEW
           && info.worker == NGX_WEBRTC_WORKER_NONE, "new, nobody's");
    tap_is_str(copy.etag, "0000000000000001", "its copy");
    tap_is_int(find_id(bus, 2, &copy, &info), NGX_DECLINED, "no such id");
    tap_is_int(find_ufrag(bus, "u1", NULL, &info), NGX_OK, "by ufrag");
    tap_is_int(find_ufrag(bus, "u", NULL, &info), NGX_DECLINED, "half of it");
    tap_is_int(find_ufrag(bus, "", NULL, &info), NGX_DECLINED, "none");
    tap_is_int(find_ufrag(bus, "0123456789012345678901234567890123456789",
                          NULL, &info), NGX_DECLINED, "too long");
    tap_is_int(ngx_webrtc_peers_find_ref(bus, ref, NULL, &info), NGX_OK,
               "by reference");
    tap_ok(ngx_webrtc_peers_mine(bus, ref) == NULL, "not mine yet");

    /* claim */

    mine = ngx_webrtc_peers_claim(bus, ref);
    tap_ok(mine != NULL && mine->ref == ref, "claim");
    tap_ok(ngx_webrtc_peers_claim(&bus2, ref) == NULL
           && ngx_webrtc_peers_claim(bus, ref) == NULL, "once");
    tap_ok(ngx_webrtc_peers_mine(bus, ref) == mine
           && ngx_webrtc_peers_mine(&bus2, ref) == NULL, "mine");

    mine->session = &bus2;

    tap_ok(find_id(bus, 1, &copy, &info) == NGX_OK
           && info.state == NGX_WEBRTC_PEER_CLAIMED && info.worker == 0
           && copy.session == &bus2, "the owner sees its session");
    tap_ok(find_id(&bus2, 1, &copy, &info) == NGX_OK
           && info.worker == 0 && copy.session == NULL,
           "others see the owner");

    /* addresses */

    tap_is_int(find_path(&bus2, "127.0.0.1", 1000, 0, &info), NGX_DECLINED,
               "no address yet");

    path_make(&path, "127.0.0.1", 1000, 0);
    ngx_webrtc_peers_set_address(bus, mine, &path);
    ngx_webrtc_peers_set_address(bus, mine, &path);

    tap_is_int(find_path(&bus2, "127.0.0.1", 1000, 0, &info), NGX_OK, "known");
    tap_ok(info.ref == ref && info.worker == 0, "whose it is");
    tap_is_int(find_path(&bus2, "127.0.0.1", 1000, 1, &info), NGX_DECLINED,
               "not on another port of ours");
    tap_is_int(find_path(&bus2, "127.0.0.1", 1001, 0, &info), NGX_DECLINED,
               "not from another port");

    path_make(&path, "2001:db8::1", 1000, 0);
    ngx_webrtc_peers_set_address(bus, mine, &path);
    path_make(&path, "127.0.0.1", 1002, 0);
    ngx_webrtc_peers_set_address(bus, mine, &path);
    path_make(&path, "127.0.0.1", 1003, 0);
    ngx_webrtc_peers_set_address(bus, mine, &path);

    tap_ok(find_path(&bus2, "127.0.0.1", 1000, 0, &info) == NGX_OK
           && find_path(&bus2, "2001:db8::1", 1000, 0, &info) == NGX_OK
           && find_path(&bus2, "127.0.0.1", 1003, 0, &info) == NGX_OK,
           "four are known, IPv6 too");

    path_make(&path, "127.0.0.1", 1004, 0);
    ngx_webrtc_peers_set_address(bus, mine, &path);

    tap_ok(find_path(&bus2, "127.0.0.1", 1000, 0, &info) == NGX_DECLINED
           && find_path(&bus2, "127.0.0.1", 1004, 0, &info) == NGX_OK,
           "the oldest is forgotten for the fifth");

    path_make(&path, "127.0.0.1", 1002, 0);
    ngx_webrtc_peers_set_address(bus, mine, &path);

    (void) find_id(&bus2, 1, &copy, &info);
    tap_is_int(ntohs(copy.addrs[copy.current].addr.u.in.sin_port), 1002,
               "back at a former one");

    /* a newer session from the same address */

    peer_make(&peer, 2, 1000);
    (void) ngx_webrtc_peers_create(&bus2, &peer);
    ngx_webrtc_peers_set_address(&bus2,
                                 ngx_webrtc_peers_claim(&bus2, peer.ref),
                                 &path);
    tap_ok(find_path(bus, "127.0.0.1", 1002, 0, &info) == NGX_OK
           && info.worker == 1, "the newest session has an address");

    /* close */

    tap_is_int(ngx_webrtc_peers_close(&bus2, ref), NGX_BUSY,
               "not by another worker");
    tap_is_int(ngx_webrtc_peers_close(bus, ref), NGX_OK, "close");
    tap_is_int(ngx_webrtc_peers_close(bus, ref), NGX_DECLINED, "once");
    tap_ok(find_id(bus, 1, &copy, &info) == NGX_DECLINED
           && find_ufrag(bus, "u1", &copy, &info) == NGX_DECLINED
           && find_path(bus, "127.0.0.1", 1004, 0, &info) == NGX_DECLINED
           && ngx_webrtc_peers_lock(bus, ref) == NULL, "it is gone");
    tap_ok(find_path(bus, "127.0.0.1", 1002, 0, &info) == NGX_OK,
           "the address of the newer one is not");
    tap_is_int(ngx_webrtc_peers_close(&bus2, peer.ref), NGX_OK, "close");

    /* new ones: by anybody, and by time */

    peer_make(&peer, 3, 5000);
    (void) ngx_webrtc_peers_create(bus, &peer);
    tap_is_int(ngx_webrtc_peers_close(&bus2, peer.ref), NGX_OK,
               "a new one is closed by any worker");

    peer_make(&peer, 4, 5000);
    (void) ngx_webrtc_peers_create(bus, &peer);
    ref = peer.ref;
    peer_make(&peer, 5, 6000);
    (void) ngx_webrtc_peers_create(bus, &peer);
    peer_make(&peer, 6, 5000);
    (void) ngx_webrtc_peers_create(bus, &peer);
    (void) ngx_webrtc_peers_claim(bus, peer.ref);

    tap_is_int(ngx_webrtc_peers_expire(bus, 4999), 0, "not yet");
    tap_is_int(ngx_webrtc_peers_expire(&bus2, 5100), 0, "not so soon again");
    tap_is_int(ngx_webrtc_peers_expire(&bus2, 5300), 1, "one expires");
    tap_ok(ngx_webrtc_peers_claim(bus, ref) == NULL, "it is not to be had");
    tap_is_int(ngx_webrtc_peers_count(bus), 2, "two are left");

    cursor = 0;
    tap_ok(ngx_webrtc_peers_next(bus, &cursor, &copy, &info) == NGX_OK
           && ngx_webrtc_peers_next(bus, &cursor, &copy, &info) == NGX_OK
           && ngx_webrtc_peers_next(bus, &cursor, &copy, &info) == NGX_DONE,
           "and listed");

    /* change */

    mine = ngx_webrtc_peers_lock(bus, peer.ref);
    ngx_memset(mine->etag, 'e', NGX_WEBRTC_PEER_ETAG_LEN);
    ngx_webrtc_peers_unlock(bus);

    (void) find_id(bus, 6, &copy, &info);
    tap_is_str(copy.etag, "eeeeeeeeeeeeeeee", "changed under the lock");

    ngx_webrtc_bus_detach(bus);
    tap_is_int(ngx_webrtc_peers_count(&bus2), 1, "detach closes its own");
    tap_is_int(ngx_webrtc_peers_expire(&bus2, 9999), 1, "the other expires");
    tap_is_int(ngx_webrtc_bus_free(&bus2), before, "all memory is back");

    ngx_webrtc_bus_detach(&bus2);
}


static void
test_many(void)
{
    int                      n, ok;
    size_t                   before, used;
    ngx_webrtc_bus_t        *bus;
    ngx_webrtc_peer_t        peer;
    ngx_webrtc_peer_info_t   info;

    bus = bus_zone(64 * 1024 * 1024);
    ngx_webrtc_bus_attach(bus, &bus_log);

    before = ngx_webrtc_bus_free(bus);
    ok = 1;

    for (n = 0; n < 10000 && ok; n++) {
        peer_make(&peer, n, 1000);
        ok = ngx_webrtc_peers_create(bus, &peer) == NGX_OK;
    }

    used = 64 * 1024 * 1024 - ngx_webrtc_bus_free(bus);

    tap_ok(ok && used < 26 * 1000 * 1000,
           "10,000 unclaimed sessions cost less than 26 MB with all else "
           "(%lu)", (unsigned long) used);

    for (n = 0; n < 10000 && ok; n++) {
        ok = find_id(bus, n, NULL, &info) == NGX_OK;
    }

    tap_ok(ok, "all are found");

    for (n = 10000; n < 40000; n++) {
        peer_make(&peer, n, 1000);

        if (ngx_webrtc_peers_create(bus, &peer) != NGX_OK) {
            break;
        }
    }

    tap_is_int(n, 16384, "half of the zone may be sessions, no more");
    tap_ok(find_id(bus, 9999, NULL, &info) == NGX_OK, "others stay");

    tap_is_int(ngx_webrtc_peers_expire(bus, 1000), 16384, "they vanish");
    tap_is_int(ngx_webrtc_bus_free(bus), before, "all memory is back");

    ngx_webrtc_bus_detach(bus);
}


static void
test_death(void)
{
    pid_t                    pid;
    ngx_webrtc_bus_t        *bus;
    ngx_webrtc_path_t        path;
    ngx_webrtc_peer_t        peer;
    ngx_webrtc_peer_info_t   info;

    bus = bus_zone(ZONE);
    ngx_webrtc_bus_attach(bus, &bus_log);

    pid = fork();

    if (pid == 0) {
        bus_process();
        bus->worker = NGX_WEBRTC_WORKER_NONE;
        ngx_webrtc_bus_attach(bus, &bus_log);

        peer_make(&peer, 1, 1000);
        (void) ngx_webrtc_peers_create(bus, &peer);

        peer_make(&peer, 2, 1000);
        (void) ngx_webrtc_peers_create(bus, &peer);
        path_make(&path, "127.0.0.1", 1000, 0);
        ngx_webrtc_peers_set_address(bus,
                                     ngx_webrtc_peers_claim(bus, peer.ref),
                                     &path);
        kill(getpid(), SIGKILL);
    }

    tap_is_int(bus_wait(bus, pid), -1, "a worker is killed");
    tap_is_int(find_path(bus, "127.0.0.1", 1000, 0, &info), NGX_OK,
               "its session is known");
    tap_is_int(ngx_webrtc_bus_reap(bus, &bus_log), 1, "it is reaped");
    tap_is_int(find_path(bus, "127.0.0.1", 1000, 0, &info), NGX_DECLINED,
               "its address is not known any more");
    tap_is_int(find_id(bus, 2, NULL, &info), NGX_DECLINED,
               "the session is closed");
    tap_is_int(find_id(bus, 1, NULL, &info), NGX_OK, "the unclaimed one lives");
    tap_ok(ngx_webrtc_peers_claim(bus, info.ref) != NULL, "to be claimed");

    ngx_webrtc_bus_detach(bus);
}


static ngx_int_t
on_tell(void *ctx, ngx_webrtc_peer_info_t *info)
{
    told_t  *t = ctx;

    t->info = *info;
    t->n++;

    return t->rc;
}


static ngx_int_t
restart(ngx_webrtc_bus_t *bus, uint64_t ref, const char *ufrag, char *match,
    const char *etag, ngx_webrtc_peer_info_t *info)
{
    ngx_webrtc_peer_restart_t  rs;

    rs.local_ufrag.data = (u_char *) ufrag;
    rs.local_ufrag.len = strlen(ufrag);
    ngx_str_set(&rs.local_pwd, "new pwd");
    ngx_str_set(&rs.remote_ufrag, "their new ufrag");
    ngx_str_set(&rs.remote_pwd, "their new pwd");
    rs.tell = on_tell;
    rs.ctx = &told;

    return ngx_webrtc_peers_restart(bus, ref, &rs, (u_char *) match,
                                    (u_char *) etag, info);
}


/* RFC 8445, 9: the old ufrag leads to the slot until the restart is done */

static void
test_restart(void)
{
    size_t                   before;
    uint64_t                 news, later;
    ngx_str_t                ufrag;
    ngx_webrtc_bus_t        *bus, other;
    ngx_webrtc_desc_t        desc;
    ngx_webrtc_peer_t        peer, copy, *mine;
    ngx_webrtc_peer_info_t   info;

    bus = bus_zone(ZONE);
    ngx_webrtc_bus_attach(bus, &bus_log);

    other = *bus;
    other.worker = bus->worker + 1;

    ngx_memzero(&told, sizeof(told_t));

    before = ngx_webrtc_bus_free(bus);

    peer_make(&peer, 1, 1000);
    tap_is_int(ngx_webrtc_peers_create(bus, &peer), NGX_OK, "a counter-offer");

    tap_is_int(restart(bus, peer.ref, "r1", NULL, "000000000000000a", &info),
               NGX_DECLINED, "which cannot be restarted");

    desc = peer.desc;
    desc.remote_ufrag_len = 2;
    ngx_memcpy(desc.remote_ufrag, "ru", 2);

    tap_is_int(ngx_webrtc_peers_complete(bus, peer.ref,
                                         (u_char *) "000000000000000x", &desc),
               NGX_BUSY, "completed under its ETag only");
    tap_is_int(ngx_webrtc_peers_complete(bus, peer.ref, peer.etag, &desc),
               NGX_OK, "completed");
    tap_is_int(ngx_webrtc_peers_complete(bus, peer.ref, NULL, &desc),
               NGX_DECLINED, "once");

    tap_is_int(restart(bus, peer.ref, "r1", "000000000000000x",
                       "000000000000000a", &info),
               NGX_BUSY, "restart under another ETag");
    tap_is_int(restart(bus, peer.ref, "r1", (char *) peer.etag,
                       "000000000000000a", &info),
               NGX_OK, "restart without a session");
    tap_ok(info.state == NGX_WEBRTC_PEER_NEW
           && find_ufrag(bus, "u1", NULL, &info) == NGX_DECLINED
           && find_ufrag(bus, "r1", &copy, &info) == NGX_OK
           && copy.desc.remote_ufrag_len == 15
           && ngx_memcmp(copy.etag, "000000000000000a", 16) == 0,
           "takes the place of all");

    mine = ngx_webrtc_peers_claim(bus, peer.ref);

    tap_is_int(restart(bus, peer.ref, "r2", NULL, "000000000000000b", &info),
               NGX_OK, "restart of a session");
    tap_ok(info.state == NGX_WEBRTC_PEER_CLAIMED
           && info.worker == bus->worker, "whose owner is told of");
    tap_ok(find_ufrag(bus, "r1", NULL, &info) == NGX_OK
           && find_ufrag(bus, "r2", NULL, &info) == NGX_OK, "both lead there");

    tap_is_int(restart(bus, peer.ref, "r3", NULL, "000000000000000c", &info),
               NGX_OK, "another one");
    tap_ok(find_ufrag(bus, "r1", NULL, &info) == NGX_OK
           && find_ufrag(bus, "r2", NULL, &info) == NGX_DECLINED
           && find_ufrag(bus, "r3", NULL, &info) == NGX_OK,
           "overtakes the one that nothing came of");

    ngx_str_set(&ufrag, "r2");
    ngx_webrtc_peers_restarted(bus, mine, &ufrag);
    tap_ok(find_ufrag(bus, "r1", NULL, &info) == NGX_DECLINED
           && find_ufrag(bus, "r2", NULL, &info) == NGX_OK
           && find_ufrag(bus, "r3", NULL, &info) == NGX_OK,
           "unless that had nominated already");

    ngx_str_set(&ufrag, "r3");
    ngx_webrtc_peers_restarted(bus, mine, &ufrag);
    ngx_webrtc_peers_restarted(bus, mine, &ufrag);
    tap_ok(find_ufrag(bus, "r2", NULL, &info) == NGX_DECLINED
           && find_ufrag(bus, "r3", NULL, &info) == NGX_OK, "the last one");

    tap_is_int(told.n, 0, "nobody else has to be told");

    told.rc = NGX_AGAIN;
    tap_is_int(restart(&other, peer.ref, "r4", "000000000000000x",
                       "000000000000000d", &info),
               NGX_BUSY, "by another worker, under another ETag");
    tap_is_int(told.n, 0, "which is nothing to tell");
    tap_is_int(restart(&other, peer.ref, "r4", NULL, "000000000000000d", &info),
               NGX_AGAIN, "the owner cannot be told");
    tap_ok(told.n == 1 && told.info.ref == peer.ref
           && told.info.state == NGX_WEBRTC_PEER_CLAIMED
           && told.info.worker == bus->worker, "it should have been");
    tap_ok(find_ufrag(bus, "r4", NULL, &info) == NGX_DECLINED
           && find_ufrag(bus, "r3", &copy, &info) == NGX_OK
           && ngx_memcmp(copy.desc.local_ufrag, "r3", 2) == 0
           && ngx_memcmp(copy.etag, "000000000000000c", 16) == 0,
           "nothing has changed");

    told.rc = NGX_OK;
    tap_is_int(restart(&other, peer.ref, "r4", "000000000000000c",
                       "000000000000000d", &info),
               NGX_OK, "the owner is told");
    tap_ok(told.n == 2 && info.worker == bus->worker
           && find_ufrag(bus, "r3", NULL, &info) == NGX_OK
           && find_ufrag(bus, "r4", NULL, &info) == NGX_OK, "both lead there");

    ngx_str_set(&ufrag, "r4");
    ngx_webrtc_peers_restarted(bus, mine, &ufrag);

    tap_is_int(ngx_webrtc_peers_news(bus, peer.ref, &news), NGX_OK, "news");
    ngx_webrtc_peers_touch(bus, peer.ref);
    tap_ok(ngx_webrtc_peers_news(bus, peer.ref, &later) == NGX_OK
           && later == news + 1, "of a change");

    tap_is_int(restart(bus, peer.ref, "r5", NULL, "000000000000000e", &info),
               NGX_OK, "one that is under way");
    tap_is_int(ngx_webrtc_peers_close(bus, peer.ref), NGX_OK, "at the end");
    tap_ok(find_ufrag(bus, "r4", NULL, &info) == NGX_DECLINED
           && find_ufrag(bus, "r5", NULL, &info) == NGX_DECLINED
           && ngx_webrtc_peers_news(bus, peer.ref, &news) == NGX_DECLINED
           && ngx_webrtc_bus_free(bus) == before, "nothing is left");
}


static void
test_limits(void)
{
    int                   n;
    uint64_t              refs[4];
    ngx_str_t             name;
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_peer_t     peer;
    ngx_webrtc_stream_t  *st;

    bus = bus_zone(ZONE);
    ngx_webrtc_bus_attach(bus, &bus_log);

    ngx_str_set(&name, "limited");
    st = ngx_webrtc_bus_stream(bus, &name, NGX_WEBRTC_RING_MIN_SIZE, 1);

    for (n = 0; n < 4; n++) {
        peer_make(&peer, 10 + n, 1000);
        peer.stream = st->ref;
        peer.policy.max_viewers = 2;
        peer.max_sessions = 3;
        peer.role = (n == 3) ? NGX_WEBRTC_PEER_PUBLISH : NGX_WEBRTC_PEER_PLAY;

        tap_is_int(ngx_webrtc_peers_create(bus, &peer),
                   n == 2 ? NGX_DECLINED : NGX_OK, "slot %d", n);
        refs[n] = peer.ref;

        if (n == 2) {
            tap_is_int(bus->lack, NGX_WEBRTC_LACK_VIEWERS, "too many viewers");
        }
    }

    peer_make(&peer, 20, 1000);
    peer.max_sessions = 3;
    tap_is_int(ngx_webrtc_peers_create(bus, &peer), NGX_DECLINED,
               "zone's limit");
    tap_is_int(bus->lack, NGX_WEBRTC_LACK_SESSIONS, "which is told");

    tap_ok(ngx_webrtc_peers_may_give_way(bus, 100000), "one may give way");

    peer_make(&peer, 22, 200000);
    peer.created_ms = 100000;
    peer.stream = st->ref;
    peer.policy.max_viewers = 2;
    peer.max_sessions = 3;
    peer.role = NGX_WEBRTC_PEER_PLAY;
    tap_is_int(ngx_webrtc_peers_create(bus, &peer), NGX_DECLINED,
               "a viewer too many");
    tap_is_int(bus->lack, NGX_WEBRTC_LACK_VIEWERS, "is told so");
    tap_is_int(ngx_webrtc_peers_count(bus), 3, "and nobody goes for it");

    ngx_webrtc_peers_close(bus, refs[0]);

    peer_make(&peer, 21, 1000);
    peer.stream = st->ref;
    peer.policy.max_viewers = 2;
    tap_is_int(ngx_webrtc_peers_create(bus, &peer), NGX_OK, "room again");
    tap_is_int(st->slots, 2, "viewers");

    tap_is_int(ngx_webrtc_peers_expire(bus, 2000), 3, "all expire");
    tap_is_int(st->slots, 0, "no viewers");
}


static ngx_uint_t
pending(ngx_webrtc_bus_t *bus, uint64_t key, ngx_uint_t what)
{
    return ngx_webrtc_bus_pending(bus, key, what);
}


/* what a client has that is not up, and who goes first */

static void
test_pending(void)
{
    int                   n, rc, names;
    pid_t                 pid;
    uint64_t              refs[4];
    ngx_str_t             name, key;
    ngx_uint_t            sessions;
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_peer_t     peer, *mine;
    ngx_webrtc_client_t   client, other;
    ngx_webrtc_stream_t  *st[4];

    sessions = NGX_WEBRTC_PENDING_SESSIONS;
    names = NGX_WEBRTC_PENDING_NAMES;

    bus = bus_zone(ZONE);
    ngx_webrtc_bus_attach(bus, &bus_log);

    ngx_memzero(&client, sizeof(client));
    ngx_str_set(&key, "");
    tap_ok(ngx_webrtc_bus_client(bus, &key) == 0, "no key, no client");

    ngx_str_set(&key, "one");
    client.key = ngx_webrtc_bus_client(bus, &key);
    client.max_sessions = 3;
    client.max_names = 2;
    other = client;
    ngx_str_set(&key, "two");
    other.key = ngx_webrtc_bus_client(bus, &key);

    for (n = 0; n < 4; n++) {
        peer_make(&peer, 30 + n, 100000);
        peer.client = client;
        rc = ngx_webrtc_peers_create(bus, &peer);
        refs[n] = peer.ref;
        tap_is_int(rc, n == 3 ? NGX_DECLINED : NGX_OK, "its slot %d", n);
    }

    tap_is_int(bus->lack, NGX_WEBRTC_LACK_PENDING, "it has too many");

    peer_make(&peer, 40, 100000);
    peer.client = other;
    tap_is_int(ngx_webrtc_peers_create(bus, &peer), NGX_OK, "another has not");
    refs[3] = peer.ref;

    mine = ngx_webrtc_peers_claim(bus, refs[0]);
    tap_is_int(pending(bus, client.key, sessions), 3,
               "one that is claimed is pending");
    ngx_webrtc_peers_up(bus, mine);
    tap_is_int(pending(bus, client.key, sessions), 2, "one that is up is not");

    ngx_webrtc_peers_close(bus, refs[1]);
    tap_is_int(pending(bus, client.key, sessions), 1, "nor one that is closed");
    ngx_webrtc_peers_close(bus, refs[0]);
    tap_is_int(pending(bus, client.key, sessions), 1, "and each counts once");

    for (n = 0; n < 3; n++) {
        char  text[8];

        name.data = (u_char *) text;
        name.len = ngx_sprintf(name.data, "n%d", n) - name.data;
        st[n] = ngx_webrtc_bus_stream_for(bus, &name, NGX_WEBRTC_RING_MIN_SIZE,
                                          &client);
    }

    tap_ok(st[1] != NULL && st[2] == NULL
           && bus->lack == NGX_WEBRTC_LACK_NAMES, "so many names");
    tap_is_int(pending(bus, client.key, names), 2, "are on trial");

    /* a worker dies between two stores: all are counted anew */

    pid = fork();

    if (pid == 0) {
        bus_process();
        bus->worker = NGX_WEBRTC_WORKER_NONE;
        (void) ngx_webrtc_bus_attach(bus, &bus_log);
        (void) ngx_webrtc_bus_pending_add(bus, client.key, sessions, 0);
        (void) ngx_webrtc_bus_pending_add(bus, client.key, names, 0);
        ngx_webrtc_bus_pending_sub(bus, other.key, sessions);
        _exit(0);
    }

    (void) bus_wait(bus, pid);
    tap_is_int(pending(bus, other.key, sessions), 0, "a number is wrong");
    (void) ngx_webrtc_bus_reap(bus, &bus_log);
    tap_ok(pending(bus, client.key, sessions) == 1
           && pending(bus, client.key, names) == 2
           && pending(bus, other.key, sessions) == 1, "until the reaper comes");

    ngx_webrtc_bus_drop_name(bus, ngx_current_msec + 1000);
    tap_ok(!ngx_webrtc_bus_is_dropped(st[0]), "a new name is let be");
    ngx_webrtc_bus_drop_name(bus, ngx_current_msec + 10000);
    ngx_webrtc_bus_drop_name(bus, ngx_current_msec + 10000);
    tap_ok(ngx_webrtc_bus_is_dropped(st[0]) && ngx_webrtc_bus_is_dropped(st[1]),
           "old ones go");

    ngx_webrtc_bus_release(bus, st[0]);
    ngx_webrtc_bus_release(bus, st[1]);
    tap_is_int(pending(bus, client.key, names), 0, "and are not counted then");

    /* no session may be more: the oldest that has not come gives way */

    peer_make(&peer, 41, 100000);
    peer.max_sessions = 2;
    peer.created_ms = 1000;
    tap_is_int(ngx_webrtc_peers_create(bus, &peer), NGX_DECLINED,
               "none is old enough");
    peer.created_ms = 60000;
    tap_is_int(ngx_webrtc_peers_create(bus, &peer), NGX_OK, "now one is");
    tap_is_int(ngx_webrtc_peers_count(bus), 2, "and has gone");
}


/* keys of targets: for their session, and nobody who gets the memory next */

static void
test_push(void)
{
    u_char              buf[64];
    size_t              n;
    ngx_uint_t          i;
    ngx_str_t           urls[NGX_WEBRTC_PUSHES];
    ngx_webrtc_bus_t   *bus;
    ngx_webrtc_peer_t   peer;

    static const char  key[] = "k3yThatNobodyElseHas";

    bus = bus_zone(ZONE);
    ngx_webrtc_bus_attach(bus, &bus_log);

    ngx_memzero(urls, sizeof(urls));

    for (i = 1; i < NGX_WEBRTC_PUSHES; i += 2) {
        urls[i].data = (u_char *) key;
        urls[i].len = sizeof(key) - 1;
    }

    peer_make(&peer, 50, 1000);
    peer.role = NGX_WEBRTC_PEER_PUBLISH;

    tap_is_int(ngx_webrtc_peers_create(bus, &peer), NGX_OK, "a publisher");
    tap_is_int(ngx_webrtc_bus_push_attach(bus, peer.ref, urls), NGX_OK,
               "gets its targets");
    tap_is_int(ngx_webrtc_bus_push_attach(bus, peer.ref, urls), NGX_DECLINED,
               "once");

    n = ngx_webrtc_bus_push_url(bus, peer.ref, 3, buf, sizeof(buf));

    tap_ok(n == sizeof(key) - 1 && ngx_memcmp(buf, key, n) == 0,
           "the fourth is there");
    tap_is_int(ngx_webrtc_bus_push_url(bus, peer.ref, 2, buf, sizeof(buf)), 0,
               "the third is not");
    tap_is_int(ngx_webrtc_bus_push_url(bus, peer.ref, 3, buf, 3), 0,
               "none without room");
    tap_ok(memmem(bus->shpool, ZONE, key, sizeof(key) - 1) != NULL,
           "the zone has it");

    tap_is_int(ngx_webrtc_peers_close(bus, peer.ref), NGX_OK, "it leaves");
    tap_is_int(ngx_webrtc_bus_push_url(bus, peer.ref, 3, buf, sizeof(buf)), 0,
               "it has no targets any more");
    tap_ok(memmem(bus->shpool, ZONE, key, sizeof(key) - 1) == NULL,
           "and the zone has nothing of them");
}


int
main(void)
{
    bus_process();

    test_index();
    test_life();
    test_many();
    test_death();

    test_restart();
    test_limits();
    test_pending();
    test_push();

    return tap_done();
}
