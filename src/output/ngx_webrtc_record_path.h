
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Paths of recordings below a directory of the operator, with names in them
 * that clients have chosen.
 */


#ifndef _NGX_WEBRTC_RECORD_PATH_H_INCLUDED_
#define _NGX_WEBRTC_RECORD_PATH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of a path below the directory, of one name in it, and how many there
 * are; chosen: what file systems take, with what we add to a name */
#define NGX_WEBRTC_RECORD_PATH   1023
#define NGX_WEBRTC_RECORD_NAME   224
#define NGX_WEBRTC_RECORD_DEPTH  16

/* at the end of the name of a file that is not whole yet */
#define NGX_WEBRTC_RECORD_PART   ".webrtc-part"

/* names of one path; chosen */
#define NGX_WEBRTC_RECORD_TRIES  10000


/*
 * Makes a path that stays below its directory of what it is given: no name is
 * empty, "." or "..", or that of a file that is not whole; control characters
 * become "_".
 *
 *   p, n    changed in place; never longer afterwards
 *   len     set: of the result
 *   cause   constant text
 *
 * NGX_OK; NGX_DECLINED: it is too long, too deep, or nothing is left
 */
ngx_int_t ngx_webrtc_record_path_clean(u_char *p, size_t n, size_t *len,
    const char **cause);

/*
 * The nth name for a file: "cam.mp4", "cam-1.mp4", ...
 *
 *   name   NGX_WEBRTC_RECORD_NAME bytes at most
 *   to     filled, null-terminated
 */
void ngx_webrtc_record_path_name(u_char to[NGX_WEBRTC_RECORD_NAME + 32],
    ngx_str_t *name, ngx_uint_t n);


#endif /* _NGX_WEBRTC_RECORD_PATH_H_INCLUDED_ */
