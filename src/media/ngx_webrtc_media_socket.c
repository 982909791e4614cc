
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The worker's end of a socket to its media process.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <sys/socket.h>

#include "ngx_webrtc_media_socket.h"


ngx_int_t
ngx_webrtc_media_socket_pair(int fds[2])
{
    ngx_err_t  err;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0, fds) == -1) {
        return NGX_ERROR;
    }

    if (ngx_nonblocking(fds[0]) == -1) {
        err = ngx_errno;

        (void) close(fds[0]);
        (void) close(fds[1]);

        ngx_set_errno(err);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_connection_t *
ngx_webrtc_media_socket_watch(int fd, void *data, ngx_event_handler_pt handler,
    ngx_log_t *log)
{
    ngx_connection_t  *c;

    /* nginx itself would log a line for each attempt */

    if (ngx_cycle->free_connection_n == 0
        && ngx_cycle->reusable_connections_n == 0)
    {
        return NULL;
    }

    c = ngx_get_connection(fd, log);

    if (c == NULL) {
        return NULL;
    }

    c->data = data;
    c->log = log;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);

    c->read->log = log;
    c->write->log = log;
    c->read->handler = handler;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_free_connection(c);
        return NULL;
    }

    return c;
}


ngx_int_t
ngx_webrtc_media_socket_send(int fd, ngx_webrtc_media_message_t *m, int *fds,
    ngx_uint_t nfds)
{
    u_char           *p;
    ssize_t           n;
    u_char            buf[NGX_WEBRTC_MEDIA_MESSAGE];
    struct iovec      iov;
    struct msghdr     msg;
    struct cmsghdr   *cmsg;

    union {
        struct cmsghdr  align;
        char            space[CMSG_SPACE(NGX_WEBRTC_MEDIA_SOCKET_FDS
                                         * sizeof(int))];
    } control;

    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), m);

    if (p == NULL) {
        ngx_set_errno(EMSGSIZE);
        return NGX_ERROR;
    }

    iov.iov_base = buf;
    iov.iov_len = p - buf;

    ngx_memzero(&msg, sizeof(struct msghdr));
    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;

    if (nfds) {
        ngx_memzero(&control, sizeof(control));

        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));

        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));

        ngx_memcpy(CMSG_DATA(cmsg), fds, nfds * sizeof(int));
    }

    do {
        n = sendmsg(fd, &msg, MSG_NOSIGNAL);
    } while (n == -1 && ngx_errno == NGX_EINTR);

    return (n == -1) ? NGX_ERROR : NGX_OK;
}
