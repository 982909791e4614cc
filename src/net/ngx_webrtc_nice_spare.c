
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Descriptors and connections that an agent needs from the process.
 *
 * GLib ends the process when there is no descriptor for a context's eventfd, or
 * for the pipe used in its place.  Sockets that libnice cannot open only mean
 * missing candidates.
 *
 * HTTP needs connections too, and anybody can have an agent made: agents leave
 * a part of the connections alone.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_nice_spare.h"


/* those of two GLib contexts, and of pipes in their place; measured */
#define NGX_WEBRTC_NICE_SPARE  4

/* the part of worker_connections, one in so many, that agents leave alone;
 * chosen: HTTP goes on, and peers connect with what agents have */
#define NGX_WEBRTC_NICE_ROOM   4

/* ms between lines on the same cause; chosen */
#define NGX_WEBRTC_NICE_SAY    60000


static ngx_uint_t ngx_webrtc_nice_free_connections(void);
static ngx_uint_t ngx_webrtc_nice_say(ngx_msec_t *last);


ngx_int_t
ngx_webrtc_nice_room(ngx_log_t *log)
{
    ngx_uint_t         level;

    static ngx_msec_t  last;

    if (ngx_webrtc_nice_free_connections()
        >= ngx_cycle->connection_n / NGX_WEBRTC_NICE_ROOM)
    {
        return NGX_OK;
    }

    level = ngx_webrtc_nice_say(&last) ? NGX_LOG_ERR : NGX_LOG_INFO;

    ngx_log_error(level, log, 0,
                  "webrtc nice too few free connections for an agent, raise "
                  "worker_connections");

    return NGX_ERROR;
}


ngx_uint_t
ngx_webrtc_nice_connections(ngx_log_t *log)
{
    static ngx_msec_t  last;

    if (ngx_webrtc_nice_free_connections()) {
        return 1;
    }

    if (ngx_webrtc_nice_say(&last)) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "webrtc nice no free connection for a socket, raise "
                      "worker_connections");
    }

    return 0;
}


/* those that nginx can take from idle clients count as available */

static ngx_uint_t
ngx_webrtc_nice_free_connections(void)
{
    return ngx_cycle->free_connection_n + ngx_cycle->reusable_connections_n;
}


/* whether it is time for another log line */

static ngx_uint_t
ngx_webrtc_nice_say(ngx_msec_t *last)
{
    if (*last && ngx_current_msec - *last < NGX_WEBRTC_NICE_SAY) {
        return 0;
    }

    *last = ngx_current_msec;

    return 1;
}


ngx_int_t
ngx_webrtc_nice_spare(ngx_log_t *log)
{
    ngx_err_t          err;
    ngx_uint_t         n, level;
    ngx_socket_t       fds[NGX_WEBRTC_NICE_SPARE];

    static ngx_msec_t  last;

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
        level = ngx_webrtc_nice_say(&last) ? NGX_LOG_ERR : NGX_LOG_INFO;

        ngx_log_error(level, log, err,
                      "webrtc nice no descriptors for an agent, raise "
                      "worker_rlimit_nofile");
        return NGX_ERROR;
    }

    return NGX_OK;
}
