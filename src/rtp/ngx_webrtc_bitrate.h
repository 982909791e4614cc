
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * A publisher's bitrate: how much it sends, the limit announced to it (REMB),
 * and when it has been above that limit for too long.  One per session.
 *
 * With a limit, REMB announces it, even alongside transport-wide feedback,
 * which cannot.  If REMB is the only feedback, it also follows the loss: the
 * loss-based part of draft-ietf-rmcat-gcc-02, 6.  Either may be cut for a
 * while: the path carries less (ngx_webrtc_overuse.h).
 *
 * Sans-I/O, plain memory.
 */


#ifndef _NGX_WEBRTC_BITRATE_H_INCLUDED_
#define _NGX_WEBRTC_BITRATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_webrtc_window.h>


/* us, and number of parts: the window of the bitrate */
#define NGX_WEBRTC_BITRATE_WINDOW   1000000
#define NGX_WEBRTC_BITRATE_PARTS    20

/* percent above the limit that are tolerated; chosen: headers,
 * retransmissions, key frames */
#define NGX_WEBRTC_BITRATE_SLACK    15

/* us above the limit before the session ends; chosen: encoders adapt in 2 s */
#define NGX_WEBRTC_BITRATE_GRACE    10000000

/* us between REMBs while the value has not changed much; as libwebrtc */
#define NGX_WEBRTC_BITRATE_REMB     1000000

/* REMBs that take back a cut where there is nothing else to tell: each may be
 * lost */
#define NGX_WEBRTC_BITRATE_FREE     3

/* bits per second: REMB without a limit: initial and maximum, and minimum */
#define NGX_WEBRTC_BITRATE_MAX      100000000
#define NGX_WEBRTC_BITRATE_MIN      64000


/* private except for the first group */
typedef struct {
    uint64_t     bytes;           /* in all */
    uint64_t     max;             /* webrtc_max_bitrate, 0: none */

    uint64_t     estimate;        /* bits per second, by loss */
    uint64_t     over_us;         /* since when above the limit, 0: not */
    uint64_t     told;            /* last REMB, 0: none */
    uint64_t     told_us;
    uint64_t     told_bytes;      /* what had come by then */
    uint64_t     cut;             /* bits per second, 0: not */
    ngx_uint_t   free;            /* REMBs that take that back, to come */

    uint64_t     start_us;        /* of the first packet */
    ngx_webrtc_window_t  window;
    unsigned     remb:1;
    unsigned     adaptive:1;
    unsigned     started:1;
} ngx_webrtc_bitrate_t;


/*
 *   max        bits per second, 0: no limit
 *   remb       not zero: REMB was negotiated
 *   adaptive   not zero: also follow the loss, as there is no transport-wide
 *              feedback
 */

void ngx_webrtc_bitrate_init(ngx_webrtc_bitrate_t *br, uint64_t max,
    ngx_uint_t remb, ngx_uint_t adaptive);

/* a datagram of n bytes came, of any SSRC */

void ngx_webrtc_bitrate_input(ngx_webrtc_bitrate_t *br, size_t n,
    uint64_t now_us);

/* bits per second over the last second */

uint64_t ngx_webrtc_bitrate_now(ngx_webrtc_bitrate_t *br, uint64_t now_us);

/*
 * To be called for each receiver report made.
 *
 *   fraction   lost, of 256: the worst of the session's tracks
 */

void ngx_webrtc_bitrate_loss(ngx_webrtc_bitrate_t *br, ngx_uint_t fraction,
    uint64_t now_us);

/*
 * To be called regularly, such as for each RTCP report.
 *
 * NGX_OK        below the limit
 * NGX_AGAIN     above it
 * NGX_DECLINED  above it for NGX_WEBRTC_BITRATE_GRACE: end the session
 */

ngx_int_t ngx_webrtc_bitrate_check(ngx_webrtc_bitrate_t *br, uint64_t now_us);

/*
 * Not more than so many bits per second are told from now on; 0: that has
 * ended.
 */

void ngx_webrtc_bitrate_cut(ngx_webrtc_bitrate_t *br, uint64_t rate);

/*
 * The value for a REMB that is due now: every second, or at once when it drops
 * by more than 3 percent.
 *
 * Returns bits per second, or 0: none is due, or REMB was not negotiated.
 */

uint64_t ngx_webrtc_bitrate_remb(ngx_webrtc_bitrate_t *br, uint64_t now_us);


#endif /* _NGX_WEBRTC_BITRATE_H_INCLUDED_ */
