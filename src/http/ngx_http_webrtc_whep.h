
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * WHEP: playback.  draft-ietf-wish-whep-03.
 */


#ifndef _NGX_HTTP_WEBRTC_WHEP_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_WHEP_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* content handler of a location with "webrtc_play" */
ngx_int_t ngx_http_webrtc_whep_handler(ngx_http_request_t *r);

/*
 * Checks whether requests waiting for a stream can be answered.
 *
 *   st    the stream that has changed, or NULL: any
 */
void ngx_http_webrtc_whep_wake(ngx_webrtc_stream_t *st);

/* Ends the waiting requests. */
void ngx_http_webrtc_whep_done(void);

/* Parses "webrtc_play". */
char *ngx_http_webrtc_whep_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* _NGX_HTTP_WEBRTC_WHEP_H_INCLUDED_ */
