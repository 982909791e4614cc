
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The life of a publisher of another protocol than WHIP, from the location that
 * takes it to its end.
 */


#ifndef _NGX_HTTP_WEBRTC_INGEST_PUBLISH_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_INGEST_PUBLISH_H_INCLUDED_


#include "ngx_http_webrtc_ingest.h"


/* The content handler of a location with "webrtc_publish". */
ngx_int_t ngx_http_webrtc_ingest_publish(ngx_http_request_t *r,
    ngx_http_webrtc_ingest_t *in);

/* So many bytes have come from the publisher. */
void ngx_http_webrtc_ingest_received(ngx_http_webrtc_ingest_t *in, size_t n);

/*
 * The publisher is gone, whatever it was doing: in is not its protocol's any
 * more.
 *
 *   why   constant text, as of sessions
 */
void ngx_http_webrtc_ingest_end(ngx_http_webrtc_ingest_t *in,
    const char *why);

/* A publisher's slot is to be closed, by NGX_WEBRTC_WHY_*, if it is here. */
void ngx_http_webrtc_ingest_tell(uint64_t ref, ngx_uint_t why);

/* Whether there is any. */
ngx_uint_t ngx_http_webrtc_ingest_any(void);

/* A few times a second. */
void ngx_http_webrtc_ingest_tick(void);

/* Ends all, for exit_process; before the sources. */
void ngx_http_webrtc_ingest_exit(void);


#endif /* _NGX_HTTP_WEBRTC_INGEST_PUBLISH_H_INCLUDED_ */
