
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Jobs that transcode a video: their thread, between two rings.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/resource.h>

#include "ngx_webrtc_atomic.h"
#include "ngx_webrtc_helper_kind.h"
#include "ngx_webrtc_helper_sandbox.h"
#include "ngx_webrtc_time.h"
#include "ngx_webrtc_video.h"


/*
 * bytes of stack; chosen: libaom's deepest functions, with room to spare; only
 * what is touched takes memory
 */
#define NGX_WEBRTC_HELPER_TRANSCODE_STACK  (4 * 1024 * 1024)

/* an encoder gives way to those who send; chosen */
#define NGX_WEBRTC_HELPER_TRANSCODE_NICE   5


typedef struct {
    ngx_webrtc_helper_job_t     *job;
    ngx_webrtc_video_t          *video;
    ngx_uint_t                   codec;      /* NGX_WEBRTC_CODEC_*, made */
    ngx_webrtc_track_t           track;      /* as told */
    u_char                      *buf;
    size_t                       size;
    unsigned                     soft:1;     /* no hardware is asked for */

    /* atomic: set by the loop, taken by the thread */

    uint32_t                     key;
    uint32_t                     bitrate;    /* 0: as it was */
} ngx_webrtc_helper_transcode_t;


static ngx_int_t ngx_webrtc_helper_transcode_create(
    ngx_webrtc_helper_job_t *job, ngx_webrtc_media_start_t *start,
    const char **cause, int *err);
static ngx_int_t ngx_webrtc_helper_transcode_input(
    ngx_webrtc_helper_job_t *job, ngx_webrtc_media_message_t *m);
static void ngx_webrtc_helper_transcode_body(ngx_webrtc_source_thread_t *th);
static ngx_int_t ngx_webrtc_helper_transcode_next(
    ngx_webrtc_helper_transcode_t *part, ngx_webrtc_media_record_t *r);
static ngx_int_t ngx_webrtc_helper_transcode_out(void *ctx, u_char *data,
    size_t n, int64_t ts, ngx_uint_t key);
static ngx_int_t ngx_webrtc_helper_transcode_track(
    ngx_webrtc_helper_transcode_t *part, u_char *data, size_t n);
static void ngx_webrtc_helper_transcode_say(void *ctx, ngx_uint_t failed,
    ngx_uint_t level, const char *text);
static void ngx_webrtc_helper_transcode_free(ngx_webrtc_helper_job_t *job);


const ngx_webrtc_helper_kind_t  ngx_webrtc_helper_transcode = {
    ngx_webrtc_helper_transcode_create,
    ngx_webrtc_helper_transcode_input,
    ngx_webrtc_helper_transcode_free
};


