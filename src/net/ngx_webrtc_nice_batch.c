
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Datagrams of full ICE as one message (UDP_SEGMENT): they have one size, but
 * for the last one, which may be shorter.  Where the kernel refuses that, they
 * are sent one by one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_nice_batch.h"


/* most bytes and pieces of a message: 65535 - 40 - 8; UAPI limit */
#define NGX_WEBRTC_NICE_BATCH_BYTES      65487
#define NGX_WEBRTC_NICE_BATCH_SEGMENTS   64


typedef struct {
    ngx_webrtc_nice_dst_t  *dst;         /* NULL: it is empty */
    size_t                  n;           /* bytes */
    size_t                  segment;     /* bytes of each but the last */
    ngx_uint_t              count;
    ngx_event_t             post;
    unsigned                last:1;      /* it was shorter */
    u_char                  buf[NGX_WEBRTC_NICE_BATCH_BYTES];
} ngx_webrtc_nice_batch_t;


static void ngx_webrtc_nice_batch_handler(ngx_event_t *ev);
static ngx_int_t ngx_webrtc_nice_batch_send(ngx_webrtc_nice_dst_t *dst,
    u_char *p, size_t n, size_t segment);


static ngx_webrtc_nice_batch_t  ngx_webrtc_nice_batch;


u_char *
ngx_webrtc_nice_batch_reserve(size_t size)
{
    ngx_webrtc_nice_batch_t  *batch;

    batch = &ngx_webrtc_nice_batch;

    if (size > NGX_WEBRTC_NICE_BATCH_BYTES) {
        return NULL;
    }

    if (batch->last
        || batch->count == NGX_WEBRTC_NICE_BATCH_SEGMENTS
        || size > NGX_WEBRTC_NICE_BATCH_BYTES - batch->n)
    {
        ngx_webrtc_nice_batch_flush();
    }

    return batch->buf + batch->n;
}


void
ngx_webrtc_nice_batch_add(ngx_webrtc_nice_dst_t *dst, size_t n)
{
    u_char                   *p;
    ngx_webrtc_nice_batch_t  *batch;

    batch = &ngx_webrtc_nice_batch;

    if (n == 0) {
        return;
    }

    if (batch->dst && (batch->dst != dst || n > batch->segment)) {

        p = batch->buf + batch->n;
        ngx_webrtc_nice_batch_flush();
        ngx_memmove(batch->buf, p, n);
    }

    if (batch->dst == NULL) {
        batch->dst = dst;
        batch->segment = n;
    }

    batch->last = (n < batch->segment);
    batch->n += n;
    batch->count++;

    if (!batch->post.posted) {
        batch->post.handler = ngx_webrtc_nice_batch_handler;
        batch->post.log = ngx_cycle->log;
        ngx_post_event(&batch->post, &ngx_posted_events);
    }
}


static void
ngx_webrtc_nice_batch_handler(ngx_event_t *ev)
{
    ngx_webrtc_nice_batch_flush();
}


void
ngx_webrtc_nice_batch_leave(ngx_webrtc_nice_dst_t *dst)
{
    if (ngx_webrtc_nice_batch.dst == dst) {
        ngx_webrtc_nice_batch_flush();
    }
}


void
ngx_webrtc_nice_batch_single(ngx_webrtc_nice_dst_t *dst, u_char *p, size_t n)
{
    ngx_webrtc_nice_batch_leave(dst);

    (void) ngx_webrtc_nice_batch_send(dst, p, n, 0);
}


void
ngx_webrtc_nice_batch_flush(void)
{
    u_char                   *p;
    size_t                    n, left;
    ngx_webrtc_nice_dst_t    *dst;
    ngx_webrtc_nice_batch_t  *batch;

    batch = &ngx_webrtc_nice_batch;

    dst = batch->dst;
    left = batch->n;

    if (dst == NULL) {
        return;
    }

    /* the bytes stay where they are: see ngx_webrtc_nice_batch_add() */

    batch->dst = NULL;
    batch->n = 0;
    batch->last = 0;

    if (batch->count > 1 && dst->segment) {

        batch->count = 0;

        if (ngx_webrtc_nice_batch_send(dst, batch->buf, left, batch->segment)
            != NGX_DECLINED)
        {
            return;
        }
    }

    batch->count = 0;

    for (p = batch->buf; left; p += n, left -= n) {
        n = ngx_min(left, batch->segment);

        (void) ngx_webrtc_nice_batch_send(dst, p, n, 0);
    }
}


/* segment 0: one datagram.  NGX_DECLINED: the message was refused as such */

static ngx_int_t
ngx_webrtc_nice_batch_send(ngx_webrtc_nice_dst_t *dst, u_char *p, size_t n,
    size_t segment)
{
    uint16_t         size;
    ngx_err_t        err;
    struct iovec     iov;
    struct msghdr    hdr;
    struct cmsghdr  *cmsg;
    u_char           control[CMSG_SPACE(sizeof(uint16_t))]
                         __attribute__((aligned(8)));

    iov.iov_base = p;
    iov.iov_len = n;

    ngx_memzero(&hdr, sizeof(struct msghdr));

    hdr.msg_name = &dst->remote.sockaddr;
    hdr.msg_namelen = dst->len;
    hdr.msg_iov = &iov;
    hdr.msg_iovlen = 1;

    if (segment) {
        ngx_memzero(control, sizeof(control));

        hdr.msg_control = control;
        hdr.msg_controllen = sizeof(control);

        cmsg = CMSG_FIRSTHDR(&hdr);
        cmsg->cmsg_level = IPPROTO_UDP;
        cmsg->cmsg_type = UDP_SEGMENT;
        cmsg->cmsg_len = CMSG_LEN(sizeof(uint16_t));

        size = (uint16_t) segment;
        ngx_memcpy(CMSG_DATA(cmsg), &size, sizeof(uint16_t));
    }

    for ( ;; ) {

        if (sendmsg(dst->fd, &hdr, MSG_DONTWAIT) != -1) {
            return NGX_OK;
        }

        err = ngx_socket_errno;

        if (err == NGX_EINTR) {
            continue;
        }

        if (err == NGX_EAGAIN || err == ENOBUFS) {
            return NGX_AGAIN;
        }

        return NGX_DECLINED;
    }
}
