
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * One run of a source over libavformat: open with the scheme's protocols and
 * demuxers only and next to no probing, read, close.
 *
 * All blocking calls of libav* end through the interrupt callback, within
 * its polling interval of 100 ms; only resolving names does not.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdarg.h>
#include <stdio.h>

#include <libavformat/avformat.h>
#include <libavutil/log.h>

#include "ngx_webrtc_source_av.h"
#include "ngx_webrtc_source_file.h"
#include "ngx_webrtc_source_program.h"
#include "ngx_webrtc_source_refuse.h"
#include "ngx_webrtc_source_run.h"
#include "ngx_webrtc_source_standby.h"


/*
 * Bytes that are read to find out about a stream beyond its format; chosen:
 * 20 packets of MPEG-TS, because its demuxer reads all of it at start
 */
#define NGX_WEBRTC_SOURCE_PROBE          "4096"

/* chosen: bounds what a hostile PMT can make */
#define NGX_WEBRTC_SOURCE_STREAMS        "256"


static ngx_int_t ngx_webrtc_source_av_play(ngx_webrtc_source_run_t *run);
static void ngx_webrtc_source_av_log(void *avcl, int level, const char *fmt,
    va_list args);
static int ngx_webrtc_source_av_interrupt(void *data);
static ngx_int_t ngx_webrtc_source_av_find(ngx_webrtc_source_run_t *run);
static AVDictionary *ngx_webrtc_source_av_options(
    ngx_webrtc_source_run_t *run);
static ngx_uint_t ngx_webrtc_source_av_paced(ngx_webrtc_source_run_t *run);
static void ngx_webrtc_source_av_program(ngx_webrtc_source_run_t *run);
static void ngx_webrtc_source_av_close(ngx_webrtc_source_run_t *run);
static void ngx_webrtc_source_av_arrived(ngx_webrtc_source_run_t *run);


/* whose libav* is running in this thread: its log callback has no context */
static __thread ngx_webrtc_source_thread_t  *ngx_webrtc_source_av_current;


void
ngx_webrtc_source_av_init(void)
{
    av_log_set_callback(ngx_webrtc_source_av_log);

    (void) avformat_network_init();
}


ngx_int_t
ngx_webrtc_source_av_run(ngx_webrtc_source_thread_t *th)
{
    ngx_int_t                 rc;
    ngx_webrtc_source_run_t  *run;

    rc = ngx_webrtc_source_av_start(th, &run);

    return (rc == NGX_OK) ? ngx_webrtc_source_av_play(run) : rc;
}


ngx_int_t
ngx_webrtc_source_av_start(ngx_webrtc_source_thread_t *th,
    ngx_webrtc_source_run_t **prun)
{
    ngx_int_t                 rc;
    ngx_webrtc_source_run_t  *run;

    run = calloc(1, sizeof(ngx_webrtc_source_run_t));
    if (run == NULL) {
        ngx_webrtc_source_thread_error(th, "no memory");
        return NGX_ERROR;
    }

    run->th = th;
    th->libav_len = 0;

    ngx_webrtc_source_av_current = th;

    if (ngx_webrtc_source_read_init(&run->rd) != NGX_OK) {
        ngx_webrtc_source_thread_error(th, "no memory");
        rc = NGX_ERROR;
        goto failed;
    }

    run->rd.wanted = th->conf.program ? (int) th->conf.program
                                      : NGX_WEBRTC_SOURCE_NO_PROGRAM;
    run->rd.unknown = ngx_webrtc_source_refuse_codec;
    run->rd.ctx = run;

    th->deadline_us = ngx_webrtc_time_now()
                      + (uint64_t) th->conf.connect_timeout * 1000;

    rc = ngx_webrtc_source_av_find(run);
    if (rc != NGX_OK) {
        goto failed;
    }

    rc = ngx_webrtc_source_av_open(run);
    if (rc != NGX_OK) {
        goto failed;
    }

    ngx_webrtc_source_out_begin(&th->out);

    rc = ngx_webrtc_source_tracks_find(run);

    if (rc == NGX_ERROR && run->eof
        && run->rd.wanted != NGX_WEBRTC_SOURCE_NO_PROGRAM && !run->rd.chosen)
    {
        ngx_webrtc_source_av_program(run);
    }

    if (rc == NGX_OK) {
        *prun = run;
        return NGX_OK;
    }

failed:

    th->moved = (rc == NGX_ERROR && run->moved);

    ngx_webrtc_source_out_end(&th->out);
    ngx_webrtc_source_av_free(run);

    return rc;
}


