
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Copies of the packets that an association has sent, and their memory.
 */


#ifndef _NGX_WEBRTC_SCTP_COPY_H_INCLUDED_
#define _NGX_WEBRTC_SCTP_COPY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a copy of a packet: the common header and chunks of DATA */
typedef struct {
    ngx_queue_t   all;
    ngx_queue_t   open;
    ngx_queue_t   link;          /* in r->flight or r->lost */
    uint64_t      number;        /* of its last sending, */
    uint64_t      sent_ms;       /* time of it, */
    uint64_t      prior;         /* rate.delivered of then, */
    size_t        flight;        /* and what was under way */
    uint32_t      first;         /* TSNs, without a gap */
    uint32_t      last;
    uint32_t      size;          /* bytes of chunks, as usrsctp counts them */
    uint32_t      room;          /* bytes that it takes of memory */
    uint16_t      n;             /* of data */
    uint16_t      times;         /* sent */
    unsigned      acked:1;       /* not in open, nor flight or lost */
    unsigned      lost:1;        /* in lost, or usrsctp repeats it */
    u_char        data[];
} ngx_webrtc_sctp_copy_t;


/*
 * Those that are not in use.  Private; to be ended by
 * ngx_webrtc_sctp_copy_drain().
 */
typedef struct {
    ngx_queue_t   queue;         /* of copies, by all */
    ngx_uint_t    n;
} ngx_webrtc_sctp_spare_t;


void ngx_webrtc_sctp_copy_init(ngx_webrtc_sctp_spare_t *spare);

/* Frees what is kept. */
void ngx_webrtc_sctp_copy_drain(ngx_webrtc_sctp_spare_t *spare);

/* A copy that is zeroed, with room for n bytes of data; NULL: no memory. */
ngx_webrtc_sctp_copy_t *ngx_webrtc_sctp_copy_get(
    ngx_webrtc_sctp_spare_t *spare, size_t n);

/* The copy is not needed any more, and in no queue. */
void ngx_webrtc_sctp_copy_put(ngx_webrtc_sctp_spare_t *spare,
    ngx_webrtc_sctp_copy_t *copy);


#endif /* _NGX_WEBRTC_SCTP_COPY_H_INCLUDED_ */
