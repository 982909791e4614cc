
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Sources that are live, and send in bursts and in real time.
 */


#include "source_server.h"
#include "tap.h"


/* media time between two packets of a track that follow each other in h->p */

static void
range(harness_t *h, ngx_uint_t track, ngx_uint_t from, int32_t *min,
    int32_t *max, ngx_uint_t *n)
{
    uint32_t     last;
    ngx_uint_t   i, any;

    *min = INT32_MAX;
    *max = INT32_MIN;
    *n = 0;
    any = 0;
    last = 0;

    for (i = 0; i < h->n; i++) {

        if (h->p[i].pkt.track != track
            || !(h->p[i].pkt.flags & NGX_WEBRTC_PKT_FIRST))
        {
            continue;
        }

        if (any && i >= from) {
            *min = ngx_min(*min, (int32_t) (h->p[i].pkt.ts - last));
            *max = ngx_max(*max, (int32_t) (h->p[i].pkt.ts - last));
            (*n)++;
        }

        last = h->p[i].pkt.ts;
        any = 1;
    }
}


/* the n-th last frame of a track, as an index of h->p */

static ngx_uint_t
from_last(harness_t *h, ngx_uint_t track, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = h->n; i > 0 && n; i--) {
        n -= (h->p[i - 1].pkt.track == track
              && (h->p[i - 1].pkt.flags & NGX_WEBRTC_PKT_FIRST));
    }

    return i + 1;
}


/*
 * A server with a cache: 2.5 s at once, of which the last key frame is at 2 s,
 * then in real time until 3 s; then it closes, and everything again.
 */

static void
test_burst(void)
{
    int32_t            min, max, early;
    int64_t            d, gap;
    server_t           s;
    harness_t          h;
    ngx_uint_t         i, n, first_n;
    harness_packet_t  *first, *last;

    ngx_webrtc_source_thread_conf_t  conf;

    ngx_memzero(&s, sizeof(server_t));
    s.burst_ms = 2500;
    s.live_ms = 3000;
    s.rounds = 2;
    s.flags = 5;

    if (!server_start(&s, "av.flv")) {
        tap_fail("burst: server");
        return;
    }

    /* longer than what the burst is squeezed into */

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_thread_conf_t));
    conf.backoff_min = 200;
    conf.backoff_max = 200;

    harness_init(&h, url(&s), &conf);
    harness_start(&h);

    tap_ok(harness_wait(&h, &h.downs, 1, 60000), "burst: lost");

    pthread_mutex_lock(&h.mutex);
    first_n = h.n;
    pthread_mutex_unlock(&h.mutex);

    tap_ok(harness_wait(&h, &h.downs, 2, 60000), "burst: lost again");
    (void) harness_stop(&h);

    tap_is_int(h.ups, 2, "burst: two runs");
    tap_is_mem(h.down.text, ngx_min(h.down.len, 4), "read", 4,
               "burst: reason \"%.*s\"", (int) h.down.len, h.down.text);
    tap_is_int(harness_tracks(&h), 2, "burst: two tracks");

    tap_ok(h.p[0].pkt.flags & NGX_WEBRTC_PKT_KEY, "burst: begins with a key");

    /* one group of pictures of 1 s per run: 15 in the burst, 15 live */

    range(&h, 0, 0, &min, &max, &n);
    tap_ok(n >= 2 * 28 - 1 && n <= 2 * 32, "burst: %d frames", (int) n + 1);
    tap_ok(min > 0, "burst: time runs forwards by %d at least", min);

    range(&h, 1, 0, &min, &max, &n);
    tap_ok(min >= 960, "burst: audio does not overlap, %d at least", min);

    /* what came at once has almost one time, however long reading it took */

    first = &h.p[0];
    last = first;

    for (i = 0; i < first_n; i++) {
        if (h.p[i].pkt.track == 0
            && (h.p[i].pkt.flags & NGX_WEBRTC_PKT_FIRST))
        {
            last = &h.p[i];
        }
    }

    d = (int64_t) (last->us - first->us) * 9 / 100;
    early = (int32_t) (last->pkt.ts - first->pkt.ts) - (int32_t) d;

    tap_ok(early <= 90 * 300, "burst: %d ms of it in %d ms",
           (int) (last->pkt.ts - first->pkt.ts) / 90, (int) (d / 90));

    range(&h, 0, from_last(&h, 0, 12), &min, &max, &n);
    tap_ok(min >= 20 * 90 && max <= 50 * 90,
           "burst: live in steps of %d .. %d us", min * 100 / 9, max * 100 / 9);

    /* the second run follows in wall-clock time, not in the source's */

    gap = (int64_t) (h.p[first_n].us - last->us) * 9 / 100;

    range(&h, 0, first_n, &min, &max, &n);
    tap_ok(max < gap + 90 * 500, "burst: at most %d ms between the runs, of %d",
           max / 90, (int) gap / 90);

    harness_free(&h);
    server_stop(&s);
}


