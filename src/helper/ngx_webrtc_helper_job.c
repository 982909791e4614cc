
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A job of the media process.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <pthread.h>
#include <sys/socket.h>

#include "ngx_webrtc_helper_job.h"
#include "ngx_webrtc_media_ring.h"
#include "ngx_webrtc_source_retry.h"
#include "ngx_webrtc_source_thread.h"
#include "ngx_webrtc_source_url.h"
#include "ngx_webrtc_time.h"


/* ms that a thread waits for an answer; chosen: the worker is busy, not gone */
#define NGX_WEBRTC_HELPER_ASK_MS  1000

/* bytes that url_open() may add to a URL: "file:" and the null */
#define NGX_WEBRTC_HELPER_SCHEME  16


struct ngx_webrtc_helper_job_s {
    ngx_webrtc_source_thread_t  *th;
    int                          fd;
    int                          wake;
    u_char                      *name;       /* of the stream */
    unsigned                     deaf:1;     /* the worker sends no more */
    ngx_webrtc_media_ring_t      ring;       /* of the source's thread */

    pthread_mutex_t              asking;     /* one question at a time */
    pthread_mutex_t              mutex;
    pthread_cond_t               cond;

    /* under the mutex */

    unsigned                     answered:1;
    ngx_webrtc_media_ports_t     ports;
};


static ngx_int_t ngx_webrtc_helper_job_locks(ngx_webrtc_helper_job_t *job);
static ngx_int_t ngx_webrtc_helper_job_from(ngx_webrtc_media_from_t *from,
    ngx_webrtc_source_from_t *to, u_char **buf);
static ngx_int_t ngx_webrtc_helper_job_put(void *ctx,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_helper_job_notify(void *ctx);
static ngx_uint_t ngx_webrtc_helper_job_doors(void *ctx, struct sockaddr *sa,
    uint16_t *ports, ngx_uint_t max, int *family);
static void ngx_webrtc_helper_job_send(int fd, ngx_webrtc_media_message_t *m);
static void ngx_webrtc_helper_job_free(ngx_webrtc_helper_job_t *job);


ngx_webrtc_helper_job_t *
ngx_webrtc_helper_job_create(ngx_webrtc_media_start_t *start, int fd, int ring,
    int wake)
{
    u_char                           *buf[NGX_WEBRTC_MEDIA_FROM];
    ngx_int_t                         rc;
    ngx_uint_t                        i;
    int                               err;
    const char                       *cause;
    ngx_webrtc_helper_job_t          *job;
    ngx_webrtc_source_from_t          from[NGX_WEBRTC_MEDIA_FROM];
    ngx_webrtc_source_thread_conf_t   conf;

    cause = "no memory in the media process";
    err = 0;

    job = calloc(1, sizeof(ngx_webrtc_helper_job_t));

    if (job == NULL || ngx_webrtc_helper_job_locks(job) != NGX_OK) {
        ngx_webrtc_helper_job_refuse(fd, cause, err);
        free(job);
        return NULL;
    }

    job->fd = fd;
    job->wake = wake;

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_thread_conf_t));
    ngx_memzero(buf, sizeof(buf));

    job->name = malloc(start->name.len + 1);

    if (job->name == NULL) {
        goto failed;
    }

    ngx_memcpy(job->name, start->name.data, start->name.len);

    if (ngx_webrtc_media_ring_map(&job->ring, ring) != NGX_OK) {
        err = errno;
        goto failed;
    }

    rc = NGX_OK;

    for (i = 0; i < start->nfrom && rc == NGX_OK; i++) {
        rc = ngx_webrtc_helper_job_from(&start->from[i], &from[i], &buf[i]);
    }

    if (rc != NGX_OK) {
        cause = "not a URL that can be pulled";
        goto failed;
    }

    conf.name.data = job->name;
    conf.name.len = start->name.len;
    conf.from = from;
    conf.nfrom = start->nfrom;
    conf.backoff_min = start->backoff_min;
    conf.backoff_max = start->backoff_max;
    conf.connect_timeout = start->connect_timeout;
    conf.read_timeout = start->read_timeout;
    conf.body = ngx_webrtc_source_retry_run;
    conf.feed.put = ngx_webrtc_helper_job_put;
    conf.feed.ctx = job;
    conf.doors = start->doors ? ngx_webrtc_helper_job_doors : NULL;
    conf.notify = ngx_webrtc_helper_job_notify;
    conf.ctx = job;

    job->th = ngx_webrtc_source_thread_create(&conf);

    if (job->th == NULL) {
        goto failed;
    }

    if (ngx_webrtc_source_thread_start(job->th) != NGX_OK) {
        cause = "no thread";
        err = errno;
        goto failed;
    }

    for (i = 0; i < NGX_WEBRTC_MEDIA_FROM; i++) {
        free(buf[i]);
    }

    return job;

failed:

    for (i = 0; i < NGX_WEBRTC_MEDIA_FROM; i++) {
        free(buf[i]);
    }

    ngx_webrtc_helper_job_refuse(fd, cause, err);

    job->fd = -1;
    ngx_webrtc_helper_job_free(job);

    return NULL;
}


