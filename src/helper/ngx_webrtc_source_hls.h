
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A source's run: HLS playlists.
 */


#ifndef _NGX_WEBRTC_SOURCE_HLS_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_HLS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_run.h"


/* Watches the playlists that run->ic, to be opened in this thread, reads. */
void ngx_webrtc_source_hls_attach(ngx_webrtc_source_run_t *run);

/* From now on they are read in this thread. */
void ngx_webrtc_source_hls_move(ngx_webrtc_source_hls_t *hls);

/* 0: the playlist has not ended yet; 1 also if there is no playlist */
ngx_uint_t ngx_webrtc_source_hls_ended(ngx_webrtc_source_hls_t *hls);


#endif /* _NGX_WEBRTC_SOURCE_HLS_H_INCLUDED_ */
