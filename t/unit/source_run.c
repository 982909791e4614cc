
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Sources over generated files: what comes into the ring, and when.  The files
 * are made with the ffmpeg command line tool, and what is in them is known
 * from how they were made, or from ffprobe.
 */


#include "source_harness.h"
#include "tap.h"

#include <sys/stat.h>


/* bits of expectations */
#define EXACT   1          /* timestamps of video in steps of 3000 */
#define MSEC    2          /* rounded to milliseconds by the container */


typedef struct {
    const char  *name;
    const char  *args;         /* of ffmpeg, after the inputs */
    ngx_uint_t   video;        /* codecs */
    ngx_uint_t   audio;
    ngx_uint_t   channels;
    ngx_uint_t   frames;       /* of 2 s */
    ngx_uint_t   keys;
    ngx_uint_t   packets;      /* of audio, about */
    int32_t      step;         /* of its timestamps */
    ngx_uint_t   flags;
} file_t;


#define X264  "-c:v libx264 -preset ultrafast -g 30 -bf 0 "

static const file_t  files[] = {

    { "av.ts", X264 "-c:a aac -ac 2",
      NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_OPUS, 2, 60, 2, 100, 960,
      EXACT },

    { "av.mp4", X264 "-c:a aac -ac 1",
      NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_OPUS, 1, 60, 2, 100, 960,
      EXACT },

    { "av.flv", X264 "-c:a aac -ac 2",
      NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_OPUS, 2, 60, 2, 100, 960,
      MSEC },

    { "mp3.flv", X264 "-c:a libmp3lame -ac 2",
      NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_OPUS, 2, 60, 2, 100, 960,
      MSEC },

    { "mp2.ts", X264 "-c:a mp2 -ac 2",
      NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_OPUS, 2, 60, 2, 100, 960,
      EXACT },

    { "ac3.ts", X264 "-c:a ac3 -ac 6",
      NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_OPUS, 2, 60, 2, 100, 960,
      EXACT },

    { "opus.ts", X264 "-c:a libopus -ac 2",
      NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_OPUS, 2, 60, 2, 100, 960,
      EXACT },

    { "opus.mkv", X264 "-c:a libopus -ac 2",
      NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_OPUS, 2, 60, 2, 100, 960,
      MSEC },

    { "ulaw.mov", X264 "-c:a pcm_mulaw -ar 8000 -ac 1",
      NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_PCMU, 1, 60, 2, 100, 160,
      EXACT },

    { "alaw.mov", X264 "-c:a pcm_alaw -ar 8000 -ac 1",
      NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_PCMA, 1, 60, 2, 100, 160,
      EXACT },

    { "v.ts", X264 "-an",
      NGX_WEBRTC_CODEC_H264, 0, 0, 60, 2, 0, 0, EXACT },

    { "v.flv", X264 "-an",
      NGX_WEBRTC_CODEC_H264, 0, 0, 60, 2, 0, 0, MSEC },

    { "a.ts", "-vn -c:a aac -ac 2",
      0, NGX_WEBRTC_CODEC_OPUS, 2, 0, 0, 100, 960, 0 },

    { "hevc.ts", "-c:v libx265 -preset ultrafast -x265-params "
      "log-level=none:keyint=30:min-keyint=30:scenecut=0:bframes=0 -an",
      NGX_WEBRTC_CODEC_H265, 0, 0, 60, 2, 0, 0, EXACT },

    { "vp8.webm", "-c:v libvpx -deadline realtime -cpu-used 8 -g 30 "
      "-auto-alt-ref 0 -an",
      NGX_WEBRTC_CODEC_VP8, 0, 0, 60, 2, 0, 0, MSEC },

    { "vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 30 "
      "-auto-alt-ref 0 -an",
      NGX_WEBRTC_CODEC_VP9, 0, 0, 60, 2, 0, 0, MSEC }
};


static char  dir[] = "/tmp/ngx_webrtc_source_XXXXXX";


static int
make(const char *name, const char *args)
{
    char  cmd[2048];

    snprintf(cmd, sizeof(cmd),
             "ffmpeg -nostdin -v error -y "
             "-f lavfi -i testsrc2=size=160x120:rate=30:duration=2 "
             "-f lavfi -i sine=frequency=440:sample_rate=44100:duration=2 "
             "%s %s/%s", args, dir, name);

    return system(cmd) == 0;
}


