
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Sessions that were answered and never sent a check, counted over all workers.
 * Many in a row mean that nobody can reach our port.
 */


#ifndef _NGX_WEBRTC_BUS_UNHEARD_H_INCLUDED_
#define _NGX_WEBRTC_BUS_UNHEARD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"


/* Counts one more. Returns how many there were since the last check. */
ngx_uint_t ngx_webrtc_bus_unheard(ngx_webrtc_bus_t *bus);

/* A session has sent its first check. */
void ngx_webrtc_bus_heard(ngx_webrtc_bus_t *bus);

/* how many there were so far */
uint64_t ngx_webrtc_bus_unheard_total(ngx_webrtc_bus_t *bus);

/*
 * Whether to log it: once a minute, by one worker.
 *
 *   which    of two lines: 0 or 1
 *   now_ms   ngx_current_msec
 */
ngx_uint_t ngx_webrtc_bus_unheard_say(ngx_webrtc_bus_t *bus, ngx_uint_t which,
    uint64_t now_ms);


#endif /* _NGX_WEBRTC_BUS_UNHEARD_H_INCLUDED_ */
