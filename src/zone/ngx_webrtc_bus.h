
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The zone: worker endpoints, the registry of streams, their claims, counters
 * and rings.  Session slots are in ngx_webrtc_bus_peers.h, messages between
 * workers in ngx_webrtc_bus_inbox.h.  ngx_webrtc_bus_zone.c begins with how the
 * zone survives the death of a worker.
 *
 * Unless a contract says otherwise, functions belong to the event loop of a
 * worker that has attached.  "Any thread" functions use atomics and system
 * calls only: no log, no nginx time, no lock.
 */


#ifndef _NGX_WEBRTC_BUS_H_INCLUDED_
#define _NGX_WEBRTC_BUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_track.h"
#include "ngx_webrtc_timestamp.h"
#include "ngx_webrtc_variant.h"
#include "ngx_webrtc_atomic.h"
#include "ngx_webrtc_rate.h"
#include "ngx_webrtc_bus_ring.h"


/* endpoints; chosen: several generations of any sensible worker_processes */
#define NGX_WEBRTC_WORKERS           256

/* not a worker */
#define NGX_WEBRTC_WORKER_NONE       ((ngx_uint_t) -1)

/* ports a worker announces to the others; chosen: nginx-rtmp listens on few */
#define NGX_WEBRTC_DOORS             12

/* bytes of a stream's name; chosen: a session slot carries it too */
#define NGX_WEBRTC_NAME_MAX          127

#define NGX_WEBRTC_TRACKS            NGX_WEBRTC_RING_TRACKS

/* bytes of the URL a stream is pulled from, and of a demuxer's name; chosen */
#define NGX_WEBRTC_PULL_URL          2047
#define NGX_WEBRTC_PULL_FORMAT       31

/* upstreams of a stream; chosen: main and sub stream, a spare one, a file */
#define NGX_WEBRTC_PULLS             4

/* bytes of an error's text; chosen: a line of a log */
#define NGX_WEBRTC_ERROR_TEXT        255

/* layers of a publisher, and bytes of a rid: what a description has room for */
#define NGX_WEBRTC_STREAM_LAYERS     4
#define NGX_WEBRTC_STREAM_RID        16

/* temporal layers that are told apart */
#define NGX_WEBRTC_STREAM_TIDS       4

/* causes that a stream tells apart, errors kept for all streams; chosen */
#define NGX_WEBRTC_ERROR_CAUSES      4
#define NGX_WEBRTC_ERRORS            32

/* rings of a stream: the one it has, and those that may still be read; each is
 * twice as large as the one before while there are several */
#define NGX_WEBRTC_BUS_RINGS         16

/* bytes of zone that any configuration needs; less is refused */
#define NGX_WEBRTC_ZONE_MIN          (1024 * 1024)


/*
 * States of a stream; only the holder of its claim changes them:
 *
 *   IDLE      never claimed, or no upstream is wanted
 *   STARTING  claimed, tracks not known yet
 *   ACTIVE    tracks known, packets flow
 *   INACTIVE  was active; its upstream or publisher is gone and may return.
 *             Also a publisher that sends nothing, even from the start
 */
typedef enum {
    NGX_WEBRTC_STREAM_IDLE = 0,
    NGX_WEBRTC_STREAM_STARTING,
    NGX_WEBRTC_STREAM_ACTIVE,
    NGX_WEBRTC_STREAM_INACTIVE
} ngx_webrtc_stream_state_e;


/* kinds of a claim; 3 is the zone's own */
#define NGX_WEBRTC_CLAIM_SOURCE      1
#define NGX_WEBRTC_CLAIM_PUBLISH     2
#define NGX_WEBRTC_CLAIM_VARIANT     4
#define NGX_WEBRTC_CLAIM_RTP         5
#define NGX_WEBRTC_CLAIM_EXEC        6

/* is the stream fed by us, and not by a publisher? */
#define ngx_webrtc_claim_feeds(kind)                                          \
    ((kind) == NGX_WEBRTC_CLAIM_SOURCE || (kind) >= NGX_WEBRTC_CLAIM_RTP)

/* how a publisher publishes; all but WebRTC have no session, and cannot be
 * asked for anything */
