
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * The table of codecs.  Code that uses codecs knows only this table and the
 * type of its rows (ngx_webrtc_codec.h).
 */


#ifndef _NGX_WEBRTC_CODECS_H_INCLUDED_
#define _NGX_WEBRTC_CODECS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_codec.h"


/*
 * The table's row of a codec; never NULL: for NONE, and for values out of
 * range, the row with an empty name and kind 0.
 */

const ngx_webrtc_codec_t *ngx_webrtc_codec(ngx_uint_t codec);

/*
 * The codec of an a=rtpmap encoding name, case-insensitive (RFC 8866, 6.6).
 *
 *   name, n      not null-terminated
 *   clock_rate   as in a=rtpmap
 *
 * NULL: not a codec of ours, or not at that clock rate, or one that is only
 * transcoded (ngx_webrtc_foreign.h).  The caller compares the number of
 * channels.
 */

const ngx_webrtc_codec_t *ngx_webrtc_codec_find(u_char *name, size_t n,
    uint32_t clock_rate);

/* the codec of a payload type of RFC 3551 that needs no a=rtpmap, or NULL */
const ngx_webrtc_codec_t *ngx_webrtc_codec_static(ngx_uint_t pt);


#endif /* _NGX_WEBRTC_CODECS_H_INCLUDED_ */
