
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A file session.  It wires engines that know nothing of each other:
 *
 *   DTLS -> ngx_webrtc_sctp -> ngx_webrtc_channel -> ngx_webrtc_ranges
 *                                       |                 which bytes next
 *   DTLS <- packets <- message <- frame +--- file: pread, or a thread
 *
 * Who runs when.  Whatever comes in (a packet, room in the association, a read
 * that a thread has done, a deadline) posts one event; ngx_webrtc_files_pump()
 * is the only place that asks ranges for work and reads.  It serves the
 * session's channels in turn, chunk by chunk, and gives way to other sessions
 * after NGX_WEBRTC_FILES_TURN bytes, where a chunk counts for no less than
 * NGX_WEBRTC_FILES_LEAST: reads of a byte are no less work.
 *
 * Reading.  preadv2() with RWF_NOWAIT takes what is in the page cache; what is
 * not is read by nginx's default thread pool, which also makes the kernel read
 * ahead, so that mostly the next reads do not need it.  A thread sees its task
 * and the descriptor.  A session that ends meanwhile leaves its struct and the
 * descriptor to the last of its tasks.
 *
 * What is read ahead.  A message waits for all that SCTP has been given, the
 * first bytes of where a viewer seeks to as well, and it cannot be taken back.
 * So it is given no more than it says that the path is good for (assoc.high);
 * what is not read yet is forgotten with its range.
 *
 * A file that changes: see ngx_webrtc_files_change.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include "ngx_webrtc_files_run.h"


/* milliseconds between warnings of too little memory; chosen */
#define NGX_WEBRTC_FILES_WARN   60000


static void *ngx_webrtc_files_init(ngx_webrtc_worker_t *wk, void *conf);
static void ngx_webrtc_files_done(void *state);
static void ngx_webrtc_files_tick(void *state);
static void ngx_webrtc_files_start(ngx_webrtc_session_t *s);
static void ngx_webrtc_files_stop(ngx_webrtc_session_t *s);
static void ngx_webrtc_files_set_name(ngx_webrtc_files_t *f, u_char *path);
static void ngx_webrtc_files_laggard(ngx_webrtc_files_worker_t *fw,
    ngx_webrtc_memory_account_t *last);
static void ngx_webrtc_files_pump(ngx_event_t *ev);
static size_t ngx_webrtc_files_step(ngx_webrtc_files_t *f,
    ngx_webrtc_files_channel_t *fc);
static void ngx_webrtc_files_credit(ngx_webrtc_files_t *f);
static void ngx_webrtc_files_arm(ngx_webrtc_files_t *f);
static void ngx_webrtc_files_timer(ngx_event_t *ev);


const ngx_webrtc_role_t  ngx_webrtc_files_role = {
    .name = "file",
    .id = NGX_WEBRTC_PEER_FILES,
    .media = NGX_WEBRTC_ROLE_NO_MEDIA,

    .init = ngx_webrtc_files_init,
    .done = ngx_webrtc_files_done,
    .tick = ngx_webrtc_files_tick,

    .start = ngx_webrtc_files_start,
    .stop = ngx_webrtc_files_stop,
    .data = ngx_webrtc_files_input
};


static void *
ngx_webrtc_files_init(ngx_webrtc_worker_t *wk, void *conf)
{
    ngx_webrtc_files_worker_t  *fw;

    fw = ngx_calloc(sizeof(ngx_webrtc_files_worker_t), wk->log);
    if (fw == NULL) {
        return NULL;
    }

    fw->wk = wk;
    fw->conf = *(ngx_webrtc_files_conf_t *) conf;

    ngx_webrtc_memory_init(&fw->memory, fw->conf.memory);

    return fw;
}


static void
ngx_webrtc_files_start(ngx_webrtc_session_t *s)
{
    ngx_int_t                rc;
    ngx_webrtc_files_t      *f;
    ngx_webrtc_peer_file_t  *file;

    file = s->peer->file;

    if (file == NULL) {
        ngx_webrtc_session_close(s, "the file is another one now");
        return;
    }

    f = ngx_calloc(sizeof(ngx_webrtc_files_t), &s->log);
    if (f == NULL) {
        ngx_webrtc_session_close(s, "file session failed");
        return;
    }

    f->session = s;
    f->fw = ngx_webrtc_files_worker(s->wk);
    f->file = *file;
    f->nowait = 1;

    f->active.max = file->ranges;
    f->after = file->limit_after;
    f->credit = (int64_t) file->limit_rate;
    f->credited = ngx_current_msec;

    f->pump.handler = ngx_webrtc_files_pump;
    f->pump.data = f;
    f->pump.log = &s->log;

    f->timer.handler = ngx_webrtc_files_timer;
    f->timer.data = f;
    f->timer.log = &s->log;

    rc = ngx_webrtc_files_open(f, ngx_webrtc_file_path(file));

    if (rc != NGX_OK) {
        ngx_free(f);
        ngx_webrtc_session_close(s, rc == NGX_DECLINED
                                    ? "the file is another one now"
                                    : "file session failed");
        return;
    }

    s->part = f;

    ngx_webrtc_memory_begin(&f->fw->memory, &f->account, f,
                            ngx_current_msec);

    ngx_webrtc_files_set_name(f, ngx_webrtc_file_path(file));

    if (ngx_webrtc_files_associate(f) != NGX_OK) {
        ngx_webrtc_files_stop(s);
        ngx_webrtc_session_close(s, "file session failed");
        return;
    }

    ngx_webrtc_files_arm(f);
}


