
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The callers of the gateway.
 */


#ifndef _NGX_WEBRTC_GATEWAY_CALLER_H_INCLUDED_
#define _NGX_WEBRTC_GATEWAY_CALLER_H_INCLUDED_


#include "ngx_webrtc_gateway.h"


struct ngx_webrtc_gateway_caller_s {
    ngx_webrtc_gateway_caller_t  *next;
    ngx_webrtc_gateway_t         *gateway;
    SRTSOCKET                     socket;
    ngx_webrtc_addr_t             addr;
    int                           fd;       /* to nginx */
    pthread_t                     thread;
    uint64_t                      close_us; /* not before this */

    /* the loop's */

    ngx_webrtc_gateway_caller_t  *closes;   /* a list of those to be closed */
    ngx_uint_t                    closed;   /* it was in it */

    /* guarded */

    ngx_uint_t                    up;       /* nginx has let it in, */
    ngx_uint_t                    left;     /* or closed it */
    ngx_uint_t                    done;     /* the thread has ended, */
    ngx_uint_t                    alone;    /* or there was none */
};


/* With the mutex held: whom nginx has not answered, and those of an address. */
ngx_uint_t ngx_webrtc_gateway_caller_asked(ngx_webrtc_gateway_t *gw,
    ngx_webrtc_addr_t *addr, ngx_uint_t *same);


/*
 * One has come: it is nginx's from now on, or closed.
 *
 *   sock   accepted; owned from here
 */
void ngx_webrtc_gateway_caller(ngx_webrtc_gateway_t *gw, SRTSOCKET sock,
    ngx_webrtc_addr_t *addr);

/*
 * The loop's: what to poll for them.  Returns how many there are.
 *
 *   ms   lowered where some are to be looked at before that; -1: never
 */
ngx_uint_t ngx_webrtc_gateway_caller_poll(ngx_webrtc_gateway_t *gw,
    struct pollfd *fds, uint64_t now_us, int *ms);

/* The loop's: ends those whose descriptor says that nginx has. */
void ngx_webrtc_gateway_caller_polled(ngx_webrtc_gateway_t *gw,
    struct pollfd *fds, ngx_uint_t n);

/* The loop's: frees those that are over. */
void ngx_webrtc_gateway_caller_reap(ngx_webrtc_gateway_t *gw);


#endif /* _NGX_WEBRTC_GATEWAY_CALLER_H_INCLUDED_ */
