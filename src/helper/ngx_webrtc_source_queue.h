
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The queue of frames that have been read but not played yet.
 */


#ifndef _NGX_WEBRTC_SOURCE_QUEUE_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_QUEUE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_reader.h"


/* Takes an item out of the queue; NULL: it is empty. */
ngx_webrtc_source_item_t *ngx_webrtc_source_queue_pop(
    ngx_webrtc_source_read_t *rd);

/* Removes an item from the queue and frees it. */
void ngx_webrtc_source_queue_drop(ngx_webrtc_source_read_t *rd,
    ngx_webrtc_source_item_t *item);

/*
 * Makes an item that is not in the queue; the packet's reference is moved.
 * NULL: no memory.
 */
ngx_webrtc_source_item_t *ngx_webrtc_source_queue_make(ngx_uint_t kind,
    AVPacket *pkt, int64_t pts, int64_t dts);

/* Queues it, after the other items of its track. */
void ngx_webrtc_source_queue_put(ngx_webrtc_source_read_t *rd,
    ngx_webrtc_source_item_t *item);

/* Frees an item that is not in the queue. */
void ngx_webrtc_source_queue_free(ngx_webrtc_source_item_t *item);


#endif /* _NGX_WEBRTC_SOURCE_QUEUE_H_INCLUDED_ */
