
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The packet ring against a naive model: an array of all that was ever
 * published.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <setjmp.h>
#include "ngx_webrtc_atomic.h"
#include "tap.h"


/*
 * The ring's source is included with its stores counted: a writer "dies" before
 * one of them, which ends in crashed.
 */

static jmp_buf  crashed;
static int      crash_after;


static void
crash_point(void)
{
    if (crash_after && --crash_after == 0) {
        longjmp(crashed, 1);
    }
}


#undef ngx_webrtc_atomic_store
#undef ngx_webrtc_atomic_store_release
#undef ngx_webrtc_atomic_data_store

#define ngx_webrtc_atomic_store(p, v)                                         \
    (crash_point(), __atomic_store_n(p, v, __ATOMIC_RELAXED))
#define ngx_webrtc_atomic_store_release(p, v)                                 \
    (crash_point(), __atomic_store_n(p, v, __ATOMIC_RELEASE))
#define ngx_webrtc_atomic_data_store(p, v)                                    \
    (crash_point(), __atomic_store_n(p, v, __ATOMIC_RELAXED))

#include "../../src/zone/ngx_webrtc_bus_ring.c"


#define MODEL  200000


typedef struct {
    ngx_webrtc_ring_packet_t   pkt;
    uint32_t                   seed;
} entry_t;


static entry_t                 *model;
static uint64_t                 written;
static uint64_t                 published;
static uint64_t                 indexes[NGX_WEBRTC_RING_TRACKS];
static uint64_t                 next[NGX_WEBRTC_RING_TRACKS];   /* published */
static uint64_t                 last_key;

static uint64_t                 rnd_state = 88172645463325252ULL;


/* xorshift64: the same sequence everywhere */

static uint32_t
rnd(uint32_t n)
{
    rnd_state ^= rnd_state << 13;
    rnd_state ^= rnd_state >> 7;
    rnd_state ^= rnd_state << 17;

    return (uint32_t) (rnd_state >> 32) % n;
}


static void
fill(u_char *p, size_t n, uint32_t seed)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        seed = seed * 1664525 + 1013904223;
        p[i] = (u_char) (seed >> 24);
    }
}


static void
model_reset(void)
{
    written = 0;
    published = 0;
    last_key = NGX_WEBRTC_RING_NONE;
    ngx_memzero(indexes, sizeof(indexes));
    ngx_memzero(next, sizeof(next));
}


static int
model_write(ngx_webrtc_ring_writer_t *w, uint16_t len)
{
    u_char    payload[NGX_WEBRTC_RING_MAX_PAYLOAD];
    entry_t  *e;

    e = &model[written];

    e->seed = rnd(0xffffffff);
    e->pkt.index = 0xdead;
    e->pkt.arrival_us = ((uint64_t) e->seed << 20) + written;
    e->pkt.ts = e->seed ^ 0x5a5a5a5a;
    e->pkt.len = len;
    e->pkt.track = (uint8_t) (rnd(10) ? 0 : rnd(NGX_WEBRTC_RING_TRACKS));
    e->pkt.flags = (uint8_t) rnd(64);

    if (rnd(20)) {
        e->pkt.flags &= ~NGX_WEBRTC_PKT_KEY;
    }

    fill(payload, len, e->seed);

    if (ngx_webrtc_ring_write(w, &e->pkt, payload) != NGX_OK
        || e->pkt.index != indexes[e->pkt.track])
    {
        return 0;
    }

    indexes[e->pkt.track]++;
    written++;

    return 1;
}


/* the ring may publish by itself when what is written fills it */

static void
model_published(uint64_t head)
{
    const uint8_t  key = NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST;

    for ( /* void */ ; published < head && published < written; published++) {
        next[model[published].pkt.track]++;

        if ((model[published].pkt.flags & key) == key) {
            last_key = published;
        }
    }
}


/* what was not published before the writer died has never been */

static void
model_crash(void)
{
    while (written > published) {
        written--;
        indexes[model[written].pkt.track]--;
    }
}


