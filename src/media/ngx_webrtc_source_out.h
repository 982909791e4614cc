
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What comes from a job becomes packets in a stream's ring: coded frames, with
 * the timestamps of a source, or of another stream.
 *
 * Belongs to one thread; clock and memory come from outside.
 */


#ifndef _NGX_WEBRTC_SOURCE_OUT_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_OUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_track.h"
#include "ngx_webrtc_frame.h"
#include "ngx_webrtc_pack.h"
#include "ngx_webrtc_timestamp.h"
#include "ngx_webrtc_bus_ring.h"
#include "ngx_webrtc_media_message.h"


/* units per second of the timestamps of video frames, and of all arithmetic */
#define NGX_WEBRTC_SOURCE_OUT_CLOCK  90000


/* bytes of a warning */
#define NGX_WEBRTC_SOURCE_OUT_TEXT   256


/* what has been done since the previous call; named like the bus counters */
typedef struct {
    uint32_t                     packets;
    uint32_t                     bytes;
    uint32_t                     frames;
    uint32_t                     keyframes;
    uint32_t                     dropped;
    uint32_t                     clamped;
    uint32_t                     damaged;
    uint32_t                     discontinuities;
} ngx_webrtc_source_delta_t;


/*
 *   ring         the caller has claimed its stream; NULL: nothing is written,
 *                tracks and frames are only inspected
 *   timeline     the stream's, continues from where it is; NULL: timestamps are
 *                media times of the stream already
 *   place        track numbers in the ring of NGX_WEBRTC_MEDIA_VIDEO and
 *                _AUDIO; NULL: the same
 *   keep         what the ring should hold; NULL: as for key frames that come
 *                when they please
 *   max_payload  bytes, 0: the packetizer's default
 *   transcode    nothing is left out, and times are what they are: readers
 *                decode the frames
 *   published    called after each frame that has become visible to readers
 *   grow         asks for a ring, or for a larger one of at least "need"
 *                bytes (0: any) because what newcomers start with does not
 *                fit.  NGX_OK: writer is in a new ring; else there is none,
 *                and it is not asked again soon.  NULL: there is never one
 */
typedef struct {
    ngx_webrtc_ring_t           *ring;
    ngx_webrtc_timeline_t       *timeline;
    size_t                       max_payload;
    ngx_uint_t                   transcode;
    const uint8_t               *place;
    const ngx_webrtc_ring_keep_t  *keep;

    void                       (*published)(void *ctx,
                                            ngx_webrtc_source_delta_t *delta);
    ngx_int_t                  (*grow)(void *ctx, size_t need);
    void                        *ctx;
} ngx_webrtc_source_out_conf_t;


typedef struct {
    ngx_webrtc_source_out_conf_t  *conf;

    ngx_webrtc_ring_writer_t       writer;
    ngx_webrtc_timeline_t         *timeline;
    const ngx_webrtc_ring_keep_t  *keep;
    uint32_t                       jumps;      /* of the timeline, as told */
    uint16_t                       picture_id;
    uint8_t                        cvo;         /* of the video to come, see
                                                   ngx_webrtc_packet.h */
    unsigned                       wait_key:1;  /* video */
    unsigned                       hold:1;      /* audio, for the first key */
    unsigned                       told_order:1;   /* of B-frames */
    unsigned                       told_large:1;   /* of pictures */
    unsigned                       reordered:1; /* the video goes back in time;
                                                   until the run is over, or
                                                   another encoder comes */
    unsigned                       plain:1;     /* one has, without B-frames */
    unsigned                       news:1;      /* something was learned, see
                                                   _learned() below */
    unsigned                       dry:1;       /* there is no ring to write
                                                   to, nor memory for one */
    int64_t                        full_us;     /* the ring cannot grow, until
                                                   then; 0: it may */
    ngx_webrtc_ring_key_e          told;        /* of its key frame, in vain */

    uint32_t                       dropped;    /* B-frames, in all */
    uint32_t                       held;       /* those that were clamped */
    uint32_t                       most;       /* packets of a picture */
    ngx_webrtc_source_delta_t      delta;

    /* of the current frame */
    uint32_t                       npackets;   /* of video */
    ngx_uint_t                     track;
    int64_t                        media;
    int64_t                        now_us;

    ngx_webrtc_track_t             known;      /* of video, as last looked at */
    ngx_webrtc_order_t             order[NGX_WEBRTC_MEDIA_TRACKS];
    ngx_webrtc_pack_t              pack[NGX_WEBRTC_MEDIA_TRACKS];
} ngx_webrtc_source_out_t;


