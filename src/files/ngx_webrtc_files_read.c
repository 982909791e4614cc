
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How a file session reads: what is in the page cache at once, the rest by a
 * thread, see ngx_webrtc_files_role.c.  The event loop waits for a disk only if
 * nginx has no threads; if their queue is full, the read is retried later.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <sys/uio.h>
#include "ngx_webrtc_files_read.h"
#include "ngx_webrtc_files_change.h"
#include "ngx_webrtc_files_task.h"


#if (NGX_THREADS)

/* a read by a thread */
typedef struct {
    ngx_webrtc_files_t          *files;
    ngx_uint_t                   slot;        /* of served, */
    uint64_t                     serial;      /* if it is still the same */
    ngx_webrtc_ranges_read_t     read;
    ngx_fd_t                     fd;
    uint64_t                     told;        /* the file's size until then */
    size_t                       n;           /* out: bytes read */
    ngx_err_t                    err;
    ngx_int_t                    rc;          /* of fstat() afterwards */
    ngx_file_info_t              fi;
    u_char                      *frame;
} ngx_webrtc_files_read_task_t;

#endif


static void ngx_webrtc_files_read_data(ngx_webrtc_files_t *f,
    ngx_webrtc_files_channel_t *fc, ngx_webrtc_ranges_read_t *read,
    u_char *frame, size_t n, ngx_file_info_t *fi, uint64_t told);
static void ngx_webrtc_files_read_pread(ngx_fd_t fd, u_char *p, size_t size,
    uint64_t offset, size_t *n, ngx_err_t *err);
#if (NGX_THREADS)
static ngx_int_t ngx_webrtc_files_read_post(ngx_webrtc_files_t *f,
    ngx_webrtc_files_channel_t *fc, ngx_webrtc_ranges_read_t *read);
static void ngx_webrtc_files_read_refused(ngx_webrtc_files_channel_t *fc,
    ngx_webrtc_ranges_read_t *read);
static void ngx_webrtc_files_read_thread(void *data, ngx_log_t *log);
static void ngx_webrtc_files_read_done(ngx_event_t *ev);
#endif


void
ngx_webrtc_files_read(ngx_webrtc_files_t *f, ngx_webrtc_files_channel_t *fc,
    ngx_webrtc_ranges_read_t *read)
{
    u_char        *p;
    size_t         done;
    ngx_err_t      err;
#ifdef RWF_NOWAIT
    ssize_t        n;
    struct iovec   iov;
#endif

    p = f->fw->frame + NGX_WEBRTC_RANGE_HEADER;

#ifdef RWF_NOWAIT

    if (f->nowait) {
        iov.iov_base = p;
        iov.iov_len = read->length;

        n = preadv2(f->fd, &iov, 1, (off_t) read->offset, RWF_NOWAIT);

        if (n == (ssize_t) read->length) {
            fc->pause = 0;
            ngx_webrtc_files_read_data(f, fc, read, f->fw->frame, n, NULL, 0);
            return;
        }

        if (n == -1 && ngx_errno != NGX_EAGAIN && ngx_errno != NGX_EINTR) {

            /* EOPNOTSUPP, ENOSYS, ...: the file system or the kernel cannot */

            f->nowait = 0;
        }
    }

#endif

#if (NGX_THREADS)

    if (f->fw->conf.npools) {

        if (ngx_webrtc_files_read_post(f, fc, read) == NGX_OK) {
            fc->pause = 0;

        } else {
            ngx_webrtc_files_read_refused(fc, read);
        }

        return;
    }

#endif

    ngx_webrtc_files_read_pread(f->fd, p, read->length, read->offset, &done,
                                &err);

    if (err) {
        ngx_log_error(NGX_LOG_CRIT, &f->session->log, err,
                      "pread() of a file session failed");
    }

    ngx_webrtc_files_read_data(f, fc, read, f->fw->frame, done, NULL, 0);
}


/*
 * Bytes of the file have been read, n < read->length: failed; fi and told as in
 * ngx_webrtc_files_change_check().
 */

