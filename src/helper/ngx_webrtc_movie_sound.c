
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Transcodes the sound of a movie.
 *
 * What is encoded is counted in samples, and put where the file says it is: a
 * gap becomes silence, what comes twice is dropped, and rounded times are left
 * alone.  So sound is never further from the picture than in the file by
 * NGX_WEBRTC_MOVIE_SOUND_SLACK.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavutil/opt.h>

#include "ngx_webrtc_movie_sound.h"


/* samples by which times may differ from the count: 20 ms; chosen: less than
 * anybody hears, more than containers round */
#define NGX_WEBRTC_MOVIE_SOUND_SLACK   (NGX_WEBRTC_MOVIE_SOUND_RATE / 50)

/* samples of silence in one gap at most: longer ones stay gaps */
#define NGX_WEBRTC_MOVIE_SOUND_GAP     (NGX_WEBRTC_MOVIE_SOUND_RATE * 10)

/* errors in a row; chosen: a few seconds of a damaged file */
#define NGX_WEBRTC_MOVIE_SOUND_ERRORS  500


static ngx_int_t ngx_webrtc_movie_sound_decoder(
    ngx_webrtc_movie_sound_t *sound, const AVCodecParameters *par);
static ngx_int_t ngx_webrtc_movie_sound_encoder(
    ngx_webrtc_movie_sound_t *sound, enum AVCodecID id);
static ngx_int_t ngx_webrtc_movie_sound_frame(
    ngx_webrtc_movie_sound_t *sound, AVFrame *frame);
static ngx_int_t ngx_webrtc_movie_sound_resampler(
    ngx_webrtc_movie_sound_t *sound, AVFrame *frame);
static ngx_int_t ngx_webrtc_movie_sound_place(
    ngx_webrtc_movie_sound_t *sound, int64_t at, int n);
static ngx_int_t ngx_webrtc_movie_sound_silence(
    ngx_webrtc_movie_sound_t *sound, int64_t n);
static ngx_int_t ngx_webrtc_movie_sound_add(ngx_webrtc_movie_sound_t *sound,
    int skip, int n);
static ngx_int_t ngx_webrtc_movie_sound_encode(
    ngx_webrtc_movie_sound_t *sound, ngx_uint_t last);
static ngx_int_t ngx_webrtc_movie_sound_receive(
    ngx_webrtc_movie_sound_t *sound);


