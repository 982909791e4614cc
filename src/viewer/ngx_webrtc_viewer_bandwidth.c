
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The bandwidth of a viewer's path: see the header file.  The estimate is made
 * by ngx_webrtc_bwe.
 *
 * Feedback may say anything: it changes an estimate within bounds, by which the
 * viewer gets less or more of what it has asked for anyway.  What is sent
 * beyond that, probes and padding, is sent only to an address that answers, at
 * the rate of a layer for 15 ms.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_bandwidth.h"
#include "ngx_webrtc_viewer_resend.h"
#include "ngx_webrtc_rtcp_fb.h"
#include "ngx_webrtc_time.h"


/* bounds of the estimate, bits per second; chosen: a voice, and more than a
 * stream has */
#define NGX_WEBRTC_VIEWER_BANDWIDTH_MIN    30000
#define NGX_WEBRTC_VIEWER_BANDWIDTH_MAX    100000000

/* of 256 that are lost, where the path carries what it is sent; chosen: 2 % */
#define NGX_WEBRTC_VIEWER_BANDWIDTH_FEW    5

/* transport-wide feedback of a viewer per second, and packets that it is about;
 * chosen: ten times as often as browsers send it, and twice what we remember */
#define NGX_WEBRTC_VIEWER_BANDWIDTH_TOLD     200
#define NGX_WEBRTC_VIEWER_BANDWIDTH_PACKETS  (2 * NGX_WEBRTC_BWE_SENT)

/* ms of what is sent at once; and bytes at least: three packets.  Chosen */
#define NGX_WEBRTC_VIEWER_BANDWIDTH_BURST  10
#define NGX_WEBRTC_VIEWER_BANDWIDTH_LEAST  3600

/* percent of the estimate that is sent before anything is known; chosen: what
 * there is to be sent at once is soon there, and does not fill a queue before
 * the first feedback */
#define NGX_WEBRTC_VIEWER_BANDWIDTH_FIRST  300

/* packets of padding per tick, when there is no video; chosen: 20 kbit/s */
#define NGX_WEBRTC_VIEWER_BANDWIDTH_QUIET  2

/* packets that a probe goes back before it repeats itself; chosen: a frame or
 * two */
#define NGX_WEBRTC_VIEWER_BANDWIDTH_BACK   8


static ngx_webrtc_viewer_bandwidth_t *ngx_webrtc_viewer_bandwidth(
    ngx_webrtc_session_t *s);
static void ngx_webrtc_viewer_bandwidth_stamps(
    ngx_webrtc_viewer_bandwidth_t *bw);
static void ngx_webrtc_viewer_bandwidth_timer(ngx_event_t *ev);


ngx_int_t
ngx_webrtc_viewer_bandwidth_begin(ngx_webrtc_session_t *s, uint32_t start,
    ngx_uint_t measured)
{
    ngx_uint_t                      i;
    ngx_webrtc_viewer_t            *v;
    ngx_webrtc_bwe_conf_t           conf;
    ngx_webrtc_viewer_bandwidth_t  *bw;

    v = s->part;

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        if (v->tracks[i].used && v->tracks[i].kind == NGX_WEBRTC_VIDEO) {
            break;
        }
    }

    if (i == NGX_WEBRTC_TRACKS) {
        return NGX_OK;
    }

    bw = ngx_calloc(sizeof(ngx_webrtc_viewer_bandwidth_t), &s->log);
    if (bw == NULL) {
        return NGX_ERROR;
    }

    bw->session = s;
    bw->measured = measured;
    bw->track = &v->tracks[i];

    bw->timer.handler = ngx_webrtc_viewer_bandwidth_timer;
    bw->timer.data = bw;
    bw->timer.log = &s->log;

    conf.min = NGX_WEBRTC_VIEWER_BANDWIDTH_MIN;
    conf.max = NGX_WEBRTC_VIEWER_BANDWIDTH_MAX;
    conf.start = ngx_min(ngx_max(start, conf.min), conf.max);

    ngx_webrtc_bwe_init(&bw->bwe, &conf);

    if (measured) {
        bw->again.filled_ms = ngx_current_msec;

    } else {
        ngx_webrtc_bwe_burst(&bw->bwe);
    }

    v->bw = bw;

    ngx_webrtc_viewer_bandwidth_stamps(bw);

    return NGX_OK;
}


