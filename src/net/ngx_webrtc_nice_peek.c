
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Datagrams are looked at in the queue of a socket (MSG_PEEK), one after the
 * other: with SO_PEEK_OFF the kernel keeps the position, and moves it back by
 * what the reader takes.  A datagram that arrives between the look and the read
 * is missed; but requests are repeated.
 *
 * What is taken is looked at in the same way, a batch at a time, and then what
 * belongs to us is read once more, without its bytes: there is no other way to
 * leave the rest for somebody else.  It costs a third of reading one by one.
 *
 * An empty datagram that has been seen once is skipped by the next look, but
 * not by a read: what is read may have such ones in between.
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


typedef struct {
    struct mmsghdr  msgs[NGX_WEBRTC_NICE_TAKE];
    struct iovec    iovs[NGX_WEBRTC_NICE_TAKE];
    ngx_sockaddr_t  sas[NGX_WEBRTC_NICE_TAKE];
    u_char          bufs[NGX_WEBRTC_NICE_TAKE][NGX_WEBRTC_NICE_TAKE_SIZE];
} ngx_webrtc_nice_taken_t;


static int ngx_webrtc_nice_receive(ngx_socket_t fd, ngx_uint_t n, size_t size,
    int flags);


/* of this process: nothing is kept in it */
static ngx_webrtc_nice_taken_t  ngx_webrtc_nice_taken;


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


ngx_int_t
ngx_webrtc_nice_take(ngx_socket_t fd, ngx_webrtc_nice_own_pt own,
    ngx_webrtc_nice_taken_pt taken, void *ctx)
{
    int                       i, j, n, k, got, offset;
    struct mmsghdr           *msg;
    ngx_webrtc_nice_taken_t  *t;

    t = &ngx_webrtc_nice_taken;
    offset = 0;

    if (setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(int)) == -1) {
        return NGX_DECLINED;
    }

    n = ngx_webrtc_nice_receive(fd, NGX_WEBRTC_NICE_TAKE,
                                NGX_WEBRTC_NICE_TAKE_SIZE, MSG_PEEK);
    if (n <= 0) {
        return NGX_DECLINED;
    }

    for (k = 0; k < n; k++) {
        msg = &t->msgs[k];

        if (msg->msg_len == 0
            || (msg->msg_hdr.msg_flags & MSG_TRUNC)
            || own(ctx, &t->sas[k].sockaddr, msg->msg_hdr.msg_namelen,
                   t->bufs[k], msg->msg_len)
               != NGX_OK)
        {
            break;
        }
    }

    got = k ? ngx_webrtc_nice_receive(fd, k, 0, 0) : 0;

    j = 0;

    for (i = 0; i < got; i++) {
        if (t->msgs[i].msg_len) {
            t->msgs[j++].msg_len = t->msgs[i].msg_len;
        }
    }

    if (j < n) {

        /* what is left is seen again by whoever looks next */

        (void) setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(int));
    }

    for (i = 0; i < j; i++) {
        taken(ctx, t->bufs[i], t->msgs[i].msg_len);
    }

    if (j < k) {
        return got < k ? NGX_DECLINED : NGX_AGAIN;
    }

    if (k < n) {
        return NGX_DECLINED;
    }

    return (n < NGX_WEBRTC_NICE_TAKE) ? NGX_OK : NGX_AGAIN;
}


/* MSG_TRUNC: a message's length is the datagram's, whatever its room */

static int
ngx_webrtc_nice_receive(ngx_socket_t fd, ngx_uint_t n, size_t size, int flags)
{
    ngx_uint_t                i;
    struct msghdr            *hdr;
    ngx_webrtc_nice_taken_t  *t;

    t = &ngx_webrtc_nice_taken;

    for (i = 0; i < n; i++) {
        t->iovs[i].iov_base = t->bufs[i];
        t->iovs[i].iov_len = size;

        hdr = &t->msgs[i].msg_hdr;

        ngx_memzero(hdr, sizeof(struct msghdr));

        hdr->msg_name = &t->sas[i];
        hdr->msg_namelen = sizeof(ngx_sockaddr_t);
        hdr->msg_iov = &t->iovs[i];
        hdr->msg_iovlen = 1;
    }

    return recvmmsg(fd, t->msgs, (unsigned int) n,
                    flags|MSG_DONTWAIT|MSG_TRUNC, NULL);
}
