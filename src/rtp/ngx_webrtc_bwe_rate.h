
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * The rate that follows from what is known of a path: additive increase near
 * the rate that last filled it, multiplicative elsewhere, and a decrease to a
 * part of what arrives when a queue grows, draft-ietf-rmcat-gcc-02, 5.5; a
 * decrease by loss, 6.  Loss that does not become less when less is sent is
 * not caused by us, and no reason to send less; unless there is so much of it
 * that a queue must be full, which is not seen in delays: they do not change.
 *
 * Sans-I/O, plain memory.  Rates in bits per second, times in us.
 */


#ifndef _NGX_WEBRTC_BWE_RATE_H_INCLUDED_
#define _NGX_WEBRTC_BWE_RATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_webrtc_bwe_delay.h>


typedef enum {
    NGX_WEBRTC_BWE_INCREASE = 0,
    NGX_WEBRTC_BWE_HOLD,
    NGX_WEBRTC_BWE_DECREASE
} ngx_webrtc_bwe_state_e;


/* private */
typedef struct {
    uint32_t                 min;
    uint32_t                 max;
    ngx_webrtc_bwe_state_e   state;

    double                   delay;       /* by delay */
    double                   loss;        /* by loss; max: no limit */
    uint64_t                 updated;     /* 0: never */
    uint64_t                 decreased;   /* by delay; 0: never */
    uint64_t                 loss_decreased;
    double                   before;      /* loss before it; 0: none */
    double                   inherent;    /* loss that is not caused by us */

    /* what arrived when the path was full, and the variance of that, relative
     * to it; 0: unknown */
    double                   link;
    double                   variance;

    double                   unprobed;    /* "delay" before the last probes */
    uint64_t                 probed;      /* time of these; 0: none, or long
                                             ago */
} ngx_webrtc_bwe_rate_t;


void ngx_webrtc_bwe_rate_init(ngx_webrtc_bwe_rate_t *r, uint32_t min,
    uint32_t max, uint32_t start);

/*
 * After feedback.
 *
 *   arrived   rate of what arrives, 0: unknown
 *   lately    the same of the last moments
 *   rtt       us, 0: unknown
 */
void ngx_webrtc_bwe_rate_delay(ngx_webrtc_bwe_rate_t *r,
    ngx_webrtc_bwe_usage_e usage, uint32_t arrived, uint32_t lately,
    uint32_t rtt, uint64_t now);

/* A probe has shown that the path carries the rate, or how much it does. */
void ngx_webrtc_bwe_rate_probed(ngx_webrtc_bwe_rate_t *r, uint32_t rate,
    uint64_t now);

/*
 * A probe was more than the path carries, which is this rate.  What the
 * estimate has grown beyond that was never sent, and is taken back, down to
 * what arrives; if a probe just before it has shown more, no more than that has
 * added: packets that wait somewhere and then come together look like a path
 * that is wider than it is, while nothing makes it look much narrower.
 */
void ngx_webrtc_bwe_rate_full(ngx_webrtc_bwe_rate_t *r, uint32_t rate,
    uint32_t arrived, uint64_t now);

/*
 * Loss of about a second.
 *
 *   loss      0 to 1
 *   n         packets that it is the share of, not 0
 *   arrived   rate of what arrives, 0: unknown
 */
void ngx_webrtc_bwe_rate_loss(ngx_webrtc_bwe_rate_t *r, double loss,
    ngx_uint_t n, uint32_t arrived, uint32_t rtt, uint64_t now);

uint32_t ngx_webrtc_bwe_rate(const ngx_webrtc_bwe_rate_t *r);


#endif /* _NGX_WEBRTC_BWE_RATE_H_INCLUDED_ */
