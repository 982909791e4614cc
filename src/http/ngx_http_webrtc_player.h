
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The page that plays a stream, for people who open its WHEP URL.
 */


#ifndef _NGX_HTTP_WEBRTC_PLAYER_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_PLAYER_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * Answers the GET of a WHEP endpoint with the page, where "webrtc_player" is on
 * and a browser navigates there.
 *
 * NGX_DECLINED    the page is not wanted: the caller handles the request
 * otherwise as ngx_http_webrtc_answer()
 */
ngx_int_t ngx_http_webrtc_player(ngx_http_request_t *r);

/* "webrtc_player" */
char *ngx_http_webrtc_player_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void ngx_http_webrtc_player_merge(ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf);


#endif /* _NGX_HTTP_WEBRTC_PLAYER_H_INCLUDED_ */
