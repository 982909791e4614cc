
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Transcoding of video: pictures that are made here are encoded by FFmpeg in
 * ways that browsers cannot play, transcoded, decoded, and compared.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdlib.h>

#include <libavutil/log.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_video.h"
#include "tap.h"
#include "video_make.h"


typedef struct {
    stream_t      out;
    ngx_uint_t    said;
    ngx_uint_t    failed;
    char          text[256];
    ngx_uint_t    most;               /* NGX_ABORT after these */
} sink_t;


static ngx_int_t
sink_out(void *ctx, u_char *data, size_t n, int64_t ts, ngx_uint_t key)
{
    sink_t  *sink = ctx;

    stream_add(&sink->out, data, n, ts, key);

    return (sink->out.n == sink->most) ? NGX_ABORT : NGX_OK;
}


static void
sink_say(void *ctx, ngx_uint_t failed, ngx_uint_t level, const char *text)
{
    sink_t  *sink = ctx;

    (void) level;

    sink->said++;
    sink->failed += failed;
    snprintf(sink->text, sizeof(sink->text), "%s", text);
}


static ngx_webrtc_video_t *
video(sink_t *sink, ngx_webrtc_media_transcode_t *want)
{
    ngx_webrtc_video_conf_t  conf;

    memset(sink, 0, sizeof(sink_t));
    memset(&conf, 0, sizeof(conf));

    conf.want = *want;
    conf.out = sink_out;
    conf.say = sink_say;
    conf.ctx = sink;

    if (conf.want.codec == 0) {
        conf.want.codec = NGX_WEBRTC_CODEC_H264;
    }

    if (conf.want.hw.len == 0) {
        ngx_str_set(&conf.want.hw, "none");
    }

    return ngx_webrtc_video_create(&conf);
}


static ngx_int_t
put(ngx_webrtc_video_t *v, ngx_uint_t type, ngx_uint_t value, u_char *data,
    size_t n, int64_t ts, uint64_t sent_us, uint64_t now_us)
{
    ngx_webrtc_media_record_t  r;

    memset(&r, 0, sizeof(r));

    r.type = type;
    r.track = NGX_WEBRTC_MEDIA_VIDEO;
    r.value = value;
    r.ts = ts;
    r.now_us = sent_us;
    r.data = data;
    r.len = n;

    return ngx_webrtc_video_record(v, &r, now_us);
}


static void
begin(ngx_webrtc_video_t *v, ngx_uint_t codec, ngx_uint_t cvo)
{
    (void) put(v, NGX_WEBRTC_MEDIA_BEGIN, 0, NULL, 0, 0, 0, 0);
    (void) put(v, NGX_WEBRTC_MEDIA_TRACK, codec, NULL, 0, 0, 0, 0);
    (void) put(v, NGX_WEBRTC_MEDIA_TURN, cvo, NULL, 0, 0, 0, 0);
}


static ngx_int_t
feed(ngx_webrtc_video_t *v, stream_t *s, ngx_uint_t i)
{
    return put(v, NGX_WEBRTC_MEDIA_FRAME, s->key[i] ? NGX_WEBRTC_MEDIA_KEY : 0,
               s->data[i], s->size[i], s->ts[i], 0, 0);
}


static void
feed_all(ngx_webrtc_video_t *v, stream_t *s)
{
    ngx_uint_t  i;

    for (i = 0; i < s->n; i++) {
        (void) feed(v, s, i);
    }
}


static void
end(ngx_webrtc_video_t *v)
{
    (void) put(v, NGX_WEBRTC_MEDIA_END, 0, NULL, 0, 0, 0, 0);
}


/* what a picture is compared with: turned like it, of its size */

static double
psnr(AVFrame *got, ngx_uint_t i, ngx_uint_t cvo)
{
    int      x, y, w, h;
    double   u, v, t, d, sum;
    u_char  *at;

    w = got->width;
    h = got->height;
    sum = 0;

    for (y = 0; y < h; y++) {
        at = got->data[0] + y * got->linesize[0];

        for (x = 0; x < w; x++) {
            u = (x + 0.5) / w;
            v = (y + 0.5) / h;

            /* where this sample was before it was turned */

            switch (cvo & 3) {
            case 1:
                t = u;
                u = v;
                v = 1 - t;
                break;
            case 2:
                u = 1 - u;
                v = 1 - v;
                break;
            case 3:
                t = u;
                u = 1 - v;
                v = t;
                break;
            }

            if (cvo & 4) {
                u = 1 - u;
            }

            d = at[x] - shade(u, v, i, 0);
            sum += d * d;
        }
    }

    return 10 * log10(255.0 * 255.0 * w * h / (sum + 1e-9));
}


/* the least PSNR of all pictures; -1: not as many, or with B-frames */

