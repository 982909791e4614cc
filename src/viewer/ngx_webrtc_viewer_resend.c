
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Packets that a viewer gets once more: see the header file.  They are read
 * from the ring again.
 *
 * How much.  Each viewer has a bucket of packets that fills within a second.
 * Where the bandwidth of its path is known, ngx_webrtc_again() decides.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_resend.h"
#include "ngx_webrtc_viewer_header.h"
#include "ngx_webrtc_viewer_payload.h"
#include "ngx_webrtc_viewer_stamp.h"
#include "ngx_webrtc_cursor.h"


/* bytes of padding, RFC 3550, 5.1: all that can be said */
#define NGX_WEBRTC_VIEWER_RESEND_PADDING  255


/* what is to be sent: a packet of the ring, as it was sent before */
typedef struct {
    uint64_t                      index;
    uint64_t                      entry;
    uint32_t                      ts;
    uint8_t                       pt;
    ngx_webrtc_ring_packet_t      pkt;
    u_char                       *payload;
} ngx_webrtc_viewer_resend_t;


static ngx_int_t ngx_webrtc_viewer_resend_find(ngx_webrtc_viewer_t *v,
    ngx_webrtc_viewer_track_t *t, uint16_t seq,
    ngx_webrtc_viewer_resend_t *again);
static ngx_uint_t ngx_webrtc_viewer_resend_last(ngx_webrtc_viewer_t *v,
    ngx_webrtc_viewer_track_t *t, uint16_t seq, uint64_t track_index,
    ngx_uint_t layer);
static ngx_int_t ngx_webrtc_viewer_resend_packet(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_viewer_resend_t *again);
static ngx_int_t ngx_webrtc_viewer_resend_pad(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t);
static ngx_uint_t ngx_webrtc_viewer_resend_take(ngx_webrtc_viewer_t *v);