static void
ngx_webrtc_viewer_bandwidth_stamps(ngx_webrtc_viewer_bandwidth_t *bw)
{
    ngx_webrtc_desc_media_t    *m;
    ngx_webrtc_viewer_track_t  *t;

    t = bw->track;
    m = t->media;

    if (m->ext_twcc && (m->fb & NGX_WEBRTC_FB_TWCC) && t->rtx) {
        bw->by = NGX_WEBRTC_VIEWER_BY_TWCC;
        t->ext_stamp = m->ext_twcc;
        t->stamp = 2;
        return;
    }

    if (!(m->fb & NGX_WEBRTC_FB_REMB)) {
        return;
    }

    bw->by = NGX_WEBRTC_VIEWER_BY_REMB;

    if (m->ext_abs_send_time && t->rtx) {
        t->ext_stamp = m->ext_abs_send_time;
        t->stamp = 3;
    }
}


void
ngx_webrtc_viewer_bandwidth_end(ngx_webrtc_viewer_t *v)
{
    ngx_webrtc_viewer_bandwidth_t  *bw;

    bw = v->bw;

    if (bw == NULL) {
        return;
    }

    if (bw->timer.timer_set) {
        ngx_del_timer(&bw->timer);
    }

    bw->track->stamp = 0;
    v->bw = NULL;

    ngx_free(bw);
}


ngx_int_t
ngx_webrtc_viewer_bandwidth_twcc(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_fb_t *fb)
{
    ngx_webrtc_rtcp_twcc_t          twcc;
    ngx_webrtc_viewer_bandwidth_t  *bw;

    bw = ngx_webrtc_viewer_bandwidth(s);

    if (bw == NULL || bw->by != NGX_WEBRTC_VIEWER_BY_TWCC
        || ngx_webrtc_rtcp_parse_twcc(fb, &twcc) != NGX_OK
        || twcc.packets > NGX_WEBRTC_VIEWER_BANDWIDTH_PACKETS)
    {
        return NGX_DECLINED;
    }

    if (ngx_current_msec - bw->second >= 1000) {
        bw->second = ngx_current_msec;
        bw->told = 0;
    }

    if (bw->told++ >= NGX_WEBRTC_VIEWER_BANDWIDTH_TOLD) {
        return NGX_DECLINED;
    }

    bw->heard = ngx_current_msec;

    return ngx_webrtc_bwe_feedback(&bw->bwe, &twcc,
                                   ngx_webrtc_worker_now(s->wk));
}


