
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Access units out of packets of any shape.  The streams are made with the
 * ffmpeg command line tool; where their access units end, and their times, are
 * what ffprobe says of them.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdlib.h>
#include <sys/stat.h>

#include "ngx_webrtc_source_unit.h"
#include "tap.h"


#define UNITS  256
#define NONE   AV_NOPTS_VALUE

#define nelts(a)  (sizeof(a) / sizeof(a[0]))


typedef struct {
    const char      *name;
    const char      *args;
    enum AVCodecID   id;

    u_char          *p;
    size_t           size;
    ngx_uint_t       n;
    size_t           end[UNITS];
    int64_t          pts[UNITS];
    int64_t          dts[UNITS];
} stream_t;


#define X265  "-c:v libx265 -preset ultrafast -x265-params "                  \
              "log-level=none:keyint=30:min-keyint=30:scenecut=0:bframes="

static stream_t  streams[] = {
    { "h264", "-c:v libx264 -preset ultrafast -g 30", AV_CODEC_ID_H264,
      NULL, 0, 0, { 0 }, { 0 }, { 0 } },
    { "slices", "-c:v libx264 -preset ultrafast -g 30 -x264-params slices=4",
      AV_CODEC_ID_H264, NULL, 0, 0, { 0 }, { 0 }, { 0 } },
    { "bframes", "-c:v libx264 -preset veryfast -bf 3 -g 30 "
      "-x264-params b-adapt=0:b-pyramid=normal:scenecut=0", AV_CODEC_ID_H264,
      NULL, 0, 0, { 0 }, { 0 }, { 0 } },
    { "mbaff", "-c:v libx264 -preset veryfast -bf 0 -g 30 "
      "-flags +ildct+ilme", AV_CODEC_ID_H264,
      NULL, 0, 0, { 0 }, { 0 }, { 0 } },
    { "hevc", X265 "0", AV_CODEC_ID_HEVC, NULL, 0, 0, { 0 }, { 0 }, { 0 } },
    { "hevcb", X265 "3", AV_CODEC_ID_HEVC, NULL, 0, 0, { 0 }, { 0 }, { 0 } },
};


/* how the stream is cut into packets */
typedef struct {
    const char               *name;
    size_t                    bytes;     /* each as long, or */
    ngx_uint_t                units;     /* as many units in each */
    ngx_uint_t                parts;     /* or a unit in as many */
    size_t                    late;      /* cut that many bytes later */
    ngx_uint_t                alone;     /* so many are one unit each first */
    ngx_uint_t                live;
    ngx_webrtc_source_unit_e  end;       /* state in which it ends */
    ngx_uint_t                all;       /* 0: one unit is broken */
    ngx_uint_t                any;       /* times: there is just one */
} shape_t;


#define CHECK   NGX_WEBRTC_SOURCE_UNIT_CHECK
#define DIRECT  NGX_WEBRTC_SOURCE_UNIT_DIRECT
#define SPLIT   NGX_WEBRTC_SOURCE_UNIT_SPLIT

static const shape_t  shapes[] = {
    { "one each", 0, 1, 0, 0, 0, 0, CHECK, 1, 0 },
    { "one each, live", 0, 1, 0, 0, 0, 1, DIRECT, 1, 0 },
    { "two each", 0, 2, 0, 0, 0, 0, SPLIT, 1, 0 },
    { "fifteen each", 0, 15, 0, 0, 0, 0, SPLIT, 1, 0 },
    { "all in one", 0, 1000, 0, 0, 0, 0, SPLIT, 1, 1 },
    { "halves", 0, 0, 2, 0, 0, 0, SPLIT, 1, 0 },
    { "thirds, live", 0, 0, 3, 0, 0, 1, SPLIT, 1, 0 },
    { "in the middle of a NAL unit", 0, 1, 0, 100, 0, 0, SPLIT, 1, 0 },
    { "in a start code", 0, 1, 0, 2, 0, 0, SPLIT, 1, 0 },
    { "behind a start code", 0, 1, 0, 4, 0, 0, SPLIT, 1, 0 },
    { "in the type of a slice", 0, 1, 0, 5, 0, 0, SPLIT, 1, 0 },
    { "4000 bytes each", 4000, 0, 0, 0, 0, 0, SPLIT, 1, 0 },
    { "184 bytes each", 184, 0, 0, 0, 0, 0, SPLIT, 1, 0 },
    { "40 bytes each", 40, 0, 0, 0, 0, 0, SPLIT, 1, 0 },
    { "60 one each, then halves", 0, 0, 2, 0, 60, 0, SPLIT, 1, 0 },
    { "60 one each, then halves, live", 0, 0, 2, 0, 60, 1, SPLIT, 0, 0 },
    { "60 one each, then two, live", 0, 2, 0, 0, 60, 1, SPLIT, 1, 0 },
};


