
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The streams that have viewers in this worker.
 */


#ifndef _NGX_WEBRTC_VIEWER_STREAM_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_STREAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/* As in ngx_webrtc_role_t: state is a ngx_webrtc_viewer_worker_t. */
void *ngx_webrtc_viewer_stream_init(ngx_webrtc_worker_t *wk, void *conf);
void ngx_webrtc_viewer_stream_done(void *state);
void ngx_webrtc_viewer_stream_tick(void *state);
void ngx_webrtc_viewer_stream_news(void *state, ngx_webrtc_stream_t *st);
void ngx_webrtc_viewer_stream_writable(void *state);

/*
 * Adds a viewer to those of its stream, and sets v->vs.  With the first one the
 * worker starts to watch the stream.
 *
 * NGX_OK; NGX_ERROR without memory
 */
ngx_int_t ngx_webrtc_viewer_stream_join(ngx_webrtc_viewer_worker_t *vw,
    ngx_webrtc_viewer_t *v);

/* The viewer leaves. */
void ngx_webrtc_viewer_stream_leave(ngx_webrtc_viewer_t *v);

/* Calls the handler for each stream that has viewers in this worker. */
void ngx_webrtc_viewer_stream_each(ngx_webrtc_worker_t *wk,
    void (*handler)(ngx_webrtc_stream_t *st));


#endif /* _NGX_WEBRTC_VIEWER_STREAM_H_INCLUDED_ */
