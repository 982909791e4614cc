
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * When something is due for a sender.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_ingest_timer.h"


/* least ms between two wake-ups of the feedback timer */
#define NGX_WEBRTC_INGEST_TICK      5

/* ms that it may wake up too early, as when what it was for has been done;
 * chosen: to set it anew takes less than a turn of the event loop */
#define NGX_WEBRTC_INGEST_EARLY     10


void
ngx_webrtc_ingest_timer_arm(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    uint64_t                    next, us;
    ngx_msec_t                  ms;
    ngx_uint_t                  i;
    ngx_msec_int_t              late;
    ngx_webrtc_ingest_track_t  *t;

    next = in->reported_us + NGX_WEBRTC_INGEST_REPORT;

    us = ngx_webrtc_twcc_deadline(&in->twcc);

    if (us && us < next) {
        next = us;
    }

    if (in->nlayers) {
        us = in->checked_us + NGX_WEBRTC_INGEST_LOOK;
        next = ngx_min(next, us);
    }

    for (i = 0; i < in->ntracks; i++) {
        t = &in->tracks[i];

        if (t->want_key) {
            us = t->asked_us
                 + (uint64_t) in->policy->keyframe_interval * 1000;
            us = ngx_max(us, t->hush_us);
            next = ngx_min(next, us);
        }

        us = ngx_webrtc_nack_deadline(&t->nack);

        if (us && us < next) {
            next = us;
        }

        if (t->held_us && t->held_us < next) {
            next = t->held_us;
        }
    }

    ms = (next > now_us) ? (ngx_msec_t) ((next - now_us) / 1000) : 0;
    ms = ngx_max(ms, NGX_WEBRTC_INGEST_TICK);

    if (in->timer.timer_set) {

        late = (ngx_msec_int_t) (in->timer.timer.key
                                 - (ngx_current_msec + ms));

        /* what is due is not moved on by what comes, or it never happens */

        if (late <= 0
            && (late >= -NGX_WEBRTC_INGEST_EARLY
                || ms == NGX_WEBRTC_INGEST_TICK))
        {
            return;
        }

        ngx_del_timer(&in->timer);
    }

    ngx_add_timer(&in->timer, ms);
}
