
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Datagrams that one binary passes on to another: see ngx_webrtc_pass.h for
 * the format.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_pass.h"


static u_char *ngx_webrtc_pass_read_remote(u_char *p, u_char *end,
    uint8_t family, uint16_t port, ngx_webrtc_addr_t *remote);
static u_char *ngx_webrtc_pass_read_local(u_char *p, u_char *end,
    uint8_t family, ngx_webrtc_local_t *local);
static u_char *ngx_webrtc_pass_read_mem(u_char *p, u_char *end, void *dst,
    size_t n);


u_char *
ngx_webrtc_pass_begin(u_char *p, u_char *end, uint32_t pid)
{
    p = ngx_webrtc_write_u32(p, end, NGX_WEBRTC_PASS_MAGIC);

    return ngx_webrtc_write_u32(p, end, pid);
}


u_char *
ngx_webrtc_pass_write(u_char *p, u_char *end, const ngx_webrtc_path_t *path,
    const u_char *data, size_t n)
{
    uint8_t  local;

    if (n > 0xffff) {
        return NULL;
    }

    local = 0;

    if (path->local.family == AF_INET) {
        local = 4;
    }

#if (NGX_HAVE_INET6)
    if (path->local.family == AF_INET6) {
        local = 6;
    }
#endif

    p = ngx_webrtc_write_u16(p, end, (uint16_t) n);

    switch (path->remote.u.sa.sa_family) {

    case AF_INET:
        p = ngx_webrtc_write_u8(p, end, 4);
        p = ngx_webrtc_write_u8(p, end, local);
        p = ngx_webrtc_write_u16(p, end, ntohs(path->remote.u.in.sin_port));
        p = ngx_webrtc_write_mem(p, end,
                                 &path->remote.u.in.sin_addr, 4);
        break;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        p = ngx_webrtc_write_u8(p, end, 6);
        p = ngx_webrtc_write_u8(p, end, local);
        p = ngx_webrtc_write_u16(p, end, ntohs(path->remote.u.in6.sin6_port));
        p = ngx_webrtc_write_mem(p, end,
                                 &path->remote.u.in6.sin6_addr, 16);
        p = ngx_webrtc_write_u32(p, end, path->remote.u.in6.sin6_scope_id);
        break;
#endif

    default:
        return NULL;
    }

    if (local) {
        p = ngx_webrtc_write_mem(p, end, &path->local.u,
                                 local == 4 ? 4 : 16);
    }

    return ngx_webrtc_write_mem(p, end, data, n);
}


u_char *
ngx_webrtc_pass_open(u_char *p, u_char *end, uint32_t *pid)
{
    uint32_t  magic;

    p = ngx_webrtc_read_u32(p, end, &magic);
    p = ngx_webrtc_read_u32(p, end, pid);

    return (p && magic == NGX_WEBRTC_PASS_MAGIC) ? p : NULL;
}


u_char *
ngx_webrtc_pass_read(u_char *p, u_char *end, ngx_webrtc_path_t *path,
    u_char **data, size_t *n)
{
    uint8_t   remote, local;
    uint16_t  len, port;

    ngx_memzero(path, sizeof(ngx_webrtc_path_t));

    p = ngx_webrtc_read_u16(p, end, &len);
    p = ngx_webrtc_read_u8(p, end, &remote);
    p = ngx_webrtc_read_u8(p, end, &local);
    p = ngx_webrtc_read_u16(p, end, &port);

    if (p == NULL) {
        return NULL;
    }

    p = ngx_webrtc_pass_read_remote(p, end, remote, port, &path->remote);
    p = ngx_webrtc_pass_read_local(p, end, local, &path->local);

    if (!ngx_webrtc_has(p, end, len)) {
        return NULL;
    }

    *data = p;
    *n = len;

    return p + len;
}


static u_char *
ngx_webrtc_pass_read_remote(u_char *p, u_char *end, uint8_t family,
    uint16_t port, ngx_webrtc_addr_t *remote)
{
#if (NGX_HAVE_INET6)
    uint32_t  scope;
#endif

    switch (family) {

    case 4:
        remote->len = sizeof(struct sockaddr_in);
        remote->u.in.sin_family = AF_INET;
        remote->u.in.sin_port = htons(port);

        return ngx_webrtc_pass_read_mem(p, end, &remote->u.in.sin_addr, 4);

#if (NGX_HAVE_INET6)
    case 6:
        remote->len = sizeof(struct sockaddr_in6);
        remote->u.in6.sin6_family = AF_INET6;
        remote->u.in6.sin6_port = htons(port);

        p = ngx_webrtc_pass_read_mem(p, end, &remote->u.in6.sin6_addr, 16);
        p = ngx_webrtc_read_u32(p, end, &scope);

        if (p) {
            remote->u.in6.sin6_scope_id = scope;
        }

        return p;
#endif
    }

    return NULL;
}


static u_char *
ngx_webrtc_pass_read_local(u_char *p, u_char *end, uint8_t family,
    ngx_webrtc_local_t *local)
{
    switch (family) {

    case 0:
        return p;

    case 4:
        local->family = AF_INET;
        return ngx_webrtc_pass_read_mem(p, end, &local->u.in, 4);

#if (NGX_HAVE_INET6)
    case 6:
        local->family = AF_INET6;
        return ngx_webrtc_pass_read_mem(p, end, &local->u.in6, 16);
#endif
    }

    return NULL;
}


static u_char *
ngx_webrtc_pass_read_mem(u_char *p, u_char *end, void *dst, size_t n)
{
    if (!ngx_webrtc_has(p, end, n)) {
        return NULL;
    }

    ngx_memcpy(dst, p, n);

    return p + n;
}
