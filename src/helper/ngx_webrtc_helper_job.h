
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A job of the media process: its thread, its socket and its rings.
 *
 * The thread sends notes, records and questions itself; the worker's messages
 * are read by the process's loop.
 */


#ifndef _NGX_WEBRTC_HELPER_JOB_H_INCLUDED_
#define _NGX_WEBRTC_HELPER_JOB_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_helper_kind.h"
#include "ngx_webrtc_media_message.h"


/*
 * Starts a job.
 *
 *   start   as sent by the worker
 *   fd      its socket; owned by the job
 *   ring    descriptor of its ring to the worker; closed by the caller
 *   feed    of the ring to it, -1: its kind has none; closed by the caller
 *   wake    eventfd, written to when a thread may have ended
 *
 * NULL: no memory or no thread; the worker has been told, and fd is closed
 */
ngx_webrtc_helper_job_t *ngx_webrtc_helper_job_create(
    ngx_webrtc_media_start_t *start, int fd, int ring, int feed, int wake);

/*
 * Tells the worker that a job could not be started, and closes its socket.
 *
 *   err   an errno, or 0
 */
void ngx_webrtc_helper_job_refuse(int fd, const char *cause, int err);

/* Descriptor to read from; -1: nothing more will come. */
int ngx_webrtc_helper_job_fd(ngx_webrtc_helper_job_t *job);

/* Reads what the worker has sent. */
void ngx_webrtc_helper_job_input(ngx_webrtc_helper_job_t *job);

/* Asks its thread to end. */
void ngx_webrtc_helper_job_stop(ngx_webrtc_helper_job_t *job);

/*
 * NGX_OK     the thread ended within ms milliseconds, or before; the job is
 *            freed and the worker sees its socket closed
 * NGX_AGAIN  still running
 */
ngx_int_t ngx_webrtc_helper_job_ended(ngx_webrtc_helper_job_t *job,
    ngx_uint_t ms);


#endif /* _NGX_WEBRTC_HELPER_JOB_H_INCLUDED_ */
