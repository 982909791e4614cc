
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The addresses of all sessions of a worker.
 */


#ifndef _NGX_WEBRTC_PATHS_H_INCLUDED_
#define _NGX_WEBRTC_PATHS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_worker_state.h"


/* one address of a session */
typedef struct {
    ngx_queue_t                  queue;       /* of wk->paths[] */
    ngx_webrtc_session_t        *session;     /* NULL: unused */
    ngx_webrtc_path_t            path;
    ngx_msec_t                   checked;     /* time of its last check */
    ngx_uint_t                   checks;      /* since the current path's */
    ngx_uint_t                   nominations; /* the same, of a connection */
    size_t                       budget;      /* bytes that may be sent there */
    unsigned                     proven:1;    /* the peer receives there, and
                                                 there is no such limit */
    unsigned                     deaf:1;      /* it does not answer */
} ngx_webrtc_paths_entry_t;


/* session of a 4-tuple, or NULL */
ngx_webrtc_paths_entry_t *ngx_webrtc_paths_find(ngx_webrtc_worker_t *wk,
    ngx_webrtc_path_t *path);

/* Adds an address of a session to the table, or removes it. */
void ngx_webrtc_paths_add(ngx_webrtc_worker_t *wk,
    ngx_webrtc_paths_entry_t *wp);
void ngx_webrtc_paths_remove(ngx_webrtc_paths_entry_t *wp);


#endif /* _NGX_WEBRTC_PATHS_H_INCLUDED_ */
