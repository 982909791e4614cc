
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The zone: layout, endpoints, streams, claims, what dead workers leave.
 * Crashes at any store are in bus_crash.c, wake-ups in inbox.c.
 */


#include "bus_zone.h"
#include "ngx_webrtc_bus_zone.h"


#define ZONE  (8 * 1024 * 1024)
#define RING  (512 * 1024)


static ngx_str_t
str(const char *s)
{
    ngx_str_t  v;

    v.data = (u_char *) s;
    v.len = strlen(s);

    return v;
}


static ngx_webrtc_stream_t *
stream(ngx_webrtc_bus_t *bus, const char *name, ngx_uint_t create)
{
    ngx_str_t  v;

    v = str(name);

    return ngx_webrtc_bus_stream(bus, &v, RING, create);
}


static void
test_zone(void)
{
    ngx_shm_zone_t     zone;
    ngx_webrtc_bus_t  *bus, next;

    tap_ok(bus_zone(NGX_WEBRTC_ZONE_MIN / 2) == NULL,
           "a zone too small is refused");

    bus = bus_zone(NGX_WEBRTC_ZONE_MIN);
    tap_ok(bus != NULL, "the smallest zone");

    bus = bus_zone(64 * 1024 * 1024);
    tap_ok(64 * 1024 * 1024 - ngx_webrtc_bus_free(bus) < 3 * 1024 * 1024,
           "the fixed part of 64m is less than 3m");

    ngx_webrtc_bus_attach(bus, &bus_log);
    (void) stream(bus, "kept", 1);

    /* reload: same shared memory, data of the old cycle */

    zone = *bus->zone;
    zone.data = &next;
    ngx_memzero(&next, sizeof(next));

    tap_is_int(ngx_webrtc_bus_init_zone(&zone, bus), NGX_OK, "reload");
    tap_ok(next.sh == bus->sh && next.worker == bus->worker,
           "the zone is taken over");
    tap_ok(stream(&next, "kept", 0) != NULL, "and its streams");

    /* shared memory that exists already */

    zone.shm.exists = 1;
    ngx_memzero(&next, sizeof(next));

    tap_is_int(ngx_webrtc_bus_init_zone(&zone, NULL), NGX_OK, "it exists");
    tap_ok(next.sh == bus->sh && next.worker == NGX_WEBRTC_WORKER_NONE,
           "found through the pool, not attached");

    *(uint64_t *) (void *) next.sh ^= 1;
    tap_is_int(ngx_webrtc_bus_init_zone(&zone, NULL), NGX_ERROR,
               "of another version");

    ngx_webrtc_bus_detach(bus);
}


