
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which of a stream's layers a viewer gets: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_ladder.h>


/*
 * Percent of what a step takes below which the estimate means less at once,
 * soon, and later: an estimator backs off to 85 % of what arrives whenever a
 * queue begins to grow.  And how soon and late, in ms.  Where all that is less
 * is no moving picture any more, "at once" is soon, and the others take a while
 * longer
 */
#define NGX_WEBRTC_LADDER_FAR      50
#define NGX_WEBRTC_LADDER_LOW      80
#define NGX_WEBRTC_LADDER_LOW_MS   500
#define NGX_WEBRTC_LADDER_SHORT    97
#define NGX_WEBRTC_LADDER_SHORT_MS 2500
#define NGX_WEBRTC_LADDER_LAST     3
#define NGX_WEBRTC_LADDER_NEW_MS   1500

/* ms between two probes of whether it is so, and percent of what is sent */
#define NGX_WEBRTC_LADDER_CHECK    1000
#define NGX_WEBRTC_LADDER_CHECKED  110

/* percent of a step's rate that a step up needs, for how long, in ms, and that
 * it is probed with; chosen: an encoder's key frames, and audio */
#define NGX_WEBRTC_LADDER_ROOM     115
#define NGX_WEBRTC_LADDER_ROOM_MS  400
#define NGX_WEBRTC_LADDER_PROBE    130

/* probes that have to agree before a step up, and ms from one to what it has
 * shown; chosen: packets that waited and came together are few, twice in a row
 * fewer; a round trip, and what receivers wait */
#define NGX_WEBRTC_LADDER_SURE     2
#define NGX_WEBRTC_LADDER_AGAIN    200

/* without probes: percent of what is sent beyond which an estimate does not
 * grow; draft-ietf-rmcat-gcc-02, 5.5: 150 */
#define NGX_WEBRTC_LADDER_TRIAL    135

/* ms that packets wait: too much is sent; no step up beyond; chosen: what
 * players hide, and a frame or two */
#define NGX_WEBRTC_LADDER_LAG      600
#define NGX_WEBRTC_LADDER_LAG_UP   150

/* the same where what comes at the moment is more than the estimate, too */
#define NGX_WEBRTC_LADDER_LAG_MORE 250

/* the same behind a step up, whose key frame goes first: to go back needs one
 * more, and a pause twice as long */
#define NGX_WEBRTC_LADDER_LAG_NEW  1200

/* ms after which what is sent is that of the step: of ngx_webrtc_rate_t; and of
 * a burst at its start */
#define NGX_WEBRTC_LADDER_SENT     5500
#define NGX_WEBRTC_LADDER_SETTLED  2000

/* percent of what a step takes that is sent behind a step up, and bits per
 * second at least; chosen: if the estimate was wrong, its key frame does not
 * fill a queue, and comes hardly later */
#define NGX_WEBRTC_LADDER_FIRST    150
#define NGX_WEBRTC_LADDER_LEAST    100000

/* ms before a step up, at first, after a mistake, and at most, and for which
 * one has to last not to be a mistake; chosen */
#define NGX_WEBRTC_LADDER_HOLD     2500
#define NGX_WEBRTC_LADDER_HOLD_BAD 8000
#define NGX_WEBRTC_LADDER_HOLD_MAX 60000
#define NGX_WEBRTC_LADDER_MISTAKE  10000

/* ms between probes, at first and at most; chosen: 15 ms of the next step's
 * rate in 5 s are nothing, and a path that has recovered is used again in 10 */
#define NGX_WEBRTC_LADDER_PAUSE     1500
#define NGX_WEBRTC_LADDER_PAUSE_MAX 5000


#define ngx_webrtc_ladder_part(rate, percent)                                 \
    ((uint32_t) ((uint64_t) (rate) * (percent) / 100))


static uint32_t ngx_webrtc_ladder_takes(const ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in, uint64_t now_ms);
static ngx_uint_t ngx_webrtc_ladder_too_much(ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in, uint32_t takes, uint64_t now_ms,
    uint32_t *probe);
