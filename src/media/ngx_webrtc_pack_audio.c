
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Audio packetizers: Opus, RFC 7587; PCMU, PCMA and G.722, RFC 3551, mono.
 * See ngx_webrtc_pack.h.
 */


#include "ngx_webrtc_opus.h"
#include "ngx_webrtc_pack.h"


/*
 * 20 ms (RFC 3551, 4.2) of 64 kbit/s.  A byte is one tick of the 8000 Hz
 * clock in all three: G.722 has two samples in a byte, but its RTP clock
 * runs at half its sampling rate (RFC 3551, 4.5.2).
 */

#define NGX_WEBRTC_PCM_BYTES    160


static ngx_int_t ngx_webrtc_pack_audio_probe(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_pack_opus_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_pack_pcm_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);


#define NGX_WEBRTC_PACK_AUDIO_FLAGS                                           \
    (NGX_WEBRTC_PKT_FIRST|NGX_WEBRTC_PKT_LAST)


const ngx_webrtc_pack_ops_t  ngx_webrtc_pack_opus = {
    NULL,
    ngx_webrtc_pack_audio_probe,
    ngx_webrtc_pack_opus_frame
};


const ngx_webrtc_pack_ops_t  ngx_webrtc_pack_pcm = {
    NULL,
    ngx_webrtc_pack_audio_probe,
    ngx_webrtc_pack_pcm_frame
};


static ngx_int_t
ngx_webrtc_pack_audio_probe(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    (void) pack;

    frame->picture = 1;
    frame->discardable = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_pack_opus_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    size_t             n;
    ngx_int_t          rc;
    ngx_uint_t         i, count;
    ngx_webrtc_opus_t  opus;

    /* RFC 7587, 4.2: exactly one Opus packet */

    if (frame->size <= pack->max) {
        return pack->out(pack->ctx, frame->data, frame->size,
                         NGX_WEBRTC_PACK_AUDIO_FLAGS);
    }

    /* it has several frames, or cannot be helped: each goes by itself */

    if (ngx_webrtc_opus_parse(&opus, frame->data, frame->size) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (i = 0; i < opus.n; i++) {
        if (opus.size[i] >= pack->max) {
            return NGX_DECLINED;
        }
    }

    for (i = 0; i < opus.n; i += count) {

        count = ngx_webrtc_opus_fit(&opus, i, pack->max);
        n = ngx_webrtc_opus_print(&opus, i, count, pack->buf, pack->max);

        rc = pack->out(pack->ctx, pack->buf, n, NGX_WEBRTC_PACK_AUDIO_FLAGS);

        if (rc != NGX_OK) {
            return rc;
        }

        pack->tick += (int32_t) (count * opus.samples);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_pack_pcm_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
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

        rc = pack->out(pack->ctx, p, size, NGX_WEBRTC_PACK_AUDIO_FLAGS);

        if (rc != NGX_OK) {
            return rc;
        }

        pack->tick += (int32_t) size;
    }

    ngx_memcpy(pack->buf + pack->held, data, n);
    pack->held += (uint16_t) n;

    return NGX_OK;
}
