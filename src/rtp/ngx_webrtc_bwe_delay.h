
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Is a queue growing on the path?  Packets that were sent together are a
 * group; what the time between the arrivals of two groups exceeds the time
 * between their sending adds up to the delay that a queue causes.  A line is
 * fitted to the last of these sums, and its slope compared with a threshold
 * that adapts to other traffic; draft-ietf-rmcat-gcc-02, 5.1 to 5.4, with
 * libwebrtc's trendline instead of the Kalman filter.
 *
 * Sans-I/O, plain memory.
 */


#ifndef _NGX_WEBRTC_BWE_DELAY_H_INCLUDED_
#define _NGX_WEBRTC_BWE_DELAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* groups that the line is fitted to; libwebrtc */
#define NGX_WEBRTC_BWE_DELAY_GROUPS   20


typedef enum {
    NGX_WEBRTC_BWE_NORMAL = 0,
    NGX_WEBRTC_BWE_OVERUSE,       /* a queue grows */
    NGX_WEBRTC_BWE_UNDERUSE       /* one is being emptied */
} ngx_webrtc_bwe_usage_e;


/* times in us */
typedef struct {
    int64_t                  first;       /* sent */
    int64_t                  sent;        /* last of it */
    int64_t                  came;        /* likewise, the receiver's clock */
    unsigned                 known:1;
} ngx_webrtc_bwe_group_t;


/* private except for usage */
typedef struct {
    ngx_webrtc_bwe_usage_e   usage;

    ngx_webrtc_bwe_group_t   now;
    ngx_webrtc_bwe_group_t   before;

    ngx_uint_t               n;           /* groups so far */
    double                   sum;         /* of differences, ms */
    double                   smooth;
    double                   base;        /* first arrival, ms */
    double                   x[NGX_WEBRTC_BWE_DELAY_GROUPS];
    double                   y[NGX_WEBRTC_BWE_DELAY_GROUPS];

    double                   trend;
    double                   threshold;   /* ms */
    double                   over;        /* ms above it, < 0: not */
    ngx_uint_t               overs;       /* groups in a row */
    int64_t                  updated;     /* of the threshold; 0: never */
} ngx_webrtc_bwe_delay_t;


void ngx_webrtc_bwe_delay_init(ngx_webrtc_bwe_delay_t *d);

/*
 * A packet has arrived.  In the order of sending.
 *
 *   sent   us, of our clock
 *   came   us, of the receiver's; only differences count
 */
void ngx_webrtc_bwe_delay_input(ngx_webrtc_bwe_delay_t *d, int64_t sent,
    int64_t came);


#endif /* _NGX_WEBRTC_BWE_DELAY_H_INCLUDED_ */
