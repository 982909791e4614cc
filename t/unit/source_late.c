
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Tracks that come late: after seconds of the other one, in another version of
 * the PMT, or a whole segment behind it.  The files are made with the ffmpeg
 * command line tool.
 */


#include "source_harness.h"
#include "tap.h"

#include <time.h>


#define SOURCES                                                               \
    "-f lavfi -i testsrc2=size=160x120:rate=30:duration=14 "                  \
    "-f lavfi -i sine=frequency=440:sample_rate=44100:duration=14 "           \
    "-c:v libx264 -preset ultrafast -bf 0 -sc_threshold 0 -c:a aac "

#define FFMPEG  "ffmpeg -nostdin -v error -y "


typedef struct {
    const char  *name;
    const char  *cmd;          /* run in the directory */
    ngx_uint_t   frames;       /* of video */
    ngx_uint_t   packets;      /* of audio, at least */
    ngx_uint_t   ups;
    ngx_uint_t   flags;        /* of audio, when it is up */
} late_t;


static const late_t  lates[] = {

    /* all video of a fragment comes before all of its audio */

    { "six.m3u8", FFMPEG SOURCES "-g 180 -f hls -hls_segment_type fmp4 "
      "-hls_time 6 -hls_list_size 0 -hls_fmp4_init_filename six.mp4 six.m3u8",
      420, 650, 1, 0 },

    { "two.m3u8", FFMPEG SOURCES "-g 60 -f hls -hls_segment_type fmp4 "
      "-hls_time 2 -hls_list_size 0 -hls_fmp4_init_filename two.mp4 two.m3u8",
      420, 650, 1, 0 },

    { "frag.mp4", FFMPEG SOURCES "-g 300 -movflags "
      "frag_keyframe+empty_moov+default_base_moof frag.mp4",
      420, 650, 1, 0 },

    /* version 1 of the PMT has audio; of the same program */

    { "pmt.ts", FFMPEG SOURCES "-g 30 -f mpegts -t 6 -an v0.ts && "
      FFMPEG "-f lavfi -i testsrc2=size=160x120:rate=30:duration=8 "
      "-f lavfi -i sine=frequency=440:sample_rate=44100:duration=8 "
      "-c:v libx264 -preset ultrafast -bf 0 -g 30 -c:a aac -f mpegts "
      "-tables_version 1 -output_ts_offset 6 v1.ts && cat v0.ts v1.ts > pmt.ts",
      420, 370, 1, 0 },

    /* and the other way round */

    { "radio.ts", FFMPEG SOURCES "-g 30 -f mpegts -t 6 -vn "
      "-mpegts_start_pid 257 a0.ts && "
      FFMPEG "-f lavfi -i testsrc2=size=160x120:rate=30:duration=8 "
      "-f lavfi -i sine=frequency=440:sample_rate=44100:duration=8 "
      "-c:v libx264 -preset ultrafast -bf 0 -g 30 -c:a aac -f mpegts "
      "-tables_version 1 -output_ts_offset 6 a1.ts && "
      "cat a0.ts a1.ts > radio.ts",
      240, 600, 1, 0 },

    /* and with other PIDs: the track goes on */

    { "moved.ts", FFMPEG SOURCES "-g 30 -f mpegts -t 6 m0.ts && "
      FFMPEG "-f lavfi -i testsrc2=size=160x120:rate=30:duration=8 "
      "-f lavfi -i sine=frequency=440:sample_rate=44100:duration=8 "
      "-c:v libx264 -preset ultrafast -bf 0 -g 30 -c:a aac -f mpegts "
      "-tables_version 1 -mpegts_start_pid 400 -output_ts_offset 6 m1.ts && "
      "cat m0.ts m1.ts > moved.ts", 420, 650, 1, 0 },

    /* nor is it known what comes in the rest of it, or nothing more */

    { "long.ts", FFMPEG "-f lavfi -i testsrc2=size=160x120:rate=30:duration=24 "
      "-c:v libx264 -preset ultrafast -bf 0 -g 30 -f mpegts long.ts",
      720, 0, 1, NGX_WEBRTC_TRACK_PENDING|NGX_WEBRTC_TRACK_GUESSED },

    { "short.ts", FFMPEG "-f lavfi -i testsrc2=size=160x120:rate=30:duration=4 "
      "-c:v libx264 -preset ultrafast -bf 0 -g 30 -f mpegts short.ts",
      120, 0, 1, 0 },

    { NULL, NULL, 0, 0, 0, 0 }
};