static char *
path(const char *name)
{
    static char  buf[256];

    snprintf(buf, sizeof(buf), "%s/%s", dir, name);

    return buf;
}


typedef struct {
    ngx_uint_t   n;
    ngx_uint_t   keys;
    uint32_t     first;
    uint32_t     last;
    int32_t      min;
    int32_t      max;
} steps_t;


/* the frames of a track: first packets, and what lies between them */

static steps_t
steps(harness_t *h, ngx_uint_t track)
{
    int32_t            d;
    steps_t            s;
    ngx_uint_t         i;
    harness_packet_t  *p;

    ngx_memzero(&s, sizeof(steps_t));
    s.min = INT32_MAX;
    s.max = INT32_MIN;

    for (i = 0; i < h->n; i++) {
        p = &h->p[i];

        if (p->pkt.track != track || !(p->pkt.flags & NGX_WEBRTC_PKT_FIRST)) {
            continue;
        }

        if (s.n) {
            d = (int32_t) (p->pkt.ts - s.last);
            s.min = ngx_min(s.min, d);
            s.max = ngx_max(s.max, d);

        } else {
            s.first = p->pkt.ts;
        }

        s.keys += (p->pkt.flags & NGX_WEBRTC_PKT_KEY) != 0;
        s.last = p->pkt.ts;
        s.n++;
    }

    return s;
}


/* ms that audio is behind video, both on the line of sender reports */

static int
behind(harness_t *h, uint32_t video, uint32_t audio)
{
    int64_t   now;
    uint32_t  rtp_video, rtp_audio;

    now = (int64_t) ngx_webrtc_time_now();

    if (ngx_webrtc_timeline_at(&h->timeline, 90000, now, &rtp_video) != NGX_OK
        || ngx_webrtc_timeline_at(&h->timeline, 48000, now, &rtp_audio)
           != NGX_OK)
    {
        return 1000000;
    }

    return (int32_t) (audio - rtp_audio) / 48
           - (int32_t) (video - rtp_video) / 90;
}


static void
test_file(const file_t *f)
{
    steps_t                          v, a;
    harness_t                        h;
    ngx_uint_t                       i;
    ngx_webrtc_source_thread_conf_t  conf;

    if (!make(f->name, f->args)) {
        tap_pass("%s: cannot be made here # SKIP", f->name);
        return;
    }

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_thread_conf_t));
    conf.unpaced = 1;
    conf.once = 1;

    harness_init(&h, path(f->name), &conf);

    /* without a thread */

    ngx_webrtc_source_retry_run(h.th);

    tap_is_int(h.ups, 1, "%s: up", f->name);
    tap_is_int(h.downs, 1, "%s: down", f->name);
    tap_is_mem(h.down.text, h.down.len, "end of file", 11, "%s: reason",
               f->name);
    tap_is_int(harness_tracks(&h), (f->video != 0) + (f->audio != 0),
               "%s: tracks", f->name);
    tap_is_int(h.sum.damaged, 0, "%s: nothing damaged", f->name);
    tap_is_int(h.sum.discontinuities, 0, "%s: no discontinuity", f->name);

    i = NGX_WEBRTC_SOURCE_VIDEO;
    ngx_memzero(&v, sizeof(steps_t));

    if (f->video) {
        v = steps(&h, i);

        tap_is_int(h.up.tracks[i].codec, f->video, "%s: video", f->name);
        tap_is_int(h.up.tracks[i].width, 160, "%s: width", f->name);
        tap_is_int(h.up.tracks[i].height, 120, "%s: height", f->name);
        tap_is_int(v.n, f->frames, "%s: frames", f->name);
        tap_is_int(h.sum.frames, f->frames, "%s: frames counted", f->name);
        tap_is_int(v.keys, f->keys, "%s: key frames", f->name);
        tap_is_int(h.sum.keyframes, f->keys, "%s: key frames counted",
                   f->name);

        tap_ok(h.n && (h.p[0].pkt.flags & NGX_WEBRTC_PKT_KEY)
               && (h.p[0].pkt.flags & NGX_WEBRTC_PKT_FIRST)
               && h.p[0].pkt.track == 0,
               "%s: begins with a key frame", f->name);

        /* 33 or 34 ms */

        tap_ok(v.min >= (f->flags & EXACT ? 3000 : 2970)
               && v.max <= (f->flags & EXACT ? 3000 : 3060),
               "%s: video in steps of %d to %d", f->name, v.min, v.max);
    }

    i = NGX_WEBRTC_SOURCE_AUDIO;

    if (f->audio) {
        a = steps(&h, i);

        tap_is_int(h.up.tracks[i].codec, f->audio, "%s: audio", f->name);
        tap_is_int(h.up.tracks[i].channels, f->channels, "%s: channels",
                   f->name);
        tap_ok(a.n + 5 >= f->packets && a.n <= f->packets + 5,
               "%s: %d audio packets", f->name, (int) a.n);
        tap_ok(a.min == f->step && a.max == f->step,
               "%s: audio in steps of %d to %d", f->name, a.min, a.max);

        if (f->video && f->step == 960) {
            tap_ok(abs(behind(&h, v.last, a.last)) <= 80,
                   "%s: video and audio end within %d ms", f->name,
                   behind(&h, v.last, a.last));
        }
    }

    harness_free(&h);
}