static void
test_streams(void)
{
    int                        n;
    char                       name[16];
    u_char                     longest[NGX_WEBRTC_NAME_MAX + 1];
    size_t                     before;
    uint64_t                   ref;
    ngx_str_t                  v;
    ngx_uint_t                 cursor;
    ngx_webrtc_bus_t          *bus;
    ngx_webrtc_stream_t       *st, *other;
    ngx_webrtc_stream_info_t   info;

    bus = bus_zone(ZONE);

    tap_ok(stream(bus, "a", 1) == NULL, "not before attach");

    tap_is_int(ngx_webrtc_bus_attach(bus, &bus_log), NGX_OK, "attach");
    tap_is_int(ngx_webrtc_bus_attach(bus, &bus_log), NGX_OK, "attach again");
    tap_is_int(bus->worker, 0, "the first endpoint");
    tap_is_int(ngx_webrtc_bus_worker_pid(bus, 0), getpid(), "its pid");

    before = ngx_webrtc_bus_free(bus);

    tap_ok(stream(bus, "a", 0) == NULL, "no such stream");

    st = stream(bus, "a", 1);
    tap_ok(st != NULL, "created");
    tap_is_int(ngx_webrtc_bus_state(st), NGX_WEBRTC_STREAM_IDLE, "it is idle");
    tap_ok(((uintptr_t) st & 63) == 0 && ((uintptr_t) st->ring & 63) == 0,
           "aligned to cache lines");

    tap_ok(stream(bus, "a", 1) == st && stream(bus, "a", 0) == st, "found");
    tap_ok(ngx_webrtc_bus_stream_ref(bus, st->ref) == st, "by reference");

    other = stream(bus, "b", 1);
    tap_ok(other != NULL && other != st && other->ref != st->ref, "another");

    ref = st->ref;

    for (n = 0; n < 3; n++) {
        ngx_webrtc_bus_release(bus, st);
    }

    tap_ok(stream(bus, "a", 0) == st, "one hold keeps it");

    ngx_webrtc_bus_hold(bus, st);

    for (n = 0; n < 3; n++) {
        ngx_webrtc_bus_release(bus, st);
    }

    tap_ok(stream(bus, "a", 0) == NULL
           && ngx_webrtc_bus_stream_ref(bus, ref) == NULL,
           "the last release frees it");
    tap_ok(ngx_webrtc_bus_stream_ref(bus, 0) == NULL
           && ngx_webrtc_bus_stream_ref(bus, (uint64_t) -1) == NULL,
           "references that are none");

    ngx_webrtc_bus_release(bus, other);
    tap_is_int(ngx_webrtc_bus_free(bus), before, "all memory is back");

    /* names and sizes */

    ngx_memset(longest, 'x', sizeof(longest));
    v.data = longest;

    v.len = NGX_WEBRTC_NAME_MAX + 1;
    tap_ok(ngx_webrtc_bus_stream(bus, &v, RING, 1) == NULL, "name too long");

    v.len = 0;
    tap_ok(ngx_webrtc_bus_stream(bus, &v, RING, 1) == NULL, "empty name");

    v.len = NGX_WEBRTC_NAME_MAX;
    tap_ok(ngx_webrtc_bus_stream(bus, &v, 1024, 1) == NULL, "ring too small");

    st = ngx_webrtc_bus_stream(bus, &v, RING, 1);
    tap_ok(st != NULL, "the longest name");
    ngx_webrtc_bus_release(bus, st);

    /* full */

    for (n = 0; n < 1000; n++) {
        ngx_sprintf((u_char *) name, "s%d%Z", n);

        if (stream(bus, name, 1) == NULL) {
            break;
        }
    }

    tap_is_int(n, ZONE / NGX_WEBRTC_RING_MIN_SIZE,
               "8m have entries for %d names, then NULL", n);

    cursor = 0;

    while (ngx_webrtc_bus_next(bus, &cursor, &info) == NGX_OK) {
        n--;
    }

    tap_is_int(n, 0, "the listing shows them all");

    st = stream(bus, "s0", 0);
    ngx_webrtc_bus_release(bus, st);
    ngx_webrtc_bus_release(bus, st);

    tap_ok(stream(bus, "again", 1) != NULL, "one goes, another comes");

    ngx_webrtc_bus_detach(bus);
    tap_is_int(ngx_webrtc_bus_free(bus), before, "detach gives all back");
}


