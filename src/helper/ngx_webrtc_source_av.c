
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * One run of a source over libavformat: opens with only the scheme's
 * protocols and demuxers and almost no probing, reads, closes.
 *
 * All blocking calls of libav* end through the interrupt callback, within
 * its polling interval of 100 ms; only name resolution does not.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdarg.h>
#include <stdio.h>

#include <libavformat/avformat.h>
#include <libavutil/log.h>

#include "ngx_webrtc_source_av.h"
#include "ngx_webrtc_source_hls.h"
#include "ngx_webrtc_source_input.h"
#include "ngx_webrtc_source_play.h"
#include "ngx_webrtc_source_read.h"
#include "ngx_webrtc_source_refuse.h"
#include "ngx_webrtc_source_tracks.h"


static ngx_int_t ngx_webrtc_source_av_play(ngx_webrtc_source_run_t *run);
static void ngx_webrtc_source_av_log(void *avcl, int level, const char *fmt,
    va_list args);
static ngx_int_t ngx_webrtc_source_av_find(ngx_webrtc_source_run_t *run);
static void ngx_webrtc_source_av_close(ngx_webrtc_source_run_t *run);


/* whose libav* is running in this thread: its log callback has no context */
static __thread ngx_webrtc_source_thread_t  *ngx_webrtc_source_av_current;


void
ngx_webrtc_source_av_init(void)
{
    av_log_set_callback(ngx_webrtc_source_av_log);

    (void) avformat_network_init();
}


void
ngx_webrtc_source_av_own(ngx_webrtc_source_thread_t *th)
{
    ngx_webrtc_source_av_current = th;

    if (th) {
        th->libav_first = 1;
    }
}


const char *
ngx_webrtc_source_av_version(void)
{
    return av_version_info();
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

    run->rd.wanted = th->at->program ? (int) th->at->program
                                      : NGX_WEBRTC_SOURCE_NO_PROGRAM;
    run->silent = ngx_webrtc_source_tracks_silent;
    run->sound = ngx_webrtc_source_play_audio;
    run->rd.unknown = ngx_webrtc_source_refuse_codec;
    run->rd.ctx = run;
    run->rd.foreign = th->conf.transcode;

    th->deadline_us = ngx_webrtc_time_now()
                      + (uint64_t) th->conf.connect_timeout * 1000;

    rc = ngx_webrtc_source_av_find(run);
    if (rc != NGX_OK) {
        goto failed;
    }

    rc = ngx_webrtc_source_input_open(run);
    if (rc != NGX_OK) {
        goto failed;
    }

    ngx_webrtc_feed_begin(&th->feed);

    rc = ngx_webrtc_source_tracks_find(run);

    if (rc == NGX_ERROR && run->eof
        && run->rd.wanted != NGX_WEBRTC_SOURCE_NO_PROGRAM && !run->rd.chosen)
    {
        ngx_webrtc_source_input_program(run);
    }

    if (rc == NGX_OK) {
        *prun = run;
        return NGX_OK;
    }

failed:

    th->moved = (rc == NGX_ERROR && run->moved);

    ngx_webrtc_feed_tell(&th->feed, NGX_WEBRTC_MEDIA_END);
    ngx_webrtc_source_av_free(run);

    return rc;
}


void
ngx_webrtc_source_av_move(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_thread_t *th)
{
    run->th = th;
}


ngx_int_t
ngx_webrtc_source_av_take(ngx_webrtc_source_thread_t *th,
    ngx_webrtc_source_run_t *run)
{
    ngx_int_t  rc;

    ngx_webrtc_source_av_move(run, th);
    th->libav_len = 0;

    ngx_webrtc_source_av_current = th;
    ngx_webrtc_source_hls_move(&run->hls);
    ngx_webrtc_source_refuse_move(run);

    if (run->rtmp) {
        ngx_webrtc_source_rtmp_move(run->rtmp, th);
    }

    ngx_webrtc_feed_begin(&th->feed);

    ngx_webrtc_source_tracks_again(run);

    rc = ngx_webrtc_source_tracks_find(run);

    if (rc == NGX_OK) {
        return ngx_webrtc_source_av_play(run);
    }

    th->moved = (rc == NGX_ERROR && run->moved);

    ngx_webrtc_feed_tell(&th->feed, NGX_WEBRTC_MEDIA_END);
    ngx_webrtc_source_av_free(run);

    return rc;
}


/* plays what was found until it is over */

static ngx_int_t
ngx_webrtc_source_av_play(ngx_webrtc_source_run_t *run)
{
    ngx_int_t                    rc;
    ngx_webrtc_source_thread_t  *th;

    th = run->th;

    ngx_webrtc_source_input_program(run);

    rc = ngx_webrtc_source_tracks_tell(run);

    if (rc == NGX_OK) {
        if (th->plays) {
            th->plays(th);
        }

        rc = run->paced ? ngx_webrtc_source_play_paced(run)
                        : ngx_webrtc_source_play_live(run);
    }

    th->moved = (rc == NGX_ERROR && run->moved);

    ngx_webrtc_feed_tell(&th->feed, NGX_WEBRTC_MEDIA_END);
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
 * Called by libav* in any thread.  Only errors in a source's own thread
 * matter: the last one becomes part of the reason given for a loss.  Of a
 * target it is the first one: "certificate", before "cannot open".
 */

static void
ngx_webrtc_source_av_log(void *avcl, int level, const char *fmt, va_list args)
{
    int                          i, n;
    u_char                       text[NGX_WEBRTC_SOURCE_LINE];
    ngx_webrtc_source_thread_t  *th;

    (void) avcl;

    th = ngx_webrtc_source_av_current;

    if (th == NULL || level > AV_LOG_ERROR || level < 0
        || (th->libav_first && th->libav_len))
    {
        return;
    }

    n = vsnprintf((char *) text, sizeof(text), fmt, args);

    n = ngx_max(n, 0);
    n = ngx_min(n, (int) sizeof(text) - 1);

    if (n && text[n - 1] == '\n') {
        n--;
    }

    /* one line of printable text: it may come from the upstream */

    for (i = 0; i < n; i++) {
        if (text[i] < 0x20 || text[i] >= 0x7f) {
            text[i] = '?';
        }
    }

    th->libav_len = ngx_webrtc_source_thread_mask(th, text, n, th->libav,
                                                  sizeof(th->libav));
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

    /* what was found must play at once, or it is gone again */

    run->th->deadline_us = ngx_webrtc_time_now()
                           + (uint64_t) run->th->conf.connect_timeout * 1000;

    return rc;
}


static void
ngx_webrtc_source_av_close(ngx_webrtc_source_run_t *run)
{
    if (run->audio) {
        ngx_webrtc_source_audio_destroy(run->audio);
        run->audio = NULL;
    }

    ngx_webrtc_source_read_cleanup(&run->rd);

    ngx_webrtc_source_input_close(run);

    if (run->rtmp) {
        ngx_webrtc_source_rtmp_destroy(run->rtmp);
        run->rtmp = NULL;
    }
}
