
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Audio that cannot be made anew, when frames of it have to be.
 */


#define _GNU_SOURCE

#include <dlfcn.h>

#include "ngx_webrtc_source_audio.h"
#include "ngx_webrtc_track.h"
#include "tap.h"


static ngx_uint_t  opens;              /* of decoders, which fail */


int
avcodec_open2(AVCodecContext *ctx, const AVCodec *codec, AVDictionary **d)
{
    (void) ctx;
    (void) codec;
    (void) d;

    opens++;

    return AVERROR(ENOMEM);
}


static void
out(void *ctx, u_char *data, size_t n, int64_t ts)
{
    ngx_uint_t  *frames = ctx;

    (void) data;
    (void) n;
    (void) ts;

    (*frames)++;
}


/* RFC 6716, 3.1: CELT, 20 ms, one frame of n - 1 bytes */

static ngx_int_t
frame(ngx_webrtc_source_audio_t *a, int n, int64_t pts)
{
    AVPacket   *pkt;
    ngx_int_t   rc;

    pkt = av_packet_alloc();

    if (pkt == NULL || av_new_packet(pkt, n) < 0) {
        abort();
    }

    memset(pkt->data, 0, n);
    pkt->data[0] = 31 << 3;

    rc = ngx_webrtc_source_audio_frame(a, pkt, pts, 0);

    av_packet_free(&pkt);

    return rc;
}


/* what each attempt has made is found by the leak sanitizer */

static void
test_recode(void)
{
    const char                 *cause;
    ngx_uint_t                  i, frames, declined;
    AVCodecParameters          *par;
    ngx_webrtc_source_audio_t  *a;

    frames = 0;
    declined = 0;

    par = avcodec_parameters_alloc();
    par->codec_type = AVMEDIA_TYPE_AUDIO;
    par->codec_id = AV_CODEC_ID_OPUS;
    par->sample_rate = 48000;
    av_channel_layout_default(&par->ch_layout, 2);

    a = ngx_webrtc_source_audio_create(par, out, &frames, &cause);

    if (a == NULL) {
        tap_fail("long frames: %s", cause);
        avcodec_parameters_free(&par);
        return;
    }

    tap_is_int(frame(a, 100, 0), NGX_OK, "a frame is passed");

    for (i = 1; i <= 5; i++) {
        declined += (frame(a, 1270, 1800 * i) == NGX_DECLINED);
    }

    tap_is_int(declined, 5, "long frames: left out");
    tap_is_int(opens, 1, "long frames: a decoder is asked for once");
    tap_is_int(frame(a, 100, 1800 * i), NGX_OK, "long frames: others go on");
    tap_is_int(frames, 2, "long frames: and are there");

    ngx_webrtc_source_audio_flush(a);
    ngx_webrtc_source_audio_destroy(a);
    avcodec_parameters_free(&par);
}


int
main(void)
{
    test_recode();

    return tap_done();
}