#define NGX_WEBRTC_PROTOCOL_WEBRTC   0
#define NGX_WEBRTC_PROTOCOL_RTMP     1
#define NGX_WEBRTC_PROTOCOL_SRT      2
#define NGX_WEBRTC_PROTOCOL_RTSP     3

/* what feeds a stream: ngx_webrtc_stream_pull_t.kind */
#define NGX_WEBRTC_FEED_URL          0
#define NGX_WEBRTC_FEED_RTP          1
#define NGX_WEBRTC_FEED_EXEC         2


/* counters since the stream began; all use ngx_webrtc_atomic_add() */
typedef struct {
    uint64_t                 packets;         /* written to the ring */
    uint64_t                 bytes;           /* of payload */
    uint64_t                 frames;          /* video access units */
    uint64_t                 keyframes;
    uint64_t                 dropped;         /* B-frames that nothing needs */
    uint64_t                 clamped;         /* frames with time held back */
    uint64_t                 damaged;         /* broken input, skipped */
    uint64_t                 discontinuities;
    uint64_t                 starts;          /* sources or publishers so far */
    uint64_t                 failures;        /* attempts that did not start */
    uint64_t                 viewers_total;   /* viewers so far */
    uint64_t                 lapped;          /* times a viewer was lapped */
    uint64_t                 lost;            /* packets it thus missed */
    uint64_t                 paced;           /* times one was held back */
    uint64_t                 nacks;           /* packets asked for again */
    uint64_t                 resent;
    uint64_t                 plis;            /* key frames asked for, by
                                                 viewers */
    uint64_t                 key_requests;    /* and of the publisher */
    uint64_t                 never_connected; /* sessions answered that never
                                                 sent a check */
    uint64_t                 left_out;        /* times that a layer was, as it
                                                 took more than its limit */
} ngx_webrtc_stream_stat_t;


/* what one worker does with a stream; written by that worker, or its reaper */
typedef struct {
    uint32_t                 holds;
    uint32_t                 watches;
    uint32_t                 viewers;
    uint32_t                 readers;         /* that need it as viewers do */
} ngx_webrtc_stream_use_t;


/* two copies: tracks_version modulo 2 is the valid one */
typedef struct {
    uint32_t                 ntracks;
    uint32_t                 pad;
    ngx_webrtc_track_t       tracks[NGX_WEBRTC_TRACKS];
} ngx_webrtc_stream_tracks_t;


/* one of the upstreams of a stream; nothing here is null-terminated */
typedef struct {
    uint16_t                 url_len;
    uint16_t                 program;         /* of MPEG-TS, 0: first video */
    uint8_t                  format_len;
    uint8_t                  loop;
    uint8_t                  lists;           /* may be a playlist */
    uint8_t                  links;           /* "disable_symlinks" */
    uint16_t                 links_from;
    u_char                   format[NGX_WEBRTC_PULL_FORMAT];
    u_char                   url[NGX_WEBRTC_PULL_URL];
} ngx_webrtc_stream_from_t;


/*
 * How a stream is pulled; in the zone, so that any worker can do it.  Upstreams
 * are tried in order.
 */
typedef struct {
    uint32_t                 idle_ms;         /* after the last viewer */
    uint8_t                  set;             /* by ngx_webrtc_bus_set_pull() */
    uint8_t                  always;          /* without viewers too */
    uint8_t                  ended;           /* a file was played to its end */
    uint8_t                  nfrom;
    uint8_t                  transcode;       /* webrtc_transcode is not off */
    uint8_t                  kind;            /* NGX_WEBRTC_FEED_*; other than
                                                 URL: from[0].url is text */
    ngx_webrtc_stream_from_t from[NGX_WEBRTC_PULLS];
} ngx_webrtc_stream_pull_t;


typedef struct {
    uint64_t                 said_ms;         /* logged last; 0: no cause */
    uint32_t                 hash;
    uint32_t                 unsaid;          /* times since */
} ngx_webrtc_error_cause_t;


/* what went wrong last, see ngx_webrtc_bus_error.h; under the mutex */
typedef struct {
    uint64_t                 at_ms;
    uint64_t                 time;            /* same, seconds of wall clock */
    uint32_t                 level;           /* NGX_LOG_ERR or NGX_LOG_WARN */
    uint32_t                 hash;
    uint32_t                 count;           /* times in succession */
    uint32_t                 len;             /* 0: nothing */
    ngx_webrtc_error_cause_t causes[NGX_WEBRTC_ERROR_CAUSES];
    u_char                   text[NGX_WEBRTC_ERROR_TEXT + 1];
} ngx_webrtc_error_t;


