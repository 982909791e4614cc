
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Whose turn it is to read, and when.
 *
 * Order.  Whatever happens (a packet, room in the association, a read that a
 * thread has finished, a deadline) posts one event;
 * ngx_webrtc_files_turn_pump() is the only place that asks ranges for work and
 * reads.  It serves the session's channels in turn, chunk by chunk, and gives
 * way to other sessions after NGX_WEBRTC_FILES_TURN bytes, where a chunk counts
 * for at least NGX_WEBRTC_FILES_LEAST: reading one byte is no less work.
 *
 * Reading ahead.  A message, even the first bytes of where a viewer seeks to,
 * waits for everything given to SCTP before, which cannot be taken back.  So
 * SCTP is given no more than it says the path can take (assoc.high); what is
 * not read yet is forgotten with its range.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_files_turn.h"
#include "ngx_webrtc_files_account.h"
#include "ngx_webrtc_files_change.h"
#include "ngx_webrtc_files_channel.h"
#include "ngx_webrtc_files_play.h"
#include "ngx_webrtc_files_read.h"
#include "ngx_webrtc_timer.h"


static size_t ngx_webrtc_files_turn_step(ngx_webrtc_files_t *f,
    ngx_webrtc_files_channel_t *fc);
static void ngx_webrtc_files_turn_fill_credit(ngx_webrtc_files_t *f);


void
ngx_webrtc_files_turn_pump(ngx_event_t *ev)
{
    size_t                       n, left;
    ngx_uint_t                   idle;
    ngx_webrtc_files_t          *f;
    ngx_webrtc_files_channel_t  *fc;

    f = ev->data;

    if (f->session->state != NGX_WEBRTC_SESSION_UP) {
        return;
    }

    ngx_webrtc_files_turn_fill_credit(f);

    left = NGX_WEBRTC_FILES_TURN;
    idle = 0;

    while (idle < NGX_WEBRTC_CHANNELS) {

        fc = f->served[f->turn];
        f->turn = (f->turn + 1) % NGX_WEBRTC_CHANNELS;

        n = fc ? ngx_webrtc_files_turn_step(f, fc) : 0;

        if (n == 0) {
            idle++;
            continue;
        }

        idle = 0;
        n = ngx_max(n, NGX_WEBRTC_FILES_LEAST);

        if (n >= left) {
            /* others first, and what has come in meanwhile */
            ngx_post_event(ev, &ngx_posted_next_events);
            break;
        }

        left -= n;
    }

    ngx_webrtc_udp_flush(f->fw->wk->udp);

    ngx_webrtc_files_channel_arm(f->fw);
    ngx_webrtc_files_turn_arm(f);

    if (ngx_webrtc_files_idle(f)) {
        ngx_webrtc_dtls_idle(&f->session->dtls);
    }

    ngx_webrtc_files_account(f);
}


void
ngx_webrtc_files_turn_timer(ngx_event_t *ev)
{
    ngx_uint_t                   i;
    ngx_webrtc_files_t          *f;
    ngx_webrtc_files_channel_t  *fc;

    f = ev->data;

    if (f->session->state != NGX_WEBRTC_SESSION_UP) {
        return;
    }

    if (!f->opened
        && ngx_current_msec - (ngx_msec_t) f->session->peer->created_ms
           >= NGX_WEBRTC_FILES_OPEN)
    {
        ngx_webrtc_session_close(f->session, "no channel was opened");
        return;
    }

    for (i = 0; i < NGX_WEBRTC_CHANNELS; i++) {
        fc = f->served[i];

        if (fc) {
            ngx_webrtc_ranges_timeout(&fc->ranges, ngx_current_msec);
        }
    }

    if (f->policy.file_changes == NGX_WEBRTC_FILE_FOLLOW
        && !f->looking && !f->changed
        && (ngx_msec_int_t) (ngx_current_msec
                             - ngx_webrtc_files_change_look_at(f))
           >= 0)
    {
        ngx_webrtc_files_change_look(f);
    }

    ngx_webrtc_files_wake(f);
}


/* the session's file timer: the earliest of all deadlines */

