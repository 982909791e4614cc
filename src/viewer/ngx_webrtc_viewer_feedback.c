
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTCP of a viewer: its reports, losses (RFC 4585, 6.2.1) and requests for key
 * frames; and our sender reports, RFC 3550, 6.4.1.  Lost packets are resent
 * from the ring.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_feedback.h"
#include "ngx_webrtc_viewer_header.h"
#include "ngx_webrtc_viewer_payload.h"
#include "ngx_webrtc_session_stat.h"
#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_time.h"


/* sequence numbers that a viewer may request per second; chosen: several times
 * what it may get, and cheap */
#define NGX_WEBRTC_VIEWER_ASK      2000

/* bytes of a compound packet of SR and SDES with our CNAME */
#define NGX_WEBRTC_VIEWER_RTCP  256


static void ngx_webrtc_viewer_feedback_nack(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_fb_t *fb);
static ngx_int_t ngx_webrtc_viewer_feedback_resend(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, uint16_t seq);
static ngx_uint_t ngx_webrtc_viewer_feedback_take_resend(
    ngx_webrtc_viewer_t *v);
static void ngx_webrtc_viewer_feedback_keyframe(ngx_webrtc_session_t *s);
static void ngx_webrtc_viewer_feedback_report(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_block_t *block);
static void ngx_webrtc_viewer_feedback_sum(ngx_webrtc_session_t *s);
static ngx_webrtc_viewer_track_t *ngx_webrtc_viewer_feedback_find(
    ngx_webrtc_viewer_t *v, uint32_t ssrc);


void
ngx_webrtc_viewer_feedback(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_t *rtcp)
{
    ngx_uint_t               i;
    ngx_webrtc_rtcp_fb_t     fb;
    ngx_webrtc_rtcp_block_t  block;

    if (s->part == NULL) {
        return;
    }

    switch (rtcp->type) {

    case NGX_WEBRTC_RTCP_SR:
    case NGX_WEBRTC_RTCP_RR:

        for (i = 0;
             ngx_webrtc_rtcp_parse_block(rtcp, i, NULL, &block) == NGX_OK;
             i++)
        {
            ngx_webrtc_viewer_feedback_report(s, &block);
        }

        break;

    case NGX_WEBRTC_RTCP_RTPFB:

        if (rtcp->count == NGX_WEBRTC_RTPFB_NACK
            && ngx_webrtc_rtcp_parse_fb(rtcp, &fb) == NGX_OK)
        {
            ngx_webrtc_viewer_feedback_nack(s, &fb);
        }

        break;

    case NGX_WEBRTC_RTCP_PSFB:

        if (rtcp->count == NGX_WEBRTC_PSFB_PLI
            || rtcp->count == NGX_WEBRTC_PSFB_FIR)
        {
            ngx_webrtc_viewer_feedback_keyframe(s);
        }

        break;
    }
}


void
ngx_webrtc_viewer_feedback_reports(ngx_webrtc_session_t *s)
{
    u_char                     *p, *end, buf[NGX_WEBRTC_VIEWER_RTCP];
    uint32_t                    rtp;
    uint64_t                    now_us, ntp;
    ngx_uint_t                  i;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_rtcp_sr_t        sr;
    ngx_webrtc_viewer_track_t  *t;

    v = s->part;
    now_us = ngx_webrtc_time_now();
    ntp = ngx_webrtc_time_ntp(ngx_webrtc_time_wall(now_us));

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        t = &v->tracks[i];

        if (!t->used || t->report.packets == 0
            || ngx_webrtc_timeline_at(&v->st->timeline, t->clock_rate,
                                      (int64_t) now_us, &rtp)
               != NGX_OK)
        {
            continue;
        }

        ngx_webrtc_report_sr(&t->report, t->rw.ssrc, ntp,
                             rtp + t->rw.ts_offset, &sr);

        end = buf + sizeof(buf) - NGX_WEBRTC_SRTP_RTCP_TAG;

        p = ngx_webrtc_rtcp_write_sr(buf, end, &sr, NULL, 0);
        p = ngx_webrtc_rtcp_write_sdes(p, end, t->rw.ssrc, s->peer->id,
                                       NGX_WEBRTC_SESSION_CNAME);
        if (p == NULL) {
            continue;
        }

        ngx_webrtc_session_send_rtcp(s, buf, p - buf);
    }
}


/* RFC 4585, 6.2.1: packets that the viewer has lost */

static void
ngx_webrtc_viewer_feedback_nack(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_fb_t *fb)
{
    uint16_t                    pid, blp;
    ngx_uint_t                  i;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;

    v = s->part;
    t = ngx_webrtc_viewer_feedback_find(v, fb->media);

    if (t == NULL) {
        return;
    }

    if (ngx_current_msec - v->asked_ms >= 1000) {
        v->asked_ms = ngx_current_msec;
        v->asked = 0;
    }

    for (i = 0; ngx_webrtc_rtcp_parse_nack(fb, i, &pid, &blp) == NGX_OK; i++) {

        for ( ;; ) {
            if (v->asked++ >= NGX_WEBRTC_VIEWER_ASK) {
                return;
            }

            s->peer->stat.nacks++;
            ngx_webrtc_atomic_add(&v->st->stat.nacks, 1);

            if (ngx_webrtc_viewer_feedback_resend(s, t, pid) == NGX_AGAIN) {
                return;
            }

            while (blp && !(blp & 1)) {
                blp >>= 1;
                pid++;
            }

            if (blp == 0) {
                break;
            }

            blp >>= 1;
            pid++;
        }
    }
}


