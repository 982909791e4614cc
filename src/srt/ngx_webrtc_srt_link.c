
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Frames between the gateway of an SRT port and nginx's workers.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_srt_link.h"


/* the largest frame but those of DATA; chosen: CALLER, with room */
#define NGX_WEBRTC_SRT_LINK_OTHER  640


static u_char *ngx_webrtc_srt_write_end(u_char *begin, u_char *p,
    ngx_uint_t type);


ngx_int_t
ngx_webrtc_srt_frame(u_char **pos, u_char *last, ngx_webrtc_srt_frame_t *frame)
{
    u_char    *p;
    uint8_t    type, zero;
    uint16_t   len;

    p = ngx_webrtc_read_u8(*pos, last, &type);
    p = ngx_webrtc_read_u8(p, last, &zero);
    p = ngx_webrtc_read_u16(p, last, &len);

    if (p == NULL) {
        return NGX_AGAIN;
    }

    if (type == 0
        || type >= NGX_WEBRTC_SRT_LINK_TYPES
        || zero
        || len > ((type == NGX_WEBRTC_SRT_LINK_DATA)
                  ? NGX_WEBRTC_SRT_LINK_FRAME : NGX_WEBRTC_SRT_LINK_OTHER))
    {
        return NGX_DECLINED;
    }

    frame->type = type;
    frame->len = len;

    p = ngx_webrtc_read_mem(p, last, len, &frame->data);

    if (p == NULL) {
        return NGX_AGAIN;
    }

    *pos = p;

    return NGX_OK;
}


u_char *
ngx_webrtc_srt_write_head(u_char *p, ngx_uint_t type, size_t len)
{
    p[0] = (u_char) type;
    p[1] = 0;
    p[2] = (u_char) (len >> 8);
    p[3] = (u_char) len;

    return p + NGX_WEBRTC_SRT_LINK_HEAD;
}


/* p: NULL, it did not fit */

static u_char *
ngx_webrtc_srt_write_end(u_char *begin, u_char *p, ngx_uint_t type)
{
    if (p) {
        (void) ngx_webrtc_srt_write_head(begin, type,
                                      p - begin - NGX_WEBRTC_SRT_LINK_HEAD);
    }

    return p;
}


u_char *
ngx_webrtc_srt_write_hello(u_char *p, u_char *last)
{
    u_char  *begin;

    begin = p;

    p = ngx_webrtc_skip(p, last, NGX_WEBRTC_SRT_LINK_HEAD);
    p = ngx_webrtc_write_u8(p, last, NGX_WEBRTC_SRT_LINK_VERSION);

    return ngx_webrtc_srt_write_end(begin, p, NGX_WEBRTC_SRT_LINK_HELLO);
}


ngx_int_t
ngx_webrtc_srt_read_hello(ngx_webrtc_srt_frame_t *frame)
{
    return (frame->len == 1 && frame->data[0] == NGX_WEBRTC_SRT_LINK_VERSION)
           ? NGX_OK : NGX_DECLINED;
}


u_char *
ngx_webrtc_srt_write_config(u_char *p, u_char *last,
    ngx_webrtc_srt_config_t *config)
{
    u_char  *begin;

    begin = p;

    p = ngx_webrtc_skip(p, last, NGX_WEBRTC_SRT_LINK_HEAD);
    p = ngx_webrtc_write_u8(p, last, NGX_WEBRTC_SRT_LINK_VERSION);
    p = ngx_webrtc_write_u32(p, last, config->latency_ms);
    p = ngx_webrtc_write_u8(p, last, config->pbkeylen);
    p = ngx_webrtc_write_mem(p, last, config->passphrase,
                             config->passphrase_len);

    return ngx_webrtc_srt_write_end(begin, p, NGX_WEBRTC_SRT_LINK_CONFIG);
}


ngx_int_t
ngx_webrtc_srt_read_config(ngx_webrtc_srt_frame_t *frame,
    ngx_webrtc_srt_config_t *config)
{
    u_char   *p, *last;
    uint8_t   version;

    p = frame->data;
    last = p + frame->len;

    p = ngx_webrtc_read_u8(p, last, &version);
    p = ngx_webrtc_read_u32(p, last, &config->latency_ms);
    p = ngx_webrtc_read_u8(p, last, &config->pbkeylen);

    if (p == NULL
        || version != NGX_WEBRTC_SRT_LINK_VERSION
        || last - p > NGX_WEBRTC_SRT_PASSPHRASE_MAX)
    {
        return NGX_DECLINED;
    }

    config->passphrase_len = last - p;
    ngx_memcpy(config->passphrase, p, config->passphrase_len);

    return NGX_OK;
}


u_char *
ngx_webrtc_srt_write_log(u_char *p, u_char *last, ngx_webrtc_srt_log_t *log)
{
    u_char  *begin;

    begin = p;

    p = ngx_webrtc_skip(p, last, NGX_WEBRTC_SRT_LINK_HEAD);
    p = ngx_webrtc_write_u8(p, last, (uint8_t) log->level);
    p = ngx_webrtc_write_mem(p, last, log->text.data, log->text.len);

    return ngx_webrtc_srt_write_end(begin, p, NGX_WEBRTC_SRT_LINK_LOG);
}


