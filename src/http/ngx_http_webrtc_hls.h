
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_hls": streams in segments, for players of HLS and DASH.
 */


#ifndef _NGX_HTTP_WEBRTC_HLS_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_HLS_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* the directive's setter */
char *ngx_http_webrtc_hls_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* When a worker begins: the first removes what is left of an nginx before. */
void ngx_http_webrtc_hls_init(ngx_http_webrtc_main_conf_t *wmcf);

/* For the worker's hooks: waiting requests are looked at, and ended. */
void ngx_http_webrtc_hls_tick(ngx_http_webrtc_main_conf_t *wmcf);
void ngx_http_webrtc_hls_exit(void);


#endif /* _NGX_HTTP_WEBRTC_HLS_H_INCLUDED_ */
