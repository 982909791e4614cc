
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Writes the segments of a channel, by threads, and publishes them.  Belongs to
 * the event loop.
 */


#ifndef _NGX_WEBRTC_HLS_STORE_H_INCLUDED_
#define _NGX_WEBRTC_HLS_STORE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus_hls.h"
#include "ngx_webrtc_hls_file.h"


typedef struct ngx_webrtc_hls_task_s  ngx_webrtc_hls_task_t;


typedef struct {
    uint32_t                   clock;     /* 0: no head in this run, or it has
                                             stopped */
    uint32_t                   msn;       /* of the segment to come, or begun */
    uint32_t                   kept;      /* number of the oldest file */
    uint32_t                   heads;     /* likewise, of a head */
    int64_t                    begin_us;  /* wall clock, of the segment that
                                             was begun last, and of the end of
                                             what there is */
    int64_t                    end_us;
    unsigned                   begun:1;
    unsigned                   known:1;   /* of any run: it has a playlist */
    unsigned                   waits:1;   /* for what its job makes */
} ngx_webrtc_hls_store_track_t;


/*
 * Zeroed; set by the caller:
 *
 *   stored    so many bytes have been written
 *   failed    nothing more is written, and what was queued is gone; not after
 *             remove()
 *   removed   remove() has been done; it may call done()
 */
typedef struct {
    ngx_webrtc_bus_t          *bus;
    ngx_webrtc_hls_channel_t  *channel;
    void                      *pool;
    const char                *root;
    ngx_log_t                 *log;
    void                     (*stored)(void *data, uint64_t bytes);
    void                     (*failed)(void *data, const char *cause, int err);
    void                     (*removed)(void *data);
    void                      *data;

    /* "clock" of a track may be read; else private */

    ngx_webrtc_hls_store_track_t  tracks[NGX_WEBRTC_HLS_TRACKS];
    ngx_webrtc_hls_task_t     *task;
    ngx_queue_t                ops;
    size_t                     bytes;     /* not written yet */
    uint32_t                   run;
    unsigned                   removing:1;
} ngx_webrtc_hls_store_t;


/* a part */
typedef struct {
    ngx_uint_t                 track;
    int64_t                    ts;
    int64_t                    wall_us;
    uint32_t                   duration;
    uint32_t                   frames;
    ngx_uint_t                 fresh;     /* of another segment */
    ngx_uint_t                 last;      /* of its segment */
    ngx_uint_t                 independent;
    u_char                    *data;
    size_t                     len;
} ngx_webrtc_hls_piece_t;


/* NGX_OK; NGX_ERROR: no memory.  In either case ended with done(). */
ngx_int_t ngx_webrtc_hls_store_open(ngx_webrtc_hls_store_t *store,
    ngx_str_t *name, uint32_t id);
void ngx_webrtc_hls_store_done(ngx_webrtc_hls_store_t *store);

/* A run begins, in which these tracks come, as bits; and ends. */
ngx_int_t ngx_webrtc_hls_store_run(ngx_webrtc_hls_store_t *store,
    uint64_t stream, ngx_uint_t tracks);
void ngx_webrtc_hls_store_end(ngx_webrtc_hls_store_t *store);

/* NGX_OK; NGX_ERROR: failed() has been called */
ngx_int_t ngx_webrtc_hls_store_head(ngx_webrtc_hls_store_t *store,
    ngx_uint_t track, const ngx_webrtc_hls_track_t *head, u_char *p, size_t n);
ngx_int_t ngx_webrtc_hls_store_part(ngx_webrtc_hls_store_t *store,
    const ngx_webrtc_hls_piece_t *piece);

/*
 * A smaller video has nothing more for now.  Such tracks, and those that do not
 * come in this run, get a gap whenever the first one that does has a segment:
 * who plays them sees at once that there is nothing to wait for.
 */
void ngx_webrtc_hls_store_stop(ngx_webrtc_hls_store_t *store,
    ngx_uint_t track);

/* All files go. */
void ngx_webrtc_hls_store_remove(ngx_webrtc_hls_store_t *store);


#endif /* _NGX_WEBRTC_HLS_STORE_H_INCLUDED_ */
