
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How a session sends: over the worker's port or a connection of ICE-TCP to its
 * current path (ICE lite), or through its own agent (full ICE).  Nothing above
 * src/net has to know which.
 */


#ifndef _NGX_WEBRTC_TRANSPORT_H_INCLUDED_
#define _NGX_WEBRTC_TRANSPORT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_udp.h"
#include "ngx_webrtc_tcp.h"
#include "ngx_webrtc_nice.h"


/* owned by the session; so is nice */
typedef struct {
    ngx_webrtc_udp_t         *udp;
    ngx_webrtc_path_t        *path;       /* where to; of lite */
    size_t                   *budget;     /* bytes that may be sent, what is
                                             above that is dropped; NULL: all */
    ngx_webrtc_nice_t        *nice;       /* of full; NULL: lite */
    ngx_webrtc_tcp_conn_t    *conn;       /* the path's; NULL: it is UDP */
} ngx_webrtc_transport_t;


/* Sends one datagram of lite at once, past the batch, to any path. */
static ngx_inline void
ngx_webrtc_transport_send_to(ngx_webrtc_udp_t *udp, ngx_webrtc_tcp_t *tcp,
    ngx_webrtc_path_t *path, u_char *p, size_t n)
{
    if (ngx_webrtc_path_is_tcp(path)) {
        ngx_webrtc_tcp_send(ngx_webrtc_tcp_find(tcp, path), p, n);
        return;
    }

    ngx_webrtc_udp_send(udp, path, p, n);
}


/* Sends to that path from now on. */
static ngx_inline void
ngx_webrtc_transport_select(ngx_webrtc_transport_t *tp, ngx_webrtc_tcp_t *tcp,
    ngx_webrtc_path_t *path)
{
    tp->path = path;
    tp->conn = ngx_webrtc_path_is_tcp(path) ? ngx_webrtc_tcp_find(tcp, path)
                                            : NULL;
}


/* May n bytes go to the path?  If so they are counted. */
static ngx_inline ngx_uint_t
ngx_webrtc_transport_allow(ngx_webrtc_transport_t *tp, size_t n)
{
    if (tp->budget == NULL) {
        return 1;
    }

    if (*tp->budget < n) {
        return 0;
    }

    *tp->budget -= n;

    return 1;
}


/*
 * Sends one datagram at once, past the batch; a full socket drops it: for DTLS
 * and RTCP, which are repeated.
 */
static ngx_inline void
ngx_webrtc_transport_send(ngx_webrtc_transport_t *tp, u_char *p, size_t n)
{
    if (!ngx_webrtc_transport_allow(tp, n)) {
        return;
    }

    if (tp->nice) {
        ngx_webrtc_nice_send(tp->nice, p, n);
        return;
    }

    if (tp->conn) {
        ngx_webrtc_tcp_send(tp->conn, p, n);
        return;
    }

    if (tp->path) {
        ngx_webrtc_udp_send(tp->udp, tp->path, p, n);
    }
}


/*
 * Room for one datagram of the batch: as ngx_webrtc_udp_reserve().  NULL means
 * that the worker's port is full; an agent or a connection of its own drops
 * instead, so that one slow peer holds up nobody.
 */
static ngx_inline u_char *
ngx_webrtc_transport_reserve(ngx_webrtc_transport_t *tp, size_t size)
{
    if (tp->nice) {
        return ngx_webrtc_nice_reserve(tp->nice, size);
    }

    if (tp->conn) {
        return ngx_webrtc_tcp_reserve(tp->conn, size);
    }

    return ngx_webrtc_udp_reserve(tp->udp, size);
}


/* Does what is committed leave with ngx_webrtc_udp_flush(), from its place? */
static ngx_inline ngx_uint_t
ngx_webrtc_transport_batches(ngx_webrtc_transport_t *tp)
{
    return tp->nice == NULL && tp->conn == NULL && tp->budget == NULL;
}


/* Adds what was written to the reserved room to the batch. */
static ngx_inline void
ngx_webrtc_transport_commit(ngx_webrtc_transport_t *tp, size_t n)
{
    if (!ngx_webrtc_transport_allow(tp, n)) {
        return;
    }

    if (tp->nice) {
        ngx_webrtc_nice_commit(tp->nice, n);
        return;
    }

    if (tp->conn) {
        ngx_webrtc_tcp_commit(tp->conn, n);
        return;
    }

    ngx_webrtc_udp_commit(tp->udp, tp->path, n);
}


/*
 * What comes may wait for so many ms, and be read together; of lite, where a
 * port is everybody's, it does not.
 */
static ngx_inline void
ngx_webrtc_transport_rest(ngx_webrtc_transport_t *tp, ngx_msec_t ms)
{
    if (tp->nice) {
        ngx_webrtc_nice_rest(tp->nice, ms);
    }
}


#endif /* _NGX_WEBRTC_TRANSPORT_H_INCLUDED_ */
