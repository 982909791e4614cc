
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Locations that answer a GET with something of their stream.
 */


#ifndef _NGX_HTTP_WEBRTC_LIVE_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_LIVE_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* ms for which each look of a waiting request keeps its source running; chosen:
 * a few ticks of the worker's timer */
#define NGX_HTTP_WEBRTC_LIVE_WANTED  1000


/*
 * Makes it a location whose GETs are answered by handler.
 *
 * NGX_CONF_OK, or what is wrong; wlcf->live is set
 */
char *ngx_http_webrtc_live_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_http_handler_pt handler);

/*
 * Begins to answer a request: its method, its stream's name.
 *
 * NGX_OK: name is set; else a result as in ngx_http_webrtc_resource.h
 */
ngx_int_t ngx_http_webrtc_live_begin(ngx_http_request_t *r, ngx_str_t *name);

/*
 * Finds the location's stream, and has it pulled if it has "webrtc_pull".
 *
 *   st   held, for the caller to release whatever is returned; NULL: none, a
 *        publisher may come
 *
 * NGX_OK; else a result
 */
ngx_int_t ngx_http_webrtc_live_stream(ngx_http_request_t *r, ngx_str_t *name,
    ngx_webrtc_stream_t **st);

/*
 * Answers that there is nothing: 404 without a stream, 409 if it is not live.
 *
 *   st   held, or NULL
 */
ngx_int_t ngx_http_webrtc_live_none(ngx_http_request_t *r, ngx_str_t *name,
    ngx_webrtc_stream_t *st);


/*
 * Answers with 503: what a worker may use for such is in use.  The operator is
 * told once a minute.
 *
 *   detail   constant text
 */
ngx_int_t ngx_http_webrtc_live_busy(ngx_http_request_t *r, ngx_str_t *detail);


#endif /* _NGX_HTTP_WEBRTC_LIVE_H_INCLUDED_ */
