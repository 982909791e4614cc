
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A run of a source: playlists of HLS.
 */


#ifndef _NGX_WEBRTC_SOURCE_HLS_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_HLS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_run.h"


/* Looks at what run->ic, to be opened in this thread, reads of playlists. */
void ngx_webrtc_source_hls_attach(ngx_webrtc_source_run_t *run);

/* The same ones are read in this thread from now on. */
void ngx_webrtc_source_hls_move(ngx_webrtc_source_hls_t *hls);

/* 0: the playlist has no end so far; 1 also where there is no playlist */
ngx_uint_t ngx_webrtc_source_hls_ended(ngx_webrtc_source_hls_t *hls);


#endif /* _NGX_WEBRTC_SOURCE_HLS_H_INCLUDED_ */
