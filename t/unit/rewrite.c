
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The viewer's sequence numbers and timestamps, over jumps and replays.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_rewrite.h>

#include <tap.h>


#define OFFSET  0xfffff000


static ngx_webrtc_rewrite_t  rw;
static uint32_t              room;     /* 0: what it is at first */


static uint64_t
map(uint64_t track_index, uint32_t ts, uint32_t *out_ts)
{
    uint32_t  t;
    uint64_t  out;

    if (ngx_webrtc_rewrite_map(&rw, track_index, ts, &out, &t) != NGX_OK) {
        return (uint64_t) -1;
    }

    if (out_ts) {
        *out_ts = t - rw.ts_offset;
    }

    return out;
}


static void
test_plain(void)
{
    uint32_t    ts;
    uint64_t    i, out, track;
    ngx_uint_t  bad;

    ngx_webrtc_rewrite_init(&rw, 0x1234, 96, 0xfff0, OFFSET);

    tap_is_int(map(5, 0, NULL), -1, "no start");
    tap_is_int(ngx_webrtc_rewrite_unmap(&rw, 0x7ff0, &track, &out),
               NGX_DECLINED, "nothing sent yet");

    ngx_webrtc_rewrite_start(&rw, 1000);

    tap_is_int(map(999, 0, NULL), -1, "before the start");
    tap_is_int(map(1000, 0x2000, &ts), 0x7ff0, "15 bits of the random number");
    tap_is_int(ts, 0x2000, "timestamp");
    tap_is_int(map(1000, 0x2000, NULL), -1, "no index is given twice");

    /* three wraps of the sequence number */

    bad = 0;

    for (i = 1001; i < 201000; i++) {
        out = map(i, (uint32_t) (i * 3000), &ts);
        bad += (out != 0x7ff0 + (i - 1000) || ts != (uint32_t) (i * 3000));

        if (i % 97 == 0) {
            uint64_t  back = (i * 7919) % 5000;

            if (back > i - 1000) {
                continue;
            }

            bad += (ngx_webrtc_rewrite_unmap(&rw, (uint16_t) (out - back),
                                             &track, &out) != NGX_OK
                    || track != i - back
                    || out != 0x7ff0 + track - 1000);
        }
    }

    tap_is_int(bad, 0, "200000 packets, and back");

    tap_is_int(ngx_webrtc_rewrite_unmap(&rw, (uint16_t) rw.next, &track, &out),
               NGX_DECLINED, "the next one is not sent yet");
    tap_is_int(ngx_webrtc_rewrite_unmap(&rw, (uint16_t) (rw.next + 0x7000),
                                        &track, &out),
               NGX_DECLINED, "nor are those far ahead");

    /* a hole: the packet may be asked for */

    out = map(201001, 0, NULL);
    tap_is_int(ngx_webrtc_rewrite_unmap(&rw, (uint16_t) (out - 1), &track,
                                        &out),
               NGX_OK, "packet left out");
    tap_is_int(track, 201000, "its index");

    /* near the start */

    ngx_webrtc_rewrite_init(&rw, 0, 96, 0, 0);
    ngx_webrtc_rewrite_start(&rw, 50);
    map(50, 0, NULL);
    tap_is_int(ngx_webrtc_rewrite_unmap(&rw, 0, &track, &out), NGX_OK,
               "the first packet");
    tap_is_int(ngx_webrtc_rewrite_unmap(&rw, 0xffff, &track, &out),
               NGX_DECLINED, "nothing before it");
}


