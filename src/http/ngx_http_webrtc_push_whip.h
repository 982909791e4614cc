
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_push whip://...": a stream is published on another server by WHIP.
 *
 *   - One worker has a push, as of other schemes (ngx_webrtc_push.h): it makes
 *     an offer, and is the client of HTTP and a full ICE agent; what is sent is
 *     what a viewer of the stream in that worker would get.
 *   - When it cannot be done, or is over, it is tried again after a second, and
 *     after twice as long each time, up to 30 s, or as Retry-After says.
 *   - While its publisher is away it stays connected, for "webrtc_linger" at
 *     most.  Other codecs are gone over to, where the target has accepted them.
 *   - Its session on the target is deleted at the end.
 */


#ifndef _NGX_HTTP_WEBRTC_PUSH_WHIP_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_PUSH_WHIP_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_http_webrtc_whip_client.h"
#include "ngx_webrtc_push.h"


/*
 * As ngx_webrtc_push_want().
 *
 *   wlcf   of the stream
 *   push   of the directive
 */
void ngx_http_webrtc_push_whip_want(ngx_webrtc_stream_t *st,
    ngx_http_webrtc_loc_conf_t *wlcf, const ngx_webrtc_push_conf_t *push,
    const ngx_http_webrtc_whip_client_conf_t *conf, ngx_uint_t keep);

/* Streams that this worker pushes, once for each push: cursor NULL at first. */
void *ngx_http_webrtc_push_whip_next(void *push);
ngx_webrtc_stream_t *ngx_http_webrtc_push_whip_stream(void *push);

void ngx_http_webrtc_push_whip_tick(void);

/* An agent of this worker has all of its candidates. */
void ngx_http_webrtc_push_whip_gathered(uint64_t ref);

/* A session has ended. */
void ngx_http_webrtc_push_whip_ended(ngx_webrtc_peer_t *peer,
    const char *reason);

/* Is there one that keeps a worker that shuts down? */
ngx_uint_t ngx_http_webrtc_push_whip_busy(void);

/* For exit_process. */
void ngx_http_webrtc_push_whip_exit(void);


#endif /* _NGX_HTTP_WEBRTC_PUSH_WHIP_H_INCLUDED_ */
