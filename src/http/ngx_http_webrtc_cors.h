
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * OPTIONS, and CORS: "webrtc_cors_origin".
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
 * Answers OPTIONS, RFC 9725, 4.2: accepted content types and the STUN and TURN
 * servers; these are left out for a CORS preflight.
 */
ngx_int_t ngx_http_webrtc_cors_options(ngx_http_request_t *r);


#endif /* _NGX_HTTP_WEBRTC_CORS_H_INCLUDED_ */
