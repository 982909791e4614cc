
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Transcodes the sound of a movie to stereo AAC or Opus, at the same times.
 * Belongs to one thread.
 */


#ifndef _NGX_WEBRTC_MOVIE_SOUND_H_INCLUDED_
#define _NGX_WEBRTC_MOVIE_SOUND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavcodec/avcodec.h>
#include <libavutil/audio_fifo.h>
#include <libswresample/swresample.h>


/* bits per second; chosen: what films have for two channels */
#define NGX_WEBRTC_MOVIE_SOUND_BITRATE  160000

#define NGX_WEBRTC_MOVIE_SOUND_RATE     48000


typedef struct {
    AVCodecContext       *in;
    AVCodecContext       *out;
    SwrContext           *swr;
    AVAudioFifo          *fifo;
    AVFrame              *decoded;
    AVFrame              *resampled;
    AVFrame              *frame;
    AVRational            tb;            /* of the packets */
    int64_t               begin;         /* samples before it are left out */
    int64_t               next;          /* of the last one in the fifo */
    ngx_uint_t            errors;        /* in a row */
    unsigned              begun:1;

    /* what the resampler was made for */

    int                   rate;
    int                   format;
    AVChannelLayout       layout;

    /* takes packets, whose times are in samples of _RATE */

    ngx_int_t           (*packet)(void *ctx, AVPacket *pkt);
    void                 *ctx;
} ngx_webrtc_movie_sound_t;


/*
 * Begins.
 *
 *   sound   zeroed, but for packet and ctx
 *   par     of the file's stream, whose packets have times in tb
 *   id      AV_CODEC_ID_AAC, AV_CODEC_ID_OPUS
 *   cause   constant text
 *
 * NGX_OK; NGX_ERROR: *cause.  sound->out describes what comes.  It has to be
 * ended in either case.
 */
ngx_int_t ngx_webrtc_movie_sound_begin(ngx_webrtc_movie_sound_t *sound,
    const AVCodecParameters *par, AVRational tb, enum AVCodecID id,
    const char **cause);
void ngx_webrtc_movie_sound_end(ngx_webrtc_movie_sound_t *sound);

/* What is heard before us is left out. */
void ngx_webrtc_movie_sound_from(ngx_webrtc_movie_sound_t *sound, int64_t us);

/*
 * Transcodes a packet; NULL: there are no more.
 *
 * NGX_OK       also if it is damaged
 * NGX_ERROR    it cannot go on
 */
ngx_int_t ngx_webrtc_movie_sound_packet(ngx_webrtc_movie_sound_t *sound,
    AVPacket *pkt);


#endif /* _NGX_WEBRTC_MOVIE_SOUND_H_INCLUDED_ */
