
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The audio of a source: passed through where WebRTC can carry it (Opus,
 * PCMU, PCMA), otherwise decoded, brought to 48 kHz and mono or stereo, and
 * encoded as Opus in frames of 20 ms (RFC 7587).
 *
 * Output timestamps are a sample count that follows the source's: its
 * rounding and jitter are absorbed, a lasting difference is corrected by
 * inserting silence or dropping samples, a jump is passed on.
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

/* output codec, NGX_WEBRTC_CODEC_* */
ngx_uint_t ngx_webrtc_source_audio_codec(ngx_webrtc_source_audio_t *a);

/*
 * Output channels: 1, 2, or 0 until they are known, which is once a packet
 * has been decoded.
 */
ngx_uint_t ngx_webrtc_source_audio_channels(ngx_webrtc_source_audio_t *a);

/*
 * Decodes a packet to learn the channels; there is no output.
 *
 * NGX_OK         known
 * NGX_AGAIN      the decoder needs more
 * NGX_DECLINED   not decodable
 */
ngx_int_t ngx_webrtc_source_audio_probe(ngx_webrtc_source_audio_t *a,
    AVPacket *pkt);

/*
 *   pkt      one coded frame; only its timestamps are modified
 *   pts      90 kHz, unwrapped
 *   untimed  pts is a guess: the frame starts where the previous one ended
 *
 * NGX_OK
 * NGX_DECLINED   not decodable: the loss becomes silence
 */
ngx_int_t ngx_webrtc_source_audio_frame(ngx_webrtc_source_audio_t *a,
    AVPacket *pkt, int64_t pts, ngx_uint_t untimed);

/*
 * The next packets do not continue the previous ones (a loop's seam).  The
 * sample count goes on.
 */
void ngx_webrtc_source_audio_flush(ngx_webrtc_source_audio_t *a);

/* Like flush(), but the sample count restarts with the next packet. */
void ngx_webrtc_source_audio_reset(ngx_webrtc_source_audio_t *a);


#endif /* _NGX_WEBRTC_SOURCE_AUDIO_H_INCLUDED_ */
