
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Tasks of a file session for threads.
 */


#ifndef _NGX_WEBRTC_FILES_TASK_H_INCLUDED_
#define _NGX_WEBRTC_FILES_TASK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#if (NGX_THREADS)
#include <ngx_thread_pool.h>
#endif
#include "ngx_webrtc_files.h"


#if (NGX_THREADS)

/*
 * Makes a task for a thread, to be posted.
 *
 *   size    bytes of its context, task->ctx, zeroed
 *   room    bytes after that, not zeroed
 *   done    called in the event loop; ev->data is the task
 *
 * Returns NULL if there is no memory, or no pool.
 */
ngx_thread_task_t *ngx_webrtc_files_task_make(ngx_webrtc_files_t *f,
    size_t size, size_t room, void (*handler)(void *data, ngx_log_t *log),
    ngx_event_handler_pt done);

/* NGX_OK; NGX_DECLINED: no pool takes it, and it has been freed */
ngx_int_t ngx_webrtc_files_task_post(ngx_webrtc_files_t *f,
    ngx_thread_task_t *task);

/*
 * A task is done; the caller has to free it with ngx_free().
 *
 * NGX_OK
 * NGX_DECLINED  the session is not up any more, and f may be gone
 */
ngx_int_t ngx_webrtc_files_task_returned(ngx_webrtc_files_t *f);

#endif

/* Frees what is left once the session has ended and no task is running. */
void ngx_webrtc_files_task_free(ngx_webrtc_files_t *f);


#endif /* _NGX_WEBRTC_FILES_TASK_H_INCLUDED_ */
