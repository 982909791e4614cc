
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The tracks of a viewer: what was negotiated, by track of the stream.
 */


#ifndef _NGX_WEBRTC_VIEWER_TRACK_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_TRACK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/* Can the viewer be sent this track, of its family, in place of t? */
ngx_uint_t ngx_webrtc_viewer_track_may(ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_track_t *track);

/* It is, from the next packet on: sets codec and payload types. */
void ngx_webrtc_viewer_track_take(ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_track_t *track);

/* Sets up the tracks of the answer. */
void ngx_webrtc_viewer_track_init(ngx_webrtc_session_t *s);

/* Takes over the playout delay of video; to be called a few times a second. */
void ngx_webrtc_viewer_track_playout(ngx_webrtc_session_t *s);

/*
 * The stream's tracks were set again: another source or publisher, or more is
 * known about them.  A track switches in place to another codec, with its
 * payload type, if this viewer has negotiated that as an alternative.
 *
 * NGX_OK
 * NGX_DECLINED  the new tracks were not negotiated, the session is being closed
 */
ngx_int_t ngx_webrtc_viewer_track_changed(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_VIEWER_TRACK_H_INCLUDED_ */