/* what stands behind the last slash, with all that is not UTF-8 replaced */

static void
ngx_webrtc_files_set_name(ngx_webrtc_files_t *f, u_char *path)
{
    u_char    *p, *end, *last, *start;
    size_t     n;
    uint32_t   c;

    end = path + f->file.path_len;

    for (p = end; p > path && p[-1] != '/'; p--) { /* void */ }

    last = f->name;

    while (p < end && (size_t) (last - f->name) < NGX_WEBRTC_FILES_NAME) {
        start = p;

        if (*p < 0x80) {
            *last++ = *p++;
            continue;
        }

        c = ngx_utf8_decode(&p, end - p);

        if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
            *last++ = '?';
            p = start + 1;
            continue;
        }

        n = p - start;

        if (n > (size_t) (f->name + NGX_WEBRTC_FILES_NAME - last)) {
            break;
        }

        last = ngx_cpymem(last, start, n);
    }

    f->name_len = last - f->name;
}


static void
ngx_webrtc_files_stop(ngx_webrtc_session_t *s)
{
    ngx_webrtc_files_t  *f;

    f = s->part;

    if (f == NULL) {
        return;
    }

    if (f->pump.posted) {
        ngx_delete_posted_event(&f->pump);
    }

    if (f->timer.timer_set) {
        ngx_del_timer(&f->timer);
    }

    if (f->sctp) {
        ngx_webrtc_channels_down(&f->channels);

        ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                      "webrtc file session sent:%uL repeated:%uL rtt:%uD",
                      f->assoc.total, f->assoc.repair.repeats
                                      + f->assoc.repair.probes,
                      f->assoc.repair.rate.min_ms);

        ngx_webrtc_sctp_abort(&f->assoc);
        ngx_webrtc_sctp_cleanup(&f->assoc);
        f->sctp = 0;

        ngx_webrtc_udp_flush(f->fw->wk->udp);
        ngx_webrtc_files_sctp_arm(f->fw);
    }

    ngx_webrtc_memory_end(&f->fw->memory, &f->account);

    s->part = NULL;
    f->session = NULL;

    if (f->tasks == 0) {
        ngx_webrtc_files_free(f);
    }
}


void
ngx_webrtc_files_free(ngx_webrtc_files_t *f)
{
    if (ngx_close_file(f->fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, f->fw->wk->log, ngx_errno,
                      ngx_close_file_n " of a file session failed");
    }

    ngx_free(f);
}


static void
ngx_webrtc_files_done(void *state)
{
    ngx_webrtc_files_worker_t *fw = state;

    if (fw->timer.timer_set) {
        ngx_del_timer(&fw->timer);
    }

    if (fw->sctp) {
        ngx_webrtc_sctp_destroy(fw->sctp);
    }

    if (fw->frame) {
        ngx_free(fw->frame);
    }

    ngx_free(fw);
}


/* gives memory back to the system after a peak */

static void
ngx_webrtc_files_tick(void *state)
{
    ngx_webrtc_files_worker_t *fw = state;

    ngx_webrtc_files_laggard(fw, ngx_webrtc_memory_laggard(&fw->memory,
                                                        ngx_current_msec));

    if (!ngx_webrtc_memory_fell(&fw->memory)) {
        return;
    }

#ifdef __GLIBC__

    /*
     * usrsctp's buffers, and what it and OpenSSL have of a session, are small
     * pieces all over the heap
     */

    (void) malloc_trim(0);

#endif
}


/*
 * Tells what the session holds.  When all together hold too much, one of them
 * is ended, which may be this one: nothing is to be done with it afterwards.
 */

void
ngx_webrtc_files_account(ngx_webrtc_files_t *f)
{
    size_t                        held;
    ngx_webrtc_memory_account_t  *last;

    held = f->assoc.buffered + ngx_webrtc_sctp_overhead(&f->assoc)
           + f->assoc.repair.held + f->reading * f->file.chunk;

    if (f->assoc.buffered) {

        /* else it is not the peer that they wait for */

        held += f->active.items * NGX_WEBRTC_RANGES_ITEM;
    }

    last = ngx_webrtc_memory_note(&f->fw->memory, &f->account, held,
                                  f->assoc.total - f->assoc.buffered,
                                  ngx_current_msec);

    ngx_webrtc_files_laggard(f->fw, last);
}


/* last: the account of a session that has to go, or NULL */

