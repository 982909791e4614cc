
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_record": a stream becomes files, one after the other.
 *
 *   - One worker has a recording (ngx_webrtc_bus_outlet.h): it reads the
 *     stream's ring, as viewers do, and feeds a job of the media process that
 *     writes the file.  Nothing here waits for a disk.
 *   - A file begins with a key frame.  Another one begins when the stream has
 *     other tracks, codecs or pictures, and with "segment" at the first key
 *     frame after that time.
 *   - While its publisher is away, for "webrtc_linger" at most, the file stays
 *     open; what comes then goes on in it, after a gap in time.
 *   - What cannot be written (a disk that is full, or too slow) ends the
 *     recording with an error of the stream; it is tried again after a minute.
 *   - A worker that is shutting down goes on while the stream is fed by it, and
 *     else completes its file; the worker that feeds the stream begins another.
 */


#ifndef _NGX_WEBRTC_RECORD_H_INCLUDED_
#define _NGX_WEBRTC_RECORD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_bus_outlet.h"


typedef struct ngx_webrtc_record_s  ngx_webrtc_record_t;


/* a file that has been completed; valid during the call */
typedef struct {
    ngx_webrtc_stream_t   *stream;
    ngx_str_t              path;
    uint64_t               size;          /* bytes */
    uint64_t               duration_ms;   /* of media */
    time_t                 begun;         /* wall clock */
    ngx_str_t              cause;         /* of its end: "stopped", ... */
} ngx_webrtc_record_done_t;


/*
 * How a stream is recorded.
 *
 *   root, rel   see ngx_webrtc_record_file.h; name() makes rel anew for each
 *               file, in a buffer of NGX_WEBRTC_RECORD_PATH bytes, and returns
 *               its length; 0: it cannot be (*cause)
 *   done        may be NULL
 *   pool        of threads, ngx_thread_pool_t *
 */
typedef struct {
    ngx_str_t              root;          /* null-terminated */
    ngx_str_t              format;        /* of ngx_webrtc_media_output_t */
    ngx_msec_t             segment;       /* 0: one file */
    uint32_t               id;            /* of the directive */
    size_t               (*name)(void *ctx, ngx_webrtc_stream_t *st,
                                 u_char *rel, const char **cause);
    void                 (*done)(void *ctx, ngx_webrtc_record_done_t *done);
    void                  *ctx;
    void                  *pool;
} ngx_webrtc_record_conf_t;


/*
 * This worker is to record a stream that it holds, unless a worker does: called
 * a few times a second for as long as that is so, then
 * ngx_webrtc_records_tick(), which ends those that nobody wants any more.
 *
 *   conf   lives as long as the worker
 */
void ngx_webrtc_record_want(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    const ngx_webrtc_record_conf_t *conf, ngx_log_t *log);

/* The streams recorded here: cursor NULL at first.  NULL: no more */
ngx_webrtc_record_t *ngx_webrtc_record_next(ngx_webrtc_record_t *rec);
ngx_webrtc_stream_t *ngx_webrtc_record_stream(ngx_webrtc_record_t *rec);

void ngx_webrtc_records_tick(void);

/* A stream has news. */
void ngx_webrtc_records_news(ngx_webrtc_stream_t *st);

/* Is there any?  One that keeps a worker that shuts down? */
ngx_uint_t ngx_webrtc_records_any(void);
ngx_uint_t ngx_webrtc_records_busy(void);

/* For exit_process: files get their names as they are. */
void ngx_webrtc_records_exit(void);


#endif /* _NGX_WEBRTC_RECORD_H_INCLUDED_ */
