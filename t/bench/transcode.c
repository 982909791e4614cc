
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What it costs to transcode a video: CPU per stream in real time, and the time
 * from a frame's arrival to the one that is made of it.  Pictures move as fast
 * as a film's; they are noisy, as cameras' are.
 *
 *   build/bench/transcode [SECONDS [NAME]]     NAME: only rows that have it
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <libavcodec/avcodec.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>

#include "ngx_webrtc_time.h"
#include "ngx_webrtc_video.h"


#define FPS   30
#define MOST  1024


typedef struct {
    int         w;
    int         h;
    int         bframes;
    ngx_uint_t  codec;
    const char *name;
    ngx_uint_t  to_w;
    ngx_uint_t  to_h;
} row_t;


static const row_t  rows[] = {
    { 1280, 720, 0, NGX_WEBRTC_CODEC_H264, "H.264 (x264)", 0, 0 },
    { 1280, 720, 2, 0, "decoded only", 0, 0 },
    { 1280, 720, 2, NGX_WEBRTC_CODEC_H264, "H.264 (x264)", 0, 0 },
    { 1280, 720, 2, NGX_WEBRTC_CODEC_VP8, "VP8 (libvpx)", 0, 0 },
    { 1280, 720, 2, NGX_WEBRTC_CODEC_VP9, "VP9 (libvpx)", 0, 0 },
    { 1280, 720, 2, NGX_WEBRTC_CODEC_AV1, "AV1 (libaom)", 0, 0 },
    { 1920, 1080, 0, NGX_WEBRTC_CODEC_H264, "H.264 (x264)", 0, 0 },
    { 1920, 1080, 2, 0, "decoded only", 0, 0 },
    { 1920, 1080, 2, NGX_WEBRTC_CODEC_H264, "H.264 (x264)", 0, 0 },
    { 1920, 1080, 2, NGX_WEBRTC_CODEC_VP8, "VP8 (libvpx)", 0, 0 },
    { 1920, 1080, 2, NGX_WEBRTC_CODEC_H264, "H.264, made 640x360", 640, 360 },
};


static u_char      *data[MOST];
static size_t       size[MOST];
static int64_t      ts[MOST];
static ngx_uint_t   n;

static uint64_t     came_us[MOST];      /* by picture */
static uint64_t     sum_us, most_us, bytes;
static ngx_uint_t   outs;


static void
fill(AVFrame *f, int i)
{
    int       x, y, p, w, h;
    uint32_t  seed;
    u_char   *at;

    seed = 12345 + i;

    for (p = 0; p < 3; p++) {
        w = p ? f->width / 2 : f->width;
        h = p ? f->height / 2 : f->height;

        for (y = 0; y < h; y++) {
            at = f->data[p] + y * f->linesize[p];

            for (x = 0; x < w; x++) {
                seed = seed * 1664525 + 1013904223;

                at[x] = 40 + (((x + i * 5) ^ (y + i * 2)) & 0x3f) * 2
                        + (((x - i * 3) / 64 + (y + i) / 64) & 1) * 40
                        + (seed >> 30);
            }
        }
    }
}


static void
make(int w, int h, int bframes, int pictures)
{
    int              i;
    AVFrame         *f;
    AVPacket        *pkt;
    const AVCodec   *codec;
    AVCodecContext  *enc;

    while (n) {
        free(data[--n]);
    }

    codec = avcodec_find_encoder_by_name("libx264");
    enc = avcodec_alloc_context3(codec);
    enc->width = w;
    enc->height = h;
    enc->pix_fmt = AV_PIX_FMT_YUV420P;
    enc->time_base = (AVRational) { 1, FPS };
    enc->framerate = (AVRational) { FPS, 1 };
    enc->gop_size = 60;
    enc->max_b_frames = bframes;
    enc->bit_rate = w > 1280 ? 6000000 : 3000000;
    av_opt_set(enc->priv_data, "preset", "veryfast", 0);

    if (avcodec_open2(enc, codec, NULL) < 0) {
        abort();
    }

    f = av_frame_alloc();
    f->width = w;
    f->height = h;
    f->format = enc->pix_fmt;
    av_frame_get_buffer(f, 0);
    pkt = av_packet_alloc();

    for (i = 0; i <= pictures; i++) {

        if (i < pictures) {
            av_frame_make_writable(f);
            fill(f, i);
            f->pts = i;
        }

        avcodec_send_frame(enc, i < pictures ? f : NULL);

        while (avcodec_receive_packet(enc, pkt) >= 0) {
            data[n] = calloc(1, pkt->size + NGX_WEBRTC_VIDEO_SPARE);
            memcpy(data[n], pkt->data, pkt->size);
            size[n] = pkt->size;
            ts[n++] = pkt->pts * (NGX_WEBRTC_VIDEO_CLOCK / FPS);
            av_packet_unref(pkt);
        }
    }

    av_frame_free(&f);
    av_packet_free(&pkt);
    avcodec_free_context(&enc);
}


