
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Rings that grow: how much memory streams of a rate take, in pretended time;
 * that what is not used is not resident; that readers in other processes miss
 * nothing while rings are replaced and freed, also when a writer is killed.
 */


#include "bus_zone.h"
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_bus_zone.h"


/* as in README's configuration, which sets neither zone nor buffer */
#define ZONE      (512 * 1024 * 1024UL)
#define START     (64 * 1024)
#define MAX       (16 * 1024 * 1024)

#define STREAMS   500
#define GOP_S     2
#define FPS       25
#define PACKET    1160

#define READERS   3
#define FRAMES    4000


typedef struct {
    ngx_webrtc_stream_t       *st;
    ngx_webrtc_ring_writer_t   w;
    ngx_uint_t                 refused;
} cam_t;


typedef struct {
    uint64_t                   done;
    uint64_t                   looked;
    uint64_t                   wrong;
    uint64_t                   lapped;
    uint64_t                   rings;
} seen_t;


static const ngx_webrtc_ring_keep_t  keep = {
    NGX_WEBRTC_KEEP_US, NGX_WEBRTC_KEEP_MAX, 0
};

static u_char  payload[NGX_WEBRTC_RING_MAX_PAYLOAD];


static ngx_webrtc_stream_t *
make(ngx_webrtc_bus_t *bus, const char *fmt, int i)
{
    u_char                name[32];
    ngx_str_t             v;
    ngx_webrtc_stream_t  *st;

    v.data = name;
    v.len = ngx_sprintf(name, fmt, i) - name;

    st = ngx_webrtc_bus_stream(bus, &v, START, 1);

    if (st) {
        ngx_webrtc_bus_set_ring_max(st, MAX);
    }

    return st;
}


static size_t
resident(ngx_webrtc_bus_t *bus)
{
    size_t          i, n, sum;
    unsigned char  *vec;

    n = bus->zone->shm.size / ngx_pagesize;
    vec = malloc(n);

    if (vec == NULL
        || mincore(bus->zone->shm.addr, bus->zone->shm.size, vec) == -1)
    {
        return 0;
    }

    sum = 0;

    for (i = 0; i < n; i++) {
        sum += (vec[i] & 1) * ngx_pagesize;
    }

    free(vec);

    return sum;
}


static void
put(ngx_webrtc_bus_t *bus, cam_t *c, ngx_uint_t track, size_t len,
    ngx_uint_t flags, uint64_t now_us)
{
    ngx_webrtc_ring_packet_t  pkt;

    ngx_memzero(&pkt, sizeof(pkt));

    pkt.len = (uint16_t) len;
    pkt.track = (uint8_t) track;
    pkt.flags = (uint8_t) flags;
    pkt.arrival_us = now_us;

    if (ngx_webrtc_ring_wants(&c->w, len, now_us, &keep)
        && ngx_webrtc_bus_grow(bus, c->st, &c->w, 0) != NGX_OK)
    {
        c->refused++;
    }

    (void) ngx_webrtc_ring_write(&c->w, &pkt, payload);
}


/*
 * One frame of a stream of "rate" bit/s in all: Opus of 64 kbit/s at 50 packets
 * a second, and video whose key frames are eight times as large as others
 */

static void
frame(ngx_webrtc_bus_t *bus, cam_t *c, ngx_uint_t n, ngx_uint_t rate,
    ngx_uint_t gop, uint64_t now_us)
{
    size_t      size, len, left;
    ngx_uint_t  key, flags;

    key = (n % gop == 0);

    size = (rate - 64000) / 8 * gop / FPS / (gop - 1 + 8);
    size *= key ? 8 : 1;

    for (left = size; left; left -= len) {
        len = ngx_min(left, PACKET);

        flags = key ? NGX_WEBRTC_PKT_KEY : 0;
        flags |= (left == size) ? NGX_WEBRTC_PKT_FIRST : 0;
        flags |= (left == len) ? NGX_WEBRTC_PKT_LAST|NGX_WEBRTC_PKT_MARKER : 0;

        put(bus, c, 0, len, flags, now_us);
    }

    put(bus, c, 1, 160, 0, now_us);
    put(bus, c, 1, 160, 0, now_us + 20000);

    ngx_webrtc_ring_publish(&c->w);
}


