
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Requests and responses, below all that answers: reading a bounded body,
 * headers, problem bodies (RFC 9457).
 */


#ifndef _NGX_HTTP_WEBRTC_RESOURCE_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_RESOURCE_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * What becomes of a request, as the functions of src/http tell it:
 *
 *   NGX_OK      nothing has been answered, go on
 *   NGX_DONE    answered: nginx's filters have the response, and may have
 *               queued all or part of it
 *   NGX_AGAIN   it waits: the request has a reference more (r->main->count) and
 *               is ended with ngx_http_webrtc_end() later, by whoever took it
 *   others      not answered: what nginx is to finalize the request with, a
 *               status or NGX_ERROR
 *
 * nginx's filters tell "sent" and "queued" apart, by NGX_OK and NGX_AGAIN.  Who
 * handles a request must not: what is queued is written after the request has
 * been finalized, and not before.
 */


/*
 * The whole body has been read.
 *
 *   body   in one piece, from the request's pool
 *
 * The result is one of the above, but NGX_OK.
 */
typedef ngx_int_t (*ngx_http_webrtc_body_pt)(ngx_http_request_t *r,
    ngx_str_t *body);


/* nginx has no names for these: RFC 9110, 15.5.7 and 15.5.21, RFC 6585, 3 */
#define NGX_HTTP_WEBRTC_NOT_ACCEPTABLE         406
#define NGX_HTTP_WEBRTC_UNPROCESSABLE          422
#define NGX_HTTP_WEBRTC_PRECONDITION_REQUIRED  428

/* seconds until a client should try again; chosen: a publisher's reconnect */
#define NGX_HTTP_WEBRTC_RETRY  2


/* context of a request of ours; created by ngx_http_webrtc_read_body() */
typedef struct {
    ngx_http_webrtc_body_pt      handler;
    size_t                       limit;
    ngx_str_t                    body;
    size_t                       size;       /* of body's room */
} ngx_http_webrtc_ctx_t;


extern ngx_str_t  ngx_http_webrtc_sdp_type;    /* "application/sdp" */
extern ngx_str_t  ngx_http_webrtc_json_type;   /* "application/json" */
extern ngx_str_t  ngx_http_webrtc_frag_type;   /* "application/trickle-ice-
                                                  sdpfrag" */

/* of where event streams are ordered */
extern ngx_str_t  ngx_http_webrtc_order_methods;


/* One of the results above as nginx takes it from a handler of a phase. */
ngx_int_t ngx_http_webrtc_result(ngx_int_t rc);

/*
 * Ends a request, or the part of its handling that is over, where nginx is not
 * told by a handler's result.  It may be gone then.
 *
 *   rc   one of the results above
 */
void ngx_http_webrtc_end(ngx_http_request_t *r, ngx_int_t rc);

/* The methods of what the request asks for, endpoint, session or events. */
ngx_str_t *ngx_http_webrtc_methods(ngx_http_request_t *r);

/*
 * Ends a POST in a worker that shuts down: 307 sends the client to the same URL
 * once more, over a new connection.  Over HTTP/2, where it would use the one it
 * has, 503 with Retry-After.
 */
ngx_int_t ngx_http_webrtc_elsewhere(ngx_http_request_t *r);

/*
 * Reads the body without a temporary file.
 *
 *   limit     most bytes; a longer body is answered with 413
 *   handler   called once, also before this returns
 */
ngx_int_t ngx_http_webrtc_read_body(ngx_http_request_t *r, size_t limit,
    ngx_http_webrtc_body_pt handler);

/* Whether its Content-Type is the given one; parameters do not matter. */
ngx_uint_t ngx_http_webrtc_is_type(ngx_http_request_t *r, ngx_str_t *type);

/*
 * Answers with a status, headers so far pushed and an application/problem+json
 * body, or leaves it to "error_page" where that has something for the status.
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
 * The value of a query argument, empty when it has none ("a&b=").
 *
 *   name   lower case, case matters
 *
 * NGX_OK; NGX_DECLINED when there is no such argument
 */
ngx_int_t ngx_http_webrtc_arg(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

/*
 * The request waits from now on, for its caller to return NGX_AGAIN.  Notices
 * when the client goes away, or has gone already: the request is finalized
 * then, with 499.
 */
void ngx_http_webrtc_wait(ngx_http_request_t *r);

/* The request header of that name (lower case), or NULL. */
ngx_str_t *ngx_http_webrtc_request_header(ngx_http_request_t *r,
    const char *name);

/* Adds the ETag of a slot, NGX_WEBRTC_PEER_ETAG_LEN bytes. */
ngx_int_t ngx_http_webrtc_etag(ngx_http_request_t *r, u_char *etag);

/* Answers with 405 and Allow. */
ngx_int_t ngx_http_webrtc_not_allowed(ngx_http_request_t *r,
    ngx_str_t *methods);

/* Answers with 404: there is no such session (any more). */
ngx_int_t ngx_http_webrtc_no_session(ngx_http_request_t *r, ngx_str_t *id);

/*
 * Replaces by "?", in place, each byte that is not part of UTF-8: names of
 * streams are any bytes, and JSON is not (RFC 8259, 8.1).
 */
void ngx_http_webrtc_utf8(u_char *p, size_t n);

/*
 * Random bytes fit for keys and names that must not be guessed.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_random(u_char *p, size_t n);

/*
 * The same as hex digits: n of them, from the request's pool.
 *
 * NULL: failed
 */
u_char *ngx_http_webrtc_random_hex(ngx_http_request_t *r, size_t n);


#endif /* _NGX_HTTP_WEBRTC_RESOURCE_H_INCLUDED_ */
