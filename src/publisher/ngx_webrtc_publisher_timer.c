
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * When something is due for a publisher.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_publisher_timer.h"


/* least ms between two wake-ups of the feedback timer */
#define NGX_WEBRTC_PUBLISHER_TICK      5


void
ngx_webrtc_publisher_timer_arm(ngx_webrtc_session_t *s, uint64_t now_us)
{
    uint64_t                       next, us;
    ngx_msec_t                     ms;
    ngx_uint_t                     i;
    ngx_webrtc_publisher_t        *pub;
    ngx_webrtc_publisher_track_t  *t;

    pub = s->part;

    next = pub->reported_us + NGX_WEBRTC_PUBLISHER_REPORT;

    us = ngx_webrtc_twcc_deadline(&pub->twcc);

    if (us && us < next) {
        next = us;
    }

    if (pub->want_key) {
        us = pub->asked_us
             + (uint64_t) s->peer->policy.keyframe_interval * 1000;
        next = ngx_min(next, us);
    }

    for (i = 0; i < pub->ntracks; i++) {
        t = &pub->tracks[i];

        us = ngx_webrtc_nack_deadline(&t->nack);

        if (us && us < next) {
            next = us;
        }

        if (t->held_us && t->held_us < next) {
            next = t->held_us;
        }
    }

    ms = (next > now_us) ? (ngx_msec_t) ((next - now_us) / 1000) : 0;
    ms = ngx_max(ms, NGX_WEBRTC_PUBLISHER_TICK);

    if (pub->timer.timer_set) {

        if ((ngx_msec_int_t) (pub->timer.timer.key - (ngx_current_msec + ms))
            <= 0)
        {
            return;
        }

        ngx_del_timer(&pub->timer);
    }

    ngx_add_timer(&pub->timer, ms);
}
