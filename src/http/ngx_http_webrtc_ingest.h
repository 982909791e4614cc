
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Publishers of other protocols than WHIP.  What they want to publish is a
 * request of nginx's, "POST /application/name?arguments", which is read by
 * nginx itself and goes through all its phases: locations, limits, access,
 * tokens, hooks and logs are those of HTTP.  It comes over a pair of sockets,
 * whose other end is ours: nothing of HTTP reaches the publisher.
 *
 *   ask() --> refused, the response says why
 *         \-> a location with "webrtc_publish" takes it --> published, and the
 *             request lasts as long as the publisher
 */


#ifndef _NGX_HTTP_WEBRTC_INGEST_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_INGEST_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_rate.h"
#include "ngx_webrtc_source.h"


/* bytes of a reason that a publisher is told */
#define NGX_HTTP_WEBRTC_INGEST_REASON  256

/* bytes of a response that are looked at; chosen: head and problem body */
#define NGX_HTTP_WEBRTC_INGEST_ANSWER  4096


/*
 * What a protocol is told, from the event loop, never from within one of its
 * own calls.  After refused() or ended() nothing is called any more.
 *
 *   accepted   it is published: media may come
 *   refused    it is not
 *   writable   the media process takes data again
 *   ended      somebody else has ended it
 */
typedef struct {
    void                   (*accepted)(void *data);
    void                   (*refused)(void *data, ngx_str_t *reason);
    void                   (*writable)(void *data);
    void                   (*ended)(void *data, ngx_str_t *reason);
} ngx_http_webrtc_ingest_ops_t;


/* one "webrtc_ingest" */
typedef struct {
    ngx_addr_t                   addr;
    ngx_str_t                    value;      /* as configured */
    ngx_str_t                    app;        /* the only one, empty: any */
    in_port_t                    udp_first;  /* ports of RTP over UDP, */
    in_port_t                    udp_last;   /* 0: any */
    ngx_msec_t                   udp_full;   /* of a worker: they are not
                                                looked for until then */
    ngx_http_core_srv_conf_t    *cscf;       /* its server */
    const struct ngx_http_webrtc_ingest_kind_s  *kind;
    struct ngx_http_webrtc_srt_conf_s  *srt; /* of "srt://", or NULL */
#if (NGX_HTTP_SSL)
    ngx_ssl_t                   *ssl;        /* NULL: in the clear */
#endif
    ngx_http_webrtc_where_t      where;
} ngx_http_webrtc_ingest_conf_t;


/*
 * What a publisher asks for.
 *
 *   uri            "/application/name?arguments", any bytes
 *   host           of the URL that it has, or empty
 *   agent          its software, or empty
 *   authorization  a header field's value, or empty
 */
typedef struct {
    ngx_str_t                    uri;
    ngx_str_t                    host;
    ngx_str_t                    agent;
    ngx_str_t                    authorization;
} ngx_http_webrtc_ingest_ask_t;


/*
 * Owned by its protocol until ngx_http_webrtc_ingest_end(); freed when source
 * and request have ended, too.
 */
typedef struct {
    ngx_queue_t                  queue;      /* of those that are published */
    const ngx_http_webrtc_ingest_ops_t  *ops;
    void                        *data;       /* NULL: the publisher is gone */
    ngx_uint_t                   protocol;   /* NGX_WEBRTC_PROTOCOL_* */
    const char                  *format;     /* of libavformat */
    ngx_log_t                   *log;

    ngx_listening_t              ls;         /* of the request's connection */
    ngx_http_port_t              port;
    ngx_http_in_addr_t           addr;
#if (NGX_HAVE_INET6)
    ngx_http_in6_addr_t          addr6;
#endif
    ngx_connection_t            *answer;     /* our end; NULL: closed */
    ngx_uint_t                   status;     /* of a refusal, 0: none */
    size_t                       nresponse;
    u_char                       response[NGX_HTTP_WEBRTC_INGEST_ANSWER];

    /* of ngx_http_webrtc_ingest_publish.c */

    ngx_http_request_t          *request;    /* that waits, or NULL */
    ngx_webrtc_stream_t         *st;         /* held, or NULL */
    ngx_webrtc_peer_t           *peer;       /* our slot, or NULL */
    ngx_webrtc_source_t         *source;     /* or NULL */
    ngx_connection_t            *out;        /* to the media process, or NULL */
    u_char                      *left;       /* that it has not taken */
    size_t                       size;       /* allocated */
    size_t                       nleft;
    size_t                       sent;       /* of these */
    ngx_msec_t                   paced_since; /* when what is counted began */
    uint64_t                     paced;      /* bytes, since then */
    ngx_event_t                  timer;
    ngx_uint_t                   tries;
    const char                  *why;        /* it ends */
    ngx_webrtc_rate_t            rate;
    ngx_webrtc_peer_stat_t       counted;
    ngx_msec_t                   notified;
    ngx_webrtc_addr_t            from;
    u_char                       public[NGX_WEBRTC_PUBLIC_LEN];
    ngx_log_t                    own_log;    /* names session and stream */

    unsigned                     http:1;     /* the request's connection is
                                                there */
    unsigned                     claimed:1;
    unsigned                     up:1;       /* accepted */
    unsigned                     ending:1;
    unsigned                     told:1;     /* refused() or ended() */
} ngx_http_webrtc_ingest_t;


/*
 * Begins.
 *
 *   c      the publisher's: its addresses and its log are used
 *   data   for ops; not NULL
 *
 * NULL: no memory
 */
ngx_http_webrtc_ingest_t *ngx_http_webrtc_ingest_create(ngx_connection_t *c,
    const ngx_http_webrtc_ingest_ops_t *ops, void *data);

/*
 * Asks whether it may publish; ops->accepted() or refused() follows.
 *
 *   ask   its strings are cut where they have what no header may have
 *
 * NGX_OK; NGX_ERROR, logged
 */
ngx_int_t ngx_http_webrtc_ingest_ask(ngx_http_webrtc_ingest_t *in,
    ngx_http_webrtc_ingest_conf_t *conf, ngx_connection_t *c,
    ngx_http_webrtc_ingest_ask_t *ask);

/*
 * A header field of the response of who is refused, when refused() is called;
 * each call finds the next one of that name.
 *
 *   name    in lower case, with the colon
 *   pos     NULL at first, kept between calls
 *   value   out; printable ASCII
 *
 * NGX_OK; NGX_DECLINED: there are no more
 */
ngx_int_t ngx_http_webrtc_ingest_header(ngx_http_webrtc_ingest_t *in,
    const char *name, u_char **pos, ngx_str_t *value);

/* Frees it, if nothing needs it any more. */
void ngx_http_webrtc_ingest_free(ngx_http_webrtc_ingest_t *in);

/* Closes our end: the request's response is of no interest any more. */
void ngx_http_webrtc_ingest_quiet(ngx_http_webrtc_ingest_t *in);

/* Whose request it is; NULL: a client's of HTTP. */
ngx_http_webrtc_ingest_t *ngx_http_webrtc_ingest_of(ngx_http_request_t *r);

/* NGX_WEBRTC_PROTOCOL_* as the status and logs call it. */
const char *ngx_http_webrtc_ingest_protocol(ngx_uint_t protocol);

/* A phase handler: they see nothing but locations that publish. */
ngx_int_t ngx_http_webrtc_ingest_init(ngx_conf_t *cf);


#endif /* _NGX_HTTP_WEBRTC_INGEST_H_INCLUDED_ */
