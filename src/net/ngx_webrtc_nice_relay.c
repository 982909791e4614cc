
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What TURN servers answer, RFC 8656, 7.
 *
 * Answers are read while they wait for libnice: datagrams as in
 * ngx_webrtc_nice_peek.c; a stream before libnice reads it.  libnice never gets
 * half a message (SO_RCVLOWAT), so that a stream always begins with a whole
 * one.  Only answers to Allocate requests are of interest, which come before
 * anything else.
 *
 * The first 401 of a server asks for credentials (RFC 8489, 9.2.4); another
 * one, to another request of the same socket, refuses them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <linux/errqueue.h>
#include "ngx_webrtc_nice_relay.h"
#include "ngx_webrtc_turn.h"


#ifndef SO_PEERNAME
#define SO_PEERNAME  28                   /* UAPI, asm-generic/socket.h */
#endif


/* RFC 8489, 14.8; RFC 8656, 7.3 */
#define NGX_WEBRTC_NICE_RELAY_401   401
#define NGX_WEBRTC_NICE_RELAY_QUOTA 486
#define NGX_WEBRTC_NICE_RELAY_FULL  508

/* errors that are taken at once; chosen */
#define NGX_WEBRTC_NICE_RELAY_ERRS  16

/* bytes of an answer that are looked at: answers are shorter */
#define NGX_WEBRTC_NICE_RELAY_SIZE  2048


static ngx_uint_t ngx_webrtc_nice_relay_find(ngx_webrtc_nice_relays_t *relays,
    struct sockaddr *sa, ngx_uint_t tcp);
static ngx_int_t ngx_webrtc_nice_relay_peer(ngx_socket_t fd,
    ngx_sockaddr_t *addr);
static void ngx_webrtc_nice_relay_answer(ngx_webrtc_nice_relay_t *relay,
    uint32_t *asked, u_char *p, size_t n);
static void ngx_webrtc_nice_relay_failed(ngx_webrtc_nice_relay_t *relay,
    ngx_webrtc_nice_relay_e state, ngx_err_t err);
static void ngx_webrtc_nice_relay_low(ngx_webrtc_nice_relay_io_t *io,
    ngx_socket_t fd, int low);


void
ngx_webrtc_nice_relay_add(ngx_webrtc_nice_relays_t *relays, ngx_str_t *url,
    ngx_sockaddr_t *addr, ngx_uint_t tcp)
{
    ngx_webrtc_nice_relay_t  *relay;

    if (relays->n == NGX_WEBRTC_NICE_RELAYS) {
        return;
    }

    relay = &relays->relay[relays->n++];

    ngx_memzero(relay, sizeof(ngx_webrtc_nice_relay_t));

    relay->url = *url;
    relay->addr = *addr;
    relay->tcp = tcp;
}


/* relays->n: it is none of them */

static ngx_uint_t
ngx_webrtc_nice_relay_find(ngx_webrtc_nice_relays_t *relays,
    struct sockaddr *sa, ngx_uint_t tcp)
{
    ngx_uint_t  i;

    for (i = 0; i < relays->n; i++) {

        if (relays->relay[i].tcp == tcp
            && ngx_cmp_sockaddr(&relays->relay[i].addr.sockaddr,
                                sizeof(ngx_sockaddr_t), sa,
                                sizeof(ngx_sockaddr_t), 1)
               == NGX_OK)
        {
            break;
        }
    }

    return i;
}


ngx_uint_t
ngx_webrtc_nice_relay_is(ngx_webrtc_nice_relays_t *relays, struct sockaddr *sa)
{
    return ngx_webrtc_nice_relay_find(relays, sa, 0) < relays->n;
}


void
ngx_webrtc_nice_relay_open(ngx_webrtc_nice_relays_t *relays,
    ngx_webrtc_nice_relay_io_t *io, ngx_socket_t fd, ngx_uint_t dgram,
    ngx_uint_t errors)
{
    int             on;
    ngx_uint_t      n;
    ngx_sockaddr_t  addr;

    ngx_memzero(io, sizeof(ngx_webrtc_nice_relay_io_t));

    if (dgram) {
        on = 1;

        if (errors) {
            (void) setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(int));
#if (NGX_HAVE_INET6)
            (void) setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on,
                              sizeof(int));
#endif
        }

        return;
    }

    n = ngx_webrtc_nice_relay_peer(fd, &addr) == NGX_OK
        ? ngx_webrtc_nice_relay_find(relays, &addr.sockaddr, 1) : relays->n;

    if (n == relays->n) {
        relays->failed = 1;
        return;
    }

    relays->relay[n].tried = 1;
    io->relay = n + 1;
}


/*
 * The address that a socket is connected or connecting to; getpeername() does
 * not tell the latter.  NGX_DECLINED: connecting has already failed, as it does
 * at once on the loopback.
 */

static ngx_int_t
ngx_webrtc_nice_relay_peer(ngx_socket_t fd, ngx_sockaddr_t *addr)
{
    socklen_t  len;

    ngx_memzero(addr, sizeof(ngx_sockaddr_t));

    /* fails where there is more room than the address takes */

    len = sizeof(struct sockaddr_in);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERNAME, addr, &len) == -1) {
        return NGX_DECLINED;
    }

