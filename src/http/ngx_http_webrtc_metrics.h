
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_metrics": counters for Prometheus.
 */


#ifndef _NGX_HTTP_WEBRTC_METRICS_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_METRICS_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* content handler of a location with "webrtc_metrics" */
ngx_int_t ngx_http_webrtc_metrics_handler(ngx_http_request_t *r);

/* Parses "webrtc_metrics". */
char *ngx_http_webrtc_metrics_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_WEBRTC_METRICS_H_INCLUDED_ */