typedef struct {
    stream_t    *s;
    ngx_uint_t   quiet;
    ngx_uint_t   n;            /* came out */
    ngx_uint_t   bytes;        /* of them as they should be */
    ngx_uint_t   times;        /* and times */
    int64_t      dts;
    ngx_uint_t   back;         /* dts that ran back */
} result_t;


static char  dir[] = "/tmp/ngx_webrtc_unit_XXXXXX";


static int
out(void *ctx, AVPacket *pkt, int64_t pts, int64_t dts, int64_t duration)
{
    size_t      from;
    stream_t   *s;
    result_t   *r = ctx;
    ngx_uint_t  i;

    (void) duration;

    s = r->s;

    for (i = r->n; i < s->n; i++) {

        from = i ? s->end[i - 1] : 0;

        if ((size_t) pkt->size == s->end[i] - from
            && ngx_memcmp(pkt->data, s->p + from, pkt->size) == 0)
        {
            break;
        }
    }

    if (i < s->n) {
        r->bytes++;
        r->times += (pts == s->pts[i] && dts == s->dts[i]);

        if (!r->quiet && (pts != s->pts[i] || dts != s->dts[i])) {
            tap_diag("unit %d: pts %lld for %lld, dts %lld for %lld", (int) i,
                     (long long) pts, (long long) s->pts[i], (long long) dts,
                     (long long) s->dts[i]);
        }
    }

    r->back += (r->n && dts <= r->dts);
    r->dts = dts;
    r->n++;

    av_packet_unref(pkt);

    return 0;
}


static int
load(stream_t *s)
{
    char         cmd[2048];
    FILE        *f;
    size_t       n, sum;
    long long    pts, dts;
    struct stat  st;

    /* the second stands in front of every packet of the first */

    snprintf(cmd, sizeof(cmd),
             "cd %s && ffmpeg -nostdin -v error -y -f lavfi -i "
             "testsrc2=size=160x120:rate=30:duration=3 %s -threads 1 -an x.ts "
             "&& ffmpeg -nostdin -v error -y -i x.ts -c copy -f %s x.es "
             "&& ffprobe -v error -show_entries packet=pts,dts,size "
             "-of csv=p=0 x.ts | grep . > x.txt",
             dir, s->args, s->id == AV_CODEC_ID_H264 ? "h264" : "hevc");

    if (system(cmd) != 0) {
        return 0;
    }

    snprintf(cmd, sizeof(cmd), "%s/x.es", dir);

    f = fopen(cmd, "r");
    if (f == NULL || fstat(fileno(f), &st) != 0) {
        return 0;
    }

    s->size = st.st_size;
    s->p = malloc(s->size);

    if (fread(s->p, 1, s->size, f) != s->size) {
        return 0;
    }

    fclose(f);

    snprintf(cmd, sizeof(cmd), "%s/x.txt", dir);

    f = fopen(cmd, "r");
    sum = 0;

    while (f && s->n < UNITS
           && fscanf(f, "%lld,%lld,%zu%*[^\n]", &pts, &dts, &n) == 3)
    {
        s->pts[s->n] = pts;
        s->dts[s->n] = dts;
        sum += n;
        s->end[s->n] = sum;

        if (s->id == AV_CODEC_ID_HEVC && sum < s->size) {
            /* ffprobe counts the zero_byte to the unit before */
            s->end[s->n]--;
        }

        s->n++;
    }

    if (f) {
        fclose(f);
    }

    return s->n == 90 && s->end[s->n - 1] == s->size;
}


static ngx_uint_t
put(ngx_webrtc_source_unit_t *u, stream_t *s, size_t from, size_t to)
{
    int         rc;
    AVPacket   *pkt;
    ngx_uint_t  i;

    pkt = av_packet_alloc();

    if (pkt == NULL || av_new_packet(pkt, to - from) < 0) {
        abort();
    }

    ngx_memcpy(pkt->data, s->p + from, to - from);

    /* the first unit that begins in it */

    for (i = 0; i < s->n && (i ? s->end[i - 1] : 0) < from; i++) { /* void */ }

    if (i < s->n && (i ? s->end[i - 1] : 0) < to) {
        rc = ngx_webrtc_source_unit_put(u, pkt, s->pts[i], s->dts[i], 0);

    } else {
        rc = ngx_webrtc_source_unit_put(u, pkt, NONE, NONE, 0);
    }

    av_packet_free(&pkt);

    return rc == 0;
}


