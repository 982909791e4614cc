
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Files of a stream in segments: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <dirent.h>

#include "ngx_webrtc_hls_file.h"


/* entries of a directory that are looked at; chosen: hours of segments */
#define NGX_WEBRTC_HLS_FILE_LOOKS  200000

/* s without a new file after which a directory is not in use; chosen: several
 * of the longest segments */
#define NGX_WEBRTC_HLS_FILE_USED   150


/* of which channels files are to go */
typedef struct {
    const uint32_t  *keep;       /* these not, */
    ngx_uint_t       n;
    const uint32_t  *before;     /* nor what is not older; NULL: any is */
} ngx_webrtc_hls_file_old_t;


static ngx_int_t ngx_webrtc_hls_file_open(ngx_webrtc_hls_dir_t *dir);
static void ngx_webrtc_hls_file_tidy(ngx_webrtc_hls_dir_t *dir,
    ngx_uint_t all);
static ngx_uint_t ngx_webrtc_hls_file_clean(int fd,
    const ngx_webrtc_hls_file_old_t *old);
static ngx_uint_t ngx_webrtc_hls_file_is_old(uint32_t gen,
    const ngx_webrtc_hls_file_old_t *old);
static ngx_int_t ngx_webrtc_hls_file_write(ngx_webrtc_hls_dir_t *dir,
    ngx_webrtc_hls_op_t *op);
static ngx_int_t ngx_webrtc_hls_file_failed(ngx_webrtc_hls_dir_t *dir,
    const char *cause);
static void ngx_webrtc_hls_file_name(ngx_webrtc_hls_dir_t *dir,
    ngx_webrtc_hls_op_t *op, u_char *buf);


ngx_int_t
ngx_webrtc_hls_file_do(ngx_webrtc_hls_dir_t *dir, ngx_webrtc_hls_op_t *op)
{
    u_char  name[NGX_WEBRTC_HLS_NAME];

    switch (op->what) {

    case NGX_WEBRTC_HLS_OPEN:
        return ngx_webrtc_hls_file_open(dir);

    case NGX_WEBRTC_HLS_HEAD:
    case NGX_WEBRTC_HLS_PART:
        return ngx_webrtc_hls_file_write(dir, op);

    case NGX_WEBRTC_HLS_DELETE:

        if (dir->dir != -1) {
            ngx_webrtc_hls_file_name(dir, op, name);
            (void) unlinkat(dir->dir, (char *) name, 0);
        }

        return NGX_OK;

    case NGX_WEBRTC_HLS_REMOVE:

        if (dir->dir != -1) {
            ngx_webrtc_hls_file_tidy(dir, 1);
        }

        return NGX_OK;

    default:
        return NGX_OK;
    }
}


