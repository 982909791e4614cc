
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Recordings and the like in the status.
 */


#ifndef _NGX_HTTP_WEBRTC_OUTLETS_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_OUTLETS_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_http_webrtc_text.h"


/* "record", "push", "http", "hls" */
const char *ngx_http_webrtc_outlets_kind(ngx_uint_t kind);

/* Prints ,"outputs":[...] of a stream. */
void ngx_http_webrtc_outlets_print(ngx_http_webrtc_text_t *t,
    uint64_t stream);

/*
 * May there be outlets of the stream, in this worker or another?  While it has
 * media, and a while after that.
 */
ngx_uint_t ngx_http_webrtc_outlets_wanted(ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_webrtc_stream_t *st);


#endif /* _NGX_HTTP_WEBRTC_OUTLETS_H_INCLUDED_ */
