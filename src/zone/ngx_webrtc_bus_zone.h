
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Layout of the zone; for the files of this folder only.  What keeps it valid
 * at every instant is explained at the top of ngx_webrtc_bus_zone.c.
 */


#ifndef _NGX_WEBRTC_BUS_ZONE_H_INCLUDED_
#define _NGX_WEBRTC_BUS_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_addr.h"
#include "ngx_webrtc_atomic.h"
#include "ngx_webrtc_bus_index.h"
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_bus_sums.h"


/* kinds of keys in the index */
#define NGX_WEBRTC_KEY_NAME          'n'
#define NGX_WEBRTC_KEY_ID            'i'
#define NGX_WEBRTC_KEY_UFRAG         'u'
#define NGX_WEBRTC_KEY_ADDRESS       'a'
#define NGX_WEBRTC_KEY_TOKEN         't'
#define NGX_WEBRTC_KEY_CLIENT        'c'
#define NGX_WEBRTC_KEY_VARIANT       'v'


/*
 * A stream or a session slot has an entry in a table; entries stay where they
 * are for the life of the zone, so that they may be looked at without a lock.
 *
 *   word        state | worker << 8 | generation << 32; see NGX_WEBRTC_ENTRY_*
 *   p           the stream or slot, NULL while there is none
 *   expires_ms  of a NEW slot; for a stream on trial, when it was made, else 0
 *   created_ms  of a slot
 *   news        of a slot: counts changes of interest to others
 *
 *     FREE ---> ALLOC ---> NEW ---> CLAIMED ---> CLOSING ---> FREE
 *                 |         |                       ^
 *                 +---------+-----------------------+
 *
 * ALLOC, CLAIMED and CLOSING name the worker responsible.  Streams are never
 * CLAIMED in this sense: their claim is a word of its own.  FREE to ALLOC and
 * CLOSING to FREE happen under the mutex; NEW to CLAIMED or CLOSING and CLAIMED
 * to CLOSING are compare and swap, with or without it.  The generation goes up
 * at ALLOC: with the entry's number it makes a reference that is never reused.
 */
typedef struct {
    uint64_t                 word;
    void                    *p;
    uint64_t                 expires_ms;
    uint64_t                 created_ms;
    uint64_t                 news;
} ngx_webrtc_entry_t;


#define NGX_WEBRTC_ENTRY_FREE        0
#define NGX_WEBRTC_ENTRY_ALLOC       1
#define NGX_WEBRTC_ENTRY_NEW         2
#define NGX_WEBRTC_ENTRY_CLAIMED     3
#define NGX_WEBRTC_ENTRY_CLOSING     4

/* the worker of an entry that has none */
#define NGX_WEBRTC_ENTRY_NOBODY      0xffff

#define ngx_webrtc_entry_word(state, worker, generation)                      \
    ((uint64_t) (state) | (uint64_t) (worker) << 8                            \
     | (uint64_t) (generation) << 32)

#define ngx_webrtc_entry_state(word)       ((ngx_uint_t) ((word) & 0xff))
#define ngx_webrtc_entry_worker(word)      ((ngx_uint_t) ((word) >> 8 & 0xffff))
#define ngx_webrtc_entry_generation(word)  ((uint32_t) ((word) >> 32))

#define ngx_webrtc_ref(n, generation)                                         \
    ((uint64_t) (n) | (uint64_t) (generation) << 32)

#define ngx_webrtc_ref_entry(ref)          ((uint32_t) (ref))
#define ngx_webrtc_ref_generation(ref)     ((uint32_t) ((ref) >> 32))


/* the claim of a stream, a word of it; 0: none */
#define ngx_webrtc_claim_word(kind, worker, generation)                       \
    ((uint64_t) (kind) | (uint64_t) (worker) << 8                             \
     | (uint64_t) (generation) << 32)

#define ngx_webrtc_claim_kind(word)        ((ngx_uint_t) ((word) & 0xff))
#define ngx_webrtc_claim_worker(word)      ((ngx_uint_t) ((word) >> 8 & 0xffff))
#define ngx_webrtc_claim_generation(word)  ((uint32_t) ((word) >> 32))

/*
 * A third kind, besides those of writers: taken on an unclaimed stream, by a
 * worker that tidies it up while it has the mutex
 */
#define NGX_WEBRTC_CLAIM_TIDY        3


