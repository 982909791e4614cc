
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTP that the worker gives: see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <poll.h>

#include "ngx_webrtc_source_packets.h"


/* a frame: bytes of its length, and the most that it may say */
#define NGX_WEBRTC_SOURCE_PACKETS_HEAD   2
#define NGX_WEBRTC_SOURCE_PACKETS_FRAME  65535

/* ms between two looks at whether to go on waiting; libavformat's own */
#define NGX_WEBRTC_SOURCE_PACKETS_POLL   100

/* bytes; chosen: the least that libavformat's first read may want */
#define NGX_WEBRTC_SOURCE_PACKETS_TEXT   32768

/* bytes; chosen: a receiver report, and less than a read, so that reads go
 * past it */
#define NGX_WEBRTC_SOURCE_PACKETS_IO     512


/* avio_alloc_context() takes another function since FFmpeg 7 */

#if (LIBAVFORMAT_VERSION_MAJOR >= 61)
#define NGX_WEBRTC_SOURCE_PACKETS_CONST  const
#else
#define NGX_WEBRTC_SOURCE_PACKETS_CONST
#endif


struct ngx_webrtc_source_packets_s {
    ngx_fd_t          fd;
    AVIOInterruptCB   interrupt;
    AVIOContext      *text;
    AVIOContext      *io;
    u_char           *description;    /* in buf, what is left of it */
    size_t            left;
    u_char           *pos;
    u_char           *last;
    u_char            buf[2 * (NGX_WEBRTC_SOURCE_PACKETS_HEAD
                               + NGX_WEBRTC_SOURCE_PACKETS_FRAME)];
};


static AVIOContext *ngx_webrtc_source_packets_context(
    ngx_webrtc_source_packets_t *sp, size_t size, int writes,
    int (*read)(void *opaque, uint8_t *buf, int size));
static int ngx_webrtc_source_packets_describe(void *opaque, uint8_t *buf,
    int size);
static int ngx_webrtc_source_packets_read(void *opaque, uint8_t *buf,
    int size);
static int ngx_webrtc_source_packets_write(void *opaque,
    NGX_WEBRTC_SOURCE_PACKETS_CONST uint8_t *buf, int size);
static int ngx_webrtc_source_packets_next(ngx_webrtc_source_packets_t *sp,
    u_char **frame);
static int ngx_webrtc_source_packets_fill(ngx_webrtc_source_packets_t *sp);


ngx_webrtc_source_packets_t *
ngx_webrtc_source_packets_open(ngx_fd_t fd, AVIOInterruptCB *interrupt)
{
    ngx_webrtc_source_packets_t  *sp;

    sp = malloc(sizeof(ngx_webrtc_source_packets_t));
    if (sp == NULL) {
        return NULL;
    }

    sp->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    sp->interrupt = *interrupt;
    sp->description = NULL;
    sp->left = 0;
    sp->pos = sp->buf;
    sp->last = sp->buf;

    sp->text = ngx_webrtc_source_packets_context(sp,
                                        NGX_WEBRTC_SOURCE_PACKETS_TEXT, 0,
                                        ngx_webrtc_source_packets_describe);

    /* "writes" also makes avio_read_partial() one call of read() */

    sp->io = ngx_webrtc_source_packets_context(sp,
                                        NGX_WEBRTC_SOURCE_PACKETS_IO, 1,
                                        ngx_webrtc_source_packets_read);

    if (sp->fd == NGX_INVALID_FILE || sp->text == NULL || sp->io == NULL) {
        ngx_webrtc_source_packets_close(sp);
        return NULL;
    }

    return sp;
}


static AVIOContext *
ngx_webrtc_source_packets_context(ngx_webrtc_source_packets_t *sp, size_t size,
    int writes, int (*read)(void *opaque, uint8_t *buf, int size))
{
    u_char       *buf;
    AVIOContext  *pb;

    buf = av_malloc(size);
    if (buf == NULL) {
        return NULL;
    }

    pb = avio_alloc_context(buf, (int) size, writes, sp, read,
                            ngx_webrtc_source_packets_write, NULL);
    if (pb == NULL) {
        av_free(buf);
    }

    return pb;
}


