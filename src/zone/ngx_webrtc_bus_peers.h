
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Session slots in the zone: what a POST leaves behind, from which any worker
 * can answer.  A slot is
 *
 *   NEW      from create until a worker claims it; expires.  Owned by nobody
 *   CLAIMED  owned by one worker, which has the session; never expires
 *
 * until it is closed: by its owner, by anybody while it is NEW, or after its
 * owner has died.  Only the owner has a pointer to a slot; everybody else gets
 * copies and a reference.
 */


#ifndef _NGX_WEBRTC_BUS_PEERS_H_INCLUDED_
#define _NGX_WEBRTC_BUS_PEERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_addr.h"
#include "ngx_webrtc_desc.h"
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_bus_policy.h"
#include "ngx_webrtc_bus_sums.h"


#define NGX_WEBRTC_PEER_ID_LEN       32     /* hex of 128 bits */
#define NGX_WEBRTC_PEER_ETAG_LEN     16

/* hex of 48 bits; chosen: two of 10,000 sessions collide once in five million
 * times */
#define NGX_WEBRTC_PUBLIC_LEN        12

/* addresses that lead to a session; chosen: a client moves, old ones linger */
#define NGX_WEBRTC_PEER_ADDRS        4

/* event streams that a client may request for a session; chosen: a page has
 * one, and one more while it is reloaded */
#define NGX_WEBRTC_PEER_EVENTS       4

/* bytes; a chunk of the slab: 10,000 unclaimed ones cost less than 26 MB,
 * with what is told of them */
#define NGX_WEBRTC_PEER_SIZE         2048


/* bytes of texts, without a null; longer ones are cut */
#define NGX_WEBRTC_ABOUT_AGENT   72
#define NGX_WEBRTC_ABOUT_PAIR    96
#define NGX_WEBRTC_ABOUT_CIPHER  32

/* progress of a CLAIMED slot */
#define NGX_WEBRTC_PEER_PAIRED       1        /* its agent has had a pair */
#define NGX_WEBRTC_PEER_UP           2        /* DTLS is up */

/*
 * Why somebody other than its peer ends a session: in the slot, and in what its
 * owner is told.  ngx_webrtc_session_why() has the words.
 */
typedef enum {
    NGX_WEBRTC_WHY_UNKNOWN = 0,     /* its owner knows */
    NGX_WEBRTC_WHY_DELETED,
    NGX_WEBRTC_WHY_REPLACED,        /* another one publishes */
    NGX_WEBRTC_WHY_GIVE_WAY,        /* its client has too many */
    NGX_WEBRTC_WHY_USELESS,         /* it has no candidate */
    NGX_WEBRTC_WHY_OPERATOR,
    NGX_WEBRTC_WHY_HOOK,
    NGX_WEBRTC_WHY_TOKEN,           /* has expired */
    NGX_WEBRTC_WHY_N
} ngx_webrtc_why_e;

/* what a viewer has chosen of the layers: by the label of policy.variant */
#define NGX_WEBRTC_PEER_LAYER_NAMED  0        /* that one; without it: what its
                                                 path carries */
#define NGX_WEBRTC_PEER_LAYER_MOST   1        /* no better one; without: any */
#define NGX_WEBRTC_PEER_LAYER_BEST   2        /* the best, whatever it takes */

#define NGX_WEBRTC_PEER_LAYER_HOW    3        /* mask of these */

/* and of that, temporal and spatial layers below this one; 0: all */
#define ngx_webrtc_peer_layer_tid(layer)  (((layer) >> 2) & 3)
#define ngx_webrtc_peer_layer_sid(layer)  (((layer) >> 4) & 3)

#define ngx_webrtc_peer_layer_below(tid, sid)  ((tid) << 2 | (sid) << 4)

/* states, as find and next tell them */
#define NGX_WEBRTC_PEER_NEW          1
#define NGX_WEBRTC_PEER_CLAIMED      2


/*
 * Written by the owner with ngx_webrtc_atomic_*(), read by anybody.  Sums cover
 * the session's whole life.
 */
