
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A viewer of a stream of one quality whose path carries less than that.
 */


#ifndef _NGX_WEBRTC_VIEWER_NARROW_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_NARROW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/*
 * A report of the viewer about a track of video.
 *
 *   fraction   of 256 packets, lost since the one before
 *   rtt_us     by this report; 0: it does not say
 */
void ngx_webrtc_viewer_narrow_report(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, ngx_uint_t fraction, uint32_t rtt_us);

/* A few times a second, if v->layers: they may be ended. */
void ngx_webrtc_viewer_narrow_tick(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_VIEWER_NARROW_H_INCLUDED_ */
