
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A worker dies before any one of the stores that order what is in the zone,
 * and before and after each call of the slab: another one reaps it, and
 * everything has to be in order.  Then the reaper dies as well.
 *
 * The sources of the bus are included with those operations counted.
 */


#include "bus_zone.h"
#include "ngx_webrtc_atomic.h"


#define CRASH_LIVE  64


static ngx_uint_t   crash_at;
static ngx_uint_t   crash_step;

/* what is allocated, shared by all processes; the last one counts mistakes */
static void       **crash_live;


static void
crash_point(void)
{
    if (crash_at && ++crash_step == crash_at) {
        kill(getpid(), SIGKILL);
    }
}


#undef ngx_webrtc_atomic_store_release
#undef ngx_webrtc_atomic_store
#undef ngx_webrtc_atomic_swap
#undef ngx_webrtc_atomic_fetch_or
#undef ngx_webrtc_atomic_fetch_and

#define ngx_webrtc_atomic_store_release(p, v)                                 \
    (crash_point(), __atomic_store_n(p, v, __ATOMIC_RELEASE))
#define ngx_webrtc_atomic_store(p, v)                                         \
    (crash_point(), __atomic_store_n(p, v, __ATOMIC_RELAXED))
#define ngx_webrtc_atomic_swap(p, v)                                          \
    (crash_point(), __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST))
#define ngx_webrtc_atomic_fetch_or(p, v)                                      \
    (crash_point(), __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST))
#define ngx_webrtc_atomic_fetch_and(p, v)                                     \
    (crash_point(), __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST))


static void *
crash_alloc(ngx_slab_pool_t *pool, size_t size)
{
    void        *p;
    ngx_uint_t   i;

    crash_point();

    p = ngx_slab_alloc_locked(pool, size);

    for (i = 0; i < CRASH_LIVE && p; i++) {
        if (crash_live[i] == NULL) {
            crash_live[i] = p;
            break;
        }
    }

    crash_point();

    return p;
}


static void
crash_free(ngx_slab_pool_t *pool, void *p)
{
    ngx_uint_t  i;

    crash_point();

    for (i = 0; i < CRASH_LIVE; i++) {
        if (crash_live[i] == p) {
            crash_live[i] = NULL;
            break;
        }
    }

    if (i == CRASH_LIVE) {
        crash_live[CRASH_LIVE]++;

    } else {
        ngx_slab_free_locked(pool, p);
    }

    crash_point();
}


static void
crash_unlock(ngx_shmtx_t *mtx)
{
    crash_point();
    ngx_shmtx_unlock(mtx);
    crash_point();
}


#define ngx_slab_alloc_locked  crash_alloc
#define ngx_slab_free_locked   crash_free
#define ngx_shmtx_unlock       crash_unlock

#include "../../src/zone/ngx_webrtc_bus_index.c"
#include "../../src/zone/ngx_webrtc_bus_peers.c"
#include "../../src/zone/ngx_webrtc_bus_peers_find.c"
#include "../../src/zone/ngx_webrtc_bus_peers_ice.c"
#include "../../src/zone/ngx_webrtc_bus_streams.c"
#include "../../src/zone/ngx_webrtc_bus_grow.c"
#include "../../src/zone/ngx_webrtc_bus_pending.c"
#include "../../src/zone/ngx_webrtc_bus_zone.c"


#define ZONE  (32 * 1024 * 1024)
#define RING  (256 * 1024)


static void
crash_peer(ngx_webrtc_peer_t *peer, char c, uint64_t expires_ms)
{
    ngx_memzero(peer, sizeof(ngx_webrtc_peer_t));

    ngx_memset(peer->id, c, NGX_WEBRTC_PEER_ID_LEN);
    ngx_memset(peer->desc.local_ufrag, c, 4);
    peer->desc.local_ufrag_len = 4;
    peer->expires_ms = expires_ms;
}


/* a publisher's packets: a ring, and larger ones, of which some are freed */

static void
crash_write(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    u_char                    payload[1000];
    ngx_uint_t                i;
    ngx_webrtc_ring_packet_t  pkt;
    ngx_webrtc_ring_writer_t  w;

    ngx_memzero(payload, sizeof(payload));
    ngx_webrtc_bus_set_ring_max(st, 16 * RING);
    ngx_webrtc_ring_attach(st->ring, &w);

    for (i = 0; i < 4; i++) {

        if (ngx_webrtc_bus_grow(bus, st, &w, 0) != NGX_OK) {
            _exit(4);
        }

        ngx_memzero(&pkt, sizeof(pkt));
        pkt.len = sizeof(payload);
        (void) ngx_webrtc_ring_write(&w, &pkt, payload);

        ngx_webrtc_bus_turn(bus);
    }

    ngx_webrtc_bus_turn(bus);
}


/* everything a worker does */