/* one of the errors kept for all streams, including those that are gone */
typedef struct {
    uint32_t                 name_len;
    u_char                   name[NGX_WEBRTC_NAME_MAX + 1];
    ngx_webrtc_error_t       error;
} ngx_webrtc_error_recent_t;


/*
 * Memory of a ring.  It is the stream's current ring if "ring" points to it;
 * otherwise the epoch tells what it is, see ngx_webrtc_bus_grow.c.
 */
typedef struct {
    void                    *p;               /* NULL: none */
    uint64_t                 epoch;
    size_t                   size;
} ngx_webrtc_stream_ring_t;


/*
 * A layer of the stream's publisher, see ngx_webrtc_bus_layers.h: of a
 * simulcast, or a spatial one of the only encoding, which has no rid
 */
typedef struct {
    uint64_t                 ref;             /* of the stream that has it; 0:
                                                 none, now */
    uint32_t                 bitrate;         /* bit/s, 0: not known */
    uint32_t                 limit;           /* bit/s, 0: none of its own */
    uint16_t                 width;           /* 0: not known */
    uint16_t                 height;
    uint8_t                  top;             /* the stream itself has it */
    uint8_t                  over;            /* left out: it takes more than
                                                 its limit */
    uint8_t                  rid_len;
    u_char                   rid[NGX_WEBRTC_STREAM_RID];
    uint8_t                  sid;             /* spatial layer, from 0 */
    uint8_t                  tids;            /* temporal layers, 0: not
                                                 known */
    uint8_t                  share[NGX_WEBRTC_STREAM_TIDS - 1];
                                              /* percent of the bitrate that is
                                                 of the lowest one, two, ... */
} ngx_webrtc_stream_layer_t;


/* two copies: layers_version modulo 2 is the valid one */
typedef struct {
    uint32_t                 n;
    uint32_t                 pad;
    ngx_webrtc_stream_layer_t
                             layers[NGX_WEBRTC_STREAM_LAYERS];
} ngx_webrtc_stream_layers_t;


/* samples of its counters, by the claim's holder */
typedef struct {
    uint64_t                 claimed_ms;      /* when, and what had been written
                                                 then */
    uint64_t                 first_bytes;
    uint64_t                 first_packets;
    uint64_t                 up;              /* it has had media since, and
                                                 that was told */
    uint64_t                 sampled_ms;
    ngx_webrtc_rate_t        bytes;
    ngx_webrtc_rate_t        frames;
    ngx_webrtc_rate_t        keys;            /* when there was another one */
} ngx_webrtc_stream_rates_t;


/*
 * A stream, in the zone.  A pointer to it is good while the worker has a hold
 * on it.  Fields marked "ro" may be read freely; the others through functions.
 */
