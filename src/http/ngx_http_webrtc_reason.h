
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Why a stream is not live, in words for who asked for it.
 */


#ifndef _NGX_HTTP_WEBRTC_REASON_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_REASON_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * The "detail" of a 409: which state the stream is in, and what its upstream
 * has said.  Whoever reads it is not the operator: addresses and paths are
 * left out of what libav* says.
 *
 *   name     of the stream
 *   st       held, or NULL: there is none
 *   detail   set, from r->pool
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_reason(ngx_http_request_t *r, ngx_str_t *name,
    ngx_webrtc_stream_t *st, ngx_str_t *detail);

/*
 * Answers a publisher with 409: the name is another publisher's, or
 * "webrtc_pull" feeds the stream.
 *
 *   st  held
 *
 * Returns what to finalize the request with.
 */
ngx_int_t ngx_http_webrtc_reason_taken(ngx_http_request_t *r, ngx_str_t *name,
    ngx_webrtc_stream_t *st);

/*
 * Whether a stream may have that name: 1 to NGX_WEBRTC_NAME_MAX bytes without
 * control characters, which would make lines of their own in logs.
 */
ngx_uint_t ngx_http_webrtc_reason_is_name(ngx_str_t *name);

/*
 * Answers with 404: the value of "webrtc_play" or "webrtc_publish" for this
 * URL is no such name.
 *
 * Returns what to finalize the request with.
 */
ngx_int_t ngx_http_webrtc_reason_no_name(ngx_http_request_t *r,
    ngx_str_t *name);


#endif /* _NGX_HTTP_WEBRTC_REASON_H_INCLUDED_ */
