
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What an operator may do: the POST of "webrtc_status control".
 */


#ifndef _NGX_HTTP_WEBRTC_CONTROL_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_CONTROL_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* Answers the POST; a result as in ngx_http_webrtc_resource.h. */
ngx_int_t ngx_http_webrtc_control(ngx_http_request_t *r);

/*
 * The value of a query argument, unescaped.
 *
 * NGX_OK        value->data is not NULL
 * NGX_DECLINED  there is no such argument, value->data is NULL
 * NGX_ERROR     out of memory
 */
ngx_int_t ngx_http_webrtc_control_arg(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);


#endif /* _NGX_HTTP_WEBRTC_CONTROL_H_INCLUDED_ */
