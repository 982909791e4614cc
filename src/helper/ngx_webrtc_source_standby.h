
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A source that plays another upstream than its first one looks for those
 * before it, in a thread of its own, so that viewers notice nothing of it.
 */


#ifndef _NGX_WEBRTC_SOURCE_STANDBY_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_STANDBY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_av.h"
#include "ngx_webrtc_source_thread.h"


/*
 * In the source's thread: its upstream th->now is up.  When one of those before
 * it is there, its tracks are found and its first key frame has come,
 * the run that is under way is told to end.  Failures are as if none came.
 */
void ngx_webrtc_source_standby_begin(ngx_webrtc_source_thread_t *th);

/*
 * In the source's thread, now and then while that run plays: begins if that
 * failed before, for want of a thread, say.
 */
void ngx_webrtc_source_standby_check(ngx_webrtc_source_thread_t *th,
    uint64_t now_us);

/*
 * In the source's thread: that run is over.  Does not wait for the other
 * thread, which may be resolving a name.
 *
 * Returns what is to be played now, with th->now set; or NULL.
 */
ngx_webrtc_source_run_t *ngx_webrtc_source_standby_end(
    ngx_webrtc_source_thread_t *th);

/*
 * In the source's thread, after end(): it ends, too.  The other thread is left
 * alone where it does not end within moments.
 */
void ngx_webrtc_source_standby_leave(ngx_webrtc_source_thread_t *th);

/* Threads of this process that were left alone; some may have ended since. */
ngx_uint_t ngx_webrtc_source_standby_left(void);


#endif /* _NGX_WEBRTC_SOURCE_STANDBY_H_INCLUDED_ */