static void
test_jumps(void)
{
    uint8_t     pt;
    uint32_t    ts;
    uint64_t    out, track;
    ngx_uint_t  i;

    static const struct {
        uint16_t   seq;
        ngx_int_t  rc;
        uint64_t   track;
        uint8_t    pt;
    } t[] = {
        { 100, NGX_DECLINED, 0, 0 },          /* five segments ago */
        { 102, NGX_DECLINED, 0, 0 },
        { 103, NGX_OK, 2000, 97 },
        { 105, NGX_OK, 2002, 97 },
        { 106, NGX_OK, 3000, 97 },
        { 109, NGX_OK, 500, 97 },
        { 112, NGX_OK, 5000, 98 },
        { 114, NGX_OK, 5002, 98 },
        { 115, NGX_DECLINED, 0, 0 },
    };

    ngx_webrtc_rewrite_init(&rw, 1, 96, 100, OFFSET);

    ngx_webrtc_rewrite_start(&rw, 7);
    ngx_webrtc_rewrite_jump(&rw, 1000);        /* nothing sent in between */

    for (i = 0; i < 3; i++) {
        map(1000 + i, 10, NULL);
    }

    rw.pt = 97;
    ngx_webrtc_rewrite_jump(&rw, 2000);

    for (i = 0; i < 3; i++) {
        map(2000 + i, 20, NULL);
    }

    ngx_webrtc_rewrite_jump(&rw, 3000);

    for (i = 0; i < 3; i++) {
        map(3000 + i, 30, NULL);
    }

    ngx_webrtc_rewrite_jump(&rw, 500);          /* and backwards */

    for (i = 0; i < 3; i++) {
        map(500 + i, 40, NULL);
    }

    rw.pt = 98;
    ngx_webrtc_rewrite_jump(&rw, 4000);
    ngx_webrtc_rewrite_jump(&rw, 5000);

    for (i = 0; i < 3; i++) {
        tap_is_int(map(5000 + i, 50, &ts), 112 + i, "no gap");
    }

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        track = 0;
        pt = 0;
        tap_is_int(ngx_webrtc_rewrite_unmap(&rw, t[i].seq, &track, &out),
                   t[i].rc, "seq %d", t[i].seq);
        tap_is_int(track, t[i].track, "its index");

        if (t[i].rc == NGX_OK) {
            tap_is_int(out, t[i].seq, "out index");
            tap_is_int(ngx_webrtc_rewrite_remap(&rw, out, 77, &ts, &pt),
                       NGX_OK, "remap");
            tap_is_int(pt, t[i].pt, "payload type");
            tap_is_int(ts, (uint32_t) (77 + OFFSET), "timestamp");
        }
    }

    tap_is_int(ngx_webrtc_rewrite_remap(&rw, 115, 0, &ts, &pt), NGX_DECLINED,
               "remap of the future");
    tap_is_int(ngx_webrtc_rewrite_remap(&rw, 100, 0, &ts, &pt), NGX_DECLINED,
               "remap of what is forgotten");

    /* the ring begins anew: 5000 would be another packet now */

    ngx_webrtc_rewrite_forget(&rw);
    tap_is_int(map(5003, 60, NULL), -1, "a start has to follow");
    ngx_webrtc_rewrite_start(&rw, 4999);
    tap_is_int(map(4999, 60, NULL), 115, "numbers go on");
    tap_is_int(ngx_webrtc_rewrite_unmap(&rw, 112, &track, &out), NGX_DECLINED,
               "what was before is forgotten");
    tap_is_int(ngx_webrtc_rewrite_remap(&rw, 112, 0, &ts, &pt), NGX_DECLINED,
               "also by its index");
    tap_is_int(ngx_webrtc_rewrite_unmap(&rw, 115, &track, &out), NGX_OK,
               "what came then is not");
}


/*
 * frames of `interval` ticks from `first` on, three packets each; the last
 * `live` of them come after the replay.  Checked: time goes forward, packets of
 * a frame agree, nothing is after the timeline, the replay is short enough, and
 * what is sent again is the same.
 */

