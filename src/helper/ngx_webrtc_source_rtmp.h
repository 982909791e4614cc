
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A stream of nginx-rtmp is known only in its publisher's worker.  If the
 * upstream is nginx-rtmp in this nginx, each worker has a port of its own for
 * us (ngx_webrtc_door.h).  The search connects to all of them at once, asks
 * each for the stream, and keeps the one that has it; libavformat then plays
 * from there.  While nothing comes from that one, the others are asked again:
 * a publisher that reconnects may land in another worker.
 *
 * Used in a source's thread.
 */


#ifndef _NGX_WEBRTC_SOURCE_RTMP_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_RTMP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_thread.h"


typedef struct ngx_webrtc_source_rtmp_s  ngx_webrtc_source_rtmp_t;


/*
 * Resolves the host of a URL, which may block.
 *
 *   th   its conf.doors is called to get the ports
 *
 * NULL: the URL's server is not in this nginx, or no memory; it is opened
 * like any other.
 */
ngx_webrtc_source_rtmp_t *ngx_webrtc_source_rtmp_create(
    ngx_webrtc_source_thread_t *th);

void ngx_webrtc_source_rtmp_destroy(ngx_webrtc_source_rtmp_t *search);

/* Another thread of the same source goes on with it. */
void ngx_webrtc_source_rtmp_move(ngx_webrtc_source_rtmp_t *search,
    ngx_webrtc_source_thread_t *th);

/*
 * Waits until a worker has the stream, or th->deadline_us.
 *
 * NGX_OK
 * NGX_ERROR    none has; th->error is set
 * NGX_ABORT    the thread is asked to stop
 */
ngx_int_t ngx_webrtc_source_rtmp_find(ngx_webrtc_source_rtmp_t *search);

/*
 * What to open the worker that was found with, null-terminated: a URL, and
 * three options of libavformat's rtmp protocol.
 */
const char *ngx_webrtc_source_rtmp_url(ngx_webrtc_source_rtmp_t *search);
const char *ngx_webrtc_source_rtmp_tcurl(ngx_webrtc_source_rtmp_t *search);
const char *ngx_webrtc_source_rtmp_app(ngx_webrtc_source_rtmp_t *search);
const char *ngx_webrtc_source_rtmp_name(ngx_webrtc_source_rtmp_t *search);

/*
 * Called repeatedly while nothing comes from that worker; does not block.
 *
 *   since_us   when the silence began
 *
 * 1: it is in another worker now
 */
ngx_uint_t ngx_webrtc_source_rtmp_moved(ngx_webrtc_source_rtmp_t *search,
    uint64_t since_us);

/* Called when something has come. */
void ngx_webrtc_source_rtmp_rest(ngx_webrtc_source_rtmp_t *search);


#endif /* _NGX_WEBRTC_SOURCE_RTMP_H_INCLUDED_ */