static void
test_loop(const char *name, int32_t least, int32_t most)
{
    int                              lag;
    steps_t                          v, a;
    harness_t                        h;
    ngx_webrtc_source_from_t         from;
    ngx_webrtc_source_thread_conf_t  conf;

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_thread_conf_t));
    ngx_memzero(&from, sizeof(ngx_webrtc_source_from_t));
    conf.unpaced = 1;
    conf.from = &from;
    from.loop = 1;

    harness_init(&h, path(name), &conf);
    harness_start(&h);

    tap_ok(harness_wait(&h, &h.n, 1200, 20000), "%s: looped", name);

    (void) harness_stop(&h);

    v = steps(&h, 0);
    a = steps(&h, 1);

    tap_is_int(h.ups, 1, "%s: up once", name);
    tap_is_int(h.downs, 0, "%s: never down", name);
    tap_is_int(h.sum.discontinuities, 0, "%s: no discontinuity", name);
    tap_ok(v.n > 150 && v.keys > 5, "%s: %d frames", name, (int) v.n);
    tap_ok(v.min >= least && v.max <= most,
           "%s: video in steps of %d to %d over the seam", name, v.min, v.max);
    tap_ok(a.min == 960 && a.max == 960,
           "%s: audio in steps of %d to %d over the seam", name, a.min, a.max);

    lag = behind(&h, v.first, a.first);
    tap_ok(abs(behind(&h, v.last, a.last) - lag) < 2000
           && abs(lag) < 100, "%s: first audio %d ms after video", name, lag);

    harness_free(&h);
}


/*
 * A file that was cut without coding it anew: 1.5 s of 2 s, of which the first
 * half a second is needed to decode the rest and not to be seen, in each pass.
 */

static void
test_edit(const char *name, const char *from)
{
    char                             cmd[2048];
    steps_t                          v, a;
    int32_t                          d;
    uint32_t                         first, shown;
    harness_t                        h;
    ngx_uint_t                       i, n;
    ngx_webrtc_source_from_t         up;
    ngx_webrtc_source_thread_conf_t  conf;

    snprintf(cmd, sizeof(cmd), "cd %s && ffmpeg -nostdin -v error -y -ss 0.5 "
             "-i %s -c copy %s", dir, from, name);

    if (system(cmd) != 0) {
        tap_fail("%s: cut", name);
        return;
    }

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_thread_conf_t));
    ngx_memzero(&up, sizeof(ngx_webrtc_source_from_t));
    conf.unpaced = 1;
    conf.from = &up;
    up.loop = 1;

    harness_init(&h, path(name), &conf);
    harness_start(&h);

    tap_ok(harness_wait(&h, &h.n, 800, 20000), "%s: looped", name);

    (void) harness_stop(&h);

    tap_is_int(harness_tracks(&h), 2, "%s: sound, too", name);
    tap_is_int(h.sum.damaged, 0, "%s: nothing damaged", name);
    tap_is_int(h.sum.dropped, 0, "%s: nothing dropped", name);
    tap_is_int(h.sum.clamped, 0, "%s: nothing held back", name);

    v = steps(&h, 0);
    a = steps(&h, 1);

    tap_ok(v.min > 0, "%s: video runs forwards", name);
    tap_ok(a.min == 960 && a.max == 960, "%s: audio in steps of %d to %d",
           name, a.min, a.max);

    /* each pass: 15 frames in a moment, 45 in real time */

    n = 0;
    first = 0;
    shown = 0;

    for (i = 0; i < h.n; i++) {

        if (h.p[i].pkt.track != 0
            || !(h.p[i].pkt.flags & NGX_WEBRTC_PKT_FIRST))
        {
            continue;
        }

        if (n == 0) {
            first = h.p[i].pkt.ts;
        }

        if (n == 15) {
            d = (int32_t) (h.p[i].pkt.ts - first);
            tap_ok(d > 0 && d <= 9000,
                   "%s: 15 frames before the first one that is seen in %d ms",
                   name, d / 90);
            shown = h.p[i].pkt.ts;
            break;
        }

        n++;
    }

    tap_ok(shown && abs(behind(&h, shown, a.first)) <= 50,
           "%s: sound begins %d ms after the picture", name,
           behind(&h, shown, a.first));

    d = (int32_t) (v.last - v.first) / 90;
    n = v.n / 60 * 1500 + v.n % 60 * 34;

    tap_ok(d <= (int32_t) n + 300 && d >= (int32_t) (v.n / 60 * 1500),
           "%s: %d frames in %d ms", name, (int) v.n, d);

    harness_free(&h);
}


