
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_file": files over DataChannels, HTTP side.
 */


#ifndef _NGX_HTTP_WEBRTC_FILE_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_FILE_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* bounds of "webrtc_file_chunk"; chosen, and NGX_WEBRTC_RANGE_PAYLOAD */
#define NGX_HTTP_WEBRTC_FILE_CHUNK_LEAST  1024
#define NGX_HTTP_WEBRTC_FILE_CHUNK_MOST   65536

/* most "webrtc_file_ranges"; chosen */
#define NGX_HTTP_WEBRTC_FILE_RANGES_MOST  1024


/*
 * Handler in the content phase.  In a location with "webrtc_file on", handles
 * POST, OPTIONS and requests to sessions; plain HTTP requests for the file
 * itself are left to nginx.
 */
ngx_int_t ngx_http_webrtc_file_handler(ngx_http_request_t *r);

/* Parses "webrtc_file". */
char *ngx_http_webrtc_file_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Merges "webrtc_file" and the other file directives.
 *
 * NGX_OK; NGX_ERROR after logging
 */
ngx_int_t ngx_http_webrtc_file_merge(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf);

/* Installs the handler, at the end of the configuration. */
ngx_int_t ngx_http_webrtc_file_init(ngx_conf_t *cf);


#endif /* _NGX_HTTP_WEBRTC_FILE_H_INCLUDED_ */