static int
check_entry(ngx_webrtc_ring_t *ring, uint64_t n)
{
    u_char                    *payload, want[NGX_WEBRTC_RING_MAX_PAYLOAD];
    uint64_t                   found;
    ngx_webrtc_ring_packet_t   pkt, *m;

    m = &model[n].pkt;

    if (ngx_webrtc_ring_peek(ring, n, &pkt, &payload) != NGX_OK
        || pkt.index != m->index || pkt.arrival_us != m->arrival_us
        || pkt.ts != m->ts || pkt.len != m->len || pkt.track != m->track
        || pkt.flags != m->flags)
    {
        return 0;
    }

    fill(want, m->len, model[n].seed);

    return ngx_memcmp(payload, want, m->len) == 0
           && ngx_webrtc_ring_check(ring, n) == NGX_OK
           && ngx_webrtc_ring_find(ring, m->track, m->index, &found) == NGX_OK
           && found == n;
}


static int
check_entries(ngx_webrtc_ring_t *ring, int all)
{
    uint64_t  n, i, head, tail;

    head = ngx_webrtc_ring_head(ring);
    tail = ngx_webrtc_ring_tail(ring);

    if (head != published || tail > head) {
        return 0;
    }

    for (i = 0; i < (all ? head - tail : 8) && head > tail; i++) {
        n = all ? tail + i : tail + rnd((uint32_t) (head - tail));

        if (!check_entry(ring, n)) {
            return 0;
        }
    }

    return 1;
}


static int
check_ring(ngx_webrtc_ring_t *ring, int all)
{
    uint64_t                  n, i, head, tail, found;
    ngx_webrtc_ring_packet_t  pkt;

    if (!check_entries(ring, all)) {
        return 0;
    }

    head = ngx_webrtc_ring_head(ring);
    tail = ngx_webrtc_ring_tail(ring);

    if (ngx_webrtc_ring_peek(ring, head, &pkt, NULL) != NGX_AGAIN
        || ngx_webrtc_ring_peek(ring, head + 1000, &pkt, NULL) != NGX_AGAIN
        || ngx_webrtc_ring_peek(ring, NGX_WEBRTC_RING_NONE, &pkt, NULL)
           != NGX_AGAIN)
    {
        return 0;
    }

    if (tail) {
        n = rnd((uint32_t) tail);

        if (ngx_webrtc_ring_peek(ring, n, &pkt, NULL) != NGX_DECLINED
            || ngx_webrtc_ring_check(ring, n) != NGX_DECLINED
            || ngx_webrtc_ring_find(ring, model[n].pkt.track,
                                    model[n].pkt.index, &found)
               != NGX_DECLINED)
        {
            return 0;
        }
    }

    for (i = 0; i < NGX_WEBRTC_RING_TRACKS; i++) {
        n = ngx_webrtc_ring_next_index(ring, i);

        if (n != next[i]
            || ngx_webrtc_ring_find(ring, i, n, &found) != NGX_AGAIN
            || ngx_webrtc_ring_find(ring, i, n + rnd(1 << 20), &found)
               != NGX_AGAIN)
        {
            return 0;
        }
    }

    n = ngx_webrtc_ring_keyframe(ring);

    if (last_key == NGX_WEBRTC_RING_NONE || last_key < tail) {
        return n == NGX_WEBRTC_RING_NONE;
    }

    return n == last_key;
}


static void
model_publish(ngx_webrtc_ring_writer_t *w)
{
    ngx_webrtc_ring_publish(w);

    model_published(written);
}


