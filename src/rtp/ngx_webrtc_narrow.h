
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Is the path of a receiver too narrow for what it is sent?  By its reports
 * alone (RFC 3550, 6.4.2), for those whose bandwidth nobody estimates: it costs
 * nothing as long as all is well.
 *
 * A path that is full loses packets, and what it does not lose waits in its
 * queue.  So it is too narrow if round trips have grown and packets are lost;
 * or, where there is hardly a queue or it was full before anything was known of
 * it, if more is lost than a radio or a long path loses by itself (10 % and
 * less, whose receivers must not get less for it), by more than chance.  Two
 * seconds in a row have to be so: one key frame that a queue does not hold is
 * no reason.  Receivers report once a second, or with each request, too.
 *
 * Pure, plain memory: time is passed in, in ms of a monotonic clock.
 */


#ifndef _NGX_WEBRTC_NARROW_H_INCLUDED_
#define _NGX_WEBRTC_NARROW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* seconds in a row that have to agree */
#define NGX_WEBRTC_NARROW_SURE  2


/* private except for the first group; all zero at first */
typedef struct {
    uint16_t     fraction;       /* of 256, lost in the last second */

    uint8_t      bad;            /* seconds in a row */
    unsigned     reported:1;     /* there was a report */
    unsigned     queued:1;       /* round trips have grown */
    uint32_t     least_us;       /* one without a queue; 0: unknown */
    uint32_t     highest;        /* of the last report */
    uint64_t     since_ms;       /* of this second: its beginning */
    uint32_t     packets;
    uint32_t     lost;           /* of these, times 256 */
} ngx_webrtc_narrow_t;


/*
 * A report has come.
 *
 *   fraction   of 256 packets, lost since the report before
 *   highest    extended sequence number, from the report
 *   rtt_us     0: it does not say
 *
 * If it ends a second that was one of a path that is too narrow, returns how
 * many there were in a row, at most NGX_WEBRTC_NARROW_SURE; otherwise 0.
 */
ngx_uint_t ngx_webrtc_narrow(ngx_webrtc_narrow_t *n, ngx_uint_t fraction,
    uint32_t highest, uint32_t rtt_us, uint64_t now_ms);


#endif /* _NGX_WEBRTC_NARROW_H_INCLUDED_ */
