
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Jobs that read an upstream.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <pthread.h>

#include "ngx_webrtc_helper_kind.h"
#include "ngx_webrtc_helper_sandbox.h"
#include "ngx_webrtc_source_retry.h"
#include "ngx_webrtc_source_url.h"
#include "ngx_webrtc_time.h"


/* ms that a thread waits for an answer; chosen: the worker is busy, not gone */
#define NGX_WEBRTC_HELPER_ASK_MS  1000

/* bytes that url_open() may add to a URL: "file:" and the null */
#define NGX_WEBRTC_HELPER_SCHEME  16


typedef struct {
    pthread_mutex_t              asking;     /* one question at a time */
    pthread_mutex_t              mutex;
    pthread_cond_t               cond;

    int                          given;      /* descriptor, -1: none */

    /* under the mutex */

    unsigned                     answered:1;
    ngx_webrtc_media_ports_t     ports;
} ngx_webrtc_helper_source_t;


static ngx_int_t ngx_webrtc_helper_source_create(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_start_t *start, const char **cause, int *err);
static ngx_int_t ngx_webrtc_helper_source_from(ngx_webrtc_media_from_t *from,
    ngx_webrtc_source_from_t *to, u_char **buf);
static ngx_int_t ngx_webrtc_helper_source_input(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_message_t *m);
static ngx_uint_t ngx_webrtc_helper_source_doors(void *ctx,
    struct sockaddr *sa, uint16_t *ports, ngx_uint_t max, int *family);
static void ngx_webrtc_helper_source_body(ngx_webrtc_source_thread_t *th);
static void ngx_webrtc_helper_source_free(ngx_webrtc_helper_job_t *job);


const ngx_webrtc_helper_kind_t  ngx_webrtc_helper_source = {
    ngx_webrtc_helper_source_create,
    ngx_webrtc_helper_source_input,
    ngx_webrtc_helper_source_free
};


static ngx_int_t
ngx_webrtc_helper_source_create(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_start_t *start, const char **cause, int *err)
{
    u_char                           *buf[NGX_WEBRTC_MEDIA_FROM];
    ngx_int_t                         rc;
    ngx_uint_t                        i;
    ngx_webrtc_source_from_t          from[NGX_WEBRTC_MEDIA_FROM];
    ngx_webrtc_helper_source_t       *part;
    ngx_webrtc_source_thread_conf_t   conf;

    *cause = "no memory in the media process";
    *err = 0;

    part = calloc(1, sizeof(ngx_webrtc_helper_source_t));

    if (part == NULL) {
        return NGX_ERROR;
    }

    if (ngx_webrtc_source_thread_cond(&part->cond) != NGX_OK) {
        free(part);
        return NGX_ERROR;
    }

    (void) pthread_mutex_init(&part->mutex, NULL);
    (void) pthread_mutex_init(&part->asking, NULL);

    part->given = -1;
    job->part = part;

    if (start->given) {
        part->given = fcntl(start->fd, F_DUPFD_CLOEXEC, 0);

        if (part->given == -1) {
            *cause = "no descriptor in the media process";
            *err = errno;
            return NGX_ERROR;
        }
    }

    ngx_memzero(buf, sizeof(buf));

    rc = NGX_OK;

    for (i = 0; i < start->nfrom && rc == NGX_OK; i++) {
        rc = ngx_webrtc_helper_source_from(&start->from[i], &from[i], &buf[i]);

        if (rc == NGX_OK
            && ((from[i].scheme->flags & NGX_WEBRTC_SOURCE_URL_GIVEN) != 0)
               != start->given)
        {
            rc = NGX_ERROR;
        }
    }

    if (rc != NGX_OK) {
        *cause = "not a URL that can be pulled";

    } else {
        ngx_webrtc_helper_job_conf(job, &conf);

        conf.from = from;
        conf.nfrom = start->nfrom;
        conf.backoff_min = start->backoff_min;
        conf.backoff_max = start->backoff_max;
        conf.connect_timeout = start->connect_timeout;
        conf.read_timeout = start->read_timeout;
        conf.transcode = (start->transcode != 0);
        conf.given = part->given;
        conf.once = start->given;
        conf.body = ngx_webrtc_helper_source_body;
        conf.doors = start->doors ? ngx_webrtc_helper_source_doors : NULL;

        job->th = ngx_webrtc_source_thread_create(&conf);
    }

    for (i = 0; i < NGX_WEBRTC_MEDIA_FROM; i++) {
        free(buf[i]);
    }

    return job->th ? NGX_OK : NGX_ERROR;
}


