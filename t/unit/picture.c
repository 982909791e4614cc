
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Pictures of videos: what comes out is what went in, upright, no larger than
 * asked for; what cannot be decoded is said.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavutil/log.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_picture.h"
#include "tap.h"
#include "video_make.h"


#define W  320
#define H  180


/* gives it a stream's first n frames; what record() said last */

static ngx_int_t
make(ngx_webrtc_picture_t *pic, ngx_uint_t codec, stream_t *s, ngx_uint_t n,
    ngx_uint_t cvo)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_webrtc_media_record_t  r;

    memset(&r, 0, sizeof(r));

    r.type = NGX_WEBRTC_MEDIA_BEGIN;
    rc = ngx_webrtc_picture_record(pic, &r);

    if (rc == NGX_OK) {
        r.type = NGX_WEBRTC_MEDIA_TRACK;
        r.value = codec;
        rc = ngx_webrtc_picture_record(pic, &r);
    }

    if (rc == NGX_OK) {
        r.type = NGX_WEBRTC_MEDIA_TURN;
        r.value = cvo;
        rc = ngx_webrtc_picture_record(pic, &r);
    }

    for (i = 0; i < n && rc == NGX_OK; i++) {
        r.type = NGX_WEBRTC_MEDIA_FRAME;
        r.value = s->key[i];
        r.ts = s->ts[i];
        r.data = s->data[i];
        r.len = s->size[i];
        rc = ngx_webrtc_picture_record(pic, &r);
    }

    if (rc == NGX_OK) {
        r.type = NGX_WEBRTC_MEDIA_END;
        r.data = NULL;
        r.len = 0;
        rc = ngx_webrtc_picture_record(pic, &r);
    }

    return rc;
}


static AVFrame *
decoded(ngx_webrtc_picture_t *pic)
{
    AVFrame         *f;
    AVCodecContext  *dec;

    f = av_frame_alloc();
    dec = avcodec_alloc_context3(avcodec_find_decoder(pic->webp
                                                      ? AV_CODEC_ID_WEBP
                                                      : AV_CODEC_ID_MJPEG));

    if (avcodec_open2(dec, NULL, NULL) < 0
        || avcodec_send_packet(dec, pic->made) < 0
        || avcodec_receive_frame(dec, f) < 0)
    {
        av_frame_unref(f);
    }

    avcodec_free_context(&dec);

    return f;
}


/* dB of luma against the first picture, scaled and turned as it is */

static double
psnr(AVFrame *f, ngx_uint_t quarters)
{
    int     x, y;
    double  sum, d, want, u, v;

    sum = 0;

    for (y = 0; y < f->height; y++) {
        for (x = 0; x < f->width; x++) {
            u = (x + 0.5) / f->width;
            v = (y + 0.5) / f->height;

            /* where that was before it was turned clockwise */

            want = (quarters == 1) ? shade(v, 1 - u, 0, 0)
                   : (quarters == 2) ? shade(1 - u, 1 - v, 0, 0)
                   : (quarters == 3) ? shade(1 - v, u, 0, 0)
                   : shade(u, v, 0, 0);

            d = f->data[0][y * f->linesize[0] + x];

            /* JPEG has all 256 levels */

            if (f->format == AV_PIX_FMT_YUVJ420P) {
                d = 16 + d * 219 / 255;
            }

            sum += (d - want) * (d - want);
        }
    }

    return 10 * log10(255.0 * 255 / (sum / f->width / f->height + 1e-9));
}


static const struct {
    const char          *name;
    ngx_uint_t           codec;
    const char          *encoder;
    const char          *options;
    enum AVPixelFormat   format;
    ngx_uint_t           frames;
} codecs[] = {
    { "H.264", NGX_WEBRTC_CODEC_H264, "libx264", "preset=ultrafast",
      AV_PIX_FMT_YUV420P, 1 },
    { "H.264 with B-frames", NGX_WEBRTC_CODEC_H264, "libx264",
      "preset=ultrafast:bf=2", AV_PIX_FMT_YUV420P, 1 },
    { "H.264 that refreshes", NGX_WEBRTC_CODEC_H264, "libx264",
      "preset=ultrafast:x264-params=intra-refresh=1:keyint=8",
      AV_PIX_FMT_YUV420P, 20 },
    { "HEVC", NGX_WEBRTC_CODEC_H265, "libx265",
      "preset=ultrafast:x265-params=log-level=none", AV_PIX_FMT_YUV420P, 1 },
    { "HEVC of 10 bits", NGX_WEBRTC_CODEC_H265, "libx265",
      "preset=ultrafast:x265-params=log-level=none", AV_PIX_FMT_YUV420P10, 1 },
    { "VP8", NGX_WEBRTC_CODEC_VP8, "libvpx", "deadline=realtime:cpu-used=8",
      AV_PIX_FMT_YUV420P, 1 },
    { "VP9", NGX_WEBRTC_CODEC_VP9, "libvpx-vp9", "deadline=realtime:cpu-used=8",
      AV_PIX_FMT_YUV420P, 1 },
    { "AV1", NGX_WEBRTC_CODEC_AV1, "libsvtav1", "preset=12", AV_PIX_FMT_YUV420P,
      1 },
};


