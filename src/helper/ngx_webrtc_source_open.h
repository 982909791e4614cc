
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
 * It is open: has it led somewhere else on its way?
 *
 * NGX_OK
 * NGX_DECLINED   where it must not, run->refusal is set
 */
ngx_int_t ngx_webrtc_source_open_check(ngx_webrtc_source_run_t *run);

/* Ends the run for a reason that counts more than what it leads to. */
void ngx_webrtc_source_open_refuse(ngx_webrtc_source_run_t *run,
    const char *doing, const char *cause);


#endif /* _NGX_WEBRTC_SOURCE_OPEN_H_INCLUDED_ */
