
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * From the ring to a viewer.  The packet ring is the queue: each viewer has a
 * cursor, and everything from there to the ring's head is still to be sent.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_send.h"
#include "ngx_webrtc_viewer_choke.h"
#include "ngx_webrtc_viewer_header.h"
#include "ngx_webrtc_viewer_keyframe.h"
#include "ngx_webrtc_viewer_pace.h"
#include "ngx_webrtc_viewer_payload.h"
#include "ngx_webrtc_viewer_stamp.h"
#include "ngx_webrtc_viewer_thin.h"
#include "ngx_webrtc_seq.h"


static ngx_int_t ngx_webrtc_viewer_send_skip(ngx_webrtc_viewer_t *v,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_ring_packet_t *pkt);
static ngx_uint_t ngx_webrtc_viewer_send_early(ngx_webrtc_viewer_t *v,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_ring_packet_t *pkt);
static void ngx_webrtc_viewer_send_audio(ngx_webrtc_session_t *s);
static ngx_int_t ngx_webrtc_viewer_send_packet(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, uint64_t entry, ngx_webrtc_ring_packet_t *pkt,
    u_char *payload);
static ngx_int_t ngx_webrtc_viewer_send_protect(ngx_webrtc_session_t *s,
    uint64_t index, uint64_t entry, u_char *dst, size_t hdr,
    ngx_webrtc_viewer_payload_t *out, size_t *size);


ngx_int_t
ngx_webrtc_viewer_send(ngx_webrtc_session_t *s)
{
    u_char                     *payload;
    ngx_int_t                   rc;
    ngx_webrtc_ring_t          *ring;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;
    ngx_webrtc_ring_packet_t    pkt;

    v = s->part;
    ring = v->st->ring;

    for ( ;; ) {

        rc = ngx_webrtc_ring_peek(ring, v->cursor, &pkt, &payload);

        if (rc == NGX_AGAIN) {
            return NGX_OK;
        }

        if (rc == NGX_DECLINED) {
            ngx_webrtc_viewer_keyframe_lapped(s);
            continue;
        }

        if (ngx_webrtc_atomic_load(&v->st->tracks_version)
            != v->tracks_version)
        {
            /* it may be from changed tracks: the pump checks those first */
            return NGX_OK;
        }

        t = &v->tracks[pkt.track & (NGX_WEBRTC_TRACKS - 1)];

        if (v->dark && ngx_webrtc_viewer_keyframe_first(s, &pkt) == NGX_OK) {
            continue;
        }

        if (!t->used || ngx_webrtc_viewer_choke(s, t, &pkt) == NGX_OK
            || ngx_webrtc_viewer_send_skip(v, t, &pkt) == NGX_OK)
        {
            v->cursor++;
            continue;
        }

        if (ngx_webrtc_viewer_pace_take(s, &v->pace, pkt.len) == NGX_OK) {

            if (v->bw) {
                ngx_webrtc_viewer_send_audio(s);
            }

            return NGX_OK;
        }

        rc = ngx_webrtc_viewer_send_packet(s, t, v->cursor, &pkt, payload);

        if (rc == NGX_AGAIN) {
            ngx_webrtc_viewer_pace_give(&v->pace, pkt.len);
            return NGX_AGAIN;
        }

        if (rc == NGX_ERROR) {
            return NGX_OK;
        }

        if (rc == NGX_BUSY) {
            /* overwritten while it was encrypted */
            ngx_webrtc_viewer_keyframe_lapped(s);
            continue;
        }

        v->cursor++;
    }
}


/* NGX_OK: the packet is not for this viewer; NGX_DECLINED: send it */

