
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Pacing of viewers ("webrtc_pacing"): how much one gets at once.  A frame that
 * is larger goes out over a few milliseconds, of which a timer per stream and
 * worker sees to.
 */


#ifndef _NGX_WEBRTC_VIEWER_PACE_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_PACE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/* ms after which viewers that were held back go on; chosen */
#define NGX_WEBRTC_VIEWER_PACE  2


/*
 *   rate    bytes per second, at least 1000; 0: no limit
 *   burst   bytes at once, at least those of a packet
 */
void ngx_webrtc_viewer_pace_init(ngx_webrtc_viewer_pace_t *pace, uint32_t rate,
    uint32_t burst);

/*
 * The budget does not do for n bytes: fills it by what time has brought.
 *
 * NGX_DECLINED  it does now, n bytes are taken
 * NGX_OK        the viewer is held back until a timer goes on with it
 */
ngx_int_t ngx_webrtc_viewer_pace_fill(ngx_webrtc_session_t *s, size_t n);

/* The viewer leaves.  May be called twice. */
void ngx_webrtc_viewer_pace_stop(ngx_webrtc_viewer_pace_t *pace);

/*
 * Makes what a stream needs in a worker, and ends it.
 *
 *   send   goes on with a viewer that was held back
 */
void ngx_webrtc_viewer_pace_stream(ngx_webrtc_viewer_stream_t *vs,
    ngx_int_t (*send)(ngx_webrtc_session_t *s));
void ngx_webrtc_viewer_pace_stream_done(ngx_webrtc_viewer_stream_t *vs);


/* Takes n bytes of what may be sent now: as ngx_webrtc_viewer_pace_fill(). */
#define ngx_webrtc_viewer_pace_take(s, pace, n)                               \
    (((n) <= (pace)->budget)                                                  \
     ? ((pace)->budget -= (uint32_t) (n), NGX_DECLINED)                       \
     : ngx_webrtc_viewer_pace_fill(s, n))

/* Gives back n bytes that were taken and not sent. */
#define ngx_webrtc_viewer_pace_give(pace, n)                                  \
    ((pace)->budget += (uint32_t) (n))


#endif /* _NGX_WEBRTC_VIEWER_PACE_H_INCLUDED_ */
