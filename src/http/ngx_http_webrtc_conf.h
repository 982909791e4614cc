
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Parsers of directives that have no file of their own: the zone, the port,
 * what a location serves, the certificate.
 */


#ifndef _NGX_HTTP_WEBRTC_CONF_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_CONF_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* initial bytes of a ring; chosen: half a second at 1 Mbit/s */
#define NGX_HTTP_WEBRTC_BUFFER      (64 * 1024)

/* bytes; chosen: 10 s at 13 Mbit/s */
#define NGX_HTTP_WEBRTC_BUFFER_MAX  (16 * 1024 * 1024)

/*
 * Default of "webrtc_pacing", bit/s and bytes.  Chosen: a receiver's socket
 * buffer (208 kB of Linux' accounting, about half of it payload) takes the
 * burst, and few access lines are much faster
 */
#define NGX_HTTP_WEBRTC_PACING_RATE   (80 * 1024 * 1024)
#define NGX_HTTP_WEBRTC_PACING_BURST  (64 * 1024)

/* minimums: below any stream; a packet of any size must go through */
#define NGX_HTTP_WEBRTC_PACING_LEAST  (64 * 1024)
#define NGX_HTTP_WEBRTC_PACING_ONE    4096

/* maximums, so that bytes per second and bytes fit 32 bits */
#define NGX_HTTP_WEBRTC_PACING_MOST   (16 * (off_t) 1024 * 1024 * 1024)
#define NGX_HTTP_WEBRTC_PACING_ALL    (1024 * 1024 * 1024)


/* "webrtc_playout_delay off" */
#define NGX_HTTP_WEBRTC_PLAYOUT_OFF   1


/* setters of "webrtc_zone", "webrtc_candidate", ... */
char *ngx_http_webrtc_conf_crypto(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_webrtc_conf_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_webrtc_conf_candidate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_webrtc_conf_pacing(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_webrtc_conf_playout(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Parses the value of "webrtc_play" or "webrtc_publish".
 *
 *   name      field of wlcf to set
 *   handler   the location's content handler from now on
 */
char *ngx_http_webrtc_conf_stream_name(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_http_complex_value_t **name,
    ngx_http_handler_pt handler);

/*
 * Makes something without a stream's name the location's content.
 *
 * NGX_CONF_OK, or what is wrong
 */
char *ngx_http_webrtc_conf_content(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_http_handler_pt handler);

/*
 * Makes the "if" and "limit_except" blocks of a location, which nginx treats as
 * locations of their own, serve what the location serves; called on merging.
 */
void ngx_http_webrtc_conf_inherit(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf);

/*
 * Merges "webrtc_buffer" and "webrtc_buffer_max"; called before all others.
 *
 * NGX_OK; NGX_ERROR after logging
 */
ngx_int_t ngx_http_webrtc_conf_merge_buffer(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf);

/*
 * Sets up the zone and the port, configured or default; called at the end of
 * the configuration.
 *
 * NGX_OK; NGX_ERROR after logging
 */
ngx_int_t ngx_http_webrtc_conf_open(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf);

/*
 * Loads "webrtc_certificate" or generates a certificate that is kept across
 * reloads; sets dtls and fingerprint.
 *
 * NGX_OK; NGX_ERROR after logging
 */
ngx_int_t ngx_http_webrtc_conf_certificate(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf);


#endif /* _NGX_HTTP_WEBRTC_CONF_H_INCLUDED_ */
