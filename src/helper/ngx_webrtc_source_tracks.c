
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Finding the tracks of a source.
 *
 * They are known from the demuxer's headers; what is missing there, the SPS
 * of MPEG-TS and the channels of audio, comes with the first frames.
 *
 * A live upstream may be joined long before its next key frame, and a track
 * may begin at any time.  After a short wait the stream is up with what there
 * is.  What is missing is announced as pending: viewers get an m-line for it,
 * and its frames when they come.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_announced.h"
#include "ngx_webrtc_source_input.h"
#include "ngx_webrtc_source_queue.h"
#include "ngx_webrtc_source_refuse.h"
#include "ngx_webrtc_source_tracks.h"
#include "ngx_webrtc_source_turn.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_foreign.h"


/*
 * Waiting for an announced track once the other is there; ms of media and of
 * wall clock, whichever is over first.  Chosen: it is mostly there by then,
 * and has its place if not.  If the previous run had it, it is worth waiting
 * for; likewise in what is read ahead anyway.
 */
#define NGX_WEBRTC_SOURCE_WAIT_MS        300
#define NGX_WEBRTC_SOURCE_WAIT_AGAIN_MS  2000

/*
 * Of media alone, where it comes faster than in real time; chosen: the longest
 * segments of HLS, whose fragments may have all video before all audio
 */
#define NGX_WEBRTC_SOURCE_WAIT_PACED_MS  20000

/* chosen: a GOP of 10 s, twice */
#define NGX_WEBRTC_SOURCE_WAIT_VIDEO_MS  20000

/*
 * Of H.264 that is not there yet: High, level 3.1.  Chosen: what encoders make;
 * viewers that offer it decode the others, too
 */
#define NGX_WEBRTC_SOURCE_H264_PROFILE   0x64001f

/* 90 kHz; chosen: less than a picture lasts, more than rounding makes */
#define NGX_WEBRTC_SOURCE_REORDER        500

/* undecodable audio packets until it is given up; chosen */
#define NGX_WEBRTC_SOURCE_AUDIO_TRIES    50


static ngx_int_t ngx_webrtc_source_tracks_none(ngx_webrtc_source_run_t *run,
    const char *what);
static ngx_uint_t ngx_webrtc_source_tracks_enough(
    ngx_webrtc_source_run_t *run, ngx_uint_t end);
static ngx_uint_t ngx_webrtc_source_tracks_local(ngx_webrtc_source_run_t *run);
static ngx_uint_t ngx_webrtc_source_tracks_video(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_item_t *item);
static void ngx_webrtc_source_tracks_traits(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_item_t *item, ngx_webrtc_pack_t *pack);
static void ngx_webrtc_source_tracks_late(ngx_webrtc_source_run_t *run);
static ngx_uint_t ngx_webrtc_source_tracks_audio(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_item_t *item);
static ngx_uint_t ngx_webrtc_source_tracks_begins(
    ngx_webrtc_source_run_t *run);
static void ngx_webrtc_source_tracks_pending(ngx_webrtc_source_run_t *run,
    ngx_uint_t kind, ngx_webrtc_track_t *track);


/*
 * Reads until the tracks are known.  What is in the queue then begins, with
 * video, at a key frame.
 */

ngx_int_t
ngx_webrtc_source_tracks_find(ngx_webrtc_source_run_t *run)
{
    uint64_t   limit_us;
    ngx_int_t  rc;

    limit_us = ngx_webrtc_time_now()
               + NGX_WEBRTC_SOURCE_WAIT_VIDEO_MS * 1000;

    for ( ;; ) {

        rc = ngx_webrtc_source_input_read(run);

        if (rc != NGX_OK && rc != NGX_DONE) {
            return rc;
        }

        ngx_webrtc_source_tracks_sift(run);

        if (ngx_webrtc_source_refuse(run) != NGX_OK) {
            return NGX_ERROR;
        }

        if ((run->video_ready || run->audio_ready || run->video_seen)
            && ngx_webrtc_source_tracks_enough(run, rc == NGX_DONE))
        {
            return NGX_OK;
        }

        if (rc == NGX_DONE) {
            return ngx_webrtc_source_tracks_none(run,
                                                 "no track that can be sent");
        }

        if (ngx_webrtc_time_now() > limit_us) {
            return ngx_webrtc_source_tracks_none(run, "no key frame");
        }
    }
}


