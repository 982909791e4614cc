
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The jobs of a stream in segments: one for the stream itself or, where players
 * do not take its video, a variant of it, and with it the sound; and one for
 * each smaller video.  They begin and end together, but for smaller videos that
 * stop (a layer of the publisher): the others go on.  When one comes, or comes
 * again, all begin anew, as it is a discontinuity, which all have to have.
 */


#ifndef _NGX_WEBRTC_HLS_LANE_H_INCLUDED_
#define _NGX_WEBRTC_HLS_LANE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_hls_conf.h"
#include "ngx_webrtc_media_job.h"
#include "ngx_webrtc_output_feed.h"


typedef struct ngx_webrtc_hls_lanes_s  ngx_webrtc_hls_lanes_t;


/* may be read */
typedef struct {
    ngx_webrtc_hls_lanes_t        *lanes;
    ngx_webrtc_stream_t           *st;        /* held and watched */
    ngx_webrtc_output_feed_t       feed;
    ngx_webrtc_media_job_t        *job;
    ngx_msec_t                     since;     /* it leaves */
    unsigned                       reading:1; /* the feed is */
    unsigned                       ready:1;
    unsigned                       leaves:1;  /* its job is to end, alone */
} ngx_webrtc_hls_lane_t;


/*
 * Zeroed; set by the caller:
 *
 *   record     of a lane's job
 *   note       of one: it cannot go on (failed), or something for the log
 *   stopped    a smaller video has nothing more for now; its job has ended
 *   ended      all have ended, or one has died or failed: the others are still
 *              there
 */
struct ngx_webrtc_hls_lanes_s {
    ngx_webrtc_bus_t              *bus;
    ngx_log_t                     *log;
    const ngx_webrtc_hls_conf_t   *conf;
    ngx_str_t                     *name;
    ngx_webrtc_hls_channel_t      *channel;
    void                         (*record)(void *data, ngx_uint_t lane,
                                           ngx_webrtc_media_record_t *r);
    void                         (*note)(void *data, ngx_uint_t failed,
                                         ngx_uint_t level, ngx_str_t *text);
    void                         (*stopped)(void *data, ngx_uint_t lane);
    void                         (*ended)(void *data, ngx_uint_t crashed);
    void                          *data;

    /* private */

    ngx_webrtc_hls_lane_t          lanes[NGX_WEBRTC_HLS_VIDEOS];
    ngx_msec_t                     since;     /* they are made ready */
    ngx_msec_t                     begun;     /* their jobs are */
    int64_t                        floor_us;  /* what is earlier is left out */
    ngx_webrtc_hls_how_t           how;       /* they have been picked */
    uint64_t                       version;   /* of the stream's tracks */
    uint64_t                       layers;    /* of the publisher's, likewise */
    unsigned                       running:1;
    unsigned                       changed:1;
};


/*
 * Is all known that jobs have to be told?  Called at news and now and then,
 * until start().
 *
 *   st   held, and live
 *
 * NGX_OK; NGX_AGAIN; NGX_DECLINED: it cannot be made, *cause
 */
ngx_int_t ngx_webrtc_hls_lanes_ready(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st, const ngx_webrtc_hls_how_t *how,
    const char **cause);

/*
 *   alone   in processes of their own
 *
 * NGX_OK; NGX_ERROR: *cause, *err
 */
ngx_int_t ngx_webrtc_hls_lanes_start(ngx_webrtc_hls_lanes_t *ls,
    ngx_uint_t alone, const char **cause, ngx_err_t *err);

/* Which tracks come of what has been started, as bits. */
ngx_uint_t ngx_webrtc_hls_lanes_tracks(ngx_webrtc_hls_lanes_t *ls);

/* Feeds them.  NGX_OK; NGX_DONE: what comes is for another run */
ngx_int_t ngx_webrtc_hls_lanes_run(ngx_webrtc_hls_lanes_t *ls);

/* No more frames come.  NGX_OK: ended() follows; NGX_DONE: there are no jobs */
ngx_int_t ngx_webrtc_hls_lanes_end(ngx_webrtc_hls_lanes_t *ls);

/* Ends jobs at once; and gives up all else, too.  May be repeated. */
void ngx_webrtc_hls_lanes_close(ngx_webrtc_hls_lanes_t *ls);
void ngx_webrtc_hls_lanes_done(ngx_webrtc_hls_lanes_t *ls);

/*
 * At each tick: variants are made, key frames asked for, and what stops and
 * begins is seen.
 *
 *   asked   there are players: upstreams are kept on
 */
void ngx_webrtc_hls_lanes_keep(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st, ngx_uint_t asked);

/* Of a record that is a head: what it says, and where its file begins; NULL */
u_char *ngx_webrtc_hls_lane_head(ngx_webrtc_hls_lanes_t *ls, ngx_uint_t lane,
    ngx_webrtc_media_record_t *r, ngx_webrtc_hls_track_t *head);

/* Which track a record of a lane's job is of. */
ngx_uint_t ngx_webrtc_hls_lane_track(ngx_uint_t lane,
    ngx_webrtc_media_record_t *r);

ngx_uint_t ngx_webrtc_hls_lanes_reads(ngx_webrtc_hls_lanes_t *ls,
    ngx_webrtc_stream_t *st);
uint64_t ngx_webrtc_hls_lanes_left_out(ngx_webrtc_hls_lanes_t *ls);


#endif /* _NGX_WEBRTC_HLS_LANE_H_INCLUDED_ */
