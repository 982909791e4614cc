
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What is known of the bandwidth of a viewer's path, and the stamps of packets
 * by which it becomes known: a number that the viewer reports about
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01), or the time of sending,
 * from which it makes an estimate itself (abs-send-time, for REMB).
 *
 * Only video that is retransmitted as RTX (RFC 4588) is stamped: a packet that
 * is sent again has another stamp, and must have another SRTP index.
 */


#ifndef _NGX_WEBRTC_VIEWER_STAMP_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_STAMP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer.h"
#include "ngx_webrtc_again.h"
#include "ngx_webrtc_bwe.h"
#include "ngx_webrtc_rate.h"


/* from what the estimate is made */
typedef enum {
    NGX_WEBRTC_VIEWER_BY_REPORT = 0,          /* receiver reports */
    NGX_WEBRTC_VIEWER_BY_REMB,
    NGX_WEBRTC_VIEWER_BY_TWCC
} ngx_webrtc_viewer_by_e;


/* owned by its viewer */
struct ngx_webrtc_viewer_bandwidth_s {
    ngx_webrtc_session_t        *session;
    ngx_webrtc_viewer_track_t   *track;       /* the video */
    ngx_webrtc_viewer_by_e       by;
    ngx_webrtc_bwe_t             bwe;
    ngx_event_t                  timer;       /* of a probe */
    ngx_msec_t                   heard;       /* from the viewer, 0: never */
    ngx_msec_t                   reported;    /* receiver reports, likewise */
    ngx_uint_t                   measured;    /* so was the first estimate */
    ngx_msec_t                   second;      /* that is counted, and what it */
    ngx_uint_t                   told;        /* has said in it */

    uint64_t                     bytes;       /* of video, sent */
    uint64_t                     least;       /* of it: nothing refers to it */
    ngx_webrtc_rate_t            rate;        /* of bytes */

    ngx_webrtc_again_t           again;
};


/*
 * Fills in the stamp of a packet that is about to be sent.
 *
 *   p       its header, with room for the stamp
 *   n       bytes of the datagram
 *   flags   NGX_WEBRTC_PKT_*
 */
void ngx_webrtc_viewer_stamp(ngx_webrtc_viewer_t *v,
    ngx_webrtc_viewer_track_t *t, u_char *p, size_t n, ngx_uint_t flags);


#endif /* _NGX_WEBRTC_VIEWER_STAMP_H_INCLUDED_ */
