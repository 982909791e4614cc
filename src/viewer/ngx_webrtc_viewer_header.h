
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The RTP header of a packet as a viewer gets it.
 */


#ifndef _NGX_WEBRTC_VIEWER_HEADER_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_HEADER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_viewer.h"


/* bytes of payload with which a packet has room for a stamp; chosen: more than
 * any path takes, and less than a datagram of ours may have */
#define NGX_WEBRTC_VIEWER_HEADER_STAMPED  1500

/* where the stamp of a packet that has one is */
#define NGX_WEBRTC_VIEWER_HEADER_STAMP    (NGX_WEBRTC_PACKET_HEADER + 4 + 1)

/* Does a packet get a stamp (t->stamp)?  See ngx_webrtc_viewer_stamp.h */
#define ngx_webrtc_viewer_header_stamped(t, pkt)                              \
    ((t)->stamp && (t)->rtx && (pkt)->len <= NGX_WEBRTC_VIEWER_HEADER_STAMPED)


/*
 * Writes the header of an outgoing packet; the same packet always gets the same
 * header, but for a stamp, which is left for the caller to fill in.
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