ngx_int_t
ngx_webrtc_source_av_take(ngx_webrtc_source_thread_t *th,
    ngx_webrtc_source_run_t *run)
{
    ngx_int_t  rc;

    run->th = th;
    th->libav_len = 0;

    ngx_webrtc_source_av_current = th;
    ngx_webrtc_source_hls_move(&run->hls);
    ngx_webrtc_source_refuse_move(run);

    if (run->rtmp) {
        ngx_webrtc_source_rtmp_move(run->rtmp, th);
    }

    ngx_webrtc_source_out_begin(&th->out);

    ngx_webrtc_source_tracks_again(run);

    rc = ngx_webrtc_source_tracks_find(run);

    if (rc == NGX_OK) {
        return ngx_webrtc_source_av_play(run);
    }

    th->moved = (rc == NGX_ERROR && run->moved);

    ngx_webrtc_source_out_end(&th->out);
    ngx_webrtc_source_av_free(run);

    return rc;
}


/* what is found is played, until it is over */

static ngx_int_t
ngx_webrtc_source_av_play(ngx_webrtc_source_run_t *run)
{
    ngx_int_t                    rc;
    ngx_webrtc_source_thread_t  *th;

    th = run->th;

    ngx_webrtc_source_av_program(run);

    rc = ngx_webrtc_source_tracks_tell(run);

    if (rc == NGX_OK) {
        ngx_webrtc_source_standby_begin(th);

        rc = run->paced ? ngx_webrtc_source_play_paced(run)
                        : ngx_webrtc_source_play_live(run);
    }

    th->moved = (rc == NGX_ERROR && run->moved);

    ngx_webrtc_source_out_end(&th->out);
    ngx_webrtc_source_av_free(run);

    return rc;
}


void
ngx_webrtc_source_av_free(ngx_webrtc_source_run_t *run)
{
    ngx_webrtc_source_av_close(run);
    free(run);

    ngx_webrtc_source_av_current = NULL;
}


/*
 * Called by libav* in whatever thread.  Only errors in a source's own thread
 * are of interest: the last one becomes part of the reason of a loss.
 */

static void
ngx_webrtc_source_av_log(void *avcl, int level, const char *fmt, va_list args)
{
    int                          i, n;
    ngx_webrtc_source_thread_t  *th;

    (void) avcl;

    th = ngx_webrtc_source_av_current;

    if (th == NULL || level > AV_LOG_ERROR || level < 0) {
        return;
    }

    n = vsnprintf((char *) th->libav, sizeof(th->libav), fmt, args);

    if (n < 0) {
        n = 0;
    }

    n = ngx_min(n, (int) sizeof(th->libav) - 1);

    /* one line of printable text: it may come from the upstream */

    for (i = 0; i < n; i++) {

        if (th->libav[i] == '\n' && i + 1 == n) {
            n--;
            break;
        }

        if (th->libav[i] < 0x20 || th->libav[i] >= 0x7f) {
            th->libav[i] = '?';
        }
    }

    th->libav_len = ngx_webrtc_source_url_scrub(th->libav, n);
}


static int
ngx_webrtc_source_av_interrupt(void *data)
{
    ngx_webrtc_source_run_t  *run = data;

    if (ngx_webrtc_source_thread_stopped(run->th)
        || ngx_webrtc_time_now() > run->th->deadline_us)
    {
        return 1;
    }

    if (run->rtmp && !run->moved) {
        run->moved = ngx_webrtc_source_rtmp_moved(run->rtmp, run->waiting_us);
    }

    return run->moved
           || run->refusal[0]
           || run->hls.anew
           || ngx_webrtc_source_tracks_silent(run) != NGX_OK;
}


/* nginx-rtmp of this nginx: the worker that has the stream */