#if (NGX_HAVE_INET6)
    if (addr->sockaddr.sa_family == AF_INET6) {
        len = sizeof(struct sockaddr_in6);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERNAME, addr, &len) == -1) {
            return NGX_DECLINED;
        }
    }
#endif

    return NGX_OK;
}


void
ngx_webrtc_nice_relay_leave(ngx_webrtc_nice_relay_io_t *io, ngx_socket_t fd,
    ngx_uint_t dgram)
{
    int        off, err;
    socklen_t  len;

    if (!dgram) {
        io->relay = 0;
        ngx_webrtc_nice_relay_low(io, fd, 1);
        return;
    }

    off = 0;
    len = sizeof(int);

    (void) setsockopt(fd, IPPROTO_IP, IP_RECVERR, &off, sizeof(int));
#if (NGX_HAVE_INET6)
    (void) setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &off, sizeof(int));
#endif

    /* and the one that waits for the next call */

    (void) getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
}


void
ngx_webrtc_nice_relay_input(ngx_webrtc_nice_relays_t *relays,
    ngx_webrtc_nice_relay_io_t *io, struct sockaddr *sa, u_char *p, size_t n)
{
    ngx_uint_t  i;

    i = ngx_webrtc_nice_relay_find(relays, sa, 0);

    if (i < relays->n) {
        ngx_webrtc_nice_relay_answer(&relays->relay[i], &io->asked[i], p, n);
    }
}


static void
ngx_webrtc_nice_relay_answer(ngx_webrtc_nice_relay_t *relay, uint32_t *asked,
    u_char *p, size_t n)
{
    size_t                     i;
    uint32_t                   id;
    ngx_webrtc_turn_answer_t   answer;

    if (relay->state == NGX_WEBRTC_NICE_RELAY_OK
        || ngx_webrtc_turn_allocate(p, n, &answer) != NGX_OK)
    {
        return;
    }

    if (answer.code == 0) {
        relay->state = NGX_WEBRTC_NICE_RELAY_OK;
        return;
    }

    if (answer.code == NGX_WEBRTC_NICE_RELAY_401) {

        id = ngx_crc32_short(answer.id, NGX_WEBRTC_TURN_ID) | 1;

        if (*asked == 0 || *asked == id) {
            *asked = id;
            ngx_webrtc_nice_relay_failed(relay, NGX_WEBRTC_NICE_RELAY_ASKED,
                                         0);
            return;
        }
    }

    relay->state = NGX_WEBRTC_NICE_RELAY_REFUSED;
    relay->code = answer.code;
    relay->reason_len = ngx_min(answer.reason.len, NGX_WEBRTC_NICE_REASON);

    /* it is shown to clients and in the log */

    for (i = 0; i < relay->reason_len; i++) {
        relay->reason[i] = answer.reason.data[i];

        if (relay->reason[i] < ' ' || relay->reason[i] > '~'
            || relay->reason[i] == '"' || relay->reason[i] == '\\')
        {
            relay->reason[i] = '?';
        }
    }
}


/* of another socket more may be known */

static void
ngx_webrtc_nice_relay_failed(ngx_webrtc_nice_relay_t *relay,
    ngx_webrtc_nice_relay_e state, ngx_err_t err)
{
    if (relay->state < state) {
        relay->state = state;
        relay->err = err;
    }
}


void
ngx_webrtc_nice_relay_errors(ngx_webrtc_nice_relays_t *relays, ngx_socket_t fd)
{
    ssize_t                    n;
    ngx_uint_t                 i, k;
    struct iovec               iov;
    struct msghdr              msg;
    struct cmsghdr            *cmsg;
    ngx_sockaddr_t             addr;
    struct sock_extended_err   ee;
    u_char                     buf[64];

    union {
        struct cmsghdr  cmsg;
        char            space[512];
    } control;

    for (k = 0; k < NGX_WEBRTC_NICE_RELAY_ERRS; k++) {

        ngx_memzero(&msg, sizeof(struct msghdr));
        ngx_memzero(&addr, sizeof(ngx_sockaddr_t));

        iov.iov_base = buf;
        iov.iov_len = sizeof(buf);

        msg.msg_name = &addr;
        msg.msg_namelen = sizeof(ngx_sockaddr_t);
        msg.msg_iov = &iov;
        msg.msg_iovlen = 1;
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);

        n = recvmsg(fd, &msg, MSG_ERRQUEUE|MSG_DONTWAIT);

        if (n == -1) {
            return;
        }

        /* the address is the one that it was sent to */

        i = ngx_webrtc_nice_relay_find(relays, &addr.sockaddr, 0);

        if (i == relays->n) {
            continue;
        }

        for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
        {
            if (cmsg->cmsg_len < CMSG_LEN(sizeof(ee))
                || !((cmsg->cmsg_level == IPPROTO_IP
                      && cmsg->cmsg_type == IP_RECVERR)
#if (NGX_HAVE_INET6)
                     || (cmsg->cmsg_level == IPPROTO_IPV6
                         && cmsg->cmsg_type == IPV6_RECVERR)
#endif
                    ))
            {
                continue;
            }

            ngx_memcpy(&ee, CMSG_DATA(cmsg), sizeof(ee));

            ngx_webrtc_nice_relay_failed(&relays->relay[i],
                                         NGX_WEBRTC_NICE_RELAY_UNREACHED,
                                         ee.ee_errno);
        }
    }
}


