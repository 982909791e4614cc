
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Turns a demuxer's frame into a queue item, with its times free of steps.
 */


#ifndef _NGX_WEBRTC_SOURCE_ITEM_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_ITEM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_reader.h"


/* A demuxer's timestamp, unwrapped, 90 kHz; or AV_NOPTS_VALUE. */
int64_t ngx_webrtc_source_item_time(ngx_webrtc_source_read_t *rd, AVStream *st,
    int64_t t);

/*
 * Moves a frame into the queue.
 *
 *   pkt       its reference is moved, the packet itself stays the caller's
 *   pts, dts  unwrapped, 90 kHz, or AV_NOPTS_VALUE
 *   duration  90 kHz or 0
 *
 * 0, or AVERROR(ENOMEM)
 */
int ngx_webrtc_source_item_take(ngx_webrtc_source_read_t *rd, ngx_uint_t kind,
    AVPacket *pkt, int64_t pts, int64_t dts, int64_t duration);


#endif /* _NGX_WEBRTC_SOURCE_ITEM_H_INCLUDED_ */
