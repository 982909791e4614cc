
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Which packets of a publisher's stream to request again, and when: generic
 * NACK (RFC 4585, 6.2.1) with retries.  A missing packet is requested after a
 * short delay (it may only be late), then once per round trip, or less often,
 * until it arrives or is no longer of use.  When a video track gives up on a
 * packet, it needs a key frame.
 *
 * What is sent again takes the same path: where that has become too narrow for
 * what is sent, it takes the place of what matters more, and the more so the
 * more is lost.  So while packets queue, all tracks of a publisher have a share
 * of what arrives: ngx_webrtc_nack_share_t.  What it does not suffice for is
 * late, or given up.  What is lost in the air is requested at once, all of it.
 *
 * Sans-I/O.  The list is bounded; sequence numbers are unwrapped as by
 * ngx_webrtc_reorder_seq().
 */


#ifndef _NGX_WEBRTC_NACK_H_INCLUDED_
#define _NGX_WEBRTC_NACK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* missing packets known; chosen: a burst of 100 ms at 20 Mbit/s */
#define NGX_WEBRTC_NACK_MAX       256

/* sequence numbers requested per call; fits any RTCP packet */
#define NGX_WEBRTC_NACK_ASK       64

/* times a packet is requested; chosen: as libwebrtc */
#define NGX_WEBRTC_NACK_TRIES     10

/* us before the first request; chosen: reordering on a path is shorter */
#define NGX_WEBRTC_NACK_DELAY     10000

/* us between requests: at least, twice as long each time; at most; while no RTT
 * is known, and what is not doubled beyond */
#define NGX_WEBRTC_NACK_MIN       20000
#define NGX_WEBRTC_NACK_RETRY_MAX 250000
#define NGX_WEBRTC_NACK_RTT       100000

/* us after which a missing packet is given up, by default; chosen: what
 * viewers' jitter buffers cover */
#define NGX_WEBRTC_NACK_AGE       500000

/* percent of the packets that arrive which may be requested; chosen: twice what
 * a path that loses 20 % needs */
#define NGX_WEBRTC_NACK_SHARE     50

/* us of arrivals whose share may be requested at once, and packets that may in
 * any case, one more after as long; chosen: what a narrow path carries beside
 * others; a video that stands still */
#define NGX_WEBRTC_NACK_BURST     100000
#define NGX_WEBRTC_NACK_BURST_MIN 8

/* us until there may be a share for what there was none for */
#define NGX_WEBRTC_NACK_LATER     20000

/* us that packets take longer than the fastest of the last LEAST to twice LEAST
 * us, where they queue; chosen: more than a key frame that is paced, less than
 * queues that drop; and for how long that holds: until retransmissions are in
 * time again */
#define NGX_WEBRTC_NACK_QUEUE     100000
#define NGX_WEBRTC_NACK_QUEUED    500000
#define NGX_WEBRTC_NACK_LEAST     5000000

/* how long a packet took is not known */
#define NGX_WEBRTC_NACK_UNKNOWN   ((uint64_t) -1)

/* us; a packet that takes longer by that has another clock's timestamp */
#define NGX_WEBRTC_NACK_JUMP      10000000


/* private except for the first group */
typedef struct {
    uint64_t     queue_us;        /* by how much the last packet took longer
                                     than the fastest ones lately, or
                                     NGX_WEBRTC_NACK_UNKNOWN */

    uint64_t     queued_us;       /* when packets were last seen to queue; 0:
                                     never */
    uint64_t     since_us;        /* when `n' began to be counted */
    uint32_t     n;               /* packets that came by themselves */
    uint32_t     before;          /* in the window before that */
    uint32_t     left;            /* hundredths of packets */
} ngx_webrtc_nack_share_t;


typedef struct {
    uint64_t     seq;
    uint64_t     seen_us;         /* when it was found missing */
    uint64_t     next_us;         /* when it is to be requested */
    uint32_t     tries;
} ngx_webrtc_nack_entry_t;


/* private except for the counters */
typedef struct {
    uint64_t                  highest;
    uint64_t                  age_us;
    uint32_t                  rtt_us;        /* 0: not known */
    uint32_t                  n;
    uint64_t                  turned_us;     /* when `least' began; 0: none */
    uint32_t                  ts;            /* newest */
    int32_t                   least;         /* transit, units of the clock, */
    int32_t                   least_before;  /* and in the window before */
    unsigned                  started:1;
    unsigned                  framed:1;      /* `ts' is known */
    unsigned                  video:1;
    unsigned                  pli:1;         /* wanted, not reported yet */

    uint64_t                  gone;          /* highest given up, 0: none, or
                                                told */

    uint64_t                  missing;       /* found missing */
    uint64_t                  asked;         /* numbers requested, with
                                                retries */
    uint64_t                  recovered;     /* came after they were
                                                requested */
    uint64_t                  late;          /* came before */
    uint64_t                  given_up;

    ngx_webrtc_nack_entry_t   list[NGX_WEBRTC_NACK_MAX];  /* ascending */
} ngx_webrtc_nack_t;


