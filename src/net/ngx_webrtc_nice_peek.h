
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What waits in a socket that somebody else reads.  Knows neither libnice nor
 * sessions.
 */


#ifndef _NGX_WEBRTC_NICE_PEEK_H_INCLUDED_
#define _NGX_WEBRTC_NICE_PEEK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Looks at the datagrams that wait in a UDP socket, each once, and leaves them
 * there.
 *
 *   answer   is told of success responses of STUN, those that a TURN server
 *            has relayed included
 */
void ngx_webrtc_nice_peek(ngx_socket_t fd,
    void (*answer)(void *ctx, u_char *p, size_t n), void *ctx);


#endif /* _NGX_WEBRTC_NICE_PEEK_H_INCLUDED_ */
