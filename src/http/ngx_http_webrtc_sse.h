
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A response of server-sent events (WHATWG HTML, 9.2): its header, when there
 * is something to be sent, a client that reads slowly or not at all, the
 * heartbeat, the end.  What the events are is for those who have them.
 */


#ifndef _NGX_HTTP_WEBRTC_SSE_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_SSE_H_INCLUDED_


#include "ngx_http_webrtc.h"


typedef struct ngx_http_webrtc_sse_s  ngx_http_webrtc_sse_t;


/*
 * A kind of event streams.
 *
 *   news    adds with ngx_http_webrtc_sse_room() what the client does not know
 *           yet.  Called when all that was sent before has been written, a few
 *           times per second.
 *
 *           NGX_OK
 *           NGX_DONE   nothing will follow: the response ends
 *           NGX_ERROR  without memory: it is cut
 *
 *   closed  the stream is over, however that came; data is the user's to free.
 *           It may be called before ngx_http_webrtc_sse_start() returns.  NULL:
 *           nothing is to be done
 */
typedef struct {
    ngx_int_t              (*news)(ngx_http_webrtc_sse_t *sse);
    void                   (*closed)(ngx_http_webrtc_sse_t *sse);
} ngx_http_webrtc_sse_kind_t;


/* made by ngx_http_webrtc_sse_create(), lives as long as its request */
struct ngx_http_webrtc_sse_s {
    const ngx_http_webrtc_sse_kind_t  *kind;
    void                              *data;      /* the user's */
    uint64_t                           key;       /* of whom it is, any */
    ngx_http_request_t                *request;

    /* the writer's */

    ngx_queue_t                        queue;     /* of all of this process */
    ngx_buf_t                         *buf;       /* what is sent, or was */
    ngx_msec_t                         time;      /* of the last output */
    unsigned                           listed:1;
    unsigned                           sending:1; /* buf has been sent once */
};


/*
 * Makes an event stream that sends nothing yet.
 *
 *   size   bytes of data, from the request's pool, zeroed
 *
 * NULL: without memory
 */
ngx_http_webrtc_sse_t *ngx_http_webrtc_sse_create(ngx_http_request_t *r,
    const ngx_http_webrtc_sse_kind_t *kind, uint64_t key, size_t size);

/*
 * Begins the response: its header, for a HEAD no more than that, and what is
 * news.
 *
 * A result as in ngx_http_webrtc_resource.h.
 */
ngx_int_t ngx_http_webrtc_sse_start(ngx_http_webrtc_sse_t *sse);

/*
 * The buffer, with room for n bytes more at its last; they are appended by
 * moving that.  Only from kind->news().
 *
 * NULL: without memory
 */
ngx_buf_t *ngx_http_webrtc_sse_room(ngx_http_webrtc_sse_t *sse, size_t n);

/*
 * The event streams of that kind and key that have been started in this
 * process.
 *
 *   n   their number, or NULL
 *
 * Returns the one that began first, or NULL.
 */
ngx_http_webrtc_sse_t *ngx_http_webrtc_sse_find(
    const ngx_http_webrtc_sse_kind_t *kind, uint64_t key, ngx_uint_t *n);

/*
 * Ends the response, from an event that is not its request's own.  A client
 * that has something left to read is cut: no end can be told to it.
 */
void ngx_http_webrtc_sse_end(ngx_http_webrtc_sse_t *sse);

/* Ends all of this process. */
void ngx_http_webrtc_sse_done(void);


#endif /* _NGX_HTTP_WEBRTC_SSE_H_INCLUDED_ */
