
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Files of "webrtc_hls", as nginx sends files.
 */


#ifndef _NGX_HTTP_WEBRTC_HLS_FILE_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_HLS_FILE_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_bus_hls.h"
#include "ngx_webrtc_hls_name.h"


/* Answers with 404; name: of what is not there. */
ngx_int_t ngx_http_webrtc_hls_no_file(ngx_http_request_t *r, ngx_str_t *name);

/*
 * Answers with a file of a channel, or a piece of it.
 *
 *   name     of the stream
 *   part     the piece; NULL: all
 */
ngx_int_t ngx_http_webrtc_hls_file(ngx_http_request_t *r, ngx_str_t *name,
    const ngx_webrtc_hls_file_t *file, const ngx_webrtc_hls_part_t *part);


#endif /* _NGX_HTTP_WEBRTC_HLS_FILE_H_INCLUDED_ */
