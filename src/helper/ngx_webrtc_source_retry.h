
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The body of a source's thread.
 */


#ifndef _NGX_WEBRTC_SOURCE_RETRY_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_RETRY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_thread.h"


/*
 * Plays the upstreams in turn until th is stopped, or all of them have been
 * played: the body of a source's thread.  Also called by tests.
 */
void ngx_webrtc_source_retry_run(ngx_webrtc_source_thread_t *th);


#endif /* _NGX_WEBRTC_SOURCE_RETRY_H_INCLUDED_ */
