
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The TCP ports of "webrtc_listen", at configuration time.
 */


#ifndef _NGX_WEBRTC_TCP_LISTEN_H_INCLUDED_
#define _NGX_WEBRTC_TCP_LISTEN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of the pool of a connection; chosen: its addresses, its log, and what
 * ngx_webrtc_tcp.c knows of it */
#define NGX_WEBRTC_TCP_LISTEN_POOL  1024


/*
 * Whether a port can be listened on, when all of the configuration has been
 * read.
 *
 * NGX_OK        it can, as far as is known
 * NGX_BUSY      the configuration has another "listen" of it
 * NGX_DECLINED  somebody else has it, or the running configuration for
 *               something that overlaps
 */
ngx_int_t ngx_webrtc_tcp_free(ngx_cycle_t *cycle, ngx_addr_t *addr);

/*
 * Registers a listening socket; all workers accept from it.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_tcp_listen(ngx_cycle_t *cycle, ngx_addr_t *addr);

/*
 * What gets the connections that this process accepts; NULL: nothing does.
 *
 *   cycle   in init_process
 */
void ngx_webrtc_tcp_listen_handler(ngx_cycle_t *cycle,
    void (*handler)(ngx_connection_t *c));


#endif /* _NGX_WEBRTC_TCP_LISTEN_H_INCLUDED_ */