void
ngx_webrtc_files_turn_arm(ngx_webrtc_files_t *f)
{
    uint64_t                     deadline;
    ngx_uint_t                   i;
    ngx_msec_t                   now, next;
    ngx_webrtc_files_channel_t  *fc;

    now = ngx_current_msec;
    next = now + NGX_WEBRTC_FILES_OPEN;

    if (!f->opened) {
        next = (ngx_msec_t) f->session->peer->created_ms
               + NGX_WEBRTC_FILES_OPEN;
    }

    for (i = 0; i < NGX_WEBRTC_CHANNELS; i++) {
        fc = f->served[i];

        if (fc == NULL) {
            continue;
        }

        deadline = ngx_webrtc_ranges_deadline(&fc->ranges);

        if (deadline != NGX_WEBRTC_RANGES_NO_DEADLINE
            && (ngx_msec_int_t) ((ngx_msec_t) deadline - next) < 0)
        {
            next = (ngx_msec_t) deadline;
        }

        if (fc->pause && (ngx_msec_int_t) (fc->again - next) < 0) {
            next = fc->again;
        }
    }

    if (f->file.limit_rate && f->after == 0 && f->credit <= 0) {

        deadline = now + 1 + (uint64_t) -f->credit * 1000 / f->file.limit_rate;

        if ((ngx_msec_int_t) ((ngx_msec_t) deadline - next) < 0) {
            next = (ngx_msec_t) deadline;
        }
    }

    if (f->policy.file_changes == NGX_WEBRTC_FILE_FOLLOW
        && !f->looking && !f->changed)
    {
        deadline = ngx_webrtc_files_change_look_at(f);

        if ((ngx_msec_int_t) ((ngx_msec_t) deadline - next) < 0) {
            next = (ngx_msec_t) deadline;
        }
    }

    ngx_webrtc_timer_at(&f->timer, next);
}


/* one chunk of a channel; returns 0 if there is nothing to do for it now */

static size_t
ngx_webrtc_files_turn_step(ngx_webrtc_files_t *f,
    ngx_webrtc_files_channel_t *fc)
{
    size_t                     buffered, unsent, high;
    ngx_int_t                  rc;
    ngx_webrtc_ranges_read_t   read;

    if (fc->hello) {

        if (ngx_webrtc_ranges_hello(&fc->ranges) == NGX_AGAIN) {
            return 0;
        }

        fc->hello = 0;
    }

    high = ngx_webrtc_budget_share(&f->fw->memory, &f->account,
                                   NGX_WEBRTC_SCTP_HIGH_MIN, f->assoc.high);

    if (fc->play) {
        ngx_webrtc_ranges_flush(&fc->ranges);
        ngx_webrtc_files_play_step(fc, high);
        return 0;
    }

    if (fc->held) {

        rc = ngx_webrtc_ranges_data(&fc->ranges, &fc->read, fc->held,
                                    fc->nheld, ngx_current_msec);

        if (rc == NGX_AGAIN) {
            return 0;
        }

        ngx_free(fc->held);
        fc->held = NULL;
    }

    if (fc->pause) {

        /* paid for already */

        if ((ngx_msec_int_t) (ngx_current_msec - fc->again) < 0) {
            return 0;
        }

        read = fc->refused;
        ngx_webrtc_files_read(f, fc, &read);

        return fc->pause ? 0 : read.length;
    }

    if (f->file.limit_rate && f->after == 0 && f->credit <= 0) {
        return 0;
    }

    unsent = fc->full ? ngx_webrtc_sctp_unsent(&f->assoc) : 0;

    /* what threads are reading will be buffered */

    buffered = f->assoc.buffered + f->reading * fc->ranges.opts.chunk;

    ngx_webrtc_ranges_marks(&fc->ranges, high, ngx_min(f->assoc.low, high));

    rc = ngx_webrtc_ranges_next(&fc->ranges, buffered, unsent,
                                ngx_current_msec, &read);

    fc->full = (rc == NGX_AGAIN);

    if (fc->full) {
        ngx_webrtc_sctp_wait(&f->assoc);
    }

    if (rc != NGX_OK) {
        return 0;
    }

    if (f->after >= read.length) {
        f->after -= read.length;

    } else {
        f->credit -= read.length - f->after;
        f->after = 0;
    }

    ngx_webrtc_files_read(f, fc, &read);

    return read.length;
}


/* limit_rate: a bucket that holds one second's worth */

static void
ngx_webrtc_files_turn_fill_credit(ngx_webrtc_files_t *f)
{
    uint64_t    n, rate;
    ngx_msec_t  ms;

    rate = f->file.limit_rate;

    if (rate == 0) {
        return;
    }

    ms = ngx_current_msec - f->credited;

    if (ms >= 1000 && f->credit >= 0) {
        f->credit = (int64_t) rate;
        f->credited = ngx_current_msec;
        return;
    }

    /* fractions of a byte are left for the next time */

    n = (rate / 1000) * ms + (rate % 1000) * ms / 1000;

    if (n == 0) {
        return;
    }

    f->credited = ngx_current_msec;
    f->credit += (int64_t) n;

    if (f->credit > (int64_t) rate) {
        f->credit = (int64_t) rate;
    }
}
