
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The packet ring of a publisher's stream.
 */


#ifndef _NGX_WEBRTC_INGEST_RING_H_INCLUDED_
#define _NGX_WEBRTC_INGEST_RING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ingest.h"


/* Makes what is in its rings visible, here and in the other workers. */
void ngx_webrtc_ingest_ring_flush(ngx_webrtc_ingest_t *in);

/* The same for one of them. */
void ngx_webrtc_ingest_ring_flush_one(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_out_t *out);

/*
 * The packet to be written would overwrite what should stay: grows the ring, if
 * that is allowed.
 */
void ngx_webrtc_ingest_ring_grow(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_out_t *out, uint64_t now_us);

/* How long a publisher's packets are kept, see ngx_webrtc_ring_wants(). */
const ngx_webrtc_ring_keep_t *ngx_webrtc_ingest_ring_keep(
    ngx_webrtc_ingest_out_t *out);


#endif /* _NGX_WEBRTC_INGEST_RING_H_INCLUDED_ */
