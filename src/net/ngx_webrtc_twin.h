
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Two binaries on one port.  From USR2 of a binary upgrade until the old master
 * has gone, or the new one after a rollback, the workers of both have the same
 * sockets, and each has sessions that the other knows nothing of.  What is not
 * of this binary is passed on to the other one.
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

    /* those that came together have been given out */
    void       (*done)(void *ctx);

    void        *ctx;
} ngx_webrtc_twin_conf_t;


/*
 * When the configuration is read: who has started this master is the old one of
 * an upgrade, if it is any nginx.
 */
void ngx_webrtc_twin_master(void);

/*
 * In init_process, before anything is read from the port.
 *
 * Returns what ngx_webrtc_twin_done() ends; NULL after logging.
 */
ngx_webrtc_twin_t *ngx_webrtc_twin_init(ngx_cycle_t *cycle,
    ngx_webrtc_twin_conf_t *conf);

void ngx_webrtc_twin_done(ngx_webrtc_twin_t *twin);

/*
 * Passes a datagram on; it leaves with ngx_webrtc_twin_flush() at the latest.
 * What the other one has no room for is dropped, as the network would.
 *
 * NGX_OK; NGX_DECLINED when there is no other binary
 */
ngx_int_t ngx_webrtc_twin_pass(ngx_webrtc_twin_t *twin,
    ngx_webrtc_path_t *path, u_char *p, size_t n);

void ngx_webrtc_twin_flush(ngx_webrtc_twin_t *twin);

/*
 * Looks who is there; call it from a timer.
 *
 *   leave   another worker of this binary reads our sockets from now on, and
 *           takes our place
 */
void ngx_webrtc_twin_tick(ngx_webrtc_twin_t *twin, ngx_uint_t leave);

/*
 * The pid of the other binary's master, if it was heard since this was asked;
 * or 0.
 */
uint32_t ngx_webrtc_twin_heard(ngx_webrtc_twin_t *twin);

/* Another worker of this binary has heard it; 0: nobody has. */
void ngx_webrtc_twin_know(ngx_webrtc_twin_t *twin, uint32_t pid);

/* Is there another binary? */
ngx_uint_t ngx_webrtc_twin_there(ngx_webrtc_twin_t *twin);

/*
 * Is there another binary, none of whose workers has our sockets?  It has fewer
 * workers.
 */
ngx_uint_t ngx_webrtc_twin_fewer(ngx_webrtc_twin_t *twin);


#endif /* _NGX_WEBRTC_TWIN_H_INCLUDED_ */