typedef struct {
    uint64_t                 ref;             /* ro; never 0, never used twice
                                                 within a zone */
    uint32_t                 id;              /* ro; number of its entry */
    uint32_t                 state;           /* ngx_webrtc_stream_state_e */
    uint64_t                 claim;           /* 0, or who makes it */
    uint64_t                 changed_ms;      /* ro; time of the last state */

    uint32_t                 name_len;        /* ro */
    u_char                   name[NGX_WEBRTC_NAME_MAX + 1];    /* ro */

    uint64_t                 tracks_version;

    uint32_t                 keyframe;        /* one is asked for */
    uint32_t                 record;          /* atomic; NGX_WEBRTC_RECORD_* of
                                                 ngx_webrtc_bus_outlet.h */

    ngx_webrtc_stream_stat_t stat;            /* atomic */

    uint64_t                 watching[NGX_WEBRTC_WORKERS / 64];

    ngx_webrtc_stream_tracks_t
                             tracks[2];
    ngx_webrtc_timeline_t    timeline;        /* the claim's holder works on
                                                 it, readers ask
                                                 ngx_webrtc_timeline_at() */

    ngx_webrtc_stream_use_t  use[NGX_WEBRTC_WORKERS];

    ngx_webrtc_stream_pull_t pull;            /* under the mutex */

    ngx_webrtc_error_t       error;
    uint64_t                 active_ms;       /* atomic; when media flowed
                                                 again */

    uint64_t                 wanted_ms;       /* atomic; until then a viewer
                                                 waits for the stream, or an
                                                 answered one may connect */

    uint64_t                 retry_ms;        /* atomic; no source starts before
                                                 that; 0: the last one did */
    uint32_t                 retry_pause;     /* ms; by the claim's holder */
    uint32_t                 upstream;        /* atomic; which of pull.from is
                                                 up, from 1; 0: none */

    uint64_t                 output;          /* atomic; the worker whose
                                                 command gets its media */
    uint64_t                 publisher;       /* slots: see */
    uint64_t                 holder;          /* ngx_webrtc_bus_publish.h */
    uint64_t                 linger_ms;       /* of viewers when INACTIVE; 0:
                                                 no publisher so far */
    uint64_t                 since[NGX_WEBRTC_TRACKS];    /* atomic; index of
                                                 a track's first packet of its
                                                 current codec */
    uint32_t                 slots;           /* of viewers; under the mutex */
    uint32_t                 playout;         /* atomic; of its publisher's
                                                 video, ngx_webrtc_playout.h */
    uint32_t                 protocol;        /* atomic; of its publisher,
                                                 NGX_WEBRTC_PROTOCOL_* */
    uint32_t                 climb;           /* atomic; ms of the monotonic
                                                 clock, modulo 2^32, when
                                                 somebody had a use for any
                                                 layer of its publisher; see
                                                 ngx_webrtc_bus_layers.h */

    ngx_webrtc_ring_t       *ring;            /* ro, and good until the event
                                                 loop's next turn; without
                                                 room until there is media */
    uint64_t                 ring_size;       /* atomic; bytes that it begins
                                                 with, and may grow to */
    uint64_t                 ring_max;
    ngx_webrtc_stream_ring_t rings[NGX_WEBRTC_BUS_RINGS];

    uint64_t                 client;          /* that named it first, see */
    uint32_t                 trial;           /* ngx_webrtc_bus_pending.h; it
                                                 counts for that client */
    uint32_t                 dropped;         /* atomic; it has to go */

    uint64_t                 parent;          /* ro; of a variant: ref of the
                                                 stream, else 0; see */
    ngx_webrtc_variant_t     variant;         /* ngx_webrtc_bus_variant.h; ro */
    uint32_t                 variant_idle_ms; /* atomic, as the two below */
    uint32_t                 variant_bitrate; /* bit/s; 0: as configured */
    uint32_t                 variant_why;     /* for those who watch it: a
                                                 reason of theirs, 0: none */
    ngx_webrtc_stream_rates_t rates;          /* ngx_webrtc_bus_figures.h */
    uint32_t                 location;        /* atomic; "location" of who
                                                 publishes it, or plays it */
    uint32_t                 push;            /* atomic; NGX_WEBRTC_PUSH_* of
                                                 ngx_webrtc_bus_push.h */
    uint64_t                 layers_version;
    ngx_webrtc_stream_layers_t
                             layers[2];
} ngx_webrtc_stream_t;


/* a copy for listings */
typedef struct {
    uint64_t                 ref;
    uint32_t                 id;
    uint32_t                 state;
    uint32_t                 claim_kind;      /* 0: none */
    uint32_t                 viewers;
    uint64_t                 changed_ms;
    ngx_uint_t               claim_worker;    /* or NGX_WEBRTC_WORKER_NONE */
    uint32_t                 upstream;        /* the one up, 0: none; of */
    uint32_t                 upstreams;
    size_t                   name_len;
    u_char                   name[NGX_WEBRTC_NAME_MAX + 1];
    ngx_uint_t               ntracks;
    ngx_webrtc_track_t       tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_stream_stat_t stat;
    ngx_webrtc_error_t       error;
    uint64_t                 parent;          /* 0, or of the variant: */
    ngx_webrtc_variant_t     variant;
    uint32_t                 variant_why;
    uint32_t                 readers;
    ngx_webrtc_stream_layers_t
                             layers;
    uint64_t                 publisher;       /* ref of its slot, 0: none */
    uint64_t                 bitrate;         /* bit/s of payload, of the last
                                                 seconds */
    uint64_t                 fps_1000;        /* frames in 1000 seconds */
    uint64_t                 key_interval_ms; /* 0: not known */
} ngx_webrtc_stream_info_t;


