
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The loop of an agent of full ICE: its GMainContext, and the sockets and
 * timers that it wants, on nginx's event loop.
 */


#ifndef _NGX_WEBRTC_NICE_LOOP_H_INCLUDED_
#define _NGX_WEBRTC_NICE_LOOP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_nice_run.h"


/* turns in a row; chosen: other sessions wait a millisecond at most */
#define NGX_WEBRTC_NICE_TURNS      16


/*
 * To be called before there is a context.
 *
 *   end   is called, not from within a turn, when the agent is closed, or has
 *         given back its allocations
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_nice_loop(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_end_pt end);

/*
 * Gives the agent's sockets their filters before anything is read from them,
 * and their connections while the agent can still be refused.
 *
 * NGX_OK; NGX_ERROR after logging
 */
ngx_int_t ngx_webrtc_nice_begin(ngx_webrtc_nice_t *nice);

/* Schedules a turn. */
void ngx_webrtc_nice_wake(ngx_webrtc_nice_t *nice);

/*
 * What is sent over TCP from now until the end of the turn, which is scheduled,
 * leaves together.
 */
void ngx_webrtc_nice_cork(ngx_webrtc_nice_t *nice);

/* Tells the session what the signals have recorded. */
void ngx_webrtc_nice_tell(ngx_webrtc_nice_t *nice);

/* Stops watching the sockets, which are still open. */
void ngx_webrtc_nice_detach(ngx_webrtc_nice_t *nice);


#endif /* _NGX_WEBRTC_NICE_LOOP_H_INCLUDED_ */
