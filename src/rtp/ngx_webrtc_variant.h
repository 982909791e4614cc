
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Variants: a stream's video, encoded anew, or another layer of it that its
 * publisher sends.  A variant is a stream of its own in the zone, found by its
 * parent and by all of the below: two that are made in the same way are one
 * encode.  The label is how it is shown.
 */


#ifndef _NGX_WEBRTC_VARIANT_H_INCLUDED_
#define _NGX_WEBRTC_VARIANT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of a label; chosen: "h264:16384x16384:1073741824:240fps:p" has 37 */
#define NGX_WEBRTC_VARIANT_LABEL       39

/* bytes of a rendition's name, which its label begins with; chosen */
#define NGX_WEBRTC_VARIANT_NAME        24

/* "webrtc_transcode" */
#define NGX_WEBRTC_TRANSCODE_OFF       0
#define NGX_WEBRTC_TRANSCODE_AUTO      1     /* where the original won't play */
#define NGX_WEBRTC_TRANSCODE_ALWAYS    2

/* ngx_webrtc_variant_t.hw: with which encoder; stored in the zone, append
 * only */
#define NGX_WEBRTC_VARIANT_HW_AUTO     0     /* what a trial finds, else none */
#define NGX_WEBRTC_VARIANT_HW_NONE     1     /* software */
#define NGX_WEBRTC_VARIANT_HW_VAAPI    2
#define NGX_WEBRTC_VARIANT_HW_NVENC    3
#define NGX_WEBRTC_VARIANT_HW_QSV      4
#define NGX_WEBRTC_VARIANT_HW_V4L2M2M  5

/* not encoded here: a layer of the publisher's simulcast, whose rid is the
 * label, and the rest zero */
#define NGX_WEBRTC_VARIANT_PUBLISHED   255

/* bounds of what is asked for: samples of a side, pictures per second, bit/s;
 * chosen */
#define NGX_WEBRTC_VARIANT_SIDE_LEAST  16
#define NGX_WEBRTC_VARIANT_SIDE_MOST   16384
#define NGX_WEBRTC_VARIANT_FPS_MOST    240
#define NGX_WEBRTC_VARIANT_BIT_LEAST   (16 * 1024)
#define NGX_WEBRTC_VARIANT_BIT_MOST    (1024 * 1024 * 1024)


/*
 * How a variant is made.  Plain data; all zero but the codec is "as the parent,
 * in another codec".  It is never larger than its parent and never has more
 * pictures; it is upright (what CVO says of the parent is undone), progressive
 * if asked for, 4:2:0 of 8 bit, and has no B-frames.
 */
typedef struct {
    uint8_t    codec;           /* NGX_WEBRTC_CODEC_*: H264, VP8, VP9, AV1; 0,
                                   of what is configured: as viewers offer */
    uint8_t    hw;              /* NGX_WEBRTC_VARIANT_HW_* */
    uint8_t    deinterlace;     /* 1: what is interlaced becomes progressive */
    uint8_t    fps;             /* at most; 0: the parent's */

    /* even; with height alone the width follows; both: fits into it, in the
     * parent's shape; 0: the parent's */
    uint16_t   width;
    uint16_t   height;

    uint32_t   bitrate;         /* bit/s; 0: by size */

    uint8_t    label_len;       /* the rest of the label is zeros */
    u_char     label[NGX_WEBRTC_VARIANT_LABEL];
} ngx_webrtc_variant_t;


#endif /* _NGX_WEBRTC_VARIANT_H_INCLUDED_ */
