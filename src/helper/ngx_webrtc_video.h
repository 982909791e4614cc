
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Transcodes video: takes the records of a TRANSCODE job, and gives out frames
 * of another codec.  No thread, no clock and no socket of its own, though
 * libavcodec makes threads.
 *
 *   records -> decode -> (too many, too late?) -> filter
 *           -> (too much?) -> encode -> out()
 */


#ifndef _NGX_WEBRTC_VIDEO_H_INCLUDED_
#define _NGX_WEBRTC_VIDEO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_media_message.h"
#include "ngx_webrtc_pack.h"
#include "ngx_webrtc_video_decode.h"
#include "ngx_webrtc_video_encode.h"
#include "ngx_webrtc_video_filter.h"


/*
 *   out     a frame: data, n bytes, and the ts of the frame that brought its
 *           picture.  NGX_OK; NGX_ABORT: no more
 *   say     something for the log, or (failed) why nothing comes
 */
typedef struct {
    ngx_webrtc_media_transcode_t    want;

    ngx_int_t                     (*out)(void *ctx, u_char *data, size_t n,
                                         int64_t ts, ngx_uint_t key);
    void                          (*say)(void *ctx, ngx_uint_t failed,
                                         ngx_uint_t level, const char *text);
    void                           *ctx;
} ngx_webrtc_video_conf_t;


typedef struct {
    uint32_t                        frames;      /* taken */
    uint32_t                        skipped;     /* of them, not decoded: no
                                                    key frame before them */
    uint32_t                        broken;      /* could not be decoded */
    uint32_t                        pictures;    /* decoded */
    uint32_t                        misplaced;   /* of them, not after the one
                                                    before: left out */
    uint32_t                        thinned;     /* left out for fps */
    uint32_t                        late;        /* left out: too slow */
    uint32_t                        heavy;       /* left out: the encoder is
                                                    ahead of its rate */
    uint32_t                        encoded;
} ngx_webrtc_video_count_t;


typedef struct ngx_webrtc_video_s  ngx_webrtc_video_t;


/* conf is copied, with the strings in it.  NULL: no memory */
ngx_webrtc_video_t *ngx_webrtc_video_create(ngx_webrtc_video_conf_t *conf);
void ngx_webrtc_video_destroy(ngx_webrtc_video_t *v);

/*
 * Takes a record.  Data of FRAME is followed by NGX_WEBRTC_VIDEO_SPARE zeros.
 *
 *   now_us   of the clock of r->now_us, the time when a frame was to be sent;
 *            0 in either: not known, and nothing is late
 *
 * NGX_OK
 * NGX_ABORT  out() wants no more
 * NGX_ERROR  there is no encoder, which say() has been told
 */
ngx_int_t ngx_webrtc_video_record(ngx_webrtc_video_t *v,
    ngx_webrtc_media_record_t *r, uint64_t now_us);

/* The next picture will be a key frame. */
void ngx_webrtc_video_keyframe(ngx_webrtc_video_t *v);

/* Sets the rate of what is encoded, bit/s. */
void ngx_webrtc_video_bitrate(ngx_webrtc_video_t *v, uint32_t bitrate);

/* What has been done so far. */
const ngx_webrtc_video_count_t *ngx_webrtc_video_count(ngx_webrtc_video_t *v);


#endif /* _NGX_WEBRTC_VIDEO_H_INCLUDED_ */
