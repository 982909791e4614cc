
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_ladder: what it decides, step by step; and with an estimator on
 * paths in virtual time (path.h), as a viewer would.
 */


#include "view.h"

#include <ngx_webrtc_ladder.h>


#define L     NGX_WEBRTC_LADDER_LAYER
#define NONE  NGX_WEBRTC_LADDER_NONE


/* renditions of 0.4 and 1 Mbit/s, and a stream of 2.5 */

static const uint32_t  layers[] = { 400000, 1000000, 2500000 };


static void
input(ngx_webrtc_ladder_in_t *in)
{
    ngx_uint_t  i;

    memset(in, 0, sizeof(ngx_webrtc_ladder_in_t));

    in->steps = L + 3;
    in->rates[NGX_WEBRTC_LADDER_AUDIO] = 0;
    in->rates[NGX_WEBRTC_LADDER_KEYS] = 140000;
    in->rates[NGX_WEBRTC_LADDER_THIN] = NONE;

    for (i = 0; i < 3; i++) {
        in->rates[L + i] = layers[i];
    }

    in->fresh = 1;
    in->probes = 1;
}


/* long after the last change: where does it go to? */

static void
test_steps(void)
{
    uint32_t                probe;
    uint64_t                now, end;
    ngx_uint_t              i, step;
    ngx_webrtc_ladder_t     l;
    ngx_webrtc_ladder_in_t  in;

    static const struct {
        const char   *name;
        ngx_uint_t    from;
        uint32_t      estimate;
        uint32_t      sent;
        uint32_t      lag_ms;
        uint32_t      thin;       /* its rate */
        ngx_uint_t    ms;         /* that pass */
        ngx_uint_t    step;
    } t[] = {

        { "it fits", L + 2, 3000000, 2500000, 0, NONE, 5000, L + 2 },
        { "a little short, for a moment", L + 2, 2300000, 2500000, 0, NONE,
          1000, L + 2 },
        { "a little short, for longer", L + 2, 2300000, 2500000, 0, NONE,
          2600, L + 1 },
        { "too little: soon", L + 2, 1500000, 2500000, 0, NONE, 600, L + 1 },
        { "not before a probe has had the time", L + 2, 1500000, 2500000, 0,
          NONE, 400, L + 2 },
        { "far too little: at once", L + 2, 1200000, 2500000, 0, NONE, 50,
          L + 1 },
        { "to the best that fits", L + 2, 450000, 2500000, 0, NONE, 50, L },
        { "less is sent than is configured", L + 1, 700000, 600000, 0, NONE,
          2000, L + 1 },
        { "packets wait", L + 1, 2000000, 900000, 700, NONE, 50, L },
        { "below the lowest layer: thinner", L, 300000, 400000, 0, 280000, 1600,
          NGX_WEBRTC_LADDER_THIN },
        { "nothing can be left out: key frames", L, 300000, 400000, 0, NONE,
          1600, NGX_WEBRTC_LADDER_KEYS },
        { "which it waits for a while with", L, 300000, 400000, 0, NONE, 1000,
          L },
        { "audio only", L, 90000, 400000, 0, 280000, 600,
          NGX_WEBRTC_LADDER_AUDIO },
        { "but not at once", L, 90000, 400000, 0, 280000, 400, L },
        { "there is no less than audio", NGX_WEBRTC_LADDER_AUDIO, 30000, 0, 0,
          NONE, 5000, NGX_WEBRTC_LADDER_AUDIO },
        { "up with room, to the best at once", L, 4000000, 400000, 0, NONE,
          500, L + 2 },
        { "and no further than that", L, 2000000, 400000, 0, NONE, 500,
          L + 1 },
        { "not at once", L, 4000000, 400000, 0, NONE, 300, L },
        { "not without room", L, 1100000, 400000, 0, NONE, 5000, L },
        { "nor while packets wait", L, 4000000, 400000, 200, NONE, 5000, L },
        { "from audio to the lowest layer", NGX_WEBRTC_LADDER_AUDIO, 500000, 0,
          0, NONE, 500, L },
        { "or to what there is room for", NGX_WEBRTC_LADDER_AUDIO, 200000, 0,
          0, NONE, 500, NGX_WEBRTC_LADDER_KEYS },
        { "from above the lowest layer no further than that", L + 1, 60000,
          1000000, 0, NONE, 50, L },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        input(&in);
        in.estimate = t[i].estimate;
        in.sent = t[i].sent;
        in.lag_ms = t[i].lag_ms;
        in.rates[NGX_WEBRTC_LADDER_THIN] = t[i].thin;

        ngx_webrtc_ladder_init(&l, t[i].from, 1000);

        step = t[i].from;
        end = 10000 + t[i].ms;

        for (now = 10000; now <= end && step == t[i].from; now += 50) {
            step = ngx_webrtc_ladder(&l, &in, now, &probe);
        }

        tap_ok(step == t[i].step, "%s: step %u", t[i].name, (unsigned) step);
    }
}