static double
worst(stream_t *s, ngx_uint_t codec, ngx_uint_t cvo, int *w, int *h)
{
    double            least, one;
    AVFrame          *f;
    AVPacket         *pkt;
    ngx_uint_t        i, n;
    AVCodecContext   *dec;

    static const struct { ngx_uint_t codec; enum AVCodecID id; } ids[] = {
        { NGX_WEBRTC_CODEC_H264, AV_CODEC_ID_H264 },
        { NGX_WEBRTC_CODEC_VP8, AV_CODEC_ID_VP8 },
        { NGX_WEBRTC_CODEC_VP9, AV_CODEC_ID_VP9 },
        { NGX_WEBRTC_CODEC_AV1, AV_CODEC_ID_AV1 },
    };

    for (i = 0; ids[i].codec != codec; i++) { /* void */ }

    dec = avcodec_alloc_context3(avcodec_find_decoder(ids[i].id));
    dec->thread_count = 1;

    if (avcodec_open2(dec, NULL, NULL) < 0) {
        abort();
    }

    f = av_frame_alloc();
    pkt = av_packet_alloc();
    least = 100;
    n = 0;

    for (i = 0; i <= s->n; i++) {

        if (i < s->n) {
            pkt->data = s->data[i];
            pkt->size = s->size[i];
            pkt->pts = s->ts[i];
        }

        (void) avcodec_send_packet(dec, i < s->n ? pkt : NULL);

        while (avcodec_receive_frame(dec, f) >= 0) {

            if (f->pict_type == AV_PICTURE_TYPE_B) {
                least = -1;
            }

            *w = f->width;
            *h = f->height;

            one = psnr(f, (f->pts - START) / STEP, cvo);
            least = ngx_min(least, one);

            av_frame_unref(f);
            n++;
        }
    }

    if (dec->has_b_frames && codec == NGX_WEBRTC_CODEC_H264) {
        least = -1;
    }

    av_frame_free(&f);
    av_packet_free(&pkt);
    avcodec_free_context(&dec);

    return (n == s->n) ? least : -1;
}


/* each picture once, in order, with its time */

static int
in_order(stream_t *s, ngx_uint_t n, ngx_uint_t first)
{
    ngx_uint_t  i;

    if (s->n != n) {
        tap_diag("%d frames, not %d", (int) s->n, (int) n);
        return 0;
    }

    for (i = 0; i < n; i++) {
        if (s->ts[i] != START + (int64_t) (first + i) * STEP) {
            tap_diag("frame %d: ts %lld", (int) i, (long long) s->ts[i]);
            return 0;
        }
    }

    return 1;
}


/* what our own packetizer finds in it */

static int
inspected(stream_t *s, ngx_uint_t codec, ngx_webrtc_track_t *track)
{
    ngx_uint_t          i, bad;
    ngx_webrtc_pack_t   pack;
    ngx_webrtc_frame_t  frame;

    memset(&pack, 0, sizeof(pack));

    (void) ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(codec), 0,
                                (ngx_webrtc_pack_out_pt) abort, NULL);

    for (i = 0, bad = 0; i < s->n; i++) {
        bad += ngx_webrtc_pack_probe(&pack, s->data[i], s->size[i], &frame)
               != NGX_OK
               || frame.key != s->key[i]
               || !frame.picture;
    }

    return ngx_webrtc_pack_track(&pack, track) == NGX_OK && bad == 0;
}


typedef struct {
    const char          *what;
    ngx_uint_t           codec;
    const char          *encoder;
    const char          *options;
    int                  flags;
    enum AVPixelFormat   format;
    ngx_uint_t           n;
    ngx_uint_t           deinterlace;
} input_t;


