
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Requests to a URL that accepts offers, common to all kinds of offers.
 */


#ifndef _NGX_HTTP_WEBRTC_ENDPOINT_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_ENDPOINT_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_http_webrtc_resource.h"


/*
 * Handles requests to WHIP and WHEP locations: endpoint and sessions.
 *
 *   role    NGX_WEBRTC_PEER_*: role of the sessions that can be reached
 *   offer   called with the body of a POST
 */
ngx_int_t ngx_http_webrtc_endpoint(ngx_http_request_t *r, ngx_uint_t role,
    ngx_http_webrtc_body_pt offer);


#endif /* _NGX_HTTP_WEBRTC_ENDPOINT_H_INCLUDED_ */
