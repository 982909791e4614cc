
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * One timer for the earliest of many deadlines, which is set again with every
 * event that may have changed one of them.
 */


#ifndef _NGX_WEBRTC_TIMER_H_INCLUDED_
#define _NGX_WEBRTC_TIMER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/*
 * Sets ev to expire at "at", in ms of ngx_current_msec, or within a millisecond
 * if that is past.
 *
 * A timer that is due already stays: nginx expires timers behind the events of
 * a turn, and one that each of them moves on would not expire for as long as
 * there are some in every turn.
 *
 * A timer that is not due is always moved: ngx_add_timer() alone would keep one
 * that is up to 300 ms too late (NGX_TIMER_LAZY_DELAY).
 */
static ngx_inline void
ngx_webrtc_timer_at(ngx_event_t *ev, ngx_msec_t at)
{
    ngx_msec_t  now;

    now = ngx_current_msec;

    if ((ngx_msec_int_t) (at - now) < 1) {
        at = now + 1;
    }

    if (ev->timer_set) {

        if (ev->timer.key == at
            || (at == now + 1
                && (ngx_msec_int_t) (ev->timer.key - at) < 0))
        {
            return;
        }

        ngx_del_timer(ev);
    }

    ngx_add_timer(ev, at - now);
}


#endif /* _NGX_WEBRTC_TIMER_H_INCLUDED_ */
