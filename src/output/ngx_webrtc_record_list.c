
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What was recorded.  Of all names that come after the given one the first ones
 * are kept, in order, so that memory depends on the page alone.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_record_list.h"


static void ngx_webrtc_record_list_dir(ngx_webrtc_record_list_t *list, int fd,
    u_char *path, size_t len, ngx_uint_t depth);
static void ngx_webrtc_record_list_name(ngx_webrtc_record_list_t *list,
    int fd, struct dirent *entry, u_char *path, size_t len,
    ngx_uint_t depth);
static ngx_uint_t ngx_webrtc_record_list_type(int fd, struct dirent *entry);
static ngx_uint_t ngx_webrtc_record_list_counts(const char *name);
static ngx_webrtc_record_list_file_t *ngx_webrtc_record_list_place(
    ngx_webrtc_record_list_t *list, const u_char *path, size_t len);
static ngx_int_t ngx_webrtc_record_list_cmp(const u_char *a, size_t an,
    const u_char *b, size_t bn);
static void ngx_webrtc_record_list_look(int root,
    ngx_webrtc_record_list_file_t *file);


void
ngx_webrtc_record_list(ngx_webrtc_record_list_t *list)
{
    int         fd;
    ngx_uint_t  i;
    u_char      path[NGX_WEBRTC_RECORD_LIST_NAME + 1];

    list->n = 0;
    list->looks = 0;
    list->err = 0;

    fd = open(list->root, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        list->err = ngx_errno;
        return;
    }

    ngx_webrtc_record_list_dir(list, dup(fd), path, 0, 0);

    for (i = 0; i < ngx_min(list->n, list->limit); i++) {
        ngx_webrtc_record_list_look(fd, &list->files[i]);
    }

    (void) close(fd);
}


/* path: len bytes that lead to fd, which is closed here */

static void
ngx_webrtc_record_list_dir(ngx_webrtc_record_list_t *list, int fd,
    u_char *path, size_t len, ngx_uint_t depth)
{
    DIR            *dir;
    struct dirent  *entry;

    dir = (fd == -1) ? NULL : fdopendir(fd);

    if (dir == NULL) {

        if (fd != -1) {
            (void) close(fd);
        }

        return;
    }

    while (list->looks <= NGX_WEBRTC_RECORD_LIST_LOOKS) {
        entry = readdir(dir);

        if (entry == NULL) {
            break;
        }

        list->looks++;

        ngx_webrtc_record_list_name(list, fd, entry, path, len, depth);
    }

    (void) closedir(dir);
}


static void
ngx_webrtc_record_list_name(ngx_webrtc_record_list_t *list, int fd,
    struct dirent *entry, u_char *path, size_t len, ngx_uint_t depth)
{
    size_t                          n;
    ngx_uint_t                      type;
    ngx_webrtc_record_list_file_t  *file;

    n = ngx_strlen(entry->d_name);

    if (entry->d_name[0] == '.'
        || n + (len ? 1 : 0) > NGX_WEBRTC_RECORD_LIST_NAME - len)
    {
        return;
    }

    type = ngx_webrtc_record_list_type(fd, entry);

    if (type == DT_REG && !ngx_webrtc_record_list_counts(entry->d_name)) {
        return;
    }

    if (len) {
        path[len++] = '/';
    }

    ngx_memcpy(path + len, entry->d_name, n);
    len += n;

    if (type == DT_DIR && depth < NGX_WEBRTC_RECORD_LIST_DEPTH) {
        ngx_webrtc_record_list_dir(list,
                                   openat(fd, entry->d_name,
                                          O_RDONLY|O_DIRECTORY|O_NOFOLLOW
                                          |O_CLOEXEC),
                                   path, len, depth + 1);
        return;
    }

    if (type != DT_REG
        || ngx_webrtc_record_list_cmp(path, len, list->after, list->after_len)
           <= 0)
    {
        return;
    }

    file = ngx_webrtc_record_list_place(list, path, len);

    if (file) {
        ngx_memzero(file, sizeof(ngx_webrtc_record_list_file_t));
        ngx_memcpy(file->name, path, len);
        file->len = (uint16_t) len;
    }
}


/* not all file systems tell */

static ngx_uint_t
ngx_webrtc_record_list_type(int fd, struct dirent *entry)
{
    struct stat  st;

    if (entry->d_type != DT_UNKNOWN) {
        return entry->d_type;
    }

    if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
        return DT_UNKNOWN;
    }

    return S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR
                                                              : DT_UNKNOWN;
}


static ngx_uint_t
ngx_webrtc_record_list_counts(const char *name)
{
    ngx_uint_t   i;
    const char  *dot;

    static const char  *ends[] = { ".mp4", ".mkv", ".webm", ".ts", NULL };

    dot = strrchr(name, '.');

    for (i = 0; dot && ends[i]; i++) {
        if (strcmp(dot, ends[i]) == 0) {
            return 1;
        }
    }

    return 0;
}


/* Returns where it goes, with those after it moved; NULL: behind the page */

static ngx_webrtc_record_list_file_t *
ngx_webrtc_record_list_place(ngx_webrtc_record_list_t *list,
    const u_char *path, size_t len)
{
    ngx_uint_t                      low, high, mid;
    ngx_webrtc_record_list_file_t  *files;

    files = list->files;
    low = 0;
    high = list->n;

    while (low < high) {
        mid = (low + high) / 2;

        if (ngx_webrtc_record_list_cmp(files[mid].name, files[mid].len, path,
                                       len)
            < 0)
        {
            low = mid + 1;

        } else {
            high = mid;
        }
    }

    if (low == list->limit + 1) {
        return NULL;
    }

    if (list->n <= list->limit) {
        list->n++;
    }

    ngx_memmove(&files[low + 1], &files[low],
                (list->n - 1 - low) * sizeof(ngx_webrtc_record_list_file_t));

    return &files[low];
}


static ngx_int_t
ngx_webrtc_record_list_cmp(const u_char *a, size_t an, const u_char *b,
    size_t bn)
{
    ngx_int_t  rc;

    rc = ngx_memcmp(a, b, ngx_min(an, bn));

    return rc ? rc : (ngx_int_t) an - (ngx_int_t) bn;
}


/* what the file is, as far as that is cheap */

static void
ngx_webrtc_record_list_look(int root, ngx_webrtc_record_list_file_t *file)
{
    int          fd;
    ssize_t      n;
    struct stat  st;
    u_char       buf[NGX_WEBRTC_RECORD_HEAD];

    fd = openat(root, (char *) file->name, O_RDONLY|O_NOFOLLOW|O_NONBLOCK
                                           |O_CLOEXEC);
    if (fd == -1) {
        return;
    }

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        file->size = (uint64_t) st.st_size;
        file->ended = st.st_mtime;

        n = (file->len > 4
             && ngx_memcmp(file->name + file->len - 4, ".mp4", 4) == 0)
            ? pread(fd, buf, sizeof(buf), 0) : 0;

        if (n > 0) {
            ngx_webrtc_record_head(buf, (size_t) n, &file->head);
        }
    }

    (void) close(fd);
}
