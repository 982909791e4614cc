
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * CORS: "webrtc_cors_origin".
 */


#ifndef _NGX_HTTP_WEBRTC_CORS_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_CORS_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * Installs the header filter that adds CORS headers to every answer of our
 * locations, and the phase handlers that answer preflights; postconfiguration.
 */
ngx_int_t ngx_http_webrtc_cors_init(ngx_conf_t *cf);

/*
 * The methods that a preflight is told of: those of the resource, and the one
 * that was asked for, but for GET, HEAD and POST, which need no leave (Fetch,
 * 2.2.1).  A method that the resource has not is refused when it comes, so that
 * the page learns why.
 *
 *   value   out; from the request's pool, or methods itself
 *
 * NGX_OK; NGX_ERROR without memory
 */
ngx_int_t ngx_http_webrtc_cors_methods(ngx_http_request_t *r,
    ngx_str_t *methods, ngx_str_t *value);

/* Is it what a browser asks before the request that is meant? */
ngx_uint_t ngx_http_webrtc_is_preflight(ngx_http_request_t *r);


#endif /* _NGX_HTTP_WEBRTC_CORS_H_INCLUDED_ */
