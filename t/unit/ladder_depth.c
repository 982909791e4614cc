
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_ladder with the layers of a publisher that have temporal ones, on
 * paths in virtual time: whatever such a layer takes, also if it is about what
 * the path carries, and goes up and down, a picture comes at least once a
 * second.
 */


#include "view.h"

#include <math.h>

#include <ngx_webrtc_ladder.h>
#include <ngx_webrtc_rate.h>


#define L       NGX_WEBRTC_LADDER_LAYER
#define NONE    NGX_WEBRTC_LADDER_NONE

#define LAYERS  3
#define TIDS    3
#define FPS     15
#define KEY     6         /* times the size of another frame */
#define VARY    12        /* percent that layers take more and less by turns */
#define NOISE   15        /* percent that each frame differs by */

/* s for which layers have been there: what they take is known; and without what
 * is seen at the beginning, where nothing is known of the path */
#define BEFORE  8
#define BEGIN   5
#define END     60


/* a layer, or what is left of it without upper temporal ones */
typedef struct {
    ngx_uint_t   layer;
    ngx_uint_t   tid;            /* highest; TIDS: all of it */
    uint32_t     rate;
} step_t;


static uint32_t            layers[LAYERS];     /* bits per second */
static ngx_uint_t          phase;              /* percent of a turn */
static ngx_uint_t          late;               /* ms until a layer comes */

static uint64_t            taken[LAYERS][TIDS], total;
static ngx_webrtc_rate_t   rates[LAYERS][TIDS], got;

static ngx_webrtc_ladder_t  ladder;
static step_t               steps[LAYERS * TIDS];
static ngx_uint_t           nsteps;

/* where the viewer is, and what it is on its way to */
static struct {
    ngx_uint_t   layer;
    ngx_uint_t   tid;            /* that it wants */
    ngx_uint_t   has;
    ngx_uint_t   to;
    ngx_uint_t   to_tid;
    uint64_t     arrives;        /* us; 0: it is on no way */
    unsigned     key:1;          /* the next frame is one */
} me;

/* libwebrtc: temporal layers of frames in turn, what they take up to each of
 * them, in percent, and how many times the average a frame of each has */
static const ngx_uint_t  pattern[] = { 0, 2, 1, 2 };
static const ngx_uint_t  share[] = { 40, 60, 100 };
static const double      weight[] = { 1.6, 0.8, 0.8 };


static double
size_of(ngx_uint_t layer, ngx_uint_t n, ngx_uint_t key)
{
    double  size;

    size = layers[layer] / 8.0 / FPS;

    size *= 1 + VARY / 100.0
                * sin(6.2832 * (n / (double) FPS / (5 + layer)
                                + phase / 100.0));

    size *= 1 + ((int) chance(2 * NOISE + 1) - NOISE) / 100.0;

    return size * (key ? KEY : weight[pattern[n % 4]]);
}


/* one frame of each layer */

static void
encode(ngx_uint_t n, double *sizes)
{
    ngx_uint_t  i, tid;

    for (i = 0; i < LAYERS; i++) {
        sizes[i] = size_of(i, n, 0);

        for (tid = pattern[n % 4]; tid < TIDS; tid++) {
            taken[i][tid] += (uint64_t) sizes[i];
        }

        for (tid = 0; n % FPS == 0 && tid < TIDS; tid++) {
            ngx_webrtc_rate_add(&rates[i][tid], taken[i][tid],
                                n * 1000 / FPS);
        }
    }
}


/* as ngx_webrtc_viewer_list_rates(): by bitrate, and no part that takes less
 * than one and a half times all of a lower one, or less than half of its own */

static void
make_steps(void)
{
    step_t      step;
    uint32_t    below;
    ngx_uint_t  i, k, n;

    nsteps = 0;

    for (i = 0; i < LAYERS; i++) {
        for (k = 0; k < TIDS; k++) {

            step.layer = i;
            step.tid = (k + 1 == TIDS) ? TIDS : k;
            step.rate = (uint32_t) (ngx_webrtc_rate_second(&rates[i][k], 8)
                                    * 106 / 100);

            for (n = nsteps++; n && steps[n - 1].rate > step.rate; n--) {
                steps[n] = steps[n - 1];
            }

            steps[n] = step;
        }
    }

    below = 0;

    for (i = 0; i < nsteps; i++) {

        if (steps[i].tid == TIDS) {
            below = steps[i].rate / 2 * 3;

        } else if (steps[i].rate <= below
                   || (below && share[steps[i].tid] < 50))
        {
            steps[i].rate = NONE;
        }
    }
}


/* once a second: the ladder's step is what it was before */

static void
renew(void)
{
    step_t      was;
    ngx_uint_t  i;

    was.layer = LAYERS;

    if (ladder.step >= L) {
        was = steps[ladder.step - L];
    }

    make_steps();

    for (i = 0; i < nsteps; i++) {
        if (steps[i].layer == was.layer && steps[i].tid == was.tid) {
            ladder.step = L + i;
        }
    }
}


