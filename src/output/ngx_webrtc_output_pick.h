
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which stream of a family is for what is not a viewer: the stream as it is, or
 * a variant whose video is in a codec that can be taken (ngx_webrtc_choice.h).
 */


#ifndef _NGX_WEBRTC_OUTPUT_PICK_H_INCLUDED_
#define _NGX_WEBRTC_OUTPUT_PICK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_variant.h"


/* how a location makes variants */
typedef struct {
    ngx_uint_t             transcode;     /* NGX_WEBRTC_TRANSCODE_* */
    ngx_webrtc_variant_t   variant;
    size_t                 buffer;        /* bytes of its ring, and at most */
    size_t                 buffer_max;
} ngx_webrtc_output_how_t;


typedef struct {
    ngx_webrtc_stream_t   *st;            /* held once; NULL: none */
    uint64_t               version;       /* of the stream's tracks */
    ngx_uint_t             codec;         /* of its video, 0: it has none */
    const char            *cause;         /* st is NULL: why; NULL: there is
                                             no variant that can be taken */
} ngx_webrtc_output_pick_t;


/*
 * Picks.
 *
 *   st       held
 *   codecs   that can be taken, bits 1 << NGX_WEBRTC_CODEC_*; B-frames and all
 *            formats of samples can, and pictures are to be upright
 *   log      names the stream
 *
 * NGX_OK; NGX_DECLINED
 */
ngx_int_t ngx_webrtc_output_pick(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, uint32_t codecs,
    const ngx_webrtc_output_how_t *how, ngx_log_t *log,
    ngx_webrtc_output_pick_t *pick);

/*
 * What was picked is wanted for two seconds more, and made here if nobody makes
 * it: called a few times a second.
 *
 *   keep   0: only as long as somebody else wants one of the two, so that a
 *          source is not kept on
 */
void ngx_webrtc_output_pick_keep(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_webrtc_stream_t *picked, ngx_uint_t keep,
    ngx_log_t *log);


#endif /* _NGX_WEBRTC_OUTPUT_PICK_H_INCLUDED_ */
