
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The RTP header of a packet as a viewer gets it.
 */


#ifndef _NGX_WEBRTC_VIEWER_HEADER_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_HEADER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/*
 * Writes the header of an outgoing packet; the same packet always gets the same
 * header.
 *
 *   pt, index, ts, ssrc   what the viewer sees
 *   dst                   ngx_webrtc_viewer_header_size() bytes
 *
 * Returns its size.
 */
size_t ngx_webrtc_viewer_header(ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_ring_packet_t *pkt, ngx_uint_t pt, uint64_t index, uint32_t ts,
    uint32_t ssrc, u_char *dst);
size_t ngx_webrtc_viewer_header_size(ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_ring_packet_t *pkt);


#endif /* _NGX_WEBRTC_VIEWER_HEADER_H_INCLUDED_ */
