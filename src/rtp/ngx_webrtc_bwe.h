
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Estimate of a path's bandwidth by its sender, from transport-wide feedback:
 * how the delay between packets changes, how many of them are lost, and how
 * many bytes arrive; draft-ietf-rmcat-gcc-02 with the trendline of libwebrtc.
 * Without such feedback, from receiver reports and REMB.
 *
 * A sender that sends less than the path carries learns little about it: a
 * probe (a burst at a given rate) tells whether more would fit.
 *
 *   ngx_webrtc_bwe.c          numbers of packets, what arrived, probes, the
 *                             estimate
 *   ngx_webrtc_bwe_delay.c    is a queue growing?
 *   ngx_webrtc_bwe_rate.c     what follows from that, and from loss
 *
 * Sans-I/O, plain memory.  Rates are in bits per second, times in us of a
 * monotonic clock; sizes are those of datagrams.
 */


#ifndef _NGX_WEBRTC_BWE_H_INCLUDED_
#define _NGX_WEBRTC_BWE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_webrtc_rtcp_fb_read.h>
#include <ngx_webrtc_bwe_delay.h>
#include <ngx_webrtc_bwe_rate.h>


/*
 * Packets whose feedback is awaited, a power of two; chosen: one second of
 * 5 Mbit/s, or the half of 10
 */
#define NGX_WEBRTC_BWE_SENT        512

/* us of the window of what arrived; as libwebrtc once it has started */
#define NGX_WEBRTC_BWE_WINDOW      500000
#define NGX_WEBRTC_BWE_PARTS       10

/* least packets and us of a probe; libwebrtc: 5 and 15 ms */
#define NGX_WEBRTC_BWE_PROBE_MIN   5
#define NGX_WEBRTC_BWE_PROBE_US    15000

/* us after which a probe whose feedback does not come has failed */
#define NGX_WEBRTC_BWE_PROBE_WAIT  1000000


/*
 *   min, max   of the estimate
 *   start      the estimate before anything is known
 */
typedef struct {
    uint32_t                 min;
    uint32_t                 max;
    uint32_t                 start;
} ngx_webrtc_bwe_conf_t;


/* a packet that was sent; private */
typedef struct {
    uint32_t                 sent;        /* us, low 32 bits */
    uint16_t                 size;        /* 0: none, or feedback has come */
    uint16_t                 probe;       /* number of its probe, or 0 */
} ngx_webrtc_bwe_sent_t;


/* the probe under way, or the last one; private */
typedef struct {
    uint16_t                 id;          /* 0: none so far */
    uint16_t                 packets;     /* sent */
    uint16_t                 arrived;
    unsigned                 open:1;      /* packets are still to be sent */
    unsigned                 waits:1;     /* for feedback */
    unsigned                 burst:1;     /* ngx_webrtc_bwe_burst() */
    uint32_t                 rate;        /* aim */
    uint64_t                 begin_us;
    uint64_t                 due_us;      /* next packet */
    uint64_t                 last;        /* number of the last one */

    uint64_t                 bytes;       /* that arrived; those of the first */
    uint32_t                 first_size;  /* and last packet count once only */
    uint32_t                 last_size;
    int64_t                  sent_first;
    int64_t                  sent_last;
    int64_t                  came_first;
    int64_t                  came_last;
    int64_t                  gap;         /* of a burst, the longest pause */
    uint32_t                 gap_size;    /* and what came after it */
} ngx_webrtc_bwe_probe_t;


