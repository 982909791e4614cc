
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Encodes video: see the header file.
 *
 * Which encoder.  Rows are tried from the top: those of the hardware that was
 * asked for, then software.  Hardware is believed only after it has encoded a
 * few pictures of the size in question: drivers open without the chip, chips
 * without the codec, or not at this size.  A row that fails is not tried again
 * in this job.
 *
 * Rate.  x264 spends what a quality needs and never more than the bit rate
 * (CRF with VBV); the others are held to the rate.  VBV holds half a second:
 * a key frame may be that large, and the network sees no longer burst.
 *
 * What no encoder can do is to make pictures of noise as small as a low rate
 * demands.  While what one has made would take the rate more than half a second
 * pictures are left out.  Encoders that go by times are not told of the pause,
 * which they would take for leave to make the next one larger.
 *
 * Key frames are forced by time and by request: encoders count pictures, and
 * the rate of pictures is only known about.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <unistd.h>

#include <libavutil/hwcontext.h>
#include <libavutil/imgutils.h>

#include "ngx_webrtc_track.h"
#include "ngx_webrtc_video_decode.h"
#include "ngx_webrtc_video_encode.h"


/* pictures of a trial; chosen: more than hardware keeps back */
#define NGX_WEBRTC_VIDEO_ENCODE_TRIAL     4

/* pictures between key frames as encoders count them: never; forced by time */
#define NGX_WEBRTC_VIDEO_ENCODE_GOP       100000

/* 90 kHz; chosen: what VBV holds */
#define NGX_WEBRTC_VIDEO_ENCODE_AHEAD     (NGX_WEBRTC_VIDEO_CLOCK / 2)

/* how many ways an encoder deals with its rate */
#define NGX_WEBRTC_VIDEO_ENCODE_CAPPED    0    /* a quality, and at most this */
#define NGX_WEBRTC_VIDEO_ENCODE_CBR       1

#define NGX_WEBRTC_VIDEO_ENCODE_CLOCK     ((AVRational) { 1, 90000 })


/*
 *   hw       "none": software
 *   probe    where there is hardware of the kind, NULL: wherever it is
 *   device   libavutil's name of the device, AV_HWDEVICE_TYPE_NONE: it takes
 *            pictures from main memory
 *   format   of pictures in main memory
 *   live     takes a new rate while it runs
 *   options  as FFmpeg has them
 */
struct ngx_webrtc_video_encoder_s {
    ngx_uint_t                         codec;
    const char                        *hw;
    const char                        *name;
    const char                        *probe;
    enum AVHWDeviceType                device;
    enum AVPixelFormat                 device_format;
    enum AVPixelFormat                 format;
    unsigned                           rate:2;
    unsigned                           live:1;
    const char                        *options;
};


typedef struct {
    uint32_t                           samples;
    uint32_t                           bitrate;
} ngx_webrtc_video_rate_t;


static ngx_int_t ngx_webrtc_video_encode_row(ngx_webrtc_video_encode_t *e,
    const ngx_webrtc_video_encoder_t *row, const AVFrame *colors);
static void ngx_webrtc_video_encode_set(ngx_webrtc_video_encode_t *e,
    const ngx_webrtc_video_encoder_t *row, const AVFrame *colors);
static void ngx_webrtc_video_encode_limits(ngx_webrtc_video_encode_t *e,
    uint32_t bitrate);
static int ngx_webrtc_video_encode_threads(int width, int height);
static ngx_int_t ngx_webrtc_video_encode_device(ngx_webrtc_video_encode_t *e,
    const ngx_webrtc_video_encoder_t *row);
static ngx_int_t ngx_webrtc_video_encode_trial(ngx_webrtc_video_encode_t *e,
    const AVFrame *colors);
static AVFrame *ngx_webrtc_video_encode_grey(ngx_webrtc_video_encode_t *e);
static AVFrame *ngx_webrtc_video_encode_upload(ngx_webrtc_video_encode_t *e,
    AVFrame *frame);


#define NGX_WEBRTC_VIDEO_NVENC                                                \
    "preset=p4:tune=ull:rc=cbr:zerolatency=1:delay=0:forced-idr=1"
