
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A subrequest whose answer is kept: of hooks, and of keys.
 */


#ifndef _NGX_HTTP_WEBRTC_ASK_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_ASK_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* Views of the subrequest, which lives as long as its main request. */
typedef struct {
    ngx_uint_t                   done;       /* unsigned  done:1; */
    ngx_uint_t                   status;
    ngx_str_t                    location;
    ngx_str_t                    authenticate;
    ngx_str_t                    type;
    ngx_str_t                    body;
} ngx_http_webrtc_asked_t;


/*
 * Makes a GET, without a body; r waits for it.
 *
 *   uri      of this server; what may not stand in a URI gets escaped
 *   headers  those of the request go with it
 *   asked    set as soon as there is an answer; lives as long as r
 *
 * NGX_OK; NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_ask(ngx_http_request_t *r, ngx_str_t *uri,
    ngx_uint_t headers, ngx_http_webrtc_asked_t *asked);


#endif /* _NGX_HTTP_WEBRTC_ASK_H_INCLUDED_ */