/* Becomes the ring's writer.  conf must outlive out. */
void ngx_webrtc_source_out_init(ngx_webrtc_source_out_t *out,
    ngx_webrtc_source_out_conf_t *conf);

/*
 * Begins a new run of the source: no tracks yet; from its first frame time
 * continues along the wall clock.
 */
void ngx_webrtc_source_out_begin(ngx_webrtc_source_out_t *out);

/*
 * Makes track i.
 *
 *   codec        NGX_WEBRTC_CODEC_*
 *   extradata,n  out-of-band configuration, NULL and 0 if none
 *
 * NGX_OK; NGX_DECLINED: no such packetizer
 */
ngx_int_t ngx_webrtc_source_out_track(ngx_webrtc_source_out_t *out,
    ngx_uint_t i, ngx_uint_t codec, u_char *extradata, size_t n);

/* New configuration during the run; ignored if malformed. */
void ngx_webrtc_source_out_config(ngx_webrtc_source_out_t *out, ngx_uint_t i,
    u_char *extradata, size_t n);

/*
 * Writes a video frame.  Frames before the run's first key frame are dropped.
 * If what browsers cannot play is transcoded, frames have the times that they
 * are shown at, and nothing else is dropped.
 *
 *   pts      90 kHz, unwrapped, of the source
 *   now_us   monotonic clock, microseconds, > 0
 *
 * NGX_OK        in the ring
 * NGX_DECLINED  dropped: waiting for a key frame, malformed, or going back in
 *               time with nothing referring to it (counted in delta)
 */
ngx_int_t ngx_webrtc_source_out_video(ngx_webrtc_source_out_t *out,
    ngx_uint_t i, u_char *data, size_t n, int64_t pts, int64_t now_us);

/*
 * Writes an audio frame.  If there is a video track, audio is dropped until
 * the run's first key frame has come.
 *
 *   ts       in units of the track's clock rate, same origin as video
 */
ngx_int_t ngx_webrtc_source_out_audio(ngx_webrtc_source_out_t *out,
    ngx_uint_t i, u_char *data, size_t n, int64_t ts, int64_t now_us);

/*
 * Writes a packet of another stream's ring, as it is; readers see it after
 * ngx_webrtc_source_out_flush().
 *
 *   pkt       of a track of this stream; its index is set
 *   missing   packets of its track before it are lost
 *
 * NGX_OK
 * NGX_DECLINED  the ring has no room
 */
ngx_int_t ngx_webrtc_source_out_copy(ngx_webrtc_source_out_t *out,
    ngx_webrtc_ring_packet_t *pkt, u_char *payload, ngx_uint_t missing);

void ngx_webrtc_source_out_flush(ngx_webrtc_source_out_t *out);

/* Audio no longer waits for the first key frame. */
void ngx_webrtc_source_out_unhold(ngx_webrtc_source_out_t *out);

/* The run is over: reports what has been counted since the last frame. */
void ngx_webrtc_source_out_end(ngx_webrtc_source_out_t *out);

/*
 * The next frames do not continue the previous ones (a loop's seam): video is
 * dropped up to its next key frame.
 */
void ngx_webrtc_source_out_seam(ngx_webrtc_source_out_t *out);

/* A frame was lost before it came here; reported with the next one. */
void ngx_webrtc_source_out_damaged(ngx_webrtc_source_out_t *out);

/* A step of the source's clock was hidden; likewise. */
void ngx_webrtc_source_out_stepped(ngx_webrtc_source_out_t *out);

/*
 * Applies a record of the media process, if possible.
 *
 * NGX_OK; NGX_DECLINED: left out
 */
ngx_int_t ngx_webrtc_source_out_record(ngx_webrtc_source_out_t *out,
    ngx_webrtc_media_record_t *r);

/*
 * Adds to *track, of video, what has been learned of it from its frames; clears
 * out->news.
 *
 * 1: *track has changed; 0: it has not
 */
ngx_uint_t ngx_webrtc_source_out_learned(ngx_webrtc_source_out_t *out,
    ngx_webrtc_track_t *track);

/*
 * Prints what is wrong with the video so far, once for each cause.
 *
 * The end of the text, which is not null-terminated; NULL: nothing new
 */
u_char *ngx_webrtc_source_out_warning(ngx_webrtc_source_out_t *out,
    u_char buf[NGX_WEBRTC_SOURCE_OUT_TEXT]);


#endif /* _NGX_WEBRTC_SOURCE_OUT_H_INCLUDED_ */
