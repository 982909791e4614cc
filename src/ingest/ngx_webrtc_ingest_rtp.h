
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Packets of a sender, until they are in the ring.
 */


#ifndef _NGX_WEBRTC_INGEST_RTP_H_INCLUDED_
#define _NGX_WEBRTC_INGEST_RTP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ingest.h"


/* A packet of the sender, n bytes in all. */
void ngx_webrtc_ingest_rtp(ngx_webrtc_ingest_t *in, ngx_webrtc_rtp_t *rtp,
    size_t n, uint64_t now_us);

/* the next packet of a track, in order: a handler of ngx_webrtc_reorder_t */
void ngx_webrtc_ingest_rtp_packet(void *ctx,
    const ngx_webrtc_reorder_packet_t *rp);


#endif /* _NGX_WEBRTC_INGEST_RTP_H_INCLUDED_ */
