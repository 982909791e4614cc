
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Files of a stream in segments.  These functions may block, on a disk that is
 * slow: they are for threads, and use nothing of nginx's loop.
 *
 * Each channel has a directory of its own below the operator's; its name is
 * made of the stream's, and is a single one whatever that has in it.  Names of
 * files have the channel's number ("gen") in them: what has another one is a
 * leftover, and removed when the directory is opened.
 *
 * No symbolic link below the operator's directory is followed.  Files are only
 * appended to, and what has been published of one never changes.
 */


#ifndef _NGX_WEBRTC_HLS_FILE_H_INCLUDED_
#define _NGX_WEBRTC_HLS_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_hls_name.h"


typedef enum {
    NGX_WEBRTC_HLS_OPEN = 1,     /* the directory is made, and tidied up */
    NGX_WEBRTC_HLS_HEAD,         /* a file is written, whole */
    NGX_WEBRTC_HLS_PART,         /* appended to a file; fresh: a new one */
    NGX_WEBRTC_HLS_BEGIN,        /* nothing to do with files, but in order */
    NGX_WEBRTC_HLS_CLOSE,        /* likewise */
    NGX_WEBRTC_HLS_GAP,          /* likewise */
    NGX_WEBRTC_HLS_DELETE,       /* a file is removed */
    NGX_WEBRTC_HLS_REMOVE        /* and all, with the directory */
} ngx_webrtc_hls_op_e;


/* something to do; what is not for files is its maker's */
typedef struct {
    ngx_queue_t       queue;
    ngx_uint_t        what;      /* ngx_webrtc_hls_op_e */
    ngx_uint_t        track;
    uint32_t          number;    /* in the file's name */
    int64_t           ts;
    int64_t           wall_us;
    uint32_t          duration;
    uint32_t          frames;
    unsigned          fresh:1;
    unsigned          independent:1;
    size_t            name;      /* bytes of data that are not the file's;
                                    DELETE: 1, of a head */
    size_t            len;
    u_char            data[] __attribute__((aligned(8)));
} ngx_webrtc_hls_op_t;


typedef struct {
    const char       *root;      /* the operator's directory */
    u_char            name[NGX_WEBRTC_HLS_DIR + 1];     /* below it */
    uint32_t          gen;
    int               dir;       /* -1: not open */

    const char       *cause;     /* of a failure; constant text */
    int               err;
} ngx_webrtc_hls_dir_t;


/*
 * Does one.  NGX_OK; NGX_ERROR: cause and err are set.  Removing never fails.
 */
ngx_int_t ngx_webrtc_hls_file_do(ngx_webrtc_hls_dir_t *dir,
    ngx_webrtc_hls_op_t *op);

/*
 * Removes what channels have left that are not there any more, such as when
 * nginx has stopped.
 *
 *   gens     of those that are, n
 *   before   made later, they are somebody's
 *   now      a directory that has changed of late is in use
 *
 * How many files there were.
 */
ngx_uint_t ngx_webrtc_hls_file_sweep(const char *root, const uint32_t *gens,
    ngx_uint_t n, uint32_t before, time_t now);

void ngx_webrtc_hls_file_close(ngx_webrtc_hls_dir_t *dir);


#endif /* _NGX_WEBRTC_HLS_FILE_H_INCLUDED_ */
