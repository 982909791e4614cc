
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The addresses of a session with ICE lite: which ones belong to it, and which
 * one it sends to.
 */


#ifndef _NGX_WEBRTC_SESSION_PATH_H_INCLUDED_
#define _NGX_WEBRTC_SESSION_PATH_H_INCLUDED_


#include "ngx_webrtc_session.h"


/*
 * The session's first address, from a verified check.  Sets s->current, and the
 * transport's path with it.
 */
void ngx_webrtc_session_path_first(ngx_webrtc_session_t *s,
    ngx_webrtc_path_t *path);

/*
 * A check's integrity does not cover its source address: somebody who has seen
 * one could replay it from his own address, or with a victim's.  So a check
 * seen before adds no new address.
 *
 *   p   verified binding request
 *
 * NGX_OK; NGX_DECLINED for a replay from an address that is not the session's
 */
ngx_int_t ngx_webrtc_session_path_fresh(ngx_webrtc_session_t *s,
    ngx_webrtc_path_t *path, u_char *p);

/*
 * Updates the addresses after a verified check.
 *
 *   n           bytes of its datagram
 *   nominated   it carried USE-CANDIDATE
 */
void ngx_webrtc_session_path_checked(ngx_webrtc_session_t *s,
    ngx_webrtc_path_t *path, size_t n, ngx_uint_t nominated);

/* Handles a binding response with this session's number, from any address. */
void ngx_webrtc_session_path_answered(ngx_webrtc_session_t *s,
    ngx_webrtc_path_t *path, u_char *p, size_t n);

/*
 * The number of the slot that a response is for, as ngx_webrtc_ref_entry()
 * gives it.
 *
 *   p   datagram of class NGX_WEBRTC_ICE_RESPONSE
 */
uint32_t ngx_webrtc_session_path_number(const u_char *p);

/* n bytes have come from this address, which may not be proven yet. */
void ngx_webrtc_session_path_received(ngx_webrtc_paths_entry_t *wp, size_t n);

/* n bytes of STUN have gone to this address: they are of what it may get. */
void ngx_webrtc_session_path_sent(ngx_webrtc_session_t *s,
    ngx_webrtc_path_t *path, size_t n);

/* DTLS is connected: the handshake has proven the address that it went to. */
void ngx_webrtc_session_path_connected(ngx_webrtc_session_t *s);

/*
 * Repeats an unanswered request when it is due, at s->probe.next, while
 * s->probe.sent is not 0.
 */
void ngx_webrtc_session_path_timeout(ngx_webrtc_session_t *s, ngx_msec_t now);

/* The connection of this address, which is the session's, has ended. */
void ngx_webrtc_session_path_gone(ngx_webrtc_session_t *s,
    ngx_webrtc_paths_entry_t *wp);

/* Gives up all addresses. */
void ngx_webrtc_session_path_done(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_SESSION_PATH_H_INCLUDED_ */
