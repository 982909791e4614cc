
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Layers inside a track, temporal and spatial ones: what each of them takes.
 */


#ifndef _NGX_WEBRTC_INGEST_DEPTH_H_INCLUDED_
#define _NGX_WEBRTC_INGEST_DEPTH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ingest.h"


/* a packet of n bytes is written; layer: NGX_WEBRTC_LAYER_* */
#define ngx_webrtc_ingest_depth_count(t, layer, n)                            \
    ((t)->depth.bytes[ngx_webrtc_layer_sid(layer) * NGX_WEBRTC_LAYER_MOST     \
                      + ngx_webrtc_layer_tid(layer)] += (n))

/* They are told apart from now on. */
void ngx_webrtc_ingest_depth_begin(ngx_webrtc_ingest_track_t *t,
    uint64_t now_us);

/*
 * Is there more than one, or can that not be known yet?  Then they are listed
 * also of a stream without simulcast.
 */
ngx_uint_t ngx_webrtc_ingest_depth_any(ngx_webrtc_ingest_track_t *t,
    uint64_t now_us);

/* Takes what has been counted, once a second. */
void ngx_webrtc_ingest_depth_turn(ngx_webrtc_ingest_track_t *t,
    uint64_t now_us);

/*
 * Fills in the temporal layers of a spatial one, with all below it.
 *
 *   e   its sid is set, and its bitrate is that of the whole track, which
 *       becomes its own
 */
void ngx_webrtc_ingest_depth_fill(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_stream_layer_t *e);


#endif /* _NGX_WEBRTC_INGEST_DEPTH_H_INCLUDED_ */
