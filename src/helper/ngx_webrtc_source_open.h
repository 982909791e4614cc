
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A run of a source: what libavformat may open.
 */


#ifndef _NGX_WEBRTC_SOURCE_OPEN_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_OPEN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_run.h"


/* Opens what run->ic, which is not open yet, is to read. */
void ngx_webrtc_source_open_attach(ngx_webrtc_source_run_t *run);

/*
 * Called once it is open: was it redirected on the way?
 *
 * NGX_OK
 * NGX_DECLINED   to where it must not lead; run->refusal is set
 */
ngx_int_t ngx_webrtc_source_open_check(ngx_webrtc_source_run_t *run);

/* Ends the run for a reason that overrides the errors it causes. */
void ngx_webrtc_source_open_refuse(ngx_webrtc_source_run_t *run,
    const char *doing, const char *cause);


#endif /* _NGX_WEBRTC_SOURCE_OPEN_H_INCLUDED_ */
