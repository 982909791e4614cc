
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_record": which streams are recorded, and under which names.
 *
 * For control and hooks:
 *
 *   ngx_http_webrtc_record_order()            as the operator orders
 *   ngx_http_webrtc_record_on_done()          each file that is complete
 */


#ifndef _NGX_HTTP_WEBRTC_RECORD_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_RECORD_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_record.h"


/*
 * A file is complete: called in the worker that has recorded it.
 *
 *   wlcf   the location whose "webrtc_record" it was; its ctx is set
 *   done   its stream, path, size, duration and so on; valid during the call
 */
typedef void (*ngx_http_webrtc_record_done_pt)(
    ngx_http_webrtc_main_conf_t *wmcf, ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_webrtc_record_done_t *done);

void ngx_http_webrtc_record_on_done(ngx_http_webrtc_record_done_pt handler);

/*
 * Begins to record a stream, whatever "on" says, or ends that, until the other
 * one is ordered or the stream is gone; in any worker.
 *
 *   st       held; no variant
 *   target   0 or 1: there is one of a stream at most
 *   on       1: begin
 *
 * NGX_OK        the worker that has the stream does it within a second
 * NGX_DECLINED  no "webrtc_record" is for the stream
 */
ngx_int_t ngx_http_webrtc_record_order(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_stream_t *st, ngx_uint_t target, ngx_uint_t on);


/* Parses "webrtc_record". */
char *ngx_http_webrtc_record_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Inherits it.  NGX_OK, NGX_ERROR */
ngx_int_t ngx_http_webrtc_record_merge(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf);

/* The worker begins: looks for what a crash has left. */
void ngx_http_webrtc_record_init(ngx_http_webrtc_main_conf_t *wmcf);

/* A few times a second: begins and ends recordings. */
void ngx_http_webrtc_record_tick(ngx_http_webrtc_main_conf_t *wmcf);


#endif /* _NGX_HTTP_WEBRTC_RECORD_H_INCLUDED_ */
