
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


/* NGX_WEBRTC_CODEC_*, 0: cannot be sent */
ngx_uint_t ngx_webrtc_source_codecs_video(enum AVCodecID id);

/* the other way; AV_CODEC_ID_NONE: no codec of video */
enum AVCodecID ngx_webrtc_source_codecs_id(ngx_uint_t codec);


#endif /* _NGX_WEBRTC_SOURCE_CODECS_H_INCLUDED_ */
