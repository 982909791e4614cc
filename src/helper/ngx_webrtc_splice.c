
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Steps of a source's clock: see ngx_webrtc_splice.h.
 *
 * Why this is not left to the timeline, which comes after the transcoder:
 * transcoded audio is counted in samples, and a step back would be taken for
 * surplus samples.
 *
 * How a step is told from network effects.  Decoding times never go back.
 * They advance with the wall clock, or more slowly: what was delayed comes
 * later, and then in a burst.  A frame that is far from the previous one and
 * also earlier, by its time, than any frame of the last seconds can only have
 * another clock.
 *
 * Where a track continues.  One frame after the last: the arrival time says
 * less, as it has jitter, and a jitter of one frame would stay for good.
 * Only after a pause is the arrival time all there is.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_splice.h"


/* 90 kHz; largest distance of two regular frames; chosen */
#define NGX_WEBRTC_SPLICE_STEP_MAX  90000

/* 90 kHz; for a track with one frame so far; chosen: 30 per second */
#define NGX_WEBRTC_SPLICE_STEP      3000


static void ngx_webrtc_splice_first(ngx_webrtc_splice_t *sp,
    ngx_webrtc_splice_track_t *tr, int64_t dts);
static ngx_uint_t ngx_webrtc_splice_stepped(const ngx_webrtc_splice_t *sp,
    ngx_webrtc_splice_track_t *tr, int64_t t, ngx_uint_t exact,
    int64_t now_us);
static ngx_uint_t ngx_webrtc_splice_ahead(const ngx_webrtc_splice_t *sp,
    ngx_webrtc_splice_track_t *tr, int64_t t, int64_t now_us);
static ngx_uint_t ngx_webrtc_splice_leapt(const ngx_webrtc_splice_t *sp,
    const ngx_webrtc_splice_track_t *tr, int64_t leap, int64_t now_us);
static ngx_uint_t ngx_webrtc_splice_fits(const ngx_webrtc_splice_t *sp,
    const ngx_webrtc_splice_track_t *tr, int64_t dts, ngx_uint_t stepped,
    int64_t now_us);
static int64_t ngx_webrtc_splice_distance(const ngx_webrtc_splice_track_t *tr,
    int64_t t, int64_t now_us);
static int64_t ngx_webrtc_splice_passed(const ngx_webrtc_splice_track_t *tr,
    int64_t now_us);
static void ngx_webrtc_splice_step(ngx_webrtc_splice_t *sp,
    ngx_webrtc_splice_track_t *tr, int64_t dts, int64_t now_us);
static void ngx_webrtc_splice_took(ngx_webrtc_splice_track_t *tr, int64_t t,
    ngx_uint_t exact, int64_t duration, int64_t now_us);
static int64_t ngx_webrtc_splice_abs(int64_t v);


int64_t
ngx_webrtc_splice(ngx_webrtc_splice_t *sp, ngx_uint_t i, int64_t dts,
    ngx_uint_t exact, int64_t duration, int64_t now_us)
{
    ngx_uint_t                  stepped;
    ngx_webrtc_splice_track_t  *tr;

    tr = &sp->tracks[i];

    if (!tr->set) {
        ngx_webrtc_splice_first(sp, tr, dts);

    } else {
        stepped = ngx_webrtc_splice_stepped(sp, tr, dts + tr->shift, exact,
                                            now_us);

        if (ngx_webrtc_splice_fits(sp, tr, dts, stepped, now_us)) {
            tr->shift = sp->shift;
            tr->behind = 0;

        } else if (stepped) {
            ngx_webrtc_splice_step(sp, tr, dts, now_us);
        }
    }

    ngx_webrtc_splice_took(tr, dts + tr->shift, exact, duration, now_us);

    return tr->shift;
}


static void
ngx_webrtc_splice_first(ngx_webrtc_splice_t *sp, ngx_webrtc_splice_track_t *tr,
    int64_t dts)
{
    ngx_uint_t                  i;
    ngx_webrtc_splice_track_t  *other;

    tr->set = 1;
    tr->shift = sp->shift;
    tr->last = INT64_MIN;
    tr->newest = INT64_MIN;
    tr->step = NGX_WEBRTC_SPLICE_STEP;
    tr->behind = 0;
    tr->leap = 0;
    tr->window_us = 0;
    tr->best = INT64_MIN;
    tr->before = INT64_MIN;

    for (i = 0; i < NGX_WEBRTC_SPLICE_TRACKS; i++) {
        other = &sp->tracks[i];

        if (other == tr || !other->set
            || ngx_webrtc_splice_abs(dts + tr->shift - other->last)
               <= NGX_WEBRTC_SPLICE_JOIN)
        {
            continue;
        }

        /*
         * They have nothing to do with each other, or the other one began
         * with a frame that is stale and will step to where this one is.
         */

        tr->shift = other->last - dts;
        sp->shift = tr->shift;
    }
}


static ngx_uint_t
ngx_webrtc_splice_stepped(const ngx_webrtc_splice_t *sp,
    ngx_webrtc_splice_track_t *tr, int64_t t, ngx_uint_t exact, int64_t now_us)
{
    if (exact) {
        if (t < tr->last - NGX_WEBRTC_SPLICE_BACK) {
            return 1;
        }

    } else if (t < tr->newest - NGX_WEBRTC_SPLICE_REORDER
               || (t < tr->newest
                   && tr->behind >= NGX_WEBRTC_SPLICE_REORDER_FRAMES))
    {
        return 1;
    }

    return ngx_webrtc_splice_ahead(sp, tr, t, now_us);
}


