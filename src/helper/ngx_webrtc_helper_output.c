
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
#include "ngx_webrtc_source_av.h"
#include "ngx_webrtc_time.h"
#include "ngx_webrtc_writer.h"


/* us between looks for an end while nothing comes; chosen */
#define NGX_WEBRTC_HELPER_OUTPUT_US     1000000

/*
 * us for connecting to a target, and for what it takes of one frame; chosen: as
 * sources are waited for, and longer than a path of any use is without
 */
#define NGX_WEBRTC_HELPER_OUTPUT_CONNECT  10000000
#define NGX_WEBRTC_HELPER_OUTPUT_STALL    15000000

/* ... for saying that it is over */
#define NGX_WEBRTC_HELPER_OUTPUT_BYE      1000000

/* us between two words of how far it is; chosen */
#define NGX_WEBRTC_HELPER_OUTPUT_TELL     200000

/* bytes of stack; chosen: a muxer and an encoder of sound, and room to spare */
#define NGX_WEBRTC_HELPER_OUTPUT_STACK  (1024 * 1024)


typedef struct {
    ngx_webrtc_helper_job_t   *job;
    ngx_webrtc_writer_conf_t   conf;
    ngx_webrtc_writer_t       *writer;
    char                      *text;       /* strings of conf */
    int                        file;       /* -1: none */
    uint64_t                   bytes;      /* written so far */
    uint64_t                   late_us;    /* when a target is given up */
    uint64_t                   told_us;    /* the worker; 0: never */
    u_char                    *buf;
    size_t                     size;
    unsigned                   failed:1;
    unsigned                   untold:1;   /* there is more since */
} ngx_webrtc_helper_output_t;


static ngx_int_t ngx_webrtc_helper_output_create(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_start_t *start, const char **cause, int *err);
static void ngx_webrtc_helper_output_free(ngx_webrtc_helper_job_t *job);
static void ngx_webrtc_helper_output_run(ngx_webrtc_source_thread_t *th);
static ngx_int_t ngx_webrtc_helper_output_connect(
    ngx_webrtc_helper_output_t *ho);
static ngx_int_t ngx_webrtc_helper_output_record(
    ngx_webrtc_helper_output_t *ho, ngx_webrtc_media_record_t *r);
static void ngx_webrtc_helper_output_tell(ngx_webrtc_helper_output_t *ho);
static int ngx_webrtc_helper_output_late(void *ctx);
static ngx_int_t ngx_webrtc_helper_output_next(ngx_webrtc_helper_output_t *ho,
    ngx_webrtc_media_record_t *r);
static ngx_int_t ngx_webrtc_helper_output_file(void *ctx, u_char *p, size_t n,
    ngx_uint_t flags);
static ngx_int_t ngx_webrtc_helper_output_back(void *ctx, u_char *p, size_t n,
    ngx_uint_t flags);
