
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A file session.  It wires engines that are independent of each other:
 *
 *   DTLS -> ngx_webrtc_sctp -> ngx_webrtc_channel -> ngx_webrtc_ranges
 *                                       |                 which bytes next
 *   DTLS <- packets <- message <- frame +--- file: pread, or a thread
 *
 * Reading.  preadv2() with RWF_NOWAIT reads what is in the page cache; the rest
 * is read by nginx's default thread pool, which also makes the kernel read
 * ahead, so that the next reads mostly do not need a thread.  A thread sees its
 * task and the descriptor only.  A session that ends meanwhile leaves its
 * struct and the descriptor to the last of its tasks.
 *
 * A file that changes: see ngx_webrtc_files_change.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include "ngx_webrtc_files_role.h"
#include "ngx_webrtc_files_account.h"
#include "ngx_webrtc_files_change.h"
#include "ngx_webrtc_files_channel.h"
#include "ngx_webrtc_files_probe.h"
#include "ngx_webrtc_files_task.h"
#include "ngx_webrtc_files_turn.h"


static void *ngx_webrtc_files_role_init(ngx_webrtc_worker_t *wk, void *conf);
static void ngx_webrtc_files_role_done(void *state);
static void ngx_webrtc_files_role_tick(void *state);
static void ngx_webrtc_files_role_start(ngx_webrtc_session_t *s);
static void ngx_webrtc_files_role_stop(ngx_webrtc_session_t *s);
static void ngx_webrtc_files_role_set_name(ngx_webrtc_files_t *f, u_char *path);


const ngx_webrtc_role_t  ngx_webrtc_files_role = {
    .name = "file",
    .id = NGX_WEBRTC_PEER_FILES,
    .media = NGX_WEBRTC_ROLE_NO_MEDIA,

    .init = ngx_webrtc_files_role_init,
    .done = ngx_webrtc_files_role_done,
    .tick = ngx_webrtc_files_role_tick,
    .batch = ngx_webrtc_files_channel_batch,

    .start = ngx_webrtc_files_role_start,
    .stop = ngx_webrtc_files_role_stop,
    .data = ngx_webrtc_files_channel_input
};


static void *
ngx_webrtc_files_role_init(ngx_webrtc_worker_t *wk, void *conf)
{
    ngx_webrtc_files_worker_t  *fw;

    fw = ngx_calloc(sizeof(ngx_webrtc_files_worker_t), wk->log);
    if (fw == NULL) {
        return NULL;
    }

    fw->wk = wk;
    fw->conf = *(ngx_webrtc_files_conf_t *) conf;

    ngx_queue_init(&fw->batch);
    ngx_webrtc_budget_init(&fw->memory, fw->conf.memory);

    return fw;
}


static void
ngx_webrtc_files_role_start(ngx_webrtc_session_t *s)
{
    ngx_int_t                rc;
    ngx_webrtc_files_t      *f;
    ngx_webrtc_peer_file_t  *file;

    file = s->peer->file;

    if (file == NULL) {
        ngx_webrtc_session_close(s, "the file has been replaced");
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
    f->policy = s->peer->policy;
    f->nowait = 1;

    if (f->file.playing && f->policy.file_changes == NGX_WEBRTC_FILE_FOLLOW) {

        /* what is demuxed is what there was at the beginning */

        f->policy.file_changes = NGX_WEBRTC_FILE_IGNORE;
    }

    f->active.max = (ngx_uint_t) f->policy.file_ranges;
    f->after = file->limit_after;
    f->credit = (int64_t) file->limit_rate;
    f->credited = ngx_current_msec;

    f->pump.handler = ngx_webrtc_files_turn_pump;
    f->pump.data = f;
    f->pump.log = &s->log;

    f->timer.handler = ngx_webrtc_files_turn_timer;
    f->timer.data = f;
    f->timer.log = &s->log;

    rc = ngx_webrtc_files_change_open(f, ngx_webrtc_file_path(file));

    if (rc != NGX_OK) {
        ngx_free(f);
        ngx_webrtc_session_close(s, rc == NGX_DECLINED
                                    ? "the file has been replaced"
                                    : "file session failed");
        return;
    }

    s->part = f;

    ngx_webrtc_budget_begin(&f->fw->memory, &f->account, f,
                            ngx_current_msec);

    ngx_webrtc_files_role_set_name(f, ngx_webrtc_file_path(file));

    if (ngx_webrtc_files_channel_associate(f) != NGX_OK) {
        ngx_webrtc_files_role_stop(s);
        ngx_webrtc_session_close(s, "file session failed");
        return;
    }

    ngx_webrtc_files_turn_arm(f);
}


/* what follows the last slash, with everything that is not UTF-8 replaced */

static void
ngx_webrtc_files_role_set_name(ngx_webrtc_files_t *f, u_char *path)
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
ngx_webrtc_files_role_stop(ngx_webrtc_session_t *s)
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

    if (f->batched) {
        f->batched = 0;
        ngx_queue_remove(&f->queue);
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
        ngx_webrtc_files_channel_arm(f->fw);
    }

    ngx_webrtc_budget_end(&f->fw->memory, &f->account);

    s->part = NULL;
    f->session = NULL;

    if (f->tasks == 0) {
        ngx_webrtc_files_task_free(f);
    }
}


static void
ngx_webrtc_files_role_done(void *state)
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

    ngx_webrtc_files_probe_done();

    ngx_free(fw);
}


/* gives memory back to the system after a peak */

static void
ngx_webrtc_files_role_tick(void *state)
{
    ngx_webrtc_files_worker_t *fw = state;

    ngx_webrtc_files_account_laggard(fw, ngx_webrtc_budget_laggard(&fw->memory,
                                                        ngx_current_msec));

    if (!ngx_webrtc_budget_freed(&fw->memory)) {
        return;
    }

#ifdef __GLIBC__

    /*
     * usrsctp's buffers, and the state of a session in it and OpenSSL, are
     * small pieces all over the heap
     */

    (void) malloc_trim(0);

#endif
}