/* the tracks are known long before the server has come to its end */

static void
test_start(const char *what, const char *file, u_char flags, ngx_uint_t ntracks)
{
    server_t   s;
    harness_t  h;

    ngx_memzero(&s, sizeof(server_t));
    s.burst_ms = 100;
    s.live_ms = 3900;
    s.rounds = 1;
    s.flags = flags;

    if (!server_start(&s, file)) {
        tap_fail("%s: server", what);
        return;
    }

    harness_init(&h, url(&s), NULL);
    harness_start(&h);

    tap_ok(harness_wait(&h, &h.ups, 1, 60000), "%s: up", what);
    tap_ok(harness_wait(&h, &h.n, 1, 60000), "%s: packets", what);

    (void) harness_stop(&h);

    tap_is_int(harness_tracks(&h), ntracks, "%s: tracks", what);
    tap_ok(h.up_us < 3000000, "%s: up after %d ms", what,
           (int) (h.up_us / 1000));

    harness_free(&h);
    server_stop(&s);
}


/*
 * The server's clock steps after 2 s: nobody sees it.  Every frame of the last
 * 2 s has the distance to the one before that it has in the file.
 */

static const struct {
    const char  *what;
    int          ms;
    u_char       type;
} steps[] = {
    { "back in both", -700, 0 },
    { "ahead in both", 1500, 0 },
    { "back in video", -700, 9 },
    { "ahead in audio", 900, 8 }
};

#define STEPS  (sizeof(steps) / sizeof(steps[0]))


static void
test_steps(void)
{
    int32_t            min, max;
    ngx_uint_t         i, n;
    static server_t    servers[STEPS];
    static harness_t   hs[STEPS];

    for (i = 0; i < STEPS; i++) {

        servers[i].live_ms = 3500;
        servers[i].rounds = 1;
        servers[i].flags = 5;
        servers[i].step_ms = steps[i].ms;
        servers[i].step_type = steps[i].type;

        if (!server_start(&servers[i], "av.flv")) {
            tap_fail("%s: server", steps[i].what);
            return;
        }

        harness_init(&hs[i], url(&servers[i]), NULL);
        harness_start(&hs[i]);
    }

    for (i = 0; i < STEPS; i++) {

        tap_ok(harness_wait(&hs[i], &hs[i].downs, 1, 30000), "%s: to the end",
               steps[i].what);
        (void) harness_stop(&hs[i]);

        range(&hs[i], 0, from_last(&hs[i], 0, 60), &min, &max, &n);
        tap_ok(n >= 58 && min >= 31 * 90 && max <= 36 * 90,
               "%s: %d frames of video in steps of %d .. %d us", steps[i].what,
               (int) n, min * 100 / 9, max * 100 / 9);

        range(&hs[i], 1, from_last(&hs[i], 1, 100), &min, &max, &n);
        tap_ok(n >= 98 && min == 960 && max == 960,
               "%s: %d of audio in steps of %d .. %d", steps[i].what, (int) n,
               min, max);

        tap_is_int(hs[i].sum.dropped + hs[i].sum.clamped, 0,
                   "%s: nothing out of order", steps[i].what);
        tap_is_int(hs[i].sum.discontinuities, 1, "%s: counted", steps[i].what);

        harness_free(&hs[i]);
        server_stop(&servers[i]);
    }
}


