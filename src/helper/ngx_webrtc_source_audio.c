
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Transcodes a source's audio to Opus with libavcodec and libswresample.
 *
 * RFC 6716 (Opus frame sizes), RFC 7587 (its clock is always 48 kHz).
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

#include "ngx_webrtc_opus.h"
#include "ngx_webrtc_pack.h"
#include "ngx_webrtc_track.h"
#include "ngx_webrtc_timestamp.h"
#include "ngx_webrtc_feed.h"
#include "ngx_webrtc_source_audio.h"


#define NGX_WEBRTC_SOURCE_AUDIO_RATE      48000

/* 20 ms, what browsers expect */
#define NGX_WEBRTC_SOURCE_AUDIO_FRAME     960

/* samples per channel kept between resampler and encoder; chosen: 1.36 s */
#define NGX_WEBRTC_SOURCE_AUDIO_FIFO      65536

/*
 * A lasting difference from the source's timestamps is corrected above this;
 * chosen: far below what is seen as wrong lip sync, 45 ms (ITU-R BT.1359),
 * far above the rounding of RTMP, 1 ms
 */
#define NGX_WEBRTC_SOURCE_AUDIO_DRIFT_MS  25

/* a difference this large is not jitter: corrected at once; chosen */
#define NGX_WEBRTC_SOURCE_AUDIO_STEP_MS   150

/* and one this large is not a gap to be filled but a jump; chosen */
#define NGX_WEBRTC_SOURCE_AUDIO_JUMP_MS   1000

/* bits per second; chosen: transparent for speech and music */
#define NGX_WEBRTC_SOURCE_AUDIO_MONO      64000
#define NGX_WEBRTC_SOURCE_AUDIO_STEREO    96000


struct ngx_webrtc_source_audio_s {
    ngx_webrtc_source_audio_out_pt   out;
    void                            *ctx;

    ngx_uint_t                       codec;      /* NGX_WEBRTC_CODEC_* */
    ngx_uint_t                       channels;
    uint32_t                         rate;       /* output clock rate */

    int64_t                          next;       /* of the next input sample */
    int64_t                          drift;      /* mean difference, * 8 */
    unsigned                         started:1;
    unsigned                         passed:1;   /* not transcoded */
    unsigned                         no_recode:1;/* nor can it be */

    AVCodecContext                  *dec;
    AVFrame                         *frame;      /* decoded */

    SwrContext                      *swr;
    AVChannelLayout                  swr_layout; /* of the decoder's frames */
    int                              swr_rate;
    int                              swr_format;

    AVCodecContext                  *enc;
    AVFrame                         *pcm;        /* to be encoded */
    AVPacket                        *coded;

    size_t                           skip;       /* samples to leave out */
    size_t                           held;       /* samples in fifo */
    float                           *fifo;       /* interleaved */
};


static ngx_int_t ngx_webrtc_source_audio_open(ngx_webrtc_source_audio_t *a,
    const AVCodecParameters *par, const char **cause);
static void ngx_webrtc_source_audio_close(ngx_webrtc_source_audio_t *a);
static ngx_uint_t ngx_webrtc_source_audio_too_long(
    ngx_webrtc_source_audio_t *a, AVPacket *pkt);
static ngx_int_t ngx_webrtc_source_audio_recode(ngx_webrtc_source_audio_t *a);
static ngx_int_t ngx_webrtc_source_audio_pass(ngx_webrtc_source_audio_t *a,
    AVPacket *pkt, int64_t ts);
static ngx_int_t ngx_webrtc_source_audio_decoded(ngx_webrtc_source_audio_t *a,
    int64_t ts);
static ngx_int_t ngx_webrtc_source_audio_resampler(
    ngx_webrtc_source_audio_t *a);
static ngx_int_t ngx_webrtc_source_audio_encoder(ngx_webrtc_source_audio_t *a);
static void ngx_webrtc_source_audio_align(ngx_webrtc_source_audio_t *a,
    int64_t ts);
static void ngx_webrtc_source_audio_silence(ngx_webrtc_source_audio_t *a,
    size_t n);
static ngx_int_t ngx_webrtc_source_audio_encode(ngx_webrtc_source_audio_t *a);
static int64_t ngx_webrtc_source_audio_abs(int64_t v);