/* what ran out when a stream or a session was to be made */
typedef enum {
    NGX_WEBRTC_LACK_NONE = 0,
    NGX_WEBRTC_LACK_MEMORY,                   /* of the zone */
    NGX_WEBRTC_LACK_STREAMS,                  /* entries for them */
    NGX_WEBRTC_LACK_SLOTS,                    /* of sessions */
    NGX_WEBRTC_LACK_SESSIONS,                 /* webrtc_max_sessions */
    NGX_WEBRTC_LACK_VIEWERS,                  /* webrtc_max_viewers */
    NGX_WEBRTC_LACK_PENDING,                  /* webrtc_max_pending */
    NGX_WEBRTC_LACK_NAMES,                    /* its names= */
    NGX_WEBRTC_LACK_VARIANTS,                 /* webrtc_max_transcodes */
    NGX_WEBRTC_LACKS
} ngx_webrtc_lack_e;


/* the client a stream or session belongs to, and how many may be pending */
typedef struct {
    uint64_t                 key;             /* ngx_webrtc_bus_client() */
    uint32_t                 max_sessions;    /* 0: no limit */
    uint32_t                 max_names;
} ngx_webrtc_client_t;


typedef struct ngx_webrtc_bus_sh_s  ngx_webrtc_bus_sh_t;
typedef struct ngx_webrtc_inbox_s   ngx_webrtc_inbox_t;
typedef struct ngx_webrtc_outlet_s  ngx_webrtc_outlet_t;


/* datagrams dropped by all workers so far, by reason */
typedef enum {
    NGX_WEBRTC_DROP_UNKNOWN = 0,              /* address without a session */
    NGX_WEBRTC_DROP_STUN,                     /* malformed, or no such ufrag */
    NGX_WEBRTC_DROP_INTEGRITY,                /* a check that did not verify */
    NGX_WEBRTC_DROP_DTLS,
    NGX_WEBRTC_DROP_RTP,
    NGX_WEBRTC_DROP_RTCP,
    NGX_WEBRTC_DROP_OTHER,                    /* none of RFC 7983's classes */
    NGX_WEBRTC_DROP_LIMIT,                    /* too long, or of a publisher
                                                 beyond its limits */
    NGX_WEBRTC_DROPS
} ngx_webrtc_drop_e;


/* a process' view of the zone; one per cycle, made at configuration time */
typedef struct {
    ngx_webrtc_bus_sh_t     *sh;
    ngx_slab_pool_t         *shpool;
    ngx_shm_zone_t          *zone;

    ngx_uint_t               worker;          /* my endpoint, or
                                                 NGX_WEBRTC_WORKER_NONE */
    uint32_t                 generation;      /* of that endpoint */
    ngx_fd_t                 fd;              /* inbox socket or -1; set by
                                                 ngx_webrtc_inbox_init() */

    ngx_webrtc_lack_e        lack;            /* why the last stream or slot
                                                 could not be made */
    ngx_uint_t               max_variants;    /* in the zone, 0: no limit */

    ngx_webrtc_stream_t    **held;            /* streams that this worker holds,
                                                 by id; others are NULL */

    /* this process frees an expired slot; peer is valid during the call */
    void                   (*on_expire)(void *ctx, void *peer);
    void                    *on_expire_ctx;

    /* a stream that this process feeds has media; it gives up its claim of one
     * that had.  May be NULL */
    void                   (*on_up)(void *ctx, ngx_webrtc_stream_t *st);
    void                   (*on_down)(void *ctx, ngx_webrtc_stream_t *st);
    void                    *on_up_ctx;

    /* a claimed slot is to be ended for a new one; NGX_OK: it has */
    ngx_int_t              (*on_give_way)(void *ctx, uint64_t ref);
    void                    *on_give_way_ctx;
} ngx_webrtc_bus_t;


/*
 * Declares the zone, at configuration time.
 *
 *   name, size   from "webrtc_zone"; size >= NGX_WEBRTC_ZONE_MIN
 *   tag          address of the module
 *
 * Returns a bus allocated from cf->pool, whose zone exists once the
 * configuration has been read; NULL after logging.  The zone's contents
 * survive a reload with equal name and size.
 */
