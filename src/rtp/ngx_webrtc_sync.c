
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * A publisher's tracks on one clock: see the header file for the contracts.
 * RFC 3550, 6.4.1.
 *
 * The time of a track's timestamp is, in units of its RTP clock,
 *
 *     unwrapped + base + shift
 *
 * counted from the arrival of the very first packet.  base is set once (and
 * when the track's clock jumps) and exact; shift moves slowly to its target.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_time.h>
#include <ngx_webrtc_track.h>
#include <ngx_webrtc_timestamp.h>
#include <ngx_webrtc_sync.h>


/* us; after a pause at most this much is caught up at once */
#define NGX_WEBRTC_SYNC_MAX_STEP  1000000


static void ngx_webrtc_sync_base(ngx_webrtc_sync_t *sync,
    ngx_webrtc_sync_track_t *t, int64_t arrival_us);
static int64_t ngx_webrtc_sync_lead(ngx_webrtc_sync_t *sync,
    ngx_webrtc_sync_track_t *t);
static void ngx_webrtc_sync_measure(ngx_webrtc_sync_t *sync,
    ngx_webrtc_sync_track_t *t, int64_t lead_us, int64_t arrival_us);
static void ngx_webrtc_sync_move(ngx_webrtc_sync_track_t *t,
    int64_t arrival_us);
static void ngx_webrtc_sync_aim(ngx_webrtc_sync_t *sync);
static ngx_webrtc_sync_track_t *ngx_webrtc_sync_reference(
    ngx_webrtc_sync_t *sync, ngx_webrtc_sync_track_t *but);
static int64_t ngx_webrtc_sync_us(const ngx_webrtc_sync_track_t *t,
    int64_t unwrapped);
static int64_t ngx_webrtc_sync_abs(int64_t v);


void
ngx_webrtc_sync_init(ngx_webrtc_sync_t *sync)
{
    ngx_memzero(sync, sizeof(ngx_webrtc_sync_t));
}


ngx_int_t
ngx_webrtc_sync_track(ngx_webrtc_sync_t *sync, ngx_uint_t i, ngx_uint_t kind,
    uint32_t rate)
{
    if (i >= NGX_WEBRTC_SYNC_TRACKS || rate == 0) {
        return NGX_DECLINED;
    }

    ngx_memzero(&sync->tracks[i], sizeof(ngx_webrtc_sync_track_t));

    sync->tracks[i].rate = rate;
    sync->tracks[i].kind = (uint8_t) kind;

    return NGX_OK;
}


void
ngx_webrtc_sync_renew(ngx_webrtc_sync_t *sync, ngx_uint_t i)
{
    sync->tracks[i].renewed = 1;
    sync->tracks[i].reported = 0;
}


int64_t
ngx_webrtc_sync_map(ngx_webrtc_sync_t *sync, ngx_uint_t i, uint32_t ts,
    int64_t arrival_us)
{
    int64_t                   time, lead_us, wait_us;
    ngx_webrtc_sync_track_t  *t;

    t = &sync->tracks[i];

    if (!sync->started) {
        sync->started = 1;
        sync->zero_us = arrival_us;
    }

    if (!t->started) {
        t->started = 1;
        t->last = ts;
        t->newest = INT64_MIN;
        t->moved_us = arrival_us;

        ngx_webrtc_sync_base(sync, t, arrival_us);

    } else if (t->renewed) {
        t->last = ts;
        t->moved_us = arrival_us;

        ngx_webrtc_sync_base(sync, t, arrival_us);

    } else if ((uint32_t) t->last != ts) {

        t->last += (int32_t) (ts - (uint32_t) t->last);

        ngx_webrtc_sync_move(t, arrival_us);
    }

    t->renewed = 0;

    wait_us = arrival_us - sync->zero_us;
    lead_us = ngx_webrtc_sync_us(t, t->last) - wait_us;

    if (lead_us + t->shift_us > NGX_WEBRTC_SYNC_AHEAD
        || lead_us + t->shift_us < -NGX_WEBRTC_SYNC_LAG)
    {
        sync->jumps++;

        ngx_webrtc_sync_base(sync, t, arrival_us);

        lead_us = ngx_webrtc_sync_us(t, t->last) - wait_us;
    }

    ngx_webrtc_sync_measure(sync, t, lead_us, arrival_us);

    time = t->last + t->base
           + ngx_webrtc_ts_scale(t->shift_us, t->rate, 1000000);

    t->newest = ngx_max(t->newest, time);

    return time;
}


ngx_int_t
ngx_webrtc_sync_sr(ngx_webrtc_sync_t *sync, ngx_uint_t i, uint64_t ntp,
    uint32_t rtp)
{
    int64_t                   diff;
    ngx_webrtc_sync_track_t  *t;

    if (ntp == 0) {
        return NGX_DECLINED;
    }

    t = &sync->tracks[i];

    if (!t->started || t->renewed) {
        return NGX_AGAIN;
    }

    diff = (int32_t) (rtp - (uint32_t) t->last);

    if (ngx_webrtc_sync_abs(diff) > (int64_t) t->rate
                                    * (NGX_WEBRTC_SYNC_LAG / 1000000))
    {
        return NGX_DECLINED;
    }

    t->sr_ts = t->last + diff;
    t->sr_us = (int64_t) ngx_webrtc_time_from_ntp(ntp);
    t->reported = 1;

    ngx_webrtc_sync_aim(sync);

    return NGX_OK;
}


/*
 * Places the last timestamp at its arrival, as those of others are that arrive
 * now, but after all earlier ones.
 */

static void
ngx_webrtc_sync_base(ngx_webrtc_sync_t *sync, ngx_webrtc_sync_track_t *t,
    int64_t arrival_us)
{
    int64_t  time;

    time = ngx_webrtc_ts_scale(arrival_us - sync->zero_us
                               + ngx_webrtc_sync_lead(sync, t), t->rate,
                               1000000);

    if (time <= t->newest) {
        time = t->newest + 1;
    }

    t->base = time - t->last;
    t->shift_us = 0;
    t->target_us = 0;
    t->reported = 0;
    t->measured = 0;
    t->windowed = 0;
}


/*
 * us by which the times of another track are ahead of its arrivals, of the
 * least delayed packets.  A first picture may have been late by hundreds of ms,
 * as an encoder begins; sound that comes seconds later is not.
 */

static int64_t
ngx_webrtc_sync_lead(ngx_webrtc_sync_t *sync, ngx_webrtc_sync_track_t *t)
{
    int64_t                   lead_us;
    ngx_webrtc_sync_track_t  *ref;

    ref = ngx_webrtc_sync_reference(sync, t);

    if (ref == NULL || !ref->windowed) {
        return 0;
    }

    lead_us = ref->measured ? ngx_max(ref->best_us, ref->lead_us)
                            : ref->best_us;
    lead_us += ref->shift_us;

    return (ngx_webrtc_sync_abs(lead_us) <= NGX_WEBRTC_SYNC_MAX) ? lead_us : 0;
}


static void
ngx_webrtc_sync_measure(ngx_webrtc_sync_t *sync, ngx_webrtc_sync_track_t *t,
    int64_t lead_us, int64_t arrival_us)
{
    int64_t  elapsed_us;

    elapsed_us = arrival_us - t->window_us;

    if (t->windowed && elapsed_us >= NGX_WEBRTC_SYNC_WINDOW) {
        t->lead_us = t->best_us;
        t->measured = 1;
        t->windowed = 0;

        ngx_webrtc_sync_aim(sync);
    }

    if (!t->windowed) {
        t->windowed = 1;
        t->window_us = arrival_us;
        t->best_us = lead_us;

    } else if (lead_us > t->best_us) {
        t->best_us = lead_us;
    }
}


static void
ngx_webrtc_sync_move(ngx_webrtc_sync_track_t *t, int64_t arrival_us)
{
    int64_t  diff_us, step_us;

    diff_us = t->target_us - t->shift_us;
    step_us = arrival_us - t->moved_us;

    if (diff_us == 0) {
        t->moved_us = arrival_us;
        return;
    }

    step_us = ngx_min(step_us, NGX_WEBRTC_SYNC_MAX_STEP);
    step_us = step_us * NGX_WEBRTC_SYNC_SLEW / 1000000;

    if (step_us <= 0) {
        /* too soon, or a packet that was held and came before the last one */
        return;
    }

    diff_us = ngx_min(diff_us, step_us);
    diff_us = ngx_max(diff_us, -step_us);

    t->shift_us += diff_us;
    t->moved_us = arrival_us;
}


/* finds the targets of all tracks but the reference */

static void
ngx_webrtc_sync_aim(ngx_webrtc_sync_t *sync)
{
    int64_t                   reported_us, measured_us;
    ngx_uint_t                i, compared;
    ngx_webrtc_sync_track_t  *t, *ref;

    ref = ngx_webrtc_sync_reference(sync, NULL);

    if (ref == NULL) {
        return;
    }

    /* it stays where it is now */

    ref->target_us = ref->shift_us;

    sync->synced = 0;

    for (i = 0; i < NGX_WEBRTC_SYNC_TRACKS; i++) {
        t = &sync->tracks[i];

        if (t == ref || !t->started) {
            continue;
        }

        compared = (ref->measured && t->measured);

        measured_us = compared ? ref->lead_us + ref->shift_us - t->lead_us : 0;

        if (ref->reported && t->reported) {

            /* so that equal NTP times get equal times here */

            reported_us = ngx_webrtc_sync_us(ref, ref->sr_ts) + ref->shift_us
                          - ref->sr_us
                          - (ngx_webrtc_sync_us(t, t->sr_ts) - t->sr_us);

            if (ngx_webrtc_sync_abs(reported_us - measured_us)
                <= NGX_WEBRTC_SYNC_MAX)
            {
                t->target_us = reported_us;
                sync->synced = 1;
                continue;
            }
        }

        if (compared
            && ngx_webrtc_sync_abs(measured_us - t->target_us)
               > NGX_WEBRTC_SYNC_NOISE)
        {
            t->target_us = measured_us;
        }
    }
}


/* what others are moved relative to; but: not that one; NULL: there is none */

static ngx_webrtc_sync_track_t *
ngx_webrtc_sync_reference(ngx_webrtc_sync_t *sync,
    ngx_webrtc_sync_track_t *but)
{
    ngx_uint_t                i;
    ngx_webrtc_sync_track_t  *t, *ref;

    ref = NULL;

    for (i = 0; i < NGX_WEBRTC_SYNC_TRACKS; i++) {
        t = &sync->tracks[i];

        if (t->started && t != but
            && (ref == NULL || (ref->kind != NGX_WEBRTC_AUDIO
                                && t->kind == NGX_WEBRTC_AUDIO)))
        {
            ref = t;
        }
    }

    return ref;
}


/* the time of a timestamp without shift, us */

static int64_t
ngx_webrtc_sync_us(const ngx_webrtc_sync_track_t *t, int64_t unwrapped)
{
    return ngx_webrtc_ts_scale(unwrapped + t->base, 1000000, t->rate);
}


static int64_t
ngx_webrtc_sync_abs(int64_t v)
{
    return (v < 0) ? -v : v;
}
