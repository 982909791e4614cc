
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Connections of ICE-TCP (RFC 6544): clients connect to us, and each connection
 * carries the datagrams of one session, framed (ngx_webrtc_framing.h).
 *
 * To everything above, a connection is a path whose "listen" is the number of
 * the connection, so that no two of a process are the same.
 */


#ifndef _NGX_WEBRTC_TCP_H_INCLUDED_
#define _NGX_WEBRTC_TCP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_addr.h"
#include "ngx_webrtc_tcp_conf.h"


/*
 * To be called in init_process.
 *
 * Returns NULL if there is no memory; it is allocated from the cycle's pool and
 * ended with ngx_webrtc_tcp_done().
 */
ngx_webrtc_tcp_t *ngx_webrtc_tcp_init(ngx_cycle_t *cycle,
    ngx_webrtc_tcp_conf_t *conf);

/* Sends what is batched as far as it goes and closes all connections. */
void ngx_webrtc_tcp_done(ngx_webrtc_tcp_t *tcp);

/* Takes a connection of which nothing has been read; closes it on failure. */
void ngx_webrtc_tcp_take(ngx_webrtc_tcp_t *tcp, ngx_socket_t fd);

/*
 * The connection of a path.  If it has ended, one that drops what is sent.
 */
ngx_webrtc_tcp_conn_t *ngx_webrtc_tcp_find(ngx_webrtc_tcp_t *tcp,
    ngx_webrtc_path_t *path);

/*
 * The session does not use the path any longer: sends what is batched as far
 * as it goes, and closes the connection without calling gone().
 */
void ngx_webrtc_tcp_close(ngx_webrtc_tcp_t *tcp, ngx_webrtc_path_t *path);

/* Adds one datagram to what is sent at the end of this turn of the event loop.
 * It is dropped if the peer has not taken NGX_WEBRTC_TCP_BACKLOG bytes. */
void ngx_webrtc_tcp_send(ngx_webrtc_tcp_conn_t *conn, u_char *p, size_t n);

/*
 * Room for one datagram of up to size bytes, and its sending, as above;
 * anything else that is asked of the module in between makes it invalid.
 */
u_char *ngx_webrtc_tcp_reserve(ngx_webrtc_tcp_conn_t *conn, size_t size);
void ngx_webrtc_tcp_commit(ngx_webrtc_tcp_conn_t *conn, size_t n);

/*
 * Whether the peer takes less than it is sent, so that nothing should be begun
 * that can be left out; whether it has taken everything; and whether it has
 * left so much that everything is left out.
 */
ngx_uint_t ngx_webrtc_tcp_late(ngx_webrtc_tcp_conn_t *conn);
ngx_uint_t ngx_webrtc_tcp_idle(ngx_webrtc_tcp_conn_t *conn);
ngx_uint_t ngx_webrtc_tcp_full(ngx_webrtc_tcp_conn_t *conn);

ngx_webrtc_tcp_stat_t *ngx_webrtc_tcp_stat(ngx_webrtc_tcp_t *tcp);


#endif /* _NGX_WEBRTC_TCP_H_INCLUDED_ */
