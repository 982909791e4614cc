
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Local files for libavformat, opened by us: regular ones only, and no links
 * where "disable_symlinks" forbids them.  What is checked is what is read.
 *
 * Used in a source's thread.
 */


#ifndef _NGX_WEBRTC_SOURCE_FILE_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavformat/avformat.h>


/* "disable_symlinks" */
#define NGX_WEBRTC_SOURCE_LINKS_FOLLOW  0
#define NGX_WEBRTC_SOURCE_LINKS_NONE    1
#define NGX_WEBRTC_SOURCE_LINKS_OWNER   2     /* of the same owner */


/*
 * Opens a path that may not be a regular file: never waits for a pipe, never
 * opens a device.
 *
 *   path    absolute
 *   links   NGX_WEBRTC_SOURCE_LINKS_*
 *   from    bytes of path that may contain links: "from=", 0: none
 *   cause   set on failure, constant text or that of strerror()
 *
 * A descriptor; or -1 with ngx_errno set, EACCES for what must not be read.
 */
ngx_fd_t ngx_webrtc_source_file_open(const char *path, ngx_uint_t links,
    size_t from, const char **cause);

/*
 * Makes a context for libavformat to read the file.
 *
 *   fd          is closed with the result, and on failure
 *   interrupt   as of the format
 *
 * NULL: no memory.  Ends with ngx_webrtc_source_file_close().
 */
AVIOContext *ngx_webrtc_source_file_io(ngx_fd_t fd,
    AVIOInterruptCB *interrupt);

/*
 * The same of a stream that comes through a descriptor, a socket that does not
 * block: waits for it, as long as interrupt permits.
 *
 *   fd   stays the caller's
 */
AVIOContext *ngx_webrtc_source_file_given(ngx_fd_t fd,
    AVIOInterruptCB *interrupt);

void ngx_webrtc_source_file_close(AVIOContext *pb);

/* Was it made by ngx_webrtc_source_file_io()? */
ngx_uint_t ngx_webrtc_source_file_is(AVIOContext *pb);


#endif /* _NGX_WEBRTC_SOURCE_FILE_H_INCLUDED_ */
