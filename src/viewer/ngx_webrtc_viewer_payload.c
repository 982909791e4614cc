
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The payload of a packet as a viewer gets it; RFC 2198.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer_payload.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_depay.h"
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_red.h"
#include "ngx_webrtc_track.h"


static void ngx_webrtc_viewer_payload_close(ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_ring_packet_t *pkt, u_char *payload,
    ngx_webrtc_viewer_payload_t *out);
static void ngx_webrtc_viewer_payload_repeat(ngx_webrtc_ring_t *ring,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_ring_packet_t *pkt,
    u_char *payload, ngx_webrtc_viewer_payload_t *out);
static ngx_int_t ngx_webrtc_viewer_payload_earlier(ngx_webrtc_ring_t *ring,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_ring_packet_t *pkt,
    ngx_uint_t back, size_t room, u_char *dst, ngx_webrtc_red_block_t *block);


void
ngx_webrtc_viewer_payload(ngx_webrtc_ring_t *ring,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_ring_packet_t *pkt,
    u_char *payload, ngx_uint_t pt, ngx_webrtc_viewer_payload_t *out)
{
    ngx_uint_t              n;
    ngx_webrtc_red_block_t  blocks[NGX_WEBRTC_RED_BLOCKS];

    out->data = payload;
    out->n = pkt->len;
    out->pt = (uint8_t) pt;

    if ((pkt->layer & NGX_WEBRTC_LAYER_END)
        && (pkt->flags & NGX_WEBRTC_PKT_MARKER))
    {
        ngx_webrtc_viewer_payload_close(t, pkt, payload, out);
        return;
    }

    if (!(pkt->flags & NGX_WEBRTC_PKT_RED)) {

        if (t->repeats) {
            ngx_webrtc_viewer_payload_repeat(ring, t, pkt, payload, out);
        }

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


/* the last packet of a picture, which was not, if upper spatial layers of it
 * are left out */

static void
ngx_webrtc_viewer_payload_close(ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_ring_packet_t *pkt, u_char *payload,
    ngx_webrtc_viewer_payload_t *out)
{
    u_char                                first;
    const struct ngx_webrtc_depay_ops_s  *ops;

    ops = ngx_webrtc_codec(t->codec)->depay;

    if (ops == NULL || pkt->len == 0) {
        return;
    }

    first = ngx_webrtc_depay_closed(ops, payload[0]);

    if (first == payload[0]) {
        return;
    }

    out->n = ngx_min(out->n, sizeof(out->red));

    ngx_memcpy(out->red, payload, out->n);

    out->red[0] = first;
    out->data = out->red;
}


/* makes RED of a packet and those before it, as far as there are any */

static void
ngx_webrtc_viewer_payload_repeat(ngx_webrtc_ring_t *ring,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_ring_packet_t *pkt,
    u_char *payload, ngx_webrtc_viewer_payload_t *out)
{
    u_char                  *p, *end;
    size_t                   room;
    ngx_uint_t               n, back;
    ngx_webrtc_red_block_t   blocks[NGX_WEBRTC_REPEAT_MOST + 1];
    u_char                   copy[NGX_WEBRTC_VIEWER_PAYLOAD_RED];

    if (t->codec != NGX_WEBRTC_CODEC_OPUS
        || (pkt->flags & NGX_WEBRTC_PKT_PADDED)
        || pkt->len >= NGX_WEBRTC_VIEWER_PAYLOAD_RED)
    {
        return;
    }

    n = 0;
    p = copy;

    /* with its own header of one byte */

    room = NGX_WEBRTC_VIEWER_PAYLOAD_RED - 1 - pkt->len;

    for (back = t->repeats; back > 0; back--) {

        if (ngx_webrtc_viewer_payload_earlier(ring, t, pkt, back, room, p,
                                              &blocks[n])
            != NGX_OK)
        {
            continue;
        }

        blocks[n].pt = out->pt;

        p += blocks[n].n;
        room -= NGX_WEBRTC_RED_HEADER + blocks[n].n;
        n++;
    }

    if (n == 0) {
        return;
    }

    blocks[n].data = payload;
    blocks[n].n = pkt->len;
    blocks[n].ts_offset = 0;
    blocks[n].pt = out->pt;

    end = ngx_webrtc_red_write(out->red, out->red + sizeof(out->red), blocks,
                               n + 1);
    if (end == NULL) {
        return;
    }

    out->data = out->red;
    out->n = end - out->red;
    out->pt = t->red_pt;
}


/*
 * Copies the packet so many before pkt.
 *
 *   room   bytes that it may take, with its header
 *
 * NGX_OK; NGX_DECLINED: there is none, or it does not fit
 */

static ngx_int_t
ngx_webrtc_viewer_payload_earlier(ngx_webrtc_ring_t *ring,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_ring_packet_t *pkt,
    ngx_uint_t back, size_t room, u_char *dst, ngx_webrtc_red_block_t *block)
{
    u_char                    *payload;
    uint64_t                   entry;
    ngx_webrtc_ring_packet_t   earlier;

    if (pkt->index < t->since + back
        || ngx_webrtc_ring_find(ring, pkt->track, pkt->index - back, &entry)
           != NGX_OK
        || ngx_webrtc_ring_peek(ring, entry, &earlier, &payload) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if ((earlier.flags & (NGX_WEBRTC_PKT_RED|NGX_WEBRTC_PKT_PADDED))
        || earlier.len > NGX_WEBRTC_RED_LEN
        || (size_t) earlier.len + NGX_WEBRTC_RED_HEADER > room
        || pkt->ts - earlier.ts == 0
        || pkt->ts - earlier.ts > NGX_WEBRTC_RED_OFFSET)
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(dst, payload, earlier.len);

    if (ngx_webrtc_ring_check(ring, entry) != NGX_OK) {
        return NGX_DECLINED;
    }

    block->data = dst;
    block->n = earlier.len;
    block->ts_offset = pkt->ts - earlier.ts;

    return NGX_OK;
}
