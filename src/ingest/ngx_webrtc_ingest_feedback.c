
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTCP between a sender and us.
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
#include "ngx_webrtc_ingest_feedback.h"
#include "ngx_webrtc_ingest_timer.h"
#include "ngx_webrtc_ingest_track.h"
#include "ngx_webrtc_rtcp_fb.h"
#include "ngx_webrtc_time.h"


/* bytes of an RTCP datagram */
#define NGX_WEBRTC_INGEST_RTCP      1200

/* us after a request for a key frame in which libwebrtc takes no other one, of
 * whichever layer (video/encoder_rtcp_feedback.cc: 300 ms), and after which
 * that is asked again; chosen: with what two requests are apart on their way */
#define NGX_WEBRTC_INGEST_DULL      300000
#define NGX_WEBRTC_INGEST_ANEW      350000

/* us that feedback may be early; chosen: between two packets of audio */
#define NGX_WEBRTC_INGEST_SOON      20000


static ngx_uint_t ngx_webrtc_ingest_feedback_useless(
    ngx_webrtc_ingest_track_t *t, uint64_t now_us);
static ngx_webrtc_ingest_track_t *ngx_webrtc_ingest_feedback_next(
    ngx_webrtc_ingest_t *in, ngx_uint_t *done);
static ngx_uint_t ngx_webrtc_ingest_feedback_matters(
    ngx_webrtc_ingest_track_t *t, ngx_webrtc_ingest_track_t *than);
static void ngx_webrtc_ingest_feedback_ask_track(
    ngx_webrtc_ingest_track_t *t, uint64_t now_us);
static void ngx_webrtc_ingest_feedback_due(ngx_webrtc_ingest_t *in,
    uint64_t now_us, uint64_t early);
static void ngx_webrtc_ingest_feedback_tell(ngx_webrtc_ingest_t *in,
    uint64_t now_us);
static u_char *ngx_webrtc_ingest_feedback_remb(ngx_webrtc_ingest_t *in,
    u_char *p, u_char *end, uint64_t now_us);
static u_char *ngx_webrtc_ingest_feedback_begin(ngx_webrtc_ingest_t *in,
    u_char *p, u_char *end, ngx_uint_t alone);
static u_char *ngx_webrtc_ingest_feedback_reports(ngx_webrtc_ingest_t *in,
    u_char *p, u_char *end, uint64_t now_us);
static void ngx_webrtc_ingest_feedback_send(ngx_webrtc_ingest_t *in,
    u_char *buf, u_char *p);