static char  dir[] = "/tmp/ngx_webrtc_source_XXXXXX";


/*
 * The most that a packet's media time is before that of the newest packet of
 * the other track, in ms: all leave at once here, so that the order in which
 * they do is what counts.
 */

static int
apart(harness_t *h)
{
    int                d, most;
    int64_t            now, at[NGX_WEBRTC_SOURCE_TRACKS];
    uint32_t           line[NGX_WEBRTC_SOURCE_TRACKS];
    ngx_uint_t         i, t, set;
    harness_packet_t  *p;

    now = (int64_t) ngx_webrtc_time_now();
    most = 0;
    set = 0;

    (void) ngx_webrtc_timeline_at(&h->timeline, 90000, now, &line[0]);
    (void) ngx_webrtc_timeline_at(&h->timeline, 48000, now, &line[1]);

    for (i = 0; i < h->n; i++) {
        p = &h->p[i];
        t = p->pkt.track;

        at[t] = (int32_t) (p->pkt.ts - line[t])
                / (t == NGX_WEBRTC_SOURCE_VIDEO ? 90 : 48);
        set |= 1 << t;

        /* the end of one track alone is that of the file */

        if (set == 3) {
            d = (int) (at[1 - t] - at[t]);
            most = ngx_max(most, d);
        }
    }

    return most;
}


static ngx_uint_t
count(harness_t *h, ngx_uint_t track)
{
    ngx_uint_t  i, n;

    for (i = 0, n = 0; i < h->n; i++) {
        n += h->p[i].pkt.track == track
             && (h->p[i].pkt.flags & NGX_WEBRTC_PKT_FIRST);
    }

    return n;
}


static void
test_late(const late_t *l)
{
    int                              ms;
    char                             cmd[4096];
    harness_t                        h;
    ngx_uint_t                       n;
    ngx_webrtc_track_t              *audio;
    ngx_webrtc_source_thread_conf_t  conf;

    snprintf(cmd, sizeof(cmd), "cd %s && { %s; }", dir, l->cmd);

    if (system(cmd) != 0) {
        tap_fail("%s: made", l->name);
        return;
    }

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_thread_conf_t));
    conf.unpaced = 1;
    conf.once = 1;

    snprintf(cmd, sizeof(cmd), "%s/%s", dir, l->name);

    harness_init(&h, cmd, &conf);
    ngx_webrtc_source_retry_run(h.th);

    tap_is_int(h.ups, l->ups, "%s: up, and again with what is late", l->name);
    tap_is_int(harness_tracks(&h), 1 + (l->packets != 0),
               "%s: tracks in the end", l->name);
    tap_is_int(h.up.tracks[NGX_WEBRTC_SOURCE_VIDEO].kind, NGX_WEBRTC_VIDEO,
               "%s: video has its place", l->name);

    audio = &h.first.tracks[NGX_WEBRTC_SOURCE_AUDIO];

    tap_is_int(audio->flags, l->flags, "%s: what was told of audio", l->name);
    tap_is_int(audio->codec, l->packets || l->flags ? NGX_WEBRTC_CODEC_OPUS : 0,
               "%s: and its codec", l->name);

    n = count(&h, NGX_WEBRTC_SOURCE_VIDEO);
    tap_ok(n >= l->frames - 2 && n <= l->frames, "%s: %d of %d frames",
           l->name, (int) n, (int) l->frames);

    n = count(&h, NGX_WEBRTC_SOURCE_AUDIO);
    tap_ok(n >= l->packets, "%s: %d packets of audio", l->name, (int) n);

    ms = apart(&h);
    tap_ok(ms <= 100, "%s: leave within %d ms", l->name, ms);

    tap_is_int(h.sum.discontinuities, 0, "%s: one time", l->name);

    harness_free(&h);
}


int
main(void)
{
    char           cmd[256];
    const late_t  *l;

    if (system("ffmpeg -version > /dev/null 2>&1") != 0) {
        return tap_skip_all("no ffmpeg");
    }

    if (mkdtemp(dir) == NULL) {
        return tap_skip_all("no directory");
    }

    for (l = lates; l->name; l++) {
        test_late(l);
    }

    snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
    (void) !system(cmd);

    return tap_done();
}
