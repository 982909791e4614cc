
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The address of a host: see the header file.  nginx's resolver may answer
 * while it is asked.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_lookup.h"


static void ngx_webrtc_lookup_resolved(ngx_resolver_ctx_t *ctx);


ngx_int_t
ngx_webrtc_lookup(ngx_webrtc_lookup_t *lk, ngx_resolver_t *resolver,
    ngx_msec_t timeout, const ngx_str_t *host)
{
    ngx_int_t            rc;
    ngx_resolver_ctx_t  *ctx;

    lk->addr.len = 0;
    lk->cause = NULL;

    ctx = resolver ? ngx_resolve_start(resolver, NULL) : NGX_NO_RESOLVER;

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        lk->cause = ctx ? "its host has to be resolved, and there is no "
                          "\"resolver\""
                        : "no memory";
        return NGX_DECLINED;
    }

    ctx->name = *host;
    ctx->handler = ngx_webrtc_lookup_resolved;
    ctx->data = lk;
    ctx->timeout = timeout;

    lk->resolving = ctx;
    lk->asking = 1;

    rc = ngx_resolve_name(ctx);

    lk->asking = 0;

    if (rc != NGX_OK) {

        /* the context is gone */

        lk->resolving = NULL;
        lk->cause = "its host cannot be resolved";
    }

    if (lk->resolving) {
        return NGX_AGAIN;
    }

    return lk->cause ? NGX_DECLINED : NGX_OK;
}


static void
ngx_webrtc_lookup_resolved(ngx_resolver_ctx_t *ctx)
{
    ngx_uint_t            i;
    ngx_webrtc_lookup_t  *lk;

    lk = ctx->data;

    lk->cause = "its host cannot be resolved";

    if (ctx->state || ctx->naddrs == 0) {
        ngx_log_error(NGX_LOG_INFO, lk->log, 0,
                      "webrtc host \"%V\" could not be resolved (%i: %s)",
                      &ctx->name, ctx->state,
                      ngx_resolver_strerror(ctx->state));

    } else {
        i = ngx_random() % ctx->naddrs;

        if (ngx_webrtc_addr_set(&lk->addr, ctx->addrs[i].sockaddr,
                                ctx->addrs[i].socklen)
            == NGX_OK)
        {
            lk->cause = NULL;
        }
    }

    ngx_resolve_name_done(ctx);
    lk->resolving = NULL;

    if (!lk->asking) {
        lk->handler(lk->ctx);
    }
}


void
ngx_webrtc_lookup_cancel(ngx_webrtc_lookup_t *lk)
{
    if (lk->resolving) {
        ngx_resolve_name_done(lk->resolving);
        lk->resolving = NULL;
    }
}
