
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Codecs of video: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavutil/pixdesc.h>

#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_foreign.h"
#include "ngx_webrtc_source_codecs.h"


typedef struct {
    enum AVCodecID  id;
    ngx_uint_t      codec;
} ngx_webrtc_source_codec_t;


static void ngx_webrtc_source_codecs_jpeg(ngx_webrtc_track_t *track,
    u_char *p, u_char *end);
static void ngx_webrtc_source_codecs_h263(ngx_webrtc_track_t *track,
    u_char *p, u_char *end);
static void ngx_webrtc_source_codecs_flv1(ngx_webrtc_track_t *track,
    u_char *p, u_char *end);


static const ngx_webrtc_source_codec_t  ngx_webrtc_source_video_codecs[] = {
    { AV_CODEC_ID_H264, NGX_WEBRTC_CODEC_H264 },
    { AV_CODEC_ID_HEVC, NGX_WEBRTC_CODEC_H265 },
    { AV_CODEC_ID_VP8, NGX_WEBRTC_CODEC_VP8 },
    { AV_CODEC_ID_VP9, NGX_WEBRTC_CODEC_VP9 },
    { AV_CODEC_ID_AV1, NGX_WEBRTC_CODEC_AV1 },
    { AV_CODEC_ID_MPEG1VIDEO, NGX_WEBRTC_CODEC_MPEG1 },
    { AV_CODEC_ID_MPEG2VIDEO, NGX_WEBRTC_CODEC_MPEG2 },
    { AV_CODEC_ID_MPEG4, NGX_WEBRTC_CODEC_MPEG4 },
    { AV_CODEC_ID_MJPEG, NGX_WEBRTC_CODEC_MJPEG },
    { AV_CODEC_ID_H263, NGX_WEBRTC_CODEC_H263 },
    { AV_CODEC_ID_FLV1, NGX_WEBRTC_CODEC_FLV1 },
    { AV_CODEC_ID_VP6F, NGX_WEBRTC_CODEC_VP6F },
    { AV_CODEC_ID_VP6A, NGX_WEBRTC_CODEC_VP6A },
    { AV_CODEC_ID_VC1, NGX_WEBRTC_CODEC_VC1 },
    { AV_CODEC_ID_WMV3, NGX_WEBRTC_CODEC_WMV3 },
    { AV_CODEC_ID_PRORES, NGX_WEBRTC_CODEC_PRORES },
    { AV_CODEC_ID_DNXHD, NGX_WEBRTC_CODEC_DNXHD },
    { AV_CODEC_ID_JPEG2000, NGX_WEBRTC_CODEC_JPEG2000 },
    { AV_CODEC_ID_DVVIDEO, NGX_WEBRTC_CODEC_DV },
    { AV_CODEC_ID_NONE, NGX_WEBRTC_CODEC_NONE }
};


ngx_uint_t
ngx_webrtc_source_codecs_video(enum AVCodecID id, ngx_uint_t foreign)
{
    const ngx_webrtc_source_codec_t  *c;

    for (c = ngx_webrtc_source_video_codecs; c->id != AV_CODEC_ID_NONE; c++) {
        if (c->id == id) {
            break;
        }
    }

    return (ngx_webrtc_foreign(c->codec) && !foreign) ? NGX_WEBRTC_CODEC_NONE
                                                      : c->codec;
}


enum AVCodecID
ngx_webrtc_source_codecs_id(ngx_uint_t codec)
{
    const ngx_webrtc_source_codec_t  *c;

    for (c = ngx_webrtc_source_video_codecs; c->id != AV_CODEC_ID_NONE; c++) {
        if (c->codec == codec) {
            break;
        }
    }

    return c->id;
}


