
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Packets of an RTSP publisher.  The contract is in the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_rtsp_packet.h"


/* RFC 3550, 5.1 and 6.4.1: bytes of a header, and of a sender report without
 * blocks; its type.  RFC 5761, 4: what is RTCP, by its second byte */
#define NGX_WEBRTC_RTSP_PACKET_RTP    12
#define NGX_WEBRTC_RTSP_PACKET_SR     28
#define NGX_WEBRTC_RTSP_PACKET_SR_PT  200
#define NGX_WEBRTC_RTSP_PACKET_RTCP   192
#define NGX_WEBRTC_RTSP_PACKET_RTCP_END  224


size_t
ngx_webrtc_rtsp_packet(ngx_webrtc_rtsp_track_t *t, ngx_uint_t ssrc,
    ngx_uint_t rtcp, u_char *p, size_t n)
{
    if (n < NGX_WEBRTC_RTSP_PACKET_RTP || (p[0] >> 6) != 2) {
        return 0;
    }

    if (rtcp || (p[1] >= NGX_WEBRTC_RTSP_PACKET_RTCP
                 && p[1] < NGX_WEBRTC_RTSP_PACKET_RTCP_END))
    {
        if (p[1] != NGX_WEBRTC_RTSP_PACKET_SR_PT
            || n < NGX_WEBRTC_RTSP_PACKET_SR)
        {
            return 0;
        }

        n = NGX_WEBRTC_RTSP_PACKET_SR;

        p[0] = 0x80;
        (void) ngx_webrtc_write_u16(&p[2], &p[4], (uint16_t) (n / 4 - 1));
        (void) ngx_webrtc_write_u32(&p[4], &p[8], (uint32_t) ssrc);

        return n;
    }

    if ((p[1] & 0x7f) != t->pt) {
        return 0;
    }

    p[1] = (p[1] & 0x80) | t->our_pt;
    (void) ngx_webrtc_write_u32(&p[8], &p[12], (uint32_t) ssrc);

    return n;
}
