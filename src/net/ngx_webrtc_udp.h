
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The UDP port of a worker: one socket per "webrtc_listen" and worker, opened
 * and kept by nginx (SO_REUSEPORT), read in batches and written in batches.
 *
 * Knows nothing of what the datagrams carry.
 */


#ifndef _NGX_WEBRTC_UDP_H_INCLUDED_
#define _NGX_WEBRTC_UDP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_addr.h"
#include "ngx_webrtc_udp_listen.h"


/* longest datagram read or sent unsegmented; chosen: above any path's MTU */
#define NGX_WEBRTC_UDP_MAX       2048


typedef struct ngx_webrtc_udp_s  ngx_webrtc_udp_t;


/*
 * A datagram has arrived.
 *
 *   path   where from, where to; valid during the call only
 *   p, n   the datagram in the receive buffer; may be modified
 */
typedef void (*ngx_webrtc_udp_input_pt)(void *ctx, ngx_webrtc_path_t *path,
    u_char *p, size_t n);

/* the datagrams of a receive batch have been delivered */
typedef void (*ngx_webrtc_udp_done_pt)(void *ctx);

/* the socket takes data again after ngx_webrtc_udp_reserve() returned NULL */
typedef void (*ngx_webrtc_udp_writable_pt)(void *ctx);

/*
 * The worker has reached worker_shutdown_timeout: everything that keeps it
 * alive has to end now.
 */
typedef void (*ngx_webrtc_udp_shutdown_pt)(void *ctx);


typedef struct {
    ngx_webrtc_udp_input_pt      input;
    ngx_webrtc_udp_done_pt       done;
    ngx_webrtc_udp_writable_pt   writable;
    ngx_webrtc_udp_shutdown_pt   shutdown;
    void                        *ctx;
    ngx_flag_t                   gso;         /* 0: never use UDP_SEGMENT */
} ngx_webrtc_udp_conf_t;


typedef struct {
    uint64_t                     rx_packets;
    uint64_t                     rx_dropped;    /* truncated, other family */
    uint64_t                     tx_packets;
    uint64_t                     tx_bytes;
    uint64_t                     tx_calls;      /* system calls made */
    uint64_t                     tx_failed;     /* packets the kernel refused */
    uint64_t                     tx_blocked;    /* times the socket was full */
} ngx_webrtc_udp_stat_t;


/*
 * Takes over this worker's sockets, in init_process.
 *
 * Returns the port or NULL; it is allocated from the cycle's pool and ended
 * with ngx_webrtc_udp_done().
 */
ngx_webrtc_udp_t *ngx_webrtc_udp_init(ngx_cycle_t *cycle,
    ngx_webrtc_udp_conf_t *conf);

/*
 * Keeps reading, in a worker that is shutting down and whose sockets no other
 * worker has.
 */
void ngx_webrtc_udp_read_on(ngx_webrtc_udp_t *udp);

/* Sends what is batched as far as it goes and closes the sockets. */
void ngx_webrtc_udp_done(ngx_webrtc_udp_t *udp);

/*
 * Sends one datagram at once, past the batch.  A full socket drops it, as the
 * network would: for STUN, DTLS and RTCP, which are repeated.
 */
void ngx_webrtc_udp_send(ngx_webrtc_udp_t *udp, ngx_webrtc_path_t *path,
    u_char *p, size_t n);

/*
 * Room for one datagram of the batch.
 *
 *   path   where to; read by the time of ngx_webrtc_udp_commit()
 *   size   most bytes that will be written, up to NGX_WEBRTC_UDP_MAX
 *
 * Returns where to write, or NULL when the socket is full: conf->writable will
 * be called.  The room is dropped unless ngx_webrtc_udp_commit() follows
 * before anything else is asked of the port.
 */
u_char *ngx_webrtc_udp_reserve(ngx_webrtc_udp_t *udp, size_t size);

/*
 * Adds n bytes that were written to the reserved room to the batch.  Datagrams
 * of one path that follow each other leave as one message while their sizes
 * are equal (UDP_SEGMENT).
 */
void ngx_webrtc_udp_commit(ngx_webrtc_udp_t *udp, ngx_webrtc_path_t *path,
    size_t n);

/* Sends the batch; what the socket does not take now is kept and sent later. */
void ngx_webrtc_udp_flush(ngx_webrtc_udp_t *udp);

ngx_webrtc_udp_stat_t *ngx_webrtc_udp_stat(ngx_webrtc_udp_t *udp);


#endif /* _NGX_WEBRTC_UDP_H_INCLUDED_ */