static const input_t  inputs[] = {
    { "B-frames, pyramid", NGX_WEBRTC_CODEC_H264, "libx264",
      "preset=veryfast:bf=3:b-pyramid=normal", 0, AV_PIX_FMT_YUV420P, 40, 0 },
    { "two B-frames, open GOPs", NGX_WEBRTC_CODEC_H264, "libx264",
      "preset=fast:bf=2:b-pyramid=none:refs=3:g=12", 0, AV_PIX_FMT_YUV420P,
      40, 0 },
    { "10 bit 4:2:2", NGX_WEBRTC_CODEC_H264, "libx264", "preset=ultrafast",
      0, AV_PIX_FMT_YUV422P10, 20, 0 },
    { "4:4:4", NGX_WEBRTC_CODEC_H264, "libx264", "preset=ultrafast", 0,
      AV_PIX_FMT_YUV444P, 20, 0 },
    { "interlaced", NGX_WEBRTC_CODEC_H264, "libx264",
      "preset=veryfast:bf=2:x264-params=interlaced=1",
      AV_CODEC_FLAG_INTERLACED_DCT, AV_PIX_FMT_YUV420P, 20, 1 },
    { "HEVC", NGX_WEBRTC_CODEC_H265, "libx265",
      "preset=ultrafast:bf=3:x265-params=log-level=none", 0,
      AV_PIX_FMT_YUV420P, 20, 0 },
    { "HEVC 10 bit", NGX_WEBRTC_CODEC_H265, "libx265",
      "preset=ultrafast:x265-params=log-level=none", 0,
      AV_PIX_FMT_YUV420P10, 20, 0 },
    { "VP8", NGX_WEBRTC_CODEC_VP8, "libvpx", "deadline=realtime:cpu-used=8",
      0, AV_PIX_FMT_YUV420P, 20, 0 },
    { "VP9", NGX_WEBRTC_CODEC_VP9, "libvpx-vp9",
      "deadline=realtime:cpu-used=8:lag-in-frames=0", 0, AV_PIX_FMT_YUV420P,
      20, 0 },
    { "AV1", NGX_WEBRTC_CODEC_AV1, "libaom-av1",
      "usage=realtime:cpu-used=8:lag-in-frames=0", 0, AV_PIX_FMT_YUV420P, 12,
      0 },
    { "MPEG-1", NGX_WEBRTC_CODEC_MPEG1, "mpeg1video", "bf=2", 0,
      AV_PIX_FMT_YUV420P, 20, 0 },
    { "MPEG-2, interlaced", NGX_WEBRTC_CODEC_MPEG2, "mpeg2video", "bf=2",
      AV_CODEC_FLAG_INTERLACED_DCT|AV_CODEC_FLAG_INTERLACED_ME,
      AV_PIX_FMT_YUV420P, 20, 1 },
    { "MPEG-4", NGX_WEBRTC_CODEC_MPEG4, "mpeg4", "bf=2", 0,
      AV_PIX_FMT_YUV420P, 20, 0 },
    { "MJPEG, full range", NGX_WEBRTC_CODEC_MJPEG, "mjpeg", "qmin=1:qmax=3",
      0, AV_PIX_FMT_YUVJ420P, 12, 0 },
    { "MJPEG, 4:2:2", NGX_WEBRTC_CODEC_MJPEG, "mjpeg", "qmin=1:qmax=3", 0,
      AV_PIX_FMT_YUVJ422P, 12, 0 },
};

#define INPUTS  (sizeof(inputs) / sizeof(inputs[0]))


static void
test_inputs(void)
{
    int                            w, h;
    double                         least;
    sink_t                         sink;
    stream_t                       s;
    ngx_uint_t                     i;
    const input_t                 *in;
    ngx_webrtc_track_t             track;
    ngx_webrtc_video_t            *v;
    ngx_webrtc_media_transcode_t   want;

    for (i = 0; i < INPUTS; i++) {
        in = &inputs[i];

        if (!stream_make(&s, in->encoder, in->options, in->flags, in->format,
                         320, 240, in->n, START))
        {
            tap_fail("%s: FFmpeg has no %s", in->what, in->encoder);
            continue;
        }

        memset(&want, 0, sizeof(want));
        want.deinterlace = in->deinterlace;

        v = video(&sink, &want);

        begin(v, in->codec, 0);
        feed_all(v, &s);
        end(v);

        tap_ok(in_order(&sink.out, in->n, 0),
               "%s: each picture once, with its time", in->what);

        least = worst(&sink.out, NGX_WEBRTC_CODEC_H264, 0, &w, &h);
        tap_ok(least > 30, "%s: what was seen is seen, %.1f dB", in->what,
               least);

        tap_ok(w == 320 && h == 240
               && inspected(&sink.out, NGX_WEBRTC_CODEC_H264, &track)
               && track.width == 320 && track.height == 240
               && track.profile >> 16 == 0x42
               && (track.profile & 0xc000) == 0xc000,
               "%s: constrained baseline, 320x240, its key frames as said "
               "(%06x)", in->what, track.profile);

        tap_is_int(sink.said, 0, "%s: nothing to complain about", in->what);

        ngx_webrtc_video_destroy(v);
        stream_free(&sink.out);
        stream_free(&s);
    }
}