/* *buf holds the strings of *to; the caller frees it */

static ngx_int_t
ngx_webrtc_helper_source_from(ngx_webrtc_media_from_t *from,
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


static ngx_int_t
ngx_webrtc_helper_source_input(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_message_t *m)
{
    ngx_webrtc_helper_source_t  *part;

    if (m->type != NGX_WEBRTC_MEDIA_PORTS_ARE) {
        return NGX_DECLINED;
    }

    part = job->part;

    pthread_mutex_lock(&part->mutex);

    part->ports = m->u.ports;
    part->answered = 1;
    pthread_cond_broadcast(&part->cond);

    pthread_mutex_unlock(&part->mutex);

    return NGX_OK;
}


/* called in a source's threads */

static ngx_uint_t
ngx_webrtc_helper_source_doors(void *ctx, struct sockaddr *sa,
    uint16_t *ports, ngx_uint_t max, int *family)
{
    ngx_webrtc_helper_job_t  *job = ctx;

    ngx_uint_t                   n;
    struct timespec              ts;
    ngx_webrtc_helper_source_t  *part;
    ngx_webrtc_media_message_t   m;

    part = job->part;

    ngx_memzero(&m, sizeof(ngx_webrtc_media_message_t));

    m.type = NGX_WEBRTC_MEDIA_ASK;
    m.u.addr.len = (sa->sa_family == AF_INET6) ? sizeof(struct sockaddr_in6)
                                               : sizeof(struct sockaddr_in);
    ngx_memcpy(m.u.addr.data, sa, m.u.addr.len);

    ngx_webrtc_source_thread_timespec(&ts, ngx_webrtc_time_now()
                                           + NGX_WEBRTC_HELPER_ASK_MS * 1000);
    n = 0;

    pthread_mutex_lock(&part->asking);
    pthread_mutex_lock(&part->mutex);

    part->answered = 0;

    ngx_webrtc_helper_job_send(job, &m);

    while (!part->answered) {
        if (pthread_cond_timedwait(&part->cond, &part->mutex, &ts) != 0) {
            break;
        }
    }

    if (part->answered) {
        n = ngx_min(part->ports.n, max);
        ngx_memcpy(ports, part->ports.ports, n * sizeof(uint16_t));
        *family = part->ports.family;
    }

    pthread_mutex_unlock(&part->mutex);
    pthread_mutex_unlock(&part->asking);

    return n;
}


/* the job's thread */

static void
ngx_webrtc_helper_source_body(ngx_webrtc_source_thread_t *th)
{
    ngx_uint_t  i, flags;

    for (i = 0, flags = 0; i < th->nfrom; i++) {
        flags |= th->from[i].scheme->flags;
    }

    if (!(flags & NGX_WEBRTC_SOURCE_URL_PATH)) {
        ngx_webrtc_helper_sandbox_no_files();
    }

    ngx_webrtc_source_retry_run(th);
}


static void
ngx_webrtc_helper_source_free(ngx_webrtc_helper_job_t *job)
{
    ngx_webrtc_helper_source_t  *part;

    part = job->part;

    if (part == NULL) {
        return;
    }

    if (part->given != -1) {
        (void) close(part->given);
    }

    (void) pthread_cond_destroy(&part->cond);
    (void) pthread_mutex_destroy(&part->mutex);
    (void) pthread_mutex_destroy(&part->asking);

    free(part);
}
