
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Descriptors that an agent needs before it may fail.
 *
 * GLib ends the process when it has none for a context's eventfd, or for the
 * pipe that it takes instead.  Sockets that libnice does not get are no more
 * than candidates that are missing.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_nice.h"


/* those of two GLib contexts, and of pipes in their place; measured */
#define NGX_WEBRTC_NICE_SPARE  4


ngx_int_t
ngx_webrtc_nice_spare(ngx_log_t *log)
{
    ngx_err_t     err;
    ngx_uint_t    n;
    ngx_socket_t  fds[NGX_WEBRTC_NICE_SPARE];

    err = 0;

    for (n = 0; n < NGX_WEBRTC_NICE_SPARE; n++) {

        fds[n] = ngx_socket(AF_UNIX, SOCK_DGRAM, 0);

        if (fds[n] == (ngx_socket_t) -1) {
            err = ngx_socket_errno;
            break;
        }
    }

    while (n) {
        (void) ngx_close_socket(fds[--n]);
    }

    if (err) {
        ngx_log_error(NGX_LOG_ERR, log, err,
                      "webrtc nice no descriptors for an agent, raise "
                      "worker_rlimit_nofile");
        return NGX_ERROR;
    }

    return NGX_OK;
}
