
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * One run of a source over libavformat: open, find the tracks, read until it
 * ends.
 */


#ifndef _NGX_WEBRTC_SOURCE_AV_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_AV_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_thread.h"


/*
 * Once per process, before the first thread; may be repeated.  libav* must
 * not write to stderr: its log is taken over.
 */
void ngx_webrtc_source_av_init(void);

/* What libav* complains of first in this thread is th's: th->libav. */
void ngx_webrtc_source_av_own(ngx_webrtc_source_thread_t *th);

/* FFmpeg's version */
const char *ngx_webrtc_source_av_version(void);

/*
 * Called in the source's thread; returns when the run is over and everything
 * it opened is closed.
 *
 * NGX_DONE    a finite source has been played to its end
 * NGX_ERROR   lost or could not be opened; th->error says why
 * NGX_ABORT   the thread is asked to stop
 */
ngx_int_t ngx_webrtc_source_av_run(ngx_webrtc_source_thread_t *th);

/*
 * The same in two parts.  The first one opens the upstream and finds its
 * tracks.  The second one plays it, and may be called in another thread, of
 * the same source.
 *
 * NGX_OK of the first: *run is the caller's until take() or free()
 */
ngx_int_t ngx_webrtc_source_av_start(ngx_webrtc_source_thread_t *th,
    ngx_webrtc_source_run_t **run);
ngx_int_t ngx_webrtc_source_av_take(ngx_webrtc_source_thread_t *th,
    ngx_webrtc_source_run_t *run);

/* Gives th what start() opened in another thread, until take() or free(). */
void ngx_webrtc_source_av_move(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_thread_t *th);

/* Closes what start() has opened. */
void ngx_webrtc_source_av_free(ngx_webrtc_source_run_t *run);


#endif /* _NGX_WEBRTC_SOURCE_AV_H_INCLUDED_ */
