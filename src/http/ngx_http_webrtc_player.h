
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


#endif /* _NGX_HTTP_WEBRTC_PLAYER_H_INCLUDED_ */
