
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the connections of ICE-TCP are told and tell: see ngx_webrtc_tcp.h.
 */


#ifndef _NGX_WEBRTC_TCP_CONF_H_INCLUDED_
#define _NGX_WEBRTC_TCP_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_addr.h"


/* path->listen from here on is the number of a connection */
#define NGX_WEBRTC_TCP_NUMBER    0x80000000

#define ngx_webrtc_path_is_tcp(path)                                          \
    ((path)->listen >= NGX_WEBRTC_TCP_NUMBER)

/* longest datagram; same as the UDP port's */
#define NGX_WEBRTC_TCP_MAX       2048


typedef struct ngx_webrtc_tcp_s       ngx_webrtc_tcp_t;
typedef struct ngx_webrtc_tcp_conn_s  ngx_webrtc_tcp_conn_t;


typedef struct {
    /*
     * The first datagram of a connection.  It has not been read: whoever gets
     * the connection sees it again.
     *
     *   fd      of the connection
     *   passed  it came from another worker
     *
     * NGX_OK        it is a session's; input() gets what follows
     * NGX_DONE      another worker has it now
     * NGX_AGAIN     another worker should, but has no room: to be tried again
     * NGX_DECLINED  it is nobody's
     */
    ngx_int_t                  (*first)(void *ctx, ngx_webrtc_path_t *path,
                                     u_char *p, size_t n, ngx_socket_t fd,
                                     ngx_uint_t passed);

    /* a datagram of a session's connection; may be modified */
    void                       (*input)(void *ctx, ngx_webrtc_path_t *path,
                                     u_char *p, size_t n);

    /* what could be read has been delivered */
    void                       (*done)(void *ctx);

    /* a session's connection has ended, and is not sent to any more */
    void                       (*gone)(void *ctx, ngx_webrtc_path_t *path);

    /* as the UDP port's */
    void                       (*shutdown)(void *ctx);
    void                        *ctx;
} ngx_webrtc_tcp_conf_t;


typedef struct {
    uint64_t                     accepted;
    uint64_t                     refused;      /* too many */
    uint64_t                     strangers;    /* no check of a session came */
    uint64_t                     passed;       /* to another worker */
    uint64_t                     rx_packets;
    uint64_t                     rx_dropped;   /* too long */
    uint64_t                     tx_packets;
    uint64_t                     tx_bytes;     /* without their framing */
    uint64_t                     tx_dropped;   /* the peer did not take them */
    uint64_t                     tx_blocked;   /* times a connection was full */
    ngx_uint_t                   pending;      /* without a session, now */
    ngx_uint_t                   sessions;     /* with one, now */
} ngx_webrtc_tcp_stat_t;


#endif /* _NGX_WEBRTC_TCP_CONF_H_INCLUDED_ */
