
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Recordings and the like in the status.
 */


#ifndef _NGX_HTTP_WEBRTC_OUTLETS_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_OUTLETS_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_http_webrtc_text.h"


/* Prints ,"outputs":[...] of a stream. */
void ngx_http_webrtc_outlets_print(ngx_http_webrtc_text_t *t,
    uint64_t stream);


#endif /* _NGX_HTTP_WEBRTC_OUTLETS_H_INCLUDED_ */