ngx_int_t
ngx_webrtc_srt_read_log(ngx_webrtc_srt_frame_t *frame,
    ngx_webrtc_srt_log_t *log)
{
    u_char   *p, *last;
    uint8_t   level;

    p = frame->data;
    last = p + frame->len;

    p = ngx_webrtc_read_u8(p, last, &level);

    if (p == NULL
        || level > NGX_WEBRTC_SRT_LOG_NOTICE
        || last - p > NGX_WEBRTC_SRT_LINK_TEXT)
    {
        return NGX_DECLINED;
    }

    log->level = level;
    log->text.data = p;
    log->text.len = last - p;

    return NGX_OK;
}


u_char *
ngx_webrtc_srt_write_caller(u_char *p, u_char *last,
    ngx_webrtc_srt_caller_t *caller)
{
    u_char  *begin;

    begin = p;

    p = ngx_webrtc_skip(p, last, NGX_WEBRTC_SRT_LINK_HEAD);
    p = ngx_webrtc_write_u8(p, last, NGX_WEBRTC_SRT_LINK_VERSION);
    p = ngx_webrtc_write_u32(p, last, caller->version);

    switch (caller->addr.u.sa.sa_family) {

#if (NGX_HAVE_INET6)

    case AF_INET6:
        p = ngx_webrtc_write_u8(p, last, 6);
        p = ngx_webrtc_write_u16(p, last, ntohs(caller->addr.u.in6.sin6_port));
        p = ngx_webrtc_write_mem(p, last, &caller->addr.u.in6.sin6_addr, 16);
        break;

#endif

    default: /* AF_INET */
        p = ngx_webrtc_write_u8(p, last, 4);
        p = ngx_webrtc_write_u16(p, last, ntohs(caller->addr.u.in.sin_port));
        p = ngx_webrtc_write_mem(p, last, &caller->addr.u.in.sin_addr, 4);
        break;
    }

    p = ngx_webrtc_write_mem(p, last, caller->streamid.data,
                             caller->streamid.len);

    return ngx_webrtc_srt_write_end(begin, p, NGX_WEBRTC_SRT_LINK_CALLER);
}


ngx_int_t
ngx_webrtc_srt_read_caller(ngx_webrtc_srt_frame_t *frame,
    ngx_webrtc_srt_caller_t *caller)
{
    u_char             *p, *last, *addr;
    uint8_t             version, family;
    uint16_t            port;
    ngx_webrtc_addr_t  *a;

    p = frame->data;
    last = p + frame->len;
    version = 0;
    family = 0;

    p = ngx_webrtc_read_u8(p, last, &version);
    p = ngx_webrtc_read_u32(p, last, &caller->version);
    p = ngx_webrtc_read_u8(p, last, &family);
    p = ngx_webrtc_read_u16(p, last, &port);

    if (p == NULL || version != NGX_WEBRTC_SRT_LINK_VERSION) {
        return NGX_DECLINED;
    }

    a = &caller->addr;
    ngx_memzero(a, sizeof(ngx_webrtc_addr_t));

    if (family == 4) {
        p = ngx_webrtc_read_mem(p, last, 4, &addr);

        if (p) {
            a->len = sizeof(struct sockaddr_in);
            a->u.in.sin_family = AF_INET;
            a->u.in.sin_port = htons(port);
            ngx_memcpy(&a->u.in.sin_addr, addr, 4);
        }

#if (NGX_HAVE_INET6)

    } else if (family == 6) {
        p = ngx_webrtc_read_mem(p, last, 16, &addr);

        if (p) {
            a->len = sizeof(struct sockaddr_in6);
            a->u.in6.sin6_family = AF_INET6;
            a->u.in6.sin6_port = htons(port);
            ngx_memcpy(&a->u.in6.sin6_addr, addr, 16);
        }

#endif
    }

    if (p == NULL || a->len == 0 || last - p > NGX_WEBRTC_SRT_STREAMID) {
        return NGX_DECLINED;
    }

    caller->streamid.data = p;
    caller->streamid.len = last - p;

    return NGX_OK;
}


u_char *
ngx_webrtc_srt_write_stat(u_char *p, u_char *last, ngx_webrtc_srt_stat_t *stat)
{
    u_char  *begin;

    begin = p;

    p = ngx_webrtc_skip(p, last, NGX_WEBRTC_SRT_LINK_HEAD);
    p = ngx_webrtc_write_u32(p, last, stat->rtt_us);
    p = ngx_webrtc_write_u32(p, last, stat->received);
    p = ngx_webrtc_write_u32(p, last, stat->asked);
    p = ngx_webrtc_write_u32(p, last, stat->lost);

    return ngx_webrtc_srt_write_end(begin, p, NGX_WEBRTC_SRT_LINK_STAT);
}


ngx_int_t
ngx_webrtc_srt_read_stat(ngx_webrtc_srt_frame_t *frame,
    ngx_webrtc_srt_stat_t *stat)
{
    u_char  *p, *last;

    p = frame->data;
    last = p + frame->len;

    p = ngx_webrtc_read_u32(p, last, &stat->rtt_us);
    p = ngx_webrtc_read_u32(p, last, &stat->received);
    p = ngx_webrtc_read_u32(p, last, &stat->asked);
    p = ngx_webrtc_read_u32(p, last, &stat->lost);

    return (p && p == last) ? NGX_OK : NGX_DECLINED;
}
