
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_pull": when a source runs, and in which worker.
 */


#ifndef _NGX_HTTP_WEBRTC_PULL_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_PULL_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * A viewer wants a stream: records in the zone how it is pulled, so that any
 * worker can, and starts the source unless there is one.
 *
 *   st     held by the caller
 *
 * NGX_OK
 * NGX_DECLINED   the URL is refused, see *cause (constant text)
 * NGX_ERROR      failed, logged
 */
ngx_int_t ngx_http_webrtc_pull(ngx_http_request_t *r,
    ngx_http_webrtc_pull_t *pull, ngx_webrtc_stream_t *st,
    const char **cause);

/*
 * This worker needs the stream: starts its source if it is to be pulled and
 * has none.
 */
void ngx_http_webrtc_pull_check(ngx_webrtc_stream_t *st);

/*
 * Called a few times per second: stops sources without viewers, takes over
 * those whose worker is gone, starts those with "start=always".
 */
void ngx_http_webrtc_pull_tick(ngx_http_webrtc_main_conf_t *wmcf);

/*
 * Viewers want a key frame of a stream that is fed here;
 * ngx_webrtc_bus_keyframe_done() follows.
 */
void ngx_http_webrtc_pull_keyframe(ngx_webrtc_stream_t *st);

/* Whether a source here waits for a viewer that has been answered. */
ngx_uint_t ngx_http_webrtc_pull_wanted(void);

/* Ends all sources of this process, for exit_process. */
void ngx_http_webrtc_pull_done(void);

/*
 * Gives the location a copy of the pull, which may be inherited, with the
 * location's own settings; called once the level above has been merged.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_pull_merge(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *conf);


#endif /* _NGX_HTTP_WEBRTC_PULL_H_INCLUDED_ */
