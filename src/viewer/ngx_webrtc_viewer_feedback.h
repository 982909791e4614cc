
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTCP from and to a viewer.
 */


#ifndef _NGX_WEBRTC_VIEWER_FEEDBACK_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_FEEDBACK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/* Handles one RTCP packet of the viewer: reports, NACK, PLI, FIR. */
void ngx_webrtc_viewer_feedback(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_t *rtcp);

/* Sends sender reports, if there is something to report. */
void ngx_webrtc_viewer_feedback_reports(ngx_webrtc_session_t *s);

/*
 * Likewise, those that a viewer needs for lip sync (NGX_WEBRTC_VIEWER_REPORTS),
 * with what each track begins with.  Called while v->fresh is set, when
 * something was sent.
 */
void ngx_webrtc_viewer_feedback_first(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_VIEWER_FEEDBACK_H_INCLUDED_ */
