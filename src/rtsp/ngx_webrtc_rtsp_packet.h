
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A packet of an RTSP publisher, as the description that we make of its tracks
 * says (ngx_webrtc_rtsp_sdp.h).
 */


#ifndef _NGX_WEBRTC_RTSP_PACKET_H_INCLUDED_
#define _NGX_WEBRTC_RTSP_PACKET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_rtsp_sdp.h"


/*
 * Gives a packet the payload type and the SSRC of its track, in its place.  Of
 * RTCP only what ties a track's clock is of use: a sender report, without
 * blocks.
 *
 *   rtcp   it has come where only RTCP does; elsewhere it is told by its type
 *
 * Returns the bytes of it that are of use, 0: none.
 */
size_t ngx_webrtc_rtsp_packet(ngx_webrtc_rtsp_track_t *t, ngx_uint_t ssrc,
    ngx_uint_t rtcp, u_char *p, size_t n);


#endif /* _NGX_WEBRTC_RTSP_PACKET_H_INCLUDED_ */
