
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The input of a source: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavformat/avformat.h>

#include "ngx_webrtc_source_announced.h"
#include "ngx_webrtc_source_file.h"
#include "ngx_webrtc_source_hls.h"
#include "ngx_webrtc_source_input.h"
#include "ngx_webrtc_source_open.h"
#include "ngx_webrtc_source_packets.h"
#include "ngx_webrtc_source_program.h"
#include "ngx_webrtc_source_read.h"
#include "ngx_webrtc_source_refuse.h"


/*
 * Bytes read to learn about a stream beyond its format; chosen: 20 packets of
 * MPEG-TS, because its demuxer reads all of it at start
 */
#define NGX_WEBRTC_SOURCE_PROBE          "4096"

/* chosen: bounds what a hostile PMT can make */
#define NGX_WEBRTC_SOURCE_STREAMS        "256"

/* times the timeout of a read; chosen: of 10 s, GOPs are not longer */
#define NGX_WEBRTC_SOURCE_FIRST_TIMES    3


static int ngx_webrtc_source_input_own(ngx_webrtc_source_run_t *run);
static ngx_uint_t ngx_webrtc_source_input_described(
    ngx_webrtc_source_run_t *run);
static AVDictionary *ngx_webrtc_source_input_options(
    ngx_webrtc_source_run_t *run);
static ngx_uint_t ngx_webrtc_source_input_paced(ngx_webrtc_source_run_t *run);
static int ngx_webrtc_source_input_interrupt(void *data);
static void ngx_webrtc_source_input_arrived(ngx_webrtc_source_run_t *run);
static uint64_t ngx_webrtc_source_input_timeout(ngx_webrtc_source_run_t *run);


ngx_int_t
ngx_webrtc_source_input_open(ngx_webrtc_source_run_t *run)
{
    int                          rc;
    const char                  *format;
    AVDictionary                *options;
    const AVInputFormat         *iformat;
    ngx_webrtc_source_thread_t  *th;

    th = run->th;

    iformat = NULL;
    format = th->at->format ? th->at->format : th->at->scheme->format;

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

    run->ic->interrupt_callback.callback = ngx_webrtc_source_input_interrupt;
    run->ic->interrupt_callback.opaque = run;
    run->ic->correct_ts_overflow = 0;
    run->ic->flags |= AVFMT_FLAG_NOBUFFER;

    ngx_webrtc_source_open_attach(run);
    ngx_webrtc_source_refuse_watch(run);
    ngx_webrtc_source_hls_attach(run);

    run->waiting_us = ngx_webrtc_time_now();

    rc = ngx_webrtc_source_input_own(run);

    if (rc < 0) {
        return ngx_webrtc_source_input_failed(run, rc, "open");
    }

    options = ngx_webrtc_source_input_options(run);

    /* frees the context on failure */

    rc = avformat_open_input(&run->ic,
                             run->rtmp ? ngx_webrtc_source_rtmp_url(run->rtmp)
                                       : th->at->url,
                             iformat, &options);

    av_dict_free(&options);

    if (rc >= 0 && ngx_webrtc_source_open_check(run) != NGX_OK) {
        rc = AVERROR(EACCES);
    }

    if (rc < 0) {
        return ngx_webrtc_source_input_failed(run, rc, "open");
    }

    if (run->open.packets) {
        run->ic->pb = ngx_webrtc_source_packets_io(run->open.packets);
    }

    run->paced = ngx_webrtc_source_input_paced(run);

    ngx_webrtc_source_read_attach(&run->rd, run->ic, run->paced);

    run->opened_us = ngx_webrtc_time_now();

    return NGX_OK;
}


/* what is read through us, and ours to close: libavformat would not know how;
 * 0, or its error */

static int
ngx_webrtc_source_input_own(ngx_webrtc_source_run_t *run)
{
    int                          rc;
    ngx_webrtc_source_thread_t  *th;

    th = run->th;

    if (ngx_webrtc_source_input_described(run)) {
        run->open.opened = 1;
        run->open.packets = ngx_webrtc_source_packets_open(th->conf.given,
                                              &run->ic->interrupt_callback);

        if (run->open.packets == NULL) {
            return AVERROR(ENOMEM);
        }

        run->ic->pb = ngx_webrtc_source_packets_text(run->open.packets);
        return 0;
    }

    if (!(th->at->scheme->flags
          & (NGX_WEBRTC_SOURCE_URL_FILE|NGX_WEBRTC_SOURCE_URL_GIVEN)))
    {
        return 0;
    }

    rc = run->ic->io_open(run->ic, &run->open.pb, th->at->url,
                          AVIO_FLAG_READ, NULL);
    if (rc >= 0) {
        run->ic->pb = run->open.pb;
    }

    return rc;
}