ngx_webrtc_bus_t *ngx_webrtc_bus_add(ngx_conf_t *cf, ngx_str_t *name,
    size_t size, void *tag);

/*
 * The init callback that ngx_webrtc_bus_add() sets; public for tests, which
 * make a zone of their own.  zone->data is the bus, data is the bus of the
 * previous cycle, or NULL.
 */
ngx_int_t ngx_webrtc_bus_init_zone(ngx_shm_zone_t *zone, void *data);


/* endpoints */

/*
 * Makes this process a worker of the zone: reaps what dead workers have left
 * and takes a free endpoint.  Called again in the same process, does nothing.
 * ngx_webrtc_inbox_init() comes next.
 *
 * NGX_OK     bus->worker and bus->generation are set
 * NGX_ERROR  logged: NGX_WEBRTC_WORKERS are alive
 */
ngx_int_t ngx_webrtc_bus_attach(ngx_webrtc_bus_t *bus, ngx_log_t *log);

/*
 * Gives back everything this worker has in the zone: closes its slots, ends its
 * claims and holds, frees streams that nobody else needs, and its endpoint.
 * Called in exit_process, after the source threads have ended;
 * ngx_webrtc_inbox_done() comes next.
 */
void ngx_webrtc_bus_detach(ngx_webrtc_bus_t *bus);

/*
 * Detaches those workers that died without doing so.  A few system calls per
 * endpoint: call it every few seconds.
 *
 * Returns the number of workers reaped.
 */
ngx_uint_t ngx_webrtc_bus_reap(ngx_webrtc_bus_t *bus, ngx_log_t *log);

/*
 * Records which of nginx's workers this one is, from 0: it reads that worker's
 * sockets from now on.
 */
void ngx_webrtc_bus_set_number(ngx_webrtc_bus_t *bus, ngx_uint_t number);

/*
 * What the workers of this zone know about the other binary in an upgrade.
 *
 *   pid   its master's, if this worker has learned of it, else 0
 *
 * Returns the pid last learned by any worker, or 0.
 */
uint32_t ngx_webrtc_bus_twin(ngx_webrtc_bus_t *bus, uint32_t pid);

/*
 * Workers that began after this one.
 *
 *   same     set if one of them has our number, and so reads our sockets
 *
 * Returns the youngest, or NGX_WEBRTC_WORKER_NONE.
 */
ngx_uint_t ngx_webrtc_bus_successor(ngx_webrtc_bus_t *bus, ngx_uint_t *same);

/*
 * Announces a port of this worker to the others.
 *
 *   n      which one, below NGX_WEBRTC_DOORS
 *   key    what it stands for, the same in every worker
 */
void ngx_webrtc_bus_set_door(ngx_webrtc_bus_t *bus, ngx_uint_t n, uint32_t key,
    uint16_t port);

/*
 * The ports that stand for key, of all workers, old ones included.  Any thread.
 *
 *   ports   room for max of them; filled
 *
 * Returns how many there are.  Some may belong to workers that have died.
 */
ngx_uint_t ngx_webrtc_bus_doors(ngx_webrtc_bus_t *bus, uint32_t key,
    uint16_t *ports, ngx_uint_t max);

/* pid of an endpoint, 0 when it is free; for listings */
ngx_pid_t ngx_webrtc_bus_worker_pid(ngx_webrtc_bus_t *bus, ngx_uint_t worker);


/* streams */

/*
 * Finds or creates a stream by name and holds it once for this worker: each
 * call that returns a stream is paired with ngx_webrtc_bus_release().
 *
 *   name        1 to NGX_WEBRTC_NAME_MAX bytes, any
 *   ring_size   bytes of "webrtc_buffer", used when the stream is created
 *   create      create it if it does not exist
 *
 * A new stream takes no memory for packets; ngx_webrtc_bus_grow() does that.
 *
 * Returns NULL if there is none and create is 0, if the zone is full
 * (bus->lack says of what), or if name or ring_size is out of range.
 */
ngx_webrtc_stream_t *ngx_webrtc_bus_stream(ngx_webrtc_bus_t *bus,
    ngx_str_t *name, size_t ring_size, ngx_uint_t create);