static void
test_random(size_t size, uint16_t max, int rounds)
{
    int                        j;
    volatile int               i, ok, crashes;
    void                      *mem;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_writer_t   w;

    mem = aligned_alloc(64, ngx_align(size, 64));

    /* nothing may depend on what was in the memory */

    ngx_memset(mem, 0xa5, size);

    model_reset();
    crashes = 0;

    ring = ngx_webrtc_ring_init(mem, size);

    tap_ok(ring != NULL, "ring of %lu bytes", (unsigned long) size);

    ngx_webrtc_ring_attach(ring, &w);

    ok = check_ring(ring, 1);

    for (i = 0; i < rounds && ok; i++) {

        if (rnd(8) == 0) {
            crash_after = 1 + rnd(rnd(2) ? 300 : 30);
        }

        if (setjmp(crashed)) {

            /*
             * What readers see is what the dead one published, and the key
             * frame of that at the latest when the next one attaches.
             */

            crashes++;
            model_published(ngx_webrtc_ring_head(ring));
            model_crash();
            ok = ok && check_entries(ring, 1);

            ngx_memset(&w, 0xa5, sizeof(w));
            ngx_webrtc_ring_attach(ring, &w);
            ok = ok && check_ring(ring, 1);
            continue;
        }

        for (j = rnd(40); j && ok; j--) {
            ok = model_write(&w, (uint16_t) rnd(max + 1));
        }

        model_published(ngx_webrtc_ring_head(ring));

        if (rnd(4)) {
            ok = ok && check_ring(ring, 0);
        }

        ngx_webrtc_ring_publish(&w);
        model_published(written);
        crash_after = 0;

        ok = ok && check_ring(ring, rnd(64) == 0);
    }

    ok = ok && check_ring(ring, 1);

    tap_ok(ok, "size %lu, payloads to %d: as the model after %d rounds, "
           "%d crashes, %lu packets", (unsigned long) size, max, i, crashes,
           (unsigned long) written);

    free(mem);
}


static void
test_history(void)
{
    int                        i, ok;
    void                      *mem;
    size_t                     size, bytes;
    uint64_t                   n;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_writer_t   w;

    size = 2 * 1024 * 1024;
    mem = aligned_alloc(64, size);

    model_reset();

    ring = ngx_webrtc_ring_init(mem, size);
    ngx_webrtc_ring_attach(ring, &w);

    ok = 1;

    for (i = 0; i < 10000 && ok; i++) {
        ok = model_write(&w, 1100 + rnd(100));

        if (i % 7 == 0) {
            model_publish(&w);
        }
    }

    model_publish(&w);

    bytes = 0;

    for (n = ngx_webrtc_ring_tail(ring); n < ngx_webrtc_ring_head(ring); n++) {
        bytes += model[n].pkt.len;
    }

    tap_ok(ok && bytes > size / 100 * 85 && bytes < size,
           "video packets fill more than 85 %% of a ring (%lu of %lu bytes)",
           (unsigned long) bytes, (unsigned long) size);

    free(mem);
}


/*
 * A larger ring takes over, again and again, with numbers left out in between:
 * it has all that the one before had, and the old one stays as it was.
 */

static void
test_move(void)
{
    int                        i, k, ok;
    void                      *mem[8];
    size_t                     size;
    uint64_t                   n, head;
    ngx_webrtc_ring_t         *ring, *old;
    ngx_webrtc_ring_writer_t   w;

    size = NGX_WEBRTC_RING_MIN_SIZE;
    mem[0] = aligned_alloc(64, size);

    model_reset();

    ring = ngx_webrtc_ring_init(mem[0], size);
    ngx_webrtc_ring_attach(ring, &w);

    ok = 1;

    for (k = 1; k < 8 && ok; k++) {

        for (i = 0; i < 300 * k && ok; i++) {
            ok = model_write(&w, (uint16_t) (400 + rnd(800)));

            if (rnd(3) == 0) {
                model_publish(&w);
                model_published(ngx_webrtc_ring_head(ring));
            }

            if (rnd(50) == 0) {
                ngx_webrtc_ring_skip(&w, 0, 3);
                indexes[0] += 3;
            }
        }

        /* indexes that were left out count from the next publish on */

        ok = ok && model_write(&w, 100);
        model_publish(&w);
        ngx_memcpy(next, indexes, sizeof(next));

        ok = ok && check_ring(ring, 1);

        size = size * 3 / 2 + 64;
        mem[k] = aligned_alloc(64, ngx_align(size, 64));
        ngx_memset(mem[k], 0xa5, size);

        old = ring;
        n = ngx_webrtc_ring_tail(old);
        head = ngx_webrtc_ring_head(old);

        ring = ngx_webrtc_ring_move(mem[k], size, &w);

        ok = ok && ring == mem[k] && w.ring == ring
             && ngx_webrtc_ring_tail(ring) == n
             && ngx_webrtc_ring_tail(old) == n
             && ngx_webrtc_ring_head(old) == head
             && check_ring(ring, 1) && check_ring(old, 1);
    }

    tap_ok(ok, "seven larger rings, each with what was in the one before");

    tap_ok(ngx_webrtc_ring_move(mem[0], 100, &w) == NULL,
           "no ring in too little memory");
    tap_ok(w.ring == ring, "the writer stays where it was");

    for (k = 0; k < 8; k++) {
        free(mem[k]);
    }

    /* an empty one */

    mem[0] = aligned_alloc(64, 131072);
    mem[1] = aligned_alloc(64, 262144);

    model_reset();

    ring = ngx_webrtc_ring_init(mem[0], 131072);
    ngx_webrtc_ring_attach(ring, &w);
    ring = ngx_webrtc_ring_move(mem[1], 262144, &w);

    ok = check_ring(ring, 1);

    for (i = 0; i < 2000 && ok; i++) {
        ok = model_write(&w, 500);
        model_publish(&w);
    }

    tap_ok(ok && check_ring(ring, 1), "an empty ring moves");

    free(mem[0]);
    free(mem[1]);
}