static void
test_rules(void)
{
    uint32_t                probe;
    uint64_t                now;
    ngx_uint_t              i, probes;
    ngx_webrtc_ladder_t     l;
    ngx_webrtc_ladder_in_t  in;

    /* on its way it decides nothing */

    input(&in);
    in.estimate = 100000;
    in.busy = 1;

    ngx_webrtc_ladder_init(&l, L + 1, 0);
    tap_ok(ngx_webrtc_ladder(&l, &in, 9000, &probe) == L + 1, "on its way");

    /* a layer that is gone */

    input(&in);
    in.estimate = 5000000;
    in.rates[L + 2] = NONE;

    ngx_webrtc_ladder_init(&l, L + 2, 0);
    tap_ok(ngx_webrtc_ladder(&l, &in, 50, &probe) == L + 1, "a layer is gone");

    in.steps = L + 1;
    tap_ok(ngx_webrtc_ladder(&l, &in, 100, &probe) == L, "and another one");

    /* probes for the next layer, ever less often */

    input(&in);
    in.estimate = 2300000;
    in.sent = 2500000;

    ngx_webrtc_ladder_init(&l, L + 2, 0);
    (void) ngx_webrtc_ladder(&l, &in, 9000, &probe);
    tap_ok(probe == 2750000, "a probe of whether there is too little");

    in.estimate = 600000;
    in.sent = 400000;
    probes = 0;

    ngx_webrtc_ladder_init(&l, L, 0);

    for (now = 0; now < 60000; now += 50) {
        (void) ngx_webrtc_ladder(&l, &in, now, &probe);

        if (probe && probes++ == 0) {
            tap_ok(probe == 1300000, "a probe for the next one");
        }
    }

    tap_ok(probes >= 11 && probes <= 16, "%u in a minute", (unsigned) probes);

    in.fresh = 0;
    (void) ngx_webrtc_ladder(&l, &in, now + 60000, &probe);
    tap_ok(probe == 0, "none for a viewer who is silent");

    in.fresh = 1;
    (void) ngx_webrtc_ladder(&l, &in, now + 60050, &probe);
    tap_ok(probe != 0, "one when it is heard of again");

    ngx_webrtc_ladder_not_probed(&l);
    (void) ngx_webrtc_ladder(&l, &in, now + 60100, &probe);
    tap_ok(probe != 0, "and again, as it could not be sent");

    /* there is room: whether for more, too */

    in.estimate = 1500000;
    ngx_webrtc_ladder_init(&l, L, 0);

    (void) ngx_webrtc_ladder(&l, &in, 9000, &probe);
    tap_ok(probe == 3250000, "a probe for the one above, as soon as there is "
           "room for the next");

    (void) ngx_webrtc_ladder(&l, &in, 9050, &probe);
    tap_ok(probe == 0, "once");

    in.estimate = 3000000;

    for (now = 9100; now < 9450 && l.step == L; now += 50) {
        (void) ngx_webrtc_ladder(&l, &in, now, &probe);
    }

    tap_ok(l.step == L + 2, "it was right: two steps at once");

    /* the key frame of a step up is not taken for too little at once */

    in.estimate = 1900000;
    in.sent = 2500000;

    for (now = 9500; now < 10400; now += 50) {
        (void) ngx_webrtc_ladder(&l, &in, now, &probe);
    }

    tap_ok(l.step == L + 2, "an estimate that dips behind a step up");

    for ( /* void */ ; now < 11200; now += 50) {
        (void) ngx_webrtc_ladder(&l, &in, now, &probe);
    }

    tap_ok(l.step == L + 1, "and stays there");

    /* without probes a trial, as the estimate cannot grow further */

    in.probes = 0;
    in.sent = 400000;
    in.estimate = 600000;
    ngx_webrtc_ladder_init(&l, L, 0);

    for (now = 0; now < 6000 && l.step == L; now += 50) {
        (void) ngx_webrtc_ladder(&l, &in, now, &probe);
    }

    tap_ok(l.step == L + 1, "no probes: a trial");

    /* mistakes make it wait */

    for (i = 0; i < 4; i++) {
        in.estimate = 450000;
        in.sent = 1000000;
        (void) ngx_webrtc_ladder(&l, &in, now += 3000, &probe);

        in.estimate = 2000000;
        in.sent = 400000;
        (void) ngx_webrtc_ladder(&l, &in, now += 50, &probe);

        while (l.step == L) {
            (void) ngx_webrtc_ladder(&l, &in, now += 50, &probe);
        }
    }

    tap_ok(l.hold_ms == 60000, "mistakes: the next step up after %u ms",
           (unsigned) l.hold_ms);

    in.sent = 1000000;

    for (i = 0; i < 11000; i += 50) {
        (void) ngx_webrtc_ladder(&l, &in, now += 50, &probe);
    }

    tap_ok(l.hold_ms == 2500, "forgiven when it lasts");
}


