
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A response of server-sent events (WHATWG HTML, 9.2): header, when to send,
 * slow or stalled clients, heartbeat and end.  What the events contain is up to
 * the callers.
 */


#ifndef _NGX_HTTP_WEBRTC_SSE_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_SSE_H_INCLUDED_


#include "ngx_http_webrtc.h"


typedef struct ngx_http_webrtc_sse_s  ngx_http_webrtc_sse_t;


/*
 * A kind of event streams.
 *
 *   news    appends what the client has not been sent yet, using
 *           ngx_http_webrtc_sse_room().  Called a few times per second, once
 *           everything sent before has been written.
 *
 *           NGX_OK
 *           NGX_DONE   nothing will follow: the response ends
 *           NGX_ERROR  out of memory: the response is cut off
 *
 *   closed  the stream has ended, for whatever reason; the user frees data.
 *           May be called before ngx_http_webrtc_sse_start() returns.  NULL:
 *           nothing to do
 */
typedef struct {
    ngx_int_t              (*news)(ngx_http_webrtc_sse_t *sse);
    void                   (*closed)(ngx_http_webrtc_sse_t *sse);
} ngx_http_webrtc_sse_kind_t;


/* created by ngx_http_webrtc_sse_create(), lives as long as its request */
struct ngx_http_webrtc_sse_s {
    const ngx_http_webrtc_sse_kind_t  *kind;
    void                              *data;      /* the user's */
    uint64_t                           key;       /* the user's, any */
    ngx_http_request_t                *request;

    /* private to the writer */

    ngx_queue_t                        queue;     /* of all of this process */
    ngx_buf_t                         *buf;       /* being sent, or sent */
    ngx_msec_t                         time;      /* of the last output */
    unsigned                           listed:1;
    unsigned                           sending:1; /* buf has been sent before */
};


/*
 * Creates an event stream that sends nothing yet.
 *
 *   size   bytes of data, allocated from the request's pool and zeroed
 *
 * NULL: out of memory
 */
ngx_http_webrtc_sse_t *ngx_http_webrtc_sse_create(ngx_http_request_t *r,
    const ngx_http_webrtc_sse_kind_t *kind, uint64_t key, size_t size);

/*
 * Starts the response: sends the header and, unless the method is HEAD, the
 * first news.
 *
 * A result as in ngx_http_webrtc_resource.h.
 */
ngx_int_t ngx_http_webrtc_sse_start(ngx_http_webrtc_sse_t *sse);

/*
 * The buffer, with room for n more bytes at buf->last; the caller appends and
 * advances it.  Only from kind->news().
 *
 * NULL: out of memory
 */
ngx_buf_t *ngx_http_webrtc_sse_room(ngx_http_webrtc_sse_t *sse, size_t n);

/*
 * Finds the event streams of that kind and key started in this process.
 *
 *   n   set to their number unless NULL
 *
 * Returns the oldest one, or NULL.
 */
ngx_http_webrtc_sse_t *ngx_http_webrtc_sse_find(
    const ngx_http_webrtc_sse_kind_t *kind, uint64_t key, ngx_uint_t *n);

/*
 * Ends the response, from an event that is not its request's own.  The
 * connection of a client with unread data is closed without a proper end.
 */
void ngx_http_webrtc_sse_end(ngx_http_webrtc_sse_t *sse);

/* Ends all event streams of this process. */
void ngx_http_webrtc_sse_done(void);


#endif /* _NGX_HTTP_WEBRTC_SSE_H_INCLUDED_ */
