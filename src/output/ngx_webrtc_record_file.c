
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Files of recordings: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <dirent.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "ngx_webrtc_record_file.h"


/* modes, less what umask takes away; as those of files that nginx serves */
#define NGX_WEBRTC_RECORD_FILE_MODE  0644
#define NGX_WEBRTC_RECORD_DIR_MODE   0755

/* RENAME_NOREPLACE */
#define NGX_WEBRTC_RECORD_FILE_NEW   1


static ngx_int_t ngx_webrtc_record_file_fail(ngx_webrtc_record_file_t *file,
    const char *cause, int err);
static int ngx_webrtc_record_file_walk(ngx_webrtc_record_file_t *file);
static ngx_int_t ngx_webrtc_record_file_make(ngx_webrtc_record_file_t *file);
static ngx_int_t ngx_webrtc_record_file_ours(int dir, const char *part, int fd,
    ngx_uint_t fresh);
static ngx_int_t ngx_webrtc_record_file_rename(int dir, const char *part,
    ngx_str_t *name, u_char to[NGX_WEBRTC_RECORD_NAME + 32]);
static ngx_int_t ngx_webrtc_record_file_move(int dir, const char *from,
    const char *to);
static ngx_uint_t ngx_webrtc_record_file_leftovers(int dir, ngx_uint_t depth,
    ngx_uint_t *looks);
static ngx_uint_t ngx_webrtc_record_file_leftover(int dir, const char *part);
static void ngx_webrtc_record_file_trim(int fd, off_t size);


