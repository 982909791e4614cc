
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The address of a host, by nginx's resolver.
 */


#ifndef _NGX_WEBRTC_LOOKUP_H_INCLUDED_
#define _NGX_WEBRTC_LOOKUP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_addr.h"


/* zeroed, then the first three are set; it belongs to the caller */
typedef struct {
    void                  (*handler)(void *ctx);
    void                   *ctx;
    ngx_log_t              *log;
    ngx_webrtc_addr_t       addr;        /* its port is the caller's */
    const char             *cause;       /* NULL: addr is known */
    ngx_resolver_ctx_t     *resolving;   /* NULL: it is not */
    ngx_uint_t              asking;      /* unsigned  asking:1; */
} ngx_webrtc_lookup_t;


/*
 * Looks a host up; where it has several addresses, another one each time.
 *
 *   host   stays until that is over
 *
 * NGX_OK        lk->addr
 * NGX_AGAIN     the handler will be called
 * NGX_DECLINED  lk->cause
 */
ngx_int_t ngx_webrtc_lookup(ngx_webrtc_lookup_t *lk, ngx_resolver_t *resolver,
    ngx_msec_t timeout, const ngx_str_t *host);

/* Gives it up; the handler is not called. */
void ngx_webrtc_lookup_cancel(ngx_webrtc_lookup_t *lk);


#endif /* _NGX_WEBRTC_LOOKUP_H_INCLUDED_ */
