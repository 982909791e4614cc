
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * How many earlier packets of sound each packet should repeat (RFC 2198), by
 * the loss that a receiver reports.  It is worth its bytes only on a path that
 * loses packets, so that is where it begins, and it ends when the path has been
 * good for a while.
 *
 * Pure: time is passed in, in ms of a monotonic clock.
 */


#ifndef _NGX_WEBRTC_REPEAT_H_INCLUDED_
#define _NGX_WEBRTC_REPEAT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* packets repeated at most; chosen: 20 % of loss leaves 1 % */
#define NGX_WEBRTC_REPEAT_MOST  2


/* private except for n; all zero at first */
typedef struct {
    uint64_t     calm_ms;        /* there is little loss, since; 0: there is */
    uint16_t     loss;           /* mean, of 256, times 16 */
    uint8_t      n;              /* packets to be repeated */
} ngx_webrtc_repeat_t;


/*
 * A report has come.
 *
 *   fraction   of 256, lost since the report before
 *
 * Returns n.
 */
ngx_uint_t ngx_webrtc_repeat(ngx_webrtc_repeat_t *r, ngx_uint_t fraction,
    uint64_t now_ms);


#endif /* _NGX_WEBRTC_REPEAT_H_INCLUDED_ */
