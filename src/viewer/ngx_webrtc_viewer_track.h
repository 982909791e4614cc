
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


/* Sets up what the answer has. */
void ngx_webrtc_viewer_track_init(ngx_webrtc_session_t *s);

/*
 * The stream's tracks were set again: another source or publisher, or more is
 * known of them.  A codec that this viewer has negotiated as an alternative
 * gets its payload type, in place.
 *
 * NGX_OK
 * NGX_DECLINED  what there is now was not negotiated, the session is being
 *               closed
 */
ngx_int_t ngx_webrtc_viewer_track_changed(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_VIEWER_TRACK_H_INCLUDED_ */