static void
test_claims(void)
{
    ngx_uint_t                 w, n, cursor;
    ngx_webrtc_bus_t          *bus, bus2;
    ngx_webrtc_track_t         tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_track_t         got[NGX_WEBRTC_TRACKS];
    ngx_webrtc_stream_t       *st;
    ngx_webrtc_stream_info_t   info;

    bus = bus_zone(ZONE);
    ngx_webrtc_bus_attach(bus, &bus_log);
    (void) stream(bus, "a", 1);

    bus2 = *bus;
    bus2.worker = NGX_WEBRTC_WORKER_NONE;
    ngx_webrtc_bus_attach(&bus2, &bus_log);

    tap_ok(bus2.worker == 0 && bus2.generation == bus->generation + 1,
           "an endpoint under our pid is a dead worker's");
    tap_ok(stream(&bus2, "a", 0) == NULL, "it is reaped at attach");

    ngx_webrtc_bus_detach(&bus2);
    ngx_free(bus->held);

    /* two workers that live: this process' parent stands in for the first */

    bus = bus_zone(ZONE);
    ngx_pid = getppid();
    ngx_webrtc_bus_attach(bus, &bus_log);
    ngx_pid = getpid();

    bus2 = *bus;
    bus2.worker = NGX_WEBRTC_WORKER_NONE;
    tap_is_int(ngx_webrtc_bus_attach(&bus2, &bus_log), NGX_OK, "attach");
    tap_is_int(bus2.worker, 1, "two endpoints");

    st = stream(bus, "a", 1);
    tap_ok(stream(&bus2, "a", 0) == st, "both hold one stream");

    tap_is_int(ngx_webrtc_bus_claimed(st, &w), 0, "unclaimed");
    tap_ok(w == NGX_WEBRTC_WORKER_NONE, "by nobody");

    tap_is_int(ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_SOURCE), NGX_OK,
               "claim");
    tap_is_int(ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_SOURCE), NGX_OK,
               "again");
    tap_is_int(ngx_webrtc_bus_claim(&bus2, st, NGX_WEBRTC_CLAIM_PUBLISH),
               NGX_BUSY, "not by another");
    tap_is_int(ngx_webrtc_bus_claimed(st, &w), NGX_WEBRTC_CLAIM_SOURCE,
               "its kind");
    tap_is_int(w, 0, "its worker");
    tap_ok(ngx_webrtc_bus_is_mine(bus, st)
           && !ngx_webrtc_bus_is_mine(&bus2, st), "mine");

    /* what the holder tells */

    tap_is_int(ngx_webrtc_bus_tracks(st, got, &n), 0, "no tracks yet");
    tap_is_int(n, 0, "none");

    ngx_memzero(tracks, sizeof(tracks));
    tracks[0].codec = NGX_WEBRTC_CODEC_H264;
    tracks[1].codec = NGX_WEBRTC_CODEC_OPUS;

    ngx_webrtc_bus_set_tracks(st, tracks, 2);
    tap_is_int(ngx_webrtc_bus_tracks(st, got, &n), 1, "first version");
    tap_is_int(n, 2, "two tracks");
    tap_is_mem(got, sizeof(got), tracks, sizeof(tracks), "as set");

    tracks[0].codec = NGX_WEBRTC_CODEC_VP8;
    ngx_webrtc_bus_set_tracks(st, tracks, 1);
    tap_is_int(ngx_webrtc_bus_tracks(st, got, &n), 2, "second version");
    tap_ok(n == 1 && got[0].codec == NGX_WEBRTC_CODEC_VP8
           && got[1].codec == 0, "as set");

    ngx_webrtc_bus_set_state(bus, st, NGX_WEBRTC_STREAM_ACTIVE, 1234);
    tap_is_int((int64_t) ngx_webrtc_bus_state_age(st, 1334), 100,
               "since when");
    tap_is_int((int64_t) ngx_webrtc_bus_state_age(st, 1233), 0,
               "by a clock that is behind the other worker's");
    tap_is_int(ngx_webrtc_bus_state(st), NGX_WEBRTC_STREAM_ACTIVE, "active");

    ngx_webrtc_bus_viewer(bus, st, 1);
    ngx_webrtc_bus_viewer(bus, st, 1);
    ngx_webrtc_bus_viewer(&bus2, st, 1);
    ngx_webrtc_bus_viewer(bus, st, -1);

    cursor = 0;
    tap_is_int(ngx_webrtc_bus_next(bus, &cursor, &info), NGX_OK, "listed");
    tap_ok(info.viewers == 2 && info.stat.viewers_total == 3, "viewers");
    tap_ok(info.state == NGX_WEBRTC_STREAM_ACTIVE && info.changed_ms == 1234
           && info.claim_kind == NGX_WEBRTC_CLAIM_SOURCE
           && info.claim_worker == 0 && info.ntracks == 1
           && info.name_len == 1 && info.name[0] == 'a', "as it is");
    tap_is_int(ngx_webrtc_bus_next(bus, &cursor, &info), NGX_DONE, "no more");

    /* the claim keeps a stream, and ends */

    ngx_webrtc_bus_unclaim(&bus2, st);
    tap_ok(ngx_webrtc_bus_is_mine(bus, st), "others cannot end it");

    ngx_webrtc_bus_unclaim(bus, st);
    tap_is_int(ngx_webrtc_bus_claimed(st, NULL), 0, "unclaimed");
    tap_is_int(ngx_webrtc_bus_state(st), NGX_WEBRTC_STREAM_INACTIVE,
               "inactive");
    tap_is_int(ngx_webrtc_bus_keyframe(bus, st), NGX_DECLINED,
               "nobody to ask for a key frame");

    tap_is_int(ngx_webrtc_bus_claim(&bus2, st, NGX_WEBRTC_CLAIM_PUBLISH),
               NGX_OK, "now by the other");
    ngx_webrtc_bus_set_state(&bus2, st, NGX_WEBRTC_STREAM_STARTING, 1);
    ngx_webrtc_bus_unclaim(&bus2, st);
    tap_is_int(ngx_webrtc_bus_state(st), NGX_WEBRTC_STREAM_IDLE,
               "idle after a start that failed");

    ngx_webrtc_bus_release(bus, st);
    tap_ok(stream(&bus2, "a", 0) == st, "the other's hold keeps it");

    ngx_webrtc_bus_detach(&bus2);
    ngx_webrtc_bus_detach(bus);
}


