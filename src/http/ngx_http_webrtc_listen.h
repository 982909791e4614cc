
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_listen": the ports that carry media, over UDP and TCP.
 */


#ifndef _NGX_HTTP_WEBRTC_LISTEN_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_LISTEN_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* The setter of "webrtc_listen". */
char *ngx_http_webrtc_listen(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Has nginx open the UDP ports; to be called when all of "http" has been read.
 * The TCP ports follow when all of the configuration has been.
 *
 * NGX_OK; NGX_ERROR after logging
 */
ngx_int_t ngx_http_webrtc_listen_open(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf);


#endif /* _NGX_HTTP_WEBRTC_LISTEN_H_INCLUDED_ */