typedef struct {
    uint64_t                 packets_out;
    uint64_t                 bytes_out;
    uint64_t                 packets_in;
    uint64_t                 bytes_in;
    uint64_t                 lost_in;
    uint32_t                 resent;
    uint32_t                 nacks;
    uint32_t                 plis;
    uint32_t                 lapped;
    uint32_t                 rtt_us;          /* last, 0: unknown */
    uint32_t                 lost;            /* last, in 1/256 of packets */
    uint64_t                 first_frame_ms;  /* after creation; 0: none yet */
} ngx_webrtc_peer_stat_t;


typedef struct {
    ngx_webrtc_addr_t        addr;            /* len 0: unset */
    uint32_t                 listen;
} ngx_webrtc_peer_addr_t;


/* a requested event stream: NGX_WEBRTC_SSE_* events, and its name in the URL */
typedef struct {
    uint32_t                 id;              /* 0: unused */
    uint32_t                 mask;
} ngx_webrtc_peer_events_t;


/*
 * What the status tells of a session and nothing else needs, a block of the
 * zone beside the slot: a chunk of the slab, 256 bytes.  Written by the owner,
 * most of it once a second, without a lock; read with ngx_webrtc_bus_about.h.
 */
typedef struct {
    uint32_t                 bitrate_in;      /* bit/s, of the last seconds */
    uint32_t                 bitrate_out;
    uint32_t                 jitter_us;       /* of the worst track; of what a
                                                 viewer gets as it reports */
    int32_t                  lost_out;        /* packets that a viewer reports
                                                 as lost, in all */
    uint32_t                 up_ms;           /* from POST to DTLS; 0: not up */
    uint32_t                 notify_ms;       /* "webrtc_notify"; 0: off */
    uint32_t                 token_expires;   /* seconds since 1970 when its
                                                 token ends it; 0: never */
    uint32_t                 playout;         /* "webrtc_playout_delay" of a
                                                 viewer, ngx_webrtc_playout.h;
                                                 0: as it is published */
    uint16_t                 profile;         /* of SRTP, 0: none */
    uint8_t                  cipher_len;
    uint8_t                  agent_len;
    uint8_t                  pair_len;
    uint8_t                  thin;            /* of a viewer: which frames it
                                                 gets, NGX_WEBRTC_VIEWER_*, and
                                                 of which layers */
    uint16_t                 estimate;        /* kbit/s of a viewer's path; 0:
                                                 not known */
    u_char                   public[NGX_WEBRTC_PUBLIC_LEN];
                                              /* of its id, see
                                                 ngx_webrtc_bus_public.h */
    u_char                   cipher[NGX_WEBRTC_ABOUT_CIPHER];
    u_char                   agent[NGX_WEBRTC_ABOUT_AGENT];   /* User-Agent */
    u_char                   pair[NGX_WEBRTC_ABOUT_PAIR];     /* full ICE */
} ngx_webrtc_peer_about_t;


