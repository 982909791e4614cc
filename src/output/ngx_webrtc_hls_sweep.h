
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The numbers of channels, which are in the names of their files, and files of
 * those that are not there any more.
 */


#ifndef _NGX_WEBRTC_HLS_SWEEP_H_INCLUDED_
#define _NGX_WEBRTC_HLS_SWEEP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_hls_conf.h"


/* The number of a channel that is made now; it comes again in nine years. */
uint32_t ngx_webrtc_hls_gen(uint64_t wall_us);

/* Removes what is left below root of channels that are gone, by a thread. */
void ngx_webrtc_hls_sweep(ngx_webrtc_bus_t *bus,
    const ngx_webrtc_hls_conf_t *conf, ngx_log_t *log);


#endif /* _NGX_WEBRTC_HLS_SWEEP_H_INCLUDED_ */
