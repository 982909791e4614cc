
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Maps libavcodec's video codecs to ours.
 */


#ifndef _NGX_WEBRTC_SOURCE_CODECS_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_CODECS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavcodec/avcodec.h>

#include "ngx_webrtc_track.h"


/*
 * NGX_WEBRTC_CODEC_*, 0: cannot be sent.
 *
 *   foreign   1: those of ngx_webrtc_foreign.h count, too
 */
ngx_uint_t ngx_webrtc_source_codecs_video(enum AVCodecID id,
    ngx_uint_t foreign);

/* The other way; AV_CODEC_ID_NONE: there is none. */
enum AVCodecID ngx_webrtc_source_codecs_id(ngx_uint_t codec);

/*
 * For codecs of ngx_webrtc_foreign.h, whose pictures are not read here: what
 * is said of them.
 */
void ngx_webrtc_source_codecs_track(const AVCodecParameters *par,
    ngx_webrtc_track_t *track);

/*
 * The size from a key frame of a codec that libavcodec has no parser for, or
 * one that does not say it; the track stays as it is if it cannot be read.
 */
void ngx_webrtc_source_codecs_size(ngx_webrtc_track_t *track, u_char *p,
    size_t n);


#endif /* _NGX_WEBRTC_SOURCE_CODECS_H_INCLUDED_ */
