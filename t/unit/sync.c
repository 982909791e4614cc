
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_sync: a simulated publisher.  Its tracks sample at known times
 * of its own clock, so how far apart two tracks come out for one and the same
 * instant is known from outside.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_time.h>
#include <ngx_webrtc_track.h>
#include <ngx_webrtc_sync.h>

#include "tap.h"


#define VIDEO  0
#define AUDIO  1

/* us; what both tracks are given */
#define START  1700000000000000LL


typedef struct {
    const char  *name;

    /* ms from capture to arrival: first packet, then least of the others */
    int          video_first, video, audio_first, audio;

    /* RTP timestamps at the begin */
    uint32_t     video_ts, audio_ts;

    /* parts per million that the audio clock is fast against NTP */
    int          drift;

    /* seconds between reports, 0: none; ms the video's NTP time is off */
    int          sr;
    int          sr_error;

    /* ms by which video is ahead: at the begin, after 30 s */
    int          begin, end, slack;
    ngx_uint_t   synced;
} sync_row_t;


/*
 * Both tracks for `seconds'; the instant captured at the same time is compared.
 * Returns the greatest step of the video's time against its regular one.
 */

static int64_t
run(ngx_webrtc_sync_t *s, const sync_row_t *t, int from, int to,
    int64_t *ahead_us)
{
    int64_t      ms, capture_us, arrival_us, v, a, last, step, samples;
    uint32_t     ts;

    v = 0;
    a = 0;
    last = -1;
    step = 0;

    for (ms = (int64_t) from * 1000; ms < (int64_t) to * 1000; ms += 20) {

        capture_us = START + ms * 1000;

        /* audio each 20 ms; samples by its own clock */

        samples = ms * 48 + ms * 48 * t->drift / 1000000;
        ts = t->audio_ts + (uint32_t) samples;

        arrival_us = capture_us + 1000 * (ms == 0 ? t->audio_first : t->audio);
        arrival_us += (ms % 60) * 100;

        a = ngx_webrtc_sync_map(s, AUDIO, ts, arrival_us);

        if (t->sr && ms % (t->sr * 1000) == 500) {
            (void) ngx_webrtc_sync_sr(s, AUDIO,
                                 ngx_webrtc_time_ntp((uint64_t) capture_us),
                                 ts);
        }

        if (ms % 40) {
            continue;
        }

        /* video each 40 ms, in two packets */

        ts = t->video_ts + (uint32_t) (ms * 90);

        arrival_us = capture_us + 1000 * (ms == 0 ? t->video_first : t->video);
        arrival_us += (ms % 120) * 100;

        v = ngx_webrtc_sync_map(s, VIDEO, ts, arrival_us);

        if (v != ngx_webrtc_sync_map(s, VIDEO, ts, arrival_us + 3000)) {
            return -1;
        }

        if (t->sr && ms % (t->sr * 1000) == 400) {
            (void) ngx_webrtc_sync_sr(s, VIDEO,
                           ngx_webrtc_time_ntp((uint64_t) (capture_us
                                           + (int64_t) t->sr_error * 1000)),
                                 ts);
        }

        if (last != -1) {
            step = ngx_max(step, v - last - 3600);
            step = ngx_max(step, 3600 - (v - last));

            if (v <= last) {
                return -2;
            }
        }

        last = v;

        /* the same instant */

        *ahead_us = v * 100 / 9 - a * 125 / 6;
    }

    return step;
}


