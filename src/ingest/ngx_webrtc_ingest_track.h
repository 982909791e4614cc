
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The m-lines of a publisher, as tracks of the stream.
 */


#ifndef _NGX_WEBRTC_INGEST_TRACK_H_INCLUDED_
#define _NGX_WEBRTC_INGEST_TRACK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ingest.h"


/*
 * Makes a track of an m-line.
 *
 *   t         zeroed, but for its layer
 *   handler   gets its packets in order, with t
 *
 * NGX_OK
 * NGX_ERROR   without memory, or the stream has no place for it
 */
ngx_int_t ngx_webrtc_ingest_track_init(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_track_t *t, ngx_webrtc_desc_media_t *m,
    ngx_webrtc_reorder_out_pt handler);

/*
 * Sets the track to a negotiated codec: at the start, and whenever the
 * publisher changes its payload type.
 *
 *   codec   NGX_WEBRTC_CODEC_*
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_ingest_track_codec(ngx_webrtc_ingest_track_t *t,
    ngx_uint_t codec);

/* spatial layers of a track that are not written */
#define ngx_webrtc_ingest_track_cut(t)                                        \
    (((t)->depay.sids > (t)->most + 1) ? (t)->depay.sids - 1 - (t)->most : 0)

/* What is written from now on is of this track, as it is now. */
void ngx_webrtc_ingest_track_show(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_ingest_out_t *out);

/* Of two layers: has it larger pictures, or comes first in the offer? */
ngx_uint_t ngx_webrtc_ingest_track_larger(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_ingest_track_t *than);


#endif /* _NGX_WEBRTC_INGEST_TRACK_H_INCLUDED_ */
