
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a file is: the media process looks at it once, and each worker
 * remembers the last ones.
 */


#ifndef _NGX_WEBRTC_FILES_PROBE_H_INCLUDED_
#define _NGX_WEBRTC_FILES_PROBE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus_file.h"
#include "ngx_webrtc_movie.h"


/* files that a worker remembers; chosen: 3 kB each */
#define NGX_WEBRTC_FILES_PROBES        64

/* files that are looked at at once in a worker; chosen: a process's threads
 * read disks, and a client waits for each */
#define NGX_WEBRTC_FILES_PROBES_BUSY   8


typedef struct ngx_webrtc_files_probe_s  ngx_webrtc_files_probe_t;


/*
 * Called from the event loop.
 *
 *   movie   valid during the call; NULL: it could not be found out
 */
typedef void (*ngx_webrtc_files_probe_pt)(void *data,
    const ngx_webrtc_movie_t *movie);


/*
 * Finds out what a file is.
 *
 *   file      its identity
 *   fd        the caller's; not used after this has returned
 *   movie     set with NGX_OK
 *   probe     set with NGX_AGAIN
 *   handler   called once then, unless it is cancelled
 *   log       lives until then
 *
 * NGX_OK      it is known
 * NGX_AGAIN   the media process looks at it
 * NGX_BUSY    it looks at too many
 * NGX_ERROR   there is no media process, after logging
 */
ngx_int_t ngx_webrtc_files_probe(const ngx_webrtc_peer_file_t *file, int fd,
    const ngx_webrtc_movie_t **movie, ngx_webrtc_files_probe_t **probe,
    ngx_webrtc_files_probe_pt handler, void *data, ngx_log_t *log);

/* Nobody waits for it any more. */
void ngx_webrtc_files_probe_cancel(ngx_webrtc_files_probe_t *probe);

/* For exit_process. */
void ngx_webrtc_files_probe_done(void);


#endif /* _NGX_WEBRTC_FILES_PROBE_H_INCLUDED_ */
