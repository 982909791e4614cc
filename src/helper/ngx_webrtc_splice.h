
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Turns the timestamps of a source that steps into one unbroken clock: a
 * camera sets its clock, an encoder restarts, a server starts to count
 * differently.  The result is a shift, to be added to all timestamps of a
 * track from then on.
 *
 * Pure: time is passed in.
 */


#ifndef _NGX_WEBRTC_SPLICE_H_INCLUDED_
#define _NGX_WEBRTC_SPLICE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WEBRTC_SPLICE_TRACKS  2

/* units per second of all timestamps */
#define NGX_WEBRTC_SPLICE_CLOCK   90000

/*
 * Decoding times only grow; going back by more than this is a step.  Chosen:
 * above the rounding and jitter of encoders, and what lip sync can bear
 */
#define NGX_WEBRTC_SPLICE_BACK    (50 * 90)

/*
 * If only presentation times are known, reordered frames are not a step: they
 * may go this far back, and be this many in a row.  Chosen: 16 frames are the
 * most of H.264 and H.265, A.3.1 and A.4.1
 */
#define NGX_WEBRTC_SPLICE_REORDER        (1000 * 90)
#define NGX_WEBRTC_SPLICE_REORDER_FRAMES 16

/*
 * A step ahead is this far beyond what both the last frame and the earliest
 * of the last seconds predict: frames lost on the way, and a burst after a
 * stall, are not steps.  Chosen: above the jitter of the least delayed
 * packets
 */
#define NGX_WEBRTC_SPLICE_AHEAD   (400 * 90)

/*
 * the same if arrival times say nothing; chosen: above the picture distance
 * of streams with few pictures, as somebody waits until they are due
 */
#define NGX_WEBRTC_SPLICE_PAUSE   (10 * 90000)

/*
 * beyond this, tracks are unrelated; chosen: the longest segments of HLS,
 * which may have all of one track before the other
 */
#define NGX_WEBRTC_SPLICE_JOIN    (20 * 90000)

/*
 * a frame at a step may be this late; beyond it there was a pause; chosen:
 * jitter of a network
 */
#define NGX_WEBRTC_SPLICE_LATE    (200 * 90)

/* us, window in which the least delayed frame is looked for; chosen */
#define NGX_WEBRTC_SPLICE_WINDOW  10000000


typedef struct {
    int64_t      shift;
    int64_t      last;            /* decoding time of the last frame, shifted */
    int64_t      newest;          /* latest one */
    int64_t      step;            /* to the one that follows */
    int64_t      came_us;
    int64_t      window_us;       /* begin of the window; greatest last less */
    int64_t      best;            /* arrival in it, and in the one before */
    int64_t      before;
    int64_t      leap;            /* the last one that was no step, and when */
    int64_t      leapt_us;
    ngx_uint_t   behind;          /* frames in a row that are not the newest */
    unsigned     set:1;
} ngx_webrtc_splice_track_t;


/* Plain data; all zero initially. */
typedef struct {
    ngx_webrtc_splice_track_t  tracks[NGX_WEBRTC_SPLICE_TRACKS];
    int64_t                    shift;       /* of the last step */
    uint32_t                   steps;
} ngx_webrtc_splice_t;


/*
 * The next frame of a track, in the order of the source.
 *
 *   i          track, < NGX_WEBRTC_SPLICE_TRACKS
 *   dts        decoding time, 90 kHz, unwrapped; within +-2^61
 *   exact      0: it is the time of presentation, and frames may be reordered
 *   duration   90 kHz, 0: unknown
 *   now_us     when it came, of any clock that is never set, > 0; 0:
 *              meaningless, as it is read from a disk
 *
 * Returns the shift of this frame, to be added to its timestamps.  The track
 * that reaches a step first continues as if nothing had happened; the other
 * one takes the same shift when it reaches the step, so that they stay in
 * sync as in the source.
 */

int64_t ngx_webrtc_splice(ngx_webrtc_splice_t *sp, ngx_uint_t i, int64_t dts,
    ngx_uint_t exact, int64_t duration, int64_t now_us);


#endif /* _NGX_WEBRTC_SPLICE_H_INCLUDED_ */