/* where the packet ends that begins at from, in or with unit i */

static size_t
packet_end(stream_t *s, const shape_t *shape, size_t from, ngx_uint_t i)
{
    size_t  start, end, len;

    start = i ? s->end[i - 1] : 0;

    if (i < shape->alone) {
        return s->end[i];
    }

    if (shape->bytes) {
        return from + shape->bytes;
    }

    if (shape->parts) {
        len = (s->end[i] - start + shape->parts - 1) / shape->parts;

        for (end = start + len; end <= from; end += len) { /* void */ }

        return ngx_min(end, s->end[i]);
    }

    return s->end[ngx_min(i + shape->units, s->n) - 1] + shape->late;
}


static void
test_shape(stream_t *s, const shape_t *shape)
{
    size_t                    from, to;
    ngx_int_t                 lost;
    result_t                  r;
    ngx_uint_t                i, ok;
    AVCodecParameters        *par;
    ngx_webrtc_source_unit_t  u;

    ngx_memzero(&u, sizeof(u));
    ngx_memzero(&r, sizeof(r));
    r.s = s;
    r.quiet = shape->any;

    par = avcodec_parameters_alloc();
    par->codec_type = AVMEDIA_TYPE_VIDEO;
    par->codec_id = s->id;

    ngx_webrtc_source_unit_init(&u, par, CHECK, shape->live, out, &r);

    ok = 1;
    i = 0;

    for (from = 0; from < s->size; from = to) {

        while (s->end[i] <= from) {
            i++;
        }

        to = ngx_min(packet_end(s, shape, from, i), s->size);
        ok &= put(&u, s, from, to);
    }

    tap_is_int(u.state, shape->end, "%s, %s: state", s->name, shape->name);

    ok &= (ngx_webrtc_source_unit_drain(&u) == 0);

    lost = shape->all ? 0 : 1;

    tap_ok(ok, "%s, %s: no failure", s->name, shape->name);
    tap_is_int(r.n, s->n, "%s, %s: units", s->name, shape->name);
    tap_is_int(r.bytes, s->n - lost, "%s, %s: whole", s->name, shape->name);
    tap_is_int(r.times, shape->any ? 1 : s->n - lost, "%s, %s: times", s->name,
               shape->name);
    tap_is_int(r.back, 0, "%s, %s: dts that run back", s->name, shape->name);
    tap_is_int(u.damaged, 2 * lost, "%s, %s: damaged", s->name, shape->name);

    ngx_webrtc_source_unit_close(&u);
    avcodec_parameters_free(&par);
}


/* NAL units of their own, as from RTP; every third is 2 ms late */

static void
test_time(stream_t *s)
{
    size_t                    from, to;
    int64_t                   pts;
    result_t                  r;
    AVPacket                 *pkt;
    ngx_uint_t                i, n;
    AVCodecParameters        *par;
    ngx_webrtc_source_unit_t  u;

    ngx_memzero(&u, sizeof(u));
    ngx_memzero(&r, sizeof(r));
    r.s = s;

    par = avcodec_parameters_alloc();
    par->codec_id = s->id;

    ngx_webrtc_source_unit_init(&u, par, NGX_WEBRTC_SOURCE_UNIT_TIME, 1, out,
                                &r);

    i = 0;
    n = 0;

    for (from = 0; from < s->size; from = to) {

        while (s->end[i] <= from) {
            i++;
        }

        for (to = from + 4; to < s->end[i]; to++) {
            if (s->end[i] - to > 4
                && ngx_memcmp(s->p + to, "\0\0\0\1", 4) == 0)
            {
                break;
            }
        }

        pkt = av_packet_alloc();

        if (pkt == NULL || av_new_packet(pkt, to - from) < 0) {
            abort();
        }

        ngx_memcpy(pkt->data, s->p + from, to - from);

        pts = s->pts[i];

        if (from != (i ? s->end[i - 1] : 0)
            && !ngx_webrtc_unit_begins(s->id == AV_CODEC_ID_HEVC, pkt->data,
                                       pkt->size))
        {
            pts += (++n % 3) ? 0 : 180;
        }

        if (ngx_webrtc_source_unit_put(&u, pkt, pts, s->dts[i], 0) != 0) {
            abort();
        }

        av_packet_free(&pkt);
    }

    (void) ngx_webrtc_source_unit_drain(&u);

    tap_is_int(r.n, s->n, "%s, by time: units", s->name);
    tap_is_int(r.bytes, s->n, "%s, by time: whole", s->name);
    tap_is_int(r.times, s->n, "%s, by time: times", s->name);
    tap_is_int(u.damaged, 0, "%s, by time: damaged", s->name);

    ngx_webrtc_source_unit_close(&u);
    avcodec_parameters_free(&par);
}