ngx_int_t
ngx_webrtc_source_tracks_silent(ngx_webrtc_source_run_t *run)
{
    if (run->th->up
        || run->th->conf.probe
        || run->opened_us == 0
        || run->seen_us != 0
        || run->paced
        || ngx_webrtc_time_now() - run->opened_us
           < NGX_WEBRTC_SOURCE_WAIT_MS * 1000
        || !ngx_webrtc_source_announced_track(&run->rd, NGX_WEBRTC_VIDEO))
    {
        return NGX_OK;
    }

    return ngx_webrtc_source_tracks_tell(run);
}


void
ngx_webrtc_source_tracks_again(ngx_webrtc_source_run_t *run)
{
    ngx_webrtc_source_item_t  *item;

    run->video_seen = 0;
    run->video_ready = 0;
    run->video_told = 0;
    run->audio_told = 0;

    for (item = run->rd.head; item; item = item->next) {
        item->seen = 0;
    }

    ngx_webrtc_source_tracks_sift(run);
}


void
ngx_webrtc_source_tracks_sift(ngx_webrtc_source_run_t *run)
{
    ngx_webrtc_source_item_t  *item, *next;

    for (item = run->rd.head; item; item = next) {

        next = item->next;

        if (!item->seen && !ngx_webrtc_source_tracks_look(run, item)) {
            ngx_webrtc_source_queue_drop(&run->rd, item);
        }
    }
}


static ngx_int_t
ngx_webrtc_source_tracks_none(ngx_webrtc_source_run_t *run, const char *what)
{
    u_char  *p;
    u_char   why[NGX_WEBRTC_MEDIA_TEXT];

    p = ngx_webrtc_source_refuse_print(run, why, why + sizeof(why));

    if (p == why) {
        ngx_webrtc_source_thread_error(run->th, "%s", what);

    } else {
        ngx_webrtc_source_thread_error(run->th, "%*s (%s)",
                                       (size_t) (p - why), why, what);
    }

    return NGX_ERROR;
}


/* something has come: is it worth waiting for the rest? */

static ngx_uint_t
ngx_webrtc_source_tracks_enough(ngx_webrtc_source_run_t *run, ngx_uint_t end)
{
    uint64_t                   waited_us, wait_us, media_us;
    ngx_webrtc_source_read_t  *rd;

    rd = &run->rd;

    if (end) {
        return run->video_ready || run->audio_ready;
    }

    if ((run->video_ready && (run->audio_ready || run->audio_failed))
        || rd->n >= NGX_WEBRTC_SOURCE_QUEUE
        || rd->size >= NGX_WEBRTC_SOURCE_QUEUE_SIZE)
    {
        return 1;
    }

    if (!ngx_webrtc_source_announced_track(rd, run->video_ready
                                             ? NGX_WEBRTC_AUDIO
                                             : NGX_WEBRTC_VIDEO)
        && !(run->video_ready && run->th->had_audio)
        && !ngx_webrtc_source_tracks_local(run))
    {
        return 1;
    }

    wait_us = NGX_WEBRTC_SOURCE_WAIT_MS * 1000;

    if ((run->video_ready && run->th->had_audio) || run->paced) {
        wait_us = NGX_WEBRTC_SOURCE_WAIT_AGAIN_MS * 1000;
    }

    media_us = wait_us;

    if (run->paced) {
        /* what is already there is read in no time, wherever audio is */
        media_us = NGX_WEBRTC_SOURCE_WAIT_PACED_MS * 1000;
    }

    waited_us = ngx_webrtc_time_now() - run->seen_us;

    return waited_us >= wait_us
           || (rd->head
               && (rd->tail->dts - rd->head->dts) / 9 * 100
                  >= (int64_t) media_us);
}


/* files on disk are searched for tracks that nothing announces */

static ngx_uint_t
ngx_webrtc_source_tracks_local(ngx_webrtc_source_run_t *run)
{
    return (run->th->at->scheme->flags & NGX_WEBRTC_SOURCE_URL_FILE)
           && ngx_webrtc_source_announced_more(&run->rd);
}


/*
 * Inspects a frame of a track that may not be ready.  0: it is of no use.
 */

