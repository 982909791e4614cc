
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * For the tests of transcoding: pictures, and streams of them, as FFmpeg's
 * encoders make them.
 */


#ifndef _VIDEO_MAKE_H_INCLUDED_
#define _VIDEO_MAKE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <math.h>
#include <stdlib.h>

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>

#include "ngx_webrtc_video_decode.h"
#include "tap.h"


#define FRAMES  256
#define STEP    3000                  /* 30 pictures per second */
#define START   900000


/* coded frames, in decoding order */

typedef struct {
    ngx_uint_t    n;
    u_char       *data[FRAMES];
    size_t        size[FRAMES];
    int64_t       ts[FRAMES];
    ngx_uint_t    key[FRAMES];
} stream_t;


/* nearly a sine, but cheap */

static TAP_UNUSED double
wave(double t)
{
    t -= floor(t);

    return (t < 0.5) ? 16 * t * (0.5 - t) : -16 * (t - 0.5) * (1 - t);
}


/* a picture that every size and format shows alike: soft, and it moves */

static TAP_UNUSED double
shade(double x, double y, ngx_uint_t i, ngx_uint_t plane)
{
    double  t = i * 0.008;

    return 128 + 50 * wave(x + t + plane * 0.16)
                    * wave(0.8 * y - t / 2 + 0.25)
           + 40 * wave(0.5 * x * y + t + plane * 0.32);
}


static TAP_UNUSED AVFrame *
picture(ngx_uint_t i, int w, int h, enum AVPixelFormat format)
{
    int        x, y, p;
    u_char    *at;
    AVFrame   *gray, *f;
    struct SwsContext  *sws;

    gray = av_frame_alloc();
    gray->width = w;
    gray->height = h;
    gray->format = AV_PIX_FMT_YUV444P;

    if (av_frame_get_buffer(gray, 0) < 0) {
        abort();
    }

    for (p = 0; p < 3; p++) {
        for (y = 0; y < h; y++) {
            at = gray->data[p] + y * gray->linesize[p];

            for (x = 0; x < w; x++) {
                at[x] = shade((double) x / w, (double) y / h, i, p);
            }
        }
    }

    f = av_frame_alloc();
    f->width = w;
    f->height = h;
    f->format = format;

    if (av_frame_get_buffer(f, 0) < 0) {
        abort();
    }

    sws = sws_getContext(w, h, AV_PIX_FMT_YUV444P, w, h, format, SWS_BILINEAR,
                         NULL, NULL, NULL);
    sws_scale(sws, (const uint8_t *const *) gray->data, gray->linesize, 0, h,
              f->data, f->linesize);
    sws_freeContext(sws);

    av_frame_free(&gray);

    return f;
}


/* what stream_make() takes its pictures from */

static TAP_UNUSED AVFrame  *(*stream_picture)(ngx_uint_t i, int w, int h,
    enum AVPixelFormat format) = picture;


static TAP_UNUSED void
stream_add(stream_t *s, u_char *p, size_t n, int64_t ts, ngx_uint_t key)
{
    if (s->n == FRAMES) {
        abort();
    }

    s->data[s->n] = calloc(1, n + NGX_WEBRTC_VIDEO_SPARE);
    memcpy(s->data[s->n], p, n);
    s->size[s->n] = n;
    s->ts[s->n] = ts;
    s->key[s->n] = key;
    s->n++;
}


static TAP_UNUSED void
stream_free(stream_t *s)
{
    while (s->n) {
        free(s->data[--s->n]);
    }
}


/* 0: there is no such encoder here */

static TAP_UNUSED int
stream_make(stream_t *s, const char *name, const char *options, int flags,
    enum AVPixelFormat format, int w, int h, ngx_uint_t n, int64_t from)
{
    int              rc;
    AVFrame         *f;
    AVPacket        *pkt;
    ngx_uint_t       i;
    AVDictionary    *dict = NULL;
    const AVCodec   *codec;
    AVCodecContext  *enc;

    memset(s, 0, sizeof(stream_t));

    codec = avcodec_find_encoder_by_name(name);

    if (codec == NULL) {
        return 0;
    }

    enc = avcodec_alloc_context3(codec);
    enc->width = w;
    enc->height = h;
    enc->pix_fmt = format;
    enc->time_base = (AVRational) { 1, 30 };
    enc->framerate = (AVRational) { 30, 1 };
    enc->gop_size = 60;
    enc->bit_rate = 2000000;
    enc->flags |= flags;
    enc->thread_count = 1;

    av_dict_parse_string(&dict, options, "=", ":", 0);

    if (avcodec_open2(enc, codec, &dict) < 0) {
        av_dict_free(&dict);
        avcodec_free_context(&enc);
        return 0;
    }

    av_dict_free(&dict);

    pkt = av_packet_alloc();

    for (i = 0; i <= n; i++) {

        if (i < n) {
            f = stream_picture(i, w, h, format);
            f->pts = i;

            if (flags & AV_CODEC_FLAG_INTERLACED_DCT) {
#ifdef AV_FRAME_FLAG_INTERLACED
                f->flags |= AV_FRAME_FLAG_INTERLACED
                            |AV_FRAME_FLAG_TOP_FIELD_FIRST;
#else
                f->interlaced_frame = 1;
                f->top_field_first = 1;
#endif
            }

            rc = avcodec_send_frame(enc, f);
            av_frame_free(&f);

        } else {
            rc = avcodec_send_frame(enc, NULL);
        }

        if (rc < 0) {
            abort();
        }

        while (avcodec_receive_packet(enc, pkt) >= 0) {
            stream_add(s, pkt->data, pkt->size, from + pkt->pts * STEP,
                       (pkt->flags & AV_PKT_FLAG_KEY) != 0);
            av_packet_unref(pkt);
        }
    }

    av_packet_free(&pkt);
    avcodec_free_context(&enc);

    return 1;
}


#endif /* _VIDEO_MAKE_H_INCLUDED_ */