/*
 * A multiplex of radio (1), television of 160x120 (7) and of 320x240 (3), in
 * this order; tables of program 7 are missing at the start, as they happen to
 * come later than others on the air.
 */

static int
make_programs(const char *name, ngx_uint_t missing)
{
    FILE        *f;
    char         cmd[2048];
    long         n, i, k;
    u_char      *p;
    ngx_uint_t   pid, pmt;

    snprintf(cmd, sizeof(cmd), "cd %s && ffmpeg -nostdin -v error -y "
             "-f lavfi -i testsrc2=size=160x120:rate=30:duration=2 "
             "-f lavfi -i testsrc2=size=320x240:rate=30:duration=2 "
             "-f lavfi -i sine=frequency=440:sample_rate=44100:duration=2 "
             "-map 2 -map 2 -map 0 -map 2 -map 1 -c:a aac " X264
             "-program program_num=1:st=0:st=1 "
             "-program program_num=7:st=2:st=3 "
             "-program program_num=3:st=4 %s", dir, name);

    if (system(cmd) != 0) {
        return 0;
    }

    f = fopen(path(name), "r+");
    if (f == NULL) {
        return 0;
    }

    fseek(f, 0, SEEK_END);
    n = ftell(f);
    rewind(f);

    p = malloc(n);

    if (fread(p, 1, n, f) != (size_t) n) {
        fclose(f);
        free(p);
        return 0;
    }

    /* libavformat's first PMT has PID 0x1000 and so on, null packets 0x1fff */

    pmt = 0x1001;

    for (i = 0, k = 0; i + 188 <= n && k < (long) missing; i += 188) {
        pid = (p[i + 1] & 0x1f) << 8 | p[i + 2];

        if (pid == pmt) {
            p[i + 1] = 0x1f;
            p[i + 2] = 0xff;
            k++;
        }
    }

    rewind(f);
    (void) !fwrite(p, 1, n, f);
    fclose(f);
    free(p);

    return 1;
}


static void
test_program(const char *what, ngx_uint_t missing, ngx_uint_t program,
    ngx_uint_t width, ngx_uint_t ntracks, const char *log)
{
    steps_t                          v;
    harness_t                        h;
    ngx_webrtc_source_from_t         from;
    ngx_webrtc_source_thread_conf_t  conf;

    if (!make_programs("programs.ts", missing)) {
        tap_fail("program %s: multiplex", what);
        return;
    }

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_thread_conf_t));
    ngx_memzero(&from, sizeof(ngx_webrtc_source_from_t));
    conf.unpaced = 1;
    conf.once = 1;
    conf.from = &from;
    from.program = program;

    harness_init(&h, path("programs.ts"), &conf);

    ngx_webrtc_source_retry_run(h.th);

    if (width == 0) {
        tap_is_int(h.failures, 1, "program %s: fails", what);
        tap_is_mem(h.down.text, h.down.len, log, ngx_strlen(log),
                   "program %s: why", what);
        harness_free(&h);
        return;
    }

    v = steps(&h, 0);

    tap_is_int(h.ups, 1, "program %s: up", what);
    tap_is_int(harness_tracks(&h), ntracks, "program %s: tracks", what);
    tap_is_int(h.up.tracks[0].width, width, "program %s: width", what);
    tap_is_int(v.n, 60, "program %s: frames", what);
    tap_is_mem(h.log.text, h.log.len, log, ngx_strlen(log),
               "program %s: in the log", what);

    harness_free(&h);
}