ngx_uint_t
ngx_webrtc_source_tracks_look(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_item_t *item)
{
    if (run->seen_us == 0) {
        run->seen_us = ngx_webrtc_time_now();
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
    ngx_webrtc_feed_t        *feed;
    ngx_webrtc_pack_t        *pack;

    feed = &run->th->feed;

    if (!run->video_seen) {

        run->video_seen = 1;
        run->video_us = ngx_webrtc_time_now();

        par = run->ic->streams[run->rd.video.index]->codecpar;

        if (ngx_webrtc_feed_track(feed, NGX_WEBRTC_SOURCE_VIDEO,
                                  run->rd.video.codec, par->extradata,
                                  par->extradata_size)
            != NGX_OK)
        {
            return 0;
        }

        if (run->th->up) {
            /* those who hear it already continue to hear it */
            ngx_webrtc_feed_tell(feed, NGX_WEBRTC_MEDIA_UNHOLD);
        }

        ngx_webrtc_feed_turn(feed, ngx_webrtc_source_turn(
                                     run->ic->streams[run->rd.video.index]));
    }

    ngx_webrtc_source_tracks_config(run, item->pkt);

    pack = &feed->pack[NGX_WEBRTC_SOURCE_VIDEO];
    pack->key = ((item->pkt->flags & AV_PKT_FLAG_KEY) != 0);

    if (ngx_webrtc_feed_probe(feed, NGX_WEBRTC_SOURCE_VIDEO,
                              item->pkt->data, item->pkt->size, &frame)
        != NGX_OK)
    {
        ngx_webrtc_feed_tell(feed, NGX_WEBRTC_MEDIA_DAMAGED);
        return 0;
    }

    item->key = frame.key;

    if (!run->video_ready
        && frame.key
        && ngx_webrtc_pack_track(pack, &run->video) == NGX_OK)
    {
        run->video_ready = 1;
        run->video.cvo = feed->cvo;

        ngx_webrtc_source_tracks_traits(run, item, pack);
    }

    if (!run->video_ready) {
        ngx_webrtc_source_tracks_late(run);
    }

    return run->video_ready;
}


/*
 * What the container says of video that begins, beside its own headers.  A key
 * frame that is not shown when it is decoded leaves time for B-frames, unless
 * the headers say that there are none; what nobody gets untouched shows them
 * when they come.
 */

static void
ngx_webrtc_source_tracks_traits(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_item_t *item, ngx_webrtc_pack_t *pack)
{
    ngx_webrtc_track_t  *video;

    video = &run->video;

    if (ngx_webrtc_foreign(video->codec)) {
        ngx_webrtc_source_unit_track(&run->rd.unit,
                           run->ic->streams[run->rd.video.index]->codecpar,
                           item->pkt, video);
        return;
    }

    if (item->pts - item->dts > NGX_WEBRTC_SOURCE_REORDER
        && pack->reorder != 0)
    {
        video->traits |= NGX_WEBRTC_TRACK_REORDERED;
    }
}


/* video comes, but nothing that it could begin with */

static void
ngx_webrtc_source_tracks_late(ngx_webrtc_source_run_t *run)
{
    if (run->no_key
        || ngx_webrtc_time_now() - run->video_us
           < NGX_WEBRTC_SOURCE_WAIT_VIDEO_MS * 1000)
    {
        return;
    }

    run->no_key = 1;

    ngx_webrtc_source_thread_log(run->th, NGX_LOG_WARN,
                                 "no key frame with parameter sets in %ui s: "
                                 "nobody sees the video before there is one",
                                 (ngx_uint_t) NGX_WEBRTC_SOURCE_WAIT_VIDEO_MS
                                 / 1000);
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
                        run->sound, run, &cause);

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

    /* audio before the first key frame is not needed, unless that is late */

    return run->audio_ready
           && (run->video_ready
               || run->th->up
               || !ngx_webrtc_source_announced_track(&run->rd,
                                                     NGX_WEBRTC_VIDEO));

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
        ngx_webrtc_feed_config(&run->th->feed, NGX_WEBRTC_SOURCE_VIDEO, p, n);
    }
}


/* announces the tracks, present and pending; again if they change */

