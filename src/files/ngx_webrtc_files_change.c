
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The file of a session, and how it changes (webrtc_file_changes).
 *
 * 1. Only the descriptor counts: another file under the same name later does
 *    not matter.
 * 2. "end": the file is checked (fstat) after each read, before the data is
 *    sent: if size or time has changed, or the inode has lost its last name,
 *    all ranges end with status 3, now and from then on.  So a client's data is
 *    all of one version.
 * 3. "ignore": the file is not checked.  It is served in the size it had when
 *    it was opened; a range of which something is gone ends with status 3.
 * 4. "follow": the file may grow.  It is checked now and then, and more often
 *    while a range waits for bytes.  A Hello announces a new size, and whether
 *    the file is assumed to be growing still: it was written to within
 *    webrtc_file_quiet, and has a name.  If it is shorter it has changed, as
 *    under 2.
 * 5. Results of threads come back in any order: the file is shorter if it has
 *    less than was known when the thread was asked.  A result from before a
 *    larger size became known means nothing.
 *
 * The event loop never waits for a disk, or for a server behind it: a thread
 * that reads checks the file as well, and after a read that succeeded at once
 * the inode is in memory.  Checks without a read are done by a thread; if none
 * takes it, the check is skipped until the next is due.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_files_change.h"
#include "ngx_webrtc_files_task.h"


/* bytes of a path that are logged; chosen: a log line has 2048 */
#define NGX_WEBRTC_FILES_TEXT   1024


#if (NGX_THREADS)

/* a check by a thread */
typedef struct {
    ngx_webrtc_files_t  *files;
    ngx_fd_t             fd;
    uint64_t             told;        /* the file's size until then */
    ngx_int_t            rc;          /* out: of fstat() */
    ngx_file_info_t      fi;
} ngx_webrtc_files_look_t;

#endif


static void ngx_webrtc_files_change_open_failed(ngx_webrtc_files_t *f,
    u_char *path, ngx_err_t err);
static ngx_int_t ngx_webrtc_files_change_same(ngx_webrtc_files_t *f,
    ngx_file_info_t *fi);
static void ngx_webrtc_files_change_begin(ngx_webrtc_files_t *f,
    ngx_file_info_t *fi);
static void ngx_webrtc_files_change_changed(ngx_webrtc_files_t *f,
    const char *how);
static void ngx_webrtc_files_change_seen(ngx_webrtc_files_t *f,
    ngx_file_info_t *fi, uint64_t told);
#if (NGX_THREADS)
static void ngx_webrtc_files_change_look_thread(void *data, ngx_log_t *log);
static void ngx_webrtc_files_change_look_done(ngx_event_t *ev);
#endif


ngx_int_t
ngx_webrtc_files_change_open(ngx_webrtc_files_t *f, u_char *path)
{
    ngx_file_info_t  fi;

    f->fd = ngx_open_file(path, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                          NGX_FILE_OPEN, 0);

    if (f->fd == NGX_INVALID_FILE) {
        ngx_webrtc_files_change_open_failed(f, path, ngx_errno);
        return NGX_DECLINED;
    }

    /* the name belongs to another file or version already */

    if (ngx_fd_info(f->fd, &fi) == NGX_FILE_ERROR
        || !ngx_is_file(&fi)
        || (uint64_t) fi.st_dev != f->file.dev
        || (uint64_t) fi.st_ino != f->file.ino
        || (f->policy.file_changes == NGX_WEBRTC_FILE_END
            && ngx_webrtc_files_change_same(f, &fi) != NGX_OK))
    {
        ngx_log_error(NGX_LOG_INFO, &f->session->log, 0,
                      "webrtc file changed before it was served");

        (void) ngx_close_file(f->fd);
        return NGX_DECLINED;
    }

    ngx_webrtc_files_change_begin(f, &fi);

    return NGX_OK;
}


/* the name comes decoded from a client: it may have any byte but zero */

static void
ngx_webrtc_files_change_open_failed(ngx_webrtc_files_t *f, u_char *path,
    ngx_err_t err)
{
    u_char  text[NGX_WEBRTC_FILES_TEXT], *p;

    for (p = text; *path && p < text + sizeof(text); p++, path++) {
        *p = (*path < 0x20 || *path == 0x7f || *path == '"') ? '?' : *path;
    }

    ngx_log_error(NGX_LOG_ERR, &f->session->log, err,
                  ngx_open_file_n " \"%*s\" failed", (size_t) (p - text), text);
}


