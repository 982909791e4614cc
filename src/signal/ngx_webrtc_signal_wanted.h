
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which layers of a simulcast somebody watches, as its publisher is told
 * ("layers" event of a WHIP session), so that it need not send the others.
 *
 * One that nobody has watched for a while is not wanted; wanted again it is at
 * once.  The lowest one always is: it is what a viewer begins with.
 *
 * Sans-I/O: no allocation, no clock, no globals.
 */


#ifndef _NGX_WEBRTC_SIGNAL_WANTED_H_INCLUDED_
#define _NGX_WEBRTC_SIGNAL_WANTED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* layers at most: those of a description */
#define NGX_WEBRTC_SIGNAL_WANTED       4

/* ms without viewers after which a layer is not wanted any more; chosen: a
 * page that is loaded again, and a viewer that looks for what its path
 * carries */
#define NGX_WEBRTC_SIGNAL_WANTED_KEEP  10000

/* bytes of an event's data: a mid of 64 bytes, and rids of 16, none of which
 * needs more than six for one */
#define NGX_WEBRTC_SIGNAL_WANTED_ROOM  1024


/* of an event stream; zero: it begins, and all are wanted */
typedef struct {
    uint64_t     watched_ms[NGX_WEBRTC_SIGNAL_WANTED];
    ngx_uint_t   begun;
} ngx_webrtc_signal_wanted_t;


typedef struct {
    ngx_str_t    rid;
    uint32_t     size;               /* samples of a picture; 0: not known */
    ngx_uint_t   watched;            /* 1: by somebody, now */
    uint32_t     limit;              /* bit/s that it may take; 0: any */
} ngx_webrtc_signal_watched_t;


/*
 * Call it once a second or so.
 *
 *   layers   n of them, at most NGX_WEBRTC_SIGNAL_WANTED, in an order that does
 *            not change
 *
 * Returns those that are wanted, a bit each.
 */
ngx_uint_t ngx_webrtc_signal_wanted(ngx_webrtc_signal_wanted_t *w,
    const ngx_webrtc_signal_watched_t *layers, ngx_uint_t n, uint64_t now_ms);

/*
 * Prints the data of an event: one line of JSON.
 *
 * Returns the position behind it, or NULL if there is no room.
 */
u_char *ngx_webrtc_signal_print_wanted(u_char *p, u_char *end,
    const ngx_str_t *mid, const ngx_webrtc_signal_watched_t *layers,
    ngx_uint_t n, ngx_uint_t wanted);


#endif /* _NGX_WEBRTC_SIGNAL_WANTED_H_INCLUDED_ */