#define NGX_WEBRTC_VIDEO_QSV                                                  \
    "preset=veryfast:async_depth=1:look_ahead=0:forced_idr=1"
#define NGX_WEBRTC_VIDEO_VAAPI  "rc_mode=CBR:async_depth=1"

#define ngx_webrtc_video_nvenc(codec, name, more)                             \
    { NGX_WEBRTC_CODEC_##codec, "nvenc", name, "/dev/nvidiactl",              \
      AV_HWDEVICE_TYPE_NONE, AV_PIX_FMT_NONE, AV_PIX_FMT_YUV420P,             \
      NGX_WEBRTC_VIDEO_ENCODE_CBR, 1, NGX_WEBRTC_VIDEO_NVENC more }

#define ngx_webrtc_video_qsv(codec, name, more)                               \
    { NGX_WEBRTC_CODEC_##codec, "qsv", name, "/dev/dri",                      \
      AV_HWDEVICE_TYPE_NONE, AV_PIX_FMT_NONE, AV_PIX_FMT_NV12,                \
      NGX_WEBRTC_VIDEO_ENCODE_CBR, 0, NGX_WEBRTC_VIDEO_QSV more }

#define ngx_webrtc_video_vaapi(codec, name, more)                             \
    { NGX_WEBRTC_CODEC_##codec, "vaapi", name, "/dev/dri",                    \
      AV_HWDEVICE_TYPE_VAAPI, AV_PIX_FMT_VAAPI, AV_PIX_FMT_NV12,              \
      NGX_WEBRTC_VIDEO_ENCODE_CBR, 0, NGX_WEBRTC_VIDEO_VAAPI more }

#define ngx_webrtc_video_v4l2(codec, name)                                    \
    { NGX_WEBRTC_CODEC_##codec, "v4l2m2m", name, NULL,                        \
      AV_HWDEVICE_TYPE_NONE, AV_PIX_FMT_NONE, AV_PIX_FMT_YUV420P,             \
      NGX_WEBRTC_VIDEO_ENCODE_CBR, 0, "" }