static ngx_uint_t ngx_webrtc_ladder_grown(ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in, uint64_t now_ms, uint32_t *probe);
static void ngx_webrtc_ladder_down(ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in, uint64_t now_ms);
static ngx_uint_t ngx_webrtc_ladder_lowest(const ngx_webrtc_ladder_in_t *in);
static void ngx_webrtc_ladder_up(ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in, uint64_t now_ms, uint32_t *probe);
static void ngx_webrtc_ladder_climb(ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in, ngx_uint_t best, uint64_t now_ms,
    uint32_t *probe);
static ngx_uint_t ngx_webrtc_ladder_next(const ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in);
static ngx_uint_t ngx_webrtc_ladder_best(const ngx_webrtc_ladder_in_t *in,
    ngx_uint_t step);
static uint32_t ngx_webrtc_ladder_more(const ngx_webrtc_ladder_in_t *in,
    ngx_uint_t step);
static ngx_uint_t ngx_webrtc_ladder_room(const ngx_webrtc_ladder_in_t *in,
    ngx_uint_t next);
static void ngx_webrtc_ladder_step(ngx_webrtc_ladder_t *l, ngx_uint_t step,
    uint64_t now_ms);


void
ngx_webrtc_ladder_init(ngx_webrtc_ladder_t *l, ngx_uint_t step, uint64_t now_ms)
{
    ngx_memzero(l, sizeof(ngx_webrtc_ladder_t));

    l->step = step;
    l->changed_ms = now_ms;
    l->probed_ms = now_ms;
    l->hold_ms = NGX_WEBRTC_LADDER_HOLD;
    l->pause_ms = NGX_WEBRTC_LADDER_PAUSE;
}


ngx_uint_t
ngx_webrtc_ladder(ngx_webrtc_ladder_t *l, const ngx_webrtc_ladder_in_t *in,
    uint64_t now_ms, uint32_t *probe)
{
    *probe = 0;

    if (l->step >= in->steps
        || in->rates[l->step] == NGX_WEBRTC_LADDER_NONE)
    {
        /* it is not there any more */

        ngx_webrtc_ladder_down(l, in, now_ms);
        return l->step;
    }

    if (in->busy) {
        l->changed_ms = now_ms;
        return l->step;
    }

    if (ngx_webrtc_ladder_too_much(l, in,
                                   ngx_webrtc_ladder_takes(l, in, now_ms),
                                   now_ms, probe))
    {
        ngx_webrtc_ladder_down(l, in, now_ms);
        return l->step;
    }

    ngx_webrtc_ladder_up(l, in, now_ms, probe);

    return l->step;
}


void
ngx_webrtc_ladder_not_probed(ngx_webrtc_ladder_t *l)
{
    l->probed_ms -= l->pause_ms;
    l->checked_ms = 0;
    l->sure -= (l->sure != 0);
}


uint32_t
ngx_webrtc_ladder_pace(const ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in, uint32_t rate, uint64_t now_ms)
{
    uint32_t  most;

    if (l->up_ms == 0 || l->step < NGX_WEBRTC_LADDER_LAYER || in->busy
        || now_ms - l->changed_ms >= NGX_WEBRTC_LADDER_SETTLED
        || in->rates[l->step] == NGX_WEBRTC_LADDER_NONE)
    {
        return rate;
    }

    most = ngx_webrtc_ladder_part(in->rates[l->step], NGX_WEBRTC_LADDER_FIRST);

    return ngx_min(rate, ngx_max(most, NGX_WEBRTC_LADDER_LEAST));
}


/* What the present step takes of the path.  0: nothing, or not known. */

static uint32_t
ngx_webrtc_ladder_takes(const ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in, uint64_t now_ms)
{
    uint32_t  rate, after_ms;

    rate = in->rates[l->step];

    /* behind a step up it is what was sent before, less: without probes that
     * counts, as an estimate grows no further than it */

    after_ms = (l->up_ms && in->probes) ? NGX_WEBRTC_LADDER_SENT
                                        : NGX_WEBRTC_LADDER_SETTLED;

    if (in->sent && now_ms - l->changed_ms >= after_ms) {
        rate = ngx_min(rate, in->sent);
    }

    return rate;
}


