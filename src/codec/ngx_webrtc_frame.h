
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * A frame: what one timestamp covers.  H.264 and H.265: an access unit; VP8
 * and VP9: a frame or superframe; AV1: a temporal unit; audio: one coded frame.
 */


#ifndef _NGX_WEBRTC_FRAME_H_INCLUDED_
#define _NGX_WEBRTC_FRAME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    u_char      *data;              /* not owned */
    size_t       size;

    unsigned     key:1;             /* decoding may start here */
    unsigned     discardable:1;     /* nothing refers to it */
    unsigned     params:1;          /* has parameter sets in band */
    unsigned     picture:1;         /* has coded samples, not only headers */
    unsigned     recovery:1;        /* key, at a recovery point: browsers cannot
                                       start there */
    unsigned     hidden:1;          /* decoded but not shown (VP8, VP9) */
} ngx_webrtc_frame_t;


#endif /* _NGX_WEBRTC_FRAME_H_INCLUDED_ */
