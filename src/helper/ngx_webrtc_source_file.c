
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Local files: see ngx_webrtc_source_file.h.
 *
 * A path is walked as nginx does for "disable_symlinks": each step from its
 * parent directory's descriptor, so that what was checked cannot be swapped.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <poll.h>

#include "ngx_webrtc_source_file.h"


/* bytes; chosen: as libavformat's own */
#define NGX_WEBRTC_SOURCE_FILE_BUFFER  32768

/* O_NONBLOCK has no effect on regular files */
#define NGX_WEBRTC_SOURCE_FILE_FLAGS   (O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_NOCTTY)

/* ms between two looks at whether to go on waiting; libavformat's own */
#define NGX_WEBRTC_SOURCE_FILE_POLL    100

#define NGX_WEBRTC_SOURCE_FILE_NOT     "not a regular file"
#define NGX_WEBRTC_SOURCE_FILE_LINK    "a symbolic link, see disable_symlinks"


typedef struct {
    ngx_fd_t           fd;
    AVIOInterruptCB    interrupt;
} ngx_webrtc_source_file_t;


static ngx_fd_t ngx_webrtc_source_file_walk(const char *path, ngx_uint_t links,
    size_t from, char *last, const char **cause);
static ngx_fd_t ngx_webrtc_source_file_at(ngx_fd_t at, const char *name,
    int flags, ngx_uint_t links, const char **cause);
static AVIOContext *ngx_webrtc_source_file_context(ngx_fd_t fd,
    AVIOInterruptCB *interrupt, int (*read)(void *opaque, uint8_t *buf,
    int size), int64_t (*seek)(void *opaque, int64_t offset, int whence));
static int ngx_webrtc_source_file_given_read(void *opaque, uint8_t *buf,
    int size);
static int ngx_webrtc_source_file_read(void *opaque, uint8_t *buf, int size);
static int64_t ngx_webrtc_source_file_seek(void *opaque, int64_t offset,
    int whence);


ngx_fd_t
ngx_webrtc_source_file_open(const char *path, ngx_uint_t links, size_t from,
    const char **cause)
{
    char          name[NAME_MAX + 1];
    ngx_fd_t      at, fd;
    ngx_err_t     err;
    struct stat   st;

    if (links == NGX_WEBRTC_SOURCE_LINKS_FOLLOW) {
        at = AT_FDCWD;

    } else {
        at = ngx_webrtc_source_file_walk(path, links, from, name, cause);

        if (at == NGX_INVALID_FILE) {
            return NGX_INVALID_FILE;
        }

        path = name;
    }

    /* a device must not even be opened */

    fd = NGX_INVALID_FILE;
    err = EACCES;

    if (fstatat(at, path, &st,
                links == NGX_WEBRTC_SOURCE_LINKS_NONE ? AT_SYMLINK_NOFOLLOW
                                                      : 0)
        == -1)
    {
        err = ngx_errno;
        *cause = strerror(err);

    } else if (S_ISLNK(st.st_mode)) {
        *cause = NGX_WEBRTC_SOURCE_FILE_LINK;

    } else if (!S_ISREG(st.st_mode)) {
        *cause = NGX_WEBRTC_SOURCE_FILE_NOT;

    } else {
        fd = ngx_webrtc_source_file_at(at, path, NGX_WEBRTC_SOURCE_FILE_FLAGS,
                                       links, cause);
        err = ngx_errno;
    }

    if (at != AT_FDCWD) {
        (void) close(at);
    }

    if (fd != NGX_INVALID_FILE
        && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)))
    {
        (void) close(fd);
        fd = NGX_INVALID_FILE;
        err = EACCES;
        *cause = NGX_WEBRTC_SOURCE_FILE_NOT;
    }

    ngx_set_errno(err);

    return fd;
}


/* The directory of the file, whose name is copied to last. */

static ngx_fd_t
ngx_webrtc_source_file_walk(const char *path, ngx_uint_t links, size_t from,
    char *last, const char **cause)
{
    char         name[PATH_MAX];
    size_t       n;
    ngx_fd_t     at, next;
    ngx_err_t    err;
    const char  *p, *end;

    /* what may have links, as nginx takes it: up to a slash */

    n = (from && from < ngx_strlen(path) && path[from] == '/') ? from : 1;

    if (n >= sizeof(name)) {
        *cause = strerror(ENAMETOOLONG);
        ngx_set_errno(ENAMETOOLONG);
        return NGX_INVALID_FILE;
    }

    (void) ngx_cpystrn((u_char *) name, (u_char *) path, n + 1);

    at = open(name, O_PATH|O_DIRECTORY|O_CLOEXEC);

    if (at == -1) {
        err = ngx_errno;
        *cause = strerror(err);
        ngx_set_errno(err);
        return NGX_INVALID_FILE;
    }

    for (p = path + n; /* void */ ; p = end) {

        while (*p == '/') {
            p++;
        }

        for (end = p; *end && *end != '/'; end++) { /* void */ }

        if (end - p > NAME_MAX) {
            *cause = strerror(ENAMETOOLONG);
            (void) close(at);
            ngx_set_errno(ENAMETOOLONG);
            return NGX_INVALID_FILE;
        }

        (void) ngx_cpystrn((u_char *) last, (u_char *) p, end - p + 1);

        if (*end == '\0') {
            return at;
        }

        next = ngx_webrtc_source_file_at(at, last,
                                         O_PATH|O_DIRECTORY|O_CLOEXEC, links,
                                         cause);

        err = ngx_errno;
        (void) close(at);
        at = next;

        if (at == NGX_INVALID_FILE) {
            ngx_set_errno(err);
            return NGX_INVALID_FILE;
        }
    }
}