ngx_int_t
ngx_webrtc_nice_relay_stream(ngx_webrtc_nice_relays_t *relays,
    ngx_webrtc_nice_relay_io_t *io, ngx_socket_t fd)
{
    size_t                    want;
    ssize_t                   n;
    ngx_webrtc_nice_relay_t  *relay;
    u_char                    buf[NGX_WEBRTC_NICE_RELAY_SIZE];

    if (io->relay == 0) {
        return NGX_OK;
    }

    relay = &relays->relay[io->relay - 1];

    n = recv(fd, buf, sizeof(buf), MSG_PEEK|MSG_DONTWAIT);

    if (n == -1) {

        if (ngx_socket_errno != NGX_EAGAIN && ngx_socket_errno != NGX_EINTR
            && ngx_socket_errno != NGX_ENOTCONN)
        {
            ngx_webrtc_nice_relay_failed(relay,
                                         NGX_WEBRTC_NICE_RELAY_UNREACHED,
                                         ngx_socket_errno);
        }

        return NGX_OK;
    }

    if (n == 0) {
        ngx_webrtc_nice_relay_failed(relay, NGX_WEBRTC_NICE_RELAY_CLOSED, 0);
        return NGX_OK;
    }

    want = ngx_webrtc_turn_length(buf, n);

    if (want > (size_t) n && want <= sizeof(buf) && io->low != (int) want) {
        ngx_webrtc_nice_relay_low(io, fd, (int) want);
        return NGX_AGAIN;
    }

    ngx_webrtc_nice_relay_answer(relay, &io->asked[io->relay - 1], buf,
                                 ngx_min(want, (size_t) n));

    if (relay->state == NGX_WEBRTC_NICE_RELAY_OK) {

        /* anything may follow */

        ngx_webrtc_nice_relay_leave(io, fd, 0);
        return NGX_OK;
    }

    ngx_webrtc_nice_relay_low(io, fd, 1);

    return NGX_OK;
}


static void
ngx_webrtc_nice_relay_low(ngx_webrtc_nice_relay_io_t *io, ngx_socket_t fd,
    int low)
{
    if (io->low == 0 && low == 1) {
        return;
    }

    (void) setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(int));

    io->low = (low == 1) ? 0 : low;
}


void
ngx_webrtc_nice_relay_settle(ngx_webrtc_nice_relays_t *relays)
{
    ngx_uint_t                i;
    ngx_webrtc_nice_relay_t  *relay;

    for (i = 0; i < relays->n; i++) {
        relay = &relays->relay[i];

        if (relay->tcp && !relay->tried) {
            ngx_webrtc_nice_relay_failed(relay,
                            NGX_WEBRTC_NICE_RELAY_UNREACHED,
                            relays->failed ? NGX_ECONNREFUSED : 0);
        }
    }
}


u_char *
ngx_webrtc_nice_relay_cause(ngx_webrtc_nice_relay_t *relay, u_char *p,
    u_char *end)
{
    const char  *text;

    switch (relay->state) {

    case NGX_WEBRTC_NICE_RELAY_REFUSED:
        p = ngx_slprintf(p, end, "%ui", relay->code);

        return relay->reason_len ? ngx_slprintf(p, end, " %*s",
                                                relay->reason_len,
                                                relay->reason)
                                 : p;

    case NGX_WEBRTC_NICE_RELAY_CLOSED:
        text = "closed the connection";
        break;

    case NGX_WEBRTC_NICE_RELAY_UNREACHED:

        switch (relay->err) {

        case NGX_ECONNREFUSED:
            text = "connection refused";
            break;

        case NGX_ECONNRESET:
            text = "connection reset";
            break;

        case NGX_EHOSTUNREACH:
        case NGX_ENETUNREACH:
            text = "no route to it";
            break;

        case NGX_ETIMEDOUT:
            text = "timed out";
            break;

        default:
            text = "not reached";
        }

        break;

    case NGX_WEBRTC_NICE_RELAY_OK:
        text = "has relayed nothing";
        break;

    default:
        text = "timed out";
    }

    return ngx_slprintf(p, end, "%s", text);
}


ngx_uint_t
ngx_webrtc_nice_relay_later(ngx_webrtc_nice_relay_t *relay)
{
    switch (relay->state) {

    case NGX_WEBRTC_NICE_RELAY_REFUSED:
        return relay->code == NGX_WEBRTC_NICE_RELAY_QUOTA
               || relay->code == NGX_WEBRTC_NICE_RELAY_FULL;

    case NGX_WEBRTC_NICE_RELAY_UNREACHED:
        return relay->err == NGX_ETIMEDOUT;

    case NGX_WEBRTC_NICE_RELAY_CLOSED:
        return 0;

    default:
        return 1;
    }
}
