
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Something is full: the 503 that says what, and the line that says which
 * directive it is.  "webrtc_max_pending".
 */


#ifndef _NGX_HTTP_WEBRTC_FULL_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_FULL_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_bus.h"


/*
 * Answers with 503, and logs why: as bus->lack says after what failed.
 *
 *   name   of the stream, where it is its viewers; or NULL
 */
ngx_int_t ngx_http_webrtc_full(ngx_http_request_t *r, ngx_webrtc_lack_e lack,
    ngx_str_t *name);

/* Whose a request is, and what he may have that is not up: set. */
void ngx_http_webrtc_full_client(ngx_http_request_t *r,
    ngx_webrtc_client_t *client);

/*
 * What is decided when a slot is made, before anything is done for an offer.
 *
 * Returns NGX_WEBRTC_LACK_NONE, or what would be lacking.
 */
ngx_webrtc_lack_e ngx_http_webrtc_full_early(ngx_http_request_t *r);

/* "webrtc_max_pending" */
char *ngx_http_webrtc_full_pending(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void ngx_http_webrtc_full_merge(ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf);


#endif /* _NGX_HTTP_WEBRTC_FULL_H_INCLUDED_ */
