
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The payload of a packet as a viewer gets it.
 */


#ifndef _NGX_WEBRTC_VIEWER_PAYLOAD_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_PAYLOAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/* the payload as sent */
typedef struct {
    u_char                      *data;        /* n bytes */
    size_t                       n;
    uint8_t                      pt;
    u_char                       red[NGX_WEBRTC_RING_MAX_PAYLOAD];
} ngx_webrtc_viewer_payload_t;


/* bytes of a payload that repeats others at most: with headers and tag it goes
 * through any path */
#define NGX_WEBRTC_VIEWER_PAYLOAD_RED  1180

/* bytes of payload to have room for */
#define ngx_webrtc_viewer_payload_room(t, pkt)                                \
    ((t)->repeats ? ngx_max((pkt)->len, NGX_WEBRTC_VIEWER_PAYLOAD_RED)        \
                  : (pkt)->len)


/*
 * Viewers that have negotiated RED get it with their own payload type in its
 * blocks, others get its primary block.  The same packet always becomes the
 * same bytes; but where there is none a viewer may get some made here
 * (t->repeats), and nothing is sent to it again that way.
 *
 *   ring   that pkt is of
 *   pkt, payload   from the ring; they may be overwritten meanwhile, which the
 *                  caller has to check afterwards
 *   pt             of the viewer for the track's codec
 *   out            filled in, data in the ring or in itself
 */
void ngx_webrtc_viewer_payload(ngx_webrtc_ring_t *ring,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_ring_packet_t *pkt,
    u_char *payload, ngx_uint_t pt, ngx_webrtc_viewer_payload_t *out);


#endif /* _NGX_WEBRTC_VIEWER_PAYLOAD_H_INCLUDED_ */
