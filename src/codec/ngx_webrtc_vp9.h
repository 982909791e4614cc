
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * VP9 uncompressed headers (VP9 Bitstream & Decoding Process Specification,
 * 6.2) and superframes (Annex B).
 */


#ifndef _NGX_WEBRTC_VP9_H_INCLUDED_
#define _NGX_WEBRTC_VP9_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_codec.h"


typedef struct {
    uint16_t     width;           /* key frames, else 0 */
    uint16_t     height;
    uint8_t      profile;         /* 0..3 */
    unsigned     key:1;
    unsigned     show:1;
} ngx_webrtc_vp9_t;


/*
 * Parses a frame or a superframe: key by its first frame, show when any of
 * its frames is shown, and the size of the last one that is.
 *
 * Whether a frame may be dropped cannot be told from it alone: even one that
 * refreshes no buffer passes its motion vectors to the next (7.2, PrevMvs).
 *
 * NGX_OK
 * NGX_DECLINED  cut, or no VP9
 */

ngx_int_t ngx_webrtc_vp9_parse(u_char *p, size_t n, ngx_webrtc_vp9_t *vp9);


extern const ngx_webrtc_codec_t  ngx_webrtc_codec_vp9;


#endif /* _NGX_WEBRTC_VP9_H_INCLUDED_ */
