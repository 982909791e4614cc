
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Frames that are to be decoded but not shown: those between a key frame and
 * the point where a file's edit list (ISO/IEC 14496-12, 8.6.6) begins.  A
 * viewer has to decode them, so they are sent in a burst just before the
 * first frame that is shown.
 */


#ifndef _NGX_WEBRTC_SOURCE_HIDE_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_HIDE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_reader.h"


/*
 * Takes a frame that is not shown.
 *
 *   pkt       its reference is moved
 *   pts, dts  90 kHz, of the pass; dts is not after pts
 *
 * 0, or AVERROR(ENOMEM)
 */
int ngx_webrtc_source_hide(ngx_webrtc_source_read_t *rd,
    ngx_webrtc_source_stream_t *s, ngx_uint_t kind, AVPacket *pkt, int64_t pts,
    int64_t dts);

/*
 * Called just before a frame that is shown is queued: queues the hidden ones.
 *
 *   s     of the item
 *   room  90 kHz, since the previous frame of its track
 */
void ngx_webrtc_source_hide_show(ngx_webrtc_source_read_t *rd,
    ngx_webrtc_source_stream_t *s, ngx_webrtc_source_item_t *item,
    int64_t room);

/* Frees what was hidden. */
void ngx_webrtc_source_hide_drop(ngx_webrtc_source_stream_t *s);


#endif /* _NGX_WEBRTC_SOURCE_HIDE_H_INCLUDED_ */
