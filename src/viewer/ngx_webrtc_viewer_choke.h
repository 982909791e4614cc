
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A viewer over a connection (ICE-TCP) that does not take what it is sent.
 */


#ifndef _NGX_WEBRTC_VIEWER_CHOKE_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_CHOKE_H_INCLUDED_


#include "ngx_webrtc_viewer.h"


/* See ngx_webrtc_viewer_choke(), for a viewer over TCP. */
ngx_int_t ngx_webrtc_viewer_choke_packet(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_ring_packet_t *pkt);


/*
 * Whether a packet is to be left out, as the viewer is behind.
 *
 * NGX_OK: it is left out; NGX_DECLINED: it is not, for this reason
 */
static ngx_inline ngx_int_t
ngx_webrtc_viewer_choke(ngx_webrtc_session_t *s, ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_ring_packet_t *pkt)
{
    if (s->transport.conn == NULL
        && !((ngx_webrtc_viewer_t *) s->part)->choked)
    {
        return NGX_DECLINED;
    }

    return ngx_webrtc_viewer_choke_packet(s, t, pkt);
}


#endif /* _NGX_WEBRTC_VIEWER_CHOKE_H_INCLUDED_ */