typedef struct {

    /* set by the creator */

    u_char                   id[NGX_WEBRTC_PEER_ID_LEN + 1];
    u_char                   etag[NGX_WEBRTC_PEER_ETAG_LEN + 1];
    uint8_t                  role;            /* NGX_WEBRTC_PEER_* */
    uint8_t                  full;            /* has an ICE agent of its own */
    uint8_t                  name_len;
    u_char                   name[NGX_WEBRTC_NAME_MAX + 1];   /* of stream */
    uint8_t                  protocol;        /* NGX_WEBRTC_PROTOCOL_* */
    uint64_t                 stream;          /* its ref; it may be gone */
    uint64_t                 created_ms;
    uint64_t                 expires_ms;      /* of NEW; monotonic clock */
    ngx_webrtc_policy_t      policy;          /* of its location */
    uint32_t                 max_sessions;    /* slots in all, 0: no limit */
    uint32_t                 progress;        /* by the owner, atomic; see
                                                 above */
    uint32_t                 location;        /* of its POST, the same over
                                                 reloads; 0: not known */
    ngx_webrtc_client_t      client;
    ngx_webrtc_desc_t        desc;
    ngx_webrtc_peer_about_t *about;           /* the creator's, which is copied,
                                                 or NULL; then the slot's, for
                                                 its owner */

    /* set here */


    uint64_t                 ref;             /* never 0, never used twice */
    void                    *file;            /* ngx_webrtc_bus_file.h, or
                                                 ngx_webrtc_bus_push.h; for the
                                                 owner, or under the lock */
    uint8_t                  current;         /* of addrs, when any is set */
    uint8_t                  closing;         /* deleted, the owner ends it */
    uint8_t                  counted;         /* as viewer of its stream */
    uint8_t                  pending;         /* for its client: not up yet */
    uint8_t                  why;             /* NGX_WEBRTC_WHY_* */
    uint8_t                  reconnect;       /* times that its client was to
                                                 reconnect elsewhere */
    uint8_t                  layer;           /* of a viewer: its choice,
                                                 NGX_WEBRTC_PEER_LAYER_*, with
                                                 layers inside of that */
    ngx_webrtc_peer_addr_t   addrs[NGX_WEBRTC_PEER_ADDRS];
    uint64_t                 keys[3 + NGX_WEBRTC_PEER_ADDRS];
    ngx_webrtc_peer_events_t events[NGX_WEBRTC_PEER_EVENTS];

    /* set by the owner */

    void                    *session;         /* the owner's; nobody else's */
    uint64_t                 reads;           /* of a viewer: ref of the variant
                                                 that it gets; 0: the stream */
    ngx_webrtc_peer_stat_t   stat;
} ngx_webrtc_peer_t;


/* what find and next return besides the copy */
typedef struct {
    uint64_t                 ref;
    ngx_uint_t               state;           /* NGX_WEBRTC_PEER_NEW or
                                                 NGX_WEBRTC_PEER_CLAIMED */
    ngx_uint_t               worker;          /* owner, or
                                                 NGX_WEBRTC_WORKER_NONE */
} ngx_webrtc_peer_info_t;


/*
 * Parameters of an ICE restart; lengths within those of ngx_webrtc_desc_t.
 *
 *   tell   notifies the owner, if that is another worker, with the lock held:
 *          it must neither wait nor lock.  The owner compares with the slot, as
 *          that may not have changed after all.  Returns NGX_OK, or to refuse
 *          anything but NGX_BUSY and NGX_DECLINED.  NULL: nobody is notified
 */
typedef struct {
    ngx_str_t                local_ufrag;     /* random and unique */
    ngx_str_t                local_pwd;
    ngx_str_t                remote_ufrag;
    ngx_str_t                remote_pwd;
    ngx_int_t              (*tell)(void *ctx, ngx_webrtc_peer_info_t *info);
    void                    *ctx;
} ngx_webrtc_peer_restart_t;


/*
 * Creates a slot in state NEW.
 *
 *   peer   everything under "set by the creator" is set, the rest is ignored;
 *          id and desc's local ufrag are random and unique.  Copied; peer->ref
 *          is set in it too
 *
 * When slots or memory run out, a slot to which nobody has connected within
 * NGX_WEBRTC_PENDING_LEAST is ended to make room; one with full ICE is ended by
 * bus->on_give_way(), and if it is another worker's it is free a moment later.
 *
 * NGX_OK
 * NGX_DECLINED  something is full: bus->lack says what
 */
ngx_int_t ngx_webrtc_peers_create(ngx_webrtc_bus_t *bus,
    ngx_webrtc_peer_t *peer);

/*
 * Finds a slot and copies it out.
 *
 *   id, ufrag   the local ufrag; not null-terminated
 *   peer        a copy, or NULL; its session is NULL unless it is ours
 *   info        filled on NGX_OK
 *
 * NGX_OK        the one slot with exactly this id or local ufrag
 * NGX_DECLINED  there is none; determined without a lock
 */
