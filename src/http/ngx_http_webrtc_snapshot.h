
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_snapshot": a picture of a stream.
 */


#ifndef _NGX_HTTP_WEBRTC_SNAPSHOT_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_SNAPSHOT_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* Parses "webrtc_snapshot". */
char *ngx_http_webrtc_snapshot_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Keeps the sources of those that wait running; a few times a second. */
void ngx_http_webrtc_snapshot_tick(void);

/* Answers those that wait: the worker's part is about to end. */
void ngx_http_webrtc_snapshot_exit(void);


#endif /* _NGX_HTTP_WEBRTC_SNAPSHOT_H_INCLUDED_ */