void
ngx_webrtc_ingest_feedback_rtcp(ngx_webrtc_ingest_t *in,
    const ngx_webrtc_rtcp_t *rtcp, uint64_t now_us)
{
    u_char                     *p;
    uint32_t                    ssrc, now_ntp32, rtt_us;
    ngx_uint_t                  i, n;
    ngx_webrtc_rtcp_sr_t        sr;
    ngx_webrtc_rtcp_xr_t        xr;
    ngx_webrtc_rtcp_dlrr_t      dlrr;
    ngx_webrtc_ingest_track_t  *t;

    switch (rtcp->type) {

    case NGX_WEBRTC_RTCP_SR:

        if (ngx_webrtc_rtcp_parse_sr(rtcp, &sr) != NGX_OK) {
            return;
        }

        for (i = 0; i < in->ntracks; i++) {
            if (in->tracks[i].ssrc == sr.ssrc) {
                ngx_webrtc_report_in_sr(&in->tracks[i].report, &sr, now_us);
                (void) ngx_webrtc_sync_sr(&in->sync, in->tracks[i].clock,
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
                if (dlrr.ssrc != in->ssrc
                    || ngx_webrtc_report_rtt(now_ntp32, dlrr.lrr, dlrr.dlrr,
                                             &rtt_us)
                       != NGX_OK)
                {
                    continue;
                }

                in->stat->rtt_us = rtt_us;

                for (i = 0; i < in->ntracks; i++) {
                    t = &in->tracks[i];

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
ngx_webrtc_ingest_feedback_keyframe(ngx_webrtc_ingest_t *in,
    ngx_webrtc_stream_t *st)
{
    ngx_uint_t                  i, n, found;
    ngx_webrtc_ingest_track_t  *t;

    found = 0;

    for (i = 0; i < in->ntracks; i++) {
        t = &in->tracks[i];

        if (t->media->kind != NGX_WEBRTC_VIDEO) {
            continue;
        }

        for (n = 0; n < t->nouts; n++) {
            if (t->outs[n]->st == st) {
                t->want_key = 1;
                found = 1;
            }
        }
    }

    if (!found) {

        /* viewers have video from an earlier publisher, or its layer has
         * stopped; or none has begun, and each does with one */

        ngx_webrtc_bus_keyframe_done(st);
    }

    ngx_webrtc_ingest_feedback_ask(in, ngx_webrtc_time_now());
}


void
ngx_webrtc_ingest_feedback_nacks(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    u_char                     *p, *end;
    ngx_uint_t                  done;
    ngx_webrtc_nack_tell_t      tell;
    ngx_webrtc_ingest_track_t  *t;
    u_char                      buf[NGX_WEBRTC_INGEST_RTCP];

    end = buf + sizeof(buf) - NGX_WEBRTC_SRTP_RTCP_TAG;
    done = 0;

    for ( ;; ) {
        t = ngx_webrtc_ingest_feedback_next(in, &done);

        if (t == NULL) {
            break;
        }

        if (ngx_webrtc_ingest_feedback_useless(t, now_us)) {
            ngx_webrtc_nack_abandon(&t->nack, now_us);
        }

        if (ngx_webrtc_nack_timeout(&t->nack, &in->share, now_us, &tell)
            != NGX_OK)
        {
            continue;
        }

        if (tell.pli) {
            t->want_key = (t->media->kind == NGX_WEBRTC_VIDEO);
        }

        if (tell.gone) {
            /* a key frame may be what waits behind it */
            ngx_webrtc_reorder_give_up(&t->reorder, tell.gone, now_us);
        }

        if (tell.n) {
            p = ngx_webrtc_ingest_feedback_begin(in, buf, end,
                                         t->media->fb & NGX_WEBRTC_FB_RSIZE);
            p = ngx_webrtc_rtcp_write_nack(p, end, in->ssrc, t->ssrc,
                                           tell.seqs, tell.n);
            ngx_webrtc_ingest_feedback_send(in, buf, p);

            in->stat->nacks += tell.n;
        }
    }
}


/*
 * Would what is sent again of it only make a key frame wait that is to come?
 * While there is a queue, of any layer: all have lost packets in that.  Not
 * what is missing of that key frame, nor of who does not send any.
 */

static ngx_uint_t
ngx_webrtc_ingest_feedback_useless(ngx_webrtc_ingest_track_t *t,
    uint64_t now_us)
{
    if (t->layer == NULL || t->deaf
        || t->key_us > t->in->overuse.found_us)
    {
        return 0;
    }

    return ngx_webrtc_overuse_drains(&t->in->overuse, now_us)
           || now_us < t->layer->beyond_us;
}


/*
 * The one that matters most of those that have not had their turn: sound, then
 * the smallest layer; NULL: all had it
 */

static ngx_webrtc_ingest_track_t *
ngx_webrtc_ingest_feedback_next(ngx_webrtc_ingest_t *in, ngx_uint_t *done)
{
    ngx_uint_t                  i;
    ngx_webrtc_ingest_track_t  *t, *most;

    for (i = 0, most = NULL; i < in->ntracks; i++) {
        t = &in->tracks[i];

        if ((*done & (1 << i)) == 0
            && (most == NULL
                || ngx_webrtc_ingest_feedback_matters(t, most)))
        {
            most = t;
        }
    }

    if (most) {
        *done |= 1 << (most - in->tracks);
    }

    return most;
}


static ngx_uint_t
ngx_webrtc_ingest_feedback_matters(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_ingest_track_t *than)
{
    if (t->layer && than->layer) {
        return ngx_webrtc_ingest_track_larger(than, t);
    }

    return t->media->kind == NGX_WEBRTC_AUDIO
           && than->media->kind == NGX_WEBRTC_VIDEO;
}


/* at most one per interval for each track, and another one where that before it
 * was hardly heard */

void
ngx_webrtc_ingest_feedback_ask(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    uint64_t                    interval_us;
    ngx_uint_t                  i, dull;
    ngx_webrtc_ingest_track_t  *t;

    interval_us = (uint64_t) in->policy->keyframe_interval * 1000;

    for (i = 0; i < in->ntracks; i++) {
        t = &in->tracks[i];

        if (!t->want_key || now_us - t->asked_us < interval_us
            || now_us < t->hush_us)
        {
            continue;
        }

        dull = (t->layer && in->asked_us
                && now_us - in->asked_us < NGX_WEBRTC_INGEST_DULL
                && interval_us > NGX_WEBRTC_INGEST_ANEW);

        ngx_webrtc_ingest_feedback_ask_track(t, now_us);

        if (dull) {
            t->asked_us -= interval_us - NGX_WEBRTC_INGEST_ANEW;
        }

        if (t->layer) {
            in->asked_us = now_us;
        }
    }

    ngx_webrtc_ingest_timer_arm(in, now_us);
}


/* RFC 4585, 6.3.1 and RFC 5104, 4.3.1 */

static void
ngx_webrtc_ingest_feedback_ask_track(ngx_webrtc_ingest_track_t *t,
    uint64_t now_us)
{
    u_char               *p, *end;
    ngx_uint_t            i;
    ngx_webrtc_ingest_t  *in;
    u_char                buf[NGX_WEBRTC_INGEST_RTCP];

    in = t->in;
    end = buf + sizeof(buf) - NGX_WEBRTC_SRTP_RTCP_TAG;

    t->asked_us = now_us;

    if (t->waits_us == 0) {
        t->waits_us = now_us;
    }

    for (i = 0; i < t->nouts; i++) {
        ngx_webrtc_bus_keyframe_done(t->outs[i]->st);
    }

    if (t->ssrc == 0) {
        return;
    }

    p = ngx_webrtc_ingest_feedback_begin(in, buf, end,
                                         t->media->fb & NGX_WEBRTC_FB_RSIZE);

    if ((t->media->fb & (NGX_WEBRTC_FB_PLI|NGX_WEBRTC_FB_FIR))
        == NGX_WEBRTC_FB_FIR)
    {
        p = ngx_webrtc_rtcp_fb_write_fir(p, end, in->ssrc, t->ssrc,
                                         t->fir_seq++);
    } else {
        p = ngx_webrtc_rtcp_write_pli(p, end, in->ssrc, t->ssrc);
    }

    ngx_webrtc_ingest_feedback_send(in, buf, p);

    in->stat->plis++;

    for (i = 0; i < t->nouts; i++) {
        ngx_webrtc_atomic_add(&t->outs[i]->st->stat.key_requests, 1);
    }
}


void
ngx_webrtc_ingest_feedback(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    ngx_webrtc_ingest_feedback_due(in, now_us, 0);
}


void
ngx_webrtc_ingest_feedback_soon(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    uint64_t  due, us;

    due = in->reported_us + NGX_WEBRTC_INGEST_REPORT;
    us = ngx_webrtc_twcc_deadline(&in->twcc);

    if (us && us < due) {
        due = us;
    }

    if (now_us + NGX_WEBRTC_INGEST_SOON < due) {
        return;
    }

    ngx_webrtc_ingest_feedback_due(in, now_us, NGX_WEBRTC_INGEST_SOON);
    ngx_webrtc_ingest_feedback_limit(in, now_us);
    ngx_webrtc_ingest_timer_arm(in, now_us);
}


/* as often as there is feedback */

void
ngx_webrtc_ingest_feedback_limit(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    if (ngx_webrtc_bitrate_check(&in->bitrate, now_us) == NGX_DECLINED) {
        in->ops->close(in->data, "above webrtc_max_bitrate");
    }
}


uint64_t
ngx_webrtc_ingest_feedback_path(ngx_webrtc_ingest_t *in, size_t n,
    uint64_t now_us)
{
    if (ngx_webrtc_overuse_input(&in->overuse, &in->bitrate, n,
                                 in->share.queue_us, now_us)
        != NGX_OK)
    {
        return 0;
    }

    ngx_log_error(NGX_LOG_INFO, in->log, 0,
                  "webrtc %s path has become narrow bitrate:%uL before:%uL",
                  in->what, in->overuse.rate, in->overuse.before);

    ngx_webrtc_ingest_feedback_tell(in, now_us);

    return in->overuse.rate * NGX_WEBRTC_OVERUSE_HOLD / 100;
}


/* a bitrate that changes does not wait for the next report */

static void
ngx_webrtc_ingest_feedback_tell(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    u_char  *p, *q, *end;
    u_char   buf[NGX_WEBRTC_INGEST_RTCP];

    end = buf + sizeof(buf) - NGX_WEBRTC_SRTP_RTCP_TAG;

    p = ngx_webrtc_ingest_feedback_begin(in, buf, end, 0);
    q = ngx_webrtc_ingest_feedback_remb(in, p, end, now_us);

    if (q != p) {
        ngx_webrtc_ingest_feedback_send(in, buf, q);
    }
}


/* Writes the bitrate that may be sent, if that is due, at p. */

static u_char *
ngx_webrtc_ingest_feedback_remb(ngx_webrtc_ingest_t *in, u_char *p,
    u_char *end, uint64_t now_us)
{
    uint32_t    ssrcs[NGX_WEBRTC_INGEST_TRACKS];
    uint64_t    bitrate;
    ngx_uint_t  i, n;

    ngx_webrtc_bitrate_cut(&in->bitrate,
                           ngx_webrtc_overuse_limit(&in->overuse, now_us));

    for (i = 0, n = 0; i < in->ntracks; i++) {
        if (in->tracks[i].ssrc) {
            ssrcs[n++] = in->tracks[i].ssrc;
        }
    }

    bitrate = n ? ngx_webrtc_bitrate_remb(&in->bitrate, now_us) : 0;

    return bitrate ? ngx_webrtc_rtcp_fb_write_remb(p, end, in->ssrc, bitrate,
                                                   ssrcs, n)
                   : p;
}


/* what is due in the next early us */

static void
ngx_webrtc_ingest_feedback_due(ngx_webrtc_ingest_t *in, uint64_t now_us,
    uint64_t early)
{
    u_char  *p, *q, *end;
    u_char   buf[NGX_WEBRTC_INGEST_RTCP];

    end = buf + sizeof(buf) - NGX_WEBRTC_SRTP_RTCP_TAG;

    if (now_us + early - in->reported_us >= NGX_WEBRTC_INGEST_REPORT) {

        in->reported_us = now_us;

        p = ngx_webrtc_ingest_feedback_reports(in, buf, end, now_us);
        p = ngx_webrtc_rtcp_write_sdes(p, end, in->ssrc, in->cname,
                                       in->cname_len);
        p = ngx_webrtc_rtcp_fb_write_rrtr(p, end, in->ssrc,
                            ngx_webrtc_time_ntp(ngx_webrtc_time_wall(now_us)));

        p = ngx_webrtc_ingest_feedback_remb(in, p, end, now_us);

        ngx_webrtc_ingest_feedback_send(in, buf, p);

    } else if (in->overuse.rate || in->bitrate.cut || in->bitrate.free) {
        ngx_webrtc_ingest_feedback_tell(in, now_us);
    }

    for ( ;; ) {
        p = ngx_webrtc_ingest_feedback_begin(in, buf, end, in->rsize);
        q = ngx_webrtc_twcc_write(&in->twcc, p, end, now_us + early);

        if (q == NULL || q == p) {
            return;
        }

        ngx_webrtc_ingest_feedback_send(in, buf, q);
    }
}


/* RFC 4585, 3.1: without RFC 5506, feedback follows a report */

static u_char *
ngx_webrtc_ingest_feedback_begin(ngx_webrtc_ingest_t *in, u_char *p,
    u_char *end, ngx_uint_t alone)
{
    return alone ? p : ngx_webrtc_rtcp_write_rr(p, end, in->ssrc, NULL, 0);
}


static u_char *
ngx_webrtc_ingest_feedback_reports(ngx_webrtc_ingest_t *in, u_char *p,
    u_char *end, uint64_t now_us)
{
    ngx_uint_t                  i, n, worst;
    ngx_webrtc_ingest_track_t  *t;
    ngx_webrtc_rtcp_block_t     blocks[NGX_WEBRTC_INGEST_TRACKS];

    n = 0;
    worst = 0;

    for (i = 0; i < in->ntracks; i++) {
        t = &in->tracks[i];

        if (t->ssrc
            && ngx_webrtc_report_in_block(&t->report, t->ssrc, now_us,
                                          &blocks[n])
               == NGX_OK)
        {
            worst = ngx_max(worst, blocks[n].fraction);
            n++;
        }
    }

    in->stat->lost = (uint32_t) worst;
    ngx_webrtc_bitrate_loss(&in->bitrate, worst, now_us);

    return ngx_webrtc_rtcp_write_rr(p, end, in->ssrc, blocks, n);
}


/* p is NULL if it did not fit, which the sizes above rule out */

static void
ngx_webrtc_ingest_feedback_send(ngx_webrtc_ingest_t *in, u_char *buf,
    u_char *p)
{
    if (p) {
        in->ops->send(in->data, buf, p - buf);
    }
}
