
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Parsers of directives that are about no file of their own: the zone, the
 * port, which location does what, the certificate.
 */


#ifndef _NGX_HTTP_WEBRTC_CONF_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_CONF_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* of the directives "webrtc_zone", "webrtc_listen", ... */
char *ngx_http_webrtc_conf_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_webrtc_conf_listen(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_webrtc_conf_candidate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_webrtc_conf_play(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_webrtc_conf_publish(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_webrtc_conf_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * What a location serves goes on in its "if" and "limit_except" blocks, which
 * are locations of their own to nginx; when configurations are merged.
 */
void ngx_http_webrtc_conf_inherit(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf);

/*
 * Adds an address to listen on.
 *
 *   value   "port", "address:port", "[v6]:port" or "address"
 *
 * NGX_OK; NGX_ERROR after logging
 */
ngx_int_t ngx_http_webrtc_conf_add_listen(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf, ngx_str_t *value);

/*
 * Loads "webrtc_certificate" or makes one, kept over reloads: sets dtls and
 * fingerprint.
 *
 * NGX_OK; NGX_ERROR after logging
 */
ngx_int_t ngx_http_webrtc_conf_certificate(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf);


#endif /* _NGX_HTTP_WEBRTC_CONF_H_INCLUDED_ */
