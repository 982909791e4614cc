
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a job has said and written, turn by turn.
 *
 * 1. A message comes after the records that were written before it was sent.
 *    So it is kept, and acted on when none are left, maybe turns later.
 *    DATA has no such place: it only says that there are records.
 * 2. A turn ends when its share of bytes, records or messages has been read,
 *    however much a job goes on to write: whatever it does, others have
 *    their turns.
 * 3. When its socket is closed, nothing more is written: what is left is read
 *    likewise.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <sys/socket.h>

#include "ngx_webrtc_media_read.h"
#include "ngx_webrtc_media_socket.h"


static ngx_int_t ngx_webrtc_media_read_records(ngx_webrtc_media_job_t *job,
    size_t *bytes, ngx_uint_t *records);
static ngx_int_t ngx_webrtc_media_read_record(ngx_webrtc_media_job_t *job,
    size_t n);
static ngx_int_t ngx_webrtc_media_read_message(ngx_webrtc_media_job_t *job);
static ngx_int_t ngx_webrtc_media_read_kept(ngx_webrtc_media_job_t *job);
static void ngx_webrtc_media_read_ask(ngx_webrtc_media_job_t *job,
    ngx_webrtc_media_message_t *m);


/* of this process: one record */

static u_char  *ngx_webrtc_media_read_buf;
static size_t   ngx_webrtc_media_read_size;


