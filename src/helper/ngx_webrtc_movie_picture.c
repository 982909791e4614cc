
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Encodes the picture of a movie: see the header file.  The encoder is opened
 * with the first picture, as only that has its size for certain.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_media_message.h"
#include "ngx_webrtc_movie_info.h"
#include "ngx_webrtc_movie_picture.h"
#include "ngx_webrtc_source_turn.h"
#include "ngx_webrtc_track.h"
#include "ngx_webrtc_video_decode.h"


/* errors in a row; chosen: a few seconds of a damaged file */
#define NGX_WEBRTC_MOVIE_PICTURE_ERRORS   500

/* threads that decode; chosen: high definition in time, and others work too */
#define NGX_WEBRTC_MOVIE_PICTURE_THREADS  2

/* pictures per second where the file does not say */
#define NGX_WEBRTC_MOVIE_PICTURE_FPS      25


static ngx_int_t ngx_webrtc_movie_picture_decoded(
    ngx_webrtc_movie_picture_t *picture);
static ngx_int_t ngx_webrtc_movie_picture_open(
    ngx_webrtc_movie_picture_t *picture, AVFrame *frame);
static ngx_int_t ngx_webrtc_movie_picture_filtered(
    ngx_webrtc_movie_picture_t *picture);
static ngx_int_t ngx_webrtc_movie_picture_receive(
    ngx_webrtc_movie_picture_t *picture);


ngx_int_t
ngx_webrtc_movie_picture_begin(ngx_webrtc_movie_picture_t *picture,
    AVFormatContext *ic, AVStream *st, ngx_uint_t height, const char **cause)
{
    AVRational      rate;
    const AVCodec  *codec;

    picture->tb = st->time_base;
    picture->height = height;
    picture->last = INT64_MIN;

    rate = av_guess_frame_rate(ic, st, NULL);

    picture->fps = (rate.num > 0 && rate.den > 0)
                   ? (ngx_uint_t) (av_q2d(rate) + 0.5) : 0;

    if (picture->fps == 0) {
        picture->fps = NGX_WEBRTC_MOVIE_PICTURE_FPS;
    }

    picture->fps = ngx_min(picture->fps, NGX_WEBRTC_MEDIA_FPS);

    picture->conf.height = height;
    picture->conf.deinterlace = 1;
    picture->conf.cvo = (uint8_t) ngx_webrtc_source_turn(st);

    *cause = "no memory in the media process";

    picture->decoded = av_frame_alloc();
    picture->filtered = av_frame_alloc();

    if (picture->decoded == NULL || picture->filtered == NULL) {
        return NGX_ERROR;
    }

    *cause = "the picture cannot be decoded";

    codec = avcodec_find_decoder(st->codecpar->codec_id);

    if (codec == NULL) {
        return NGX_ERROR;
    }

    picture->in = avcodec_alloc_context3(codec);

    if (picture->in == NULL
        || avcodec_parameters_to_context(picture->in, st->codecpar) < 0)
    {
        return NGX_ERROR;
    }

    picture->in->pkt_timebase = st->time_base;
    picture->in->thread_count = NGX_WEBRTC_MOVIE_PICTURE_THREADS;

    return (avcodec_open2(picture->in, codec, NULL) < 0) ? NGX_ERROR : NGX_OK;
}


void
ngx_webrtc_movie_picture_end(ngx_webrtc_movie_picture_t *picture)
{
    avcodec_free_context(&picture->in);
    av_frame_free(&picture->decoded);
    av_frame_free(&picture->filtered);

    ngx_webrtc_video_filter_reset(&picture->filter);
    ngx_webrtc_video_encode_close(&picture->encode);
}


void
ngx_webrtc_movie_picture_from(ngx_webrtc_movie_picture_t *picture, int64_t us)
{
    picture->begin = av_rescale(us, NGX_WEBRTC_VIDEO_CLOCK, 1000000);
}