typedef struct {
    ngx_webrtc_entry_t      *entries;
    uint32_t                 n;
    uint32_t                 top;         /* entries ever used */
    uint32_t                 rotor;       /* where to look for a free one */
    uint32_t                 used;        /* roughly, after a crash */
} ngx_webrtc_table_t;


typedef struct {
    uint64_t                 id;          /* pid | generation << 32; 0: free */
    uint64_t                 started;     /* of the process; 0: unknown */
    uint32_t                 uid;
    uint32_t                 rung;        /* a doorbell is under way */
    uint32_t                 number;      /* of nginx's worker, plus 1 */
    uint32_t                 pad;
    uint64_t                 doors[NGX_WEBRTC_DOORS];   /* key << 16 | port;
                                             two cache lines each */
} ngx_webrtc_endpoint_t;


#define ngx_webrtc_endpoint_pid(id)          ((ngx_pid_t) (uint32_t) (id))
#define ngx_webrtc_endpoint_generation(id)   ((uint32_t) ((id) >> 32))


/* logged causes that are remembered, see ngx_webrtc_bus_said.h; chosen: as
 * many as go wrong at a time */
#define NGX_WEBRTC_SAIDS  32


typedef struct {
    uint64_t                 hash;
    uint64_t                 said;        /* ms of ngx_webrtc_bus_say() */
} ngx_webrtc_said_t;


/* counters of news of channels, which have them by a hash; chosen */
#define NGX_WEBRTC_CHANNEL_SLOTS  64


struct ngx_webrtc_bus_sh_s {
    uint64_t                 layout;      /* NGX_WEBRTC_BUS_LAYOUT */
    uint64_t                 token;       /* random; names the inboxes */

    uint32_t                 generation;  /* of the newest endpoint */
    uint32_t                 nworkers;    /* endpoints ever used */

    uint32_t                 twin;        /* see ngx_webrtc_bus_twin() */
    uint32_t                 pad;

    uint64_t                 expire_ms;   /* last look for expired slots */

    uint64_t                 drops[NGX_WEBRTC_DROPS];

    uint64_t                 lack_said[NGX_WEBRTC_LACKS];

    uint64_t                 unheard;     /* see ngx_webrtc_bus_unheard.h */
    uint64_t                 unheard_row;
    uint64_t                 unheard_said[2];

    ngx_webrtc_said_t        said[NGX_WEBRTC_SAIDS];

    ngx_webrtc_table_t       streams;
    ngx_webrtc_table_t       peers;

    ngx_webrtc_index_t      *index;

    ngx_webrtc_ring_t       *none;        /* the ring of streams without one */

    uint64_t                 taken_ms;    /* rings were taken back last */
    uint64_t                 epoch;       /* see ngx_webrtc_bus_grow.c */
    uint64_t                 old;         /* there may be rings to be freed */
    uint64_t                 seen[NGX_WEBRTC_WORKERS];

    ngx_webrtc_error_recent_t  errors[NGX_WEBRTC_ERRORS];

    uint64_t                 drain;       /* see ngx_webrtc_bus_drain() */

    ngx_webrtc_outlet_t     *outlets;

    /* see ngx_webrtc_bus_hls.h; changes of any */
    struct ngx_webrtc_hls_channel_s  *channels;
    uint64_t                 channels_news[NGX_WEBRTC_CHANNEL_SLOTS];

    ngx_webrtc_figures_t     figures;
    ngx_webrtc_worker_figures_t  told[NGX_WEBRTC_WORKERS];

    /* per worker, a bit for each stream that has news for it */
    uint64_t                *news;
    uint32_t                 nnews;       /* words per worker */

    ngx_webrtc_endpoint_t      workers[NGX_WEBRTC_WORKERS]
                                 __attribute__((aligned(64)));
};


/* keys[] of a slot */
#define NGX_WEBRTC_PEERS_ID      0
#define NGX_WEBRTC_PEERS_UFRAG   1
#define NGX_WEBRTC_PEERS_BEFORE  2     /* ufrag before an ICE restart, or 0 */
#define NGX_WEBRTC_PEERS_ADDRS   3
#define NGX_WEBRTC_PEERS_KEYS    (3 + NGX_WEBRTC_PEER_ADDRS)


/* the words of a worker in news */
#define ngx_webrtc_bus_news(sh, worker)                                       \
    (&(sh)->news[(size_t) (worker) * (sh)->nnews])


