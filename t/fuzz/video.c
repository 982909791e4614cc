
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: records for a job that transcodes.  The input is records, each
 * with its length in two bytes in front of it, as for media_record; a length
 * of 0 asks for a key frame, of 1 for another rate.
 *
 * Decoder and encoder stand here instead of those that libavcodec does: the
 * first makes pictures of whatever shape the bytes of a frame say, the second
 * sees that it gets what it was opened for.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavutil/log.h>

#include "ngx_webrtc_video.h"


#define PICTURES  4

static const enum AVPixelFormat  formats[] = {
    AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV422P10,
    AV_PIX_FMT_YUV444P, AV_PIX_FMT_NV12, AV_PIX_FMT_GRAY8, AV_PIX_FMT_RGB24,
    AV_PIX_FMT_YUV411P
};

static AVFrame    *held[PICTURES];
static ngx_uint_t  nheld;
static AVPacket   *coded;
static int64_t     last;
static ngx_uint_t  fresh;


ngx_int_t
ngx_webrtc_video_decode_open(ngx_webrtc_video_decode_t *d, ngx_uint_t codec,
    u_char *p, size_t n, size_t size, const char **cause)
{
    ngx_webrtc_video_decode_close(d);

    if (n && p[0] == 0xff) {
        *cause = "the fuzzer's";
        return NGX_DECLINED;
    }

    (void) codec;
    (void) size;

    d->dec = avcodec_alloc_context3(NULL);

    return NGX_OK;
}


void
ngx_webrtc_video_decode_close(ngx_webrtc_video_decode_t *d)
{
    avcodec_free_context(&d->dec);
    ngx_webrtc_video_decode_flush(d);
}


void
ngx_webrtc_video_decode_flush(ngx_webrtc_video_decode_t *d)
{
    (void) d;

    while (nheld) {
        av_frame_free(&held[--nheld]);
    }
}


