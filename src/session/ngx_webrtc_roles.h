
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The roles of a worker: calls the functions of each row.
 */


#ifndef _NGX_WEBRTC_ROLES_H_INCLUDED_
#define _NGX_WEBRTC_ROLES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_worker_state.h"


/* the row of a slot's role, or NULL */
#define ngx_webrtc_roles_find(wk, id)                                        \
    ((id) < NGX_WEBRTC_PEER_ROLES ? (wk)->roles[id].role : NULL)


/*
 * Begins all of wk->conf.roles.
 *
 * NGX_OK
 * NGX_ERROR  after logging; ngx_webrtc_roles_done() ends those that have begun
 */
ngx_int_t ngx_webrtc_roles_init(ngx_webrtc_worker_t *wk);

/* Ends them.  May be called twice. */
void ngx_webrtc_roles_done(ngx_webrtc_worker_t *wk);

/* Housekeeping. */
void ngx_webrtc_roles_tick(ngx_webrtc_worker_t *wk);

/* A receive batch is over: tells the roles, the inbox and the port. */
void ngx_webrtc_roles_batch(ngx_webrtc_worker_t *wk);

/* A stream has news: tells the roles, and requests that wait for it. */
void ngx_webrtc_roles_news(ngx_webrtc_worker_t *wk, ngx_webrtc_stream_t *st);

/* The port takes data again; ctx is the worker. */
void ngx_webrtc_roles_writable(void *ctx);


#endif /* _NGX_WEBRTC_ROLES_H_INCLUDED_ */
