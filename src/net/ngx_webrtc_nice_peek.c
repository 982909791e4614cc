
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Datagrams are looked at in the queue of a socket (MSG_PEEK), one after the
 * other: with SO_PEEK_OFF the kernel keeps the position, and moves it back by
 * what the reader takes.  A datagram that arrives between the look and the read
 * is missed; but requests are repeated.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_nice_peek.h"


#ifndef SO_PEEK_OFF
#define SO_PEEK_OFF  42                   /* UAPI, asm-generic/socket.h */
#endif


/* datagrams of a turn; chosen: a millisecond */
#define NGX_WEBRTC_NICE_PEEK_MAX   256

/* bytes of a datagram that are looked at: responses are shorter, with a TURN
 * server's headers too */
#define NGX_WEBRTC_NICE_PEEK_SIZE  1500


void
ngx_webrtc_nice_peek(ngx_socket_t fd, ngx_webrtc_nice_peek_pt seen, void *ctx)
{
    int             offset;
    ssize_t         n;
    socklen_t       len;
    ngx_uint_t      i;
    ngx_sockaddr_t  sa;
    u_char          buf[NGX_WEBRTC_NICE_PEEK_SIZE];

    len = sizeof(int);

    if (getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, &len) == -1) {
        return;
    }

    if (offset < 0) {
        offset = 0;

        if (setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(int))
            == -1)
        {
            return;
        }
    }

    for (i = 0; i < NGX_WEBRTC_NICE_PEEK_MAX; i++) {

        /* MSG_TRUNC: the offset goes on by the whole datagram */

        len = sizeof(ngx_sockaddr_t);
        ngx_memzero(&sa, sizeof(ngx_sockaddr_t));

        n = recvfrom(fd, buf, sizeof(buf), MSG_PEEK|MSG_DONTWAIT|MSG_TRUNC,
                     &sa.sockaddr, &len);

        if (n == -1) {
            return;
        }

        if ((size_t) n <= sizeof(buf)) {
            seen(ctx, &sa.sockaddr, buf, n);
        }
    }
}