static ngx_int_t
ngx_webrtc_source_av_find(ngx_webrtc_source_run_t *run)
{
    ngx_int_t  rc;

    run->rtmp = ngx_webrtc_source_rtmp_create(run->th);

    if (run->rtmp == NULL) {
        return NGX_OK;
    }

    rc = ngx_webrtc_source_rtmp_find(run->rtmp);

    /* what is found is played at once, or it is gone again */

    run->th->deadline_us = ngx_webrtc_time_now()
                           + (uint64_t) run->th->conf.connect_timeout * 1000;

    return rc;
}


ngx_int_t
ngx_webrtc_source_av_open(ngx_webrtc_source_run_t *run)
{
    int                          rc;
    const char                  *format;
    AVDictionary                *options;
    const AVInputFormat         *iformat;
    ngx_webrtc_source_thread_t  *th;

    th = run->th;

    iformat = NULL;
    format = th->conf.format ? th->conf.format : th->conf.scheme->format;

    if (format) {
        iformat = av_find_input_format(format);
        if (iformat == NULL) {
            ngx_webrtc_source_thread_error(th, "no demuxer \"%s\"", format);
            return NGX_ERROR;
        }
    }

    run->ic = avformat_alloc_context();
    if (run->ic == NULL) {
        ngx_webrtc_source_thread_error(th, "no memory");
        return NGX_ERROR;
    }

    run->ic->interrupt_callback.callback = ngx_webrtc_source_av_interrupt;
    run->ic->interrupt_callback.opaque = run;
    run->ic->correct_ts_overflow = 0;
    run->ic->flags |= AVFMT_FLAG_NOBUFFER;

    ngx_webrtc_source_open_attach(run);
    ngx_webrtc_source_refuse_watch(run);
    ngx_webrtc_source_hls_attach(run);

    run->waiting_us = ngx_webrtc_time_now();

    if (th->conf.scheme->flags & NGX_WEBRTC_SOURCE_URL_FILE) {

        /* ours to close, as libavformat would not know how */

        rc = run->ic->io_open(run->ic, &run->open.pb, th->conf.url,
                              AVIO_FLAG_READ, NULL);
        if (rc < 0) {
            return ngx_webrtc_source_av_failed(run, rc, "open");
        }

        run->ic->pb = run->open.pb;
    }

    options = ngx_webrtc_source_av_options(run);

    /* frees the context on failure */

    rc = avformat_open_input(&run->ic,
                             run->rtmp ? ngx_webrtc_source_rtmp_url(run->rtmp)
                                       : th->conf.url,
                             iformat, &options);

    av_dict_free(&options);

    if (rc >= 0 && ngx_webrtc_source_open_check(run) != NGX_OK) {
        rc = AVERROR(EACCES);
    }

    if (rc < 0) {
        return ngx_webrtc_source_av_failed(run, rc, "open");
    }

    run->paced = ngx_webrtc_source_av_paced(run);

    ngx_webrtc_source_read_attach(&run->rd, run->ic, run->paced);

    run->opened_us = ngx_webrtc_time_now();

    return NGX_OK;
}


/* what a demuxer or protocol does not know is left over and ignored */