/* a worker that dies in the middle of everything */

static void
test_doors(void)
{
    uint16_t           ports[4];
    ngx_webrtc_bus_t  *bus, bus2;

    bus = bus_zone(ZONE);
    ngx_pid = getppid();
    ngx_webrtc_bus_attach(bus, &bus_log);
    ngx_pid = getpid();

    bus2 = *bus;
    bus2.worker = NGX_WEBRTC_WORKER_NONE;
    ngx_webrtc_bus_attach(&bus2, &bus_log);

    tap_is_int(ngx_webrtc_bus_doors(bus, 7, ports, 4), 0, "no doors");

    ngx_webrtc_bus_set_door(bus, 0, 7, 40001);
    ngx_webrtc_bus_set_door(bus, 1, 0xffffffff, 65535);
    ngx_webrtc_bus_set_door(&bus2, NGX_WEBRTC_DOORS - 1, 7, 40002);

    tap_is_int(ngx_webrtc_bus_doors(bus, 7, ports, 4), 2, "of two workers");
    tap_ok(ports[0] == 40001 && ports[1] == 40002, "their ports");
    tap_is_int(ngx_webrtc_bus_doors(bus, 7, ports, 1), 1, "no more than asked");

    tap_is_int(ngx_webrtc_bus_doors(bus, 0xffffffff, ports, 4), 1,
               "by the whole key");
    tap_is_int(ports[0], 65535, "the whole port");
    tap_is_int(ngx_webrtc_bus_doors(bus, 0xffff, ports, 4), 0, "not by a part");

    ngx_webrtc_bus_detach(&bus2);
    tap_is_int(ngx_webrtc_bus_doors(bus, 7, ports, 4), 1, "one has gone");

    bus2.worker = NGX_WEBRTC_WORKER_NONE;
    ngx_webrtc_bus_attach(&bus2, &bus_log);
    tap_is_int(ngx_webrtc_bus_doors(bus, 7, ports, 4), 1,
               "its successor has none of its doors");

    ngx_webrtc_bus_detach(&bus2);
    ngx_webrtc_bus_detach(bus);
}


