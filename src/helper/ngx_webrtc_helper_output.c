
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Jobs that write what they are fed: into a file that the worker has opened, to
 * another server, or back.  A disk that is slow, or a server, blocks this
 * thread and nobody else: the ring to it gets full, and the worker leaves out
 * frames or ends the job.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_helper_kind.h"
#include "ngx_webrtc_helper_sandbox.h"
#include "ngx_webrtc_time.h"
#include "ngx_webrtc_writer.h"


/* us between looks for an end while nothing comes; chosen */
#define NGX_WEBRTC_HELPER_OUTPUT_US     1000000

/* bytes of stack; chosen: a muxer and an encoder of sound, and room to spare */
#define NGX_WEBRTC_HELPER_OUTPUT_STACK  (1024 * 1024)


typedef struct {
    ngx_webrtc_helper_job_t   *job;
    ngx_webrtc_writer_conf_t   conf;
    ngx_webrtc_writer_t       *writer;
    char                      *text;       /* strings of conf */
    int                        file;       /* -1: none */
    uint64_t                   bytes;      /* written so far */
    u_char                    *buf;
    size_t                     size;
    unsigned                   failed:1;
} ngx_webrtc_helper_output_t;


static ngx_int_t ngx_webrtc_helper_output_create(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_start_t *start, const char **cause, int *err);
static void ngx_webrtc_helper_output_free(ngx_webrtc_helper_job_t *job);
static void ngx_webrtc_helper_output_run(ngx_webrtc_source_thread_t *th);
static ngx_int_t ngx_webrtc_helper_output_next(ngx_webrtc_helper_output_t *ho,
    ngx_webrtc_media_record_t *r);
static ngx_int_t ngx_webrtc_helper_output_file(void *ctx, u_char *p, size_t n,
    ngx_uint_t flags);
static ngx_int_t ngx_webrtc_helper_output_back(void *ctx, u_char *p, size_t n,
    ngx_uint_t flags);
static int64_t ngx_webrtc_helper_output_seek(void *ctx, int64_t offset);
static ngx_uint_t ngx_webrtc_helper_output_stopped(void *ctx);
static ngx_int_t ngx_webrtc_helper_output_muxed(ngx_webrtc_helper_output_t *ho,
    u_char *p, size_t n, ngx_uint_t flags);
static void ngx_webrtc_helper_output_say(void *ctx, ngx_uint_t level,
    const char *text);


const ngx_webrtc_helper_kind_t  ngx_webrtc_helper_output = {
    ngx_webrtc_helper_output_create,
    NULL,
    ngx_webrtc_helper_output_free
};


static ngx_int_t
ngx_webrtc_helper_output_create(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_start_t *start, const char **cause, int *err)
{
    char                             *p;
    ngx_str_t                        *format, *url;
    ngx_webrtc_helper_output_t       *ho;
    ngx_webrtc_source_thread_conf_t   conf;

    *cause = "no memory in the media process";
    *err = 0;

    ho = calloc(1, sizeof(ngx_webrtc_helper_output_t));

    if (ho == NULL) {
        return NGX_ERROR;
    }

    job->part = ho;

    ho->job = job;
    ho->file = -1;

    format = &start->output.format;
    url = &start->output.url;

    ho->text = calloc(1, format->len + url->len + 2);

    if (ho->text == NULL) {
        return NGX_ERROR;
    }

    p = (char *) ngx_cpymem(ho->text, format->data, format->len) + 1;
    ngx_memcpy(p, url->data, url->len);

    ho->conf.format = ho->text;
    ho->conf.url = url->len ? p : NULL;
    ho->conf.bytes = ngx_webrtc_helper_output_back;
    ho->conf.stopped = ngx_webrtc_helper_output_stopped;
    ho->conf.say = ngx_webrtc_helper_output_say;
    ho->conf.ctx = ho;

    if (ngx_webrtc_media_filed(start->kind)) {

        ho->conf.bytes = ngx_webrtc_helper_output_file;
        ho->conf.seek = ngx_webrtc_helper_output_seek;
        ho->conf.url = NULL;

        ho->file = fcntl(start->fd, F_DUPFD_CLOEXEC, 0);

        if (ho->file == -1) {
            *cause = "no descriptor for the file";
            *err = errno;
            return NGX_ERROR;
        }
    }

    *cause = "no such container in the media process";

    ho->writer = ngx_webrtc_writer_create(&ho->conf);

    if (ho->writer == NULL) {
        return NGX_ERROR;
    }

    ngx_webrtc_helper_job_conf(job, &conf);

    conf.body = ngx_webrtc_helper_output_run;
    conf.stack = NGX_WEBRTC_HELPER_OUTPUT_STACK;

    *cause = "no memory in the media process";

    job->th = ngx_webrtc_source_thread_create(&conf);

    return job->th ? NGX_OK : NGX_ERROR;
}


static void
ngx_webrtc_helper_output_free(ngx_webrtc_helper_job_t *job)
{
    ngx_webrtc_helper_output_t  *ho;

    ho = job->part;

    if (ho == NULL) {
        return;
    }

    if (ho->writer) {
        ngx_webrtc_writer_destroy(ho->writer);
    }

    if (ho->file != -1) {
        (void) close(ho->file);
    }

    free(ho->text);
    free(ho->buf);
    free(ho);
}