static void
test_replay(const char *name, uint32_t first, uint32_t interval,
    ngx_uint_t frames, ngx_uint_t live, uint32_t window, ngx_uint_t remapped)
{
    uint8_t     pt;
    uint32_t    ts, last, again, live_ts;
    uint64_t    out, track, o;
    ngx_uint_t  i, j, bad, order, agree, ahead, differ, same;

    ngx_webrtc_rewrite_init(&rw, 1, 96, 1000, OFFSET);

    if (room) {
        rw.room = room;
    }

    live_ts = first + (uint32_t) (frames - 1) * interval;

    tap_is_int(ngx_webrtc_rewrite_replay(&rw, 300, first, 300 + frames * 3,
                                         live_ts),
               NGX_OK, "%s: replay", name);

    bad = order = agree = ahead = differ = same = 0;
    last = 0;

    for (i = 0; i < frames + live; i++) {

        uint32_t  in = first + (uint32_t) i * interval;
        uint32_t  of_frame = 0;

        for (j = 0; j < 3; j++) {
            out = map(300 + i * 3 + j, in, &ts);
            bad += (out != 1000 + i * 3 + j);

            if (j == 0) {
                of_frame = ts;
                order += (i > 0 && (int32_t) (ts - last) <= 0);
                ahead += ((int32_t) (ts - in) < 0);

                if (i == 0) {
                    tap_is_int(live_ts - ts, window, "%s: window", name);
                }

                if (i >= frames) {
                    ahead += (ts != in);
                }
            }

            agree += (ts != of_frame);
            last = ts;

            /* at once and a little later */

            if (ngx_webrtc_rewrite_unmap(&rw, (uint16_t) out, &track, &o)
                != NGX_OK
                || track != 300 + i * 3 + j || o != out)
            {
                bad++;

            } else if (ngx_webrtc_rewrite_remap(&rw, o, in, &again, &pt)
                       == NGX_OK)
            {
                differ += (again - OFFSET != ts);
                same++;
            }
        }
    }

    tap_is_int(bad, 0, "%s: indexes", name);
    tap_is_int(order, 0, "%s: frames go forward", name);
    tap_is_int(agree, 0, "%s: packets of a frame agree", name);
    tap_is_int(ahead, 0, "%s: never before the timeline, live is exact", name);
    tap_is_int(differ, 0, "%s: the same when sent again", name);
    tap_ok(same >= remapped * 3, "%s: %d of %d packets may be", name,
           (int) same, (int) (frames + live) * 3);
}


static void
test_replay_edges(void)
{
    uint8_t     pt;
    uint32_t    ts, again;
    uint64_t    out;
    ngx_uint_t  i, bad;

    ngx_webrtc_rewrite_init(&rw, 1, 96, 0, 0);

    tap_is_int(ngx_webrtc_rewrite_replay(&rw, 5, 1000, 5, 2000), NGX_DECLINED,
               "empty replay");
    tap_is_int(ngx_webrtc_rewrite_replay(&rw, 5, 2001, 6, 2000), NGX_DECLINED,
               "replay of the future");
    tap_is_int(rw.nsegments, 0, "nothing has changed");

    /* the viewer is at 90000 when it asks for a key frame of 60000 */

    ngx_webrtc_rewrite_start(&rw, 100);
    map(100, 90000, NULL);

    tap_is_int(ngx_webrtc_rewrite_replay(&rw, 50, 60000, 101, 90000),
               NGX_AGAIN, "no room for a replay");
    tap_is_int(map(101, 93000, NULL), 1, "goes on as before");

    tap_is_int(ngx_webrtc_rewrite_replay(&rw, 50, 60000, 103, 96000), NGX_OK,
               "room of one frame");

    /* 13 frames up to 96000; the first packets had 101, 102 meanwhile */

    bad = 0;

    for (i = 0; i < 13; i++) {
        uint32_t  last = rw.last_ts;

        out = map(50 + i * 4, 60000 + (uint32_t) i * 3000, &ts);
        bad += (out != 2 + i * 4 || (int32_t) (ts - last) <= 0
                || (int32_t) (ts - 96000) > 0);
        bad += (ngx_webrtc_rewrite_remap(&rw, out,
                                         60000 + (uint32_t) i * 3000,
                                         &again, &pt)
                != NGX_OK || again != ts);
    }

    tap_is_int(bad, 0, "replay fits between");
    tap_is_int(ts, 96000, "and ends at the live point");

    /* the packet before the replay, asked for after it */

    tap_is_int(ngx_webrtc_rewrite_remap(&rw, 1, 93000, &again, &pt), NGX_OK,
               "an old one is still known");
    tap_is_int(again, 93000, "as it was");

    /* frames too close together: order first, and never sent again */

    ngx_webrtc_rewrite_init(&rw, 1, 96, 0, 0);
    tap_is_int(ngx_webrtc_rewrite_replay(&rw, 0, 0, 1000, 9000 * 100), NGX_OK,
               "100 to 1");

    bad = 0;

    for (i = 0; i < 20; i++) {
        uint32_t  last = rw.last_ts;

        out = map(i, 450000 + (uint32_t) i, &ts);
        bad += (i && ts != last + 1);

        if (ngx_webrtc_rewrite_remap(&rw, out, 450000 + (uint32_t) i, &again,
                                     &pt) == NGX_OK
            && again != ts)
        {
            bad++;
        }
    }

    tap_is_int(bad, 0, "1 tick apart stays 1 tick apart");

    /* crowded at the end: live goes on behind it, then as it should */

    ngx_webrtc_rewrite_init(&rw, 1, 96, 0, 0);
    ngx_webrtc_rewrite_replay(&rw, 0, 0, 10, 900000);

    for (i = 0; i < 10; i++) {
        map(i, 899995 + (uint32_t) i / 2, NULL);
    }

    tap_ok((int32_t) (rw.last_ts - 900000) > -5, "near the live point");

    bad = 0;

    for (i = 10; i < 20; i++) {
        uint32_t  last = rw.last_ts;
        uint32_t  in = 900001 + ((uint32_t) i - 10) * 3000;

        out = map(i, in, &ts);
        bad += ((int32_t) (ts - last) <= 0);
        bad += (i > 11 && ts != in);
        bad += (i > 11
                && (ngx_webrtc_rewrite_remap(&rw, out, in, &again, &pt)
                    != NGX_OK || again != in));
    }

    tap_is_int(bad, 0, "live goes on");
}


