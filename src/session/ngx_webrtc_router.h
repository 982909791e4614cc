
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Where a datagram belongs.
 */


#ifndef _NGX_WEBRTC_ROUTER_H_INCLUDED_
#define _NGX_WEBRTC_ROUTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_worker_state.h"


/* Handlers of the port, of the other binary's, and of the inbox; ctx is the
 * worker. */
void ngx_webrtc_router_input(void *ctx, ngx_webrtc_path_t *path, u_char *p,
    size_t n);
void ngx_webrtc_router_twin(void *ctx, ngx_webrtc_path_t *path, u_char *p,
    size_t n);
void ngx_webrtc_router_passed(void *ctx, ngx_webrtc_path_t *path, uint64_t ref,
    u_char *p, size_t n);

/* Those of connections (ICE-TCP), see ngx_webrtc_tcp.h. */
ngx_int_t ngx_webrtc_router_first(void *ctx, ngx_webrtc_path_t *path,
    u_char *p, size_t n, ngx_socket_t fd, ngx_uint_t passed);
void ngx_webrtc_router_framed(void *ctx, ngx_webrtc_path_t *path, u_char *p,
    size_t n);
void ngx_webrtc_router_gone(void *ctx, ngx_webrtc_path_t *path);


#endif /* _NGX_WEBRTC_ROUTER_H_INCLUDED_ */
