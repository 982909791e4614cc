
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_log": a line at the end of each session, and of each time that a
 * stream was fed.  "webrtc_on_play_done" and so on: requests at these times.
 */


#ifndef _NGX_HTTP_WEBRTC_ENDED_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_ENDED_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_bus_about.h"
#include "ngx_webrtc_record.h"


/* Parses "webrtc_log". */
char *ngx_http_webrtc_ended_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Merges it.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_ended_merge(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf);

/*
 * A session has ended.
 *
 *   about    NULL: nothing is known, it never connected
 *   reason   of the end
 */
void ngx_http_webrtc_ended_session(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_about_t *about,
    const char *reason, ngx_log_t *log);

/*
 * Asks "webrtc_on_play" or "webrtc_on_publish" whether a session of this worker
 * may go on; it is ended if not.
 */
void ngx_http_webrtc_ended_notify(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_peer_t *peer, ngx_log_t *log);

/*
 * A stream that this worker feeds has media now (up), or it had and the worker
 * does not feed it any more.
 */
void ngx_http_webrtc_ended_stream(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_stream_t *st, ngx_uint_t up, ngx_log_t *log);

/* A file is complete: "webrtc_on_record_done". */
void ngx_http_webrtc_ended_record(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_webrtc_record_done_t *done);


#endif /* _NGX_HTTP_WEBRTC_ENDED_H_INCLUDED_ */
