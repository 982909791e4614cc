
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Codecs of video that sources have and WebRTC does not: they are never
 * offered nor matched in SDP, and go through the ring to be transcoded.
 *
 * How a picture is in packets of the ring.  They are slices of its bytes, with
 * nothing before or after, from FIRST to LAST; a decoder may start at one with
 * KEY.  A key frame is preceded by the codec's configuration, as libavcodec
 * has it in extradata, if there is one: in packets with PARAMS, of which the
 * first has FIRST.  Then the picture's own first packet does not have it.
 *
 * What a picture is and whether it is a key frame is not read from its bytes,
 * but said by who has them: pack->key before ngx_webrtc_pack_probe().
 */


#ifndef _NGX_WEBRTC_FOREIGN_H_INCLUDED_
#define _NGX_WEBRTC_FOREIGN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_codec.h"


/* their rows, in order of their numbers */
extern const ngx_webrtc_codec_t  ngx_webrtc_codecs_foreign[];


#endif /* _NGX_WEBRTC_FOREIGN_H_INCLUDED_ */
