
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Packets of one RTP stream in the order of their sequence numbers, each at
 * most once.  A packet that is next in order passes at once, without a copy;
 * those behind a gap are held (copied into the caller's memory) until the gap
 * is filled or given up: by time, because the window or the memory is full, or
 * because the caller says so.
 *
 * Sans-I/O: no allocation, no clock.  RFC 4588 retransmissions are unwrapped
 * before they are put in.  RFC 3550, A.1.
 */


#ifndef _NGX_WEBRTC_REORDER_H_INCLUDED_
#define _NGX_WEBRTC_REORDER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Packets between the first that is missing and the newest, a power of two;
 * chosen: 200 ms of 20 Mbit/s video; half a second of 20 ms audio
 */
#define NGX_WEBRTC_REORDER_VIDEO     512
#define NGX_WEBRTC_REORDER_AUDIO     32

/* bytes for payloads that are held, chosen likewise */
#define NGX_WEBRTC_REORDER_VIDEO_MEM (256 * 1024)
#define NGX_WEBRTC_REORDER_AUDIO_MEM (8 * 1024)

/* us to wait for a gap unless ngx_webrtc_reorder_hold() is called; chosen:
 * reordering only.  With NACK use ngx_webrtc_nack_hold() */
#define NGX_WEBRTC_REORDER_HOLD      100000

/* bytes of a payload, at most: as in the ring */
#define NGX_WEBRTC_REORDER_PAYLOAD   2048

/* a jump of more packets is a start anew: MAX_DROPOUT of RFC 3550, A.1 */
#define NGX_WEBRTC_REORDER_JUMP      3000


/* what a packet is, in and out */
typedef struct {
    uint64_t     seq;             /* unwrapped: ngx_webrtc_reorder_seq() */
    uint64_t     arrival_us;      /* of the clock that `now_us' is of */
    u_char      *payload;
    uint16_t     n;               /* <= NGX_WEBRTC_REORDER_PAYLOAD */
    uint8_t      pt;
    uint8_t      marker;
    uint8_t      cvo;             /* the caller's */
    uint16_t     told;            /* likewise */
    uint32_t     ts;

    /* out: packets directly before this one that are given up */
    uint32_t     lost;
} ngx_webrtc_reorder_packet_t;


/*
 * Takes a packet, in order.  The payload is the one given to input(), or in the
 * buffer; valid during the call only.  Of this header, only
 * ngx_webrtc_reorder_seq() may be called from within.
 */
typedef void (*ngx_webrtc_reorder_out_pt)(void *ctx,
    const ngx_webrtc_reorder_packet_t *pkt);


typedef struct {
    ngx_webrtc_reorder_packet_t   pkt;
    uint32_t                      offset;    /* of its record in the memory */
    unsigned                      held:1;
} ngx_webrtc_reorder_slot_t;


/* private except for the counters */
typedef struct {
    ngx_webrtc_reorder_out_pt     out;
    void                         *ctx;

    ngx_webrtc_reorder_slot_t    *slots;     /* by seq modulo window */
    uint32_t                      window;

    u_char                       *mem;       /* a ring of records */
    uint32_t                      size;
    uint32_t                      head;      /* offset of the next record */
    uint32_t                      tail;      /* of the oldest one held */
    uint32_t                      used;      /* bytes between */

    uint32_t                      held;      /* packets */
    uint32_t                      skipped;   /* given up, not yet reported */
    uint64_t                      next;      /* the one that passes at once */
    uint64_t                      highest;   /* newest seen */
    uint64_t                      again;     /* a start anew is expected here */
    uint64_t                      hold_us;
    unsigned                      started:1;

    uint64_t                      passed;
    uint64_t                      reordered; /* filled a gap */
    uint64_t                      duplicates; /* of those held */
    uint64_t                      late;      /* passed or given up before */
    uint64_t                      lost;      /* given up */
    uint64_t                      resets;    /* jumps of the numbers */
} ngx_webrtc_reorder_t;


/* bytes that ngx_webrtc_reorder_init() needs for a window and payloads */

#define ngx_webrtc_reorder_size(window, mem)                                  \
    ((window) * sizeof(ngx_webrtc_reorder_slot_t) + (mem))


/*
 *   mem, size   memory owned by the caller, aligned as by malloc().  The
 *               slots take window * sizeof(ngx_webrtc_reorder_slot_t) of it,
 *               payloads the rest
 *   window      packets, a power of two
 *
 * NGX_OK
 * NGX_DECLINED  window 0 or no power of two, or too little memory for one
 *               payload
 */

ngx_int_t ngx_webrtc_reorder_init(ngx_webrtc_reorder_t *r, void *mem,
    size_t size, ngx_uint_t window, ngx_webrtc_reorder_out_pt out, void *ctx);

/* us to wait for a gap, from now on; 0: not at all */

void ngx_webrtc_reorder_hold(ngx_webrtc_reorder_t *r, uint64_t hold_us);

/*
 * Unwraps a sequence number as received, for this stream: for input(), and for
 * statistics and NACK, which use the same.  Changes nothing.  The first
 * packet's number becomes 2^16 + seq.
 */

uint64_t ngx_webrtc_reorder_seq(const ngx_webrtc_reorder_t *r, uint16_t seq);

/*
 * Takes one packet and passes on what is in order now: none, this one, or
 * this one and others.
 *
 *   pkt   `lost' is ignored; seq from ngx_webrtc_reorder_seq()
 *
 * A number a window or more ahead gives up what is missing before that window.
 * A jump of more than NGX_WEBRTC_REORDER_JUMP restarts the stream there: ahead
 * at once, back with the second consecutive packet; it is reported as one lost
 * packet.
 *
 * NGX_OK        passed on
 * NGX_AGAIN     held
 * NGX_DECLINED  duplicate, too late or too large: dropped
 */

ngx_int_t ngx_webrtc_reorder_input(ngx_webrtc_reorder_t *r,
    const ngx_webrtc_reorder_packet_t *pkt, uint64_t now_us);

/*
 * Gives up gaps that have been held for long enough.
 *
 * Returns when to call it next, or 0: nothing is held.
 */

uint64_t ngx_webrtc_reorder_timeout(ngx_webrtc_reorder_t *r, uint64_t now_us);

/*
 * Missing packets up to and including `seq' will not come (NACK has given up):
 * what is held behind them is passed on.
 */

void ngx_webrtc_reorder_give_up(ngx_webrtc_reorder_t *r, uint64_t seq,
    uint64_t now_us);

/*
 * Another stream replaces this one (its SSRC has changed): what is held is
 * passed on, gaps are given up, and the next packet is the first again,
 * whatever its number.  Something may be missing before it, but no loss is
 * reported.
 */

void ngx_webrtc_reorder_renew(ngx_webrtc_reorder_t *r);

/*
 * Whether a number is within a window of the newest.  A retransmission that is
 * not belongs to another stream, or is of no use.  Before the first packet:
 * always.
 */

ngx_uint_t ngx_webrtc_reorder_near(const ngx_webrtc_reorder_t *r,
    uint64_t seq);


#endif /* _NGX_WEBRTC_REORDER_H_INCLUDED_ */
