
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a file is: see the header file.
 *
 * A file is known by device, inode, size and time: one that was written to is
 * another one.  Each worker remembers its own, the last used first: what a file
 * is costs a few reads to find out, and no lock then.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_files_probe.h"
#include "ngx_webrtc_media.h"


typedef struct {
    ngx_queue_t                   queue;      /* the last used first */
    ngx_webrtc_peer_file_t        file;       /* its identity */
    ngx_webrtc_movie_t            movie;
} ngx_webrtc_files_known_t;


struct ngx_webrtc_files_probe_s {
    ngx_webrtc_media_job_t       *job;
    ngx_webrtc_peer_file_t        file;
    ngx_webrtc_files_probe_pt     handler;
    void                         *data;
    ngx_log_t                    *log;
    ngx_webrtc_movie_t           *movie;      /* as it was told, or NULL */
};


static ngx_webrtc_files_known_t *ngx_webrtc_files_probe_find(
    const ngx_webrtc_peer_file_t *file);
static void ngx_webrtc_files_probe_keep(const ngx_webrtc_peer_file_t *file,
    const ngx_webrtc_movie_t *movie, ngx_log_t *log);
static void ngx_webrtc_files_probe_note(void *data,
    ngx_webrtc_media_note_t *note);
static void ngx_webrtc_files_probe_record(void *data,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_files_probe_ask(void *data, struct sockaddr *sa,
    ngx_webrtc_media_ports_t *ports);
static void ngx_webrtc_files_probe_ended(void *data, ngx_uint_t crashed);
static void ngx_webrtc_files_probe_free(ngx_webrtc_files_probe_t *probe);


static const ngx_webrtc_media_handlers_t  ngx_webrtc_files_probe_handlers = {
    ngx_webrtc_files_probe_note,
    ngx_webrtc_files_probe_record,
    ngx_webrtc_files_probe_ask,
    NULL,
    ngx_webrtc_files_probe_ended
};


/* of this process */

static ngx_queue_t  ngx_webrtc_files_known;
static ngx_uint_t   ngx_webrtc_files_nknown;
static ngx_uint_t   ngx_webrtc_files_probing;


ngx_int_t
ngx_webrtc_files_probe(const ngx_webrtc_peer_file_t *file, int fd,
    const ngx_webrtc_movie_t **movie, ngx_webrtc_files_probe_t **probe,
    ngx_webrtc_files_probe_pt handler, void *data, ngx_log_t *log)
{
    ngx_err_t                  err;
    const char                *cause;
    ngx_webrtc_media_start_t   start;
    ngx_webrtc_files_known_t  *known;
    ngx_webrtc_files_probe_t  *p;

    known = ngx_webrtc_files_probe_find(file);

    if (known) {
        *movie = &known->movie;
        return NGX_OK;
    }

    if (ngx_webrtc_files_probing == NGX_WEBRTC_FILES_PROBES_BUSY) {
        return NGX_BUSY;
    }

    p = ngx_calloc(sizeof(ngx_webrtc_files_probe_t), log);

    if (p == NULL) {
        return NGX_ERROR;
    }

    p->file = *file;
    p->handler = handler;
    p->data = data;
    p->log = log;

    ngx_memzero(&start, sizeof(ngx_webrtc_media_start_t));

    start.kind = NGX_WEBRTC_MEDIA_FILE;
    start.fd = fd;
    start.movie.probe = 1;
    start.movie.chunk = NGX_WEBRTC_MEDIA_CHUNK;

    p->job = ngx_webrtc_media_start(&start, 0,
                                    &ngx_webrtc_files_probe_handlers, p, log,
                                    &cause, &err);
    if (p->job == NULL) {
        ngx_log_error(NGX_LOG_ERR, log, err,
                      "webrtc file cannot be looked at: %s", cause);
        ngx_free(p);
        return NGX_ERROR;
    }

    ngx_webrtc_files_probing++;

    *probe = p;

    return NGX_AGAIN;
}


static ngx_webrtc_files_known_t *
ngx_webrtc_files_probe_find(const ngx_webrtc_peer_file_t *file)
{
    ngx_queue_t               *q;
    ngx_webrtc_files_known_t  *known;

    if (ngx_webrtc_files_nknown == 0) {
        return NULL;
    }

    for (q = ngx_queue_head(&ngx_webrtc_files_known);
         q != ngx_queue_sentinel(&ngx_webrtc_files_known);
         q = ngx_queue_next(q))
    {
        known = ngx_queue_data(q, ngx_webrtc_files_known_t, queue);

        if (known->file.dev == file->dev
            && known->file.ino == file->ino
            && known->file.size == file->size
            && known->file.mtime_sec == file->mtime_sec
            && known->file.mtime_nsec == file->mtime_nsec)
        {
            ngx_queue_remove(q);
            ngx_queue_insert_head(&ngx_webrtc_files_known, q);

            return known;
        }
    }

    return NULL;
}


static void
ngx_webrtc_files_probe_keep(const ngx_webrtc_peer_file_t *file,
    const ngx_webrtc_movie_t *movie, ngx_log_t *log)
{
    ngx_queue_t               *q;
    ngx_webrtc_files_known_t  *known;

    if (ngx_webrtc_files_probe_find(file)) {
        return;
    }

    if (ngx_webrtc_files_nknown == 0) {
        ngx_queue_init(&ngx_webrtc_files_known);
    }

    if (ngx_webrtc_files_nknown < NGX_WEBRTC_FILES_PROBES) {
        known = ngx_alloc(sizeof(ngx_webrtc_files_known_t), log);

        if (known == NULL) {
            return;
        }

        ngx_webrtc_files_nknown++;

    } else {
        q = ngx_queue_last(&ngx_webrtc_files_known);
        ngx_queue_remove(q);

        known = ngx_queue_data(q, ngx_webrtc_files_known_t, queue);
    }

    known->file = *file;
    known->movie = *movie;

    ngx_queue_insert_head(&ngx_webrtc_files_known, &known->queue);
}


void
ngx_webrtc_files_probe_cancel(ngx_webrtc_files_probe_t *probe)
{
    ngx_webrtc_media_close(probe->job);
    ngx_webrtc_files_probe_free(probe);
}


void
ngx_webrtc_files_probe_done(void)
{
    ngx_queue_t  *q;

    while (ngx_webrtc_files_nknown) {
        q = ngx_queue_head(&ngx_webrtc_files_known);
        ngx_queue_remove(q);

        ngx_free(ngx_queue_data(q, ngx_webrtc_files_known_t, queue));
        ngx_webrtc_files_nknown--;
    }
}


static void
ngx_webrtc_files_probe_note(void *data, ngx_webrtc_media_note_t *note)
{
    ngx_webrtc_files_probe_t *probe = data;

    if (note->type == NGX_WEBRTC_MEDIA_REFUSED) {
        ngx_log_error(NGX_LOG_ERR, probe->log, 0,
                      "webrtc file cannot be looked at: %*s", note->len,
                      note->text);
    }
}


static void
ngx_webrtc_files_probe_record(void *data, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_files_probe_t *probe = data;

    if (r->type == NGX_WEBRTC_MEDIA_WRONG) {
        ngx_log_error(NGX_LOG_INFO, probe->log, 0,
                      "webrtc file cannot be looked at: %*s",
                      ngx_min(r->len, NGX_WEBRTC_MEDIA_TEXT), r->data);
        return;
    }

    if (r->type != NGX_WEBRTC_MEDIA_MOVIE || probe->movie) {
        return;
    }

    probe->movie = ngx_alloc(sizeof(ngx_webrtc_movie_t), probe->log);

    if (probe->movie
        && ngx_webrtc_movie_parse(r->data, r->data + r->len, probe->movie)
           != NGX_OK)
    {
        ngx_free(probe->movie);
        probe->movie = NULL;
    }
}


/* it asks for nothing */

static void
ngx_webrtc_files_probe_ask(void *data, struct sockaddr *sa,
    ngx_webrtc_media_ports_t *ports)
{
    /* void */
}


static void
ngx_webrtc_files_probe_ended(void *data, ngx_uint_t crashed)
{
    ngx_webrtc_files_probe_t *probe = data;

    if (probe->movie) {
        ngx_webrtc_files_probe_keep(&probe->file, probe->movie, probe->log);
    }

    probe->handler(probe->data, probe->movie);

    ngx_webrtc_files_probe_free(probe);
}


static void
ngx_webrtc_files_probe_free(ngx_webrtc_files_probe_t *probe)
{
    ngx_webrtc_files_probing--;

    if (probe->movie) {
        ngx_free(probe->movie);
    }

    ngx_free(probe);
}
