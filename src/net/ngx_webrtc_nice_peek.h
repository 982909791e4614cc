
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Looks at what waits in a socket that somebody else reads.  Knows neither
 * libnice nor sessions.
 */


#ifndef _NGX_WEBRTC_NICE_PEEK_H_INCLUDED_
#define _NGX_WEBRTC_NICE_PEEK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* p may be modified; the reader does not see that */
typedef void (*ngx_webrtc_nice_peek_pt)(void *ctx, struct sockaddr *sa,
    u_char *p, size_t n);


/*
 * Looks at the datagrams that wait in a UDP socket, each once, and leaves them
 * there.
 *
 *   seen   called for each, except those longer than any response
 */
void ngx_webrtc_nice_peek(ngx_socket_t fd, ngx_webrtc_nice_peek_pt seen,
    void *ctx);


/* datagrams that are taken at once, and bytes of one; chosen: what comes within
 * a millisecond or two of a fast path */
#define NGX_WEBRTC_NICE_TAKE       64
#define NGX_WEBRTC_NICE_TAKE_SIZE  2048


/* NGX_OK: the caller's own.  p is whole, and may not be modified */
typedef ngx_int_t (*ngx_webrtc_nice_own_pt)(void *ctx, struct sockaddr *sa,
    socklen_t len, u_char *p, size_t n);

/* a datagram that was taken; p may be modified */
typedef void (*ngx_webrtc_nice_taken_pt)(void *ctx, u_char *p, size_t n);


/*
 * Takes the datagrams at the head of a UDP socket's queue that are the caller's
 * own, up to the first that is not, which stays where it is for the other
 * reader.
 *
 * NGX_OK        nothing is left
 * NGX_AGAIN     there may be more of them
 * NGX_DECLINED  the first one left is not the caller's, or nothing could be
 *               told about it
 */
ngx_int_t ngx_webrtc_nice_take(ngx_socket_t fd, ngx_webrtc_nice_own_pt own,
    ngx_webrtc_nice_taken_pt taken, void *ctx);


#endif /* _NGX_WEBRTC_NICE_PEEK_H_INCLUDED_ */
