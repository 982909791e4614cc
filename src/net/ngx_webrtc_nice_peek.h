
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


#endif /* _NGX_WEBRTC_NICE_PEEK_H_INCLUDED_ */
