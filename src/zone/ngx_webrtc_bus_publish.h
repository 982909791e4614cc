
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which session publishes a stream: the name is reserved for a slot when its
 * offer is answered, and held by its session once that is up.
 */


#ifndef _NGX_WEBRTC_BUS_PUBLISH_H_INCLUDED_
#define _NGX_WEBRTC_BUS_PUBLISH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"


/*
 * ms that a reservation without a session is respected; chosen: a client
 * checks at once, and one whose page was reloaded should not have to wait
 */
#define NGX_WEBRTC_RESERVE_MS  3000


/*
 * Reserves a held stream for a slot.  A publisher that is silent (the stream is
 * INACTIVE), or did not connect in time, does not keep others out.
 *
 *   ref       of the slot
 *   replace   nor does an active publisher, which goes on until the newcomer
 *             is up
 *   now_ms    the clock of the slots' created_ms
 *
 * NGX_OK
 * NGX_BUSY   somebody publishes the stream, or a source feeds it
 */
ngx_int_t ngx_webrtc_bus_reserve(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, uint64_t ref, ngx_uint_t replace,
    uint64_t now_ms);

/*
 * Makes a session that is up the publisher: claims the stream for this worker.
 *
 *   ref      of its slot
 *   holder   set on NGX_AGAIN: slot of the previous session
 *
 * NGX_OK         the claim is this session's, until ngx_webrtc_bus_unpublish()
 * NGX_AGAIN      *holder still has it: tell that to close and try again; 0: it
 *                is closing already
 * NGX_DECLINED   reserved for another slot meanwhile, or a source feeds it
 */
ngx_int_t ngx_webrtc_bus_publish(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, uint64_t ref, uint64_t *holder);

/* Gives up the claim if it is this session's; the stream becomes INACTIVE. */
void ngx_webrtc_bus_unpublish(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    uint64_t ref);


#endif /* _NGX_WEBRTC_BUS_PUBLISH_H_INCLUDED_ */