static void
crash_scenario(ngx_webrtc_bus_t *bus)
{
    ngx_str_t              shared = ngx_string("shared");
    ngx_str_t              own = ngx_string("own");
    ngx_webrtc_path_t      path;
    ngx_webrtc_peer_t      peer, *p;
    ngx_webrtc_stream_t   *st, *st2;

    bus_process();
    bus->worker = NGX_WEBRTC_WORKER_NONE;

    if (ngx_webrtc_bus_attach(bus, &bus_log) != NGX_OK) {
        _exit(1);
    }

    st = ngx_webrtc_bus_stream(bus, &shared, RING, 0);
    st2 = ngx_webrtc_bus_stream(bus, &own, RING, 1);

    if (st == NULL || st2 == NULL) {
        _exit(2);
    }

    (void) ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_SOURCE);
    (void) ngx_webrtc_bus_claim(bus, st2, NGX_WEBRTC_CLAIM_PUBLISH);
    ngx_webrtc_bus_set_state(bus, st, NGX_WEBRTC_STREAM_ACTIVE, 1);
    ngx_webrtc_bus_watch(bus, st);
    ngx_webrtc_bus_viewer(bus, st, 1);
    ngx_webrtc_bus_wake(bus, st);
    crash_write(bus, st);
    crash_write(bus, st2);

    /* the next publisher begins with a ring of its own */

    ngx_webrtc_bus_unclaim(bus, st2);
    (void) ngx_webrtc_bus_claim(bus, st2, NGX_WEBRTC_CLAIM_PUBLISH);
    crash_write(bus, st2);

    /* and what nobody claims is taken back */

    ngx_webrtc_bus_unclaim(bus, st);
    ngx_shmtx_lock(&bus->shpool->mutex);
    bus->sh->taken_ms = 0;
    ngx_webrtc_bus_take_back(bus);
    ngx_shmtx_unlock(&bus->shpool->mutex);
    (void) ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_SOURCE);
    crash_write(bus, st);

    crash_peer(&peer, 'a', 1000);
    if (ngx_webrtc_peers_create(bus, &peer) != NGX_OK) {
        _exit(3);
    }

    p = ngx_webrtc_peers_claim(bus, peer.ref);

    ngx_memzero(&path, sizeof(path));
    path.remote.len = sizeof(struct sockaddr_in);

    for (path.listen = 0; path.listen < 6; path.listen++) {
        ngx_webrtc_peers_set_address(bus, p, &path);
    }

    crash_peer(&peer, 'b', 1000);
    (void) ngx_webrtc_peers_create(bus, &peer);
    (void) ngx_webrtc_peers_close(bus, peer.ref);

    crash_peer(&peer, 'c', 1000);
    (void) ngx_webrtc_peers_create(bus, &peer);
    (void) ngx_webrtc_peers_expire(bus, 1000);

    (void) ngx_webrtc_peers_close(bus, p->ref);

    ngx_webrtc_bus_unclaim(bus, st2);
    ngx_webrtc_bus_release(bus, st2);

    /* what is left is for detach */

    crash_peer(&peer, 'd', 1000);
    (void) ngx_webrtc_peers_create(bus, &peer);
    (void) ngx_webrtc_peers_claim(bus, peer.ref);
    (void) ngx_webrtc_bus_stream(bus, &own, RING, 1);

    ngx_webrtc_bus_detach(bus);

    _exit(0);
}


/*
 * The stream's next publisher frees what the dead one was filling, and all
 * rings but the last go.  Returns the bytes of that one.
 */

static size_t
crash_tidy(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_ring_writer_t  w;

    if (ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_PUBLISH) != NGX_OK) {
        return 0;
    }

    ngx_webrtc_bus_set_ring_max(st, 16 * RING);
    ngx_webrtc_ring_attach(st->ring, &w);
    (void) ngx_webrtc_bus_grow(bus, st, &w, 0);
    ngx_webrtc_bus_unclaim(bus, st);

    ngx_webrtc_bus_turn(bus);
    ngx_webrtc_bus_turn(bus);

    return ngx_align(ngx_webrtc_ring_size(st->ring), ngx_pagesize);
}


/* what is wrong with a zone in which only "shared" may exist, or NULL */

