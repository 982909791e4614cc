
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * What all codecs share: see ngx_webrtc_codec.h.
 */


#include "ngx_webrtc_codec.h"


const ngx_webrtc_codec_fmtp_t  ngx_webrtc_codec_no_fmtp = {
    NULL, NULL, NULL, NULL, NULL
};


void
ngx_webrtc_codec_track(const ngx_webrtc_codec_t *codec,
    ngx_webrtc_track_t *track, ngx_uint_t channels)
{
    ngx_memzero(track, sizeof(ngx_webrtc_track_t));

    track->kind = codec->kind;
    track->codec = codec->codec;
    track->clock_rate = codec->clock_rate;

    if (codec->kind != NGX_WEBRTC_AUDIO) {
        return;
    }

    if (channels == 0) {
        channels = codec->channels ? codec->channels : 1;
    }

    track->channels = (uint8_t) ngx_min(channels, 255);
}