void
ngx_webrtc_source_codecs_track(const AVCodecParameters *par,
    ngx_webrtc_track_t *track)
{
    const AVPixFmtDescriptor  *desc;

    if (par->width > 0 && par->width <= 0xffff
        && par->height > 0 && par->height <= 0xffff)
    {
        track->width = (uint16_t) par->width;
        track->height = (uint16_t) par->height;
    }

    if (par->field_order > AV_FIELD_PROGRESSIVE) {
        track->traits |= NGX_WEBRTC_TRACK_INTERLACED;
    }

    desc = av_pix_fmt_desc_get(par->format);

    if (desc == NULL || (desc->flags & AV_PIX_FMT_FLAG_RGB)) {
        return;
    }

    track->depth = (uint8_t) ngx_min(desc->comp[0].depth, 16);

    track->chroma = (desc->nb_components < 3) ? NGX_WEBRTC_CHROMA_MONO
                    : (desc->log2_chroma_w == 0) ? NGX_WEBRTC_CHROMA_444
                    : (desc->log2_chroma_h == 0) ? NGX_WEBRTC_CHROMA_422
                                                 : NGX_WEBRTC_CHROMA_420;
}


void
ngx_webrtc_source_codecs_size(ngx_webrtc_track_t *track, u_char *p, size_t n)
{
    switch (track->codec) {

    case NGX_WEBRTC_CODEC_MJPEG:
        ngx_webrtc_source_codecs_jpeg(track, p, p + n);
        break;

    case NGX_WEBRTC_CODEC_H263:
        ngx_webrtc_source_codecs_h263(track, p, p + n);
        break;

    case NGX_WEBRTC_CODEC_FLV1:
        ngx_webrtc_source_codecs_flv1(track, p, p + n);
        break;

    default:
        break;
    }
}


/* ITU-T T.81, B.2: the frame header, SOF0 to SOF2 */

static void
ngx_webrtc_source_codecs_jpeg(ngx_webrtc_track_t *track, u_char *p,
    u_char *end)
{
    size_t  len;

    if (end - p < 4 || p[0] != 0xff || p[1] != 0xd8) {
        return;
    }

    p += 2;

    while (end - p >= 9 && p[0] == 0xff) {

        if (p[1] >= 0xc0 && p[1] <= 0xc2) {
            track->depth = (uint8_t) ngx_min(p[4], 16);
            track->height = (uint16_t) (p[5] << 8 | p[6]);
            track->width = (uint16_t) (p[7] << 8 | p[8]);
            return;
        }

        if (p[1] == 0xff) {
            p++;
            continue;
        }

        len = 2 + (size_t) (p[2] << 8 | p[3]);

        if (len > (size_t) (end - p)) {
            return;
        }

        p += len;
    }
}


/* ITU-T H.263, 5.1; PLUSPTYPE is not read */

static void
ngx_webrtc_source_codecs_h263(ngx_webrtc_track_t *track, u_char *p,
    u_char *end)
{
    uint32_t           format;
    ngx_webrtc_bits_t  b;

    static const uint16_t  sizes[][2] = {
        { 128, 96 }, { 176, 144 }, { 352, 288 }, { 704, 576 }, { 1408, 1152 }
    };

    ngx_webrtc_bits_init(&b, p, end);

    /* PSC, TR, and the bits of PTYPE before the source format */

    ngx_webrtc_bits_skip(&b, 22 + 8 + 5);

    format = ngx_webrtc_bits_get(&b, 3);

    if (!b.error && format >= 1 && format <= 5) {
        track->width = sizes[format - 1][0];
        track->height = sizes[format - 1][1];
    }
}


/* Adobe Flash Video File Format Specification 10.1, E.4.3.1 */

static void
ngx_webrtc_source_codecs_flv1(ngx_webrtc_track_t *track, u_char *p,
    u_char *end)
{
    uint32_t           format, width, height;
    ngx_webrtc_bits_t  b;

    static const uint16_t  sizes[][2] = {
        { 352, 288 }, { 176, 144 }, { 128, 96 }, { 320, 240 }, { 160, 120 }
    };

    ngx_webrtc_bits_init(&b, p, end);

    ngx_webrtc_bits_skip(&b, 17 + 5 + 8);   /* start code, version, time */

    format = ngx_webrtc_bits_get(&b, 3);

    if (format < 2) {
        width = ngx_webrtc_bits_get(&b, format ? 16 : 8);
        height = ngx_webrtc_bits_get(&b, format ? 16 : 8);

    } else if (format < 7) {
        width = sizes[format - 2][0];
        height = sizes[format - 2][1];

    } else {
        return;
    }

    if (!b.error) {
        track->width = (uint16_t) width;
        track->height = (uint16_t) height;
    }
}