static void
ngx_webrtc_files_read_data(ngx_webrtc_files_t *f,
    ngx_webrtc_files_channel_t *fc, ngx_webrtc_ranges_read_t *read,
    u_char *frame, size_t n, ngx_file_info_t *fi, uint64_t told)
{
    u_char     *p;
    ngx_int_t   rc;

    if (ngx_webrtc_files_change_check(f, fi, told) != NGX_OK) {
        return;
    }

    rc = ngx_webrtc_ranges_data(&fc->ranges, read, frame, n,
                                ngx_current_msec);

    if (rc == NGX_OK) {
        ngx_webrtc_atomic_add(&f->session->peer->stat.packets_out, 1);
        ngx_webrtc_atomic_add(&f->session->peer->stat.bytes_out, n);
        return;
    }

    if (rc != NGX_AGAIN) {
        return;
    }

    /* at most one is held back: nothing is read while there is one */

    p = NULL;

    if (fc->held == NULL) {
        p = ngx_alloc(NGX_WEBRTC_RANGE_HEADER + n, &f->session->log);
    }

    if (p == NULL) {
        ngx_webrtc_ranges_error(&fc->ranges, read, ngx_current_msec);
        return;
    }

    ngx_memcpy(p + NGX_WEBRTC_RANGE_HEADER, frame + NGX_WEBRTC_RANGE_HEADER, n);

    fc->held = p;
    fc->nheld = n;
    fc->read = *read;
}


/* n is less than size at the end of the file or on an error */

static void
ngx_webrtc_files_read_pread(ngx_fd_t fd, u_char *p, size_t size,
    uint64_t offset, size_t *n, ngx_err_t *err)
{
    ssize_t  rc;

    *n = 0;
    *err = 0;

    while (*n < size) {
        rc = pread(fd, p + *n, size - *n, (off_t) (offset + *n));

        if (rc == 0) {
            return;
        }

        if (rc == -1) {
            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            *err = ngx_errno;
            return;
        }

        *n += rc;
    }
}


#if (NGX_THREADS)

static ngx_int_t
ngx_webrtc_files_read_post(ngx_webrtc_files_t *f,
    ngx_webrtc_files_channel_t *fc, ngx_webrtc_ranges_read_t *read)
{
    ngx_thread_task_t             *task;
    ngx_webrtc_files_read_task_t  *ft;

    task = ngx_webrtc_files_task_make(f, sizeof(ngx_webrtc_files_read_task_t),
                                      NGX_WEBRTC_RANGE_HEADER + read->length,
                                      ngx_webrtc_files_read_thread,
                                      ngx_webrtc_files_read_done);
    if (task == NULL) {
        return NGX_DECLINED;
    }

    ft = task->ctx;

    ft->files = f;
    ft->slot = fc->ch - f->slots;
    ft->serial = fc->serial;
    ft->read = *read;
    ft->fd = f->fd;
    ft->told = f->size;
    ft->frame = (u_char *) (ft + 1);

    if (ngx_webrtc_files_task_post(f, task) != NGX_OK) {
        return NGX_DECLINED;
    }

    f->reading++;

    return NGX_OK;
}


/* The channel reads nothing else until this read has been started. */

static void
ngx_webrtc_files_read_refused(ngx_webrtc_files_channel_t *fc,
    ngx_webrtc_ranges_read_t *read)
{
    fc->refused = *read;
    fc->pause = ngx_max(2 * fc->pause, NGX_WEBRTC_FILES_AGAIN);
    fc->pause = ngx_min(fc->pause, NGX_WEBRTC_FILES_AGAINS);
    fc->again = ngx_current_msec + fc->pause;
}


/* in a thread */

static void
ngx_webrtc_files_read_thread(void *data, ngx_log_t *log)
{
    ngx_webrtc_files_read_task_t *ft = data;

    ngx_webrtc_files_read_pread(ft->fd, ft->frame + NGX_WEBRTC_RANGE_HEADER,
                                ft->read.length, ft->read.offset, &ft->n,
                                &ft->err);

    ft->rc = ngx_fd_info(ft->fd, &ft->fi);

#if (NGX_HAVE_POSIX_FADVISE)
    (void) posix_fadvise(ft->fd, (off_t) (ft->read.offset + ft->read.length),
                         NGX_WEBRTC_FILES_AHEAD, POSIX_FADV_WILLNEED);
#endif
}


static void
ngx_webrtc_files_read_done(ngx_event_t *ev)
{
    ngx_thread_task_t             *task;
    ngx_webrtc_files_t            *f;
    ngx_webrtc_files_read_task_t  *ft;
    ngx_webrtc_files_channel_t    *fc;

    task = ev->data;
    ft = task->ctx;
    f = ft->files;

    f->reading--;

    if (ngx_webrtc_files_task_returned(f) != NGX_OK) {
        ngx_free(task);
        return;
    }

    fc = f->served[ft->slot];

    if (fc && fc->serial == ft->serial) {

        if (ft->err) {
            ngx_log_error(NGX_LOG_CRIT, &f->session->log, ft->err,
                          "pread() of a file session failed");
        }

        ngx_webrtc_files_read_data(f, fc, &ft->read, ft->frame, ft->n,
                                   ft->rc == NGX_FILE_ERROR ? NULL : &ft->fi,
                                   ft->told);
        ngx_webrtc_files_wake(f);
    }

    ngx_free(task);
}

#endif