/* Same, with create, for a client, whose pending names are limited. */
ngx_webrtc_stream_t *ngx_webrtc_bus_stream_for(ngx_webrtc_bus_t *bus,
    ngx_str_t *name, size_t ring_size, ngx_webrtc_client_t *client);

/* Sets how large the ring may grow, "webrtc_buffer_max". */
void ngx_webrtc_bus_set_ring_max(ngx_webrtc_stream_t *st, size_t max);

/*
 * Gives a stream that we have claimed its first ring, before the first packet
 * is written, or a larger one with the same contents.  Event loop only; the
 * writer must not write meanwhile.
 *
 *   w       the writer; what it has written is published
 *   need    least size of the ring in bytes, 0: any
 *
 * NGX_OK        st->ring is a new one, and so is w's
 * NGX_DECLINED  it would exceed its limit
 * NGX_ERROR     the zone has no room; a quarter of it is reserved for the
 *               first rings of other streams
 * NGX_BUSY      too many earlier rings are still being read: try again
 */
ngx_int_t ngx_webrtc_bus_grow(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_ring_writer_t *w, size_t need);

/*
 * Same, and logs it; or, if it fails and viewers see or will see that, logs
 * what to configure.
 */
ngx_int_t ngx_webrtc_bus_enlarge(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_webrtc_ring_writer_t *w, size_t need,
    ngx_log_t *log);

/*
 * Marks a new turn of this worker's event loop: it no longer uses any ring that
 * a stream had before.  Frees rings that no worker uses.  Called from a timer,
 * a few times a second.
 */
void ngx_webrtc_bus_turn(ngx_webrtc_bus_t *bus);

/*
 * ngx_webrtc_bus_stream() by reference, as in a session slot.  NULL: it's gone.
 */
ngx_webrtc_stream_t *ngx_webrtc_bus_stream_ref(ngx_webrtc_bus_t *bus,
    uint64_t ref);

/* one more hold on a stream that this worker holds already */
void ngx_webrtc_bus_hold(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st);

/*
 * Ends one hold.  The last one of all workers frees an unclaimed stream; do not
 * use st afterwards.
 */
void ngx_webrtc_bus_release(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st);

/*
 * The next stream of a listing.
 *
 *   cursor   0 at first, advanced here
 *   info     a copy
 *
 * NGX_OK; NGX_DONE when there are no more, info is unset
 */
ngx_int_t ngx_webrtc_bus_next(ngx_webrtc_bus_t *bus, ngx_uint_t *cursor,
    ngx_webrtc_stream_info_t *info);


/*
 * Records how a held stream is pulled.
 *
 *   pull   lengths within their bounds; copied
 */
void ngx_webrtc_bus_set_pull(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_pull_t *pull);

/* NGX_OK: *pull is a copy; NGX_DECLINED: nothing has been recorded */
ngx_int_t ngx_webrtc_bus_pull(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_pull_t *pull);

/*
 * The claim's holder has started a source (ok), or failed to.  After a failure
 * all workers wait before they try again, for a pause that doubles from min to
 * max, both in ms: giving up the claim wakes those who wait for the stream, and
 * they would try at once.
 */
void ngx_webrtc_bus_source_started(ngx_webrtc_stream_t *st, ngx_uint_t ok,
    uint64_t now_ms, uint32_t min, uint32_t max);

/* Is that pause still running? */
ngx_uint_t ngx_webrtc_bus_source_rests(ngx_webrtc_stream_t *st,
    uint64_t now_ms);


/* the claim: who may write to a stream */

/*
 * Claims a held stream for this worker.  A claim whose worker is dead does not
 * count: that worker is reaped.  The holder of the claim keeps a hold as well.
 *
 * NGX_OK     it is ours (again, if it was); attach to the ring, set the state
 * NGX_BUSY   another has it
 */
ngx_int_t ngx_webrtc_bus_claim(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_uint_t kind);

/*
 * Gives up our claim, if we have it.  The writer (thread) must have ended.  The
 * state becomes INACTIVE if it was ACTIVE, else IDLE, and watchers are woken.
 */
void ngx_webrtc_bus_unclaim(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st);

/*
 * Age of the stream's state at now_ms, in ms.  Never negative, though another
 * worker that read its clock later may have set it.
 */