/* RTP that the worker gives, with a description of its own */

static ngx_uint_t
ngx_webrtc_source_input_described(ngx_webrtc_source_run_t *run)
{
    const char  *format;

    format = run->th->at->format;

    return (run->th->at->scheme->flags & NGX_WEBRTC_SOURCE_URL_GIVEN)
           && format && ngx_strcmp(format, "sdp") == 0;
}


/* options unknown to a demuxer or protocol are left over and ignored */

static AVDictionary *
ngx_webrtc_source_input_options(ngx_webrtc_source_run_t *run)
{
    int64_t                            timeout_us;
    AVDictionary                      *d;
    const ngx_webrtc_source_scheme_t  *scheme;

    d = NULL;
    scheme = run->th->at->scheme;
    timeout_us = (int64_t) run->th->conf.read_timeout * 1000;

    (void) av_dict_set(&d, "protocol_whitelist", scheme->protocols, 0);
    (void) av_dict_set(&d, "format_whitelist",
                       ((scheme->flags & NGX_WEBRTC_SOURCE_URL_FILE)
                        && !run->th->at->lists)
                       ? NGX_WEBRTC_SOURCE_FORMATS : scheme->formats, 0);

    (void) av_dict_set(&d, "probesize", NGX_WEBRTC_SOURCE_PROBE, 0);
    (void) av_dict_set(&d, "max_streams", NGX_WEBRTC_SOURCE_STREAMS, 0);
    (void) av_dict_set_int(&d, "rw_timeout", timeout_us, 0);

    /* mpegts: pictures must not be split */

    (void) av_dict_set_int(&d, "max_packet_size", 2 * 1024 * 1024, 0);

    /* hls: see ngx_webrtc_source_hls.c */

    (void) av_dict_set_int(&d, "http_persistent", 0, 0);

    /* flv: which tracks are to come, see ngx_webrtc_source_announced_track() */

    (void) av_dict_set_int(&d, "flv_full_metadata", 1, 0);

    if (scheme->flags & NGX_WEBRTC_SOURCE_URL_RTMP) {
        (void) av_dict_set(&d, "tcp_nodelay", "1", 0);
    }

    if (run->rtmp) {
        (void) av_dict_set(&d, "rtmp_app",
                           ngx_webrtc_source_rtmp_app(run->rtmp), 0);
        (void) av_dict_set(&d, "rtmp_playpath",
                           ngx_webrtc_source_rtmp_name(run->rtmp), 0);
        (void) av_dict_set(&d, "rtmp_tcurl",
                           ngx_webrtc_source_rtmp_tcurl(run->rtmp), 0);
    }

    if (ngx_webrtc_source_input_described(run)) {

        /* no sockets; what has come by TCP is in order */

        (void) av_dict_set(&d, "sdp_flags", "custom_io", 0);
        (void) av_dict_set(&d, "reorder_queue_size", "0", 0);
    }

    if (scheme->flags & NGX_WEBRTC_SOURCE_URL_RTSP) {
        (void) av_dict_set(&d, "tcp_nodelay", "1", 0);
        (void) av_dict_set(&d, "rtsp_flags", "prefer_tcp", 0);
        (void) av_dict_set_int(&d, "timeout", timeout_us, 0);
    }

    return d;
}


/* Does it come as fast as we read, so that we have to pace it? */

static ngx_uint_t
ngx_webrtc_source_input_paced(ngx_webrtc_source_run_t *run)
{
    AVIOContext  *pb;

    if (run->th->at->scheme->flags & NGX_WEBRTC_SOURCE_URL_FILE) {
        return 1;
    }

    /* segments come in bursts, live or not */

    if (ngx_strncmp(run->ic->iformat->name, "hls", 3) == 0) {
        return 1;
    }

    /* anything with a size is a file, wherever it is */

    pb = run->ic->pb;

    return pb && avio_size(pb) > 0;
}


