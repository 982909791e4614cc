
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What WHIP, WHEP and file signalling have in common: reading a bounded body,
 * session URLs, problem bodies (RFC 9457), CORS, OPTIONS, DELETE.
 */


#ifndef _NGX_HTTP_WEBRTC_RESOURCE_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_RESOURCE_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * The whole body has been read.
 *
 *   body   in one piece, from the request's pool
 *
 * The handler ends the request with ngx_http_finalize_request(), now or later.
 */
typedef void (*ngx_http_webrtc_body_pt)(ngx_http_request_t *r, ngx_str_t *body);


/* context of a request of ours; created by ngx_http_webrtc_read_body() */
typedef struct {
    ngx_http_webrtc_body_pt      handler;
    size_t                       limit;
    ngx_str_t                    body;
    size_t                       size;       /* of body's room */
    void                        *data;       /* of the handler's own */
} ngx_http_webrtc_ctx_t;


extern ngx_str_t  ngx_http_webrtc_sdp_type;    /* "application/sdp" */


/*
 * The content handler of WHIP and WHEP locations: endpoint and sessions.
 *
 *   offer   gets the body of a POST
 */
ngx_int_t ngx_http_webrtc_dispatch(ngx_http_request_t *r,
    ngx_http_webrtc_body_pt offer);

/*
 * Reads the body without a temporary file.
 *
 *   limit   most bytes; a longer body is answered with 413
 *
 * The result is that of a content handler.
 */
ngx_int_t ngx_http_webrtc_read_body(ngx_http_request_t *r, size_t limit,
    ngx_http_webrtc_body_pt handler);

/*
 * NGX_OK when the request's Content-Type is the given one; parameters do not
 * matter.  NGX_DECLINED otherwise.
 */
ngx_int_t ngx_http_webrtc_content_type(ngx_http_request_t *r, ngx_str_t *type);

/*
 * Answers with a status, headers so far pushed and an application/problem+json
 * body.  The result is for ngx_http_finalize_request().
 *
 *   title    constant text
 *   detail   any text, is escaped; may be empty
 */
ngx_int_t ngx_http_webrtc_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *title, ngx_str_t *detail);

/* Answers with a status and a body of the given type; body may be empty. */
ngx_int_t ngx_http_webrtc_answer(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *body);

/*
 * Adds a response header.
 *
 *   name     constant text
 *   value    not copied: constant or from the request's pool
 */
ngx_int_t ngx_http_webrtc_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

/* Adds Retry-After, in seconds. */
ngx_int_t ngx_http_webrtc_retry_after(ngx_http_request_t *r, ngx_uint_t sec);

/*
 * The value of the query argument "session".
 *
 * NGX_OK; NGX_DECLINED when there is none
 */
ngx_int_t ngx_http_webrtc_session_id(ngx_http_request_t *r, ngx_str_t *id);

/*
 * "/path?session=id", the path as the client has asked for it.
 *
 * NGX_OK; NGX_ERROR without memory
 */
ngx_int_t ngx_http_webrtc_session_url(ngx_http_request_t *r, u_char *id,
    size_t len, ngx_str_t *url);

/* Answers with 405 and Allow. */
ngx_int_t ngx_http_webrtc_not_allowed(ngx_http_request_t *r,
    ngx_str_t *methods);

/*
 * Random bytes fit for keys and names that must not be guessed.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_random(u_char *p, size_t n);

/* Installs the header filter that adds CORS headers to every answer. */
void ngx_http_webrtc_resource_init(void);


#endif /* _NGX_HTTP_WEBRTC_RESOURCE_H_INCLUDED_ */