static ngx_fd_t
ngx_webrtc_source_file_at(ngx_fd_t at, const char *name, int flags,
    ngx_uint_t links, const char **cause)
{
    ngx_fd_t     fd;
    ngx_err_t    err;
    struct stat  link, st;

    fd = openat(at, name, links == NGX_WEBRTC_SOURCE_LINKS_NONE
                          ? flags|O_NOFOLLOW : flags);

    if (fd == -1) {
        err = ngx_errno;

        /* ELOOP, or with O_DIRECTORY ENOTDIR */

        if (links == NGX_WEBRTC_SOURCE_LINKS_NONE
            && fstatat(at, name, &link, AT_SYMLINK_NOFOLLOW) == 0
            && S_ISLNK(link.st_mode))
        {
            *cause = NGX_WEBRTC_SOURCE_FILE_LINK;
            err = EACCES;

        } else {
            *cause = strerror(err);
        }

        ngx_set_errno(err);
        return NGX_INVALID_FILE;
    }

    if (links == NGX_WEBRTC_SOURCE_LINKS_OWNER
        && (fstatat(at, name, &link, AT_SYMLINK_NOFOLLOW) == -1
            || fstat(fd, &st) == -1
            || (S_ISLNK(link.st_mode) && link.st_uid != st.st_uid)))
    {
        *cause = NGX_WEBRTC_SOURCE_FILE_LINK;
        (void) close(fd);
        ngx_set_errno(EACCES);
        return NGX_INVALID_FILE;
    }

    return fd;
}


AVIOContext *
ngx_webrtc_source_file_io(ngx_fd_t fd, AVIOInterruptCB *interrupt)
{
    return ngx_webrtc_source_file_context(fd, interrupt,
                                          ngx_webrtc_source_file_read,
                                          ngx_webrtc_source_file_seek);
}


AVIOContext *
ngx_webrtc_source_file_given(ngx_fd_t fd, AVIOInterruptCB *interrupt)
{
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (fd == NGX_INVALID_FILE) {
        return NULL;
    }

    return ngx_webrtc_source_file_context(fd, interrupt,
                                          ngx_webrtc_source_file_given_read,
                                          NULL);
}


/* fd is the context's, and closed if there is none */

static AVIOContext *
ngx_webrtc_source_file_context(ngx_fd_t fd, AVIOInterruptCB *interrupt,
    int (*read)(void *opaque, uint8_t *buf, int size),
    int64_t (*seek)(void *opaque, int64_t offset, int whence))
{
    u_char                    *buf;
    AVIOContext               *pb;
    ngx_webrtc_source_file_t  *file;

    pb = NULL;
    buf = av_malloc(NGX_WEBRTC_SOURCE_FILE_BUFFER);
    file = malloc(sizeof(ngx_webrtc_source_file_t));

    if (buf && file) {
        file->fd = fd;
        file->interrupt = *interrupt;

        pb = avio_alloc_context(buf, NGX_WEBRTC_SOURCE_FILE_BUFFER, 0, file,
                                read, NULL, seek);
    }

    if (pb == NULL) {
        av_free(buf);
        free(file);
        (void) close(fd);
    }

    return pb;
}


void
ngx_webrtc_source_file_close(AVIOContext *pb)
{
    ngx_webrtc_source_file_t  *file;

    file = pb->opaque;

    (void) close(file->fd);
    free(file);

    av_freep(&pb->buffer);
    avio_context_free(&pb);
}


ngx_uint_t
ngx_webrtc_source_file_is(AVIOContext *pb)
{
    /* the read function may be replaced by an observer */

    return pb && pb->seek == ngx_webrtc_source_file_seek;
}


static int
ngx_webrtc_source_file_given_read(void *opaque, uint8_t *buf, int size)
{
    ngx_webrtc_source_file_t *file = opaque;

    ssize_t        n;
    struct pollfd  pfd;

    pfd.fd = file->fd;
    pfd.events = POLLIN;

    for ( ;; ) {

        if (file->interrupt.callback
            && file->interrupt.callback(file->interrupt.opaque))
        {
            return AVERROR_EXIT;
        }

        n = read(file->fd, buf, size);

        if (n >= 0) {
            return n ? (int) n : AVERROR_EOF;
        }

        if (ngx_errno == EAGAIN) {
            (void) poll(&pfd, 1, NGX_WEBRTC_SOURCE_FILE_POLL);
            continue;
        }

        if (ngx_errno != EINTR) {
            return AVERROR(ngx_errno);
        }
    }
}


static int
ngx_webrtc_source_file_read(void *opaque, uint8_t *buf, int size)
{
    ngx_webrtc_source_file_t *file = opaque;

    ssize_t  n;

    if (file->interrupt.callback
        && file->interrupt.callback(file->interrupt.opaque))
    {
        return AVERROR_EXIT;
    }

    do {
        n = read(file->fd, buf, size);
    } while (n == -1 && ngx_errno == EINTR);

    if (n == -1) {
        return AVERROR(ngx_errno);
    }

    return n ? (int) n : AVERROR_EOF;
}


static int64_t
ngx_webrtc_source_file_seek(void *opaque, int64_t offset, int whence)
{
    ngx_webrtc_source_file_t *file = opaque;

    off_t        pos;
    struct stat  st;

    if (whence == AVSEEK_SIZE) {
        return fstat(file->fd, &st) == -1 ? AVERROR(ngx_errno) : st.st_size;
    }

    pos = lseek(file->fd, offset, whence & ~AVSEEK_FORCE);

    return pos == -1 ? AVERROR(ngx_errno) : pos;
}