/* from there, each 50 ms; the number of probes */

static ngx_uint_t
pass(ngx_webrtc_ladder_t *l, const ngx_webrtc_ladder_in_t *in, uint64_t *now,
    ngx_uint_t ms)
{
    uint32_t    probe;
    uint64_t    end;
    ngx_uint_t  probes;

    probes = 0;

    for (end = *now + ms; *now < end; *now += 50) {
        (void) ngx_webrtc_ladder(l, in, *now, &probe);
        probes += (probe != 0);
    }

    return probes;
}


/* what has to agree before a step up */

static void
test_sure(void)
{
    uint64_t                now;
    ngx_webrtc_ladder_t     l;
    ngx_webrtc_ladder_in_t  in;

    input(&in);
    in.estimate = 1200000;
    in.sent = 400000;

    ngx_webrtc_ladder_init(&l, L, 0);
    now = 9000;

    tap_is_int(pass(&l, &in, &now, 50), 1, "there is room: a first probe");
    tap_is_int(pass(&l, &in, &now, 150), 0, "whose answer is waited for");
    tap_is_int(pass(&l, &in, &now, 50), 1, "a second one");
    tap_ok(l.step == L, "and until it has been answered no step");

    (void) pass(&l, &in, &now, 250);
    tap_ok(l.step == L + 1, "both agree");

    /* the second one does not */

    ngx_webrtc_ladder_init(&l, L, 0);
    now = 9000;

    (void) pass(&l, &in, &now, 250);
    in.estimate = 700000;
    (void) pass(&l, &in, &now, 1000);
    tap_ok(l.step == L, "the second one does not agree");

    in.estimate = 1200000;
    tap_is_int(pass(&l, &in, &now, 300), 2, "it begins with the first again");

    /* one that is under way */

    ngx_webrtc_ladder_init(&l, L, 0);
    now = 9000;
    in.probing = 1;

    tap_is_int(pass(&l, &in, &now, 2000), 0, "none while one is under way");
    tap_ok(l.step == L, "nor a step");

    in.probing = 0;
    (void) pass(&l, &in, &now, 550);
    tap_ok(l.step == L + 1, "both after it");

    /* they could not be sent */

    ngx_webrtc_ladder_init(&l, L, 0);

    for (now = 9000; now < 12000; /* void */ ) {
        if (pass(&l, &in, &now, 50)) {
            ngx_webrtc_ladder_not_probed(&l);
        }
    }

    tap_ok(l.step == L, "probes that could not be sent agree with nothing");
}


/* the first seconds behind a step up */