static ngx_int_t
ngx_webrtc_hls_file_open(ngx_webrtc_hls_dir_t *dir)
{
    int  root;

    if (dir->dir != -1) {
        return NGX_OK;
    }

    root = open(dir->root, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (root == -1) {
        return ngx_webrtc_hls_file_failed(dir, "the directory cannot be "
                                          "opened");
    }

    if (mkdirat(root, (char *) dir->name, 0700) == -1 && errno != EEXIST) {
        (void) ngx_webrtc_hls_file_failed(dir, "a directory cannot be made");
        (void) close(root);
        return NGX_ERROR;
    }

    dir->dir = openat(root, (char *) dir->name,
                      O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (dir->dir == -1) {
        (void) ngx_webrtc_hls_file_failed(dir, "its directory cannot be "
                                          "opened");
        (void) close(root);
        return NGX_ERROR;
    }

    (void) close(root);

    ngx_webrtc_hls_file_tidy(dir, 0);

    return NGX_OK;
}


/* removes what is left of channels before; all: and what is of this one */

static void
ngx_webrtc_hls_file_tidy(ngx_webrtc_hls_dir_t *dir, ngx_uint_t all)
{
    int                        root;
    ngx_webrtc_hls_file_old_t  old;

    old.keep = &dir->gen;
    old.n = all ? 0 : 1;
    old.before = NULL;

    (void) ngx_webrtc_hls_file_clean(openat(dir->dir, ".", O_RDONLY|O_DIRECTORY
                                                           |O_CLOEXEC),
                                     &old);

    if (all) {
        root = open(dir->root, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

        if (root != -1) {
            (void) unlinkat(root, (char *) dir->name, AT_REMOVEDIR);
            (void) close(root);
        }
    }
}


/* removes what is old of a directory, and closes it; how many files it was */

static ngx_uint_t
ngx_webrtc_hls_file_clean(int fd, const ngx_webrtc_hls_file_old_t *old)
{
    DIR                    *d;
    ngx_uint_t              n, found;
    struct dirent          *de;
    ngx_webrtc_hls_file_t   file;

    d = (fd == -1) ? NULL : fdopendir(fd);

    if (d == NULL) {
        if (fd != -1) {
            (void) close(fd);
        }

        return 0;
    }

    found = 0;

    for (n = 0; n < NGX_WEBRTC_HLS_FILE_LOOKS; n++) {

        de = readdir(d);

        if (de == NULL) {
            break;
        }

        /* nothing but what has such a name is ours */

        if (ngx_webrtc_hls_name_parse((u_char *) de->d_name,
                                      ngx_strlen(de->d_name), &file)
            == NGX_OK
            && (file.kind == NGX_WEBRTC_HLS_FILE_HEAD
                || file.kind == NGX_WEBRTC_HLS_FILE_SEGMENT)
            && ngx_webrtc_hls_file_is_old(file.gen, old)
            && unlinkat(dirfd(d), de->d_name, 0) == 0)
        {
            found++;
        }
    }

    (void) closedir(d);

    return found;
}


static ngx_uint_t
ngx_webrtc_hls_file_is_old(uint32_t gen, const ngx_webrtc_hls_file_old_t *old)
{
    ngx_uint_t  i;

    if (old->before && (int32_t) (*old->before - gen) <= 0) {
        return 0;
    }

    for (i = 0; i < old->n; i++) {

        if (old->keep[i] == gen) {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_webrtc_hls_file_write(ngx_webrtc_hls_dir_t *dir, ngx_webrtc_hls_op_t *op)
{
    int       fd, flags;
    u_char   *p, *last, name[NGX_WEBRTC_HLS_NAME];
    ssize_t   n;

    ngx_webrtc_hls_file_name(dir, op, name);

    flags = O_WRONLY|O_APPEND|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC;

    if (op->fresh) {
        flags |= O_CREAT|O_TRUNC;
    }

    fd = openat(dir->dir, (char *) name, flags, 0600);

    if (fd == -1) {
        return ngx_webrtc_hls_file_failed(dir, "a file cannot be opened");
    }

    p = op->data + op->name;
    last = op->data + op->len;

    while (p < last) {
        n = write(fd, p, last - p);

        if (n == -1 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            (void) ngx_webrtc_hls_file_failed(dir, "a file cannot be written");
            (void) close(fd);
            return NGX_ERROR;
        }

        p += n;
    }

    if (close(fd) == -1) {
        return ngx_webrtc_hls_file_failed(dir, "a file cannot be written");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_hls_file_failed(ngx_webrtc_hls_dir_t *dir, const char *cause)
{
    dir->cause = cause;
    dir->err = errno;

    return NGX_ERROR;
}


static void
ngx_webrtc_hls_file_name(ngx_webrtc_hls_dir_t *dir, ngx_webrtc_hls_op_t *op,
    u_char *buf)
{
    ngx_webrtc_hls_file_t  file;

    ngx_memzero(&file, sizeof(ngx_webrtc_hls_file_t));

    file.kind = (op->what == NGX_WEBRTC_HLS_HEAD
                 || (op->what == NGX_WEBRTC_HLS_DELETE && op->name))
                ? NGX_WEBRTC_HLS_FILE_HEAD : NGX_WEBRTC_HLS_FILE_SEGMENT;
    file.track = op->track;
    file.gen = dir->gen;
    file.number = op->number;

    *ngx_webrtc_hls_name_print(buf, buf + NGX_WEBRTC_HLS_NAME - 1, &file)
                                                                     = '\0';
}


ngx_uint_t
ngx_webrtc_hls_file_sweep(const char *root, const uint32_t *gens, ngx_uint_t n,
    uint32_t before, time_t now)
{
    int                         fd, dir;
    DIR                        *d;
    size_t                      len;
    ngx_uint_t                  found, removed, looks;
    struct stat                 sb;
    struct dirent              *de;
    ngx_webrtc_hls_file_old_t   old;

    old.keep = gens;
    old.n = n;
    old.before = &before;

    fd = open(root, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    d = (fd == -1) ? NULL : fdopendir(fd);

    if (d == NULL) {
        if (fd != -1) {
            (void) close(fd);
        }

        return 0;
    }

    found = 0;

    for (looks = 0; looks < NGX_WEBRTC_HLS_FILE_LOOKS; looks++) {

        de = readdir(d);

        if (de == NULL) {
            break;
        }

        /* of ngx_webrtc_hls_name_dir() */

        len = ngx_strlen(de->d_name);

        if (len < 9 || de->d_name[len - 9] != '-' || de->d_name[0] == '.') {
            continue;
        }

        dir = openat(fd, de->d_name,
                     O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

        if (dir == -1) {
            continue;
        }

        /* another nginx may have the same path, or be replaced by this one */

        if (fstat(dir, &sb) == -1
            || now - sb.st_mtime < NGX_WEBRTC_HLS_FILE_USED)
        {
            (void) close(dir);
            continue;
        }

        removed = ngx_webrtc_hls_file_clean(dir, &old);

        if (removed) {
            found += removed;
            (void) unlinkat(fd, de->d_name, AT_REMOVEDIR);
        }
    }

    (void) closedir(d);

    return found;
}


void
ngx_webrtc_hls_file_close(ngx_webrtc_hls_dir_t *dir)
{
    if (dir->dir != -1) {
        (void) close(dir->dir);
        dir->dir = -1;
    }
}
