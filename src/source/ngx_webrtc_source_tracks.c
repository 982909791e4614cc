
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Finding the tracks of a source.
 *
 * They are known from the demuxer's headers; what is missing there, the SPS
 * of MPEG-TS and the channels of audio, comes with the first frames.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_run.h"


/*
 * Waiting for a track that was announced, when the other is there; ms of media
 * and of wall clock, whichever is over first.  Chosen: audio is multiplexed
 * with up to 0.7 s of delay, but to wait for audio that never comes costs every
 * viewer that time.  Where the run before had it, it is worth waiting for.
 */
#define NGX_WEBRTC_SOURCE_WAIT_MS        300
#define NGX_WEBRTC_SOURCE_WAIT_AGAIN_MS  2000

/* chosen: a GOP of 10 s, twice */
#define NGX_WEBRTC_SOURCE_WAIT_VIDEO_MS  20000

/* packets of audio that cannot be decoded until it is given up; chosen */
#define NGX_WEBRTC_SOURCE_AUDIO_TRIES    50


static ngx_uint_t ngx_webrtc_source_tracks_enough(
    ngx_webrtc_source_run_t *run);
static ngx_uint_t ngx_webrtc_source_tracks_video(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_item_t *item);
static ngx_uint_t ngx_webrtc_source_tracks_audio(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_item_t *item);


/*
 * Reads until the tracks are known.  What is in the queue then begins, with
 * video, at a key frame.
 */

ngx_int_t
ngx_webrtc_source_tracks_find(ngx_webrtc_source_run_t *run)
{
    uint64_t   limit_us;
    ngx_int_t  rc;

    limit_us = ngx_webrtc_source_thread_now()
               + NGX_WEBRTC_SOURCE_WAIT_VIDEO_MS * 1000;

    for ( ;; ) {

        rc = ngx_webrtc_source_av_read(run);

        if (rc != NGX_OK && rc != NGX_DONE) {
            return rc;
        }

        ngx_webrtc_source_tracks_sift(run);

        if ((run->video_ready || run->audio_ready)
            && (rc == NGX_DONE || ngx_webrtc_source_tracks_enough(run)))
        {
            return NGX_OK;
        }

        if (rc == NGX_DONE) {
            ngx_webrtc_source_thread_error(run->th,
                                           "no track that can be sent");
            return NGX_ERROR;
        }

        if (ngx_webrtc_source_thread_now() > limit_us) {
            ngx_webrtc_source_thread_error(run->th, "no key frame");
            return NGX_ERROR;
        }
    }
}


void
ngx_webrtc_source_tracks_sift(ngx_webrtc_source_run_t *run)
{
    ngx_webrtc_source_item_t  *item, *next;

    for (item = run->rd.head; item; item = next) {

        next = item->next;

        if (!item->seen && !ngx_webrtc_source_tracks_look(run, item)) {
            ngx_webrtc_source_read_drop(&run->rd, item);
        }
    }
}


/* one track is ready: is it worth waiting for the other one? */

static ngx_uint_t
ngx_webrtc_source_tracks_enough(ngx_webrtc_source_run_t *run)
{
    uint64_t                   waited_us, wait_us;
    ngx_webrtc_source_read_t  *rd;

    rd = &run->rd;

    if ((run->video_ready && (run->audio_ready || run->audio_failed))
        || rd->n >= NGX_WEBRTC_SOURCE_QUEUE
        || rd->size >= NGX_WEBRTC_SOURCE_QUEUE_SIZE)
    {
        return 1;
    }

    wait_us = NGX_WEBRTC_SOURCE_WAIT_MS * 1000;

    if (!run->video_ready) {

        if (run->video_seen) {
            /* the caller's limit is what counts */
            return 0;
        }

        if (!ngx_webrtc_source_read_declared(rd, NGX_WEBRTC_VIDEO)) {
            return 1;
        }

        wait_us = NGX_WEBRTC_SOURCE_WAIT_AGAIN_MS * 1000;

    } else if (run->th->had_audio
               || (run->paced
                   && ngx_webrtc_source_read_declared(rd, NGX_WEBRTC_AUDIO)))
    {
        /* what is on a disk is read in no time */

        wait_us = NGX_WEBRTC_SOURCE_WAIT_AGAIN_MS * 1000;

    } else if (!ngx_webrtc_source_read_declared(rd, NGX_WEBRTC_AUDIO)) {
        return 1;
    }

    waited_us = ngx_webrtc_source_thread_now() - run->seen_us;

    return waited_us >= wait_us
           || (rd->head
               && (rd->tail->dts - rd->head->dts) / 9 * 100
                  >= (int64_t) wait_us);
}


