
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The packet ring of a stream.
 *
 *
 * Memory
 *
 *     header | descriptors | index tables, one per track | payload bytes
 *
 * Entries are numbered from 0 without end.  Entry n has descriptor n modulo
 * the number of descriptors, a power of two, and its payload somewhere in the
 * payload area, in one piece: what does not fit before the area's end begins
 * at its start, one "lap" later.  The index table of a track says, for a
 * packet's index modulo the same number, which entry it was (32 low bits).
 *
 *
 * Who writes what
 *
 * There is one writer.  It shares three words with the readers:
 *
 *     head   entries below it are published
 *     tail   entries below it are overwritten, or may be at any time
 *     key    the newest published key frame's first entry
 *
 * So entries tail .. head - 1 are readable, tail never passes head, and what
 * is at head and above is the writer's alone.
 *
 *
 * A new entry becomes visible
 *
 * by storing head with release, after descriptors, tables and payloads: a
 * reader that loads head with acquire sees them whole.  Once per frame.
 *
 *
 * An old entry disappears
 *
 * as under a sequence lock.  The writer
 *
 *     1. stores tail past all that it is about to overwrite,
 *     2. a release fence,
 *     3. overwrites.
 *
 * A reader
 *
 *     1. loads a descriptor, uses a payload,
 *     2. an acquire fence,
 *     3. loads tail: if the entry is not below it, what it loaded was whole.
 *
 * If the reader saw one byte stored in the writer's step 3, then its fence
 * synchronizes with the writer's, and its step 3 sees the tail of the writer's
 * step 1 (C11, 7.17.4).  ngx_webrtc_ring_peek() does this for the descriptor,
 * so that length and offset can be trusted before the payload is touched, and
 * ngx_webrtc_ring_check() does it after the payload has been used.  If it
 * declines, what was made of the payload is garbage and has to be dropped, but
 * all reads stayed within the ring's bounds.
 *
 * Descriptors and tables are loaded and stored as atomic words.  Payloads are
 * copied by memcpy() and encrypted from where they are; strictly by C11 that is
 * a race, as it is in every sequence lock, but nothing depends on what is read
 * before the check.  ThreadSanitizer sees payload words stored
 * atomically (see ngx_webrtc_atomic.h).
 *
 * The writer moves tail in steps of 1/64 of the ring, as moving it takes its
 * cache line away from all readers.
 *
 *
 * The writer dies
 *
 * at any instruction, or another takes over.  The next one needs to know where
 * to continue: next entry, next index per track, next byte, newest key frame,
 * all of one moment.  There are two copies of that, each tagged with the head
 * it belongs to.  Publishing fills the copy whose tag is not the current head,
 * and storing head makes it the valid one: at every instant exactly one copy
 * has the tag that equals head, and it is whole.
 *
 * What was written and not published has touched only entries below tail and
 * at head and above: no reader can see the difference.  If the writer died
 * between storing head and storing key, attach stores key again.
 *
 * An index table may then point to entries that were never published, or that
 * hold another packet now; so ngx_webrtc_ring_find() believes a table only as
 * far as the descriptor confirms it.  Tables need no initialization for the
 * same reason.
 *
 *
 * How large it should be
 *
 * A new viewer starts at the newest key frame, so that and everything after it
 * must stay until the next one has arrived.  How much that is is known only
 * then: a ring that holds two intervals between key frames has the last one
 * whole, and has measured its size before it needs the room.  So the writer
 * asks, before each packet, whether the oldest entry, which the packet would
 * overwrite, is at or after the last key frame but one
 * (ngx_webrtc_ring_wants()), and if so continues in a larger ring.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_atomic.h"
#include "ngx_webrtc_bus_ring.h"


#define NGX_WEBRTC_RING_LINE      64

/* bytes of ring per descriptor, chosen: above it for any video bitrate */
#define NGX_WEBRTC_RING_PER_DESC  512

/* payloads begin here, chosen: what AES loads at once */
#define NGX_WEBRTC_RING_ALIGN     16

/* this fraction of the ring is given up at a time */
#define NGX_WEBRTC_RING_STEP      64


/*
 * 32 bytes, two per cache line:
 *
 *   word[0]   index
 *   word[1]   arrival_us
 *   word[2]   ts | len << 32 | layer << 44 | track << 50 | cvo << 52
 *                | flags << 56
 *   word[3]   offset in the payload area | lap << 32
 */
