
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Audio of 64 kbit/s without frames: PCMU, PCMA and G.722.
 */


#ifndef _NGX_WEBRTC_PCM_H_INCLUDED_
#define _NGX_WEBRTC_PCM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_codec.h"


extern const ngx_webrtc_codec_t  ngx_webrtc_codec_pcmu;
extern const ngx_webrtc_codec_t  ngx_webrtc_codec_pcma;
extern const ngx_webrtc_codec_t  ngx_webrtc_codec_g722;


#endif /* _NGX_WEBRTC_PCM_H_INCLUDED_ */
