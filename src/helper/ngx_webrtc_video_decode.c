
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Decodes video: see the header file.
 *
 * Delay.  Decoders give a picture out when they know that none comes before
 * it: at once where there are no B-frames.  Threads that decode different
 * pictures at a time ("frame threads") delay each by their number, so they are
 * used only where one core cannot do it; threads that share a picture cost
 * nothing, but only some encoders make such streams.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavutil/opt.h>

#include "ngx_webrtc_source_codecs.h"
#include "ngx_webrtc_video_decode.h"


/* samples of a picture that one core decodes in time; chosen: 1080p */
#define NGX_WEBRTC_VIDEO_DECODE_ONE      (1920 * 1088)

/* threads; chosen: 4K at 60 pictures a second */
#define NGX_WEBRTC_VIDEO_DECODE_THREADS  4

/* samples of a picture; chosen: 16K, larger ones are a waste of memory */
#define NGX_WEBRTC_VIDEO_DECODE_MOST     (16384LL * 8640)


ngx_int_t
ngx_webrtc_video_decode_open(ngx_webrtc_video_decode_t *d, ngx_uint_t codec,
    u_char *p, size_t n, size_t size, const char **cause)
{
    AVDictionary    *options;
    const AVCodec   *c;
    enum AVCodecID   id;

    ngx_webrtc_video_decode_close(d);

    id = ngx_webrtc_source_codecs_id(codec);
    c = (id == AV_CODEC_ID_NONE) ? NULL : avcodec_find_decoder(id);

    if (c == NULL) {
        *cause = "FFmpeg here has no decoder for it";
        return NGX_DECLINED;
    }

    *cause = "no memory";

    d->dec = avcodec_alloc_context3(c);
    d->pkt = av_packet_alloc();

    if (d->dec == NULL || d->pkt == NULL) {
        goto failed;
    }

    if (n) {
        if (n > INT_MAX - NGX_WEBRTC_VIDEO_SPARE) {
            goto failed;
        }

        d->dec->extradata = av_mallocz(n + NGX_WEBRTC_VIDEO_SPARE);

        if (d->dec->extradata == NULL) {
            goto failed;
        }

        ngx_memcpy(d->dec->extradata, p, n);
        d->dec->extradata_size = n;
    }

    d->dec->pkt_timebase = (AVRational) { 1, NGX_WEBRTC_VIDEO_CLOCK };
    d->dec->max_pixels = NGX_WEBRTC_VIDEO_DECODE_MOST;
    d->dec->thread_count = NGX_WEBRTC_VIDEO_DECODE_THREADS;

    if (size > NGX_WEBRTC_VIDEO_DECODE_ONE) {
        d->dec->thread_type = FF_THREAD_FRAME|FF_THREAD_SLICE;

    } else {
        d->dec->thread_type = FF_THREAD_SLICE;

        if (!(c->capabilities & (AV_CODEC_CAP_SLICE_THREADS
                                 |AV_CODEC_CAP_OTHER_THREADS)))
        {
            d->dec->thread_count = 1;
        }
    }

    /*
     * Elsewhere it makes decoders give out pictures as they come, in the
     * wrong order.
     */

    if (id == AV_CODEC_ID_AV1) {
        d->dec->flags |= AV_CODEC_FLAG_LOW_DELAY;
    }

    options = NULL;

    if (avcodec_open2(d->dec, c, &options) < 0) {
        av_dict_free(&options);
        ngx_webrtc_video_decode_close(d);
        *cause = "its configuration is damaged";
        return NGX_DECLINED;
    }

    av_dict_free(&options);

    return NGX_OK;

failed:

    ngx_webrtc_video_decode_close(d);

    return NGX_ERROR;
}


void
ngx_webrtc_video_decode_close(ngx_webrtc_video_decode_t *d)
{
    avcodec_free_context(&d->dec);
    av_packet_free(&d->pkt);
}


void
ngx_webrtc_video_decode_flush(ngx_webrtc_video_decode_t *d)
{
    if (d->dec) {
        avcodec_flush_buffers(d->dec);
    }
}


ngx_int_t
ngx_webrtc_video_decode_put(ngx_webrtc_video_decode_t *d, u_char *data,
    size_t n, int64_t ts)
{
    int  rc;

    if (d->dec == NULL || n > INT_MAX - NGX_WEBRTC_VIDEO_SPARE) {
        return NGX_DECLINED;
    }

    if (n == 0) {
        return avcodec_send_packet(d->dec, NULL) < 0 ? NGX_DECLINED : NGX_OK;
    }

    d->pkt->data = data;
    d->pkt->size = n;
    d->pkt->pts = ts;
    d->pkt->dts = AV_NOPTS_VALUE;

    rc = avcodec_send_packet(d->dec, d->pkt);

    /* it has copied what it keeps */

    d->pkt->data = NULL;
    d->pkt->size = 0;

    return rc < 0 ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_webrtc_video_decode_get(ngx_webrtc_video_decode_t *d, AVFrame *frame)
{
    if (d->dec == NULL || avcodec_receive_frame(d->dec, frame) < 0) {
        return NGX_AGAIN;
    }

    if (frame->pts == AV_NOPTS_VALUE) {
        frame->pts = frame->best_effort_timestamp;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_video_decode_interlaced(const AVFrame *frame)
{
#ifdef AV_FRAME_FLAG_INTERLACED
    return (frame->flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
    return frame->interlaced_frame != 0;
#endif
}