static void
test_table(void)
{
    int64_t             ahead_us, step;
    ngx_uint_t          i;
    ngx_webrtc_sync_t   s;

    static const sync_row_t  t[] = {
        { "by arrival, all alike", 30, 30, 30, 30, 1000, 2000, 0, 0, 0,
          0, 0, 15, 0 },

        /* the first picture came 150 ms later than the others do */
        { "first key frame slow, no reports", 180, 30, 30, 30, 0xfffff000,
          0xfffffff0, 0, 0, 0, 150, 0, 15, 0 },
        { "first sound slow, no reports", 30, 30, 230, 30, 0xfffff000,
          0xfffffff0, 0, 0, 0, -200, 0, 15, 0 },

        /* pictures are 80 ms slower always: without reports nobody knows */
        { "slow pictures, no reports", 110, 110, 30, 30, 7, 8, 0, 0, 0,
          80, 80, 15, 0 },
        { "slow pictures, reports", 110, 110, 30, 30, 7, 8, 0, 1, 0,
          80, 0, 2, 1 },
        { "slow sound, reports each 5 s", 30, 30, 430, 430, 7, 8, 0, 5, 0,
          -400, 0, 2, 1 },
        { "both, over a wrap", 280, 110, 60, 30, 0xffffff00, 0xffffff00, 0, 2,
          0, 220, 0, 2, 1 },

        /* the audio clock runs away by 200 ppm: 6 ms in 30 s */
        { "drift, reports", 30, 30, 30, 30, 1, 2, 200, 1, 0, 0, -6, 8, 1 },

        /* what the publisher says wrongly is done wrongly, within reason */
        { "reports off by 500 ms", 30, 30, 30, 30, 1, 2, 0, 1, 500,
          0, 500, 3, 1 },
        { "reports off by an hour", 30, 30, 30, 30, 1, 2, 0, 1, 3600000,
          0, 0, 15, 0 },
        { "reports off by an hour, back", 30, 30, 30, 30, 1, 2, 0, 1, -3600000,
          0, 0, 15, 0 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        ngx_webrtc_sync_init(&s);

        ngx_webrtc_sync_track(&s, VIDEO, NGX_WEBRTC_VIDEO, 90000);
        ngx_webrtc_sync_track(&s, AUDIO, NGX_WEBRTC_AUDIO, 48000);

        ahead_us = 0;

        step = run(&s, &t[i], 0, 30, &ahead_us);

        tap_ok(ahead_us >= ((int64_t) t[i].end - t[i].slack) * 1000
               && ahead_us <= ((int64_t) t[i].end + t[i].slack) * 1000,
               "%s: %d us after 30 s", t[i].name, (int) ahead_us);

        /* 5 percent of 44 ms, in 90 kHz, and rounding */

        tap_ok(step >= 0 && step <= 198 + 2, "%s: greatest step %d",
               t[i].name, (int) step);
        tap_is_int(s.synced, t[i].synced, "%s: synced", t[i].name);
        tap_is_int(s.jumps, 0, "%s: no jump", t[i].name);

        /* how it began */

        ngx_webrtc_sync_init(&s);
        ngx_webrtc_sync_track(&s, VIDEO, NGX_WEBRTC_VIDEO, 90000);
        ngx_webrtc_sync_track(&s, AUDIO, NGX_WEBRTC_AUDIO, 48000);

        step = ngx_webrtc_sync_map(&s, AUDIO, t[i].audio_ts,
                                   START + t[i].audio_first * 1000);
        ahead_us = ngx_webrtc_sync_map(&s, VIDEO, t[i].video_ts,
                                       START + t[i].video_first * 1000);
        tap_is_int(ahead_us * 100 / 9 - step * 125 / 6, t[i].begin * 1000,
                   "%s: at the begin", t[i].name);
    }
}


static void
test_jumps(void)
{
    int64_t             t, last;
    ngx_uint_t          i;
    ngx_webrtc_sync_t   s;

    /* the timestamp that comes 1 s after the one before; 90 kHz */

    static const struct {
        const char  *name;
        int64_t      step;
        int64_t      pause_us;
        ngx_uint_t   jumps;
        int64_t      want;           /* after the one before */
    } t_[] = {
        { "regular", 90000, 1000000, 0, 90000 },
        { "a pause", 5400000, 60000000, 0, 5400000 },
        { "a burst", 90000, 0, 0, 90000 },
        { "back for a B-frame", -3600, 0, 0, -3600 },
        { "jump ahead", 0x40000000, 1000000, 1, 90000 },
        { "jump back", -0x40000000, 1000000, 1, 90000 },
        { "stood still for a minute", 90, 60000000, 1, 5400000 },
        { "ahead by 2.9 s, as after a burst", 351000, 1000000, 0, 351000 },
        { "ahead by 3.1 s", 369000, 1000000, 1, 90000 },
    };

    for (i = 0; i < sizeof(t_) / sizeof(t_[0]); i++) {
        ngx_webrtc_sync_init(&s);
        ngx_webrtc_sync_track(&s, 2, NGX_WEBRTC_VIDEO, 90000);

        last = ngx_webrtc_sync_map(&s, 2, 0xffffffff, START);
        tap_is_int(last, 0, "%s: first", t_[i].name);

        t = ngx_webrtc_sync_map(&s, 2, 0xffffffff + (uint32_t) t_[i].step,
                                START + t_[i].pause_us);

        tap_is_int(t - last, t_[i].want, "%s", t_[i].name);
        tap_is_int(s.jumps, t_[i].jumps, "%s: jumps", t_[i].name);
    }

    /* a jump never goes behind what was given out */

    ngx_webrtc_sync_init(&s);
    ngx_webrtc_sync_track(&s, 0, NGX_WEBRTC_VIDEO, 90000);
    (void) ngx_webrtc_sync_map(&s, 0, 0, START);
    last = ngx_webrtc_sync_map(&s, 0, 260000, START);
    t = ngx_webrtc_sync_map(&s, 0, 0x50000000, START + 1000);
    tap_is_int(last, 260000, "ahead of the arrival");
    tap_is_int(t, 260001, "jump behind it");
}


/*
 * After 20 s packets come that were held, or a pause is over: what comes each
 * 20 ms and 40 ms keeps its steps, but for one.
 */

static void
test_steps(void)
{
    int64_t             ms, us, v, a, last_v, last_a, v_ahead, a_ahead;
    ngx_uint_t          i, odd;
    ngx_webrtc_sync_t   s;

    static const struct {
        const char  *name;
        int64_t      step_us;
        int64_t      pause_ms;       /* no packets from then on */
        ngx_uint_t   odd;            /* irregular steps, of both tracks */
        int64_t      ahead_us;       /* what they make together, each */
    } t[] = {
        { "back by half a second", -500000, 0, 0, 0 },
        { "back by 2.9 s", -2900000, 0, 0, 0 },
        { "ahead by half a second", 500000, 0, 0, 0 },
        { "ahead by 9.9 s", 9900000, 0, 0, 0 },
        { "ahead by a minute", 60000000, 0, 2, 60000000 },
        { "ahead by a year", 31536000000000LL, 0, 2, 31536000000000LL },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        ngx_webrtc_sync_init(&s);
        ngx_webrtc_sync_track(&s, VIDEO, NGX_WEBRTC_VIDEO, 90000);
        ngx_webrtc_sync_track(&s, AUDIO, NGX_WEBRTC_AUDIO, 48000);

        last_v = 0;
        last_a = 0;
        v_ahead = 0;
        a_ahead = 0;
        odd = 0;

        for (ms = 0; ms < 60000; ms += 20) {

            if (ms >= 20000 && ms < 20000 + t[i].pause_ms) {
                continue;
            }

            us = START + ms * 1000 + (ms >= 20000 ? t[i].step_us : 0);

            a = ngx_webrtc_sync_map(&s, AUDIO, (uint32_t) (ms * 48), us);

            if (ms && (a - last_a < 912 || a - last_a > 1008)) {
                a_ahead += (a - last_a - 960) * 125 / 6;
                odd++;
            }

            last_a = a;

            if (ms % 40) {
                continue;
            }

            v = ngx_webrtc_sync_map(&s, VIDEO, (uint32_t) (ms * 90), us);

            if (ms && (v - last_v < 3420 || v - last_v > 3780)) {
                v_ahead += (v - last_v - 3600) * 100 / 9;
                odd++;
            }

            last_v = v;
        }

        tap_is_int(odd, t[i].odd, "%s: irregular steps", t[i].name);
        tap_ok(a_ahead >= t[i].ahead_us - 50000
               && a_ahead <= t[i].ahead_us + 50000
               && v_ahead >= t[i].ahead_us - 50000
               && v_ahead <= t[i].ahead_us + 50000, "%s: by %lld us, %lld us",
               t[i].name, (long long) a_ahead, (long long) v_ahead);

        us = last_v * 100 / 9 - last_a * 125 / 6;

        tap_ok(us >= -60000 && us <= 60000, "%s: tracks together, %lld us",
               t[i].name, (long long) us);
    }
}


/* another SSRC: where its timestamps begin does not matter */

static void
test_renew(void)
{
    int64_t             t, last;
    uint64_t            ntp;
    ngx_uint_t          i;
    ngx_webrtc_sync_t   s;

    static const int64_t  steps[] = {
        0, 1, -1, 3000, -135000, 135000, -800000, 260000, 0x40000000
    };

    ntp = ngx_webrtc_time_ntp(START);

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        ngx_webrtc_sync_init(&s);
        ngx_webrtc_sync_track(&s, 0, NGX_WEBRTC_VIDEO, 90000);

        (void) ngx_webrtc_sync_map(&s, 0, 5, START);
        last = ngx_webrtc_sync_map(&s, 0, 5 + 90000, START + 1000000);

        ngx_webrtc_sync_renew(&s, 0);

        tap_is_int(ngx_webrtc_sync_sr(&s, 0, ntp, 5), NGX_AGAIN,
                   "%lld: no report before a packet", (long long) steps[i]);

        t = ngx_webrtc_sync_map(&s, 0, 5 + 90000 + (uint32_t) steps[i],
                                START + 1040000);
        tap_is_int(t - last, 3600, "%lld: when it came in",
                   (long long) steps[i]);

        t = ngx_webrtc_sync_map(&s, 0, 5 + 93600 + (uint32_t) steps[i],
                                START + 1080000);
        tap_is_int(t - last, 7200, "%lld: and on", (long long) steps[i]);
        tap_is_int(s.jumps, 0, "%lld: no jump", (long long) steps[i]);
    }

    /* never behind what was given out */

    ngx_webrtc_sync_renew(&s, 0);
    last = t;
    t = ngx_webrtc_sync_map(&s, 0, 77, START + 1000000);
    tap_is_int(t - last, 1, "behind what was before");
}


