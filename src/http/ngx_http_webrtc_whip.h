
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * WHIP: publishing.  RFC 9725.
 */


#ifndef _NGX_HTTP_WEBRTC_WHIP_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_WHIP_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* content handler of a location with "webrtc_publish" */
ngx_int_t ngx_http_webrtc_whip_handler(ngx_http_request_t *r);

/* Called a few times per second: drops reservations that are not used. */
void ngx_http_webrtc_whip_tick(void);

/* Whether this worker has a reservation whose publisher may still connect. */
ngx_uint_t ngx_http_webrtc_whip_pending_any(void);

/* Parses "webrtc_codecs". */
char *ngx_http_webrtc_whip_codecs(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Parses "webrtc_publish". */
char *ngx_http_webrtc_whip_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* _NGX_HTTP_WEBRTC_WHIP_H_INCLUDED_ */
