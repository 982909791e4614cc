
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Directives of tokens.
 */


#ifndef _NGX_HTTP_WEBRTC_JWT_CONF_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_JWT_CONF_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* a directive whose value is a name; of the command's "post" */
typedef struct {
    ngx_uint_t                   off;        /* "off" may stand there */
    ngx_uint_t                   argument;   /* it is one in a query */
    const char                  *expected;
} ngx_http_webrtc_jwt_name_t;


extern ngx_http_webrtc_jwt_name_t  ngx_http_webrtc_jwt_claim;
extern ngx_http_webrtc_jwt_name_t  ngx_http_webrtc_jwt_argument;
extern ngx_http_webrtc_jwt_name_t  ngx_http_webrtc_jwt_issuer;
extern ngx_http_webrtc_jwt_name_t  ngx_http_webrtc_jwt_audience;


char *ngx_http_webrtc_jwt_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_webrtc_jwt_name(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

void ngx_http_webrtc_jwt_merge(ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf);


#endif /* _NGX_HTTP_WEBRTC_JWT_CONF_H_INCLUDED_ */
