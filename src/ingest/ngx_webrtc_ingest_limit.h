
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What single layers may take ("webrtc_max_bitrate layer=").
 */


#ifndef _NGX_WEBRTC_INGEST_LIMIT_H_INCLUDED_
#define _NGX_WEBRTC_INGEST_LIMIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ingest.h"


/* Takes the limits of the policy. */
void ngx_webrtc_ingest_limit_init(ngx_webrtc_ingest_t *in);

/*
 * n bytes of payload have come, whether they are written or not.
 *
 *   layer   NGX_WEBRTC_LAYER_*
 */
void ngx_webrtc_ingest_limit_count(ngx_webrtc_ingest_track_t *t,
    ngx_uint_t layer, size_t n, uint64_t now_us);

/*
 * A picture of several spatial layers begins: which of them are written.
 *
 *   flags   NGX_WEBRTC_PKT_* of its first packet
 */
void ngx_webrtc_ingest_limit_picture(ngx_webrtc_ingest_track_t *t,
    ngx_uint_t flags, uint64_t now_us);

/*
 * Is a packet of a spatial layer left out?  Where it is the last one of its
 * picture that is not, its flags say so.
 */
ngx_uint_t ngx_webrtc_ingest_limit_cuts(ngx_webrtc_ingest_track_t *t,
    ngx_uint_t layer, ngx_uint_t *flags);

/* Decides.  To be called some times a second. */
void ngx_webrtc_ingest_limit_check(ngx_webrtc_ingest_t *in, uint64_t now_us);


#endif /* _NGX_WEBRTC_INGEST_LIMIT_H_INCLUDED_ */
