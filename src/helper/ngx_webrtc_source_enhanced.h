
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Video in FLV that libavformat has no name for: enhanced RTMP (FourCC), and
 * the numbers 12 and 13, which Chinese encoders have long used.  FFmpeg 6.1
 * and later know the former.
 */


#ifndef _NGX_WEBRTC_SOURCE_ENHANCED_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_ENHANCED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_reader.h"


/*
 * Looks at a packet of FLV.
 *
 * NGX_OK        a frame, now one of a stream of a known codec; or as it was
 * NGX_DONE      it was no frame, and has been taken
 * NGX_DECLINED  malformed
 * NGX_ERROR     no memory
 */
ngx_int_t ngx_webrtc_source_enhanced(ngx_webrtc_source_read_t *rd,
    AVPacket *pkt);


#endif /* _NGX_WEBRTC_SOURCE_ENHANCED_H_INCLUDED_ */