static void
test_outputs(void)
{
    int                            w, h;
    double                         least;
    sink_t                         sink;
    stream_t                       s;
    ngx_uint_t                     i, k, n, keys;
    ngx_webrtc_track_t             track;
    ngx_webrtc_video_t            *v;
    ngx_webrtc_media_transcode_t   want;

    static const ngx_uint_t  codecs[] = {
        NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_VP8, NGX_WEBRTC_CODEC_VP9,
        NGX_WEBRTC_CODEC_AV1
    };

    (void) stream_make(&s, "libx264", "preset=veryfast:bf=2", 0,
                       AV_PIX_FMT_YUV420P, 320, 240, 24, START);

    for (i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {

        memset(&want, 0, sizeof(want));
        want.codec = codecs[i];
        want.bitrate = 1000000;

        v = video(&sink, &want);

        begin(v, NGX_WEBRTC_CODEC_H264, 0);

        n = 0;

        for (k = 0; k < s.n; k++) {
            if (k == 12) {
                ngx_webrtc_video_keyframe(v);
                n = sink.out.n;
            }

            (void) feed(v, &s, k);
        }

        end(v);

        for (k = 0, keys = 0; k < sink.out.n; k++) {
            keys += sink.out.key[k];
        }

        tap_ok(in_order(&sink.out, 24, 0), "to %s: each picture once",
               ngx_webrtc_codec(codecs[i])->name.data);
        tap_ok(sink.out.key[0] && n && sink.out.key[n] && keys == 2,
               "to %s: the picture after a request is a key frame, no other",
               ngx_webrtc_codec(codecs[i])->name.data);

        least = worst(&sink.out, codecs[i], 0, &w, &h);
        tap_ok(least > 30, "to %s: %.1f dB",
               ngx_webrtc_codec(codecs[i])->name.data, least);
        tap_ok(inspected(&sink.out, codecs[i], &track) && track.width == 320,
               "to %s: we understand it ourselves",
               ngx_webrtc_codec(codecs[i])->name.data);

        ngx_webrtc_video_destroy(v);
        stream_free(&sink.out);
    }

    stream_free(&s);
}


static void
test_turned(void)
{
    int                            w, h;
    double                         least;
    sink_t                         sink;
    stream_t                       s;
    ngx_uint_t                     cvo;
    ngx_webrtc_video_t            *v;
    ngx_webrtc_media_transcode_t   want;

    (void) stream_make(&s, "libx264", "preset=ultrafast", 0,
                       AV_PIX_FMT_YUV420P, 320, 240, 6, START);

    for (cvo = 1; cvo < 8; cvo++) {

        memset(&want, 0, sizeof(want));
        want.upright = 1;

        v = video(&sink, &want);

        begin(v, NGX_WEBRTC_CODEC_H264, cvo);
        feed_all(v, &s);
        end(v);

        least = worst(&sink.out, NGX_WEBRTC_CODEC_H264, cvo, &w, &h);

        tap_ok(sink.out.n == 6 && least > 30
               && w == ((cvo & 1) ? 240 : 320),
               "turned by %d: upright, %.1f dB", (int) cvo, least);

        ngx_webrtc_video_destroy(v);
        stream_free(&sink.out);
    }

    memset(&want, 0, sizeof(want));

    v = video(&sink, &want);

    begin(v, NGX_WEBRTC_CODEC_H264, 1);
    feed_all(v, &s);
    end(v);

    tap_ok(worst(&sink.out, NGX_WEBRTC_CODEC_H264, 0, &w, &h) > 30 && w == 320,
           "not to be turned: as it lies");

    ngx_webrtc_video_destroy(v);
    stream_free(&sink.out);
    stream_free(&s);
}


static void
test_size(void)
{
    int                              w, h;
    AVFrame                         *f;
    ngx_uint_t                       i;
    ngx_webrtc_video_filter_conf_t   conf;

    static const struct {
        int         w, h;
        AVRational  sar;
        ngx_uint_t  most_w, most_h, cvo;
        int         out_w, out_h;
    } rows[] = {
        { 1920, 1080, { 1, 1 }, 0, 0, 0, 1920, 1080 },
        { 1920, 1080, { 0, 1 }, 1280, 720, 0, 1280, 720 },
        { 1920, 1080, { 1, 1 }, 0, 720, 0, 1280, 720 },
        { 1920, 1080, { 1, 1 }, 640, 0, 0, 640, 360 },
        { 640, 360, { 1, 1 }, 1280, 720, 0, 640, 360 },
        { 641, 361, { 1, 1 }, 0, 0, 0, 640, 360 },
        { 1280, 720, { 1, 1 }, 720, 720, 1, 404, 720 },
        { 1080, 1920, { 1, 1 }, 1280, 720, 0, 404, 720 },
        { 720, 576, { 64, 45 }, 0, 0, 0, 720, 404 },
        { 720, 576, { 16, 15 }, 0, 0, 0, 720, 540 },
        { 720, 480, { 8, 9 }, 0, 0, 0, 640, 480 },
        { 720, 480, { 1, 1000 }, 0, 0, 0, 720, 480 },
        { 16384, 2, { 1, 1 }, 640, 360, 0, 640, 16 },
        { 1, 1, { 1, 1 }, 0, 0, 0, 16, 16 },
    };

    f = av_frame_alloc();

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        memset(&conf, 0, sizeof(conf));
        conf.width = rows[i].most_w;
        conf.height = rows[i].most_h;
        conf.cvo = rows[i].cvo;

        f->width = rows[i].w;
        f->height = rows[i].h;
        f->sample_aspect_ratio = rows[i].sar;

        ngx_webrtc_video_filter_size(&conf, f, &w, &h);

        tap_ok(w == rows[i].out_w && h == rows[i].out_h,
               "%dx%d of samples %d:%d, at most %dx%d: %dx%d", rows[i].w,
               rows[i].h, rows[i].sar.num, rows[i].sar.den,
               (int) rows[i].most_w, (int) rows[i].most_h, w, h);
    }

    av_frame_free(&f);
}


