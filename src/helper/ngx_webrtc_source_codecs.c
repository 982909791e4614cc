
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Codecs of video: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_track.h"
#include "ngx_webrtc_source_codecs.h"


typedef struct {
    enum AVCodecID  id;
    ngx_uint_t      codec;
} ngx_webrtc_source_codec_t;


static const ngx_webrtc_source_codec_t  ngx_webrtc_source_video_codecs[] = {
    { AV_CODEC_ID_H264, NGX_WEBRTC_CODEC_H264 },
    { AV_CODEC_ID_HEVC, NGX_WEBRTC_CODEC_H265 },
    { AV_CODEC_ID_VP8, NGX_WEBRTC_CODEC_VP8 },
    { AV_CODEC_ID_VP9, NGX_WEBRTC_CODEC_VP9 },
    { AV_CODEC_ID_AV1, NGX_WEBRTC_CODEC_AV1 },
    { AV_CODEC_ID_NONE, NGX_WEBRTC_CODEC_NONE }
};


/* those of ngx_webrtc_foreign.h */

static const ngx_webrtc_source_codec_t  ngx_webrtc_source_foreign_codecs[] = {
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
ngx_webrtc_source_codecs_video(enum AVCodecID id)
{
    const ngx_webrtc_source_codec_t  *c;

    for (c = ngx_webrtc_source_video_codecs; c->id != AV_CODEC_ID_NONE; c++) {
        if (c->id == id) {
            break;
        }
    }

    return c->codec;
}


enum AVCodecID
ngx_webrtc_source_codecs_id(ngx_uint_t codec)
{
    const ngx_webrtc_source_codec_t  *c;

    for (c = ngx_webrtc_source_video_codecs; c->id != AV_CODEC_ID_NONE; c++) {
        if (c->codec == codec) {
            return c->id;
        }
    }

    for (c = ngx_webrtc_source_foreign_codecs; c->id != AV_CODEC_ID_NONE; c++) {
        if (c->codec == codec) {
            break;
        }
    }

    return c->id;
}