static AVDictionary *
ngx_webrtc_source_av_options(ngx_webrtc_source_run_t *run)
{
    int64_t                            timeout_us;
    AVDictionary                      *d;
    const ngx_webrtc_source_scheme_t  *scheme;

    d = NULL;
    scheme = run->th->conf.scheme;
    timeout_us = (int64_t) run->th->conf.read_timeout * 1000;

    (void) av_dict_set(&d, "protocol_whitelist", scheme->protocols, 0);
    (void) av_dict_set(&d, "format_whitelist",
                       ((scheme->flags & NGX_WEBRTC_SOURCE_URL_FILE)
                        && !run->th->conf.lists)
                       ? NGX_WEBRTC_SOURCE_FORMATS : scheme->formats, 0);

    (void) av_dict_set(&d, "probesize", NGX_WEBRTC_SOURCE_PROBE, 0);
    (void) av_dict_set(&d, "max_streams", NGX_WEBRTC_SOURCE_STREAMS, 0);
    (void) av_dict_set_int(&d, "rw_timeout", timeout_us, 0);

    /* mpegts: pictures are not to be cut */

    (void) av_dict_set_int(&d, "max_packet_size", 2 * 1024 * 1024, 0);

    /* hls: see ngx_webrtc_source_hls.c */

    (void) av_dict_set_int(&d, "http_persistent", 0, 0);

    /* flv: which tracks are to come, see ngx_webrtc_source_read_declared() */

    (void) av_dict_set_int(&d, "flv_full_metadata", 1, 0);

    if (scheme->name.data[0] == 'r' && scheme->name.data[1] == 't') {

        (void) av_dict_set(&d, "tcp_nodelay", "1", 0);             /* rtmp */

        if (run->rtmp) {
            (void) av_dict_set(&d, "rtmp_app",
                               ngx_webrtc_source_rtmp_app(run->rtmp), 0);
            (void) av_dict_set(&d, "rtmp_playpath",
                               ngx_webrtc_source_rtmp_name(run->rtmp), 0);
            (void) av_dict_set(&d, "rtmp_tcurl",
                               ngx_webrtc_source_rtmp_tcurl(run->rtmp), 0);
        }

        if (scheme->name.data[2] == 's') {
            (void) av_dict_set(&d, "rtsp_flags", "prefer_tcp", 0);
            (void) av_dict_set_int(&d, "timeout", timeout_us, 0);
        }
    }

    return d;
}


/* Does it come as fast as we read, so that we have to hold it back? */

static ngx_uint_t
ngx_webrtc_source_av_paced(ngx_webrtc_source_run_t *run)
{
    AVIOContext  *pb;

    if (run->th->conf.scheme->flags & NGX_WEBRTC_SOURCE_URL_FILE) {
        return 1;
    }

    /* segments come in bursts, live or not */

    if (ngx_strncmp(run->ic->iformat->name, "hls", 3) == 0) {
        return 1;
    }

    /* what has a size is a file, wherever it lies */

    pb = run->ic->pb;

    return pb && avio_size(pb) > 0;
}


/* NGX_ABORT when the error is that we have to stop */

ngx_int_t
ngx_webrtc_source_av_failed(ngx_webrtc_source_run_t *run, int err,
    const char *doing)
{
    char                         text[AV_ERROR_MAX_STRING_SIZE];
    u_char                      *p;
    u_char                       why[NGX_WEBRTC_SOURCE_TEXT];
    const char                  *cause;
    ngx_webrtc_source_thread_t  *th;

    th = run->th;

    if (ngx_webrtc_source_thread_stopped(th)) {
        return NGX_ABORT;
    }

    if (run->refusal[0]) {
        ngx_webrtc_source_thread_error(th, "%s", run->refusal);
        return NGX_ERROR;
    }

    if (run->moved) {
        cause = "the stream has moved to another worker";

    } else if (err == AVERROR_EXIT || err == AVERROR(ETIMEDOUT)) {
        cause = "timed out";

    } else if (av_strerror(err, text, sizeof(text)) == 0) {
        cause = text;

    } else {
        cause = "unknown error";
    }

    p = ngx_webrtc_source_refuse_print(run, why, why + sizeof(why));

    if (p != why) {
        ngx_webrtc_source_thread_error(th, "%*s (%s: %s)", (size_t) (p - why),
                                       why, doing, cause);

    } else if (th->libav_len) {
        ngx_webrtc_source_thread_error(th, "%s: %s (%*s)", doing, cause,
                                       th->libav_len, th->libav);

    } else {
        ngx_webrtc_source_thread_error(th, "%s: %s", doing, cause);
    }

    return NGX_ERROR;
}


/* which of which: in the log, or the reason why there is none */

static void
ngx_webrtc_source_av_program(ngx_webrtc_source_run_t *run)
{
    u_char  *p, text[NGX_WEBRTC_SOURCE_TEXT];

    p = ngx_webrtc_source_program_print(&run->rd, text, text + sizeof(text));

    if (!run->rd.chosen) {
        ngx_webrtc_source_thread_error(run->th, "no such program: %*s",
                                       (size_t) (p - text), text);

    } else if (run->rd.ts && run->ic->nb_programs > 1) {
        ngx_webrtc_source_thread_log(run->th, NGX_LOG_NOTICE, "plays %*s",
                                     (size_t) (p - text), text);
    }
}


