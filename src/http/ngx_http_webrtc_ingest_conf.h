
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_ingest": where publishers of other protocols than WHIP come in.
 */


#ifndef _NGX_HTTP_WEBRTC_INGEST_CONF_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_INGEST_CONF_H_INCLUDED_


#include "ngx_http_webrtc_ingest.h"


/* Parses "webrtc_ingest". */
char *ngx_http_webrtc_ingest_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * All of the configuration has been read: makes the listening sockets.
 *
 * NGX_OK; NGX_ERROR, logged
 */
ngx_int_t ngx_http_webrtc_ingest_open(ngx_cycle_t *cycle,
    ngx_http_webrtc_main_conf_t *wmcf);


#endif /* _NGX_HTTP_WEBRTC_INGEST_CONF_H_INCLUDED_ */
