
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Catches configurations in which each directive is valid but the whole does
 * not do what was meant: an error if it cannot work, otherwise a warning.
 */


#ifndef _NGX_HTTP_WEBRTC_CONF_CHECK_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_CONF_CHECK_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * Checks a location before inherited values are merged into it.
 *
 *   prev     the level above, merged
 *   conf     the location's own values only
 *
 * NGX_OK; NGX_ERROR after logging
 */
ngx_int_t ngx_http_webrtc_check_location(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf);

/*
 * Checks a location after the level above has been merged into it, and
 * remembers it for ngx_http_webrtc_check().
 */
ngx_int_t ngx_http_webrtc_check_merged(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *conf);

/* Checks the whole configuration once it has been read. */
void ngx_http_webrtc_check(ngx_conf_t *cf, ngx_http_webrtc_main_conf_t *wmcf);

/* Checks the URL of a "webrtc_pull" as far as it is known at this point. */
ngx_int_t ngx_http_webrtc_check_pull(ngx_conf_t *cf,
    ngx_http_webrtc_pull_t *pull);

/* Sets the current position in the configuration. */
void ngx_http_webrtc_check_where(ngx_conf_t *cf,
    ngx_http_webrtc_where_t *where);


#endif /* _NGX_HTTP_WEBRTC_CONF_CHECK_H_INCLUDED_ */