ngx_int_t
ngx_webrtc_movie_sound_begin(ngx_webrtc_movie_sound_t *sound,
    const AVCodecParameters *par, AVRational tb, enum AVCodecID id,
    const char **cause)
{
    sound->tb = tb;
    sound->begin = 0;

    *cause = "the sound cannot be decoded";

    if (ngx_webrtc_movie_sound_decoder(sound, par) != NGX_OK) {
        return NGX_ERROR;
    }

    *cause = "the sound cannot be encoded";

    if (ngx_webrtc_movie_sound_encoder(sound, id) != NGX_OK) {
        return NGX_ERROR;
    }

    *cause = "no memory in the media process";

    sound->decoded = av_frame_alloc();
    sound->resampled = av_frame_alloc();
    sound->frame = av_frame_alloc();
    sound->fifo = av_audio_fifo_alloc(sound->out->sample_fmt, 2, 4096);

    if (sound->decoded == NULL || sound->resampled == NULL
        || sound->frame == NULL || sound->fifo == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_movie_sound_decoder(ngx_webrtc_movie_sound_t *sound,
    const AVCodecParameters *par)
{
    const AVCodec  *codec;

    codec = avcodec_find_decoder(par->codec_id);

    if (codec == NULL) {
        return NGX_ERROR;
    }

    sound->in = avcodec_alloc_context3(codec);

    if (sound->in == NULL
        || avcodec_parameters_to_context(sound->in, par) < 0)
    {
        return NGX_ERROR;
    }

    sound->in->pkt_timebase = sound->tb;

    return (avcodec_open2(sound->in, codec, NULL) < 0) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_webrtc_movie_sound_encoder(ngx_webrtc_movie_sound_t *sound,
    enum AVCodecID id)
{
    const AVCodec         *codec;
    const AVChannelLayout  stereo = AV_CHANNEL_LAYOUT_STEREO;

    codec = (id == AV_CODEC_ID_OPUS) ? avcodec_find_encoder_by_name("libopus")
                                     : avcodec_find_encoder(id);

    if (codec == NULL) {
        return NGX_ERROR;
    }

    sound->out = avcodec_alloc_context3(codec);

    if (sound->out == NULL) {
        return NGX_ERROR;
    }

    sound->out->sample_fmt = (id == AV_CODEC_ID_OPUS) ? AV_SAMPLE_FMT_FLT
                                                      : AV_SAMPLE_FMT_FLTP;
    sound->out->sample_rate = NGX_WEBRTC_MOVIE_SOUND_RATE;
    sound->out->bit_rate = NGX_WEBRTC_MOVIE_SOUND_BITRATE;
    sound->out->time_base = av_make_q(1, NGX_WEBRTC_MOVIE_SOUND_RATE);
    sound->out->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;

    if (av_channel_layout_copy(&sound->out->ch_layout, &stereo) < 0
        || avcodec_open2(sound->out, codec, NULL) < 0)
    {
        return NGX_ERROR;
    }

    return (sound->out->frame_size > 0) ? NGX_OK : NGX_ERROR;
}


void
ngx_webrtc_movie_sound_end(ngx_webrtc_movie_sound_t *sound)
{
    avcodec_free_context(&sound->in);
    avcodec_free_context(&sound->out);
    swr_free(&sound->swr);
    av_frame_free(&sound->decoded);
    av_frame_free(&sound->resampled);
    av_frame_free(&sound->frame);
    av_channel_layout_uninit(&sound->layout);

    if (sound->fifo) {
        av_audio_fifo_free(sound->fifo);
        sound->fifo = NULL;
    }
}


void
ngx_webrtc_movie_sound_from(ngx_webrtc_movie_sound_t *sound, int64_t us)
{
    sound->begin = av_rescale(us, NGX_WEBRTC_MOVIE_SOUND_RATE, 1000000);
}


ngx_int_t
ngx_webrtc_movie_sound_packet(ngx_webrtc_movie_sound_t *sound, AVPacket *pkt)
{
    int        rc;
    ngx_int_t  ret;

    rc = avcodec_send_packet(sound->in, pkt);

    if (rc < 0 && rc != AVERROR_EOF) {
        sound->errors++;
    }

    ret = NGX_OK;

    while (ret == NGX_OK) {
        rc = avcodec_receive_frame(sound->in, sound->decoded);

        if (rc < 0) {
            break;
        }

        sound->errors = 0;

        ret = ngx_webrtc_movie_sound_frame(sound, sound->decoded);
        av_frame_unref(sound->decoded);
    }

    if (ret != NGX_OK || sound->errors > NGX_WEBRTC_MOVIE_SOUND_ERRORS) {
        return NGX_ERROR;
    }

    return pkt ? NGX_OK : ngx_webrtc_movie_sound_encode(sound, 1);
}


static ngx_int_t
ngx_webrtc_movie_sound_frame(ngx_webrtc_movie_sound_t *sound, AVFrame *frame)
{
    int      n;
    int64_t  at;

    if (frame->nb_samples <= 0 || frame->sample_rate <= 0
        || frame->ch_layout.nb_channels <= 0)
    {
        return NGX_OK;
    }

    if (ngx_webrtc_movie_sound_resampler(sound, frame) != NGX_OK) {

        /* of what the file has, not of ours */

        sound->errors++;
        return NGX_OK;
    }

    at = frame->best_effort_timestamp;

    at = (at == AV_NOPTS_VALUE)
         ? sound->next
         : av_rescale_q(at, sound->tb, sound->out->time_base)
           - swr_get_delay(sound->swr, NGX_WEBRTC_MOVIE_SOUND_RATE);

    av_frame_unref(sound->resampled);

    sound->resampled->sample_rate = NGX_WEBRTC_MOVIE_SOUND_RATE;
    sound->resampled->format = sound->out->sample_fmt;

    if (av_channel_layout_copy(&sound->resampled->ch_layout,
                               &sound->out->ch_layout)
        < 0
        || swr_convert_frame(sound->swr, sound->resampled, frame) < 0)
    {
        sound->errors++;
        return NGX_OK;
    }

    n = sound->resampled->nb_samples;

    if (n > 0 && ngx_webrtc_movie_sound_place(sound, at, n) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_webrtc_movie_sound_encode(sound, 0);
}


static ngx_int_t
ngx_webrtc_movie_sound_resampler(ngx_webrtc_movie_sound_t *sound,
    AVFrame *frame)
{
    if (sound->swr && sound->rate == frame->sample_rate
        && sound->format == frame->format
        && av_channel_layout_compare(&sound->layout, &frame->ch_layout) == 0)
    {
        return NGX_OK;
    }

    swr_free(&sound->swr);

    sound->rate = frame->sample_rate;
    sound->format = frame->format;

    if (av_channel_layout_copy(&sound->layout, &frame->ch_layout) < 0) {
        return NGX_ERROR;
    }

    if (frame->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
        av_channel_layout_uninit(&frame->ch_layout);
        av_channel_layout_default(&frame->ch_layout,
                                  sound->layout.nb_channels);
    }

    if (swr_alloc_set_opts2(&sound->swr, &sound->out->ch_layout,
                            sound->out->sample_fmt,
                            NGX_WEBRTC_MOVIE_SOUND_RATE, &frame->ch_layout,
                            frame->format, frame->sample_rate, 0, NULL)
        < 0
        || swr_init(sound->swr) < 0)
    {
        swr_free(&sound->swr);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* puts n samples, which the file has at that time, behind what there is */

static ngx_int_t
ngx_webrtc_movie_sound_place(ngx_webrtc_movie_sound_t *sound, int64_t at,
    int n)
{
    int      skip;
    int64_t  gap;

    if (at + n <= sound->begin) {
        return NGX_OK;
    }

    if (!sound->begun) {

        /* it begins with the picture, or when the file's does */

        sound->next = ngx_max(at, sound->begin);
        sound->begun = 1;
    }

    gap = at - sound->next;
    skip = 0;

    if (gap > NGX_WEBRTC_MOVIE_SOUND_GAP) {

        /* what is left of before ends here */

        if (ngx_webrtc_movie_sound_silence(sound, sound->out->frame_size)
            != NGX_OK
            || ngx_webrtc_movie_sound_encode(sound, 0) != NGX_OK)
        {
            return NGX_ERROR;
        }

        av_audio_fifo_reset(sound->fifo);
        sound->next = at;

    } else if (gap > NGX_WEBRTC_MOVIE_SOUND_SLACK) {

        if (ngx_webrtc_movie_sound_silence(sound, gap) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (-gap > NGX_WEBRTC_MOVIE_SOUND_SLACK
               || at < sound->begin)
    {
        if (-gap >= n) {
            return NGX_OK;
        }

        skip = gap < 0 ? (int) -gap : 0;
    }

    return ngx_webrtc_movie_sound_add(sound, skip, n - skip);
}


static ngx_int_t
ngx_webrtc_movie_sound_silence(ngx_webrtc_movie_sound_t *sound, int64_t n)
{
    int        part;
    AVFrame   *frame;
    ngx_int_t  rc;

    frame = av_frame_alloc();

    if (frame == NULL) {
        return NGX_ERROR;
    }

    part = sound->out->frame_size;

    frame->nb_samples = part;
    frame->format = sound->out->sample_fmt;
    frame->sample_rate = NGX_WEBRTC_MOVIE_SOUND_RATE;

    rc = NGX_ERROR;

    if (av_channel_layout_copy(&frame->ch_layout, &sound->out->ch_layout) < 0
        || av_frame_get_buffer(frame, 0) < 0
        || av_samples_set_silence(frame->extended_data, 0, part, 2,
                                  sound->out->sample_fmt)
           < 0)
    {
        goto done;
    }

    while (n > 0) {
        part = (int) ngx_min(n, sound->out->frame_size);

        if (av_audio_fifo_write(sound->fifo, (void **) frame->extended_data,
                                part)
            < part)
        {
            goto done;
        }

        sound->next += part;
        n -= part;
    }

    rc = NGX_OK;

done:

    av_frame_free(&frame);

    return rc;
}


/* n samples of what was resampled, behind skip of them */

static ngx_int_t
ngx_webrtc_movie_sound_add(ngx_webrtc_movie_sound_t *sound, int skip, int n)
{
    int      size;
    uint8_t *data[2];

    size = av_get_bytes_per_sample(sound->out->sample_fmt);

    if (av_sample_fmt_is_planar(sound->out->sample_fmt)) {
        data[0] = sound->resampled->extended_data[0] + skip * size;
        data[1] = sound->resampled->extended_data[1] + skip * size;

    } else {
        data[0] = sound->resampled->extended_data[0] + skip * size * 2;
        data[1] = NULL;
    }

    if (av_audio_fifo_write(sound->fifo, (void **) data, n) < n) {
        return NGX_ERROR;
    }

    sound->next += n;

    return NGX_OK;
}


/*
 *   last   what is less than a frame, too, and what the encoder has left
 */

static ngx_int_t
ngx_webrtc_movie_sound_encode(ngx_webrtc_movie_sound_t *sound,
    ngx_uint_t last)
{
    int       n, size;
    AVFrame  *frame;

    for ( ;; ) {
        size = sound->out->frame_size;
        n = av_audio_fifo_size(sound->fifo);

        if (n == 0 || (n < size && !last)) {
            break;
        }

        n = ngx_min(n, size);
        frame = sound->frame;

        av_frame_unref(frame);

        frame->nb_samples = n;
        frame->format = sound->out->sample_fmt;
        frame->sample_rate = NGX_WEBRTC_MOVIE_SOUND_RATE;
        frame->pts = sound->next - av_audio_fifo_size(sound->fifo);

        if (av_channel_layout_copy(&frame->ch_layout,
                                   &sound->out->ch_layout)
            < 0
            || av_frame_get_buffer(frame, 0) < 0
            || av_audio_fifo_read(sound->fifo, (void **) frame->extended_data,
                                  n)
               < n
            || avcodec_send_frame(sound->out, frame) < 0
            || ngx_webrtc_movie_sound_receive(sound) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (!last) {
        return NGX_OK;
    }

    (void) avcodec_send_frame(sound->out, NULL);

    return ngx_webrtc_movie_sound_receive(sound);
}


static ngx_int_t
ngx_webrtc_movie_sound_receive(ngx_webrtc_movie_sound_t *sound)
{
    AVPacket   *pkt;
    ngx_int_t   rc;

    pkt = av_packet_alloc();

    if (pkt == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    while (rc == NGX_OK && avcodec_receive_packet(sound->out, pkt) >= 0) {
        rc = sound->packet(sound->ctx, pkt);
        av_packet_unref(pkt);
    }

    av_packet_free(&pkt);

    return rc;
}