/*
 * Sound seconds after the pictures, the first of which was late: it is where it
 * belongs at once, without reports; and the other way round.
 */

static void
test_late(void)
{
    int64_t            ms, capture_us, arrival_us, v, a, ahead_us;
    ngx_uint_t         i;
    ngx_webrtc_sync_t  s;

    static const ngx_uint_t  first[] = { VIDEO, AUDIO };

    for (i = 0; i < 2; i++) {
        ngx_webrtc_sync_init(&s);
        ngx_webrtc_sync_track(&s, VIDEO, NGX_WEBRTC_VIDEO, 90000);
        ngx_webrtc_sync_track(&s, AUDIO, NGX_WEBRTC_AUDIO, 48000);

        v = 0;
        a = 0;
        ahead_us = 0;

        for (ms = 0; ms < 7000; ms += 20) {
            capture_us = START + ms * 1000;
            arrival_us = capture_us + (ms == 0 ? 300000 : 20000);

            if (first[i] == AUDIO || ms >= 6000) {
                a = ngx_webrtc_sync_map(&s, AUDIO,
                                        5000 + (uint32_t) ms * 48, arrival_us);
            }

            if (ms % 40 == 0 && (first[i] == VIDEO || ms >= 6000)) {
                v = ngx_webrtc_sync_map(&s, VIDEO,
                                        9000 + (uint32_t) ms * 90, arrival_us);
            }

            if (ms == 6000) {
                ahead_us = v * 1000000 / 90000 - a * 1000000 / 48000;
            }
        }

        tap_ok(ahead_us > -1000 && ahead_us < 1000, "%s late: %d us apart",
               first[i] == VIDEO ? "sound" : "pictures", (int) ahead_us);
    }
}