static ngx_int_t
ngx_webrtc_viewer_send_skip(ngx_webrtc_viewer_t *v,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_ring_packet_t *pkt)
{
    if (pkt->index < t->since) {
        /* still of the previous codec */
        t->jump = 1;
        return NGX_OK;
    }

    if (t->kind == NGX_WEBRTC_AUDIO) {

        if (v->cursor < v->audio || ngx_webrtc_viewer_send_early(v, t, pkt)) {
            t->jump |= !v->started;
            return NGX_OK;
        }

    } else if (v->hushed
               || (v->partial && ngx_webrtc_viewer_thin(v, t, pkt)))
    {
        t->jump = 1;
        return NGX_OK;

    } else if (v->wait_key) {

        if ((pkt->flags & (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
            != (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
        {
            t->jump = 1;
            return NGX_OK;
        }

        v->wait_key = 0;
        v->want_key = 0;
    }

    if (t->jump) {
        t->jump = 0;
        ngx_webrtc_rewrite_jump(&t->rw, pkt->index);
    }

    return NGX_DECLINED;
}


/* sound of before the picture that the viewer begins with */

static ngx_uint_t
ngx_webrtc_viewer_send_early(ngx_webrtc_viewer_t *v,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_ring_packet_t *pkt)
{
    if (v->dark) {
        return 1;
    }

    if (t->held && ngx_webrtc_seq_diff32(pkt->ts, t->from) < 0) {
        return 1;
    }

    t->held = 0;

    return 0;
}


/* Video waits for its turn: what is behind it of audio does not. */

static void
ngx_webrtc_viewer_send_audio(ngx_webrtc_session_t *s)
{
    u_char                     *payload;
    uint64_t                    n;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;
    ngx_webrtc_ring_packet_t    pkt;

    v = s->part;

    for (n = ngx_max(v->cursor, v->audio);
         ngx_webrtc_ring_peek(v->st->ring, n, &pkt, &payload) == NGX_OK;
         n++)
    {
        t = &v->tracks[pkt.track & (NGX_WEBRTC_TRACKS - 1)];

        if (!t->used || t->kind != NGX_WEBRTC_AUDIO) {
            continue;
        }

        if (pkt.index < t->since || ngx_webrtc_viewer_send_early(v, t, &pkt)) {
            t->jump = 1;
            continue;
        }

        if (t->jump) {
            t->jump = 0;
            ngx_webrtc_rewrite_jump(&t->rw, pkt.index);
        }

        if (ngx_webrtc_viewer_send_packet(s, t, n, &pkt, payload) != NGX_OK) {
            break;
        }
    }

    v->audio = ngx_max(v->audio, n);
}


/*
 *   entry   of the ring, the packet's
 *
 * NGX_OK     in the batch
 * NGX_AGAIN  the port is full
 * NGX_BUSY   the writer has overwritten the packet meanwhile
 * NGX_ERROR  the session is being closed
 */

static ngx_int_t
ngx_webrtc_viewer_send_packet(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, uint64_t entry, ngx_webrtc_ring_packet_t *pkt,
    u_char *payload)
{
    size_t                        n, hdr, pad;
    u_char                       *dst;
    uint32_t                      ts;
    uint64_t                      index;
    ngx_int_t                     rc;
    ngx_webrtc_viewer_t          *v;
    ngx_webrtc_viewer_payload_t   out;

    v = s->part;

    n = ngx_webrtc_viewer_header_size(t, pkt)
        + ngx_webrtc_viewer_payload_room(t, pkt) + NGX_WEBRTC_SRTP_TAG;

    dst = ngx_webrtc_transport_reserve(&s->transport, n);
    if (dst == NULL) {
        return NGX_AGAIN;
    }

    if (ngx_webrtc_rewrite_map(&t->rw, pkt->index, pkt->ts, &index, &ts)
        != NGX_OK)
    {
        /*
         * The ring's indexes never go back, but if they did, an SRTP index must
         * not be used for a different packet.
         */

        ngx_webrtc_rewrite_forget(&t->rw);
        ngx_webrtc_rewrite_jump(&t->rw, pkt->index);

        if (ngx_webrtc_rewrite_map(&t->rw, pkt->index, pkt->ts, &index, &ts)
            != NGX_OK)
        {
            return NGX_OK;
        }
    }

    ngx_webrtc_viewer_payload(v->st->ring, t, pkt, payload, t->rw.pt, &out);

    pad = (pkt->flags & NGX_WEBRTC_PKT_PADDED) ? payload[pkt->len - 1] : 0;

    hdr = ngx_webrtc_viewer_header(t, pkt, out.pt, index, ts, t->rw.ssrc, dst);

    if (ngx_webrtc_viewer_header_stamped(t, pkt)) {
        ngx_webrtc_viewer_stamp(v, t, dst, n, pkt->flags);
    }

    rc = ngx_webrtc_viewer_send_protect(s, index, entry, dst, hdr, &out, &n);

    if (rc != NGX_OK) {

        if (rc != NGX_BUSY) {
            ngx_webrtc_session_close(s, "srtp failed");
            rc = NGX_ERROR;
        }

        return rc;
    }

    ngx_webrtc_transport_commit(&s->transport, n);

    ngx_webrtc_report_sent(&t->report, out.n - pad);

    s->peer->stat.packets_out++;
    s->peer->stat.bytes_out += n;

    if (!v->started) {
        v->started = 1;
        s->peer->stat.first_frame_ms = ngx_max(ngx_current_msec
                                               - s->peer->created_ms, 1);
    }

    return NGX_OK;
}


/*
 * Where the transport sends whole batches, all their packets are encrypted side
 * by side; what has been submitted must leave, so the ring is looked at before.
 *
 *   size   in: of the room at dst, out: of the packet
 *
 * NGX_BUSY  the writer has overwritten the packet meanwhile
 */

static ngx_int_t
ngx_webrtc_viewer_send_protect(ngx_webrtc_session_t *s, uint64_t index,
    uint64_t entry, u_char *dst, size_t hdr, ngx_webrtc_viewer_payload_t *out,
    size_t *size)
{
    ngx_int_t             rc;
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    if (ngx_webrtc_srtp_batched(&s->out)
        && ngx_webrtc_transport_batches(&s->transport))
    {
        ngx_memcpy(dst + hdr, out->data, out->n);

        if (ngx_webrtc_ring_check(v->st->ring, entry) != NGX_OK) {
            return NGX_BUSY;
        }

        return ngx_webrtc_srtp_protect_later(&s->out, index, dst, hdr, out->n,
                                             size);
    }

    rc = ngx_webrtc_srtp_protect(&s->out, index, dst, hdr, NULL, 0, out->data,
                                 out->n, dst, size);

    if (rc == NGX_OK && ngx_webrtc_ring_check(v->st->ring, entry) != NGX_OK) {
        return NGX_BUSY;
    }

    return rc;
}
