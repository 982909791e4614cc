
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What is told of a session and of a worker, for the status and for metrics.
 */


#ifndef _NGX_WEBRTC_SESSION_STAT_H_INCLUDED_
#define _NGX_WEBRTC_SESSION_STAT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_session.h"
#include "ngx_webrtc_worker_state.h"


/* A session was answered, in this worker. */
void ngx_webrtc_session_stat_answered(ngx_webrtc_worker_t *wk, ngx_uint_t role);

/*
 * It begins in this worker; DTLS is connected, and what it needed for that has
 * not been freed yet; it is UP; it ends.
 */
void ngx_webrtc_session_stat_begin(ngx_webrtc_session_t *s);
void ngx_webrtc_session_stat_cipher(ngx_webrtc_session_t *s);
void ngx_webrtc_session_stat_up(ngx_webrtc_session_t *s);
void ngx_webrtc_session_stat_end(ngx_webrtc_session_t *s);

/* Once a second while it is UP. */
void ngx_webrtc_session_stat_second(ngx_webrtc_session_t *s);

/*
 * The jitter of one of its tracks.
 *
 *   worst    0: this track is the first one of a report
 *   jitter   units of the RTP clock
 *
 * Returns the worst one so far, in us, which is what is shown.
 */
uint32_t ngx_webrtc_session_stat_jitter(ngx_webrtc_session_t *s, uint32_t worst,
    uint32_t jitter, uint32_t clock_rate);

/* The pair of addresses that full ICE has selected; n bytes, may be cut. */
void ngx_webrtc_session_stat_pair(ngx_webrtc_session_t *s, u_char *p, size_t n);

/* Housekeeping of the worker, every NGX_WEBRTC_WORKER_TICK ms. */
void ngx_webrtc_session_stat_tick(ngx_webrtc_worker_t *wk);

/* Adds what this worker has collected to the sums of the zone. */
void ngx_webrtc_session_stat_flush(ngx_webrtc_worker_t *wk);


#endif /* _NGX_WEBRTC_SESSION_STAT_H_INCLUDED_ */
