
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The memory that file sessions hold: when all of a worker together hold too
 * much, the slowest is ended.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_files_account.h"


/* milliseconds between warnings of too little memory; chosen */
#define NGX_WEBRTC_FILES_WARN   60000


/*
 * Reports what the session holds.  When all together hold too much, one of them
 * is ended, which may be this one: do not use it afterwards.
 */

void
ngx_webrtc_files_account(ngx_webrtc_files_t *f)
{
    size_t                        held;
    ngx_webrtc_budget_account_t  *last;

    held = f->assoc.buffered + ngx_webrtc_sctp_overhead(&f->assoc)
           + f->assoc.repair.held + f->reading * f->policy.file_chunk
           + f->kept;

    if (f->assoc.buffered) {

        /* otherwise it is not the peer that they wait for */

        held += f->active.items * NGX_WEBRTC_RANGES_ITEM;
    }

    last = ngx_webrtc_budget_held(&f->fw->memory, &f->account, held,
                                  f->assoc.total - f->assoc.buffered,
                                  ngx_current_msec);

    ngx_webrtc_files_account_laggard(f->fw, last);
}


void
ngx_webrtc_files_account_laggard(ngx_webrtc_files_worker_t *fw,
    ngx_webrtc_budget_account_t *last)
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
