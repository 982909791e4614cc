
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The rate of what is transcoded, when it is noise: that no encoder makes as
 * small as it is asked to, with each encoder, in any five seconds.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdlib.h>

#include <libavutil/log.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_video.h"
#include "tap.h"
#include "video_make.h"


#define WIDTH     160
#define HEIGHT    96
#define PICTURES  240                 /* 8 s */
#define WINDOW    (5 * 90000)


typedef struct {
    ngx_uint_t    n;
    size_t        size[FRAMES];
    int64_t       ts[FRAMES];
} sink_t;


static int  amplitude;


static ngx_int_t
sink_out(void *ctx, u_char *data, size_t n, int64_t ts, ngx_uint_t key)
{
    sink_t  *sink = ctx;

    (void) data;
    (void) key;

    sink->size[sink->n] = n;
    sink->ts[sink->n++] = ts;

    return NGX_OK;
}


static void
sink_say(void *ctx, ngx_uint_t failed, ngx_uint_t level, const char *text)
{
    (void) ctx;
    (void) level;

    if (failed) {
        tap_diag("%s", text);
    }
}


static AVFrame *
noise(ngx_uint_t i, int w, int h, enum AVPixelFormat format)
{
    int               x, y, p, v;
    u_char           *at;
    AVFrame          *f;
    static uint32_t   seed = 1;

    f = picture(i, w, h, format);

    for (p = 0; p < 3; p++) {
        for (y = 0; y < (p ? h / 2 : h); y++) {
            at = f->data[p] + y * f->linesize[p];

            for (x = 0; x < (p ? w / 2 : w); x++) {
                seed = seed * 1664525 + 1013904223;

                v = at[x] + (int) ((seed >> 16) % (2 * amplitude + 1))
                    - amplitude;

                at[x] = ngx_max(ngx_min(v, 255), 0);
            }
        }
    }

    return f;
}


/* the most bits of five seconds, and the longest gap, 90 kHz */

static uint64_t
most(sink_t *sink, int64_t *gap)
{
    uint64_t    sum, max;
    ngx_uint_t  i, k;

    max = 0;
    *gap = 0;

    for (i = 0; i < sink->n; i++) {

        if (i) {
            *gap = ngx_max(*gap, sink->ts[i] - sink->ts[i - 1]);
        }

        for (sum = 0, k = i;
             k < sink->n && sink->ts[k] < sink->ts[i] + WINDOW;
             k++)
        {
            sum += 8 * sink->size[k];
        }

        max = ngx_max(max, sum);
    }

    return max;
}


static void
test_row(stream_t *s, const char *name, ngx_uint_t codec, uint32_t bitrate)
{
    int                        percent;
    int64_t                    gap;
    ngx_uint_t                 i;
    ngx_webrtc_video_t        *v;
    ngx_webrtc_video_conf_t    conf;
    ngx_webrtc_media_record_t  r;

    static sink_t  sink;

    memset(&sink, 0, sizeof(sink));
    memset(&conf, 0, sizeof(conf));
    memset(&r, 0, sizeof(r));

    conf.want.codec = codec;
    conf.want.bitrate = bitrate;
    ngx_str_set(&conf.want.hw, "none");
    conf.out = sink_out;
    conf.say = sink_say;
    conf.ctx = &sink;

    v = ngx_webrtc_video_create(&conf);

    r.type = NGX_WEBRTC_MEDIA_BEGIN;
    (void) ngx_webrtc_video_record(v, &r, 0);

    r.type = NGX_WEBRTC_MEDIA_TRACK;
    r.value = NGX_WEBRTC_CODEC_H264;
    (void) ngx_webrtc_video_record(v, &r, 0);

    r.type = NGX_WEBRTC_MEDIA_FRAME;

    for (i = 0; i < s->n; i++) {
        r.value = s->key[i] ? NGX_WEBRTC_MEDIA_KEY : 0;
        r.data = s->data[i];
        r.len = s->size[i];
        r.ts = s->ts[i];
        (void) ngx_webrtc_video_record(v, &r, 0);
    }

    percent = (int) (most(&sink, &gap) * 100 / (5 * (uint64_t) bitrate));

    tap_ok(percent <= 115, "%s, noise of %d, %d kbit/s: %d %% of it at most",
           name, amplitude, (int) bitrate / 1000, percent);
    tap_ok(percent >= 70, "and not much less");
    tap_ok(gap < 180000, "%d of %d pictures, %d ms apart at most",
           (int) sink.n, (int) s->n, (int) gap / 90);

    ngx_webrtc_video_destroy(v);
}


int
main(void)
{
    stream_t    s;
    ngx_uint_t  i, k;

    static const int  amplitudes[] = { 16, 64 };

    static const struct {
        const char  *name;
        ngx_uint_t   codec;
    } rows[] = {
        { "H.264", NGX_WEBRTC_CODEC_H264 },
        { "VP8", NGX_WEBRTC_CODEC_VP8 },
        { "VP9", NGX_WEBRTC_CODEC_VP9 },
        { "AV1", NGX_WEBRTC_CODEC_AV1 },
    };

    av_log_set_level(AV_LOG_QUIET);

    stream_picture = noise;

    for (i = 0; i < sizeof(amplitudes) / sizeof(amplitudes[0]); i++) {

        amplitude = amplitudes[i];

        if (!stream_make(&s, "libx264", "preset=ultrafast:qp=16", 0,
                         AV_PIX_FMT_YUV420P, WIDTH, HEIGHT, PICTURES, START))
        {
            tap_fail("pictures of noise");
            continue;
        }

        for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
            test_row(&s, rows[k].name, rows[k].codec, 100000);
        }

        stream_free(&s);
    }

    return tap_done();
}
