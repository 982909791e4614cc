
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_snapshot": pictures of streams, as files in memory.
 *
 *   - A picture is that of the newest key frame in the stream's ring, which any
 *     worker can read.  Where that is older than who asks wants, and a key
 *     frame can be asked for, one is, and waited for a moment.
 *   - One job of the media process makes it for all who ask meanwhile, and it
 *     is kept for those who ask later, in this worker.  While there is no newer
 *     key frame it is not made again.
 *   - So many are made at a time, and so many are kept; others wait, or are
 *     refused.
 */


#ifndef _NGX_WEBRTC_SNAPSHOT_H_INCLUDED_
#define _NGX_WEBRTC_SNAPSHOT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_media_message.h"


/* bytes of an ETag: hex digits */
#define NGX_WEBRTC_SNAPSHOT_ETAG  16


/* a file; counted, freed with the last of who has it */
typedef struct {
    ngx_uint_t                  refs;
    ngx_msec_t                  fresh;      /* since when it was the newest */
    uint64_t                    number;     /* of its key frame */
    time_t                      time;       /* wall clock, likewise */
    u_char                      etag[NGX_WEBRTC_SNAPSHOT_ETAG];
    ngx_uint_t                  webp;       /* else JPEG */
    size_t                      len;
    u_char                      data[];
} ngx_webrtc_snapshot_file_t;


/* why there is none */
typedef enum {
    NGX_WEBRTC_SNAPSHOT_NOT_LIVE = 1,       /* no key frame in time */
    NGX_WEBRTC_SNAPSHOT_NO_VIDEO,
    NGX_WEBRTC_SNAPSHOT_FULL,               /* too much to do, or to keep */
    NGX_WEBRTC_SNAPSHOT_FAILED
} ngx_webrtc_snapshot_why_e;


typedef struct ngx_webrtc_snapshot_ask_s  ngx_webrtc_snapshot_ask_t;

/*
 * Who asks.
 *
 *   picture   what is wanted
 *   age       ms; one that was the newest so long ago is too old
 *   wait      ms to wait for the stream and its key frame
 *   ready     file (the caller's, to be given up with done()), or NULL and why,
 *             text
 */
struct ngx_webrtc_snapshot_ask_s {
    ngx_webrtc_media_picture_t  picture;
    ngx_msec_t                  age;
    ngx_msec_t                  wait;
    void                      (*ready)(ngx_webrtc_snapshot_ask_t *ask);
    void                       *data;

    ngx_webrtc_snapshot_file_t *file;
    ngx_uint_t                  why;
    const char                 *text;       /* of FAILED, valid in ready() */

    ngx_queue_t                 queue;      /* private */
    unsigned                    queued:1;
};


/*
 * Asks for a picture of a stream that the caller holds.
 *
 * NGX_OK        ask->file
 * NGX_AGAIN     ready() will be called, once, unless cancel() is
 * NGX_DECLINED  ask->why, ask->text
 */
ngx_int_t ngx_webrtc_snapshot(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_snapshot_ask_t *ask, ngx_log_t *log);

/* May be repeated, also after ready(). */
void ngx_webrtc_snapshot_cancel(ngx_webrtc_snapshot_ask_t *ask);

/* Gives up a file. */
void ngx_webrtc_snapshot_done(ngx_webrtc_snapshot_file_t *file);

/* For the worker's hooks; "any": are there any that are being made? */
void ngx_webrtc_snapshots_tick(void);
void ngx_webrtc_snapshots_news(ngx_webrtc_stream_t *st);
ngx_uint_t ngx_webrtc_snapshots_any(void);
void ngx_webrtc_snapshots_exit(void);


#endif /* _NGX_WEBRTC_SNAPSHOT_H_INCLUDED_ */
