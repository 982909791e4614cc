
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The payload of a packet as a viewer gets it; RFC 2198.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer_payload.h"
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_red.h"


void
ngx_webrtc_viewer_payload(ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_ring_packet_t *pkt, u_char *payload, ngx_uint_t pt,
    ngx_webrtc_viewer_payload_t *out)
{
    ngx_uint_t              n;
    ngx_webrtc_red_block_t  blocks[NGX_WEBRTC_RED_BLOCKS];

    out->data = payload;
    out->n = pkt->len;
    out->pt = (uint8_t) pt;

    if (!(pkt->flags & NGX_WEBRTC_PKT_RED)) {
        return;
    }

    /* a copy: the writer does not wait, and lengths must not change */

    out->n = ngx_min(out->n, sizeof(out->red));
    out->data = out->red;

    ngx_memcpy(out->red, payload, out->n);

    if (ngx_webrtc_red_parse(out->red, out->n, blocks, &n) != NGX_OK) {
        /* only if overwritten: the publisher's RED was parsed on arrival */
        return;
    }

    if (t->red_pt == NGX_WEBRTC_DESC_NO_PT) {
        out->data = blocks[n - 1].data;
        out->n = blocks[n - 1].n;
        return;
    }

    ngx_webrtc_red_set_pt(out->red, n, pt);

    out->pt = t->red_pt;
}
