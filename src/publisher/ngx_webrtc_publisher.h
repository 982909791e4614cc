
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A publisher: what its role keeps.  Its packets are taken by ingest.
 */


#ifndef _NGX_WEBRTC_PUBLISHER_H_INCLUDED_
#define _NGX_WEBRTC_PUBLISHER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_ingest.h"
#include "ngx_webrtc_session.h"


/* per-worker state of publishers */
typedef struct {
    ngx_webrtc_worker_t         *worker;
    ngx_queue_t                  dirty;       /* have written, in this batch, */
    ngx_queue_t                  told;        /* and viewers know */
} ngx_webrtc_publisher_worker_t;


/* s->part of a publisher */
typedef struct {
    ngx_webrtc_ingest_t          in;
    ngx_webrtc_session_t        *session;
    ngx_uint_t                   tries;       /* to claim the stream */
    unsigned                     claimed:1;
} ngx_webrtc_publisher_t;


#endif /* _NGX_WEBRTC_PUBLISHER_H_INCLUDED_ */
