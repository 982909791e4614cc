
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a publisher sends, on its way to the media process: a pair of sockets,
 * and what that has not taken.
 */


#include "ngx_http_webrtc_ingest_out.h"
#include "ngx_webrtc_rtmp_server.h"


/* bytes: a message that the pair has not taken, and the next one */
#define NGX_HTTP_WEBRTC_INGEST_LEFT  (2 * NGX_WEBRTC_RTMP_MESSAGE + 65536)

/* ms of "webrtc_max_bitrate" that may come at once; chosen: a key frame of
 * what is within it */
#define NGX_HTTP_WEBRTC_INGEST_BURST  2000


static ngx_int_t ngx_http_webrtc_ingest_room(ngx_http_webrtc_ingest_t *in,
    size_t n);
static void ngx_http_webrtc_ingest_writable(ngx_event_t *wev);
static ngx_int_t ngx_http_webrtc_ingest_flush(ngx_http_webrtc_ingest_t *in);
static void ngx_http_webrtc_ingest_readable(ngx_event_t *rev);


ngx_socket_t
ngx_http_webrtc_ingest_open_out(ngx_http_webrtc_ingest_t *in)
{
    ngx_socket_t       fd[2];
    ngx_connection_t  *c;

    if (socketpair(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0, fd)
        == -1)
    {
        ngx_log_error(NGX_LOG_CRIT, &in->own_log, ngx_socket_errno,
                      "socketpair() failed");
        return (ngx_socket_t) -1;
    }

    c = ngx_get_connection(fd[0], &in->own_log);

    if (c == NULL) {
        (void) ngx_close_socket(fd[0]);
        (void) ngx_close_socket(fd[1]);
        return (ngx_socket_t) -1;
    }

    c->data = in;
    c->recv = ngx_recv;
    c->log = &in->own_log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_http_webrtc_ingest_readable;
    c->write->handler = ngx_http_webrtc_ingest_writable;
    c->write->ready = 1;

    in->out = c;

    return fd[1];
}


void
ngx_http_webrtc_ingest_close_out(ngx_http_webrtc_ingest_t *in)
{
    if (in->out) {
        ngx_close_connection(in->out);
        in->out = NULL;
    }

    if (in->left) {
        ngx_free(in->left);
        in->left = NULL;
    }

    in->nleft = 0;
    in->size = 0;
    in->sent = 0;
}


ngx_int_t
ngx_http_webrtc_ingest_send(ngx_http_webrtc_ingest_t *in, struct iovec *iov,
    ngx_uint_t niov)
{
    size_t       n, size;
    ssize_t      sent;
    ngx_uint_t   i;

    if (in->out == NULL) {
        return NGX_ERROR;
    }

    in->peer->stat.packets_in++;

    for (i = 0, size = 0; i < niov; i++) {
        size += iov[i].iov_len;
    }

    sent = 0;

    if (in->nleft == 0) {
        sent = writev(in->out->fd, iov, (int) niov);

        if (sent == -1) {

            if (ngx_socket_errno != NGX_EAGAIN
                && ngx_socket_errno != NGX_EINTR)
            {
                ngx_http_webrtc_ingest_close_out(in);
                return NGX_ERROR;
            }

            sent = 0;
        }
    }

    if ((size_t) sent == size) {
        return NGX_OK;
    }

    if (ngx_http_webrtc_ingest_room(in, size - sent) != NGX_OK) {
        ngx_http_webrtc_ingest_close_out(in);
        return NGX_ERROR;
    }

    for (i = 0; i < niov; i++) {

        if ((size_t) sent >= iov[i].iov_len) {
            sent -= iov[i].iov_len;
            continue;
        }

        n = iov[i].iov_len - sent;
        ngx_memcpy(in->left + in->nleft, (u_char *) iov[i].iov_base + sent, n);
        in->nleft += n;
        sent = 0;
    }

    in->out->write->ready = 0;

    if (ngx_handle_write_event(in->out->write, 0) != NGX_OK) {
        ngx_http_webrtc_ingest_close_out(in);
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


/* behind what it has not taken before */

static ngx_int_t
ngx_http_webrtc_ingest_room(ngx_http_webrtc_ingest_t *in, size_t n)
{
    u_char  *p;
    size_t   size;

    size = in->nleft - in->sent;

    if (size + n > NGX_HTTP_WEBRTC_INGEST_LEFT) {
        ngx_log_error(NGX_LOG_ERR, &in->own_log, 0,
                      "webrtc media process does not take what a publisher "
                      "sends");
        return NGX_ERROR;
    }

    if (in->size - in->nleft >= n) {
        return NGX_OK;
    }

    size = ngx_max(2 * size, size + n);

    p = ngx_alloc(size, &in->own_log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    in->nleft -= in->sent;

    if (in->nleft) {
        ngx_memcpy(p, in->left + in->sent, in->nleft);
    }

    if (in->left) {
        ngx_free(in->left);
    }

    in->left = p;
    in->size = size;
    in->sent = 0;

    return NGX_OK;
}


static void
ngx_http_webrtc_ingest_writable(ngx_event_t *wev)
{
    ngx_connection_t          *c;
    ngx_http_webrtc_ingest_t  *in;

    c = wev->data;
    in = c->data;

    if (in->nleft == 0) {
        return;
    }

    if (ngx_http_webrtc_ingest_flush(in) == NGX_OK && in->data) {
        in->ops->writable(in->data);
    }
}


/* NGX_OK: nothing is left, or nobody would take it */

static ngx_int_t
ngx_http_webrtc_ingest_flush(ngx_http_webrtc_ingest_t *in)
{
    ssize_t  n;

    while (in->sent < in->nleft) {

        n = write(in->out->fd, in->left + in->sent, in->nleft - in->sent);

        if (n > 0) {
            in->sent += n;
            continue;
        }

        if (n == -1 && ngx_socket_errno == NGX_EINTR) {
            continue;
        }

        if (n == -1 && ngx_socket_errno == NGX_EAGAIN) {
            in->out->write->ready = 0;

            if (ngx_handle_write_event(in->out->write, 0) == NGX_OK) {
                return NGX_AGAIN;
            }
        }

        ngx_http_webrtc_ingest_close_out(in);
        return NGX_OK;
    }

    ngx_free(in->left);
    in->left = NULL;
    in->nleft = 0;
    in->size = 0;
    in->sent = 0;

    return NGX_OK;
}


static void
ngx_http_webrtc_ingest_readable(ngx_event_t *rev)
{
    /* void: nothing is read, and its end is the source's */
}


/* the time that n bytes more take, and what is not used of it is lost */

ngx_msec_t
ngx_http_webrtc_ingest_pace(ngx_http_webrtc_ingest_t *in, size_t n)
{
    off_t     max;
    uint64_t  takes, ms;

    max = in->peer ? in->peer->policy.max_bitrate : 0;

    if (max == 0) {
        return 0;
    }

    ms = ngx_current_msec - in->paced_since;
    takes = in->paced * 8000 / max;

    if (ms > takes) {
        in->paced_since = ngx_current_msec;
        in->paced = 0;
        ms = 0;
    }

    in->paced += n;
    takes = in->paced * 8000 / max;

    return (takes > ms + NGX_HTTP_WEBRTC_INGEST_BURST)
           ? (ngx_msec_t) (takes - ms - NGX_HTTP_WEBRTC_INGEST_BURST) : 0;
}
