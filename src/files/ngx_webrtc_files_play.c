
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A file that is remuxed or transcoded for its client.
 *
 *   job's ring -> record -> frame -> channel
 *
 * A record is a frame, which is sent at once.  When the channel is full, or the
 * session's turn or its credit is used up, the ring is not read any more
 * (ngx_webrtc_media_hold()): the job fills it up to two seconds, and sleeps.
 * So there is one frame of a session outside the ring at most.  Whoever has
 * room again wakes the pump, which comes here.
 *
 * A job that crashes is begun again where it was, in a process of its own the
 * second time.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_files_play.h"
#include "ngx_webrtc_files_change.h"
#include "ngx_webrtc_media.h"
#include "ngx_webrtc_movie.h"
#include "ngx_webrtc_play.h"


/* bytes of the reason for a failure, in JSON */
#define NGX_WEBRTC_FILES_PLAY_TEXT  256

/* bytes before the data of a frame at most: of Init */
#define NGX_WEBRTC_FILES_PLAY_HEAD  (NGX_WEBRTC_RANGE_HEADER + 8)


struct ngx_webrtc_files_play_s {
    ngx_webrtc_files_channel_t  *fc;
    ngx_webrtc_play_t            play;
    ngx_webrtc_media_start_t     start;
    ngx_webrtc_media_job_t      *job;
    size_t                       left;        /* bytes of its turn */

    u_char                      *held;        /* a frame without room for it */
    size_t                       nheld;

    ngx_int_t                    end;         /* status owed; -1: none */
    ngx_uint_t                   wanted;      /* the job has to be told */
    u_char                       why[NGX_WEBRTC_FILES_PLAY_TEXT];
    size_t                       nwhy;        /* Info that is owed */
};


static void ngx_webrtc_files_play_seek(ngx_webrtc_files_play_t *fp);
static void ngx_webrtc_files_play_place(ngx_webrtc_files_play_t *fp);
static void ngx_webrtc_files_play_begin(ngx_webrtc_files_play_t *fp);
static void ngx_webrtc_files_play_note(void *data,
    ngx_webrtc_media_note_t *note);