ngx_int_t
ngx_webrtc_source_tracks_tell(ngx_webrtc_source_run_t *run)
{
    ngx_uint_t           codec;
    ngx_webrtc_track_t  *video, *audio;

    video = &run->tracks[NGX_WEBRTC_SOURCE_VIDEO];
    audio = &run->tracks[NGX_WEBRTC_SOURCE_AUDIO];

    if (run->video_ready) {

        if (!run->video_told && ngx_webrtc_source_tracks_begins(run)) {
            ngx_webrtc_feed_tell(&run->th->feed, NGX_WEBRTC_MEDIA_UNHOLD);
        }

        run->video_told = 1;
        *video = run->video;

    } else {
        ngx_webrtc_source_tracks_pending(run, NGX_WEBRTC_VIDEO, video);
        ngx_webrtc_feed_tell(&run->th->feed, NGX_WEBRTC_MEDIA_UNHOLD);
    }

    if (run->audio_ready && !run->audio_told) {

        run->audio_told = 1;
        run->th->had_audio = 1;

        codec = ngx_webrtc_source_audio_codec(run->audio);

        if (ngx_webrtc_feed_track(&run->th->feed, NGX_WEBRTC_SOURCE_AUDIO,
                                  codec, NULL, 0)
            != NGX_OK)
        {
            ngx_webrtc_source_thread_error(run->th, "no packetizer");
            return NGX_ERROR;
        }

        ngx_webrtc_codec_track(ngx_webrtc_codec(codec), audio,
                              ngx_webrtc_source_audio_channels(run->audio));

    } else if (!run->audio_ready) {
        ngx_webrtc_source_tracks_pending(run, NGX_WEBRTC_AUDIO, audio);
    }

    return ngx_webrtc_source_thread_up(run->th, run->tracks,
                                       NGX_WEBRTC_SOURCE_TRACKS);
}


/* does what was read begin with audio only? */

static ngx_uint_t
ngx_webrtc_source_tracks_begins(ngx_webrtc_source_run_t *run)
{
    ngx_webrtc_source_item_t  *item;

    for (item = run->rd.head; item; item = item->next) {
        if (item->kind == NGX_WEBRTC_VIDEO) {
            return item->dts - run->rd.head->dts
                   > NGX_WEBRTC_SOURCE_WAIT_AGAIN_MS * 90;
        }
    }

    return 0;
}


/*
 * What to announce for a track that is not there.  A demuxer may still
 * deliver streams that it has created; others come only if it creates streams
 * whenever it meets them.
 */

static void
ngx_webrtc_source_tracks_pending(ngx_webrtc_source_run_t *run, ngx_uint_t kind,
    ngx_webrtc_track_t *track)
{
    ngx_uint_t                 codec, guessed;
    ngx_webrtc_source_read_t  *rd;

    rd = &run->rd;
    codec = NGX_WEBRTC_CODEC_NONE;

    ngx_memzero(track, sizeof(ngx_webrtc_track_t));

    if (kind == NGX_WEBRTC_VIDEO && rd->video.index >= 0) {
        codec = rd->video.codec;

    } else if (run->eof
               || (kind == NGX_WEBRTC_AUDIO && run->audio_failed)
               || (rd->warned & kind)
               || !(ngx_webrtc_source_announced_more(rd)
                    || ngx_webrtc_source_announced_track(rd, kind)))
    {
        return;
    }

    /* chosen: what nearly every upstream has, or is transcoded to here */

    guessed = (codec == NGX_WEBRTC_CODEC_NONE);

    if (guessed) {
        codec = (kind == NGX_WEBRTC_VIDEO) ? NGX_WEBRTC_CODEC_H264
                                           : NGX_WEBRTC_CODEC_OPUS;
    }

    ngx_webrtc_codec_track(ngx_webrtc_codec(codec), track, 0);

    if (guessed) {
        track->flags |= NGX_WEBRTC_TRACK_GUESSED;
    }

    if (track->codec == NGX_WEBRTC_CODEC_H264) {
        track->profile = NGX_WEBRTC_SOURCE_H264_PROFILE;
    }

    track->flags |= NGX_WEBRTC_TRACK_PENDING;

    if (ngx_webrtc_source_announced_track(rd, kind)) {
        track->flags |= NGX_WEBRTC_TRACK_ANNOUNCED;
    }
}