static void
test_codecs(void)
{
    double                 db;
    AVFrame               *f;
    stream_t               s;
    ngx_int_t              rc;
    ngx_uint_t             i, webp;
    ngx_webrtc_picture_t   pic;

    for (i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {

        if (!stream_make(&s, codecs[i].encoder, codecs[i].options, 0,
                         codecs[i].format, W, H, 20, START))
        {
            tap_pass("# skip " "%s: no such encoder here", codecs[i].name);
            continue;
        }

        for (webp = 0; webp < 2; webp++) {
            memset(&pic, 0, sizeof(pic));
            pic.want.quality = 90;
            pic.want.webp = webp;

            rc = make(&pic, codecs[i].codec, &s, codecs[i].frames, 0);
            f = (rc == NGX_DONE) ? decoded(&pic) : av_frame_alloc();

            /* the one that refreshes is whole some pictures later */

            db = f->width ? psnr(f, 0) : 0;

            tap_ok(rc == NGX_DONE && f->width == W && f->height == H
                   && db > (codecs[i].frames > 1 ? 18 : 30)
                   && pic.webp == webp,
                   "%s: %s, %dx%d, %.1f dB", codecs[i].name,
                   webp ? "WebP" : "JPEG", f->width, f->height, db);

            av_frame_free(&f);
            ngx_webrtc_picture_end(&pic);
        }

        stream_free(&s);
    }
}


static void
test_sizes(void)
{
    double                 db;
    AVFrame               *f;
    stream_t               s;
    ngx_int_t              rc;
    ngx_uint_t             i;
    ngx_webrtc_picture_t   pic;

    static const struct {
        uint16_t   width, height;
        uint8_t    cvo;
        int        w, h;
    } rows[] = {
        { 0, 0, 0, W, H },
        { 160, 0, 0, 160, 90 },
        { 0, 90, 0, 160, 90 },
        { 100, 100, 0, 100, 56 },
        { 16384, 16384, 0, W, H },
        { 0, 0, 1, H, W },
        { 0, 0, 2, W, H },
        { 0, 0, 3, H, W },
        { 90, 0, 1, 90, 160 },
        { 16, 16, 0, 16, 16 },
    };

    if (!stream_make(&s, "libx264", "preset=ultrafast", 0, AV_PIX_FMT_YUV420P,
                     W, H, 1, START))
    {
        tap_pass("# skip " "no such encoder here");
        return;
    }

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&pic, 0, sizeof(pic));
        pic.want.quality = 90;
        pic.want.width = rows[i].width;
        pic.want.height = rows[i].height;

        rc = make(&pic, NGX_WEBRTC_CODEC_H264, &s, 1, rows[i].cvo);
        f = (rc == NGX_DONE) ? decoded(&pic) : av_frame_alloc();
        db = f->width ? psnr(f, rows[i].cvo) : 0;

        tap_ok(rc == NGX_DONE && f->width == rows[i].w
               && f->height == rows[i].h && db > 25,
               "at most %dx%d, turned %d: %dx%d, %.1f dB", rows[i].width,
               rows[i].height, rows[i].cvo, f->width, f->height, db);

        av_frame_free(&f);
        ngx_webrtc_picture_end(&pic);
    }

    stream_free(&s);
}


static void
test_broken(void)
{
    size_t                 best;
    stream_t               s;
    ngx_webrtc_picture_t   pic;

    if (!stream_make(&s, "libx264", "preset=ultrafast", 0, AV_PIX_FMT_YUV420P,
                     W, H, 1, START))
    {
        tap_pass("# skip " "no such encoder here");
        return;
    }

    memset(&pic, 0, sizeof(pic));
    pic.want.quality = 100;
    make(&pic, NGX_WEBRTC_CODEC_H264, &s, 1, 0);
    best = pic.made ? pic.made->size : 0;
    ngx_webrtc_picture_end(&pic);

    memset(&pic, 0, sizeof(pic));
    pic.want.quality = 1;
    make(&pic, NGX_WEBRTC_CODEC_H264, &s, 1, 0);
    tap_ok(pic.made && (size_t) pic.made->size < best / 2,
           "a bad one is smaller");
    ngx_webrtc_picture_end(&pic);

    memset(&pic, 0, sizeof(pic));
    pic.want.quality = 80;
    memset(s.data[0], 0xa5, s.size[0]);
    tap_is_int(make(&pic, NGX_WEBRTC_CODEC_H264, &s, 1, 0), NGX_ERROR,
               "noise is no picture");
    tap_ok(pic.cause != NULL, "which is said: %s", pic.cause);
    ngx_webrtc_picture_end(&pic);
    ngx_webrtc_picture_end(&pic);

    memset(&pic, 0, sizeof(pic));
    tap_is_int(make(&pic, NGX_WEBRTC_CODEC_H264, &s, 0, 0), NGX_ERROR,
               "nor is nothing");
    ngx_webrtc_picture_end(&pic);

    memset(&pic, 0, sizeof(pic));
    tap_is_int(make(&pic, NGX_WEBRTC_CODEC_OPUS, &s, 1, 0), NGX_ERROR,
               "sound has none");
    ngx_webrtc_picture_end(&pic);

    stream_free(&s);
}


int
main(void)
{
    av_log_set_level(AV_LOG_QUIET);

    test_codecs();
    test_sizes();
    test_broken();

    return tap_done();
}