/*
 * Looks at a frame of a track that may not be ready.  0: it is of no use.
 */

ngx_uint_t
ngx_webrtc_source_tracks_look(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_item_t *item)
{
    if (run->seen_us == 0) {
        run->seen_us = ngx_webrtc_source_thread_now();
    }

    item->seen = 1;

    return (item->kind == NGX_WEBRTC_VIDEO)
           ? ngx_webrtc_source_tracks_video(run, item)
           : ngx_webrtc_source_tracks_audio(run, item);
}


static ngx_uint_t
ngx_webrtc_source_tracks_video(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_item_t *item)
{
    AVCodecParameters        *par;
    ngx_webrtc_frame_t        frame;
    ngx_webrtc_source_out_t  *out;

    out = &run->th->out;

    if (!run->video_seen) {

        run->video_seen = 1;
        run->video_i = run->ntracks;

        par = run->ic->streams[run->rd.video.index]->codecpar;

        if (ngx_webrtc_source_out_track(out, run->video_i, run->rd.video.codec,
                                        par->extradata, par->extradata_size)
            != NGX_OK)
        {
            return 0;
        }
    }

    ngx_webrtc_source_tracks_config(run, item->pkt);

    if (ngx_webrtc_source_out_probe(out, run->video_i, item->pkt->data,
                                    item->pkt->size, &frame)
        != NGX_OK)
    {
        ngx_webrtc_source_out_damaged(out);
        return 0;
    }

    item->key = frame.key;

    if (!run->video_ready
        && frame.key
        && ngx_webrtc_pack_track(&out->pack[run->video_i], &run->video)
           == NGX_OK)
    {
        run->video_ready = 1;
    }

    return run->video_ready;
}


static ngx_uint_t
ngx_webrtc_source_tracks_audio(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_item_t *item)
{
    ngx_int_t    rc;
    const char  *cause;

    if (run->audio_failed) {
        return 0;
    }

    cause = "not decodable";

    if (run->audio == NULL) {

        run->audio = ngx_webrtc_source_audio_create(
                        run->ic->streams[run->rd.audio.index]->codecpar,
                        ngx_webrtc_source_play_audio, run, &cause);

        if (run->audio == NULL) {
            goto failed;
        }
    }

    if (!run->audio_ready) {

        rc = ngx_webrtc_source_audio_probe(run->audio, item->pkt);

        if (rc == NGX_OK) {
            run->audio_ready = 1;

        } else if (++run->audio_tries == NGX_WEBRTC_SOURCE_AUDIO_TRIES) {
            goto failed;
        }
    }

    /* audio of before the first key frame is not needed */

    return run->audio_ready
           && (run->video_ready
               || !ngx_webrtc_source_read_declared(&run->rd, NGX_WEBRTC_VIDEO));

failed:

    run->audio_failed = 1;

    ngx_webrtc_source_thread_log(run->th, NGX_LOG_WARN,
                                 "audio cannot be converted, left out: %s",
                                 cause);
    return 0;
}


/* a new sequence header in the course of the stream (FLV) */

void
ngx_webrtc_source_tracks_config(ngx_webrtc_source_run_t *run, AVPacket *pkt)
{
    size_t    n;
    uint8_t  *p;

    p = av_packet_get_side_data(pkt, AV_PKT_DATA_NEW_EXTRADATA, &n);

    if (p) {
        ngx_webrtc_source_out_config(&run->th->out, run->video_i, p, n);
    }
}


/* tells the tracks that are ready and not told yet: video first */

ngx_int_t
ngx_webrtc_source_tracks_tell(ngx_webrtc_source_run_t *run)
{
    ngx_uint_t  codec;

    if (run->video_ready && !run->video_told) {
        run->video_told = 1;
        run->tracks[run->ntracks++] = run->video;
    }

    if (run->audio_ready && !run->audio_told) {

        run->audio_told = 1;
        run->th->had_audio = 1;

        if (!run->video_told) {
            /* it gets the first place; video that comes yet is made anew */
            run->video_seen = 0;
        }

        codec = ngx_webrtc_source_audio_codec(run->audio);

        run->audio_i = run->ntracks;

        if (ngx_webrtc_source_out_track(&run->th->out, run->audio_i, codec,
                                        NULL, 0)
            != NGX_OK)
        {
            ngx_webrtc_source_thread_error(run->th, "no packetizer");
            return NGX_ERROR;
        }

        ngx_webrtc_track_init(&run->tracks[run->ntracks++], codec,
                              ngx_webrtc_source_audio_channels(run->audio));
    }

    return ngx_webrtc_source_thread_up(run->th, run->tracks, run->ntracks);
}
