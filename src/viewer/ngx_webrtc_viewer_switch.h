
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A viewer goes from one stream to another of the same family: tracks of the
 * same numbers and clock rates, on one timeline.  It keeps its SSRCs, sequence
 * numbers and timestamps go on, and no packet of audio is missed or repeated.
 */


#ifndef _NGX_WEBRTC_VIEWER_SWITCH_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_SWITCH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/* the key frame that a viewer changes at */
typedef enum {
    NGX_WEBRTC_VIEWER_SWITCH_NEXT = 0,   /* one that is to come */
    NGX_WEBRTC_VIEWER_SWITCH_RECENT,     /* or one that has just come */
    NGX_WEBRTC_VIEWER_SWITCH_ANY         /* or any: what it reads does not
                                            play */
} ngx_webrtc_viewer_switch_at_e;


/*
 * The viewer is to read st from a key frame on, which is asked for unless it is
 * there; it reads on where it is until then.  May be called again, with another
 * stream or with the one that it reads: then it stays.
 *
 *   st   held for the viewer, whatever is returned
 *
 * NGX_OK; NGX_ERROR without memory
 */
ngx_int_t ngx_webrtc_viewer_switch(ngx_webrtc_session_t *s,
    ngx_webrtc_stream_t *st, ngx_webrtc_viewer_switch_at_e at);

/* The stream that it goes to may have a key frame: it reads that from then. */
void ngx_webrtc_viewer_switch_look(ngx_webrtc_session_t *s);

/* It stays where it is.  May be called always. */
void ngx_webrtc_viewer_switch_cancel(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_VIEWER_SWITCH_H_INCLUDED_ */