static void
test_behind(void)
{
    uint32_t                probe;
    uint64_t                now;
    ngx_webrtc_ladder_t     l;
    ngx_webrtc_ladder_in_t  in;

    input(&in);
    in.estimate = 1200000;
    in.sent = 400000;

    ngx_webrtc_ladder_init(&l, L, 0);
    now = 9000;

    tap_is_int(ngx_webrtc_ladder_pace(&l, &in, 2000000, now), 2000000,
               "the pace is that of the estimate");

    while (l.step == L) {
        (void) ngx_webrtc_ladder(&l, &in, now += 50, &probe);
    }

    in.busy = 1;
    tap_is_int(ngx_webrtc_ladder_pace(&l, &in, 2000000, now), 2000000,
               "so it is until the step up has arrived");

    in.busy = 0;
    tap_is_int(ngx_webrtc_ladder_pace(&l, &in, 2000000, now), 1500000,
               "then its key frame has what the step takes, and half of it");
    tap_is_int(ngx_webrtc_ladder_pace(&l, &in, 900000, now), 900000,
               "and never more than the estimate gives");
    tap_is_int(ngx_webrtc_ladder_pace(&l, &in, 2000000, now + 2000), 2000000,
               "for two seconds");

    in.rates[L + 1] = 40000;
    tap_is_int(ngx_webrtc_ladder_pace(&l, &in, 2000000, now), 100000,
               "a small step has some more");
    in.rates[L + 1] = 1000000;

    in.lag_ms = 700;
    (void) pass(&l, &in, &now, 1000);
    tap_ok(l.step == L + 1, "its key frame is waited for");

    in.lag_ms = 1300;
    (void) pass(&l, &in, &now, 50);
    tap_ok(l.step == L, "not for ever");

    /* what was sent before it says nothing of what it takes */

    in.lag_ms = 0;
    in.estimate = 1200000;
    ngx_webrtc_ladder_init(&l, L, 0);
    now = 9000;

    while (l.step == L) {
        (void) ngx_webrtc_ladder(&l, &in, now += 50, &probe);
    }

    in.estimate = 700000;
    in.sent = 600000;
    (void) pass(&l, &in, &now, 1400);
    tap_ok(l.step == L + 1, "an estimate that dips");
    (void) pass(&l, &in, &now, 1200);
    tap_ok(l.step == L, "and stays below what it takes");

    /* of a receiver whose estimate grows no further than what is sent, it is
     * all that there is */

    in.probes = 0;
    in.estimate = 1200000;
    in.sent = 400000;
    ngx_webrtc_ladder_init(&l, L, 0);
    now = 9000;

    while (l.step == L) {
        (void) ngx_webrtc_ladder(&l, &in, now += 50, &probe);
    }

    (void) pass(&l, &in, &now, 2000);
    in.estimate = 600000;
    in.sent = 500000;
    (void) pass(&l, &in, &now, 8000);
    tap_ok(l.step == L + 1, "without probes what is sent counts");
}


/* more comes at the moment than the rate says, and waits */

static void
test_comes(void)
{
    uint64_t                now;
    ngx_uint_t              i;
    ngx_webrtc_ladder_t     l;
    ngx_webrtc_ladder_in_t  in;

    static const struct {
        const char   *name;
        ngx_uint_t    from;
        uint32_t      estimate;
        uint32_t      lag_ms;
        uint32_t      comes;
        unsigned      stale;
        unsigned      blind;      /* no probes */
        unsigned      grows;
        unsigned      probing;
        ngx_uint_t    step;       /* at the next look */
        ngx_uint_t    later;      /* and at the one after that */
    } t[] = {
        { "far more", L + 1, 1000000, 250, 2100000, 0, 0, 0, 0, L, L },
        { "hardly waits", L + 1, 1000000, 249, 2100000, 0, 0, 1, 0,
          L + 1, L + 1 },
        { "more, and a queue grows", L + 1, 1100000, 250, 1400000, 0, 0, 1, 0,
          L, L },
        { "more: a probe does not say otherwise", L + 1, 1100000, 250, 1400000,
          0, 0, 0, 0, L + 1, L },
        { "more: a probe is awaited", L + 1, 1100000, 250, 1400000, 0, 0, 0, 1,
          L + 1, L + 1 },
        { "more, and no probes", L + 1, 1100000, 250, 1400000, 0, 1, 0, 0,
          L, L },
        { "not that much", L + 1, 1100000, 500, 1370000, 0, 0, 1, 0,
          L + 1, L + 1 },
        { "that is not known", L + 1, 1100000, 500, 0, 0, 0, 1, 0,
          L + 1, L + 1 },
        { "nothing is known of the path", L + 1, 1000000, 500, 2100000,
          1, 0, 0, 0, L + 1, L + 1 },
        { "there is nothing below", L, 500000, 500, 1100000, 0, 0, 1, 0, L, L },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        input(&in);
        in.estimate = 1100000;
        in.sent = 900000;
        now = 0;

        ngx_webrtc_ladder_init(&l, t[i].from, 0);
        (void) pass(&l, &in, &now, 3000);

        in.estimate = t[i].estimate;
        in.lag_ms = t[i].lag_ms;
        in.comes = t[i].comes;
        in.fresh = !t[i].stale;
        in.probes = !t[i].blind;
        in.grows = t[i].grows;
        in.probing = t[i].probing;

        (void) pass(&l, &in, &now, 50);
        tap_is_int(l.step, t[i].step, "more comes: %s", t[i].name);

        in.busy = (l.step != t[i].from);
        (void) pass(&l, &in, &now, 50);
        tap_is_int(l.step, t[i].later, "and then");
    }

    /* behind a step up its key frame goes first */

    input(&in);
    in.estimate = 1200000;
    in.sent = 400000;
    now = 0;

    ngx_webrtc_ladder_init(&l, L, 0);

    while (l.step == L && now < 20000) {
        (void) pass(&l, &in, &now, 50);
    }

    in.lag_ms = 900;
    in.comes = 3000000;
    (void) pass(&l, &in, &now, 1000);
    tap_ok(l.step == L + 1, "more comes: behind a step up");
}