static void
go(uint64_t now)
{
    step_t  step;

    step = steps[ladder.step >= L ? ladder.step - L : 0];

    if (step.layer == me.layer) {
        me.arrives = 0;
        me.tid = step.tid;
        me.has = ngx_min(me.has, me.tid);
        return;
    }

    if (me.arrives == 0 || step.layer != me.to) {
        me.arrives = now + late * 1000;
    }

    me.to = step.layer;
    me.to_tid = step.tid;

    if (me.to < me.layer) {
        me.tid = 0;
        me.has = 0;
    }
}


static void
look(uint64_t now)
{
    view_t                  *v;
    uint32_t                 probe;
    ngx_uint_t               i, step;
    ngx_webrtc_ladder_in_t   in;

    memset(&in, 0, sizeof(ngx_webrtc_ladder_in_t));

    in.steps = L + nsteps;
    in.rates[NGX_WEBRTC_LADDER_KEYS] = NONE;
    in.rates[NGX_WEBRTC_LADDER_THIN] = NONE;

    for (i = 0; i < nsteps; i++) {
        in.rates[L + i] = steps[i].rate;
    }

    in.estimate = ngx_webrtc_bwe_estimate(&bwe);
    in.sent = (uint32_t) ngx_webrtc_rate_second(&got, 8);
    in.lag_ms = (sending < last) ? (now - frame(sending)->made) / 1000 : 0;
    in.busy = (me.arrives != 0);
    in.fresh = 1;
    in.probes = 1;
    in.probing = ngx_webrtc_bwe_probing(&bwe, now);

    v = &view[now / SECOND];
    step = ladder.step;

    v->changes += (ngx_webrtc_ladder(&ladder, &in, now / 1000, &probe)
                   != step);

    if (probe && ngx_webrtc_bwe_probe(&bwe, probe, now) != NGX_OK) {
        ngx_webrtc_ladder_not_probed(&ladder);
    }

    go(now);

    v->step = (ladder.step < L) ? ladder.step : L + me.layer;
    v->lag = ngx_max(v->lag, in.lag_ms);
    seconds[now / SECOND].estimate = in.estimate;
}


/* what may be sent at once, as ngx_webrtc_viewer_layers_pace() */

static uint32_t
pace_of(uint64_t now)
{
    uint32_t                estimate;
    ngx_uint_t              i;
    ngx_webrtc_ladder_in_t  in;

    estimate = ngx_webrtc_bwe_estimate(&bwe);

    if (me.arrives && me.to < me.layer) {
        return layers[me.layer] / 2 > estimate ? estimate / 10 * 3
                                               : estimate / 10 * 9;
    }

    memset(&in, 0, sizeof(ngx_webrtc_ladder_in_t));

    in.busy = (me.arrives != 0);

    for (i = 0; i < nsteps; i++) {
        in.rates[L + i] = steps[i].rate;
    }

    return ngx_webrtc_ladder_pace(&ladder, &in, estimate / 2 * 3, now / 1000);
}


static void
made(ngx_uint_t n, uint64_t now)
{
    double      sizes[LAYERS];
    ngx_uint_t  tid;

    encode(BEFORE * FPS + n, sizes);

    tid = pattern[n % 4];

    if (me.tid > me.has && tid == me.has + 1) {
        me.has = (tid + 1 == TIDS) ? TIDS : tid;
    }

    if (ladder.step >= L && last - first < FRAMES - 1
        && (me.key || tid <= me.has))
    {
        memset(frame(last), 0, sizeof(frame_t));
        frame(last)->made = now;
        frame(last)->left = (uint32_t) (me.key ? size_of(me.layer, n, 1)
                                               : sizes[me.layer]);
        frame(last++)->key = me.key || broken;
        me.key = 0;
    }

    if (n % FPS == FPS - 1) {
        renew();
        ngx_webrtc_rate_add(&got, total, now / 1000);
    }
}


static void
begin(void)
{
    double                 sizes[LAYERS];
    ngx_uint_t             n;
    ngx_webrtc_bwe_conf_t  conf;

    conf.min = 30000;
    conf.max = 20000000;
    conf.start = 3250000;

    path_init(&conf);

    memset(view, 0, sizeof(view));
    memset(frames, 0, sizeof(frames));
    memset(&allowed, 0, sizeof(allowed));
    memset(&me, 0, sizeof(me));
    memset(taken, 0, sizeof(taken));
    memset(rates, 0, sizeof(rates));
    memset(&got, 0, sizeof(got));

    first = sending = last = shown = nagain = total = 0;
    broken = 0;

    for (n = 0; n < BEFORE * FPS; n++) {
        encode(n, sizes);
    }

    make_steps();
    ngx_webrtc_ladder_init(&ladder, L + nsteps - 1, 0);

    me.layer = LAYERS - 1;
    me.to = me.layer;
    me.tid = me.has = me.to_tid = TIDS;
    me.key = 1;
}


