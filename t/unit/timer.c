
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A timer for the earliest deadline under nginx's order: the events of a turn,
 * each of which sets it, and then the timers that are due.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_webrtc_timer.h>
#include "tap.h"


typedef struct {
    const char  *name;
    ngx_msec_t   begin;
    ngx_msec_t   deadline;         /* ms from the beginning */
    ngx_msec_t   later;            /* 0, or what it is from 50 ms on */
    ngx_uint_t   every;            /* ms between turns with events */
    ngx_msec_t   least, most;      /* when it expires */
} row_t;


ngx_rbtree_t              ngx_event_timer_rbtree;

static ngx_rbtree_node_t  sentinel;
static ngx_event_t        ev;
static ngx_log_t          log;


/* what ngx_event_expire_timers() would do */

static ngx_uint_t
expired(void)
{
    if (!ev.timer_set || (ngx_msec_int_t) (ev.timer.key - ngx_current_msec) > 0)
    {
        return 0;
    }

    ngx_del_timer(&ev);

    return 1;
}


static void
turns(const row_t *row)
{
    ngx_msec_t  at, now;

    ngx_memzero(&ev, sizeof(ngx_event_t));
    ev.log = &log;

    for (at = 0; at < 2000; at++) {
        now = row->begin + at;
        ngx_current_msec = now;

        if (at % row->every == 0) {
            ngx_webrtc_timer_at(&ev, row->begin
                                     + (row->later && at >= 50 ? row->later
                                                          : row->deadline));
        }

        if (expired()) {
            break;
        }
    }

    tap_ok(at >= row->least && at <= row->most, "%s", row->name);

    if (ev.timer_set) {
        ngx_del_timer(&ev);
    }
}


int
main(void)
{
    size_t  i;

    static const row_t  rows[] = {
        { "events in every turn", 1000, 100, 0, 1, 100, 101 },
        { "events in every other one", 1000, 100, 0, 2, 100, 102 },
        { "none but the first", 1000, 100, 0, 5000, 100, 100 },
        { "the clock's number comes round",
          (ngx_msec_t) -70, 100, 0, 1, 100, 101 },
        { "one that was past", 1000, (ngx_msec_t) -5, 0, 1, 1, 2 },
        { "one that was past, events in every other turn",
          1000, (ngx_msec_t) -5, 0, 2, 1, 2 },
        { "it is earlier then", 1000, 400, 100, 1, 100, 101 },
        { "later, by less than nginx would look at", 1000, 100, 150, 1,
          150, 151 },
        { "earlier by as little", 1000, 150, 100, 1, 100, 101 },
        { "past then, by much", 1000, 400, 10, 1, 51, 52 },
    };

    ngx_rbtree_init(&ngx_event_timer_rbtree, &sentinel,
                    ngx_rbtree_insert_timer_value);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        turns(&rows[i]);
    }

    return tap_done();
}
