
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The gateway of an SRT port.  There is one of it per process, and its members
 * are guarded by its mutex where it says so.
 */


#ifndef _NGX_WEBRTC_GATEWAY_H_INCLUDED_
#define _NGX_WEBRTC_GATEWAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <poll.h>
#include <pthread.h>
#include <sys/un.h>
#include <srt/srt.h>

#include "ngx_webrtc_addr.h"
#include "ngx_webrtc_srt_link.h"


/* callers; chosen: a thread each, and more than a machine transcodes */
#define NGX_WEBRTC_GATEWAY_CALLERS  1024

/* with those that nginx has refused just now */
#define NGX_WEBRTC_GATEWAY_ALL      2048

/* callers whose handshake is not over */
#define NGX_WEBRTC_GATEWAY_SHAKING  256

/* bytes of lines that nginx has not taken; what is more is lost */
#define NGX_WEBRTC_GATEWAY_LINES    16384


typedef struct ngx_webrtc_gateway_s         ngx_webrtc_gateway_t;
typedef struct ngx_webrtc_gateway_caller_s  ngx_webrtc_gateway_caller_t;


/* one that the callback has let in, and that libsrt may still refuse */
typedef struct {
    SRTSOCKET                     socket;
    uint64_t                      since_us;
    ngx_webrtc_addr_t             addr;
} ngx_webrtc_gateway_shaking_t;


struct ngx_webrtc_gateway_s {

    /* as started, not changed */

    ngx_webrtc_addr_t             addr;
    struct sockaddr_un            nginx;
    int                           wake;         /* eventfd of the loop */

    /* the loop's own */

    int                           link;         /* -1: none */
    ngx_uint_t                    linked;       /* it has answered */
    ngx_uint_t                    unanswered;   /* links, one after another */
    uint64_t                      next_us;      /* attempt at a link */
    size_t                        nread;
    u_char                        read[NGX_WEBRTC_SRT_LINK_FRAME];
    SRTSOCKET                     listener;     /* SRT_INVALID_SOCK: none */
    uint64_t                      listen_us;    /* attempt to listen */
    ngx_uint_t                    failed;       /* it was said */
    pthread_t                     accepts;      /* thread of the listener */

    /* guarded */

    pthread_mutex_t               mutex;
    ngx_webrtc_srt_config_t       config;
    ngx_webrtc_gateway_caller_t  *callers;      /* a list */
    ngx_uint_t                    ncallers;     /* without those that left */
    ngx_uint_t                    nall;
    ngx_uint_t                    gone;         /* nobody takes links */
    ngx_uint_t                    nshaking;
    ngx_webrtc_gateway_shaking_t  shaking[NGX_WEBRTC_GATEWAY_SHAKING];
    uint64_t                      said_us;
    ngx_uint_t                    said;         /* lines since then */
    ngx_uint_t                    cut;          /* the first one is, in two */
    size_t                        nlines;
    u_char                        lines[NGX_WEBRTC_GATEWAY_LINES];
};


/* Any thread: the loop looks at everything again. */
void ngx_webrtc_gateway_wake(ngx_webrtc_gateway_t *gw);

/*
 * Any thread: a line for nginx's error_log, "caller <addr>: <text>" where addr
 * is not NULL.  Never waits.
 *
 *   level   NGX_WEBRTC_SRT_LOG_*
 */
void ngx_webrtc_gateway_say(ngx_webrtc_gateway_t *gw, ngx_uint_t level,
    ngx_webrtc_addr_t *addr, const char *text, const char *more);


#endif /* _NGX_WEBRTC_GATEWAY_H_INCLUDED_ */
