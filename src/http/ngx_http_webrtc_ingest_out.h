
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a publisher sends, on its way to the media process: a pair of sockets.
 */


#ifndef _NGX_HTTP_WEBRTC_INGEST_OUT_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_INGEST_OUT_H_INCLUDED_


#include "ngx_http_webrtc_ingest.h"


/*
 * Makes the pair.  The other end, which the caller closes when it has been
 * given away; -1: failed, logged
 */
ngx_socket_t ngx_http_webrtc_ingest_open_out(ngx_http_webrtc_ingest_t *in);

/* The media process reads the end of it; what it has not taken is lost. */
void ngx_http_webrtc_ingest_close_out(ngx_http_webrtc_ingest_t *in);

/*
 * Writes a stream of in->format for the media process.
 *
 * NGX_OK
 * NGX_AGAIN   all of it has been taken, and no more until ops->writable()
 * NGX_ERROR   nobody reads it any more: ops->ended() follows
 */
ngx_int_t ngx_http_webrtc_ingest_send(ngx_http_webrtc_ingest_t *in,
    struct iovec *iov, ngx_uint_t niov);

/*
 * Counts n bytes that have come.  Returns for how many ms nothing more should
 * be read of the publisher, by "webrtc_max_bitrate"; 0: it may go on.
 */
ngx_msec_t ngx_http_webrtc_ingest_pace(ngx_http_webrtc_ingest_t *in, size_t n);


#endif /* _NGX_HTTP_WEBRTC_INGEST_OUT_H_INCLUDED_ */
