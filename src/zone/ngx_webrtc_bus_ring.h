
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The packet ring of a stream: RTP payloads with what is needed to rebuild
 * their headers, in memory that the caller provides.  One writer, any number
 * of readers in any process, no lock.  How it works and why it is safe is
 * explained at the top of ngx_webrtc_bus_ring.c.
 *
 * Independent of events and shared memory; the time comes with the packets.
 * Every function may be called from any thread.
 */


#ifndef _NGX_WEBRTC_BUS_RING_H_INCLUDED_
#define _NGX_WEBRTC_BUS_RING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_packet.h"


/* tracks of a ring; chosen: video, audio and room for two more */
#define NGX_WEBRTC_RING_TRACKS       4

/* bytes; chosen: a few access units of a low-rate video fit */
#define NGX_WEBRTC_RING_MIN_SIZE     65536

/* bytes; offsets are 32-bit, chosen: far below */
#define NGX_WEBRTC_RING_MAX_SIZE     (1024 * 1024 * 1024)

/* bytes of one payload; chosen: above any path's MTU */
#define NGX_WEBRTC_RING_MAX_PAYLOAD  2048

/* bytes of a ring without room */
#define NGX_WEBRTC_RING_NO_SIZE      1024

/*
 * How much is kept for retransmission and for viewers that lag behind; chosen:
 * retransmissions over the worst path; the size of a ring before rings grew
 */
#define NGX_WEBRTC_KEEP_US           2000000
#define NGX_WEBRTC_KEEP_MAX          (2 * 1024 * 1024)

/* no entry */
#define NGX_WEBRTC_RING_NONE         ((uint64_t) -1)


typedef struct ngx_webrtc_ring_s  ngx_webrtc_ring_t;


/* what became of the newest key frame */
typedef enum {
    NGX_WEBRTC_RING_HELD = 0,         /* the ring has it, or there was none */
    NGX_WEBRTC_RING_GONE,             /* overwritten before the next one came */
    NGX_WEBRTC_RING_TORN              /* before all of it was written */
} ngx_webrtc_ring_key_e;


typedef struct {
    uint64_t             index;         /* of the track's packets, from 0 */
    uint64_t             arrival_us;    /* any clock of the writer */
    uint32_t             ts;            /* RTP timestamp of the stream's
                                           timeline, in the track's clock */
    uint16_t             len;           /* bytes of payload */
    uint8_t              track;         /* < NGX_WEBRTC_RING_TRACKS */
    uint8_t              cvo;           /* NGX_WEBRTC_CVO_*, 0: not told */
    uint8_t              flags;         /* NGX_WEBRTC_PKT_* */
    uint8_t              layer;         /* NGX_WEBRTC_LAYER_* */
} ngx_webrtc_ring_packet_t;


/*
 * The writer's own view; private to it, not shared.  All fields belong to
 * ngx_webrtc_bus_ring.c, but two may be read: "next", the index that a track's
 * next packet will get, and "state", of the newest key frame.
 */
typedef struct {
    ngx_webrtc_ring_t   *ring;
    uint64_t             head;          /* next entry to write */
    uint64_t             tail;          /* oldest entry that is whole */
    uint64_t             published;     /* head as readers see it */
    uint64_t             key;           /* newest key frame, published or not */
    uint64_t             before;        /* the key frame before that one */
    uint64_t             next[NGX_WEBRTC_RING_TRACKS];
    uint32_t             pos;           /* next byte of payload area */
    uint32_t             lap;           /* times the payload area wrapped */
    ngx_webrtc_ring_key_e  state;
    unsigned             whole:1;       /* the newest key frame */
} ngx_webrtc_ring_writer_t;


/*
 * What a ring should hold: everything since the last key frame but one, if that
 * is not too old, and what retransmissions may need.
 */
typedef struct {
    uint64_t             least_us;      /* kept in any case, ... */
    size_t               least_max;     /* ... as long as the ring is smaller */
    uint64_t             most_us;       /* and nothing older; 0: any age */
} ngx_webrtc_ring_keep_t;


/*
 * Makes an empty ring in the caller's memory, which the caller still owns.
 * There is nothing to free.  The ring holds no pointers: it may be mapped at
 * several addresses.
 *
 *   mem    aligned to 64 bytes; only its first page is touched here
 *   size   bytes, including about 1/10 for bookkeeping
 *
 * Returns the ring (== mem), or NULL: size below NGX_WEBRTC_RING_MIN_SIZE or
 * above NGX_WEBRTC_RING_MAX_SIZE, mem misaligned.
 */
ngx_webrtc_ring_t *ngx_webrtc_ring_init(void *mem, size_t size);

/*
 * Makes a ring without room, for streams without packets so far: readers find
 * nothing in it, and nothing can be written.
 *
 *   mem    NGX_WEBRTC_RING_NO_SIZE bytes, aligned to 64
 */
ngx_webrtc_ring_t *ngx_webrtc_ring_init_empty(void *mem);

/* most bytes of payloads that this ring can hold; 0: without room */
size_t ngx_webrtc_ring_room(ngx_webrtc_ring_t *ring);

/* bytes of a ring, as it was made; 0: without room */
size_t ngx_webrtc_ring_size(ngx_webrtc_ring_t *ring);

