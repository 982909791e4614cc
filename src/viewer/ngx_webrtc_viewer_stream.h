
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What happens to the streams that have viewers in this worker.
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


#endif /* _NGX_WEBRTC_VIEWER_STREAM_H_INCLUDED_ */
