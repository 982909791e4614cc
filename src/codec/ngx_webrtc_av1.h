
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * AV1.  Its bitstream is in ngx_webrtc_obu.h.
 */


#ifndef _NGX_WEBRTC_AV1_H_INCLUDED_
#define _NGX_WEBRTC_AV1_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_codec.h"


extern const ngx_webrtc_codec_t  ngx_webrtc_codec_av1;


#endif /* _NGX_WEBRTC_AV1_H_INCLUDED_ */
