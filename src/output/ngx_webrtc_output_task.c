
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Work that waits for a disk: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#if (NGX_THREADS)
#include <ngx_thread_pool.h>
#endif

#include "ngx_webrtc_output_task.h"


ngx_int_t
ngx_webrtc_output_task(void *pool, void *data,
    void (*handler)(void *data, ngx_log_t *log), ngx_event_handler_pt done,
    ngx_log_t *log)
{
#if (NGX_THREADS)

    ngx_thread_task_t  *task;

    task = ngx_calloc(sizeof(ngx_thread_task_t) + sizeof(void *), log);
    if (task == NULL) {
        return NGX_ERROR;
    }

    task->ctx = task + 1;
    *(void **) task->ctx = data;

    task->handler = handler;
    task->event.data = task;
    task->event.handler = done;
    task->event.log = ngx_cycle->log;

    if (ngx_thread_task_post(pool, task) != NGX_OK) {
        ngx_free(task);
        return NGX_DECLINED;
    }

    return NGX_OK;

#else

    ngx_event_t  ev;

    handler(&data, log);

    ngx_memzero(&ev, sizeof(ngx_event_t));
    ev.data = &data;

    done(&ev);

    return NGX_OK;

#endif
}


void *
ngx_webrtc_output_task_data(ngx_event_t *ev)
{
    void  *data;

#if (NGX_THREADS)
    ngx_thread_task_t  *task;

    task = ev->data;
    data = *(void **) task->ctx;
    ngx_free(task);
#else
    data = *(void **) ev->data;
#endif

    return data;
}