/*
 * Continues in a larger ring: copies all entries into it, with their numbers,
 * so that a reader may switch over at any time and misses nothing.  The old
 * ring stays as it is; its memory must stay as long as it may have readers.
 *
 *   mem, size   as ngx_webrtc_ring_init(); larger than the ring of w, which may
 *               be one without room
 *   w           nothing is waiting to be published; becomes the new ring's
 *
 * Returns the new ring, or NULL, as ngx_webrtc_ring_init().
 */
ngx_webrtc_ring_t *ngx_webrtc_ring_move(void *mem, size_t size,
    ngx_webrtc_ring_writer_t *w);

/*
 * Makes a ring without room that takes the place of another one: numbers
 * continue from there, but none of the old entries is kept.
 *
 *   mem      as ngx_webrtc_ring_init_empty()
 *   before   without a writer; stays as it is
 */
ngx_webrtc_ring_t *ngx_webrtc_ring_follow(void *mem, ngx_webrtc_ring_t *before);

/*
 * Makes the caller the writer, continuing from what was published last.  What a
 * previous writer wrote and did not publish is gone: no reader has seen it.
 * The caller makes sure that there is one writer at a time (the claim of a
 * stream).
 */
void ngx_webrtc_ring_attach(ngx_webrtc_ring_t *ring,
    ngx_webrtc_ring_writer_t *w);

/*
 * Appends one packet.  Readers do not see it before the next
 * ngx_webrtc_ring_publish(), but the oldest entries may be gone at once.
 * Never waits.  When packets that are not yet published fill the ring, they
 * are published first.
 *
 *   pkt       len, track, flags, ts and arrival_us are set by the caller;
 *             index is assigned here.  NGX_WEBRTC_PKT_KEY marks video only:
 *             a packet with KEY and FIRST is where viewers start
 *   payload   pkt->len bytes, copied
 *
 * NGX_OK        written
 * NGX_DECLINED  track out of range, len above NGX_WEBRTC_RING_MAX_PAYLOAD, or
 *               the ring is one without room; nothing is written
 */
ngx_int_t ngx_webrtc_ring_write(ngx_webrtc_ring_writer_t *w,
    ngx_webrtc_ring_packet_t *pkt, u_char *payload);

/*
 * Would writing this packet overwrite what should stay?  Then the ring should
 * be larger.  Cheap: meant for every packet.
 *
 *   len, arrival_us   of the packet
 *
 * Returns 1, also for a ring without room, or 0.
 */
ngx_uint_t ngx_webrtc_ring_wants(ngx_webrtc_ring_writer_t *w, size_t len,
    uint64_t arrival_us, const ngx_webrtc_ring_keep_t *keep);

/*
 * If the number of packets is what fills this ring: the least bytes of a ring
 * with room for more of them.  Else 0.
 */
size_t ngx_webrtc_ring_larger(ngx_webrtc_ring_writer_t *w);

/*
 * Packets of a track are lost for good: skips n indexes, so that readers see
 * them as lost.  ngx_webrtc_ring_find() does not find a skipped index.
 */
void ngx_webrtc_ring_skip(ngx_webrtc_ring_writer_t *w, ngx_uint_t track,
    ngx_uint_t n);

/*
 * Makes all that was written visible: once per frame, or per receive batch.
 */
void ngx_webrtc_ring_publish(ngx_webrtc_ring_writer_t *w);

/* number of the next entry to be published: where a live cursor starts */
uint64_t ngx_webrtc_ring_head(ngx_webrtc_ring_t *ring);

/* number of the oldest entry; it may go at any time */
uint64_t ngx_webrtc_ring_tail(ngx_webrtc_ring_t *ring);

/*
 * Looks at entry n.  Cheap: meant for every viewer and packet.
 *
 *   pkt       filled on NGX_OK, otherwise undefined
 *   payload   points into the ring, read-only.  The writer may overwrite it at
 *             any time: use it, then call ngx_webrtc_ring_check(), and drop
 *             what was made of it if that declines.  May be NULL
 *
 * NGX_OK        *pkt is consistent
 * NGX_AGAIN     n has not been published yet
 * NGX_DECLINED  n has been overwritten: the reader was lapped
 */
ngx_int_t ngx_webrtc_ring_peek(ngx_webrtc_ring_t *ring, uint64_t n,
    ngx_webrtc_ring_packet_t *pkt, u_char **payload);

/*
 * Is entry n, which was peeked at before, still whole?  Once per batch will do:
 * if the oldest entry of a batch is still whole, so are those after it.
 *
 * NGX_OK, NGX_DECLINED
 */
ngx_int_t ngx_webrtc_ring_check(ngx_webrtc_ring_t *ring, uint64_t n);

/*
 * Finds the entry of a track's packet, for retransmission.
 *
 * NGX_OK        *n is set; the entry was whole at that moment
 * NGX_AGAIN     index has not been published yet
 * NGX_DECLINED  it is gone
 */
ngx_int_t ngx_webrtc_ring_find(ngx_webrtc_ring_t *ring, ngx_uint_t track,
    uint64_t index, uint64_t *n);

/*
 * Entry number of the first packet of the newest published key frame, or
 * NGX_WEBRTC_RING_NONE when there was none or it has been overwritten.
 */
uint64_t ngx_webrtc_ring_keyframe(ngx_webrtc_ring_t *ring);

/* index of a track's next packet, as of the last publish */
uint64_t ngx_webrtc_ring_next_index(ngx_webrtc_ring_t *ring, ngx_uint_t track);


#endif /* _NGX_WEBRTC_BUS_RING_H_INCLUDED_ */
