
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The header of an RTP packet that a viewer gets: see ngx_webrtc_viewer.h.  RFC
 * 3550, 5.1; RFC 8285, 4.2 (extensions); 3GPP TS 26.114, 7.4.5 (orientation).
 *
 * The playout delay stands in the first packet of each key frame: a receiver
 * has to have that, asks for it again if it is lost, and keeps to what it says.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer_header.h"
#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_playout.h"
#include "ngx_webrtc_rtp.h"


#define ngx_webrtc_viewer_header_playout(t, pkt)                              \
    ((t)->playout                                                             \
     && ((pkt)->flags & (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))            \
        == (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST)                          \
     && (pkt)->len <= NGX_WEBRTC_VIEWER_HEADER_STAMPED)


static void ngx_webrtc_viewer_header_extension(ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_ring_packet_t *pkt, u_char *p, u_char *end);


size_t
ngx_webrtc_viewer_header_size(ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_ring_packet_t *pkt)
{
    size_t  n;

    n = ngx_webrtc_viewer_header_stamped(t, pkt) ? 1 + t->stamp : 0;

    if (t->ext_cvo && pkt->cvo) {
        n += 2;
    }

    if (ngx_webrtc_viewer_header_playout(t, pkt)) {
        n += 1 + NGX_WEBRTC_PLAYOUT_LEN;
    }

    return n ? NGX_WEBRTC_PACKET_HEADER + 4 + ((n + 3) & ~(size_t) 3)
             : NGX_WEBRTC_PACKET_HEADER;
}


size_t
ngx_webrtc_viewer_header(ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_ring_packet_t *pkt, ngx_uint_t pt, uint64_t index, uint32_t ts,
    uint32_t ssrc, u_char *dst)
{
    size_t   n;
    u_char  *p, *end;

    n = ngx_webrtc_viewer_header_size(t, pkt);

    p = dst;
    end = dst + n;

    p = ngx_webrtc_write_u8(p, end,
                            0x80
                            | ((pkt->flags & NGX_WEBRTC_PKT_PADDED) ? 0x20 : 0)
                            | (n > NGX_WEBRTC_PACKET_HEADER ? 0x10 : 0));
    p = ngx_webrtc_write_u8(p, end,
                            ((pkt->flags & NGX_WEBRTC_PKT_MARKER) ? 0x80 : 0)
                            | pt);
    p = ngx_webrtc_write_u16(p, end, (uint16_t) index);
    p = ngx_webrtc_write_u32(p, end, ts);
    p = ngx_webrtc_write_u32(p, end, ssrc);

    if (n > NGX_WEBRTC_PACKET_HEADER) {
        ngx_webrtc_viewer_header_extension(t, pkt, p, end);
    }

    return n;
}


/* elements of one byte, and zeros up to a multiple of four */

static void
ngx_webrtc_viewer_header_extension(ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_ring_packet_t *pkt, u_char *p, u_char *end)
{
    size_t  n;

    n = end - p - 4;

    p = ngx_webrtc_write_u16(p, end, NGX_WEBRTC_RTP_EXT_ONE_BYTE);
    p = ngx_webrtc_write_u16(p, end, n / 4);

    ngx_memzero(p, n);

    if (ngx_webrtc_viewer_header_stamped(t, pkt)) {
        *p = (u_char) (t->ext_stamp << 4 | (t->stamp - 1));
        p += 1 + t->stamp;
    }

    if (t->ext_cvo && pkt->cvo) {
        *p++ = (u_char) (t->ext_cvo << 4);
        *p++ = pkt->cvo & NGX_WEBRTC_CVO_MASK;
    }

    if (ngx_webrtc_viewer_header_playout(t, pkt)) {
        p = ngx_webrtc_write_u8(p, end, t->ext_playout << 4
                                        | (NGX_WEBRTC_PLAYOUT_LEN - 1));
        p = ngx_webrtc_write_u8(p, end, t->playout >> 16 & 0xff);
        (void) ngx_webrtc_write_u16(p, end, t->playout & 0xffff);
    }
}
