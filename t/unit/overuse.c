
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Is a path that suddenly becomes narrow seen, and nothing else taken for it?
 * Sound and video over a bottleneck with a queue, in virtual time.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>
#include <string.h>

#include <ngx_webrtc_nack.h>
#include <ngx_webrtc_overuse.h>

#include "tap.h"


#define MS        1000ULL
#define SECONDS   10
#define PACKET    1150
#define SOUND     150
#define QUEUE_US  (300 * MS)

/* when the path changes */
#define CHANGE    5000

/* in flight, and the most that a row sends */
#define PACKETS   65536


/* all ms, kbit/s or bytes */
typedef struct {
    const char  *name;
    uint32_t     rate;           /* of the path at first, and between the two */
    uint32_t     then;
    ngx_uint_t   from;
    ngx_uint_t   to;
    ngx_uint_t   held;           /* nothing passes for so long, */
    ngx_uint_t   every;          /* as often as that; 0: never */
    ngx_uint_t   mute;           /* no sound */
    ngx_uint_t   fps;
    uint32_t     video;
    ngx_uint_t   key;            /* a frame as large as so many, every 1.5 s */
    uint32_t     pace;
    ngx_uint_t   late;           /* its encoder, from CHANGE on */
    int          drift;          /* of its timestamps, permille */
    uint32_t     grows;          /* each second, percent */
    ngx_uint_t   deaf;           /* does what it wants */

    uint32_t     found;          /* what it carries; 0: nothing is found */
} row_t;


typedef struct {
    uint64_t     at;             /* us, of arrival */
    uint32_t     n;
    uint32_t     ts;
    uint32_t     rate;           /* of its clock */
    uint64_t     seq;
    ngx_uint_t   video;
} packet_t;


static ngx_webrtc_overuse_t     overuse;
static ngx_webrtc_bitrate_t     br;
static ngx_webrtc_nack_share_t  share;
static ngx_webrtc_nack_t        nacks[2];

static packet_t                 path[PACKETS];
static ngx_uint_t               npath;
static uint64_t                 seqs[2], free_us, limit, found_us, ended_us;
static uint32_t                 least, most;
static ngx_uint_t               nfound;


static void
into_path(const row_t *t, uint64_t at, ngx_uint_t video, uint32_t n,
    uint32_t ts)
{
    uint64_t     rate, start, ms;
    packet_t    *p;

    start = ngx_max(at, free_us);

    if (start - at > QUEUE_US) {
        seqs[video]++;
        return;
    }

    ms = start / MS;
    rate = (ms >= t->from && ms < t->to) ? t->then : t->rate;
    ms = at / MS;

    free_us = start + n * 8 * MS / rate;

    p = &path[npath++];
    p->at = free_us;

    if (t->every && ms >= CHANGE && (ms - CHANGE) % t->every < t->held) {
        /* a radio that waits: then all of it comes */
        p->at = ngx_max(p->at,
                        (ms - (ms - CHANGE) % t->every + t->held) * MS);
    }

    p->n = n;
    p->ts = ts;
    p->rate = video ? 90000 : 48000;
    p->video = video;
    p->seq = seqs[video]++;
}


static void
arrives(const packet_t *p)
{
    uint32_t  told;

    ngx_webrtc_bitrate_input(&br, p->n, p->at);

    ngx_webrtc_nack_share_received(&share, &nacks[p->video], p->seq, p->ts,
                         (int32_t) ((uint32_t) (p->at * p->rate / 1000000)
                                    - p->ts),
                         p->rate, p->at);
    (void) ngx_webrtc_nack_received(&nacks[p->video], p->seq, p->at);

    if (ngx_webrtc_overuse_input(&overuse, &br, p->n, share.queue_us, p->at)
        == NGX_OK)
    {
        nfound++;
        found_us = found_us ? found_us : p->at;

        told = (uint32_t) (overuse.rate / 1000);
        least = least ? ngx_min(least, told) : told;
        most = ngx_max(most, told);
    }

    limit = ngx_webrtc_overuse_limit(&overuse, p->at);

    if (found_us && limit == 0 && ended_us == 0) {
        ended_us = p->at;
    }
}