static void
watch(const leg_t *legs, ngx_uint_t nlegs)
{
    double        budget;
    uint32_t      n;
    uint64_t      now, due;
    ngx_uint_t    count;
    const leg_t  *leg;

    begin();

    leg = legs;
    count = 0;
    budget = 0;

    for (now = 1000; now < END * SECOND; now += 1000) {

        while (leg + 1 < legs + nlegs && leg[1].from * SECOND <= now) {
            leg++;
        }

        if (me.arrives && now >= me.arrives) {
            me.arrives = 0;
            me.layer = me.to;
            me.tid = me.has = me.to_tid;
            me.key = 1;

            /* what was still to be sent is not any more */

            last = sending;
            nagain = 0;
        }

        if (now % (SECOND / FPS / 1000 * 1000) == 0) {
            made(count++, now);
        }

        budget = ngx_min(budget + pace_of(now) / 8000.0, 3600);

        repeat(leg, now);

        while (sending < last && budget >= PACKET) {

            n = ngx_min(frame(sending)->left, PACKET - 40);

            if (n) {
                transmit(leg, sending, n, now);
                budget -= n + 40;
                total += n + 40;
                frame(sending)->left -= n;
            }

            sending += (frame(sending)->left == 0);
        }

        if (ladder.step < L && now % 250000 == 0) {
            path_send(leg, now);
        }

        while ((due = ngx_webrtc_bwe_probe_due(&bwe)) != 0 && due <= now) {
            path_send(leg, now);
        }

        path_deliver(leg, 7 * SECOND, now);
        path_feedback(now);
        show(now);

        if (now % 50000 == 0) {
            look(now);
        }
    }
}


typedef struct {
    uint32_t     gap;            /* ms, longest of all */
    uint32_t     gaps;           /* mean of the longest ones */
    uint32_t     pictures;       /* per 10 seconds */
    uint32_t     audio;          /* s of no picture at all */
    uint32_t     delay;          /* ms in the queue, 5 s after a step */
} seen_t;


/* over all that the middle layer may take, at several times */

static void
many(const leg_t *legs, ngx_uint_t nlegs, ngx_uint_t from, seen_t *seen)
{
    uint32_t    gap;
    ngx_uint_t  n, s;

    memset(seen, 0, sizeof(seen_t));

    n = 0;

    for (layers[1] = 300000; layers[1] <= 650000; layers[1] += 50000) {
        for (phase = 0; phase < 100; phase += 20) {

            late = (phase % 40) ? 150 : 600;
            path_stall = (phase % 60) ? 0 : 60000;

            watch(legs, nlegs);

            for (gap = 0, s = BEGIN; s < END; s++) {
                gap = ngx_max(gap, view[s].gap);
                seen->pictures += view[s].shown;
                seen->audio += (view[s].step < L);

                if (s >= from) {
                    seen->delay = ngx_max(seen->delay, seconds[s].delay);
                }
            }

            seen->gap = ngx_max(seen->gap, gap);
            seen->gaps += gap;
            n++;
        }
    }

    path_stall = 0;

    seen->gaps /= n;
    seen->pictures = seen->pictures * 10 / (n * (END - BEGIN));
}


static void
test_rates(void)
{
    seen_t      seen;
    ngx_uint_t  i;

    /* of a picture of 15 per second: all of the lowest layer has 150 in 10 s */

    static const struct {
        const char  *name;
        leg_t        leg;
        uint32_t     gaps;        /* ms, at most */
        uint32_t     pictures;    /* at least */
    } t[] = {
        { "300 kbit/s", { 0, 300000, 300, 20, 0, 0, 0, 0 }, 300, 145 },
        { "400 kbit/s", { 0, 400000, 300, 20, 0, 0, 0, 0 }, 350, 140 },
        { "500 kbit/s", { 0, 500000, 300, 20, 0, 0, 0, 0 }, 450, 115 },
        { "700 kbit/s", { 0, 700000, 300, 20, 0, 0, 0, 0 }, 250, 125 },
        { "1 Mbit/s", { 0, 1000000, 300, 20, 0, 0, 0, 0 }, 200, 145 },
        { "1.5 Mbit/s", { 0, 1500000, 300, 20, 0, 0, 0, 0 }, 500, 70 },
    };

    layers[0] = 200000;
    layers[2] = 1800000;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        many(&t[i].leg, 1, END, &seen);

        tap_ok(seen.gap <= 1000 && seen.gaps <= t[i].gaps
               && seen.pictures >= t[i].pictures && seen.audio == 0,
               "%s: %u ms between two pictures at most, %u ms on average, "
               "%u.%u per second", t[i].name, seen.gap, seen.gaps,
               seen.pictures / 10, seen.pictures % 10);
    }
}


static void
test_narrower(void)
{
    seen_t  seen;

    static const leg_t  legs[] = {
        { 0, 3500000, 400, 20, 0, 0, 0, 0 },
        { 20, 700000, 400, 20, 0, 0, 0, 0 }
    };

    many(legs, 2, 25, &seen);

    /* a layer that takes 600 ms to come, behind a queue of 400 */

    tap_ok(seen.gap <= 1100 && seen.delay < 300 && seen.audio == 0,
           "3.5, then 0.7 Mbit/s: %u ms between two pictures at most, %u ms on "
           "average, %u ms in the queue 5 s later", seen.gap, seen.gaps,
           seen.delay);
}


int
main(void)
{
    test_rates();
    test_narrower();

    return tap_done();
}
