
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


#endif /* _NGX_WEBRTC_SOURCE_CODECS_H_INCLUDED_ */
