
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The audio of a source: passed through where WebRTC can carry it (Opus,
 * PCMU, PCMA), otherwise decoded, brought to 48 kHz and mono or stereo, and
 * encoded as Opus in frames of 20 ms (RFC 7587).
 *
 * Timestamps come out as a count of samples that follows the source's: its
 * rounding and jitter stay inside, a lasting difference is made good with
 * silence or by leaving samples out, a jump is passed on.
 *
 * Belongs to one thread.
 */


#ifndef _NGX_WEBRTC_SOURCE_AUDIO_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_AUDIO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavcodec/avcodec.h>


typedef struct ngx_webrtc_source_audio_s  ngx_webrtc_source_audio_t;

/*
 * Takes a coded frame.
 *
 *   data, n  valid during the call
 *   ts       of its first sample, in units of the track's clock rate
 */
typedef void (*ngx_webrtc_source_audio_out_pt)(void *ctx, u_char *data,
    size_t n, int64_t ts);


/* Can this codec be passed through or transcoded? */
ngx_uint_t ngx_webrtc_source_audio_known(enum AVCodecID id);

/*
 * Makes a transcoder.
 *
 *   par    codec parameters of the demuxer; may lack rate and channels
 *   out    called from within frame()
 *
 * NULL, *cause is set: no decoder, no libopus, no memory
 */
ngx_webrtc_source_audio_t *ngx_webrtc_source_audio_create(
    const AVCodecParameters *par, ngx_webrtc_source_audio_out_pt out,
    void *ctx, const char **cause);

void ngx_webrtc_source_audio_destroy(ngx_webrtc_source_audio_t *a);

/* NGX_WEBRTC_CODEC_* of what comes out */
ngx_uint_t ngx_webrtc_source_audio_codec(ngx_webrtc_source_audio_t *a);

/*
 * Channels of what comes out: 1, 2, or 0 as long as they are not known: they
 * are once a packet has been decoded.
 */
ngx_uint_t ngx_webrtc_source_audio_channels(ngx_webrtc_source_audio_t *a);

/*
 * Decodes a packet to learn the channels; there is no output.
 *
 * NGX_OK         known
 * NGX_AGAIN      the decoder wants more
 * NGX_DECLINED   not decodable
 */
ngx_int_t ngx_webrtc_source_audio_probe(ngx_webrtc_source_audio_t *a,
    AVPacket *pkt);

/*
 *   pkt      one coded frame, not modified but for its timestamps
 *   pts      90 kHz, unwrapped
 *   untimed  pts is a guess: it goes on where the frame before has ended
 *
 * NGX_OK
 * NGX_DECLINED   not decodable: what was lost is taken for silence
 */
ngx_int_t ngx_webrtc_source_audio_frame(ngx_webrtc_source_audio_t *a,
    AVPacket *pkt, int64_t pts, ngx_uint_t untimed);

/*
 * The packets to come do not continue those before (a loop's seam).
 * The count of samples goes on.
 */
void ngx_webrtc_source_audio_flush(ngx_webrtc_source_audio_t *a);

/* As flush(), and the count of samples begins anew with the next packet. */
void ngx_webrtc_source_audio_reset(ngx_webrtc_source_audio_t *a);


#endif /* _NGX_WEBRTC_SOURCE_AUDIO_H_INCLUDED_ */
