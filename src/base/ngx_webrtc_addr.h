
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * An IPv4 or IPv6 transport address in 32 bytes, and the pair of addresses
 * that names a path.  Plain data: it lives in shared memory too.
 */


#ifndef _NGX_WEBRTC_ADDR_H_INCLUDED_
#define _NGX_WEBRTC_ADDR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    union {
        struct sockaddr        sa;
        struct sockaddr_in     in;
#if (NGX_HAVE_INET6)
        struct sockaddr_in6    in6;
#endif
    } u;

    socklen_t                  len;       /* 0: not set */
} ngx_webrtc_addr_t;


/*
 * The address a datagram arrived on, from IP_PKTINFO or IPV6_PKTINFO.  Replies
 * are sent from it, so that a host with many addresses replies from the one
 * that was contacted.
 */
typedef struct {
    union {
        struct in_addr         in;
#if (NGX_HAVE_INET6)
        struct in6_addr        in6;
#endif
    } u;

    uint8_t                    family;    /* AF_INET, AF_INET6, 0: unknown */
} ngx_webrtc_local_t;


typedef struct {
    ngx_webrtc_addr_t          remote;
    ngx_webrtc_local_t         local;
    uint32_t                   listen;    /* number of webrtc_listen, from 0 */
} ngx_webrtc_path_t;


/*
 * Copies an address of family AF_INET or AF_INET6.  A v6 address loses its
 * flow label, so that only what identifies the peer is compared.
 *
 * NGX_OK        copied
 * NGX_DECLINED  another family or a short length; *a has length 0
 */
static ngx_inline ngx_int_t
ngx_webrtc_addr_set(ngx_webrtc_addr_t *a, struct sockaddr *sa, socklen_t len)
{
    ngx_memzero(a, sizeof(ngx_webrtc_addr_t));

    if (sa->sa_family == AF_INET
        && len >= (socklen_t) sizeof(struct sockaddr_in))
    {
        a->u.in.sin_family = AF_INET;
        a->u.in.sin_port = ((struct sockaddr_in *) sa)->sin_port;
        a->u.in.sin_addr = ((struct sockaddr_in *) sa)->sin_addr;
        a->len = sizeof(struct sockaddr_in);
        return NGX_OK;
    }

#if (NGX_HAVE_INET6)

    if (sa->sa_family == AF_INET6
        && len >= (socklen_t) sizeof(struct sockaddr_in6))
    {
        a->u.in6.sin6_family = AF_INET6;
        a->u.in6.sin6_port = ((struct sockaddr_in6 *) sa)->sin6_port;
        a->u.in6.sin6_addr = ((struct sockaddr_in6 *) sa)->sin6_addr;
        a->u.in6.sin6_scope_id = ((struct sockaddr_in6 *) sa)->sin6_scope_id;
        a->len = sizeof(struct sockaddr_in6);
        return NGX_OK;
    }

#endif

    return NGX_DECLINED;
}


/* 0 when equal, otherwise the sign orders the two */
static ngx_inline ngx_int_t
ngx_webrtc_addr_cmp(const ngx_webrtc_addr_t *a, const ngx_webrtc_addr_t *b)
{
    if (a->len != b->len) {
        return (a->len < b->len) ? -1 : 1;
    }

    return ngx_memcmp(&a->u, &b->u, a->len);
}


#endif /* _NGX_WEBRTC_ADDR_H_INCLUDED_ */
