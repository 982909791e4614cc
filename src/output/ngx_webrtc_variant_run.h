
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * One variant that is made in this worker: its life, and what is read of its
 * parent.  ngx_webrtc_variants.h has the contracts.
 */


#ifndef _NGX_WEBRTC_VARIANT_RUN_H_INCLUDED_
#define _NGX_WEBRTC_VARIANT_RUN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_variant_state.h"


/*
 * Begins to make a variant.
 *
 *   st     held, and claimed for this worker; held once more until stop()
 *   log    of the worker
 *
 * NULL without memory; the claim stays with the caller
 */
ngx_webrtc_variant_run_t *ngx_webrtc_variant_run_start(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_log_t *log);

/* Ends it at once: gives up claim and hold, and frees it. */
void ngx_webrtc_variant_run_stop(ngx_webrtc_variant_run_t *vr);

/* A few times per second. */
void ngx_webrtc_variant_run_tick(ngx_webrtc_variant_run_t *vr);

/* The parent has packets, other tracks, or another state. */
void ngx_webrtc_variant_run_news(ngx_webrtc_variant_run_t *vr);


#endif /* _NGX_WEBRTC_VARIANT_RUN_H_INCLUDED_ */
