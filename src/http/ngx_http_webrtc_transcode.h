
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_transcode" and "webrtc_rendition".
 */


#ifndef _NGX_HTTP_WEBRTC_TRANSCODE_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_TRANSCODE_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* encodes per core, default of "webrtc_max_transcodes"; chosen: one of 720p
 * takes about half a core in software */
#define NGX_HTTP_WEBRTC_TRANSCODES  2


/* setters */
char *ngx_http_webrtc_transcode_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_webrtc_transcode_rendition(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* NGX_OK; NGX_ERROR after logging */
ngx_int_t ngx_http_webrtc_transcode_merge(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf);


#endif /* _NGX_HTTP_WEBRTC_TRANSCODE_H_INCLUDED_ */