/* B-frames that nothing refers to, in a fixed pattern: I B B P B B P .. */

static void
test_bframes(const char *name)
{
    char                             cmd[512];
    int                              n, b;
    FILE                            *out;
    steps_t                          v;
    harness_t                        h;
    ngx_webrtc_source_thread_conf_t  conf;

    if (!make(name, "-c:v libx264 -preset ultrafast -x264-params bframes=2:"
                    "b-adapt=0:b-pyramid=none:scenecut=0:keyint=30 -an"))
    {
        tap_pass("%s: cannot be made here # SKIP", name);
        return;
    }

    snprintf(cmd, sizeof(cmd), "ffprobe -v error -show_entries "
             "frame=pict_type -of csv=p=0 %s | grep -c B", path(name));

    b = -1;
    out = popen(cmd, "r");

    if (out == NULL || fscanf(out, "%d", &b) != 1) {
        b = -1;
    }

    if (out) {
        pclose(out);
    }

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_thread_conf_t));
    conf.unpaced = 1;
    conf.once = 1;

    harness_init(&h, path(name), &conf);
    ngx_webrtc_source_retry_run(h.th);

    v = steps(&h, 0);
    n = v.n;

    tap_is_int(h.sum.dropped, b, "%s: B-frames dropped", name);
    tap_is_int(n + b, 60, "%s: the others are there", name);
    tap_is_int(h.sum.clamped, 0, "%s: none held back", name);
    tap_ok(v.min > 0, "%s: time runs forwards, by %d to %d", name, v.min,
           v.max);
    tap_is_int(h.logs, 1, "%s: said once", name);

    if (h.logs) {
        tap_is_int(h.log.level, NGX_LOG_WARN, "%s: as a warning", name);
    }

    harness_free(&h);
}


/* real time: two frames are as far apart as their timestamps say */

static void
test_pace(const char *name)
{
    int64_t                          d, early, late;
    harness_t                        h;
    ngx_uint_t                       i;
    harness_packet_t                *p, *first;

    harness_init(&h, path(name), NULL);
    harness_start(&h);

    tap_ok(harness_wait(&h, &h.downs, 1, 10000), "%s: played", name);

    (void) harness_stop(&h);

    first = NULL;
    early = 0;
    late = 0;

    for (i = 0; i < h.n; i++) {

        p = &h.p[i];

        if (p->pkt.track || !(p->pkt.flags & NGX_WEBRTC_PKT_FIRST)) {
            continue;
        }

        if (first == NULL) {
            first = p;
        }

        d = (int64_t) (p->us - first->us)
            - (int64_t) (p->pkt.ts - first->pkt.ts) * 100 / 9;

        early = ngx_min(early, d);
        late = ngx_max(late, d);
    }

    tap_ok(h.up_us < 500000, "%s: up after %d ms", name,
           (int) (h.up_us / 1000));

    /* what a loaded machine may add is not ours; to be early is */

    tap_ok(early > -15000, "%s: at most %d us early", name, (int) -early);
    tap_ok(late < 500000, "%s: at most %d us late", name, (int) late);

    harness_free(&h);
}


/* the same numbers every time; constants of Numerical Recipes */

static uint32_t
next(uint32_t *rnd)
{
    *rnd = *rnd * 1664525 + 1013904223;

    return *rnd >> 8;
}


/* bits flipped, pieces cut out */

