
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Names of demuxers, when the configuration is read.
 */


#ifndef _NGX_WEBRTC_SOURCE_FORMAT_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_FORMAT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * May URLs of that scheme be read with a demuxer of that name?
 *
 *   url     as configured, or the part before its first variable
 *   name    not null-terminated
 */
ngx_uint_t ngx_webrtc_source_format_may(ngx_str_t *url, ngx_str_t *name);


#endif /* _NGX_WEBRTC_SOURCE_FORMAT_H_INCLUDED_ */
