
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which peer addresses a session with full ICE accepts: it sends checks, and a
 * peer must not be able to direct them at arbitrary hosts.
 */


#ifndef _NGX_WEBRTC_ICE_FILTER_H_INCLUDED_
#define _NGX_WEBRTC_ICE_FILTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* rules of a location; chosen: what a socket's filter has room for */
#define NGX_WEBRTC_ICE_FILTER_RULES    64

/* addresses that a socket receives from whatever the rules say: servers */
#define NGX_WEBRTC_ICE_FILTER_SERVERS  8


/* IPv4 as IPv4-mapped IPv6 (RFC 4291, 2.5.5.2) */
typedef struct {
    u_char                       addr[16];
    u_char                       mask[16];
    unsigned                     deny:1;
} ngx_webrtc_ice_rule_t;


typedef struct {
    const ngx_webrtc_ice_rule_t *rules;       /* the first that matches counts;
                                                 they outlive the session */
    ngx_uint_t                   n;
    ngx_webrtc_ice_rule_t        client;      /* see below; of the request */
    ngx_uint_t                   chosen;      /* the operator has chosen it:
                                                 unless a rule says otherwise,
                                                 checks go there, too */
} ngx_webrtc_ice_filter_t;


/*
 * Whether checks may be sent to a candidate of the peer.  Unless a rule allows
 * it, not to private networks, this host, and the like.
 */
ngx_uint_t ngx_webrtc_ice_filter_allows(const ngx_webrtc_ice_filter_t *filter,
    struct sockaddr *sa);

/*
 * Makes a socket receive nothing from other addresses.  Packets from the
 * network of the client that made the request are let through all the same:
 * senders there need not be signalled.
 *
 *   servers   as rules, whom the socket has to receive from
 *
 * NGX_ERROR after logging
 */
ngx_int_t ngx_webrtc_ice_filter_attach(const ngx_webrtc_ice_filter_t *filter,
    const ngx_webrtc_ice_rule_t *servers, ngx_uint_t n, ngx_socket_t fd,
    ngx_log_t *log);

/* Sets the network of a client: /24, /64, all of loopback. */
void ngx_webrtc_ice_filter_client(ngx_webrtc_ice_filter_t *filter,
    struct sockaddr *sa);

/* A rule that matches this address only; NGX_DECLINED: not an IP address. */
ngx_int_t ngx_webrtc_ice_filter_rule(ngx_webrtc_ice_rule_t *rule,
    struct sockaddr *sa);

/*
 * Adds the rules of a word: an address, a CIDR, "private", "loopback" or "all".
 *
 *   rules   array of ngx_webrtc_ice_rule_t
 *
 * NGX_OK, NGX_DECLINED: it is none of these, NGX_ERROR
 */
ngx_int_t ngx_webrtc_ice_filter_add(ngx_array_t *rules, ngx_str_t *word,
    ngx_uint_t deny);


#endif /* _NGX_WEBRTC_ICE_FILTER_H_INCLUDED_ */
