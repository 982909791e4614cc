
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Tasks of a file session for threads.  A session that ends meanwhile leaves
 * its struct and the descriptor to the last of its tasks.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_files_task.h"


#if (NGX_THREADS)

ngx_thread_task_t *
ngx_webrtc_files_task_make(ngx_webrtc_files_t *f, size_t size, size_t room,
    void (*handler)(void *data, ngx_log_t *log), ngx_event_handler_pt done)
{
    ngx_thread_task_t  *task;

    if (f->fw->conf.npools == 0) {
        return NULL;
    }

    task = ngx_alloc(sizeof(ngx_thread_task_t) + size + room,
                     &f->session->log);
    if (task == NULL) {
        return NULL;
    }

    ngx_memzero(task, sizeof(ngx_thread_task_t) + size);

    task->ctx = task + 1;
    task->handler = handler;
    task->event.data = task;
    task->event.handler = done;
    task->event.log = f->fw->wk->log;

    return task;
}


ngx_int_t
ngx_webrtc_files_task_post(ngx_webrtc_files_t *f, ngx_thread_task_t *task)
{
    ngx_uint_t                pool;
    ngx_webrtc_files_conf_t  *conf;

    conf = &f->fw->conf;

    /* the slot may be from an older configuration than ours */

    pool = (f->policy.file_pool < conf->npools) ? f->policy.file_pool : 0;

    if (ngx_thread_task_post(conf->pools[pool], task) != NGX_OK) {
        ngx_free(task);
        return NGX_DECLINED;
    }

    f->tasks++;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_files_task_returned(ngx_webrtc_files_t *f)
{
    f->tasks--;

    if (f->session == NULL) {

        if (f->tasks == 0) {
            ngx_webrtc_files_task_free(f);
        }

        return NGX_DECLINED;
    }

    return (f->session->state == NGX_WEBRTC_SESSION_UP) ? NGX_OK
                                                        : NGX_DECLINED;
}

#endif


void
ngx_webrtc_files_task_free(ngx_webrtc_files_t *f)
{
    if (ngx_close_file(f->fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, f->fw->wk->log, ngx_errno,
                      ngx_close_file_n " of a file session failed");
    }

    ngx_free(f);
}
