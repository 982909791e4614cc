
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Which of a stream's layers a viewer gets, by the bandwidth of its path.
 * Steps, from the least to the best:
 *
 *   AUDIO    audio only
 *   KEYS     and key frames of the lowest layer
 *   THIN     and all its frames that others refer to
 *   LAYER    a layer as it is, from here on by bitrate
 *
 * Down it goes soon, to the best step that fits, but not below the lowest layer
 * at once; at once where packets wait, or if far too much is sent.  Otherwise a
 * probe has the last word: an estimator backs off from any burst, and after a
 * key frame or on a busy machine the path may be as good as it was.
 *
 * Up it goes when the estimate has enough room for the next step, which only a
 * probe can tell as long as no more than the present one is sent; then whether
 * there is for the one above is probed too, and so on, and it goes to the best
 * at once.  Two probes have to agree: an estimate also grows without having
 * been tried, and one probe may be wrong.  A step up that was a mistake makes
 * the next attempt wait for twice as long, and a while at least.  Behind a step
 * up no more is sent than ngx_webrtc_ladder_pace(), as its key frame is first.
 * Without probes, the lowest layer is tried from sound alone, where nothing
 * arrives that an estimate could grow by, with the same waits.
 *
 * Pure: time is passed in, in ms of a monotonic clock; rates in bits per
 * second.
 */


#ifndef _NGX_WEBRTC_LADDER_H_INCLUDED_
#define _NGX_WEBRTC_LADDER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WEBRTC_LADDER_AUDIO   0
#define NGX_WEBRTC_LADDER_KEYS    1
#define NGX_WEBRTC_LADDER_THIN    2
#define NGX_WEBRTC_LADDER_LAYER   3

/* layers at most: 16 renditions, the stream itself, and parts of some of them;
 * chosen */
#define NGX_WEBRTC_LADDER_LAYERS  32
#define NGX_WEBRTC_LADDER_STEPS   (NGX_WEBRTC_LADDER_LAYER                    \
                                   + NGX_WEBRTC_LADDER_LAYERS)

/* a step that cannot be taken */
#define NGX_WEBRTC_LADDER_NONE    0xffffffff


/*
 *   estimate   of the path
 *   sent       what the present step has taken lately; 0: not known, or
 *              nothing
 *   lag_ms     how long what is sent next has been waiting
 *   comes      what the present step's layer takes at the moment, which need
 *              not be its rate: it has begun, or a picture begins to move; 0:
 *              not known, or its key frame came just now
 *   steps      number of rates, more than NGX_WEBRTC_LADDER_LAYER
 *   rates      of each step, ascending; LADDER_NONE: there is no such step now
 *   busy       a step has been taken, and is on its way
 *   fresh      the viewer has reported lately
 *   probes     it can be probed
 *   probing    one is under way
 *   grows      a queue does, in the path, by the estimator: it cannot be probed
 */
typedef struct {
    uint32_t     estimate;
    uint32_t     sent;
    uint32_t     lag_ms;
    uint32_t     comes;
    ngx_uint_t   steps;
    uint32_t     rates[NGX_WEBRTC_LADDER_STEPS];
    unsigned     busy:1;
    unsigned     fresh:1;
    unsigned     probes:1;
    unsigned     probing:1;
    unsigned     grows:1;
} ngx_webrtc_ladder_in_t;


/* private except for step */
typedef struct {
    ngx_uint_t   step;
    uint64_t     changed_ms;     /* the step, or its arrival */
    uint64_t     below_ms;       /* the estimate is below what it takes, since;
                                    0: it is not */
    uint64_t     checked_ms;     /* that was probed last; 0: never */
    uint64_t     room_ms;        /* it has room for the next one, since */
    ngx_uint_t   found;          /* the best one that it has room for */
    ngx_uint_t   sure;           /* probes that have not denied it */
    uint64_t     up_ms;          /* the last step up; 0: none */
    uint64_t     probed_ms;
    uint32_t     hold_ms;        /* until the next step up */
    uint32_t     pause_ms;       /* until the next probe */
} ngx_webrtc_ladder_t;


/*
 *   step   that it begins with
 */
void ngx_webrtc_ladder_init(ngx_webrtc_ladder_t *l, ngx_uint_t step,
    uint64_t now_ms);

/*
 * Decides; call it a few times a second, and whenever the estimate changes.
 *
 *   probe   out: bits per second that the path should be probed with; 0: not
 *           now
 *
 * Returns the step, which is l->step from now on.
 */
ngx_uint_t ngx_webrtc_ladder(ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in, uint64_t now_ms, uint32_t *probe);

/*
 * What may be sent, in bits per second, at this rate or less, which follows the
 * estimate: behind a step up no more than its key frame needs.
 */
uint32_t ngx_webrtc_ladder_pace(const ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in, uint32_t rate, uint64_t now_ms);

/* The probe was not begun: it is asked for again. */
void ngx_webrtc_ladder_not_probed(ngx_webrtc_ladder_t *l);


#endif /* _NGX_WEBRTC_LADDER_H_INCLUDED_ */
