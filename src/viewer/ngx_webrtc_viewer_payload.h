
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A packet's payload as a viewer gets it.
 */


#ifndef _NGX_WEBRTC_VIEWER_PAYLOAD_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_PAYLOAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/* what leaves of a packet in the ring */
typedef struct {
    u_char                      *data;        /* n bytes */
    size_t                       n;
    uint8_t                      pt;
    u_char                       red[NGX_WEBRTC_RING_MAX_PAYLOAD];
} ngx_webrtc_viewer_payload_t;


/*
 * RED goes to viewers who have negotiated it with their own payload type in its
 * blocks, to others as its primary block.  The same packet always becomes the
 * same bytes.
 *
 *   pkt, payload   of the ring; it may be overwritten meanwhile, which is for
 *                  the caller to check afterwards
 *   pt             of the viewer for the track's codec
 *   out            filled in, data in the ring or in itself
 */
void ngx_webrtc_viewer_payload(ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_ring_packet_t *pkt, u_char *payload, ngx_uint_t pt,
    ngx_webrtc_viewer_payload_t *out);


#endif /* _NGX_WEBRTC_VIEWER_PAYLOAD_H_INCLUDED_ */