/*
 * Seconds of so many streams.  Returns how often the newest key frame was lost.
 */

static ngx_uint_t
run(ngx_webrtc_bus_t *bus, cam_t *cams, ngx_uint_t n, ngx_uint_t rate,
    ngx_uint_t gop, ngx_uint_t from, ngx_uint_t to)
{
    uint64_t    now_us;
    ngx_uint_t  i, f, lost;

    lost = 0;

    for (f = from * FPS; f < to * FPS; f++) {

        now_us = 1000000 + (uint64_t) f * (1000000 / FPS);

        for (i = 0; i < n; i++) {

            /* they do not begin all at once */

            frame(bus, &cams[i], f + i % gop, rate, gop, now_us);

            if (f > gop
                && ngx_webrtc_ring_keyframe(cams[i].st->ring)
                   == NGX_WEBRTC_RING_NONE)
            {
                lost++;
            }
        }

        if (f % (FPS / 4) == 0) {
            ngx_webrtc_bus_turn(bus);
        }
    }

    return lost;
}


static void
start(ngx_webrtc_bus_t *bus, cam_t *c, int i)
{
    ngx_memzero(c, sizeof(cam_t));

    c->st = make(bus, "cam%d", i);

    if (c->st) {
        (void) ngx_webrtc_bus_claim(bus, c->st, NGX_WEBRTC_CLAIM_SOURCE);
        ngx_webrtc_ring_attach(c->st->ring, &c->w);
    }
}


static void
test_camera(void)
{
    size_t             before, took;
    cam_t              cam;
    ngx_webrtc_bus_t  *bus;

    bus = bus_zone(ZONE);
    ngx_webrtc_bus_attach(bus, &bus_log);

    before = ngx_webrtc_bus_free(bus);

    start(bus, &cam, 0);
    tap_is_int(run(bus, &cam, 1, 500000, GOP_S * FPS, 0, 30), 0,
               "a camera of 500 kbit/s: its last key frame is always there");

    took = before - ngx_webrtc_bus_free(bus);

    tap_ok(took < 400 * 1024, "it takes %lu bytes", (unsigned long) took);
    tap_ok(ngx_webrtc_ring_size(cam.st->ring) > 2 * GOP_S * 500000 / 8,
           "which hold two intervals of key frames");

    munmap(bus->zone->shm.addr, ZONE);
}


static void
test_many(void)
{
    int                i;
    size_t             empty, names, all, free;
    ngx_uint_t         lost, refused;
    static cam_t       cams[STREAMS];
    ngx_webrtc_bus_t  *bus;

    bus = bus_zone(ZONE);
    ngx_webrtc_bus_attach(bus, &bus_log);

    empty = resident(bus);
    free = ngx_webrtc_bus_free(bus);

    tap_ok(empty < ZONE / 64, "%lu of %lu bytes are resident when it is made",
           (unsigned long) empty, (unsigned long) ZONE);

    for (i = 0; i < STREAMS; i++) {
        start(bus, &cams[i], i);
    }

    tap_ok(cams[STREAMS - 1].st != NULL, "%d names", STREAMS);

    names = resident(bus);
    tap_ok(names - empty < STREAMS * 20 * 1024, "take %lu bytes each",
           (unsigned long) (names - empty) / STREAMS);

    lost = run(bus, cams, STREAMS, 1000000, GOP_S * FPS, 0, 8);

    /* all of them have grown at once, each with two rings for the time being */

    for (i = 0; i < STREAMS; i++) {
        cams[i].refused = 0;
    }

    lost += run(bus, cams, STREAMS, 1000000, GOP_S * FPS, 8, 12);

    refused = 0;

    for (i = 0; i < STREAMS; i++) {
        refused += cams[i].refused;
    }

    tap_is_int(refused, 0, "%d streams of 1 Mbit/s: each has the ring it wants",
               STREAMS);
    tap_is_int(lost, 0, "and its last key frame at any time");

    all = resident(bus);
    free -= ngx_webrtc_bus_free(bus);

    tap_ok(all <= names + free, "no more is resident than was allocated");
    tap_diag("%lu bytes each: %lu of the zone, %lu resident; %lu free",
             (unsigned long) free / STREAMS, (unsigned long) free,
             (unsigned long) all, (unsigned long) ngx_webrtc_bus_free(bus));

    munmap(bus->zone->shm.addr, ZONE);
}