typedef struct {
    uint64_t                 word[4];
} ngx_webrtc_ring_desc_t;


/* where to go on, as of the publish that set head to "head" */
typedef struct {
    uint64_t                 head;
    uint64_t                 key;
    uint64_t                 next[NGX_WEBRTC_RING_TRACKS];
    uint32_t                 pos;
    uint32_t                 lap;
} ngx_webrtc_ring_state_t;


/* word[2] has 12 bits for a length, and two for a track */
typedef char  ngx_webrtc_ring_word_check
                  [NGX_WEBRTC_RING_MAX_PAYLOAD < 4096
                   && NGX_WEBRTC_RING_TRACKS <= 4 ? 1 : -1];


struct ngx_webrtc_ring_s {

    /* constant */

    uint64_t                 mask;            /* descriptors - 1 */
    uint32_t                 tables;          /* offset of the index tables */
    uint32_t                 data;            /* offset of the payload area */
    uint32_t                 size;            /* bytes of the payload area */
    uint32_t                 total;           /* bytes of all */

    /* stored once per publish */

    uint64_t                 head  __attribute__((aligned(64)));
    uint64_t                 key;

    /* stored once per step */

    uint64_t                 tail  __attribute__((aligned(64)));

    /* for writers, and rarely for readers */

    ngx_webrtc_ring_state_t  state[2]  __attribute__((aligned(64)));

    ngx_webrtc_ring_desc_t   descs[]  __attribute__((aligned(64)));
};


static void ngx_webrtc_ring_begin_at(ngx_webrtc_ring_t *ring, uint64_t n,
    ngx_webrtc_ring_writer_t *w);
static void ngx_webrtc_ring_make_room(ngx_webrtc_ring_writer_t *w,
    size_t need);
static ngx_uint_t ngx_webrtc_ring_has_room(ngx_webrtc_ring_writer_t *w,
    uint32_t lap, uint64_t end, uint64_t spare_bytes, uint64_t spare_descs);
static void ngx_webrtc_ring_copy(u_char *dst, u_char *src, size_t n);


static ngx_inline uint32_t *
ngx_webrtc_ring_table(ngx_webrtc_ring_t *ring, ngx_uint_t track,
    uint64_t index)
{
    uint32_t  *table;

    table = (uint32_t *) (void *) ((u_char *) ring + ring->tables);

    return &table[track * (ring->mask + 1) + (index & ring->mask)];
}


ngx_webrtc_ring_t *
ngx_webrtc_ring_init(void *mem, size_t size)
{
    size_t              n, tables, data;
    ngx_webrtc_ring_t  *ring;

    if (size < NGX_WEBRTC_RING_MIN_SIZE
        || size > NGX_WEBRTC_RING_MAX_SIZE
        || ((uintptr_t) mem & (NGX_WEBRTC_RING_LINE - 1)))
    {
        return NULL;
    }

    for (n = 1; n * 2 <= size / NGX_WEBRTC_RING_PER_DESC; n *= 2) {
        /* void */
    }

    tables = sizeof(ngx_webrtc_ring_t) + n * sizeof(ngx_webrtc_ring_desc_t);
    data = tables + n * sizeof(uint32_t) * NGX_WEBRTC_RING_TRACKS;
    data = ngx_align(data, NGX_WEBRTC_RING_LINE);

    ring = mem;

    ngx_memzero(ring, sizeof(ngx_webrtc_ring_t));

    ring->mask = n - 1;
    ring->tables = (uint32_t) tables;
    ring->data = (uint32_t) data;
    ring->size = (uint32_t) ((size - data)
                             & ~((size_t) NGX_WEBRTC_RING_ALIGN - 1));
    ring->total = (uint32_t) size;

    ring->key = NGX_WEBRTC_RING_NONE;
    ring->state[0].key = NGX_WEBRTC_RING_NONE;
    ring->state[1].head = NGX_WEBRTC_RING_NONE;

    return ring;
}


