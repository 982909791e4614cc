
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Why a stream is not live, in words for the client.
 */


#ifndef _NGX_HTTP_WEBRTC_REASON_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_REASON_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * The "detail" of a 409: the state of the stream and the last error of its
 * upstream.  The reader is not the operator, so addresses and paths are removed
 * from the error text of libav*.
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
 * Answers a publisher with 409: the name is taken by another publisher, or the
 * stream is fed by "webrtc_pull".
 *
 *   st  held
 *
 * Returns what to finalize the request with.
 */
ngx_int_t ngx_http_webrtc_reason_taken(ngx_http_request_t *r, ngx_str_t *name,
    ngx_webrtc_stream_t *st);

/*
 * Whether a stream may have that name: 1 to NGX_WEBRTC_NAME_MAX bytes without
 * control characters, which could forge log lines.
 */
ngx_uint_t ngx_http_webrtc_reason_is_name(ngx_str_t *name);

/*
 * Answers with 404: the value of "webrtc_play" or "webrtc_publish" for this
 * URL is not a valid stream name.
 *
 * Returns what to finalize the request with.
 */
ngx_int_t ngx_http_webrtc_reason_no_name(ngx_http_request_t *r,
    ngx_str_t *name);


#endif /* _NGX_HTTP_WEBRTC_REASON_H_INCLUDED_ */
