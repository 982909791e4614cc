
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Last stage of a source in the media process: its access units and changes
 * become records for the worker.  Frames are inspected here by the same code
 * that packetizes them there, to learn what they are.
 *
 * Belongs to one thread.
 */


#ifndef _NGX_WEBRTC_FEED_H_INCLUDED_
#define _NGX_WEBRTC_FEED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_frame.h"
#include "ngx_webrtc_media_message.h"
#include "ngx_webrtc_pack.h"


/* short names of track indices */
#define NGX_WEBRTC_SOURCE_VIDEO      NGX_WEBRTC_MEDIA_VIDEO
#define NGX_WEBRTC_SOURCE_AUDIO      NGX_WEBRTC_MEDIA_AUDIO
#define NGX_WEBRTC_SOURCE_TRACKS     NGX_WEBRTC_MEDIA_TRACKS

/* units per second of the timestamps of video frames, and of all arithmetic */
#define NGX_WEBRTC_SOURCE_CLOCK      90000


/*
 *   put   takes a record; may block until there is room.  NGX_OK; NGX_ABORT:
 *         no more records are accepted.  NULL: frames are only inspected
 */
typedef struct {
    ngx_int_t                 (*put)(void *ctx, ngx_webrtc_media_record_t *r);
    void                       *ctx;
} ngx_webrtc_feed_conf_t;


typedef struct {
    ngx_webrtc_feed_conf_t     *conf;
    uint8_t                     cvo;       /* of the video to come, as told */
    unsigned                    over:1;    /* no more are accepted */
    ngx_webrtc_pack_t           pack[NGX_WEBRTC_MEDIA_TRACKS];
} ngx_webrtc_feed_t;


/* conf must outlive feed. */
void ngx_webrtc_feed_init(ngx_webrtc_feed_t *feed,
    ngx_webrtc_feed_conf_t *conf);

/*
 * Begins a new run of the source: no tracks yet; from its first frame time
 * continues along the wall clock.
 */
void ngx_webrtc_feed_begin(ngx_webrtc_feed_t *feed);

/*
 * Makes track i.
 *
 *   codec        NGX_WEBRTC_CODEC_*
 *   extradata,n  out-of-band configuration, NULL and 0 if none
 *
 * NGX_OK; NGX_DECLINED: no such packetizer
 */
ngx_int_t ngx_webrtc_feed_track(ngx_webrtc_feed_t *feed, ngx_uint_t i,
    ngx_uint_t codec, u_char *extradata, size_t n);

/* New configuration during the run; ignored if malformed. */
void ngx_webrtc_feed_config(ngx_webrtc_feed_t *feed, ngx_uint_t i,
    u_char *extradata, size_t n);

/* Sets the rotation of the pictures to come, bits of NGX_WEBRTC_CVO_MASK. */
void ngx_webrtc_feed_turn(ngx_webrtc_feed_t *feed, ngx_uint_t cvo);

/* Inspects a frame without output, as ngx_webrtc_pack_probe() does. */
ngx_int_t ngx_webrtc_feed_probe(ngx_webrtc_feed_t *feed, ngx_uint_t i,
    u_char *data, size_t n, ngx_webrtc_frame_t *frame);

/*
 * Sends a frame; before that, feed->pack[i].key has to be set if the codec is
 * of ngx_webrtc_foreign.h.
 *
 *   ts       unwrapped, of the source: video 90 kHz, audio in units of the
 *            track's clock rate, same zero
 *   now_us   monotonic clock, microseconds
 */
void ngx_webrtc_feed_frame(ngx_webrtc_feed_t *feed, ngx_uint_t i,
    u_char *data, size_t n, int64_t ts, int64_t now_us);

/*
 * Sends a record without data: NGX_WEBRTC_MEDIA_UNHOLD, _SEAM, _DAMAGED,
 * _STEPPED or _END.
 */
void ngx_webrtc_feed_tell(ngx_webrtc_feed_t *feed,
    ngx_webrtc_media_record_e type);


#endif /* _NGX_WEBRTC_FEED_H_INCLUDED_ */