static ngx_uint_t
ngx_webrtc_ladder_too_much(ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in, uint32_t takes, uint64_t now_ms,
    uint32_t *probe)
{
    uint32_t    after_ms, lag_ms;
    ngx_uint_t  far, last;

    if (l->step == NGX_WEBRTC_LADDER_AUDIO) {
        return 0;
    }

    far = (in->estimate < ngx_webrtc_ladder_part(takes,
                                                 NGX_WEBRTC_LADDER_FAR));
    last = (l->step <= ngx_webrtc_ladder_lowest(in));

    lag_ms = (l->up_ms && now_ms - l->changed_ms < NGX_WEBRTC_LADDER_SETTLED)
             ? NGX_WEBRTC_LADDER_LAG_NEW : NGX_WEBRTC_LADDER_LAG;

    if (in->lag_ms >= lag_ms || (far && !last)) {
        return 1;
    }

    if (!last && lag_ms == NGX_WEBRTC_LADDER_LAG
        && ngx_webrtc_ladder_grown(l, in, now_ms, probe))
    {
        return 1;
    }

    if (in->estimate >= ngx_webrtc_ladder_part(takes, NGX_WEBRTC_LADDER_SHORT))
    {
        l->below_ms = 0;
        return 0;
    }

    if (l->below_ms == 0) {
        l->below_ms = now_ms;
    }

    if (in->probes
        && (l->checked_ms == 0
            || now_ms - l->checked_ms >= NGX_WEBRTC_LADDER_CHECK))
    {
        l->checked_ms = now_ms;
        *probe = ngx_webrtc_ladder_part(takes, NGX_WEBRTC_LADDER_CHECKED);
    }

    after_ms = (in->estimate < ngx_webrtc_ladder_part(takes,
                                                      NGX_WEBRTC_LADDER_LOW))
               ? NGX_WEBRTC_LADDER_LOW_MS : NGX_WEBRTC_LADDER_SHORT_MS;

    if (last && !far) {
        after_ms *= NGX_WEBRTC_LADDER_LAST;

    } else if (l->up_ms && now_ms - l->changed_ms < NGX_WEBRTC_LADDER_SETTLED) {

        /* an estimator takes the key frame for a queue that grows, and goes by
         * what arrived before it */

        after_ms = ngx_max(after_ms, NGX_WEBRTC_LADDER_NEW_MS);
    }

    return now_ms - l->below_ms >= after_ms;
}


/*
 * Packets wait, and more comes at the moment than the estimate: is that so?  A
 * queue that grows in the path says so, too, or else a probe that has not shown
 * that there is room.
 */

static ngx_uint_t
ngx_webrtc_ladder_grown(ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in, uint64_t now_ms, uint32_t *probe)
{
    if (in->lag_ms < NGX_WEBRTC_LADDER_LAG_MORE || !in->fresh
        || in->estimate >= ngx_webrtc_ladder_part(in->comes,
                                                  NGX_WEBRTC_LADDER_LOW))
    {
        return 0;
    }

    if (!in->probes || in->grows
        || in->estimate < ngx_webrtc_ladder_part(in->comes,
                                                 NGX_WEBRTC_LADDER_FAR))
    {
        return 1;
    }

    if (l->checked_ms == 0
        || now_ms - l->checked_ms >= NGX_WEBRTC_LADDER_CHECK)
    {
        l->checked_ms = now_ms;
        *probe = ngx_webrtc_ladder_part(in->comes, NGX_WEBRTC_LADDER_CHECKED);
    }

    return !in->probing && *probe == 0;
}


/* to the best step that fits */

