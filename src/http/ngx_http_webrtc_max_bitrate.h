
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_max_bitrate": what a publisher may send, in all and of single layers.
 */


#ifndef _NGX_HTTP_WEBRTC_MAX_BITRATE_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_MAX_BITRATE_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* The setter. */
char *ngx_http_webrtc_max_bitrate_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* A level that has the directive inherits nothing of it. */
void ngx_http_webrtc_max_bitrate_merge(ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf);

/*
 * The limits of the layers that were negotiated with a publisher, by their
 * rids; where it has none, those of spatial layers, by their numbers.
 *
 *   peer   its slot; the policy is filled in
 */
void ngx_http_webrtc_max_bitrate_layers(ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_webrtc_peer_t *peer);


#endif /* _NGX_HTTP_WEBRTC_MAX_BITRATE_H_INCLUDED_ */
