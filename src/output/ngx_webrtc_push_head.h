
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What all pushes have, whatever they push by: a stream, a target's URL, an
 * outlet with what has been sent, and attempts with pauses between them, a
 * second at first and twice as long each time, up to 30 s.
 */


#ifndef _NGX_WEBRTC_PUSH_HEAD_H_INCLUDED_
#define _NGX_WEBRTC_PUSH_HEAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_bus_outlet.h"
#include "ngx_webrtc_output_said.h"


/* bytes of a URL */
#define NGX_WEBRTC_PUSH_URL  2048


/*
 * How a stream is pushed to one target.
 *
 *   id       of the directive
 *   verify   certificates
 *   url      makes it, in a buffer of NGX_WEBRTC_PUSH_URL bytes, and returns
 *            its length; 0: it cannot be (*cause)
 */
typedef struct {
    uint32_t       id;
    ngx_uint_t     verify;        /* unsigned  verify:1; */
    size_t       (*url)(void *ctx, ngx_webrtc_stream_t *st, u_char *buf,
                        const char **cause);
    void          *ctx;
} ngx_webrtc_push_conf_t;


/* the beginning of a push */
typedef struct {
    ngx_queue_t                    queue;
    ngx_webrtc_bus_t              *bus;
    ngx_webrtc_stream_t           *st;         /* held */
    const ngx_webrtc_push_conf_t  *conf;
    ngx_webrtc_outlet_t           *outlet;
    ngx_webrtc_output_said_t       said;
    ngx_log_t                      log;        /* names stream and target */
    ngx_str_t                      name;       /* of st */
    const ngx_uint_t              *shown;      /* by state: the outlet's */
    ngx_uint_t                     state;      /* 0: nothing is under way */
    ngx_uint_t                     resting;    /* the state of pauses */
    ngx_msec_t                     since;      /* of the state */
    ngx_msec_t                     until;      /* of a pause */
    ngx_msec_t                     pause;      /* the last one; 0: none */
    ngx_msec_t                     begun;      /* it is sent; 0: not */
    uint64_t                       holder;     /* publisher that "url" is of */
    uint64_t                       bytes;      /* of connections before */
    uint64_t                       media_ms;   /* likewise */
    uint64_t                       left_out;   /* likewise */
    const char                    *cause;      /* of the connection's end */
    size_t                         url_len;
    u_char                         url[NGX_WEBRTC_PUSH_URL];
    unsigned                       wanted:1;
    unsigned                       keep:1;     /* a variant for it alone */
    unsigned                       failed:1;   /* this attempt */
} ngx_webrtc_push_head_t;


/*
 * Takes an outlet of the stream, holds the stream, and makes a push of size
 * bytes, all zero behind its head, the last one of "all".
 *
 *   conf      lives as long as the worker
 *   shown     by state: an outlet's, as the status has it
 *   resting   the state of pauses
 *
 * NULL: another worker pushes it, or there is no room (said)
 */
void *ngx_webrtc_push_head_new(ngx_queue_t *all, size_t size,
    ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    const ngx_webrtc_push_conf_t *conf, const ngx_uint_t *shown,
    ngx_uint_t resting, ngx_log_t *log);

/* The push with a stream and a target.  NULL: there is none */
void *ngx_webrtc_push_head_find(ngx_queue_t *all, ngx_webrtc_stream_t *st,
    const ngx_webrtc_push_conf_t *conf);

/* The next one; push NULL: the first one.  NULL: no more */
void *ngx_webrtc_push_head_next(ngx_queue_t *all, void *push);

/* Gives back what it has taken.  size: as it was made with */
void ngx_webrtc_push_head_free(ngx_webrtc_push_head_t *h, size_t size);

void ngx_webrtc_push_head_state(ngx_webrtc_push_head_t *h, ngx_uint_t state);

/*
 * Makes the URL.
 *
 * NGX_OK: h->url; NGX_DECLINED: *cause
 */
ngx_int_t ngx_webrtc_push_head_url(ngx_webrtc_push_head_t *h,
    const char **cause);

/* Discloses the URL, what is secret masked, in the status and the log. */
void ngx_webrtc_push_head_disclose(ngx_webrtc_push_head_t *h);

/* Does the URL of a publisher that has come since lead elsewhere? */
ngx_uint_t ngx_webrtc_push_head_moved(ngx_webrtc_push_head_t *h);

/* Says why the attempt has failed. */
void ngx_webrtc_push_head_fail(ngx_webrtc_push_head_t *h, const char *fmt, ...);

/* Media is sent. */
void ngx_webrtc_push_head_begin(ngx_webrtc_push_head_t *h);

/* What has been sent by this connection goes to the outlet. */
void ngx_webrtc_push_head_sent(ngx_webrtc_push_head_t *h, uint64_t bytes,
    uint64_t media_ms, uint64_t left_out);

/*
 * The connection is over, and is told of; what it has sent is that of
 * connections before.
 *
 * 1: it went well, or nothing is the matter, another one may follow at once;
 * 0: after a pause
 */
ngx_uint_t ngx_webrtc_push_head_end(ngx_webrtc_push_head_t *h);

/* Pauses; least: ms, as the target wants it, 0: longer than the last time */
void ngx_webrtc_push_head_rest(ngx_webrtc_push_head_t *h, ngx_msec_t least);

/* Is the pause over? */
ngx_uint_t ngx_webrtc_push_head_rested(const ngx_webrtc_push_head_t *h);


#endif /* _NGX_WEBRTC_PUSH_HEAD_H_INCLUDED_ */
