
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The file of a session, and how it changes.
 */


#ifndef _NGX_WEBRTC_FILES_CHANGE_H_INCLUDED_
#define _NGX_WEBRTC_FILES_CHANGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_files.h"


/*
 * Opens the file; all rules were applied when the offer was answered, so it
 * must still be the same one.
 *
 *   path   null-terminated
 *
 * NGX_OK, NGX_DECLINED
 */
ngx_int_t ngx_webrtc_files_change_open(ngx_webrtc_files_t *f, u_char *path);

/*
 * Something has been read: may it be sent?
 *
 *   fi     the file's state after the read, or NULL: it is checked now
 *   told   f->size when the read began
 *
 * NGX_OK
 * NGX_DECLINED  the file has changed: all ranges have ended with status 3
 */
ngx_int_t ngx_webrtc_files_change_check(ngx_webrtc_files_t *f,
    ngx_file_info_t *fi, uint64_t told);

/* A file that is followed: when to look at it, and to do so. */
ngx_msec_t ngx_webrtc_files_change_look_at(ngx_webrtc_files_t *f);
void ngx_webrtc_files_change_look(ngx_webrtc_files_t *f);


#endif /* _NGX_WEBRTC_FILES_CHANGE_H_INCLUDED_ */
