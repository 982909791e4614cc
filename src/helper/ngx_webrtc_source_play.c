
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Playing a source into the ring.
 *
 *   live     as it comes; a cache's burst at the start is squeezed into one
 *            moment
 *   paced    finite input (files), or input in segments: in real time, read
 *            ahead a little, so that badly interleaved tracks leave in order
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_input.h"
#include "ngx_webrtc_source_play.h"
#include "ngx_webrtc_source_queue.h"
#include "ngx_webrtc_source_read.h"
#include "ngx_webrtc_source_tracks.h"


/* 90 kHz; how far a paced source is read ahead; chosen: see WAIT_MS */
#define NGX_WEBRTC_SOURCE_READAHEAD      (7 * NGX_WEBRTC_SOURCE_CLOCK / 10)

/* 90 kHz; frames older than live are squeezed into this, design.md 5 */
#define NGX_WEBRTC_SOURCE_SQUEEZE        (NGX_WEBRTC_SOURCE_CLOCK / 10)

/* ms; chosen: a longer burst is just how that upstream sends */
#define NGX_WEBRTC_SOURCE_BURST_MS       1000

/* 90 kHz; audio this late would be heard late; chosen */
#define NGX_WEBRTC_SOURCE_TOO_LATE       (NGX_WEBRTC_SOURCE_CLOCK / 2)

/* us; a paced source later than this does not catch up; chosen */
#define NGX_WEBRTC_SOURCE_LATE_US        1000000


static ngx_int_t ngx_webrtc_source_play_start(ngx_webrtc_source_run_t *run);
static void ngx_webrtc_source_play_squeeze(ngx_webrtc_source_run_t *run);
static ngx_int_t ngx_webrtc_source_play_fill(ngx_webrtc_source_run_t *run);
static ngx_uint_t ngx_webrtc_source_play_ahead(ngx_webrtc_source_run_t *run);
static ngx_int_t ngx_webrtc_source_play_again(ngx_webrtc_source_run_t *run);
static ngx_int_t ngx_webrtc_source_play_write(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_item_t *item);


ngx_int_t
ngx_webrtc_source_play_live(ngx_webrtc_source_run_t *run)
{
    ngx_int_t                  rc;
    ngx_webrtc_source_item_t  *item;

    rc = ngx_webrtc_source_play_start(run);

    while (rc == NGX_OK) {

        while (rc == NGX_OK && run->rd.head) {
            item = ngx_webrtc_source_queue_pop(&run->rd);
            rc = ngx_webrtc_source_play_write(run, item);
        }

        if (rc == NGX_OK) {
            rc = ngx_webrtc_source_input_read(run);
        }
    }

    return (rc == NGX_DONE)
           ? ngx_webrtc_source_input_failed(run, AVERROR_EOF, "read") : rc;
}


/*
 * A live upstream with a cache sends a whole group of pictures at once, so that
 * a viewer may start.  Sent as it comes, it would put the stream ahead of the
 * wall clock by the length of that group for good.  So all of it is collected
 * until frames come in real time; the last one is then live.
 */

static ngx_int_t
ngx_webrtc_source_play_start(ngx_webrtc_source_run_t *run)
{
    uint64_t   until_us;
    ngx_int_t  rc;

    until_us = ngx_webrtc_time_now()
               + NGX_WEBRTC_SOURCE_BURST_MS * 1000;

    while (!run->caught_up
           && run->rd.n < NGX_WEBRTC_SOURCE_QUEUE
           && run->rd.size < NGX_WEBRTC_SOURCE_QUEUE_SIZE
           && ngx_webrtc_time_now() < until_us)
    {
        rc = ngx_webrtc_source_input_read(run);

        if (rc != NGX_OK) {
            return rc;
        }

        ngx_webrtc_source_tracks_sift(run);
    }

    run->started = 1;

    ngx_webrtc_source_play_squeeze(run);

    return NGX_OK;
}


/*
 * Frames older than live are squeezed into the time just before it, and their
 * audio is dropped: viewers have to see it as one moment.
 */