ngx_int_t
ngx_webrtc_viewer_bandwidth_remb(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_fb_t *fb)
{
    ngx_webrtc_rtcp_remb_t          remb;
    ngx_webrtc_viewer_bandwidth_t  *bw;

    bw = ngx_webrtc_viewer_bandwidth(s);

    if (bw == NULL || bw->by != NGX_WEBRTC_VIEWER_BY_REMB
        || ngx_webrtc_rtcp_parse_remb(fb, &remb) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    bw->heard = ngx_current_msec;

    ngx_webrtc_bwe_remb(&bw->bwe, remb.bitrate, ngx_webrtc_worker_now(s->wk));

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_viewer_bandwidth_report(ngx_webrtc_session_t *s, ngx_uint_t fraction,
    uint32_t rtt_us)
{
    uint64_t                        rate;
    ngx_webrtc_viewer_bandwidth_t  *bw;

    bw = ngx_webrtc_viewer_bandwidth(s);

    if (bw == NULL) {
        return NGX_DECLINED;
    }

    bw->reported = ngx_current_msec;

    if (bw->by == NGX_WEBRTC_VIEWER_BY_REPORT) {
        bw->heard = ngx_current_msec;

        /* nothing else raises it: what was sent has got through, and some more
         * may */

        if (fraction < NGX_WEBRTC_VIEWER_BANDWIDTH_FEW) {
            rate = ngx_webrtc_rate_second(&bw->rate, 8) * 3 / 2;
            rate = ngx_min(rate, NGX_WEBRTC_VIEWER_BANDWIDTH_MAX);

            ngx_webrtc_bwe_rate_probed(&bw->bwe.rate, (uint32_t) rate,
                                       ngx_webrtc_worker_now(s->wk));
        }
    }

    ngx_webrtc_bwe_report(&bw->bwe, fraction, rtt_us,
                          ngx_webrtc_worker_now(s->wk));

    return NGX_OK;
}


static ngx_webrtc_viewer_bandwidth_t *
ngx_webrtc_viewer_bandwidth(ngx_webrtc_session_t *s)
{
    return s->part ? ((ngx_webrtc_viewer_t *) s->part)->bw : NULL;
}


ngx_int_t
ngx_webrtc_viewer_bandwidth_probe(ngx_webrtc_session_t *s, uint32_t rate)
{
    ngx_webrtc_viewer_bandwidth_t  *bw;

    bw = ngx_webrtc_viewer_bandwidth(s);

    if (bw == NULL || !bw->track->stamp || !bw->track->rtx
        || ngx_webrtc_bwe_probe(&bw->bwe, rate, ngx_webrtc_time_now())
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    /* not from here: whoever wants a probe is reading a batch, or feedback */

    if (!bw->timer.timer_set) {
        ngx_add_timer(&bw->timer, 1);
    }

    return NGX_OK;
}


static void
ngx_webrtc_viewer_bandwidth_timer(ngx_event_t *ev)
{
    uint64_t                        due, now;
    ngx_uint_t                      back;
    ngx_webrtc_session_t           *s;
    ngx_webrtc_viewer_bandwidth_t  *bw;

    bw = ev->data;
    s = bw->session;

    if (s->state != NGX_WEBRTC_SESSION_UP || !bw->track->rtx) {
        return;
    }

    for (back = 0; /* void */ ; back++) {

        due = ngx_webrtc_bwe_probe_due(&bw->bwe);

        if (due == 0) {
            break;
        }

        now = ngx_webrtc_time_now();

        if (due > now) {
            ngx_add_timer(&bw->timer, (due - now + 999) / 1000);
            break;
        }

        if (ngx_webrtc_viewer_resend_filler(s, bw->track,
                                      back % NGX_WEBRTC_VIEWER_BANDWIDTH_BACK)
            != NGX_OK)
        {
            /* the port is full: no time to try more */

            ngx_add_timer(&bw->timer, 5);
            break;
        }
    }

    ngx_webrtc_udp_flush(s->wk->udp);
}


void
ngx_webrtc_viewer_bandwidth_tick(ngx_webrtc_session_t *s, ngx_uint_t quiet)
{
    ngx_uint_t                      i;
    ngx_webrtc_viewer_bandwidth_t  *bw;

    bw = ngx_webrtc_viewer_bandwidth(s);

    if (bw == NULL) {
        return;
    }

    /* without stamps packets are not counted one by one */

    ngx_webrtc_rate_add(&bw->rate, bw->track->stamp ? bw->bytes
                                                    : s->peer->stat.bytes_out,
                        ngx_current_msec);

    if (!quiet || bw->by != NGX_WEBRTC_VIEWER_BY_TWCC || !bw->track->rtx) {
        return;
    }

    for (i = 0; i < NGX_WEBRTC_VIEWER_BANDWIDTH_QUIET; i++) {
        if (ngx_webrtc_viewer_resend_filler(s, bw->track, 0) != NGX_OK) {
            break;
        }
    }

    ngx_webrtc_udp_flush(s->wk->udp);
}


void
ngx_webrtc_viewer_bandwidth_pace(ngx_webrtc_session_t *s, ngx_uint_t percent)
{
    uint64_t                   rate;
    ngx_webrtc_viewer_t       *v;
    ngx_webrtc_viewer_pace_t  *pace;

    v = s->part;
    pace = &v->pace;

    if (v->bw->heard == 0 && !v->bw->measured) {
        percent = NGX_WEBRTC_VIEWER_BANDWIDTH_FIRST;
    }

    /* bytes per ms */

    rate = (uint64_t) ngx_webrtc_bwe_estimate(&v->bw->bwe) * percent / 100
           / 8000;

    if (s->peer->policy.pacing_rate) {
        rate = ngx_min(rate, (uint64_t) s->peer->policy.pacing_rate / 8000);
    }

    pace->rate = (uint32_t) ngx_max(rate, 1);
    pace->burst = ngx_max(pace->rate * NGX_WEBRTC_VIEWER_BANDWIDTH_BURST,
                          NGX_WEBRTC_VIEWER_BANDWIDTH_LEAST);
    pace->budget = ngx_min(pace->budget, pace->burst);
}


ngx_msec_t
ngx_webrtc_viewer_bandwidth_lag(ngx_webrtc_viewer_t *v)
{
    uint64_t                   head;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_packet_t   next, last;

    ring = v->st->ring;
    head = ngx_webrtc_ring_head(ring);

    if (v->cursor >= head
        || ngx_current_msec - v->replayed < v->pause
        || ngx_webrtc_ring_peek(ring, v->cursor, &next, NULL) != NGX_OK
        || ngx_webrtc_ring_peek(ring, head - 1, &last, NULL) != NGX_OK
        || last.arrival_us < next.arrival_us)
    {
        return 0;
    }

    return (ngx_msec_t) ((last.arrival_us - next.arrival_us) / 1000);
}
