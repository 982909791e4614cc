
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The addresses of "webrtc_listen", at configuration time: registers them with
 * nginx, and gives each a number that it keeps over reloads.
 */


#ifndef _NGX_WEBRTC_UDP_LISTEN_H_INCLUDED_
#define _NGX_WEBRTC_UDP_LISTEN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WEBRTC_UDP_LISTENS  16


/*
 * Numbers addresses: one that the running configuration has too keeps its
 * number, as sessions and the zone know addresses by it.  A new one gets a
 * number that no address of either configuration has, as long as there are
 * such; workers of one before those may know it as another's.
 *
 *   addrs     n addresses, ports set, all different
 *   n         at most NGX_WEBRTC_UDP_LISTENS
 *   numbers   out: n numbers below NGX_WEBRTC_UDP_LISTENS, all different
 */
void ngx_webrtc_udp_number(ngx_cycle_t *cycle, ngx_addr_t **addrs,
    ngx_uint_t n, ngx_uint_t *numbers);

/*
 * Whether addresses are free to listen on.  nginx binds UDP sockets with
 * SO_REUSEADDR and SO_REUSEPORT, with which the kernel lets a second nginx, or
 * anybody who does the same, get half of what arrives at a port: so it is tried
 * without.  Waits and tries again, as nginx does, for what is about to be
 * closed.
 *
 *   addrs   n addresses
 *
 * NGX_OK      free, or ours already: of the running configuration, inherited,
 *             or of one before, whose workers may still have it.  Also in a
 *             process that is not going to listen, as "nginx -t"
 * NGX_ERROR   in use, logged
 */
ngx_int_t ngx_webrtc_udp_free(ngx_conf_t *cf, ngx_addr_t **addrs,
    ngx_uint_t n);

/*
 * Registers a listening socket.
 *
 *   addr     address to listen on, port set
 *   number   of ngx_webrtc_udp_number()
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_udp_listen(ngx_conf_t *cf, ngx_addr_t *addr,
    ngx_uint_t number);

/* Whether two addresses have a port, and an address of the host, in common. */
ngx_uint_t ngx_webrtc_udp_overlap(struct sockaddr *sa, socklen_t socklen,
    ngx_addr_t *addr);

/*
 * Whether somebody has an address.
 *
 *   type   SOCK_DGRAM, SOCK_STREAM
 *
 * 0: it is free; else why it cannot be bound, NGX_EADDRINUSE: somebody has it
 */
ngx_err_t ngx_webrtc_udp_try(ngx_addr_t *addr, int type);

/* Is this a listening of ours?  Then ls->servers is its number. */
ngx_uint_t ngx_webrtc_udp_listens(ngx_listening_t *ls);


#endif /* _NGX_WEBRTC_UDP_LISTEN_H_INCLUDED_ */