static void
test_less(void)
{
    int                            w, h;
    double                         least;
    sink_t                         sink;
    stream_t                       s;
    ngx_uint_t                     i;
    ngx_webrtc_video_t            *v;
    ngx_webrtc_media_transcode_t   want;

    (void) stream_make(&s, "libx264", "preset=veryfast:bf=2", 0,
                       AV_PIX_FMT_YUV420P, 640, 360, 30, START);

    memset(&want, 0, sizeof(want));
    want.width = 320;
    want.height = 240;
    want.fps = 10;

    v = video(&sink, &want);

    begin(v, NGX_WEBRTC_CODEC_H264, 0);
    feed_all(v, &s);
    end(v);

    least = worst(&sink.out, NGX_WEBRTC_CODEC_H264, 0, &w, &h);

    tap_ok(w == 320 && h == 180 && least > 30, "half the size: %dx%d, %.1f dB",
           w, h, least);
    tap_is_int(sink.out.n, 10, "a third of the pictures");

    for (i = 0; i + 1 < sink.out.n; i++) {
        if (sink.out.ts[i + 1] - sink.out.ts[i] != 3 * STEP) {
            break;
        }
    }

    tap_is_int(i, 9, "evenly, each with its own time");
    tap_is_int(ngx_webrtc_video_count(v)->thinned, 20, "the others counted");

    ngx_webrtc_video_destroy(v);
    stream_free(&sink.out);
    stream_free(&s);
}


static void
test_changes(void)
{
    int                            w, h;
    sink_t                         sink;
    stream_t                       s[3];
    ngx_uint_t                     i, n;
    ngx_webrtc_video_t            *v;
    ngx_webrtc_media_transcode_t   want;

    (void) stream_make(&s[0], "libx264", "preset=veryfast:bf=2:g=10", 0,
                       AV_PIX_FMT_YUV420P, 320, 240, 20, START);
    (void) stream_make(&s[1], "libx264", "preset=veryfast:bf=2", 0,
                       AV_PIX_FMT_YUV420P, 200, 120, 10, START + 20 * STEP);
    (void) stream_make(&s[2], "libvpx", "deadline=realtime:cpu-used=8", 0,
                       AV_PIX_FMT_YUV420P, 320, 240, 10, START + 30 * STEP);

    memset(&want, 0, sizeof(want));

    v = video(&sink, &want);

    begin(v, NGX_WEBRTC_CODEC_H264, 0);
    feed_all(v, &s[0]);
    feed_all(v, &s[1]);

    (void) put(v, NGX_WEBRTC_MEDIA_TRACK, NGX_WEBRTC_CODEC_VP8, NULL, 0, 0, 0,
               0);
    feed_all(v, &s[2]);
    end(v);

    tap_ok(in_order(&sink.out, 40, 0),
           "another size, another codec: each picture once");
    tap_ok(sink.out.key[20] && sink.out.key[30],
           "they begin with key frames");

    (void) worst(&sink.out, NGX_WEBRTC_CODEC_H264, 0, &w, &h);
    tap_ok(w == 320 && h == 240, "the last size is the first one again");

    ngx_webrtc_video_destroy(v);
    stream_free(&sink.out);

    /* frame 13 of the first one is lost, there is a key frame at 20 */

    stream_free(&s[0]);
    (void) stream_make(&s[0], "libx264", "preset=veryfast:bf=0:g=10"
                       ":sc_threshold=0", 0, AV_PIX_FMT_YUV420P, 320, 240,
                       30, START);

    v = video(&sink, &want);

    begin(v, NGX_WEBRTC_CODEC_H264, 0);

    n = 0;

    for (i = 0; i < s[0].n; i++) {
        if (i == 13) {
            n = sink.out.n;
            (void) put(v, NGX_WEBRTC_MEDIA_DAMAGED, 0, NULL, 0, 0, 0, 0);

        } else {
            (void) feed(v, &s[0], i);
        }
    }

    end(v);

    tap_ok(n == 13 && sink.out.n == 23 && sink.out.key[13]
           && sink.out.ts[13] == START + 20 * STEP,
           "a lost frame: on from the next key frame, with one");
    tap_is_int(ngx_webrtc_video_count(v)->skipped, 6, "what lay between");

    ngx_webrtc_video_destroy(v);
    stream_free(&sink.out);

    /* times that jump back, and some that stumble */

    v = video(&sink, &want);

    begin(v, NGX_WEBRTC_CODEC_H264, 0);
    feed_all(v, &s[0]);

    for (i = 0; i < s[0].n; i++) {
        s[0].ts[i] -= START - 50;
    }

    s[0].ts[15] = s[0].ts[14];
    feed_all(v, &s[0]);
    end(v);

    tap_ok(sink.out.n == 59 && sink.out.key[30] && sink.out.ts[30] == 50,
           "times that jump back: a key frame, and on");

    ngx_webrtc_video_destroy(v);
    stream_free(&sink.out);

    for (i = 0; i < 3; i++) {
        stream_free(&s[i]);
    }
}


/* a stream without a single IDR, which nobody sees from its beginning */