/* NGX_ABORT if the error means that we have to stop */

ngx_int_t
ngx_webrtc_source_input_failed(ngx_webrtc_source_run_t *run, int err,
    const char *doing)
{
    char                         text[AV_ERROR_MAX_STRING_SIZE];
    u_char                      *p;
    u_char                       why[NGX_WEBRTC_MEDIA_TEXT];
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


static int
ngx_webrtc_source_input_interrupt(void *data)
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
           || run->silent(run) != NGX_OK;
}


void
ngx_webrtc_source_input_close(ngx_webrtc_source_run_t *run)
{
    avformat_close_input(&run->ic);

    if (run->open.pb) {
        ngx_webrtc_source_file_close(run->open.pb);
        run->open.pb = NULL;
    }

    if (run->open.packets) {
        ngx_webrtc_source_packets_close(run->open.packets);
        run->open.packets = NULL;
    }
}


/* reads one packet into the queue; NGX_DONE at the end of the input */

ngx_int_t
ngx_webrtc_source_input_read(ngx_webrtc_source_run_t *run)
{
    int                          rc;
    uint64_t                     now_us;
    ngx_webrtc_source_thread_t  *th;

    th = run->th;

    if (ngx_webrtc_source_thread_stopped(th)) {
        return NGX_ABORT;
    }

    now_us = ngx_webrtc_time_now();

    th->deadline_us = now_us + ngx_webrtc_source_input_timeout(run);
    run->waiting_us = now_us;

    if (th->waits) {
        th->waits(th, now_us);
    }

    rc = ngx_webrtc_source_read_next(&run->rd);

    if (run->rtmp && rc >= 0) {
        ngx_webrtc_source_rtmp_rest(run->rtmp);
    }

    run->reading_us += ngx_webrtc_time_now() - now_us;

    ngx_webrtc_source_input_arrived(run);

    while (run->damaged != run->rd.damaged) {
        run->damaged++;
        ngx_webrtc_feed_tell(&th->feed, NGX_WEBRTC_MEDIA_DAMAGED);
    }

    while (run->steps != run->rd.splice.steps) {
        run->steps++;
        ngx_webrtc_feed_tell(&th->feed, NGX_WEBRTC_MEDIA_STEPPED);
    }

    /* demuxers say EAGAIN when they skipped something */

    if (rc >= 0 || rc == AVERROR(EAGAIN)) {
        return NGX_OK;
    }

    if (run->refusal[0]) {
        return ngx_webrtc_source_input_failed(run, rc, "read");
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
        ngx_webrtc_source_input_program(run);
        return NGX_ERROR;
    }

    return ngx_webrtc_source_input_failed(run, rc, "read");
}


/*
 * Does a live upstream send as fast as the link allows, or in real time?  The
 * latter if we had to wait for the newest frame for at least 7/10 of its
 * distance from the previous one of its track.  What we do between reads does
 * not count: meanwhile the rest of a burst queues up.
 */

static void
ngx_webrtc_source_input_arrived(ngx_webrtc_source_run_t *run)
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


/* logs which program is played, or sets the reason why none is */

void
ngx_webrtc_source_input_program(ngx_webrtc_source_run_t *run)
{
    u_char  *p, text[NGX_WEBRTC_MEDIA_TEXT];

    p = ngx_webrtc_source_program_print(&run->rd, text, text + sizeof(text));

    if (!run->rd.chosen) {
        ngx_webrtc_source_thread_error(run->th, "no such program: %*s",
                                       (size_t) (p - text), text);

    } else if (run->rd.ts && run->ic->nb_programs > 1) {
        ngx_webrtc_source_thread_log(run->th, NGX_LOG_NOTICE, "plays %*s",
                                     (size_t) (p - text), text);
    }
}


/* more, where a key frame has to come first */

static uint64_t
ngx_webrtc_source_input_timeout(ngx_webrtc_source_run_t *run)
{
    uint64_t  timeout_us;

    timeout_us = (uint64_t) run->th->conf.read_timeout * 1000;

    if (run->seen_us == 0
        && ngx_webrtc_source_announced_track(&run->rd, NGX_WEBRTC_VIDEO))
    {
        timeout_us *= NGX_WEBRTC_SOURCE_FIRST_TIMES;
    }

    return timeout_us;
}
