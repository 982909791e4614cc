
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * URLs put into answers: of sessions, of their events, of the endpoint.
 */


#ifndef _NGX_HTTP_WEBRTC_URL_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_URL_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * "/path?token=x": the endpoint as clients reach it, with the query of the
 * request less our own arguments.
 *
 * NGX_OK; NGX_ERROR out of memory, or if a variable failed
 */
ngx_int_t ngx_http_webrtc_url_endpoint(ngx_http_request_t *r, ngx_str_t *url);

/*
 * "/path?token=x&session=id" followed by more.
 *
 *   id     NGX_WEBRTC_PEER_ID_LEN bytes
 *   more   constant text, begins with "&" or is empty
 *
 * NGX_OK; NGX_ERROR as above
 */
ngx_int_t ngx_http_webrtc_url_session(ngx_http_request_t *r, u_char *id,
    const char *more, ngx_str_t *url);

/* The URL of the request itself, with its whole query; the same results. */
ngx_int_t ngx_http_webrtc_url_again(ngx_http_request_t *r, ngx_str_t *url);

/* "webrtc_public_path value" */
char *ngx_http_webrtc_url_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* inherits it from the level above, when configurations are merged */
void ngx_http_webrtc_url_merge(ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf);


#endif /* _NGX_HTTP_WEBRTC_URL_H_INCLUDED_ */
