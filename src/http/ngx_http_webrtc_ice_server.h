
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * STUN and TURN servers announced to clients: "webrtc_ice_server".
 */


#ifndef _NGX_HTTP_WEBRTC_ICE_SERVER_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_ICE_SERVER_H_INCLUDED_


#include "ngx_http_webrtc.h"


typedef struct {
    ngx_str_t                    url;
    ngx_http_complex_value_t    *username;   /* NULL: none */
    ngx_http_complex_value_t    *credential; /* NULL: none */
    ngx_str_t                    secret;     /* empty: none */
    time_t                       ttl;        /* of generated credentials */
    unsigned                     internal:1; /* clients are not told of it */
} ngx_http_webrtc_ice_server_t;


/*
 * RFC 9725, 4.6.  Adds a Link header per configured server.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_ice_server_links(ngx_http_request_t *r);

/*
 * Sets user name and credential of a server for this request; empty if none.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_ice_server_credentials(ngx_http_request_t *r,
    ngx_http_webrtc_ice_server_t *server, ngx_str_t *username,
    ngx_str_t *credential);

/* Parses "webrtc_ice_server". */
char *ngx_http_webrtc_ice_server_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_WEBRTC_ICE_SERVER_H_INCLUDED_ */