/* what ngx_webrtc_nack_timeout() wants done */
typedef struct {
    ngx_uint_t   n;                          /* request these, if not 0: */
    uint16_t     seqs[NGX_WEBRTC_NACK_ASK];  /* ngx_webrtc_rtcp_write_nack() */

    uint64_t     gone;            /* not 0: all that is missing up to this
                                     number is given up:
                                     ngx_webrtc_reorder_give_up() */
    unsigned     pli:1;           /* a key frame is wanted */
} ngx_webrtc_nack_tell_t;


/* video: not zero for a video track */

void ngx_webrtc_nack_init(ngx_webrtc_nack_t *nack, ngx_uint_t video);

/*
 *   rtt_us   from the publisher's report blocks or DLRR; 0: not known
 *   age_us   when to give up; 0: NGX_WEBRTC_NACK_AGE
 */

void ngx_webrtc_nack_conf(ngx_webrtc_nack_t *nack, uint32_t rtt_us,
    uint64_t age_us);

/*
 * How long ngx_webrtc_reorder should hold packets behind a gap, so that three
 * requests have a chance: us, for ngx_webrtc_reorder_hold() after each
 * ngx_webrtc_nack_conf().  310 ms while no RTT is known; never above the age.
 */

uint64_t ngx_webrtc_nack_hold(const ngx_webrtc_nack_t *nack);

/*
 * A packet came, in any order, original or retransmitted.
 *
 *   seq   unwrapped
 *
 * A gap of more than NGX_WEBRTC_NACK_MAX packets is not requested: the whole
 * list is given up, and video needs a key frame.
 *
 * NGX_OK      nothing new to do
 * NGX_AGAIN   there is something new to request or report: the deadline may
 *             have moved, see ngx_webrtc_nack_deadline()
 */

ngx_int_t ngx_webrtc_nack_received(ngx_webrtc_nack_t *nack, uint64_t seq,
    uint64_t now_us);

/* Nothing has come, NGX_WEBRTC_NACK_BURST_MIN packets may be requested. */

void ngx_webrtc_nack_share_init(ngx_webrtc_nack_share_t *share);

/*
 * A packet of the track came, not as a retransmission; before
 * ngx_webrtc_nack_received(): one that is not the newest may be one all the
 * same, and says nothing.  That packets queue is said by the first one of each
 * frame, as the others are paced, and not by frames that are shown before
 * others; share->queue_us is that of any packet.
 *
 *   seq       unwrapped
 *   ts        its timestamp
 *   transit   arrival less that, modulo 2^32, in units of the clock
 *   rate      of that clock, Hz
 */

void ngx_webrtc_nack_share_received(ngx_webrtc_nack_share_t *share,
    ngx_webrtc_nack_t *nack, uint64_t seq, uint32_t ts, int32_t transit,
    uint32_t rate, uint64_t now_us);

/*
 * Gives up what is missing before `seq' without reporting it, and forgets what
 * was given up there and not yet reported: a key frame begins there, or
 * ngx_webrtc_reorder has already passed it.
 *
 *   pli   not zero: a video track wants a key frame if something was missing,
 *         and what was not yet reported still is
 */

void ngx_webrtc_nack_drop(ngx_webrtc_nack_t *nack, uint64_t seq,
    ngx_uint_t pli);

/*
 * If something is due to be requested for the first time: gives up all that is
 * missing up to that, without wanting a key frame.  What has been requested
 * before may still come, and is not requested again before LATER us.
 */

void ngx_webrtc_nack_abandon(ngx_webrtc_nack_t *nack, uint64_t now_us);

/* Is a packet missing for longer than reordering explains? */

ngx_uint_t ngx_webrtc_nack_late(const ngx_webrtc_nack_t *nack,
    uint64_t now_us);

/*
 * Another stream replaces this one, ngx_webrtc_reorder_renew(): its first
 * packet is the next one received.  What was missing is given up without being
 * reported; the RTT is kept.
 */

void ngx_webrtc_nack_renew(ngx_webrtc_nack_t *nack);

/* when ngx_webrtc_nack_timeout() wants to be called, us; 0: not at all */

uint64_t ngx_webrtc_nack_deadline(const ngx_webrtc_nack_t *nack);

/*
 * Returns what is due, and forgets what is given up.  May be called at any
 * time.  While packets queue, video that misses more than its share allows to
 * request while others wait for it is given up as a whole: a key frame comes
 * sooner.  Sound takes of the share what it needs: it is small.
 *
 *   share   of all tracks; those that matter most come first
 *
 * NGX_OK      there is something in tell
 * NGX_DONE    nothing is due
 */

ngx_int_t ngx_webrtc_nack_timeout(ngx_webrtc_nack_t *nack,
    ngx_webrtc_nack_share_t *share, uint64_t now_us,
    ngx_webrtc_nack_tell_t *tell);


#endif /* _NGX_WEBRTC_NACK_H_INCLUDED_ */