ngx_int_t ngx_webrtc_peers_find_id(ngx_webrtc_bus_t *bus, ngx_str_t *id,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_info_t *info);
ngx_int_t ngx_webrtc_peers_find_ufrag(ngx_webrtc_bus_t *bus, ngx_str_t *ufrag,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_info_t *info);
ngx_int_t ngx_webrtc_peers_find_ref(ngx_webrtc_bus_t *bus, uint64_t ref,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_info_t *info);

/*
 * Finds the session a datagram belongs to.  Called for every datagram of an
 * unknown 4-tuple: no lock, no copy, about two cache lines.  Addresses are kept
 * as hashes under a secret key, so the owner has to compare the address itself
 * (it does, in its own table of 4-tuples).
 *
 *   path   remote and listen are used
 *   info   filled on NGX_OK; state is CLAIMED
 *
 * NGX_OK, NGX_DECLINED
 */
ngx_int_t ngx_webrtc_peers_find_address(ngx_webrtc_bus_t *bus,
    ngx_webrtc_path_t *path, ngx_webrtc_peer_info_t *info);

/*
 * Finds the session whose request a response answers.  As above.
 *
 *   number   of the slot: the low 32 bits of its ref, as the peer returned them
 */
ngx_int_t ngx_webrtc_peers_find_number(ngx_webrtc_bus_t *bus, uint32_t number,
    ngx_webrtc_peer_info_t *info);

/*
 * Makes this worker the owner of a NEW slot, after a verified STUN check.
 *
 * Returns the slot, ours until ngx_webrtc_peers_close(); NULL when it is gone,
 * expired or another's.
 */
ngx_webrtc_peer_t *ngx_webrtc_peers_claim(ngx_webrtc_bus_t *bus, uint64_t ref);

/*
 * Is there a slot that could be ended to make room: to which nobody has
 * connected, and NGX_WEBRTC_PENDING_LEAST old?  Does not look at all of them.
 */
ngx_uint_t ngx_webrtc_peers_may_give_way(ngx_webrtc_bus_t *bus,
    uint64_t now_ms);

/* Its session is up: it is not pending any more.  peer is ours. */
void ngx_webrtc_peers_up(ngx_webrtc_bus_t *bus, ngx_webrtc_peer_t *peer);

/* The slot if it is this worker's, else NULL: for references in messages. */
ngx_webrtc_peer_t *ngx_webrtc_peers_mine(ngx_webrtc_bus_t *bus, uint64_t ref);

/*
 * Records the address a verified check came from, so that other workers can
 * pass datagrams on, and makes it the current one.  The oldest one is forgotten
 * when there are NGX_WEBRTC_PEER_ADDRS already.
 *
 *   peer   ours
 */
void ngx_webrtc_peers_set_address(ngx_webrtc_bus_t *bus,
    ngx_webrtc_peer_t *peer, ngx_webrtc_path_t *path);

/*
 * Locks a slot to change it: remote credentials, ETag.  Make only changes that
 * a crash may leave half done.  Not for id and local ufrag, which are keys; of
 * the fields "set here", for events, reconnect and layer only, followed by
 * ngx_webrtc_peers_touch().
 *
 * Returns the slot, good until ngx_webrtc_peers_unlock(), which must follow
 * soon; NULL when it is gone, and nothing is locked.
 */
ngx_webrtc_peer_t *ngx_webrtc_peers_lock(ngx_webrtc_bus_t *bus, uint64_t ref);
void ngx_webrtc_peers_unlock(ngx_webrtc_bus_t *bus);

/*
 * RFC 8445, 9.  Gives a slot the credentials of an ICE restart and a new ETag.
 * The old credentials stay valid too: the old ufrag still finds the slot until
 * the owner calls ngx_webrtc_peers_restarted().  The owner must be notified
 * (NGX_WEBRTC_TELL_CHANGED), by restart->tell or by the caller.
 *
 *   match   NGX_WEBRTC_PEER_ETAG_LEN bytes that the ETag must have, or NULL
 *   etag    the new one, of as many bytes
 *   info    filled on NGX_OK
 *
 * NGX_OK
 * NGX_BUSY      the ETag does not match
 * NGX_DECLINED  there is no such slot, it has no remote credentials yet, or
 *               there is no room in the index
 * or what restart->tell returned.  Unless NGX_OK, nothing has changed.
 */
