
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Packets of a publisher, until they are in the ring.
 */


#ifndef _NGX_WEBRTC_PUBLISHER_IN_H_INCLUDED_
#define _NGX_WEBRTC_PUBLISHER_IN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_publisher.h"


/* An authentic packet, n bytes in all. */
void ngx_webrtc_publisher_in_rtp(ngx_webrtc_session_t *s, ngx_webrtc_rtp_t *rtp,
    size_t n);

/* the next packet of a track, in order: a handler of ngx_webrtc_reorder_t */
void ngx_webrtc_publisher_in_packet(void *ctx,
    const ngx_webrtc_reorder_packet_t *rp);


#endif /* _NGX_WEBRTC_PUBLISHER_IN_H_INCLUDED_ */
