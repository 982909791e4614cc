
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Per-process state: the port, the inbox, the sessions, the roles.  Set up and
 * ended by ngx_webrtc_worker.c.
 */


#ifndef _NGX_WEBRTC_WORKER_STATE_H_INCLUDED_
#define _NGX_WEBRTC_WORKER_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_time.h"
#include "ngx_webrtc_role.h"
#include "ngx_webrtc_twin.h"
#include "ngx_webrtc_udp.h"
#include "ngx_webrtc_tcp.h"
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_bus_peers.h"
#include "ngx_webrtc_bus_figures.h"
#include "ngx_webrtc_bus_inbox.h"
#include "ngx_webrtc_ice.h"
#include "ngx_webrtc_dtls.h"
#include "ngx_webrtc_srtp_gcm.h"


/* buckets of the table of addresses, a power of two; chosen: a few thousand
 * sessions stay near one per bucket, 128 kB per worker */
#define NGX_WEBRTC_PATHS           8192

/* ms; chosen: slots expire at most a quarter second late */
#define NGX_WEBRTC_WORKER_TICK     250


typedef struct {
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_dtls_conf_t      *dtls;
    ngx_flag_t                   gso;
    const ngx_webrtc_srtp_gcm_t *crypto;      /* NULL: the fastest */
    ngx_webrtc_role_conf_t      *roles;       /* ends with NULL; for init() */

    /* a session with full ICE has another candidate, or all of them */
    void                       (*on_ice)(void *ctx, uint64_t ref,
                                     ngx_uint_t gathered);

    /* the answer to ngx_webrtc_worker_ask(): an SDP fragment */
    void                       (*on_candidates)(void *ctx, uint64_t ref,
                                     u_char *p, size_t n);
    ngx_msec_t                   shutdown;    /* worker_shutdown_timeout or 0 */

    /* a stream has news or a housekeeping second has passed (st is NULL);
     * called when the viewers have been served */
    void                       (*on_stream)(void *ctx,
                                     ngx_webrtc_stream_t *st);

    /* viewers want a key frame of a variant, or of what is fed, here;
     * ngx_webrtc_bus_keyframe_done() follows */
    void                       (*on_keyframe)(void *ctx,
                                     ngx_webrtc_stream_t *st);

    /* so many sessions in a row were answered but got no check, this slot's
     * being the last; at most once a minute */
    void                       (*on_unheard)(void *ctx,
                                     ngx_webrtc_peer_t *peer, ngx_uint_t row);

    /* a slot of ours that has no session is to be closed, NGX_WEBRTC_WHY_* */
    void                       (*on_tell)(void *ctx, uint64_t ref,
                                     ngx_uint_t why);

    /*
     * A session has ended, or one that never connected: what is known of it
     * (peer, about or NULL, valid during the call), and why.
     */
    void                       (*on_end)(void *ctx, ngx_webrtc_peer_t *peer,
                                     ngx_webrtc_peer_about_t *about,
                                     const char *reason);

    /* a session has been up for another notify_ms */
    void                       (*on_notify)(void *ctx,
                                     ngx_webrtc_peer_t *peer);

    /* a stream that this worker feeds has media; it had, and the worker is
     * about to give up its claim */
    void                       (*on_up)(void *ctx, ngx_webrtc_stream_t *st);
    void                       (*on_down)(void *ctx, ngx_webrtc_stream_t *st);

    /* does something else keep a worker that is shutting down? */
    ngx_uint_t                 (*busy)(void *ctx);
    void                        *ctx;
} ngx_webrtc_worker_conf_t;


struct ngx_webrtc_worker_s {
    ngx_webrtc_worker_conf_t     conf;
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_udp_t            *udp;
    ngx_webrtc_tcp_t            *tcp;
    ngx_webrtc_twin_t           *twin;
    ngx_webrtc_inbox_t          *inbox;
    ngx_webrtc_ice_agent_t      *ice;

    ngx_log_t                   *log;

    ngx_queue_t                  sessions;
    ngx_uint_t                   nsessions;
    uint64_t                     now_us;      /* of the receive batch; 0: not
                                                 read yet */
    uint64_t                     cut;         /* datagrams too long, counted */

    ngx_event_t                  timer;       /* housekeeping, cancelable */
    ngx_uint_t                   ticks;
    ngx_msec_t                   exiting;     /* when that was noticed */
    ngx_uint_t                   next;        /* worker that succeeds us then */
    ngx_uint_t                   orphan;      /* nobody else has our sockets */
    ngx_uint_t                   left;        /* clients were told to leave */
    ngx_uint_t                   ending;      /* in exit_process */

    ngx_webrtc_figures_t         figures;     /* not added to the zone's yet */
    ngx_webrtc_worker_figures_t  told;
    ngx_webrtc_rate_t            cpu;
    ngx_msec_t                   due;         /* when the timer should come */
    ngx_msec_t                   late;        /* by how much it was, at most */

    ngx_webrtc_role_slot_t       roles[NGX_WEBRTC_PEER_ROLES];
                                              /* by NGX_WEBRTC_PEER_* */

    ngx_queue_t                  paths[NGX_WEBRTC_PATHS];
};


/* The time of the receive batch that is under way, ngx_webrtc_time_now(). */
static ngx_inline uint64_t
ngx_webrtc_worker_now(ngx_webrtc_worker_t *wk)
{
    if (wk->now_us == 0) {
        wk->now_us = ngx_webrtc_time_now();
    }

    return wk->now_us;
}


#endif /* _NGX_WEBRTC_WORKER_STATE_H_INCLUDED_ */