ngx_int_t ngx_webrtc_peers_restart(ngx_webrtc_bus_t *bus, uint64_t ref,
    ngx_webrtc_peer_restart_t *restart, u_char *match, u_char *etag,
    ngx_webrtc_peer_info_t *info);

/*
 * The session now uses these credentials: the old ones no longer find it.
 *
 *   peer     ours
 *   ufrag    the local one of the check that has nominated
 */
void ngx_webrtc_peers_restarted(ngx_webrtc_bus_t *bus,
    ngx_webrtc_peer_t *peer, ngx_str_t *ufrag);

/*
 * Takes the answer to a counter-offer: completes the description of a slot that
 * has no remote credentials yet.
 *
 *   match   as above
 *   desc    its local ufrag is the slot's
 *
 * NGX_OK
 * NGX_BUSY      the ETag does not match
 * NGX_DECLINED  there is no such slot, or it is complete
 */
ngx_int_t ngx_webrtc_peers_complete(ngx_webrtc_bus_t *bus, uint64_t ref,
    u_char *match, ngx_webrtc_desc_t *desc);

/*
 * Signals a change of the slot to those who poll ngx_webrtc_peers_news().
 */
void ngx_webrtc_peers_touch(ngx_webrtc_bus_t *bus, uint64_t ref);

/*
 * Does a slot still exist?  No lock, no copy: cheap enough to poll many slots.
 *
 *   news   a number that goes up with ngx_webrtc_peers_touch()
 *
 * NGX_OK, NGX_DECLINED
 */
ngx_int_t ngx_webrtc_peers_news(ngx_webrtc_bus_t *bus, uint64_t ref,
    uint64_t *news);

/*
 * Ends a slot and frees it.
 *
 * NGX_OK        done
 * NGX_BUSY      it is CLAIMED by another worker, which must be told
 *               (ngx_webrtc_inbox_tell())
 * NGX_DECLINED  there is none
 */
ngx_int_t ngx_webrtc_peers_close(ngx_webrtc_bus_t *bus, uint64_t ref);

/*
 * Deletes a slot on behalf of anybody.  A NEW one is gone; a CLAIMED one is
 * marked for its owner and cannot be found by its id any more.
 *
 *   why      is noted in the slot
 *   worker   set on NGX_BUSY: the owner, which must be told
 *
 * NGX_OK        gone
 * NGX_BUSY      marked
 * NGX_DECLINED  there is none, or it has been marked before
 */
ngx_int_t ngx_webrtc_peers_delete(ngx_webrtc_bus_t *bus, uint64_t ref,
    ngx_webrtc_why_e why, ngx_uint_t *worker);

/*
 * Ends the NEW slots that have expired, calling bus->on_expire() first if it is
 * set.  Call it from a timer in every worker: one of them does the work, every
 * 250 ms at most.
 *
 *   now_ms   the clock of expires_ms (ngx_current_msec)
 *
 * Returns the number of slots ended.
 */
ngx_uint_t ngx_webrtc_peers_expire(ngx_webrtc_bus_t *bus, uint64_t now_ms);

/* Is there a slot that is NEW? */
ngx_uint_t ngx_webrtc_peers_new(ngx_webrtc_bus_t *bus);

/* slots that exist, NEW and CLAIMED */
ngx_uint_t ngx_webrtc_peers_count(ngx_webrtc_bus_t *bus);

/*
 * The next slot of a listing.
 *
 *   cursor   0 at first, advanced here
 *   peer     a copy, or NULL
 *
 * NGX_OK; NGX_DONE when there are no more
 */
ngx_int_t ngx_webrtc_peers_next(ngx_webrtc_bus_t *bus, ngx_uint_t *cursor,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_info_t *info);


#endif /* _NGX_WEBRTC_BUS_PEERS_H_INCLUDED_ */
