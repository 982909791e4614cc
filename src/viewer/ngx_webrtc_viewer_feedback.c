
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTCP of a viewer: its reports, losses (RFC 4585, 6.2.1), requests for key
 * frames, and what it says of its bandwidth; and our sender reports, RFC 3550,
 * 6.4.1.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_feedback.h"
#include "ngx_webrtc_viewer_bandwidth.h"
#include "ngx_webrtc_viewer_layers.h"
#include "ngx_webrtc_viewer_narrow.h"
#include "ngx_webrtc_viewer_resend.h"
#include "ngx_webrtc_rtcp_fb.h"
#include "ngx_webrtc_session_stat.h"
#include "ngx_webrtc_time.h"


/* sequence numbers that a viewer may request per second; chosen: several times
 * what it may get, and cheap */
#define NGX_WEBRTC_VIEWER_ASK      2000

/*
 * ms between a track's first reports; chosen: a tick of its RTP clock is no
 * error then.  Later ones come every second
 */
#define NGX_WEBRTC_VIEWER_FIRST    100

/* bits per second of a path for each packet of sound that is repeated; chosen:
 * 64 kbit/s are a tenth of it */
#define NGX_WEBRTC_VIEWER_REPEAT   640000

/* bytes of a compound packet of SR and SDES with our CNAME */
#define NGX_WEBRTC_VIEWER_RTCP  256

/* packets of a NACK that are sent again twice; chosen: a burst of losses */
#define NGX_WEBRTC_VIEWER_COPIES  32


typedef struct {
    ngx_uint_t   n;
    uint16_t     seq[NGX_WEBRTC_VIEWER_COPIES];
} ngx_webrtc_viewer_feedback_seq_t;


static void ngx_webrtc_viewer_feedback_sender(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, uint64_t now_us);
static void ngx_webrtc_viewer_feedback_nack(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_fb_t *fb);
static ngx_int_t ngx_webrtc_viewer_feedback_nacked(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, uint16_t pid, uint16_t blp,
    ngx_webrtc_viewer_feedback_seq_t *sent);
static void ngx_webrtc_viewer_feedback_bandwidth(ngx_webrtc_session_t *s,
    ngx_int_t rc);
static void ngx_webrtc_viewer_feedback_keyframe(ngx_webrtc_session_t *s);
static void ngx_webrtc_viewer_feedback_report(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_block_t *block);
static void ngx_webrtc_viewer_feedback_repeat(ngx_webrtc_session_t *s,
    ngx_uint_t fraction);
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

        if (ngx_webrtc_rtcp_parse_fb(rtcp, &fb) != NGX_OK) {
            break;
        }

        if (rtcp->count == NGX_WEBRTC_RTPFB_NACK) {
            ngx_webrtc_viewer_feedback_nack(s, &fb);

        } else if (rtcp->count == NGX_WEBRTC_RTPFB_TWCC) {
            ngx_webrtc_viewer_feedback_bandwidth(s,
                                   ngx_webrtc_viewer_bandwidth_twcc(s, &fb));
        }

        break;

    case NGX_WEBRTC_RTCP_PSFB:

        if (rtcp->count == NGX_WEBRTC_PSFB_PLI
            || rtcp->count == NGX_WEBRTC_PSFB_FIR)
        {
            ngx_webrtc_viewer_feedback_keyframe(s);

        } else if (rtcp->count == NGX_WEBRTC_PSFB_AFB
                   && ngx_webrtc_rtcp_parse_fb(rtcp, &fb) == NGX_OK)
        {
            ngx_webrtc_viewer_feedback_bandwidth(s,
                                   ngx_webrtc_viewer_bandwidth_remb(s, &fb));
        }

        break;
    }
}


/* rc: NGX_OK if more is known of its path */

static void
ngx_webrtc_viewer_feedback_bandwidth(ngx_webrtc_session_t *s, ngx_int_t rc)
{
    if (rc == NGX_OK) {
        ngx_webrtc_viewer_layers_look(s);
    }
}


void
ngx_webrtc_viewer_feedback_reports(ngx_webrtc_session_t *s)
{
    uint64_t                    now_us;
    ngx_uint_t                  i;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;

    v = s->part;
    now_us = ngx_webrtc_time_now();

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        t = &v->tracks[i];

        if (t->used && t->report.packets) {
            ngx_webrtc_viewer_feedback_sender(s, t, now_us);
        }
    }
}


void
ngx_webrtc_viewer_feedback_first(ngx_webrtc_session_t *s)
{
    ngx_uint_t                  i, due;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;

    v = s->part;
    due = 0;

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        t = &v->tracks[i];

        if (!t->used || t->reported == NGX_WEBRTC_VIEWER_REPORTS) {
            continue;
        }

        due = 1;

        if (t->report.packets
            && (t->reported == 0
                || ngx_current_msec - t->reported_ms
                   >= NGX_WEBRTC_VIEWER_FIRST))
        {
            ngx_webrtc_viewer_feedback_sender(s, t, ngx_webrtc_time_now());
        }
    }

    v->fresh = due;
}