/* an estimate that nothing raises, as nothing is sent */

static void
test_stuck(void)
{
    uint64_t                now, tried;
    ngx_uint_t              tries;
    ngx_webrtc_ladder_t     l;
    ngx_webrtc_ladder_in_t  in;

    input(&in);
    in.estimate = 30000;
    in.sent = 0;
    in.probes = 0;

    ngx_webrtc_ladder_init(&l, NGX_WEBRTC_LADDER_AUDIO, 0);

    now = 0;
    (void) pass(&l, &in, &now, 3500);
    tap_ok(l.step == L, "audio only, and no probes: a trial");

    /* in vain, ever less often */

    for (tried = now, tries = 0; now < tried + 600000; /* void */ ) {

        if (l.step == L) {
            in.sent = 400000;
            tries++;
            (void) pass(&l, &in, &now, 5000);
        }

        in.sent = 0;
        (void) pass(&l, &in, &now, 50);
    }

    tap_ok(tries >= 8 && tries <= 14, "%u trials in ten minutes",
           (unsigned) tries);

    input(&in);
    in.estimate = 30000;
    ngx_webrtc_ladder_init(&l, NGX_WEBRTC_LADDER_AUDIO, 0);
    now = 0;
    (void) pass(&l, &in, &now, 60000);
    tap_ok(l.step == NGX_WEBRTC_LADDER_AUDIO, "with probes none");
}


/*
 * A viewer.  A layer comes with a key frame 600 ms after it was wanted.
 *
 *   layers   bits per second
 *   key      times the size of another frame
 *   keys     s between two, 0: only when one is wanted
 *   rise     s until the best layer takes all of that
 */
typedef struct {
    uint32_t     layers[3];
    ngx_uint_t   fps;
    ngx_uint_t   key;
    ngx_uint_t   keys;
    ngx_uint_t   rise;
} stream_t;


/* what a layer takes by then, or ms before: a sixth at first */

static uint32_t
takes(const stream_t *stream, ngx_uint_t n, uint64_t now, uint64_t ms)
{
    uint64_t  rise;

    rise = stream->rise * SECOND;
    now = (now > ms * 1000) ? now - ms * 1000 : 0;

    if (n != 2 || now >= rise) {
        return stream->layers[n];
    }

    return stream->layers[n] / 6
           + stream->layers[n] / 6 * 5 / 1000 * (now / 1000) / (rise / 1000)
             * 1000;
}


/* the viewer reads another layer from its key frame on */

static void
turn(void)
{
    last = sending;
    nagain = 0;
}


