
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Decodes video with libavcodec.
 *
 * Belongs to one thread, besides those that libavcodec makes itself.
 */


#ifndef _NGX_WEBRTC_VIDEO_DECODE_H_INCLUDED_
#define _NGX_WEBRTC_VIDEO_DECODE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavcodec/avcodec.h>


/* units per second of all times */
#define NGX_WEBRTC_VIDEO_CLOCK   90000

/* bytes after a frame that decoders may read; they are 0 */
#define NGX_WEBRTC_VIDEO_SPARE   AV_INPUT_BUFFER_PADDING_SIZE


/* all zero: closed */
typedef struct {
    AVCodecContext  *dec;
    AVPacket        *pkt;
} ngx_webrtc_video_decode_t;


/*
 * Opens a decoder, or another one.
 *
 *   codec   NGX_WEBRTC_CODEC_*
 *   p, n    its configuration, none if n is 0
 *   size    samples of a picture, if known: large ones are decoded by several
 *           threads, which costs as many pictures of delay; 0: unknown
 *   cause   constant text, set unless NGX_OK is returned
 *
 * NGX_OK
 * NGX_DECLINED  the codec cannot be decoded here, or the configuration is bad
 * NGX_ERROR     no memory
 */
ngx_int_t ngx_webrtc_video_decode_open(ngx_webrtc_video_decode_t *d,
    ngx_uint_t codec, u_char *p, size_t n, size_t size, const char **cause);

/* may be repeated */
void ngx_webrtc_video_decode_close(ngx_webrtc_video_decode_t *d);

/* Forgets all pictures: the next frame is a key frame. */
void ngx_webrtc_video_decode_flush(ngx_webrtc_video_decode_t *d);

/*
 * Gives a coded frame to the decoder.
 *
 *   data, n   the frame; n == 0: there are no more, the rest comes out.
 *             Followed by NGX_WEBRTC_VIDEO_SPARE zeros
 *   ts        when it is shown
 *
 * NGX_OK
 * NGX_DECLINED  it could not be decoded; others may
 */
ngx_int_t ngx_webrtc_video_decode_put(ngx_webrtc_video_decode_t *d,
    u_char *data, size_t n, int64_t ts);

/*
 * Takes the next picture, in the order that they are shown in; all of them are
 * taken after each put().
 *
 *   frame   pts is the ts of the frame that it was coded in, AV_NOPTS_VALUE:
 *           unknown.  The caller unrefs it
 *
 * NGX_OK; NGX_AGAIN: there is none
 */
ngx_int_t ngx_webrtc_video_decode_get(ngx_webrtc_video_decode_t *d,
    AVFrame *frame);

/* 1: the picture consists of two fields */
ngx_uint_t ngx_webrtc_video_decode_interlaced(const AVFrame *frame);


#endif /* _NGX_WEBRTC_VIDEO_DECODE_H_INCLUDED_ */
