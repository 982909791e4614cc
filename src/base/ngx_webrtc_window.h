
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Bytes of the last moments: a sum over a window that moves by parts, of which
 * the newest has not ended.  Pure arithmetic, time is passed in.
 */


#ifndef _NGX_WEBRTC_WINDOW_H_INCLUDED_
#define _NGX_WEBRTC_WINDOW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* parts that a window may have */
#define NGX_WEBRTC_WINDOW_PARTS  20


/* all zero: empty, its newest part is number 0 */
typedef struct {
    uint64_t     part;               /* number of the newest: time / length */
    uint64_t     sum;                /* of all */
    uint32_t     parts[NGX_WEBRTC_WINDOW_PARTS];
} ngx_webrtc_window_t;


/*
 * Drops the parts that have left it.
 *
 *   n      of the window, NGX_WEBRTC_WINDOW_PARTS at most, always the same
 *   part   number of the present one; one that has passed changes nothing
 *
 * Returns the bytes of the newest.
 */
static ngx_inline uint32_t *
ngx_webrtc_window_advance(ngx_webrtc_window_t *w, ngx_uint_t n, uint64_t part)
{
    uint32_t    *bytes;
    ngx_uint_t   i;

    for (i = 0; i < n && w->part < part; i++) {
        w->part++;

        bytes = &w->parts[w->part % n];

        w->sum -= *bytes;
        *bytes = 0;
    }

    /* all have been dropped, if there is more to pass over */

    w->part = ngx_max(w->part, part);

    return &w->parts[w->part % n];
}


/* Bytes that have come in the present part; n and part as above. */
static ngx_inline void
ngx_webrtc_window_add(ngx_webrtc_window_t *w, ngx_uint_t n, uint64_t part,
    size_t bytes)
{
    *ngx_webrtc_window_advance(w, n, part) += (uint32_t) bytes;
    w->sum += bytes;
}


#endif /* _NGX_WEBRTC_WINDOW_H_INCLUDED_ */