/* packets so small that their number fills a ring, not their bytes */

static void
test_small(void)
{
    cam_t              cam;
    uint64_t           now_us;
    ngx_uint_t         i, lost;
    ngx_webrtc_bus_t  *bus;

    bus = bus_zone(ZONE / 4);
    ngx_webrtc_bus_attach(bus, &bus_log);

    start(bus, &cam, 0);
    lost = 0;

    for (i = 0; i < 200 * 60; i++) {

        /* a key frame every 5 seconds, 200 packets of 30 bytes a second */

        now_us = 1000000 + (uint64_t) i * 5000;

        put(bus, &cam, 0, 30,
            NGX_WEBRTC_PKT_FIRST|NGX_WEBRTC_PKT_LAST|NGX_WEBRTC_PKT_MARKER
            | (i % 1000 ? 0 : NGX_WEBRTC_PKT_KEY), now_us);

        ngx_webrtc_ring_publish(&cam.w);

        if (i % 50 == 0) {
            ngx_webrtc_bus_turn(bus);
        }

        lost += (ngx_webrtc_ring_keyframe(cam.st->ring)
                 == NGX_WEBRTC_RING_NONE);
    }

    tap_is_int(lost, 0, "small packets: the last key frame is always there");
    tap_is_int(cam.refused, 0, "no larger ring is refused");
    tap_ok(ngx_webrtc_ring_size(cam.st->ring) >= 1024 * 1024
           && ngx_webrtc_ring_size(cam.st->ring) < 2 * 1024 * 1024,
           "with %lu bytes for 2000 of them",
           (unsigned long) ngx_webrtc_ring_size(cam.st->ring));

    munmap(bus->zone->shm.addr, ZONE / 4);
}


/* a ring of all it may have, by one key frame and much behind it */

static void
burst(ngx_webrtc_bus_t *bus, cam_t *c)
{
    ngx_uint_t  i;

    put(bus, c, 0, PACKET, NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST
                           |NGX_WEBRTC_PKT_LAST, 1000000);

    for (i = 0; i < MAX / PACKET; i++) {
        put(bus, c, 0, PACKET, 0, 1000000 + i * 100);

        if (i % 100 == 0) {
            ngx_webrtc_ring_publish(&c->w);
            ngx_webrtc_bus_turn(bus);
        }
    }

    ngx_webrtc_ring_publish(&c->w);
    ngx_webrtc_bus_turn(bus);
}


/* one that begins on a name that has had a burst */