/* a ring that takes the place of another one, with nothing but its numbers */

static void
test_follow(void)
{
    int                        i, ok;
    void                      *mem[4];
    u_char                    *p;
    uint64_t                   head, index, n;
    ngx_webrtc_ring_t         *ring, *none;
    ngx_webrtc_ring_packet_t   pkt;
    ngx_webrtc_ring_writer_t   w;

    for (i = 0; i < 4; i++) {
        mem[i] = aligned_alloc(64, 262144);
        ngx_memset(mem[i], 0xa5, 262144);
    }

    model_reset();

    ring = ngx_webrtc_ring_init(mem[0], 262144);
    ngx_webrtc_ring_attach(ring, &w);

    ok = 1;

    for (i = 0; i < 1000 && ok; i++) {
        ok = model_write(&w, 500);
        model_publish(&w);
    }

    head = ngx_webrtc_ring_head(ring);
    index = ngx_webrtc_ring_next_index(ring, 0);

    /* what is not published is nobody's */

    (void) model_write(&w, 500);

    none = ngx_webrtc_ring_follow(mem[1], ring);

    tap_is_int(ngx_webrtc_ring_room(none), 0, "a ring follows, without room");
    tap_is_int(ngx_webrtc_ring_head(none), (long) head, "with the same head");
    tap_is_int(ngx_webrtc_ring_tail(none), (long) head, "and nothing in it");
    tap_is_int(ngx_webrtc_ring_next_index(none, 0), (long) index,
               "the next packet's index is the same");
    tap_ok(ngx_webrtc_ring_keyframe(none) == NGX_WEBRTC_RING_NONE,
           "no key frame");
    tap_is_int(ngx_webrtc_ring_peek(none, head - 1, &pkt, &p), NGX_DECLINED,
               "who is behind was lapped");
    tap_is_int(ngx_webrtc_ring_peek(none, head, &pkt, &p), NGX_AGAIN,
               "who is not waits");
    tap_is_int(ngx_webrtc_ring_find(none, 0, index - 1, &n), NGX_DECLINED,
               "what was sent is not found");
    tap_is_int(ngx_webrtc_ring_find(none, 0, index, &n), NGX_AGAIN,
               "nor what is to come");

    /* one that follows that, as when nothing was written */

    none = ngx_webrtc_ring_follow(mem[2], none);

    ngx_webrtc_ring_attach(none, &w);
    ring = ngx_webrtc_ring_move(mem[3], 65536, &w);

    ngx_memzero(&pkt, sizeof(pkt));
    pkt.len = 10;

    tap_is_int(ngx_webrtc_ring_write(&w, &pkt, mem[0]), NGX_OK,
               "the next one has room again");
    ngx_webrtc_ring_publish(&w);
    tap_ok(ngx_webrtc_ring_peek(ring, head, &pkt, &p) == NGX_OK
           && pkt.index == index, "and goes on with the numbers");

    for (i = 0; i < 4; i++) {
        free(mem[i]);
    }
}


/* what becomes of the newest key frame */

