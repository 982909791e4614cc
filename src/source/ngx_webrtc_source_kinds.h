
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The table of what feeds streams.
 */


#ifndef _NGX_WEBRTC_SOURCE_KINDS_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_KINDS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_source_kind.h"


/* The row of NGX_WEBRTC_FEED_*; NULL: a URL, or no such kind. */
const ngx_webrtc_source_kind_t *ngx_webrtc_source_kind(ngx_uint_t kind);


#endif /* _NGX_WEBRTC_SOURCE_KINDS_H_INCLUDED_ */
