
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * An agent of full ICE: the struct that ngx_webrtc_nice*.c share.
 */


#ifndef _NGX_WEBRTC_NICE_RUN_H_INCLUDED_
#define _NGX_WEBRTC_NICE_RUN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <nice/agent.h>
#include "ngx_webrtc_nice_batch.h"
#include "ngx_webrtc_nice_conf.h"


/* RFC 8445, 5.1.1: with rtcp-mux there is one */
#define NGX_WEBRTC_NICE_COMPONENT  1


/* ends a closed agent, to which nobody has a pointer any more; NGX_OK: it lives
 * on, and is to be ended behind each turn */
typedef ngx_int_t (*ngx_webrtc_nice_end_pt)(ngx_webrtc_nice_t *nice);

/* see ngx_webrtc_nice_answered() */
typedef void (*ngx_webrtc_nice_answered_pt)(ngx_webrtc_nice_t *nice,
    ngx_socket_t fd, struct sockaddr *sa, ngx_uint_t channel);


/* a socket of the agent's */
typedef struct {
    ngx_socket_t             fd;
    ino_t                    ino;
    short                    events;      /* that nginx watches */
    unsigned                 seen:1;
    unsigned                 dgram:1;
    unsigned                 deaf:1;      /* without a filter: not read */
    ngx_connection_t        *c;           /* NULL: there was none left */
    ngx_webrtc_nice_relay_io_t  relay;    /* while nice->watch is set */
} ngx_webrtc_nice_io_t;


struct ngx_webrtc_nice_s {
    ngx_webrtc_nice_conf_t   conf;        /* callbacks, log and flags only */
    ngx_queue_t              queue;

    NiceAgent               *agent;
    GMainContext            *context;
    guint                    stream;

    GSocket                 *socket;      /* what dst is sent from; NULL: all
                                             goes through libnice */
    ngx_webrtc_nice_dst_t    dst;         /* the peer, or a TURN server */
    ngx_uint_t               channel;     /* of that server; 0: the peer */
    ngx_uint_t               asked;       /* times that it was asked for */

    GPollFD                 *fds;         /* room for nalloc */
    ngx_webrtc_nice_io_t    *ios;         /* the same */
    ngx_uint_t               nalloc;
    ngx_uint_t               nios;

    ngx_webrtc_nice_end_pt   end;
    ngx_webrtc_nice_answered_pt  answered;
    ngx_event_t              timer;
    ngx_event_t              post;

    ngx_webrtc_nice_relays_t  *turn;      /* NULL: there is no such server */

    ngx_uint_t               state;       /* last one reported */
    ngx_uint_t               news;        /* to be reported, 0: nothing */
    ngx_webrtc_ice_rule_t    servers[NGX_WEBRTC_ICE_FILTER_SERVERS];
    ngx_uint_t               nservers;

    ngx_uint_t               nremote;
    ngx_uint_t               nreflexive;

    ngx_uint_t               fresh;       /* requests sent over this pair */

    ngx_msec_t               due;         /* when it is pruned, or again */
    ngx_uint_t               prunings;    /* under way */

    ngx_msec_t               rest;        /* see ngx_webrtc_nice_rest() */
    ngx_msec_t               rested;      /* resting is over */

    unsigned                 resting:1;   /* nothing is read */
    unsigned                 corked:1;    /* streams of ios are */
    unsigned                 paired:1;    /* there is a new pair */
    unsigned                 moved:1;     /* dst is not what libnice has */
    unsigned                 reflexive:1; /* to be told */
    unsigned                 left_out:1;  /* a candidate, the log has it */
    unsigned                 watch:1;     /* what TURN servers answer */
    unsigned                 expect:1;    /* answers to requests of ours */
    unsigned                 up:1;        /* CONNECTED or READY */
    unsigned                 lost:1;      /* the pair, until there is one */
    unsigned                 candidate:1; /* to be told */
    unsigned                 gathered:1;
    unsigned                 pruned:1;    /* has none any more */
    unsigned                 told:1;      /* that it has gathered */
    unsigned                 input:1;     /* there was some in this turn */
    unsigned                 driving:1;
    unsigned                 tcp:1;       /* what is sent may need events */
    unsigned                 relays:1;
    unsigned                 closed:1;    /* no callback is called any more */
    unsigned                 ended:1;     /* lives on for its allocations */
    unsigned                 starved:1;
    unsigned                 deaf:1;      /* one of ios is */
};


#endif /* _NGX_WEBRTC_NICE_RUN_H_INCLUDED_ */