/*
 * Codecs that may be decoded: a demuxer can name any libavcodec decoder, and
 * not all of them are meant for hostile input.
 */
static const enum AVCodecID  ngx_webrtc_source_audio_codecs[] = {
    AV_CODEC_ID_AAC,
    AV_CODEC_ID_AAC_LATM,
    AV_CODEC_ID_MP1,
    AV_CODEC_ID_MP2,
    AV_CODEC_ID_MP3,
    AV_CODEC_ID_AC3,
    AV_CODEC_ID_EAC3,
    AV_CODEC_ID_OPUS,
    AV_CODEC_ID_VORBIS,
    AV_CODEC_ID_FLAC,
    AV_CODEC_ID_SPEEX,
    AV_CODEC_ID_ADPCM_G722,
    AV_CODEC_ID_PCM_MULAW,
    AV_CODEC_ID_PCM_ALAW,
    AV_CODEC_ID_PCM_S16LE,
    AV_CODEC_ID_PCM_S16BE,
    AV_CODEC_ID_PCM_U8,
    AV_CODEC_ID_S302M,
    AV_CODEC_ID_NONE
};


ngx_uint_t
ngx_webrtc_source_audio_known(enum AVCodecID id)
{
    ngx_uint_t  i;

    for (i = 0; ngx_webrtc_source_audio_codecs[i] != AV_CODEC_ID_NONE; i++) {
        if (ngx_webrtc_source_audio_codecs[i] == id) {
            return 1;
        }
    }

    return 0;
}


ngx_webrtc_source_audio_t *
ngx_webrtc_source_audio_create(const AVCodecParameters *par,
    ngx_webrtc_source_audio_out_pt out, void *ctx, const char **cause)
{
    ngx_webrtc_source_audio_t  *a;

    a = calloc(1, sizeof(ngx_webrtc_source_audio_t));
    if (a == NULL) {
        *cause = "no memory";
        return NULL;
    }

    a->out = out;
    a->ctx = ctx;
    a->codec = NGX_WEBRTC_CODEC_OPUS;
    a->rate = NGX_WEBRTC_SOURCE_AUDIO_RATE;

    /* what the demuxer does not know is not passed on: 0 channels are none */

    switch (par->codec_id) {

    case AV_CODEC_ID_OPUS:

        /* RFC 7845, 5.1.1: more than two channels are several streams */

        if (par->ch_layout.nb_channels <= 2) {
            a->passed = 1;
            a->channels = par->ch_layout.nb_channels == 1 ? 1 : 2;
        }

        break;

    case AV_CODEC_ID_PCM_MULAW:
    case AV_CODEC_ID_PCM_ALAW:

        if (par->sample_rate == 8000 && par->ch_layout.nb_channels == 1) {
            a->passed = 1;
            a->channels = 1;
            a->rate = 8000;
            a->codec = (par->codec_id == AV_CODEC_ID_PCM_MULAW)
                       ? NGX_WEBRTC_CODEC_PCMU : NGX_WEBRTC_CODEC_PCMA;
        }

        break;

    default:
        break;
    }

    if (!a->passed && ngx_webrtc_source_audio_open(a, par, cause) != NGX_OK) {
        ngx_webrtc_source_audio_destroy(a);
        return NULL;
    }

    return a;
}


void
ngx_webrtc_source_audio_destroy(ngx_webrtc_source_audio_t *a)
{
    ngx_webrtc_source_audio_close(a);

    avcodec_free_context(&a->enc);
    av_channel_layout_uninit(&a->swr_layout);
    swr_free(&a->swr);
    free(a->fifo);
    free(a);
}


ngx_uint_t
ngx_webrtc_source_audio_codec(ngx_webrtc_source_audio_t *a)
{
    return a->codec;
}


ngx_uint_t
ngx_webrtc_source_audio_channels(ngx_webrtc_source_audio_t *a)
{
    return a->channels;
}


