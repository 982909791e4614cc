
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Encodes the picture of a movie to H.264, at the same times.  Belongs to one
 * thread, besides those that libavcodec makes itself.
 */


#ifndef _NGX_WEBRTC_MOVIE_PICTURE_H_INCLUDED_
#define _NGX_WEBRTC_MOVIE_PICTURE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavformat/avformat.h>

#include "ngx_webrtc_video_encode.h"
#include "ngx_webrtc_video_filter.h"


/* ms between key frames at most: a fragment */
#define NGX_WEBRTC_MOVIE_PICTURE_KEY  2000


typedef struct {
    AVCodecContext                  *in;
    AVFrame                         *decoded;
    AVFrame                         *filtered;
    AVRational                       tb;        /* of the packets */
    ngx_uint_t                       height;    /* at most, 0: any */
    ngx_uint_t                       fps;
    int64_t                          begin;     /* pictures before it are left
                                                   out */
    int64_t                          last;      /* pts of the last one */
    ngx_uint_t                       errors;    /* in a row */
    unsigned                         opened:1;  /* the encoder */

    ngx_webrtc_video_filter_conf_t   conf;
    ngx_webrtc_video_filter_t        filter;
    ngx_webrtc_video_encode_t        encode;

    /* takes packets, whose times are in NGX_WEBRTC_VIDEO_CLOCK */

    ngx_int_t                      (*packet)(void *ctx, AVPacket *pkt);
    void                            *ctx;
} ngx_webrtc_movie_picture_t;


/*
 * Begins.
 *
 *   picture   zeroed, but for packet and ctx
 *   ic, st    of the file
 *   height    at most; 0: any
 *   cause     constant text
 *
 * NGX_OK; NGX_ERROR: *cause.  It has to be ended in either case.
 */
ngx_int_t ngx_webrtc_movie_picture_begin(ngx_webrtc_movie_picture_t *picture,
    AVFormatContext *ic, AVStream *st, ngx_uint_t height, const char **cause);
void ngx_webrtc_movie_picture_end(ngx_webrtc_movie_picture_t *picture);

/* Pictures that are shown before us are left out. */
void ngx_webrtc_movie_picture_from(ngx_webrtc_movie_picture_t *picture,
    int64_t us);

/*
 * Encodes a packet's pictures; NULL: there are no more.
 *
 * NGX_OK      also if it is damaged
 * NGX_ERROR   it cannot go on
 */
ngx_int_t ngx_webrtc_movie_picture_packet(ngx_webrtc_movie_picture_t *picture,
    AVPacket *pkt);


#endif /* _NGX_WEBRTC_MOVIE_PICTURE_H_INCLUDED_ */
