
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_pull" in the configuration.
 */


#ifndef _NGX_HTTP_WEBRTC_PULL_CONF_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_PULL_CONF_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* Parses "webrtc_pull". */
char *ngx_http_webrtc_pull_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_WEBRTC_PULL_CONF_H_INCLUDED_ */
