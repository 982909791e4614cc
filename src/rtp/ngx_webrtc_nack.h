
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Which packets of a publisher's stream to request again, and when: generic
 * NACK (RFC 4585, 6.2.1) with retries.  A missing packet is requested after a
 * short delay (it may only be late), then once per round trip until it arrives
 * or is no longer of use.  When a video track gives up on a packet, it needs a
 * key frame.
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

/* us between requests: at least, at most, and while no RTT is known */
#define NGX_WEBRTC_NACK_MIN       20000
#define NGX_WEBRTC_NACK_RETRY_MAX 250000
#define NGX_WEBRTC_NACK_RTT       100000

/* us after which a missing packet is given up, by default; chosen: what
 * viewers' jitter buffers cover */
#define NGX_WEBRTC_NACK_AGE       500000


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
    unsigned                  started:1;
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

/*
 * Gives up what is missing before `seq' without reporting it: a key frame
 * begins there, or ngx_webrtc_reorder has already passed it.
 *
 *   pli   not zero: a video track wants a key frame if something was missing
 */

void ngx_webrtc_nack_drop(ngx_webrtc_nack_t *nack, uint64_t seq,
    ngx_uint_t pli);

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
 * time.
 *
 * NGX_OK      there is something in tell
 * NGX_DONE    nothing is due
 */

ngx_int_t ngx_webrtc_nack_timeout(ngx_webrtc_nack_t *nack, uint64_t now_us,
    ngx_webrtc_nack_tell_t *tell);


#endif /* _NGX_WEBRTC_NACK_H_INCLUDED_ */
