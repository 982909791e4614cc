
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Tracks that a source has announced: see the source file.
 */


#ifndef _NGX_WEBRTC_SOURCE_ANNOUNCED_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_ANNOUNCED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_reader.h"


/* Does the source have, or say that it has, such a track? */
ngx_uint_t ngx_webrtc_source_announced_track(ngx_webrtc_source_read_t *rd,
    ngx_uint_t kind);

/* May the source still get a track that nothing is known about yet? */
ngx_uint_t ngx_webrtc_source_announced_more(ngx_webrtc_source_read_t *rd);


#endif /* _NGX_WEBRTC_SOURCE_ANNOUNCED_H_INCLUDED_ */