static void
ngx_webrtc_files_laggard(ngx_webrtc_files_worker_t *fw,
    ngx_webrtc_memory_account_t *last)
{
    ngx_webrtc_files_t  *f;

    if (last == NULL) {
        return;
    }

    f = last->data;

    if (fw->warned == 0
        || ngx_current_msec - fw->warned >= NGX_WEBRTC_FILES_WARN)
    {
        fw->warned = ngx_current_msec;

        ngx_log_error(NGX_LOG_WARN, &f->session->log, 0,
                      "webrtc_file_memory of %uz bytes is used up, "
                      "the slowest file sessions are ended",
                      fw->conf.memory);
    }

    ngx_webrtc_session_close(f->session, "webrtc_file_memory is used up");
}


void
ngx_webrtc_files_wake(ngx_webrtc_files_t *f)
{
    if (!f->pump.posted) {
        ngx_post_event(&f->pump, &ngx_posted_events);
    }
}


static void
ngx_webrtc_files_pump(ngx_event_t *ev)
{
    size_t                       n, left;
    ngx_uint_t                   idle;
    ngx_webrtc_files_t          *f;
    ngx_webrtc_files_channel_t  *fc;

    f = ev->data;

    if (f->session->state != NGX_WEBRTC_SESSION_UP) {
        return;
    }

    ngx_webrtc_files_credit(f);

    left = NGX_WEBRTC_FILES_TURN;
    idle = 0;

    while (idle < NGX_WEBRTC_CHANNELS) {

        fc = f->served[f->turn];
        f->turn = (f->turn + 1) % NGX_WEBRTC_CHANNELS;

        n = fc ? ngx_webrtc_files_step(f, fc) : 0;

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

    ngx_webrtc_files_sctp_arm(f->fw);
    ngx_webrtc_files_arm(f);

    if (ngx_webrtc_files_idle(f)) {
        ngx_webrtc_dtls_idle(&f->session->dtls);
    }

    ngx_webrtc_files_account(f);
}


ngx_uint_t
ngx_webrtc_files_idle(ngx_webrtc_files_t *f)
{
    return f->assoc.buffered == 0 && f->active.active == 0;
}


/* one chunk of a channel; returns 0 when there is nothing to do for it now */

static size_t
ngx_webrtc_files_step(ngx_webrtc_files_t *f, ngx_webrtc_files_channel_t *fc)
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

    if (fc->held) {

        rc = ngx_webrtc_ranges_data(&fc->ranges, &fc->read, fc->held,
                                    fc->nheld, ngx_current_msec);

        if (rc == NGX_AGAIN) {
            return 0;
        }

        ngx_free(fc->held);
        fc->held = NULL;
    }

    if (f->file.limit_rate && f->after == 0 && f->credit <= 0) {
        return 0;
    }

    unsent = fc->full ? ngx_webrtc_sctp_unsent(&f->assoc) : 0;

    /* what threads are reading will be buffered */

    buffered = f->assoc.buffered + f->reading * fc->ranges.opts.chunk;

    high = ngx_webrtc_memory_share(&f->fw->memory, &f->account,
                                   NGX_WEBRTC_SCTP_HIGH_MIN, f->assoc.high);

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


/* limit_rate: a bucket that holds what a second brings */

static void
ngx_webrtc_files_credit(ngx_webrtc_files_t *f)
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

    /* what is not a byte yet is left for the next time */

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


/* the session's file timer: the earliest of all deadlines */

static void
ngx_webrtc_files_arm(ngx_webrtc_files_t *f)
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
    }

    if (f->file.limit_rate && f->after == 0 && f->credit <= 0) {

        deadline = now + 1 + (uint64_t) -f->credit * 1000 / f->file.limit_rate;

        if ((ngx_msec_int_t) ((ngx_msec_t) deadline - next) < 0) {
            next = (ngx_msec_t) deadline;
        }
    }

    if (f->file.changes == NGX_WEBRTC_FILE_FOLLOW
        && !f->looking && !f->changed)
    {
        deadline = ngx_webrtc_files_look_at(f);

        if ((ngx_msec_int_t) ((ngx_msec_t) deadline - next) < 0) {
            next = (ngx_msec_t) deadline;
        }
    }

    if ((ngx_msec_int_t) (next - now) < 1) {
        next = now + 1;
    }

    if (f->timer.timer_set) {

        if (f->timer.timer.key == next) {
            return;
        }

        ngx_del_timer(&f->timer);
    }

    ngx_add_timer(&f->timer, next - now);
}


static void
ngx_webrtc_files_timer(ngx_event_t *ev)
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

    if (f->file.changes == NGX_WEBRTC_FILE_FOLLOW
        && !f->looking && !f->changed
        && (ngx_msec_int_t) (ngx_current_msec - ngx_webrtc_files_look_at(f))
           >= 0)
    {
        ngx_webrtc_files_look(f);
    }

    ngx_webrtc_files_wake(f);
}