/* the ring of an encoder that lags behind by 200 ms takes over */

static void
test_follow(void)
{
    uint8_t     pt;
    uint32_t    ts, again, last_ts, in;
    uint64_t    out, track, next;
    ngx_uint_t  i, bad, lost;

    ngx_webrtc_rewrite_init(&rw, 1, 96, 0, 0);
    ngx_webrtc_rewrite_start(&rw, 5000);

    for (i = 0; i < 10; i++) {
        map(5000 + i, 90000 + (uint32_t) i * 3000, NULL);
    }

    next = rw.next;
    last_ts = rw.last_ts;
    rw.pt = 98;

    ngx_webrtc_rewrite_follow(&rw, 7, last_ts - 18000);

    tap_is_int(ngx_webrtc_rewrite_unmap(&rw, (uint16_t) (next - 1), &track,
                                        &out),
               NGX_DECLINED, "what was sent is of another ring");

    bad = 0;
    lost = 0;
    in = last_ts - 18000;

    for (i = 0; i < 60; i++, in += 3000) {

        /* two packets of each picture */

        out = map(7 + i * 2, in, &ts);
        bad += (out != next + i * 2 || (int32_t) (ts - last_ts) <= 0);
        last_ts = ts;

        out = map(8 + i * 2, in, &ts);
        bad += (out != next + i * 2 + 1 || ts != last_ts);

        /* it is ahead, by less and less, and at last it is not */

        bad += ((int32_t) (ts - in) < 0 || (i > 12 && ts != in));

        lost += (ngx_webrtc_rewrite_unmap(&rw, (uint16_t) out, &track, &out)
                 != NGX_OK || track != 8 + i * 2
                 || ngx_webrtc_rewrite_remap(&rw, out, in, &again, &pt)
                    != NGX_OK || again != ts || pt != 98);
    }

    tap_is_int(bad, 0, "numbers go on, and times catch up");
    tap_is_int(lost, 0, "all of it may be sent again, as it was");

    /* one that is ahead needs no such thing */

    next = rw.next;
    ngx_webrtc_rewrite_follow(&rw, 100, last_ts + 3000);
    tap_is_int(map(100, last_ts + 3000, &ts), next, "ahead: goes on");
    tap_is_int(ts, last_ts + 3000, "ahead: its own time");

    /* nothing has been sent yet */

    ngx_webrtc_rewrite_init(&rw, 1, 96, 9, 0);
    ngx_webrtc_rewrite_follow(&rw, 100, 1234);
    tap_is_int(map(100, 1234, &ts), 9, "nothing sent: the first number");
    tap_is_int(ts, 1234, "nothing sent: its own time");
}


