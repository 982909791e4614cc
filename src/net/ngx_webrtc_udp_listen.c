
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The addresses of "webrtc_listen".  Sessions, the zone and workers that are
 * shutting down know an address by its number: it must not change its meaning
 * when a reload brings the same addresses in another order.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_udp_listen.h"


/* socket buffers asked for; the kernel caps them at net.core.[rw]mem_max */
#define NGX_WEBRTC_UDP_SOCKBUF         (8 * 1024 * 1024)

/* times that an address is tried, ms in between; nginx's */
#define NGX_WEBRTC_UDP_TRIES           5
#define NGX_WEBRTC_UDP_TRY_DELAY       500

/* addresses that this process has listened on and remembers; chosen: those of
 * four configurations that have nothing in common */
#define NGX_WEBRTC_UDP_KNOWN           (4 * NGX_WEBRTC_UDP_LISTENS)


static void ngx_webrtc_udp_accept_handler(ngx_connection_t *c);
static ngx_int_t ngx_webrtc_udp_number_before(ngx_cycle_t *cycle,
    ngx_addr_t *addr);
static ngx_uint_t ngx_webrtc_udp_ours(ngx_cycle_t *cycle, ngx_addr_t *addr);
static void ngx_webrtc_udp_know(ngx_cycle_t *cycle);


/* the latest ones; len 0: none */
static struct {
    ngx_sockaddr_t  addr;
    socklen_t       len;
} ngx_webrtc_udp_known[NGX_WEBRTC_UDP_KNOWN];

static ngx_uint_t  ngx_webrtc_udp_nknown;


void
ngx_webrtc_udp_number(ngx_cycle_t *cycle, ngx_addr_t **addrs, ngx_uint_t n,
    ngx_uint_t *numbers)
{
    uint32_t          taken, before;
    ngx_int_t         number;
    ngx_uint_t        i, k;
    ngx_listening_t  *ls;

    taken = 0;
    before = 0;

    for (i = 0; i < n; i++) {
        number = ngx_webrtc_udp_number_before(cycle->old_cycle, addrs[i]);

        numbers[i] = NGX_WEBRTC_UDP_LISTENS;

        if (number >= 0) {
            numbers[i] = number;
            taken |= (uint32_t) 1 << number;
        }
    }

    if (cycle->old_cycle) {
        ls = cycle->old_cycle->listening.elts;

        for (i = 0; i < cycle->old_cycle->listening.nelts; i++) {
            if (ngx_webrtc_udp_listens(&ls[i])) {
                before |= (uint32_t) 1 << (uintptr_t) ls[i].servers;
            }
        }
    }

    for (i = 0; i < n; i++) {

        if (numbers[i] != NGX_WEBRTC_UDP_LISTENS) {
            continue;
        }

        for (k = 0; k < NGX_WEBRTC_UDP_LISTENS; k++) {
            if (!((taken | before) >> k & 1)) {
                break;
            }
        }

        if (k == NGX_WEBRTC_UDP_LISTENS) {

            /* the number of one that has gone */

            for (k = 0; k < NGX_WEBRTC_UDP_LISTENS; k++) {
                if (!(taken >> k & 1)) {
                    break;
                }
            }
        }

        numbers[i] = k;
        taken |= (uint32_t) 1 << k;
    }
}


/* the number that the running configuration has for an address, or -1 */

static ngx_int_t
ngx_webrtc_udp_number_before(ngx_cycle_t *cycle, ngx_addr_t *addr)
{
    ngx_uint_t        i;
    ngx_listening_t  *ls;

    if (cycle == NULL) {
        return -1;
    }

    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts; i++) {

        if (ngx_webrtc_udp_listens(&ls[i])
            && ngx_cmp_sockaddr(ls[i].sockaddr, ls[i].socklen,
                                addr->sockaddr, addr->socklen, 1)
               == NGX_OK)
        {
            return (ngx_int_t) (uintptr_t) ls[i].servers;
        }
    }

    return -1;
}


ngx_int_t
ngx_webrtc_udp_free(ngx_conf_t *cf, ngx_addr_t **addrs, ngx_uint_t n)
{
    ngx_err_t   err;
    ngx_uint_t  i, tries, taken;

    if (ngx_test_config || ngx_process == NGX_PROCESS_SIGNALLER) {
        return NGX_OK;
    }

    ngx_webrtc_udp_know(cf->cycle->old_cycle);

    for (tries = 0; tries < NGX_WEBRTC_UDP_TRIES; tries++) {

        taken = 0;

        for (i = 0; i < n; i++) {

            if (ngx_webrtc_udp_ours(cf->cycle->old_cycle, addrs[i])) {
                continue;
            }

            err = ngx_webrtc_udp_try(addrs[i], SOCK_DGRAM);

            if (err == NGX_EADDRINUSE) {
                ngx_log_error(NGX_LOG_EMERG, cf->log, err,
                              "bind() to %V failed", &addrs[i]->name);
                taken = 1;
            }
        }

        if (!taken) {
            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_NOTICE, cf->log, 0,
                      "try again to bind() after %dms",
                      NGX_WEBRTC_UDP_TRY_DELAY);

        ngx_msleep(NGX_WEBRTC_UDP_TRY_DELAY);
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "still could not bind() for \"webrtc_listen\"");

    return NGX_ERROR;
}


/* whether this process or its workers may have the port of an address */

