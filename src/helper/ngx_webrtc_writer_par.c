
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What libavformat's muxers have to know of a track, from its codec and its
 * first frame: nothing is decoded.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavcodec/bsf.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_pack.h"
#include "ngx_webrtc_source_codecs.h"
#include "ngx_webrtc_writer.h"


/* bytes of "OpusHead" (RFC 7845, 5.1) with one stream of two channels */
#define NGX_WEBRTC_WRITER_OPUS      19


typedef struct {
    ngx_uint_t      codec;
    enum AVCodecID  id;
    int             rate;         /* samples per second */
    int             bits;         /* of one, coded */
} ngx_webrtc_writer_sound_t;


static ngx_int_t ngx_webrtc_writer_video(ngx_webrtc_writer_track_t *t,
    u_char *p, size_t n, AVCodecParameters *par);
static ngx_int_t ngx_webrtc_writer_packed(void *ctx, u_char *payload, size_t n,
    ngx_uint_t flags);
static int ngx_webrtc_writer_format(ngx_webrtc_track_t *track);
static int ngx_webrtc_writer_profile(ngx_webrtc_track_t *track);
static ngx_int_t ngx_webrtc_writer_extract(AVCodecParameters *par, u_char *p,
    size_t n);
static ngx_int_t ngx_webrtc_writer_audio(ngx_webrtc_writer_track_t *t,
    AVCodecParameters *par);
static ngx_int_t ngx_webrtc_writer_extra(AVCodecParameters *par,
    const u_char *p, size_t n);


static const ngx_webrtc_writer_sound_t  ngx_webrtc_writer_sounds[] = {
    { NGX_WEBRTC_CODEC_OPUS, AV_CODEC_ID_OPUS, 48000, 0 },
    { NGX_WEBRTC_CODEC_PCMU, AV_CODEC_ID_PCM_MULAW, 8000, 8 },
    { NGX_WEBRTC_CODEC_PCMA, AV_CODEC_ID_PCM_ALAW, 8000, 8 },
    { NGX_WEBRTC_CODEC_G722, AV_CODEC_ID_ADPCM_G722, 16000, 4 },
    { NGX_WEBRTC_CODEC_NONE, AV_CODEC_ID_NONE, 0, 0 }
};


ngx_int_t
ngx_webrtc_writer_par(ngx_webrtc_writer_track_t *t, u_char *p, size_t n,
    AVCodecParameters *par)
{
    return (ngx_webrtc_codec(t->codec)->kind == NGX_WEBRTC_VIDEO)
           ? ngx_webrtc_writer_video(t, p, n, par)
           : ngx_webrtc_writer_audio(t, par);
}


static ngx_int_t
ngx_webrtc_writer_video(ngx_webrtc_writer_track_t *t, u_char *p, size_t n,
    AVCodecParameters *par)
{
    ngx_webrtc_pack_t   pack;
    ngx_webrtc_frame_t  frame;
    ngx_webrtc_track_t  track;

    par->codec_type = AVMEDIA_TYPE_VIDEO;
    par->codec_id = ngx_webrtc_source_codecs_id(t->codec);

    ngx_memzero(&pack, sizeof(ngx_webrtc_pack_t));

    if (ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(t->codec), 0,
                             ngx_webrtc_writer_packed, NULL)
        != NGX_OK
        || ngx_webrtc_pack_probe(&pack, p, n, &frame) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    (void) ngx_webrtc_pack_track(&pack, &track);

    if (track.width == 0) {
        ngx_webrtc_source_codecs_size(&track, p, n);
    }

    if (track.width == 0 || track.height == 0) {
        return NGX_DECLINED;
    }

    par->width = track.width;
    par->height = track.height;
    par->format = ngx_webrtc_writer_format(&track);
    par->profile = ngx_webrtc_writer_profile(&track);

    if (t->nconfig) {
        return ngx_webrtc_writer_extra(par, t->config, t->nconfig);
    }

    return ngx_webrtc_writer_extract(par, p, n);
}


static ngx_int_t
ngx_webrtc_writer_packed(void *ctx, u_char *payload, size_t n,
    ngx_uint_t flags)
{
    /* frames are looked at, not packed */

    (void) ctx;
    (void) payload;
    (void) n;
    (void) flags;

    return NGX_ERROR;
}


