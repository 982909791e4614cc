
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * What one layer of a publisher may take, and whether it is left out as it
 * takes more.  One per layer.
 *
 *   1. A bitrate is the mean of WINDOW us, in parts that have ended: key
 *      frames, and what an encoder needs to obey, are no reason.  Nothing is
 *      decided before there was that much.
 *
 *   2. Out it goes above ABOVE percent of its limit, and in again below WITHIN,
 *      after OUT us at least; twice as many each time that it was above again
 *      soon after it had come back, up to OUT_MOST.
 *
 *   3. The only layer that comes is never left out, as nothing would be left.
 *      It ends the publisher when it has been above for GRACE us more.
 *
 * Sans-I/O, plain memory.
 */


#ifndef _NGX_WEBRTC_LIMIT_H_INCLUDED_
#define _NGX_WEBRTC_LIMIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_webrtc_window.h>


/* us, and number of parts; chosen: a few key frames */
#define NGX_WEBRTC_LIMIT_WINDOW     5000000
#define NGX_WEBRTC_LIMIT_PARTS      10

/* percent of the limit; the first as NGX_WEBRTC_BITRATE_SLACK has it, the
 * second chosen: encoders that obey are somewhat above and below it */
#define NGX_WEBRTC_LIMIT_ABOVE      115
#define NGX_WEBRTC_LIMIT_WITHIN     105

/* us; chosen: a window, and no more than one change a minute for those who
 * never obey */
#define NGX_WEBRTC_LIMIT_OUT        5000000
#define NGX_WEBRTC_LIMIT_OUT_MOST   60000000

/* us; with the window as long as NGX_WEBRTC_BITRATE_GRACE */
#define NGX_WEBRTC_LIMIT_GRACE      5000000


typedef enum {
    NGX_WEBRTC_LIMIT_IN = 0,
    NGX_WEBRTC_LIMIT_OUT_OF,        /* it is to be left out */
    NGX_WEBRTC_LIMIT_END            /* the publisher is to be ended */
} ngx_webrtc_limit_e;


/* private except for the first group */
typedef struct {
    uint64_t     max;               /* bit/s; 0: no limit, nothing is counted */
    ngx_uint_t   out;               /* 1: it is left out */

    uint64_t     first;             /* number of the first part; 0: none */
    ngx_webrtc_window_t  window;    /* and a part that has not ended */
    uint64_t     above_us;          /* the only one: since when, or 0 */
    uint64_t     changed_us;        /* when it went out, or came back; 0:
                                       never */
    uint64_t     stays_us;          /* out, at least */
} ngx_webrtc_limit_t;


/* max: bits per second, 0: none */
void ngx_webrtc_limit_init(ngx_webrtc_limit_t *l, uint64_t max);

/* n bytes of it have come */
void ngx_webrtc_limit_input(ngx_webrtc_limit_t *l, size_t n, uint64_t now_us);

/*
 * Bits per second, the mean of the last WINDOW us; 0: there were not as many
 * yet, or nothing comes.
 */
uint64_t ngx_webrtc_limit_rate(ngx_webrtc_limit_t *l, uint64_t now_us);

/*
 * Decides; l->out is what it was until now.  To be called some times a second.
 *
 *   only   1: no other layer comes that is not left out
 */
ngx_webrtc_limit_e ngx_webrtc_limit(ngx_webrtc_limit_t *l, ngx_uint_t only,
    uint64_t now_us);


#endif /* _NGX_WEBRTC_LIMIT_H_INCLUDED_ */
