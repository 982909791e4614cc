
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How a location has segments made of a stream.
 */


#ifndef _NGX_HTTP_WEBRTC_HLS_WANT_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_HLS_WANT_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_hls.h"


/* one "webrtc_hls" */
struct ngx_http_webrtc_hls_s {
    ngx_webrtc_hls_conf_t         conf;
    ngx_uint_t                    always;    /* unsigned  always:1; */
};


/*
 * Has segments made of a stream that is held, by this worker or another.
 *
 * NGX_OK; NGX_DECLINED: there is no memory for it
 */
ngx_int_t ngx_http_webrtc_hls_want(ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_webrtc_stream_t *st);


#endif /* _NGX_HTTP_WEBRTC_HLS_WANT_H_INCLUDED_ */
