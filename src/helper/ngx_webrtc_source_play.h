
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A source's run: plays its frames to viewers.
 */


#ifndef _NGX_WEBRTC_SOURCE_PLAY_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_PLAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_run.h"


/* Both play to the end: NGX_DONE (paced), NGX_ERROR, NGX_ABORT. */

ngx_int_t ngx_webrtc_source_play_live(ngx_webrtc_source_run_t *run);
ngx_int_t ngx_webrtc_source_play_paced(ngx_webrtc_source_run_t *run);

/* receives the audio transcoder's frames; ctx is the run */
void ngx_webrtc_source_play_audio(void *ctx, u_char *data, size_t n,
    int64_t ts);


#endif /* _NGX_WEBRTC_SOURCE_PLAY_H_INCLUDED_ */
