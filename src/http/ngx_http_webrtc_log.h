
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Keeps secrets in URLs out of error logs.
 */


#ifndef _NGX_HTTP_WEBRTC_LOG_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_LOG_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * Adds the phase handler that installs the masking; called in
 * postconfiguration.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_log_init(ngx_conf_t *cf);


#endif /* _NGX_HTTP_WEBRTC_LOG_H_INCLUDED_ */
