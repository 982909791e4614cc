
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Makes one picture of a video, as a file: takes the records of a PICTURE job.
 * Belongs to one thread, besides those that libavcodec makes itself.
 *
 *   records -> decode -> filter -> encode
 */


#ifndef _NGX_WEBRTC_PICTURE_H_INCLUDED_
#define _NGX_WEBRTC_PICTURE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_media_message.h"
#include "ngx_webrtc_video_decode.h"
#include "ngx_webrtc_video_filter.h"


/* zeroed, then "want" is set; may be read: made, webp, cause */
typedef struct {
    ngx_webrtc_media_picture_t      want;

    ngx_webrtc_video_decode_t       decode;
    ngx_webrtc_video_filter_t       filter;
    AVFrame                        *frame;
    AVPacket                       *made;        /* the file */
    u_char                         *config;      /* of the decoder */
    size_t                          nconfig;
    const char                     *cause;       /* constant text */
    uint8_t                         codec;
    uint8_t                         cvo;
    unsigned                        webp:1;      /* what was made is */
} ngx_webrtc_picture_t;


/*
 * Takes a record.  Data of FRAME is followed by NGX_WEBRTC_VIDEO_SPARE zeros.
 *
 * NGX_OK     go on
 * NGX_DONE   the file has been made; no more records
 * NGX_ERROR  there will be none: cause; no more records
 */
ngx_int_t ngx_webrtc_picture_record(ngx_webrtc_picture_t *pic,
    ngx_webrtc_media_record_t *r);

/* Frees what it has; may be repeated. */
void ngx_webrtc_picture_end(ngx_webrtc_picture_t *pic);


#endif /* _NGX_WEBRTC_PICTURE_H_INCLUDED_ */
