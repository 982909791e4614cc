
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Memory that will be needed soon.  Who goes through thousands of sessions
 * finds nothing of the next one in the processor's caches; what is asked for
 * while there is other work to do has come by then.
 */


#ifndef _NGX_WEBRTC_AHEAD_H_INCLUDED_
#define _NGX_WEBRTC_AHEAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes that come at once; chosen: of x86-64 and of most ARMs */
#define NGX_WEBRTC_AHEAD_LINE  64


/* Asks for n bytes at p, which may be any address. */
static ngx_inline void
ngx_webrtc_ahead(const void *p, size_t n)
{
    uintptr_t  at, end;

    end = (uintptr_t) p + n;

    for (at = (uintptr_t) p & ~(uintptr_t) (NGX_WEBRTC_AHEAD_LINE - 1);
         at < end;
         at += NGX_WEBRTC_AHEAD_LINE)
    {
        __builtin_prefetch((const void *) at);
    }
}


#endif /* _NGX_WEBRTC_AHEAD_H_INCLUDED_ */
