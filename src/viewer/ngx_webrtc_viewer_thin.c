
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Frames that a viewer does not get: see the header file.
 *
 *   1. Frames are left out as a whole: what is decided between two packets of
 *      one holds from the next one on.  Sequence numbers go on without a gap,
 *      so a receiver does not know of them.
 *
 *   2. Down it goes with any frame.  Of temporal layers that is all: no frame
 *      of a lower one depends on one of a higher.
 *
 *   3. Of key frames alone the newest is begun, and finished before another
 *      one: on a path for which each takes its time, all of them would come
 *      ever later, and one that is interrupted is nothing.
 *
 *   4. Up to the next temporal layer it goes with a frame of it that is marked
 *      (NGX_WEBRTC_LAYER_SYNC), and to any layer at a key frame.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_thin.h"
#include "ngx_webrtc_bus_ring.h"


static void ngx_webrtc_viewer_thin_frame(ngx_webrtc_viewer_t *v,
    ngx_webrtc_ring_packet_t *pkt);
static ngx_uint_t ngx_webrtc_viewer_thin_newer(ngx_webrtc_viewer_t *v);


void
ngx_webrtc_viewer_thin_init(ngx_webrtc_viewer_t *v)
{
    v->want = NGX_WEBRTC_LAYER_ALL;
    v->has = NGX_WEBRTC_LAYER_ALL;
}


void
ngx_webrtc_viewer_thin_set(ngx_webrtc_viewer_t *v,
    ngx_webrtc_viewer_thin_e thin, ngx_uint_t want)
{
    v->thin = thin;
    v->want = want & NGX_WEBRTC_LAYER_ALL;

    if (v->thin || v->want != v->has || v->has != NGX_WEBRTC_LAYER_ALL) {
        v->cut &= v->partial;
        v->partial = 1;
    }
}


ngx_uint_t
ngx_webrtc_viewer_thin_waits(ngx_webrtc_viewer_t *v, ngx_uint_t tids,
    ngx_uint_t sids)
{
    ngx_uint_t  tid, sid;

    if (!v->partial) {
        return 0;
    }

    tid = ngx_webrtc_layer_tid(v->has);
    sid = ngx_webrtc_layer_sid(v->has);

    return (tid < ngx_webrtc_layer_tid(v->want) && tid + 1 < tids)
           || (sid < ngx_webrtc_layer_sid(v->want) && sid + 1 < sids);
}


ngx_uint_t
ngx_webrtc_viewer_thin(ngx_webrtc_viewer_t *v, ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_ring_packet_t *pkt)
{
    ngx_uint_t  sid;

    if ((pkt->flags & NGX_WEBRTC_PKT_FIRST)
        || (pkt->ts != v->frame_ts
            && !(t->rw.sent && pkt->ts == t->rw.last_in_ts)))
    {
        v->frame_ts = pkt->ts;
        ngx_webrtc_viewer_thin_frame(v, pkt);
    }

    sid = ngx_webrtc_layer_sid(pkt->layer);

    if (v->cut || sid > ngx_webrtc_layer_sid(v->has)) {
        return 1;
    }

    if ((pkt->layer & NGX_WEBRTC_LAYER_END)
        && sid == ngx_webrtc_layer_sid(v->has))
    {
        /* nothing more is sent of the picture */
        pkt->flags |= NGX_WEBRTC_PKT_MARKER|NGX_WEBRTC_PKT_LAST;
    }

    return 0;
}


/* the first packet of a frame, or the one that its decoding begins with */

static void
ngx_webrtc_viewer_thin_frame(ngx_webrtc_viewer_t *v,
    ngx_webrtc_ring_packet_t *pkt)
{
    ngx_uint_t  tid, sid, own, want;

    own = ngx_webrtc_layer_tid(pkt->layer);
    want = ngx_webrtc_layer_tid(v->want);

    tid = ngx_min(ngx_webrtc_layer_tid(v->has), want);
    sid = ngx_min(ngx_webrtc_layer_sid(v->has), ngx_webrtc_layer_sid(v->want));

    if (pkt->flags & NGX_WEBRTC_PKT_KEY) {
        tid = want;
        sid = ngx_webrtc_layer_sid(v->want);

    } else if (own == tid + 1 && own <= want
               && (pkt->layer & NGX_WEBRTC_LAYER_SYNC))
    {
        tid = own;
    }

    v->has = (uint8_t) (tid | sid << 3);
    v->cut = (own > tid);

    switch (v->thin) {

    case NGX_WEBRTC_VIEWER_WHOLE:

        if (v->has == NGX_WEBRTC_LAYER_ALL) {
            v->partial = 0;
        }

        break;

    case NGX_WEBRTC_VIEWER_THIN:
        v->cut |= (pkt->flags & NGX_WEBRTC_PKT_DISCARD) != 0;
        break;

    case NGX_WEBRTC_VIEWER_KEYS:
        v->cut |= (pkt->flags & NGX_WEBRTC_PKT_KEY) == 0
                  || ngx_webrtc_viewer_thin_newer(v);
        break;

    default:
        v->cut = 1;
    }
}


/* Has a key frame come behind the one that it would begin? */

static ngx_uint_t
ngx_webrtc_viewer_thin_newer(ngx_webrtc_viewer_t *v)
{
    uint64_t  n;

    n = ngx_webrtc_ring_keyframe(v->st->ring);

    return n != NGX_WEBRTC_RING_NONE && n > v->cursor;
}
