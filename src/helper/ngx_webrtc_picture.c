
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * One picture of a video: see the header file.
 *
 * A key frame is given to the decoder, and then the end, so that it gives out
 * what it has.  A stream without IDR pictures becomes whole after some more
 * frames: those are given to it as well, until the first picture comes.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavutil/opt.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_picture.h"


/*
 * Quantizers of FFmpeg's JPEG encoder; quality 80 is 7, about as coarse as that
 * of others
 */
#define NGX_WEBRTC_PICTURE_BEST   2
#define NGX_WEBRTC_PICTURE_WORST  31


static ngx_int_t ngx_webrtc_picture_track(ngx_webrtc_picture_t *pic,
    ngx_webrtc_media_record_t *r);
static ngx_int_t ngx_webrtc_picture_frame(ngx_webrtc_picture_t *pic, u_char *p,
    size_t n);
static ngx_int_t ngx_webrtc_picture_decoded(ngx_webrtc_picture_t *pic);
static ngx_int_t ngx_webrtc_picture_filter(ngx_webrtc_picture_t *pic);
static ngx_int_t ngx_webrtc_picture_encode(ngx_webrtc_picture_t *pic,
    const AVCodec *codec);
static AVCodecContext *ngx_webrtc_picture_open(ngx_webrtc_picture_t *pic,
    const AVCodec *codec);
static const AVCodec *ngx_webrtc_picture_encoder(ngx_webrtc_picture_t *pic);


ngx_int_t
ngx_webrtc_picture_record(ngx_webrtc_picture_t *pic,
    ngx_webrtc_media_record_t *r)
{
    switch (r->type) {

    case NGX_WEBRTC_MEDIA_TRACK:
        return ngx_webrtc_picture_track(pic, r);

    case NGX_WEBRTC_MEDIA_TURN:
        pic->cvo = r->value & NGX_WEBRTC_CVO_MASK;
        return NGX_OK;

    case NGX_WEBRTC_MEDIA_FRAME:

        if (r->track != NGX_WEBRTC_MEDIA_VIDEO || r->len == 0) {
            return NGX_OK;
        }

        return ngx_webrtc_picture_frame(pic, r->data, r->len);

    case NGX_WEBRTC_MEDIA_END:
        return ngx_webrtc_picture_frame(pic, NULL, 0);

    default:
        return NGX_OK;
    }
}


void
ngx_webrtc_picture_end(ngx_webrtc_picture_t *pic)
{
    ngx_webrtc_video_decode_close(&pic->decode);
    ngx_webrtc_video_filter_reset(&pic->filter);

    av_frame_free(&pic->frame);
    av_packet_free(&pic->made);

    free(pic->config);
    pic->config = NULL;
}


static ngx_int_t
ngx_webrtc_picture_track(ngx_webrtc_picture_t *pic,
    ngx_webrtc_media_record_t *r)
{
    if (r->track != NGX_WEBRTC_MEDIA_VIDEO) {
        return NGX_OK;
    }

    if (ngx_webrtc_codec(r->value)->kind != NGX_WEBRTC_VIDEO || pic->codec) {
        pic->cause = "it was told of no such track";
        return NGX_ERROR;
    }

    pic->codec = (uint8_t) r->value;

    if (r->len == 0) {
        return NGX_OK;
    }

    pic->config = malloc(r->len);

    if (pic->config == NULL) {
        pic->cause = "no memory";
        return NGX_ERROR;
    }

    ngx_memcpy(pic->config, r->data, r->len);
    pic->nconfig = r->len;

    return NGX_OK;
}


/* n == 0: there are no more */

