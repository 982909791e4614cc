
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * VP8 frame headers, RFC 6386, 9.
 */


#ifndef _NGX_WEBRTC_VP8_H_INCLUDED_
#define _NGX_WEBRTC_VP8_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_codec.h"


typedef struct {
    uint16_t     width;           /* key frames, else 0 */
    uint16_t     height;
    unsigned     key:1;
    unsigned     show:1;
    unsigned     discardable:1;   /* changes no buffer, probability or other
                                     state that later frames use */
} ngx_webrtc_vp8_t;


/*
 * Parses the frame tag (9.1) and the fields that tell which state the frame
 * changes (9.3 to 9.11, in the first partition).
 *
 * NGX_OK
 * NGX_DECLINED  cut, or a key frame without its start code
 */

ngx_int_t ngx_webrtc_vp8_parse(u_char *p, size_t n, ngx_webrtc_vp8_t *vp8);


extern const ngx_webrtc_codec_t  ngx_webrtc_codec_vp8;


#endif /* _NGX_WEBRTC_VP8_H_INCLUDED_ */
