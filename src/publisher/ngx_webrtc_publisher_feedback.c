
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTCP between a publisher and us.
 *
 * Key frames.  Whatever needs one (viewers in any worker, a loss that is given
 * up) sets a flag; at most one request per "webrtc_keyframe_interval" is sent,
 * and repeated until a key frame comes.
 *
 * Compound or not.  If rtcp-rsize was negotiated, each feedback packet is sent
 * in a datagram of its own (RFC 5506, 3.4.1): it is smaller, and FFmpeg looks
 * at the first packet of a datagram only, so it would miss a NACK after the RR
 * that begins a compound packet.  Reports are always compound packets.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_publisher_feedback.h"
#include "ngx_webrtc_publisher_timer.h"
#include "ngx_webrtc_rtcp_fb.h"
#include "ngx_webrtc_time.h"


/* bytes of an RTCP datagram */
#define NGX_WEBRTC_PUBLISHER_RTCP      1200


static u_char *ngx_webrtc_publisher_feedback_begin(ngx_webrtc_session_t *s,
    u_char *p, u_char *end, ngx_uint_t alone);
static u_char *ngx_webrtc_publisher_feedback_reports(ngx_webrtc_session_t *s,
    u_char *p, u_char *end, uint64_t now_us);
static void ngx_webrtc_publisher_feedback_send(ngx_webrtc_session_t *s,
    u_char *buf, u_char *p);


void
ngx_webrtc_publisher_feedback_rtcp(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_t *rtcp)
{
    u_char                        *p;
    uint64_t                       now_us;
    uint32_t                       ssrc, now_ntp32, rtt_us;
    ngx_uint_t                     i, n;
    ngx_webrtc_publisher_t        *pub;
    ngx_webrtc_rtcp_sr_t           sr;
    ngx_webrtc_rtcp_xr_t           xr;
    ngx_webrtc_rtcp_dlrr_t         dlrr;
    ngx_webrtc_publisher_track_t  *t;

    pub = s->part;

    if (pub == NULL || !pub->claimed) {
        return;
    }

    now_us = ngx_webrtc_worker_now(s->wk);

    switch (rtcp->type) {

    case NGX_WEBRTC_RTCP_SR:

        if (ngx_webrtc_rtcp_parse_sr(rtcp, &sr) != NGX_OK) {
            return;
        }

        for (i = 0; i < pub->ntracks; i++) {
            if (pub->tracks[i].ssrc == sr.ssrc) {
                ngx_webrtc_report_in_sr(&pub->tracks[i].report, &sr, now_us);
                (void) ngx_webrtc_sync_sr(&pub->sync, pub->tracks[i].track,
                                          sr.ntp, sr.rtp);
            }
        }

        break;

    case NGX_WEBRTC_RTCP_XR:

        now_ntp32 = ngx_webrtc_time_compact(
                            ngx_webrtc_time_ntp(ngx_webrtc_time_wall(now_us)));
        p = NULL;

        while ((p = ngx_webrtc_rtcp_parse_xr(rtcp, p, &ssrc, &xr)) != NULL) {

            for (n = 0;
                 ngx_webrtc_rtcp_parse_dlrr(&xr, n, &dlrr) == NGX_OK;
                 n++)
            {
                if (dlrr.ssrc != pub->ssrc
                    || ngx_webrtc_report_rtt(now_ntp32, dlrr.lrr, dlrr.dlrr,
                                             &rtt_us)
                       != NGX_OK)
                {
                    continue;
                }

                s->peer->stat.rtt_us = rtt_us;

                for (i = 0; i < pub->ntracks; i++) {
                    t = &pub->tracks[i];

                    ngx_webrtc_nack_conf(&t->nack, rtt_us, 0);

                    if (t->media->fb & NGX_WEBRTC_FB_NACK) {
                        ngx_webrtc_reorder_hold(&t->reorder,
                                             ngx_webrtc_nack_hold(&t->nack));
                    }
                }
            }
        }

        break;
    }
}


