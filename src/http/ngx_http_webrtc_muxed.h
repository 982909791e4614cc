
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_ts", "webrtc_mp4": a stream as a response without end.
 */


#ifndef _NGX_HTTP_WEBRTC_MUXED_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_MUXED_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* Parses "webrtc_ts" and "webrtc_mp4". */
char *ngx_http_webrtc_muxed_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Streams that are waited for, and tokens that end; a few times a second. */
void ngx_http_webrtc_muxed_tick(void);

/* Ends all responses: the worker's part is about to end. */
void ngx_http_webrtc_muxed_exit(void);


#endif /* _NGX_HTTP_WEBRTC_MUXED_H_INCLUDED_ */
