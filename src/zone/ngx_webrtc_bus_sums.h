
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What is added up over all sessions, and told of each worker; what is done
 * with it is in ngx_webrtc_bus_figures.h.
 */


#ifndef _NGX_WEBRTC_BUS_SUMS_H_INCLUDED_
#define _NGX_WEBRTC_BUS_SUMS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bounds of a histogram, without the infinite one */
#define NGX_WEBRTC_FIGURES_BOUNDS  10


/*
 * What a session is for.  Slots keep it in shared memory that survives a
 * reload: append only.
 */

enum ngx_webrtc_peer_role_e {
    NGX_WEBRTC_PEER_PLAY = 1,
    NGX_WEBRTC_PEER_PUBLISH,
    NGX_WEBRTC_PEER_FILES,
    NGX_WEBRTC_PEER_PUSH,                     /* we offer, and send */
    NGX_WEBRTC_PEER_ROLES
};


typedef enum {
    NGX_WEBRTC_FIGURE_SESSIONS = 0,           /* answered with 201 */
    NGX_WEBRTC_FIGURE_CONNECTED,              /* DTLS came up */
    NGX_WEBRTC_FIGURE_ENDED,
    NGX_WEBRTC_FIGURE_PACKETS_OUT,
    NGX_WEBRTC_FIGURE_BYTES_OUT,
    NGX_WEBRTC_FIGURE_PACKETS_IN,
    NGX_WEBRTC_FIGURE_BYTES_IN,
    NGX_WEBRTC_FIGURE_LOST_IN,
    NGX_WEBRTC_FIGURE_RESENT,
    NGX_WEBRTC_FIGURE_NACKS,
    NGX_WEBRTC_FIGURE_PLIS,
    NGX_WEBRTC_FIGURE_LAPPED,
    NGX_WEBRTC_FIGURES
} ngx_webrtc_figure_e;


typedef enum {
    NGX_WEBRTC_HISTOGRAM_SETUP = 0,           /* ms, from POST to DTLS */
    NGX_WEBRTC_HISTOGRAM_FIRST,               /* ms, to the first packet sent */
    NGX_WEBRTC_HISTOGRAM_RTT,                 /* us, each second */
    NGX_WEBRTC_HISTOGRAM_LOSS,                /* 1/256 of packets, each second,
                                                 of those that are connected */
    NGX_WEBRTC_HISTOGRAMS
} ngx_webrtc_histogram_e;


typedef struct {
    uint64_t                 sum;
    uint64_t                 n[NGX_WEBRTC_FIGURES_BOUNDS + 1];
                                              /* each on its own; the last: more
                                                 than all bounds */
} ngx_webrtc_histogram_t;


typedef struct {
    uint64_t                 roles[NGX_WEBRTC_PEER_ROLES]
                                  [NGX_WEBRTC_FIGURES];
    ngx_webrtc_histogram_t   histograms[NGX_WEBRTC_HISTOGRAMS];
} ngx_webrtc_figures_t;


/* of a worker, as it was last told; since the process began */
typedef struct {
    uint64_t                 pid;             /* 0: nothing was told yet */
    uint64_t                 sessions;
    uint64_t                 roles[NGX_WEBRTC_PEER_ROLES];
    uint64_t                 cpu_us;          /* user and system */
    uint64_t                 cpu_percent;     /* of one core, of the last
                                                 seconds */
    uint64_t                 late_ms;         /* how late the loop came to its
                                                 timer, at most, in the last
                                                 second */
    uint64_t                 inbox_dropped;
    uint64_t                 inbox_in;        /* messages with datagrams */
    uint64_t                 inbox_out;
    uint64_t                 rx_packets;      /* of the UDP port and TCP */
    uint64_t                 tx_packets;
    uint64_t                 tx_bytes;
    uint64_t                 tx_failed;
    uint64_t                 tx_blocked;
    uint64_t                 tcp_sessions;    /* connections of sessions, now */
    uint64_t                 tcp_pending;     /* others, now */
    uint64_t                 tcp_accepted;
    uint64_t                 tcp_refused;     /* too many, or no check came */
    uint64_t                 tcp_blocked;     /* times that one was full */
    uint64_t                 tcp_dropped;     /* datagrams not taken */
} ngx_webrtc_worker_figures_t;


#endif /* _NGX_WEBRTC_BUS_SUMS_H_INCLUDED_ */
