
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Has the path of somebody who sends to us suddenly become too narrow?
 *
 * A sender is told when its packets come (transport-wide feedback), and finds
 * out by itself what its path carries, but in steps: libwebrtc takes 0.5 to 1 s
 * until it sends no more than that, and what it has sent meanwhile is in a
 * queue, or lost.  Here it shows at once: packets take longer than the fastest
 * ones lately, come one after the other, and are far less than before.  Then
 * what comes is what the path carries, and may be told (REMB).
 *
 *   - A pause in the air, or of a machine, makes packets late, too: then they
 *     come in a burst, of more than before.  So does a picture that is paced.
 *   - A sender's clock that steps makes all packets late at once, by more than
 *     the time that has passed between two of them.
 *   - Who finds out what its path carries, as all do when they begin, makes a
 *     queue again and again, but gets as much as before, or more.
 *   - What narrows by little, or slowly, is left to the sender: that loses
 *     nothing.
 *
 * It may send somewhat less than comes until the queue is gone, and for a while
 * after that; then it knows by itself.
 *
 * Sans-I/O, plain memory.
 */


#ifndef _NGX_WEBRTC_OVERUSE_H_INCLUDED_
#define _NGX_WEBRTC_OVERUSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_webrtc_bitrate.h>
#include <ngx_webrtc_nack.h>


/* us that a packet takes longer than the fastest ones: below the first there is
 * no queue, from the second on there is.  Chosen: pacers; less than queues that
 * drop */
#define NGX_WEBRTC_OVERUSE_CLEAR    50000
#define NGX_WEBRTC_OVERUSE_QUEUE    100000

/* us by which it may have grown by more than the time since the packet before.
 * Chosen: large pictures are paced for as long, sound beside them is not */
#define NGX_WEBRTC_OVERUSE_STEP     150000

/* us without a packet that are a pause; chosen: three packets of sound */
#define NGX_WEBRTC_OVERUSE_PAUSE    60000

/* us of what comes that are measured at once; percent of the bitrate before the
 * queue that it is at most; and us from then on in which that has to be seen.
 * Chosen: a dozen packets of 700 kbit/s; more than encoders vary by; a queue
 * that has been there for longer has another reason */
#define NGX_WEBRTC_OVERUSE_MEASURE  150000
#define NGX_WEBRTC_OVERUSE_LESS     66
#define NGX_WEBRTC_OVERUSE_SUDDEN   1000000

/* percent of what comes that may be sent: while there is a queue, for so many
 * us at most; and then, for so many us.  Chosen: who has a congestion window
 * waits until the queue is gone, whatever it is told, and lower layers go on
 * with that */
#define NGX_WEBRTC_OVERUSE_DRAIN    85
#define NGX_WEBRTC_OVERUSE_DRAINS   1000000
#define NGX_WEBRTC_OVERUSE_HOLD     90
#define NGX_WEBRTC_OVERUSE_HOLDS    1500000


/* private except for the first group; all zero at first */
typedef struct {
    uint64_t     rate;           /* bits per second that the path carries; 0: it
                                    is wide enough, or its sender knows */
    uint64_t     before;         /* bits per second before the queue */

    uint64_t     last_us;        /* last packet; 0: none */
    uint64_t     seen_us;        /* last one of which it is known, */
    uint64_t     queue_us;       /* how long it waited */
    uint64_t     queued_us;      /* when the queue began; 0: there is none */
    uint64_t     since_us;       /* when `bytes' began to be counted */
    uint64_t     bytes;
    uint64_t     found_us;       /* when `rate' was first found */
    uint64_t     clear_us;       /* when the queue was gone; 0: it is not */
    unsigned     again:1;        /* `rate' has been measured twice */
    unsigned     stepped:1;      /* it is no queue, but another clock */
} ngx_webrtc_overuse_t;


/*
 * A datagram of the sender has come, ngx_webrtc_bitrate_input() knows it.
 *
 *   br        of this sender
 *   n         bytes
 *   queue_us  by how much it took longer than the fastest ones lately, or
 *             NGX_WEBRTC_NACK_UNKNOWN
 *
 * NGX_OK    the path has been found to carry o->rate, or less than was known
 * NGX_DONE  nothing has changed
 */
ngx_int_t ngx_webrtc_overuse_input(ngx_webrtc_overuse_t *o,
    ngx_webrtc_bitrate_t *br, size_t n, uint64_t queue_us, uint64_t now_us);

/* Bits per second that may be sent now; 0: what the sender thinks best. */
uint64_t ngx_webrtc_overuse_limit(ngx_webrtc_overuse_t *o, uint64_t now_us);

/* Is there a queue that has to become empty? */
ngx_uint_t ngx_webrtc_overuse_drains(const ngx_webrtc_overuse_t *o,
    uint64_t now_us);


#endif /* _NGX_WEBRTC_OVERUSE_H_INCLUDED_ */