static void
test_refresh(void)
{
    int                            w, h;
    double                         least;
    sink_t                         sink;
    stream_t                       s;
    ngx_uint_t                     i;
    ngx_webrtc_video_t            *v;
    ngx_webrtc_media_transcode_t   want;

    (void) stream_make(&s, "libx264", "preset=veryfast:bf=0:intra-refresh=1"
                       ":g=10", 0, AV_PIX_FMT_YUV420P, 320, 240, 60, START);

    memset(&want, 0, sizeof(want));

    v = video(&sink, &want);

    begin(v, NGX_WEBRTC_CODEC_H264, 0);

    for (i = 5; i < s.n; i++) {
        (void) feed(v, &s, i);
    }

    end(v);

    least = worst(&sink.out, NGX_WEBRTC_CODEC_H264, 0, &w, &h);

    tap_ok(sink.out.n >= 30 && sink.out.key[0] && least > 30,
           "intra refresh: %d pictures after joining in the middle, %.1f dB",
           (int) sink.out.n, least);

    ngx_webrtc_video_destroy(v);
    stream_free(&sink.out);
    stream_free(&s);
}


static void
test_rate(void)
{
    int                            ok;
    size_t                         sum[2];
    sink_t                         sink;
    stream_t                       s;
    ngx_uint_t                     i;
    ngx_webrtc_video_t            *v;
    ngx_webrtc_media_transcode_t   want;

    (void) stream_make(&s, "libx264", "preset=ultrafast:qp=18:g=500", 0,
                       AV_PIX_FMT_YUV420P, 320, 240, 120, START);

    memset(&want, 0, sizeof(want));
    want.bitrate = 2000000;

    v = video(&sink, &want);

    begin(v, NGX_WEBRTC_CODEC_H264, 0);

    for (i = 0; i < s.n; i++) {
        if (i == 60) {
            ngx_webrtc_video_bitrate(v, 60000);
        }

        (void) feed(v, &s, i);
    }

    end(v);

    sum[0] = 0;
    sum[1] = 0;

    /* from the second one on, and the last */

    for (i = 0, ok = 1; i < sink.out.n; i++) {

        if (sink.out.ts[i] >= START + 30 * STEP
            && sink.out.ts[i] < START + 60 * STEP)
        {
            sum[0] += sink.out.size[i];
        }

        if (sink.out.ts[i] >= START + 90 * STEP) {
            sum[1] += sink.out.size[i];
        }

        if (i && (sink.out.key[i] || sink.out.ts[i] <= sink.out.ts[i - 1])) {
            tap_diag("frame %d: key %d, ts %lld", (int) i,
                     (int) sink.out.key[i], (long long) sink.out.ts[i]);
            ok = 0;
        }
    }

    tap_ok(ok, "another rate: without a key frame");
    tap_ok(sink.out.n >= 105, "with %d of 120 pictures, as what it fell from "
           "was too large", (int) sink.out.n);
    tap_ok(sum[1] * 8 < 90000 && sum[1] < sum[0],
           "a second of 60 kbit/s: %d bits, after %d", (int) sum[1] * 8,
           (int) sum[0] * 8);

    ngx_webrtc_video_destroy(v);
    stream_free(&sink.out);
    stream_free(&s);

    tap_is_int(ngx_webrtc_video_encode_bitrate(NGX_WEBRTC_CODEC_H264, 1280,
                                               720, 30), 2500000, "720p30");
    tap_is_int(ngx_webrtc_video_encode_bitrate(NGX_WEBRTC_CODEC_H264, 1280,
                                               720, 60), 3750000, "720p60");
    tap_is_int(ngx_webrtc_video_encode_bitrate(NGX_WEBRTC_CODEC_VP9, 1280,
                                               720, 30), 1750000, "VP9");
    tap_is_int(ngx_webrtc_video_encode_bitrate(NGX_WEBRTC_CODEC_H264, 1, 1, 0),
               150002, "the smallest");
    tap_is_int(ngx_webrtc_video_encode_bitrate(NGX_WEBRTC_CODEC_H264, 16384,
                                               16384, 240), 100000000,
               "the largest");
}


/* another source takes the name, and has no B-frames */

static void
test_reorder(void)
{
    sink_t                         sink;
    stream_t                       s[4];
    ngx_uint_t                     i;
    ngx_webrtc_video_t            *v;
    ngx_webrtc_media_transcode_t   want;

    for (i = 0; i < 4; i++) {
        (void) stream_make(&s[i], "libx264",
                           (i & 1) ? "preset=veryfast:bf=2"
                                   : "preset=veryfast:bf=0", 0,
                           AV_PIX_FMT_YUV420P, 160, 120, 30,
                           START + 30 * i * STEP);
    }

    memset(&want, 0, sizeof(want));

    v = video(&sink, &want);

    begin(v, NGX_WEBRTC_CODEC_H264, 0);
    feed_all(v, &s[0]);

    tap_ok(in_order(&sink.out, 30, 0), "without B-frames each comes at once");

    feed_all(v, &s[1]);

    tap_ok(sink.out.n < 60, "with them %d of 30, as others may come before",
           (int) sink.out.n - 30);

    feed_all(v, &s[2]);

    tap_ok(in_order(&sink.out, 90, 0), "and without them again");

    feed_all(v, &s[3]);
    end(v);

    tap_ok(in_order(&sink.out, 120, 0), "nothing is lost between them");

    ngx_webrtc_video_destroy(v);
    stream_free(&sink.out);

    for (i = 0; i < 4; i++) {
        stream_free(&s[i]);
    }
}


