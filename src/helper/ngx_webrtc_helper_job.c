
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A job of the media process, of any kind.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/socket.h>

#include "ngx_webrtc_helper_job.h"


/* us between looks for an end while nothing comes; chosen */
#define NGX_WEBRTC_HELPER_WAIT_US  1000000


static void ngx_webrtc_helper_job_notify(void *ctx);
static void ngx_webrtc_helper_job_write(int fd, ngx_webrtc_media_message_t *m);
static void ngx_webrtc_helper_job_free(ngx_webrtc_helper_job_t *job);


static const ngx_webrtc_helper_kind_t  *ngx_webrtc_helper_kinds[
                                                    NGX_WEBRTC_MEDIA_KINDS] = {
    NULL,
    &ngx_webrtc_helper_source,
    &ngx_webrtc_helper_transcode,
    &ngx_webrtc_helper_movie,
    &ngx_webrtc_helper_output,
    &ngx_webrtc_helper_output,
    &ngx_webrtc_helper_picture
};


ngx_webrtc_helper_job_t *
ngx_webrtc_helper_job_create(ngx_webrtc_media_start_t *start, int fd, int ring,
    int feed, int wake)
{
    int                       err;
    const char               *cause;
    ngx_webrtc_helper_job_t  *job;

    cause = "no memory in the media process";
    err = 0;

    job = calloc(1, sizeof(ngx_webrtc_helper_job_t) + start->name.len);

    if (job == NULL) {
        ngx_webrtc_helper_job_refuse(fd, cause, err);
        return NULL;
    }

    job->kind = ngx_webrtc_helper_kinds[start->kind];
    job->fd = fd;
    job->wake = wake;

    job->name.data = (u_char *) &job[1];
    job->name.len = start->name.len;
    ngx_memcpy(job->name.data, start->name.data, start->name.len);

    if (ngx_webrtc_media_ring_map(&job->ring, ring) != NGX_OK
        || (feed != -1 && ngx_webrtc_media_ring_map(&job->feed, feed)
                          != NGX_OK))
    {
        err = errno;
        goto failed;
    }

    if (job->kind == NULL) {
        cause = "not a job for this media process";
        goto failed;
    }

    if (job->kind->create(job, start, &cause, &err) != NGX_OK) {
        goto failed;
    }

    if (ngx_webrtc_source_thread_start(job->th) != NGX_OK) {
        cause = "no thread";
        err = errno;
        goto failed;
    }

    return job;

failed:

    ngx_webrtc_helper_job_refuse(fd, cause, err);

    job->fd = -1;
    ngx_webrtc_helper_job_free(job);

    return NULL;
}


void
ngx_webrtc_helper_job_conf(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_source_thread_conf_t *conf)
{
    ngx_memzero(conf, sizeof(ngx_webrtc_source_thread_conf_t));

    conf->name = job->name;
    conf->feed.put = ngx_webrtc_helper_job_put;
    conf->feed.ctx = job;
    conf->notify = ngx_webrtc_helper_job_notify;
    conf->ctx = job;
}


void
ngx_webrtc_helper_job_refuse(int fd, const char *cause, int err)
{
    u_char                      *p, *last;
    ngx_webrtc_media_note_t     *note;
    ngx_webrtc_media_message_t   m;

    ngx_memzero(&m, sizeof(ngx_webrtc_media_message_t));

    m.type = NGX_WEBRTC_MEDIA_NOTE;

    note = &m.u.note;
    note->type = NGX_WEBRTC_MEDIA_REFUSED;
    note->level = NGX_LOG_ERR;

    last = note->text + NGX_WEBRTC_MEDIA_TEXT;
    p = ngx_slprintf(note->text, last, "%s%s%s", cause, err ? ": " : "",
                     err ? strerror(err) : "");
    note->len = p - note->text;

    ngx_webrtc_helper_job_write(fd, &m);

    m.type = NGX_WEBRTC_MEDIA_ENDED;
    ngx_webrtc_helper_job_write(fd, &m);

    (void) close(fd);
}


int
ngx_webrtc_helper_job_fd(ngx_webrtc_helper_job_t *job)
{
    return job->deaf ? -1 : job->fd;
}


void
ngx_webrtc_helper_job_input(ngx_webrtc_helper_job_t *job)
{
    ssize_t                     n;
    u_char                      buf[NGX_WEBRTC_MEDIA_MESSAGE];
    ngx_webrtc_media_message_t  m;

    n = recv(job->fd, buf, sizeof(buf), MSG_DONTWAIT);

    if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    if (n <= 0 || ngx_webrtc_media_message_parse(buf, buf + n, &m) != NGX_OK) {
        job->deaf = 1;
        ngx_webrtc_source_thread_stop(job->th);
        return;
    }

    switch (m.type) {

    case NGX_WEBRTC_MEDIA_GO:
        ngx_webrtc_source_thread_go(job->th);
        break;

    case NGX_WEBRTC_MEDIA_ROOM:
        ngx_webrtc_source_thread_room(job->th);
        break;

    case NGX_WEBRTC_MEDIA_DATA:
        ngx_webrtc_source_thread_fed(job->th);
        break;

    case NGX_WEBRTC_MEDIA_STOP:
        ngx_webrtc_source_thread_stop(job->th);
        break;

    default:

        if (job->kind->input == NULL
            || job->kind->input(job, &m) != NGX_OK)
        {
            ngx_webrtc_source_thread_stop(job->th);
        }
    }
}


