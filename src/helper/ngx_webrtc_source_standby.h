
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * While a source plays an upstream other than its first, the ones before it
 * are probed in a separate thread, so that viewers do not notice.
 */


#ifndef _NGX_WEBRTC_SOURCE_STANDBY_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_STANDBY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_av.h"
#include "ngx_webrtc_source_thread.h"


/*
 * In the source's thread: its upstream th->now is up.  When an earlier one is
 * reachable, its tracks are found and its first key frame has come, the
 * current run is told to end.  On failure it is as if none ever came.
 */
void ngx_webrtc_source_standby_begin(ngx_webrtc_source_thread_t *th);

/*
 * In the source's thread, now and then while that run plays: tries begin()
 * again if it failed, for lack of a thread, say.
 */
void ngx_webrtc_source_standby_check(ngx_webrtc_source_thread_t *th,
    uint64_t now_us);

/*
 * In the source's thread: that run is over.  Does not wait for the other
 * thread, which may be resolving a name.
 *
 * Returns the run to play now, with th->now set; or NULL.
 */
ngx_webrtc_source_run_t *ngx_webrtc_source_standby_end(
    ngx_webrtc_source_thread_t *th);

/*
 * In the source's thread, after end(), as it ends, too.  The other thread is
 * detached if it does not end within moments.
 */
void ngx_webrtc_source_standby_leave(ngx_webrtc_source_thread_t *th);

/* Threads of this process that were detached; some may have ended since. */
ngx_uint_t ngx_webrtc_source_standby_left(void);


#endif /* _NGX_WEBRTC_SOURCE_STANDBY_H_INCLUDED_ */
