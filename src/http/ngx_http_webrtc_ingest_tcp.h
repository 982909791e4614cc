
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Connections of publishers over TCP, or TLS.  Whatever they speak, they have
 * the same limits and the same life; a protocol is a row of functions.
 *
 *   dialogue --> asked --> accepted --> flows --> lingers --> closed
 *      ^           |------ refused, may ask again
 *      |-----------/   \-> refused ----------------^
 *      \-> garbage, or nothing within client_header_timeout --> closed
 *
 * Nothing is read while it has asked, while the media process does not keep
 * up, and when more has come than "webrtc_max_bitrate" permits: TCP tells the
 * publisher.
 */


#ifndef _NGX_HTTP_WEBRTC_INGEST_TCP_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_INGEST_TCP_H_INCLUDED_


#include "ngx_http_webrtc_ingest.h"


typedef struct ngx_http_webrtc_ingest_tcp_s  ngx_http_webrtc_ingest_tcp_t;


/*
 * A protocol; tc->data is what it has of a connection.
 *
 *   init       a connection has been accepted: sets data, out and nout.
 *              NGX_OK; NGX_ERROR: no memory
 *   read       takes what has come, *p is where it has stopped.
 *              NGX_OK        all of it
 *              NGX_AGAIN     no more for now: it has asked, or tc->blocked
 *              NGX_DONE      the publisher has said that this is the end
 *              NGX_DECLINED  it is none of this protocol: tc->cause
 *   accepted   it may publish: media for tc->in may come; sets tc->flows, at
 *              once or in read()
 *   refused    it may not; tc->in->status says more, and is gone afterwards.
 *              NGX_OK; NGX_AGAIN: it may ask again
 *   ended      somebody else has ended it
 *   free       of what data has
 *   resume     what waits on other sockets may be read; or NULL
 */
typedef struct {
    const char             *name;        /* in logs */
    const char             *invalid;     /* why one ends that is none of it */
    const char             *format;      /* of libavformat */
    ngx_uint_t              protocol;    /* NGX_WEBRTC_PROTOCOL_* */

    ngx_int_t             (*init)(ngx_http_webrtc_ingest_tcp_t *tc);
    ngx_int_t             (*read)(ngx_http_webrtc_ingest_tcp_t *tc,
                                  u_char **p, u_char *last);
    void                  (*accepted)(ngx_http_webrtc_ingest_tcp_t *tc);
    ngx_int_t             (*refused)(ngx_http_webrtc_ingest_tcp_t *tc,
                                     ngx_str_t *reason);
    void                  (*ended)(ngx_http_webrtc_ingest_tcp_t *tc,
                                   ngx_str_t *reason);
    void                  (*free)(ngx_http_webrtc_ingest_tcp_t *tc);
    void                  (*resume)(ngx_http_webrtc_ingest_tcp_t *tc);
} ngx_http_webrtc_ingest_tcp_protocol_t;


/*
 * What TLS of nginx's HTTP looks at in c->data, in its callbacks, comes first:
 * both are that.
 */
struct ngx_http_webrtc_ingest_tcp_s {
    ngx_http_connection_t           http;
    ngx_http_addr_conf_t            addr;       /* of it */
    ngx_http_log_ctx_t              log_ctx;    /* likewise in c->log->data */
    ngx_connection_t               *connection;
    ngx_http_webrtc_ingest_conf_t  *conf;
    ngx_http_webrtc_ingest_t       *in;         /* or NULL: not asked yet */

    const ngx_http_webrtc_ingest_tcp_protocol_t  *protocol;

    void                           *data;       /* the protocol's */
    u_char                         *out;        /* for the publisher, */
    size_t                         *nout;       /* so many bytes */
    const char                     *cause;      /* of what is no such protocol,
                                                   or of no URI, or NULL */

    /* private */

    ngx_queue_t                     queue;      /* while pending */
    ngx_http_webrtc_ingest_ask_t    ask;
    u_char                         *buf;
    u_char                         *pos;        /* in buf: what was read, */
    u_char                         *last;       /* and is still to be */
    ngx_event_t                     pace;       /* "webrtc_max_bitrate" */

    unsigned                        flows:1;    /* media comes */
    unsigned                        stays:1;    /* it is no publisher, and not
                                                   waited for: set in read() */
    unsigned                        blocked:1;  /* nothing is read */

    unsigned                        pending:1;  /* counts */
    unsigned                        asks:1;     /* ask is to be asked */
    unsigned                        paced:1;    /* nothing is read, as it was
                                                   too much */
    unsigned                        up:1;       /* accepted */
    unsigned                        lingers:1;
};


/*
 * A connection has been accepted, from a listening socket whose "servers" is
 * an ngx_http_webrtc_ingest_conf_t.
 *
 *   protocol   NULL: it is closed
 */
void ngx_http_webrtc_ingest_tcp_accepted(ngx_connection_t *c,
    const ngx_http_webrtc_ingest_tcp_protocol_t *protocol);

/*
 * For read(): asks whether it may publish, when read() has returned; nothing is
 * read until accepted() or refused().
 *
 *   ask   strings live as long as the connection; an empty URI is refused
 */
void ngx_http_webrtc_ingest_tcp_ask(ngx_http_webrtc_ingest_tcp_t *tc,
    const ngx_http_webrtc_ingest_ask_t *ask);

/*
 * For read() and accepted(): writes for the media process, once accepted.
 *
 * NGX_OK; NGX_AGAIN: taken, and read() is to stop
 */
ngx_int_t ngx_http_webrtc_ingest_tcp_send(ngx_http_webrtc_ingest_tcp_t *tc,
    struct iovec *iov, ngx_uint_t niov);

/*
 * Whether another socket of the publisher's is to be read now.
 *
 * NGX_OK
 * NGX_AGAIN      no: what is there is to wait until resume()
 * NGX_DECLINED   what comes is of no use
 */
ngx_int_t ngx_http_webrtc_ingest_tcp_reads(ngx_http_webrtc_ingest_tcp_t *tc);

/* Counts n bytes that have come there. */
void ngx_http_webrtc_ingest_tcp_beside(ngx_http_webrtc_ingest_tcp_t *tc,
    size_t n);

/* Memory for an engine: realloc() and, with a size of 0, free(). */
u_char *ngx_http_webrtc_ingest_tcp_grow(void *ctx, u_char *old, size_t size);

/* A copy that lives as long as the connection; NULL data: no memory. */
void ngx_http_webrtc_ingest_tcp_copy(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_str_t *to, ngx_str_t *from);


#endif /* _NGX_HTTP_WEBRTC_INGEST_TCP_H_INCLUDED_ */
