
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * An extra block for slots of role NGX_WEBRTC_PEER_PUBLISH: the URLs that its
 * stream is pushed to, where they have variables, as they were when the offer
 * was answered.
 *
 * Owned by the slot (peer->file) and freed with it.
 */


#ifndef _NGX_WEBRTC_BUS_PUSH_H_INCLUDED_
#define _NGX_WEBRTC_BUS_PUSH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"


/* targets of a stream; chosen: what anybody has, and what 16 bits can order */
#define NGX_WEBRTC_PUSHES          8

/* bytes of a URL that is kept; chosen: anybody who posts an offer makes some */
#define NGX_WEBRTC_PUSH_KEPT       512

/* webrtc_push by control: two bits of ngx_webrtc_stream_t.push per target, and
 * 16 for the configuration */
#define NGX_WEBRTC_PUSH_CONF       0           /* as configured */
#define NGX_WEBRTC_PUSH_START      1
#define NGX_WEBRTC_PUSH_STOP       2


/*
 * Gives a slot its URLs.
 *
 *   ref    of a NEW slot that nobody else knows of yet
 *   urls   NGX_WEBRTC_PUSHES of them; of length 0: that one has none
 *
 * NGX_OK; NGX_DECLINED: the slot is gone, or the zone is full: bus->lack
 */
ngx_int_t ngx_webrtc_bus_push_attach(ngx_webrtc_bus_t *bus, uint64_t ref,
    const ngx_str_t *urls);

/*
 * Copies one of them out.
 *
 *   n      which
 *   buf    max bytes of room
 *
 * Returns its length; 0: there is none, or no room
 */
size_t ngx_webrtc_bus_push_url(ngx_webrtc_bus_t *bus, uint64_t ref,
    ngx_uint_t n, u_char *buf, size_t max);

/*
 * What was ordered of a target.
 *
 *   conf   tells the configurations of a stream's targets apart: an order is
 *          one of the nth, and is of no more use with others
 */
ngx_uint_t ngx_webrtc_bus_push_ordered(ngx_webrtc_stream_t *st, uint32_t conf,
    ngx_uint_t n);
void ngx_webrtc_bus_push_order(ngx_webrtc_stream_t *st, uint32_t conf,
    ngx_uint_t n, ngx_uint_t order);


#endif /* _NGX_WEBRTC_BUS_PUSH_H_INCLUDED_ */