static ngx_int_t ngx_webrtc_helper_output_part(void *ctx,
    ngx_webrtc_media_record_t *r);
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
    ngx_webrtc_source_from_t          to;
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
    ho->conf.part = ngx_webrtc_helper_output_part;
    ho->conf.segment_us = (int64_t) start->output.segment * 1000;
    ho->conf.part_us = (int64_t) start->output.part * 1000;
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

    if (ho->conf.url) {

        ho->conf.target = ngx_webrtc_target(url);
        ho->conf.verify = start->output.verify;
        ho->conf.late = ngx_webrtc_helper_output_late;

        if (ho->conf.target == NULL || ho->conf.target->protocols == NULL) {
            *cause = "no such scheme in the media process";
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

    /* its secrets are taken out of what is said */

    if (ho->conf.url) {
        ngx_memzero(&to, sizeof(ngx_webrtc_source_from_t));
        to.url = ho->conf.url;

        conf.from = &to;
        conf.nfrom = 1;
    }

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
    ngx_webrtc_source_av_own(th);

    rc = ngx_webrtc_helper_output_connect(ho);

    while (rc == NGX_OK) {
        rc = ngx_webrtc_helper_output_next(ho, &r);

        if (rc == NGX_OK) {
            rc = ngx_webrtc_helper_output_record(ho, &r);
        }
    }

    ho->late_us = ngx_webrtc_time_now() + NGX_WEBRTC_HELPER_OUTPUT_BYE;

    /* one that has to stop completes its file, too */

    if (rc != NGX_ERROR) {
        ngx_webrtc_writer_end(ho->writer);
    }

    if (ho->conf.url == NULL || ho->told_us) {
        (void) ngx_webrtc_helper_output_muxed(ho, NULL, 0, 0);
    }

    ngx_webrtc_writer_destroy(ho->writer);
    ho->writer = NULL;

    ngx_webrtc_source_av_own(NULL);
}


static ngx_int_t
ngx_webrtc_helper_output_connect(ngx_webrtc_helper_output_t *ho)
{
    if (ho->conf.url == NULL) {
        return NGX_OK;
    }

    ho->late_us = ngx_webrtc_time_now() + NGX_WEBRTC_HELPER_OUTPUT_CONNECT;

    if (ngx_webrtc_writer_connect(ho->writer) != NGX_OK) {
        return NGX_ERROR;
    }

    ho->told_us = ngx_webrtc_time_now();

    return ngx_webrtc_helper_output_muxed(ho, NULL, 0, 0);
}


static ngx_int_t
ngx_webrtc_helper_output_record(ngx_webrtc_helper_output_t *ho,
    ngx_webrtc_media_record_t *r)
{
    ngx_int_t  rc;

    ho->late_us = ngx_webrtc_time_now() + NGX_WEBRTC_HELPER_OUTPUT_STALL;
    ho->job->th->libav_len = 0;

    rc = ngx_webrtc_writer_record(ho->writer, r);

    ho->untold = (ho->conf.url && rc == NGX_OK);

    if (ngx_webrtc_time_now() - ho->told_us >= NGX_WEBRTC_HELPER_OUTPUT_TELL) {
        ngx_webrtc_helper_output_tell(ho);
    }

    return rc;
}


/* how far a target is: whoever waits for it to catch up waits for this */

static void
ngx_webrtc_helper_output_tell(ngx_webrtc_helper_output_t *ho)
{
    if (ho->untold) {
        ho->untold = 0;
        ho->told_us = ngx_webrtc_time_now();
        (void) ngx_webrtc_helper_output_muxed(ho, NULL, 0, 0);
    }
}


static int
ngx_webrtc_helper_output_late(void *ctx)
{
    ngx_webrtc_helper_output_t *ho = ctx;

    return ngx_webrtc_source_thread_stopped(ho->job->th)
           || ngx_webrtc_time_now() > ho->late_us;
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

        ngx_webrtc_helper_output_tell(ho);

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


static ngx_int_t
ngx_webrtc_helper_output_part(void *ctx, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_helper_output_t *ho = ctx;

    r->type = NGX_WEBRTC_MEDIA_MUXED;

    (void) ngx_webrtc_helper_job_put(ho->job, r);

    return NGX_OK;
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

    if (ho->conf.url) {
        ho->bytes = ho->writer->bytes;
    }

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

    u_char                      *p;
    u_char                       line[2 * NGX_WEBRTC_MEDIA_TEXT];
    ngx_webrtc_media_note_t      note;
    ngx_webrtc_source_thread_t  *th;

    th = ho->job->th;

    ngx_memzero(&note, sizeof(ngx_webrtc_media_note_t));

    note.type = (level <= NGX_LOG_ERR) ? NGX_WEBRTC_MEDIA_FAILED
                                       : NGX_WEBRTC_MEDIA_LOG;
    note.level = (uint8_t) level;

    p = ngx_slprintf(line, line + sizeof(line), "%s", text);

    if (ho->conf.url && level <= NGX_LOG_ERR && th->libav_len) {
        p = ngx_slprintf(p, line + sizeof(line), " (%*s)", th->libav_len,
                         th->libav);
    }

    note.len = ngx_webrtc_source_thread_mask(th, line, p - line, note.text,
                                             NGX_WEBRTC_MEDIA_TEXT);

    (void) ngx_webrtc_source_thread_post(th, &note);
}