static void
test_key(void)
{
    int                        i;
    void                      *mem;
    u_char                     payload[1200];
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_packet_t   pkt;
    ngx_webrtc_ring_writer_t   w;

    mem = aligned_alloc(64, NGX_WEBRTC_RING_MIN_SIZE);
    ring = ngx_webrtc_ring_init(mem, NGX_WEBRTC_RING_MIN_SIZE);
    ngx_webrtc_ring_attach(ring, &w);

    ngx_memzero(&pkt, sizeof(pkt));
    ngx_memzero(payload, sizeof(payload));
    pkt.len = 1200;

    for (i = 0; i < 200; i++) {
        (void) ngx_webrtc_ring_write(&w, &pkt, payload);
    }

    tap_is_int(w.state, NGX_WEBRTC_RING_HELD, "none so far");

    for (i = 0; i < 10; i++) {
        pkt.flags = NGX_WEBRTC_PKT_KEY | (i == 0 ? NGX_WEBRTC_PKT_FIRST : 0)
                    | (i == 9 ? NGX_WEBRTC_PKT_LAST : 0);
        (void) ngx_webrtc_ring_write(&w, &pkt, payload);
    }

    pkt.flags = 0;

    for (i = 0; i < 10; i++) {
        (void) ngx_webrtc_ring_write(&w, &pkt, payload);
    }

    tap_is_int(w.state, NGX_WEBRTC_RING_HELD, "a key frame is in the ring");

    for (i = 0; i < 60; i++) {
        (void) ngx_webrtc_ring_write(&w, &pkt, payload);
    }

    tap_is_int(w.state, NGX_WEBRTC_RING_GONE, "a key frame has gone");

    for (i = 0; i < 80; i++) {
        pkt.flags = NGX_WEBRTC_PKT_KEY | (i == 0 ? NGX_WEBRTC_PKT_FIRST : 0);
        (void) ngx_webrtc_ring_write(&w, &pkt, payload);
    }

    tap_is_int(w.state, NGX_WEBRTC_RING_TORN, "a key frame does not fit");

    free(mem);
}


/* more than the ring holds, without a publish */

static void
test_huge_frame(void)
{
    int                        i, ok;
    void                      *mem;
    uint64_t                   n, head;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_writer_t   w;

    mem = aligned_alloc(64, NGX_WEBRTC_RING_MIN_SIZE);

    model_reset();

    ring = ngx_webrtc_ring_init(mem, NGX_WEBRTC_RING_MIN_SIZE);
    ngx_webrtc_ring_attach(ring, &w);

    ok = 1;

    for (i = 0; i < 500; i++) {
        ok = ok && model_write(&w, 1200);

        head = ngx_webrtc_ring_head(ring);

        for (n = ngx_webrtc_ring_tail(ring); n < head; n++) {
            ok = ok && check_entry(ring, n);
        }

        ok = ok && ngx_webrtc_ring_tail(ring) <= head && head <= written;
    }

    ok = ok && head > 0;

    model_publish(&w);

    tap_ok(ok && check_ring(ring, 1),
           "a frame larger than the ring is published in pieces");

    free(mem);
}


static void
test_lapped(void)
{
    u_char                    *payload, copy[1000], want[1000];
    void                      *mem;
    uint64_t                   cursor, key;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_packet_t   pkt;
    ngx_webrtc_ring_writer_t   w;

    mem = aligned_alloc(64, NGX_WEBRTC_RING_MIN_SIZE);
    ring = ngx_webrtc_ring_init(mem, NGX_WEBRTC_RING_MIN_SIZE);
    ngx_webrtc_ring_attach(ring, &w);

    ngx_memzero(&pkt, sizeof(pkt));
    ngx_memset(want, 'a', sizeof(want));

    pkt.len = 1000;
    pkt.flags = NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST;

    ngx_webrtc_ring_write(&w, &pkt, want);
    ngx_webrtc_ring_publish(&w);

    cursor = ngx_webrtc_ring_keyframe(ring);

    tap_is_int(cursor, 0, "a viewer starts at the key frame");
    tap_is_int(ngx_webrtc_ring_peek(ring, cursor, &pkt, &payload), NGX_OK,
               "its first packet is there");

    ngx_memcpy(copy, payload, 500);

    /* meanwhile the writer goes round */

    do {
        pkt.flags = 0;
        ngx_memset(want, 'b', sizeof(want));
        ngx_webrtc_ring_write(&w, &pkt, want);
        ngx_webrtc_ring_publish(&w);
    } while (*payload == 'a');

    tap_is_int(ngx_webrtc_ring_check(ring, cursor), NGX_DECLINED,
               "overwritten under the reader: the check says so");
    tap_is_int(ngx_webrtc_ring_peek(ring, cursor, &pkt, &payload),
               NGX_DECLINED, "and so does the next peek");
    tap_ok(ngx_webrtc_ring_keyframe(ring) == NGX_WEBRTC_RING_NONE,
           "no key frame is left to jump to");

    pkt.flags = NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST;
    ngx_webrtc_ring_write(&w, &pkt, want);

    tap_ok(ngx_webrtc_ring_keyframe(ring) == NGX_WEBRTC_RING_NONE,
           "a key frame is none before it is published");

    key = ngx_webrtc_ring_head(ring);
    ngx_webrtc_ring_publish(&w);

    tap_is_int(ngx_webrtc_ring_keyframe(ring), key,
               "the lapped reader jumps to the next one");

    pkt.flags = NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_LAST;
    ngx_webrtc_ring_write(&w, &pkt, want);
    ngx_webrtc_ring_publish(&w);

    tap_is_int(ngx_webrtc_ring_keyframe(ring), key,
               "a later packet of a key frame begins none");

    free(mem);
}


