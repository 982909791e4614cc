
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Remembers what any worker has logged already, where there may be many causes.
 */


#ifndef _NGX_WEBRTC_BUS_SAID_H_INCLUDED_
#define _NGX_WEBRTC_BUS_SAID_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"


/*
 * Should a cause be logged now?  Once a minute, by one worker, unless there are
 * more causes than are remembered.
 *
 *   text     the cause, with what it is about
 *   now_ms   ngx_current_msec
 *
 * For the event loop only: it takes the zone's mutex.
 */
ngx_uint_t ngx_webrtc_bus_said(ngx_webrtc_bus_t *bus, ngx_str_t *text,
    uint64_t now_ms);


#endif /* _NGX_WEBRTC_BUS_SAID_H_INCLUDED_ */
