
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a worker process has of WebRTC: its UDP port, its inbox, its sessions
 * by address and by stream.  Decides where a datagram belongs.
 */


#ifndef _NGX_WEBRTC_WORKER_H_INCLUDED_
#define _NGX_WEBRTC_WORKER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_udp.h"
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_bus_peers.h"
#include "ngx_webrtc_bus_inbox.h"
#include "ngx_webrtc_ice.h"
#include "ngx_webrtc_dtls.h"
#include "ngx_webrtc_role.h"


/* buckets of the table of addresses, a power of two; chosen: a few thousand
 * sessions stay near one per bucket, 128 kB per worker */
#define NGX_WEBRTC_WORKER_PATHS    8192

/* ms; chosen: slots expire within a quarter second of their time */
#define NGX_WEBRTC_WORKER_TICK     250



typedef struct {
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_dtls_conf_t      *dtls;
    ngx_flag_t                   gso;
    ngx_webrtc_role_conf_t      *roles;       /* ends with NULL */

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

    /* so many sessions in a row were answered and sent no check, the last of
     * which is this slot's; at most once a minute */
    void                       (*on_unheard)(void *ctx,
                                     ngx_webrtc_peer_t *peer, ngx_uint_t row);

    /* does something else keep a worker that is shutting down? */
    ngx_uint_t                 (*busy)(void *ctx);
    void                        *ctx;
} ngx_webrtc_worker_conf_t;


/* one address of a session */
typedef struct {
    ngx_queue_t                  queue;       /* of wk->paths[] */
    ngx_webrtc_session_t        *session;     /* NULL: unused */
    ngx_webrtc_path_t            path;
    ngx_msec_t                   checked;     /* time of the last check */
    ngx_uint_t                   checks;      /* since the current path's */
    size_t                       budget;      /* bytes that may be sent there */
    unsigned                     proven:1;    /* the peer receives there, and
                                                 there is no such limit */
    unsigned                     deaf:1;      /* it does not answer */
} ngx_webrtc_worker_path_t;


struct ngx_webrtc_worker_s {
    ngx_webrtc_worker_conf_t     conf;
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_udp_t            *udp;
    ngx_webrtc_inbox_t          *inbox;
    ngx_webrtc_ice_agent_t      *ice;

    ngx_log_t                   *log;

    ngx_queue_t                  sessions;
    ngx_uint_t                   nsessions;
    uint64_t                     cut;         /* datagrams too long, counted */

    ngx_event_t                  timer;       /* housekeeping, cancelable */
    ngx_uint_t                   ticks;
    ngx_msec_t                   exiting;     /* time it was found to be */
    ngx_uint_t                   orphan;      /* nobody else has our sockets */
    ngx_uint_t                   left;        /* clients were told to leave */

    ngx_webrtc_role_slot_t       roles[NGX_WEBRTC_ROLES];
                                              /* by NGX_WEBRTC_PEER_* */

    ngx_queue_t                  paths[NGX_WEBRTC_WORKER_PATHS];
};


/* the row of a slot's role, or NULL */
#define ngx_webrtc_worker_role(wk, id)                                        \
    ((id) < NGX_WEBRTC_ROLES ? (wk)->roles[id].role : NULL)


/*
 * Makes this process a worker of the zone, in init_process.
 *
 * Returns the worker, ended with ngx_webrtc_worker_done(); NULL after logging.
 */
ngx_webrtc_worker_t *ngx_webrtc_worker_init(ngx_cycle_t *cycle,
    ngx_webrtc_worker_conf_t *conf);

/* Ends all sessions and leaves the zone, in exit_process. */
void ngx_webrtc_worker_done(ngx_webrtc_worker_t *wk);

/*
 * Ends a session, whichever worker has it.
 *
 * NGX_OK; NGX_DECLINED when there is none of that id
 */
ngx_int_t ngx_webrtc_worker_close(ngx_webrtc_worker_t *wk, ngx_str_t *id);

/*
 * Tells the owner of a CLAIMED slot, which may be this worker, to end its
 * session.
 *
 *   reason   static text for the log, when it is ours
 */
void ngx_webrtc_worker_tell_close(ngx_webrtc_worker_t *wk,
    ngx_webrtc_peer_info_t *info, const char *reason);

/* Tells the owner of a slot, if it has one, that the slot was changed. */
void ngx_webrtc_worker_tell_changed(ngx_webrtc_worker_t *wk,
    ngx_webrtc_peer_info_t *info);

/*
 * Gives an SDP fragment with the peer's candidates (RFC 8840) to the owner of a
 * CLAIMED slot with full ICE, which may be this worker.
 *
 *   text   whole fragment, parsed before; less than NGX_WEBRTC_INBOX_TEXT bytes
 *
 * NGX_OK
 * NGX_AGAIN     the owner's inbox is full: the client has to try again
 * NGX_DECLINED  it is too long, or the owner is gone
 */
ngx_int_t ngx_webrtc_worker_trickle(ngx_webrtc_worker_t *wk,
    ngx_webrtc_peer_info_t *info, ngx_str_t *text);

/*
 * Asks the owner of a slot with full ICE, another worker, for its candidates.
 * wk->conf.on_candidates() gets them, soon or never.
 *
 * NGX_OK; otherwise it cannot be asked
 */
ngx_int_t ngx_webrtc_worker_ask(ngx_webrtc_worker_t *wk,
    ngx_webrtc_peer_info_t *info);

/* A receive batch is over: for roles, the inbox and the port. */
void ngx_webrtc_worker_batch(ngx_webrtc_worker_t *wk);

/* A stream has news: tells the roles here, and whoever waits. */
void ngx_webrtc_worker_serve(ngx_webrtc_worker_t *wk, ngx_webrtc_stream_t *st);

/* session of a 4-tuple, or NULL */
ngx_webrtc_worker_path_t *ngx_webrtc_worker_find(ngx_webrtc_worker_t *wk,
    ngx_webrtc_path_t *path);

/* Puts an address of a session into the table, or takes it out. */
void ngx_webrtc_worker_add_path(ngx_webrtc_worker_t *wk,
    ngx_webrtc_worker_path_t *wp);
void ngx_webrtc_worker_remove_path(ngx_webrtc_worker_path_t *wp);


#endif /* _NGX_WEBRTC_WORKER_H_INCLUDED_ */
