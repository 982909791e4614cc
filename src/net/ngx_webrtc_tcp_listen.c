
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The TCP ports of "webrtc_listen".  nginx opens them, keeps them over reload
 * and hands them on in a binary upgrade, as its own.  There is one socket for
 * all workers, not one for each: which worker a connection belongs to is known
 * only when something has come of it, and a worker that ends takes no
 * connections with it that it has not accepted yet.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <netinet/tcp.h>
#include "ngx_webrtc_tcp_listen.h"
#include "ngx_webrtc_udp_listen.h"


/*
 * bytes of a segment at most.  Who needs TCP is often behind a tunnel, and some
 * of these drop what is too long without saying so, which TCP finds out late or
 * never.  RFC 8200, 5: 1280 go through everywhere, 60 of which are headers
 */
#define NGX_WEBRTC_TCP_LISTEN_SEGMENT  1220


static ngx_uint_t ngx_webrtc_tcp_dual(ngx_listening_t *ls, ngx_addr_t *addr);
static void ngx_webrtc_tcp_listen_accepted(ngx_connection_t *c);


/* NULL: WebRTC could not begin in this process */
static void  (*ngx_webrtc_tcp_listen_to)(ngx_connection_t *c);


ngx_int_t
ngx_webrtc_tcp_free(ngx_cycle_t *cycle, ngx_addr_t *addr)
{
    ngx_err_t         err;
    ngx_uint_t        i;
    ngx_listening_t  *ls;

    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts; i++) {
        if (ls[i].type == SOCK_STREAM
            && (ngx_webrtc_udp_overlap(ls[i].sockaddr, ls[i].socklen, addr)
                || ngx_webrtc_tcp_dual(&ls[i], addr)))
        {
            return NGX_BUSY;
        }
    }

    if (ngx_process == NGX_PROCESS_SIGNALLER) {
        return NGX_OK;
    }

    /* nginx goes on with a socket of the running configuration */

    ls = cycle->old_cycle ? cycle->old_cycle->listening.elts : NULL;

    for (i = 0; ls && i < cycle->old_cycle->listening.nelts; i++) {
        if (ls[i].type == SOCK_STREAM
            && ls[i].fd != (ngx_socket_t) -1
            && ngx_cmp_sockaddr(ls[i].sockaddr, ls[i].socklen,
                                addr->sockaddr, addr->socklen, 1)
               == NGX_OK)
        {
            return NGX_OK;
        }
    }

    err = ngx_webrtc_udp_try(addr, SOCK_STREAM);

    /* with "nginx -t" it is probably nginx itself that has it */

    return (err == 0 || (err == NGX_EADDRINUSE && ngx_test_config))
           ? NGX_OK : NGX_DECLINED;
}


/* does a socket of all IPv6 addresses have the IPv4 port, too? */

static ngx_uint_t
ngx_webrtc_tcp_dual(ngx_listening_t *ls, ngx_addr_t *addr)
{
#if (NGX_HAVE_INET6)

    return ls->sockaddr->sa_family == AF_INET6
           && !ls->ipv6only
           && addr->sockaddr->sa_family == AF_INET
           && ngx_inet_wildcard(ls->sockaddr)
           && ngx_inet_get_port(ls->sockaddr)
              == ngx_inet_get_port(addr->sockaddr);

#else

    return 0;

#endif
}


ngx_int_t
ngx_webrtc_tcp_listen(ngx_cycle_t *cycle, ngx_addr_t *addr)
{
    ngx_conf_t        cf;
    ngx_listening_t  *ls;

    ngx_memzero(&cf, sizeof(ngx_conf_t));

    cf.cycle = cycle;
    cf.pool = cycle->pool;
    cf.log = cycle->log;

    ls = ngx_create_listening(&cf, addr->sockaddr, addr->socklen);
    if (ls == NULL) {
        return NGX_ERROR;
    }

    ls->handler = ngx_webrtc_tcp_listen_accepted;
    ls->pool_size = NGX_WEBRTC_TCP_LISTEN_POOL;
    ls->addr_ntop = 1;
    ls->logp = &cycle->new_log;
    ls->log.data = &ls->addr_text;
    ls->log.handler = ngx_accept_log_error;
    ls->wildcard = ngx_inet_wildcard(addr->sockaddr);

#if (NGX_HAVE_INET6)
    ls->ipv6only = 1;
#endif

    return NGX_OK;
}


void
ngx_webrtc_tcp_listen_handler(ngx_cycle_t *cycle,
    void (*handler)(ngx_connection_t *c))
{
    int               size;
    ngx_uint_t        i;
    ngx_listening_t  *ls;

    ngx_webrtc_tcp_listen_to = handler;

    if (handler == NULL) {
        return;
    }

    /* connections inherit it, and tell the peer, too */

    size = NGX_WEBRTC_TCP_LISTEN_SEGMENT;
    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts; i++) {

        if (ls[i].handler == ngx_webrtc_tcp_listen_accepted
            && setsockopt(ls[i].fd, IPPROTO_TCP, TCP_MAXSEG, &size,
                          sizeof(int))
               == -1)
        {
            ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_socket_errno,
                          "setsockopt(TCP_MAXSEG) for %V failed",
                          &ls[i].addr_text);
        }
    }
}


static void
ngx_webrtc_tcp_listen_accepted(ngx_connection_t *c)
{
    ngx_pool_t  *pool;

    if (ngx_webrtc_tcp_listen_to) {
        ngx_webrtc_tcp_listen_to(c);
        return;
    }

    pool = c->pool;

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif

    ngx_close_connection(c);
    ngx_destroy_pool(pool);
}