/* frames are left out all the time: what was sent can still be looked up */

static void
test_past(void)
{
    uint8_t                     pt;
    uint32_t                    ts;
    uint64_t                    i, out, track;
    ngx_uint_t                  bad, known;
    ngx_webrtc_rewrite_past_t   past[NGX_WEBRTC_REWRITE_PAST];

    memset(past, 0, sizeof(past));

    ngx_webrtc_rewrite_init(&rw, 1, 96, 100, 0);
    ngx_webrtc_rewrite_remember(&rw, past);

    /* frames of two packets, every other one */

    for (i = 0; i < 100; i++) {
        ngx_webrtc_rewrite_jump(&rw, i * 4);
        (void) map(i * 4, (uint32_t) i * 3000, NULL);
        (void) map(i * 4 + 1, (uint32_t) i * 3000, NULL);
    }

    bad = 0;
    known = 0;

    for (i = 0; i < 200; i++) {
        if (ngx_webrtc_rewrite_unmap(&rw, (uint16_t) (100 + i), &track, &out)
            != NGX_OK)
        {
            continue;
        }

        known++;

        bad += (track != i / 2 * 4 + i % 2 || out != 100 + i
                || ngx_webrtc_rewrite_remap(&rw, out,
                                            (uint32_t) (i / 2) * 3000, &ts,
                                            &pt)
                   != NGX_OK
                || ts != i / 2 * 3000 || pt != 96);
    }

    tap_is_int(bad, 0, "what is known is right");
    tap_is_int(known, 2 * (NGX_WEBRTC_REWRITE_PAST
                           + NGX_WEBRTC_REWRITE_SEGMENTS),
               "frames that are known");

    ngx_webrtc_rewrite_forget(&rw);

    tap_is_int(ngx_webrtc_rewrite_unmap(&rw, 299, &track, &out), NGX_DECLINED,
               "and forgotten");

    /* catching up goes on behind a jump */

    ngx_webrtc_rewrite_follow(&rw, 5000, 290000);

    tap_is_int(map(5000, 290000, &ts), 300, "it follows");
    tap_is_int(ts, 297001, "behind what was sent");

    ngx_webrtc_rewrite_jump(&rw, 5010);
    tap_is_int(map(5010, 292000, &ts), 301, "a frame is left out");
    tap_ok(ts > 297001 && ts < 299000, "it still catches up: %u",
           (unsigned) ts);

    ngx_webrtc_rewrite_jump(&rw, 5020);
    (void) map(5020, 310000, &ts);
    tap_is_int(ts, 310000, "it has caught up");

    ngx_webrtc_rewrite_jump(&rw, 5030);
    (void) map(5030, 313000, &ts);
    tap_is_int(ts, 313000, "and stays there");

    ngx_webrtc_rewrite_remember(&rw, NULL);
}


int
main(void)
{
    test_plain();
    test_jumps();
    test_past();

    /* name, first, interval, frames, live, window, frames known again */

    test_replay("short", 1000, 3000, 3, 10, 6000, 13);
    test_replay("one frame", 1000, 3000, 1, 10, 0, 11);
    test_replay("2 s, 30 fps", 0, 3000, 60, 10, 9000, 70);
    test_replay("2 s over the wrap", 0xffff0000, 3000, 60, 10, 9000, 70);
    test_replay("10 s, 60 fps", 0x7ffff000, 1500, 600, 10, 9000, 610);
    test_replay("50 s, 120 fps", 7, 750, 6000, 10, 9000, 6010);
    test_replay("10 min, 10 fps", 7, 9000, 6000, 10, 105451, 6010);

    room = 180000;

    test_replay("in 2 s: 1 s, 30 fps", 1000, 3000, 31, 10, 90000, 41);
    test_replay("in 2 s: 10 s, 60 fps", 7, 1500, 601, 10, 180000, 611);

    room = 0;

    test_replay_edges();
    test_follow();

    tap_diag("sizeof: %d bytes", (int) sizeof(ngx_webrtc_rewrite_t));

    return tap_done();
}
