
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Layers of a simulcast: which of them come, which ring each is written to.
 */


#ifndef _NGX_WEBRTC_INGEST_LAYERS_H_INCLUDED_
#define _NGX_WEBRTC_INGEST_LAYERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ingest.h"


/* is a layer left out, as it takes more than it may? */
#define ngx_webrtc_ingest_layers_out(l)                                       \
    ((l)->t->in->limits[(l) - (l)->t->in->layers].out)

/* Takes the layers of an m-line.  Returns their number, 0: it has none. */
ngx_uint_t ngx_webrtc_ingest_layers_init(ngx_webrtc_ingest_t *in,
    ngx_webrtc_desc_media_t *m);

/* Gives up all rings but the stream's. */
void ngx_webrtc_ingest_layers_end(ngx_webrtc_ingest_t *in);

/* Sets the rings that each track is written to. */
void ngx_webrtc_ingest_layers_route(ngx_webrtc_ingest_t *in);

/* A frame of a layer begins. */
void ngx_webrtc_ingest_layers_frame(ngx_webrtc_ingest_layer_t *l,
    uint64_t now_us);

/* Would a key frame begin it?  Not one that is left out, or held back. */
ngx_uint_t ngx_webrtc_ingest_layers_wanted(ngx_webrtc_ingest_layer_t *l,
    uint64_t now_us);

/* It is a key frame: the layer may begin to be seen, or become the best one. */
void ngx_webrtc_ingest_layers_key_frame(ngx_webrtc_ingest_layer_t *l,
    uint64_t now_us);

/* A packet of it is next in order; so many before it were lost for good. */
void ngx_webrtc_ingest_layers_packet(ngx_webrtc_ingest_layer_t *l,
    uint32_t lost, uint64_t now_us);

/*
 * The path of the sender carries no more than so many bits per second: layers
 * that are too much for it are broken.  After ngx_webrtc_ingest_feedback has
 * told that.
 */
void ngx_webrtc_ingest_layers_narrow(ngx_webrtc_ingest_t *in, uint64_t rate,
    uint64_t now_us);

/*
 * It is left out from now on, which its limit says: nobody begins with it, and
 * those who read it may go on until they have a key frame of another one.
 */
void ngx_webrtc_ingest_layers_leave(ngx_webrtc_ingest_layer_t *l,
    uint64_t now_us);

/* It no longer is: it is back with its next key frame. */
void ngx_webrtc_ingest_layers_return(ngx_webrtc_ingest_layer_t *l,
    uint64_t now_us);

/* The time of its frame in the stream's ring. */
int64_t ngx_webrtc_ingest_layers_time(ngx_webrtc_ingest_track_t *t);

/* Looks for layers that have stopped, every NGX_WEBRTC_INGEST_LOOK us. */
void ngx_webrtc_ingest_layers_check(ngx_webrtc_ingest_t *in, uint64_t now_us);


#endif /* _NGX_WEBRTC_INGEST_LAYERS_H_INCLUDED_ */
