
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_hls": a stream becomes segments, for HLS and DASH.
 *
 *   - One worker makes them; ngx_webrtc_bus_hls.h has what all know of them.
 *     It reads the stream's rings, as viewers do, and feeds jobs of the media
 *     process, one for each video; what comes back is written to files by
 *     threads, and published when it has been written.
 *   - All jobs of a stream begin and end together: a run.  When the stream has
 *     other tracks, codecs or pictures, its publisher is another one, or a job
 *     has died, the next run begins, after a discontinuity.
 *   - It goes on for as long as somebody asks for playlists or segments, or
 *     always; then all files are removed.
 *   - What cannot be written (a disk that is full, or too slow) ends it with an
 *     error of the stream; it is tried again after a minute.
 */


#ifndef _NGX_WEBRTC_HLS_H_INCLUDED_
#define _NGX_WEBRTC_HLS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_hls_conf.h"


/*
 * This worker is to make segments of a stream that it holds, unless a worker
 * does: called for each request, and for streams that are made always or have
 * been left by another worker, at each tick.
 *
 *   conf   lives as long as the worker
 *
 * NGX_OK; NGX_DECLINED: the zone is full
 */
ngx_int_t ngx_webrtc_hls_want(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    const ngx_webrtc_hls_conf_t *conf, const ngx_webrtc_hls_how_t *how,
    ngx_log_t *log);

/* A channel that nobody has is not wanted any more: its files are removed. */
void ngx_webrtc_hls_drop(ngx_webrtc_bus_t *bus, ngx_str_t *name,
    const ngx_webrtc_hls_conf_t *conf, ngx_log_t *log);

/* For the worker's hooks. */
void ngx_webrtc_hlss_tick(void);
void ngx_webrtc_hlss_news(ngx_webrtc_stream_t *st);
ngx_uint_t ngx_webrtc_hlss_busy(void);
void ngx_webrtc_hlss_exit(void);


#endif /* _NGX_WEBRTC_HLS_H_INCLUDED_ */