static void
watch(const leg_t *legs, ngx_uint_t nlegs, ngx_uint_t length,
    const stream_t *stream)
{
    double                  budget, size;
    uint32_t                probe, pace, n;
    uint64_t                now, due, arrives, keyed;
    ngx_uint_t              at, step, key, made;
    const leg_t            *leg;
    ngx_webrtc_ladder_t     l;
    ngx_webrtc_bwe_conf_t   conf;
    ngx_webrtc_ladder_in_t  in;

    conf.min = 30000;
    conf.max = 20000000;
    conf.start = 3250000;

    path_init(&conf);
    ngx_webrtc_bwe_burst(&bwe);
    memset(view, 0, sizeof(view));
    memset(frames, 0, sizeof(frames));
    memset(&allowed, 0, sizeof(allowed));
    ngx_webrtc_ladder_init(&l, L + 2, 0);

    leg = legs;
    at = L + 2;
    made = 0;
    key = 1;
    budget = 0;
    arrives = 0;
    keyed = 0;
    first = sending = last = shown = nagain = 0;
    broken = 0;

    for (now = 1000; now < length * SECOND; now += 1000) {

        while (leg + 1 < legs + nlegs && leg[1].from * SECOND <= now) {
            leg++;
        }

        if (arrives && now >= arrives) {
            arrives = 0;

            if (at != l.step) {
                at = l.step;
                turn();
                key = 1;
            }
        }

        if (now % (1000000 / stream->fps / 1000 * 1000) == 0) {

            key |= (stream->keys && made % (stream->fps * stream->keys) == 0);
            made++;

            if (at >= L && last - first < FRAMES - 1) {

                size = takes(stream, at - L, now, 0) / (double) stream->fps / 8;

                if (stream->keys) {
                    size *= (double) stream->fps * stream->keys
                            / (stream->fps * stream->keys - 1 + stream->key);
                }

                memset(frame(last), 0, sizeof(frame_t));
                frame(last)->made = now;
                frame(last)->left = key ? size * stream->key : size;
                frame(last++)->key = key || broken;
                keyed = (key || broken) ? now : keyed;
                key = 0;
            }
        }

        pace = ngx_webrtc_bwe_estimate(&bwe);

        if (arrives && l.step < at) {
            pace = (at >= L && stream->layers[at - L] / 2 > pace)
                   ? pace / 10 * 3 : pace / 10 * 9;

        } else {
            pace = pace / 2 * (bwe.feedback_us ? 3 : 6);
        }

        budget = ngx_min(budget + pace / 8000.0, 3600);

        repeat(leg, now);

        while (sending < last && budget >= PACKET) {

            n = ngx_min(frame(sending)->left, PACKET - 40);

            if (n) {
                transmit(leg, sending, n, now);
                budget -= n + 40;
                frame(sending)->left -= n;
            }

            sending += (frame(sending)->left == 0);
        }

        if (at < L && now % 250000 == 0) {
            path_send(leg, now);
        }

        while ((due = ngx_webrtc_bwe_probe_due(&bwe)) != 0 && due <= now) {
            path_send(leg, now);
        }

        path_deliver(leg, 7 * SECOND, now);
        path_feedback(now);
        show(now);

        if (now % 50000) {
            continue;
        }

        input(&in);

        for (n = 0; n < 3; n++) {
            in.rates[L + n] = takes(stream, n, now, 800);
        }

        in.comes = (at >= L && now - keyed > 750000)
                   ? takes(stream, at - L, now, 400) : 0;
        in.probing = ngx_webrtc_bwe_probing(&bwe, now);
        in.grows = (bwe.delay.usage == NGX_WEBRTC_BWE_OVERUSE);
        in.estimate = ngx_webrtc_bwe_estimate(&bwe);
        in.sent = (at >= L) ? takes(stream, at - L, now, 600) : 0;
        in.lag_ms = (sending < last) ? (now - frame(sending)->made) / 1000 : 0;
        in.busy = (arrives != 0);
        in.rates[NGX_WEBRTC_LADDER_KEYS] = NONE;

        step = l.step;

        if (ngx_webrtc_ladder(&l, &in, now / 1000, &probe) != step) {
            view[now / SECOND].changes++;
            arrives = now + 600000;
        }

        if (probe && ngx_webrtc_bwe_probe(&bwe, probe, now) != NGX_OK) {
            ngx_webrtc_ladder_not_probed(&l);
        }

        view[now / SECOND].step = at;
        view[now / SECOND].lag = ngx_max(view[now / SECOND].lag, in.lag_ms);
        seconds[now / SECOND].estimate = in.estimate;
    }
}


static ngx_uint_t
changes(ngx_uint_t from, ngx_uint_t to)
{
    ngx_uint_t  n;

    for (n = 0; from < to; from++) {
        n += view[from].changes;
    }

    return n;
}


/* renditions with a key frame each two seconds */

static const stream_t  renditions = { { 400000, 1000000, 2500000 }, 25, 5, 2,
                                      0 };

/* a publisher's layers, with key frames that are asked for */

static const stream_t  simulcast = { { 200000, 450000, 1800000 }, 20, 8, 0, 0 };

/* one that has just begun */

static const stream_t  begun = { { 200000, 450000, 1800000 }, 20, 8, 0, 4 };


