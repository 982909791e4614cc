
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_jwt_key" and what belongs to it: requests need a token that permits
 * them.
 */


#ifndef _NGX_HTTP_WEBRTC_JWT_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_JWT_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_jwk.h"


/* of a location; NULL there: no tokens */
struct ngx_http_webrtc_jwt_s {
    ngx_webrtc_jwk_keys_t        keys;       /* of files */
    ngx_str_t                    uri;        /* where others are; empty: none */
};


/* Adds the phase handler; called in postconfiguration.  NGX_OK, NGX_ERROR */
ngx_int_t ngx_http_webrtc_jwt_init(ngx_conf_t *cf);

/*
 * Seconds since 1970 when a session that this request begins has to end; 0:
 * not because of its token.
 */
uint32_t ngx_http_webrtc_jwt_expires(ngx_http_request_t *r);


#endif /* _NGX_HTTP_WEBRTC_JWT_H_INCLUDED_ */
