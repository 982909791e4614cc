
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The file of a session: opened by its name, and whether it is still the one
 * that the session is about.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_files_run.h"


/* all rules were applied when the offer was answered: it has to be that file */

ngx_int_t
ngx_webrtc_files_open(ngx_webrtc_files_t *f, u_char *path)
{
    f->fd = ngx_open_file(path, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                          NGX_FILE_OPEN, 0);

    if (f->fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, &f->session->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", path);
        return NGX_DECLINED;
    }

    if (ngx_webrtc_files_check(f) != NGX_OK) {
        (void) ngx_close_file(f->fd);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* NGX_OK if the file is what it was, NGX_DECLINED if not */

ngx_int_t
ngx_webrtc_files_check(ngx_webrtc_files_t *f)
{
    ngx_file_info_t  fi;

    if (f->changed) {
        return NGX_DECLINED;
    }

    if (ngx_fd_info(f->fd, &fi) == NGX_FILE_ERROR
        || !ngx_is_file(&fi)
        || (uint64_t) fi.st_dev != f->file.dev
        || (uint64_t) fi.st_ino != f->file.ino
        || (uint64_t) fi.st_size != f->file.size
        || (int64_t) fi.st_mtim.tv_sec != f->file.mtime_sec
        || (uint32_t) fi.st_mtim.tv_nsec != f->file.mtime_nsec
        || fi.st_nlink == 0)
    {
        f->changed = 1;

        ngx_log_error(NGX_LOG_INFO, &f->session->log, 0,
                      "webrtc file changed while being served");
        return NGX_DECLINED;
    }

    return NGX_OK;
}
