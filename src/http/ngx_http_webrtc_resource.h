
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Requests and responses, common to all handlers: reading a bounded body,
 * headers, problem bodies (RFC 9457).
 */


#ifndef _NGX_HTTP_WEBRTC_RESOURCE_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_RESOURCE_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * Results of the functions of src/http that handle a request:
 *
 *   NGX_OK      not answered yet, go on
 *   NGX_DONE    answered: nginx's filters have the response, all or part of
 *               which may be queued
 *   NGX_AGAIN   waiting: the request has one more reference (r->main->count)
 *               and is ended later with ngx_http_webrtc_end() by the code that
 *               took it
 *   others      not answered: a status or NGX_ERROR to finalize the request
 *               with
 *
 * nginx's filters distinguish "sent" and "queued" by NGX_OK and NGX_AGAIN.  A
 * handler must not: queued data is written only after the request has been
 * finalized.
 */


/*
 * Called when the whole body has been read.
 *
 *   body   contiguous, from the request's pool
 *
 * Returns one of the above, except NGX_OK.
 */
typedef ngx_int_t (*ngx_http_webrtc_body_pt)(ngx_http_request_t *r,
    ngx_str_t *body);


/* not defined by nginx: RFC 9110, 15.5.7 and 15.5.21, RFC 6585, 3 */
#define NGX_HTTP_WEBRTC_NOT_ACCEPTABLE         406
#define NGX_HTTP_WEBRTC_UNPROCESSABLE          422
#define NGX_HTTP_WEBRTC_PRECONDITION_REQUIRED  428

/* Retry-After in seconds; chosen: the time a publisher takes to reconnect */
#define NGX_HTTP_WEBRTC_RETRY  2


/* context of a request of ours; created by ngx_http_webrtc_read_body() */
typedef struct {
    ngx_http_webrtc_body_pt      handler;
    size_t                       limit;
    ngx_str_t                    body;
    size_t                       size;       /* allocated for body */
} ngx_http_webrtc_ctx_t;


extern ngx_str_t  ngx_http_webrtc_sdp_type;    /* "application/sdp" */
extern ngx_str_t  ngx_http_webrtc_json_type;   /* "application/json" */
extern ngx_str_t  ngx_http_webrtc_frag_type;   /* "application/trickle-ice-
                                                  sdpfrag" */

/* of the URL where event streams are created */
extern ngx_str_t  ngx_http_webrtc_order_methods;


/* Converts a result above to what nginx expects of a phase handler. */
ngx_int_t ngx_http_webrtc_result(ngx_int_t rc);

/*
 * Finalizes a request, or drops one reference to it, outside a phase handler,
 * whose result would do that.  The request may be freed on return.
 *
 *   rc   one of the results above
 */
void ngx_http_webrtc_end(ngx_http_request_t *r, ngx_int_t rc);

/* The methods allowed for the requested resource: endpoint, session, events. */
ngx_str_t *ngx_http_webrtc_methods(ngx_http_request_t *r);

/*
 * Answers a POST in a worker that is shutting down: 307 makes the client repeat
 * it over a new connection.  Over HTTP/2, where the client would reuse the same
 * connection, 503 with Retry-After.
 */
ngx_int_t ngx_http_webrtc_elsewhere(ngx_http_request_t *r);

/*
 * Reads the body without a temporary file.
 *
 *   limit     maximum in bytes; a longer body is answered with 413
 *   handler   called once, possibly before this returns
 */
ngx_int_t ngx_http_webrtc_read_body(ngx_http_request_t *r, size_t limit,
    ngx_http_webrtc_body_pt handler);

/* Whether Content-Type is the given one; parameters are ignored. */
ngx_uint_t ngx_http_webrtc_is_type(ngx_http_request_t *r, ngx_str_t *type);

/*
 * Answers with a status, the headers added so far and an
 * application/problem+json body, or leaves the body to "error_page" if there is
 * one for the status.
 *
 *   title    constant text
 *   detail   any text, will be escaped; may be empty
 */
ngx_int_t ngx_http_webrtc_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *title, ngx_str_t *detail);

/* Answers with a status and a body of the given type; body may be empty. */
ngx_int_t ngx_http_webrtc_answer(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *body);

/*
 * Sends the header, as it has been made, and a body in memory, which has to
 * stay until the request is freed.
 */
ngx_int_t ngx_http_webrtc_send(ngx_http_request_t *r, ngx_str_t *body);

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
 *   name   lower case; compared case-sensitively
 *
 * NGX_OK; NGX_DECLINED when there is no such argument
 */
ngx_int_t ngx_http_webrtc_arg(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

/*
 * Makes the request wait; the caller then returns NGX_AGAIN.  If the client
 * closes the connection, or has closed it already, the request is finalized
 * with 499.
 */
void ngx_http_webrtc_wait(ngx_http_request_t *r);

/*
 * Has the write handler called when the client can take more of a response that
 * is sent piece by piece.
 *
 *   blocked   there is data that it has not read: "send_timeout" runs
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_arm(ngx_http_request_t *r, ngx_uint_t blocked);

/* The value of a request header (name in lower case), or NULL. */
ngx_str_t *ngx_http_webrtc_request_header(ngx_http_request_t *r,
    const char *name);

/* Adds the ETag of a slot, NGX_WEBRTC_PEER_ETAG_LEN bytes. */
ngx_int_t ngx_http_webrtc_etag(ngx_http_request_t *r, u_char *etag);

/* Answers with 405 and Allow. */
ngx_int_t ngx_http_webrtc_not_allowed(ngx_http_request_t *r,
    ngx_str_t *methods);

/* Answers with 404: the session does not exist, or no longer does. */
ngx_int_t ngx_http_webrtc_no_session(ngx_http_request_t *r, ngx_str_t *id);

/*
 * Replaces each byte that is not valid UTF-8 with "?", in place: stream names
 * may contain any bytes, JSON may not (RFC 8259, 8.1).
 */
void ngx_http_webrtc_utf8(u_char *p, size_t n);

/*
 * Random bytes suitable for keys and unguessable names.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_random(u_char *p, size_t n);

/*
 * The same as n hex digits, from the request's pool.
 *
 * NULL: failed
 */
u_char *ngx_http_webrtc_random_hex(ngx_http_request_t *r, size_t n);

/* Whether the client accepts text/event-stream. */
ngx_uint_t ngx_http_webrtc_wants_events(ngx_http_request_t *r);

/*
 * A Link header for a resource of a session.
 *
 *   query   behind its URL, such as "&events"
 *   rel     from the end of the URL on: ">; rel=..."
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_http_webrtc_session_link(ngx_http_request_t *r, u_char *id,
    const char *query, ngx_str_t *rel);


#endif /* _NGX_HTTP_WEBRTC_RESOURCE_H_INCLUDED_ */