static ngx_int_t
out(void *ctx, u_char *p, size_t len, int64_t pts, ngx_uint_t key)
{
    uint64_t  us;

    us = ngx_webrtc_time_now() - came_us[pts / (NGX_WEBRTC_VIDEO_CLOCK / FPS)];

    sum_us += us;
    most_us = ngx_max(most_us, us);
    bytes += len;
    outs++;

    (void) ctx;
    (void) p;
    (void) key;

    return NGX_OK;
}


static void
say(void *ctx, ngx_uint_t failed, ngx_uint_t level, const char *text)
{
    (void) ctx;
    (void) failed;
    (void) level;

    fprintf(stderr, "%s\n", text);
}


static double
cpu(void)
{
    struct rusage  ru;

    getrusage(RUSAGE_SELF, &ru);

    return ru.ru_utime.tv_sec + ru.ru_stime.tv_sec
           + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}


static void
until(uint64_t us)
{
    struct timespec  t;

    t.tv_sec = us / 1000000;
    t.tv_nsec = us % 1000000 * 1000;

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
        /* void */
    }
}


static void
run(const row_t *row)
{
    double                      from;
    uint64_t                    start_us, now;
    ngx_uint_t                  i;
    AVFrame                    *f;
    const char                 *cause;
    ngx_webrtc_video_t         *v;
    ngx_webrtc_video_conf_t     conf;
    ngx_webrtc_video_decode_t   d;
    ngx_webrtc_media_record_t   r;

    v = NULL;
    f = av_frame_alloc();
    memset(&d, 0, sizeof(d));
    memset(&r, 0, sizeof(r));

    if (row->codec) {
        memset(&conf, 0, sizeof(conf));
        conf.want.codec = row->codec;
        conf.want.width = row->to_w;
        conf.want.height = row->to_h;
        ngx_str_set(&conf.want.hw, "none");
        conf.out = out;
        conf.say = say;

        v = ngx_webrtc_video_create(&conf);

        r.type = NGX_WEBRTC_MEDIA_BEGIN;
        ngx_webrtc_video_record(v, &r, 1);
        r.type = NGX_WEBRTC_MEDIA_TRACK;
        r.value = NGX_WEBRTC_CODEC_H264;
        ngx_webrtc_video_record(v, &r, 1);

    } else {
        ngx_webrtc_video_decode_open(&d, NGX_WEBRTC_CODEC_H264, NULL, 0, 0,
                                     &cause);
    }

    sum_us = 0;
    most_us = 0;
    bytes = 0;
    outs = 0;

    from = cpu();
    start_us = ngx_webrtc_time_now();

    for (i = 0; i < n; i++) {

        until(start_us + i * 1000000 / FPS);
        now = ngx_webrtc_time_now();

        came_us[ts[i] / (NGX_WEBRTC_VIDEO_CLOCK / FPS)] = now;

        if (v == NULL) {
            ngx_webrtc_video_decode_put(&d, data[i], size[i], ts[i]);

            while (ngx_webrtc_video_decode_get(&d, f) == NGX_OK) {
                out(NULL, NULL, size[i], f->pts, 0);
                av_frame_unref(f);
            }

            continue;
        }

        r.type = NGX_WEBRTC_MEDIA_FRAME;
        r.value = 0;
        r.ts = ts[i];
        r.now_us = start_us + i * 1000000 / FPS;
        r.data = data[i];
        r.len = size[i];

        ngx_webrtc_video_record(v, &r, now);
    }

    from = cpu() - from;
    now = ngx_webrtc_time_now() - start_us;

    printf("| %dx%d | %d | %-20s | %5.0f %% | %5.1f ms | %5.1f ms | %7.0f | %u |\n",
           row->w, row->h, row->bframes, row->name, 100 * from * 1e6 / now,
           outs ? sum_us / 1000.0 / outs : 0, most_us / 1000.0,
           bytes * 8000.0 / now,
           v ? ngx_webrtc_video_count(v)->late
               + ngx_webrtc_video_count(v)->heavy : 0);
    fflush(stdout);

    if (v) {
        ngx_webrtc_video_destroy(v);
    }

    ngx_webrtc_video_decode_close(&d);
    av_frame_free(&f);
}


int
main(int argc, char **argv)
{
    int         seconds, w, bframes;
    ngx_uint_t  i;

    seconds = (argc > 1) ? atoi(argv[1]) : 10;
    seconds = ngx_max(seconds, 1);
    seconds = ngx_min(seconds, MOST / FPS - 1);

    av_log_set_level(AV_LOG_QUIET);

    printf("30 pictures per second: CPU of one core; delay, mean and most\n\n"
           "| of | B-frames | to | CPU | delay | most | kbit/s | left out |\n"
           "|---|---|---|---|---|---|---|---|\n");

    w = 0;
    bframes = 0;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        if (argc > 2 && strstr(rows[i].name, argv[2]) == NULL) {
            continue;
        }

        if (rows[i].w != w || rows[i].bframes != bframes) {
            w = rows[i].w;
            bframes = rows[i].bframes;
            make(rows[i].w, rows[i].h, bframes, seconds * FPS);
        }

        run(&rows[i]);
    }

    return 0;
}