static void
test_limits(void)
{
    u_char                     payload[NGX_WEBRTC_RING_MAX_PAYLOAD + 1];
    u_char                    *mem;
    uint64_t                   n;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_packet_t   pkt;
    ngx_webrtc_ring_writer_t   w;

    mem = aligned_alloc(64, NGX_WEBRTC_RING_MIN_SIZE + 64);

    ngx_memzero(payload, sizeof(payload));
    ngx_memzero(&pkt, sizeof(pkt));

    tap_ok(ngx_webrtc_ring_init(mem, NGX_WEBRTC_RING_MIN_SIZE - 1) == NULL,
           "too small");
    tap_ok(ngx_webrtc_ring_init(mem, (size_t) NGX_WEBRTC_RING_MAX_SIZE + 1)
           == NULL, "too large");
    tap_ok(ngx_webrtc_ring_init(mem + 8, NGX_WEBRTC_RING_MIN_SIZE) == NULL,
           "misaligned");

    ring = ngx_webrtc_ring_init(mem, NGX_WEBRTC_RING_MIN_SIZE);
    ngx_webrtc_ring_attach(ring, &w);

    pkt.len = NGX_WEBRTC_RING_MAX_PAYLOAD + 1;
    tap_is_int(ngx_webrtc_ring_write(&w, &pkt, payload), NGX_DECLINED,
               "payload too long");

    pkt.len = NGX_WEBRTC_RING_MAX_PAYLOAD;
    tap_is_int(ngx_webrtc_ring_write(&w, &pkt, payload), NGX_OK,
               "longest payload");

    pkt.len = 0;
    tap_is_int(ngx_webrtc_ring_write(&w, &pkt, NULL), NGX_OK, "no payload");

    pkt.track = NGX_WEBRTC_RING_TRACKS;
    tap_is_int(ngx_webrtc_ring_write(&w, &pkt, payload), NGX_DECLINED,
               "no such track");
    tap_is_int(ngx_webrtc_ring_find(ring, NGX_WEBRTC_RING_TRACKS, 0, &n),
               NGX_DECLINED, "nothing is found in it");

    ngx_webrtc_ring_publish(&w);
    tap_is_int(ngx_webrtc_ring_head(ring), 2, "two were written");

    free(mem);
}


int
main(void)
{
    model = malloc(MODEL * sizeof(entry_t));

    test_limits();
    test_lapped();
    test_huge_frame();
    test_move();
    test_follow();
    test_key();
    test_history();
    test_random(NGX_WEBRTC_RING_MIN_SIZE, 1200, 4000);
    test_random(NGX_WEBRTC_RING_MIN_SIZE, 40, 4000);
    test_random(NGX_WEBRTC_RING_MIN_SIZE, NGX_WEBRTC_RING_MAX_PAYLOAD, 4000);
    test_random(100001, 1200, 4000);
    test_random(1024 * 1024 + 7, 1200, 4000);

    free(model);

    return tap_done();
}
