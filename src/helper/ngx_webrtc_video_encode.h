
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Encodes video with libavcodec as WebRTC needs it: each picture becomes a
 * frame at once, in the same order, decodable alone when asked for.
 *
 * Belongs to one thread, besides those that libavcodec makes itself.
 */


#ifndef _NGX_WEBRTC_VIDEO_ENCODE_H_INCLUDED_
#define _NGX_WEBRTC_VIDEO_ENCODE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavcodec/avcodec.h>


typedef struct ngx_webrtc_video_encoder_s  ngx_webrtc_video_encoder_t;


/*
 *   codec     NGX_WEBRTC_CODEC_*
 *   hw        "auto": what is found, else software; "none"; or a kind of
 *             hardware, else software
 *   width, height   even
 *   fps       pictures per second, about
 *   bitrate   bit/s
 *   key_ms    most between key frames
 */
typedef struct {
    ngx_uint_t                         codec;
    const char                        *hw;
    int                                width;
    int                                height;
    ngx_uint_t                         fps;
    uint32_t                           bitrate;
    ngx_uint_t                         key_ms;
} ngx_webrtc_video_encode_conf_t;


/* all zero: closed, and no encoder has failed yet */
typedef struct {
    ngx_webrtc_video_encode_conf_t     conf;
    const ngx_webrtc_video_encoder_t  *row;
    uint32_t                           failed;     /* bits: rows of the table */
    AVCodecContext                    *enc;
    AVPacket                          *pkt;
    AVFrame                           *upload;     /* in hardware's memory */
    int64_t                            key;        /* pts of the last one */
    int64_t                            last;       /* pts of a picture */
    int64_t                            hidden;     /* 90 kHz that pictures took
                                                      that were left out */
    uint64_t                           bps;        /* that its frames are to
                                                      take; set after open() */
    int64_t                            ahead;      /* of that, 90 kHz */
    int64_t                            ahead_at;   /* as of this pts */
    unsigned                           some:1;     /* there was one */
} ngx_webrtc_video_encode_t;


/*
 * Opens an encoder, or another one.
 *
 *   colors  a picture as they will come: its colours are noted in what is
 *           encoded.  NULL: not known
 *
 * NGX_OK
 * NGX_DECLINED  there is none for this codec, or none for this size
 */
ngx_int_t ngx_webrtc_video_encode_open(ngx_webrtc_video_encode_t *e,
    const ngx_webrtc_video_encode_conf_t *conf, const AVFrame *colors);

/* may be repeated; which encoders have failed is kept */
void ngx_webrtc_video_encode_close(ngx_webrtc_video_encode_t *e);

/* The encoder has failed at work: open() will take another one. */
void ngx_webrtc_video_encode_fail(ngx_webrtc_video_encode_t *e);

/* enum AVPixelFormat of the pictures that it wants; it is open */
int ngx_webrtc_video_encode_format(ngx_webrtc_video_encode_t *e);

/* 1: hardware */
ngx_uint_t ngx_webrtc_video_encode_hw(ngx_webrtc_video_encode_t *e);

/* its name, as FFmpeg calls it */
const char *ngx_webrtc_video_encode_name(ngx_webrtc_video_encode_t *e);

/* 1: its rate is what it is only if it was opened with the right fps */
ngx_uint_t ngx_webrtc_video_encode_counts(ngx_webrtc_video_encode_t *e);

/*
 * Sets the bit rate.
 *
 * NGX_OK        from the next picture on
 * NGX_DECLINED  only by opening it again
 */
ngx_int_t ngx_webrtc_video_encode_rate(ngx_webrtc_video_encode_t *e,
    uint32_t bitrate);

/*
 * Encodes a picture.
 *
 *   frame   of the size and format that it was opened for; pts in units of
 *           NGX_WEBRTC_VIDEO_CLOCK, greater than that of the one before.
 *           NULL: there are no more.  Its data is not changed
 *   key     make it a key frame; it is also one when key_ms have passed
 *
 * NGX_OK; NGX_ERROR: the encoder is of no use any more
 */
ngx_int_t ngx_webrtc_video_encode_put(ngx_webrtc_video_encode_t *e,
    AVFrame *frame, ngx_uint_t key);

/*
 * Has it made more than bps permits, so that a picture has to be left out?
 *
 *   pts   as of put(); 1: it must not be put
 */
ngx_uint_t ngx_webrtc_video_encode_full(ngx_webrtc_video_encode_t *e,
    int64_t pts);

/*
 * Takes the next frame: pkt->data, pkt->size, pkt->pts.
 *
 * The packet, valid until the next call; NULL: there is none
 */
AVPacket *ngx_webrtc_video_encode_get(ngx_webrtc_video_encode_t *e);

/*
 * The bit rate where none is given.
 *
 *   fps   0: not known
 */
uint32_t ngx_webrtc_video_encode_bitrate(ngx_uint_t codec, int width,
    int height, ngx_uint_t fps);


#endif /* _NGX_WEBRTC_VIDEO_ENCODE_H_INCLUDED_ */
