
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How a file session reads.
 */


#ifndef _NGX_WEBRTC_FILES_READ_H_INCLUDED_
#define _NGX_WEBRTC_FILES_READ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_files.h"


/* Reads a chunk; the ranges get it now, or once a thread has read it. */
void ngx_webrtc_files_read(ngx_webrtc_files_t *f,
    ngx_webrtc_files_channel_t *fc, ngx_webrtc_ranges_read_t *read);


#endif /* _NGX_WEBRTC_FILES_READ_H_INCLUDED_ */