void
ngx_webrtc_helper_job_stop(ngx_webrtc_helper_job_t *job)
{
    ngx_webrtc_source_thread_stop(job->th);
}


ngx_int_t
ngx_webrtc_helper_job_ended(ngx_webrtc_helper_job_t *job, ngx_uint_t ms)
{
    ngx_webrtc_media_message_t  m;

    if (ngx_webrtc_source_thread_join(job->th, ms) != NGX_OK) {
        return NGX_AGAIN;
    }

    /* its last notify() may have come before it ended */

    ngx_webrtc_helper_job_notify(job);

    m.type = NGX_WEBRTC_MEDIA_ENDED;
    ngx_webrtc_helper_job_send(job, &m);

    ngx_webrtc_helper_job_free(job);

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_helper_job_put(void *data, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_helper_job_t  *job = data;

    u_char                      head[NGX_WEBRTC_MEDIA_RECORD_HEAD];
    ngx_int_t                   rc;
    ngx_webrtc_media_message_t  m;

    ngx_webrtc_media_record_write(head, r);

    for ( ;; ) {
        rc = ngx_webrtc_media_ring_write(&job->ring, head, sizeof(head),
                                         r->data, r->len);
        if (rc != NGX_AGAIN) {
            break;
        }

        if (ngx_webrtc_source_thread_wait_room(job->th) != NGX_OK) {
            return NGX_ABORT;
        }
    }

    if (rc == NGX_OK && ngx_webrtc_media_ring_tell(&job->ring)) {
        m.type = NGX_WEBRTC_MEDIA_DATA;
        ngx_webrtc_helper_job_send(job, &m);
    }

    /* a frame too large for the ring is too large for anyone */

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_helper_job_take(ngx_webrtc_helper_job_t *job, u_char **buf,
    size_t *size, size_t spare, ngx_webrtc_media_record_t *r)
{
    size_t                      n, room;
    u_char                     *p;
    ngx_int_t                   rc;
    ngx_webrtc_media_message_t  m;

    rc = ngx_webrtc_media_ring_next(&job->feed, &n);

    if (rc == NGX_AGAIN) {

        /* what is written from now on is told, and what was until now found */

        ngx_webrtc_media_ring_told(&job->feed);

        rc = ngx_webrtc_media_ring_next(&job->feed, &n);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (n + spare > *size) {
        room = n + n / 4 + spare;

        p = malloc(room);
        if (p == NULL) {
            return NGX_ERROR;
        }

        free(*buf);
        *buf = p;
        *size = room;
    }

    ngx_webrtc_media_ring_read(&job->feed, *buf, n);
    ngx_memzero(*buf + n, spare);

    if (ngx_webrtc_media_ring_wanted(&job->feed)) {
        m.type = NGX_WEBRTC_MEDIA_ROOM;
        ngx_webrtc_helper_job_send(job, &m);
    }

    return (ngx_webrtc_media_record_parse(*buf, *buf + n, r) == NGX_OK)
           ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_webrtc_helper_job_wait(ngx_webrtc_helper_job_t *job, u_char **buf,
    size_t *size, size_t spare, ngx_webrtc_media_record_t *r)
{
    ngx_int_t  rc;

    for ( ;; ) {

        if (ngx_webrtc_source_thread_stopped(job->th)) {
            return NGX_ABORT;
        }

        rc = ngx_webrtc_helper_job_take(job, buf, size, spare, r);
        if (rc != NGX_AGAIN) {
            return rc;
        }

        if (ngx_webrtc_source_thread_wait_fed(job->th, ngx_webrtc_time_now()
                                                  + NGX_WEBRTC_HELPER_WAIT_US)
            == NGX_ABORT)
        {
            return NGX_ABORT;
        }
    }
}


/* in any thread: forwards all notes */

static void
ngx_webrtc_helper_job_notify(void *ctx)
{
    ngx_webrtc_helper_job_t  *job = ctx;

    ssize_t                     n;
    uint64_t                    one;
    ngx_webrtc_media_message_t  m;

    m.type = NGX_WEBRTC_MEDIA_NOTE;

    while (ngx_webrtc_source_thread_note(job->th, &m.u.note) == NGX_OK) {
        ngx_webrtc_helper_job_send(job, &m);
    }

    one = 1;

    do {
        n = write(job->wake, &one, sizeof(uint64_t));
    } while (n == -1 && errno == EINTR);
}


void
ngx_webrtc_helper_job_send(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_message_t *m)
{
    ngx_webrtc_helper_job_write(job->fd, m);
}


static void
ngx_webrtc_helper_job_write(int fd, ngx_webrtc_media_message_t *m)
{
    u_char   *p;
    ssize_t   n;
    u_char    buf[NGX_WEBRTC_MEDIA_MESSAGE];

    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), m);

    if (p == NULL) {
        return;
    }

    do {
        n = send(fd, buf, p - buf, MSG_NOSIGNAL);
    } while (n == -1 && errno == EINTR);

    /* if the worker is gone, the job is told to stop */
}


static void
ngx_webrtc_helper_job_free(ngx_webrtc_helper_job_t *job)
{
    if (job->th) {
        ngx_webrtc_source_thread_destroy(job->th);
    }

    if (job->kind) {
        job->kind->free(job);
    }

    if (job->fd != -1) {
        (void) close(job->fd);
    }

    ngx_webrtc_media_ring_unmap(&job->ring);
    ngx_webrtc_media_ring_unmap(&job->feed);

    free(job);
}
