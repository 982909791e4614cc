
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A response that is composed piece by piece: the status, metrics.
 */


#ifndef _NGX_HTTP_WEBRTC_TEXT_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_TEXT_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* all zero but for the request */
typedef struct {
    ngx_http_request_t          *request;
    ngx_chain_t                 *first;
    ngx_chain_t                 *last;
    off_t                        size;        /* of all but the last buffer */
    ngx_uint_t                   failed;      /* unsigned  failed:1; */
} ngx_http_webrtc_text_t;


/*
 * Room for n bytes, to be written at once.
 *
 *   end   out: behind them
 *
 * NULL: out of memory, which ngx_http_webrtc_text_send() answers; write nothing
 */
u_char *ngx_http_webrtc_text_room(ngx_http_webrtc_text_t *t, size_t n,
    u_char **end);

/* What was written there, up to p. */
void ngx_http_webrtc_text_add(ngx_http_webrtc_text_t *t, u_char *p);

/* Room, the text and all; null-terminated. */
void ngx_http_webrtc_text_string(ngx_http_webrtc_text_t *t, const char *s);

/*
 * Answers with 200 and the text, which is not to be cached.
 *
 * A result as in ngx_http_webrtc_resource.h
 */
ngx_int_t ngx_http_webrtc_text_send(ngx_http_webrtc_text_t *t,
    ngx_str_t *type);

/*
 * Writes n bytes as a string of JSON, without the quotes: up to six for each.
 * s is made valid UTF-8 in place.
 *
 * Returns the position behind it.
 */
u_char *ngx_http_webrtc_text_json(u_char *p, u_char *s, size_t n);


#endif /* _NGX_HTTP_WEBRTC_TEXT_H_INCLUDED_ */
