
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * The table of codecs: see ngx_webrtc_track.h.
 *
 * Names and clock rates: RFC 6184, 8.2.1 (H264); RFC 7798, 7.2.1 (H265);
 * RFC 7741, 6.2 (VP8); RFC 9628, 6.2 (VP9); RTP Payload Format For AV1, 7.2
 * (AV1); RFC 7587, 7 (opus); RFC 3551, 6 (PCMU, PCMA, G722); RFC 2198 (red).
 */


#include "ngx_webrtc_track.h"


static const ngx_webrtc_codec_t  ngx_webrtc_codecs[NGX_WEBRTC_CODEC_N] = {

    { ngx_null_string, 0, NGX_WEBRTC_CODEC_NONE, 0, -1, 0 },

    { ngx_string("H264"), NGX_WEBRTC_VIDEO, NGX_WEBRTC_CODEC_H264,
      0, -1, 90000 },

    { ngx_string("H265"), NGX_WEBRTC_VIDEO, NGX_WEBRTC_CODEC_H265,
      0, -1, 90000 },

    { ngx_string("VP8"), NGX_WEBRTC_VIDEO, NGX_WEBRTC_CODEC_VP8,
      0, -1, 90000 },

    { ngx_string("VP9"), NGX_WEBRTC_VIDEO, NGX_WEBRTC_CODEC_VP9,
      0, -1, 90000 },

    { ngx_string("AV1"), NGX_WEBRTC_VIDEO, NGX_WEBRTC_CODEC_AV1,
      0, -1, 90000 },

    /* RFC 7587, 7: "opus/48000/2" whatever the number of channels */
    { ngx_string("opus"), NGX_WEBRTC_AUDIO, NGX_WEBRTC_CODEC_OPUS,
      2, -1, 48000 },

    { ngx_string("PCMU"), NGX_WEBRTC_AUDIO, NGX_WEBRTC_CODEC_PCMU,
      0, 0, 8000 },

    { ngx_string("PCMA"), NGX_WEBRTC_AUDIO, NGX_WEBRTC_CODEC_PCMA,
      0, 8, 8000 },

    { ngx_string("G722"), NGX_WEBRTC_AUDIO, NGX_WEBRTC_CODEC_G722,
      0, 9, 8000 },

    { ngx_string("red"), NGX_WEBRTC_AUDIO, NGX_WEBRTC_CODEC_RED,
      2, -1, 48000 },
};


const ngx_webrtc_codec_t *
ngx_webrtc_codec(ngx_uint_t codec)
{
    if (codec >= NGX_WEBRTC_CODEC_N) {
        codec = NGX_WEBRTC_CODEC_NONE;
    }

    return &ngx_webrtc_codecs[codec];
}


const ngx_webrtc_codec_t *
ngx_webrtc_codec_find(u_char *name, size_t n, uint32_t clock_rate)
{
    ngx_uint_t                 i;
    const ngx_webrtc_codec_t  *c;

    for (i = NGX_WEBRTC_CODEC_NONE + 1; i < NGX_WEBRTC_CODEC_N; i++) {
        c = &ngx_webrtc_codecs[i];

        if (c->name.len == n && c->clock_rate == clock_rate
            && ngx_strncasecmp(c->name.data, name, n) == 0)
        {
            return c;
        }
    }

    return NULL;
}


const ngx_webrtc_codec_t *
ngx_webrtc_codec_static(ngx_uint_t pt)
{
    ngx_uint_t                 i;
    const ngx_webrtc_codec_t  *c;

    for (i = NGX_WEBRTC_CODEC_NONE + 1; i < NGX_WEBRTC_CODEC_N; i++) {
        c = &ngx_webrtc_codecs[i];

        if (c->static_pt >= 0 && (ngx_uint_t) c->static_pt == pt) {
            return c;
        }
    }

    return NULL;
}


void
ngx_webrtc_track_init(ngx_webrtc_track_t *track, ngx_uint_t codec,
    ngx_uint_t channels)
{
    const ngx_webrtc_codec_t  *c;

    c = ngx_webrtc_codec(codec);

    ngx_memzero(track, sizeof(ngx_webrtc_track_t));

    track->kind = c->kind;
    track->codec = c->codec;
    track->clock_rate = c->clock_rate;

    if (c->kind != NGX_WEBRTC_AUDIO) {
        return;
    }

    if (channels == 0) {
        channels = c->channels ? c->channels : 1;
    }

    track->channels = (uint8_t) ngx_min(channels, 255);
}