static void
test_death(void)
{
    int                    pipefd[2], rc;
    char                   c;
    pid_t                  pid;
    size_t                 before;
    ngx_webrtc_bus_t      *bus;
    ngx_webrtc_stream_t   *st, *only;
    ngx_webrtc_ring_writer_t  w;

    bus = bus_zone(ZONE);
    ngx_webrtc_bus_attach(bus, &bus_log);

    st = stream(bus, "shared", 1);
    before = ngx_webrtc_bus_free(bus);

    if (pipe(pipefd) == -1) {
        return;
    }

    pid = fork();

    if (pid == 0) {
        bus_process();
        bus->worker = NGX_WEBRTC_WORKER_NONE;
        ngx_webrtc_bus_attach(bus, &bus_log);

        (void) stream(bus, "shared", 0);
        only = stream(bus, "only", 1);

        ngx_webrtc_bus_claim(bus, only, NGX_WEBRTC_CLAIM_SOURCE);
        ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_SOURCE);
        ngx_webrtc_bus_set_state(bus, st, NGX_WEBRTC_STREAM_ACTIVE, 1);
        ngx_webrtc_bus_watch(bus, st);
        ngx_webrtc_bus_viewer(bus, st, 1);
        ngx_webrtc_ring_attach(st->ring, &w);

        (void) !write(pipefd[1], "x", 1);

        /* it dies with the mutex held */

        ngx_shmtx_lock(&bus->shpool->mutex);
        (void) !write(pipefd[1], "x", 1);
        pause();
        _exit(0);
    }

    (void) !read(pipefd[0], &c, 1);
    (void) !read(pipefd[0], &c, 1);

    kill(pid, SIGKILL);

    /* a zombie is dead already, but keeps the mutex until it is waited for */

    rc = bus_wait(bus, pid);

    tap_is_int(rc, -1, "a worker is killed");
    tap_is_int(ngx_webrtc_bus_viewers(bus, st), 1, "its viewer counts");

    tap_is_int(ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_PUBLISH), NGX_OK,
               "its claim does not");
    tap_is_int(ngx_webrtc_bus_state(st), NGX_WEBRTC_STREAM_INACTIVE,
               "the stream is inactive");
    tap_is_int(ngx_webrtc_bus_viewers(bus, st), 0, "no viewer");
    tap_is_int(st->watching[0], 0, "not watched");
    tap_ok(stream(bus, "only", 0) == NULL, "a stream of its own is gone");
    tap_is_int(ngx_webrtc_bus_free(bus), before, "so is its memory");
    tap_is_int(ngx_webrtc_bus_worker_pid(bus, 1), 0, "the endpoint is free");
    tap_is_int(ngx_webrtc_bus_reap(bus, &bus_log), 0, "nothing left to reap");

    pid = fork();

    if (pid == 0) {
        bus_process();
        bus->worker = NGX_WEBRTC_WORKER_NONE;
        _exit(ngx_webrtc_bus_attach(bus, &bus_log) == NGX_OK ? 0 : 1);
    }

    tap_is_int(bus_wait(bus, pid), 0, "a worker exits without detach");
    tap_is_int(ngx_webrtc_bus_worker_pid(bus, 1), pid, "its endpoint stays");
    tap_is_int(ngx_webrtc_bus_reap(bus, &bus_log), 1, "until it is reaped");

    /* a pid that is used again, by a process that started another time */

    pid = fork();

    if (pid == 0) {
        bus_process();
        bus->worker = NGX_WEBRTC_WORKER_NONE;
        ngx_webrtc_bus_attach(bus, &bus_log);
        (void) !write(pipefd[1], "x", 1);
        pause();
        _exit(0);
    }

    (void) !read(pipefd[0], &c, 1);

    tap_is_int(ngx_webrtc_bus_reap(bus, &bus_log), 0, "a worker that lives");

    bus->sh->workers[1].started ^= 1;
    tap_is_int(ngx_webrtc_bus_reap(bus, &bus_log), 1,
               "another process with its pid");

    kill(pid, SIGKILL);
    (void) bus_wait(bus, pid);

    ngx_webrtc_bus_detach(bus);
}


/* rings that grow, and what is left to others */

