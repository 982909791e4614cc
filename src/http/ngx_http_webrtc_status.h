
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_status": streams and counters as JSON.
 */


#ifndef _NGX_HTTP_WEBRTC_STATUS_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_STATUS_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* content handler of a location with "webrtc_status" */
ngx_int_t ngx_http_webrtc_status_handler(ngx_http_request_t *r);

/* Parses "webrtc_status". */
char *ngx_http_webrtc_status_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_WEBRTC_STATUS_H_INCLUDED_ */
