
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The bandwidth of a viewer's path: what the viewer reports of it, probes, and
 * how fast it is sent to for that.  Only where something follows it: for others
 * there is none of this, and packets are as they were.
 */


#ifndef _NGX_WEBRTC_VIEWER_BANDWIDTH_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_BANDWIDTH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"
#include "ngx_webrtc_viewer_stamp.h"
#include "ngx_webrtc_rtcp.h"


/*
 * Sets v->bw, if the viewer has a video track; its tracks are set up.  From now
 * on packets are stamped, as was negotiated.
 *
 *   start      bits per second, before anything is known
 *   measured   that is what the path carries, not a guess
 *
 * NGX_OK; NGX_ERROR without memory
 */
ngx_int_t ngx_webrtc_viewer_bandwidth_begin(ngx_webrtc_session_t *s,
    uint32_t start, ngx_uint_t measured);

/* May be called always. */
void ngx_webrtc_viewer_bandwidth_end(ngx_webrtc_viewer_t *v);

/*
 * What the viewer says: feedback packet by packet, its own estimate, or a
 * report.
 *
 *   fraction   of 256 packets, lost
 *   rtt_us     0: unknown
 *
 * NGX_OK        the estimate may have changed
 * NGX_DECLINED  malformed, or nothing follows it
 */
ngx_int_t ngx_webrtc_viewer_bandwidth_twcc(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_fb_t *fb);
ngx_int_t ngx_webrtc_viewer_bandwidth_remb(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_fb_t *fb);
ngx_int_t ngx_webrtc_viewer_bandwidth_report(ngx_webrtc_session_t *s,
    ngx_uint_t fraction, uint32_t rtt_us);

/*
 * Begins a probe at this rate, in bits per second.
 *
 * NGX_OK; NGX_DECLINED: not now
 */
ngx_int_t ngx_webrtc_viewer_bandwidth_probe(ngx_webrtc_session_t *s,
    uint32_t rate);

/*
 * A few times a second.
 *
 *   quiet   no video is sent: the path is tried with a little padding
 */
void ngx_webrtc_viewer_bandwidth_tick(ngx_webrtc_session_t *s,
    ngx_uint_t quiet);

/*
 * The viewer is sent to at this part of the estimate at most, in percent; at
 * another one before its first feedback.
 */
void ngx_webrtc_viewer_bandwidth_pace(ngx_webrtc_session_t *s,
    ngx_uint_t percent);

/* ms that what is sent next has been waiting, beyond what pacing of a replay
 * explains */
ngx_msec_t ngx_webrtc_viewer_bandwidth_lag(ngx_webrtc_viewer_t *v);


#endif /* _NGX_WEBRTC_VIEWER_BANDWIDTH_H_INCLUDED_ */
