
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A file session: application data of DTLS <-> SCTP association <-> channels
 * <-> ranges of one file.  Reads of the file never block the event loop.
 *
 * Memory of a session, in bytes: sizeof(ngx_webrtc_files_t) (6 kB) and what
 * usrsctp and OpenSSL keep while it is idle; ngx_webrtc_sctp_assoc_t.high (64
 * KiB to 8 MiB, by the rate it had) when its peer does not read while ranges
 * are served; one frame for each range that is read by a thread or held back
 * (webrtc_file_ranges of webrtc_file_chunk); 80 for each range that waits; and
 * 512 for each small message that its peer has not acknowledged.
 * Of all sessions of a worker: webrtc_file_memory, see ngx_webrtc_memory.h.
 */


#ifndef _NGX_WEBRTC_FILES_H_INCLUDED_
#define _NGX_WEBRTC_FILES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_role.h"


/* ms after the answer by which a channel has to be open; the protocol's */
#define NGX_WEBRTC_FILES_OPEN      30000

/* bytes read for a session before others get their turn; chosen: a ms or so */
#define NGX_WEBRTC_FILES_TURN      262144

/* bytes that a read counts for at least; chosen: 128 reads are a turn */
#define NGX_WEBRTC_FILES_LEAST     2048

/* file sessions of a worker at most; chosen: 32 bytes each, and far more than
 * one processor serves */
#define NGX_WEBRTC_FILES_SESSIONS  16384

/* bytes that a thread asks the kernel to read ahead of what it reads; chosen:
 * so that the next reads need no thread */
#define NGX_WEBRTC_FILES_AHEAD     1048576


typedef struct {
    size_t                       memory;      /* on its way to clients, of all
                                                 sessions of a worker */
    void                       **pools;       /* ngx_thread_pool_t */
    ngx_uint_t                   npools;
} ngx_webrtc_files_conf_t;


/* its conf is a ngx_webrtc_files_conf_t, which is copied */
extern const ngx_webrtc_role_t  ngx_webrtc_files_role;


#endif /* _NGX_WEBRTC_FILES_H_INCLUDED_ */
