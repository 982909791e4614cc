
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_recordings": what was recorded below a directory, as JSON.
 */


#ifndef _NGX_HTTP_WEBRTC_RECORDS_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_RECORDS_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* Parses "webrtc_recordings". */
char *ngx_http_webrtc_records_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_WEBRTC_RECORDS_H_INCLUDED_ */
