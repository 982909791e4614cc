
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Files of recordings.  These functions may block, on a disk that is slow or
 * gone: they are for threads, and use nothing of nginx's loop.
 *
 * A file that is being written has another name ("cam.mp4.webrtc-part") and a
 * lock (flock) that its writers share; it gets its own name when it is whole.
 * One that has that name and no lock is a leftover of a crash.
 *
 * No symbolic link below the operator's directory is followed, and no file that
 * is there is written to or replaced.
 */


#ifndef _NGX_WEBRTC_RECORD_FILE_H_INCLUDED_
#define _NGX_WEBRTC_RECORD_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_record_path.h"


/* bytes of a path with its directory */
#define NGX_WEBRTC_RECORD_FULL  (NGX_MAX_PATH + NGX_WEBRTC_RECORD_PATH + 64)

/* entries of directories that are looked at for leftovers; chosen: seconds */
#define NGX_WEBRTC_RECORD_LOOKS  200000


typedef struct {
    const char   *root;         /* the operator's directory */
    ngx_uint_t    cut;          /* for done(): its writer has not ended well */
    u_char        rel[NGX_WEBRTC_RECORD_PATH + 1];    /* cleaned path below */

    /* set by open() */

    int           dir;          /* of the file; -1: not open */
    int           fd;           /* -1: likewise */
    size_t        name;         /* where the name begins in rel */
    u_char        part[NGX_WEBRTC_RECORD_NAME + 64];
    u_char        path[NGX_WEBRTC_RECORD_FULL];       /* its own, once whole */
    uint64_t      size;         /* set by done() */
    ngx_uint_t    found;        /* leftovers in that directory */

    const char   *cause;        /* constant text */
    int           err;          /* an errno, or 0 */
} ngx_webrtc_record_file_t;


/*
 * Makes the directories below root that are missing, and the file; leftovers in
 * its directory are given their names.
 *
 * NGX_OK; NGX_ERROR: cause and err are set
 */
ngx_int_t ngx_webrtc_record_file_open(ngx_webrtc_record_file_t *file);

/*
 * It is whole: gives it its name, or removes it if there is nothing in it
 * (size is 0 then).  Closes it in any case.
 *
 * NGX_OK; NGX_ERROR: cause and err are set, and it stays as it is
 */
ngx_int_t ngx_webrtc_record_file_done(ngx_webrtc_record_file_t *file);

/*
 * Gives all leftovers below a directory their names.
 *
 * How many there were.
 */
ngx_uint_t ngx_webrtc_record_file_find(const char *root);


#endif /* _NGX_WEBRTC_RECORD_FILE_H_INCLUDED_ */