ngx_int_t
ngx_webrtc_media_read(ngx_webrtc_media_job_t *job)
{
    size_t      bytes;
    ngx_int_t   rc;
    ngx_uint_t  records, messages;

    bytes = NGX_WEBRTC_MEDIA_TURN_BYTES;
    records = NGX_WEBRTC_MEDIA_TURN_RECORDS;
    messages = NGX_WEBRTC_MEDIA_TURN_MESSAGES;

    ngx_webrtc_media_ring_told(&job->ring);

    for ( ;; ) {
        rc = ngx_webrtc_media_read_records(job, &bytes, &records);

        if (rc != NGX_OK) {
            return rc;
        }

        if (messages == 0) {
            return NGX_AGAIN;
        }

        if (job->kept) {
            messages--;
            rc = ngx_webrtc_media_read_kept(job);

        } else if (job->over) {
            return NGX_DECLINED;

        } else {
            rc = ngx_webrtc_media_read_message(job);

            if (rc == NGX_AGAIN) {
                return NGX_OK;
            }

            if (job->kept == NULL) {
                messages--;
            }
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


void
ngx_webrtc_media_read_last(ngx_webrtc_media_job_t *job)
{
    size_t      bytes;
    ngx_uint_t  records;

    bytes = NGX_WEBRTC_MEDIA_TURN_BYTES;
    records = NGX_WEBRTC_MEDIA_TURN_RECORDS;

    (void) ngx_webrtc_media_read_records(job, &bytes, &records);
}


void
ngx_webrtc_media_read_free(ngx_webrtc_media_job_t *job)
{
    if (job->kept) {
        ngx_free(job->kept);
        job->kept = NULL;
    }
}


void
ngx_webrtc_media_read_done(void)
{
    if (ngx_webrtc_media_read_buf) {
        ngx_free(ngx_webrtc_media_read_buf);
        ngx_webrtc_media_read_buf = NULL;
        ngx_webrtc_media_read_size = 0;
    }
}


/*
 * Hands the records in the ring to the handler, and counts them down.
 *
 * NGX_OK     nothing is left
 * NGX_AGAIN  there is, or the job is held
 * NGX_DONE   the job has been closed by a handler
 * NGX_ERROR  the process is of no use
 */

static ngx_int_t
ngx_webrtc_media_read_records(ngx_webrtc_media_job_t *job, size_t *bytes,
    ngx_uint_t *records)
{
    size_t     n;
    ngx_int_t  rc;

    for ( ;; ) {

        if (job->held) {
            return NGX_AGAIN;
        }

        rc = ngx_webrtc_media_ring_next(&job->ring, &n);

        if (rc != NGX_OK) {
            return (rc == NGX_AGAIN) ? NGX_OK : NGX_ERROR;
        }

        if (*bytes == 0 || *records == 0) {
            return NGX_AGAIN;
        }

        *bytes -= ngx_min(n, *bytes);
        (*records)--;

        rc = ngx_webrtc_media_read_record(job, n);

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


/* NGX_OK; NGX_DONE; NGX_ERROR */

static ngx_int_t
ngx_webrtc_media_read_record(ngx_webrtc_media_job_t *job, size_t n)
{
    u_char                      *p;
    ngx_webrtc_media_record_t    r;
    ngx_webrtc_media_message_t   m;

    if (n > ngx_webrtc_media_read_size) {

        p = ngx_alloc(n + n / 4, job->log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_webrtc_media_read_done();

        ngx_webrtc_media_read_buf = p;
        ngx_webrtc_media_read_size = n + n / 4;
    }

    p = ngx_webrtc_media_read_buf;

    ngx_webrtc_media_ring_read(&job->ring, p, n);

    if (ngx_webrtc_media_ring_wanted(&job->ring)) {
        m.type = NGX_WEBRTC_MEDIA_ROOM;
        (void) ngx_webrtc_media_socket_send(job->connection->fd, &m, NULL, 0);
    }

    if (ngx_webrtc_media_record_parse(p, p + n, &r) != NGX_OK) {
        return NGX_ERROR;
    }

    job->busy = 1;
    job->handlers->record(job->data, &r);
    job->busy = 0;

    return job->closed ? NGX_DONE : NGX_OK;
}


/*
 * Takes the next message from the socket, or notes that it has been closed.
 *
 * NGX_OK     job->kept is a message, unless it was DATA; or job->over
 * NGX_AGAIN  there is none
 * NGX_ERROR  the process is of no use
 */

static ngx_int_t
ngx_webrtc_media_read_message(ngx_webrtc_media_job_t *job)
{
    ssize_t                     n;
    u_char                      buf[NGX_WEBRTC_MEDIA_MESSAGE];
    ngx_webrtc_media_message_t  m;

    /*
     * A job that has ended and left messages of ours unread: the kernel says so
     * once, before those of the job that we have not read yet.
     */

    do {
        n = recv(job->connection->fd, buf, sizeof(buf), 0);
    } while (n == -1
             && (ngx_errno == NGX_EINTR || ngx_errno == NGX_ECONNRESET));

    if (n == -1 && ngx_errno == NGX_EAGAIN) {
        return NGX_AGAIN;
    }

    if (n <= 0) {
        job->over = 1;
        return NGX_OK;
    }

    if (ngx_webrtc_media_message_parse(buf, buf + n, &m) != NGX_OK) {
        return NGX_ERROR;
    }

    if (m.type == NGX_WEBRTC_MEDIA_DATA) {
        ngx_webrtc_media_ring_told(&job->ring);
        return NGX_OK;
    }

    job->kept = ngx_alloc(n, job->log);

    if (job->kept == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(job->kept, buf, n);
    job->nkept = n;

    return NGX_OK;
}


/* NGX_OK; NGX_DONE; NGX_ERROR */

static ngx_int_t
ngx_webrtc_media_read_kept(ngx_webrtc_media_job_t *job)
{
    u_char                      *p;
    ngx_int_t                    rc;
    ngx_webrtc_media_message_t   m;

    /* what is parsed points into it; the handler may close the job */

    p = job->kept;
    job->kept = NULL;

    rc = ngx_webrtc_media_message_parse(p, p + job->nkept, &m);

    job->busy = 1;

    if (rc == NGX_OK && m.type == NGX_WEBRTC_MEDIA_NOTE) {
        job->handlers->note(job->data, &m.u.note);

    } else if (rc == NGX_OK && m.type == NGX_WEBRTC_MEDIA_ASK
               && job->handlers->ask)
    {
        ngx_webrtc_media_read_ask(job, &m);

    } else if (rc == NGX_OK && m.type == NGX_WEBRTC_MEDIA_ROOM
               && job->handlers->room)
    {
        job->handlers->room(job->data);

    } else if (rc == NGX_OK && m.type == NGX_WEBRTC_MEDIA_ENDED) {
        job->ended = 1;

    } else {
        rc = NGX_ERROR;
    }

    job->busy = 0;

    ngx_free(p);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    return job->closed ? NGX_DONE : NGX_OK;
}


static void
ngx_webrtc_media_read_ask(ngx_webrtc_media_job_t *job,
    ngx_webrtc_media_message_t *m)
{
    ngx_webrtc_media_message_t  answer;

    union {
        struct sockaddr      sa;
        struct sockaddr_in   sin;
        struct sockaddr_in6  sin6;
        u_char               data[NGX_WEBRTC_MEDIA_ADDR];
    } addr;

    ngx_memzero(&answer, sizeof(ngx_webrtc_media_message_t));
    answer.type = NGX_WEBRTC_MEDIA_PORTS_ARE;

    ngx_memcpy(&addr, m->u.addr.data, m->u.addr.len);

    if ((addr.sa.sa_family == AF_INET
         && m->u.addr.len == sizeof(struct sockaddr_in))
        || (addr.sa.sa_family == AF_INET6
            && m->u.addr.len == sizeof(struct sockaddr_in6)))
    {
        job->handlers->ask(job->data, &addr.sa, &answer.u.ports);

        if (job->closed) {
            return;
        }
    }

    (void) ngx_webrtc_media_socket_send(job->connection->fd, &answer, NULL, 0);
}