static void
test_paths(void)
{
    ngx_uint_t  i, s, most, good;
    uint32_t    delay;

    static const struct {
        const char   *name;
        leg_t         legs[3];
        ngx_uint_t    nlegs;
        ngx_uint_t    length;
        ngx_uint_t    by;         /* s, from then on: */
        ngx_uint_t    step;       /* there, at least */
        ngx_uint_t    most;       /* and at most */
        ngx_uint_t    changes;    /* at most */
        uint32_t      delay;      /* ms in the queue, at most */
    } t[] = {

        { "10 Mbit/s", { { 0, 10000000, 300, 20, 0, 0, 0, 0 } }, 1, 60,
          1, L + 2, L + 2, 0, 100 },

        { "1.5 Mbit/s", { { 0, 1500000, 300, 20, 0, 0, 0, 0 } }, 1, 90,
          15, L + 1, L + 1, 0, 310 },

        { "1 Mbit/s", { { 0, 1000000, 300, 20, 0, 0, 0, 0 } }, 1, 90,
          15, L, L + 1, 3, 310 },

        { "500 kbit/s", { { 0, 500000, 300, 20, 0, 0, 0, 0 } }, 1, 90,
          15, L, L, 0, 310 },

        { "3 Mbit/s, then 0.7", { { 0, 4000000, 500, 20, 0, 0, 0, 0 },
                                  { 20, 700000, 500, 20, 0, 0, 0, 0 } },
          2, 60, 23, L, L, 0, 510 },

        { "0.7, then 3.5 Mbit/s", { { 0, 700000, 500, 20, 0, 0, 0, 0 },
                                    { 30, 3500000, 500, 20, 0, 0, 0, 0 } },
          2, 80, 45, L + 2, L + 2, 0, 300 },

        { "a queue of a second", { { 0, 1500000, 1000, 20, 0, 0, 0, 0 } }, 1,
          90, 15, L + 1, L + 1, 0, 500 },

        { "5 % of loss at 100 ms", { { 0, 5000000, 300, 50, 0, 5, 0, 0 } }, 1,
          90, 30, L + 2, L + 2, 0, 200 },

        { "10 % of loss at 100 ms", { { 0, 5000000, 300, 50, 0, 10, 0, 0 } },
          1, 110, 70, L + 1, L + 2, 2, 200 },

        { "jitter of 20 ms", { { 0, 5000000, 300, 20, 20, 0, 0, 0 } }, 1, 90,
          30, L + 1, L + 2, 1, 200 },

        { "audio only, and back", { { 0, 60000, 300, 20, 0, 0, 0, 0 },
                                    { 30, 2000000, 300, 20, 0, 0, 0, 0 } },
          2, 80, 50, L + 1, L + 1, 0, 310 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        watch(t[i].legs, t[i].nlegs, t[i].length, &renditions);

        good = 1;
        most = 0;
        delay = 0;

        for (s = t[i].by; s < t[i].length; s++) {
            good &= (view[s].step >= t[i].step && view[s].step <= t[i].most);
            most = ngx_max(most, view[s].lag);
            delay = ngx_max(delay, seconds[s].delay);
        }

        good &= (changes(t[i].by, t[i].length) <= t[i].changes);
        good &= (delay <= t[i].delay && most < 1000);

        tap_ok(good, "%s: %u changes, then %u; %u ms in the queue, %u before",
               t[i].name, (unsigned) changes(0, t[i].by),
               (unsigned) changes(t[i].by, t[i].length), delay,
               (unsigned) most);

        for (s = 0; !good && s < t[i].length; s++) {
            tap_diag("%2u s: step %u, estimate %u kbit/s, queue %u, lag %u ms",
                     (unsigned) s, (unsigned) view[s].step,
                     seconds[s].estimate / 1000, seconds[s].delay,
                     view[s].lag);
        }
    }
}


/*
 * What is seen of it: gaps; how long the queue is 5 s after a step down; and
 * when the best layer is back after a step up, for good.
 */

static void
test_gaps(void)
{
    ngx_uint_t  i, s, freezes, back, good;
    uint32_t    gap, delay;

    static const struct {
        const char      *name;
        const stream_t  *stream;
        leg_t            legs[3];
        ngx_uint_t       nlegs;
        ngx_uint_t       freezes;     /* at most */
        uint32_t         gap;         /* ms, at most */
        ngx_uint_t       back;        /* s, at most; 0: never */
    } t[] = {

        { "1 Mbit/s, renditions", &renditions,
          { { 0, 1000000, 300, 20, 0, 0, 0, 0 } }, 1, 1, 400, 0 },

        { "500 kbit/s, renditions", &renditions,
          { { 0, 500000, 300, 20, 0, 0, 0, 0 } }, 1, 1, 400, 0 },

        { "3.5, 0.7, 3.5, renditions", &renditions,
          { { 0, 3500000, 400, 20, 0, 0, 0, 0 },
            { 20, 700000, 400, 20, 0, 0, 0, 0 },
            { 40, 3500000, 400, 20, 0, 0, 0, 0 } }, 3, 2, 1100, 8 },

        { "1 Mbit/s, simulcast", &simulcast,
          { { 0, 1000000, 300, 20, 0, 0, 0, 0 } }, 1, 1, 400, 0 },

        { "500 kbit/s, simulcast", &simulcast,
          { { 0, 500000, 300, 20, 0, 0, 0, 0 } }, 1, 3, 600, 0 },

        { "1 Mbit/s, simulcast that has begun", &begun,
          { { 0, 1000000, 300, 20, 0, 0, 0, 0 } }, 1, 2, 400, 0 },

        { "500 kbit/s, simulcast that has begun", &begun,
          { { 0, 500000, 300, 20, 0, 0, 0, 0 } }, 1, 2, 450, 0 },

        { "3.5, 0.7, 3.5, simulcast", &simulcast,
          { { 0, 3500000, 400, 20, 0, 0, 0, 0 },
            { 20, 700000, 400, 20, 0, 0, 0, 0 },
            { 40, 3500000, 400, 20, 0, 0, 0, 0 } }, 3, 2, 1000, 8 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        watch(t[i].legs, t[i].nlegs, 60, t[i].stream);

        freezes = gap = delay = back = 0;

        for (s = 0; s < 60; s++) {
            gap = ngx_max(gap, view[s].gap);
            freezes += (view[s].gap > 250);

            if (s >= 25) {
                delay = ngx_max(delay, seconds[s].delay);
            }

            if (s >= 40 && view[s].step != L + 2) {
                back = s - 40 + 1;
            }
        }

        good = (freezes <= t[i].freezes && gap <= t[i].gap && delay < 300);
        good &= (t[i].back == 0 || back <= t[i].back);

        tap_ok(good, "%s: %u freezes, %u ms at most, %u ms in the queue, the "
               "best layer after %u s", t[i].name, (unsigned) freezes, gap,
               delay, (unsigned) back);

        for (s = 0; !good && s < 60; s++) {
            tap_diag("%2u s: step %d, estimate %u kbit/s, queue %u, gap %u ms",
                     (unsigned) s, (int) view[s].step - L,
                     seconds[s].estimate / 1000, seconds[s].delay,
                     view[s].gap);
        }
    }
}


/*
 * Where packets wait now and then and come together, a probe among them may
 * show twice of what there is: that is no reason to go up.
 */

static void
test_stalls(void)
{
    ngx_uint_t  i, s, ups, freezes;
    uint32_t    gap;

    static const struct {
        const char      *name;
        const stream_t  *stream;
        leg_t            leg;
        uint64_t         stall;
        ngx_uint_t       changes;     /* at most */
        uint32_t         gap;         /* ms, at most */
    } t[] = {
        { "500 kbit/s, renditions, 60 ms", &renditions,
          { 0, 500000, 300, 20, 0, 0, 0, 0 }, 60000, 0, 400 },
        { "500 kbit/s, renditions, 100 ms", &renditions,
          { 0, 500000, 300, 20, 0, 0, 0, 0 }, 100000, 0, 400 },
        { "500 kbit/s, simulcast, 60 ms", &simulcast,
          { 0, 500000, 300, 20, 0, 0, 0, 0 }, 60000, 0, 400 },
        { "500 kbit/s, simulcast, 100 ms", &simulcast,
          { 0, 500000, 300, 20, 0, 0, 0, 0 }, 100000, 5, 450 },
        { "1 Mbit/s, renditions, 60 ms", &renditions,
          { 0, 1000000, 300, 20, 0, 0, 0, 0 }, 60000, 0, 400 },
        { "1 Mbit/s, simulcast, 60 ms", &simulcast,
          { 0, 1000000, 300, 20, 0, 0, 0, 0 }, 60000, 0, 400 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        path_stall = t[i].stall;
        watch(&t[i].leg, 1, 110, t[i].stream);
        path_stall = 0;

        ups = freezes = gap = 0;

        for (s = 10; s < 110; s++) {
            ups += view[s].changes;
            gap = ngx_max(gap, view[s].gap);
            freezes += (view[s].gap > 250);
        }

        tap_ok(ups <= t[i].changes && gap <= t[i].gap,
               "stalls: %s: %u changes, %u freezes, %u ms at most",
               t[i].name, (unsigned) ups, (unsigned) freezes, gap);
    }
}


int
main(void)
{
    test_steps();
    test_rules();
    test_sure();
    test_behind();
    test_comes();
    test_stuck();
    test_paths();
    test_gaps();
    test_stalls();

    return tap_done();
}