static ngx_int_t
ngx_webrtc_helper_job_locks(ngx_webrtc_helper_job_t *job)
{
    if (ngx_webrtc_source_thread_cond(&job->cond) != NGX_OK) {
        return NGX_ERROR;
    }

    (void) pthread_mutex_init(&job->mutex, NULL);
    (void) pthread_mutex_init(&job->asking, NULL);

    return NGX_OK;
}


/* *buf holds the strings of *to; the caller frees it */

static ngx_int_t
ngx_webrtc_helper_job_from(ngx_webrtc_media_from_t *from,
    ngx_webrtc_source_from_t *to, u_char **buf)
{
    size_t   size;
    u_char  *p;

    /* they become null-terminated strings */

    if (from->url.len == 0
        || memchr(from->url.data, '\0', from->url.len)
        || memchr(from->format.data, '\0', from->format.len))
    {
        return NGX_ERROR;
    }

    ngx_memzero(to, sizeof(ngx_webrtc_source_from_t));

    to->scheme = ngx_webrtc_source_url_scheme(&from->url);

    size = from->url.len + NGX_WEBRTC_HELPER_SCHEME;

    *buf = malloc(size + from->format.len + 1);

    if (to->scheme == NULL || *buf == NULL
        || ngx_webrtc_source_url_open(&from->url, *buf, size) != NGX_OK)
    {
        return NGX_ERROR;
    }

    to->url = (char *) *buf;

    if (from->format.len) {
        p = *buf + size;
        (void) ngx_cpystrn(p, from->format.data, from->format.len + 1);
        to->format = (char *) p;
    }

    to->program = from->program;
    to->loop = from->loop;
    to->lists = from->lists;
    to->links = from->links;
    to->links_from = from->links_from;

    return NGX_OK;
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

    ngx_webrtc_helper_job_send(fd, &m);

    m.type = NGX_WEBRTC_MEDIA_ENDED;
    ngx_webrtc_helper_job_send(fd, &m);

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

    case NGX_WEBRTC_MEDIA_PORTS_ARE:
        pthread_mutex_lock(&job->mutex);

        job->ports = m.u.ports;
        job->answered = 1;
        pthread_cond_broadcast(&job->cond);

        pthread_mutex_unlock(&job->mutex);
        break;

    default: /* NGX_WEBRTC_MEDIA_STOP */
        ngx_webrtc_source_thread_stop(job->th);
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
    ngx_webrtc_helper_job_send(job->fd, &m);

    ngx_webrtc_helper_job_free(job);

    return NGX_OK;
}


/* in the source's thread */

static ngx_int_t
ngx_webrtc_helper_job_put(void *ctx, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_helper_job_t  *job = ctx;

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
        ngx_webrtc_helper_job_send(job->fd, &m);
    }

    /* a frame too large for the ring is too large for anyone */

    return NGX_OK;
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
        ngx_webrtc_helper_job_send(job->fd, &m);
    }

    one = 1;

    do {
        n = write(job->wake, &one, sizeof(uint64_t));
    } while (n == -1 && errno == EINTR);
}


/* called in a source's threads */

static ngx_uint_t
ngx_webrtc_helper_job_doors(void *ctx, struct sockaddr *sa, uint16_t *ports,
    ngx_uint_t max, int *family)
{
    ngx_webrtc_helper_job_t  *job = ctx;

    ngx_uint_t                  n;
    struct timespec             ts;
    ngx_webrtc_media_message_t  m;

    ngx_memzero(&m, sizeof(ngx_webrtc_media_message_t));

    m.type = NGX_WEBRTC_MEDIA_ASK;
    m.u.addr.len = (sa->sa_family == AF_INET6) ? sizeof(struct sockaddr_in6)
                                               : sizeof(struct sockaddr_in);
    ngx_memcpy(m.u.addr.data, sa, m.u.addr.len);

    ngx_webrtc_source_thread_timespec(&ts, ngx_webrtc_time_now()
                                           + NGX_WEBRTC_HELPER_ASK_MS * 1000);
    n = 0;

    pthread_mutex_lock(&job->asking);
    pthread_mutex_lock(&job->mutex);

    job->answered = 0;

    ngx_webrtc_helper_job_send(job->fd, &m);

    while (!job->answered) {
        if (pthread_cond_timedwait(&job->cond, &job->mutex, &ts) != 0) {
            break;
        }
    }

    if (job->answered) {
        n = ngx_min(job->ports.n, max);
        ngx_memcpy(ports, job->ports.ports, n * sizeof(uint16_t));
        *family = job->ports.family;
    }

    pthread_mutex_unlock(&job->mutex);
    pthread_mutex_unlock(&job->asking);

    return n;
}


/* blocks while the worker does not read: it is busy with earlier messages */

static void
ngx_webrtc_helper_job_send(int fd, ngx_webrtc_media_message_t *m)
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

    if (job->fd != -1) {
        (void) close(job->fd);
    }

    ngx_webrtc_media_ring_unmap(&job->ring);
    free(job->name);

    (void) pthread_cond_destroy(&job->cond);
    (void) pthread_mutex_destroy(&job->mutex);
    (void) pthread_mutex_destroy(&job->asking);

    free(job);
}
