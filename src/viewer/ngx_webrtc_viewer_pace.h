
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Pacing of viewers ("webrtc_pacing"): how much one gets at once.  A larger
 * frame goes out over a few milliseconds, by a timer per stream and worker.
 */


#ifndef _NGX_WEBRTC_VIEWER_PACE_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_PACE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/* ms after which viewers that were held back resume; chosen */
#define NGX_WEBRTC_VIEWER_PACE  2


/*
 *   rate    bytes per second, at least 1000; 0: no limit
 *   burst   bytes at once, at least one packet
 */
void ngx_webrtc_viewer_pace_init(ngx_webrtc_viewer_pace_t *pace, uint32_t rate,
    uint32_t burst);

/*
 * The budget is short of n bytes: refills it for the time elapsed.
 *
 * NGX_DECLINED  it is enough now, n bytes are taken
 * NGX_OK        the viewer is held back until a timer resumes it
 */
ngx_int_t ngx_webrtc_viewer_pace_fill(ngx_webrtc_session_t *s, size_t n);

/* The viewer leaves.  May be called twice. */
void ngx_webrtc_viewer_pace_stop(ngx_webrtc_viewer_pace_t *pace);

/*
 * Sets up pacing of a stream in a worker, and ends it.
 *
 *   send   resumes a viewer that was held back
 */
void ngx_webrtc_viewer_pace_stream(ngx_webrtc_viewer_stream_t *vs,
    ngx_int_t (*send)(ngx_webrtc_session_t *s));
void ngx_webrtc_viewer_pace_stream_done(ngx_webrtc_viewer_stream_t *vs);


/* Takes n bytes from the budget; results of ngx_webrtc_viewer_pace_fill(). */
#define ngx_webrtc_viewer_pace_take(s, pace, n)                               \
    (((n) <= (pace)->budget)                                                  \
     ? ((pace)->budget -= (uint32_t) (n), NGX_DECLINED)                       \
     : ngx_webrtc_viewer_pace_fill(s, n))

/* Gives back n bytes that were taken and not sent. */
#define ngx_webrtc_viewer_pace_give(pace, n)                                  \
    ((pace)->budget += (uint32_t) (n))


#endif /* _NGX_WEBRTC_VIEWER_PACE_H_INCLUDED_ */