static ngx_int_t
ngx_webrtc_helper_transcode_create(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_start_t *start, const char **cause, int *err)
{
    ngx_webrtc_video_conf_t           video;
    ngx_webrtc_helper_transcode_t    *part;
    ngx_webrtc_source_thread_conf_t   conf;

    *cause = "no memory in the media process";
    *err = 0;

    part = calloc(1, sizeof(ngx_webrtc_helper_transcode_t));

    if (part == NULL) {
        return NGX_ERROR;
    }

    job->part = part;
    part->job = job;
    part->codec = start->encode.codec;
    part->soft = start->encode.hw.len == 4
                 && ngx_strncmp(start->encode.hw.data, "none", 4) == 0;

    video.want = start->encode;
    video.out = ngx_webrtc_helper_transcode_out;
    video.say = ngx_webrtc_helper_transcode_say;
    video.ctx = part;

    part->video = ngx_webrtc_video_create(&video);

    if (part->video == NULL) {
        return NGX_ERROR;
    }

    ngx_webrtc_helper_job_conf(job, &conf);

    conf.body = ngx_webrtc_helper_transcode_body;
    conf.stack = NGX_WEBRTC_HELPER_TRANSCODE_STACK;

    job->th = ngx_webrtc_source_thread_create(&conf);

    if (job->th) {
        ngx_webrtc_feed_init(&job->th->feed, &job->th->conf.feed);
    }

    return job->th ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_webrtc_helper_transcode_input(ngx_webrtc_helper_job_t *job,
    ngx_webrtc_media_message_t *m)
{
    ngx_webrtc_helper_transcode_t  *part;

    part = job->part;

    switch (m->type) {

    case NGX_WEBRTC_MEDIA_KEYFRAME:
        ngx_webrtc_atomic_store(&part->key, 1);
        return NGX_OK;

    case NGX_WEBRTC_MEDIA_BITRATE:
        ngx_webrtc_atomic_store(&part->bitrate, m->number);
        return NGX_OK;

    default:
        return NGX_DECLINED;
    }
}


static void
ngx_webrtc_helper_transcode_body(ngx_webrtc_source_thread_t *th)
{
    uint32_t                        bitrate;
    ngx_int_t                       rc;
    ngx_webrtc_helper_job_t        *job;
    ngx_webrtc_media_record_t       r;
    ngx_webrtc_helper_transcode_t  *part;

    job = th->conf.ctx;
    part = job->part;

    /* of this thread and those that it makes */

    if (part->soft) {
        ngx_webrtc_helper_sandbox_no_files();
    }

    (void) setpriority(PRIO_PROCESS, 0, NGX_WEBRTC_HELPER_TRANSCODE_NICE);

    do {
        rc = ngx_webrtc_helper_transcode_next(part, &r);

        if (rc != NGX_OK) {
            break;
        }

        if (ngx_webrtc_atomic_swap(&part->key, 0)) {
            ngx_webrtc_video_keyframe(part->video);
        }

        bitrate = ngx_webrtc_atomic_swap(&part->bitrate, 0);

        if (bitrate) {
            ngx_webrtc_video_bitrate(part->video, bitrate);
        }

        rc = ngx_webrtc_video_record(part->video, &r, ngx_webrtc_time_now());

    } while (rc == NGX_OK);

    /* encoders' threads end in the thread that has made them */

    ngx_webrtc_video_destroy(part->video);
    part->video = NULL;
}


/* waits for a record; NGX_ABORT: the thread has to stop */

static ngx_int_t
ngx_webrtc_helper_transcode_next(ngx_webrtc_helper_transcode_t *part,
    ngx_webrtc_media_record_t *r)
{
    ngx_int_t  rc;

    rc = ngx_webrtc_helper_job_wait(part->job, &part->buf, &part->size,
                                    NGX_WEBRTC_VIDEO_SPARE, r);
    if (rc == NGX_ERROR) {
        ngx_webrtc_helper_transcode_say(part, 1, NGX_LOG_ERR,
                                        "no memory, or an unusable record");
    }

    return rc;
}


static ngx_int_t
ngx_webrtc_helper_transcode_out(void *ctx, u_char *data, size_t n, int64_t ts,
    ngx_uint_t key)
{
    ngx_webrtc_helper_transcode_t  *part = ctx;

    ngx_webrtc_feed_t  *feed;

    feed = &part->job->th->feed;

    if (key && ngx_webrtc_helper_transcode_track(part, data, n) != NGX_OK) {
        return NGX_ABORT;
    }

    if (!part->job->th->up) {

        /* nothing can begin here */

        return NGX_OK;
    }

    ngx_webrtc_feed_frame(feed, NGX_WEBRTC_MEDIA_VIDEO, data, n, ts,
                          (int64_t) ngx_webrtc_time_now());

    return feed->over ? NGX_ABORT : NGX_OK;
}


/* at a key frame: tells of the track, when it begins and when it changes */

static ngx_int_t
ngx_webrtc_helper_transcode_track(ngx_webrtc_helper_transcode_t *part,
    u_char *data, size_t n)
{
    ngx_webrtc_feed_t           *feed;
    ngx_webrtc_frame_t           frame;
    ngx_webrtc_track_t           track;
    ngx_webrtc_source_thread_t  *th;

    th = part->job->th;
    feed = &th->feed;

    if (!th->up) {
        ngx_webrtc_feed_begin(feed);

        if (ngx_webrtc_feed_track(feed, NGX_WEBRTC_MEDIA_VIDEO,
                                  part->codec, NULL, 0)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_webrtc_feed_probe(feed, NGX_WEBRTC_MEDIA_VIDEO, data, n, &frame)
        != NGX_OK)
    {
        return NGX_OK;
    }

    (void) ngx_webrtc_pack_track(&feed->pack[NGX_WEBRTC_MEDIA_VIDEO], &track);

    if (th->up
        && ngx_memcmp(&track, &part->track, sizeof(ngx_webrtc_track_t)) == 0)
    {
        return NGX_OK;
    }

    part->track = track;

    return ngx_webrtc_source_thread_up(th, &track, 1);
}


static void
ngx_webrtc_helper_transcode_say(void *ctx, ngx_uint_t failed,
    ngx_uint_t level, const char *text)
{
    ngx_webrtc_helper_transcode_t  *part = ctx;

    ngx_webrtc_media_note_t  note;

    ngx_memzero(&note, sizeof(ngx_webrtc_media_note_t));

    note.type = failed ? NGX_WEBRTC_MEDIA_FAILED : NGX_WEBRTC_MEDIA_LOG;
    note.level = (uint8_t) level;
    note.len = ngx_min(ngx_strlen(text), NGX_WEBRTC_MEDIA_TEXT);
    ngx_memcpy(note.text, text, note.len);

    (void) ngx_webrtc_source_thread_post(part->job->th, &note);
}


static void
ngx_webrtc_helper_transcode_free(ngx_webrtc_helper_job_t *job)
{
    ngx_webrtc_helper_transcode_t  *part;

    part = job->part;

    if (part == NULL) {
        return;
    }

    if (part->video) {
        ngx_webrtc_video_destroy(part->video);
    }

    free(part->buf);
    free(part);
}
