
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Answers when a limit is reached: a 503 that says which, and a log line that
 * names the directive to raise.  "webrtc_max_pending".
 */


#ifndef _NGX_HTTP_WEBRTC_FULL_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_FULL_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_bus.h"


/*
 * Answers with 503 and logs why.
 *
 *   lack   bus->lack after the failed call
 *   name   of the stream if its number of viewers is the limit, or NULL
 */
ngx_int_t ngx_http_webrtc_full(ngx_http_request_t *r, ngx_webrtc_lack_e lack,
    ngx_str_t *name);

/* Sets the client of a request and its limits on pending sessions and names. */
void ngx_http_webrtc_full_client(ngx_http_request_t *r,
    ngx_webrtc_client_t *client);

/*
 * Checks in advance, before any work on an offer, the limits that are enforced
 * when the slot is created.
 *
 * Returns NGX_WEBRTC_LACK_NONE, or what would be lacking.
 */
ngx_webrtc_lack_e ngx_http_webrtc_full_early(ngx_http_request_t *r);

/* "webrtc_max_pending" */
char *ngx_http_webrtc_full_pending(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void ngx_http_webrtc_full_merge(ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf);


/*
 * Answers an offer while new ones are not taken: 503 with Retry-After, or 307
 * to "webrtc_drain_to".
 */
ngx_int_t ngx_http_webrtc_full_drain(ngx_http_request_t *r);


#endif /* _NGX_HTTP_WEBRTC_FULL_H_INCLUDED_ */
