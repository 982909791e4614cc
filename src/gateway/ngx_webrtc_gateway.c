
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What all threads of the gateway tell its loop.
 */


#include "ngx_webrtc_gateway.h"
#include "ngx_webrtc_time.h"

#include <arpa/inet.h>
#include <stdio.h>


/* lines in a second at most; chosen: who is refused must not fill disks */
#define NGX_WEBRTC_GATEWAY_SAY       20


void
ngx_webrtc_gateway_wake(ngx_webrtc_gateway_t *gw)
{
    uint64_t  one;

    one = 1;

    (void) (write(gw->wake, &one, sizeof(one)) == -1);
}


void
ngx_webrtc_gateway_say(ngx_webrtc_gateway_t *gw, ngx_uint_t level,
    ngx_webrtc_addr_t *addr, const char *text, const char *more)
{
    int                    n;
    char                   line[NGX_WEBRTC_SRT_LINK_TEXT];
    char                   ip[INET6_ADDRSTRLEN];
    u_char                *p;
    uint64_t               now_us;
    ngx_webrtc_srt_log_t   log;

    ip[0] = '\0';

    if (addr && addr->u.sa.sa_family == AF_INET) {
        (void) inet_ntop(AF_INET, &addr->u.in.sin_addr, ip, sizeof(ip));
    }

#if (NGX_HAVE_INET6)

    if (addr && addr->u.sa.sa_family == AF_INET6) {
        (void) inet_ntop(AF_INET6, &addr->u.in6.sin6_addr, ip, sizeof(ip));
    }

#endif

    n = snprintf(line, sizeof(line), "%s%s%s%s%s", addr ? "caller " : "", ip,
                 addr ? " " : "", text, more ? more : "");

    log.level = level;
    log.text.data = (u_char *) line;
    log.text.len = ngx_min((size_t) ngx_max(n, 0), sizeof(line) - 1);

    now_us = ngx_webrtc_time_now();

    (void) pthread_mutex_lock(&gw->mutex);

    if (now_us - gw->said_us >= 1000000) {
        gw->said_us = now_us;
        gw->said = 0;
    }

    if (level != NGX_WEBRTC_SRT_LOG_INFO
        || gw->said++ < NGX_WEBRTC_GATEWAY_SAY)
    {
        p = ngx_webrtc_srt_write_log(gw->lines + gw->nlines,
                                     gw->lines + sizeof(gw->lines), &log);
        if (p) {
            gw->nlines = p - gw->lines;
        }
    }

    (void) pthread_mutex_unlock(&gw->mutex);

    ngx_webrtc_gateway_wake(gw);
}
