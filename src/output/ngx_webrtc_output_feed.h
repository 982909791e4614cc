
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Gives a stream's frames to a job that writes them in a container: what a
 * recording, a push and a response of HTTP have in common.
 *
 * A job has the tracks that it was told of.  When the stream has others,
 * another codec, size or orientation, the feed says so, and keeps the frame
 * that is the first of these for the next job.  A job may take another size or
 * orientation as it comes.  Sound that comes late, or in another codec, is for
 * the next job, which begins with the next key frame, or without pictures if
 * none come.
 *
 * A job begins with a key frame, and sound before that is left out.  When none
 * comes, though the stream has video (a camera that is off), the job is told of
 * the sound alone, which may be all of it that has come while the pictures were
 * waited for; the first key frame is for another one.
 */


#ifndef _NGX_WEBRTC_OUTPUT_FEED_H_INCLUDED_
#define _NGX_WEBRTC_OUTPUT_FEED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_media_job.h"
#include "ngx_webrtc_output_reader.h"


/* ms for which a track that has been announced is waited for; chosen: sound
 * comes a second or two after the pictures of most encoders, or not at all */
#define NGX_WEBRTC_OUTPUT_FEED_WAIT  3000

/* likewise, for pictures of which nothing has come, where sound is not to be
 * lost meanwhile: as long as rings keep it (NGX_WEBRTC_KEEP_US) */
#define NGX_WEBRTC_OUTPUT_FEED_DARK  2000


/* what a job has been told of a track of the stream */
typedef struct {
    ngx_int_t                    track;      /* of the stream, -1: none */
    ngx_webrtc_track_t           told;       /* of video with the size of its
                                                key frames */
} ngx_webrtc_output_feed_track_t;


/* may be read: begun, first, last, and the reader's counters */
typedef struct {
    ngx_webrtc_output_reader_t   reader;
    ngx_webrtc_output_unit_t     unit;       /* held: the next frame */
    ngx_webrtc_media_job_t      *job;        /* NULL: between two */
    ngx_log_t                   *log;
    ngx_msec_t                   since;      /* it waits for tracks: from the
                                                first frame on */
    ngx_msec_t                   keyed;      /* when the job got a key frame, */
    ngx_msec_t                   pictured;   /* and any picture */

    ngx_webrtc_output_feed_track_t  tracks[NGX_WEBRTC_MEDIA_TRACKS];

    int64_t                      first_us;   /* of this job: its first frame's
                                                time, of the stream */
    int64_t                      last_us;
    uint64_t                     skipped;    /* of all jobs: frames of video
                                                that had no room */
    uint64_t                     from;       /* where it began to read */
    uint8_t                      cvo;
    unsigned                     held:1;
    unsigned                     begun:1;    /* the job has frames */
    unsigned                     heard:1;    /* anything has come */
    unsigned                     lit:1;      /* pictures have come */
    unsigned                     turns:1;    /* the next key frame is for
                                                another job */
    unsigned                     wait_key:1; /* since shut: as at the first */

    /* set by the caller */

    uint64_t                     young_us;   /* an older frame is none to
                                                begin with; 0: any is */
    int64_t                      floor_us;   /* nor is one with an earlier
                                                time, of the stream */
    unsigned                     whole:1;    /* sound that came while pictures
                                                were waited for is not */
    unsigned                     mute:1;     /* sound is left out */
    unsigned                     sizes:1;    /* another one goes on */
    unsigned                     shut:1;     /* what comes is left out, and
                                                after that what is no frame to
                                                begin with */
} ngx_webrtc_output_feed_t;


/*
 * Begins to read a stream, at its newest key frame.
 *
 *   feed   zeroed; ended with ngx_webrtc_output_feed_done()
 *   st     held and watched as long as the feed is used
 */
void ngx_webrtc_output_feed_init(ngx_webrtc_output_feed_t *feed,
    ngx_webrtc_stream_t *st, ngx_log_t *log);
void ngx_webrtc_output_feed_done(ngx_webrtc_output_feed_t *feed);

/*
 * Is it known what the next job will get?  Called at news and now and then.
 * Frames of a stream that is waited for are read from where they are then.
 *
 * NGX_OK; NGX_AGAIN
 */
ngx_int_t ngx_webrtc_output_feed_ready(ngx_webrtc_output_feed_t *feed);

/* Frames go to this job from now on; NULL: to none, and they wait. */
void ngx_webrtc_output_feed_job(ngx_webrtc_output_feed_t *feed,
    ngx_webrtc_media_job_t *job);

/*
 * Gives the job what there is.
 *
 *   until_us   a frame to begin with, at least so long after the job's first,
 *              is for the next job; 0: none is
 *
 * NGX_AGAIN      all that there is
 * NGX_DONE       the next frame is for another job: its tracks are others
 * NGX_OK         likewise: until_us has passed
 * NGX_DECLINED   there was no room: frames up to the next key frame are left
 *                out
 */
ngx_int_t ngx_webrtc_output_feed_run(ngx_webrtc_output_feed_t *feed,
    int64_t until_us);

/*
 * Would a key frame be of use: to begin with, to go on with, or as the last one
 * that the job has got is so old, in ms?
 */
ngx_uint_t ngx_webrtc_output_feed_wants_key(ngx_webrtc_output_feed_t *feed,
    ngx_msec_t old);

/* No more frames come: the job completes what it writes. */
void ngx_webrtc_output_feed_end(ngx_webrtc_output_feed_t *feed);

/* ms of media that the job has got */
uint64_t ngx_webrtc_output_feed_ms(ngx_webrtc_output_feed_t *feed);


#endif /* _NGX_WEBRTC_OUTPUT_FEED_H_INCLUDED_ */
