
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A connection of ICE-TCP, for ngx_webrtc_tcp*.c only.
 */


#ifndef _NGX_WEBRTC_TCP_CONN_H_INCLUDED_
#define _NGX_WEBRTC_TCP_CONN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_framing.h"
#include "ngx_webrtc_tcp_conf.h"


/* buckets of the table of connections, a power of two; chosen: a few hundred
 * stay near one per bucket */
#define NGX_WEBRTC_TCP_BUCKETS   256


/* what the socket did not take; NULL: it has taken everything */
typedef struct {
    u_char                      *buf;
    size_t                       size;
    size_t                       pos;         /* of the first byte */
    size_t                       last;        /* behind the last one */
    ngx_msec_t                   since;       /* when it last was empty */
} ngx_webrtc_tcp_backlog_t;


struct ngx_webrtc_tcp_conn_s {
    ngx_webrtc_tcp_t            *tcp;
    ngx_connection_t            *connection;  /* NULL: what is sent is dropped,
                                                 see ngx_webrtc_tcp_find() */
    ngx_queue_t                  bucket;      /* of tcp->conns[] */
    ngx_queue_t                  queue;       /* of tcp->pending */
    ngx_webrtc_path_t            path;

    ngx_msec_t                   deadline;    /* of its first check */

    ngx_webrtc_framing_t         framing;
    u_char                      *part;        /* of a frame, NULL: none */
    size_t                       npart;

    ngx_webrtc_tcp_backlog_t     backlog;

    unsigned                     bound:1;     /* it is a session's */
    unsigned                     passed:1;    /* another worker accepted it */
    unsigned                     busy:1;      /* a handler is running */
    unsigned                     dead:1;      /* to be freed by it */
    unsigned                     broken:1;    /* the peer is gone */
};


struct ngx_webrtc_tcp_s {
    ngx_webrtc_tcp_conf_t        conf;
    ngx_log_t                   *log;

    uint32_t                     number;      /* of the last connection */
    ngx_queue_t                  conns[NGX_WEBRTC_TCP_BUCKETS];
    ngx_queue_t                  pending;     /* the oldest first */
    ngx_webrtc_tcp_conn_t        none;        /* what has ended */

    u_char                      *rx;

    /* the batch: bytes for one connection */
    u_char                      *arena;
    u_char                      *pos;         /* end of what is committed */
    ngx_webrtc_tcp_conn_t       *open;        /* whose; NULL: it is empty */
    u_char                      *room;        /* reserved; NULL: to be dropped,
                                                 it is scratch */
    u_char                      *scratch;
    ngx_event_t                  flush;       /* posted */

    ngx_webrtc_tcp_stat_t        stat;
};


/* For ngx_webrtc_tcp.c, from ngx_webrtc_tcp_out.c. */

ngx_int_t ngx_webrtc_tcp_out_init(ngx_webrtc_tcp_t *tcp, ngx_cycle_t *cycle);
void ngx_webrtc_tcp_out_done(ngx_webrtc_tcp_t *tcp);

/* Sends what is batched and what is left over, as far as it goes. */
void ngx_webrtc_tcp_out_flush(ngx_webrtc_tcp_conn_t *conn);

/* Frees what is left. */
void ngx_webrtc_tcp_out_drop(ngx_webrtc_tcp_conn_t *conn);

/* The handler of a connection's write event. */
void ngx_webrtc_tcp_out_handler(ngx_event_t *wev);


#endif /* _NGX_WEBRTC_TCP_CONN_H_INCLUDED_ */