void
ngx_webrtc_publisher_feedback_keyframe(ngx_webrtc_session_t *s)
{
    ngx_webrtc_publisher_t  *pub;

    pub = s->part;

    if (pub == NULL || !pub->claimed) {
        ngx_webrtc_bus_keyframe_done(s->st);
        return;
    }

    pub->want_key = 1;
    ngx_webrtc_publisher_feedback_ask(s, ngx_webrtc_time_now());
}


void
ngx_webrtc_publisher_feedback_nacks(ngx_webrtc_session_t *s, uint64_t now_us)
{
    u_char                        *p, *end;
    ngx_uint_t                     i;
    ngx_webrtc_publisher_t        *pub;
    ngx_webrtc_nack_tell_t         tell;
    ngx_webrtc_publisher_track_t  *t;
    u_char                         buf[NGX_WEBRTC_PUBLISHER_RTCP];

    pub = s->part;
    end = buf + sizeof(buf) - NGX_WEBRTC_SRTP_RTCP_TAG;

    for (i = 0; i < pub->ntracks; i++) {
        t = &pub->tracks[i];

        if (ngx_webrtc_nack_timeout(&t->nack, now_us, &tell) != NGX_OK) {
            continue;
        }

        if (tell.gone) {
            ngx_webrtc_reorder_give_up(&t->reorder, tell.gone, now_us);
        }

        if (tell.pli) {
            pub->want_key = 1;
        }

        if (tell.n) {
            p = ngx_webrtc_publisher_feedback_begin(s, buf, end,
                                         t->media->fb & NGX_WEBRTC_FB_RSIZE);
            p = ngx_webrtc_rtcp_write_nack(p, end, pub->ssrc, t->ssrc,
                                           tell.seqs, tell.n);
            ngx_webrtc_publisher_feedback_send(s, buf, p);

            s->peer->stat.nacks += tell.n;
        }
    }
}


/* RFC 4585, 6.3.1 and RFC 5104, 4.3.1; at most one per interval */

void
ngx_webrtc_publisher_feedback_ask(ngx_webrtc_session_t *s, uint64_t now_us)
{
    u_char                        *p, *end;
    ngx_uint_t                     i;
    ngx_webrtc_publisher_t        *pub;
    ngx_webrtc_publisher_track_t  *t;
    u_char                         buf[NGX_WEBRTC_PUBLISHER_RTCP];

    pub = s->part;

    if (now_us - pub->asked_us
        < (uint64_t) s->peer->policy.keyframe_interval * 1000)
    {
        ngx_webrtc_publisher_timer_arm(s, now_us);
        return;
    }

    end = buf + sizeof(buf) - NGX_WEBRTC_SRTP_RTCP_TAG;

    pub->asked_us = now_us;

    if (pub->waits_us == 0) {
        pub->waits_us = now_us;
    }

    if (!pub->video) {
        /* viewers have video from an earlier publisher */
        pub->want_key = 0;
    }

    for (i = 0; i < pub->ntracks; i++) {
        t = &pub->tracks[i];

        if (t->media->kind != NGX_WEBRTC_VIDEO || t->ssrc == 0) {
            continue;
        }

        p = ngx_webrtc_publisher_feedback_begin(s, buf, end, t->media->fb
                                                         & NGX_WEBRTC_FB_RSIZE);

        if ((t->media->fb & (NGX_WEBRTC_FB_PLI|NGX_WEBRTC_FB_FIR))
            == NGX_WEBRTC_FB_FIR)
        {
            p = ngx_webrtc_rtcp_fb_write_fir(p, end, pub->ssrc, t->ssrc,
                                             pub->fir_seq++);
        } else {
            p = ngx_webrtc_rtcp_write_pli(p, end, pub->ssrc, t->ssrc);
        }

        ngx_webrtc_publisher_feedback_send(s, buf, p);

        s->peer->stat.plis++;
        ngx_webrtc_atomic_add(&s->st->stat.key_requests, 1);
    }

    ngx_webrtc_bus_keyframe_done(s->st);
    ngx_webrtc_publisher_timer_arm(s, now_us);
}


