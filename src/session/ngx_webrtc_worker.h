
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A worker process: its start and end, and requests about a session that it or
 * another worker has.
 */


#ifndef _NGX_WEBRTC_WORKER_H_INCLUDED_
#define _NGX_WEBRTC_WORKER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_worker_state.h"


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
 * Ends a session of any worker; not from one of its callbacks.
 *
 *   ref   of its slot
 *   why   NGX_WEBRTC_WHY_*
 *
 * NGX_OK        it has ended
 * NGX_BUSY      the worker that has it is told
 * NGX_DECLINED  it is ending already, or gone
 */
ngx_int_t ngx_webrtc_worker_end(ngx_webrtc_worker_t *wk, uint64_t ref,
    ngx_uint_t why);

/*
 * Tells the owner of a CLAIMED slot, which may be this worker, to end its
 * session.
 *
 *   why   NGX_WEBRTC_WHY_*
 */
void ngx_webrtc_worker_tell_close(ngx_webrtc_worker_t *wk,
    ngx_webrtc_peer_info_t *info, ngx_uint_t why);

/* Tells the owner of a slot, if it has one, that the slot was changed. */
void ngx_webrtc_worker_tell_changed(ngx_webrtc_worker_t *wk,
    ngx_webrtc_peer_info_t *info);

/*
 * Passes an SDP fragment with the peer's candidates (RFC 8840) to the owner of
 * a CLAIMED slot with full ICE, which may be this worker.
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


#endif /* _NGX_WEBRTC_WORKER_H_INCLUDED_ */
