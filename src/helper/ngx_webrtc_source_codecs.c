
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
