
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How an agent of full ICE sends, and where to.
 */


#ifndef _NGX_WEBRTC_NICE_PATH_H_INCLUDED_
#define _NGX_WEBRTC_NICE_PATH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_nice_conf.h"


/*
 * Sends one datagram over the selected pair.  What cannot be sent now is
 * dropped, as the network would.
 */
void ngx_webrtc_nice_send(ngx_webrtc_nice_t *nice, u_char *p, size_t n);

/*
 * Room for one datagram of up to NGX_WEBRTC_NICE_MAX bytes, sent by
 * ngx_webrtc_nice_commit(); dropped unless that follows before anything else
 * is asked of any agent.
 */
u_char *ngx_webrtc_nice_reserve(ngx_webrtc_nice_t *nice, size_t size);
void ngx_webrtc_nice_commit(ngx_webrtc_nice_t *nice, size_t n);

/*
 * Sets for how many ms nothing is read after a read, so that what comes
 * meanwhile is read together; 0: it is read when it comes.
 */
void ngx_webrtc_nice_rest(ngx_webrtc_nice_t *nice, ngx_msec_t ms);

/*
 * The addresses of the peer beside the selected one, those that were heard last
 * first: its candidates, and where authentic checks have come from.
 *
 *   others   room for max of them
 *
 * Returns their number; 0 where what we send is relayed.
 */
ngx_uint_t ngx_webrtc_nice_others(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_other_t *others, ngx_uint_t max);

/*
 * Sets whether answer() is to be called: the caller is about to ask over the
 * selected pair, or knows enough.
 */
void ngx_webrtc_nice_expect(ngx_webrtc_nice_t *nice, ngx_uint_t answers);

/* how often it was set since the pair was selected */
ngx_uint_t ngx_webrtc_nice_fresh(ngx_webrtc_nice_t *nice);

/*
 * Whether the caller should ask soon: the selected pair is relayed over UDP,
 * and only an answer shows by which channel.  Becomes 0 after a few times.
 */
ngx_uint_t ngx_webrtc_nice_asks(ngx_webrtc_nice_t *nice);

/*
 * The last request that was sent over the pair has been answered: from sa, in
 * the socket fd, by a channel of a TURN server; 0: by none.
 */
void ngx_webrtc_nice_answered(ngx_webrtc_nice_t *nice, ngx_socket_t fd,
    struct sockaddr *sa, ngx_uint_t channel);

/*
 * Whether answer() cannot be called, as where the selected pair is relayed over
 * TCP: nobody but libnice can read that stream.
 */
ngx_uint_t ngx_webrtc_nice_deaf(ngx_webrtc_nice_t *nice);

/* Sends one datagram to that address, from the socket of the selected pair. */
void ngx_webrtc_nice_ask(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_other_t *other, u_char *p, size_t n);

/*
 * Sends to that address from now on, until libnice selects a pair.  The caller
 * has to know that the peer receives there.
 */
void ngx_webrtc_nice_move(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_other_t *other);

/*
 * Prints the selected pair, "1.2.3.4:5 host 6.7.8.9:10 relay" (local, remote).
 *
 * Returns the position behind it; p when there is none or no room.
 */
u_char *ngx_webrtc_nice_pair(ngx_webrtc_nice_t *nice, u_char *p, u_char *end);

/* To be called when there is no pair any more. */
void ngx_webrtc_nice_unselect(ngx_webrtc_nice_t *nice);


#endif /* _NGX_WEBRTC_NICE_PATH_H_INCLUDED_ */