void
ngx_webrtc_publisher_feedback(ngx_webrtc_session_t *s, uint64_t now_us)
{
    u_char                  *p, *q, *end;
    uint32_t                 ssrcs[NGX_WEBRTC_DESC_MEDIA];
    uint64_t                 bitrate;
    ngx_uint_t               i, n;
    ngx_webrtc_publisher_t  *pub;
    u_char                   buf[NGX_WEBRTC_PUBLISHER_RTCP];

    pub = s->part;
    end = buf + sizeof(buf) - NGX_WEBRTC_SRTP_RTCP_TAG;

    if (now_us - pub->reported_us >= NGX_WEBRTC_PUBLISHER_REPORT) {

        pub->reported_us = now_us;

        p = ngx_webrtc_publisher_feedback_reports(s, buf, end, now_us);
        p = ngx_webrtc_rtcp_write_sdes(p, end, pub->ssrc, s->peer->id,
                                       NGX_WEBRTC_SESSION_CNAME);
        p = ngx_webrtc_rtcp_fb_write_rrtr(p, end, pub->ssrc,
                            ngx_webrtc_time_ntp(ngx_webrtc_time_wall(now_us)));

        bitrate = ngx_webrtc_bitrate_remb(&pub->bitrate, now_us);

        for (i = 0, n = 0; i < pub->ntracks; i++) {
            if (pub->tracks[i].ssrc) {
                ssrcs[n++] = pub->tracks[i].ssrc;
            }
        }

        if (bitrate && n) {
            p = ngx_webrtc_rtcp_fb_write_remb(p, end, pub->ssrc, bitrate,
                                              ssrcs, n);
        }

        ngx_webrtc_publisher_feedback_send(s, buf, p);
    }

    for ( ;; ) {
        p = ngx_webrtc_publisher_feedback_begin(s, buf, end, pub->rsize);
        q = ngx_webrtc_twcc_write(&pub->twcc, p, end, now_us);

        if (q == NULL || q == p) {
            return;
        }

        ngx_webrtc_publisher_feedback_send(s, buf, q);
    }
}


/* RFC 4585, 3.1: without RFC 5506, feedback follows a report */

static u_char *
ngx_webrtc_publisher_feedback_begin(ngx_webrtc_session_t *s, u_char *p,
    u_char *end, ngx_uint_t alone)
{
    ngx_webrtc_publisher_t  *pub;

    pub = s->part;

    return alone ? p : ngx_webrtc_rtcp_write_rr(p, end, pub->ssrc, NULL, 0);
}


static u_char *
ngx_webrtc_publisher_feedback_reports(ngx_webrtc_session_t *s, u_char *p,
    u_char *end, uint64_t now_us)
{
    ngx_uint_t                     i, n, worst;
    ngx_webrtc_publisher_t        *pub;
    ngx_webrtc_publisher_track_t  *t;
    ngx_webrtc_rtcp_block_t        blocks[NGX_WEBRTC_DESC_MEDIA];

    pub = s->part;
    n = 0;
    worst = 0;

    for (i = 0; i < pub->ntracks; i++) {
        t = &pub->tracks[i];

        if (t->ssrc
            && ngx_webrtc_report_in_block(&t->report, t->ssrc, now_us,
                                          &blocks[n])
               == NGX_OK)
        {
            worst = ngx_max(worst, blocks[n].fraction);
            n++;
        }
    }

    s->peer->stat.lost = (uint32_t) worst;
    ngx_webrtc_bitrate_loss(&pub->bitrate, worst, now_us);

    return ngx_webrtc_rtcp_write_rr(p, end, pub->ssrc, blocks, n);
}


/* p is NULL if it did not fit, which the sizes above rule out */

static void
ngx_webrtc_publisher_feedback_send(ngx_webrtc_session_t *s, u_char *buf,
    u_char *p)
{
    if (p) {
        ngx_webrtc_session_send_rtcp(s, buf, p - buf);
    }
}
