
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Opus packets (RFC 6716, 3): finds their frames, and makes packets of fewer
 * frames.
 */


#ifndef _NGX_WEBRTC_OPUS_H_INCLUDED_
#define _NGX_WEBRTC_OPUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_codec.h"


#define NGX_WEBRTC_OPUS_FRAMES       48      /* 3.2.5: 120 ms of 2.5 ms */
#define NGX_WEBRTC_OPUS_FRAME_MAX    1275    /* bytes, 3.4, R2 */
#define NGX_WEBRTC_OPUS_SAMPLES_MAX  5760    /* 120 ms at 48 kHz, 3.4, R5 */


typedef struct {
    u_char       toc;
    ngx_uint_t   n;               /* frames */
    ngx_uint_t   samples;         /* of each, at 48 kHz */
    u_char      *frame[NGX_WEBRTC_OPUS_FRAMES];
    uint16_t     size[NGX_WEBRTC_OPUS_FRAMES];
} ngx_webrtc_opus_t;


/*
 * How long a packet is: samples at 48 kHz, 0 when malformed.  Looks at no more
 * than two bytes.
 */

size_t ngx_webrtc_opus_samples(u_char *p, size_t n);

/*
 * 3.4: finds the frames of a packet, which point into it.
 *
 * NGX_OK
 * NGX_DECLINED  malformed
 */

ngx_int_t ngx_webrtc_opus_parse(ngx_webrtc_opus_t *opus, u_char *p, size_t n);

/*
 * How many frames, from the given one on, go into the next packet: 20 ms, or
 * one frame if that is longer, and fewer if they exceed max bytes.  0: not even
 * one fits.
 */

ngx_uint_t ngx_webrtc_opus_fit(ngx_webrtc_opus_t *opus, ngx_uint_t first,
    size_t max);

/*
 * Makes a packet of some frames, without padding.
 *
 *   first, n   frames of opus, n > 0
 *   buf, max   room
 *
 * Returns its bytes, 0: more than max.
 */

size_t ngx_webrtc_opus_print(ngx_webrtc_opus_t *opus, ngx_uint_t first,
    ngx_uint_t n, u_char *buf, size_t max);


extern const ngx_webrtc_codec_t  ngx_webrtc_codec_opus;


#endif /* _NGX_WEBRTC_OPUS_H_INCLUDED_ */
