
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * One variant that is made in this worker: what it takes from its parent's
 * ring, and what it writes into its own.  ngx_webrtc_variants.h has the
 * contracts.
 */


#ifndef _NGX_WEBRTC_VARIANT_RUN_H_INCLUDED_
#define _NGX_WEBRTC_VARIANT_RUN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_bus_variant.h"


typedef struct {
    ngx_queue_t                queue;      /* the caller's */
    ngx_webrtc_bus_t          *bus;
    ngx_webrtc_stream_t       *st;         /* held and claimed */
    ngx_webrtc_stream_t       *parent;     /* watched, and read */
    ngx_log_t                  log;
    ngx_msec_t                 used;       /* when it was wanted last */
    ngx_str_t                  name;       /* of both, for the log */
    ngx_str_t                  label;
    unsigned                   up:1;       /* it is ACTIVE */
} ngx_webrtc_variant_run_t;


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

/* A viewer wants a key frame. */
void ngx_webrtc_variant_run_keyframe(ngx_webrtc_variant_run_t *vr);


#endif /* _NGX_WEBRTC_VARIANT_RUN_H_INCLUDED_ */
