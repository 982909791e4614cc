
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A request of ours to an HTTP server: one request, one reply, one connection,
 * by nginx's events and resolver, so that nothing is waited for.
 */


#ifndef _NGX_WEBRTC_REQUEST_H_INCLUDED_
#define _NGX_WEBRTC_REQUEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_http_reply.h"
#include "ngx_webrtc_ice_filter.h"


/* bytes of a host's name, RFC 1035, 2.3.4 */
#define NGX_WEBRTC_REQUEST_HOST   255


typedef struct ngx_webrtc_request_s  ngx_webrtc_request_t;

/*
 * A reply has come, or will not.  The request is freed after that.
 *
 *   reply   views that are good during the call; NULL: there is none
 *   cause   why, without anything of the reply
 */
typedef void (*ngx_webrtc_request_pt)(void *ctx,
    ngx_webrtc_http_reply_t *reply, const char *cause);


typedef struct {
    ngx_str_t               host;        /* a name, or an address */
    in_port_t               port;
    struct sockaddr        *sockaddr;    /* of host; NULL: to be resolved */
    socklen_t               socklen;
    ngx_resolver_t         *resolver;    /* NULL: there is none */
    ngx_msec_t              resolver_timeout;
    ngx_uint_t              filtered;    /* unsigned  filtered:1; */
    ngx_webrtc_ice_filter_t filter;      /* of addresses, if it is */

    void                   *ssl;         /* ngx_ssl_t; NULL: no TLS */
    ngx_uint_t              verify;      /* unsigned  verify:1; */

    ngx_str_t               text;        /* the whole of it, copied */
    ngx_msec_t              timeout;     /* of all */
    ngx_log_t              *log;         /* outlives it */
    ngx_webrtc_request_pt   handler;
    void                   *ctx;
} ngx_webrtc_request_conf_t;


/* May nginx speak TLS?  Not all builds of it do. */
ngx_uint_t ngx_webrtc_request_may_tls(void);

/*
 * Sends it.  The handler is called later, never from here.
 *
 *   conf   copied, but for what it points to, which is copied too, except ssl
 *          and resolver
 *
 * NULL: no memory
 */
ngx_webrtc_request_t *ngx_webrtc_request(
    const ngx_webrtc_request_conf_t *conf);

/* Gives it up; its handler is not called.  Not to be called by the handler. */
void ngx_webrtc_request_cancel(ngx_webrtc_request_t *rq);


#endif /* _NGX_WEBRTC_REQUEST_H_INCLUDED_ */
