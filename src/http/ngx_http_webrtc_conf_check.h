
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Configurations whose directives are each right and which do not do what was
 * meant: refused where nothing can work, otherwise a warning.
 */


#ifndef _NGX_HTTP_WEBRTC_CONF_CHECK_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_CONF_CHECK_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * A location, before what it inherits is merged into it.
 *
 *   prev     of the level above, merged
 *   conf     with its own values only
 *
 * NGX_OK; NGX_ERROR after logging
 */
ngx_int_t ngx_http_webrtc_check_location(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf);

/*
 * The same once the level above has been merged; remembers it for what is
 * checked when all has been read.
 */
ngx_int_t ngx_http_webrtc_check_merged(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *conf);

/* All of it, when it has been read. */
void ngx_http_webrtc_check(ngx_conf_t *cf, ngx_http_webrtc_main_conf_t *wmcf);

/* What a "webrtc_pull" names, as far as it can be known now. */
ngx_int_t ngx_http_webrtc_check_pull(ngx_conf_t *cf,
    ngx_http_webrtc_pull_t *pull);

/* Where we are in the configuration. */
void ngx_http_webrtc_check_where(ngx_conf_t *cf,
    ngx_http_webrtc_where_t *where);


#endif /* _NGX_HTTP_WEBRTC_CONF_CHECK_H_INCLUDED_ */
