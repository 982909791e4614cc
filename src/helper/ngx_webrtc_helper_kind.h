
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A kind of job: a row of functions.  What all jobs have is in
 * ngx_webrtc_helper_job.c: the socket, the rings, a thread, and its notes.
 */


#ifndef _NGX_WEBRTC_HELPER_KIND_H_INCLUDED_
#define _NGX_WEBRTC_HELPER_KIND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_media_message.h"
#include "ngx_webrtc_media_ring.h"
#include "ngx_webrtc_source_thread.h"


typedef struct ngx_webrtc_helper_job_s  ngx_webrtc_helper_job_t;


/*
 *   create   makes the job's thread, which is not started yet, and job->part.
 *            NGX_OK; NGX_ERROR: cause (constant text) and err (an errno, or
 *            0) are set, and free() is called
 *   input    a message of the worker that is not common to all kinds: called
 *            in the process's loop.  NGX_OK; NGX_DECLINED: not one for it.
 *            May be NULL
 *   free     frees job->part, which may be NULL; the thread has ended
 */
typedef struct {
    ngx_int_t                (*create)(ngx_webrtc_helper_job_t *job,
                                       ngx_webrtc_media_start_t *start,
                                       const char **cause, int *err);
    ngx_int_t                (*input)(ngx_webrtc_helper_job_t *job,
                                      ngx_webrtc_media_message_t *m);
    void                     (*free)(ngx_webrtc_helper_job_t *job);
} ngx_webrtc_helper_kind_t;


struct ngx_webrtc_helper_job_s {
    const ngx_webrtc_helper_kind_t  *kind;
    void                            *part;       /* the kind's own */
    ngx_webrtc_source_thread_t      *th;
    int                              fd;
    int                              wake;
    ngx_str_t                        name;       /* of the stream */
    unsigned                         deaf:1;     /* the worker sends no more */

    /* the thread's */

    ngx_webrtc_media_ring_t          ring;       /* to the worker */
    ngx_webrtc_media_ring_t          feed;       /* from it, if it is fed */
};


/*
 * For the kinds' create(): what conf has of every job.  The rest is 0.
 */
void ngx_webrtc_helper_job_conf(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_source_thread_conf_t *conf);

/* Sends a message, in any thread; blocks while the worker does not read. */
void ngx_webrtc_helper_job_send(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_message_t *m);

/*
 * Writes a record for the worker, in the job's thread; waits for room.
 *
 * NGX_OK     written, or too large for anyone
 * NGX_ABORT  the thread has to stop
 */
ngx_int_t ngx_webrtc_helper_job_put(void *job, ngx_webrtc_media_record_t *r);

/*
 * Takes the oldest record that the worker has written, in the job's thread.
 *
 *   buf, size   memory of malloc(), grown as needed; r->data points into it,
 *               followed by spare bytes, which are 0
 *   spare       bytes
 *
 * NGX_OK
 * NGX_AGAIN  there is none: ngx_webrtc_source_thread_wait_fed()
 * NGX_ERROR  malformed, or no memory
 */
ngx_int_t ngx_webrtc_helper_job_take(ngx_webrtc_helper_job_t *job,
    u_char **buf, size_t *size, size_t spare, ngx_webrtc_media_record_t *r);

/*
 * The same, but waits for a record.
 *
 * NGX_OK
 * NGX_ABORT  the thread has to stop
 * NGX_ERROR  malformed, or no memory
 */
ngx_int_t ngx_webrtc_helper_job_wait(ngx_webrtc_helper_job_t *job,
    u_char **buf, size_t *size, size_t spare, ngx_webrtc_media_record_t *r);


/* the rows */
extern const ngx_webrtc_helper_kind_t  ngx_webrtc_helper_source;
extern const ngx_webrtc_helper_kind_t  ngx_webrtc_helper_transcode;
extern const ngx_webrtc_helper_kind_t  ngx_webrtc_helper_movie;
extern const ngx_webrtc_helper_kind_t  ngx_webrtc_helper_output;
extern const ngx_webrtc_helper_kind_t  ngx_webrtc_helper_picture;


#endif /* _NGX_WEBRTC_HELPER_KIND_H_INCLUDED_ */
