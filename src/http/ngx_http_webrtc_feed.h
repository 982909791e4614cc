
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_rtp" and "webrtc_exec": what feeds a location's stream instead of a
 * URL.
 */


#ifndef _NGX_HTTP_WEBRTC_FEED_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_FEED_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* Parses "webrtc_rtp". */
char *ngx_http_webrtc_feed_rtp(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* Parses "webrtc_exec". */
char *ngx_http_webrtc_feed_exec(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_WEBRTC_FEED_H_INCLUDED_ */
