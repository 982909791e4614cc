
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
#include "ngx_webrtc_worker.h"


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


typedef struct ngx_webrtc_files_s  ngx_webrtc_files_t;


/*
 * A session that is connected begins to serve the file of its slot.
 *
 * NGX_OK
 * NGX_DECLINED  the file is not the one that the answer was about any more
 * NGX_ERROR     failed, logged
 */
ngx_int_t ngx_webrtc_files_start(ngx_webrtc_session_t *s);

/* Ends it; reads that threads are at end later.  May be called twice. */
void ngx_webrtc_files_stop(ngx_webrtc_session_t *s);

/* Takes the application data of one DTLS record. */
void ngx_webrtc_files_input(ngx_webrtc_session_t *s, u_char *p, size_t n);

/* Housekeeping: gives memory back to the system after a peak. */
void ngx_webrtc_files_tick(ngx_webrtc_worker_t *wk);

/* Ends the worker's SCTP, when all sessions are gone. */
void ngx_webrtc_files_done(ngx_webrtc_worker_t *wk);


#endif /* _NGX_WEBRTC_FILES_H_INCLUDED_ */