static void
test_sr(void)
{
    uint64_t            ntp;
    ngx_webrtc_sync_t   s;

    ntp = ngx_webrtc_time_ntp(START);

    ngx_webrtc_sync_init(&s);

    tap_is_int(ngx_webrtc_sync_track(&s, NGX_WEBRTC_SYNC_TRACKS,
                                     NGX_WEBRTC_VIDEO, 90000),
               NGX_DECLINED, "no such track");
    tap_is_int(ngx_webrtc_sync_track(&s, 0, NGX_WEBRTC_VIDEO, 0),
               NGX_DECLINED, "no rate");
    tap_is_int(ngx_webrtc_sync_track(&s, 0, NGX_WEBRTC_VIDEO, 90000),
               NGX_OK, "track");

    tap_is_int(ngx_webrtc_sync_sr(&s, 0, ntp, 5), NGX_AGAIN, "no packet yet");
    (void) ngx_webrtc_sync_map(&s, 0, 5, START);
    tap_is_int(ngx_webrtc_sync_sr(&s, 0, ntp, 5), NGX_OK, "taken");
    tap_is_int(ngx_webrtc_sync_sr(&s, 0, 0, 5), NGX_DECLINED, "no NTP");
    tap_is_int(ngx_webrtc_sync_sr(&s, 0, ntp, 5 + 900001), NGX_DECLINED,
               "far off");
    tap_is_int(s.synced, 0, "one track alone");
}


