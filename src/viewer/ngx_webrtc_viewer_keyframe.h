
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which key frame a viewer starts or resumes with.
 */


#ifndef _NGX_WEBRTC_VIEWER_KEYFRAME_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_KEYFRAME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/* Sets the cursor of a new viewer. */
void ngx_webrtc_viewer_keyframe_begin(ngx_webrtc_session_t *s);

/*
 * The viewer has asked for a key frame, or waits for one.  Many publishers do
 * not make one when asked: an old one is better than none.
 */
void ngx_webrtc_viewer_keyframe_look(ngx_webrtc_session_t *s);

/*
 * A push that has had nothing yet, at a packet of its stream: does it begin?
 *
 * NGX_OK        the packet is of a key frame: the cursor may have gone back
 * NGX_DECLINED  not with this one
 */
ngx_int_t ngx_webrtc_viewer_keyframe_first(ngx_webrtc_session_t *s,
    const ngx_webrtc_ring_packet_t *pkt);

/* Has it waited long enough to take an old one? */
ngx_uint_t ngx_webrtc_viewer_keyframe_waited(ngx_webrtc_viewer_t *v);

/* The writer has overwritten what was to be sent next: resumes after that. */
void ngx_webrtc_viewer_keyframe_lapped(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_VIEWER_KEYFRAME_H_INCLUDED_ */