static ngx_int_t
ngx_webrtc_picture_frame(ngx_webrtc_picture_t *pic, u_char *p, size_t n)
{
    ngx_int_t  rc;

    if (pic->frame == NULL) {

        pic->frame = av_frame_alloc();

        if (pic->frame == NULL) {
            pic->cause = "no memory";
            return NGX_ERROR;
        }
    }

    if (pic->decode.dec == NULL
        && ngx_webrtc_video_decode_open(&pic->decode, pic->codec, pic->config,
                                        pic->nconfig, 0, &pic->cause)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_webrtc_video_decode_put(&pic->decode, p, n, 0);

    if (ngx_webrtc_video_decode_get(&pic->decode, pic->frame) == NGX_OK) {
        return ngx_webrtc_picture_decoded(pic);
    }

    if (n == 0 || rc != NGX_OK) {
        pic->cause = "its key frame cannot be decoded";
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_picture_decoded(ngx_webrtc_picture_t *pic)
{
    const AVCodec  *codec;

    codec = ngx_webrtc_picture_encoder(pic);

    if (codec == NULL) {
        pic->cause = "FFmpeg here has no encoder for it";
        return NGX_ERROR;
    }

    if (ngx_webrtc_picture_filter(pic) != NGX_OK) {
        pic->cause = "its picture cannot be scaled";
        return NGX_ERROR;
    }

    if (ngx_webrtc_picture_encode(pic, codec) != NGX_OK) {
        pic->cause = "its picture cannot be encoded";
        return NGX_ERROR;
    }

    return NGX_DONE;
}


static const AVCodec *
ngx_webrtc_picture_encoder(ngx_webrtc_picture_t *pic)
{
    const AVCodec  *codec;

    codec = pic->want.webp ? avcodec_find_encoder_by_name("libwebp") : NULL;

    pic->webp = (codec != NULL);

    return codec ? codec : avcodec_find_encoder(AV_CODEC_ID_MJPEG);
}


/* pic->frame becomes what the encoder is to get */

static ngx_int_t
ngx_webrtc_picture_filter(ngx_webrtc_picture_t *pic)
{
    ngx_webrtc_video_filter_conf_t  conf;

    ngx_memzero(&conf, sizeof(ngx_webrtc_video_filter_conf_t));

    conf.width = pic->want.width;
    conf.height = pic->want.height;
    conf.format = pic->webp ? AV_PIX_FMT_YUV420P : AV_PIX_FMT_YUVJ420P;
    conf.deinterlace = 1;
    conf.still = 1;
    conf.full = !pic->webp;
    conf.cvo = pic->cvo;

    /* whatever it is, it is shown; deinterlacing needs two times */

    pic->frame->pts = 0;

    if (ngx_webrtc_video_filter_put(&pic->filter, &conf, pic->frame)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    (void) ngx_webrtc_video_filter_put(&pic->filter, NULL, NULL);

    return ngx_webrtc_video_filter_get(&pic->filter, pic->frame) == NGX_OK
           ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_webrtc_picture_encode(ngx_webrtc_picture_t *pic, const AVCodec *codec)
{
    ngx_int_t        rc;
    AVCodecContext  *enc;

    pic->made = av_packet_alloc();
    enc = ngx_webrtc_picture_open(pic, codec);

    if (enc == NULL || pic->made == NULL) {
        avcodec_free_context(&enc);
        return NGX_ERROR;
    }

    pic->frame->pts = 0;
    pic->frame->pict_type = AV_PICTURE_TYPE_NONE;
    pic->frame->quality = enc->global_quality;

    rc = (avcodec_send_frame(enc, pic->frame) >= 0
          && avcodec_send_frame(enc, NULL) >= 0
          && avcodec_receive_packet(enc, pic->made) >= 0
          && pic->made->size > 0)
         ? NGX_OK : NGX_ERROR;

    avcodec_free_context(&enc);

    return rc;
}


static AVCodecContext *
ngx_webrtc_picture_open(ngx_webrtc_picture_t *pic, const AVCodec *codec)
{
    int              quality;
    AVCodecContext  *enc;

    enc = avcodec_alloc_context3(codec);

    if (enc == NULL) {
        return NULL;
    }

    quality = pic->want.quality;

    enc->width = pic->frame->width;
    enc->height = pic->frame->height;
    enc->pix_fmt = pic->frame->format;
    enc->color_range = pic->webp ? AVCOL_RANGE_MPEG : AVCOL_RANGE_JPEG;
    enc->time_base = av_make_q(1, 25);
    enc->thread_count = 1;

    if (pic->webp) {
        (void) av_opt_set_double(enc->priv_data, "quality", quality, 0);

    } else {
        enc->flags |= AV_CODEC_FLAG_QSCALE;
        enc->global_quality = FF_QP2LAMBDA
                              * (NGX_WEBRTC_PICTURE_BEST
                                 + (100 - quality)
                                   * (NGX_WEBRTC_PICTURE_WORST
                                      - NGX_WEBRTC_PICTURE_BEST) / 99);
    }

    if (avcodec_open2(enc, codec, NULL) < 0) {
        avcodec_free_context(&enc);
    }

    return enc;
}