static void
ngx_webrtc_viewer_feedback_sender(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, uint64_t now_us)
{
    u_char                *p, *end, buf[NGX_WEBRTC_VIEWER_RTCP];
    uint32_t               rtp;
    ngx_webrtc_viewer_t   *v;
    ngx_webrtc_rtcp_sr_t   sr;

    v = s->part;

    if (ngx_webrtc_timeline_at(&v->st->timeline, t->clock_rate,
                               (int64_t) now_us, &rtp)
        != NGX_OK)
    {
        return;
    }

    ngx_webrtc_report_sr(&t->report, t->rw.ssrc,
                         ngx_webrtc_time_ntp(ngx_webrtc_time_wall(now_us)),
                         rtp + t->rw.ts_offset, &sr);

    end = buf + sizeof(buf) - NGX_WEBRTC_SRTP_RTCP_TAG;

    p = ngx_webrtc_rtcp_write_sr(buf, end, &sr, NULL, 0);
    p = ngx_webrtc_rtcp_write_sdes(p, end, t->rw.ssrc, s->peer->id,
                                   NGX_WEBRTC_SESSION_CNAME);
    if (p == NULL) {
        return;
    }

    ngx_webrtc_session_send_rtcp(s, buf, p - buf);

    t->reported_ms = ngx_current_msec;

    if (t->reported < NGX_WEBRTC_VIEWER_REPORTS) {
        t->reported++;
    }
}


/* RFC 4585, 6.2.1: packets that the viewer has lost */

static void
ngx_webrtc_viewer_feedback_nack(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_fb_t *fb)
{
    uint16_t                          pid, blp;
    ngx_int_t                         rc;
    ngx_uint_t                        i;
    ngx_webrtc_viewer_track_t        *t;
    ngx_webrtc_viewer_feedback_seq_t  sent;

    t = ngx_webrtc_viewer_feedback_find(s->part, fb->media);

    if (t == NULL) {
        return;
    }

    sent.n = 0;
    rc = NGX_OK;

    for (i = 0;
         rc == NGX_OK
         && ngx_webrtc_rtcp_parse_nack(fb, i, &pid, &blp) == NGX_OK;
         i++)
    {
        rc = ngx_webrtc_viewer_feedback_nacked(s, t, pid, blp, &sent);
    }

    /* the copies come last: what loses a packet often loses the next one */

    if (rc != NGX_OK || !t->rtx
        || ngx_webrtc_again_copies(((ngx_webrtc_viewer_t *) s->part)->repeat.n,
                                   s->peer->stat.rtt_us / 1000) == 1)
    {
        return;
    }

    for (i = 0; i < sent.n; i++) {
        if (ngx_webrtc_viewer_resend_copy(s, t, sent.seq[i]) != NGX_OK) {
            return;
        }
    }
}


/*
 * An entry of a NACK: pid, and those behind it that have a bit in blp.
 *
 *   sent   what has been sent again is added
 *
 * NGX_OK; NGX_AGAIN: no more now
 */

static ngx_int_t
ngx_webrtc_viewer_feedback_nacked(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, uint16_t pid, uint16_t blp,
    ngx_webrtc_viewer_feedback_seq_t *sent)
{
    ngx_int_t             rc;
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    if (ngx_current_msec - v->asked_ms >= 1000) {
        v->asked_ms = ngx_current_msec;
        v->asked = 0;
    }

    for ( ;; ) {
        if (v->asked++ >= NGX_WEBRTC_VIEWER_ASK) {
            return NGX_AGAIN;
        }

        s->peer->stat.nacks++;
        ngx_webrtc_atomic_add(&v->st->stat.nacks, 1);

        rc = ngx_webrtc_viewer_resend(s, t, pid);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (rc == NGX_OK && sent->n < NGX_WEBRTC_VIEWER_COPIES) {
            sent->seq[sent->n++] = pid;
        }

        while (blp && !(blp & 1)) {
            blp >>= 1;
            pid++;
        }

        if (blp == 0) {
            return NGX_OK;
        }

        blp >>= 1;
        pid++;
    }
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

    if (v->wait_key || v->hushed || v->thin >= NGX_WEBRTC_VIEWER_KEYS
        || ngx_current_msec - v->replayed < v->pause)
    {
        /* one is on its way */
        return;
    }

    /* with the next frame: the replay's timestamps must fit after those sent */

    v->asking &= v->want_key;
    v->want_key = 1;
}


/* a report block of the viewer about one of our tracks */

static void
ngx_webrtc_viewer_feedback_report(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_block_t *block)
{
    uint32_t                    rtt_us;
    uint64_t                    ntp;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;

    v = s->part;
    rtt_us = 0;
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
        rtt_us = t->report.rtt_last_us;
    }

    if (t->kind == NGX_WEBRTC_VIDEO) {
        ngx_webrtc_viewer_narrow_report(s, t, block->fraction, rtt_us);
    }

    if (t->kind == NGX_WEBRTC_VIDEO || !v->video) {
        s->peer->stat.lost = block->fraction;

        ngx_webrtc_viewer_feedback_bandwidth(s,
                        ngx_webrtc_viewer_bandwidth_report(s, block->fraction,
                                                      s->peer->stat.rtt_us));
    }

    ngx_webrtc_viewer_feedback_repeat(s, block->fraction);
    ngx_webrtc_viewer_feedback_sum(s);
}


/*
 * Its sound is repeated while its path loses packets, if it takes RED; but not
 * where that would lose others, as the path is narrow.
 */

static void
ngx_webrtc_viewer_feedback_repeat(ngx_webrtc_session_t *s, ngx_uint_t fraction)
{
    ngx_uint_t                  i, n;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;

    v = s->part;
    n = ngx_webrtc_repeat(&v->repeat, fraction, ngx_current_msec);

    if (v->bw) {
        n = ngx_min(n, ngx_webrtc_bwe_estimate(&v->bw->bwe)
                       / NGX_WEBRTC_VIEWER_REPEAT);
    }

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        t = &v->tracks[i];

        if (!t->used || t->kind != NGX_WEBRTC_AUDIO
            || t->red_pt == NGX_WEBRTC_DESC_NO_PT || t->repeats == n)
        {
            continue;
        }

        ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                      "webrtc viewer sound repeated packets:%ui lost:%ui%%", n,
                      fraction * 100 / 256);

        t->repeats = (uint8_t) n;
        t->repeated |= (n != 0);
    }
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