static void
test_late(void)
{
    sink_t                         sink;
    stream_t                       s;
    uint64_t                       sent, now;
    ngx_uint_t                     i, ok;
    ngx_webrtc_video_t            *v;
    ngx_webrtc_media_transcode_t   want;

    const ngx_webrtc_video_count_t  *count;

    (void) stream_make(&s, "libx264", "preset=ultrafast:bf=0:g=60"
                       ":sc_threshold=0", 0, AV_PIX_FMT_YUV420P, 160, 120, 240,
                       START);

    memset(&want, 0, sizeof(want));

    v = video(&sink, &want);

    begin(v, NGX_WEBRTC_CODEC_H264, 0);

    count = ngx_webrtc_video_count(v);

    for (i = 0; i < s.n; i++) {

        /* two seconds to be caught up, in time, late a little, too late */

        sent = 1000000 + i * 33333;
        now = (i < 60) ? 1000000 + 60 * 33333
              : (i < 100) ? sent + 5000
              : (i < 140) ? sent + 600000
              : (i < 155) ? sent + 5000
              : (i < 160) ? sent + 3000000
                          : sent + 5000;

        (void) put(v, NGX_WEBRTC_MEDIA_FRAME, 0, s.data[i], s.size[i],
                   s.ts[i], sent, now);

        if (i == 59) {
            ok = sink.out.n == 15 && sink.said == 0 && count->pictures == 60;

            tap_ok(ok, "behind at first: %d decoded, %d encoded, no complaint",
                   (int) count->pictures, (int) sink.out.n);
        }

        if (i == 154) {
            tap_is_int(count->late, 85, "late ones are left out");
            tap_is_int(sink.said, 1, "and a line says so: %s", sink.text);
        }
    }

    end(v);

    tap_is_int(count->skipped, 25, "far too late: on with a key frame");
    tap_ok(sink.out.ts[sink.out.n - 1] == START + 239 * STEP
           && sink.out.n == 240 - 85 - 25, "and all that is in time");
    tap_is_int(sink.said, 1, "no other line within the minute");

    ngx_webrtc_video_destroy(v);
    stream_free(&sink.out);
    stream_free(&s);
}


static void
test_complaints(void)
{
    u_char                         junk[400 + NGX_WEBRTC_VIDEO_SPARE];
    sink_t                         sink;
    stream_t                       s;
    ngx_uint_t                     i;
    ngx_webrtc_video_t            *v;
    ngx_webrtc_media_transcode_t   want;

    (void) stream_make(&s, "libx264", "preset=ultrafast", 0,
                       AV_PIX_FMT_YUV420P, 160, 120, 12, START);

    /* hardware that there is not */

    memset(&want, 0, sizeof(want));
    ngx_str_set(&want.hw, "abacus");

    v = video(&sink, &want);

    begin(v, NGX_WEBRTC_CODEC_H264, 0);
    feed_all(v, &s);
    end(v);

    tap_ok(sink.out.n == 12 && sink.said == 1 && sink.failed == 0
           && strstr(sink.text, "\"abacus\""), "no such hardware: %s",
           sink.text);

    ngx_webrtc_video_destroy(v);
    stream_free(&sink.out);

    /* out() that has had enough */

    v = video(&sink, &want);
    sink.most = 3;

    begin(v, NGX_WEBRTC_CODEC_H264, 0);

    for (i = 0; i < s.n && feed(v, &s, i) == NGX_OK; i++) { /* void */ }

    tap_ok(i < s.n && sink.out.n == 3, "no more than is wanted");

    ngx_webrtc_video_destroy(v);
    stream_free(&sink.out);

    /* a codec that nothing encodes */

    memset(&want, 0, sizeof(want));
    want.codec = NGX_WEBRTC_CODEC_VC1;

    v = video(&sink, &want);

    begin(v, NGX_WEBRTC_CODEC_H264, 0);
    tap_is_int(feed(v, &s, 0), NGX_ERROR, "nothing encodes VC-1");
    tap_ok(sink.failed == 1 && strstr(sink.text, "VC-1"), "that is said: %s",
           sink.text);

    ngx_webrtc_video_destroy(v);

    /* nothing that can be decoded */

    memset(&want, 0, sizeof(want));
    memset(junk, 0x55, sizeof(junk));

    v = video(&sink, &want);

    begin(v, NGX_WEBRTC_CODEC_MPEG2, 0);

    for (i = 0; i < 130; i++) {
        (void) put(v, NGX_WEBRTC_MEDIA_FRAME, NGX_WEBRTC_MEDIA_KEY, junk, 400,
                   i * STEP, 1000000 + i * 100000, 1000000 + i * 100000);
    }

    tap_ok(sink.out.n == 0 && sink.said == 1 && sink.failed == 1
           && strstr(sink.text, "it is damaged"), "junk: %s", sink.text);

    ngx_webrtc_video_destroy(v);

    /* nor any key frame; not at all, for a while */

    v = video(&sink, &want);

    begin(v, NGX_WEBRTC_CODEC_H264, 0);

    for (i = 0; i < 230; i++) {

        if (i == 100) {
            continue;
        }

        (void) put(v, NGX_WEBRTC_MEDIA_FRAME, 0, s.data[1], s.size[1],
                   i * STEP, 1000000 + i * 100000,
                   1000000 + i * 100000 + (i > 100 ? 20000000 : 0));

        if (i == 219) {
            tap_is_int(sink.said, 0, "frames that stopped and came again");
        }
    }

    tap_ok(sink.out.n == 0 && sink.said == 1 && sink.failed == 1
           && strstr(sink.text, "no key frame"), "no start: %s", sink.text);

    ngx_webrtc_video_destroy(v);

    /* records in an order that nobody writes */

    v = video(&sink, &want);

    (void) feed(v, &s, 0);
    (void) put(v, NGX_WEBRTC_MEDIA_CONFIG, 0, junk, 400, 0, 0, 0);
    (void) put(v, NGX_WEBRTC_MEDIA_TRACK, NGX_WEBRTC_CODEC_OPUS, junk, 400, 0,
               0, 0);
    (void) feed(v, &s, 0);
    (void) put(v, NGX_WEBRTC_MEDIA_TRACK, 60000, NULL, 0, 0, 0, 0);
    (void) put(v, NGX_WEBRTC_MEDIA_TRACK, NGX_WEBRTC_CODEC_H264, junk, 400, 0,
               0, 0);
    (void) put(v, NGX_WEBRTC_MEDIA_TURN, 0xffff, NULL, 0, 0, 0, 0);
    (void) put(v, NGX_WEBRTC_MEDIA_FRAME, 0, NULL, 0, 0, 0, 0);
    (void) put(v, NGX_WEBRTC_MEDIA_SEAM, 0, NULL, 0, 0, 0, 0);
    end(v);

    begin(v, NGX_WEBRTC_CODEC_H264, 0);
    feed_all(v, &s);
    end(v);

    tap_is_int(sink.out.n, 12, "records without sense do no harm");

    ngx_webrtc_video_destroy(v);
    stream_free(&sink.out);
    stream_free(&s);
}


