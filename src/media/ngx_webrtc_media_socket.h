
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The worker's end of a socket to its media process.
 */


#ifndef _NGX_WEBRTC_MEDIA_SOCKET_H_INCLUDED_
#define _NGX_WEBRTC_MEDIA_SOCKET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_media_message.h"


/* descriptors that a message may bring: START, a socket, two rings, a file */
#define NGX_WEBRTC_MEDIA_SOCKET_FDS  4


/*
 * Makes a pair, close-on-exec: fds[0], ours, does not block; fds[1] does.
 *
 * NGX_OK; NGX_ERROR, errno is set
 */
ngx_int_t ngx_webrtc_media_socket_pair(int fds[2]);

/*
 * Has the event loop watch our end.
 *
 * The connection, which ngx_close_connection() closes with its descriptor;
 * NULL: none is free, and fd is still the caller's
 */
ngx_connection_t *ngx_webrtc_media_socket_watch(int fd, void *data,
    ngx_event_handler_pt handler, ngx_log_t *log);

/*
 * Sends a message.
 *
 *   fds, nfds   descriptors sent along, NGX_WEBRTC_MEDIA_SOCKET_FDS at most
 *
 * NGX_OK; NGX_ERROR, errno is set: the other end does not read, or is gone
 */
ngx_int_t ngx_webrtc_media_socket_send(int fd, ngx_webrtc_media_message_t *m,
    int *fds, ngx_uint_t nfds);


#endif /* _NGX_WEBRTC_MEDIA_SOCKET_H_INCLUDED_ */
