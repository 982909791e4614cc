
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a URL that takes offers does with a request, whatever they are for.
 */


#ifndef _NGX_HTTP_WEBRTC_ENDPOINT_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_ENDPOINT_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_http_webrtc_resource.h"


/*
 * Requests to WHIP and WHEP locations: endpoint and sessions.
 *
 *   role    NGX_WEBRTC_PEER_*: whose sessions can be reached
 *   offer   gets the body of a POST
 */
ngx_int_t ngx_http_webrtc_endpoint(ngx_http_request_t *r, ngx_uint_t role,
    ngx_http_webrtc_body_pt offer);


#endif /* _NGX_HTTP_WEBRTC_ENDPOINT_H_INCLUDED_ */