/* private except for the counters */
typedef struct {
    ngx_webrtc_bwe_conf_t    conf;
    ngx_webrtc_bwe_delay_t   delay;
    ngx_webrtc_bwe_rate_t    rate;
    ngx_webrtc_bwe_probe_t   probe;

    uint64_t                 next;        /* number of the next packet */
    uint64_t                 first_us;    /* the first one was sent */
    uint64_t                 acked;       /* newest one with feedback, + 1 */
    uint32_t                 rtt_us;      /* 0: unknown */
    uint32_t                 least;       /* rtt of this half of the window */
    uint32_t                 least_before;    /* and of the one before; 0:
                                             unknown */
    uint64_t                 least_us;    /* when this half began */
    uint32_t                 remb;        /* the receiver's own estimate; 0:
                                             none */
    uint64_t                 feedback_us; /* when one came last; 0: never */

    /* what arrived, by parts of the window, of the receiver's clock */
    int64_t                  came;        /* newest arrival, us */
    int64_t                  part;        /* number of the newest part */
    int64_t                  begin;       /* of the first arrival */
    uint32_t                 parts[NGX_WEBRTC_BWE_PARTS];
    uint32_t                 sum;
    unsigned                 started:1;   /* something arrived */
    unsigned                 drain:1;     /* a queue is to be emptied */

    /* of loss, since it was last looked at */
    uint32_t                 seen;
    uint32_t                 lost;
    uint64_t                 loss_us;

    /* counters */
    uint64_t                 packets;
    uint64_t                 packets_lost;
    uint64_t                 probes;

    ngx_webrtc_bwe_sent_t    sent[NGX_WEBRTC_BWE_SENT];
} ngx_webrtc_bwe_t;


/* conf: copied; min <= start <= max, min not 0 */
void ngx_webrtc_bwe_init(ngx_webrtc_bwe_t *bwe,
    const ngx_webrtc_bwe_conf_t *conf);

/*
 * A packet is being sent.  While a probe is under way it is one of that.
 *
 *   size    of the datagram, at most 65535
 *
 * Returns the number for its header extension.
 */
uint16_t ngx_webrtc_bwe_sent(ngx_webrtc_bwe_t *bwe, size_t size,
    uint64_t now_us);

/*
 * Transport-wide feedback came.
 *
 * NGX_OK
 * NGX_DECLINED  malformed: nothing has changed
 */
ngx_int_t ngx_webrtc_bwe_feedback(ngx_webrtc_bwe_t *bwe,
    const ngx_webrtc_rtcp_twcc_t *twcc, uint64_t now_us);

/*
 * A receiver report came.  Its loss counts only while there is no transport-
 * wide feedback, its round trip always.
 *
 *   fraction   of 256, lost since the report before
 *   rtt_us     0: unknown
 */
void ngx_webrtc_bwe_report(ngx_webrtc_bwe_t *bwe, ngx_uint_t fraction,
    uint32_t rtt_us, uint64_t now_us);

/* REMB came: an upper limit, as long as there is no transport-wide feedback. */
void ngx_webrtc_bwe_remb(ngx_webrtc_bwe_t *bwe, uint64_t bitrate,
    uint64_t now_us);

/* The estimate. */
uint32_t ngx_webrtc_bwe_estimate(const ngx_webrtc_bwe_t *bwe);

/* What arrives, by the last half second of feedback; 0: unknown. */
uint32_t ngx_webrtc_bwe_arrived(const ngx_webrtc_bwe_t *bwe);

/*
 * Begins a probe: a burst of NGX_WEBRTC_BWE_PROBE_MIN packets or more in
 * NGX_WEBRTC_BWE_PROBE_US, at the given rate, with all that is sent meanwhile:
 * it shares the path.  Refused while one is under way,
 * while a queue is growing, or before any feedback.
 *
 * NGX_OK; NGX_DECLINED
 */
ngx_int_t ngx_webrtc_bwe_probe(ngx_webrtc_bwe_t *bwe, uint32_t rate,
    uint64_t now_us);

/*
 * Before anything is sent: the first packets that are sent together, those of a
 * key frame, are a probe, too, which adds nothing.  So a path that is narrow is
 * known with their feedback; that there is more they do not show.  Another
 * probe takes its place.
 */
void ngx_webrtc_bwe_burst(ngx_webrtc_bwe_t *bwe);

/*
 * When the next packet of a probe is due; now or earlier: send one of any
 * size and say so with ngx_webrtc_bwe_sent().  0: there is none.
 */
uint64_t ngx_webrtc_bwe_probe_due(const ngx_webrtc_bwe_t *bwe);


/* Is a probe being sent, or its feedback awaited? */
ngx_uint_t ngx_webrtc_bwe_probing(const ngx_webrtc_bwe_t *bwe,
    uint64_t now_us);


#endif /* _NGX_WEBRTC_BWE_H_INCLUDED_ */