uint64_t ngx_webrtc_bus_state_age(ngx_webrtc_stream_t *st, uint64_t now_ms);

/* kind of the claim, 0: none.  *worker (or NULL) is set to who has it. */
ngx_uint_t ngx_webrtc_bus_claimed(ngx_webrtc_stream_t *st,
    ngx_uint_t *worker);

/* Is the claim this worker's? */
ngx_uint_t ngx_webrtc_bus_is_mine(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st);


/* for the claim's holder: any of its threads, one at a time */

/*
 * Changes the state and wakes the watchers.
 *
 *   now_ms   ngx_current_msec or the same clock (monotonic)
 */
void ngx_webrtc_bus_set_state(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_state_e state, uint64_t now_ms);

/* Publishes the tracks: before the state is ACTIVE, and when they change. */
void ngx_webrtc_bus_set_tracks(ngx_webrtc_stream_t *st,
    ngx_webrtc_track_t *tracks, ngx_uint_t ntracks);


/* for readers: any thread, no lock, always a consistent copy */

ngx_webrtc_stream_state_e ngx_webrtc_bus_state(ngx_webrtc_stream_t *st);

/*
 *   tracks   NGX_WEBRTC_TRACKS of them, filled; or NULL
 *   ntracks  set; or NULL
 *
 * Returns the version, which changes when the tracks are set; 0: never set.
 */
uint64_t ngx_webrtc_bus_tracks(ngx_webrtc_stream_t *st,
    ngx_webrtc_track_t *tracks, ngx_uint_t *ntracks);


/* wake-ups */

/*
 * Starts or stops notifying this worker of the stream's news (its inbox calls
 * on_stream).  Counted: one unwatch per watch.  After the first watch look at
 * the stream once: nothing is sent for what was published earlier.
 */
void ngx_webrtc_bus_watch(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st);
void ngx_webrtc_bus_unwatch(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st);

/*
 * Tells all watching workers, including our own, that the stream has news; call
 * it after ngx_webrtc_ring_publish().  At most one message per worker is in
 * flight, for any number of streams and frames.  Any thread.
 */
void ngx_webrtc_bus_wake(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st);

/* same except our own worker, for a loop that serves its own viewers itself */
void ngx_webrtc_bus_wake_others(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st);

/*
 * Clears the stream's news.  The inbox does so before it calls on_stream; a
 * reader that looks at the stream for another reason may call this first to
 * save that call.
 */
void ngx_webrtc_bus_clean(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st);

/*
 * A viewer needs a key frame that the ring does not have.  Tells the worker
 * with the claim (its inbox calls on_keyframe), unless a request is outstanding
 * that it has not yet answered with ngx_webrtc_bus_keyframe_done().
 *
 * NGX_OK        it is told, or was already
 * NGX_DECLINED  nobody can make one, see ngx_webrtc_bus_may_ask(), or the inbox
 *               is full
 */
ngx_int_t ngx_webrtc_bus_keyframe(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st);

/*
 * Can a key frame be asked for?  Of a publisher, a variant and whoever sends
 * plain RTP; not of a source, or if there is none of these now.
 */
ngx_uint_t ngx_webrtc_bus_may_ask(ngx_webrtc_stream_t *st);

/*
 * The claim's holder has asked for one, has received one, or cannot ask: the
 * next request is passed on again.  Every request must end with this call, or
 * no other will follow.
 */
void ngx_webrtc_bus_keyframe_done(ngx_webrtc_stream_t *st);


/* viewers */

/* Adds (1) or removes (-1) a viewer of this worker. */
void ngx_webrtc_bus_viewer(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_int_t n);

/* Viewers in all workers.  Reads a word per worker: once per second, say. */
ngx_uint_t ngx_webrtc_bus_viewers(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st);

/* Counts a dropped datagram; the number of them so far. */
void ngx_webrtc_bus_drop(ngx_webrtc_bus_t *bus, ngx_webrtc_drop_e reason);
uint64_t ngx_webrtc_bus_dropped(ngx_webrtc_bus_t *bus,
    ngx_webrtc_drop_e reason);

/* free bytes in whole pages of the zone; for listings and tests */
size_t ngx_webrtc_bus_free(ngx_webrtc_bus_t *bus);


#endif /* _NGX_WEBRTC_BUS_H_INCLUDED_ */
