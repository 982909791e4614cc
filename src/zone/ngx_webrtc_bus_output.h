
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Who gives a stream's media to a command: one worker at a time, beside the
 * claim of who writes it.
 */


#ifndef _NGX_WEBRTC_BUS_OUTPUT_H_INCLUDED_
#define _NGX_WEBRTC_BUS_OUTPUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"


/*
 * Claims it for this worker, which holds the stream until it has given it up.
 * What a dead worker had is free once it has been reaped.
 *
 * NGX_OK; NGX_BUSY: another worker has it
 */
ngx_int_t ngx_webrtc_bus_output_claim(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st);

/* Gives it up. */
void ngx_webrtc_bus_output_unclaim(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st);


#endif /* _NGX_WEBRTC_BUS_OUTPUT_H_INCLUDED_ */