/* bits turn over, in each codec: nothing dies, and it goes on afterwards */

static void
test_flips(void)
{
    sink_t                         sink;
    stream_t                       s;
    uint32_t                       seed;
    ngx_uint_t                     i, k, f;
    const input_t                 *in;
    ngx_webrtc_video_t            *v;
    ngx_webrtc_media_transcode_t   want;

    for (i = 0; i < INPUTS; i++) {
        in = &inputs[i];

        if (!stream_make(&s, in->encoder, in->options, in->flags, in->format,
                         160, 120, 12, START))
        {
            continue;
        }

        memset(&want, 0, sizeof(want));
        want.deinterlace = 1;

        v = video(&sink, &want);
        seed = 1 + i;

        begin(v, in->codec, 0);

        for (k = 0; k < 4; k++) {

            for (f = 0; f < s.n; f++) {
                u_char    *copy;
                size_t     at, n;

                n = s.size[f];
                copy = malloc(n + NGX_WEBRTC_VIDEO_SPARE);
                memcpy(copy, s.data[f], n + NGX_WEBRTC_VIDEO_SPARE);

                for (at = 0; at < 1 + n / 300; at++) {
                    seed = seed * 1103515245 + 12345;
                    copy[(seed >> 8) % n] ^= 1 << (seed >> 5 & 7);
                }

                if (k == 3 && n > 8) {
                    n = n / 2;
                    memset(copy + n, 0, NGX_WEBRTC_VIDEO_SPARE);
                }

                (void) put(v, NGX_WEBRTC_MEDIA_FRAME, f % 3 == 0, copy, n,
                           s.ts[f] + (int64_t) k * 12 * STEP, 0, 0);

                free(copy);

                if (sink.out.n > FRAMES - 60) {
                    stream_free(&sink.out);
                }
            }
        }

        stream_free(&sink.out);

        for (f = 0; f < s.n; f++) {
            s.ts[f] += (int64_t) 1000 * STEP;
        }

        (void) put(v, NGX_WEBRTC_MEDIA_SEAM, 0, NULL, 0, 0, 0, 0);

        stream_free(&sink.out);

        begin(v, in->codec, 0);
        feed_all(v, &s);
        end(v);

        tap_ok(sink.out.n == 12, "%s: whole again after damage", in->what);

        ngx_webrtc_video_destroy(v);
        stream_free(&sink.out);
        stream_free(&s);
    }
}


int
main(void)
{
    av_log_set_level(AV_LOG_QUIET);

    test_size();
    test_inputs();
    test_outputs();
    test_turned();
    test_less();
    test_changes();
    test_refresh();
    test_rate();
    test_reorder();
    test_late();
    test_complaints();
    test_flips();

    return tap_done();
}
