
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What TURN servers answer to a gathering agent: libnice reports only those
 * that relay.  Knows neither libnice nor sessions.
 */


#ifndef _NGX_WEBRTC_NICE_RELAY_H_INCLUDED_
#define _NGX_WEBRTC_NICE_RELAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* servers of an agent */
#define NGX_WEBRTC_NICE_RELAYS  8

/* bytes of a reason phrase that are kept; chosen: RFC 8489's are shorter */
#define NGX_WEBRTC_NICE_REASON  64

/* bytes of a cause as text, at most */
#define NGX_WEBRTC_NICE_CAUSE   (NGX_WEBRTC_NICE_REASON + 32)


/* the best of what was heard of a server from any socket, the last one wins */
typedef enum {
    NGX_WEBRTC_NICE_RELAY_SILENT = 0,
    NGX_WEBRTC_NICE_RELAY_ASKED,          /* for credentials, which it has */
    NGX_WEBRTC_NICE_RELAY_UNREACHED,      /* TCP or ICMP: err */
    NGX_WEBRTC_NICE_RELAY_CLOSED,         /* TCP, without an answer */
    NGX_WEBRTC_NICE_RELAY_REFUSED,        /* code and reason */
    NGX_WEBRTC_NICE_RELAY_OK
} ngx_webrtc_nice_relay_e;


typedef struct {
    ngx_str_t                url;         /* as configured */
    ngx_sockaddr_t           addr;
    ngx_uint_t               tcp;
    ngx_uint_t               tried;       /* TCP: there was a socket for it */
    ngx_webrtc_nice_relay_e  state;
    ngx_err_t                err;
    ngx_uint_t               code;
    size_t                   reason_len;
    u_char                   reason[NGX_WEBRTC_NICE_REASON];
} ngx_webrtc_nice_relay_t;


typedef struct {
    ngx_webrtc_nice_relay_t  relay[NGX_WEBRTC_NICE_RELAYS];
    ngx_uint_t               n;
    ngx_uint_t               failed;      /* a connection, at once */
} ngx_webrtc_nice_relays_t;


/* what is known of one socket; zeroed at first */
typedef struct {
    uint32_t                 asked[NGX_WEBRTC_NICE_RELAYS];
    ngx_uint_t               relay;       /* TCP: 1 + number of its server */
    int                      low;         /* bytes that it waits for; 0: any */
} ngx_webrtc_nice_relay_io_t;


/*
 * Adds a server.
 *
 *   url    outlives relays
 *   addr   with its port set
 */
void ngx_webrtc_nice_relay_add(ngx_webrtc_nice_relays_t *relays,
    ngx_str_t *url, ngx_sockaddr_t *addr, ngx_uint_t tcp);

/* A new socket of the agent: errors is set to receive ICMP errors, too. */
void ngx_webrtc_nice_relay_open(ngx_webrtc_nice_relays_t *relays,
    ngx_webrtc_nice_relay_io_t *io, ngx_socket_t fd, ngx_uint_t dgram,
    ngx_uint_t errors);

/* The socket is not looked at any more. */
void ngx_webrtc_nice_relay_leave(ngx_webrtc_nice_relay_io_t *io,
    ngx_socket_t fd, ngx_uint_t dgram);

/* A datagram that has come to a socket, from sa. */
void ngx_webrtc_nice_relay_input(ngx_webrtc_nice_relays_t *relays,
    ngx_webrtc_nice_relay_io_t *io, struct sockaddr *sa, u_char *p, size_t n);

/* Takes the errors that ICMP has brought to a UDP socket. */
void ngx_webrtc_nice_relay_errors(ngx_webrtc_nice_relays_t *relays,
    ngx_socket_t fd);

/* Whether that is the address of one of the servers, over UDP. */
ngx_uint_t ngx_webrtc_nice_relay_is(ngx_webrtc_nice_relays_t *relays,
    struct sockaddr *sa);

/*
 * Looks at what waits in a TCP socket.
 *
 * NGX_OK     it may be read
 * NGX_AGAIN  it begins with a part of a message: an event comes with the rest
 */
ngx_int_t ngx_webrtc_nice_relay_stream(ngx_webrtc_nice_relays_t *relays,
    ngx_webrtc_nice_relay_io_t *io, ngx_socket_t fd);

/*
 * To be called before the results are read: marks servers over TCP that no
 * socket was ever connected or connecting to as unreached: they have refused,
 * or there is no way to them.
 */
void ngx_webrtc_nice_relay_settle(ngx_webrtc_nice_relays_t *relays);

/*
 * Prints why a server does not relay, "401 Unauthorized" or such; up to
 * NGX_WEBRTC_NICE_CAUSE bytes.
 *
 * Returns the position behind it.
 */
u_char *ngx_webrtc_nice_relay_cause(ngx_webrtc_nice_relay_t *relay, u_char *p,
    u_char *end);

/* Whether it may relay later, unchanged: no answer, no capacity, a quota. */
ngx_uint_t ngx_webrtc_nice_relay_later(ngx_webrtc_nice_relay_t *relay);


#endif /* _NGX_WEBRTC_NICE_RELAY_H_INCLUDED_ */