ngx_webrtc_ring_t *
ngx_webrtc_ring_init_empty(void *mem)
{
    ngx_webrtc_ring_t  *ring;

    /* one descriptor and a row of tables, which readers may look at */

    ngx_memzero(mem, NGX_WEBRTC_RING_NO_SIZE);

    ring = mem;

    ring->tables = sizeof(ngx_webrtc_ring_t) + sizeof(ngx_webrtc_ring_desc_t);
    ring->data = ring->tables;

    ring->key = NGX_WEBRTC_RING_NONE;
    ring->state[0].key = NGX_WEBRTC_RING_NONE;
    ring->state[1].head = NGX_WEBRTC_RING_NONE;

    return ring;
}


void
ngx_webrtc_ring_attach(ngx_webrtc_ring_t *ring, ngx_webrtc_ring_writer_t *w)
{
    ngx_uint_t                i;
    ngx_webrtc_ring_state_t  *s;

    w->ring = ring;
    w->head = ngx_webrtc_atomic_load_acquire(&ring->head);
    w->tail = ngx_webrtc_atomic_load_acquire(&ring->tail);
    w->published = w->head;

    s = &ring->state[ngx_webrtc_atomic_load_acquire(&ring->state[0].head)
                     != w->head];

    w->key = ngx_webrtc_atomic_load(&s->key);
    w->pos = ngx_webrtc_atomic_load(&s->pos);
    w->lap = ngx_webrtc_atomic_load(&s->lap);
    w->before = NGX_WEBRTC_RING_NONE;
    w->state = NGX_WEBRTC_RING_HELD;
    w->whole = 1;

    for (i = 0; i < NGX_WEBRTC_RING_TRACKS; i++) {
        w->next[i] = ngx_webrtc_atomic_load(&s->next[i]);
    }

    ngx_webrtc_atomic_store_release(&ring->key, w->key);
}


size_t
ngx_webrtc_ring_room(ngx_webrtc_ring_t *ring)
{
    return ring->size;
}


size_t
ngx_webrtc_ring_size(ngx_webrtc_ring_t *ring)
{
    return ring->total;
}


ngx_webrtc_ring_t *
ngx_webrtc_ring_move(void *mem, size_t size, ngx_webrtc_ring_writer_t *w)
{
    u_char                    *payload;
    uint64_t                   n;
    ngx_uint_t                 i;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_packet_t   pkt;
    ngx_webrtc_ring_writer_t   to;

    ring = ngx_webrtc_ring_init(mem, size);
    if (ring == NULL) {
        return NULL;
    }

    /* as if all that has left the old ring had passed through this one */

    ngx_webrtc_ring_begin_at(ring, w->tail, w);
    ngx_webrtc_ring_attach(ring, &to);

    for (n = w->tail; n < w->head; n++) {

        if (ngx_webrtc_ring_peek(w->ring, n, &pkt, &payload) != NGX_OK) {
            continue;
        }

        /* indexes may have been skipped */

        to.next[pkt.track] = pkt.index;

        (void) ngx_webrtc_ring_write(&to, &pkt, payload);
    }

    for (i = 0; i < NGX_WEBRTC_RING_TRACKS; i++) {
        to.next[i] = w->next[i];
    }

    to.before = w->before;

    ngx_webrtc_ring_publish(&to);

    *w = to;

    return ring;
}


ngx_webrtc_ring_t *
ngx_webrtc_ring_follow(void *mem, ngx_webrtc_ring_t *before)
{
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_writer_t   w;

    ngx_webrtc_ring_attach(before, &w);

    ring = ngx_webrtc_ring_init_empty(mem);

    ngx_webrtc_ring_begin_at(ring, w.head, &w);

    return ring;
}


/* an empty ring whose next entry has number n, and indexes as those of w */

static void
ngx_webrtc_ring_begin_at(ngx_webrtc_ring_t *ring, uint64_t n,
    ngx_webrtc_ring_writer_t *w)
{
    ngx_uint_t  i;

    ring->head = n;
    ring->tail = n;
    ring->state[0].head = n;

    for (i = 0; i < NGX_WEBRTC_RING_TRACKS; i++) {
        ring->state[0].next[i] = w->next[i];
    }
}


