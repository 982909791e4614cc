
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A viewer of one quality on a path that is too narrow for it.
 *
 * Most streams have one quality, and most viewers a path that carries it: they
 * have no estimator, and nothing of theirs is stamped or paced for it.  When a
 * viewer's reports say that its path is full (ngx_webrtc_narrow()), it gets a
 * list of layers, of which there is one, and with that all that viewers of
 * several have: an estimate, and the steps below the lowest layer.  Otherwise
 * everything is sent, most of it is lost, what is sent again takes the place of
 * something else, and no picture is ever whole.
 *
 *   1. What arrives says what the path carries, so the estimate begins there.
 *
 *   2. All of it ends when everything has been sent without trouble for a
 *      while.  If that was a mistake, the while is twice as long.
 *
 *   3. A viewer over a connection (ICE-TCP) has none of it, as it loses
 *      nothing (ngx_webrtc_viewer_choke.c); nor has a push, whose server keeps
 *      what it gets and should have all of it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_narrow.h"
#include "ngx_webrtc_viewer_bandwidth.h"
#include "ngx_webrtc_viewer_layers.h"
#include "ngx_webrtc_viewer_list.h"
#include "ngx_webrtc_viewer_pace.h"


/* ms without trouble, at first and at most; chosen */
#define NGX_WEBRTC_VIEWER_NARROW_CALM  30000
#define NGX_WEBRTC_VIEWER_NARROW_MOST  480000

/* bits per second that are taken for what arrives, at most: as much as streams
 * have that know no better */
#define NGX_WEBRTC_VIEWER_NARROW_RATE  100000000


static void ngx_webrtc_viewer_narrow_begin(ngx_webrtc_session_t *s,
    ngx_uint_t fraction);
static void ngx_webrtc_viewer_narrow_end(ngx_webrtc_session_t *s);


void
ngx_webrtc_viewer_narrow_report(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, ngx_uint_t fraction, uint32_t rtt_us)
{
    ngx_uint_t            bad;
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    bad = ngx_webrtc_narrow(&v->narrow, fraction, t->report.highest, rtt_us,
                            ngx_current_msec);

    if (bad == 0) {
        return;
    }

    if (v->layers) {
        v->layers->trouble = ngx_current_msec;
        return;
    }

    if (bad >= NGX_WEBRTC_NARROW_SURE && !v->push && !v->hushed
        && s->transport.conn == NULL)
    {
        ngx_webrtc_viewer_narrow_begin(s, v->narrow.fraction);
    }
}


static void
ngx_webrtc_viewer_narrow_begin(ngx_webrtc_session_t *s, ngx_uint_t fraction)
{
    uint64_t              rate;
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    rate = ngx_webrtc_bus_bitrate(v->st);

    if (rate == 0 || rate > NGX_WEBRTC_VIEWER_NARROW_RATE) {
        return;
    }

    rate = rate * (256 - ngx_min(fraction, 255)) / 256;

    if (ngx_webrtc_viewer_layers_late(s, (uint32_t) rate) != NGX_OK) {
        return;
    }

    v->calm = v->calm ? ngx_min(v->calm * 2, NGX_WEBRTC_VIEWER_NARROW_MOST)
                      : NGX_WEBRTC_VIEWER_NARROW_CALM;

    ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                  "webrtc viewer path is narrow lost:%ui%% rtt:%uD ms "
                  "estimate:%uL", fraction * 100 / 256,
                  s->peer->stat.rtt_us / 1000, rate);
}


void
ngx_webrtc_viewer_narrow_tick(ngx_webrtc_session_t *s)
{
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_layers_t  *vl;

    v = s->part;
    vl = v->layers;

    if (!vl->late) {
        return;
    }

    if (vl->n > 1) {
        /* the publisher has begun others */
        vl->late = 0;
        return;
    }

    if (v->partial || v->wait_key || v->hushed || v->to.vs
        || vl->ladder.step != NGX_WEBRTC_LADDER_LAYER || vl->ladder.below_ms)
    {
        vl->trouble = ngx_current_msec;
        return;
    }

    if (ngx_current_msec - vl->trouble >= v->calm) {
        ngx_webrtc_viewer_narrow_end(s);
    }
}


static void
ngx_webrtc_viewer_narrow_end(ngx_webrtc_session_t *s)
{
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    ngx_webrtc_viewer_layers_end(v);

    ngx_webrtc_viewer_pace_init(&v->pace,
                                (uint32_t) (s->peer->policy.pacing_rate / 8),
                                (uint32_t) s->peer->policy.pacing_burst);

    s->peer->about->estimate = 0;
    s->peer->about->thin = 0;

    ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                  "webrtc viewer path is wide again");
}