static void
ngx_webrtc_source_play_squeeze(ngx_webrtc_source_run_t *run)
{
    int64_t                    last, first, span;
    ngx_uint_t                 any;
    ngx_webrtc_source_item_t  *item, *next, *key;
    ngx_webrtc_source_read_t  *rd;

    rd = &run->rd;
    key = NULL;

    for (item = rd->tail; item; item = item->prev) {
        if (item->key) {
            key = item;
            break;
        }
    }

    while (key && rd->head != key) {
        ngx_webrtc_source_queue_drop(rd, rd->head);
    }

    first = INT64_MAX;
    last = INT64_MIN;
    any = 0;

    for (item = rd->head; item; item = item->next) {

        last = ngx_max(last, item->dts);

        /* audio may have been multiplexed late: the picture is what counts */

        if (key == NULL || item->kind == NGX_WEBRTC_VIDEO) {
            first = ngx_min(first, item->dts);
            any = 1;
        }
    }

    if (!any) {
        return;
    }

    span = last - first;

    for (item = rd->head; item; item = next) {

        next = item->next;

        if (span > NGX_WEBRTC_SOURCE_SQUEEZE) {

            if (item->kind == NGX_WEBRTC_AUDIO) {

                if (item->dts < last - NGX_WEBRTC_SOURCE_SQUEEZE) {
                    ngx_webrtc_source_queue_drop(rd, item);
                    continue;
                }

            } else {
                item->pts = last + av_rescale(item->pts - last,
                                              NGX_WEBRTC_SOURCE_SQUEEZE, span);
                item->dts = last + av_rescale(item->dts - last,
                                              NGX_WEBRTC_SOURCE_SQUEEZE, span);
            }
        }

        /* as if each had come on time */

        item->back_us = (last - ngx_max(item->dts, first)) / 9 * 100;

        if (item->back_us > NGX_WEBRTC_SOURCE_SQUEEZE / 9 * 100) {
            item->back_us = NGX_WEBRTC_SOURCE_SQUEEZE / 9 * 100;
        }
    }
}


/* in real time */

ngx_int_t
ngx_webrtc_source_play_paced(ngx_webrtc_source_run_t *run)
{
    int64_t                      dts, target_us, now_us;
    ngx_int_t                    rc;
    ngx_webrtc_source_item_t    *item;
    ngx_webrtc_source_thread_t  *th;

    th = run->th;
    dts = 0;
    target_us = 0;

    for ( ;; ) {

        rc = ngx_webrtc_source_play_fill(run);
        if (rc != NGX_OK) {
            return rc;
        }

        item = ngx_webrtc_source_queue_pop(&run->rd);

        if (item == NULL) {
            ngx_webrtc_source_thread_error(th, "end of file");
            return NGX_DONE;
        }

        if (target_us != 0 && item->kind == NGX_WEBRTC_AUDIO
            && dts - item->dts > NGX_WEBRTC_SOURCE_TOO_LATE)
        {
            /* a segment longer than those before; it is known from now on */
            ngx_webrtc_source_queue_free(item);
            continue;
        }

        now_us = ngx_webrtc_time_now();

        /* a frame's time is the previous one's plus their distance */

        if (target_us == 0) {
            target_us = now_us;
            dts = item->dts;

        } else if (item->dts > dts) {
            target_us += (item->dts - dts) / 9 * 100;
            dts += (item->dts - dts) / 9 * 9;
        }

        if (target_us > now_us) {

            if (!th->conf.unpaced
                && ngx_webrtc_source_thread_sleep(th, target_us) != NGX_OK)
            {
                ngx_webrtc_source_queue_free(item);
                return NGX_ABORT;
            }

        } else if (now_us - target_us > NGX_WEBRTC_SOURCE_LATE_US) {
            target_us = now_us;
        }

        rc = ngx_webrtc_source_play_write(run, item);
        if (rc != NGX_OK) {
            return rc;
        }
    }
}


static ngx_int_t
ngx_webrtc_source_play_fill(ngx_webrtc_source_run_t *run)
{
    ngx_int_t                  rc;
    ngx_webrtc_source_read_t  *rd;

    rd = &run->rd;

    while (rd->n < NGX_WEBRTC_SOURCE_QUEUE
           && rd->size < NGX_WEBRTC_SOURCE_QUEUE_SIZE
           && !ngx_webrtc_source_play_ahead(run))
    {
        if (run->eof) {

            if (!run->th->at->loop) {
                break;
            }

            rc = ngx_webrtc_source_play_again(run);
            if (rc != NGX_OK) {
                return rc;
            }
        }

        rc = ngx_webrtc_source_input_read(run);

        if (rc != NGX_OK && rc != NGX_DONE) {
            return rc;
        }
    }

    return NGX_OK;
}