static void
test_again(void)
{
    cam_t                      cam;
    size_t                     free, took;
    uint64_t                   head, index;
    ngx_webrtc_bus_t          *bus;
    ngx_webrtc_ring_packet_t   pkt;

    bus = bus_zone(ZONE / 4);
    ngx_webrtc_bus_attach(bus, &bus_log);

    start(bus, &cam, 0);
    free = ngx_webrtc_bus_free(bus);

    burst(bus, &cam);

    tap_is_int(ngx_webrtc_ring_size(cam.st->ring), MAX,
               "a burst: a large ring");

    head = ngx_webrtc_ring_head(cam.st->ring);
    index = ngx_webrtc_ring_next_index(cam.st->ring, 0);

    /* still its own: nothing changes */

    (void) ngx_webrtc_bus_claim(bus, cam.st, NGX_WEBRTC_CLAIM_SOURCE);
    tap_is_int(ngx_webrtc_ring_size(cam.st->ring), MAX,
               "which is there as long as the claim is");

    ngx_webrtc_bus_unclaim(bus, cam.st);
    tap_is_int(ngx_webrtc_ring_size(cam.st->ring), MAX,
               "and for viewers of what was sent");

    tap_is_int(ngx_webrtc_bus_claim(bus, cam.st, NGX_WEBRTC_CLAIM_PUBLISH),
               NGX_OK, "a new claim");
    tap_is_int(ngx_webrtc_ring_room(cam.st->ring), 0,
               "begins without a ring, until there is media");
    tap_ok(ngx_webrtc_bus_state(cam.st) == NGX_WEBRTC_STREAM_IDLE
           && !ngx_webrtc_bus_is_dropped(cam.st), "and is not dropped");

    ngx_webrtc_bus_turn(bus);
    ngx_webrtc_bus_turn(bus);

    took = free - ngx_webrtc_bus_free(bus);
    tap_ok(took <= (size_t) ngx_pagesize, "its memory is free: %ld are taken",
           (long) took);

    ngx_webrtc_ring_attach(cam.st->ring, &cam.w);
    put(bus, &cam, 0, 100, 0, 2000000);
    ngx_webrtc_ring_publish(&cam.w);

    tap_is_int(ngx_webrtc_ring_size(cam.st->ring), START,
               "the first packet gets a ring of the first size");
    tap_ok(ngx_webrtc_ring_peek(cam.st->ring, head, &pkt, NULL) == NGX_OK
           && pkt.index == index, "and goes on with the numbers");

    munmap(bus->zone->shm.addr, ZONE / 4);
}


/*
 * Names that are held, by viewers or requests, after a burst on each: as many
 * as there is memory for.  Others find room.
 */

static void
test_taken_back(void)
{
    int                i, n;
    cam_t              cam;
    ngx_uint_t         big;
    ngx_webrtc_bus_t  *bus;
    static cam_t       held[64];

    bus = bus_zone(ZONE / 8);
    ngx_webrtc_bus_attach(bus, &bus_log);

    /* a memory of its own for one that is live */

    start(bus, &cam, 99);
    burst(bus, &cam);

    ngx_current_msec = 1000;

    for (n = 0; n < 64; n++) {
        start(bus, &held[n], n);
        burst(bus, &held[n]);
        ngx_webrtc_bus_unclaim(bus, held[n].st);

        ngx_current_msec += 10;

        if (ngx_webrtc_ring_size(held[n].st->ring) < MAX / 2) {
            break;
        }
    }

    tap_ok(n > 0 && n < 20, "%d bursts of held names fill the zone", n);

    for (i = 0; i < 20; i++) {
        ngx_current_msec += 250;
        burst(bus, &held[n]);
        ngx_webrtc_bus_turn(bus);
    }

    for (i = 0, big = 0; i < n; i++) {
        big += ngx_webrtc_ring_size(held[i].st->ring) > START;
    }

    tap_is_int(big, 0, "who needs memory gets theirs");
    tap_ok(ngx_webrtc_ring_size(cam.st->ring) > MAX / 2,
           "not that of one who is live");

    for (i = 0; i < n; i++) {
        if (ngx_webrtc_bus_claimed(held[i].st, NULL)
            || held[i].st->claim
            || ngx_webrtc_bus_claim(bus, held[i].st, NGX_WEBRTC_CLAIM_SOURCE)
               != NGX_OK)
        {
            break;
        }
    }

    tap_is_int(i, n, "all of them may be claimed");

    ngx_webrtc_bus_unclaim(bus, held[n].st);
    start(bus, &cam, 100);

    for (i = 0; i < 20; i++) {
        ngx_current_msec += 250;
        burst(bus, &cam);
        ngx_webrtc_bus_turn(bus);
    }

    tap_ok(ngx_webrtc_ring_size(cam.st->ring) > MAX / 2,
           "and another one has a large ring");

    munmap(bus->zone->shm.addr, ZONE / 8);
    ngx_current_msec = 0;
}