ngx_int_t
ngx_webrtc_ring_write(ngx_webrtc_ring_writer_t *w,
    ngx_webrtc_ring_packet_t *pkt, u_char *payload)
{
    size_t                   need;
    uint64_t                 n;
    ngx_webrtc_ring_t       *ring;
    ngx_webrtc_ring_desc_t  *d;

    if (pkt->track >= NGX_WEBRTC_RING_TRACKS
        || pkt->len > NGX_WEBRTC_RING_MAX_PAYLOAD)
    {
        return NGX_DECLINED;
    }

    ring = w->ring;

    need = ngx_align(pkt->len, NGX_WEBRTC_RING_ALIGN);

    if (ring->size == 0) {
        return NGX_DECLINED;
    }

    if (need > ring->size - w->pos) {
        w->pos = 0;
        w->lap++;
    }

    ngx_webrtc_ring_make_room(w, need);

    n = w->head;
    d = &ring->descs[n & ring->mask];

    pkt->index = w->next[pkt->track];

    ngx_webrtc_atomic_data_store(&d->word[0], pkt->index);
    ngx_webrtc_atomic_data_store(&d->word[1], pkt->arrival_us);
    ngx_webrtc_atomic_data_store(&d->word[2],
                                 (uint64_t) pkt->ts
                                 | (uint64_t) pkt->len << 32
                                 | (uint64_t) (pkt->layer
                                               & NGX_WEBRTC_LAYER_MASK) << 44
                                 | (uint64_t) pkt->track << 50
                                 | (uint64_t) (pkt->cvo & 0x0f) << 52
                                 | (uint64_t) pkt->flags << 56);
    ngx_webrtc_atomic_data_store(&d->word[3],
                                 (uint64_t) w->pos | (uint64_t) w->lap << 32);

    ngx_webrtc_atomic_data_store(ngx_webrtc_ring_table(ring, pkt->track,
                                                       pkt->index),
                                 (uint32_t) n);

    ngx_webrtc_ring_copy((u_char *) ring + ring->data + w->pos, payload,
                         pkt->len);

    if ((pkt->flags & (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
        == (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
    {
        w->before = w->key;
        w->key = n;
        w->state = NGX_WEBRTC_RING_HELD;
        w->whole = 0;
    }

    if (pkt->flags & NGX_WEBRTC_PKT_KEY) {
        w->whole |= (pkt->flags & NGX_WEBRTC_PKT_LAST) != 0;
    }

    w->next[pkt->track]++;
    w->pos += (uint32_t) need;
    w->head++;

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_ring_wants(ngx_webrtc_ring_writer_t *w, size_t len,
    uint64_t arrival_us, const ngx_webrtc_ring_keep_t *keep)
{
    size_t              need;
    int64_t             age;
    uint32_t            lap;
    uint64_t            end, from;
    ngx_webrtc_ring_t  *ring;

    ring = w->ring;

    if (ring->size == 0) {
        return 1;
    }

    need = ngx_align(len, NGX_WEBRTC_RING_ALIGN);
    end = w->pos + need;
    lap = w->lap;

    if (need > ring->size - w->pos) {
        end = need;
        lap++;
    }

    if (w->tail == w->head
        || ngx_webrtc_ring_has_room(w, lap, end, 0, 0))
    {
        return 0;
    }

    age = (int64_t) (arrival_us
                     - ngx_webrtc_atomic_load(
                             &ring->descs[w->tail & ring->mask].word[1]));

    if (age >= 0 && (uint64_t) age < keep->least_us
        && ring->total < keep->least_max)
    {
        return 1;
    }

    if (keep->most_us && age > (int64_t) keep->most_us) {
        return 0;
    }

    from = (w->before != NGX_WEBRTC_RING_NONE) ? w->before : w->key;

    return from != NGX_WEBRTC_RING_NONE && w->tail >= from;
}


size_t
ngx_webrtc_ring_larger(ngx_webrtc_ring_writer_t *w)
{
    uint64_t            descs;
    ngx_webrtc_ring_t  *ring;

    ring = w->ring;

    if (ring->size == 0) {
        return 0;
    }

    descs = ring->mask + 1;

    if (w->head - w->tail + descs / NGX_WEBRTC_RING_STEP < ring->mask) {
        return 0;
    }

    return (size_t) (2 * descs * NGX_WEBRTC_RING_PER_DESC);
}


void
ngx_webrtc_ring_skip(ngx_webrtc_ring_writer_t *w, ngx_uint_t track,
    ngx_uint_t n)
{
    if (track < NGX_WEBRTC_RING_TRACKS) {
        w->next[track] += n;
    }
}


void
ngx_webrtc_ring_publish(ngx_webrtc_ring_writer_t *w)
{
    ngx_uint_t                i;
    ngx_webrtc_ring_t        *ring;
    ngx_webrtc_ring_state_t  *s;

    if (w->head == w->published) {
        return;
    }

    ring = w->ring;

    /* the copy that does not belong to the current head */

    s = &ring->state[ngx_webrtc_atomic_load(&ring->state[0].head)
                     == w->published];

    ngx_webrtc_atomic_store(&s->head, NGX_WEBRTC_RING_NONE);
    ngx_webrtc_atomic_fence_release();

    for (i = 0; i < NGX_WEBRTC_RING_TRACKS; i++) {
        ngx_webrtc_atomic_data_store(&s->next[i], w->next[i]);
    }

    ngx_webrtc_atomic_data_store(&s->key, w->key);
    ngx_webrtc_atomic_data_store(&s->pos, w->pos);
    ngx_webrtc_atomic_data_store(&s->lap, w->lap);

    ngx_webrtc_atomic_store_release(&s->head, w->head);

    ngx_webrtc_atomic_store_release(&ring->head, w->head);

    if (w->key != NGX_WEBRTC_RING_NONE && w->key >= w->published) {
        ngx_webrtc_atomic_store_release(&ring->key, w->key);
    }

    w->published = w->head;
}


uint64_t
ngx_webrtc_ring_head(ngx_webrtc_ring_t *ring)
{
    return ngx_webrtc_atomic_load_acquire(&ring->head);
}


uint64_t
ngx_webrtc_ring_tail(ngx_webrtc_ring_t *ring)
{
    return ngx_webrtc_atomic_load_acquire(&ring->tail);
}


ngx_int_t
ngx_webrtc_ring_peek(ngx_webrtc_ring_t *ring, uint64_t n,
    ngx_webrtc_ring_packet_t *pkt, u_char **payload)
{
    uint64_t                 word;
    ngx_webrtc_ring_desc_t  *d;

    if (n >= ngx_webrtc_atomic_load_acquire(&ring->head)) {
        return NGX_AGAIN;
    }

    d = &ring->descs[n & ring->mask];

    pkt->index = ngx_webrtc_atomic_data_load(&d->word[0]);
    pkt->arrival_us = ngx_webrtc_atomic_data_load(&d->word[1]);

    word = ngx_webrtc_atomic_data_load(&d->word[2]);

    pkt->ts = (uint32_t) word;
    pkt->len = (uint16_t) (word >> 32) & 0x0fff;
    pkt->layer = (uint8_t) (word >> 44) & NGX_WEBRTC_LAYER_MASK;
    pkt->track = (uint8_t) (word >> 50) & 0x03;
    pkt->cvo = (uint8_t) (word >> 52) & 0x0f;
    pkt->flags = (uint8_t) (word >> 56);

    word = ngx_webrtc_atomic_data_load(&d->word[3]);

    ngx_webrtc_atomic_fence_acquire();

    if (n < ngx_webrtc_atomic_load(&ring->tail)) {
        return NGX_DECLINED;
    }

    if (payload) {
        *payload = (u_char *) ring + ring->data + (uint32_t) word;
    }

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_ring_check(ngx_webrtc_ring_t *ring, uint64_t n)
{
    ngx_webrtc_atomic_fence_acquire();

    return (n < ngx_webrtc_atomic_load(&ring->tail)) ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_webrtc_ring_find(ngx_webrtc_ring_t *ring, ngx_uint_t track, uint64_t index,
    uint64_t *n)
{
    uint32_t                  low;
    uint64_t                  head, i;
    ngx_webrtc_ring_packet_t  pkt;

    if (track >= NGX_WEBRTC_RING_TRACKS) {
        return NGX_DECLINED;
    }

    head = ngx_webrtc_atomic_load_acquire(&ring->head);

    low = ngx_webrtc_atomic_data_load(ngx_webrtc_ring_table(ring, track,
                                                            index));

    /* the newest entry at or below head with these low bits */

    i = head - (uint32_t) ((uint32_t) head - low);

    if (ngx_webrtc_ring_peek(ring, i, &pkt, NULL) == NGX_OK
        && pkt.track == track && pkt.index == index)
    {
        *n = i;
        return NGX_OK;
    }

    return (index >= ngx_webrtc_ring_next_index(ring, track))
           ? NGX_AGAIN : NGX_DECLINED;
}


uint64_t
ngx_webrtc_ring_keyframe(ngx_webrtc_ring_t *ring)
{
    uint64_t  key;

    key = ngx_webrtc_atomic_load_acquire(&ring->key);

    if (key == NGX_WEBRTC_RING_NONE
        || key < ngx_webrtc_atomic_load_acquire(&ring->tail))
    {
        return NGX_WEBRTC_RING_NONE;
    }

    return key;
}


uint64_t
ngx_webrtc_ring_next_index(ngx_webrtc_ring_t *ring, ngx_uint_t track)
{
    uint64_t                  head, next;
    ngx_webrtc_ring_state_t  *s;

    if (track >= NGX_WEBRTC_RING_TRACKS) {
        return 0;
    }

    /* repeated only when the writer has published twice meanwhile */

    for ( ;; ) {
        head = ngx_webrtc_atomic_load_acquire(&ring->head);

        s = &ring->state[0];

        if (ngx_webrtc_atomic_load_acquire(&s->head) != head) {
            s = &ring->state[1];

            if (ngx_webrtc_atomic_load_acquire(&s->head) != head) {
                continue;
            }
        }

        next = ngx_webrtc_atomic_data_load(&s->next[track]);

        ngx_webrtc_atomic_fence_acquire();

        if (ngx_webrtc_atomic_load(&s->head) == head) {
            return next;
        }
    }
}


/* Gives old entries up until a new one with need bytes at w->pos is free. */

static void
ngx_webrtc_ring_make_room(ngx_webrtc_ring_writer_t *w, size_t need)
{
    uint64_t            tail, end, bytes, descs;
    ngx_webrtc_ring_t  *ring;

    ring = w->ring;
    tail = w->tail;

    end = (uint64_t) w->pos + need;
    bytes = 0;
    descs = 0;

    while (w->tail < w->head
           && !ngx_webrtc_ring_has_room(w, w->lap, end, bytes, descs))
    {
        /* if anything has to go, then a whole step */

        bytes = ring->size / NGX_WEBRTC_RING_STEP;
        descs = (ring->mask + 1) / NGX_WEBRTC_RING_STEP;

        if (w->tail == w->published) {

            /*
             * All that was published is gone: the packets since then fill the
             * ring.  Tail must not pass head, so publish now.
             */

            ngx_webrtc_ring_publish(w);
        }

        w->tail++;
    }

    if (w->tail != tail) {
        ngx_webrtc_atomic_store(&ring->tail, w->tail);
        ngx_webrtc_atomic_fence_release();

        if (w->key != NGX_WEBRTC_RING_NONE && w->key < w->tail
            && w->state == NGX_WEBRTC_RING_HELD)
        {
            w->state = w->whole ? NGX_WEBRTC_RING_GONE : NGX_WEBRTC_RING_TORN;
        }
    }
}


/*
 * Does an entry that ends at byte "end" of a lap leave the oldest one alone,
 * with some room to spare?
 */

static ngx_uint_t
ngx_webrtc_ring_has_room(ngx_webrtc_ring_writer_t *w, uint32_t lap,
    uint64_t end, uint64_t spare_bytes, uint64_t spare_descs)
{
    uint64_t            word, used;
    ngx_webrtc_ring_t  *ring;

    ring = w->ring;

    if (w->head - w->tail + spare_descs > ring->mask) {
        return 0;
    }

    word = ngx_webrtc_atomic_load(&ring->descs[w->tail & ring->mask].word[3]);

    /* laps of what is in the ring differ by 0, 1 or 2 */

    used = (uint64_t) (uint32_t) (lap - (uint32_t) (word >> 32))
           * ring->size
           + end - (uint32_t) word;

    return used + spare_bytes <= ring->size;
}


static void
ngx_webrtc_ring_copy(u_char *dst, u_char *src, size_t n)
{
#if (NGX_WEBRTC_TSAN)

    size_t    i, k;
    uint64_t  word;

    /* destinations are aligned, and what is behind the end is padding */

    for (i = 0; i < n; i += sizeof(uint64_t)) {
        word = 0;
        k = ngx_min(n - i, sizeof(uint64_t));

        ngx_memcpy(&word, src + i, k);
        ngx_webrtc_atomic_data_store((uint64_t *) (void *) (dst + i), word);
    }

#else

    if (n) {
        ngx_memcpy(dst, src, n);
    }

#endif
}
