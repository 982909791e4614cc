
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What clients have pending in the zone: sessions that are not connected yet,
 * and names of streams without media so far.  Both are counted per client, and
 * are the first to go when resources run short.
 */


#ifndef _NGX_WEBRTC_BUS_PENDING_H_INCLUDED_
#define _NGX_WEBRTC_BUS_PENDING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"


#define NGX_WEBRTC_PENDING_SESSIONS  0
#define NGX_WEBRTC_PENDING_NAMES     1

/* ms for which pending sessions and names are safe; chosen: a handshake over a
 * bad path, an upstream that answers late */
#define NGX_WEBRTC_PENDING_LEAST     5000


/* The client's key in the zone's index; 0: none, it is not counted. */
uint64_t ngx_webrtc_bus_client(ngx_webrtc_bus_t *bus, ngx_str_t *key);

/* how many pending ones a client has */
ngx_uint_t ngx_webrtc_bus_pending(ngx_webrtc_bus_t *bus, uint64_t client,
    ngx_uint_t what);

/*
 * Resources are short: tells the holders of the oldest name without media to
 * let it go, if it is at least NGX_WEBRTC_PENDING_LEAST old.
 */
void ngx_webrtc_bus_drop_name(ngx_webrtc_bus_t *bus, uint64_t now_ms);

/* Must this stream go?  Then its holders refuse those who wait for it. */
ngx_uint_t ngx_webrtc_bus_is_dropped(ngx_webrtc_stream_t *st);

/*
 * Whether to log that something is full: once a minute, by one worker.
 *
 *   lack   NGX_WEBRTC_LACK_*
 */
ngx_uint_t ngx_webrtc_bus_lack_say(ngx_webrtc_bus_t *bus,
    ngx_webrtc_lack_e lack, uint64_t now_ms);


/*
 * For this folder, with the mutex held.
 *
 *   max   0: any number
 *
 * NGX_OK        counted
 * NGX_BUSY      the client has max
 * NGX_DECLINED  there is no room in the index
 */
ngx_int_t ngx_webrtc_bus_pending_add(ngx_webrtc_bus_t *bus, uint64_t client,
    ngx_uint_t what, ngx_uint_t max);
void ngx_webrtc_bus_pending_sub(ngx_webrtc_bus_t *bus, uint64_t client,
    ngx_uint_t what);

/* Clears a client's numbers, to be counted anew. */
void ngx_webrtc_bus_pending_forget(ngx_webrtc_bus_t *bus, uint64_t client);

/* A stream has media, or is freed: its name is not on trial any more. */
void ngx_webrtc_bus_tried(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st);

/* Drops a name if the zone is nearly full. */
void ngx_webrtc_bus_make_way(ngx_webrtc_bus_t *bus);


#endif /* _NGX_WEBRTC_BUS_PENDING_H_INCLUDED_ */