/* a frame, in packets that are paced, as much of it as may be sent */

static void
frame(const row_t *t, uint64_t at, ngx_uint_t k)
{
    uint64_t    n, rate, sent;
    uint32_t    ts;
    ngx_uint_t  every;

    rate = t->video;

    if (t->grows) {
        rate += rate * t->grows * (at / MS) / 100000;
    }

    if (limit && !t->deaf) {
        rate = ngx_min(rate, (limit - SOUND * 8 * 50) / 1000);
    }

    n = rate * 1000 / 8 / t->fps;

    if (t->key) {
        /* in 1.5 s as much as without one */
        every = t->fps * 3 / 2;
        n = n * every / (every - 1 + t->key);
        n *= (k % every == 0) ? t->key : 1;
    }

    ts = (uint32_t) (at * (1000 + t->drift) * 9 / 100000);
    at += (t->late && at >= CHANGE * MS) ? t->late * MS : 0;

    for (sent = 0; sent < n; sent += PACKET) {
        into_path(t, at + sent * 8 * MS / t->pace, 1,
                  (uint32_t) ngx_min(n - sent, PACKET), ts);
    }
}


static int
by_time(const void *one, const void *two)
{
    const packet_t *a = one, *b = two;

    return (a->at > b->at) - (a->at < b->at);
}


static void
run(const row_t *t)
{
    uint64_t    now;
    ngx_uint_t  i, k, done;

    ngx_memzero(&overuse, sizeof(overuse));
    ngx_memzero(seqs, sizeof(seqs));
    ngx_webrtc_bitrate_init(&br, 0, 1, 0);
    ngx_webrtc_nack_share_init(&share);
    ngx_webrtc_nack_init(&nacks[0], 0);
    ngx_webrtc_nack_init(&nacks[1], 1);

    npath = 0;
    free_us = 0;
    limit = 0;
    found_us = 0;
    ended_us = 0;
    least = 0;
    most = 0;
    nfound = 0;

    for (now = MS, i = 0, k = 0; now < SECONDS * 1000 * MS; now += MS) {

        if (!t->mute && now >= i * 20 * MS) {
            into_path(t, now, 0, SOUND, (uint32_t) (now * 48 / 1000));
            i++;
        }

        if (now >= k * 1000000 / t->fps) {
            frame(t, now, k);
            k++;
        }

        /* what has come by now */

        qsort(path, npath, sizeof(packet_t), by_time);

        for (done = 0; done < npath && path[done].at <= now; done++) {
            arrives(&path[done]);
        }

        npath -= done;
        ngx_memmove(path, path + done, npath * sizeof(packet_t));
    }
}