static void
test_grow(void)
{
    size_t                     free;
    u_char                     payload[100];
    uint64_t                   n;
    ngx_webrtc_bus_t          *bus;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_stream_t       *st;
    ngx_webrtc_ring_packet_t   pkt;
    ngx_webrtc_ring_writer_t   w;

    bus = bus_zone(ZONE);
    ngx_webrtc_bus_attach(bus, &bus_log);

    free = ngx_webrtc_bus_free(bus);

    st = stream(bus, "grows", 1);

    tap_ok(free - ngx_webrtc_bus_free(bus) < 32 * 1024,
           "a name takes no memory for packets: %ld bytes",
           (long) (free - ngx_webrtc_bus_free(bus)));
    tap_is_int(ngx_webrtc_ring_room(st->ring), 0, "its ring has no room");
    tap_ok(ngx_webrtc_ring_peek(st->ring, 0, &pkt, NULL) == NGX_AGAIN
           && ngx_webrtc_ring_keyframe(st->ring) == NGX_WEBRTC_RING_NONE
           && ngx_webrtc_ring_find(st->ring, 3, 77, &n) == NGX_AGAIN,
           "readers find nothing in it");

    (void) ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_SOURCE);
    ngx_webrtc_ring_attach(st->ring, &w);

    ngx_memzero(&pkt, sizeof(pkt));
    pkt.len = 10;
    tap_is_int(ngx_webrtc_ring_write(&w, &pkt, payload), NGX_DECLINED,
               "and nothing can be written");

    tap_is_int(ngx_webrtc_bus_grow(bus, st, &w, 0), NGX_OK,
               "with media it has one");
    ring = st->ring;
    tap_ok(w.ring == ring && ngx_webrtc_ring_size(ring) == RING, "of its own");

    ngx_memzero(&pkt, sizeof(pkt));
    ngx_memset(payload, 'x', sizeof(payload));
    pkt.len = sizeof(payload);
    (void) ngx_webrtc_ring_write(&w, &pkt, payload);

    tap_is_int(ngx_webrtc_bus_grow(bus, st, &w, 0), NGX_DECLINED,
               "not beyond what it may have");

    ngx_webrtc_bus_set_ring_max(st, 100 * 1024 * 1024);

    tap_is_int(ngx_webrtc_bus_grow(bus, st, &w, 0), NGX_OK, "it grows");
    tap_ok(st->ring != ring && w.ring == st->ring, "into another ring");
    tap_is_int(ngx_webrtc_ring_size(st->ring), RING + 65536,
               "a step larger");
    tap_is_int(ngx_webrtc_ring_head(st->ring), 1, "with what was written");
    tap_is_int(ngx_webrtc_ring_find(st->ring, 0, 0, &n), NGX_OK,
               "under its number");

    (void) ngx_webrtc_bus_grow(bus, st, &w, 0);
    tap_is_int(ngx_webrtc_bus_grow(bus, st, &w, 0), NGX_OK, "and soon again");
    tap_is_int(ngx_webrtc_ring_size(st->ring), 2 * (RING + 2 * 65536),
               "doubles, as those before may still be read");

    ngx_webrtc_bus_turn(bus);
    ngx_webrtc_bus_turn(bus);

    tap_is_int(ngx_webrtc_bus_grow(bus, st, &w, 6 * RING), NGX_OK,
               "for what is larger");
    tap_is_int(ngx_webrtc_ring_size(st->ring), 6 * RING, "to just that");

    ngx_webrtc_bus_turn(bus);
    ngx_webrtc_bus_turn(bus);

    tap_ok(free - ngx_webrtc_bus_free(bus) < 6 * RING + 32 * 1024,
           "those before are freed after a turn");

    tap_is_int(ngx_webrtc_bus_grow(bus, st, &w, 10 * RING), NGX_ERROR,
               "a quarter of the zone is left");
    tap_ok(ngx_webrtc_bus_free(bus) > ZONE / 4, "and it is");

    ngx_webrtc_bus_unclaim(bus, st);
    ngx_webrtc_bus_release(bus, st);

    tap_is_int(ngx_webrtc_bus_free(bus), free, "all is freed with the stream");
}


int
main(void)
{
    test_zone();
    test_streams();
    test_claims();
    test_death();
    test_grow();
    test_doors();

    return tap_done();
}