/* a packet is missing now and then: what comes out is whole */

static void
test_lost(stream_t *s)
{
    size_t                    from, to;
    result_t                  r;
    ngx_uint_t                n;
    AVCodecParameters        *par;
    ngx_webrtc_source_unit_t  u;

    ngx_memzero(&u, sizeof(u));
    ngx_memzero(&r, sizeof(r));
    r.s = s;
    r.quiet = 1;

    par = avcodec_parameters_alloc();
    par->codec_id = s->id;

    ngx_webrtc_source_unit_init(&u, par, CHECK, 1, out, &r);

    n = 0;

    for (from = 0; from < s->size; from = to) {

        to = ngx_min(from + 1000, s->size);

        if (++n % 20 == 0) {
            ngx_webrtc_source_unit_lost(&u);

        } else if (!put(&u, s, from, to)) {
            abort();
        }
    }

    (void) ngx_webrtc_source_unit_drain(&u);

    tap_ok(r.n >= s->n - 3 * n / 20 - 3 && r.n < s->n,
           "%s, with losses: %d of %d units", s->name, (int) r.n, (int) s->n);
    tap_is_int(r.bytes, r.n, "%s, with losses: all whole", s->name);

    ngx_webrtc_source_unit_close(&u);
    avcodec_parameters_free(&par);
}


/* what no encoder makes is left out, and takes no time and no memory */

static void
test_hostile(void)
{
    int                       i, k;
    result_t                  r;
    stream_t                  s;
    AVPacket                 *pkt;
    AVCodecParameters        *par;
    ngx_webrtc_source_unit_t  u;

    ngx_memzero(&u, sizeof(u));
    ngx_memzero(&r, sizeof(r));
    ngx_memzero(&s, sizeof(s));
    r.s = &s;

    par = avcodec_parameters_alloc();
    par->codec_id = AV_CODEC_ID_H264;

    ngx_webrtc_source_unit_init(&u, par, CHECK, 1, out, &r);

    for (k = 0; k < 24; k++) {

        pkt = av_packet_alloc();

        if (pkt == NULL || av_new_packet(pkt, 1024 * 1024) < 0) {
            abort();
        }

        /* first slices of 2 bytes; from 8 MiB on a picture without an end */

        ngx_memset(pkt->data, 0xff, pkt->size);

        for (i = 0; i + 5 <= pkt->size && k < 8; i += 5) {
            ngx_memcpy(pkt->data + i, "\0\0\1\x41\xe0", 5);
        }

        if (ngx_webrtc_source_unit_put(&u, pkt, k * 3000, k * 3000, 0) != 0) {
            abort();
        }

        av_packet_free(&pkt);
    }

    tap_ok(r.n > 0 && r.n <= 8 * 512, "%d units of 2 bytes", (int) r.n);
    tap_ok(u.damaged > 0, "the rest is left out");
    tap_ok(u.size <= 16 * 1024 * 1024, "%d bytes are kept", (int) u.size);

    ngx_webrtc_source_unit_close(&u);
    avcodec_parameters_free(&par);
}


int
main(void)
{
    char        cmd[256];
    ngx_uint_t  i, k;

    if (system("ffmpeg -version > /dev/null 2>&1") != 0) {
        return tap_skip_all("no ffmpeg");
    }

    if (mkdtemp(dir) == NULL) {
        return tap_skip_all("no directory");
    }

    av_log_set_level(AV_LOG_QUIET);

    for (i = 0; i < nelts(streams); i++) {

        if (!load(&streams[i])) {
            tap_fail("%s: made", streams[i].name);
            continue;
        }

        for (k = 0; k < nelts(shapes); k++) {
            test_shape(&streams[i], &shapes[k]);
        }

        test_time(&streams[i]);
        test_lost(&streams[i]);

        free(streams[i].p);
    }

    test_hostile();

    snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
    (void) !system(cmd);

    return tap_done();
}
