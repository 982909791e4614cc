
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Sessions that were answered, but whose client never sent a check: it left at
 * once, or it cannot reach us.  One such session is the client's problem, many
 * in a row are the operator's.
 */


#ifndef _NGX_WEBRTC_UNHEARD_H_INCLUDED_
#define _NGX_WEBRTC_UNHEARD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_worker_state.h"


/* sessions in a row after which wk->conf.on_unheard() is called; chosen */
#define NGX_WEBRTC_UNHEARD_ROW    3

/* ms; a client that leaves earlier has not given up on us.  Chosen: checks are
 * sent at once, pages wait longer before they give up */
#define NGX_WEBRTC_UNHEARD_LEAST  3000


/* Sets the worker's handler of slots that expire. */
void ngx_webrtc_unheard_init(ngx_webrtc_worker_t *wk);

/*
 * A session ends without a check.
 *
 *   peer   the slot, or a copy
 */
void ngx_webrtc_unheard(ngx_webrtc_worker_t *wk, ngx_webrtc_peer_t *peer);

/* The same, if the client that ends it has waited long enough. */
void ngx_webrtc_unheard_deleted(ngx_webrtc_worker_t *wk,
    ngx_webrtc_peer_t *peer);


#endif /* _NGX_WEBRTC_UNHEARD_H_INCLUDED_ */