/* readers that begin anew all the time, and look at all there is */

static void
reader(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st, seen_t *seen)
{
    u_char                    *p;
    uint64_t                   cursor, number;
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_webrtc_ring_t         *ring, *before;
    ngx_webrtc_ring_packet_t   pkt;

    bus_process();
    bus->worker = NGX_WEBRTC_WORKER_NONE;
    (void) ngx_webrtc_bus_attach(bus, &bus_log);

    before = NULL;
    cursor = 0;

    for ( ;; ) {

        /* a turn of an event loop */

        ring = ngx_webrtc_atomic_load_acquire(&st->ring);
        seen->rings += (ring != before);
        before = ring;

        for (i = 0; i < 200; i++) {
            rc = ngx_webrtc_ring_peek(ring, cursor, &pkt, &p);

            if (rc == NGX_AGAIN) {
                break;
            }

            if (rc == NGX_DECLINED) {
                seen->lapped++;
                cursor = ngx_webrtc_ring_tail(ring);
                continue;
            }

            ngx_memcpy(&number, p, sizeof(number));

            if (ngx_webrtc_ring_check(ring, cursor) == NGX_OK) {
                seen->looked++;
                seen->wrong += (number != cursor || pkt.index != cursor);
                cursor++;
            }
        }

        if (i == 0 && ngx_webrtc_atomic_load_acquire(&seen->done)) {
            _exit(seen->wrong != 0);
        }

        ngx_webrtc_bus_turn(bus);
    }
}


static void
writer(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st, ngx_uint_t frames)
{
    uint64_t                   n;
    ngx_uint_t                 i, f;
    ngx_webrtc_ring_packet_t   pkt;
    ngx_webrtc_ring_writer_t   w;

    bus_process();
    bus->worker = NGX_WEBRTC_WORKER_NONE;
    (void) ngx_webrtc_bus_attach(bus, &bus_log);

    if (ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_SOURCE) != NGX_OK) {
        _exit(1);
    }

    ngx_webrtc_ring_attach(st->ring, &w);

    for (f = 0; f < frames; f++) {

        if (f % 5 == 0 || ngx_webrtc_ring_room(w.ring) == 0) {
            /* growing for no reason, as fast as old ones go */
            (void) ngx_webrtc_bus_grow(bus, st, &w, 0);
        }

        for (i = 0; i < 20; i++) {
            ngx_memzero(&pkt, sizeof(pkt));
            pkt.len = 1000;

            n = w.head;
            ngx_memcpy(payload, &n, sizeof(n));

            (void) ngx_webrtc_ring_write(&w, &pkt, payload);
        }

        ngx_webrtc_ring_publish(&w);
        ngx_webrtc_bus_turn(bus);
    }

    _exit(0);
}