static void
test_paths(void)
{
    ngx_uint_t    i;
    const row_t  *t;

    static const row_t  rows[] = {
        { .name = "wide enough",
          .rate = 3500, .fps = 15, .video = 2300, .pace = 6000 },
        { .name = "a fifth of it",
          .rate = 3500, .then = 700, .fps = 15, .video = 2300, .pace = 6000,
          .found = 700 },
        { .name = "of 30 frames per second",
          .rate = 3500, .then = 700, .fps = 30, .video = 2300, .pace = 6000,
          .found = 700 },
        { .name = "without sound",
          .rate = 3500, .then = 700, .fps = 30, .video = 2300, .pace = 6000,
          .mute = 1, .found = 700 },
        { .name = "of key frames that are large",
          .rate = 3500, .then = 700, .fps = 25, .video = 2300, .pace = 6000,
          .key = 10, .found = 700 },
        { .name = "a tenth",
          .rate = 3500, .then = 300, .fps = 15, .video = 2300, .pace = 6000,
          .found = 300 },
        { .name = "of more",
          .rate = 20000, .then = 2000, .fps = 60, .video = 8000, .pace = 20000,
          .found = 2000 },
        { .name = "of a sender that does what it wants",
          .rate = 3500, .then = 700, .fps = 15, .video = 2300, .pace = 6000,
          .deaf = 1, .found = 700 },
        { .name = "a dip",
          .rate = 3500, .then = 700, .to = CHANGE + 150, .fps = 15,
          .video = 2300, .pace = 6000 },
        { .name = "less by little",
          .rate = 3500, .then = 2000, .fps = 15, .video = 2300, .pace = 6000 },
        { .name = "pauses in the air",
          .rate = 20000, .held = 300, .every = 1000, .fps = 25, .video = 2300,
          .pace = 6000 },
        { .name = "short ones",
          .rate = 20000, .held = 130, .every = 150, .fps = 25, .video = 2300,
          .pace = 6000 },
        { .name = "a burst every 50 ms",
          .rate = 20000, .held = 49, .every = 50, .fps = 25, .video = 2300,
          .pace = 6000 },
        { .name = "key frames that take long",
          .rate = 20000, .fps = 25, .video = 2300, .key = 60, .pace = 4000 },
        { .name = "the same without sound",
          .rate = 20000, .fps = 25, .video = 2300, .key = 60, .pace = 4000,
          .mute = 1 },
        { .name = "more and more, on a path of 700 kbit/s",
          .rate = 700, .fps = 25, .video = 300, .grows = 50, .pace = 6000 },
        { .name = "an encoder that becomes late",
          .rate = 20000, .fps = 25, .video = 2300, .pace = 6000, .late = 250 },
        { .name = "the same without sound, of few pictures",
          .rate = 20000, .fps = 10, .video = 2300, .pace = 6000, .late = 250,
          .key = 20, .mute = 1 },
        { .name = "one that is a little late",
          .rate = 90000, .fps = 25, .video = 2300, .pace = 40000, .late = 55,
          .key = 20, .mute = 1 },
        { .name = "a clock that runs off",
          .rate = 20000, .fps = 25, .video = 2300, .pace = 6000, .drift = -100,
          .key = 10 },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row_t  row;

        t = &rows[i];
        row = *t;
        row.from = CHANGE;
        row.to = row.to ? row.to : SECONDS * 1000;
        row.then = row.then ? row.then : row.rate;

        run(&row);

        if (t->found == 0) {
            tap_is_int(nfound, 0, "%s: nothing is found", t->name);
            continue;
        }

        tap_ok(nfound >= 1 && nfound <= 3, "%s: found (%d)", t->name,
               (int) nfound);
        tap_ok(least >= t->found * 80 / 100 && most <= t->found * 160 / 100
               && overuse.rate == 0, "%s: what it carries (%d to %d)", t->name,
               (int) least, (int) most);
        tap_ok(found_us > CHANGE * MS && found_us < (CHANGE + 500) * MS,
               "%s: soon (%d ms)", t->name,
               (int) (found_us / MS) - CHANGE);
        tap_ok(ended_us > found_us + NGX_WEBRTC_OVERUSE_HOLDS
               && ended_us < found_us + NGX_WEBRTC_OVERUSE_DRAINS
                             + NGX_WEBRTC_OVERUSE_HOLDS + 200 * MS,
               "%s: and for a while (%d ms)", t->name,
               (int) ((ended_us - found_us) / MS));
    }
}


/* packets of 1000 bytes every so many ms */

static ngx_uint_t
feed(ngx_uint_t from, ngx_uint_t to, ngx_uint_t every, uint64_t queue_us)
{
    uint64_t    now;
    ngx_uint_t  n;

    for (now = from, n = 0; now < to; now += every) {
        ngx_webrtc_bitrate_input(&br, 1000, now * MS);
        n += (ngx_webrtc_overuse_input(&overuse, &br, 1000, queue_us, now * MS)
              == NGX_OK);
        limit = ngx_webrtc_overuse_limit(&overuse, now * MS);
    }

    return n;
}


/* 2 Mbit/s for two seconds, then less */

static void
begin(void)
{
    ngx_memzero(&overuse, sizeof(overuse));
    ngx_webrtc_bitrate_init(&br, 0, 1, 0);

    (void) feed(1, 2000, 4, 0);
}