static const char *
crash_look(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    uint64_t              word, value, hash;
    ngx_uint_t            n, state;
    ngx_webrtc_bus_sh_t  *sh;

    sh = bus->sh;

    hash = ngx_webrtc_index_hash(sh->index, NGX_WEBRTC_KEY_NAME, st->name,
                                 st->name_len);

    for (n = 0; n < sh->peers.n; n++) {
        state = ngx_webrtc_entry_state(sh->peers.entries[n].word);

        if (state == NGX_WEBRTC_ENTRY_NEW) {
            continue;
        }

        if (state != NGX_WEBRTC_ENTRY_FREE || sh->peers.entries[n].p) {
            return "a slot is left";
        }
    }

    for (n = 0; n < sh->streams.n; n++) {

        if (n == st->id) {
            continue;
        }

        if (ngx_webrtc_entry_state(sh->streams.entries[n].word)
            != NGX_WEBRTC_ENTRY_FREE
            || sh->streams.entries[n].p)
        {
            return "a stream is left";
        }
    }

    for (n = 0; n <= sh->index->mask; n++) {

        if (sh->index->entries[n].hash == 0) {
            continue;
        }

        value = sh->index->entries[n].value;

        if (sh->index->entries[n].hash == hash
            || (ngx_webrtc_table_entry(&sh->peers, value, &word)
                && ngx_webrtc_entry_state(word) == NGX_WEBRTC_ENTRY_NEW))
        {
            continue;
        }

        return "the index has a reference to nothing";
    }

    if (crash_live[CRASH_LIVE]) {
        return "something was freed twice";
    }

    if (st->claim) {
        return "a claim is left";
    }

    if (st->watching[0] || ngx_webrtc_bus_viewers(bus, st)) {
        return "a watch or viewer is left";
    }

    for (n = 1; n < NGX_WEBRTC_WORKERS; n++) {
        if (sh->workers[n].id) {
            return "an endpoint is left";
        }
    }

    return NULL;
}


/*
 * Kills a worker at each step, and a reaper at its "second" step if that is not
 * 0, and looks.  Returns the number of steps there were.
 */

static ngx_uint_t
crash_all(ngx_uint_t second, ngx_uint_t stride)
{
    int                   rc, ok;
    pid_t                 pid;
    size_t                before, after, leak, most, own;
    ngx_str_t             name = ngx_string("shared");
    const char           *wrong;
    ngx_uint_t            step, leaks;
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_stream_t  *st;

    ok = 1;
    leaks = 0;

    for (step = 1; ok; step += stride) {

        ngx_memzero(crash_live, (CRASH_LIVE + 1) * sizeof(void *));

        bus = bus_zone(ZONE);
        ngx_webrtc_bus_attach(bus, &bus_log);
        st = ngx_webrtc_bus_stream(bus, &name, RING, 1);
        before = ngx_webrtc_bus_free(bus);

        pid = fork();

        if (pid == 0) {
            crash_at = step;
            crash_scenario(bus);
        }

        rc = bus_wait(bus, pid);

        if (rc != -1 && rc != 0) {
            tap_fail("step %d: the worker went wrong: %d", (int) step, rc);
            ok = 0;
        }

        if (second) {
            pid = fork();

            if (pid == 0) {
                bus_process();
                crash_at = second;
                (void) ngx_webrtc_bus_reap(bus, &bus_log);
                _exit(0);
            }

            (void) bus_wait(bus, pid);
        }

        (void) ngx_webrtc_bus_reap(bus, &bus_log);

        wrong = crash_look(bus, st);

        if (wrong) {
            tap_fail("step %d, %d: %s", (int) step, (int) second, wrong);
            ok = 0;
        }

        /* slots that nobody had claimed yet live, until their time has come */

        bus->sh->expire_ms = 0;
        (void) ngx_webrtc_peers_expire(bus, 1000000);

        /*
         * Killed right between the slab and the store of the pointer: that one
         * allocation leaks, and one more if the reaper was.
         */

        own = crash_tidy(bus, st);
        after = ngx_webrtc_bus_free(bus) + own;
        leak = before - after;

        if (leak) {
            leaks++;
        }

        most = ngx_align(sizeof(ngx_webrtc_stream_t) + 16 * RING, ngx_pagesize);

        if (second) {
            most += most;
        }

        if (after > before || leak > most || own == 0
            || ngx_webrtc_peers_count(bus) != 0)
        {
            tap_fail("step %d, %d: %ld bytes leak", (int) step, (int) second,
                     (long) leak);
            ok = 0;
        }

        ngx_webrtc_bus_release(bus, st);

        if (ngx_webrtc_bus_stream(bus, &name, RING, 0)
            || ngx_webrtc_bus_free(bus) < after)
        {
            tap_fail("step %d, %d: held by a ghost", (int) step, (int) second);
            ok = 0;
        }

        ngx_webrtc_bus_detach(bus);
        munmap(bus->zone->shm.addr, ZONE);

        if (rc == 0) {
            break;
        }
    }

    /* 24 allocations, each with 4 points in such a gap, freeing included */

    tap_ok(ok && leaks <= 96, "killed at %d points%s: nothing is left, %d leak",
           (int) step, second ? ", the reaper as well" : "", (int) leaks);

    return step;
}


int
main(void)
{
    ngx_uint_t  second;

    bus_process();

    crash_live = mmap(NULL, (CRASH_LIVE + 1) * sizeof(void *),
                      PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED, -1, 0);

    if (crash_live == MAP_FAILED) {
        return 1;
    }

    tap_ok(crash_all(0, 1) > 100, "there were more than a hundred points");

    for (second = 1; second <= 40; second += 3) {
        (void) crash_all(second, 7);
    }

    return tap_done();
}
