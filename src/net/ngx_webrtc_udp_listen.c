
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


static void ngx_webrtc_udp_accept_handler(ngx_connection_t *c);
static ngx_int_t ngx_webrtc_udp_number_before(ngx_cycle_t *cycle,
    ngx_addr_t *addr);


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