/*
 * The clock that both tracks are captured by is set, while their SSRCs stay:
 * the video's packets tell it at the same time or 300 ms later, reports not at
 * all, with an NTP time that steps too, or with one that stays.  What is apart
 * meanwhile is made up for within 25 s.
 */

static void
test_set(void)
{
    ngx_int_t          sr;
    ngx_uint_t         i, late;
    int64_t            ms, us, a, v, step, worst;
    ngx_webrtc_sync_t  s;

    static const int  steps[] = {
        -20000, -11000, -9000, -4000, -1500, -500, -200,
        200, 500, 1500, 2500, 4000, 9000, 20000
    };

    static const char  *reports[] = {
        "no reports", "NTP time that steps", "NTP time that stays"
    };

    for (sr = 0; sr < 3; sr++)
    for (late = 0; late < 2; late++)
    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {

        ngx_webrtc_sync_init(&s);
        (void) ngx_webrtc_sync_track(&s, AUDIO, NGX_WEBRTC_AUDIO, 48000);
        (void) ngx_webrtc_sync_track(&s, VIDEO, NGX_WEBRTC_VIDEO, 90000);

        a = 0;
        worst = 0;

        for (ms = 0; ms < 60000; ms += 20) {

            us = START + ms * 1000;
            step = (ms >= 20000) ? steps[i] : 0;

            a = ngx_webrtc_sync_map(&s, AUDIO,
                                    0xf0000000 + (uint32_t) ((ms + step) * 48),
                                    us + 20000 + (ms % 60) * 100);

            if (sr && ms % 1000 == 500) {
                (void) ngx_webrtc_sync_sr(&s, AUDIO,
                         ngx_webrtc_time_ntp(us + (sr == 1 ? step * 1000 : 0)),
                         0xf0000000 + (uint32_t) ((ms + step) * 48));
            }

            if (ms % 40) {
                continue;
            }

            step = (ms >= 20000 + (late ? 300 : 0)) ? steps[i] : 0;

            v = ngx_webrtc_sync_map(&s, VIDEO,
                                    5000000 + (uint32_t) ((ms + step) * 90),
                                    us + 30000 + (ms % 120) * 100);

            if (sr && ms % 1000 == 400) {
                (void) ngx_webrtc_sync_sr(&s, VIDEO,
                         ngx_webrtc_time_ntp(us + (sr == 1 ? step * 1000 : 0)),
                         5000000 + (uint32_t) ((ms + step) * 90));
            }

            if (ms >= 45000) {
                worst = ngx_max(worst, llabs(v * 100 / 9 - a * 125 / 6));
            }
        }

        tap_ok(worst <= 50000, "set by %d ms, %s%s: %d ms apart", steps[i],
               reports[sr], late ? ", video 300 ms later" : "",
               (int) (worst / 1000));
    }
}


int
main(void)
{
    test_table();
    test_jumps();
    test_steps();
    test_set();
    test_renew();
    test_late();
    test_sr();

    return tap_done();
}
