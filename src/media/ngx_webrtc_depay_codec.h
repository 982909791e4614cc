
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * What the codecs tell ngx_webrtc_depay.c of one payload.  Of d, track, params,
 * max_tid and reduced are theirs, and only after the whole payload was found
 * to be well-formed.
 */


#ifndef _NGX_WEBRTC_DEPAY_CODEC_H_INCLUDED_
#define _NGX_WEBRTC_DEPAY_CODEC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_depay.h"


typedef struct {
    unsigned     picture:1;       /* has coded samples */
    unsigned     start:1;         /* they are the first ones of the frame */
    unsigned     key:1;           /* of a key frame, or of its first part */
    unsigned     intra:1;         /* H.264: may be one at a recovery point */
    unsigned     discard:1;       /* nothing refers to the frame */
    unsigned     recovery:1;      /* a recovery point SEI */
    unsigned     sets:1;          /* parameter sets, kept */
    unsigned     fresh:1;         /* one of these is new */
    unsigned     whole:1;         /* all that a key frame needs */
    unsigned     other:1;         /* anything else */
    unsigned     changed:1;       /* d->track */
} ngx_webrtc_depay_kind_t;


/* kind is zeroed; NGX_OK, NGX_DECLINED: malformed */

ngx_int_t ngx_webrtc_depay_h264(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind);
ngx_int_t ngx_webrtc_depay_h265(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind);
ngx_int_t ngx_webrtc_depay_vp8(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind);
ngx_int_t ngx_webrtc_depay_vp9(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind);
ngx_int_t ngx_webrtc_depay_av1(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind);

/*
 * Writes kept parameter sets, from number *next on, into one payload; moves
 * *next on.  Returns the bytes, or 0: there are no more, or no room.
 */

size_t ngx_webrtc_depay_h264_prefix(ngx_webrtc_depay_t *d, ngx_uint_t *next,
    u_char *buf, size_t size);
size_t ngx_webrtc_depay_h265_prefix(ngx_webrtc_depay_t *d, ngx_uint_t *next,
    u_char *buf, size_t size);
size_t ngx_webrtc_depay_av1_prefix(ngx_webrtc_depay_t *d, ngx_uint_t *next,
    u_char *buf, size_t size);

/*
 * Sets profile and size of d->track; 0 leaves the size as it is.  Returns 1
 * when that changed it.
 */

ngx_uint_t ngx_webrtc_depay_track(ngx_webrtc_depay_t *d, uint32_t profile,
    ngx_uint_t width, ngx_uint_t height);


#endif /* _NGX_WEBRTC_DEPAY_CODEC_H_INCLUDED_ */
