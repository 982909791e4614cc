
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_on_publish", "webrtc_on_play": a subrequest decides whether an offer
 * is taken, and for which stream.
 */


#ifndef _NGX_HTTP_WEBRTC_HOOK_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_HOOK_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* Parses these and "webrtc_drain_to"; the command's offset is the field's. */
char *ngx_http_webrtc_hook_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Adds the phase handler that asks; called in postconfiguration.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_hook_init(ngx_conf_t *cf);


#endif /* _NGX_HTTP_WEBRTC_HOOK_H_INCLUDED_ */