static void
ngx_webrtc_ladder_down(ngx_webrtc_ladder_t *l, const ngx_webrtc_ladder_in_t *in,
    uint64_t now_ms)
{
    ngx_uint_t  i, least;

    /* below the lowest layer it goes from there, as that takes longer to be
     * decided: an estimate that falls behind a burst is too low at first */

    least = ngx_webrtc_ladder_lowest(in);

    if (l->step <= least) {
        least = 0;
    }

    for (i = ngx_min(l->step, in->steps); i > least; /* void */ ) {
        i--;

        if (in->rates[i] <= in->estimate) {
            break;
        }
    }

    if (i == l->step) {
        return;
    }

    if (l->up_ms && now_ms - l->up_ms < NGX_WEBRTC_LADDER_MISTAKE) {
        l->hold_ms = ngx_max(l->hold_ms * 2, NGX_WEBRTC_LADDER_HOLD_BAD);
        l->hold_ms = ngx_min(l->hold_ms, NGX_WEBRTC_LADDER_HOLD_MAX);
    }

    l->up_ms = 0;
    l->pause_ms = NGX_WEBRTC_LADDER_PAUSE;
    l->probed_ms = now_ms;

    ngx_webrtc_ladder_step(l, i, now_ms);
}


/* The lowest layer that there is; 0: none. */

static ngx_uint_t
ngx_webrtc_ladder_lowest(const ngx_webrtc_ladder_in_t *in)
{
    ngx_uint_t  i;

    for (i = NGX_WEBRTC_LADDER_LAYER; i < in->steps; i++) {
        if (in->rates[i] != NGX_WEBRTC_LADDER_NONE) {
            return i;
        }
    }

    return 0;
}


static void
ngx_webrtc_ladder_up(ngx_webrtc_ladder_t *l, const ngx_webrtc_ladder_in_t *in,
    uint64_t now_ms, uint32_t *probe)
{
    ngx_uint_t  next;

    next = ngx_webrtc_ladder_next(l, in);

    if (l->up_ms && now_ms - l->up_ms >= NGX_WEBRTC_LADDER_MISTAKE) {

        /* it was right */

        l->up_ms = 0;
        l->hold_ms = NGX_WEBRTC_LADDER_HOLD;
    }

    if (next == 0 || !in->fresh || in->lag_ms > NGX_WEBRTC_LADDER_LAG_UP
        || l->below_ms)
    {
        l->room_ms = 0;
        return;
    }

    /* without probes, and without anything that arrives, an estimate stays as
     * it is for ever */

    if (ngx_webrtc_ladder_room(in, next)
        || (l->step == NGX_WEBRTC_LADDER_AUDIO && !in->probes && !in->sent))
    {
        ngx_webrtc_ladder_climb(l, in, ngx_webrtc_ladder_best(in, next),
                                now_ms, probe);
        return;
    }

    l->room_ms = 0;

    if (!in->probes
        || now_ms - l->probed_ms < l->pause_ms
        || now_ms - l->changed_ms < l->hold_ms)
    {
        return;
    }

    l->probed_ms = now_ms;
    l->pause_ms = ngx_min(l->pause_ms * 3 / 2, NGX_WEBRTC_LADDER_PAUSE_MAX);

    *probe = ngx_webrtc_ladder_part(in->rates[next], NGX_WEBRTC_LADDER_PROBE);
}


/*
 * There is room for a step up, by the estimate, which may have grown without
 * having been tried, or by a probe that was wrong: others have to agree.
 */

static void
ngx_webrtc_ladder_climb(ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in, ngx_uint_t best, uint64_t now_ms,
    uint32_t *probe)
{
    ngx_uint_t  sure;

    if (l->room_ms == 0) {
        l->room_ms = now_ms;
        l->found = 0;
        l->sure = 0;
    }

    if (best > l->found) {

        /* a probe that has found more is one that agrees */

        l->sure = (l->found != 0);
        l->found = best;
        l->probed_ms = l->sure ? l->probed_ms : 0;
    }

    if (now_ms - l->changed_ms < l->hold_ms || in->probing) {
        return;
    }

    sure = (in->probes && best >= NGX_WEBRTC_LADDER_LAYER)
           ? NGX_WEBRTC_LADDER_SURE : 0;

    if (l->sure < sure) {

        if (now_ms - l->probed_ms >= NGX_WEBRTC_LADDER_AGAIN) {
            l->sure++;
            l->probed_ms = now_ms;
            *probe = ngx_webrtc_ladder_more(in, best);
        }

        return;
    }

    if (now_ms - l->room_ms >= NGX_WEBRTC_LADDER_ROOM_MS
        && (sure == 0 || now_ms - l->probed_ms >= NGX_WEBRTC_LADDER_AGAIN))
    {
        l->up_ms = now_ms;
        l->pause_ms = NGX_WEBRTC_LADDER_PAUSE;
        l->probed_ms = now_ms;

        ngx_webrtc_ladder_step(l, best, now_ms);
    }
}


