
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Work that waits for a disk, in nginx's thread pool.
 */


#ifndef _NGX_WEBRTC_OUTPUT_TASK_H_INCLUDED_
#define _NGX_WEBRTC_OUTPUT_TASK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/*
 * Has a thread call handler(); then the event loop calls done(), once.  Without
 * threads, both are called at once.
 *
 *   pool      ngx_thread_pool_t *
 *   data      the thread's meanwhile
 *   handler   its data points to such a pointer
 *   done      asks for data with ngx_webrtc_output_task_data(), once
 *
 * NGX_OK; NGX_DECLINED: no thread is free; NGX_ERROR: no memory
 */
ngx_int_t ngx_webrtc_output_task(void *pool, void *data,
    void (*handler)(void *data, ngx_log_t *log), ngx_event_handler_pt done,
    ngx_log_t *log);

void *ngx_webrtc_output_task_data(ngx_event_t *ev);


#endif /* _NGX_WEBRTC_OUTPUT_TASK_H_INCLUDED_ */