static void
test_rules(void)
{
    begin();
    tap_is_int(feed(2000, 2040, 20, 40 * MS), 0, "no queue yet");
    tap_is_int(feed(2040, 2200, 20, 80 * MS), 0, "it begins");
    tap_is_int(feed(2200, 2400, 20, 110 * MS), 1, "it is one: found");
    tap_is_int(overuse.rate, 400000, "what comes");
    tap_is_int(limit, 400000 * NGX_WEBRTC_OVERUSE_DRAIN / 100,
               "while there is a queue");
    tap_ok(ngx_webrtc_overuse_drains(&overuse, 2400 * MS), "which drains");
    tap_is_int(feed(2400, 2900, 20, NGX_WEBRTC_NACK_UNKNOWN), 0,
               "what is sent again says nothing");
    tap_ok(ngx_webrtc_overuse_drains(&overuse, 2900 * MS), "it still does");
    tap_is_int(feed(2900, 3000, 20, 10 * MS), 0, "it is gone");
    tap_is_int(limit, 400000 * NGX_WEBRTC_OVERUSE_HOLD / 100, "for a while");
    (void) feed(3000, 4380, 20, 10 * MS);
    tap_ok(limit != 0, "for as long as that");
    (void) feed(4380, 4420, 20, 10 * MS);
    tap_is_int(limit, 0, "no longer");

    /* it becomes still narrower */

    begin();
    (void) feed(2000, 2200, 20, 60 * MS);
    tap_is_int(feed(2200, 2400, 20, 110 * MS), 1, "400 kbit/s");
    (void) feed(2400, 2500, 20, 10 * MS);
    (void) feed(2500, 2600, 50, 60 * MS);
    tap_is_int(feed(2600, 3000, 50, 110 * MS), 1, "160 kbit/s, a while later");
    tap_is_int(overuse.rate, 160000, "what comes then");

    /* the first measurement had a part of what came before */

    begin();
    (void) feed(2000, 2150, 10, 60 * MS);
    tap_is_int(feed(2150, 2200, 10, 110 * MS), 1, "800 kbit/s");
    tap_is_int(feed(2200, 2500, 20, 150 * MS), 1, "less, right after that");
    tap_ok(overuse.rate >= 350000 && overuse.rate <= 600000, "what comes (%d)",
           (int) overuse.rate);
    tap_is_int(feed(2500, 3000, 50, 150 * MS), 0,
               "later it is the sender that sends less");

    /* no path carries less than that */

    begin();
    (void) feed(2000, 2200, 50, 60 * MS);
    (void) feed(2200, 2500, 50, 110 * MS);
    tap_is_int(limit, 160000 * NGX_WEBRTC_OVERUSE_DRAIN / 100, "160 kbit/s");
    overuse.rate = NGX_WEBRTC_BITRATE_MIN;
    tap_is_int(ngx_webrtc_overuse_limit(&overuse, 2500 * MS),
               NGX_WEBRTC_BITRATE_MIN, "a floor");

    ngx_memzero(&overuse, sizeof(overuse));
    ngx_webrtc_bitrate_init(&br, 0, 1, 0);
    (void) feed(1, 8000, 90, 0);
    (void) feed(8000, 8200, 59, 60 * MS);
    tap_is_int(feed(8200, 9000, 59, 110 * MS), 0,
               "of so little nothing is found");

    /* a clock that steps */

    begin();
    (void) feed(2000, 2020, 20, 40 * MS);
    tap_is_int(feed(2020, 3000, 20, 220 * MS), 0,
               "by more than the time since then");
    (void) feed(3000, 4000, 4, 0);
    (void) feed(4000, 4200, 20, 60 * MS);
    tap_is_int(feed(4200, 4500, 20, 110 * MS), 1, "the next one is a queue");

    /* a pause */

    begin();
    (void) feed(2000, 2100, 20, 60 * MS);
    (void) feed(2100, 2900, 61, 110 * MS);
    tap_is_int(nfound, 0, "with pauses nothing is measured");
}


int
main(void)
{
    test_paths();
    test_rules();

    return tap_done();
}
