
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * What all packetizers share: see ngx_webrtc_pack.h.
 */


#include "ngx_webrtc_pack.h"


/* after so long without IDR, a recovery point counts as a key frame: see
 * pack_probe() */
#define NGX_WEBRTC_PACK_KEY_AGE  300


static void ngx_webrtc_pack_forget(ngx_webrtc_pack_t *pack);


ngx_int_t
ngx_webrtc_pack_init(ngx_webrtc_pack_t *pack, const ngx_webrtc_codec_t *codec,
    size_t max_payload, ngx_webrtc_pack_out_pt out, void *ctx)
{
    if (codec->pack == NULL) {
        return NGX_DECLINED;
    }

    if (max_payload == 0) {
        max_payload = NGX_WEBRTC_PACK_PAYLOAD;
    }

    max_payload = ngx_max(max_payload, NGX_WEBRTC_PACK_PAYLOAD_MIN);
    max_payload = ngx_min(max_payload, NGX_WEBRTC_PACK_PAYLOAD_MAX);

    ngx_memzero(pack, sizeof(ngx_webrtc_pack_t));

    pack->ops = codec->pack;
    pack->out = out;
    pack->ctx = ctx;
    pack->max = max_payload;

    ngx_webrtc_codec_track(codec, &pack->track, 0);

    ngx_webrtc_pack_forget(pack);

    return NGX_OK;
}


static void
ngx_webrtc_pack_forget(ngx_webrtc_pack_t *pack)
{
    pack->track.profile = 0;
    pack->track.width = 0;
    pack->track.height = 0;
    pack->track.depth = 0;
    pack->track.chroma = 0;
    pack->track.traits = 0;

    pack->reorder = NGX_WEBRTC_REORDER_UNKNOWN;
    pack->tick = 0;
    pack->held = 0;
    pack->key_age = NGX_WEBRTC_PACK_KEY_AGE;
    pack->length_size = 0;
    pack->max_tid = 0xff;
    pack->reduced = 0;

    ngx_webrtc_params_clear(&pack->params);
}


ngx_int_t
ngx_webrtc_pack_config(ngx_webrtc_pack_t *pack, u_char *p, size_t n)
{
    ngx_webrtc_pack_forget(pack);

    if (n == 0 || pack->ops->config == NULL) {
        return NGX_OK;
    }

    if (pack->ops->config(pack, p, n) != NGX_OK) {
        ngx_webrtc_pack_forget(pack);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_pack_probe(ngx_webrtc_pack_t *pack, u_char *data, size_t n,
    ngx_webrtc_frame_t *frame)
{
    ngx_memzero(frame, sizeof(ngx_webrtc_frame_t));

    if (n == 0) {
        return NGX_DECLINED;
    }

    frame->data = data;
    frame->size = n;

    return pack->ops->probe(pack, frame);
}


ngx_int_t
ngx_webrtc_pack_frame(ngx_webrtc_pack_t *pack, u_char *data, size_t n,
    ngx_webrtc_frame_t *frame)
{
    ngx_webrtc_frame_t  probed;

    if (frame == NULL) {
        frame = &probed;

        if (ngx_webrtc_pack_probe(pack, data, n, frame) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    if (frame->size == 0 || !frame->picture) {
        return NGX_DECLINED;
    }

    pack->tick = 0;

    return pack->ops->frame(pack, frame);
}


ngx_int_t
ngx_webrtc_pack_track(ngx_webrtc_pack_t *pack, ngx_webrtc_track_t *track)
{
    *track = pack->track;

    if (track->kind == NGX_WEBRTC_VIDEO && track->width == 0
        && !ngx_webrtc_foreign(track->codec))
    {
        return NGX_AGAIN;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_pack_recovery(ngx_webrtc_pack_t *pack, ngx_uint_t idr)
{
    if (idr) {
        pack->key_age = 0;
        return 0;
    }

    if (pack->key_age < NGX_WEBRTC_PACK_KEY_AGE) {
        pack->key_age++;
        return 0;
    }

    return 1;
}


void
ngx_webrtc_pack_traits(ngx_webrtc_pack_t *pack, ngx_uint_t traits,
    ngx_uint_t reorder)
{
    if (pack->reorder != reorder) {

        /* of another encoder; the same one may have had some, and not say so */

        pack->track.traits &= ~NGX_WEBRTC_TRACK_REORDERED;
    }

    pack->reorder = (uint8_t) reorder;

    pack->track.traits &= ~NGX_WEBRTC_TRACK_INTERLACED;
    pack->track.traits |= (uint8_t) traits;

    if (reorder != 0 && reorder != NGX_WEBRTC_REORDER_UNKNOWN) {
        pack->track.traits |= NGX_WEBRTC_TRACK_REORDERED;
    }
}


void
ngx_webrtc_pack_start(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    if (frame->key) {
        pack->track.traits &= ~NGX_WEBRTC_TRACK_NO_IDR;

        if (frame->recovery) {
            pack->track.traits |= NGX_WEBRTC_TRACK_NO_IDR;
        }
    }
}


size_t
ngx_webrtc_pack_split(size_t total, size_t overhead, size_t max,
    size_t *parts)
{
    size_t  room;

    room = max - overhead;

    *parts = (total + room - 1) / room;

    if (*parts == 0) {
        *parts = 1;
    }

    return (total + *parts - 1) / *parts + overhead;
}


ngx_int_t
ngx_webrtc_pack_audio(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    (void) pack;

    frame->picture = 1;
    frame->discardable = 1;

    return NGX_OK;
}