static ngx_uint_t
ngx_webrtc_splice_ahead(const ngx_webrtc_splice_t *sp,
    ngx_webrtc_splice_track_t *tr, int64_t t, int64_t now_us)
{
    int64_t  leap, most;

    leap = t - tr->last - ngx_max(ngx_webrtc_splice_passed(tr, now_us),
                                  tr->step);
    most = now_us ? NGX_WEBRTC_SPLICE_AHEAD : NGX_WEBRTC_SPLICE_PAUSE;

    if (leap <= most / 4) {
        return 0;
    }

    if (leap <= most
        || (now_us && t - now_us * 9 / 100 <= ngx_max(tr->best, tr->before)
                                              + NGX_WEBRTC_SPLICE_AHEAD)
        || ngx_webrtc_splice_leapt(sp, tr, leap, now_us))
    {
        tr->leap = leap;
        tr->leapt_us = now_us;
        return 0;
    }

    return 1;
}


/*
 * Did the other track just meet the same step, too short there to count as
 * one?  Then it does not count here either.
 */

static ngx_uint_t
ngx_webrtc_splice_leapt(const ngx_webrtc_splice_t *sp,
    const ngx_webrtc_splice_track_t *tr, int64_t leap, int64_t now_us)
{
    ngx_uint_t                        i;
    const ngx_webrtc_splice_track_t  *other;

    for (i = 0; i < NGX_WEBRTC_SPLICE_TRACKS; i++) {
        other = &sp->tracks[i];

        if (other != tr
            && other->leap > leap / 2 && other->leap < leap * 2
            && now_us - other->leapt_us < NGX_WEBRTC_SPLICE_WINDOW)
        {
            return 1;
        }
    }

    return 0;
}


/*
 * Does the shift of the last step, which the other track has taken, make this
 * frame follow the previous one?  For a track that has not stepped, that has
 * to be clear: the shift may be small, and frames differ in length.
 */

static ngx_uint_t
ngx_webrtc_splice_fits(const ngx_webrtc_splice_t *sp,
    const ngx_webrtc_splice_track_t *tr, int64_t dts, ngx_uint_t stepped,
    int64_t now_us)
{
    int64_t  own, common, step;

    step = ngx_webrtc_splice_abs(sp->shift - tr->shift);

    if (step == 0) {
        return 0;
    }

    own = ngx_webrtc_splice_distance(tr, dts + tr->shift, now_us);
    common = ngx_webrtc_splice_distance(tr, dts + sp->shift, now_us);

    if (stepped) {
        return common < own / 2 && common < NGX_WEBRTC_SPLICE_JOIN;
    }

    return step > NGX_WEBRTC_SPLICE_BACK
           && common < step / 4 && common < NGX_WEBRTC_SPLICE_JOIN
           && own > step - step / 4;
}


/* how far a time is from where the track's next frame is expected */

static int64_t
ngx_webrtc_splice_distance(const ngx_webrtc_splice_track_t *tr, int64_t t,
    int64_t now_us)
{
    int64_t  next, arrived;

    next = ngx_webrtc_splice_abs(t - tr->last - tr->step);

    if (now_us == 0) {
        return next;
    }

    arrived = ngx_webrtc_splice_abs(t - tr->last
                                    - ngx_webrtc_splice_passed(tr, now_us));

    return ngx_min(next, arrived);
}


/* wall clock since the last frame, 90 kHz */

static int64_t
ngx_webrtc_splice_passed(const ngx_webrtc_splice_track_t *tr, int64_t now_us)
{
    return (now_us > tr->came_us) ? (now_us - tr->came_us) * 9 / 100 : 0;
}


static void
ngx_webrtc_splice_step(ngx_webrtc_splice_t *sp, ngx_webrtc_splice_track_t *tr,
    int64_t dts, int64_t now_us)
{
    int64_t  passed, next;

    next = tr->newest + tr->step;

    if (now_us) {
        passed = ngx_webrtc_splice_passed(tr, now_us);

        if (passed > tr->step + NGX_WEBRTC_SPLICE_LATE) {
            next = ngx_max(next, tr->last + passed);
        }
    }

    tr->shift = next - dts;
    tr->behind = 0;

    sp->shift = tr->shift;
    sp->steps++;
}


static void
ngx_webrtc_splice_took(ngx_webrtc_splice_track_t *tr, int64_t t,
    ngx_uint_t exact, int64_t duration, int64_t now_us)
{
    int64_t  lead;

    if (duration > 0 && duration <= NGX_WEBRTC_SPLICE_STEP_MAX) {
        tr->step = duration;

    } else if (tr->last != INT64_MIN
               && t > tr->last
               && t - tr->last <= NGX_WEBRTC_SPLICE_STEP_MAX)
    {
        tr->step = t - tr->last;
    }

    if (t > tr->newest) {
        tr->newest = t;
        tr->behind = 0;

    } else {
        tr->behind++;
    }

    if (exact || t == tr->newest) {
        tr->last = t;
        tr->came_us = now_us;
    }

    if (now_us == 0) {
        return;
    }

    if (now_us - tr->window_us >= NGX_WEBRTC_SPLICE_WINDOW
        || now_us < tr->window_us)
    {
        tr->window_us = now_us;
        tr->before = tr->best;
        tr->best = INT64_MIN;
    }

    lead = t - now_us * 9 / 100;

    tr->best = ngx_max(tr->best, lead);
}


static int64_t
ngx_webrtc_splice_abs(int64_t v)
{
    return (v < 0) ? -v : v;
}
