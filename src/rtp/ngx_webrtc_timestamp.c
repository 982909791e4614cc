
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Timestamps: see ngx_webrtc_timestamp.h.
 *
 * Why each track has an offset besides the common one.  At a jump (a looped
 * file, an encoder restart, a splice) the tracks do not reach the new
 * timestamps at the same moment: when video is at 0 already, some audio from
 * the end of the old pass is still to come.  With a single offset that audio
 * would look like a jump back to the old timestamps, and the offset would
 * flip back and forth.  So the track that jumps first sets the new common
 * offset and takes it; any other track keeps its own until its timestamps are
 * closer to what is expected under the new offset than under its own.  In the
 * end all have the same offset, and lip sync is preserved.
 *
 * Why the NTP line is one word.  A sender report says which RTP timestamp
 * belongs to which NTP time.  For lip sync it only matters that the same rule
 * applies to all tracks, and the rule is: media time is the monotonic clock
 * plus `line'.  It moves so slowly that reports sent seconds apart agree, and
 * being a single word it can be read without a lock while the writer runs, or
 * after it died.
 */


#include "ngx_webrtc_timestamp.h"


/* the line is updated at most this often; each step is then 5 us */
#define NGX_WEBRTC_TIMELINE_STEP_US      10000

/* seconds of a source's timestamp; chosen: 34000 years */
#define NGX_WEBRTC_TIMELINE_RANGE        ((int64_t) 1 << 40)

/* after a pause at most this much is caught up at once; chosen: 0.5 ms */
#define NGX_WEBRTC_TIMELINE_MAX_STEP_US  1000000


static int64_t ngx_webrtc_timeline_expect(ngx_webrtc_timeline_t *tl,
    ngx_webrtc_timeline_track_t *tr, int64_t now_us);
static ngx_uint_t ngx_webrtc_timeline_near(ngx_webrtc_timeline_t *tl,
    ngx_webrtc_timeline_track_t *tr, int64_t t_ms, int64_t expect_ms);
static void ngx_webrtc_timeline_join(ngx_webrtc_timeline_t *tl,
    ngx_webrtc_timeline_track_t *tr, int64_t t_ms);
static void ngx_webrtc_timeline_rebase(ngx_webrtc_timeline_t *tl,
    ngx_webrtc_timeline_track_t *tr, int64_t t_ms, int64_t expect_ms);
static ngx_uint_t ngx_webrtc_timeline_jumped(ngx_webrtc_timeline_track_t *tr,
    int64_t t_ms, int64_t expect_ms);
static void ngx_webrtc_timeline_drift(ngx_webrtc_timeline_t *tl,
    int64_t lead_us, int64_t now_us);
static int64_t ngx_webrtc_timeline_distance(int64_t a, int64_t b);
static int64_t ngx_webrtc_timeline_get_line(ngx_webrtc_timeline_t *tl);
static void ngx_webrtc_timeline_set_line(ngx_webrtc_timeline_t *tl,
    int64_t line_us);


int64_t
ngx_webrtc_ts_unwrap(ngx_webrtc_ts_unwrap_t *u, uint64_t pts, ngx_uint_t bits)
{
    uint64_t  mask, diff;

    mask = (bits < 64) ? ((uint64_t) 1 << bits) - 1 : ~(uint64_t) 0;

    if (!u->set) {
        u->set = 1;
        u->last = (int64_t) (pts & mask);

        return u->last;
    }

    /* the difference modulo 2^bits, then its sign extended: mask / 2 + 1 is
       half the range */

    diff = (pts - (uint64_t) u->last) & mask;

    if (diff > mask / 2) {
        diff |= ~mask;
    }

    u->last = (int64_t) ((uint64_t) u->last + diff);

    return u->last;
}


int64_t
ngx_webrtc_ts_scale(int64_t v, uint32_t num, uint32_t den)
{
    int64_t  q, r;

    /*
     * v = q * den + r with 0 <= r < den, so that
     * floor(v * num / den) = q * num + floor(r * num / den);
     * r * num is below 2^64
     */

    q = v / den;
    r = v % den;

    if (r < 0) {
        r += den;
        q--;
    }

    return (int64_t) ((uint64_t) q * num + (uint64_t) r * num / den);
}


void
ngx_webrtc_timeline_init(ngx_webrtc_timeline_t *tl)
{
    ngx_memzero(tl, sizeof(ngx_webrtc_timeline_t));
}


void
ngx_webrtc_timeline_start(ngx_webrtc_timeline_t *tl)
{
    ngx_uint_t  i;

    tl->running = 0;

    for (i = 0; i < NGX_WEBRTC_TIMELINE_TRACKS; i++) {
        tl->tracks[i].rate = 0;
        tl->tracks[i].joined = 0;
    }
}


ngx_int_t
ngx_webrtc_timeline_track(ngx_webrtc_timeline_t *tl, ngx_uint_t i,
    uint32_t rate, uint32_t num, uint32_t den)
{
    ngx_webrtc_timeline_track_t  *tr;

    if (i >= NGX_WEBRTC_TIMELINE_TRACKS
        || rate == 0 || rate % 1000 != 0 || num == 0 || den == 0
        || (uint64_t) rate * num > 0xffffffff
        || (uint64_t) 1000 * num > 0xffffffff)
    {
        return NGX_DECLINED;
    }

    tr = &tl->tracks[i];

    tr->rate = rate;
    tr->num = num;
    tr->den = den;
    tr->joined = 0;

    return NGX_OK;
}


int64_t
ngx_webrtc_timeline_map(ngx_webrtc_timeline_t *tl, ngx_uint_t i, int64_t t,
    int64_t now_us)
{
    int64_t                       t_ms, expect_ms, media_ms;
    ngx_webrtc_timeline_track_t  *tr;

    tr = &tl->tracks[i];

    t_ms = ngx_webrtc_ts_scale(t, 1000 * tr->num, tr->den);

    if (ngx_webrtc_timeline_distance(t / NGX_WEBRTC_TIMELINE_RANGE, 0)
        > (int64_t) (tr->den / tr->num))
    {
        /* garbage, which the code below need not handle */
        t = 0;
        t_ms = 0;
    }

    expect_ms = ngx_webrtc_timeline_expect(tl, tr, now_us);

    if (!tl->running) {
        ngx_webrtc_timeline_rebase(tl, tr, t_ms, expect_ms);
        tl->running = 1;

    } else if (!tr->joined) {

        if (ngx_webrtc_timeline_near(tl, tr, t_ms, expect_ms)) {
            ngx_webrtc_timeline_join(tl, tr, t_ms);

        } else {
            ngx_webrtc_timeline_rebase(tl, tr, t_ms, expect_ms);
            tl->jumps++;
        }

    } else {

        if (tr->offset_ms != tl->offset_ms
            && ngx_webrtc_timeline_near(tl, tr, t_ms, expect_ms)
            && ngx_webrtc_timeline_distance(t_ms + tl->offset_ms, expect_ms)
               < ngx_webrtc_timeline_distance(t_ms + tr->offset_ms, expect_ms))
        {
            ngx_webrtc_timeline_join(tl, tr, t_ms);
        }

        if (ngx_webrtc_timeline_jumped(tr, t_ms, expect_ms)) {
            ngx_webrtc_timeline_rebase(tl, tr, t_ms, expect_ms);
            tl->jumps++;
        }
    }

    media_ms = t_ms + tr->offset_ms;

    if (tr->newest_us == 0 || media_ms > tr->newest_ms) {
        tr->newest_ms = media_ms;
        tr->newest_us = now_us;
    }

    ngx_webrtc_timeline_drift(tl, media_ms * 1000 - now_us, now_us);

    /* rate * num fits: see ngx_webrtc_timeline_track() */

    return (int64_t) ((uint64_t) ngx_webrtc_ts_scale(t, tr->rate * tr->num,
                                                     tr->den)
                      + (uint64_t) tr->offset_ms * (tr->rate / 1000));
}


/*
 * The media time that a track should have at now_us if it advanced with the
 * monotonic clock, in milliseconds.
 */

static int64_t
ngx_webrtc_timeline_expect(ngx_webrtc_timeline_t *tl,
    ngx_webrtc_timeline_track_t *tr, int64_t now_us)
{
    ngx_uint_t                    i;
    ngx_webrtc_timeline_track_t  *best, *other;

    /* a track without history goes by the one that is furthest */

    best = (tr->newest_us != 0) ? tr : NULL;

    for (i = 0; tr->newest_us == 0 && i < NGX_WEBRTC_TIMELINE_TRACKS; i++) {
        other = &tl->tracks[i];

        if (other->newest_us != 0
            && (best == NULL || other->newest_ms > best->newest_ms))
        {
            best = other;
        }
    }

    if (best == NULL) {
        return now_us / 1000;
    }

    if (now_us <= best->newest_us) {
        return best->newest_ms;
    }

    return best->newest_ms + (now_us - best->newest_us) / 1000;
}


/* whether the common offset puts a packet near where it is expected */

static ngx_uint_t
ngx_webrtc_timeline_near(ngx_webrtc_timeline_t *tl,
    ngx_webrtc_timeline_track_t *tr, int64_t t_ms, int64_t expect_ms)
{
    int64_t  media_ms;

    media_ms = t_ms + tl->offset_ms;

    if (ngx_webrtc_timeline_distance(media_ms, expect_ms)
        <= NGX_WEBRTC_TIMELINE_JOIN_MS)
    {
        return 1;
    }

    return tr->newest_us != 0
           && ngx_webrtc_timeline_distance(media_ms, tr->newest_ms)
              <= NGX_WEBRTC_TIMELINE_JOIN_MS;
}


/*
 * Gives a track the common offset.  If that would move the track back, the
 * common offset is raised for all that have it.
 */

static void
ngx_webrtc_timeline_join(ngx_webrtc_timeline_t *tl,
    ngx_webrtc_timeline_track_t *tr, int64_t t_ms)
{
    int64_t     back_ms, old_ms;
    ngx_uint_t  i;

    old_ms = tl->offset_ms;

    if (tr->newest_us != 0 && t_ms + old_ms <= tr->newest_ms) {

        back_ms = tr->newest_ms + 1 - (t_ms + old_ms);

        for (i = 0; i < NGX_WEBRTC_TIMELINE_TRACKS; i++) {
            if (tl->tracks[i].joined && tl->tracks[i].offset_ms == old_ms) {
                tl->tracks[i].offset_ms += back_ms;
            }
        }

        tl->offset_ms += back_ms;
    }

    tr->offset_ms = tl->offset_ms;
    tr->joined = 1;
}


/* begins a new common offset, so that this packet is where it is expected */

static void
ngx_webrtc_timeline_rebase(ngx_webrtc_timeline_t *tl,
    ngx_webrtc_timeline_track_t *tr, int64_t t_ms, int64_t expect_ms)
{
    if (tr->newest_us != 0 && expect_ms <= tr->newest_ms) {
        expect_ms = tr->newest_ms + 1;
    }

    tl->offset_ms = expect_ms - t_ms;

    tr->offset_ms = tl->offset_ms;
    tr->joined = 1;
}


static ngx_uint_t
ngx_webrtc_timeline_jumped(ngx_webrtc_timeline_track_t *tr, int64_t t_ms,
    int64_t expect_ms)
{
    int64_t  media_ms;

    media_ms = t_ms + tr->offset_ms;

    /* expect_ms is not before newest_ms */

    return media_ms > expect_ms + NGX_WEBRTC_TIMELINE_AHEAD_MS
           || media_ms < tr->newest_ms - NGX_WEBRTC_TIMELINE_BACK_MS
           || media_ms < expect_ms - NGX_WEBRTC_TIMELINE_LAG_MS;
}


/*
 * Follows the source's clock with the NTP line.
 *
 *   lead_us   media time of a packet less the monotonic clock
 *
 * Network and encoder only delay packets, which lowers lead_us: the greatest
 * of a window is the best guess.  HLS bursts lead by at most a segment, the
 * same in each window.
 */

static void
ngx_webrtc_timeline_drift(ngx_webrtc_timeline_t *tl, int64_t lead_us,
    int64_t now_us)
{
    int64_t  line_us, diff_us, step_us, elapsed_us;

    if (tl->line == 0) {
        tl->window_us = now_us;
        tl->best_us = lead_us;
        tl->target_us = lead_us;
        tl->slewed_us = now_us;

        ngx_webrtc_timeline_set_line(tl, lead_us);
        return;
    }

    elapsed_us = now_us - tl->window_us;

    if (elapsed_us >= NGX_WEBRTC_TIMELINE_WINDOW_US) {
        tl->target_us = tl->best_us;
        tl->window_us = now_us;
        tl->best_us = lead_us;

    } else if (lead_us > tl->best_us) {
        tl->best_us = lead_us;
    }

    elapsed_us = now_us - tl->slewed_us;

    if (elapsed_us < NGX_WEBRTC_TIMELINE_STEP_US) {
        return;
    }

    tl->slewed_us = now_us;

    line_us = ngx_webrtc_timeline_get_line(tl);
    diff_us = tl->target_us - line_us;

    if (ngx_webrtc_timeline_distance(diff_us, 0)
        <= (int64_t) NGX_WEBRTC_TIMELINE_LAG_MS * 1000)
    {
        elapsed_us = ngx_min(elapsed_us, NGX_WEBRTC_TIMELINE_MAX_STEP_US);

        step_us = elapsed_us * NGX_WEBRTC_TIMELINE_SLEW_PPM / 1000000;

        diff_us = ngx_min(diff_us, step_us);
        diff_us = ngx_max(diff_us, -step_us);
    }

    ngx_webrtc_timeline_set_line(tl, line_us + diff_us);
}


static int64_t
ngx_webrtc_timeline_distance(int64_t a, int64_t b)
{
    return (a > b) ? a - b : b - a;
}


static int64_t
ngx_webrtc_timeline_get_line(ngx_webrtc_timeline_t *tl)
{
    uint64_t  line;

    line = __atomic_load_n(&tl->line, __ATOMIC_RELAXED);

    return line ? (int64_t) (line - NGX_WEBRTC_TIMELINE_BIAS) : 0;
}


static void
ngx_webrtc_timeline_set_line(ngx_webrtc_timeline_t *tl, int64_t line_us)
{
    __atomic_store_n(&tl->line, (uint64_t) line_us + NGX_WEBRTC_TIMELINE_BIAS,
                     __ATOMIC_RELAXED);
}


ngx_int_t
ngx_webrtc_timeline_at(ngx_webrtc_timeline_t *tl, uint32_t rate,
    int64_t now_us, uint32_t *rtp)
{
    int64_t   media_us;
    uint64_t  line;

    line = __atomic_load_n(&tl->line, __ATOMIC_RELAXED);

    if (line == 0) {
        return NGX_AGAIN;
    }

    media_us = now_us + (int64_t) (line - NGX_WEBRTC_TIMELINE_BIAS);

    *rtp = ngx_webrtc_timeline_rtp(ngx_webrtc_ts_scale(media_us, rate,
                                                       1000000));

    return NGX_OK;
}


int64_t
ngx_webrtc_timeline_media(ngx_webrtc_timeline_t *tl, uint32_t rate,
    int64_t now_us, uint32_t rtp)
{
    int64_t  media;

    media = ngx_webrtc_ts_scale(now_us + ngx_webrtc_timeline_get_line(tl),
                                rate, 1000000);

    return media + (int32_t) (rtp - ngx_webrtc_timeline_rtp(media));
}


void
ngx_webrtc_timeline_follow(ngx_webrtc_timeline_t *tl,
    ngx_webrtc_timeline_t *from)
{
    __atomic_store_n(&tl->line, __atomic_load_n(&from->line, __ATOMIC_RELAXED),
                     __ATOMIC_RELAXED);
}


ngx_webrtc_order_e
ngx_webrtc_order(ngx_webrtc_order_t *o, int64_t *media, ngx_uint_t discardable)
{
    if (!o->set || *media > o->last) {
        o->set = 1;
        o->last = *media;
        o->sent++;

        return NGX_WEBRTC_ORDER_SEND;
    }

    if (*media < o->last && discardable) {
        o->dropped++;

        return NGX_WEBRTC_ORDER_DROP;
    }

    *media = ++o->last;
    o->clamped++;

    return NGX_WEBRTC_ORDER_CLAMP;
}