AVIOContext *
ngx_webrtc_source_packets_text(ngx_webrtc_source_packets_t *sp)
{
    return sp->text;
}


AVIOContext *
ngx_webrtc_source_packets_io(ngx_webrtc_source_packets_t *sp)
{
    return sp->io;
}


void
ngx_webrtc_source_packets_close(ngx_webrtc_source_packets_t *sp)
{
    if (sp->text) {
        av_freep(&sp->text->buffer);
        avio_context_free(&sp->text);
    }

    if (sp->io) {
        av_freep(&sp->io->buffer);
        avio_context_free(&sp->io);
    }

    if (sp->fd != NGX_INVALID_FILE) {
        (void) close(sp->fd);
    }

    free(sp);
}


/* the first frame, in as many pieces as it is read in; packets follow later */

static int
ngx_webrtc_source_packets_describe(void *opaque, uint8_t *buf, int size)
{
    ngx_webrtc_source_packets_t *sp = opaque;

    int  n;

    if (sp->description == NULL) {
        n = ngx_webrtc_source_packets_next(sp, &sp->description);

        if (n < 0) {
            return n;
        }

        sp->left = n;
    }

    if (sp->left == 0) {
        return AVERROR_EOF;
    }

    n = ngx_min(size, (int) sp->left);

    ngx_memcpy(buf, sp->description, n);

    sp->description += n;
    sp->left -= n;

    return n;
}


static int
ngx_webrtc_source_packets_read(void *opaque, uint8_t *buf, int size)
{
    ngx_webrtc_source_packets_t *sp = opaque;

    int      n;
    u_char  *frame;

    do {
        n = ngx_webrtc_source_packets_next(sp, &frame);

        /* none is longer than what libavformat reads with, nor empty */

    } while (n == 0 || n > size);

    if (n > 0) {
        ngx_memcpy(buf, frame, n);
    }

    return n;
}


static int
ngx_webrtc_source_packets_write(void *opaque,
    NGX_WEBRTC_SOURCE_PACKETS_CONST uint8_t *buf, int size)
{
    (void) opaque;
    (void) buf;

    return size;
}


/* the length of the next frame, valid until the next call; or an error */

static int
ngx_webrtc_source_packets_next(ngx_webrtc_source_packets_t *sp,
    u_char **frame)
{
    int     rc;
    size_t  n, has;

    for ( ;; ) {
        has = sp->last - sp->pos;

        if (has >= NGX_WEBRTC_SOURCE_PACKETS_HEAD) {
            n = (sp->pos[0] << 8) | sp->pos[1];

            if (has - NGX_WEBRTC_SOURCE_PACKETS_HEAD >= n) {
                *frame = sp->pos + NGX_WEBRTC_SOURCE_PACKETS_HEAD;
                sp->pos = *frame + n;
                return (int) n;
            }
        }

        rc = ngx_webrtc_source_packets_fill(sp);

        if (rc < 0) {
            return rc;
        }
    }
}


/* there is no whole frame, so there is room for one */

static int
ngx_webrtc_source_packets_fill(ngx_webrtc_source_packets_t *sp)
{
    ssize_t        n;
    struct pollfd  pfd;

    if (sp->pos != sp->buf) {
        ngx_memmove(sp->buf, sp->pos, sp->last - sp->pos);
        sp->last -= sp->pos - sp->buf;
        sp->pos = sp->buf;
    }

    pfd.fd = sp->fd;
    pfd.events = POLLIN;

    for ( ;; ) {

        if (sp->interrupt.callback
            && sp->interrupt.callback(sp->interrupt.opaque))
        {
            return AVERROR_EXIT;
        }

        n = read(sp->fd, sp->last, sp->buf + sizeof(sp->buf) - sp->last);

        if (n > 0) {
            sp->last += n;
            return 0;
        }

        if (n == 0) {
            return AVERROR_EOF;
        }

        if (ngx_errno == EAGAIN) {
            (void) poll(&pfd, 1, NGX_WEBRTC_SOURCE_PACKETS_POLL);
            continue;
        }

        if (ngx_errno != EINTR) {
            return AVERROR(ngx_errno);
        }
    }
}
