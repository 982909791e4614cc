
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Two binaries on one port.  From USR2 of a binary upgrade until the old master
 * has gone, or the new one after a rollback, the workers of both have the same
 * sockets, and each has sessions that the other knows nothing of.  Datagrams
 * that are not for this binary are passed on to the other one.
 *
 * Knows nothing of what the datagrams carry.
 */


#ifndef _NGX_WEBRTC_TWIN_H_INCLUDED_
#define _NGX_WEBRTC_TWIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_addr.h"


typedef struct ngx_webrtc_twin_s  ngx_webrtc_twin_t;


typedef struct {
    /*
     * A datagram that the other binary has passed on.
     *
     *   path   as if it had come from the port; valid during the call only
     *   p, n   the datagram; may be modified
     */
    void       (*input)(void *ctx, ngx_webrtc_path_t *path, u_char *p,
                     size_t n);

    /* the datagrams that came together have been delivered */
    void       (*done)(void *ctx);

    void        *ctx;
} ngx_webrtc_twin_conf_t;


/*
 * To be called when the configuration is read: the parent of this master, if it
 * is an nginx, is the old master of an upgrade.
 */
void ngx_webrtc_twin_master(void);

/*
 * To be called in init_process, before anything is read from the port.
 *
 * Returns the twin, ended with ngx_webrtc_twin_done(); NULL after logging.
 */
ngx_webrtc_twin_t *ngx_webrtc_twin_init(ngx_cycle_t *cycle,
    ngx_webrtc_twin_conf_t *conf);

void ngx_webrtc_twin_done(ngx_webrtc_twin_t *twin);

/*
 * Passes a datagram on; it leaves with ngx_webrtc_twin_flush() at the latest.
 * What the other binary has no room for is dropped, as the network would.
 *
 * NGX_OK; NGX_DECLINED when there is no other binary
 */
ngx_int_t ngx_webrtc_twin_pass(ngx_webrtc_twin_t *twin,
    ngx_webrtc_path_t *path, u_char *p, size_t n);

void ngx_webrtc_twin_flush(ngx_webrtc_twin_t *twin);

/*
 * Looks for the other binary; to be called from a timer.
 *
 *   leave   another worker of this binary reads our sockets from now on, and
 *           takes our place
 */
void ngx_webrtc_twin_tick(ngx_webrtc_twin_t *twin, ngx_uint_t leave);

/*
 * The pid of the other binary's master, if it was heard since the last call, or
 * 0.
 */
uint32_t ngx_webrtc_twin_heard(ngx_webrtc_twin_t *twin);

/* Another worker of this binary has heard that pid; 0: none has. */
void ngx_webrtc_twin_know(ngx_webrtc_twin_t *twin, uint32_t pid);

/* Is there another binary? */
ngx_uint_t ngx_webrtc_twin_there(ngx_webrtc_twin_t *twin);

/*
 * Whether there is another binary, none of whose workers has our sockets, as it
 * has fewer workers.
 */
ngx_uint_t ngx_webrtc_twin_fewer(ngx_webrtc_twin_t *twin);


#endif /* _NGX_WEBRTC_TWIN_H_INCLUDED_ */
