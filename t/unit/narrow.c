
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_narrow: whether reports are of a path that is too narrow; and with
 * an estimator and the ladder, on paths in virtual time, what a viewer of one
 * quality sees.
 */


#include "view.h"

#include <ngx_webrtc_ladder.h>
#include <ngx_webrtc_narrow.h>


#define L     NGX_WEBRTC_LADDER_LAYER
#define NONE  NGX_WEBRTC_LADDER_NONE


/* reports, "packets:percent lost[:ms of a round trip[:ms behind the last]]", a
 * second if it does not say */

static void
test_rows(void)
{
    int                  packets, lost, rtt, ms, len;
    uint32_t             highest;
    uint64_t             now;
    ngx_uint_t           i, bad, found;
    const char          *p;
    ngx_webrtc_narrow_t  n;

    static const struct {
        const char   *name;
        const char   *reports;
        ngx_uint_t    bad;        /* in a row, at the end */
        ngx_uint_t    found;      /* at any time */
    } t[] = {
        { "all is well", "250:0:50 250:0:52 250:1:49", 0, 0 },
        { "the first one is of no packets", "250:80:50", 0, 0 },
        { "most is lost, once", "250:0:50 250:80:50", 1, 0 },
        { "twice", "250:0:50 250:80:50 250:80:50", 2, 1 },
        { "and that is all it counts to",
          "250:0:50 250:80:50 250:80:50 250:80:50", 2, 1 },
        { "not in a row", "250:0:50 250:80:50 250:0:50 250:80:50", 1, 0 },
        { "it is over", "250:0:50 250:80:50 250:80:50 250:2:50", 0, 1 },
        { "without a round trip", "250:0 250:40 250:40", 2, 1 },
        { "10 % at random", "250:10:100 250:12:100 250:15:100 250:13:100", 0,
          0 },
        { "20 % of 50 packets: by chance", "50:20:100 50:20:100 50:20:100", 0,
          0 },
        { "40 % of 50 packets: not by chance", "50:0:100 50:40:100 50:40:100",
          2, 1 },
        { "8 % and a queue", "250:0:50 250:8:350 250:8:350", 2, 1 },
        { "8 % and a longer way", "250:0:50 250:8:120 250:8:120", 0, 0 },
        { "a queue alone", "250:0:50 250:0:900 250:0:900", 0, 0 },
        { "of few packets nothing is known", "250:0:50 9:90:50 9:90:50", 0,
          0 },
        { "nor do they end it", "250:0:50 250:80:50 10:0:50 250:80:50", 2, 1 },
        { "many reports in a second",
          "50:0:50:200 50:0:50:200 50:80:50:200 50:80:50:200 50:80:50:200",
          1, 0 },
        { "a burst of losses, of two reports",
          "50:0:50 30:90:350:20 30:90:350:20 200:0:50 250:0:50", 0, 0 },
        { "many reports in each second",
          "20:0:50 100:60:50:500 100:60:50:500 100:60:50:500 100:60:50:500",
          2, 1 },
        { "few packets each, that add up",
          "20:0:50 9:80:50 9:80:50 9:80:50 9:80:50 9:80:50 9:80:50", 2, 1 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        memset(&n, 0, sizeof(n));
        highest = 0xffffff00;
        bad = found = 0;
        now = 1000;

        for (p = t[i].reports; *p; p += len + (p[len] == ' ')) {
            packets = lost = rtt = 0;
            ms = 1000;
            len = (int) strcspn(p, " ");

            (void) sscanf(p, "%d:%d:%d:%d", &packets, &lost, &rtt, &ms);

            highest += packets;
            now += ms;
            bad = ngx_webrtc_narrow(&n, lost * 256 / 100, highest,
                                    rtt * 1000, now);
            found |= (bad >= NGX_WEBRTC_NARROW_SURE);
        }

        tap_ok(bad == t[i].bad && found == t[i].found, "%s: %u, %u", t[i].name,
               (unsigned) bad, (unsigned) found);
    }
}


/* another path, with a longer round trip: for a while that is a queue */

static void
test_longer(void)
{
    uint32_t             highest;
    ngx_uint_t           i, last;
    ngx_webrtc_narrow_t  n;

    memset(&n, 0, sizeof(n));
    highest = 0;
    last = 0;

    for (i = 1; i <= 300; i++) {
        if (ngx_webrtc_narrow(&n, 15, highest += 250, i < 10 ? 20000 : 200000,
                              i * 1000)
            >= NGX_WEBRTC_NARROW_SURE)
        {
            last = i;
        }
    }

    tap_ok(last >= 10 && last < 60, "another path: until report %u",
           (unsigned) last);
}


/* 10 % of packets at random, for ten hours */

static void
test_random(void)
{
    uint32_t             highest;
    ngx_uint_t           i, k, s, lost, found;
    ngx_webrtc_narrow_t  n;

    static const ngx_uint_t  packets[] = { 25, 50, 250 };

    for (i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {

        memset(&n, 0, sizeof(n));
        highest = 0;
        found = 0;
        lcg = 1;

        for (s = 0; s < 36000; s++) {
            lost = 0;

            for (k = 0; k < packets[i]; k++) {
                lost += (chance(100) < 10);
            }

            highest += packets[i];
            found += (ngx_webrtc_narrow(&n, lost * 256 / packets[i], highest,
                                        100000, s * 1000)
                      >= NGX_WEBRTC_NARROW_SURE);
        }

        tap_ok(found == 0, "10 %% of %u packets a second: %u times in 10 hours",
               (unsigned) packets[i], (unsigned) found);
    }
}


/* one that says anything it likes */

static void
test_anything(void)
{
    ngx_uint_t           i, good;
    ngx_webrtc_narrow_t  n;

    memset(&n, 0, sizeof(n));
    good = 1;
    lcg = 7;

    for (i = 0; i < 100000; i++) {
        good &= ngx_webrtc_narrow(&n, chance(512), chance(0xffffff) * 257,
                                  chance(4) ? chance(0xffffff) * 256 : 0,
                                  (uint64_t) i * 100)
                <= NGX_WEBRTC_NARROW_SURE;
    }

    tap_ok(good, "whatever it says");
}


/*
 * A viewer of a stream of 2.5 Mbit/s, 25 pictures and a key frame of 50 kB per
 * second, as ngx_webrtc_viewer_narrow.c and its neighbours have it.
 */

#define RATE      2500000
#define FPS       25
#define KEY       50000
#define KEYS_MS   4000       /* in which a key frame has to be carried */
#define CALM      30000

typedef struct {
    ngx_uint_t   at;         /* step, at the end of a second */
    ngx_uint_t   known;      /* there is an estimator */
} state_t;

static state_t   states[120];


static void
watch(const leg_t *legs, ngx_uint_t nlegs, ngx_uint_t length)
{
    double                  budget, key_frame;
    uint32_t                probe, n, seen, lost, rtt, size;
    uint64_t                now, due, packets, trouble, calm, sent_bytes,
                            sent_at, rate, bytes;
    ngx_uint_t              at, known, under, key, made, wait, i, bad;
    const leg_t            *leg;
    ngx_webrtc_ladder_t     l;
    ngx_webrtc_narrow_t     narrow;
    ngx_webrtc_bwe_conf_t   conf;
    ngx_webrtc_ladder_in_t  in;

    conf.min = 30000;
    conf.max = 20000000;
    conf.start = RATE;

    path_init(&conf);
    memset(view, 0, sizeof(view));
    memset(states, 0, sizeof(states));
    memset(frames, 0, sizeof(frames));
    memset(&allowed, 0, sizeof(allowed));
    memset(&narrow, 0, sizeof(narrow));

    leg = legs;
    at = L;
    known = under = wait = made = 0;
    budget = 0;
    packets = bytes = sent_bytes = rate = 0;
    seen = lost = 0;
    trouble = sent_at = 0;
    calm = CALM;
    key_frame = KEY;
    first = sending = last = shown = nagain = 0;
    broken = 0;

    for (now = 1000; now < length * SECOND; now += 1000) {

        while (leg + 1 < legs + nlegs && leg[1].from * SECOND <= now) {
            leg++;
        }

        if (now % (SECOND / FPS) == 0) {
            key = (made++ % FPS == 0);

            size = key ? KEY : (RATE / 8 - KEY) / (FPS - 1);

            if (wait && key && at == L) {
                wait = 0;
            }

            /* key frames alone: the newest one, when there is none under way;
             * what is older has been left out */

            if (at != NGX_WEBRTC_LADDER_AUDIO
                && last - first < FRAMES - 1
                && (at == L ? !wait : (key && (!under || sending == last))))
            {
                memset(frame(last), 0, sizeof(frame_t));
                frame(last)->made = now;
                frame(last)->left = size;
                frame(last++)->key = key || broken;
                under = (at == NGX_WEBRTC_LADDER_KEYS);
            }
        }

        /* without an estimate everything is sent at once; what is lost is not
         * sent again here, so the pictures of that are not counted */

        rate = known ? ngx_webrtc_bwe_estimate(&bwe) / 100
                       * (at == NGX_WEBRTC_LADDER_KEYS ? 90 : 150) : 0;

        budget = known ? ngx_min(budget + rate / 8000.0, 3600) : 1e9;

        if (known) {
            repeat(leg, now);

        } else {
            nagain = 0;
        }

        while (sending < last && budget >= PACKET) {

            n = ngx_min(frame(sending)->left, PACKET - 40);

            if (n) {
                i = frame(sending)->lost;
                transmit(leg, sending, n, now);

                lost += (frame(sending)->lost > i);
                seen++;
                packets++;
                bytes += n + 40;

                budget -= n + 40;
                frame(sending)->left -= n;
            }

            sending += (frame(sending)->left == 0);
            under &= (sending < last);
        }

        if (known && at < L && now % 250000 == 0) {
            path_send(leg, now);
        }

        while (known && (due = ngx_webrtc_bwe_probe_due(&bwe)) != 0
               && due <= now)
        {
            path_send(leg, now);
        }

        path_deliver(leg, 7 * SECOND, now);

        if (known) {
            path_feedback(now);

        } else {
            nback = 0;
        }

        show(now);

        /* a receiver report each second */

        if (now % SECOND == 0 && seen) {

            rtt = leg->delay * 2000
                  + (free_us > now ? (uint32_t) (free_us - now) : 0);

            bad = ngx_webrtc_narrow(&narrow, lost * 256 / seen,
                                    (uint32_t) packets, rtt, now / 1000);

            if (bad >= NGX_WEBRTC_NARROW_SURE && !known) {

                conf.start = ngx_max((uint64_t) RATE * (seen - lost) / seen,
                                     conf.min);
                ngx_webrtc_bwe_init(&bwe, &conf);
                ngx_webrtc_twcc_init(&receiver, 1);
                nflight = nback = 0;
                allowed.filled_ms = now / 1000;

                ngx_webrtc_ladder_init(&l, L, now / 1000);

                known = 1;
                budget = 0;
            }

            trouble = bad ? now : trouble;
            seen = lost = 0;
        }

        if (now % SECOND == 0) {
            states[now / SECOND - 1].at = at;
            states[now / SECOND - 1].known = known;
        }

        if (!known || now % 50000) {
            continue;
        }

        memset(&in, 0, sizeof(in));

        in.steps = L + 1;
        in.rates[NGX_WEBRTC_LADDER_KEYS] = (uint32_t) (key_frame * 8 * 1000
                                                       / KEYS_MS);
        in.rates[NGX_WEBRTC_LADDER_THIN] = NONE;
        in.rates[L] = RATE;
        in.fresh = 1;
        in.probes = 1;
        in.probing = ngx_webrtc_bwe_probing(&bwe, now);
        in.estimate = ngx_webrtc_bwe_estimate(&bwe);

        if (now - sent_at >= 5 * SECOND) {
            rate = (bytes - sent_bytes) * 8 * SECOND / (now - sent_at);
            sent_bytes = bytes;
            sent_at = now;
            in.sent = (uint32_t) rate;
        }

        if (at == L && sending < last) {
            in.lag_ms = (uint32_t) ((now - frame(sending)->made) / 1000);
        }

        if (ngx_webrtc_ladder(&l, &in, now / 1000, &probe) != at
            && !(under && l.step > at))
        {
            view[now / SECOND].changes++;

            wait = (l.step == L);
            at = l.step;

            if (at != L) {

                /* what waits is left out, but for a frame that was begun */

                while (last > sending + 1) {
                    last--;
                }
            }
        }

        if (probe && ngx_webrtc_bwe_probe(&bwe, probe, now) != NGX_OK) {
            ngx_webrtc_ladder_not_probed(&l);
        }

        if (at != L || l.below_ms) {
            trouble = now;
        }

        if (now - trouble >= calm * 1000) {
            known = 0;
            calm *= 2;
        }

        view[now / SECOND].lag = ngx_max(view[now / SECOND].lag, in.lag_ms);
        seconds[now / SECOND].estimate = in.estimate;
    }
}


static void
test_paths(void)
{
    ngx_uint_t  i, s, good, shows, full, known;
    uint32_t    gap;

    static const struct {
        const char   *name;
        leg_t         legs[3];
        ngx_uint_t    nlegs;
        ngx_uint_t    length;
        ngx_uint_t    from;       /* s, from then on: */
        ngx_uint_t    until;
        ngx_uint_t    shows;      /* pictures, at least */
        uint32_t      gap;        /* ms between two, at most */
        ngx_uint_t    full;       /* s of all pictures at the end, at least */
        ngx_uint_t    known;      /* 0: there is never an estimator; 1: at
                                     times; 2: none any more at the end */
    } t[] = {

        { "10 Mbit/s", { { 0, 10000000, 300, 20, 0, 0, 0, 0 } }, 1, 60,
          1, 60, 25 * 58, 100, 58, 0 },

        { "10 % of loss", { { 0, 10000000, 300, 50, 0, 10, 0, 0 } }, 1, 110,
          1, 110, 0, 0, 0, 0 },

        { "5 % of loss", { { 0, 10000000, 300, 50, 0, 5, 0, 0 } }, 1, 110,
          1, 110, 0, 0, 0, 0 },

        { "10 % of loss, jitter of 60 ms",
          { { 0, 10000000, 300, 50, 60, 10, 0, 0 } }, 1, 110,
          1, 110, 0, 0, 0, 0 },

        { "500 kbit/s", { { 0, 500000, 300, 20, 0, 0, 0, 0 } }, 1, 60,
          8, 60, 45, 2500, 0, 1 },

        { "1 Mbit/s", { { 0, 1000000, 300, 20, 0, 0, 0, 0 } }, 1, 60,
          8, 60, 48, 1500, 0, 1 },

        { "no queue, 500 kbit/s", { { 0, 500000, 30, 20, 0, 0, 0, 0 } }, 1, 60,
          10, 60, 40, 3000, 0, 1 },

        { "500 kbit/s, then 1, then 10", {
              { 0, 500000, 300, 20, 0, 0, 0, 0 },
              { 20, 1000000, 300, 20, 0, 0, 0, 0 },
              { 40, 10000000, 300, 20, 0, 0, 0, 0 } }, 3, 110,
          8, 40, 22, 2500, 50, 2 },

        { "wide, then 500 kbit/s, then wide", {
              { 0, 10000000, 300, 20, 0, 0, 0, 0 },
              { 20, 500000, 300, 20, 0, 0, 0, 0 },
              { 40, 10000000, 300, 20, 0, 0, 0, 0 } }, 3, 110,
          28, 40, 8, 2500, 50, 2 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        watch(t[i].legs, t[i].nlegs, t[i].length);

        shows = full = known = 0;
        gap = 0;

        for (s = t[i].from; s < t[i].until; s++) {
            shows += view[s].shown;
            gap = ngx_max(gap, view[s].gap);
        }

        for (s = t[i].length; s > 0 && view[s - 1].shown >= FPS - 1; s--) {
            full++;
        }

        for (s = 0; s < t[i].length; s++) {
            known |= states[s].known;
        }

        good = shows >= t[i].shows && full >= t[i].full;
        good &= (t[i].gap == 0 || gap <= t[i].gap);
        good &= (known == (t[i].known != 0));
        good &= (t[i].known != 2 || !states[t[i].length - 2].known);

        tap_ok(good, "%s: %u pictures, %u ms between two, all of them in the "
               "last %u s", t[i].name, (unsigned) shows, gap, (unsigned) full);

        for (s = 0; !good && s < t[i].length; s++) {
            tap_diag("%2u s: %s step %d, estimate %u kbit/s, queue %u, shown "
                     "%u, gap %u ms", (unsigned) s,
                     states[s].known ? "known" : "", (int) states[s].at - L,
                     seconds[s].estimate / 1000, seconds[s].delay,
                     (unsigned) view[s].shown, view[s].gap);
        }
    }
}


int
main(void)
{
    test_rows();
    test_longer();
    test_random();
    test_anything();
    test_paths();

    return tap_done();
}