/*
 * Has enough been read ahead?  A fragment or a segment may have all of one
 * track before all of the other, and frames sent meanwhile would go without
 * it.  So reading goes on until both are there, but does not wait for a track
 * that has been silent for longer than it was ever late.
 */

static ngx_uint_t
ngx_webrtc_source_play_ahead(ngx_webrtc_source_run_t *run)
{
    int64_t                    span, both;
    ngx_webrtc_source_read_t  *rd;

    rd = &run->rd;

    if (rd->n < 2) {
        return 0;
    }

    span = rd->tail->dts - rd->head->dts;

    if (span < NGX_WEBRTC_SOURCE_READAHEAD) {
        return 0;
    }

    if (!run->video_told || !run->audio_told) {
        return 1;
    }

    both = ngx_min(rd->video.dts, rd->audio.dts) - rd->head->dts;

    return both >= NGX_WEBRTC_SOURCE_READAHEAD
           || span >= NGX_WEBRTC_SOURCE_READAHEAD + rd->lead;
}


/* the next pass of a loop */

static ngx_int_t
ngx_webrtc_source_play_again(ngx_webrtc_source_run_t *run)
{
    run->eof = 0;

    switch (ngx_webrtc_source_read_rewind(&run->rd)) {

    case NGX_OK:
        return NGX_OK;

    case NGX_AGAIN:

        ngx_webrtc_source_input_close(run);

        run->th->deadline_us = ngx_webrtc_time_now()
                         + (uint64_t) run->th->conf.connect_timeout * 1000;

        return ngx_webrtc_source_input_open(run);

    default:
        ngx_webrtc_source_thread_error(run->th, "nothing to repeat");
        return NGX_ERROR;
    }
}


/* takes over the item */

static ngx_int_t
ngx_webrtc_source_play_write(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_item_t *item)
{
    int64_t                      now_us;
    ngx_int_t                    rc;
    ngx_uint_t                   told;
    ngx_webrtc_source_thread_t  *th;

    rc = NGX_OK;
    th = run->th;

    told = (item->kind == NGX_WEBRTC_VIDEO) ? run->video_told : run->audio_told;

    if (!told) {

        /* a track that comes late */

        if (!ngx_webrtc_source_tracks_look(run, item)) {
            goto done;
        }

        rc = ngx_webrtc_source_tracks_tell(run);
        if (rc != NGX_OK) {
            goto done;
        }
    }

    now_us = ngx_max((int64_t) ngx_webrtc_time_now() - item->back_us, 1);

    if (item->kind == NGX_WEBRTC_AUDIO) {

        if (item->seam) {
            ngx_webrtc_source_audio_flush(run->audio);
        }

        run->now_us = now_us;

        if (ngx_webrtc_source_audio_frame(run->audio, item->pkt, item->pts,
                                          item->untimed)
            != NGX_OK)
        {
            ngx_webrtc_feed_tell(&th->feed, NGX_WEBRTC_MEDIA_DAMAGED);
        }

        goto done;
    }

    if (item->seam) {
        ngx_webrtc_feed_tell(&th->feed, NGX_WEBRTC_MEDIA_SEAM);
    }

    ngx_webrtc_source_tracks_config(run, item->pkt);

    th->feed.pack[NGX_WEBRTC_SOURCE_VIDEO].key =
                                  ((item->pkt->flags & AV_PKT_FLAG_KEY) != 0);

    ngx_webrtc_feed_frame(&th->feed, NGX_WEBRTC_SOURCE_VIDEO, item->pkt->data,
                          item->pkt->size, item->pts, now_us);

done:

    ngx_webrtc_source_queue_free(item);

    return rc;
}


void
ngx_webrtc_source_play_audio(void *ctx, u_char *data, size_t n, int64_t ts)
{
    ngx_webrtc_source_run_t  *run = ctx;

    ngx_webrtc_feed_frame(&run->th->feed, NGX_WEBRTC_SOURCE_AUDIO, data, n, ts,
                          run->now_us);
}
