
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The worker's side of the media process: starts it, gives it jobs, checks what
 * it sends, watches it, and replaces it.
 *
 * A job does the work of one source: its upstreams are opened and demuxed,
 * and their audio transcoded if needed.  Or it makes another codec of a video
 * that it is fed, or a file, or a picture.  It sends notes about what happens,
 * and records with access units.
 *
 * One process, started with the first job or before, serves all jobs of a
 * worker that feed streams, another one all that write them, and a third one
 * all that make pictures.  A job that may have killed an earlier process gets
 * one of its own.
 */


#ifndef _NGX_WEBRTC_MEDIA_H_INCLUDED_
#define _NGX_WEBRTC_MEDIA_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_media_job.h"
#include "ngx_webrtc_media_message.h"


/*
 * ms between pings, and unanswered pings in a row before the process is taken
 * for dead; chosen: longer than a busy machine keeps anybody waiting
 */
#define NGX_WEBRTC_MEDIA_PING_MS      1000
#define NGX_WEBRTC_MEDIA_UNANSWERED   10

/* ms that a process without jobs is kept; chosen: a viewer who reloads */
#define NGX_WEBRTC_MEDIA_IDLE_MS      10000


/*
 * Sets the parameters of this worker's processes; called before the first
 * job.
 *
 *   program   path, null-terminated
 *   memory    bytes that a process may use
 *   ready     a process is started now, and kept without jobs
 *   log       lives as long as the worker
 */
void ngx_webrtc_media_init(ngx_str_t *program, size_t memory, ngx_uint_t ready,
    ngx_log_t *log);

/*
 * Starts a job.  Takes one connection and one descriptor, and 32 MB of address
 * space for each of its rings.
 *
 *   start    copied
 *   alone    in a process of its own
 *   log      lives as long as the job
 *   cause    constant text, set if NULL is returned
 *
 * NULL: it could not be started; *err is an errno, or 0
 */
ngx_webrtc_media_job_t *ngx_webrtc_media_start(ngx_webrtc_media_start_t *start,
    ngx_uint_t alone, const ngx_webrtc_media_handlers_t *handlers, void *data,
    ngx_log_t *log, const char **cause, ngx_err_t *err);

/* Ends it: no handler is called from then on. */
void ngx_webrtc_media_close(ngx_webrtc_media_job_t *job);

/* For exit_process: ends all processes.  Jobs have been closed before. */
void ngx_webrtc_media_done(void);


#endif /* _NGX_WEBRTC_MEDIA_H_INCLUDED_ */
