
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_ingest srt://address:port[?options]": its configuration, and the
 * process that has the port.
 */


#ifndef _NGX_HTTP_WEBRTC_SRT_GATEWAY_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_SRT_GATEWAY_H_INCLUDED_


#include "ngx_http_webrtc_ingest.h"
#include "ngx_webrtc_srt_link.h"


#define NGX_HTTP_WEBRTC_SRT_EXPECTED                                          \
    "\"srt://address:port[?passphrase=text&latency=ms&pbkeylen=16|24|32]\", " \
    "such as \"srt://0.0.0.0:9000\" or "                                      \
    "\"srt://[::]:9000?latency=200\""


typedef struct ngx_http_webrtc_srt_conf_s {
    ngx_webrtc_srt_config_t   config;
    ngx_str_t                 program;
    ngx_str_t                 path;      /* of the unix socket */
    ngx_fd_t                  lock;      /* the gateway locks it */

    /* of the worker that starts it */

    ngx_msec_t                next;      /* look at it */
    ngx_msec_t                backoff;
    ngx_pid_t                 pid;       /* that starts it, 0: none */
    ngx_uint_t                there;     /* it was */
    ngx_uint_t                failed;    /* it was said */
    ngx_uint_t                started;   /* so often, since it was there */
} ngx_http_webrtc_srt_conf_t;


/*
 * Takes "?options" of the URL.
 *
 * NGX_OK; NGX_DECLINED: it is none; NGX_ERROR: likewise, and that was said
 */
ngx_int_t ngx_http_webrtc_srt_options(ngx_conf_t *cf,
    ngx_http_webrtc_ingest_conf_t *ingest, ngx_str_t *rest);

/*
 * All of the configuration has been read.
 *
 *   addr   is set: where nginx is to listen for the gateway
 *
 * NGX_OK; NGX_ERROR, logged
 */
ngx_int_t ngx_http_webrtc_srt_listen(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest, ngx_addr_t *addr);

/* The sockets are there: makes them the workers' alone. */
void ngx_http_webrtc_srt_own(ngx_cycle_t *cycle,
    ngx_http_webrtc_main_conf_t *wmcf);

/* Process id of the gateway; 0: there is none. */
ngx_pid_t ngx_http_webrtc_srt_pid(ngx_http_webrtc_srt_conf_t *scf);

/* A few times a second: starts gateways that are not there. */
void ngx_http_webrtc_srt_tick(ngx_http_webrtc_main_conf_t *wmcf);


#endif /* _NGX_HTTP_WEBRTC_SRT_GATEWAY_H_INCLUDED_ */