static void
test_broken(const char *name, ngx_uint_t rounds)
{
    FILE                            *f;
    size_t                           n, size, pos, len;
    u_char                          *good, *bad;
    uint32_t                         rnd;
    harness_t                        h;
    ngx_uint_t                       i, j, ended, played;
    struct stat                      st;
    ngx_webrtc_source_thread_conf_t  conf;

    f = fopen(path(name), "r");

    if (f == NULL || fstat(fileno(f), &st) != 0) {
        tap_fail("%s: there", name);
        return;
    }

    size = st.st_size;
    good = malloc(size);
    bad = malloc(size);

    n = fread(good, 1, size, f);
    fclose(f);

    tap_is_int(n, size, "%s: read", name);

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_thread_conf_t));
    conf.unpaced = 1;
    conf.once = 1;

    rnd = 12345;
    ended = 0;
    played = 0;

    for (i = 0; i < rounds; i++) {

        ngx_memcpy(bad, good, size);
        n = size;

        for (j = 0; j < 1 + i * 4; j++) {
            pos = next(&rnd) % n;
            bad[pos] ^= 1 << (next(&rnd) % 8);
        }

        for (j = 0; j < i % 4; j++) {
            pos = next(&rnd) % n;
            len = next(&rnd) % (n - pos);
            len = ngx_min(len, n / 8);
            ngx_memmove(bad + pos, bad + pos + len, n - pos - len);
            n -= len;
        }

        f = fopen(path("broken"), "w");
        (void) !fwrite(bad, 1, n, f);
        fclose(f);

        harness_init(&h, path("broken"), &conf);
        ngx_webrtc_source_retry_run(h.th);

        ended += h.downs + h.failures;
        played += (h.sum.packets > 0);

        harness_free(&h);
    }

    tap_is_int(ended, rounds, "%s: all broken ones end", name);
    tap_ok(played > 0, "%s: %d of %d give something", name, (int) played,
           (int) rounds);

    free(good);
    free(bad);
}


/* pictures that no browser has room for */

static void
test_large(const char *name)
{
    harness_t                        h;
    ngx_webrtc_source_thread_conf_t  conf;

    char  cmd[512];

    snprintf(cmd, sizeof(cmd), "ffmpeg -nostdin -v error -y -f lavfi "
             "-i testsrc2=size=1920x1080 -vf noise=alls=100:allf=t "
             "-frames:v 2 -c:v libx264 -preset ultrafast -qp 1 %s",
             path(name));

    if (system(cmd) != 0) {
        tap_fail("%s: made", name);
        return;
    }

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_thread_conf_t));
    conf.unpaced = 1;
    conf.once = 1;

    harness_init(&h, path(name), &conf);

    ngx_webrtc_source_retry_run(h.th);

    tap_ok(h.sum.packets > 2 * 2048, "large pictures: of %d packets",
           (int) h.sum.packets / 2);
    tap_is_int(h.logs, 1, "large pictures: said once");
    tap_is_int(h.log.level, NGX_LOG_WARN, "large pictures: as a warning");
    tap_ok(memmem(h.log.text, h.log.len, "more than 2048", 14) != NULL,
           "large pictures: \"%.*s\"", (int) h.log.len, h.log.text);

    harness_free(&h);
}


int
main(void)
{
    char        cmd[256];
    ngx_uint_t  i;

    if (system("ffmpeg -version > /dev/null 2>&1") != 0) {
        return tap_skip_all("no ffmpeg");
    }

    if (mkdtemp(dir) == NULL) {
        return tap_skip_all("no directory");
    }

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        test_file(&files[i]);
    }

    /* audio of AAC is a little longer than video: that much is the seam */

    test_loop("av.ts", 3000, 3000 + 90 * 100);
    test_loop("av.mp4", 3000, 3000 + 90 * 100);
    test_loop("av.flv", 2970, 3060 + 90 * 100);
    test_loop("opus.mkv", 2970, 3060 + 90 * 100);

    test_program("first", 0, 0, 160, 2, "plays program 7 of 1, 7, 3");
    test_program("first, late", 6, 0, 160, 2, "plays program 7 of 1, 7, 3");
    test_program("first, never", 999, 0, 320, 1, "plays program 3 of 1, 7, 3");
    test_program("3", 6, 3, 320, 1, "plays program 3 of 1, 7, 3");
    test_program("9", 0, 9, 0, 0, "no such program: program 9 of 1, 7, 3");

    make("full.mp4", "-c:v libx264 -preset ultrafast -g 250 -bf 0 -c:a aac");
    test_edit("cut.mp4", "full.mp4");

    test_bframes("b.ts");
    test_bframes("b.mp4");

    test_pace("av.ts");

    test_large("noise.mp4");

    test_broken("av.ts", 30);
    test_broken("av.flv", 10);
    test_broken("av.mp4", 10);

    snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
    (void) !system(cmd);

    return tap_done();
}