static int
ngx_webrtc_writer_format(ngx_webrtc_track_t *track)
{
    ngx_uint_t  deep;

    deep = (track->depth > 8);

    switch (track->chroma) {

    case NGX_WEBRTC_CHROMA_MONO:
        return deep ? AV_PIX_FMT_GRAY10 : AV_PIX_FMT_GRAY8;

    case NGX_WEBRTC_CHROMA_422:
        return deep ? AV_PIX_FMT_YUV422P10 : AV_PIX_FMT_YUV422P;

    case NGX_WEBRTC_CHROMA_444:
        return deep ? AV_PIX_FMT_YUV444P10 : AV_PIX_FMT_YUV444P;

    default:
        return deep ? AV_PIX_FMT_YUV420P10 : AV_PIX_FMT_YUV420P;
    }
}


static int
ngx_webrtc_writer_profile(ngx_webrtc_track_t *track)
{
    return (track->codec == NGX_WEBRTC_CODEC_VP9
            || track->codec == NGX_WEBRTC_CODEC_AV1
            || track->codec == NGX_WEBRTC_CODEC_H264
            || track->codec == NGX_WEBRTC_CODEC_H265)
           ? (int) (track->profile >> 16 & 0xff) : FF_PROFILE_UNKNOWN;
}


/* parameter sets that are in the key frame */

static ngx_int_t
ngx_webrtc_writer_extract(AVCodecParameters *par, u_char *p, size_t n)
{
    size_t                    size;
    uint8_t                  *extra;
    AVPacket                 *pkt;
    ngx_int_t                 rc;
    AVBSFContext             *bsf;
    const enum AVCodecID     *id;
    const AVBitStreamFilter  *filter;

    filter = av_bsf_get_by_name("extract_extradata");

    if (filter == NULL) {
        return NGX_OK;
    }

    for (id = filter->codec_ids; id && *id != par->codec_id; id++) {
        if (*id == AV_CODEC_ID_NONE) {
            return NGX_OK;
        }
    }

    rc = NGX_ERROR;
    bsf = NULL;
    pkt = av_packet_alloc();

    if (pkt == NULL
        || av_bsf_alloc(filter, &bsf) < 0
        || avcodec_parameters_copy(bsf->par_in, par) < 0
        || av_bsf_init(bsf) < 0
        || av_new_packet(pkt, (int) n) < 0)
    {
        goto done;
    }

    ngx_memcpy(pkt->data, p, n);

    rc = NGX_OK;

    if (av_bsf_send_packet(bsf, pkt) < 0
        || av_bsf_receive_packet(bsf, pkt) < 0)
    {
        goto done;
    }

    extra = av_packet_get_side_data(pkt, AV_PKT_DATA_NEW_EXTRADATA, &size);

    if (extra && size) {
        rc = ngx_webrtc_writer_extra(par, extra, size);
    }

done:

    av_packet_free(&pkt);
    av_bsf_free(&bsf);

    return rc;
}


static ngx_int_t
ngx_webrtc_writer_audio(ngx_webrtc_writer_track_t *t, AVCodecParameters *par)
{
    u_char                            head[NGX_WEBRTC_WRITER_OPUS];
    const ngx_webrtc_writer_sound_t  *s;

    for (s = ngx_webrtc_writer_sounds; s->codec != t->codec; s++) {
        if (s->codec == NGX_WEBRTC_CODEC_NONE) {
            return NGX_DECLINED;
        }
    }

    par->codec_type = AVMEDIA_TYPE_AUDIO;
    par->codec_id = s->id;
    par->sample_rate = s->rate;
    par->bits_per_coded_sample = s->bits;
    par->format = AV_SAMPLE_FMT_NONE;

    av_channel_layout_default(&par->ch_layout, ngx_max(t->channels, 1));

    if (s->bits) {
        par->block_align = ngx_max(s->bits * par->ch_layout.nb_channels / 8, 1);
        par->bit_rate = (int64_t) s->rate * s->bits
                        * par->ch_layout.nb_channels;
        return NGX_OK;
    }

    ngx_memcpy(head, "OpusHead\1\2\0\0\200\273\0\0\0\0\0",
               NGX_WEBRTC_WRITER_OPUS);

    head[9] = (u_char) par->ch_layout.nb_channels;

    /* nothing is to be skipped: what comes by RTP began long ago */

    par->frame_size = 960;

    return ngx_webrtc_writer_extra(par, head, NGX_WEBRTC_WRITER_OPUS);
}


static ngx_int_t
ngx_webrtc_writer_extra(AVCodecParameters *par, const u_char *p, size_t n)
{
    par->extradata = av_mallocz(n + AV_INPUT_BUFFER_PADDING_SIZE);

    if (par->extradata == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(par->extradata, p, n);
    par->extradata_size = (int) n;

    return NGX_OK;
}