static ngx_uint_t
ngx_webrtc_udp_ours(ngx_cycle_t *cycle, ngx_addr_t *addr)
{
    ngx_uint_t        i;
    ngx_listening_t  *ls;

    ls = cycle ? cycle->listening.elts : NULL;

    for (i = 0; ls && i < cycle->listening.nelts; i++) {

        if (ls[i].type == SOCK_DGRAM
            && ls[i].fd != (ngx_socket_t) -1
            && ngx_webrtc_udp_overlap(ls[i].sockaddr, ls[i].socklen, addr))
        {
            return 1;
        }
    }

    for (i = 0; i < NGX_WEBRTC_UDP_KNOWN; i++) {

        if (ngx_webrtc_udp_known[i].len
            && ngx_webrtc_udp_overlap(&ngx_webrtc_udp_known[i].addr.sockaddr,
                                      ngx_webrtc_udp_known[i].len, addr))
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_webrtc_udp_overlap(struct sockaddr *sa, socklen_t socklen,
    ngx_addr_t *addr)
{
    if (sa->sa_family != addr->sockaddr->sa_family
        || ngx_inet_get_port(sa) != ngx_inet_get_port(addr->sockaddr))
    {
        return 0;
    }

    return ngx_inet_wildcard(sa) || ngx_inet_wildcard(addr->sockaddr)
           || ngx_cmp_sockaddr(sa, socklen, addr->sockaddr, addr->socklen, 0)
              == NGX_OK;
}


ngx_err_t
ngx_webrtc_udp_try(ngx_addr_t *addr, int type)
{
    int           on;
    ngx_err_t     err;
    ngx_socket_t  fd;

    fd = ngx_socket(addr->sockaddr->sa_family, type, 0);

    if (fd == (ngx_socket_t) -1) {
        return 0;
    }

    on = 1;

    if (type == SOCK_STREAM) {

        /* as nginx does: connections that have ended are not in the way */

        (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(int));
    }

#if (NGX_HAVE_INET6 && defined IPV6_V6ONLY)

    if (addr->sockaddr->sa_family == AF_INET6) {
        (void) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(int));
    }

#endif

    err = (bind(fd, addr->sockaddr, addr->socklen) == -1) ? ngx_socket_errno
                                                          : 0;

    (void) ngx_close_socket(fd);

    return err;
}


/*
 * A worker that shuts down keeps its sockets as long as it has sessions, also
 * where the configuration no longer has the address.
 */

static void
ngx_webrtc_udp_know(ngx_cycle_t *cycle)
{
    ngx_uint_t        i, k;
    ngx_listening_t  *ls;

    ls = cycle ? cycle->listening.elts : NULL;

    for (i = 0; ls && i < cycle->listening.nelts; i++) {

        if (!ngx_webrtc_udp_listens(&ls[i])) {
            continue;
        }

        for (k = 0; k < NGX_WEBRTC_UDP_KNOWN; k++) {

            if (ngx_webrtc_udp_known[k].len
                && ngx_cmp_sockaddr(&ngx_webrtc_udp_known[k].addr.sockaddr,
                                    ngx_webrtc_udp_known[k].len,
                                    ls[i].sockaddr, ls[i].socklen, 1)
                   == NGX_OK)
            {
                break;
            }
        }

        if (k == NGX_WEBRTC_UDP_KNOWN) {
            k = ngx_webrtc_udp_nknown++ % NGX_WEBRTC_UDP_KNOWN;

            ngx_memcpy(&ngx_webrtc_udp_known[k].addr, ls[i].sockaddr,
                       ls[i].socklen);
            ngx_webrtc_udp_known[k].len = ls[i].socklen;
        }
    }
}


ngx_int_t
ngx_webrtc_udp_listen(ngx_conf_t *cf, ngx_addr_t *addr, ngx_uint_t number)
{
    ngx_listening_t  *ls;

    ls = ngx_create_listening(cf, addr->sockaddr, addr->socklen);
    if (ls == NULL) {
        return NGX_ERROR;
    }

    ls->type = SOCK_DGRAM;
    ls->handler = ngx_webrtc_udp_accept_handler;
    ls->servers = (void *) (uintptr_t) number;
    ls->pool_size = 256;
    ls->addr_ntop = 1;
    ls->logp = &cf->cycle->new_log;
    ls->log.data = &ls->addr_text;
    ls->log.handler = ngx_accept_log_error;
    ls->rcvbuf = NGX_WEBRTC_UDP_SOCKBUF;
    ls->sndbuf = NGX_WEBRTC_UDP_SOCKBUF;
    ls->wildcard = ngx_inet_wildcard(addr->sockaddr);

#if (NGX_HAVE_INET6)
    ls->ipv6only = 1;
#endif

#if (NGX_HAVE_REUSEPORT)
    ls->reuseport = 1;
#endif

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_udp_listens(ngx_listening_t *ls)
{
    return ls->handler == ngx_webrtc_udp_accept_handler;
}


/*
 * The listening sockets of ours are known by this handler: the address of
 * "servers" is not enough, since nginx copies listenings for every worker.
 */
static void
ngx_webrtc_udp_accept_handler(ngx_connection_t *c)
{
    ngx_pool_t  *pool;

    /*
     * Called only where the read handler of the listening was not replaced,
     * since WebRTC could not begin in this worker: drops the datagram.
     */

    pool = c->pool;
    ngx_close_connection(c);
    ngx_destroy_pool(pool);
}
