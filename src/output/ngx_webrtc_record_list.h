
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What was recorded below a directory, a page at a time.  Reads directories and
 * files: for a thread.
 */


#ifndef _NGX_WEBRTC_RECORD_LIST_H_INCLUDED_
#define _NGX_WEBRTC_RECORD_LIST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_record_head.h"


/* bytes of a name, with the directories below the root; longer ones are left
 * out */
#define NGX_WEBRTC_RECORD_LIST_NAME   255

/* files of a page at most */
#define NGX_WEBRTC_RECORD_LIST_MAX    1000

/* names looked at for a page, in all directories; chosen: a second of a slow
 * disk */
#define NGX_WEBRTC_RECORD_LIST_LOOKS  100000

/* directories below the root: of a stream, a day, an hour */
#define NGX_WEBRTC_RECORD_LIST_DEPTH  3


typedef struct {
    uint16_t                   len;
    u_char                     name[NGX_WEBRTC_RECORD_LIST_NAME + 1];
    uint64_t                   size;
    time_t                     ended;      /* when it was last written */
    ngx_webrtc_record_head_t   head;       /* of MP4 */
} ngx_webrtc_record_list_file_t;


typedef struct {
    const char                *root;
    u_char                     after[NGX_WEBRTC_RECORD_LIST_NAME + 1];
    size_t                     after_len;  /* names that come after this */
    ngx_uint_t                 limit;      /* 1 to _MAX */

    /* out, by name */

    ngx_webrtc_record_list_file_t  *files;     /* room for limit + 1 */
    ngx_uint_t                 n;          /* limit + 1: there are more */
    ngx_uint_t                 looks;      /* more than _LOOKS: not all */
    ngx_err_t                  err;        /* of the root; 0: none */
} ngx_webrtc_record_list_t;


/*
 * Makes the list.  Files that end in .mp4, .mkv, .webm or .ts count; what
 * begins with a dot, is still written, or is a symbolic link, does not.
 */
void ngx_webrtc_record_list(ngx_webrtc_record_list_t *list);


#endif /* _NGX_WEBRTC_RECORD_LIST_H_INCLUDED_ */