ngx_int_t
ngx_webrtc_viewer_resend(ngx_webrtc_session_t *s, ngx_webrtc_viewer_track_t *t,
    uint16_t seq)
{
    ngx_int_t                    rc;
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_resend_t   again;

    v = s->part;

    if (ngx_webrtc_viewer_resend_find(v, t, seq, &again) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (v->bw && t->rtx) {
        rc = ngx_webrtc_again(&v->bw->again, seq, again.pkt.len,
                              ngx_webrtc_bwe_estimate(&v->bw->bwe),
                              s->peer->stat.rtt_us / 1000, ngx_current_msec);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (!ngx_webrtc_viewer_resend_take(v)) {
        return NGX_AGAIN;
    }

    rc = ngx_webrtc_viewer_resend_packet(s, t, &again);

    if (rc == NGX_OK) {
        s->peer->stat.resent++;
        ngx_webrtc_atomic_add(&v->st->stat.resent, 1);
    }

    return rc;
}


ngx_int_t
ngx_webrtc_viewer_resend_copy(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, uint16_t seq)
{
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_resend_t   again;

    v = s->part;

    if (ngx_webrtc_viewer_resend_find(v, t, seq, &again) != NGX_OK
        || (v->bw && ngx_webrtc_again_take(&v->bw->again, again.pkt.len,
                                        ngx_webrtc_bwe_estimate(&v->bw->bwe),
                                        ngx_current_msec)
                     != NGX_OK)
        || !ngx_webrtc_viewer_resend_take(v))
    {
        return NGX_OK;
    }

    return ngx_webrtc_viewer_resend_packet(s, t, &again) == NGX_AGAIN
           ? NGX_AGAIN : NGX_OK;
}


ngx_int_t
ngx_webrtc_viewer_resend_filler(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, ngx_uint_t back)
{
    ngx_int_t                    rc;
    ngx_webrtc_viewer_resend_t   again;

    if (ngx_webrtc_viewer_resend_find(s->part, t,
                                      (uint16_t) (t->rw.next - 1 - back),
                                      &again)
        == NGX_OK
        && ngx_webrtc_viewer_header_stamped(t, &again.pkt))
    {
        rc = ngx_webrtc_viewer_resend_packet(s, t, &again);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return ngx_webrtc_viewer_resend_pad(s, t);
}


static ngx_int_t
ngx_webrtc_viewer_resend_find(ngx_webrtc_viewer_t *v,
    ngx_webrtc_viewer_track_t *t, uint16_t seq,
    ngx_webrtc_viewer_resend_t *again)
{
    uint64_t  track_index;

    if ((t->stamp || t->passed || t->repeated) && !t->rtx) {
        /* it may have had a stamp, which would be another one now, a delay that
         * has changed, or others that it repeats */
        return NGX_DECLINED;
    }

    if (ngx_webrtc_rewrite_unmap(&t->rw, seq, &track_index, &again->index)
        != NGX_OK
        || (t->rtx && track_index < t->since)
        || ngx_webrtc_ring_find(v->st->ring, t - v->tracks, track_index,
                                &again->entry)
           != NGX_OK
        || ngx_webrtc_ring_peek(v->st->ring, again->entry, &again->pkt,
                                &again->payload)
           != NGX_OK
        || ngx_webrtc_rewrite_remap(&t->rw, again->index, again->pkt.ts,
                                    &again->ts, &again->pt)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (!(again->pkt.layer & NGX_WEBRTC_LAYER_END)
        || (again->pkt.flags & NGX_WEBRTC_PKT_MARKER))
    {
        return NGX_OK;
    }

    /* it had the marker bit if it was the last one sent of its picture */

    if (!t->rtx) {
        /* a guess must never leave under an index that has been used */
        return NGX_DECLINED;
    }

    if (ngx_webrtc_viewer_resend_last(v, t, seq, track_index,
                                      again->pkt.layer))
    {
        again->pkt.flags |= NGX_WEBRTC_PKT_MARKER|NGX_WEBRTC_PKT_LAST;
    }

    return NGX_OK;
}


/* upper spatial layers of its picture were left out by viewer_thin */

static ngx_uint_t
ngx_webrtc_viewer_resend_last(ngx_webrtc_viewer_t *v,
    ngx_webrtc_viewer_track_t *t, uint16_t seq, uint64_t track_index,
    ngx_uint_t layer)
{
    uint64_t  next, index;

    if (ngx_webrtc_rewrite_unmap(&t->rw, (uint16_t) (seq + 1), &next, &index)
        == NGX_OK)
    {
        return next != track_index + 1;
    }

    return v->partial && ngx_webrtc_layer_sid(layer)
                         == ngx_webrtc_layer_sid(v->has);
}


static ngx_int_t
ngx_webrtc_viewer_resend_packet(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_viewer_resend_t *again)
{
    size_t                        n, hdr, prefix_n;
    u_char                       *dst, prefix[2];
    uint8_t                       pt;
    uint32_t                      ssrc;
    uint64_t                      index;
    ngx_webrtc_viewer_t          *v;
    ngx_webrtc_ring_packet_t     *pkt;
    ngx_webrtc_viewer_payload_t   out;

    v = s->part;
    pkt = &again->pkt;
    index = again->index;

    n = ngx_webrtc_viewer_header_size(t, pkt) + sizeof(prefix)
        + ngx_webrtc_viewer_payload_room(t, pkt) + NGX_WEBRTC_SRTP_TAG;

    dst = ngx_webrtc_transport_reserve(&s->transport, n);
    if (dst == NULL) {
        return NGX_AGAIN;
    }

    ngx_webrtc_viewer_payload(v->st->ring, t, pkt, again->payload, again->pt,
                              &out);

    ssrc = t->rw.ssrc;
    pt = out.pt;
    prefix_n = 0;

    if (t->rtx) {
        /* RFC 4588, 4: a stream of its own, the old number in front */
        (void) ngx_webrtc_write_u16(prefix, prefix + sizeof(prefix),
                                    (uint16_t) index);
        prefix_n = sizeof(prefix);
        index = t->rtx_next;
        ssrc = t->rtx_ssrc;
        pt = t->rtx_pt;
    }

    hdr = ngx_webrtc_viewer_header(t, pkt, pt, index, again->ts, ssrc, dst);

    if (ngx_webrtc_viewer_header_stamped(t, pkt)) {
        ngx_webrtc_viewer_stamp(v, t, dst, n, 0);
    }

    if (ngx_webrtc_srtp_protect(&s->out, index, dst, hdr,
                                prefix_n ? prefix : NULL, prefix_n, out.data,
                                out.n, dst, &n)
        != NGX_OK)
    {
        ngx_webrtc_session_close(s, "srtp failed");
        return NGX_AGAIN;
    }

    if (ngx_webrtc_ring_check(v->st->ring, again->entry) != NGX_OK) {
        /* a torn payload must never leave under this index */
        return NGX_DECLINED;
    }

    if (t->rtx) {
        t->rtx_next++;
    }

    ngx_webrtc_transport_commit(&s->transport, n);

    return NGX_OK;
}


/* a packet of RTX that holds nothing but padding */

static ngx_int_t
ngx_webrtc_viewer_resend_pad(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t)
{
    size_t                     n, hdr;
    u_char                    *dst;
    ngx_webrtc_viewer_t       *v;
    ngx_webrtc_ring_packet_t   pkt;
    u_char                     padding[NGX_WEBRTC_VIEWER_RESEND_PADDING];

    v = s->part;

    ngx_memzero(&pkt, sizeof(ngx_webrtc_ring_packet_t));

    pkt.len = NGX_WEBRTC_VIEWER_RESEND_PADDING;
    pkt.flags = NGX_WEBRTC_PKT_PADDED;

    ngx_memzero(padding, sizeof(padding));
    padding[sizeof(padding) - 1] = NGX_WEBRTC_VIEWER_RESEND_PADDING;

    n = ngx_webrtc_viewer_header_size(t, &pkt) + pkt.len + NGX_WEBRTC_SRTP_TAG;

    dst = ngx_webrtc_transport_reserve(&s->transport, n);
    if (dst == NULL) {
        return NGX_AGAIN;
    }

    hdr = ngx_webrtc_viewer_header(t, &pkt, t->rtx_pt, t->rtx_next,
                                   t->rw.last_ts + t->rw.ts_offset,
                                   t->rtx_ssrc, dst);

    ngx_webrtc_viewer_stamp(v, t, dst, n, 0);

    if (ngx_webrtc_srtp_protect(&s->out, t->rtx_next, dst, hdr, NULL, 0,
                                padding, sizeof(padding), dst, &n)
        != NGX_OK)
    {
        ngx_webrtc_session_close(s, "srtp failed");
        return NGX_AGAIN;
    }

    t->rtx_next++;

    ngx_webrtc_transport_commit(&s->transport, n);

    return NGX_OK;
}


/* a bucket of NGX_WEBRTC_VIEWER_RESEND that fills within a second */

static ngx_uint_t
ngx_webrtc_viewer_resend_take(ngx_webrtc_viewer_t *v)
{
    ngx_uint_t  n;
    ngx_msec_t  passed;

    passed = ngx_current_msec - v->refilled;
    n = ngx_min(passed, 1000) * NGX_WEBRTC_VIEWER_RESEND / 1000;

    if (n) {
        v->refilled = ngx_current_msec;
        v->resends = ngx_min(v->resends + n, NGX_WEBRTC_VIEWER_RESEND);
    }

    if (v->resends == 0) {
        return 0;
    }

    v->resends--;

    return 1;
}
