
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The streams that have viewers in this worker.
 */


#ifndef _NGX_WEBRTC_VIEWER_STREAMS_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_STREAMS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/* Viewers of a stream here, or NULL. */
ngx_webrtc_viewer_stream_t *ngx_webrtc_viewer_streams_find(
    ngx_webrtc_viewer_worker_t *vw, ngx_webrtc_stream_t *st);

/*
 * Adds a viewer to those of v->st, and sets v->vs.  With the first one the
 * worker starts to watch the stream.
 *
 * NGX_OK; NGX_ERROR without memory
 */
ngx_int_t ngx_webrtc_viewer_streams_join(ngx_webrtc_viewer_worker_t *vw,
    ngx_webrtc_viewer_t *v);

/* The viewer leaves. */
void ngx_webrtc_viewer_streams_leave(ngx_webrtc_viewer_t *v);

/*
 * The viewer waits for a key frame of another stream, v->to.vs, which the
 * worker watches from then on; and does not any longer.  The caller holds that.
 *
 * NGX_OK; NGX_ERROR without memory
 */
ngx_int_t ngx_webrtc_viewer_streams_await(ngx_webrtc_viewer_worker_t *vw,
    ngx_webrtc_viewer_t *v, ngx_webrtc_stream_t *st);
void ngx_webrtc_viewer_streams_stay(ngx_webrtc_viewer_t *v);

/* Calls the handler for each stream that has viewers in this worker. */
void ngx_webrtc_viewer_streams_each(ngx_webrtc_worker_t *wk,
    void (*handler)(ngx_webrtc_stream_t *st));


#endif /* _NGX_WEBRTC_VIEWER_STREAMS_H_INCLUDED_ */
