
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the thread of a source does from start to end.
 */


#ifndef _NGX_WEBRTC_SOURCE_RETRY_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_RETRY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_thread.h"


/*
 * Plays the upstreams in turn until th is stopped, or the only ones have been
 * played: the body of a source's thread, which tests call, too.
 */
void ngx_webrtc_source_retry_run(ngx_webrtc_source_thread_t *th);


#endif /* _NGX_WEBRTC_SOURCE_RETRY_H_INCLUDED_ */
