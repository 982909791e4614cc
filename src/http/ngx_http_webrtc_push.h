
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_push": which streams are pushed, and where to.
 */


#ifndef _NGX_HTTP_WEBRTC_PUSH_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_PUSH_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_push.h"


/* Parses "webrtc_push". */
char *ngx_http_webrtc_push_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Inherits them. */
void ngx_http_webrtc_push_merge(ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf);

/*
 * A publisher's slot gets the URLs that have variables: its request is there
 * now.
 *
 *   ref   of the slot
 *
 * NGX_OK; NGX_DECLINED: there is no room, bus->lack; NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_push_attach(ngx_http_request_t *r, uint64_t ref);

/*
 * Begins to push a stream, whatever "on" says, or ends that, until the other
 * one is ordered or the stream is gone; in any worker.
 *
 *   st       held; no variant
 *   target   which, from 1, in the order of the configuration; 0: all
 *   on       1: begin
 *
 * NGX_OK        the worker that has the stream does it within a second
 * NGX_DECLINED  no such "webrtc_push" is for the stream
 */
ngx_int_t ngx_http_webrtc_push_order(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_stream_t *st, ngx_uint_t target, ngx_uint_t on);

/* A few times a second: begins and ends pushes. */
void ngx_http_webrtc_push_tick(ngx_http_webrtc_main_conf_t *wmcf);


#endif /* _NGX_HTTP_WEBRTC_PUSH_H_INCLUDED_ */
