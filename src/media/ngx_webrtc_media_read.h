
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Reads what a job has said and written, no more in one turn of the event loop
 * than others can wait for.
 */


#ifndef _NGX_WEBRTC_MEDIA_READ_H_INCLUDED_
#define _NGX_WEBRTC_MEDIA_READ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_media_job.h"


/*
 * Of one job, in one turn.  A record larger than that is read whole.
 *
 *   bytes     of records; chosen: a large key frame
 *   records   chosen: twenty seconds of a stream, as after a worker that was
 *             held up
 *   messages  chosen: a job that starts sends a few
 */
#define NGX_WEBRTC_MEDIA_TURN_BYTES     (4 * 1024 * 1024)
#define NGX_WEBRTC_MEDIA_TURN_RECORDS   1024
#define NGX_WEBRTC_MEDIA_TURN_MESSAGES  16


/*
 * Reads a turn's share, and calls the job's handlers.
 *
 * NGX_OK        nothing is left
 * NGX_AGAIN     there is more, for another turn; or the job is held
 * NGX_DONE      a handler has closed the job
 * NGX_DECLINED  its socket is closed, and nothing is left
 * NGX_ERROR     the process is of no use
 */
ngx_int_t ngx_webrtc_media_read(ngx_webrtc_media_job_t *job);

/* Reads a turn's share of what it has written: its process has ended. */
void ngx_webrtc_media_read_last(ngx_webrtc_media_job_t *job);

/* Frees what is kept of a job, and what is kept for all. */
void ngx_webrtc_media_read_free(ngx_webrtc_media_job_t *job);
void ngx_webrtc_media_read_done(void);


#endif /* _NGX_WEBRTC_MEDIA_READ_H_INCLUDED_ */
