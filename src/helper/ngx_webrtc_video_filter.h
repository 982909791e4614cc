
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Makes of decoded pictures what an encoder is to get: 8 bits, 4:2:0, limited
 * range, square samples, upright, not interlaced, no larger than asked for.  Or
 * with the colours that files of one picture have.
 *
 * Belongs to one thread.
 */


#ifndef _NGX_WEBRTC_VIDEO_FILTER_H_INCLUDED_
#define _NGX_WEBRTC_VIDEO_FILTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavfilter/avfilter.h>
#include <libavutil/frame.h>


/*
 *   width, height   at most, of the upright picture; 0: as it is
 *   format          enum AVPixelFormat
 *   deinterlace     1: where pictures are interlaced
 *   still           1: colours of ITU-R BT.601, of JPEG (full) with full range
 *   cvo             how they are to be turned, bits of NGX_WEBRTC_CVO_MASK
 */
typedef struct {
    ngx_uint_t        width;
    ngx_uint_t        height;
    int               format;
    unsigned          deinterlace:1;
    unsigned          still:1;
    unsigned          full:1;
    uint8_t           cvo;
} ngx_webrtc_video_filter_conf_t;


/* all zero initially */
typedef struct {
    AVFilterGraph    *graph;        /* NULL: pictures are as they should be */
    AVFilterContext  *in;
    AVFilterContext  *out;
    AVFrame          *same;         /* a picture that needs nothing */

    /* what the graph was made for */

    ngx_webrtc_video_filter_conf_t  conf;
    int               width;
    int               height;
    int               format;
    int               range;
    int               space;
    AVRational        sar;
    unsigned          made:1;
    unsigned          fields:1;     /* it deinterlaces */
} ngx_webrtc_video_filter_t;


/*
 * The size of what comes out, both even.
 *
 *   width, height   set
 */
void ngx_webrtc_video_filter_size(const ngx_webrtc_video_filter_conf_t *conf,
    const AVFrame *frame, int *width, int *height);

/*
 * Puts a picture in.
 *
 *   conf    may change from one picture to the next
 *   frame   emptied; NULL, then conf, too: there are no more, what is in it
 *           comes out
 *
 * NGX_OK
 * NGX_ERROR  it is dropped: no memory, or nothing can be made of it
 */
ngx_int_t ngx_webrtc_video_filter_put(ngx_webrtc_video_filter_t *f,
    const ngx_webrtc_video_filter_conf_t *conf, AVFrame *frame);

/*
 * Takes the next picture, which has the pts of the one that it was made of.
 *
 * NGX_OK; NGX_AGAIN: there is none yet
 */
ngx_int_t ngx_webrtc_video_filter_get(ngx_webrtc_video_filter_t *f,
    AVFrame *frame);

/*
 * Forgets what is in it, and how it was made; may be repeated.
 */
void ngx_webrtc_video_filter_reset(ngx_webrtc_video_filter_t *f);


#endif /* _NGX_WEBRTC_VIDEO_FILTER_H_INCLUDED_ */