static ngx_int_t
ngx_webrtc_files_change_same(ngx_webrtc_files_t *f, ngx_file_info_t *fi)
{
    if ((uint64_t) fi->st_size != f->file.size
        || (int64_t) fi->st_mtim.tv_sec != f->file.mtime_sec
        || (uint32_t) fi->st_mtim.tv_nsec != f->file.mtime_nsec
        || fi->st_nlink == 0)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_webrtc_files_change_begin(ngx_webrtc_files_t *f, ngx_file_info_t *fi)
{
    time_t  age;

    f->size = (uint64_t) fi->st_size;
    f->looked = ngx_current_msec;

    if (f->policy.file_changes != NGX_WEBRTC_FILE_FOLLOW) {
        return;
    }

    /* the clock may not be ours, and ahead */

    age = ngx_max(ngx_time() - fi->st_mtime, 0);
    age = ngx_min(age, NGX_MAX_INT32_VALUE / 1000);

    f->grown = ngx_current_msec - (ngx_msec_t) age * 1000;
    f->growing = (ngx_current_msec - f->grown < f->policy.file_quiet
                  && fi->st_nlink != 0);
}


ngx_int_t
ngx_webrtc_files_change_check(ngx_webrtc_files_t *f, ngx_file_info_t *fi,
    uint64_t told)
{
    ngx_file_info_t  now;

    if (f->policy.file_changes == NGX_WEBRTC_FILE_IGNORE) {
        return NGX_OK;
    }

    if (!f->changed) {

        if (fi == NULL) {
            fi = &now;
            told = f->size;

            if (ngx_fd_info(f->fd, fi) == NGX_FILE_ERROR) {
                ngx_webrtc_files_change_changed(f, "fstat() failed");
                return NGX_DECLINED;
            }
        }

        if (f->policy.file_changes == NGX_WEBRTC_FILE_END) {

            if (ngx_webrtc_files_change_same(f, fi) == NGX_OK) {
                return NGX_OK;
            }

        } else if ((uint64_t) fi->st_size >= told) {

            if ((uint64_t) fi->st_size > f->size && !f->growing) {
                ngx_webrtc_files_change_seen(f, fi, told);
            }

            return NGX_OK;
        }
    }

    ngx_webrtc_files_change_changed(f, "changed while being served");

    return NGX_DECLINED;
}


/* clients have data of another version of the file: ends all ranges */

static void
ngx_webrtc_files_change_changed(ngx_webrtc_files_t *f, const char *how)
{
    ngx_uint_t                   i;
    ngx_webrtc_files_channel_t  *fc;

    if (!f->changed) {
        f->changed = 1;
        f->growing = 0;

        ngx_log_error(NGX_LOG_INFO, &f->session->log, 0,
                      "webrtc file %s", how);
    }

    for (i = 0; i < NGX_WEBRTC_CHANNELS; i++) {
        fc = f->served[i];

        if (fc) {
            ngx_webrtc_ranges_fail(&fc->ranges, ngx_current_msec);
            ngx_webrtc_ranges_resize(&fc->ranges, f->size, 0,
                                     ngx_current_msec);
        }
    }
}


/* for a file that is followed, and has not changed yet */

static void
ngx_webrtc_files_change_seen(ngx_webrtc_files_t *f, ngx_file_info_t *fi,
    uint64_t told)
{
    ngx_uint_t                   i, growing;
    ngx_webrtc_files_channel_t  *fc;

    if ((uint64_t) fi->st_size < told) {
        ngx_webrtc_files_change_changed(f, "is shorter than it was");
        return;
    }

    if ((uint64_t) fi->st_size < f->size) {

        /* seen before the larger size became known */

        return;
    }

    if ((uint64_t) fi->st_size > f->size) {
        f->grown = ngx_current_msec;
    }

    growing = (ngx_current_msec - f->grown < f->policy.file_quiet
               && fi->st_nlink != 0);

    if ((uint64_t) fi->st_size == f->size && growing == f->growing) {
        return;
    }

    f->size = (uint64_t) fi->st_size;
    f->growing = growing;

    for (i = 0; i < NGX_WEBRTC_CHANNELS; i++) {
        fc = f->served[i];

        if (fc) {
            fc->hello = 1;
            ngx_webrtc_ranges_resize(&fc->ranges, f->size, growing,
                                     ngx_current_msec);
        }
    }

    ngx_webrtc_files_wake(f);
}


ngx_msec_t
ngx_webrtc_files_change_look_at(ngx_webrtc_files_t *f)
{
    ngx_uint_t  i;

    if (!f->growing) {
        return f->looked + NGX_WEBRTC_FILES_LOOK_IDLE;
    }

    for (i = 0; i < NGX_WEBRTC_CHANNELS; i++) {

        if (f->served[i] && f->served[i]->ranges.nstarved) {
            return f->looked + NGX_WEBRTC_FILES_LOOK_WAIT;
        }
    }

    return f->looked + NGX_WEBRTC_FILES_LOOK_GROW;
}


void
ngx_webrtc_files_change_look(ngx_webrtc_files_t *f)
{
#if (NGX_THREADS)
    ngx_thread_task_t        *task;
    ngx_webrtc_files_look_t  *look;
#endif
    ngx_file_info_t           fi;

    f->looked = ngx_current_msec;

#if (NGX_THREADS)

    if (f->fw->conf.npools) {

        task = ngx_webrtc_files_task_make(f, sizeof(ngx_webrtc_files_look_t), 0,
                                          ngx_webrtc_files_change_look_thread,
                                          ngx_webrtc_files_change_look_done);
        if (task == NULL) {
            return;
        }

        look = task->ctx;
        look->files = f;
        look->fd = f->fd;
        look->told = f->size;

        f->looking = (ngx_webrtc_files_task_post(f, task) == NGX_OK);

        return;
    }

#endif

    if (ngx_fd_info(f->fd, &fi) != NGX_FILE_ERROR) {
        ngx_webrtc_files_change_seen(f, &fi, f->size);
    }
}


#if (NGX_THREADS)

/* in a thread */

static void
ngx_webrtc_files_change_look_thread(void *data, ngx_log_t *log)
{
    ngx_webrtc_files_look_t *look = data;

    look->rc = ngx_fd_info(look->fd, &look->fi);
}


static void
ngx_webrtc_files_change_look_done(ngx_event_t *ev)
{
    ngx_thread_task_t        *task;
    ngx_webrtc_files_t       *f;
    ngx_webrtc_files_look_t  *look;

    task = ev->data;
    look = task->ctx;
    f = look->files;

    if (ngx_webrtc_files_task_returned(f) == NGX_OK) {

        f->looking = 0;
        f->looked = ngx_current_msec;

        if (!f->changed && look->rc != NGX_FILE_ERROR) {
            ngx_webrtc_files_change_seen(f, &look->fi, look->told);
        }

        ngx_webrtc_files_wake(f);
    }

    ngx_free(task);
}

#endif