/*
 * NGX_OK         in the batch
 * NGX_DECLINED   not there any more
 * NGX_AGAIN      the viewer has had enough, or the port is full
 */

static ngx_int_t
ngx_webrtc_viewer_feedback_resend(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, uint16_t seq)
{
    size_t                        n, hdr, prefix_n;
    u_char                       *dst, *payload, prefix[2];
    uint8_t                       pt;
    uint32_t                      ts, ssrc;
    uint64_t                      track_index, index, entry;
    ngx_webrtc_viewer_t          *v;
    ngx_webrtc_ring_packet_t      pkt;
    ngx_webrtc_viewer_payload_t   out;

    v = s->part;

    if (ngx_webrtc_rewrite_unmap(&t->rw, seq, &track_index, &index) != NGX_OK
        || (t->rtx && track_index < t->since)
        || ngx_webrtc_ring_find(v->st->ring, t - v->tracks, track_index,
                                &entry)
           != NGX_OK
        || ngx_webrtc_ring_peek(v->st->ring, entry, &pkt, &payload) != NGX_OK
        || ngx_webrtc_rewrite_remap(&t->rw, index, pkt.ts, &ts, &pt) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (!ngx_webrtc_viewer_feedback_take_resend(v)) {
        return NGX_AGAIN;
    }

    n = ngx_webrtc_viewer_header_size(t, &pkt) + sizeof(prefix) + pkt.len
        + NGX_WEBRTC_SRTP_TAG;

    dst = ngx_webrtc_transport_reserve(&s->transport, n);
    if (dst == NULL) {
        return NGX_AGAIN;
    }

    ngx_webrtc_viewer_payload(t, &pkt, payload, pt, &out);

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

    hdr = ngx_webrtc_viewer_header(t, &pkt, pt, index, ts, ssrc, dst);

    if (ngx_webrtc_srtp_protect(&s->out, index, dst, hdr,
                                prefix_n ? prefix : NULL, prefix_n, out.data,
                                out.n, dst, &n)
        != NGX_OK)
    {
        ngx_webrtc_session_close(s, "srtp failed");
        return NGX_AGAIN;
    }

    if (ngx_webrtc_ring_check(v->st->ring, entry) != NGX_OK) {
        /* a torn payload must never leave under this index */
        return NGX_DECLINED;
    }

    if (t->rtx) {
        t->rtx_next++;
    }

    ngx_webrtc_transport_commit(&s->transport, n);

    s->peer->stat.resent++;
    ngx_webrtc_atomic_add(&v->st->stat.resent, 1);

    return NGX_OK;
}


/* a bucket of NGX_WEBRTC_VIEWER_RESEND that fills within a second */

static ngx_uint_t
ngx_webrtc_viewer_feedback_take_resend(ngx_webrtc_viewer_t *v)
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


/* PLI or FIR: the viewer cannot decode */

static void
ngx_webrtc_viewer_feedback_keyframe(ngx_webrtc_session_t *s)
{
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    if (!v->video) {
        return;
    }

    s->peer->stat.plis++;
    ngx_webrtc_atomic_add(&v->st->stat.plis, 1);

    if (v->wait_key || v->hushed
        || ngx_current_msec - v->replayed < v->pause)
    {
        /* one is on its way */
        return;
    }

    /* with the next frame: the replay's timestamps must fit after those sent */

    v->want_key = 1;
}


/* a report block of the viewer about one of our tracks */

static void
ngx_webrtc_viewer_feedback_report(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_block_t *block)
{
    uint64_t                    ntp;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;

    v = s->part;
    t = ngx_webrtc_viewer_feedback_find(v, block->ssrc);
    if (t == NULL) {
        return;
    }

    ntp = ngx_webrtc_time_ntp(
                         ngx_webrtc_time_wall(ngx_webrtc_worker_now(s->wk)));

    if (ngx_webrtc_report_block(&t->report, block, (uint32_t) (ntp >> 16))
        == NGX_OK)
    {
        s->peer->stat.rtt_us = t->report.rtt_us;
    }

    if (t->kind == NGX_WEBRTC_VIDEO || !v->video) {
        s->peer->stat.lost = block->fraction;
    }

    ngx_webrtc_viewer_feedback_sum(s);
}


/* what its reports say of all tracks together */

static void
ngx_webrtc_viewer_feedback_sum(ngx_webrtc_session_t *s)
{
    int32_t                     lost;
    uint32_t                    worst;
    ngx_uint_t                  i;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;

    v = s->part;
    lost = 0;
    worst = 0;

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        t = &v->tracks[i];

        if (t->used && t->report.reported) {
            lost += t->report.lost;
            worst = ngx_webrtc_session_stat_jitter(s, worst, t->report.jitter,
                                                   t->clock_rate);
        }
    }

    s->peer->about->lost_out = lost;
}


static ngx_webrtc_viewer_track_t *
ngx_webrtc_viewer_feedback_find(ngx_webrtc_viewer_t *v, uint32_t ssrc)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        if (v->tracks[i].used && v->tracks[i].rw.ssrc == ssrc) {
            return &v->tracks[i];
        }
    }

    return NULL;
}
