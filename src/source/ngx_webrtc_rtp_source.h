
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Plain RTP from outside feeds a stream: sockets, their sender, RTCP.  What
 * comes goes to ingest.
 */


#ifndef _NGX_WEBRTC_RTP_SOURCE_H_INCLUDED_
#define _NGX_WEBRTC_RTP_SOURCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_legs.h"


typedef struct ngx_webrtc_rtp_source_s  ngx_webrtc_rtp_source_t;


/* it cannot go on, and is to be closed; static text */
typedef void (*ngx_webrtc_rtp_source_failed_pt)(void *data,
    const char *reason);


/*
 * Opens the sockets of the legs: those of RTP, and of RTCP on the next ports.
 * Each takes one of worker_connections.
 *
 *   st       the caller has a claim of kind RTP on it, and a hold, and keeps
 *            both until it has been closed
 *   failed   called from the event loop, never from within open()
 *   log      parent, lives longer
 *   cause    on failure: static text
 *   err      likewise, or 0; NGX_EADDRINUSE: a port is taken
 *
 * NULL on failure, which is not logged.
 */
ngx_webrtc_rtp_source_t *ngx_webrtc_rtp_source_open(
    const ngx_webrtc_legs_t *legs, const char *what, ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_webrtc_rtp_source_failed_pt failed,
    void *data, ngx_log_t *log, const char **cause, ngx_err_t *err);

/* Makes the stream INACTIVE, which viewers are told; closes the sockets. */
void ngx_webrtc_rtp_source_close(ngx_webrtc_rtp_source_t *rs);

/* Viewers want a key frame. */
void ngx_webrtc_rtp_source_keyframe(ngx_webrtc_rtp_source_t *rs);

/* When the last packet came, us; 0: none so far. */
uint64_t ngx_webrtc_rtp_source_heard(ngx_webrtc_rtp_source_t *rs);


#endif /* _NGX_WEBRTC_RTP_SOURCE_H_INCLUDED_ */