static void
ngx_webrtc_source_av_close(ngx_webrtc_source_run_t *run)
{
    if (run->audio) {
        ngx_webrtc_source_audio_destroy(run->audio);
        run->audio = NULL;
    }

    ngx_webrtc_source_read_cleanup(&run->rd);

    ngx_webrtc_source_av_close_input(run);

    if (run->rtmp) {
        ngx_webrtc_source_rtmp_destroy(run->rtmp);
        run->rtmp = NULL;
    }
}


void
ngx_webrtc_source_av_close_input(ngx_webrtc_source_run_t *run)
{
    avformat_close_input(&run->ic);

    if (run->open.pb) {
        ngx_webrtc_source_file_close(run->open.pb);
        run->open.pb = NULL;
    }
}


/* one packet into the queue; NGX_DONE at the end of the input */

ngx_int_t
ngx_webrtc_source_av_read(ngx_webrtc_source_run_t *run)
{
    int                          rc;
    uint64_t                     now_us;
    ngx_webrtc_source_thread_t  *th;

    th = run->th;

    if (ngx_webrtc_source_thread_stopped(th)) {
        return NGX_ABORT;
    }

    now_us = ngx_webrtc_time_now();

    th->deadline_us = now_us + ngx_webrtc_source_tracks_timeout(run);
    run->waiting_us = now_us;

    ngx_webrtc_source_standby_check(th, now_us);

    rc = ngx_webrtc_source_read_next(&run->rd);

    if (run->rtmp && rc >= 0) {
        ngx_webrtc_source_rtmp_rest(run->rtmp);
    }

    run->reading_us += ngx_webrtc_time_now() - now_us;

    ngx_webrtc_source_av_arrived(run);

    while (run->damaged != run->rd.damaged) {
        run->damaged++;
        ngx_webrtc_source_out_damaged(&th->out);
    }

    while (run->steps != run->rd.splice.steps) {
        run->steps++;
        ngx_webrtc_source_out_stepped(&th->out);
    }

    /* demuxers say EAGAIN when they skipped something */

    if (rc >= 0 || rc == AVERROR(EAGAIN)) {
        return NGX_OK;
    }

    if (run->refusal[0]) {
        return ngx_webrtc_source_av_failed(run, rc, "read");
    }

    if (run->hls.anew) {
        ngx_webrtc_source_thread_error(th, "the playlist begins anew");
        return NGX_ERROR;
    }

    if (rc == AVERROR_EOF && ngx_webrtc_source_hls_ended(&run->hls)) {
        ngx_webrtc_source_read_drain(&run->rd);
        run->eof = 1;
        return NGX_DONE;
    }

    if (rc == AVERROR_STREAM_NOT_FOUND && !run->rd.chosen) {
        ngx_webrtc_source_av_program(run);
        return NGX_ERROR;
    }

    return ngx_webrtc_source_av_failed(run, rc, "read");
}


/*
 * Does a live upstream send as fast as the link allows, or as time goes by?
 * The latter when we had to wait for the newest frame for at least 7/10 of its
 * distance to the one before of its track.  What we do between reads does not
 * count: meanwhile the rest of a burst queues up.
 */

static void
ngx_webrtc_source_av_arrived(ngx_webrtc_source_run_t *run)
{
    int64_t                     media, wall;
    ngx_webrtc_source_pace_t   *pace;
    ngx_webrtc_source_item_t   *item;

    if (run->paced || run->started) {
        return;
    }

    for (item = run->rd.tail; item && !item->arrived; item = item->prev) {

        item->arrived = 1;

        pace = &run->pace[item->kind == NGX_WEBRTC_VIDEO];

        if (pace->set) {
            media = (item->dts - pace->dts) / 9 * 100;
            wall = run->reading_us - pace->us;

            if (media > 0) {
                run->caught_up = (wall >= media / 10 * 7);
            }
        }

        if (!pace->set || item->dts > pace->dts) {
            pace->dts = item->dts;
        }

        pace->set = 1;
        pace->us = run->reading_us;
    }
}