ngx_int_t
ngx_webrtc_video_decode_put(ngx_webrtc_video_decode_t *d, u_char *data,
    size_t n, int64_t ts)
{
    AVFrame  *f;

    if (d->dec == NULL) {
        return NGX_DECLINED;
    }

    if (n < 8) {
        return n ? NGX_DECLINED : NGX_OK;
    }

    f = (nheld == PICTURES) ? NULL : av_frame_alloc();

    if (f == NULL) {
        return NGX_DECLINED;
    }

    f->width = 1 + data[n - 1];
    f->height = 1 + data[n - 2];
    f->format = formats[data[n - 3] % (sizeof(formats) / sizeof(formats[0]))];
    f->sample_aspect_ratio.num = data[n - 4];
    f->sample_aspect_ratio.den = data[n - 5];
    f->color_range = data[n - 6] % AVCOL_RANGE_NB;
    f->pts = (data[n - 6] & 0x80) ? AV_NOPTS_VALUE : ts;

    if (data[n - 6] & 0x40) {
#ifdef AV_FRAME_FLAG_INTERLACED
        f->flags |= AV_FRAME_FLAG_INTERLACED;
#else
        f->interlaced_frame = 1;
#endif
    }

    if (av_frame_get_buffer(f, 0) < 0) {
        av_frame_free(&f);
        return NGX_DECLINED;
    }

    held[nheld++] = f;

    return (data[n - 6] & 0x20) ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_webrtc_video_decode_get(ngx_webrtc_video_decode_t *d, AVFrame *frame)
{
    (void) d;

    if (nheld == 0) {
        return NGX_AGAIN;
    }

    /* the last one first, as if they were out of order */

    av_frame_move_ref(frame, held[--nheld]);
    av_frame_free(&held[nheld]);

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


ngx_int_t
ngx_webrtc_video_encode_open(ngx_webrtc_video_encode_t *e,
    const ngx_webrtc_video_encode_conf_t *conf, const AVFrame *colors)
{
    (void) colors;

    ngx_webrtc_video_encode_close(e);

    if (conf->width % 2 || conf->height % 2
        || conf->width < 16 || conf->height < 16
        || conf->fps == 0 || conf->bitrate < NGX_WEBRTC_MEDIA_BPS_MIN)
    {
        abort();
    }

    e->conf = *conf;
    e->enc = avcodec_alloc_context3(NULL);
    fresh = 1;

    return NGX_OK;
}


void
ngx_webrtc_video_encode_close(ngx_webrtc_video_encode_t *e)
{
    avcodec_free_context(&e->enc);
    av_packet_free(&coded);
}


void
ngx_webrtc_video_encode_fail(ngx_webrtc_video_encode_t *e)
{
    ngx_webrtc_video_encode_close(e);
}


int
ngx_webrtc_video_encode_format(ngx_webrtc_video_encode_t *e)
{
    (void) e;

    return AV_PIX_FMT_YUV420P;
}


ngx_uint_t
ngx_webrtc_video_encode_hw(ngx_webrtc_video_encode_t *e)
{
    (void) e;

    return 0;
}


const char *
ngx_webrtc_video_encode_name(ngx_webrtc_video_encode_t *e)
{
    (void) e;

    return "fuzzer";
}


ngx_uint_t
ngx_webrtc_video_encode_counts(ngx_webrtc_video_encode_t *e)
{
    return e->conf.width & 4;
}


/* at times it has made too much */

ngx_uint_t
ngx_webrtc_video_encode_full(ngx_webrtc_video_encode_t *e, int64_t pts)
{
    return (e->conf.width & 16) && (pts & 64);
}


ngx_int_t
ngx_webrtc_video_encode_rate(ngx_webrtc_video_encode_t *e, uint32_t bitrate)
{
    if (bitrate < NGX_WEBRTC_MEDIA_BPS_MIN) {
        abort();
    }

    if (e->conf.width & 8) {
        return NGX_DECLINED;
    }

    e->conf.bitrate = bitrate;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_video_encode_put(ngx_webrtc_video_encode_t *e, AVFrame *frame,
    ngx_uint_t key)
{
    if (frame->width != e->conf.width || frame->height != e->conf.height
        || frame->format != AV_PIX_FMT_YUV420P
        || frame->pts == AV_NOPTS_VALUE
        || (!fresh && frame->pts <= last))
    {
        abort();
    }

    last = frame->pts;
    fresh = 0;

    if (frame->width == 66) {
        return NGX_ERROR;
    }

    av_packet_free(&coded);

    coded = av_packet_alloc();
    av_new_packet(coded, 1);
    coded->pts = frame->pts;
    coded->flags = key ? AV_PKT_FLAG_KEY : 0;

    return NGX_OK;
}


AVPacket *
ngx_webrtc_video_encode_get(ngx_webrtc_video_encode_t *e)
{
    static AVPacket  *given;

    (void) e;

    av_packet_free(&given);

    given = coded;
    coded = NULL;

    return given;
}


uint32_t
ngx_webrtc_video_encode_bitrate(ngx_uint_t codec, int width, int height,
    ngx_uint_t fps)
{
    (void) codec;
    (void) fps;

    return 20000 + width * height;
}


static ngx_int_t
out(void *ctx, u_char *data, size_t n, int64_t ts, ngx_uint_t key)
{
    (void) ctx;
    (void) data;
    (void) n;
    (void) key;

    return (ts == 666) ? NGX_ABORT : NGX_OK;
}


static void
say(void *ctx, ngx_uint_t failed, ngx_uint_t level, const char *text)
{
    (void) ctx;
    (void) failed;

    if (level < NGX_LOG_ERR || strlen(text) > 250) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                      n;
    u_char                     *copy;
    ngx_webrtc_video_t         *v;
    ngx_webrtc_video_conf_t     conf;
    ngx_webrtc_media_record_t   r;

    av_log_set_level(AV_LOG_QUIET);

    if (size < 4) {
        return 0;
    }

    ngx_memzero(&conf, sizeof(conf));

    conf.want.codec = NGX_WEBRTC_CODEC_H264;
    conf.want.deinterlace = data[0] & 1;
    conf.want.upright = (data[0] >> 1) & 1;
    conf.want.width = data[1];
    conf.want.height = data[2];
    conf.want.fps = data[3];
    ngx_str_set(&conf.want.hw, "vaapi");
    conf.out = out;
    conf.say = say;

    v = ngx_webrtc_video_create(&conf);

    data += 4;
    size -= 4;

    while (size >= 2) {
        n = (data[0] << 8) | data[1];
        data += 2;
        size -= 2;

        if (n == 0) {
            ngx_webrtc_video_keyframe(v);
            continue;
        }

        if (n == 1) {
            ngx_webrtc_video_bitrate(v, NGX_WEBRTC_MEDIA_BPS_MIN + size);
            continue;
        }

        n = ngx_min(n, size);

        copy = calloc(1, n + NGX_WEBRTC_VIDEO_SPARE);
        memcpy(copy, data, n);

        if (ngx_webrtc_media_record_parse(copy, copy + n, &r) == NGX_OK) {
            (void) ngx_webrtc_video_record(v, &r, (uint64_t) r.now_us
                                                  + (uint64_t) size * 4096);
        }

        free(copy);

        data += n;
        size -= n;
    }

    ngx_webrtc_video_destroy(v);

    return 0;
}
