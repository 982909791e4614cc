
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Frames that a viewer does not get, as its path does not carry all: by what
 * refers to them, and by layers inside the stream that it reads.
 */


#ifndef _NGX_WEBRTC_VIEWER_THIN_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_THIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/* A viewer begins with all. */
void ngx_webrtc_viewer_thin_init(ngx_webrtc_viewer_t *v);

/*
 * What it should get from its next frame on; of higher layers than before, as
 * soon as they can be decoded.
 *
 *   want   the highest layers, NGX_WEBRTC_LAYER_TID and _SID
 */
void ngx_webrtc_viewer_thin_set(ngx_webrtc_viewer_t *v,
    ngx_webrtc_viewer_thin_e thin, ngx_uint_t want);

/*
 * Does it wait for layers that cannot be decoded yet?
 *
 *   tids, sids   layers of each kind that there are; 0: not known
 */
ngx_uint_t ngx_webrtc_viewer_thin_waits(ngx_webrtc_viewer_t *v,
    ngx_uint_t tids, ngx_uint_t sids);

/*
 * A packet of video; only if v->partial.
 *
 * Returns 1 if it is left out; otherwise it may get the marker bit.
 */
ngx_uint_t ngx_webrtc_viewer_thin(ngx_webrtc_viewer_t *v,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_ring_packet_t *pkt);


#endif /* _NGX_WEBRTC_VIEWER_THIN_H_INCLUDED_ */