ngx_int_t
ngx_webrtc_movie_picture_packet(ngx_webrtc_movie_picture_t *picture,
    AVPacket *pkt)
{
    int        rc;
    ngx_int_t  ret;

    rc = avcodec_send_packet(picture->in, pkt);

    if (rc < 0 && rc != AVERROR_EOF) {
        picture->errors++;
    }

    ret = NGX_OK;

    while (ret == NGX_OK
           && avcodec_receive_frame(picture->in, picture->decoded) >= 0)
    {
        picture->errors = 0;

        ret = ngx_webrtc_movie_picture_decoded(picture);
        av_frame_unref(picture->decoded);
    }

    if (ret != NGX_OK || picture->errors > NGX_WEBRTC_MOVIE_PICTURE_ERRORS) {
        return NGX_ERROR;
    }

    if (pkt || !picture->opened) {
        return NGX_OK;
    }

    /* what the filter and the encoder have left */

    (void) ngx_webrtc_video_filter_put(&picture->filter, NULL, NULL);

    if (ngx_webrtc_movie_picture_filtered(picture) != NGX_OK
        || ngx_webrtc_video_encode_put(&picture->encode, NULL, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_webrtc_movie_picture_receive(picture);
}


static ngx_int_t
ngx_webrtc_movie_picture_decoded(ngx_webrtc_movie_picture_t *picture)
{
    AVFrame  *frame;

    frame = picture->decoded;

    if (frame->best_effort_timestamp == AV_NOPTS_VALUE) {
        return NGX_OK;
    }

    frame->pts = av_rescale_q(frame->best_effort_timestamp, picture->tb,
                              av_make_q(1, NGX_WEBRTC_VIDEO_CLOCK));

    if (frame->pts < picture->begin) {
        return NGX_OK;
    }

    if (!picture->opened
        && ngx_webrtc_movie_picture_open(picture, frame) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_webrtc_video_filter_put(&picture->filter, &picture->conf, frame)
        != NGX_OK)
    {
        picture->errors++;
        return NGX_OK;
    }

    return ngx_webrtc_movie_picture_filtered(picture);
}


static ngx_int_t
ngx_webrtc_movie_picture_open(ngx_webrtc_movie_picture_t *picture,
    AVFrame *frame)
{
    int                             width, height;
    ngx_webrtc_video_encode_conf_t  conf;

    ngx_webrtc_video_filter_size(&picture->conf, frame, &width, &height);

    conf.codec = NGX_WEBRTC_CODEC_H264;
    conf.hw = "none";
    conf.width = width;
    conf.height = height;
    conf.fps = picture->fps;
    conf.bitrate = (uint32_t) ngx_webrtc_movie_info_rate(height);
    conf.key_ms = NGX_WEBRTC_MOVIE_PICTURE_KEY;

    if (ngx_webrtc_video_encode_open(&picture->encode, &conf, frame)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    picture->conf.format = ngx_webrtc_video_encode_format(&picture->encode);
    picture->opened = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_movie_picture_filtered(ngx_webrtc_movie_picture_t *picture)
{
    AVFrame    *frame;
    ngx_int_t   rc;

    frame = picture->filtered;
    rc = NGX_OK;

    while (rc == NGX_OK
           && ngx_webrtc_video_filter_get(&picture->filter, frame) == NGX_OK)
    {
        /* one of another size, or shown at the same time, is passed over */

        if (frame->width == picture->encode.conf.width
            && frame->height == picture->encode.conf.height
            && frame->pts > picture->last)
        {
            picture->last = frame->pts;

            rc = ngx_webrtc_video_encode_put(&picture->encode, frame, 0);

            if (rc == NGX_OK) {
                rc = ngx_webrtc_movie_picture_receive(picture);
            }
        }

        av_frame_unref(frame);
    }

    return rc;
}


static ngx_int_t
ngx_webrtc_movie_picture_receive(ngx_webrtc_movie_picture_t *picture)
{
    AVPacket   *pkt, *copy;
    ngx_int_t   rc;

    for ( ;; ) {
        pkt = ngx_webrtc_video_encode_get(&picture->encode);

        if (pkt == NULL) {
            return NGX_OK;
        }

        copy = av_packet_clone(pkt);

        if (copy == NULL) {
            return NGX_ERROR;
        }

        copy->duration = NGX_WEBRTC_VIDEO_CLOCK / picture->fps;

        rc = picture->packet(picture->ctx, copy);

        av_packet_free(&copy);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }
}