static void
test_silent(void)
{
    server_t                         s;
    harness_t                        h;
    ngx_webrtc_source_thread_conf_t  conf;

    ngx_memzero(&s, sizeof(server_t));
    s.rounds = 2;

    if (!server_start(&s, "av.flv")) {
        tap_fail("silent: server");
        return;
    }

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_thread_conf_t));
    conf.connect_timeout = 200;
    conf.read_timeout = 200;
    conf.once = 1;

    harness_init(&h, url(&s), &conf);
    harness_start(&h);

    tap_ok(harness_wait(&h, &h.failures, 1, 60000), "silent: given up");
    tap_is_mem(h.down.text, h.down.len, "open: timed out", 15,
               "silent: reason");

    (void) harness_stop(&h);
    harness_free(&h);

    server_stop(&s);

    /* it may stop in the middle of waiting */

    ngx_memzero(&s, sizeof(server_t));
    s.rounds = 1;

    if (!server_start(&s, "av.flv")) {
        tap_fail("silent: server");
        return;
    }

    harness_init(&h, url(&s), NULL);
    harness_start(&h);

    while (ngx_webrtc_atomic_load(&s.served) == 0) {
        usleep(1000);
    }

    /* a read takes 10 s until it is given up */

    tap_ok(harness_stop(&h) < 8000, "silent: stops while it waits");
    tap_is_int(h.failures, 0, "silent: which is no failure");

    harness_free(&h);
    server_stop(&s);
}


static void
test_refused(void)
{
    harness_t  h;

    harness_init(&h, "tcp://user:secret@127.0.0.1:1", NULL);
    harness_start(&h);

    tap_ok(harness_wait(&h, &h.failures, 3, 60000), "refused: tried again");

    (void) harness_stop(&h);

    tap_ok(h.down.retry_ms >= 20 && h.down.retry_ms <= 100,
           "refused: again in %d ms", (int) h.down.retry_ms);
    tap_ok(memmem(h.down.text, h.down.len, "refused", 7) != NULL,
           "refused: reason \"%.*s\"", (int) h.down.len, h.down.text);
    tap_ok(memmem(h.down.text, h.down.len, "secret", 6) == NULL,
           "refused: no password in it");

    harness_free(&h);
}


int
main(void)
{
    char  cmd[1024];

    if (system("ffmpeg -version > /dev/null 2>&1") != 0) {
        return tap_skip_all("no ffmpeg");
    }

    if (mkdtemp(dir) == NULL) {
        return tap_skip_all("no directory");
    }

    snprintf(cmd, sizeof(cmd), "cd %s && ffmpeg -nostdin -v error -y "
             "-f lavfi -i testsrc2=size=160x120:rate=30:duration=4 "
             "-f lavfi -i sine=frequency=440:sample_rate=44100:duration=4 "
             "-c:v libx264 -preset ultrafast -g 30 -bf 0 -c:a aac av.flv "
             "&& ffmpeg -nostdin -v error -y -i av.flv -c copy -an v.flv",
             dir);

    if (system(cmd) != 0) {
        return tap_skip_all("no libx264");
    }

    test_burst();

    /* TypeFlags: 1 video, 4 audio */

    test_start("both", "av.flv", 5, 2);
    test_start("video alone", "v.flv", 1, 1);
    test_start("audio that never comes", "v.flv", 5, 1);

    test_steps();

    test_silent();
    test_refused();

    snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
    (void) !system(cmd);

    return tap_done();
}
