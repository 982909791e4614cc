
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The layers of a publisher's simulcast.  The stream itself always has the best
 * of those that come; each of the others is a variant of it
 * (ngx_webrtc_bus_variant.h), which the publisher's worker has claimed, as long
 * as it comes.  The list of all that were negotiated stands in the stream.
 */


#ifndef _NGX_WEBRTC_BUS_LAYERS_H_INCLUDED_
#define _NGX_WEBRTC_BUS_LAYERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"


/*
 * Publishes the list: in the publisher's order, n 0 for none.  For the holder
 * of the stream's claim.
 */
void ngx_webrtc_bus_set_layers(ngx_webrtc_stream_t *st,
    const ngx_webrtc_stream_layers_t *layers);

/* There are none any more: its publisher leaves, or its worker has died. */
void ngx_webrtc_bus_no_layers(ngx_webrtc_stream_t *st);

/*
 * A consistent copy, for anybody, without a lock.
 *
 *   layers   filled; or NULL
 *
 * Returns its version, which changes when it is set; 0: never set.
 */
uint64_t ngx_webrtc_bus_layers(ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_layers_t *layers);

/*
 * Somebody takes the best layer that there is, or goes to any that his path
 * carries: so none may be stopped.  To be called every second or so; cheap.
 *
 *   now_ms   of the monotonic clock
 */
void ngx_webrtc_bus_climb(ngx_webrtc_stream_t *st, uint64_t now_ms);

/* Has that been said in the last seconds? */
ngx_uint_t ngx_webrtc_bus_climbs(ngx_webrtc_stream_t *st, uint64_t now_ms);

/* The variant that has a layer, as a key: rid is not too long. */
void ngx_webrtc_bus_layer_key(const ngx_str_t *rid,
    ngx_webrtc_variant_t *variant);

/*
 * Begins to feed a layer: its stream is held, claimed for this worker and for
 * the session that publishes the parent.
 *
 *   parent   held, and claimed by this worker
 *
 * NULL: the zone is full, or another worker still has it
 */
ngx_webrtc_stream_t *ngx_webrtc_bus_layer_open(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *parent, const ngx_str_t *rid);

/*
 * Its publisher leaves: gives up claim and hold.  Viewers that it still has
 * stay for as long as those of the parent.
 */
void ngx_webrtc_bus_layer_close(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st);


#endif /* _NGX_WEBRTC_BUS_LAYERS_H_INCLUDED_ */
