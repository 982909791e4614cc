
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which layer of its stream a viewer gets, by the bandwidth of its path or by
 * its own choice: renditions of its location, and the stream itself.
 */


#ifndef _NGX_WEBRTC_VIEWER_LAYERS_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_LAYERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/*
 * Sets v->layers and v->bw if the viewer's location has renditions, or what it
 * reads is encoded for such as it; its tracks are set up.
 *
 * NGX_OK; NGX_ERROR without memory
 */
ngx_int_t ngx_webrtc_viewer_layers_begin(ngx_webrtc_session_t *s);

/*
 * The same for any viewer of video, later, who has none of it yet: it gets the
 * stream as it is, and its path carries less.
 *
 *   start   what it carries, bits per second
 *
 * NGX_OK; NGX_ERROR without memory: nothing has changed
 */
ngx_int_t ngx_webrtc_viewer_layers_late(ngx_webrtc_session_t *s,
    uint32_t start);

/* May be called always.  The viewer ends, or gets all of its only layer. */
void ngx_webrtc_viewer_layers_end(ngx_webrtc_viewer_t *v);

/* The estimate may have changed. */
void ngx_webrtc_viewer_layers_look(ngx_webrtc_session_t *s);

/* The viewer may have chosen: its slot was changed. */
void ngx_webrtc_viewer_layers_changed(ngx_webrtc_session_t *s);

/* A few times a second. */
void ngx_webrtc_viewer_layers_tick(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_VIEWER_LAYERS_H_INCLUDED_ */