ngx_int_t
ngx_webrtc_source_audio_probe(ngx_webrtc_source_audio_t *a, AVPacket *pkt)
{
    ngx_int_t  rc;

    if (a->channels) {
        return NGX_OK;
    }

    if (avcodec_send_packet(a->dec, pkt) < 0) {
        return NGX_DECLINED;
    }

    rc = NGX_AGAIN;

    while (avcodec_receive_frame(a->dec, a->frame) >= 0) {

        if (a->frame->ch_layout.nb_channels > 0) {
            a->channels = ngx_min(a->frame->ch_layout.nb_channels, 2);
            rc = NGX_OK;
        }

        av_frame_unref(a->frame);
    }

    if (rc == NGX_OK) {
        avcodec_flush_buffers(a->dec);
    }

    return rc;
}


ngx_int_t
ngx_webrtc_source_audio_frame(ngx_webrtc_source_audio_t *a, AVPacket *pkt,
    int64_t pts, ngx_uint_t untimed)
{
    int        err;
    int64_t    ts;
    ngx_int_t  rc;

    ts = ngx_webrtc_ts_scale(pts, a->rate, NGX_WEBRTC_SOURCE_CLOCK);

    if (a->passed && (pkt->flags & AV_PKT_FLAG_DISCARD)) {
        return NGX_OK;
    }

    if (untimed && a->started) {
        ts = a->next;
    }

    if (a->passed && ngx_webrtc_source_audio_too_long(a, pkt)) {

        if (a->no_recode || ngx_webrtc_source_audio_recode(a) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    if (a->passed) {
        return ngx_webrtc_source_audio_pass(a, pkt, ts);
    }

    /*
     * The decoder moves a frame's timestamp when it skips samples at the
     * start (encoder delay), so the timestamp has to go through it.
     */

    pkt->pts = (untimed && a->started) ? AV_NOPTS_VALUE : ts;
    pkt->dts = pkt->pts;
    pkt->duration = 0;

    if (avcodec_send_packet(a->dec, pkt) < 0) {
        return NGX_DECLINED;
    }

    rc = NGX_OK;

    for ( ;; ) {

        err = avcodec_receive_frame(a->dec, a->frame);

        if (err < 0) {
            return (err == AVERROR(EAGAIN) || err == AVERROR_EOF)
                   ? rc : NGX_DECLINED;
        }

        if (a->frame->pts == AV_NOPTS_VALUE) {
            a->frame->pts = a->started ? a->next : ts;
        }

        if (ngx_webrtc_source_audio_decoded(a, a->frame->pts) != NGX_OK) {
            rc = NGX_DECLINED;
        }

        av_frame_unref(a->frame);
    }
}


void
ngx_webrtc_source_audio_flush(ngx_webrtc_source_audio_t *a)
{
    if (a->dec) {
        avcodec_flush_buffers(a->dec);
    }
}


void
ngx_webrtc_source_audio_reset(ngx_webrtc_source_audio_t *a)
{
    ngx_webrtc_source_audio_flush(a);

    a->started = 0;
    a->held = 0;
    a->skip = 0;
    a->drift = 0;

    /*
     * The resampler and the encoder still hold samples that will not be
     * continued.  Both are recreated with the next frame.
     */

    swr_free(&a->swr);
    avcodec_free_context(&a->enc);
}


static ngx_int_t
ngx_webrtc_source_audio_open(ngx_webrtc_source_audio_t *a,
    const AVCodecParameters *par, const char **cause)
{
    const AVCodec  *codec;

    codec = ngx_webrtc_source_audio_known(par->codec_id)
            ? avcodec_find_decoder(par->codec_id) : NULL;

    if (codec == NULL) {
        *cause = "no decoder";
        return NGX_ERROR;
    }

    if (avcodec_find_encoder_by_name("libopus") == NULL) {
        *cause = "libavcodec has no libopus";
        return NGX_ERROR;
    }

    a->dec = avcodec_alloc_context3(codec);
    a->frame = av_frame_alloc();
    a->pcm = av_frame_alloc();
    a->coded = av_packet_alloc();

    if (a->dec == NULL || a->frame == NULL || a->pcm == NULL
        || a->coded == NULL)
    {
        *cause = "no memory";
        return NGX_ERROR;
    }

    if (avcodec_parameters_to_context(a->dec, par) < 0) {
        *cause = "broken codec parameters";
        return NGX_ERROR;
    }

    a->dec->thread_count = 1;
    a->dec->pkt_timebase = (AVRational) { 1, NGX_WEBRTC_SOURCE_AUDIO_RATE };

    if (avcodec_open2(a->dec, codec, NULL) < 0) {
        *cause = "decoder cannot be opened";
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* what open() has created, even if only in part */

static void
ngx_webrtc_source_audio_close(ngx_webrtc_source_audio_t *a)
{
    avcodec_free_context(&a->dec);
    av_frame_free(&a->frame);
    av_frame_free(&a->pcm);
    av_packet_free(&a->coded);
}


/* an Opus frame that no packet has room for: above 480 kbit/s */

static ngx_uint_t
ngx_webrtc_source_audio_too_long(ngx_webrtc_source_audio_t *a, AVPacket *pkt)
{
    ngx_uint_t         i;
    ngx_webrtc_opus_t  opus;

    if (a->codec != NGX_WEBRTC_CODEC_OPUS
        || pkt->size <= NGX_WEBRTC_PACK_PAYLOAD
        || ngx_webrtc_opus_parse(&opus, pkt->data, pkt->size) != NGX_OK)
    {
        return 0;
    }

    for (i = 0; i < opus.n; i++) {
        if (opus.size[i] >= NGX_WEBRTC_PACK_PAYLOAD) {
            return 1;
        }
    }

    return 0;
}


/* from now on Opus is not passed through but re-encoded */

static ngx_int_t
ngx_webrtc_source_audio_recode(ngx_webrtc_source_audio_t *a)
{
    ngx_int_t           rc;
    const char         *cause;
    AVCodecParameters  *par;

    par = avcodec_parameters_alloc();
    if (par == NULL) {
        return NGX_ERROR;
    }

    par->codec_type = AVMEDIA_TYPE_AUDIO;
    par->codec_id = AV_CODEC_ID_OPUS;
    par->sample_rate = NGX_WEBRTC_SOURCE_AUDIO_RATE;

    av_channel_layout_default(&par->ch_layout, a->channels);

    rc = ngx_webrtc_source_audio_open(a, par, &cause);

    avcodec_parameters_free(&par);

    if (rc != NGX_OK) {

        /* it would be no different with the next frame */

        ngx_webrtc_source_audio_close(a);
        a->no_recode = 1;

        return rc;
    }

    a->passed = 0;
    a->held = 0;
    a->skip = 0;
    a->drift = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_source_audio_pass(ngx_webrtc_source_audio_t *a, AVPacket *pkt,
    int64_t ts)
{
    size_t  samples;

    if (a->codec == NGX_WEBRTC_CODEC_OPUS) {

        samples = ngx_webrtc_opus_samples(pkt->data, pkt->size);

        if (samples == 0) {
            return NGX_DECLINED;
        }

    } else {
        samples = pkt->size;
    }

    /* only rounding is removed: no samples can be inserted or dropped here */

    if (!a->started
        || ngx_webrtc_source_audio_abs(ts - a->next)
           > (int64_t) a->rate * NGX_WEBRTC_SOURCE_AUDIO_DRIFT_MS / 1000)
    {
        a->next = ts;
        a->started = 1;
    }

    a->out(a->ctx, pkt->data, pkt->size, a->next);

    a->next += samples;

    return NGX_OK;
}


/* a->frame is decoded, its first sample belongs to ts */

static ngx_int_t
ngx_webrtc_source_audio_decoded(ngx_webrtc_source_audio_t *a, int64_t ts)
{
    int             n;
    size_t          room;
    uint8_t        *out;
    const uint8_t **in;

    if (a->frame->nb_samples <= 0 || a->frame->sample_rate <= 0
        || a->frame->ch_layout.nb_channels <= 0)
    {
        return NGX_DECLINED;
    }

    if (a->channels == 0) {
        a->channels = ngx_min(a->frame->ch_layout.nb_channels, 2);
    }

    if (ngx_webrtc_source_audio_resampler(a) != NGX_OK
        || ngx_webrtc_source_audio_encoder(a) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_webrtc_source_audio_align(a, ts);

    room = NGX_WEBRTC_SOURCE_AUDIO_FIFO - a->held;

    if (swr_get_out_samples(a->swr, a->frame->nb_samples) > (int64_t) room) {
        /* no valid frame is longer than a second */
        return NGX_DECLINED;
    }

    out = (uint8_t *) (a->fifo + a->held * a->channels);
    in = (const uint8_t **) a->frame->extended_data;

    n = swr_convert(a->swr, &out, room, in, a->frame->nb_samples);

    if (n < 0) {
        return NGX_ERROR;
    }

    a->held += n;
    a->next += n;

    if (a->skip) {
        room = ngx_min(a->skip, (size_t) n);

        ngx_memmove(out, out + room * a->channels * sizeof(float),
                    (n - room) * a->channels * sizeof(float));

        a->held -= room;
        a->skip -= room;
        a->next -= room;
    }

    return ngx_webrtc_source_audio_encode(a);
}


static ngx_int_t
ngx_webrtc_source_audio_resampler(ngx_webrtc_source_audio_t *a)
{
    AVFrame          *f;
    AVChannelLayout   layout;

    f = a->frame;

    if (a->swr
        && a->swr_rate == f->sample_rate
        && a->swr_format == f->format
        && av_channel_layout_compare(&a->swr_layout, &f->ch_layout) == 0)
    {
        return NGX_OK;
    }

    swr_free(&a->swr);

    av_channel_layout_uninit(&a->swr_layout);

    /* raw PCM has a channel count but no channel order */

    if (f->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
        av_channel_layout_default(&layout, f->ch_layout.nb_channels);
        av_channel_layout_uninit(&f->ch_layout);
        f->ch_layout = layout;
    }

    if (av_channel_layout_copy(&a->swr_layout, &f->ch_layout) < 0) {
        return NGX_ERROR;
    }

    av_channel_layout_default(&layout, a->channels);

    if (swr_alloc_set_opts2(&a->swr, &layout, AV_SAMPLE_FMT_FLT,
                            NGX_WEBRTC_SOURCE_AUDIO_RATE, &f->ch_layout,
                            f->format, f->sample_rate, 0, NULL)
        < 0)
    {
        return NGX_ERROR;
    }

    if (swr_init(a->swr) < 0) {
        swr_free(&a->swr);
        return NGX_ERROR;
    }

    a->swr_rate = f->sample_rate;
    a->swr_format = f->format;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_source_audio_encoder(ngx_webrtc_source_audio_t *a)
{
    AVCodecContext  *enc;
    const AVCodec   *codec;

    if (a->enc) {
        return NGX_OK;
    }

    if (a->fifo == NULL) {
        a->fifo = malloc(NGX_WEBRTC_SOURCE_AUDIO_FIFO * a->channels
                         * sizeof(float));
        if (a->fifo == NULL) {
            return NGX_ERROR;
        }
    }

    codec = avcodec_find_encoder_by_name("libopus");

    enc = avcodec_alloc_context3(codec);
    if (enc == NULL) {
        return NGX_ERROR;
    }

    enc->sample_rate = NGX_WEBRTC_SOURCE_AUDIO_RATE;
    enc->sample_fmt = AV_SAMPLE_FMT_FLT;
    enc->time_base = (AVRational) { 1, NGX_WEBRTC_SOURCE_AUDIO_RATE };
    enc->thread_count = 1;
    enc->bit_rate = (a->channels == 1) ? NGX_WEBRTC_SOURCE_AUDIO_MONO
                                       : NGX_WEBRTC_SOURCE_AUDIO_STEREO;

    /*
     * chosen: half of the best complexity's CPU time for a difference that
     * listening tests at these rates do not show
     */
    enc->compression_level = 5;

    av_channel_layout_default(&enc->ch_layout, a->channels);

    (void) av_opt_set(enc->priv_data, "application", "audio", 0);
    (void) av_opt_set(enc->priv_data, "frame_duration", "20", 0);
    (void) av_opt_set(enc->priv_data, "vbr", "on", 0);

    if (avcodec_open2(enc, codec, NULL) < 0
        || enc->frame_size != NGX_WEBRTC_SOURCE_AUDIO_FRAME)
    {
        avcodec_free_context(&enc);
        return NGX_ERROR;
    }

    a->enc = enc;

    return NGX_OK;
}


/*
 * Reconciles the sample count with the source's timestamps: a->next is where
 * the frame's first sample would go, ts is where it belongs.
 */

static void
ngx_webrtc_source_audio_align(ngx_webrtc_source_audio_t *a, int64_t ts)
{
    int64_t  diff, size;

    if (!a->started) {
        a->started = 1;
        a->next = ts;
        a->drift = 0;
        a->held = 0;
        a->skip = 0;
        return;
    }

    diff = ts - a->next - (int64_t) a->skip;
    size = ngx_webrtc_source_audio_abs(diff);

    a->drift += diff - a->drift / 8;

    if (size > NGX_WEBRTC_SOURCE_AUDIO_RATE / 1000
               * NGX_WEBRTC_SOURCE_AUDIO_JUMP_MS)
    {
        /* what does not fill a frame yet is under 20 ms: it is dropped */

        a->next = ts;
        a->drift = 0;
        a->held = 0;
        a->skip = 0;
        return;
    }

    if (size <= NGX_WEBRTC_SOURCE_AUDIO_RATE / 1000
                * NGX_WEBRTC_SOURCE_AUDIO_STEP_MS)
    {
        if (ngx_webrtc_source_audio_abs(a->drift / 8)
            <= NGX_WEBRTC_SOURCE_AUDIO_RATE / 1000
               * NGX_WEBRTC_SOURCE_AUDIO_DRIFT_MS)
        {
            return;
        }

        diff = a->drift / 8;
    }

    a->drift = 0;

    if (diff > 0) {
        ngx_webrtc_source_audio_silence(a, diff);

    } else {
        a->skip += -diff;
    }
}


static void
ngx_webrtc_source_audio_silence(ngx_webrtc_source_audio_t *a, size_t n)
{
    size_t  part;

    part = ngx_min(n, a->skip);
    a->skip -= part;
    n -= part;

    /* at most JUMP_MS: the fifo holds that and a partial frame */

    ngx_memzero(a->fifo + a->held * a->channels,
                n * a->channels * sizeof(float));

    a->held += n;
    a->next += n;

    (void) ngx_webrtc_source_audio_encode(a);
}


/* all whole frames of the fifo; the rest moves to its start */

static ngx_int_t
ngx_webrtc_source_audio_encode(ngx_webrtc_source_audio_t *a)
{
    float      *p;
    int64_t     ts;
    AVFrame    *f;
    ngx_int_t   rc;

    rc = NGX_OK;
    p = a->fifo;
    ts = a->next - (int64_t) a->held;
    f = a->pcm;

    while (a->held >= NGX_WEBRTC_SOURCE_AUDIO_FRAME) {

        f->nb_samples = NGX_WEBRTC_SOURCE_AUDIO_FRAME;
        f->format = AV_SAMPLE_FMT_FLT;
        f->sample_rate = NGX_WEBRTC_SOURCE_AUDIO_RATE;
        f->pts = ts;

        /* the encoder keeps reference-counted data: it gets its own buffer */

        if (av_channel_layout_copy(&f->ch_layout, &a->enc->ch_layout) < 0
            || av_frame_get_buffer(f, 0) < 0)
        {
            rc = NGX_ERROR;

        } else {
            ngx_memcpy(f->data[0], p, NGX_WEBRTC_SOURCE_AUDIO_FRAME
                                      * a->channels * sizeof(float));

            if (avcodec_send_frame(a->enc, f) < 0) {
                rc = NGX_ERROR;
            }
        }

        av_frame_unref(f);

        while (rc == NGX_OK
               && avcodec_receive_packet(a->enc, a->coded) >= 0)
        {
            a->out(a->ctx, a->coded->data, a->coded->size, ts);
            av_packet_unref(a->coded);
        }

        p += NGX_WEBRTC_SOURCE_AUDIO_FRAME * a->channels;
        ts += NGX_WEBRTC_SOURCE_AUDIO_FRAME;
        a->held -= NGX_WEBRTC_SOURCE_AUDIO_FRAME;
    }

    ngx_memmove(a->fifo, p, a->held * a->channels * sizeof(float));

    return rc;
}


static int64_t
ngx_webrtc_source_audio_abs(int64_t v)
{
    return v < 0 ? -v : v;
}