static void
ngx_webrtc_helper_output_run(ngx_webrtc_source_thread_t *th)
{
    ngx_int_t                    rc;
    ngx_webrtc_helper_job_t     *job;
    ngx_webrtc_media_record_t    r;
    ngx_webrtc_helper_output_t  *ho;

    job = th->conf.ctx;
    ho = job->part;

    ngx_webrtc_helper_sandbox_no_files();

    do {
        rc = ngx_webrtc_helper_output_next(ho, &r);

        if (rc != NGX_OK) {
            break;
        }

        rc = ngx_webrtc_writer_record(ho->writer, &r);

    } while (rc == NGX_OK);

    /* one that has to stop completes its file, too */

    if (rc != NGX_ERROR) {
        ngx_webrtc_writer_end(ho->writer);
    }

    (void) ngx_webrtc_helper_output_muxed(ho, NULL, 0, 0);

    ngx_webrtc_writer_destroy(ho->writer);
    ho->writer = NULL;
}


/* waits for a record; NGX_ABORT: the thread has to stop */

static ngx_int_t
ngx_webrtc_helper_output_next(ngx_webrtc_helper_output_t *ho,
    ngx_webrtc_media_record_t *r)
{
    ngx_int_t                    rc;
    ngx_webrtc_source_thread_t  *th;

    th = ho->job->th;

    for ( ;; ) {

        rc = ngx_webrtc_helper_job_take(ho->job, &ho->buf, &ho->size,
                                        NGX_WEBRTC_WRITER_SPARE, r);
        if (rc != NGX_AGAIN) {
            break;
        }

        /* what it has got is written before it stops */

        if (ngx_webrtc_source_thread_wait_fed(th, ngx_webrtc_time_now()
                                                  + NGX_WEBRTC_HELPER_OUTPUT_US)
            == NGX_ABORT)
        {
            return NGX_ABORT;
        }
    }

    if (rc != NGX_OK) {
        ngx_webrtc_helper_output_say(ho, NGX_LOG_ERR,
                                     "no memory, or an unusable record");
    }

    return rc;
}


static ngx_int_t
ngx_webrtc_helper_output_file(void *ctx, u_char *p, size_t n,
    ngx_uint_t flags)
{
    ngx_webrtc_helper_output_t *ho = ctx;

    ssize_t     rc;
    ngx_uint_t  k;
    char        text[NGX_WEBRTC_MEDIA_TEXT];

    if (ho->failed) {
        return NGX_ERROR;
    }

    for (k = 0; k < n; k += rc) {

        rc = write(ho->file, p + k, n - k);

        if (rc == -1 && errno == EINTR) {
            rc = 0;
            continue;
        }

        if (rc <= 0) {
            (void) snprintf(text, sizeof(text), "the file cannot be written: "
                            "%s", rc ? strerror(errno) : "nothing was");
            ngx_webrtc_helper_output_say(ho, NGX_LOG_ERR, text);
            ho->failed = 1;

            return NGX_ERROR;
        }
    }

    ho->bytes += n;

    return ngx_webrtc_helper_output_muxed(ho, NULL, 0, flags);
}


static ngx_int_t
ngx_webrtc_helper_output_back(void *ctx, u_char *p, size_t n,
    ngx_uint_t flags)
{
    ngx_webrtc_helper_output_t *ho = ctx;

    ho->bytes += n;

    return ngx_webrtc_helper_output_muxed(ho, p, n, flags);
}


static int64_t
ngx_webrtc_helper_output_seek(void *ctx, int64_t offset)
{
    ngx_webrtc_helper_output_t *ho = ctx;

    return lseek(ho->file, offset < 0 ? 0 : offset,
                 offset < 0 ? SEEK_END : SEEK_SET);
}


static ngx_uint_t
ngx_webrtc_helper_output_stopped(void *ctx)
{
    ngx_webrtc_helper_output_t *ho = ctx;

    return ngx_webrtc_source_thread_stopped(ho->job->th);
}


/* tells the worker how far it is, and gives it the bytes, if they are for it */

static ngx_int_t
ngx_webrtc_helper_output_muxed(ngx_webrtc_helper_output_t *ho, u_char *p,
    size_t n, ngx_uint_t flags)
{
    ngx_webrtc_media_record_t  r;

    ngx_memzero(&r, sizeof(ngx_webrtc_media_record_t));

    r.type = NGX_WEBRTC_MEDIA_MUXED;
    r.value = (uint16_t) flags;
    r.ts = ngx_webrtc_writer_ms(ho->writer);
    r.now_us = (int64_t) ho->bytes;
    r.data = p;
    r.len = n;

    /* the one that is to stop has told all but how it ended */

    (void) ngx_webrtc_helper_job_put(ho->job, &r);

    return NGX_OK;
}


static void
ngx_webrtc_helper_output_say(void *ctx, ngx_uint_t level, const char *text)
{
    ngx_webrtc_helper_output_t *ho = ctx;

    ngx_webrtc_media_note_t  note;

    ngx_memzero(&note, sizeof(ngx_webrtc_media_note_t));

    note.type = (level <= NGX_LOG_ERR) ? NGX_WEBRTC_MEDIA_FAILED
                                       : NGX_WEBRTC_MEDIA_LOG;
    note.level = (uint8_t) level;
    note.len = ngx_min(ngx_strlen(text), NGX_WEBRTC_MEDIA_TEXT);
    ngx_memcpy(note.text, text, note.len);

    (void) ngx_webrtc_source_thread_post(ho->job->th, &note);
}
