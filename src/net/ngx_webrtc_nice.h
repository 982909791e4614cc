
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Full ICE: an agent of libnice for one session, with sockets of its own.  One
 * stream, one component (BUNDLE and rtcp-mux).  Driven by nginx's event loop:
 * no GLib loop runs; for threads see ngx_webrtc_nice.c.
 *
 * RFC 8445 (ICE), RFC 8838 (trickle), RFC 8656 (TURN), RFC 7675 (consent).
 */


#ifndef _NGX_WEBRTC_NICE_H_INCLUDED_
#define _NGX_WEBRTC_NICE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_sdp.h"
#include "ngx_webrtc_ice_filter.h"
#include "ngx_webrtc_nice_relay.h"


/* local addresses of an agent; chosen: a socket and a connection each */
#define NGX_WEBRTC_NICE_ADDRS       16

/* STUN and TURN servers of an agent; chosen: a relayed candidate per address */
#define NGX_WEBRTC_NICE_SERVERS     NGX_WEBRTC_NICE_RELAYS

/* candidates that we tell, and that we take from the peer until it restarts */
#define NGX_WEBRTC_NICE_CANDIDATES  32

/* addresses that the peer may be heard from without having told them, until it
 * restarts; chosen: of a NAT that rebinds every minute for eight hours, and
 * what libnice keeps of them is 150 kB */
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
 * What an agent is made of and whom it calls.  All callbacks come from
 * nginx's event loop, and may call anything here but what is said otherwise.
 *
 *   input      a datagram of the selected pair or of any valid one; p may be
 *              modified
 *   answer     a success response of STUN (RFC 8489), not one to libnice, which
 *              drops those that it has not asked for; p may not be modified
 *   done       the datagrams that were waiting have been given out
 *   state      NGX_WEBRTC_NICE_CONNECTED or _FAILED, each may come again
 *   candidate  there is another local candidate
 *   gathered   there will be no more
 *   reflexive  an authentic check has come from an address that the peer has
 *              not told; n have since the last restart
 */
typedef struct {
    void               (*input)(void *ctx, u_char *p, size_t n);
    void               (*answer)(void *ctx, u_char *p, size_t n);
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


/*
 * Makes an agent and begins to gather.
 *
 *   conf   what it points to is not needed afterwards, but for log and ctx
 *
 * Returns the agent, ended with ngx_webrtc_nice_close(); NULL after logging.
 * Callbacks come after it has returned.
 */
ngx_webrtc_nice_t *ngx_webrtc_nice_create(ngx_webrtc_nice_conf_t *conf);

/*
 * Are there connections left for an agent, and for others than agents?
 *
 * NGX_OK, NGX_ERROR after logging
 */
ngx_int_t ngx_webrtc_nice_room(ngx_log_t *log);

/*
 * Has the process the descriptors that an agent cannot be made without?
 *
 * NGX_OK, NGX_ERROR after logging
 */
ngx_int_t ngx_webrtc_nice_spare(ngx_log_t *log);

/*
 * Ends an agent; may be called from its callbacks, and no callback comes any
 * more.  Its allocations on TURN servers are given back, for which it lives on
 * for up to three seconds.
 */
void ngx_webrtc_nice_close(ngx_webrtc_nice_t *nice);

/* Ends, at once, what ngx_webrtc_nice_close() left: for exit_process. */
void ngx_webrtc_nice_done(void);

/*
 * The peer's credentials, of the offer or of a restart.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_nice_remote(ngx_webrtc_nice_t *nice, ngx_str_t *ufrag,
    ngx_str_t *pwd);

/*
 * RFC 8445, 9.  New credentials of ours; the peer's and its candidates have to
 * follow.  The selected pair is used until another one is nominated.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_nice_restart(ngx_webrtc_nice_t *nice, ngx_str_t *ufrag,
    ngx_str_t *pwd);

/*
 * A candidate of the peer.  Names (mDNS, .local), TCP and other components than
 * the first are skipped in silence; so is what is over the limit.  An address
 * that the filter does not allow is skipped, too, which the log tells once.
 *
 * NGX_OK; NGX_DECLINED when skipped
 */
ngx_int_t ngx_webrtc_nice_add(ngx_webrtc_nice_t *nice,
    const ngx_webrtc_sdp_candidate_t *cand);

/*
 * Local candidates as they are known now, best first.
 *
 *   cand   room for max of them; text is from the pool
 *
 * Returns their number.
 */
ngx_uint_t ngx_webrtc_nice_candidates(ngx_webrtc_nice_t *nice,
    ngx_pool_t *pool, ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t max);

/* whether gathering is over */
ngx_uint_t ngx_webrtc_nice_gathered(ngx_webrtc_nice_t *nice);

/* Is there a relayed candidate? */
ngx_uint_t ngx_webrtc_nice_relayed(ngx_webrtc_nice_t *nice);

/* What the TURN servers have answered so far; NULL: there are none. */
ngx_webrtc_nice_relays_t *ngx_webrtc_nice_relays(ngx_webrtc_nice_t *nice);

/*
 * Sends one datagram over the selected pair.  What cannot be sent now is
 * dropped, as the network would.
 */
void ngx_webrtc_nice_send(ngx_webrtc_nice_t *nice, u_char *p, size_t n);

/*
 * Room for one datagram of up to NGX_WEBRTC_NICE_MAX bytes, sent by
 * ngx_webrtc_nice_commit(); dropped unless that follows before anything else
 * is asked of any agent.
 */
u_char *ngx_webrtc_nice_reserve(ngx_webrtc_nice_t *nice, size_t size);
void ngx_webrtc_nice_commit(ngx_webrtc_nice_t *nice, size_t n);

/*
 * The addresses of the peer beside the selected one, those that were heard last
 * first: candidates of its, and where authentic checks have come from.
 *
 *   others   room for max of them
 *
 * Returns their number; 0 where what we send is relayed.
 */
ngx_uint_t ngx_webrtc_nice_others(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_other_t *others, ngx_uint_t max);

/* Whether answer() is to be called: the caller has asked, or knows enough. */
void ngx_webrtc_nice_expect(ngx_webrtc_nice_t *nice, ngx_uint_t answers);

/*
 * Can answer() not be called?  So it is where the selected pair is relayed over
 * TCP: nobody but libnice can read its stream.
 */
ngx_uint_t ngx_webrtc_nice_deaf(ngx_webrtc_nice_t *nice);

/* Sends one datagram there, from the socket of the selected pair. */
void ngx_webrtc_nice_ask(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_other_t *other, u_char *p, size_t n);

/*
 * Sends there from now on, until libnice selects a pair.  The caller knows that
 * the peer receives there.
 */
void ngx_webrtc_nice_move(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_other_t *other);

/*
 * Prints the selected pair, "1.2.3.4:5 host 6.7.8.9:10 relay" (local, remote).
 *
 * Returns the position behind it; p when there is none or no room.
 */
u_char *ngx_webrtc_nice_pair(ngx_webrtc_nice_t *nice, u_char *p, u_char *end);


#endif /* _NGX_WEBRTC_NICE_H_INCLUDED_ */