ngx_int_t
ngx_webrtc_record_file_open(ngx_webrtc_record_file_t *file)
{
    ngx_uint_t  looks;

    file->dir = -1;
    file->fd = -1;
    file->size = 0;
    file->found = 0;

    file->dir = ngx_webrtc_record_file_walk(file);

    if (file->dir == -1) {
        return NGX_ERROR;
    }

    looks = NGX_WEBRTC_RECORD_LOOKS;
    file->found = ngx_webrtc_record_file_leftovers(file->dir, 0, &looks);

    if (ngx_webrtc_record_file_make(file) != NGX_OK) {
        (void) close(file->dir);
        file->dir = -1;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_record_file_fail(ngx_webrtc_record_file_t *file, const char *cause,
    int err)
{
    file->cause = cause;
    file->err = err;

    return NGX_ERROR;
}


/* from the root to the file's directory; -1: cause and err are set */

static int
ngx_webrtc_record_file_walk(ngx_webrtc_record_file_t *file)
{
    int      dir, next;
    u_char  *p, *end, name[NGX_WEBRTC_RECORD_NAME + 1];

    dir = open(file->root, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (dir == -1) {
        (void) ngx_webrtc_record_file_fail(file, "its directory cannot be "
                                           "opened", errno);
        return -1;
    }

    for (p = file->rel;
         (end = (u_char *) strchr((char *) p, '/')) != NULL;
         p = end + 1)
    {
        if ((size_t) (end - p) > NGX_WEBRTC_RECORD_NAME) {
            (void) close(dir);
            (void) ngx_webrtc_record_file_fail(file, "a name is too long", 0);
            return -1;
        }

        ngx_memcpy(name, p, end - p);
        name[end - p] = '\0';

        if (mkdirat(dir, (char *) name, NGX_WEBRTC_RECORD_DIR_MODE) == -1
            && errno != EEXIST)
        {
            (void) ngx_webrtc_record_file_fail(file, "a directory cannot be "
                                               "made", errno);
            (void) close(dir);
            return -1;
        }

        next = openat(dir, (char *) name, O_RDONLY|O_DIRECTORY|O_NOFOLLOW
                                          |O_CLOEXEC);
        if (next == -1) {
            (void) ngx_webrtc_record_file_fail(file, "a directory in its path "
                                               "cannot be opened, or is a "
                                               "symbolic link", errno);
            (void) close(dir);
            return -1;
        }

        (void) close(dir);
        dir = next;
    }

    file->name = p - file->rel;

    return dir;
}


/* under a name whose final one is free, too, for now */

static ngx_int_t
ngx_webrtc_record_file_make(ngx_webrtc_record_file_t *file)
{
    int         fd;
    ngx_str_t   name;
    ngx_uint_t  n;
    u_char      to[NGX_WEBRTC_RECORD_NAME + 32];

    name.data = file->rel + file->name;
    name.len = ngx_strlen(name.data);

    for (n = 0; n < NGX_WEBRTC_RECORD_TRIES; n++) {

        ngx_webrtc_record_path_name(to, &name, n);

        if (faccessat(file->dir, (char *) to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
            continue;
        }

        (void) snprintf((char *) file->part, sizeof(file->part), "%s%s", to,
                        NGX_WEBRTC_RECORD_PART);

        fd = openat(file->dir, (char *) file->part,
                    O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
                    NGX_WEBRTC_RECORD_FILE_MODE);

        if (fd == -1) {

            if (errno == EEXIST) {
                continue;
            }

            return ngx_webrtc_record_file_fail(file, "its file cannot be made",
                                               errno);
        }

        if (ngx_webrtc_record_file_ours(file->dir, (char *) file->part, fd, 1)
            != NGX_OK)
        {
            (void) close(fd);
            continue;
        }

        file->fd = fd;

        (void) snprintf((char *) file->path, sizeof(file->path), "%s/%.*s%s",
                        file->root, (int) file->name, file->rel, to);

        return NGX_OK;
    }

    return ngx_webrtc_record_file_fail(file, "there are too many files of its "
                                       "name", 0);
}


/*
 * Locks it, unless somebody has taken it for a leftover meanwhile.  On a file
 * system without locks nobody knows who writes a file, unless it is fresh.
 */

static ngx_int_t
ngx_webrtc_record_file_ours(int dir, const char *part, int fd,
    ngx_uint_t fresh)
{
    struct stat  st, now;

    if (flock(fd, LOCK_EX|LOCK_NB) == -1 && (errno == EWOULDBLOCK || !fresh)) {
        return NGX_DECLINED;
    }

    if (fstat(fd, &st) == -1
        || fstatat(dir, part, &now, AT_SYMLINK_NOFOLLOW) == -1
        || st.st_ino != now.st_ino
        || st.st_dev != now.st_dev)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_record_file_done(ngx_webrtc_record_file_t *file)
{
    ngx_int_t    rc;
    ngx_str_t    name;
    struct stat  st;
    u_char       to[NGX_WEBRTC_RECORD_NAME + 32];

    rc = NGX_OK;
    file->size = 0;

    if (fstat(file->fd, &st) == -1) {
        rc = ngx_webrtc_record_file_fail(file, "its file is gone", errno);

    } else if (st.st_size == 0) {
        (void) unlinkat(file->dir, (char *) file->part, 0);

    } else {
        if (file->cut) {
            ngx_webrtc_record_file_trim(file->fd, st.st_size);
            (void) fstat(file->fd, &st);
        }

        file->size = (uint64_t) st.st_size;

        name.data = file->rel + file->name;
        name.len = ngx_strlen(name.data);

        if (ngx_webrtc_record_file_rename(file->dir, (char *) file->part,
                                          &name, to)
            == NGX_OK)
        {
            (void) snprintf((char *) file->path, sizeof(file->path),
                            "%s/%.*s%s", file->root, (int) file->name,
                            file->rel, to);

        } else {
            rc = ngx_webrtc_record_file_fail(file, "its file cannot be "
                                             "renamed", errno);
        }
    }

    (void) close(file->fd);
    (void) close(file->dir);

    file->fd = -1;
    file->dir = -1;

    return rc;
}


/* gives a file its name, or the next that is free; NGX_ERROR: errno is set */

static ngx_int_t
ngx_webrtc_record_file_rename(int dir, const char *part, ngx_str_t *name,
    u_char to[NGX_WEBRTC_RECORD_NAME + 32])
{
    ngx_uint_t  n;

    for (n = 0; n < NGX_WEBRTC_RECORD_TRIES; n++) {

        ngx_webrtc_record_path_name(to, name, n);

        if (ngx_webrtc_record_file_move(dir, part, (char *) to) == NGX_OK) {
            return NGX_OK;
        }

        if (errno != EEXIST) {
            break;
        }
    }

    return NGX_ERROR;
}


/* without replacing anything; NGX_ERROR: errno is set */

static ngx_int_t
ngx_webrtc_record_file_move(int dir, const char *from, const char *to)
{
#ifdef SYS_renameat2

    if (syscall(SYS_renameat2, dir, from, dir, to, NGX_WEBRTC_RECORD_FILE_NEW)
        == 0)
    {
        return NGX_OK;
    }

    if (errno != EINVAL && errno != ENOSYS) {
        return NGX_ERROR;
    }

    /* a file system that cannot */

#endif

    if (linkat(dir, from, dir, to, 0) == -1) {
        return NGX_ERROR;
    }

    (void) unlinkat(dir, from, 0);

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_record_file_find(const char *root)
{
    int         dir;
    ngx_uint_t  n, looks;

    dir = open(root, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (dir == -1) {
        return 0;
    }

    looks = NGX_WEBRTC_RECORD_LOOKS;
    n = ngx_webrtc_record_file_leftovers(dir, NGX_WEBRTC_RECORD_DEPTH, &looks);

    (void) close(dir);

    return n;
}


/* of a directory, which stays open, and of those in it */

static ngx_uint_t
ngx_webrtc_record_file_leftovers(int dir, ngx_uint_t depth, ngx_uint_t *looks)
{
    int             fd;
    DIR            *d;
    size_t          len;
    ngx_uint_t      n;
    struct dirent  *e;

    fd = openat(dir, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    d = (fd == -1) ? NULL : fdopendir(fd);

    if (d == NULL) {

        if (fd != -1) {
            (void) close(fd);
        }

        return 0;
    }

    n = 0;

    while (*looks && (e = readdir(d)) != NULL) {

        (*looks)--;
        len = strlen(e->d_name);

        if (len > sizeof(NGX_WEBRTC_RECORD_PART) - 1
            && strcmp(e->d_name + len - (sizeof(NGX_WEBRTC_RECORD_PART) - 1),
                      NGX_WEBRTC_RECORD_PART)
               == 0)
        {
            n += ngx_webrtc_record_file_leftover(dir, e->d_name);
            continue;
        }

        if (depth == 0 || e->d_name[0] == '.'
            || (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN))
        {
            continue;
        }

        fd = openat(dir, e->d_name, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

        if (fd != -1) {
            n += ngx_webrtc_record_file_leftovers(fd, depth - 1, looks);
            (void) close(fd);
        }
    }

    (void) closedir(d);

    return n;
}


/* 1: it was one, and has its name now */

static ngx_uint_t
ngx_webrtc_record_file_leftover(int dir, const char *part)
{
    int          fd;
    ngx_str_t    name;
    ngx_uint_t   one;
    struct stat  st;
    u_char       to[NGX_WEBRTC_RECORD_NAME + 32];

    name.data = (u_char *) part;
    name.len = strlen(part) - (sizeof(NGX_WEBRTC_RECORD_PART) - 1);

    if (name.len > NGX_WEBRTC_RECORD_NAME + 8) {
        return 0;
    }

    fd = openat(dir, part, O_RDWR|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

    if (fd == -1) {
        return 0;
    }

    one = 0;

    if (fstat(fd, &st) == -1
        || !S_ISREG(st.st_mode)
        || ngx_webrtc_record_file_ours(dir, part, fd, 0) != NGX_OK)
    {
        (void) close(fd);
        return 0;
    }

    if (st.st_size == 0) {
        (void) unlinkat(dir, part, 0);

    } else {
        ngx_webrtc_record_file_trim(fd, st.st_size);

        one = (ngx_webrtc_record_file_rename(dir, part, &name, to) == NGX_OK);
    }

    (void) close(fd);

    return one;
}


/* cuts off a box of MP4 (ISO/IEC 14496-12, 4.2) that is not whole */

static void
ngx_webrtc_record_file_trim(int fd, off_t size)
{
    off_t     at, n, moof;
    u_char    p[8];

    moof = 0;

    for (at = 0; at < size; at += n) {

        if (pread(fd, p, sizeof(p), at) != sizeof(p)) {
            break;
        }

        n = (off_t) ((uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]);

        if (at == 0 && ngx_memcmp(p + 4, "ftyp", 4) != 0) {
            return;
        }

        if (n < 8 || n > size - at) {
            break;
        }

        /* a moof is nothing without its mdat */

        moof = (ngx_memcmp(p + 4, "moof", 4) == 0) ? at : 0;
    }

    if (moof) {
        at = moof;
    }

    if (at > 0 && at < size) {
        (void) (ftruncate(fd, at) == 0);
    }
}