/*
 * The next step that there is, 0: none.  Below the lowest layer, that layer: it
 * is what is worth a try; or, if there is no room for it, the best that has.
 */

static ngx_uint_t
ngx_webrtc_ladder_next(const ngx_webrtc_ladder_t *l,
    const ngx_webrtc_ladder_in_t *in)
{
    ngx_uint_t  i, first;

    for (i = l->step + 1; i < in->steps; i++) {
        if (in->rates[i] != NGX_WEBRTC_LADDER_NONE
            && i >= NGX_WEBRTC_LADDER_LAYER)
        {
            break;
        }
    }

    first = (i < in->steps) ? i : 0;

    if (l->step + 1 >= NGX_WEBRTC_LADDER_LAYER) {
        return first;
    }

    for (i = NGX_WEBRTC_LADDER_LAYER - 1; i > l->step; i--) {
        if (in->rates[i] != NGX_WEBRTC_LADDER_NONE
            && ngx_webrtc_ladder_room(in, i)
            && !(first && ngx_webrtc_ladder_room(in, first)))
        {
            return i;
        }
    }

    return first;
}


/* The best layer that there is room for, at least this step. */

static ngx_uint_t
ngx_webrtc_ladder_best(const ngx_webrtc_ladder_in_t *in, ngx_uint_t step)
{
    ngx_uint_t  i;

    if (step < NGX_WEBRTC_LADDER_LAYER) {
        return step;
    }

    for (i = step + 1; i < in->steps; i++) {
        if (in->rates[i] != NGX_WEBRTC_LADDER_NONE
            && in->estimate >= ngx_webrtc_ladder_part(in->rates[i],
                                                      NGX_WEBRTC_LADDER_ROOM))
        {
            step = i;
        }
    }

    return step;
}


/*
 * What tells whether there is room for more than this step, and whether there
 * is for it: one probe may be wrong.  0: nothing.
 */

static uint32_t
ngx_webrtc_ladder_more(const ngx_webrtc_ladder_in_t *in, ngx_uint_t step)
{
    ngx_uint_t  i;

    if (!in->probes || step < NGX_WEBRTC_LADDER_LAYER) {
        return 0;
    }

    for (i = step + 1; i < in->steps; i++) {
        if (in->rates[i] != NGX_WEBRTC_LADDER_NONE) {
            step = i;
            break;
        }
    }

    return ngx_webrtc_ladder_part(in->rates[step], NGX_WEBRTC_LADDER_PROBE);
}


static ngx_uint_t
ngx_webrtc_ladder_room(const ngx_webrtc_ladder_in_t *in, ngx_uint_t next)
{
    uint32_t  room;

    room = ngx_webrtc_ladder_part(in->rates[next], NGX_WEBRTC_LADDER_ROOM);

    if (in->estimate >= room) {
        return 1;
    }

    return !in->probes && in->sent
           && in->estimate >= ngx_webrtc_ladder_part(in->sent,
                                                     NGX_WEBRTC_LADDER_TRIAL);
}


static void
ngx_webrtc_ladder_step(ngx_webrtc_ladder_t *l, ngx_uint_t step, uint64_t now_ms)
{
    l->step = step;
    l->changed_ms = now_ms;
    l->below_ms = 0;
    l->room_ms = 0;
}