/*
 * Takes a free entry and allocates size bytes for it, of which the first "zero"
 * are zeroed; with the mutex held.  The entry is in state ALLOC.
 *
 * Returns its number, or -1: there is no entry, or no memory (bus->lack).
 */
ngx_int_t ngx_webrtc_table_alloc(ngx_webrtc_bus_t *bus, ngx_webrtc_table_t *t,
    size_t size, size_t zero);

/*
 * Frees an entry and what it has; with the mutex held, in state ALLOC or
 * CLOSING, when nothing points to it any more.
 */
void ngx_webrtc_table_free(ngx_webrtc_bus_t *bus, ngx_webrtc_table_t *t,
    ngx_uint_t n);

/* the entry that a reference names, with its word, or NULL if it is gone */
ngx_webrtc_entry_t *ngx_webrtc_table_entry(ngx_webrtc_table_t *t, uint64_t ref,
    uint64_t *word);

/*
 * Takes back everything that a worker has in the zone, its endpoint last.  Does
 * nothing if the endpoint is not "id" any more.
 */
void ngx_webrtc_bus_reap_worker(ngx_webrtc_bus_t *bus, ngx_uint_t worker,
    uint64_t id);

/*
 * Its parts, with the mutex held: closes the worker's slots; recounts the
 * viewers of streams; ends the worker's claims, holds and watches, and its
 * outlets and channels.
 */
void ngx_webrtc_peers_reap(ngx_webrtc_bus_t *bus, ngx_uint_t worker);
void ngx_webrtc_peers_recount(ngx_webrtc_bus_t *bus);
void ngx_webrtc_bus_reap_streams(ngx_webrtc_bus_t *bus, ngx_uint_t worker);
void ngx_webrtc_bus_outlet_reap(ngx_webrtc_bus_t *bus, ngx_uint_t worker);
void ngx_webrtc_bus_hls_reap(ngx_webrtc_bus_t *bus, ngx_uint_t worker);

/* Wipes what a slot of that role has in its "file", before it is freed. */
void ngx_webrtc_bus_push_wipe(ngx_uint_t role, void *file);

/*
 * For ngx_webrtc_bus_variant.c, with the mutex held.
 *
 *   make   a new stream that nobody holds, under the hash of its key; parent:
 *          of a variant, else 0 and NULL
 *   hold   as ngx_webrtc_bus_hold(), if need be for the first time
 */
ngx_webrtc_stream_t *ngx_webrtc_bus_make_locked(ngx_webrtc_bus_t *bus,
    ngx_str_t *name, uint64_t hash, size_t ring_size,
    ngx_webrtc_client_t *client, uint64_t parent,
    ngx_webrtc_variant_t *variant);
void ngx_webrtc_bus_hold_locked(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st);

/* The stream of a reference, held or not; NULL: it is gone. */
ngx_webrtc_stream_t *ngx_webrtc_bus_find_ref(ngx_webrtc_bus_t *bus,
    uint64_t ref);

/* The hash of a variant's key. */
uint64_t ngx_webrtc_bus_variant_hash(ngx_webrtc_bus_t *bus, uint64_t parent,
    const ngx_webrtc_variant_t *variant);

/* The hashes of two of a slot's keys, as the index has them. */
uint64_t ngx_webrtc_peers_hash_ufrag(ngx_webrtc_bus_t *bus, u_char *ufrag,
    size_t len);
uint64_t ngx_webrtc_peers_hash_address(ngx_webrtc_bus_t *bus,
    ngx_webrtc_addr_t *addr, uint32_t listen);

/*
 * Should a line of some kind be logged now?  Once a minute, by one worker.
 *
 *   said     of the zone: when it was logged last, 0: never
 *   now_ms   ngx_current_msec
 */
ngx_uint_t ngx_webrtc_bus_say(uint64_t *said, uint64_t now_ms);

/*
 * Takes away a grown ring from a stream that starts anew, which then begins
 * without room, as for its first packet.  The claim is ours, and there is no
 * writer yet.
 */
void ngx_webrtc_bus_renew_ring(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st);

/*
 * The same for all unclaimed streams, when the zone is short of memory; with
 * the mutex held.  The memory is free some turns later.
 */
void ngx_webrtc_bus_take_back(ngx_webrtc_bus_t *bus);

/* Frees all rings of a stream that nobody holds; with the mutex held. */
void ngx_webrtc_bus_free_rings(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st);


#endif /* _NGX_WEBRTC_BUS_ZONE_H_INCLUDED_ */
