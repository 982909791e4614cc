
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Full ICE: parameters and callbacks of an agent.
 */


#ifndef _NGX_WEBRTC_NICE_CONF_H_INCLUDED_
#define _NGX_WEBRTC_NICE_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_ice_filter.h"
#include "ngx_webrtc_nice_relay.h"


/* local addresses of an agent; chosen: a socket and a connection each */
#define NGX_WEBRTC_NICE_ADDRS       16

/* STUN and TURN servers of an agent; chosen: a relayed candidate per address */
#define NGX_WEBRTC_NICE_SERVERS     NGX_WEBRTC_NICE_RELAYS

/* candidates that we signal, and that we take from a peer until it restarts */
#define NGX_WEBRTC_NICE_CANDIDATES  32

/* addresses that the peer may send from without having signalled them, until it
 * restarts; chosen: a NAT that rebinds every minute for eight hours; libnice
 * then keeps 150 kB for them */
#define NGX_WEBRTC_NICE_REFLEXIVE   480

/* room for one datagram of a batch: as of the UDP port */
#define NGX_WEBRTC_NICE_MAX         2048

/* ngx_webrtc_nice_server_t.type */
#define NGX_WEBRTC_NICE_STUN        0
#define NGX_WEBRTC_NICE_TURN_UDP    1
#define NGX_WEBRTC_NICE_TURN_TCP    2

/* ngx_webrtc_nice_conf_t.state() */
#define NGX_WEBRTC_NICE_CONNECTED   1     /* a pair is selected: may send */
#define NGX_WEBRTC_NICE_FAILED      2     /* no pair */


typedef struct ngx_webrtc_nice_s  ngx_webrtc_nice_t;


/* an address of the peer that is not the selected one */
typedef struct {
    ngx_sockaddr_t       remote;
    socklen_t            len;
} ngx_webrtc_nice_other_t;


typedef struct {
    ngx_uint_t           type;            /* NGX_WEBRTC_NICE_* */
    ngx_str_t            address;         /* numeric, null-terminated */
    in_port_t            port;
    ngx_str_t            url;             /* outlives the agent */
    ngx_str_t            username;        /* of TURN, null-terminated */
    ngx_str_t            credential;
} ngx_webrtc_nice_server_t;


/*
 * Parameters and callbacks of an agent.  All callbacks come from nginx's event
 * loop, and may call anything here unless stated otherwise.
 *
 *   input      a datagram of the selected pair or of any valid one; p may be
 *              modified
 *   answer     a STUN success response (RFC 8489) to a request that is not
 *              libnice's, which drops such responses; p may not be modified.
 *              NGX_OK: it is authentic, and the answer to one of the last
 *              ngx_webrtc_nice_fresh() requests that ngx_webrtc_nice_expect()
 *              has told of
 *   done       the datagrams that were waiting have been delivered
 *   state      NGX_WEBRTC_NICE_CONNECTED or _FAILED, each may be repeated
 *   candidate  there is another local candidate
 *   gathered   there will be no more
 *   reflexive  an authentic check has come from an address that the peer has
 *              not signalled; the n-th since the last restart
 */
typedef struct {
    void               (*input)(void *ctx, u_char *p, size_t n);
    ngx_int_t          (*answer)(void *ctx, u_char *p, size_t n);
    void               (*done)(void *ctx);
    void               (*state)(void *ctx, ngx_uint_t state);
    void               (*candidate)(void *ctx);
    void               (*gathered)(void *ctx);
    void               (*reflexive)(void *ctx, ngx_uint_t n);
    void                *ctx;

    ngx_log_t           *log;             /* outlives the agent */

    ngx_str_t           *addrs;           /* local ones, numeric and
                                             null-terminated */
    ngx_uint_t           naddrs;

    ngx_webrtc_nice_server_t  *servers;   /* the first STUN server counts */
    ngx_uint_t           nservers;

    ngx_webrtc_ice_filter_t  filter;      /* of the peer's addresses */

    in_port_t            min_port;        /* 0: any */
    in_port_t            max_port;

    ngx_str_t            ufrag;           /* ours */
    ngx_str_t            pwd;

    unsigned             relay:1;         /* relayed candidates only */
    unsigned             controlling:1;   /* the peer is a lite agent */
    unsigned             gso:1;           /* UDP_SEGMENT may be used */
} ngx_webrtc_nice_conf_t;


#endif /* _NGX_WEBRTC_NICE_CONF_H_INCLUDED_ */
