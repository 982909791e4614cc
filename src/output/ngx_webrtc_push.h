
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_push": a stream is sent on to another server.
 *
 *   - One worker has a push (ngx_webrtc_bus_outlet.h): it reads the stream's
 *     ring, as viewers do, and feeds a job of the media process that connects
 *     and sends.  Each target has a job of its own.
 *   - Video that the target cannot take is that of a variant of the stream
 *     (ngx_webrtc_variants.h), made as "webrtc_transcode" says, and shared with
 *     viewers.
 *   - It connects when there is media, and begins with the newest key frame.
 *     When that cannot be done, or is over, it is tried again after a second,
 *     and after twice as long each time, up to 30 s.
 *   - While its publisher is away it stays connected, for "webrtc_linger" at
 *     most: what comes then goes on, after a gap in time.  So it does when the
 *     picture changes its size; with other codecs or tracks it connects anew.
 *   - A target that is slower than the stream: what is more than
 *     NGX_WEBRTC_PUSH_LATE behind is left out, up to the next key frame after
 *     it has caught up.
 */


#ifndef _NGX_WEBRTC_PUSH_H_INCLUDED_
#define _NGX_WEBRTC_PUSH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_output_pick.h"
#include "ngx_webrtc_push_head.h"


/* ms of media that may be on their way to a target; chosen: what its viewers
 * would take for a fault anyway */
#define NGX_WEBRTC_PUSH_LATE  3000


typedef struct ngx_webrtc_push_s  ngx_webrtc_push_t;


/*
 * This worker is to push a stream that it holds, unless a worker does: called a
 * few times a second for as long as that is so, then ngx_webrtc_pushes_tick(),
 * which ends those that nobody wants any more.
 *
 *   conf   lives as long as the worker
 *   how    copied
 *   keep   see ngx_webrtc_output_pick_keep()
 */
void ngx_webrtc_push_want(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    const ngx_webrtc_push_conf_t *conf, const ngx_webrtc_output_how_t *how,
    ngx_uint_t keep, ngx_log_t *log);

/* Those of this worker: cursor NULL at first.  NULL: no more */
ngx_webrtc_push_t *ngx_webrtc_push_next(ngx_webrtc_push_t *push);
ngx_webrtc_stream_t *ngx_webrtc_push_stream(ngx_webrtc_push_t *push);

void ngx_webrtc_pushes_tick(void);

/* A stream has news. */
void ngx_webrtc_pushes_news(ngx_webrtc_stream_t *st);

/* Is there one that keeps a worker that shuts down? */
ngx_uint_t ngx_webrtc_pushes_busy(void);

/* For exit_process. */
void ngx_webrtc_pushes_exit(void);


#endif /* _NGX_WEBRTC_PUSH_H_INCLUDED_ */