static void
test_readers(ngx_uint_t kill_it)
{
    int                   i, rc, ok;
    pid_t                 pid, pids[READERS];
    size_t                free;
    seen_t               *seen;
    uint64_t              rings, looked, wrong;
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_stream_t  *st;

    bus = bus_zone(ZONE / 4);
    ngx_webrtc_bus_attach(bus, &bus_log);

    free = ngx_webrtc_bus_free(bus);
    st = make(bus, "hammer%d", 0);

    seen = mmap(NULL, READERS * sizeof(seen_t), PROT_READ|PROT_WRITE,
                MAP_ANON|MAP_SHARED, -1, 0);

    for (i = 0; i < READERS; i++) {
        pids[i] = fork();

        if (pids[i] == 0) {
            reader(bus, st, &seen[i]);
        }
    }

    for (i = 0; i < (kill_it ? 60 : 1); i++) {
        pid = fork();

        if (pid == 0) {
            writer(bus, st, FRAMES);
        }

        if (kill_it) {
            usleep(500 + i * 137 % 3000);

            /* not within the slab allocator, which would not survive it */

            ngx_shmtx_lock(&bus->shpool->mutex);
            kill(pid, SIGKILL);
            ngx_shmtx_unlock(&bus->shpool->mutex);
        }

        (void) bus_wait(bus, pid);
        (void) ngx_webrtc_bus_reap(bus, &bus_log);
        ngx_webrtc_bus_turn(bus);
    }

    for (i = 0; i < READERS; i++) {
        ngx_webrtc_atomic_store_release(&seen[i].done, 1);
    }

    ok = 1;
    rings = 0;
    looked = 0;
    wrong = 0;

    for (i = 0; i < READERS; i++) {
        rc = bus_wait(bus, pids[i]);
        ok = ok && rc == 0;
        rings += seen[i].rings;
        looked += seen[i].looked;
        wrong += seen[i].wrong;
    }

    tap_ok(ok && wrong == 0 && looked > 0 && rings > READERS,
           "%s: %lu packets read, none wrong, in %lu rings",
           kill_it ? "writers are killed" : "one writer",
           (unsigned long) looked, (unsigned long) rings);

    (void) ngx_webrtc_bus_reap(bus, &bus_log);
    ngx_webrtc_bus_turn(bus);
    ngx_webrtc_bus_turn(bus);

    if (!kill_it) {
        tap_ok(free - ngx_webrtc_bus_free(bus)
               <= ngx_webrtc_ring_size(st->ring) + 32 * 1024,
               "all rings but the last are freed");
    }

    ngx_webrtc_bus_release(bus, st);
    munmap(bus->zone->shm.addr, ZONE / 4);
}


/* a worker that has no turns may still read what it has seen last */

static void
test_stuck(void)
{
    int                i;
    cam_t              cam;
    pid_t              pid;
    uint64_t          *up;
    ngx_uint_t         old;
    ngx_webrtc_bus_t  *bus;

    bus = bus_zone(ZONE / 4);
    ngx_webrtc_bus_attach(bus, &bus_log);

    up = mmap(NULL, sizeof(uint64_t), PROT_READ|PROT_WRITE,
              MAP_ANON|MAP_SHARED, -1, 0);

    pid = fork();

    if (pid == 0) {
        bus_process();
        bus->worker = NGX_WEBRTC_WORKER_NONE;
        (void) ngx_webrtc_bus_attach(bus, &bus_log);
        ngx_webrtc_atomic_store_release(up, 1);
        for ( ;; ) { pause(); }
    }

    while (!ngx_webrtc_atomic_load_acquire(up)) {
        usleep(1000);
    }

    start(bus, &cam, 0);

    for (i = 0; i < 100; i++) {
        (void) ngx_webrtc_bus_grow(bus, cam.st, &cam.w, 0);
        ngx_webrtc_bus_turn(bus);
    }

    for (i = 0, old = 0; i < NGX_WEBRTC_BUS_RINGS; i++) {
        old += cam.st->rings[i].p != NULL;
    }

    tap_is_int(ngx_webrtc_ring_size(cam.st->ring), MAX, "a ring grows");
    tap_ok(old > 5, "while a worker hangs, which holds all %d", (int) old);

    kill(pid, SIGKILL);
    (void) bus_wait(bus, pid);
    (void) ngx_webrtc_bus_reap(bus, &bus_log);

    ngx_webrtc_bus_turn(bus);
    ngx_webrtc_bus_turn(bus);

    for (i = 0, old = 0; i < NGX_WEBRTC_BUS_RINGS; i++) {
        old += cam.st->rings[i].p != NULL;
    }

    tap_is_int(old, 1, "until that has gone");

    munmap(bus->zone->shm.addr, ZONE / 4);
}


int
main(void)
{
    test_camera();
    test_many();
    test_small();
    test_again();
    test_taken_back();
    test_stuck();
    test_readers(0);
    test_readers(1);

    return tap_done();
}
