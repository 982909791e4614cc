
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Outlets: what takes a stream's media out of the zone, besides viewers: a
 * recording, a push to another server, a response of HTTP that many clients
 * share.  One worker has it; the others see that, and the status tells of it.
 *
 * There is an outlet for each stream, kind and number (of a directive); it is
 * in the zone from take() to give().  What a dead worker had is freed when that
 * is reaped.
 */


#ifndef _NGX_WEBRTC_BUS_OUTLET_H_INCLUDED_
#define _NGX_WEBRTC_BUS_OUTLET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"


/* bytes of a path, or of a URL without its secrets; chosen: a line of a log */
#define NGX_WEBRTC_OUTLET_TEXT  255


typedef enum {
    NGX_WEBRTC_OUTLET_RECORD = 1,
    NGX_WEBRTC_OUTLET_PUSH,
    NGX_WEBRTC_OUTLET_HTTP,
    NGX_WEBRTC_OUTLET_HLS,
    NGX_WEBRTC_OUTLET_KINDS
} ngx_webrtc_outlet_kind_e;


typedef enum {
    NGX_WEBRTC_OUTLET_WAITING = 0,   /* for media */
    NGX_WEBRTC_OUTLET_STARTING,
    NGX_WEBRTC_OUTLET_ACTIVE,
    NGX_WEBRTC_OUTLET_FAILED,        /* and will be tried again */
    NGX_WEBRTC_OUTLET_STATES
} ngx_webrtc_outlet_state_e;


/*
 * What is under "atomic" is written by the worker that has it, the texts with
 * ngx_webrtc_bus_outlet_text() and _error().
 */
struct ngx_webrtc_outlet_s {
    ngx_webrtc_outlet_t     *next;
    uint64_t                 stream;         /* its ref */
    uint32_t                 kind;           /* ngx_webrtc_outlet_kind_e */
    uint32_t                 id;
    uint32_t                 worker;

    /* atomic */

    uint32_t                 state;          /* ngx_webrtc_outlet_state_e */
    uint64_t                 since_ms;       /* of the state */
    uint64_t                 bytes;
    uint64_t                 media_ms;       /* how much media these are */
    uint64_t                 left_out;       /* frames of video */
    uint64_t                 files;          /* files or connections so far */
    uint32_t                 clients;

    /* under the mutex */

    uint16_t                 text_len;
    uint16_t                 error_len;
    u_char                   text[NGX_WEBRTC_OUTLET_TEXT + 1];
    u_char                   error[NGX_WEBRTC_OUTLET_TEXT + 1];
};


/* webrtc_record by control, ngx_webrtc_stream_t.record */
#define NGX_WEBRTC_RECORD_CONF   0           /* as configured */
#define NGX_WEBRTC_RECORD_START  1
#define NGX_WEBRTC_RECORD_STOP   2


/*
 * Makes the outlet of a stream that this worker holds, for as long as it has
 * it.
 *
 *   id    tells those of one kind apart
 *
 * NULL: a worker has it, or the zone is full (*full is set)
 */
ngx_webrtc_outlet_t *ngx_webrtc_bus_outlet_take(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_uint_t kind, uint32_t id, ngx_uint_t *full);

/* Gives it up. */
void ngx_webrtc_bus_outlet_give(ngx_webrtc_bus_t *bus,
    ngx_webrtc_outlet_t *outlet);

/* Sets its state; now_ms as ngx_current_msec. */
void ngx_webrtc_bus_outlet_state(ngx_webrtc_outlet_t *outlet, ngx_uint_t state,
    uint64_t now_ms);

/* Where it goes, and what went wrong last; cut, control characters are '?' */
void ngx_webrtc_bus_outlet_text(ngx_webrtc_bus_t *bus,
    ngx_webrtc_outlet_t *outlet, ngx_str_t *text);
void ngx_webrtc_bus_outlet_error(ngx_webrtc_bus_t *bus,
    ngx_webrtc_outlet_t *outlet, ngx_str_t *text);

/* Has a worker the outlet of a stream? */
ngx_uint_t ngx_webrtc_bus_outlet_has(ngx_webrtc_bus_t *bus, uint64_t stream,
    ngx_uint_t kind, uint32_t id);

/*
 * How many there are, by kind and state; n is added to.
 */
typedef uint32_t  ngx_webrtc_outlet_counts_t[NGX_WEBRTC_OUTLET_KINDS]
                                            [NGX_WEBRTC_OUTLET_STATES];

void ngx_webrtc_bus_outlet_count(ngx_webrtc_bus_t *bus,
    ngx_webrtc_outlet_counts_t n);

/*
 * Copies of those of a stream, in the order of their kinds.
 *
 *   to, max   filled, max at most
 *
 * Returns how many there are.
 */
ngx_uint_t ngx_webrtc_bus_outlets(ngx_webrtc_bus_t *bus, uint64_t stream,
    ngx_webrtc_outlet_t *to, ngx_uint_t max);


#endif /* _NGX_WEBRTC_BUS_OUTLET_H_INCLUDED_ */
