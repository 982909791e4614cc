
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Jobs that make one picture: their thread, between two rings.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/resource.h>

#include "ngx_webrtc_helper_kind.h"
#include "ngx_webrtc_helper_sandbox.h"
#include "ngx_webrtc_picture.h"
#include "ngx_webrtc_time.h"


/* bytes of stack; chosen: as for a transcoder, whose decoders these are */
#define NGX_WEBRTC_HELPER_PICTURE_STACK  (4 * 1024 * 1024)

/* it gives way to those who send; chosen */
#define NGX_WEBRTC_HELPER_PICTURE_NICE   5


typedef struct {
    ngx_webrtc_helper_job_t     *job;
    ngx_webrtc_picture_t         picture;
    u_char                      *buf;
    size_t                       size;
} ngx_webrtc_helper_picture_t;


static ngx_int_t ngx_webrtc_helper_picture_create(
    ngx_webrtc_helper_job_t *job, ngx_webrtc_media_start_t *start,
    const char **cause, int *err);
static void ngx_webrtc_helper_picture_body(ngx_webrtc_source_thread_t *th);
static ngx_int_t ngx_webrtc_helper_picture_next(
    ngx_webrtc_helper_picture_t *part, ngx_webrtc_media_record_t *r);
static void ngx_webrtc_helper_picture_made(ngx_webrtc_helper_picture_t *part);
static void ngx_webrtc_helper_picture_failed(
    ngx_webrtc_helper_picture_t *part, const char *cause);
static void ngx_webrtc_helper_picture_free(ngx_webrtc_helper_job_t *job);


const ngx_webrtc_helper_kind_t  ngx_webrtc_helper_picture = {
    ngx_webrtc_helper_picture_create,
    NULL,
    ngx_webrtc_helper_picture_free
};


static ngx_int_t
ngx_webrtc_helper_picture_create(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_start_t *start, const char **cause, int *err)
{
    ngx_webrtc_helper_picture_t      *part;
    ngx_webrtc_source_thread_conf_t   conf;

    *cause = "no memory in the media process";
    *err = 0;

    part = calloc(1, sizeof(ngx_webrtc_helper_picture_t));

    if (part == NULL) {
        return NGX_ERROR;
    }

    job->part = part;

    part->job = job;
    part->picture.want = start->picture;

    ngx_webrtc_helper_job_conf(job, &conf);

    conf.body = ngx_webrtc_helper_picture_body;
    conf.stack = NGX_WEBRTC_HELPER_PICTURE_STACK;

    job->th = ngx_webrtc_source_thread_create(&conf);

    return job->th ? NGX_OK : NGX_ERROR;
}


static void
ngx_webrtc_helper_picture_body(ngx_webrtc_source_thread_t *th)
{
    ngx_int_t                     rc;
    ngx_webrtc_helper_job_t      *job;
    ngx_webrtc_media_record_t     r;
    ngx_webrtc_helper_picture_t  *part;

    job = th->conf.ctx;
    part = job->part;

    /* of this thread and those that it makes */

    ngx_webrtc_helper_sandbox_no_files();

    (void) setpriority(PRIO_PROCESS, 0, NGX_WEBRTC_HELPER_PICTURE_NICE);

    do {
        rc = ngx_webrtc_helper_picture_next(part, &r);

        if (rc == NGX_OK) {
            rc = ngx_webrtc_picture_record(&part->picture, &r);
        }

    } while (rc == NGX_OK);

    if (rc == NGX_DONE) {
        ngx_webrtc_helper_picture_made(part);

    } else if (rc == NGX_ERROR) {
        ngx_webrtc_helper_picture_failed(part, part->picture.cause);
    }

    /* decoders' threads end in the thread that has made them */

    ngx_webrtc_picture_end(&part->picture);
}


/* waits for a record; NGX_ABORT: the thread has to stop */

static ngx_int_t
ngx_webrtc_helper_picture_next(ngx_webrtc_helper_picture_t *part,
    ngx_webrtc_media_record_t *r)
{
    ngx_int_t  rc;

    rc = ngx_webrtc_helper_job_wait(part->job, &part->buf, &part->size,
                                    NGX_WEBRTC_VIDEO_SPARE, r);
    if (rc == NGX_ERROR) {
        part->picture.cause = "no memory, or an unusable record";
    }

    return rc;
}


static void
ngx_webrtc_helper_picture_made(ngx_webrtc_helper_picture_t *part)
{
    AVPacket                   *pkt;
    ngx_webrtc_media_record_t   r;

    pkt = part->picture.made;

    if (pkt->size > (int) NGX_WEBRTC_MEDIA_RING_RECORD
                    - NGX_WEBRTC_MEDIA_RECORD_HEAD)
    {
        ngx_webrtc_helper_picture_failed(part, "its file is too large");
        return;
    }

    ngx_memzero(&r, sizeof(ngx_webrtc_media_record_t));

    r.type = NGX_WEBRTC_MEDIA_IMAGE;
    r.value = part->picture.webp;
    r.data = pkt->data;
    r.len = pkt->size;

    (void) ngx_webrtc_helper_job_put(part->job, &r);
}


static void
ngx_webrtc_helper_picture_failed(ngx_webrtc_helper_picture_t *part,
    const char *cause)
{
    ngx_webrtc_media_note_t  note;

    ngx_memzero(&note, sizeof(ngx_webrtc_media_note_t));

    note.type = NGX_WEBRTC_MEDIA_FAILED;
    note.level = NGX_LOG_ERR;
    note.len = ngx_min(ngx_strlen(cause), NGX_WEBRTC_MEDIA_TEXT);
    ngx_memcpy(note.text, cause, note.len);

    (void) ngx_webrtc_source_thread_post(part->job->th, &note);
}


static void
ngx_webrtc_helper_picture_free(ngx_webrtc_helper_job_t *job)
{
    ngx_webrtc_helper_picture_t  *part;

    part = job->part;

    if (part == NULL) {
        return;
    }

    ngx_webrtc_picture_end(&part->picture);

    free(part->buf);
    free(part);
}