#define ngx_webrtc_video_soft(codec, name, rate, live, options)               \
    { NGX_WEBRTC_CODEC_##codec, "none", name, NULL,                           \
      AV_HWDEVICE_TYPE_NONE, AV_PIX_FMT_NONE, AV_PIX_FMT_YUV420P,             \
      NGX_WEBRTC_VIDEO_ENCODE_##rate, live, options }


/* in the order that they are tried in; 32 at most */

static const ngx_webrtc_video_encoder_t  ngx_webrtc_video_encoders[] = {

    ngx_webrtc_video_nvenc(H264, "h264_nvenc", ":profile=baseline"),
    ngx_webrtc_video_nvenc(AV1, "av1_nvenc", ""),

    ngx_webrtc_video_qsv(H264, "h264_qsv", ":profile=baseline"),
    ngx_webrtc_video_qsv(VP9, "vp9_qsv", ""),
    ngx_webrtc_video_qsv(AV1, "av1_qsv", ""),

    ngx_webrtc_video_vaapi(H264, "h264_vaapi",
                           ":profile=constrained_baseline"),
    ngx_webrtc_video_vaapi(VP8, "vp8_vaapi", ""),
    ngx_webrtc_video_vaapi(VP9, "vp9_vaapi", ""),
    ngx_webrtc_video_vaapi(AV1, "av1_vaapi", ""),

    ngx_webrtc_video_v4l2(H264, "h264_v4l2m2m"),
    ngx_webrtc_video_v4l2(VP8, "vp8_v4l2m2m"),

    /*
     * Baseline is what every browser takes (RFC 7742, 6.2); "zerolatency"
     * does without B-frames and lookahead, and divides pictures among threads.
     */
    ngx_webrtc_video_soft(H264, "libx264", CAPPED, 1,
                          "preset=veryfast:tune=zerolatency:profile=baseline"
                          ":crf=23:forced-idr=1"),
    ngx_webrtc_video_soft(H264, "libopenh264", CBR, 0,
                          "profile=constrained_baseline:rc_mode=bitrate"),

    /* speeds: what one core does in real time, as libwebrtc has them, too */

    ngx_webrtc_video_soft(VP8, "libvpx", CBR, 0,
                          "deadline=realtime:cpu-used=-8:lag-in-frames=0"
                          ":error-resilient=default:static-thresh=1"
                          ":undershoot-pct=100:overshoot-pct=15"
                          ":max-intra-rate=450"),
    ngx_webrtc_video_soft(VP9, "libvpx-vp9", CBR, 0,
                          "deadline=realtime:cpu-used=8:lag-in-frames=0"
                          ":error-resilient=default:row-mt=1:aq-mode=3"
                          ":undershoot-pct=50:overshoot-pct=50"
                          ":max-intra-rate=450"),
    ngx_webrtc_video_soft(AV1, "libaom-av1", CBR, 0,
                          "usage=realtime:cpu-used=8:lag-in-frames=0"
                          ":row-mt=1:aq-mode=3:error-resilience=0"),
};

#define NGX_WEBRTC_VIDEO_ENCODERS                                             \
    (sizeof(ngx_webrtc_video_encoders) / sizeof(ngx_webrtc_video_encoders[0]))


/*
 * bit/s of H.264 at 30 pictures per second by samples of a picture; chosen:
 * what streaming services recommend for encoders without B-frames.  The table
 * stands in docs/internals.md, too
 */

static const ngx_webrtc_video_rate_t  ngx_webrtc_video_rates[] = {
    { 0, 150000 },
    { 320 * 180, 300000 },
    { 640 * 360, 800000 },
    { 854 * 480, 1300000 },
    { 1280 * 720, 2500000 },
    { 1920 * 1080, 4500000 },
    { 2560 * 1440, 8000000 },
    { 3840 * 2160, 16000000 },
    { 7680 * 4320, 40000000 },
};

#define NGX_WEBRTC_VIDEO_RATES                                                \
    (sizeof(ngx_webrtc_video_rates) / sizeof(ngx_webrtc_video_rates[0]))


ngx_int_t
ngx_webrtc_video_encode_open(ngx_webrtc_video_encode_t *e,
    const ngx_webrtc_video_encode_conf_t *conf, const AVFrame *colors)
{
    ngx_uint_t                         i, soft;
    const ngx_webrtc_video_encoder_t  *row;

    ngx_webrtc_video_encode_close(e);

    e->conf = *conf;
    e->bps = 0;

    for (i = 0; i < NGX_WEBRTC_VIDEO_ENCODERS; i++) {

        row = &ngx_webrtc_video_encoders[i];
        soft = (ngx_strcmp(row->hw, "none") == 0);

        if (row->codec != conf->codec
            || (e->failed & (1u << i))
            || (!soft && ngx_strcmp(conf->hw, "auto") != 0
                && ngx_strcmp(conf->hw, row->hw) != 0)
            || (row->probe && access(row->probe, F_OK) != 0))
        {
            continue;
        }

        if (ngx_webrtc_video_encode_row(e, row, colors) == NGX_OK
            && (soft || ngx_webrtc_video_encode_trial(e, colors) == NGX_OK))
        {
            return NGX_OK;
        }

        ngx_webrtc_video_encode_close(e);

        e->failed |= 1u << i;
    }

    return NGX_DECLINED;
}


void
ngx_webrtc_video_encode_close(ngx_webrtc_video_encode_t *e)
{
    avcodec_free_context(&e->enc);
    av_packet_free(&e->pkt);
    av_frame_free(&e->upload);

    e->row = NULL;
    e->some = 0;
    e->hidden = 0;
}


void
ngx_webrtc_video_encode_fail(ngx_webrtc_video_encode_t *e)
{
    if (e->row) {
        e->failed |= 1u << (e->row - ngx_webrtc_video_encoders);
    }

    ngx_webrtc_video_encode_close(e);
}


int
ngx_webrtc_video_encode_format(ngx_webrtc_video_encode_t *e)
{
    return e->row->format;
}


ngx_uint_t
ngx_webrtc_video_encode_hw(ngx_webrtc_video_encode_t *e)
{
    return ngx_strcmp(e->row->hw, "none") != 0;
}


const char *
ngx_webrtc_video_encode_name(ngx_webrtc_video_encode_t *e)
{
    return e->row->name;
}


/* libvpx and libaom go by the times of pictures */

ngx_uint_t
ngx_webrtc_video_encode_counts(ngx_webrtc_video_encode_t *e)
{
    return ngx_webrtc_video_encode_hw(e)
           || e->row->codec == NGX_WEBRTC_CODEC_H264;
}


static ngx_int_t
ngx_webrtc_video_encode_row(ngx_webrtc_video_encode_t *e,
    const ngx_webrtc_video_encoder_t *row, const AVFrame *colors)
{
    int             rc;
    AVDictionary   *options;
    const AVCodec  *codec;

    codec = avcodec_find_encoder_by_name(row->name);

    if (codec == NULL) {
        return NGX_DECLINED;
    }

    e->row = row;
    e->enc = avcodec_alloc_context3(codec);
    e->pkt = av_packet_alloc();

    if (e->enc == NULL || e->pkt == NULL) {
        return NGX_ERROR;
    }

    ngx_webrtc_video_encode_set(e, row, colors);

    if (row->device != AV_HWDEVICE_TYPE_NONE
        && ngx_webrtc_video_encode_device(e, row) != NGX_OK)
    {
        return NGX_ERROR;
    }

    options = NULL;

    rc = av_dict_parse_string(&options, row->options, "=", ":", 0);

    if (rc >= 0) {
        rc = avcodec_open2(e->enc, codec, &options);
    }

    /* what an older or newer encoder does not know it does without */

    av_dict_free(&options);

    return (rc >= 0) ? NGX_OK : NGX_DECLINED;
}


static void
ngx_webrtc_video_encode_set(ngx_webrtc_video_encode_t *e,
    const ngx_webrtc_video_encoder_t *row, const AVFrame *colors)
{
    AVCodecContext  *enc;

    enc = e->enc;

    enc->width = e->conf.width;
    enc->height = e->conf.height;
    enc->pix_fmt = (row->device == AV_HWDEVICE_TYPE_NONE) ? row->format
                                                          : row->device_format;
    enc->sample_aspect_ratio = (AVRational) { 1, 1 };
    enc->time_base = NGX_WEBRTC_VIDEO_ENCODE_CLOCK;
    enc->framerate = (AVRational) { (int) ngx_max(e->conf.fps, 1), 1 };

#if (LIBAVCODEC_VERSION_MAJOR < 60)

    /* libvpx's idea of the first picture's length, and so of the rate */

    enc->ticks_per_frame = NGX_WEBRTC_VIDEO_CLOCK
                           / (int) ngx_max(e->conf.fps, 1);
#endif

    enc->gop_size = NGX_WEBRTC_VIDEO_ENCODE_GOP;
    enc->max_b_frames = 0;
    enc->flags |= AV_CODEC_FLAG_LOW_DELAY;
    enc->thread_count = ngx_webrtc_video_encode_threads(enc->width,
                                                        enc->height);
    enc->color_range = AVCOL_RANGE_MPEG;

    if (colors) {
        /* libswscale makes BT.601 of RGB where nothing else is said */

        enc->colorspace = (colors->colorspace == AVCOL_SPC_RGB)
                          ? AVCOL_SPC_SMPTE170M : colors->colorspace;
        enc->color_primaries = colors->color_primaries;
        enc->color_trc = colors->color_trc;
        enc->chroma_sample_location = colors->chroma_location;
    }

    ngx_webrtc_video_encode_limits(e, e->conf.bitrate);
}


static void
ngx_webrtc_video_encode_limits(ngx_webrtc_video_encode_t *e, uint32_t bitrate)
{
    AVCodecContext  *enc;

    enc = e->enc;

    enc->rc_max_rate = bitrate;
    enc->rc_buffer_size = (int) ngx_min(bitrate / 2, INT_MAX);

    if (e->row->rate == NGX_WEBRTC_VIDEO_ENCODE_CBR) {
        enc->bit_rate = bitrate;
        enc->rc_min_rate = bitrate;
    }
}


/* chosen: what encodes 60 pictures a second in time, with preset "veryfast" */

static int
ngx_webrtc_video_encode_threads(int width, int height)
{
    long  n, cores;

    n = (int64_t) width * height / (640 * 360);

    cores = sysconf(_SC_NPROCESSORS_ONLN);

    n = ngx_min(n, cores);
    n = ngx_min(n, 8);

    return (int) ngx_max(n, 1);
}


static ngx_int_t
ngx_webrtc_video_encode_device(ngx_webrtc_video_encode_t *e,
    const ngx_webrtc_video_encoder_t *row)
{
    ngx_int_t           rc;
    AVBufferRef        *device, *frames;
    AVHWFramesContext  *ctx;

    rc = NGX_ERROR;
    device = NULL;
    frames = NULL;

    if (av_hwdevice_ctx_create(&device, row->device, NULL, NULL, 0) < 0) {
        return NGX_ERROR;
    }

    frames = av_hwframe_ctx_alloc(device);

    if (frames == NULL) {
        goto done;
    }

    ctx = (AVHWFramesContext *) frames->data;
    ctx->format = row->device_format;
    ctx->sw_format = row->format;
    ctx->width = e->conf.width;
    ctx->height = e->conf.height;
    ctx->initial_pool_size = NGX_WEBRTC_VIDEO_ENCODE_TRIAL;

    e->upload = av_frame_alloc();

    if (e->upload == NULL || av_hwframe_ctx_init(frames) < 0) {
        goto done;
    }

    e->enc->hw_frames_ctx = av_buffer_ref(frames);

    if (e->enc->hw_frames_ctx) {
        rc = NGX_OK;
    }

done:

    av_buffer_unref(&frames);
    av_buffer_unref(&device);

    return rc;
}


/* encodes a few pictures, then opens it anew */

static ngx_int_t
ngx_webrtc_video_encode_trial(ngx_webrtc_video_encode_t *e,
    const AVFrame *colors)
{
    AVFrame                           *frame;
    ngx_int_t                          rc;
    ngx_uint_t                         i, n;
    const ngx_webrtc_video_encoder_t  *row;

    row = e->row;
    frame = ngx_webrtc_video_encode_grey(e);

    if (frame == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_OK;
    n = 0;

    for (i = 0; i < NGX_WEBRTC_VIDEO_ENCODE_TRIAL && rc == NGX_OK; i++) {

        frame->pts = i * 90000 / ngx_max(e->conf.fps, 1);

        rc = ngx_webrtc_video_encode_put(e, frame, i == 0);

        while (rc == NGX_OK && ngx_webrtc_video_encode_get(e)) {
            n++;
        }
    }

    av_frame_free(&frame);

    ngx_webrtc_video_encode_close(e);

    return (rc == NGX_OK && n) ? ngx_webrtc_video_encode_row(e, row, colors)
                               : NGX_ERROR;
}


static AVFrame *
ngx_webrtc_video_encode_grey(ngx_webrtc_video_encode_t *e)
{
    int        i;
    AVFrame   *frame;
    ptrdiff_t  size[4];

    frame = av_frame_alloc();

    if (frame == NULL) {
        return NULL;
    }

    frame->width = e->conf.width;
    frame->height = e->conf.height;
    frame->format = e->row->format;

    if (av_frame_get_buffer(frame, 0) < 0) {
        av_frame_free(&frame);
        return NULL;
    }

    for (i = 0; i < 4; i++) {
        size[i] = frame->linesize[i];
    }

    (void) av_image_fill_black(frame->data, size, e->row->format,
                               AVCOL_RANGE_MPEG, frame->width, frame->height);

    return frame;
}


ngx_int_t
ngx_webrtc_video_encode_rate(ngx_webrtc_video_encode_t *e, uint32_t bitrate)
{
    if (!e->row->live) {
        return NGX_DECLINED;
    }

    e->conf.bitrate = bitrate;

    ngx_webrtc_video_encode_limits(e, bitrate);

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_video_encode_put(ngx_webrtc_video_encode_t *e, AVFrame *frame,
    ngx_uint_t key)
{
    int  rc;

    if (frame == NULL) {
        return avcodec_send_frame(e->enc, NULL) < 0 ? NGX_ERROR : NGX_OK;
    }

    if (!e->some
        || frame->pts - e->key
           >= (int64_t) e->conf.key_ms * (NGX_WEBRTC_VIDEO_CLOCK / 1000))
    {
        key = 1;
    }

    e->last = frame->pts;
    frame->pts -= e->hidden;

    if (e->upload) {
        frame = ngx_webrtc_video_encode_upload(e, frame);

        if (frame == NULL) {
            return NGX_ERROR;
        }
    }

    /* it is not for the encoder what it was for the decoder */

    frame->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    frame->sample_aspect_ratio = (AVRational) { 1, 1 };

    rc = avcodec_send_frame(e->enc, frame);

    if (e->upload) {
        av_frame_unref(e->upload);
    }

    return (rc < 0) ? NGX_ERROR : NGX_OK;
}


ngx_uint_t
ngx_webrtc_video_encode_full(ngx_webrtc_video_encode_t *e, int64_t pts)
{
    if (pts > e->ahead_at) {
        e->ahead -= ngx_min(e->ahead, pts - e->ahead_at);
    }

    e->ahead_at = pts;

    if (e->ahead <= NGX_WEBRTC_VIDEO_ENCODE_AHEAD) {
        return 0;
    }

    if (e->some && !ngx_webrtc_video_encode_counts(e)) {
        e->hidden += pts - e->last;
    }

    e->last = pts;

    return 1;
}


static AVFrame *
ngx_webrtc_video_encode_upload(ngx_webrtc_video_encode_t *e, AVFrame *frame)
{
    av_frame_unref(e->upload);

    if (av_hwframe_get_buffer(e->enc->hw_frames_ctx, e->upload, 0) < 0
        || av_hwframe_transfer_data(e->upload, frame, 0) < 0)
    {
        return NULL;
    }

    e->upload->pts = frame->pts;

    return e->upload;
}


AVPacket *
ngx_webrtc_video_encode_get(ngx_webrtc_video_encode_t *e)
{
    av_packet_unref(e->pkt);

    if (avcodec_receive_packet(e->enc, e->pkt) < 0) {
        return NULL;
    }

    e->pkt->pts += e->hidden;

    if (e->bps) {
        e->ahead += (uint64_t) e->pkt->size * 8 * NGX_WEBRTC_VIDEO_CLOCK
                    / e->bps;
    }

    if (e->pkt->flags & AV_PKT_FLAG_KEY) {
        e->key = e->pkt->pts;
        e->some = 1;
    }

    return e->pkt;
}


uint32_t
ngx_webrtc_video_encode_bitrate(ngx_uint_t codec, int width, int height,
    ngx_uint_t fps)
{
    uint64_t                        n, rate;
    ngx_uint_t                      i;
    const ngx_webrtc_video_rate_t  *below, *above;

    n = (uint64_t) width * height;

    for (i = 1; i < NGX_WEBRTC_VIDEO_RATES - 1; i++) {
        if (n < ngx_webrtc_video_rates[i].samples) {
            break;
        }
    }

    below = &ngx_webrtc_video_rates[i - 1];
    above = &ngx_webrtc_video_rates[i];

    n = ngx_min(n, above->samples);

    rate = below->bitrate
           + (uint64_t) (above->bitrate - below->bitrate)
             * (n - below->samples) / (above->samples - below->samples);

    /* twice as many pictures need half as much more: they differ less */

    if (fps > 30) {
        rate += rate * (ngx_min(fps, 120) - 30) / 60;
    }

    /* about what newer codecs save */

    if (codec == NGX_WEBRTC_CODEC_VP9 || codec == NGX_WEBRTC_CODEC_AV1) {
        rate = rate * 7 / 10;
    }

    return (uint32_t) rate;
}