static void ngx_webrtc_files_play_record(void *data,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_files_play_ask(void *data, struct sockaddr *sa,
    ngx_webrtc_media_ports_t *ports);
static void ngx_webrtc_files_play_ended(void *data, ngx_uint_t crashed);
static void ngx_webrtc_files_play_frame(ngx_webrtc_files_play_t *fp,
    ngx_webrtc_media_record_t *r);
static size_t ngx_webrtc_files_play_head(ngx_webrtc_files_play_t *fp,
    ngx_webrtc_media_record_t *r, u_char *buf);
static ngx_int_t ngx_webrtc_files_play_send(ngx_webrtc_files_play_t *fp,
    u_char *p, size_t n);
static ngx_int_t ngx_webrtc_files_play_owed(ngx_webrtc_files_play_t *fp);
static void ngx_webrtc_files_play_drop(ngx_webrtc_files_play_t *fp);
static void ngx_webrtc_files_play_failed(ngx_webrtc_files_play_t *fp,
    const u_char *text, size_t n);


static const ngx_webrtc_media_handlers_t  ngx_webrtc_files_play_handlers = {
    ngx_webrtc_files_play_note,
    ngx_webrtc_files_play_record,
    ngx_webrtc_files_play_ask,
    NULL,
    ngx_webrtc_files_play_ended
};


ngx_int_t
ngx_webrtc_files_play_open(ngx_webrtc_files_channel_t *fc)
{
    u_char                    *p, *last;
    ngx_webrtc_files_t        *f;
    ngx_webrtc_files_play_t   *fp;
    ngx_webrtc_media_movie_t  *movie;

    f = fc->files;

    fp = ngx_calloc(sizeof(ngx_webrtc_files_play_t), &f->session->log);
    if (fp == NULL) {
        return NGX_ERROR;
    }

    fp->fc = fc;
    fp->end = -1;
    fp->left = NGX_WEBRTC_FILES_TURN;

    ngx_webrtc_play_init(&fp->play);

    fp->start.kind = NGX_WEBRTC_MEDIA_FILE;

    movie = &fp->start.movie;
    fp->start.fd = f->fd;
    movie->chunk = (uint32_t) fc->ranges.opts.chunk;

    p = f->file.plan;
    last = p + NGX_WEBRTC_FILE_PLAN;

    if (ngx_webrtc_movie_plan_read(p, last, &movie->plan) != last) {
        ngx_free(fp);
        return NGX_ERROR;
    }

    fc->play = fp;
    f->playing = fc;

    return NGX_OK;
}


void
ngx_webrtc_files_play_close(ngx_webrtc_files_channel_t *fc)
{
    ngx_webrtc_files_play_t  *fp;

    fp = fc->play;

    if (fp == NULL) {
        return;
    }

    fc->play = NULL;
    fc->files->playing = NULL;

    ngx_webrtc_files_play_drop(fp);

    if (fp->job) {
        ngx_webrtc_media_close(fp->job);
    }

    ngx_free(fp);
}


void
ngx_webrtc_files_play_input(ngx_webrtc_files_channel_t *fc, u_char *p,
    size_t n)
{
    ngx_webrtc_files_play_t   *fp;
    ngx_webrtc_range_frame_t   frame;

    fp = fc->play;

    if (ngx_webrtc_range_parse(p, p + n, &frame) != NGX_OK
        || ngx_webrtc_play_input(&fp->play, &frame) != NGX_OK)
    {
        return;
    }

    ngx_webrtc_files_play_drop(fp);

    if (fp->play.failed) {
        fp->end = NGX_WEBRTC_RANGE_READ_ERROR;
        return;
    }

    fp->end = -1;
    fp->wanted = (fp->job != NULL);
}


void
ngx_webrtc_files_play_step(ngx_webrtc_files_channel_t *fc, size_t high)
{
    ngx_int_t                 rc;
    ngx_webrtc_files_t       *f;
    ngx_webrtc_files_play_t  *fp;

    static u_char  changed[] = "the file has changed";

    f = fc->files;
    fp = fc->play;

    if (fp->wanted) {
        ngx_webrtc_files_play_seek(fp);
    }

    if (ngx_webrtc_files_play_owed(fp) != NGX_OK) {
        return;
    }

    if (fp->play.failed || fp->play.paused || fp->play.over) {
        return;
    }

    if (ngx_webrtc_files_change_check(f, NULL, 0) != NGX_OK) {
        ngx_webrtc_files_play_failed(fp, changed, sizeof(changed) - 1);
        return;
    }

    if (f->file.limit_rate && f->after == 0 && f->credit <= 0) {
        return;
    }

    if (f->assoc.buffered >= high
        || (fc->full && ngx_webrtc_sctp_unsent(&f->assoc)
                        > ngx_min(f->assoc.low, high)))
    {
        fc->full = 1;
        ngx_webrtc_sctp_wait(&f->assoc);
        return;
    }

    fc->full = 0;
    fc->ranges.opts.high = high;
    fp->left = NGX_WEBRTC_FILES_TURN;

    if (fp->held) {
        rc = ngx_webrtc_files_play_send(fp, fp->held, fp->nheld);

        if (rc == NGX_AGAIN) {
            fc->full = 1;
            ngx_webrtc_sctp_wait(&f->assoc);
            return;
        }

        ngx_webrtc_files_play_drop(fp);
    }

    if (fp->job == NULL) {
        ngx_webrtc_files_play_begin(fp);
        return;
    }

    ngx_webrtc_media_release(fp->job);
}


/* the last of what a client wants; again with the next record if it fails */

static void
ngx_webrtc_files_play_seek(ngx_webrtc_files_play_t *fp)
{
    ngx_webrtc_files_play_place(fp);

    fp->wanted = (fp->job
                  && ngx_webrtc_media_seek(fp->job, &fp->start.movie.seek)
                     != NGX_OK);
}


static void
ngx_webrtc_files_play_place(ngx_webrtc_files_play_t *fp)
{
    ngx_webrtc_media_seek_t  *seek;

    seek = &fp->start.movie.seek;

    seek->generation = fp->play.generation;
    seek->ms = fp->play.ms;
    seek->quality = fp->play.quality;
    seek->audio = fp->play.audio;
}


static void
ngx_webrtc_files_play_begin(ngx_webrtc_files_play_t *fp)
{
    ngx_err_t            err;
    ngx_uint_t           alone;
    const char          *cause;
    ngx_webrtc_files_t  *f;

    f = fp->fc->files;

    ngx_webrtc_files_play_place(fp);
    fp->wanted = 0;

    /* an encoder takes what a processor has */

    alone = fp->start.movie.plan.scale || fp->play.tries > 1;

    fp->job = ngx_webrtc_media_start(&fp->start, alone,
                                     &ngx_webrtc_files_play_handlers, fp,
                                     &f->session->log, &cause, &err);

    if (fp->job == NULL) {
        ngx_log_error(NGX_LOG_ERR, &f->session->log, err,
                      "webrtc file cannot be played: %s", cause);

        ngx_webrtc_files_play_failed(fp, (u_char *) cause, ngx_strlen(cause));
    }
}


/* the only one is that it could not begin */

static void
ngx_webrtc_files_play_note(void *data, ngx_webrtc_media_note_t *note)
{
    ngx_webrtc_files_play_t *fp = data;

    if (note->type != NGX_WEBRTC_MEDIA_REFUSED) {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, &fp->fc->files->session->log, 0,
                  "webrtc file cannot be played: %*s", note->len, note->text);

    ngx_webrtc_files_play_failed(fp, note->text, note->len);
}


static void
ngx_webrtc_files_play_record(void *data, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_files_play_t *fp = data;

    ngx_webrtc_files_t  *f;

    f = fp->fc->files;

    if (fp->wanted) {
        ngx_webrtc_files_play_seek(fp);
    }

    /* what the file is like is told once, whatever is wanted meanwhile */

    if (fp->play.failed
        || (r->value != (uint16_t) fp->play.generation
            && r->type != NGX_WEBRTC_MEDIA_INFO))
    {
        return;
    }

    switch (r->type) {

    case NGX_WEBRTC_MEDIA_INFO:
    case NGX_WEBRTC_MEDIA_INIT:
    case NGX_WEBRTC_MEDIA_FRAGMENT:
    case NGX_WEBRTC_MEDIA_CUE:
        ngx_webrtc_files_play_frame(fp, r);
        break;

    case NGX_WEBRTC_MEDIA_OVER:
        fp->play.over = 1;
        fp->end = NGX_WEBRTC_RANGE_DONE;
        ngx_webrtc_media_hold(fp->job);
        break;

    case NGX_WEBRTC_MEDIA_WRONG:
        ngx_log_error(NGX_LOG_INFO, &f->session->log, 0,
                      "webrtc file cannot be played: %*s",
                      ngx_min(r->len, NGX_WEBRTC_FILES_PLAY_TEXT), r->data);

        ngx_webrtc_files_play_failed(fp, r->data, r->len);
        break;

    default:
        break;
    }

    /* the pump sends what is owed, and the port's batch */

    ngx_webrtc_files_wake(f);
}


/* it asks for nothing */

static void
ngx_webrtc_files_play_ask(void *data, struct sockaddr *sa,
    ngx_webrtc_media_ports_t *ports)
{
    /* void */
}


static void
ngx_webrtc_files_play_ended(void *data, ngx_uint_t crashed)
{
    ngx_webrtc_files_play_t *fp = data;

    ngx_webrtc_files_t  *f;

    static u_char  died[] = "the media process has ended";

    fp->job = NULL;
    f = fp->fc->files;

    if (fp->play.failed) {
        return;
    }

    if (!crashed || ngx_webrtc_play_again(&fp->play) != NGX_OK) {
        ngx_webrtc_files_play_failed(fp, died, sizeof(died) - 1);

    } else {
        ngx_webrtc_files_play_drop(fp);
    }

    ngx_webrtc_files_wake(f);
}


static void
ngx_webrtc_files_play_frame(ngx_webrtc_files_play_t *fp,
    ngx_webrtc_media_record_t *r)
{
    u_char                       buf[NGX_WEBRTC_FILES_PLAY_HEAD], *frame;
    size_t                       head, n;
    ngx_webrtc_files_t          *f;
    ngx_webrtc_files_channel_t  *fc;

    fc = fp->fc;
    f = fc->files;

    head = ngx_webrtc_files_play_head(fp, r, buf);
    n = head + r->len;

    if (n > NGX_WEBRTC_FILES_FRAME
        || n > f->session->peer->desc.max_message
        || fp->held)
    {
        /* a client that takes no message of this size cannot play */

        static u_char  large[] = "it does not fit the client's messages";

        ngx_webrtc_files_play_failed(fp, large, sizeof(large) - 1);
        return;
    }

    frame = f->fw->frame;

    ngx_memcpy(ngx_cpymem(frame, buf, head), r->data, r->len);

    /* a lost end of a fragment is no more than a place begun at too early */

    if (r->type == NGX_WEBRTC_MEDIA_FRAGMENT && r->track && r->ts >= 0) {
        ngx_webrtc_play_sent(&fp->play, (uint64_t) r->ts);
    }

    switch (ngx_webrtc_files_play_send(fp, frame, n)) {

    case NGX_OK:
        break;

    case NGX_AGAIN:
        fp->held = ngx_alloc(n, &f->session->log);

        if (fp->held == NULL) {
            static u_char  memory[] = "no memory";

            ngx_webrtc_files_play_failed(fp, memory, sizeof(memory) - 1);
            return;
        }

        ngx_memcpy(fp->held, frame, n);
        fp->nheld = n;
        f->kept = n;

        ngx_webrtc_media_hold(fp->job);
        return;

    default:

        /* the channel is about to be closed */

        ngx_webrtc_media_hold(fp->job);
        return;
    }

    n = ngx_max(n, NGX_WEBRTC_FILES_LEAST);

    fp->left -= ngx_min(fp->left, n);

    if (fp->left == 0
        || f->assoc.buffered >= fc->ranges.opts.high
        || (f->file.limit_rate && f->after == 0 && f->credit <= 0))
    {
        ngx_webrtc_media_hold(fp->job);
    }
}


/* what stands before a record's data in its frame */

static size_t
ngx_webrtc_files_play_head(ngx_webrtc_files_play_t *fp,
    ngx_webrtc_media_record_t *r, u_char *buf)
{
    u_char  *p, *last;

    last = buf + NGX_WEBRTC_FILES_PLAY_HEAD;

    switch (r->type) {

    case NGX_WEBRTC_MEDIA_INIT:
        p = ngx_webrtc_range_write_init(buf, last,
                                        fp->play.generation,
                                        (uint64_t) ngx_max(r->ts, 0), r->len);
        break;

    case NGX_WEBRTC_MEDIA_INFO:
    case NGX_WEBRTC_MEDIA_CUE:
        p = ngx_webrtc_range_write_header(buf, last,
                                          r->type == NGX_WEBRTC_MEDIA_INFO
                                          ? NGX_WEBRTC_RANGE_INFO
                                          : NGX_WEBRTC_RANGE_CUE,
                                          0, fp->play.generation, r->len);
        break;

    default: /* NGX_WEBRTC_MEDIA_FRAGMENT */
        p = ngx_webrtc_range_write_header(buf, last,
                                          NGX_WEBRTC_RANGE_DATA,
                                          r->track ? NGX_WEBRTC_RANGE_LAST : 0,
                                          fp->play.generation, r->len);
    }

    return p - buf;
}


static ngx_int_t
ngx_webrtc_files_play_send(ngx_webrtc_files_play_t *fp, u_char *p, size_t n)
{
    ngx_int_t            rc;
    ngx_webrtc_files_t  *f;

    f = fp->fc->files;

    rc = ngx_webrtc_channel_send(fp->fc->ch, 0, p, n);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_webrtc_atomic_add(&f->session->peer->stat.packets_out, 1);
    ngx_webrtc_atomic_add(&f->session->peer->stat.bytes_out, n);

    if (f->after >= n) {
        f->after -= n;

    } else {
        f->credit -= n - f->after;
        f->after = 0;
    }

    return NGX_OK;
}


/* NGX_OK: nothing is */

static ngx_int_t
ngx_webrtc_files_play_owed(ngx_webrtc_files_play_t *fp)
{
    u_char   buf[NGX_WEBRTC_RANGE_HEADER + NGX_WEBRTC_FILES_PLAY_TEXT], *p;

    if (fp->nwhy) {
        p = ngx_webrtc_range_write_header(buf, buf + sizeof(buf),
                                          NGX_WEBRTC_RANGE_INFO, 0,
                                          fp->play.generation, fp->nwhy);
        p = ngx_cpymem(p, fp->why, fp->nwhy);

        if (ngx_webrtc_channel_send(fp->fc->ch, 0, buf, p - buf) == NGX_AGAIN)
        {
            return NGX_AGAIN;
        }

        fp->nwhy = 0;
    }

    if (fp->end == -1 || fp->held) {

        /* what was sent before comes first */

        return NGX_OK;
    }

    p = ngx_webrtc_range_write_end(buf, buf + sizeof(buf),
                                   fp->play.generation, fp->end);

    if (ngx_webrtc_channel_send(fp->fc->ch, 0, buf, p - buf) == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    fp->end = -1;

    return NGX_OK;
}


static void
ngx_webrtc_files_play_drop(ngx_webrtc_files_play_t *fp)
{
    if (fp->held) {
        ngx_free(fp->held);
        fp->held = NULL;
        fp->nheld = 0;
        fp->fc->files->kept = 0;
    }
}


/* tells the client; nothing comes from then on */

static void
ngx_webrtc_files_play_failed(ngx_webrtc_files_play_t *fp, const u_char *text,
    size_t n)
{
    u_char  *p, *last;

    fp->play.failed = 1;
    fp->end = NGX_WEBRTC_RANGE_READ_ERROR;

    ngx_webrtc_files_play_drop(fp);

    if (fp->job) {
        ngx_webrtc_media_close(fp->job);
        fp->job = NULL;
    }

    p = ngx_cpymem(fp->why, "{\"mode\":\"failed\",\"reason\":\"", 27);
    last = fp->why + NGX_WEBRTC_FILES_PLAY_TEXT - 2;

    for ( /* void */ ; n && p < last; n--, text++) {
        *p++ = (*text < 0x20 || *text > 0x7e || *text == '"' || *text == '\\')
               ? ' ' : *text;
    }

    *p++ = '"';
    *p++ = '}';

    fp->nwhy = p - fp->why;

    ngx_webrtc_files_wake(fp->fc->files);
}
