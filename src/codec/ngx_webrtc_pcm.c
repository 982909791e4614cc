
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * PCMU, PCMA and G.722, mono: RFC 3551.  See ngx_webrtc_pack.h.
 */


#include "ngx_webrtc_pcm.h"
#include "ngx_webrtc_pack.h"
#include "ngx_webrtc_depay.h"
#include "ngx_webrtc_unpack.h"


/*
 * 20 ms (RFC 3551, 4.2) of 64 kbit/s.  A byte is one tick of the 8000 Hz
 * clock in all three: G.722 has two samples in a byte, but its RTP clock
 * runs at half its sampling rate (RFC 3551, 4.5.2).
 */

#define NGX_WEBRTC_PCM_BYTES    160


static ngx_int_t ngx_webrtc_pcm_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);


static const ngx_webrtc_pack_ops_t  ngx_webrtc_pcm_pack = {
    NULL,
    ngx_webrtc_pack_audio,
    ngx_webrtc_pcm_frame
};


static const ngx_webrtc_depay_ops_t  ngx_webrtc_pcm_depay = {
    NULL, NULL, 0, 0, NULL, NULL, NULL, 0
};


const ngx_webrtc_codec_t  ngx_webrtc_codec_pcmu = {
    ngx_string("PCMU"), NGX_WEBRTC_AUDIO, NGX_WEBRTC_CODEC_PCMU, 0, 0, 8000,
    0, NGX_WEBRTC_CODEC_NO_PT, 0,
    &ngx_webrtc_codec_no_fmtp,
    &ngx_webrtc_pcm_pack,
    &ngx_webrtc_pcm_depay,
    &ngx_webrtc_unpack_audio_ops
};


const ngx_webrtc_codec_t  ngx_webrtc_codec_pcma = {
    ngx_string("PCMA"), NGX_WEBRTC_AUDIO, NGX_WEBRTC_CODEC_PCMA, 0, 8, 8000,
    8, NGX_WEBRTC_CODEC_NO_PT, 0,
    &ngx_webrtc_codec_no_fmtp,
    &ngx_webrtc_pcm_pack,
    &ngx_webrtc_pcm_depay,
    &ngx_webrtc_unpack_audio_ops
};


const ngx_webrtc_codec_t  ngx_webrtc_codec_g722 = {
    ngx_string("G722"), NGX_WEBRTC_AUDIO, NGX_WEBRTC_CODEC_G722, 0, 9, 8000,
    9, NGX_WEBRTC_CODEC_NO_PT, 0,
    &ngx_webrtc_codec_no_fmtp,
    &ngx_webrtc_pcm_pack,
    &ngx_webrtc_pcm_depay,
    &ngx_webrtc_unpack_audio_ops
};


static ngx_int_t
ngx_webrtc_pcm_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char     *p, *data;
    size_t      n, len, size;
    ngx_int_t   rc;

    data = frame->data;
    n = frame->size;

    size = ngx_min(NGX_WEBRTC_PCM_BYTES, pack->max);

    pack->tick = -(int32_t) pack->held;

    while (pack->held + n >= size) {

        if (pack->held) {
            len = size - pack->held;
            ngx_memcpy(pack->buf + pack->held, data, len);
            p = pack->buf;

        } else {
            len = size;
            p = data;
        }

        data += len;
        n -= len;

        pack->held = 0;

        rc = pack->out(pack->ctx, p, size, NGX_WEBRTC_PACK_AUDIO);

        if (rc != NGX_OK) {
            return rc;
        }

        pack->tick += (int32_t) size;
    }

    ngx_memcpy(pack->buf + pack->held, data, n);
    pack->held += (uint16_t) n;

    return NGX_OK;
}
